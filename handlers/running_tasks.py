"""The questions in progress, which askers can cancel and the end of the process waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import Struct, field

from bot.answer import Answer

# How long a cancelled question has to send and record its end, when the process stops.
END_WITHIN_S = 2.0
# Whether a person has access to a command in a channel now.
MayStillAsk = Callable[[str, str, str], Awaitable[bool]]


class RunningTasks(Struct):
    """The questions in progress (`tasks`), and those that can be cancelled, by ticket (`cancellable`).
    `stopping` refuses new ones.
    """

    tasks: set[asyncio.Task[object]] = field(default_factory=set)
    stopping: bool = False
    cancellable: dict[str, tuple[str, asyncio.Task[Answer]]] = field(default_factory=dict)
    # The questions of the bot before a reload, which finishes them.
    earlier: RunningTasks | None = None
    # The access rules of the bot after a reload, which hold for questions still in progress, too.
    may_still_ask: MayStillAsk | None = None

    def cancel(self, ticket: str, user: str) -> bool:
        """Cancels a person's own question; False if it has ended or is somebody else's."""
        owner, task = self.cancellable.get(ticket, ("", None))
        if task is None and self.earlier:
            return self.earlier.cancel(ticket, user)
        return task is not None and owner == user and task.cancel()

    async def finish(self, *, within_s: float) -> None:
        """Refuses new questions, waits for those in progress, then cancels the rest and reports
        that to their askers.
        """
        self.stopping = True
        try:
            if self.tasks:
                await asyncio.wait(set(self.tasks), timeout=within_s)
            # Cancelled by ticket first: these report to their askers that the bot is restarting.
            for _, task in list(self.cancellable.values()):
                task.cancel()
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
