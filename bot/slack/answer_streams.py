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
            try:
                is_shown = await self._append(target, chunks)
            except SlackDeliveryUnknown:
                # The results are streamed again: twice is better than never.
                return True
        if is_shown:
            state.progress.streamed_results |= {step.name for step in results}
        return is_shown

    async def finish(self, target: ReplyTarget, answer: Answer) -> str:
        """Streams the answer, and ends the stream. The `ts` of its message, which then shows the
        whole answer, below the steps if it began with them; empty if the answer has to be sent in
        another way. Raises SlackUnreachable, and can be called again then.
        """
        state = target.state
        if not (target.streams or state.progress.is_streaming):
            return ""
        blocks = accepted_blocks(answer.text, answer.blocks)
        if not blocks:
            return ""
        if not state.progress.is_streaming:
            await self._start_answer(target, blocks)
        if not state.progress.is_streaming:
            return ""
        ts = state.progress.ts
        if not await self._end(target, answer.text, blocks):
            return ""
        # It is the answer now, which is not to be deleted.
        state.is_answered = True
        state.progress.ts = ""
        return ts

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

    async def _start_answer(self, target: ReplyTarget, blocks: Sequence[Block]) -> None:
        """Begins an answer of which nothing is shown yet with its headline, where Slack has room
        for one more stream.
        """
        state = target.state
        shown_elsewhere = state.progress.ts or state.progress.is_hidden or target.replaces_ts
        if state.progress.stream is StreamState.REFUSED or shown_elsewhere:
            return
        first, _ = streams.first_blocks(blocks, work_key(target.delivery))
        if not first:
            return
        with contextlib.suppress(NoRoom):
            chunk = {"type": "blocks", "blocks": first}
            state.progress.begins_answer = await self._start(target, [chunk])

    async def _start(self, target: ReplyTarget, chunks: Sequence[Block]) -> bool:
        try:
            answer = await self.client.at(Priority.PROGRESS).call(
                "chat.startStream",
                channel=target.channel,
                thread_ts=target.thread,
                chunks=list(chunks),
            )
            ts = str(answer["ts"])
        except SlackUnreachable:
            raise
        except (SlackRefused, SlackDeliveryUnknown) as error:
            is_unknown = isinstance(error, SlackDeliveryUnknown)
            ts = await self._find_started(target) if is_unknown else ""
            if not ts:
                log.info("The answer is not streamed: %s", error)
                target.state.progress.stream = StreamState.REFUSED
                # It may appear later: a progress message beside it would be left over.
                target.state.progress.is_unconfirmed = is_unknown
                return False
        target.state.progress.ts = ts
        target.state.progress.stream = StreamState.RUNNING
        return True

    async def _find_started(self, target: ReplyTarget) -> str:
        """The `ts` of a stream that Slack has started without confirming it; empty where there is
        none.
        """
        with contextlib.suppress(SlackRefused, SlackDeliveryUnknown):
            return await self.messages.find_work(target)
        return ""

    async def _append(self, target: ReplyTarget, chunks: Sequence[Block]) -> bool:
        """Whether the stream shows the chunks. Raises SlackUnreachable and SlackDeliveryUnknown."""
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
        """Ends the stream with the answer; whether Slack has certainly shown all of it."""
        progress = target.state.progress
        key = work_key(target.delivery)
        first_id = ""
        if progress.begins_answer:
            _, blocks = streams.first_blocks(blocks, key)
        else:
            blocks = streams.earlier_version(blocks)
            first_id = streams.answer_id(key)
        try:
            await self.client.stop_stream(
                target.channel, progress.ts, text, blocks, first_id=first_id
            )
        except SlackUnreachable:
            raise
        except (SlackRefused, SlackDeliveryUnknown) as error:
            log.info("The end of an answer was not streamed: %s", error)
            await self.stop(target)
            return False
        progress.stream = StreamState.NONE
        return True
