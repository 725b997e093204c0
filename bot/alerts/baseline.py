"""Baselines: what a value usually is at this weekday and hour (pure).

The baseline of an instant is the median of the values at the same hour of earlier days, with a band
of three scaled median absolute deviations (MAD) on both sides. Unlike mean and standard deviation,
neither is moved by a few outliers, such as earlier incidents.
"""

from __future__ import annotations

import enum
import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from statistics import median
from typing import NamedTuple

import msgspec

# So far back days of the same weekday count, and any days.
WEEKS = 26
DAYS = 28
# A baseline by weekday and hour takes three weeks, one by hour seven days.
LEAST_WEEKS = 3
LEAST_DAYS = 7
# The band reaches so many deviations to each side: outside are 0.3 % of normally distributed values.
DEVIATIONS = 3.0
# The factors by which MAD and mean absolute deviation estimate a standard deviation.
MAD_SCALE = 1.4826
MEAN_DEVIATION_SCALE = 1.2533
# A series that hardly varies has a band nevertheless: so much of the median, and at least one.
LEAST_SHARE = 0.05
LEAST_MARGIN = 1.0
# At most one sample is stored in so long.
SAMPLE_EVERY = timedelta(minutes=15)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class Season(enum.StrEnum):
    """Which earlier values make up a baseline. The enum's values are stored in databases."""

    WEEKDAY_AND_HOUR = "weekday"
    HOUR = "hour"
    # The largest value of each day, where it is not known how a day went.
    DAY = "day"


class Baseline(msgspec.Struct, frozen=True, gc=False):
    """The usual value, the band around it, and the number of days it is based on."""

    median: float
    low: float
    high: float
    season: Season
    days: int

    @property
    def margin(self) -> float:
        """The least that a value must differ from the median to be unusual."""
        return _margin(self.median)


class DayValue(NamedTuple):
    """The value of an earlier day at the hour in question."""

    day: date
    value: float


class Span(NamedTuple):
    """A time range that excludes its end."""

    start: datetime
    end: datetime


class Samples:
    """Values by time, the oldest first. What is not finite is left out."""

    def __init__(self, samples: Iterable[tuple[datetime, float]] = ()) -> None:
        ordered = sorted((at, value) for at, value in samples if math.isfinite(value))
        self._times = [at for at, _ in ordered]
        self._values = [value for _, value in ordered]

    def __len__(self) -> int:
        return len(self._times)

    def add(self, at: datetime, value: float) -> None:
        """Adds a sample that is later than all others."""
        if math.isfinite(value):
            self._times.append(at)
            self._values.append(value)

    def nearest(self, span: Span, target: datetime) -> float | None:
        """The value in the span that is nearest to an instant."""
        first = bisect_left(self._times, span.start)
        last = bisect_left(self._times, span.end)
        if first == last:
            return None
        # The sample before the target, or the one after it.
        place = bisect_left(self._times, target, first, last)
        around = range(max(first, place - 1), min(last, place + 1))
        return self._values[min(around, key=lambda n: abs(self._times[n] - target))]

    def largest(self, span: Span) -> float | None:
        """The largest value in the span."""
        first = bisect_left(self._times, span.start)
        last = bisect_left(self._times, span.end)
        return max(self._values[first:last], default=None)


def baseline_at(samples: Samples, at: datetime, zone: tzinfo) -> Baseline | None:
    """The baseline at an instant, of the samples before its local day; None where they are too
    few.
    """
    # Mondays differ from Sundays in most systems, so a baseline of weekdays comes first.
    by_weekday = usual_values(samples, at, zone, Season.WEEKDAY_AND_HOUR)
    if len(by_weekday) >= LEAST_WEEKS:
        return _baseline(by_weekday, Season.WEEKDAY_AND_HOUR)
    by_hour = usual_values(samples, at, zone, Season.HOUR)
    return _baseline(by_hour, Season.HOUR) if len(by_hour) >= LEAST_DAYS else None


def baseline_of_days(samples: Samples, at: datetime, zone: tzinfo) -> Baseline | None:
    """The baseline of the daily maxima, for days whose course is unknown. It shows whether a value
    is unusually high, but not whether it is low.
    """
    by_day = usual_values(samples, at, zone, Season.DAY)
    return _baseline(by_day, Season.DAY) if len(by_day) >= LEAST_DAYS else None


def usual_values(samples: Samples, at: datetime, zone: tzinfo, season: Season) -> list[DayValue]:
    """The values that make up a baseline, latest day first: for each day the one nearest to the
    time of the instant.
    """
    local = at.astimezone(zone)
    # A figure that grows through the day is compared with earlier days at the same minute.
    into_hour = timedelta(minutes=local.minute, seconds=local.second)
    found = []
    for day in _days_before(local.date(), season):
        # The largest value of a day represents it: a value that grows is largest at the end of the
        # day.
        if season is Season.DAY:
            value = samples.largest(day_span(day, zone))
        else:
            span = hour_span(day, local.hour, zone)
            value = samples.nearest(span, span.start + into_hour)
        if value is not None:
            found.append(DayValue(day, value))
    return found


def needed_spans(at: datetime, zone: tzinfo) -> list[Span]:
    """The hours of earlier days that the baselines by weekday and by hour need."""
    local = at.astimezone(zone)
    days = {
        *_days_before(local.date(), Season.WEEKDAY_AND_HOUR),
        *_days_before(local.date(), Season.HOUR),
    }
    # In order, because the database reads each span once.
    spans = (hour_span(day, local.hour, zone) for day in sorted(days))
    return [span for span in spans if span.start < span.end]


def whole_days_span(at: datetime, zone: tzinfo) -> Span:
    """The days that the baseline of whole days needs."""
    days = _days_before(at.astimezone(zone).date(), Season.DAY)
    return Span(day_span(days[-1], zone).start, day_span(days[0], zone).end)


def _days_before(day: date, season: Season) -> list[date]:
    step, count = (7, WEEKS) if season is Season.WEEKDAY_AND_HOUR else (1, DAYS)
    # Before the year 1 there are no days.
    count = min(count, (day.toordinal() - 1) // step)
    return [day - timedelta(days=step * n) for n in range(1, count + 1)]


@lru_cache(maxsize=16_384)
def hour_span(day: date, hour: int, zone: tzinfo) -> Span:
    """An hour by the clock of a zone. Where clocks are set back it may last two hours; where they
    are set forward, one is empty.
    """
    first = datetime.combine(day, time(hour), zone)
    # Both folds are the same except where the clocks are set back (PEP 495).
    return Span(first.astimezone(UTC), first.replace(fold=1).astimezone(UTC) + _HOUR)


@lru_cache(maxsize=1024)
def day_span(day: date, zone: tzinfo) -> Span:
    """A day in a zone."""
    start = datetime.combine(day, time(), zone)
    end = datetime.combine(day + _DAY, time(), zone)
    return Span(start.astimezone(UTC), end.astimezone(UTC))


def _baseline(found: Sequence[DayValue], season: Season) -> Baseline | None:
    values = [each.value for each in found]
    middle = median(values)
    deviations = [abs(value - middle) for value in values]
    spread = MAD_SCALE * median(deviations)
    if not spread:
        # More than half of the values are the same.
        spread = MEAN_DEVIATION_SCALE * sum(deviations) / len(deviations)
    reach = max(DEVIATIONS * spread, _margin(middle))
    low = middle - reach
    high = middle + reach
    # What was never negative, such as a count, is not expected to be.
    if min(values) >= 0:
        low = max(low, 0.0)
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    return Baseline(middle, low, high, season, len(values))


def _margin(middle: float) -> float:
    return max(LEAST_SHARE * abs(middle), LEAST_MARGIN)


class Usual(msgspec.Struct, frozen=True, omit_defaults=True):
    """A threshold that follows the baseline: `factor` times the median, or, without one, the edge
    of the band. `recover` is the factor at which an alert resolves.
    """

    side: str
    factor: float | None = None
    recover: float | None = None

    def is_breach(self, value: float, baseline: Baseline, *, firing: bool) -> bool:
        """Whether the value is past the threshold of now; a firing alert stays in breach until the
        value reaches the resolve threshold.
        """
        if self.side == "outside":
            return value < baseline.low or value > baseline.high
        threshold = self.threshold(baseline, resolve=firing and self.recover is not None)
        return value > threshold if self.side == "above" else value < threshold

    def threshold(self, baseline: Baseline, *, resolve: bool = False) -> float:
        """The threshold of now, or the resolve threshold. Of `outside`, it is the upper edge of the
        band.
        """
        factor = self.recover if resolve else self.factor
        if factor is None:
            return baseline.low if self.side == "below" else baseline.high
        # A factor above 1 is more than usual, also where values are negative.
        threshold = baseline.median + (factor - 1) * abs(baseline.median)
        if self.side == "above" and factor >= 1:
            return max(threshold, baseline.median + baseline.margin)
        if self.side == "below" and factor <= 1:
            return min(threshold, baseline.median - baseline.margin)
        return threshold

    @property
    def label(self) -> str:
        """`above 2x usual`, as it is typed."""
        return f"{self.side} {factor_label(self.factor)}"


class Multiple(NamedTuple):
    """`2x usual` as it is written in a configuration; None for `usual` alone."""

    factor: float | None


def factor_label(factor: float | None) -> str:
    """`2x usual`, or `usual` for the band."""
    return "usual" if factor is None else f"{factor:g}x usual"
