"""The report on a log: lines, levels, and lines over time."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from msgspec import Struct

from bot.logs.levels import LEVELS
from bot.logs.moments import moment_of
from bot.logs.time_forms import Minute
from bot.reports.timeline import MOST_POINTS, step_start, time_step
from providers.models import Window

__all__ = ["LEVELS", "LogReport", "timeline"]


class Order(Enum):
    """The end of the window that the lines are from, where a limit cuts them."""

    OLDEST_FIRST = "oldest"
    NEWEST_FIRST = "newest"


class LogReport(Struct, frozen=True):
    """The report on a log. `bytes` are those that the provider sent, before redaction."""

    names: tuple[str, ...]
    account: str
    lines: int
    bytes: int
    complete: bool
    truncated: bool
    levels: dict[str, int]
    tail: tuple[str, ...]
    timeline: tuple[tuple[datetime, int], ...]
    step: timedelta
    notes: tuple[str, ...] = ()
    # Lines without a readable time, and those whose time is outside the window.
    untimed: int = 0
    outside: int = 0
    order: Order | None = None
    # Whether so many lines from one end of the window were asked for.
    is_selection: bool = False
    shares: tuple[tuple[str, int], ...] = ()

    def shortcomings(self) -> tuple[str, ...]:
        """What is missing from the log, in words."""
        found = (
            [f"Truncated: there are more lines than these {self.lines:,}. {self._which()}"]
            if self.truncated and not self.is_selection
            else []
        )
        if not self.complete:
            found.append("Incomplete: the download ended before the end of the log.")
        return (*found, *self.notes)

    def _which(self) -> str:
        """Which of the lines of the window these are."""
        if len(self.shares) > 1:
            each = ", ".join(f"{lines:,} of {name}" for name, lines in self.shares)
            which = (
                f"These are the {self.order.value} lines"
                if self.order
                else "These are the first lines"
            )
            return f"{which} of each log: {each}."
        if self.order is None:
            return f"These are the first {self.lines:,} lines received."
        left_out = "newer" if self.order is Order.OLDEST_FIRST else "older"
        return (
            f"These are the {self.order.value} {self.lines:,} of the window; {left_out} ones are "
            "left out."
        )

    def remarks(self) -> tuple[str, ...]:
        """Remarks on the numbers, in words."""
        found = []
        if self.is_selection and self.truncated:
            found.append("The window has more lines.")
        if self.lines and not self.levels:
            found.append("No levels: no line names one.")
        if self.untimed:
            all_of_them = self.untimed == self.lines
            found.append(
                "No line has a time that can be read."
                if all_of_them
                else f"{_lines(self.untimed)} without a time."
            )
        if self.outside:
            found.append(f"{_lines(self.outside)} with a time outside the window.")
        return tuple(found)

    def values(self) -> dict[str, Any]:
        return {
            "lines": self.lines,
            "bytes": self.bytes,
            "complete": self.complete,
            "truncated": self.truncated,
            "levels": dict(self.levels),
        }


def timeline(
    minutes: Counter[Minute], window: Window, *, ends_with_data: bool = False
) -> tuple[timedelta, tuple[tuple[datetime, int], ...]]:
    """Lines over the window in at most twenty steps, by the times written in them; times without an
    offset are UTC.

    It ends with the window, also where there are no lines; with `ends_with_data`, for a log that is
    cut, it ends with the lines. Empty where no line has a time in the window.
    """
    step = time_step(window)
    first = step_start(window.start, step)
    start, end = _bounds(window)
    counts: Counter[datetime] = Counter()
    for minute, lines in minutes.items():
        moment = moment_of(minute, window.start, window.end)
        if moment and start < moment < end:
            # The first step may begin before the window does.
            counts[max(first, step_start(moment, step))] += lines
    if not counts:
        return step, ()
    begin, end = (min(counts), max(counts) + step) if ends_with_data else (first, window.end)
    length = -((begin - end) // step)
    return step, tuple((begin + n * step, counts[begin + n * step]) for n in range(length))[
        -MOST_POINTS:
    ]


def lines_outside(minutes: Counter[Minute], window: Window) -> tuple[int, int]:
    """How many lines have no readable time, and how many a time outside the window."""
    unknown = outside = 0
    start, end = _bounds(window)
    for minute, lines in minutes.items():
        moment = moment_of(minute, window.start, window.end)
        if moment is None:
            unknown += lines
        elif not start < moment < end:
            outside += lines
    return unknown, outside


def order_of(first: Minute | None, last: Minute | None, window: Window) -> Order | None:
    """The end of the window that the lines are from; None where their times do not show it."""
    moments = [minute and moment_of(minute, window.start, window.end) for minute in (first, last)]
    if not moments[0] or not moments[1]:
        return None
    return Order.OLDEST_FIRST if moments[0] <= moments[1] else Order.NEWEST_FIRST


def _bounds(window: Window) -> tuple[datetime, datetime]:
    """The minutes of a window lie between these. The first one may begin before the window."""
    return window.start - timedelta(minutes=1), window.end


def _lines(count: int) -> str:
    return f"{count:,} line{'' if count == 1 else 's'}"
