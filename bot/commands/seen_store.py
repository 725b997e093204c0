"""Where the values that were seen in earlier calls are stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Protocol

from bot.reports.seen_values import SeenDay
from providers.models import DayRange


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

    async def covered(self, account: str, days: DayRange) -> Mapping[date, SeenDay]:
        """The same without the sets."""
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

    async def covered(self, account: str, days: DayRange) -> Mapping[date, SeenDay]:
        return await self.days(account, days)
