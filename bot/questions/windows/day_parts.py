"""Parts of days and hours of the clock: `this morning`, `last night`, `9 this evening`,
`now-1h/h`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType

from msgspec.structs import replace

from bot.questions.windows.calendar import DAY, Reading, instant, midnight
from bot.questions.windows.moments import read_moment
from bot.questions.windows.periods import read_period
from bot.questions.windows.point_types import Clock, Hours, one_day
from bot.questions.windows.tokens import Tokens, words_of

NOON = 12
PARTS_OF_DAY = MappingProxyType({"morning": (6, 12), "afternoon": (12, 18), "evening": (18, 24)})


def read_hours(tokens: Tokens, reading: Reading) -> Hours | None:
    """this morning, last night, yesterday evening, `Nov 1 afternoon`, `morning of Nov 1`."""
    tokens = _part_last(tokens)
    plain = words_of(tokens)
    text = " ".join(plain)
    today = reading.today
    if text in ("last night", "yesterday night", "overnight"):
        # From 18:00 to 6:00, as hours after midnight of the first day.
        return _part(today - DAY, 18, 30, reading)
    if text in ("tonight", "this night"):
        return _part(today, 18, 24, reading)
    if text in ("this hour", "current hour", "hour to date"):
        return _unit_of_clock("h", reading.now, reading)
    if (
        plain[0] == "now"
        and len(tokens) > 2
        and plain[-2] == "/"
        and tokens[-1].text in _CLOCK_UNITS
    ):
        return _rounded(tokens, reading)
    if len(tokens) < 2 or (plain[-1] not in PARTS_OF_DAY and plain[-1] != "night"):
        return None
    # A night ends on the next morning.
    first_hour, last_hour = PARTS_OF_DAY.get(plain[-1], (18, 30))
    head = tokens[:-1] if plain[-2] != "in" else tokens[:-2]
    day = (
        one_day(today)
        if words_of(head) == ["this"]
        else read_period(head, reading)
        if head
        else None
    )
    # `last week morning` names no morning.
    if day is None or day.last - day.first != DAY:
        return None
    found = _part(day.first, first_hour, last_hour, reading)
    if day.weekday is not None and found.start > reading.now:
        # `friday night` on a Friday at noon is that of the week before.
        return _part(day.first - 7 * DAY, first_hour, last_hour, reading)
    return found


def _part_last(tokens: Tokens) -> Tokens:
    """`morning of Nov 1` in the order of `Nov 1 morning`."""
    plain = words_of(tokens)
    if len(tokens) < 3 or plain[0] not in (*PARTS_OF_DAY, "night") or plain[1] not in ("of", "on"):
        return tokens
    rest = tokens[3:] if plain[2] == "the" else tokens[2:]
    return [*rest, tokens[0]]


def split_part(tokens: Tokens, clock: Clock, reading: Reading) -> Clock | None:
    """A time on the part of a day that the tokens name: 9 of `yesterday evening` is 9 pm. None
    where they name none, or one that the time is not in.
    """
    plain = words_of(tokens)
    part = plain[-1]
    if part not in (*PARTS_OF_DAY, "night"):
        return None
    day = _day_of_part(tokens[:-1], reading)
    if day is None:
        return None
    half = _half_of(part, clock.clock.hour)
    if clock.may_be_halved:
        clock = clock.halved(half)
    hour = clock.clock.hour
    first, last = PARTS_OF_DAY.get(part, (18, 30))
    if part == "night" and hour < 12:
        # 2 am of last night was today.
        if hour >= last - 24 + 6:
            return None
        return replace(clock, day=one_day(day + DAY), night_of=day, is_bare=False)
    # A morning may well begin at four, and noon belongs to both.
    if not min(first, NOON if part != "morning" else 0) <= hour <= min(last, 24):
        return None
    night = day if part == "night" else None
    return replace(clock, day=one_day(day), night_of=night, is_bare=False)


def _day_of_part(head: Tokens, reading: Reading) -> date | None:
    """The day of `this morning`, `last night`, `monday evening`."""
    plain = words_of(head)
    if plain in (["this"], []):
        return reading.today if plain else None
    if plain == ["last"]:
        return reading.today - DAY
    found = read_period(head, reading)
    return found.first if found and found.last - found.first == DAY else None


def _half_of(part: str, hour: int) -> str:
    """am or pm of an hour of the clock in a part of the day."""
    if part == "night":
        return "pm" if 6 <= hour < 12 else "am"
    return "am" if part == "morning" and hour != 12 else "pm"


_CLOCK_UNITS = MappingProxyType({"h": timedelta(hours=1), "m": timedelta(minutes=1)})


def _rounded(tokens: Tokens, reading: Reading) -> Hours | None:
    """`now-1h/h`: the whole hour or minute, as Grafana and Kibana round it."""
    point = read_moment(tokens[:-2], reading)
    return _unit_of_clock(tokens[-1].text, point.at, reading) if point else None


def _unit_of_clock(unit: str, moment: datetime, reading: Reading) -> Hours:
    """The hour or minute of the clock that a moment is in."""
    # Hours begin in the zone: some are half an hour away from UTC.
    start = moment.astimezone(reading.zone).replace(second=0, microsecond=0)
    start = start.replace(minute=0) if unit == "h" else start
    return Hours(start, start.astimezone(UTC) + _CLOCK_UNITS[unit])


def _part(day: date, start: int, end: int, reading: Reading) -> Hours:
    first = instant(day, time(start), reading.zone, reading)
    last = day + timedelta(days=end // 24)
    until = (
        midnight(last, reading.zone)
        if end % 24 == 0
        else instant(last, time(end % 24), reading.zone, reading)
    )
    return Hours(first, until)
