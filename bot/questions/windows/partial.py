"""Parts of a named day up to a time or from one on: `today until 10:00`, `yesterday after 6pm`."""

from __future__ import annotations

from datetime import datetime

from bot.questions.windows.calendar import DAY, Reading, instant, midnight
from bot.questions.windows.point_types import Clock, Period
from bot.questions.windows.points import read_point
from bot.questions.windows.spans import Span, known_by_day
from bot.questions.windows.tokens import Tokens, words_of

_UNTIL = ("until", "till", "til", "before")
_FROM = ("after", "since", "from")
_MARKS = frozenset([*_UNTIL, *_FROM])


def part_of_day(tokens: Tokens, reading: Reading) -> Span | None:
    """The part of a day before or after a time of it."""
    plain = words_of(tokens)
    if _MARKS.isdisjoint(plain):
        return None
    places = [n for n, each in enumerate(plain) if each in (*_UNTIL, *_FROM)]
    if len(places) != 1 or not 0 < (at := places[0]) < len(plain) - 1:
        return None
    clock = _clock(tokens[at + 1 :], reading)
    day = read_point(tokens[:at], reading) if clock else None
    if clock is None or not isinstance(day, Period) or day.last - day.first != DAY:
        return None
    if reading.whole_days:
        raise known_by_day(reading)
    moment = _on(day, clock, reading)
    day_zone = day.zone or reading.zone
    if plain[at] in _UNTIL:
        return Span(midnight(day.first, day_zone), moment)
    # `yesterday since 10:00` may go on until now.
    today = reading.now.astimezone(day_zone).date()
    if plain[at] != "after" and moment.astimezone(day_zone).date() != today:
        since = f"{day.first} {clock.clock:%H:%M}"
        zone_text = clock.zone_text or day.zone_text
        raise reading.two_readings(f"{since} to 24:00", f"since {since}", zone_text)
    return Span(moment, midnight(day.first + DAY, day_zone), has_begun=True)


def _clock(tokens: Tokens, reading: Reading) -> Clock | None:
    found = read_point(tokens, reading)
    if not isinstance(found, Clock) or found.day is not None or found.is_bare or found.is_end:
        return None
    return found


def _on(day: Period, clock: Clock, reading: Reading) -> datetime:
    zone = clock.zone or day.zone or reading.zone
    return instant(day.first, clock.clock, zone, reading)
