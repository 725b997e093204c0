"""Short spellings of dates, weeks, quarters, years and hours in the words that the readers know:
`24.11.26`, `KW48/2026`, `Q4 25`, `2026`, `13 Uhr`. What has several meanings is asked back (pure).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from datetime import date

from bot.questions.windows.calendar import Reading, TwoReadings

_LINK = r"\s?(?:[-–—]|bis|to|until)\s?"
# `24.11.26`, also with the first day of a range before it, as in `24.–28.11.26`.
_SHORT_YEAR = re.compile(
    rf"(?i)(?<![\w./:])(?:(?P<day>\d{{1,2}})\.?{_LINK})?"
    r"(?P<one>\d{1,2})(?P<sep>[-/.])(?P<two>\d{1,2})(?P=sep)(?P<three>\d{2})(?![\w:/]|(?P=sep)\d)"
)
# `24.–28.11.2026`, where the first day shares month and year with the second.
_DAYS = re.compile(
    rf"(?i)(?<![\w./:-])(?P<day>\d{{1,2}})\.?{_LINK}(?P<last>\d{{1,2}})\.(?P<month>\d{{1,2}})\."
    r"(?P<year>\d{4})(?![\w:/-]|\.\d)"
)
_WEEK = re.compile(
    r"(?i)(?:week|wk|kw|cw|w)\s?(?P<week>\d{1,2})\s?(?:/\s?(?P<short>\d{2})|[/-]\s?(?P<year>\d{4}))"
)
_QUARTER = re.compile(r"(?i)(?:q(?P<quarter>\d)|(?P<before>\d)q)[\s/'’-]?'?(?P<year>\d{2}|\d{4})?")
_HALF = re.compile(r"(?i)h(?P<half>\d)")
_FISCAL = re.compile(r"(?i)\b(?:fy\s?'?\d{0,4}|fiscal|financial year)\b")
_YEAR = r"(?:19[7-9]\d|20\d\d)"
_ONE_YEAR = re.compile(rf"(?i)(?:in\s|year\s|of\s|the\s)*({_YEAR})")
_SINCE_YEAR = re.compile(rf"(?i)since\s({_YEAR})")
_YEARS = re.compile(rf"(?i)(?:from\s|between\s)?({_YEAR})\s?(?:-|–|\.\.|to|until|and)\s?({_YEAR})")
_HOUR = r"(\d{1,2})\s?h(?:([0-5]\d))?"
_SINCE_HOUR = re.compile(rf"(?i)since\s{_HOUR}")
_HOURS = re.compile(rf"(?i)(?:from\s|between\s)?{_HOUR}\s?(?:-|–|to|until|and)\s?{_HOUR}")
_GERMAN_HOUR = re.compile(r"(?i)(?<![\d:.])(\d{1,2})(:\d{2})?\s?uhr\b")
_CLOCK_AND_H = re.compile(r"(?i)(?<![\d:.])(\d{1,2}:\d{2})\s?h\b")
# Fewer hours are rather a length: `since 2h` is written in shells and dashboards.
EARLIEST_HOUR = 6


def spelled_out(reading: Reading) -> str:
    """The text with its short spellings as the readers know them. Raises TwoReadings for one with
    several meanings, and BadQuestion for a quarter or a date that does not exist.
    """
    text = reading.text
    if _FISCAL.search(text):
        raise reading.refused(
            f"“{text[:40]}” begins in another month in every company; name the months, such as "
            "“2025-10 to 2026-09”"
        )
    if text == "24:00":
        raise reading.refused("24:00 is the end of a day; ask for “today” or “since 00:00”")
    text = _quarter_or_half(text, reading)
    text = _year_or_hours(text, reading)
    if found := _WEEK.fullmatch(text):
        return f"{found['year'] or '20' + found['short']}-W{int(found['week']):02}"
    text = _GERMAN_HOUR.sub(lambda match: f"{match[1]}{match[2] or ':00'}", text)
    text = _CLOCK_AND_H.sub(r"\1", text)
    text = _DAYS.sub(_whole_range, text)
    return _with_whole_years(text, reading)


def _quarter_or_half(text: str, reading: Reading) -> str:
    if found := _QUARTER.fullmatch(text):
        number = int(found["quarter"] or found["before"])
        if not 1 <= number <= 4:
            raise reading.refused(f"There is no quarter {number}; a year has Q1 to Q4")
        year = found["year"] or ""
        return f"Q{number} {year if len(year) != 2 else f'20{year}'}".strip()
    if (found := _HALF.fullmatch(text)) and found["half"] not in "12":
        raise reading.refused(f"There is no half {found['half']}; a year has H1 and H2")
    return text


def _year_or_hours(text: str, reading: Reading) -> str:
    """Years, and hours written like lengths. A year may be a time, too: 20:26."""
    if found := _ONE_YEAR.fullmatch(text):
        return f"year {found[1]}"
    if found := _SINCE_YEAR.fullmatch(text):
        return _year_unless_clock(f"since {found[1]}-01-01", "since {}", [found[1]], reading)
    if found := _YEARS.fullmatch(text):
        first, last = found.groups()
        return _year_unless_clock(
            f"{first}-01-01..{last}-12-31", "{} to {}", [first, last], reading
        )
    if reading.whole_days:
        return text
    if (found := _SINCE_HOUR.fullmatch(text)) and EARLIEST_HOUR <= int(found[1]) <= 23:
        length = f"{int(found[1])}h{found[2]}m" if found[2] else f"{int(found[1])} hours"
        raise reading.two_readings(f"since {_clock(found[1], found[2])}", f"last {length}")
    if (found := _HOURS.fullmatch(text)) and int(found[1]) < int(found[3]) <= 24:
        one = _clock(found[1], found[2])
        two = _clock(found[3], found[4])
        if found[2] or found[4]:
            return f"{one} to {two}"
        raise reading.two_readings(f"{one} to {two}", f"{int(found[3])}h to {int(found[1])}h ago")
    return text


def _clock(hour: str, minute: str | None) -> str:
    return f"{int(hour):02}:{minute or '00'}"


def _year_unless_clock(dates: str, clocks: str, years: Sequence[str], reading: Reading) -> str:
    """The dates of the years; asked back where each of them may be a time of day."""
    times = [f"{year[:2]}:{year[2:]}" for year in years]
    if reading.whole_days or any(each[3:] > "59" for each in times):
        return dates
    raise reading.two_readings(dates, clocks.format(*times))


def _whole_range(match: re.Match[str]) -> str:
    day, last, month, year = (int(match[name]) for name in ("day", "last", "month", "year"))
    return f"{year}-{month:02}-{day:02}..{year}-{month:02}-{last:02}"


# Which of the three numbers are the day, the month and the year.
_ORDERS = ((0, 1, 2), (1, 0, 2), (2, 1, 0))
DAY_FIRST = _ORDERS[0]


def _with_whole_years(text: str, reading: Reading) -> str:
    """Dates with two digits for the year as ISO dates, all in one order. Orders by which they are
    still to come are not meant.
    """
    match = _SHORT_YEAR.search(text)
    if not match:
        return text
    found = dict(_orders(text))
    readings = [words for words, first in found.items() if first <= reading.today]
    # A date to come is refused as such, unless its day does not exist.
    if not readings and len(found) > 1:
        readings = [*found][:1]
    if not readings:
        raise reading.refused(
            f"There is no date {match['one']}{match['sep']}{match['two']}{match['sep']}"
            f"{match['three']}"
        )
    if len(readings) > 1:
        raise TwoReadings(reading.text, tuple(readings))
    return readings[0]


def _orders(text: str) -> Iterator[tuple[str, date]]:
    """The text for each order in which its dates exist, and its first date."""
    for order in _ORDERS:
        with contextlib.suppress(ValueError):
            yield _in_order(order, text)


def _in_order(order: tuple[int, int, int], text: str) -> tuple[str, date]:
    """The text with its dates in this order, and the first of them. Raises ValueError where one does
    not exist.
    """
    days: list[date] = []

    def written(match: re.Match[str]) -> str:
        numbers = [int(match[name]) for name in ("one", "two", "three")]
        day, month, year = (numbers[place] for place in order)
        last = date(2000 + year, month, day)
        if not match["day"]:
            days.append(last)
            return f"{last}"
        if order != DAY_FIRST:
            raise ValueError(match[0])
        first = last.replace(day=int(match["day"]))
        days.append(first)
        return f"{first}..{last}"

    return _SHORT_YEAR.sub(written, text), days[0]
