"""Delivers answers to the person who asked: in the channel or privately, with files, however long
they took.

What certainly did not reach Slack is sent again, or in another way. A post is not sent again after
a broken connection, because Slack may have accepted it. An edit and a replacement are, because a
second one changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeVar

from msgspec.structs import replace

from bot.answer import Answer, Block, Progress
from bot.blocks import kit
from bot.blocks import messages as block_messages
from bot.blocks.progress_blocks import pending_note
from bot.errors import SlackDeliveryUnknown, SlackRefused, SlackUnreachable
from bot.slack.agent_threads import AgentThreads
from bot.slack.answer_streams import AnswerStreams
from bot.slack.client import SlackClient
from bot.slack.earlier_messages import FAILURES, EarlierMessages
from bot.slack.errors import help_for
from bot.slack.file_delivery import FileDelivery
from bot.slack.messages import SlackMessages, work_key
from bot.slack.pace import NoRoom
from bot.slack.private_answers import private_answer, shareable
from bot.slack.private_reasons import NOT_HERE, UNREACHABLE
from bot.slack.progress_messages import ProgressMessages
from bot.slack.reply_target import ReplaceMode as ReplaceMode
from bot.slack.reply_target import ReplyTarget as ReplyTarget
from bot.slack.views import SlackViews

log = logging.getLogger("opswatch")
T = TypeVar("T")

# How long to wait, in seconds, before what certainly did not reach Slack is sent again.
RETRY_AFTER_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
# The wait in a busy channel from which on its asker is notified, and how often at most, in seconds.
LONG_QUEUE_S = 8.0
QUEUE_NOTE_EVERY_S = 60.0
# When a progress message that could not be replaced is deleted, in seconds between two attempts.
DELETE_AFTER_S = (5.0, 30.0, 120.0, 600.0, 3600.0, 21600.0)


class Delivery:
    """Sends progress, answers and errors to the asker."""

    def __init__(
        self,
        client: SlackClient,
        retry_after_s: Sequence[float] = RETRY_AFTER_S,
        delete_after_s: Sequence[float] = DELETE_AFTER_S,
    ) -> None:
        self._client = client
        self.messages = SlackMessages(client)
        self.agent_threads = AgentThreads(client)
        self.views = SlackViews(client)
        self._streams = AnswerStreams(client, self.messages)
        self._progress = ProgressMessages(client, self.messages, self._streams)
        self._files = FileDelivery(client, self.messages)
        self.earlier = EarlierMessages(
            self.messages,
            self._streams,
            self._progress,
            send_ephemeral=self.send_ephemeral,
            remove_progress=self._remove_progress,
        )
        self._retry_after_s = retry_after_s
        self._delete_after_s = delete_after_s
        self._queue_noted: dict[tuple[str, str], float] = {}
        self._deletions: set[asyncio.Task[None]] = set()
        # How many answers are being posted, by channel.
        self._posting: Counter[str] = Counter()

    async def aclose(self) -> None:
        """Stops deleting messages that could not be replaced."""
        for task in self._deletions:
            task.cancel()
        await asyncio.gather(*self._deletions, return_exceptions=True)

    async def show_progress(self, target: ReplyTarget, ticket: str, progress: Progress) -> None:
        """Shows progress with Cancel, where the answer will appear, if the rate limits leave room."""
        if target.public and not target.state.private_reason:
            try:
                await self._progress.show_in_channel(target, ticket, progress)
                return
            except SlackUnreachable:
                return
            except SlackRefused as error:
                self._fall_back_to_private(target, error)
        if target.state.replace_original or target.state.progress.is_announced:
            return
        if not await self._progress.show_privately(target, ticket, progress):
            target.state.progress.is_announced = True
            await self.send_note(target, pending_note(target.title, ticket))

    # Answers

    async def answer(
        self,
        target: ReplyTarget,
        answer: Answer,
        *,
        ticket: str,
        before_fallback: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """The answer, in the channel or privately, followed by its files. A private one can be
        shared if there is a `ticket`. `before_fallback` is awaited before an answer that the
        channel does not take is sent privately.
        """
        target.state.has_unsent_files = bool(answer.files)
        if target.public and not target.state.private_reason:
            try:
                ts = await self._until_reached(lambda: self._answer_in_channel(target, answer))
            except SlackRefused as error:
                self._fall_back_to_private(target, error)
            else:
                self._delete_unconfirmed_later(target)
                await self._send_files_in_thread(target, answer, ts)
                return
            if before_fallback:
                await before_fallback()
        # Also where the channel was closed to the answer after the progress was shown there.
        await self._remove_progress(target)
        if target.replaces in (ReplaceMode.ANSWER, ReplaceMode.REFUSAL):
            target.state.replace_original = True
        await self.send_ephemeral(
            target, *private_answer(answer, ticket, reason=target.state.private_reason)
        )
        target.state.is_answered = True
        target.state.replace_original = False
        if answer.files:
            comment = kit.code(target.title, 500)
            await self._report_files(
                target, await self._files.send(target, answer.files, comment=comment)
            )

    async def _answer_in_channel(self, target: ReplyTarget, answer: Answer) -> str:
        """The `ts` of the answer, which is streamed, or replaces the asker's previous answer or the
        progress message. Where that is gone, or too old to be edited, the answer is posted anew.
        """
        if ts := await self._streams.finish(target, answer):
            if not target.state.progress.begins_answer:
                await self._remove_steps(target, ts, answer)
            return ts
        await self._streams.stop(target)
        await self._progress.find_unconfirmed(target)
        for ts in filter(None, (target.replaces_ts, target.state.progress.ts)):
            if await self.messages.edit(target, ts, answer.text, answer.blocks):
                target.state.is_answered = True
                # It is the answer now, which is not to be deleted.
                if ts == target.state.progress.ts:
                    target.state.progress.ts = ""
                await self._progress.delete(target)
                return ts
        ahead = self._posting[target.channel]
        self._posting[target.channel] += 1
        try:
            await self._note_long_queue(target, ahead)
            key = work_key(target.delivery)
            ts = await self.messages.post(target, answer.text, answer.blocks, key=key)
            target.state.is_answered = True
        finally:
            self._posting[target.channel] -= 1
        await self._progress.delete(target)
        return ts

    async def _remove_steps(self, target: ReplyTarget, ts: str, answer: Answer) -> None:
        """Replaces a stream that shows its steps, Cancel and the answer by the answer alone."""

        try:
            await self._until_reached(
                lambda: self.messages.edit(target, ts, answer.text, answer.blocks)
            )
        except SlackRefused as error:
            log.warning("A streamed answer could not be replaced: %s", error)
        except asyncio.CancelledError:
            # The process stops, and the next one finds the answer delivered.
            with contextlib.suppress(*FAILURES):
                await self.messages.edit(target, ts, answer.text, answer.blocks)
            raise

    async def _send_files_in_thread(self, target: ReplyTarget, answer: Answer, ts: str) -> None:
        thread_ts = target.thread or ts
        why = await self._files.send(
            target, answer.files, channel=target.channel, thread_ts=thread_ts
        )
        await self._report_files(target, why)
        if target.replaces is ReplaceMode.REFUSAL:
            with contextlib.suppress(*FAILURES):
                await self._client.delete_original(target.url)

    async def _report_files(self, target: ReplyTarget, why: str) -> None:
        if why:
            hint = help_for(why) or " Ask again, or for a shorter window."
            text = f"The file could not be sent ({why}).{hint}"
            await self.send_ephemeral(target, text, [kit.section(kit.escaped(text))])
        target.state.has_unsent_files = False

    def _fall_back_to_private(self, target: ReplyTarget, error: SlackRefused) -> None:
        """The answer becomes private where the bot may not post; any other refusal is raised."""
        if isinstance(error, SlackUnreachable):
            target.state.private_reason = UNREACHABLE
            return
        if error.code not in NOT_HERE:
            raise error
        target.state.private_reason = NOT_HERE[error.code]

    async def _note_long_queue(self, target: ReplyTarget, ahead: int) -> None:
        """Tells the asker that the answer waits in a busy channel. `ahead` counts the answers that
        are posted first: those that were ready in the same moment are in no queue yet.
        """
        wait_s = self._client.pace.wait_s(target.channel, ahead)
        if wait_s < LONG_QUEUE_S or target.direct:
            return
        now = asyncio.get_running_loop().time()
        key = (target.user, target.channel)
        if key in self._recently_noted(now):
            return
        self._queue_noted = {**self._recently_noted(now), key: now}
        text = (
            f"This channel is busy: the answer to `{target.title}` is ready, and "
            f"will be posted in about {wait_s:.0f} s."
        )
        # The note must not replace the progress message, which the answer does.
        aside = replace(target, state=replace(target.state, replace_original=False))
        with contextlib.suppress(*FAILURES):
            await self._send_ephemeral(aside, text, block_messages.note_blocks(text))

    def _recently_noted(self, now: float) -> dict[tuple[str, str], float]:
        noted = self._queue_noted.items()
        return {key: at for key, at in noted if now - at < QUEUE_NOTE_EVERY_S}

    # Private messages

    async def send_error(self, target: ReplyTarget, text: str, blocks: Sequence[Block]) -> None:
        """Sends a refusal or an error, always privately, and deletes the progress message."""
        await self._remove_progress(target)
        if target.replaces is ReplaceMode.REFUSAL:
            target.state.replace_original = True
        await self.send_ephemeral(target, text, blocks)

    async def restore_answer(
        self, target: ReplyTarget, text: str, blocks: Sequence[Block], *, ticket: str
    ) -> None:
        """Shows a private answer again that the progress message has replaced. It can be shared
        where there is a `ticket`.
        """
        await self.send_ephemeral(target, *shareable(text, blocks, ticket))
        target.state.replace_original = False

    async def delete_pressed(self, target: ReplyTarget) -> None:
        """Deletes the message whose button was pressed."""
        with contextlib.suppress(*FAILURES):
            await self._client.delete_original(target.url)

    async def send_note(self, target: ReplyTarget, note: Answer) -> None:
        """The result of a command or a button, for the asker alone."""
        await self.send_ephemeral(target, note.text, note.blocks)

    async def send_ephemeral(self, target: ReplyTarget, text: str, blocks: Sequence[Block]) -> None:
        """A message only the asker sees; it replaces the private progress message.

        Raises SlackRefused where no way is left, and SlackDeliveryUnknown where Slack did not say
        whether it accepted it.
        """
        await self._until_reached(lambda: self._send_ephemeral(target, text, blocks))

    async def _send_ephemeral(
        self, target: ReplyTarget, text: str, blocks: Sequence[Block]
    ) -> None:
        """The first way that works: the response URL, the channel, a direct message."""
        if target.direct:
            await self.messages.post(target, text, blocks)
            return
        if await self._respond(target, text, blocks):
            return
        try:
            await self.messages.post_ephemeral(target, text, blocks)
        except SlackRefused as error:
            if error.code not in (*NOT_HERE, "user_not_in_channel"):
                raise
            await self.messages.send_dm(target, text, blocks)
        if target.state.replace_original:
            # The progress message is still shown, and only its response URL can delete it.
            url = target.url
            self._delete_later(lambda: self._client.delete_original(url))
            target.state.replace_original = False
            target.state.url_spent = True

    async def _respond(self, target: ReplyTarget, text: str, blocks: Sequence[Block]) -> bool:
        """Whether the response URL has shown the message; if not, the next way may work, whatever
        the reason.
        """
        try:
            return await self.messages.respond(target, text, blocks)
        except SlackRefused:
            return False
        except SlackDeliveryUnknown:
            # What may have been replaced is deleted once the message is shown in another way.
            if not target.state.replace_original:
                raise
            return False

    async def _remove_progress(self, target: ReplyTarget) -> None:
        """Deletes the progress message in the channel, where no answer takes its place."""
        await self._progress.find_unconfirmed(target)
        await self._progress.delete(target)
        self._delete_unconfirmed_later(target)

    def _delete_unconfirmed_later(self, target: ReplyTarget) -> None:
        """Deletes a progress message that Slack did not confirm, if it is found later."""
        if target.state.progress.is_unconfirmed:
            target.state.deletion = self._delete_later(
                lambda: self._progress.delete_unconfirmed(target)
            )

    def _delete_later(self, delete: Callable[[], Awaitable[bool]]) -> asyncio.Task[None]:
        """Tries for a while to delete a message; `delete` returns whether it did."""

        async def try_to_delete() -> None:
            for wait_s in self._delete_after_s:
                await asyncio.sleep(wait_s)
                with contextlib.suppress(*FAILURES, NoRoom):
                    if await delete():
                        return

        task = asyncio.create_task(try_to_delete())
        self._deletions.add(task)
        task.add_done_callback(self._deletions.discard)
        return task

    async def _until_reached(self, send: Callable[[], Awaitable[T]]) -> T:
        """The result of `send` once Slack can be reached. Raises SlackUnreachable if that takes too
        long.
        """
        for wait_s in self._retry_after_s:
            try:
                return await send()
            except SlackUnreachable:
                log.warning("Slack could not be reached; sending again in %.0f s.", wait_s)
                await asyncio.sleep(wait_s)
        return await send()

    # Other messages

    async def share(self, channel: str, user: str, text: str, blocks: Sequence[Block]) -> None:
        """Posts a private answer in the channel, for its asker. Raises SlackRefused."""
        shown = [*block_messages.without_buttons(blocks), kit.context(f"Shared by <@{user}>")]
        target = ReplyTarget(user=user, channel=channel, response_url="", line="")
        await self.messages.post(target, text, shown)

    async def thread(self, channel: str, ts: str, *, own_ids: Collection[str]) -> list[list[Block]]:
        """The blocks of our own messages in a thread, the oldest first. Raises SlackRefused."""
        return await self.messages.thread(channel, ts, own_ids=own_ids)

    async def open_dm(self, user: str) -> str:
        """The channel of a person's direct messages with the bot. Raises SlackRefused."""
        return await self.messages.open_dm(user)
