"""Answers as streams, which is how Slack shows what agents write in their threads: the steps of the
work, what came of each as soon as it is known, and then the answer.

What is streamed can only be appended to. At the end the message is replaced by the answer as a
channel shows it, without the steps and Cancel; until a stream has ended, Slack refuses to edit it
(`streaming_state_conflict`). Slack closes a stream after about five minutes; from then on its
message is edited, like any other. Pages: "chat.startStream", "chat.stopStream".
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence

from msgspec import Struct

from bot.answer import Answer, Block, Progress
from bot.blocks import streams
from bot.errors import SlackDeliveryUnknown, SlackRefused, SlackUnreachable
from bot.slack.block_fallback import accepted_blocks
from bot.slack.client import SlackClient
from bot.slack.messages import SlackMessages, work_key
from bot.slack.pace import NoRoom, Priority
from bot.slack.reply_target import ReplyTarget, StreamState

log = logging.getLogger("opswatch")
# The stream has ended without us.
CLOSED = frozenset({"message_not_in_streaming_state", "message_not_found"})
STOPPED = "stopped_by_user"


class AnswerStreams(Struct, frozen=True):
    """Streams the answers to questions that were asked in a thread with the app as an agent."""

    client: SlackClient
    messages: SlackMessages

    async def show(self, target: ReplyTarget, ticket: str, progress: Progress) -> bool:
        """Shows progress; False if it has to be shown in another way. Raises SlackUnreachable, and
        NoRoom where answers need the room.
        """
        state = target.state
        if (
            not target.streams
            or state.progress.stream is StreamState.REFUSED
            or state.progress.is_hidden
        ):
            return False
        if progress.lines:
            # The last lines of a log take the place of earlier ones, which a stream cannot do.
            await self.stop(target)
            return False
        if not state.progress.is_streaming and state.progress.ts:
            # A progress message that is not a stream stays one.
            return False
        steps = streams.step_chunks(target.title, work_key(target.delivery), progress)
        results = streams.new_results(progress, state.progress.streamed_results)
        chunks = [*steps, *streams.result_chunks(results)]
        if not state.progress.is_streaming:
            is_shown = await self._start(target, [*chunks, streams.cancel_chunk(ticket)])
        else:
            is_shown = await self._append(target, chunks)
        if is_shown:
            state.progress.streamed_results |= {step.name for step in results}
        return is_shown

    async def finish(self, target: ReplyTarget, answer: Answer) -> str:
        """Streams the answer, and ends the stream. The `ts` of its message; empty if the answer has
        to be sent in another way. Raises SlackUnreachable.
        """
        state = target.state
        if not target.streams and not state.progress.is_streaming:
            return ""
        blocks = accepted_blocks(answer.text, answer.blocks)
        is_new = not state.progress.is_streaming
        rest = (
            await self._start_answer(target, blocks) if is_new else streams.earlier_version(blocks)
        )
        if not state.progress.is_streaming:
            return ""
        ts = state.progress.ts
        is_whole = await self._end(target, answer.text, rest)
        if is_whole:
            # It is the answer now, which is not to be deleted.
            state.is_answered = True
            state.progress.ts = ""
        is_final = is_whole and is_new
        return ts if is_final or await self._replace(target, ts, answer) or is_whole else ""

    async def _replace(self, target: ReplyTarget, ts: str, answer: Answer) -> bool:
        """Whether the answer has replaced what was streamed. Raises SlackUnreachable where nothing
        shows the answer yet.
        """
        try:
            return await self.messages.edit(target, ts, answer.text, answer.blocks)
        except (SlackRefused, SlackDeliveryUnknown) as error:
            if isinstance(error, SlackUnreachable) and not target.state.is_answered:
                raise
            log.warning("A streamed answer could not be replaced: %s", error)
            return False

    async def stop(self, target: ReplyTarget) -> None:
        """Ends the stream, so that its message can be edited; nothing where there is none."""
        if not target.state.progress.is_streaming:
            return
        target.state.progress.stream = StreamState.NONE
        await self.stop_message(target, target.state.progress.ts)

    async def stop_message(self, target: ReplyTarget, ts: str) -> None:
        """The same for a message that may be a stream started by an earlier process."""
        with contextlib.suppress(SlackRefused, SlackDeliveryUnknown):
            await self.client.call("chat.stopStream", channel=target.channel, ts=ts)

    async def _start_answer(self, target: ReplyTarget, blocks: Sequence[Block]) -> list[Block]:
        """Begins an answer of which nothing is shown yet with its headline, where Slack has room
        for one more stream. The blocks that are left.
        """
        state = target.state
        shown_elsewhere = state.progress.ts or state.progress.is_hidden or target.replaces_ts
        if not target.streams or state.progress.stream is StreamState.REFUSED or shown_elsewhere:
            return list(blocks)
        first, rest = streams.first_blocks(blocks, work_key(target.delivery))
        if not first:
            return rest
        with contextlib.suppress(NoRoom):
            await self._start(target, [{"type": "blocks", "blocks": first}])
        return rest

    async def _start(self, target: ReplyTarget, chunks: Sequence[Block]) -> bool:
        try:
            answer = await self.client.at(Priority.PROGRESS).call(
                "chat.startStream",
                channel=target.channel,
                thread_ts=target.thread,
                chunks=list(chunks),
            )
        except SlackUnreachable:
            raise
        except (SlackRefused, SlackDeliveryUnknown) as error:
            # One that Slack has started without saying so is closed by Slack itself.
            log.info("The answer is not streamed: %s", error)
            target.state.progress.stream = StreamState.REFUSED
            return False
        target.state.progress.ts = str(answer["ts"])
        target.state.progress.stream = StreamState.RUNNING
        return True

    async def _append(self, target: ReplyTarget, chunks: Sequence[Block]) -> bool:
        state = target.state
        try:
            await self.client.at(Priority.PROGRESS).call(
                "chat.appendStream",
                channel=target.channel,
                ts=state.progress.ts,
                chunks=list(chunks),
            )
        except SlackUnreachable:
            raise
        except SlackDeliveryUnknown:
            # The next one says the same and more.
            return True
        except SlackRefused as error:
            if error.code == STOPPED:
                state.progress.stream = StreamState.STOPPED
                return True
            if error.code not in CLOSED:
                await self.stop(target)
            state.progress.stream = StreamState.NONE
            return False
        return True

    async def _end(self, target: ReplyTarget, text: str, blocks: Sequence[Block]) -> bool:
        """Ends the stream with these blocks; whether Slack has certainly shown them."""
        ts = target.state.progress.ts
        try:
            await self.client.stop_stream(target.channel, ts, text, blocks)
        except SlackUnreachable:
            raise
        except (SlackRefused, SlackDeliveryUnknown) as error:
            log.info("The end of an answer was not streamed: %s", error)
            await self.stop(target)
            return False
        target.state.progress.stream = StreamState.NONE
        return True
