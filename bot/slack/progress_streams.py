"""Progress of work as a stream, which is how Slack shows the work of an agent in its threads.

A stream costs none of the fifty edits a minute that all questions share, and its asker can stop it
in Slack. Titles and statuses of its tasks are replaced by later ones, while details would be
appended to earlier ones, so how far a task is goes into its title. Slack closes a stream after about
five minutes; from then on its message is edited, like any other. Page: "chat.startStream".
"""

from __future__ import annotations

import contextlib
import logging

from msgspec import Struct

from bot.answer import Progress
from bot.blocks.progress_blocks import stream_chunks
from bot.errors import SlackDeliveryUnknown, SlackRefused, SlackUnreachable
from bot.slack.client import SlackClient
from bot.slack.pace import Priority
from bot.slack.reply_target import ReplyTarget

log = logging.getLogger("opswatch")
# The stream has ended without us.
CLOSED = frozenset({"message_not_in_streaming_state", "message_not_found"})
STOPPED = "stopped_by_user"


class ProgressStreams(Struct, frozen=True):
    """Streams the progress of questions that were asked in a thread with the app as an agent."""

    client: SlackClient

    async def show(self, target: ReplyTarget, ticket: str, progress: Progress) -> bool:
        """Shows progress; False if it has to be shown in another way. Raises SlackUnreachable, and
        NoRoom where answers need the room.
        """
        state = target.state
        if not target.streams or state.is_stream_refused or state.progress_hidden:
            return False
        if progress.lines:
            # The last lines of a log take the place of earlier ones, which a stream cannot do.
            await self.stop(target)
            return False
        if state.is_streaming:
            return await self._append(target, ticket, progress)
        # A progress message that is no stream stays one.
        return not state.progress_ts and await self._start(target, ticket, progress)

    async def stop(self, target: ReplyTarget) -> None:
        """Ends the stream, so that its message can be edited; nothing where there is none."""
        if not target.state.is_streaming:
            return
        target.state.is_streaming = False
        await self.stop_message(target, target.state.progress_ts)

    async def stop_message(self, target: ReplyTarget, ts: str) -> None:
        """The same for a message that may be a stream of an earlier process."""
        with contextlib.suppress(SlackRefused, SlackDeliveryUnknown):
            await self.client.call("chat.stopStream", channel=target.channel, ts=ts)

    async def _start(self, target: ReplyTarget, ticket: str, progress: Progress) -> bool:
        try:
            answer = await self.client.at(Priority.PROGRESS).call(
                "chat.startStream",
                channel=target.channel,
                thread_ts=target.thread,
                chunks=stream_chunks(target.title, ticket, progress, is_first=True),
            )
        except SlackUnreachable:
            raise
        except (SlackRefused, SlackDeliveryUnknown) as error:
            # One that Slack has started without saying so is closed by Slack itself.
            log.info("Progress is not streamed: %s", error)
            target.state.is_stream_refused = True
            return False
        target.state.progress_ts = str(answer["ts"])
        target.state.is_streaming = True
        return True

    async def _append(self, target: ReplyTarget, ticket: str, progress: Progress) -> bool:
        state = target.state
        try:
            await self.client.at(Priority.PROGRESS).call(
                "chat.appendStream",
                channel=target.channel,
                ts=state.progress_ts,
                chunks=stream_chunks(target.title, ticket, progress),
            )
        except SlackUnreachable:
            raise
        except SlackDeliveryUnknown:
            # The next one says the same and more.
            return True
        except SlackRefused as error:
            if error.code == STOPPED:
                state.is_streaming = False
                state.is_stopped = True
                return True
            if error.code not in CLOSED:
                await self.stop(target)
            state.is_streaming = False
            return False
        return True
