"""Whole days by any of their names: `today`, `last week`, `Nov 1`, `2026-11`, `Q3`, `month to
date`, `now-1d/d`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from types import MappingProxyType

from bot.questions.windows.calendar import DAY, Reading, TwoReadings, months_later
from bot.questions.windows.tokens import MONTHS, WEEKDAYS, Tokens, word, words_of

MONTH_NUMBERS = MappingProxyType(
    {
        name: n + 1
        for n, month in enumerate(MONTHS)
        for name in {month, month[:3], *(["sept"] if n == 8 else [])}
    }
)
QUARTERS = MappingProxyType(
    {
        name: n + 1
        for n, names in enumerate(("first 1", "second 2", "third 3", "fourth 4"))
        for name in names.split()
    }
)
DAY_NUMBERS = MappingProxyType(
    {
        name: n
        for n, day in enumerate(WEEKDAYS)
        for name in {day, day[:3], *{1: ["tues"], 2: ["weds"], 3: ["thur", "thurs"]}.get(n, [])}
    }
)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days, from the first to before the last. `year_is_open` and `weekday` say what else the
    words may mean beside another point.
    """

    first: date
    last: date
    year_is_open: bool = False
    weekday: int | None = None
    # A weekday of a known week, such as `last monday`.
    is_weekday: bool = False
    zone: tzinfo | None = None


def read_period(tokens: Tokens, reading: Reading) -> Period | None:
    """Whole days by any of their names."""
    return (
        _named(words_of(tokens), reading)
        or _rounded(tokens, reading)
        or _calendar_date(tokens, reading)
        or _month_or_quarter(tokens, reading)
    )


def _named(plain: Sequence[str], reading: Reading) -> Period | None:
    """today, yesterday, this and last week, month, quarter, year and weekend, last monday, and
    to-date phrases.
    """
    today = reading.today
    text = " ".join(
        each
        for each in plain
        if each not in ("full", "complete", "whole", "entire", "calendar", "the")
    )
    # Weeks begin on Monday, as ISO 8601 has them.
    monday = today - timedelta(days=today.weekday())
    first = month_first(today)
    quarter = quarter_first(today)
    year = today.replace(month=1, day=1)
    starts = {"week": monday, "month": first, "quarter": quarter, "year": year, "day": today}
    if text in (
        "today",
        "current day",
        "today so far",
        "so far today",
        "earlier today",
        "day so far",
    ):
        return Period(today, today + DAY)
    if text in ("yesterday", "previous day"):
        return Period(today - DAY, today)
    if text in ("day before yesterday", "2 days before today"):
        return Period(today - 2 * DAY, today - DAY)
    head, _, unit = text.partition(" ")
    unit = unit.removesuffix(" so far")
    if text.startswith("so far this "):
        head = "this"
        unit = text.removeprefix("so far this ")
    if text in _TO_DATE:
        head = "this"
        unit = _TO_DATE[text]
    if unit in starts and head in ("this", "current"):
        return Period(starts[unit], _next(starts[unit], unit))
    # `last day` is 24 hours back from now elsewhere, and not yesterday.
    if unit in starts and unit != "day" and head in ("last", "previous", "prior", "preceding"):
        return Period(_next(starts[unit], unit, -1), starts[unit])
    return _weekend(head, unit, monday, today) or _weekday(text, head, unit, monday, today)


def _weekend(head: str, unit: str, monday: date, today: date) -> Period | None:
    saturday = monday + timedelta(days=5)
    if not unit and head in ("weekend", "weekends"):
        # The latest that has begun.
        return (
            Period(saturday - 7 * DAY, saturday - 5 * DAY)
            if today < saturday
            else Period(saturday, saturday + 2 * DAY)
        )
    if unit != "weekend":
        return None
    if head == "this":
        return Period(saturday, saturday + 2 * DAY)
    if head in ("last", "previous", "past"):
        return Period(saturday - 7 * DAY, saturday - 5 * DAY)
    return None


_TO_DATE = MappingProxyType(
    {
        "week to date": "week",
        "wtd": "week",
        "month to date": "month",
        "mtd": "month",
        "quarter to date": "quarter",
        "qtd": "quarter",
        "year to date": "year",
        "week so far": "week",
        "month so far": "month",
        "quarter so far": "quarter",
        "year so far": "year",
        "ytd": "year",
        "day to date": "day",
        **{f"this {unit} to date": unit for unit in ("week", "month", "quarter", "year")},
        "today to date": "day",
        **{f"{unit} till date": unit for unit in ("week", "month", "quarter", "year")},
    }
)


def _weekday(text: str, head: str, unit: str, monday: date, today: date) -> Period | None:
    ago = (today.weekday() - DAY_NUMBERS.get(unit, 0)) % 7
    if head in ("last", "past") and unit in DAY_NUMBERS:
        # On a Monday, `last monday` is a week ago.
        return replace(one_day(today - timedelta(days=ago or 7)), is_weekday=True)
    if head == "this" and unit in DAY_NUMBERS:
        return replace(one_day(monday + timedelta(days=DAY_NUMBERS[unit])), is_weekday=True)
    if text in DAY_NUMBERS:
        # On a Monday, `monday` alone is today.
        ago = (today.weekday() - DAY_NUMBERS[text]) % 7
        return replace(one_day(today - timedelta(days=ago)), weekday=DAY_NUMBERS[text])
    for week, shift in (("last week", 7), ("this week", 0)):
        for day in (
            text.removesuffix(f" {week}"),
            text.removesuffix(f" of {week}"),
            text.removeprefix(f"{week} "),
        ):
            if day != text and day in DAY_NUMBERS:
                return replace(
                    one_day(monday + timedelta(days=DAY_NUMBERS[day] - shift)), is_weekday=True
                )
    return None


def _next(first: date, unit: str, count: int = 1) -> date:
    if unit in ("day", "week"):
        return first + timedelta(days=count * (7 if unit == "week" else 1))
    return months_later(first, count * {"month": 1, "quarter": 3, "year": 12}[unit])


def one_day(day: date) -> Period:
    return Period(day, day + DAY)


def _rounded(tokens: Tokens, reading: Reading) -> Period | None:
    """`now/d`, `now-1d/d`, `now-1w/w`: the whole unit, as Grafana and Kibana round it. Here `M` is
    months.
    """
    plain = words_of(tokens)
    if plain[:1] != ["now"] or len(tokens) < 3 or tokens[-2].text != "/":
        return None
    # Case matters here: Grafana's `m` is minutes.
    unit = {"d": "day", "w": "week", "M": "month", "y": "year", "Q": "quarter"}.get(tokens[-1].text)
    if unit is None:
        return None
    back = 0
    if len(tokens) > 3:
        if (
            plain[1] != "-"
            or len(tokens) != 6
            or tokens[2].kind != "number"
            or tokens[3].text != tokens[-1].text
        ):
            return None
        value = tokens[2].value
        back = (
            int(value) if isinstance(value, float) and value == int(value) and value <= 3660 else -1
        )
    if back < 0:
        return None
    today = reading.today
    starts = {
        "day": today,
        "week": today - timedelta(days=today.weekday()),
        "month": month_first(today),
        "quarter": quarter_first(today),
        "year": today.replace(month=1, day=1),
    }
    first = _next(starts[unit], unit, -back)
    return Period(first, _next(first, unit))


def _calendar_date(tokens: Tokens, reading: Reading) -> Period | None:
    """`2026-11-01`, `Nov 1`, `1st of November 2026`, `Sunday, Nov 1`, `21/11/2026`, `the 15th`."""
    if word(tokens[0]) in DAY_NUMBERS and len(tokens) > 1:
        found = _calendar_date(tokens[1:], reading)
        weekday = DAY_NUMBERS[word(tokens[0])]
        # `Sunday, Nov 2` on a year in which that is a Monday is a mistake in one of the two.
        if found and found.first.weekday() != weekday:
            raise reading.refused(
                f"{found.first.day} {found.first:%b %Y} is a "
                f"{WEEKDAYS[found.first.weekday()].capitalize()}"
            )
        return replace(found, year_is_open=False) if found else None
    if (
        len(tokens) == 1
        # A datetime of Python is a date, too.
        and isinstance(tokens[0].value, date)
        and not isinstance(tokens[0].value, datetime)
    ):
        return one_day(tokens[0].value)
    if len(tokens) == 1 and tokens[0].kind == "numeric_date":
        return _numeric(tokens[0].text, reading)
    numbers = [token for token in tokens if token.kind in ("number", "ordinal")]
    names = [word(token) for token in tokens if word(token) not in ("", "of", "the")]
    if (
        len(numbers) == 2
        and tokens[-1].kind == "number"
        and re.fullmatch(r"\d{4}", tokens[-1].text)
    ):
        year = int(tokens[-1].text)
        numbers = numbers[:-1]
    else:
        year = None
    if (
        any(token.kind not in ("number", "ordinal", "word") for token in tokens)
        or len(numbers) != 1
        or not numbers[0].text.rstrip("stndrh").isdigit()
    ):
        return None
    day = int(numbers[0].text.rstrip("stndrh"))
    if not names and numbers[0].kind == "ordinal" and year is None and len(tokens) <= 2:
        return _latest_of_month(day, reading)
    if len(names) != 1 or names[0] not in MONTH_NUMBERS or not 1 <= day <= 31:
        return None
    return date_in(MONTH_NUMBERS[names[0]], day, year, reading)


def date_in(month: int, day: int, year: int | None, reading: Reading) -> Period:
    """A day of a month: of a year, or the latest that has begun."""
    if year is not None:
        return one_day(_real(year, month, day, reading))
    # The last one there was may be eight years ago: 1896 to 1904, 2096 to 2104.
    if month == 2 and day == 29:
        today = reading.today
        found = next(
            y
            for y in range(today.year, today.year - 9, -1)
            if _is_leap(y) and date(y, 2, 29) <= today
        )
        return replace(one_day(date(found, 2, 29)), year_is_open=True)
    this = _real(reading.today.year, month, day, reading)
    return replace(
        one_day(this if this <= reading.today else this.replace(year=this.year - 1)),
        year_is_open=True,
    )


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _real(year: int, month: int, day: int, reading: Reading) -> date:
    # Python's dates end in 9999, and windows reach a day further.
    if not 1970 <= year <= 9998:
        raise reading.refused(f"{year} is too far away")
    try:
        return date(year, month, day)
    except ValueError:
        raise reading.refused(f"There is no {year}-{month:02}-{day:02}") from None


def _latest_of_month(day: int, reading: Reading) -> Period:
    first = month_first(reading.today)
    # A year and a little: the 31st does not come in every month.
    for back in range(14):
        month = months_later(first, -back)
        try:
            found = month.replace(day=day)
        except ValueError:
            continue
        if found <= reading.today:
            return one_day(found)
    raise reading.refused(f"There is no day {day} of a month")


def _numeric(text: str, reading: Reading) -> Period | None:
    """`21/11/2026`, where only one of the numbers can be the month; both ways are asked back."""
    parts = [int(part) for part in text.replace("-", "/").replace(".", "/").split("/")]
    one, two = parts[:2]
    year = parts[2] if len(parts) == 3 else None
    if year is not None and year < 100:
        raise reading.refused(
            f"“{text}” can be read in more than one way; dates are written 2026-11-01"
        )
    shown = year or reading.today.year
    # Day and month in another order on either side of the Atlantic.
    if one <= 12 and two <= 12 and one != two and one and two:
        raise TwoReadings(text, (f"{shown}-{one:02}-{two:02}", f"{shown}-{two:02}-{one:02}"))
    month, day = (two, one) if one > 12 else (one, two)
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        return None
    return date_in(month, day, year, reading)


def _month_or_quarter(tokens: Tokens, reading: Reading) -> Period | None:
    """`november`, `Nov 2026`, `2026-11`, `Q3`, `Q3 2026`, `2026-W45`."""
    plain = [
        each for each in words_of(tokens) if each not in ("of", "in", "the", "month", "-", "/")
    ]
    if (
        len(tokens) == 1
        and tokens[0].kind in ("month", "week")
        and isinstance(tokens[0].value, tuple)
    ):
        year, number = tokens[0].value
        if tokens[0].kind == "week":
            return _week(year, number, reading)
        first = _real(year, number, 1, reading)
        return Period(first, months_later(first, 1))
    years = [each for each in plain if each.isdigit() and len(each) == 4]
    names = [each for each in plain if each not in years]
    if len(years) > 1:
        return None
    known = int(years[0]) if years else None
    if len(names) == 1 and names[0] in MONTH_NUMBERS:
        month = MONTH_NUMBERS[names[0]]
        months = 1
    elif len(names) == 2 and names[0] == "q" and names[1] in ("1", "2", "3", "4"):
        month = 3 * int(names[1]) - 2
        months = 3
    elif len(names) == 2 and names[1] == "quarter" and names[0] in QUARTERS:
        month = 3 * QUARTERS[names[0]] - 2
        months = 3
    else:
        return None
    first = _real(known or reading.today.year, month, 1, reading)
    if known is None and first > reading.today:
        first = first.replace(year=first.year - 1)
    return Period(first, months_later(first, months), year_is_open=known is None)


def _week(year: int, number: int, reading: Reading) -> Period:
    try:
        first = date.fromisocalendar(year, number, 1)
    except ValueError:
        raise reading.refused(f"There is no week {number} of {year}") from None
    return Period(first, first + 7 * DAY)


def month_first(day: date) -> date:
    return day.replace(day=1)


def quarter_first(day: date) -> date:
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
