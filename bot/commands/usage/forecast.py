"""Forecasts the total of the month, and reports how far off such forecasts have been."""

from __future__ import annotations

import calendar
import math
import statistics
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache

from msgspec import Struct

# The days that a forecast uses, and how many are needed before weekdays are distinguished.
TRAINING_PERIOD = timedelta(days=56)
ENOUGH_DAYS = 28
# With fewer, one unusual day would decide what its weekday is expected to be.
ENOUGH_OF_A_WEEKDAY = 3
RECENT_DAYS = 28
# How far back the history must reach for a month's forecast and for evaluating ten earlier ones of
# the same length.
HISTORY = timedelta(days=130)
MOST_EVALUATED = 10
LEAST_EVALUATED = 3
# This share of a period must be listed for a forecast to be evaluated by it; other days are left
# out on both sides.
LISTED = 0.8
# Four in five, which the answer says in these words.
BAND_PERCENT = 80


class Forecast(Struct, frozen=True):
    """Bytes by the end of the month. `error_percent` is the median error of the last `tried`
    forecasts of the same length, and `spread` what four in five of them stayed within; both are
    None where too few can be judged.
    """

    bytes: int
    spread: int | None = None
    error_percent: float | None = None
    tried: int = 0


def month_forecast(by_day: Mapping[date, int], *, today: date) -> Forecast | None:
    """The whole days of the month listed so far, and what is to be expected of every other day.

    A day is expected to be like the days before it, by weekday where enough of them are known.
    Today is still growing, so it counts with that or with what it has already, whichever is more.
    Before any day of the month is whole, the month before is what is known; None where no whole day
    is.
    """
    whole = tuple(sorted([item for item in by_day.items() if item[0] < today]))
    parts = _month_parts(whole, today)
    if parts is None:
        return None
    total = round(parts.others + max(by_day.get(today, 0), parts.today))
    if len(parts.errors) < LEAST_EVALUATED:
        return Forecast(total)
    # The nearest rank, as few errors have no percentile between two of them.
    spread = sorted(parts.errors)[math.ceil(len(parts.errors) * BAND_PERCENT / 100) - 1]
    return Forecast(
        total, round(total * spread), 100 * statistics.median(parts.errors), len(parts.errors)
    )


class _MonthParts(Struct, frozen=True):
    """What stays the same during a day: the bytes of all other days of the month, what today is
    expected to be, and the errors of earlier forecasts.
    """

    others: float
    today: float
    errors: list[float]


@lru_cache(maxsize=64)
def _month_parts(whole: tuple[tuple[date, int], ...], today: date) -> _MonthParts | None:
    """Computed from the days that are over, and cached for the same question minutes later."""
    by_day = dict(whole)
    first = today.replace(day=1)
    length = calendar.monthrange(today.year, today.month)[1]
    expected = _expected(by_day, first, today)
    if expected is None:
        return None
    # Without today, which grows: that part is added for each answer.
    usual = expected[today.weekday()]
    total = _total(by_day, [first + timedelta(days=n) for n in range(length)], today, expected)
    return _MonthParts(
        total - usual, usual, _earlier_errors(by_day, today, passed=today.day - 1, length=length)
    )


def _total(
    by_day: Mapping[date, int], days: Sequence[date], today: date, expected: Sequence[float]
) -> float:
    """Bytes of these days, as known on `today`, when each day ahead is as `expected` of its
    weekday.
    """
    whole = sum(by_day[day] for day in days if day < today and day in by_day)
    unlisted = sum(expected[day.weekday()] for day in days if day < today and day not in by_day)
    ahead = sum(expected[day.weekday()] for day in days if day > today)
    return whole + unlisted + ahead + (expected[today.weekday()] if today in days else 0)


def _expected(by_day: Mapping[date, int], first: date, today: date) -> list[float] | None:
    """Bytes of a day by weekday."""
    weekdays: list[list[int]] = [[] for _ in range(7)]
    recent: list[date] = []
    for back in range(1, TRAINING_PERIOD.days + 1):
        day = today - timedelta(days=back)
        if (usage := by_day.get(day)) is not None:
            weekdays[day.weekday()].append(usage)
            if back <= RECENT_DAYS:
                recent.append(day)
    if sum(map(len, weekdays)) < ENOUGH_DAYS or min(map(len, weekdays)) < ENOUGH_OF_A_WEEKDAY:
        mean = _mean(by_day, first, today)
        return None if mean is None else [mean] * 7
    # The median, so that one outage or one flood does not move its weekday.
    shape = [statistics.median(found) for found in weekdays]
    # The level is that of the last four weeks, against what their weekdays are usually like.
    usual = sum(shape[day.weekday()] for day in recent)
    level = sum(by_day[day] for day in recent) / usual if usual else 1.0
    return [level * usage for usage in shape]


def _mean(by_day: Mapping[date, int], first: date, today: date) -> float | None:
    whole = [usage for day, usage in by_day.items() if first <= day < today]
    earlier = [usage for day, usage in by_day.items() if first - timedelta(days=31) <= day < first]
    # On the first of a month nothing of it is whole yet.
    basis = whole or earlier
    return sum(basis) / len(basis) if basis else None


def _earlier_errors(
    by_day: Mapping[date, int], today: date, *, passed: int, length: int
) -> list[float]:
    """The relative errors of the last forecasts made at the same point of a period of the same
    length.
    """
    errors: list[float] = []
    for back in range(MOST_EVALUATED):
        then = today - timedelta(days=length - passed + back)
        first = then - timedelta(days=passed)
        days = [first + timedelta(days=n) for n in range(length)]
        # What was known on that day alone; anything later would flatter the forecast.
        known = {day: usage for day, usage in by_day.items() if day < then}
        listed = [day for day in days if day in by_day]
        actual = sum(by_day[day] for day in listed)
        if len(listed) < LISTED * length or len(known) < ENOUGH_DAYS or not actual:
            continue
        if expected := _expected(known, listed[0], then):
            errors.append(abs(_total(known, listed, then, expected) - actual) / actual)
    return errors
