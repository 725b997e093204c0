"""What an earlier process has shown of a question: its progress, the stream of its answer, or the
answer itself, which is found again, replaced or deleted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence

from bot.answer import Block
from bot.errors import SlackDeliveryUnknown, SlackRefused
from bot.slack.answer_streams import AnswerStreams
from bot.slack.messages import ShownMessage, SlackMessages
from bot.slack.progress_messages import ProgressMessages
from bot.slack.reply_target import ReplyTarget

FAILURES = (SlackRefused, SlackDeliveryUnknown)


class EarlierMessages:
    """Shows what became of a question of an earlier process in place of what is shown of it, else
    by `send_ephemeral` to the asker alone.
    """

    def __init__(
        self,
        messages: SlackMessages,
        streams: AnswerStreams,
        progress: ProgressMessages,
        *,
        send_ephemeral: Callable[[ReplyTarget, str, Sequence[Block]], Awaitable[None]],
        remove_progress: Callable[[ReplyTarget], Awaitable[None]],
    ) -> None:
        self._messages = messages
        self._streams = streams
        self._progress = progress
        self._send_ephemeral = send_ephemeral
        self._remove_progress = remove_progress

    async def restore_streamed_answer(
        self, target: ReplyTarget, text: str, blocks: Sequence[Block]
    ) -> bool:
        """Shows an answer in place of the stream of an earlier process, which may have ended with
        its steps and Cancel above the answer. False where there is no such message.
        """
        if not _is_in_agent_thread(target):
            return False
        shown: ShownMessage | None = None
        with contextlib.suppress(*FAILURES):
            shown = await self._find_shown(target)
            if shown and await self._replace_shown(target, shown, text, blocks):
                # It is the answer now, which is not to be deleted.
                target.state.progress.ts = ""
                return True
        # Below its steps, the answer can be read, too.
        return shown is not None and shown.is_progress is False

    async def report_interrupted(
        self, target: ReplyTarget, text: str, blocks: Sequence[Block]
    ) -> None:
        """Says that an earlier process was interrupted: in its progress message, else to the asker
        alone. Nothing is said where the answer can be seen already.
        """
        with contextlib.suppress(*FAILURES):
            shown = await self._find_shown(target)
            if shown and shown.may_be_progress:
                if await self._replace_shown(target, shown, text, blocks):
                    return
                # One that cannot be edited may have been followed by a new message.
                shown = await self._messages.find_shown(target)
            if shown and not shown.may_be_progress:
                # It is the answer, which is not to be deleted. A progress message that Slack had not
                # confirmed may be left beside it.
                target.state.progress.ts = ""
                target.state.progress.is_unconfirmed = True
                await self._remove_progress(target)
                return
        await self._send_ephemeral(target, text, blocks)

    async def report_missing_files(
        self,
        target: ReplyTarget,
        text: str,
        blocks: Sequence[Block],
        *,
        unanswered: tuple[str, Sequence[Block]],
    ) -> None:
        """Says that files of an answer are missing, or shows `unanswered` where the answer itself
        is: in place of a progress message that is certainly one.
        """
        with contextlib.suppress(*FAILURES):
            shown = await self._find_shown(target)
            if shown and shown.is_progress:
                if await self._replace_shown(target, shown, *unanswered):
                    return
                shown = await self._messages.find_shown(target)
                if not shown or shown.is_progress:
                    text, blocks = unanswered
        await self._send_ephemeral(target, text, blocks)

    async def end_progress(self, target: ReplyTarget, text: str, blocks: Sequence[Block]) -> None:
        """Says in the progress message of an earlier process that it was interrupted, where it is
        still shown. Raises SlackRefused and SlackDeliveryUnknown.
        """
        if ts := target.state.progress.ts:
            shown = await self._messages.shown_at(target, ts)
            if shown.is_progress:
                await self._replace_shown(target, shown, text, blocks)

    async def delete_progress(self, target: ReplyTarget) -> None:
        """Deletes the progress message that an earlier process has shown in the channel, where the
        answer is private. Nothing else is deleted.
        """
        ts = target.state.progress.ts
        if not ts:
            return
        with contextlib.suppress(*FAILURES):
            shown = await self._messages.shown_at(target, ts)
            if shown.may_be_progress:
                await self._end_stream(target, shown)
                await self._progress.delete(target)

    async def _find_shown(self, target: ReplyTarget) -> ShownMessage | None:
        """What an earlier process has shown in the channel: its progress or the answer. None where
        nothing is found. Raises SlackRefused and SlackDeliveryUnknown.
        """
        ts = target.state.progress.ts
        if not ts:
            return await self._messages.find_shown(target)
        shown = await self._messages.shown_at(target, ts)
        if shown.is_progress is None:
            # It was deleted, perhaps after the answer was posted anew.
            with contextlib.suppress(SlackRefused):
                return await self._messages.find_shown(target) or shown
        return shown

    async def _replace_shown(
        self, target: ReplyTarget, shown: ShownMessage, text: str, blocks: Sequence[Block]
    ) -> bool:
        """Whether the report has replaced what an earlier process has shown."""
        await self._end_stream(target, shown)
        return await self._messages.edit(target, shown.ts, text, blocks)

    async def _end_stream(self, target: ReplyTarget, shown: ShownMessage) -> None:
        """Lets a message be edited or deleted that may be a stream of an earlier process."""
        if _is_in_agent_thread(target):
            await self._streams.stop_message(target, shown.ts)


def _is_in_agent_thread(target: ReplyTarget) -> bool:
    """Whether the messages of an earlier process may be streams, which are shown nowhere else."""
    return bool(target.thread) and target.channel.startswith("D")
