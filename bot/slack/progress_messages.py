"""The progress message of a question, where its answer will appear."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from msgspec import Struct

from bot.answer import Block, Progress
from bot.blocks import older_blocks, progress_blocks
from bot.errors import SlackDeliveryUnknown, SlackRefused
from bot.slack.answer_streams import AnswerStreams
from bot.slack.client import SlackClient
from bot.slack.errors import MESSAGE_GONE
from bot.slack.messages import SEARCHED_FOR_CLEAN_UP, WORKING, SlackMessages, work_key
from bot.slack.pace import Priority
from bot.slack.reply_target import ReplaceMode, ReplyTarget

# A search that no answer waits for may take longer, in seconds.
CLEAN_UP_WITHIN_S = 30.0


class ProgressMessages(Struct, frozen=True):
    """Shows, updates and deletes the progress message of a question."""

    client: SlackClient
    messages: SlackMessages
    streams: AnswerStreams

    async def show_in_channel(self, target: ReplyTarget, ticket: str, progress: Progress) -> None:
        """Shows progress as a stream where there can be one, else as a message that is edited.

        Raises SlackRefused, and NoRoom where answers need the room.
        """
        if await self.streams.show(target, ticket, progress) or target.state.progress.is_hidden:
            return
        state = target.state
        text, blocks = _shown(target, ticket, progress)
        client = self.client.at(Priority.PROGRESS)
        if not state.progress.ts:
            await self._post(target, text, blocks, client)
        elif not await self.messages.edit(target, state.progress.ts, text, blocks, client):
            await self.delete(target)
            state.progress.is_deleted = True

    async def show_privately(self, target: ReplyTarget, ticket: str, progress: Progress) -> bool:
        """Whether progress is shown to the asker alone. Only the response URL can show it, since
        the answer can replace nothing else.
        """
        if not target.url or target.replaces is ReplaceMode.STAYS:
            return False
        text, blocks = _shown(target, ticket, progress)
        state = target.state
        url_was_spent = state.url_spent
        # A message that a response URL adds to a button's message cannot be deleted, so the
        # progress replaces that one.
        state.replace_original = target.replaces is not ReplaceMode.NOTHING
        try:
            state.replace_original = await self.messages.respond(
                target, text, older_blocks.without_newest_blocks(blocks)
            )
        except SlackRefused:
            state.replace_original = False
        except SlackDeliveryUnknown:
            # The answer replaces it where Slack accepted it, and is shown in any case.
            state.url_spent = url_was_spent
            state.replace_original = True
        return state.replace_original

    async def delete(self, target: ReplyTarget) -> None:
        """Deletes the progress message in the channel; nothing where there is none."""
        await self.streams.stop(target)
        if target.state.progress.ts:
            try:
                await self.client.call(
                    "chat.delete", channel=target.channel, ts=target.state.progress.ts
                )
            except (SlackRefused, SlackDeliveryUnknown) as error:
                # It may still be there, so it is searched for and deleted later.
                is_gone = isinstance(error, SlackRefused) and error.code in MESSAGE_GONE
                target.state.progress.is_unconfirmed = not is_gone
            target.state.progress.ts = ""

    async def delete_unconfirmed(self, target: ReplyTarget) -> bool:
        """Whether a progress message that Slack did not confirm was found, beside its answer, and
        deleted. Raises what SlackClient raises, and NoRoom where answers need the room.
        """
        client = self.client.at(Priority.PROGRESS)
        ts = await self.messages.find_work(
            target, client, within_s=CLEAN_UP_WITHIN_S, most=SEARCHED_FOR_CLEAN_UP
        )
        if not ts:
            return False
        if target.streams:
            await self.streams.stop_message(target, ts)
        await self.client.call("chat.delete", channel=target.channel, ts=ts)
        return True

    async def find_unconfirmed(self, target: ReplyTarget) -> None:
        """Looks briefly for a progress message that Slack did not confirm, so that it is edited or
        deleted and not left over with a Cancel button.
        """
        progress = target.state.progress
        if not progress.is_unconfirmed:
            return
        with contextlib.suppress(SlackRefused, SlackDeliveryUnknown):
            if ts := await self.messages.find_work(target):
                progress.ts = ts
                progress.is_unconfirmed = False
                if target.streams:
                    await self.streams.stop_message(target, ts)

    async def _post(
        self, target: ReplyTarget, text: str, blocks: Sequence[Block], client: SlackClient
    ) -> None:
        """Posts the message. If Slack does not say whether it accepted it, the message is searched
        for, so that none is left over.
        """
        progress = target.state.progress
        try:
            key = work_key(target.delivery)
            progress.ts = await self.messages.post(target, text, blocks, client, key=key)
        except SlackDeliveryUnknown:
            # Not found may mean that it appears later; a second one would then be left over.
            progress.is_unconfirmed = True
            await self.find_unconfirmed(target)


def _shown(target: ReplyTarget, ticket: str, progress: Progress) -> tuple[str, list[Block]]:
    """Progress as text and blocks."""
    text = f"{WORKING} {target.title}"
    return text, progress_blocks.working_blocks(target.title, ticket, progress)
