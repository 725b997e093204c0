"""The result of a backtest as text and blocks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from types import MappingProxyType

from msgspec import Struct

from bot import formatting
from bot.alerts.backtest import Backtest, EvaluationPoint, FiringPeriod, Now
from bot.alerts.rule import Rule
from bot.answer import Block
from bot.blocks import kit
from bot.blocks.alert_values import format_value, peak_name, threshold_label

# The latest ones; a section takes 3,000 characters.
MOST_SHOWN = 12


def sentence(test: Backtest) -> str:
    """`would have fired 4 times in 90 days, longest 2 h 10 min, now OK`."""
    span = formatting.pluralise(round((test.end - test.start) / timedelta(days=1)), "day")
    if not test.matched and test.points:
        return f"nothing matched in the last {span}"
    if not test.samples:
        return f"no data in the last {span}"
    if not test.firings:
        return f"would not have fired in {span}, now {_NOW[test.now]}"
    times = formatting.pluralise(len(test.firings), "time")
    longest = formatting.format_duration(test.longest())
    return f"would have fired {times} in {span}, longest {longest}, now {_NOW[test.now]}"


_NOW: Mapping[Now, str] = MappingProxyType(
    {"inactive": "OK", "pending": "pending", "firing": "firing", "no_data": "no data"}
)


def backtest_text(test: Backtest, zone: tzinfo) -> str:
    """The whole result as text, with a chart of characters."""
    rule = test.rule
    lines = [
        f"{_headline(test)}.",
        f"{rule.value} of {rule.display_query}, {threshold_label(rule)}.",
        _counted(test),
    ]
    shown = test.firings[-MOST_SHOWN:]
    more = len(test.firings) - len(shown)
    lines += [f"… and {more:,} earlier"] if more else []
    lines += [_firing_line(test, firing, zone) for firing in shown]
    return "\n".join([*lines, *test.notes, *_drawn(test)])


def backtest_blocks(test: Backtest, zone: tzinfo) -> list[Block]:
    rule = test.rule
    blocks = [
        kit.header(_headline(test)),
        kit.context(f"{kit.code(rule.display_query, 200)} · {rule.value} {threshold_label(rule)}"),
    ]
    if test.samples:
        blocks.append(_chart(test))
    if test.firings:
        shown = [_firing_line(test, firing, zone) for firing in test.firings[-MOST_SHOWN:]]
        more = len(test.firings) - len(shown)
        blocks.append(
            kit.section(
                "\n".join(
                    [
                        *([f"… and {more:,} earlier"] if more > 0 else []),
                        *(f"• {line}" for line in shown),
                    ]
                )
            )
        )
    return [*blocks, kit.context(_counted(test), *(kit.with_code(note) for note in test.notes))]


def _headline(test: Backtest) -> str:
    return f"{test.rule.name}{'' if test.samples else ':'} {sentence(test)}"


def _counted(test: Backtest) -> str:
    return f"{formatting.pluralise(test.samples, 'check')} with data, {test.missing:,} without."


def _firing_line(test: Backtest, firing: FiringPeriod, zone: tzinfo) -> str:
    name = peak_name(test.rule)
    peak = (
        f", {name} {format_value(test.rule.value, firing.peak)}" if firing.peak is not None else ""
    )
    ended = f"to {_moment(test, firing.end, zone)}" if firing.end else "until now"
    length = formatting.format_duration((firing.end or test.end) - firing.start)
    return f"{_moment(test, firing.start, zone)} {ended} ({length}){peak}"


def _moment(test: Backtest, moment: datetime, zone: tzinfo) -> str:
    """Whole days are in UTC, as the vendor counts them; times are in the configured zone."""
    day = moment.astimezone(UTC)
    is_day = day.time() == time() and any(point.step >= timedelta(days=1) for point in test.points)
    return (
        formatting.short_day(day, test.end)
        if is_day
        else formatting.format_time_in_zone(moment, zone, test.end)
    )


class Bar(Struct, frozen=True):
    """The worst value of neighbouring points, and the lowest and highest threshold that was between
    them.
    """

    at: datetime
    worst: float | None
    fired: bool
    low: float | None = None
    high: float | None = None


def bars(test: Backtest, most: int = kit.MOST_POINTS) -> list[Bar]:
    """The points in at most so many bars, each the worst of its points."""
    if not test.points:
        return []
    # Groups of equal size, of which the last may be smaller.
    size = math.ceil(len(test.points) / most)
    found = []
    for at in range(0, len(test.points), size):
        group = test.points[at : at + size]
        low, high = _edges(test, at, at + size)
        fired = _any_fired(test, group)
        found.append(Bar(group[0].at, _worst(test.rule, group), fired, low, high))
    return found


def _edges(test: Backtest, first: int, last: int) -> tuple[float | None, float | None]:
    """The thresholds of some points, as an edge below and one above what is OK."""
    rule = test.rule
    if not rule.usual:
        return rule.below, rule.above
    usual = [each for each in test.baselines[first:last] if each]
    if not usual:
        return None, None
    if rule.side == "outside":
        # The widest band of the group, so that no bar seems to fire below its line.
        return min(each.low for each in usual), max(each.high for each in usual)
    edges = [rule.usual.threshold(each) for each in usual]
    return (min(edges), None) if rule.side == "below" else (None, max(edges))


def _worst(rule: Rule, points: Sequence[EvaluationPoint]) -> float | None:
    return rule.worst(reading for point in points for reading in point.readings.values())


def _any_fired(test: Backtest, points: Sequence[EvaluationPoint]) -> bool:
    first = points[0].at
    last = points[-1].at
    return any(
        firing.start <= last and (firing.end is None or firing.end > first)
        for firing in test.firings
    )


def _chart(test: Backtest) -> Block:
    """The value, the threshold, and the value once more where the alert fired, as a highlight."""
    shown = bars(test)
    names = {"low": "threshold below", "high": "threshold above"}
    if test.rule.side != "outside":
        names = {"low": "threshold", "high": "threshold"}
    edges = {
        side: [getattr(bar, side) for bar in shown]
        for side in names
        if any(getattr(bar, side) is not None for bar in shown)
    }
    factor, unit = (
        kit.scale([bar.worst or 0 for bar in shown])
        if "bytes" in test.rule.value
        else (1.0, test.rule.value)
    )
    values = [round((bar.worst or 0) / factor, 3) for bar in shown]
    span = len(test.points) > len(shown)
    return kit.chart(
        f"{test.rule.value}{' (worst of each bar)' if span else ''}",
        # Days are separate amounts, and bars show these better than a line.
        kind="bar" if all(point.alone for point in test.points) else "line",
        series=[
            ("value", values),
            *(
                (names[side], [round((edge or 0) / factor, 3) for edge in found])
                for side, found in edges.items()
            ),
            (
                "firing",
                [value if bar.fired else 0 for bar, value in zip(shown, values, strict=True)],
            ),
        ],
        labels=[
            formatting.format_time(bar.at, UTC, test.end)
            if test.points[0].step < timedelta(days=1)
            else formatting.short_day(bar.at, test.end)
            for bar in shown
        ],
        unit=unit,
    )


def _drawn(test: Backtest) -> list[str]:
    """One bar per line; `|` is the threshold, and `!` marks where the alert fired."""
    shown = bars(test)
    amounts = [each or 0.0 for bar in shown for each in (bar.worst, bar.low, bar.high)]
    top = max(amounts, default=0.0)
    if not shown or top <= 0:
        return []
    lines = []
    for bar in shown:
        filled = round(_WIDE * max(0.0, bar.worst or 0.0) / top)
        line = ["█" if n < filled else " " for n in range(_WIDE + 1)]
        for edge in (bar.low, bar.high):
            if edge is not None and edge >= 0:
                at = round(_WIDE * edge / top)
                line[at] = "|" if line[at] == " " else "▌"
        value = format_value(test.rule.value, bar.worst) if bar.worst is not None else "no data"
        # Characters of fixed width, as a terminal has no pictures.
        lines.append(
            f"{formatting.short_day(bar.at, test.end):>11} {'!' if bar.fired else ' '} "
            f"{''.join(line)} {value}"
        )
    return lines


_WIDE = 32
