"""Instants from words: `now`, `now-6h`, `2 hours ago`, `start of week`, and `-7d@d` as Splunk
writes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from types import MappingProxyType

from msgspec.structs import replace

from bot.questions.windows.calendar import (
    Reading,
    midnight,
    month_first,
    months_later,
    quarter_first,
)
from bot.questions.windows.lengths import Length, read_length
from bot.questions.windows.periods import read_period
from bot.questions.windows.point_types import Moment
from bot.questions.windows.tokens import Tokens, word, words_of

AGO = ("ago", "back")
_SNAPS = MappingProxyType(
    {"d": "day", "w": "week", "mon": "month", "month": "month", "q": "quarter", "y": "year", "h": "hour", "m": "minute"}
)  # fmt: skip


def read_moment(tokens: Tokens, reading: Reading) -> Moment | None:
    """now, an instant by number, `now-6h`, `-6h`, `2 hours ago`, `start of week`."""
    plain = words_of(tokens)
    if plain in (["now"], ["right", "now"], ["present"]):
        return Moment(reading.now, is_now=True)
    if len(tokens) == 1 and isinstance(tokens[0].value, datetime):
        return Moment(tokens[0].value)
    # `now-1d/d` rounds, and is a period.
    if "/" in plain:
        return None
    if length := _length_back(tokens, plain, reading):
        return Moment(
            length.before(reading.now, reading.zone), is_daily=length.is_daily or length.months > 0
        )
    return _start_of_period(tokens, reading)


def _length_back(tokens: Tokens, plain: Sequence[str], reading: Reading) -> Length | None:
    """How long ago a moment was that is counted from now."""
    if plain[:2] == ["now", "-"]:
        return read_length(tokens[2:], reading)
    # Kusto writes `ago(1h)`.
    if plain[0] in ("-", "ago") and len(tokens) > 1:
        return read_length(tokens[1:], reading)
    if plain[-1] in (*AGO, "earlier"):
        return read_length(tokens[:-1], reading)
    return None


def _start_of_period(tokens: Tokens, reading: Reading) -> Moment | None:
    """`start of week`, `the beginning of this month`: the midnight it begins with."""
    plain = words_of(tokens)
    if len(plain) < 3 or plain[0] not in ("start", "beginning") or plain[1] != "of":
        return None
    rest = tokens[3:] if plain[2] == "the" else tokens[2:]
    if not rest:
        return None
    if len(rest) == 1 and word(rest[0]) in ("day", "week", "month", "quarter", "year"):
        rest = [replace(rest[0], text="this", value="this"), rest[0]]
        if word(rest[1]) == "day":
            return Moment(midnight(reading.today, reading.zone), is_daily=True)
    whole = read_period(rest, reading)
    return Moment(midnight(whole.first, reading.zone), is_daily=True) if whole else None


def read_snapped(tokens: Tokens, reading: Reading) -> Moment | None:
    """`-7d@d`, `@w`, `@w1`, `-1h@h`: Splunk goes back and then to where the unit began."""
    plain = words_of(tokens)
    if "@" not in plain:
        return None
    at = plain.index("@")
    unit = plain[at + 1 : at + 2]
    if not unit or unit[0] not in _SNAPS:
        return None
    weekday = _weekday_of(plain[at + 1 :])
    if len(plain) > at + 2 and weekday is None:
        return None
    moment = reading.now
    if at:
        length = _splunk_length(tokens[:at], reading)
        if length is None:
            return None
        moment = length.before(reading.now, reading.zone)
    return _snap(moment.astimezone(reading.zone), _SNAPS[unit[0]], weekday, reading)


# `mon` is a month here, and Monday elsewhere.
_SPLUNK_UNITS = MappingProxyType({"mon": "months", "q": "quarters"})


def _splunk_length(tokens: Tokens, reading: Reading) -> Length | None:
    if word(tokens[0]) or tokens[0].text != "-" or len(tokens) < 2:
        return None
    last = tokens[-1]
    if word(last) in _SPLUNK_UNITS:
        unit = _SPLUNK_UNITS[word(last)]
        tokens = [*tokens[:-1], replace(last, text=unit, value=unit)]
    return read_length(tokens[1:], reading)


def _weekday_of(plain: Sequence[str]) -> int | None:
    """The weekday of `w1`, with Monday as 0: Splunk counts from Sunday, which is 0 and 7."""
    if len(plain) != 2 or plain[0] != "w" or plain[1] not in tuple("01234567"):
        return None
    return (int(plain[1]) - 1) % 7


def _snap(moment: datetime, unit: str, weekday: int | None, reading: Reading) -> Moment:
    if unit in ("hour", "minute"):
        start = moment.replace(second=0, microsecond=0)
        return Moment(start.replace(minute=0) if unit == "hour" else start)
    day = moment.date()
    # Weeks begin on Monday where no other day is named.
    back = (day.weekday() - (weekday or 0)) % 7
    starts: dict[str, date] = {
        "day": day,
        "week": day - timedelta(days=back),
        "month": month_first(day),
        "quarter": quarter_first(day),
        "year": months_later(day.replace(day=1), 1 - day.month),
    }
    return Moment(midnight(starts[unit], reading.zone), is_daily=True)
