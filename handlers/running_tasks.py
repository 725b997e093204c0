"""The questions in progress, which askers can cancel and the end of the process waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import Struct, field

from bot.answer import Answer

# How long a cancelled question has to send and record its end, when the process stops.
END_WITHIN_S = 2.0
# Stops that a question which was asked before may still find.
MOST_STOPS = 1000
# Whether a person has access to a command in a channel now.
MayStillAsk = Callable[[str, str, str], Awaitable[bool]]


class Cancellable(Struct, frozen=True):
    """A question that its asker can cancel, and the thread in which it was asked, if any."""

    user: str
    channel: str
    thread_ts: str
    task: asyncio.Task[Answer]


class RunningTasks(Struct):
    """The questions in progress (`tasks`), and those that can be cancelled, by ticket (`cancellable`).
    `stopping` refuses new ones.
    """

    tasks: set[asyncio.Task[object]] = field(default_factory=set)
    stopping: bool = False
    cancellable: dict[str, Cancellable] = field(default_factory=dict)
    # When people have stopped the work in a thread, by Slack's clock.
    stops: dict[tuple[str, str, str], float] = field(default_factory=dict)
    # The questions of the bot before a reload, which finishes them.
    earlier: RunningTasks | None = None
    # The access rules of the bot after a reload, which hold for questions still in progress, too.
    may_still_ask: MayStillAsk | None = None

    def cancel(self, ticket: str, user: str) -> bool:
        """Cancels a person's own question; False if it has ended or is somebody else's."""
        found = self.cancellable.get(ticket)
        if found is None and self.earlier:
            return self.earlier.cancel(ticket, user)
        return found is not None and found.user == user and found.task.cancel()

    def stop_thread(self, channel: str, thread_ts: str, user: str, stopped_ts: str) -> None:
        """Cancels a person's own questions in a thread: those in progress, and those that were asked
        before `stopped_ts` and are not worked on yet.
        """
        if self.earlier:
            self.earlier.stop_thread(channel, thread_ts, user, stopped_ts)
        if len(self.stops) >= MOST_STOPS:
            self.stops.clear()
        self.stops[channel, thread_ts, user] = _seconds(stopped_ts)
        for each in list(self.cancellable.values()):
            if (each.channel, each.thread_ts, each.user) == (channel, thread_ts, user):
                each.task.cancel()

    def is_stopped(self, channel: str, thread_ts: str, user: str, asked_ts: str) -> bool:
        """Whether a person has stopped the work in the thread since they asked."""
        stopped = self.stops.get((channel, thread_ts, user), 0.0)
        return _seconds(asked_ts) < stopped

    async def finish(self, *, within_s: float) -> None:
        """Refuses new questions, waits for those in progress, then cancels the rest and reports
        that to their askers.
        """
        self.stopping = True
        try:
            if self.tasks:
                await asyncio.wait(set(self.tasks), timeout=within_s)
            # Cancelled by ticket first: these report to their askers that the bot is restarting.
            for cancellable in list(self.cancellable.values()):
                cancellable.task.cancel()
            if self.tasks:
                await asyncio.wait(set(self.tasks), timeout=END_WITHIN_S)
        finally:
            # Also where a stop takes too long and is cancelled itself.
            await self._cancel_rest()

    async def _cancel_rest(self) -> None:
        """Cancels the rest, such as an upload that waits for the rate limit, while its outcome can
        still be recorded.
        """
        late = set(self.tasks)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=END_WITHIN_S)


def _seconds(ts: str) -> float:
    """When Slack took a message or an event, by its `ts`; 0 where it has none."""
    try:
        return float(ts)
    except ValueError:
        return 0.0
