"""Windows of a length beside a point: `14:00 for 30m`, `14:00 +30m`, `30m before 14:00`,
`14:00 ± 10m`, and `5m offset 1h` as PromQL writes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from bot.questions.windows.calendar import DAY, Reading, midnight
from bot.questions.windows.lengths import UNITS, Length, read_length
from bot.questions.windows.periods import read_period
from bot.questions.windows.point_types import Clock, Moment, Point
from bot.questions.windows.points import read_point
from bot.questions.windows.spans import Span, known_by_day, start_of
from bot.questions.windows.tokens import Token, Tokens, word, words_of

_AFTER = ("after", "from", "starting")
_BEFORE = ("before", "until", "till", "til")
_MARKS = frozenset([*_AFTER, *_BEFORE, "for", "+", "offset"])
_AROUND = (["+", "-"], ["+", "/", "-"])


def around_point(tokens: Tokens, reading: Reading) -> Span | None:
    """The window of a length that begins, ends or is centred at a point."""
    plain = words_of(tokens)
    if _MARKS.isdisjoint(plain):
        return None
    if plain[0] in ("from", "starting", "at") and len(tokens) > 1:
        tokens = tokens[1:]
        plain = plain[1:]
    return (
        _beginning_at(tokens, plain, reading)
        or _length_first(tokens, plain, reading)
        or _around(tokens, plain, reading)
        or _with_offset(tokens, plain, reading)
    )


def _beginning_at(tokens: Tokens, plain: Sequence[str], reading: Reading) -> Span | None:
    """`14:00 for 30m`, `3 hours ago for an hour`, `yesterday 14:00 +2h`."""
    for sign in ("for", "+"):
        if plain.count(sign) != 1:
            continue
        at = plain.index(sign)
        # Splunk's `-1d@d+8h` is an instant.
        length = _length(tokens[at + 1 :], reading) if "@" not in plain else None
        if length and (day := _date(tokens[:at], reading)) and length.days:
            return _days_from(day, length.days, reading)
        start = _instant(tokens[:at], reading) if length else None
        if length and start:
            return Span(start, length.after(start, reading.zone))
    return None


def _length_first(tokens: Tokens, plain: Sequence[str], reading: Reading) -> Span | None:
    """`30m before 14:00`, `an hour starting yesterday 14:00`."""
    at = next((n for n, each in enumerate(plain) if each in (*_AFTER, *_BEFORE)), 0)
    # The first of two separators is that of the length.
    if not at or "between" in plain:
        return None
    length = _length(tokens[:at], reading)
    rest = tokens[at + 1 :]
    if words_of(rest)[:1] in (["at"], ["from"]):
        rest = rest[1:]
    # `3 days after Nov 1` may include that day.
    if length and length.days and plain[at] != "after" and (day := _date(rest, reading)):
        days = length.days
        first = day if plain[at] in _AFTER else day - timedelta(days=days)
        return _days_from(first, days, reading)
    point = _instant(rest, reading) if length else None
    if length is None or point is None:
        return None
    if plain[at] in _AFTER:
        return Span(point, length.after(point, reading.zone))
    return Span(length.before(point, reading.zone), point)


def _around(tokens: Tokens, plain: Sequence[str], reading: Reading) -> Span | None:
    """`14:00 ± 10m`: as long before the point as after it."""
    for signs in _AROUND:
        for at in range(1, len(plain) - len(signs)):
            if plain[at : at + len(signs)] != signs:
                continue
            left = tokens[:at]
            right = tokens[at + len(signs) :]
            length = _length(right, reading)
            point = _instant(left, reading) if length else None
            if length and point:
                return Span(length.before(point, reading.zone), length.after(point, reading.zone))
    return None


def _with_offset(tokens: Tokens, plain: Sequence[str], reading: Reading) -> Span | None:
    """`5m offset 1h`: five minutes that ended an hour ago."""
    if plain.count("offset") != 1:
        return None
    at = plain.index("offset")
    length = _length(tokens[:at], reading)
    offset = _length(tokens[at + 1 :], reading)
    if length is None or offset is None:
        return None
    if reading.whole_days:
        raise known_by_day(reading)
    end = offset.before(reading.now, reading.zone)
    return Span(length.before(end, reading.zone), end)


def _length(tokens: Tokens, reading: Reading) -> Length | None:
    if not tokens:
        return None
    # `the hour before 14:00`.
    if word(tokens[0]) == "the" and len(tokens) > 1:
        tokens = tokens[1:]
    if len(tokens) == 1 and len(word(tokens[0])) > 2 and word(tokens[0]) in UNITS:
        tokens = [Token("number", "1", 1.0), *tokens]
    return read_length(tokens, reading)


def _date(tokens: Tokens, reading: Reading) -> date | None:
    """The day of a date, which has a digit. `3 days before yesterday` may be a single day."""
    if not any(char.isdigit() for token in tokens for char in token.text):
        return None
    found = read_period(tokens, reading) if tokens else None
    is_day = found is not None and found.last - found.first == DAY
    return found.first if found is not None and is_day else None


def _days_from(first: date, days: int, reading: Reading) -> Span:
    last = first + timedelta(days=days)
    return Span(midnight(first, reading.zone), midnight(last, reading.zone), by_day=True)


def _instant(tokens: Tokens, reading: Reading) -> datetime | None:
    """The instant of a point that is one; a period or a bare hour is none."""
    point: Point | None = read_point(tokens, reading) if tokens else None
    if not isinstance(point, Clock | Moment) or (isinstance(point, Clock) and point.is_bare):
        return None
    if isinstance(point, Moment) and point.is_now:
        return None
    if reading.whole_days:
        raise known_by_day(reading)
    return start_of(point, reading)
