"""The lines of a log by their minutes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bot.logs.time_forms import Minute

MOST_MINUTES: Final = 50_000


@dataclass(slots=True)
class PlacedLines:
    """How many lines there are in each minute.

    `minutes` counts all lines but those in `untimed`: a line without a time has the time of the line
    above it, and `untimed` are those above the first time.
    """

    lines: int = 0
    minutes: Counter[Minute] = field(default_factory=Counter)
    untimed: int = 0
    first: Minute | None = None
    last: Minute | None = None

    def place_all(self, minutes: Mapping[bytes, Minute], lines: Counter[bytes]) -> None:
        """Assigns lines to their minutes as written, in the order of the lines."""
        if self.first is None or len(self.minutes) + len(lines) >= MOST_MINUTES:
            for written, count in lines.items():
                self.place(minutes[written], count)
            return
        total = lines.total()
        if total == len(lines):
            self.minutes.update([minutes[written] for written in lines])
        else:
            placed = self.minutes.get
            for written, count in lines.items():
                minute = minutes[written]
                self.minutes[minute] = placed(minute, 0) + count
        self.lines += total

    def place(self, minute: Minute | None, lines: int) -> None:
        self.lines += lines
        if minute is None:
            self.untimed += lines
        if minute is None or not lines:
            return
        if self.first is None:
            self.first = minute
        if len(self.minutes) >= MOST_MINUTES and minute not in self.minutes:
            # A log with this many minutes is drawn in steps of days.
            minute = (minute[0][:-2] + b"00", minute[1])
            if len(self.minutes) >= 2 * MOST_MINUTES and minute not in self.minutes:
                self.untimed += lines
                return
        self.minutes[minute] += lines
