"""Dates: `2026-11-01`, `Nov 1`, `1st of November 2026`, `Sunday, Nov 1`, `21/11/2026`, `the 15th`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from types import MappingProxyType

from msgspec.structs import replace

from bot.questions.windows.calendar import Reading, TwoReadings, month_first, months_later
from bot.questions.windows.point_types import Period, one_day
from bot.questions.windows.tokens import MONTHS, WEEKDAYS, Tokens, tokens_of, word, words_of

MONTH_NUMBERS = MappingProxyType(
    {
        name: n + 1
        for n, month in enumerate(MONTHS)
        for name in {month, month[:3], *(["sept"] if n == 8 else [])}
    }
)
DAY_NUMBERS = MappingProxyType(
    {
        name: n
        for n, day in enumerate(WEEKDAYS)
        for name in {day, day[:3], *{1: ["tues"], 2: ["weds"], 3: ["thur", "thurs"]}.get(n, [])}
    }
)


def calendar_date(tokens: Tokens, reading: Reading) -> Period | None:
    """`2026-11-01`, `Nov 1`, `1st of November 2026`, `Sunday, Nov 1`, `21/11/2026`, `the 15th`."""
    if word(tokens[0]) in DAY_NUMBERS and len(tokens) > 1:
        found = calendar_date(tokens[1:], reading)
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
    tokens = _with_ordinals(tokens)
    numbers = [token for token in tokens if token.kind in ("number", "ordinal")]
    names = [word(token) for token in tokens if word(token) not in ("", "of", "the")]
    if (
        len(numbers) == 2
        and tokens[-1].kind == "number"
        and re.fullmatch(r"(?:19|2\d)\d{2}", tokens[-1].text)
    ):
        year = int(tokens[-1].text)
        numbers = numbers[:-1]
    elif len(numbers) == 2 and re.fullmatch(r"(?:19|20)\d{2}", tokens[0].text):
        # `2026 Nov 1`.
        year = int(tokens[0].text)
        numbers = numbers[1:]
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


_ORDINALS = MappingProxyType(
    {
        name: n + 1
        for n, name in enumerate(
            ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
        )
    }
)


def _with_ordinals(tokens: Tokens) -> Tokens:
    """`first of november` and `the first of the month` with `first` as 1st."""
    plain = words_of(tokens)
    at = 1 if plain[0] == "the" else 0
    if plain[at + 1 : at + 2] != ["of"] or len(plain) <= at + 2:
        return tokens
    rest = tokens[at + 2 :]
    if plain[at] in _ORDINALS:
        text = f"{_ORDINALS[plain[at]]}th"
        first = replace(tokens[at], kind="ordinal", text=text, value=_ORDINALS[plain[at]])
    elif tokens[at].kind == "ordinal":
        first = tokens[at]
    else:
        return tokens
    # `the 1st of the month` is the latest 1st there was.
    if words_of(rest) in (["month"], ["the", "month"]):
        return [first]
    return [first, *rest]


def date_in(month: int, day: int, year: int | None, reading: Reading) -> Period:
    """A day of a month: of a year, or the latest that has begun."""
    if year is not None:
        return one_day(real_date(year, month, day, reading))
    # The last one there was may be eight years ago: 1896 to 1904, 2096 to 2104.
    if month == 2 and day == 29:
        today = reading.today
        found = next(
            y
            for y in range(today.year, today.year - 9, -1)
            if _is_leap(y) and date(y, 2, 29) <= today
        )
        # Its year is known: in most years there is none.
        return one_day(date(found, 2, 29))
    this = real_date(reading.today.year, month, day, reading)
    return replace(
        one_day(this if this <= reading.today else this.replace(year=this.year - 1)),
        year_is_open=True,
    )


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def real_date(year: int, month: int, day: int, reading: Reading) -> date:
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
    raise reading.refused(f"There is no day {day} in a month")


def _day_is_first(parts: Sequence[int]) -> bool | None:
    """Whether the day comes before the month; None where either order makes a date."""
    one, two = parts[:2]
    if one == two or not 1 <= one <= 12 or not 1 <= two <= 12:
        return one > 12
    return None


def _order_of_others(text: str, reading: Reading) -> bool | None:
    """The order of the other dates in the words that are written in the same way: `02/11` in
    `30/10-02/11` is in November.
    """
    orders = {
        order
        for other in _numeric_dates(reading)
        if _separator(other) == _separator(text)
        and (order := _day_is_first(_parts_of(other))) is not None
        and len(set(_parts_of(other)[:2])) == 2
    }
    return orders.pop() if len(orders) == 1 else None


def _in_order(day_is_first: bool, reading: Reading) -> str:
    """The words with all dates of two readings written out; the hours beside them stay."""
    text = reading.text
    before: date | None = None
    for found in _numeric_dates(reading):
        parts = _parts_of(found)
        if _day_is_first(parts) is not None:
            continue
        day, month = parts[:2] if day_is_first else parts[1::-1]
        year = parts[2] if len(parts) == 3 else before.year if before else None
        day_found = date_in(month, day, year, reading).first
        # `12/11-01/12` may end in the next year.
        if before and len(parts) == 2 and day_found < before:
            day_found = day_found.replace(year=before.year + 1)
        before = day_found
        # Not within `12/11` or `2/11/2026`.
        text = re.sub(rf"(?<![\d/.]){re.escape(found)}(?![\d/.])", f"{day_found}", text)
    return text


def _numeric_dates(reading: Reading) -> list[str]:
    return [
        token.text
        for token in tokens_of(reading.text)
        if token.kind == "numeric_date" and not token.text.endswith(".")
    ]


def _separator(text: str) -> str:
    return next(each for each in text if not each.isdigit())


def _parts_of(text: str) -> list[int]:
    return [int(part) for part in re.split(r"[-/.]", text)]


def _numeric(text: str, reading: Reading) -> Period | None:
    """`21/11/2026`, where only one of the numbers can be the month. If both can, BadQuestion offers
    both.
    """
    if text.endswith("."):
        # As it is written in German: the day comes first.
        day, month = (int(part) for part in text.rstrip(".").split("."))
        is_date = 1 <= month <= 12 and 1 <= day <= 31
        return date_in(month, day, None, reading) if is_date else None
    parts = _parts_of(text)
    one, two = parts[:2]
    year = parts[2] if len(parts) == 3 else None
    if year is not None and year < 100:
        raise reading.refused(
            f"“{text}” can be read in more than one way; dates are written 2026-11-01"
        )
    if (day_is_first := _day_is_first(parts)) is None:
        day_is_first = _order_of_others(text, reading)
    # Day and month in another order on either side of the Atlantic.
    if day_is_first is None:
        raise TwoReadings(text, (_in_order(False, reading), _in_order(True, reading)))
    month, day = (two, one) if day_is_first else (one, two)
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        return None
    return date_in(month, day, year, reading)
