"""Whole days by a number: `week 46`, `H1 2026`, `year 2025`, `last december`, `last day of october`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from bot.questions.windows.calendar import DAY, Reading, in_zone, months_later
from bot.questions.windows.dates import MONTH_NUMBERS
from bot.questions.windows.lengths import read_length
from bot.questions.windows.periods import read_period
from bot.questions.windows.point_types import Period, one_day
from bot.questions.windows.tokens import Tokens, words_of

_WEEK_WORDS = ("week", "cw", "kw", "wk", "w")
_FILLERS = ("the", "of", "in", "calendar", "iso")
_HALVES = {"first": 1, "second": 2, "1": 1, "2": 2}


def read_numbered(tokens: Tokens, reading: Reading) -> Period | None:
    """Whole days that a number names. Without a year, the latest that have begun."""
    if found := _week_of(tokens, reading):
        return found
    plain = [each for each in words_of(tokens) if each not in _FILLERS]
    if not plain or any(token.kind not in ("word", "number", "ordinal") for token in tokens):
        return None
    return (
        _year(plain)
        or _week(plain, reading)
        or _half(plain, reading)
        or _past_month(plain, reading)
        or _edge_day(tokens, reading)
        or _edge_days(tokens, reading)
    )


_WEEK_STARTS = ("commencing", "starting", "beginning", "from")


def _week_of(tokens: Tokens, reading: Reading) -> Period | None:
    """`week of Nov 2`, `week commencing 2 Nov`, `week ending Nov 8`, `week 45/2026`."""
    plain = words_of(tokens)
    start = 1 if plain[0] == "the" else 0
    if plain[start] not in ("week", "wk") or len(plain) < start + 2:
        return None
    if tokens[-1].kind == "month" and len(plain) == start + 2 and "/" in tokens[-1].text:
        number, _, year = tokens[-1].text.partition("/")
        return _iso_week(int(year), int(number), reading)
    kind = plain[start + 1]
    if kind not in ("of", "ending", *_WEEK_STARTS) or len(plain) < start + 3:
        return None
    day = read_period(tokens[start + 2 :], reading)
    if day is None or day.last - day.first != DAY or day.weekday is not None:
        return None
    if kind == "ending":
        return Period(day.last - 7 * DAY, day.last)
    first = day.first if kind in _WEEK_STARTS else day.first - timedelta(day.first.weekday())
    return Period(first, first + 7 * DAY)


def _year(plain: Sequence[str]) -> Period | None:
    """`year 2025`; the number alone may be a time of day."""
    if len(plain) != 2 or plain[0] != "year" or (year := _as_year(plain[1])) is None:
        return None
    return Period(date(year, 1, 1), date(year + 1, 1, 1))


def _week(plain: Sequence[str], reading: Reading) -> Period | None:
    """`week 46`, `CW46 2026`, `2026 week 46`: weeks as ISO 8601 counts them."""
    rest, known = _without_year(plain)
    if len(rest) != 2 or rest[0] not in _WEEK_WORDS or not rest[1].isdigit() or len(rest[1]) > 2:
        return None
    number = int(rest[1])
    return _iso_week(known, number, reading) if known else _latest_week(number, reading)


def _latest_week(number: int, reading: Reading) -> Period:
    """The week with a number that has begun last."""
    if not 1 <= number <= 53:
        raise reading.refused(f"There is no week {number}; years have 52 or 53 weeks")
    # The year of an ISO week may differ from that of the calendar around New Year.
    year = reading.today.isocalendar().year
    is_missing = number > _weeks_in(year)
    if not is_missing:
        week = _iso_week(year, number, reading)
        if week.first <= reading.today:
            return week
    # In January, `week 50` is that of the year before. Only some years have a week 53, and one of
    # years ago is not meant.
    before = year - 1
    if number <= _weeks_in(before):
        return _iso_week(before, number, reading)
    other = in_zone(f"week {_weeks_in(before)} of {before}", reading.zone_text)
    problem = (
        f"Neither {year} nor {before} has a week {number}"
        if is_missing
        else f"Week {number} of {year} has not begun, and {before} has none"
    )
    raise reading.refused(f"{problem}; ask for another week, such as “{other}”")


def _weeks_in(year: int) -> int:
    # 28 December is always in the last week of its year.
    return date(year, 12, 28).isocalendar().week


def _iso_week(year: int, number: int, reading: Reading) -> Period:
    try:
        first = date.fromisocalendar(year, number, 1)
    except ValueError:
        raise reading.refused(f"There is no week {number} of {year}") from None
    return Period(first, first + 7 * DAY)


def _half(plain: Sequence[str], reading: Reading) -> Period | None:
    """`H1`, `H2 2025`, `first half of 2026`, `second half of november`."""
    rest, known = _without_year(plain)
    if len(rest) == 2 and rest[0] == "h" and rest[1] in ("1", "2"):
        half = int(rest[1])
        month = None
    elif len(rest) in (2, 3) and rest[0] in _HALVES and rest[1] == "half":
        half = _HALVES[rest[0]]
        month = MONTH_NUMBERS.get(rest[2]) if len(rest) == 3 else None
        if len(rest) == 3 and month is None:
            return None
    else:
        return None
    if month is None:
        year = known or reading.today.year
        # A half that has not begun is that of the year before.
        if known is None and date(year, 6 * half - 5, 1) > reading.today:
            year -= 1
        first = date(year, 6 * half - 5, 1)
        return Period(first, months_later(first, 6))
    year = known or reading.today.year
    if known is None and date(year, month, 15 * half - 14) > reading.today:
        year -= 1
    first = date(year, month, 1)
    middle = date(year, month, 16)
    return Period(first, middle) if half == 1 else Period(middle, months_later(first, 1))


def _past_month(plain: Sequence[str], reading: Reading) -> Period | None:
    """`last december` in November. Of a month that this year has had, it may be that of last
    year.
    """
    if len(plain) != 2 or plain[0] not in ("last", "this") or plain[1] not in MONTH_NUMBERS:
        return None
    month = MONTH_NUMBERS[plain[1]]
    today = reading.today
    first = date(today.year, month, 1)
    if plain[0] == "this":
        return Period(first, months_later(first, 1))
    # In November, `last march` is this year's to some and last year's to others.
    if month <= today.month:
        one, other = (f"{year}-{month:02}" for year in (today.year - 1, today.year))
        raise reading.two_readings(one, other)
    return Period(first.replace(year=today.year - 1), months_later(first, -11))


def _edge_day(tokens: Tokens, reading: Reading) -> Period | None:
    """`first day of november`, `last day of last month`."""
    plain = words_of(tokens)
    start = 1 if plain[0] == "the" else 0
    if plain[start + 1 : start + 3] != ["day", "of"] or len(tokens) < start + 4:
        return None
    whole = read_period(tokens[start + 3 :], reading)
    if whole is None or plain[start] not in ("first", "last"):
        return None
    return one_day(whole.first if plain[start] == "first" else whole.last - timedelta(days=1))


def _edge_days(tokens: Tokens, reading: Reading) -> Period | None:
    """`first 3 days of november`, `last 5 days of last month`."""
    plain = words_of(tokens)
    start = 1 if plain[0] == "the" else 0
    if plain[start] not in ("first", "last") or plain[start + 2 : start + 4] != ["days", "of"]:
        return None
    length = read_length(tokens[start + 1 : start + 3], reading)
    whole = read_period(tokens[start + 4 :], reading) if len(tokens) > start + 4 else None
    if length is None or length.days is None or whole is None:
        return None
    days = timedelta(days=length.days)
    if days > whole.last - whole.first:
        return None
    if plain[start] == "first":
        return Period(whole.first, whole.first + days)
    return Period(whole.last - days, whole.last)


def _without_year(plain: Sequence[str]) -> tuple[list[str], int | None]:
    """The words without a year at either end, and that year."""
    if len(plain) > 1 and (year := _as_year(plain[-1])):
        return list(plain[:-1]), year
    if len(plain) > 1 and (year := _as_year(plain[0])):
        return list(plain[1:]), year
    return list(plain), None


def _as_year(text: str) -> int | None:
    # Four digits from 1970 on, as times such as 1230 have four, too.
    is_year = len(text) == 4 and text.isdigit() and 1970 <= int(text) <= 2999
    return int(text) if is_year else None
