"""When old rows are deleted: not by a clock that may be far ahead, such as that of a machine which has
just started, since what is deleted does not come back.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from msgspec import Struct, field

from bot.store import StoreUnavailable

# At a start, the latest stored time is hardly older than that.
LONGEST_PAUSE = timedelta(days=7)
# A clock that was not set for so long, in seconds, is believed.
STEADY_S = 3600.0


class Pruning(Struct):
    """Deletes what is older than the retention says. `latest_stored` is the latest time that an
    earlier process has stored.
    """

    prune: Callable[[datetime], Awaitable[None]]
    latest_stored: Callable[[], Awaitable[datetime | None]]
    report_database_failure: Callable[[str], Awaitable[None]]
    _set_at: float = field(default_factory=time.monotonic)

    def clock_was_set(self) -> None:
        """The time of day has jumped."""
        self._set_at = time.monotonic()

    async def at_start(self, now: datetime) -> None:
        """Prunes unless the clock is far from what was stored last."""
        self.clock_was_set()
        try:
            latest = await self.latest_stored()
            if latest is None or abs(now - latest) < LONGEST_PAUSE:
                await self.prune(now)
        except StoreUnavailable as error:
            await self.report_database_failure(error.cause)

    async def regularly(self, now: datetime) -> None:
        """Prunes unless the clock was set just now."""
        if time.monotonic() - self._set_at < STEADY_S:
            return
        try:
            await self.prune(now)
        except StoreUnavailable as error:
            await self.report_database_failure(error.cause)
