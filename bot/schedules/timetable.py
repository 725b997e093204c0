"""Schedules ordered by due time, so that a tick costs as much as what is due, however many there
are.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from math import ceil

from bot.schedules.due import Due, ScheduleEntry, due_now

_Next = tuple[datetime, int, ScheduleEntry]


class Timetable:
    """The entries of a scheduler, by name and by due time."""

    def __init__(self) -> None:
        self._entries: dict[str, ScheduleEntry] = {}
        # An entry that was replaced or removed stays here until it would be due.
        self._next: list[_Next] = []
        self._order = itertools.count()
        self._latest_handled: datetime | None = None

    @property
    def names(self) -> Collection[str]:
        return self._entries.keys()

    def add(self, entry: ScheduleEntry) -> None:
        """Adds an entry, or replaces the one of that name."""
        self._entries[entry.name] = entry
        self._push(entry)
        self._note_handled(entry)

    def remove(self, name: str) -> None:
        self._entries.pop(name, None)

    def due(self, now: datetime, on_error: Callable[[str, Exception], None]) -> list[Due]:
        """What is due; each entry moves on to its next due time. An entry whose schedule raises an
        error is passed to `on_error` and removed.
        """
        found = []
        while self._next and self._next[0][0] <= now:
            at, _, entry = heapq.heappop(self._next)
            # Replaced or removed since it was put there.
            if self._entries.get(entry.name) is not entry or entry.due != at:
                continue
            try:
                found += due_now([entry], now)
            except Exception as error:
                self.remove(entry.name)
                on_error(entry.name, error)
                continue
            self._push(entry)
            self._note_handled(entry)
        return found

    def was_handled_after(self, moment: datetime) -> bool:
        """Whether a later due time was handled, which happens while the clock is ahead."""
        return self._latest_handled is not None and self._latest_handled > moment

    def reset(self, now: datetime) -> timedelta:
        """Lets entries whose due times were handled in the future continue from now. Returns how
        far ahead the furthest was.
        """
        ahead = timedelta(0)
        if not self.was_handled_after(now):
            return ahead
        for entry in list(self._entries.values()):
            if entry.last_handled_at > now:
                ahead = max(ahead, entry.last_handled_at - now)
                self._entries[entry.name] = ScheduleEntry(entry.name, entry.trigger, now)
        # Built anew, since nearly all due times may have changed.
        self._next.clear()
        self._latest_handled = None
        for entry in self._entries.values():
            self._push(entry)
            self._note_handled(entry)
        return ahead

    def _push(self, entry: ScheduleEntry) -> None:
        if entry.due is not None:
            # The number decides between equal times, as entries cannot be compared.
            heapq.heappush(self._next, (entry.due, next(self._order), entry))

    def _note_handled(self, entry: ScheduleEntry) -> None:
        if self._latest_handled is None or entry.last_handled_at > self._latest_handled:
            self._latest_handled = entry.last_handled_at


def own_first(dues: Sequence[Due], begin: float, size: float) -> tuple[list[Due], list[Due]]:
    """The part that begins at that share of all and is so large, and the rest in the order in which
    it follows. Processes that begin at different places rarely want the same one at the same time.
    """
    start = int(len(dues) * begin)
    count = ceil(len(dues) * size)
    ordered = [*dues[start:], *dues[:start]]
    return ordered[:count], ordered[count:]
