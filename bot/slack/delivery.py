"""How an answer reaches the person who asked: in the channel, or privately, with its files, however
long it took.

What certainly did not reach Slack is sent again, or goes another way. A post is not sent again
after a cut connection, since Slack may have taken it; an edit and a replacement are, since doing
them twice changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import aiohttp
from slack_sdk.errors import SlackApiError

from bot.answer import Answer, AnswerFile, Block, Progress
from bot.blocks import kit, limits
from bot.blocks import messages as block_messages
from bot.errors import SlackDeliveryUnknown, SlackRefused, SlackUnreachable
from bot.slack.block_fallback import BlockFallback
from bot.slack.client import SlackClient
from bot.slack.messages import WORKING, SlackMessages, work_key
from bot.slack.messages import json_text as json_text
from bot.slack.messages import to_fallback_text as to_fallback_text
from bot.slack.messages import web_client as web_client
from bot.slack.outcomes import INVITE as INVITE
from bot.slack.outcomes import NOT_HERE as NOT_HERE
from bot.slack.outcomes import THREAD_GONE
from bot.slack.outcomes import UNSURE as UNSURE
from bot.slack.outcomes import slack_error_code as slack_error_code
from bot.slack.pace import Priority
from bot.slack.reply_target import ReplaceMode as ReplaceMode
from bot.slack.reply_target import ReplyTarget as ReplyTarget
from bot.slack.response_url import respond
from bot.slack.uploads import UploadRefused, upload

log = logging.getLogger("opswatch")
T = TypeVar("T")

SNIPPET_BYTES = 1_000_000
UPLOAD_CHUNK = 256 * 1024
# How long to wait, in seconds, before what certainly did not reach Slack is sent again.
REACH_AGAIN_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
# A wait for a turn in a channel that its asker is told of, in seconds; and how often the same
# person is.
LONG_QUEUE_S = 8.0
QUEUE_TOLD_EVERY_S = 60.0
# When a message that says that work goes on is tried to be removed, where it could not be replaced:
# in seconds from then.
REMOVE_AFTER_S = (5.0, 30.0, 120.0, 600.0)
UNREACHABLE = "Only you see this, because Slack took no message for this channel just now."


class Delivery:
    """Brings answers, progress and troubles to the asker."""

    def __init__(
        self,
        client: SlackClient,
        session: aiohttp.ClientSession,
        block_fallback: BlockFallback,
        reach_again_s: Sequence[float] = REACH_AGAIN_S,
        remove_after_s: Sequence[float] = REMOVE_AFTER_S,
    ) -> None:
        self._client, self._session = client, session
        self.messages = SlackMessages(client, session, block_fallback)
        self._reach_again_s, self._remove_after_s = reach_again_s, remove_after_s
        self._queue_told: dict[tuple[str, str], float] = {}
        self._removals: set[asyncio.Task[None]] = set()

    async def aclose(self) -> None:
        """Ends what is still to be tidied up."""
        for task in self._removals:
            task.cancel()
        await asyncio.gather(*self._removals, return_exceptions=True)

    async def show_progress(self, target: ReplyTarget, ticket: str, progress: Progress) -> None:
        """A message that the work goes on, with Cancel; shown where the answer will stand, and as
        answers leave room for it.
        """
        blocks = block_messages.working_blocks(target.title, ticket, progress)
        text = f"{WORKING} {target.title}"
        if target.public and not target.state.private_reason:
            try:
                await self._show_in_channel(target, text, blocks)
                return
            except SlackUnreachable:
                return
            except SlackRefused as error:
                self._fall_back_to_private(target, error)
        if target.state.replace_original or target.state.noted:
            return
        if target.replaces is ReplaceMode.STAYS or not target.url:
            target.state.noted = True
            await self.send_note(target, block_messages.pending_note(target.title, ticket))
            return
        if not await self._show_privately(
            target, text, block_messages.without_newest_blocks(blocks)
        ):
            target.state.noted = True
            await self.send_note(target, block_messages.pending_note(target.title, ticket))

    async def _show_privately(
        self, target: ReplyTarget, text: str, blocks: Sequence[Block]
    ) -> bool:
        """Whether the asker may be shown the work: by the response URL alone, since nothing else
        can be replaced by the answer.
        """
        url_was_spent = target.state.url_spent
        # What a response URL has made beside a button's message cannot be taken back, so the work
        # takes its place.
        target.state.replace_original = target.replaces is not ReplaceMode.NOTHING
        try:
            # A response URL can be used a few times, and not for what may be refused first.
            target.state.replace_original = await self.messages.by_response_url(
                target, text, blocks
            )
        except SlackRefused:
            target.state.replace_original = False
        except SlackDeliveryUnknown:
            # Where it stands, the answer takes its place; where it does not, the answer comes all
            # the same.
            target.state.url_spent = url_was_spent
            target.state.replace_original = True
        return target.state.replace_original

    async def _show_in_channel(
        self, target: ReplyTarget, text: str, blocks: Sequence[Block]
    ) -> None:
        """Raises SlackRefused, and NoRoom where answers need the room."""
        if target.state.progress_hidden:
            return
        client = self._client.at(Priority.PROGRESS)
        if not target.state.progress_ts:
            await self._post_work(target, text, blocks, client)
        elif not await self.messages.edited(target, target.state.progress_ts, text, blocks, client):
            await self._delete_progress(target)
            target.state.progress_hidden = True

    async def _post_work(
        self, target: ReplyTarget, text: str, blocks: Sequence[Block], client: SlackClient
    ) -> None:
        """Where Slack does not say whether it took the message, it is looked for, so that none is
        left saying that work goes on.
        """
        try:
            target.state.progress_ts = await self.messages.post(
                target, text, blocks, client, key=work_key(target.delivery)
            )
        except SlackDeliveryUnknown:
            target.state.progress_ts = await self.messages.find_work(target)
            target.state.progress_hidden = not target.state.progress_ts

    async def answer(self, target: ReplyTarget, answer: Answer, *, ticket: str) -> None:
        """The answer, in the channel or privately, and then its files."""
        if target.public and not target.state.private_reason:
            try:
                thread = await self._once_reached(lambda: self._answer_in_channel(target, answer))
            except SlackRefused as error:
                self._fall_back_to_private(target, error)
            else:
                await self._bring_files(
                    target,
                    answer.files,
                    channel=target.channel,
                    thread_ts=target.thread or thread,
                )
                if target.replaces is ReplaceMode.REFUSAL:
                    with contextlib.suppress(SlackRefused, SlackDeliveryUnknown):
                        await respond(self._session, target.url, {"delete_original": True})
                return
            await self._delete_progress(target)
        target.state.replace_original |= target.replaces in (
            ReplaceMode.ANSWER,
            ReplaceMode.REFUSAL,
        )
        await self.send_ephemeral(target, *_private(target, answer, ticket))
        target.state.replace_original = False
        if answer.files:
            await self._bring_files(target, answer.files, comment=kit.code(target.title, 500))

    async def send_error(self, target: ReplyTarget, text: str, blocks: Sequence[Block]) -> None:
        """A refusal or an error: always private, and nothing is left that says work goes on."""
        await self._delete_progress(target)
        target.state.replace_original |= target.replaces is ReplaceMode.REFUSAL
        await self.send_ephemeral(target, text, blocks)

    async def restore_answer(self, target: ReplyTarget, text: str, blocks: Sequence[Block]) -> None:
        """A private answer is where it was before the work took its place."""
        await self.send_ephemeral(target, text, blocks)
        target.state.replace_original = False

    async def report_interrupted(
        self, target: ReplyTarget, text: str, blocks: Sequence[Block]
    ) -> None:
        """An earlier process was cut off: what it left saying that work goes on tells that now;
        else its asker alone is told.
        """
        with contextlib.suppress(SlackRefused, SlackDeliveryUnknown):
            ts = target.state.progress_ts or await self.messages.find_work(target)
            if ts and await self.messages.edited(target, ts, text, blocks, self._client):
                return
        await self.send_ephemeral(target, text, blocks)

    async def share(self, channel: str, user: str, text: str, blocks: Sequence[Block]) -> None:
        """A private answer put into the channel by its asker. Raises SlackRefused."""
        told = [*block_messages.without_buttons(blocks), kit.context(f"Shared by <@{user}>")]
        await self.messages.post(
            ReplyTarget(user=user, channel=channel, response_url="", line=""),
            text,
            told,
            self._client,
        )

    async def send_note(self, target: ReplyTarget, told: Answer) -> None:
        """What became of a wish or of a button, for the asker alone."""
        await self.send_ephemeral(target, told.text, told.blocks)

    async def send_ephemeral(self, target: ReplyTarget, text: str, blocks: Sequence[Block]) -> None:
        """A message only the asker sees; it takes the place of what was whispered about this target
        before.

        Raises SlackRefused where no way is left, and SlackDeliveryUnknown where Slack did not say
        whether it took it.
        """
        blocks = self.messages.checked(text, blocks)
        await self._once_reached(lambda: self._send_ephemeral(target, text, blocks))

    async def _send_ephemeral(
        self, target: ReplyTarget, text: str, blocks: Sequence[Block]
    ) -> None:
        """By the first way that takes it: the response URL, beside the channel, by
        direct message.
        """
        if target.direct:
            await self.messages.post(target, text, blocks, self._client)
            return
        with contextlib.suppress(SlackRefused):
            if await self.messages.by_response_url(target, text, blocks):
                return
        try:
            await self.messages.beside(target, text, blocks)
        except SlackRefused as error:
            if error.code not in (*NOT_HERE, "user_not_in_channel"):
                raise
            await self.messages.directly(target, text, blocks)
        if target.state.replace_original:
            # It still says that work goes on, and nothing but its response URL can change that.
            self._remove_later(target.url)
            target.state.replace_original = False
            target.state.url_spent = True

    async def _once_reached(self, send: Callable[[], Awaitable[T]]) -> T:
        """What `send` gives once Slack can be reached. Raises SlackUnreachable where that takes too
        long.
        """
        for wait_s in self._reach_again_s:
            try:
                return await send()
            except SlackUnreachable:
                log.warning(
                    "Slack could not be reached; what there is to say is sent again in %.0f s.",
                    wait_s,
                )
                await asyncio.sleep(wait_s)
        return await send()

    async def open_view(self, trigger: str, view: Block) -> None:
        """Opens a modal. Raises SlackApiError where the trigger is used up or too old."""
        await self._client.views_open(trigger_id=trigger, view=view)

    async def update_view(self, view: Block, view_id: str, hash_: str) -> str:
        """Tells an open modal anew, and gives its new hash. Raises SlackApiError where it was
        closed or has changed meanwhile.
        """
        told = await self._client.views_update(view=view, view_id=view_id, hash=hash_)
        return str((told.get("view") or {}).get("hash") or hash_)

    async def publish_home(self, user: str, blocks: Sequence[Block]) -> None:
        problems = limits.block_problems(blocks, most=limits.MOST_VIEW_BLOCKS)
        if problems:
            log.error("App Home would be refused: %s", "; ".join(problems))
        await self._client.views_publish(
            user_id=user, view={"type": "home", "blocks": list(blocks)[: limits.MOST_VIEW_BLOCKS]}
        )

    async def _answer_in_channel(self, target: ReplyTarget, answer: Answer) -> str:
        """The `ts` of the answer, which takes the place of the answer that the person had, or of
        what showed that work goes on. Where that is gone, or cannot be edited any more, it is
        posted anew.
        """
        for ts in filter(None, (target.replaces_ts, target.state.progress_ts)):
            if await self.messages.edited(target, ts, answer.text, answer.blocks, self._client):
                if ts == target.state.progress_ts:
                    target.state.progress_ts = ""
                await self._delete_progress(target)
                return ts
        await self._tell_of_queue(target)
        ts = await self.messages.post(target, answer.text, answer.blocks, self._client)
        await self._delete_progress(target)
        return ts

    async def _tell_of_queue(self, target: ReplyTarget) -> None:
        """Tells the asker that the answer waits for its turn in a busy channel. A courtesy: where
        it cannot be told, it is not.
        """
        pace, now = self._client.pace, asyncio.get_running_loop().time()
        wait_s = pace.wait_s(target.channel) if pace else 0.0
        key = (target.user, target.channel)
        if (
            wait_s < LONG_QUEUE_S
            or target.direct
            or now - self._queue_told.get(key, -QUEUE_TOLD_EVERY_S) < QUEUE_TOLD_EVERY_S
        ):
            return
        self._queue_told = {
            known: at for known, at in self._queue_told.items() if now - at < QUEUE_TOLD_EVERY_S
        } | {key: now}
        text = (
            f"Much is being posted in this channel: the answer to `{target.title}` is ready and "
            f"comes in about {wait_s:.0f} s."
        )
        with contextlib.suppress(SlackRefused, SlackDeliveryUnknown):
            await self._send_ephemeral(
                replace(target, state=replace(target.state, replace_original=False)),
                text,
                self.messages.checked(text, block_messages.note_blocks(text)),
            )

    async def _delete_progress(self, target: ReplyTarget) -> None:
        """Nothing is left that says that work goes on."""
        if target.state.progress_ts:
            with contextlib.suppress(SlackApiError, *UNSURE):
                await self._client.chat_delete(channel=target.channel, ts=target.state.progress_ts)
            target.state.progress_ts = ""

    def _remove_later(self, response_url: str) -> None:
        """Tries for a while to remove the message that a response URL has made."""

        async def remove() -> None:
            for wait_s in self._remove_after_s:
                await asyncio.sleep(wait_s)
                with contextlib.suppress(SlackRefused, SlackDeliveryUnknown):
                    if await respond(self._session, response_url, {"delete_original": True}):
                        return

        task = asyncio.create_task(remove())
        self._removals.add(task)
        task.add_done_callback(self._removals.discard)

    async def _bring_files(
        self,
        target: ReplyTarget,
        files: Sequence[AnswerFile],
        *,
        channel: str = "",
        thread_ts: str = "",
        comment: str = "",
    ) -> None:
        """The files, in the thread or by direct message. The answer stands by now: trouble with a
        file is told beside it.
        """
        try:
            for file in files:
                channel, thread_ts = await self._bring_file(
                    target, file, channel, thread_ts, comment
                )
        except (SlackApiError, SlackRefused, SlackDeliveryUnknown, UploadRefused, *UNSURE) as error:
            why = _why(error)
            log.error("A file could not be sent: %s", why)
            text = f"The file could not be sent ({why}). Ask again, or for a shorter window."
            await self.send_ephemeral(target, text, [kit.section(kit.escaped(text))])

    async def _bring_file(
        self, target: ReplyTarget, file: AnswerFile, channel: str, thread_ts: str, comment: str
    ) -> tuple[str, str]:
        """Where the file stands: in the thread, in the channel where the thread is gone, or in
        direct messages where we may not post.
        """
        channel = channel or await self.messages.open_dm(target.user)
        try:
            await self._send_file(file, channel=channel, thread_ts=thread_ts, comment=comment)
        except SlackApiError as error:
            if slack_error_code(error) in THREAD_GONE and thread_ts:
                return await self._bring_file(target, file, channel, "", comment)
            if slack_error_code(error) not in NOT_HERE or channel.startswith("D"):
                raise
            return await self._bring_file(target, file, "", "", kit.code(target.title, 500))
        return channel, thread_ts

    def _fall_back_to_private(self, target: ReplyTarget, error: SlackRefused) -> None:
        """Where we may not post, the answer becomes private; any other refusal of Slack's rises."""
        if isinstance(error, SlackUnreachable):
            target.state.private_reason = UNREACHABLE
            return
        if error.code not in NOT_HERE:
            raise error
        target.state.private_reason = NOT_HERE[error.code]

    async def thread(self, channel: str, ts: str, *, own_ids: Collection[str]) -> list[list[Block]]:
        """The blocks of our own messages in a thread, the oldest first. Raises SlackRefused."""
        return await self.messages.thread(channel, ts, own_ids=own_ids)

    async def open_dm(self, user: str) -> str:
        """The channel of a person's direct messages with us. Raises SlackRefused."""
        return await self.messages.open_dm(user)

    async def _send_file(
        self, file: AnswerFile, *, channel: str, thread_ts: str = "", comment: str = ""
    ) -> None:
        """A file by Slack's three steps; its bytes go out in pieces and are never all in memory."""
        place: dict[str, Any] = {"channel_id": channel}
        place |= {"thread_ts": thread_ts} if thread_ts else {}
        place |= {"initial_comment": comment} if comment else {}
        await upload(
            self._client,
            self._session,
            name=file.name,
            length=file.bytes,
            content=_pieces(file),
            about=file.title,
            kind=_snippet_type(file),
            place=place,
        )


def _why(error: Exception) -> str:
    """Why a file could not be sent, in a few words."""
    if isinstance(error, SlackApiError):
        return slack_error_code(error)
    if isinstance(error, SlackRefused):
        return error.code
    if isinstance(error, UploadRefused):
        return f"HTTP {error.status}"
    return (
        "Slack could not be reached"
        if isinstance(error, aiohttp.ClientConnectorError)
        else "the connection was cut"
    )


def _private(target: ReplyTarget, answer: Answer, ticket: str) -> tuple[str, list[Block]]:
    """A private answer in words and blocks: why it is private, where its file is, and the button
    that shares it.
    """
    blocks, text = block_messages.with_share(answer.blocks, ticket), answer.text
    if answer.files:
        where = "The file is in your direct messages."
        blocks.insert(-1, kit.context(where))
        text = f"{text}\n{where}"
    return (
        (
            f"{target.state.private_reason}\n{text}",
            [kit.context(target.state.private_reason), *blocks],
        )
        if target.state.private_reason
        else (text, blocks)
    )


def _snippet_type(file: AnswerFile) -> str | None:
    """Text that Slack shows in place is a snippet, up to 1 MB; everything else is a file."""
    return file.kind if file.bytes <= SNIPPET_BYTES and not file.name.endswith(".gz") else None


async def _pieces(file: AnswerFile) -> AsyncIterator[bytes]:
    with file.path.open("rb") as source:
        while piece := await asyncio.to_thread(source.read, UPLOAD_CHUNK):
            yield piece
