"""Where the values that were seen in earlier calls are stored."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import Protocol

from msgspec import Struct

from bot.reports.seen_values import SeenDay
from providers.models import DayRange

RECENT_S = 60.0
# Days of more than that, of one account, are not kept in memory.
MOST_BYTES = 8_000_000


class SeenStore(Protocol):
    """Values by account and day. It can be done without, so its methods do not fail: what cannot be
    written is read from the vendor another time, and what cannot be read is not known.
    """

    async def add(self, account: str, seen: SeenDay) -> None:
        """Adds what was found on a day, and the parts of the day that were read completely."""
        ...

    async def days(self, account: str, days: DayRange) -> Mapping[date, SeenDay]:
        """What is known of these days; a day of which nothing is known is missing."""
        ...


class MemorySeenStore:
    """For as long as a process lives."""

    def __init__(self) -> None:
        self._days: dict[tuple[str, date], SeenDay] = {}

    async def add(self, account: str, seen: SeenDay) -> None:
        known = self._days.get((account, seen.day), SeenDay(seen.day))
        self._days[account, seen.day] = known.merged(seen)

    async def days(self, account: str, days: DayRange) -> Mapping[date, SeenDay]:
        return {
            day: self._days[account, day] for day in days.each() if (account, day) in self._days
        }


class _Read(Struct, frozen=True):
    """The days that were read of an account, and until when they are taken as they were."""

    range: DayRange
    days: dict[date, SeenDay]
    until: float


class RecentDays:
    """A store whose days are kept in memory for a minute, since answers come in quick succession.
    What another process adds meanwhile is missing for so long.
    """

    def __init__(self, store: SeenStore, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._monotonic = monotonic
        self._read: dict[str, _Read] = {}

    async def add(self, account: str, seen: SeenDay) -> None:
        """As `SeenStore.add`."""
        await self._store.add(account, seen)
        read = self._read.get(account)
        if read and seen.day in read.range:
            read.days[seen.day] = read.days.get(seen.day, SeenDay(seen.day)).merged(seen)

    async def days(
        self, account: str, days: DayRange, *, fresh: bool = False
    ) -> Mapping[date, SeenDay]:
        """As `SeenStore.days`, and possibly more days; `fresh` ones are read now."""
        read = self._read.get(account)
        if read is None or fresh or self._monotonic() > read.until or not _is_in(days, read.range):
            found = dict(await self._store.days(account, days))
            read = _Read(days, found, self._monotonic() + RECENT_S)
            self._read.pop(account, None)
            if (
                sum(len(each.packed) for seen in found.values() for each in seen.sets.values())
                < MOST_BYTES
            ):
                self._read[account] = read
        return dict(read.days)


def _is_in(days: DayRange, others: DayRange) -> bool:
    return days.first in others and days.last in others
