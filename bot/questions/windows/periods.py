"""Whole days by any of their names: `today`, `last week`, `Nov 1`, `2026-11`, `Q3`, `month to
date`, `now-1d/d`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from types import MappingProxyType

from msgspec.structs import replace

from bot.questions.windows.calendar import (
    DAY,
    Reading,
    month_first,
    months_later,
    quarter_first,
)
from bot.questions.windows.dates import DAY_NUMBERS, MONTH_NUMBERS, calendar_date, real_date
from bot.questions.windows.point_types import Period, one_day
from bot.questions.windows.tokens import Tokens, words_of

QUARTERS = MappingProxyType(
    {
        name: n + 1
        for n, names in enumerate(("first 1", "second 2", "third 3", "fourth 4"))
        for name in names.split()
    }
)


def read_period(tokens: Tokens, reading: Reading) -> Period | None:
    """Whole days by any of their names."""
    return (
        _named(words_of(tokens), reading)
        or _rounded(tokens, reading)
        or calendar_date(tokens, reading)
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
    if found := _single_day(text, plain, today):
        return found
    if text in _BEFORE_LAST:
        unit = _BEFORE_LAST[text]
        return Period(_next(starts[unit], unit, -2), _next(starts[unit], unit, -1))
    text = text.replace(" - ", " ")
    head, _, unit = text.partition(" ")
    unit = unit.removesuffix(" so far")
    # `this wk` and `last mth`.
    unit = UNIT_NAMES.get(unit, unit)
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


_BEFORE_LAST = MappingProxyType(
    {f"{unit} before last": unit for unit in ("week", "month", "quarter", "year")}
)


def _single_day(text: str, plain: Sequence[str], today: date) -> Period | None:
    """today, yesterday and the day before by any of their names."""
    # `last day` is 24 hours back from now, and `last full day` is yesterday.
    is_whole = len(text) < len(" ".join(plain).removeprefix("the "))
    if text in _TODAY or (is_whole and text == "day"):
        return Period(today, today + DAY)
    if text in ("yesterday", "previous day", "prior day", "preceding day") or (
        is_whole and text == "last day"
    ):
        return Period(today - DAY, today)
    if text in ("day before yesterday", "2 days before today"):
        return Period(today - 2 * DAY, today - DAY)
    return None


_TODAY = ("today", "current day", "today so far", "so far today", "earlier today", "day so far")


def _weekend(head: str, unit: str, monday: date, today: date) -> Period | None:
    saturday = monday + timedelta(days=5)
    if not unit and head in ("weekend", "weekends"):
        # The latest that has begun.
        return (
            Period(saturday - 7 * DAY, saturday - 5 * DAY)
            if today < saturday
            else Period(saturday, saturday + 2 * DAY)
        )
    if (head, unit) == ("weekend", "before last"):
        return Period(saturday - 14 * DAY, saturday - 12 * DAY)
    if (head, unit) == ("this", "past weekend"):
        head = "past"
        unit = "weekend"
    if unit != "weekend":
        return None
    if head == "this":
        return Period(saturday, saturday + 2 * DAY)
    if head in ("last", "previous", "past"):
        return Period(saturday - 7 * DAY, saturday - 5 * DAY)
    return None


UNIT_NAMES = MappingProxyType({"wk": "week", "mth": "month", "qtr": "quarter", "yr": "year"})
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
        **{
            f"{this} {unit} to date": unit
            for this in ("this", "current")
            for unit in ("week", "month", "quarter", "year")
        },
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
        first = real_date(year, number, 1, reading)
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
    first = real_date(known or reading.today.year, month, 1, reading)
    if known is None and first > reading.today:
        first = first.replace(year=first.year - 1)
    return Period(first, months_later(first, months), year_is_open=known is None)


def _week(year: int, number: int, reading: Reading) -> Period:
    try:
        first = date.fromisocalendar(year, number, 1)
    except ValueError:
        raise reading.refused(f"There is no week {number} of {year}") from None
    return Period(first, first + 7 * DAY)
