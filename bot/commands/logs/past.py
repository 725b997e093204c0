"""Past results of a calculation over a log at every instant, from slices of time."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from bot import formatting
from bot.alerts.replay import Replay, ReplayRequest, point_at, steps_apart
from bot.commands.logs.display import MOST_SLICES, Statistic, without_groups
from bot.commands.logs.question import LogsQuestion
from bot.commands.logs.statistics import statement
from providers.models import Window
from providers.sources import LogQuerySource

# How the results of slices make that of them all; those of an average do not.
_COMBINED: Mapping[str, Callable[[Sequence[float]], float]] = MappingProxyType(
    {"count": math.fsum, "sum": math.fsum, "bytes": math.fsum, "min": min, "max": max}
)
# A backtest makes at most so many queries; the API takes 1,500 in a quarter of an hour.
MOST_QUERIES = 60
SHORTEST_SLICE = timedelta(minutes=1)
_TOO_LONG = "The checks are too frequent for such a long period; try fewer days."


async def replay_statistic(
    span: ReplayRequest[LogsQuestion], source: LogQuerySource, ids: Sequence[str]
) -> Replay:
    """The results at every instant at which the rule is evaluated, or why there are none."""
    question = span.read_at(span.end)
    statistic = question.display if isinstance(question.display, Statistic) else Statistic()
    function = statistic.calculation.function
    # The groups of slices would be groups of the whole only if each slice listed them all.
    if span.rule.each or function not in _COMBINED:
        return Replay((), (f"{_label(statistic, span)} cannot be computed for the past.",))
    if span.end - span.start > max(span.rule.every, SHORTEST_SLICE) * MOST_QUERIES * MOST_SLICES:
        return Replay((), (_TOO_LONG,))
    windows = {at: span.read_at(at).window.window for at in steps_apart(span)}
    grid = _grid(list(windows.values()), span.rule.every)
    if grid is None:
        return Replay((), (_TOO_LONG,))
    leql = statement(question.leql, replace(without_groups(statistic), step=grid.step, slices=0))
    results = await asyncio.gather(
        *(source.statistics(ids, piece, leql) for piece in grid.pieces())
    )
    slices = [value for result in results for value in result.slices]
    points = [
        point_at(span, at, _values(function, grid.within(slices, window)), span.rule.every)
        for at, window in windows.items()
    ]
    notes = [note for result in results for note in result.notes]
    if not grid.is_exact:
        length = formatting.format_duration(grid.step)
        notes.append(f"Each value may lack the last {length} of its window.")
    return Replay(points, tuple(dict.fromkeys(notes)), matched=any(slices))


def _label(statistic: Statistic, span: ReplayRequest[LogsQuestion]) -> str:
    label = "the groups" if span.rule.each else f"the {statistic.calculation.label}"
    return f"{label[0].upper()}{label[1:]}"


def _values(function: str, known: Sequence[float]) -> dict[str, float]:
    """The values of an answer about those slices; none where nothing is known."""
    if not known:
        return {}
    value = _COMBINED[function](known)
    return {function: value, **({"lines": value} if function == "count" else {})}


class _Grid(Struct, frozen=True):
    """Slices of equal length that make up all windows. If it is not exact, the end of a window lies
    within a slice.
    """

    start: datetime
    end: datetime
    step: timedelta
    is_exact: bool = True

    @property
    def queries(self) -> int:
        return -(-(self.end - self.start) // (self.step * MOST_SLICES))

    def pieces(self) -> list[Window]:
        """The period in windows of as many slices as one query returns."""
        length = self.step * MOST_SLICES
        starts = [self.start + number * length for number in range(self.queries)]
        return [Window(start, min(start + length, self.end)) for start in starts]

    def within(self, slices: Sequence[float | None], window: Window) -> list[float]:
        """The known results of the slices in a window."""
        # Rounded, since edges lie on the grid only to the minute.
        first = round((window.start - self.start) / self.step)
        last = round((window.end - self.start) / self.step)
        if not self.is_exact:
            first = -((self.start - window.start) // self.step)
            last = (window.end - self.start) // self.step
        return [value for value in slices[max(0, first) : last] if value is not None]


def _grid(windows: Sequence[Window], every: timedelta) -> _Grid | None:
    """The longest slices that end, to the minute, wherever a window begins or ends. If these are
    too many, slices as long as the time between two checks; None if these are too many as well.
    """
    start = min(window.start for window in windows)
    end = max(window.end for window in windows)
    edges = [edge - start for window in windows for edge in (window.start, window.end)]
    minutes = [round(edge / SHORTEST_SLICE) for edge in edges]
    # Longer slices than the time between two checks would hide what happened in between.
    shared = min(SHORTEST_SLICE * (math.gcd(*minutes) or 1), max(every, SHORTEST_SLICE))
    is_exact = all(edge % shared < SHORTEST_SLICE for edge in edges)
    exact = _Grid(start, end, shared, is_exact)
    rough = _Grid(start, end, max(every, SHORTEST_SLICE), is_exact=False)
    return next((grid for grid in (exact, rough) if grid.queries <= MOST_QUERIES), None)
