"""Two dates of a range without a year or a week, each interpreted in the context of the other."""

from __future__ import annotations

from datetime import date, timedelta

from msgspec.structs import replace

from bot.questions.windows.calendar import DAY, Reading, TwoReadings, months_later, range_in_zones
from bot.questions.windows.point_types import Period

# `Dec 28 - Jan 3` crosses a new year; `Nov 5 - Nov 1` is turned round.
LONGEST_OVER_NEW_YEAR = timedelta(days=183)


def with_years(one: Period, two: Period, reading: Reading) -> tuple[Period, Period]:
    """Days without a year or a week: the first the latest there is, the second the next after it.
    Raises TwoReadings if something else may be meant.
    """
    if one.weekday is not None and two.is_weekday:
        back = (two.first.weekday() - one.weekday) % 7
        return _at(one, two.first - timedelta(days=back)), two
    if two.weekday is not None:
        return one, _weekday_after(one, two, reading)
    if one.year_is_open and not two.year_is_open:
        return _at_latest(one, two), two
    if two.year_is_open and not one.year_is_open:
        return one, _at_earliest(two, one)
    if one.year_is_open and two.year_is_open and two.first < one.first:
        # `Dec 28 - Jan 3` ends in the next year.
        later = _moved(two, 1)
        if later.first - one.first > LONGEST_OVER_NEW_YEAR:
            return one, two
        if later.first > reading.today:
            earlier = _moved(one, -1)
            raise _two_ranges((one, later), (earlier, two), reading)
        return one, later
    return one, two


def _weekday_after(one: Period, two: Period, reading: Reading) -> Period:
    """`friday` after `monday` is the next one. After a date it may be the next one or the latest
    one.
    """
    assert two.weekday is not None
    after = _at(two, one.first + timedelta(days=(two.weekday - one.first.weekday()) % 7))
    if (
        one.weekday is not None
        or one.is_weekday
        or after.first == two.first
        or two.first < one.first
    ):
        # Days that are over are meant as they are.
        if after.first <= reading.today or not (one.weekday is not None or one.is_weekday):
            return after
        # The days that are not over may be meant, or those of the week before.
        week = 7 * DAY
        before = _at(one, one.first - week), _at(after, after.first - week)
        raise _two_ranges(before, (one, after), reading)
    raise _two_ranges((one, after), (one, two), reading)


def _two_ranges(
    one: tuple[Period, Period], other: tuple[Period, Period], reading: Reading
) -> TwoReadings:
    """The error for two ranges of days that may be meant."""
    first, last = one
    if first.zone_text == last.zone_text:
        both = [f"{first.first}..{last.last - DAY}" for first, last in (one, other)]
        return reading.two_readings(both[0], both[1], last.zone_text)
    # Each day in its own zone: `monday UTC to friday America/New_York`.
    both = [
        range_in_zones(f"{first.first}", first.zone_text, f"{last.last - DAY}", last.zone_text)
        for first, last in (one, other)
    ]
    return reading.two_readings(both[0], both[1])


def _at(period: Period, first: date) -> Period:
    return replace(period, first=first, last=first + DAY)


def _at_latest(one: Period, two: Period) -> Period:
    """The first period in the latest year in which it is not after the second."""
    # At most a few steps: the years are those of people.
    while one.first > two.first:
        one = _moved(one, -1)
    while _moved(one, 1).first <= two.first:
        one = _moved(one, 1)
    return one


def _at_earliest(two: Period, one: Period) -> Period:
    """The second period in the earliest year in which it is not before the first."""
    while two.first < one.first:
        two = _moved(two, 1)
    while _moved(two, -1).first >= one.first:
        two = _moved(two, -1)
    return two


def _moved(period: Period, years: int) -> Period:
    first = months_later(period.first, 12 * years)
    return replace(period, first=first, last=months_later(period.last, 12 * years))
