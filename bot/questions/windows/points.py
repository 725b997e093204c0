"""Points of time and periods, read from tokens: `9am`, `yesterday 14:00`, `2 hours ago`, `now-6h`,
`last night`, `Nov 1`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from types import MappingProxyType

from bot.questions.windows.calendar import DAY, Reading, TwoReadings, instant, midnight
from bot.questions.windows.lengths import read_length
from bot.questions.windows.numbered import read_numbered
from bot.questions.windows.periods import Period, one_day, read_period
from bot.questions.windows.tokens import AMBIGUOUS_ZONES, Tokens, word, words_of

NOON = 12
PARTS_OF_DAY = MappingProxyType({"morning": (6, 12), "afternoon": (12, 18), "evening": (18, 24)})


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant; `is_now` for now itself, `is_daily` where it is whole days away from now."""

    at: datetime
    is_now: bool = False
    is_daily: bool = False


@dataclass(frozen=True, slots=True)
class Hours:
    """A part of a day, such as the morning."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day, on a day or the latest one. `half` is am or pm; `is_bare` for an hour without
    minutes and half.
    """

    clock: time
    day: Period | None = None
    half: str = ""
    is_bare: bool = False
    zone: tzinfo | None = None
    # 24:00, the midnight at the end of the day.
    is_end: bool = False

    @property
    def may_be_halved(self) -> bool:
        return not self.half and 1 <= self.clock.hour <= 12

    def halved(self, half: str) -> Clock:
        hour = self.clock.hour % 12 + (12 if half == "pm" else 0)
        return replace(self, clock=self.clock.replace(hour=hour), half=half, is_bare=False)


Point = Period | Moment | Hours | Clock


def read_point(tokens: Tokens, reading: Reading) -> Point | None:
    """A point of time or a period; None where the tokens are none. Raises BadQuestion where they
    name one that cannot be.
    """
    # First, because `@` is a filler word elsewhere, as in `@ 9am`.
    if snapped := _snapped(tokens, reading):
        return snapped
    tokens = _without_fillers(tokens)
    if not tokens:
        return None
    body, zone = _zone_behind(tokens, reading)
    if zone is not None:
        # Read again in that zone: `today` may be another day there.
        inner = replace(reading, zone=zone)
        found = read_point(body, inner) if body else None
        return _in_zone(found, zone) if found else None
    return (
        # In the order from the most definite to the vaguest form.
        _moment(tokens, reading)
        or _start_of_period(tokens, reading)
        or read_period(tokens, reading)
        or read_numbered(tokens, reading)
        or _clock(tokens, reading)
        or _hours(tokens, reading)
    )


def _without_fillers(tokens: Tokens) -> Tokens:
    start = 0
    if words_of(tokens[:2]) == ["all", "day"] and len(tokens) > 2:
        start = 2
    while start < len(tokens) - 1 and (word(tokens[start]) or tokens[start].text) in (
        "on",
        "at",
        "the",
        "about",
        "around",
        "whole",
        "all",
        "entire",
        "@",
    ):
        # “the 1st” stays what it is.
        start += 1
    return tokens[start:]


def _zone_behind(tokens: Tokens, reading: Reading) -> tuple[Tokens, tzinfo | None]:
    """The tokens before a zone or an offset at their end, and that zone."""
    last = tokens[-1]
    if last.kind in ("zone", "offset") and isinstance(last.value, tzinfo):
        return tokens[:-1], last.value
    # IST is India's, Israel's and Ireland's time.
    if word(last) in AMBIGUOUS_ZONES and len(tokens) > 1:
        one, two = (reading.text.replace(last.text, zone) for zone in AMBIGUOUS_ZONES[word(last)])
        raise TwoReadings(last.text, (one, two))
    return tokens, None


def _in_zone(found: Point, zone: tzinfo) -> Point | None:
    if isinstance(found, Clock | Period):
        return replace(found, zone=zone)
    return found


def _moment(tokens: Tokens, reading: Reading) -> Moment | None:
    """now, an instant by number, `now-6h`, `-6h`, `2 hours ago`."""
    plain = words_of(tokens)
    if plain in (["now"], ["right", "now"], ["present"]):
        return Moment(reading.now, is_now=True)
    if len(tokens) == 1 and isinstance(tokens[0].value, datetime):
        return Moment(tokens[0].value)
    # `now-1d/d` rounds, and is a period.
    if "/" in plain:
        return None
    if plain[:2] == ["now", "-"] and (length := read_length(tokens[2:], reading)):
        return Moment(
            length.before(reading.now, reading.zone), is_daily=length.is_daily or length.months > 0
        )
    if plain[:1] == ["-"] and (length := read_length(tokens[1:], reading)):
        return Moment(
            length.before(reading.now, reading.zone), is_daily=length.is_daily or length.months > 0
        )
    if plain[-1:] in (["ago"], ["earlier"]) and (length := read_length(tokens[:-1], reading)):
        return Moment(
            length.before(reading.now, reading.zone), is_daily=length.is_daily or length.months > 0
        )
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


def _snapped(tokens: Tokens, reading: Reading) -> Moment | None:
    """`-7d@d`, `@w`: Splunk goes back and then to the midnight that the unit begins with."""
    plain = words_of(tokens)
    if "@" not in plain or plain[-2:-1] != ["@"] or plain[-1] not in _SNAPS:
        return None
    moment = reading.now
    if head := tokens[:-2]:
        length = read_length(head[1:], reading) if plain[0] == "-" and len(head) > 1 else None
        if length is None:
            return None
        moment = length.before(reading.now, reading.zone)
    day = moment.astimezone(reading.zone).date()
    whole = (
        read_period(
            [replace(tokens[-1], value="this"), replace(tokens[-1], value=_SNAPS[plain[-1]])],
            replace(reading, now=moment),
        )
        if _SNAPS[plain[-1]] != "day"
        else one_day(day)
    )
    return Moment(midnight(whole.first, reading.zone), is_daily=True) if whole else None


_SNAPS = MappingProxyType(
    {"d": "day", "w": "week", "mon": "month", "month": "month", "q": "quarter", "y": "year"}
)


def _clock(tokens: Tokens, reading: Reading) -> Clock | None:
    """`9am`, `14:00`, `noon`, with a day before or behind it."""
    for size in (1, 2, 3):
        for clock_part, day_part, is_behind in (
            (tokens[:size], tokens[size:], False),
            (tokens[-size:], tokens[:-size], True),
        ):
            found = _time_of_day(clock_part, reading)
            if found is None or len(clock_part) != size:
                continue
            if not day_part:
                return found
            # `9 monday` is no time, and `monday 9` may be one.
            if found.is_bare and not is_behind:
                continue
            day_part = _without_fillers(day_part)
            if word(day_part[-1]) in ("at", "from"):
                day_part = day_part[:-1]
            day = _day_of(day_part, found.clock, reading) if day_part else None
            if day and day.last - day.first == DAY:
                return replace(found, day=day)
    return None


def _day_of(tokens: Tokens, clock: time, reading: Reading) -> Period | None:
    """The day of a time: by its name, `3 days ago`, or the evening or morning of `last night`."""
    plain = words_of(tokens)
    if plain in (["last", "night"], ["yesterday", "night"]):
        # 10 pm of last night was yesterday, and 2 am today.
        return one_day(reading.today - DAY if clock.hour >= NOON else reading.today)
    if plain[-1] == "ago" and (length := read_length(tokens[:-1], reading)):
        is_days = length.days is not None and length.coarsest == "days"
        return one_day(reading.today - timedelta(days=length.days or 0)) if is_days else None
    return read_period(tokens, reading)


def _time_of_day(tokens: Tokens, reading: Reading) -> Clock | None:
    plain = words_of(tokens)
    if (
        len(tokens) in (2, 3)
        and tokens[-1].kind in ("zone", "offset")
        and isinstance(tokens[-1].value, tzinfo)
    ):
        found = _time_of_day(tokens[:-1], reading)
        return replace(found, zone=tokens[-1].value) if found else None
    if len(tokens) == 1:
        if plain[0] in ("noon", "midday"):
            return Clock(time(12), half="pm")
        if plain[0] == "midnight":
            return Clock(time(0), half="am")
        if isinstance(tokens[0].value, time):
            # 24:00 is read as 0:00, and is the end of its day.
            return Clock(tokens[0].value, is_end=tokens[0].text.startswith("24:"))
        if (
            tokens[0].kind == "number"
            and tokens[0].text.isdigit()
            and len(tokens[0].text) <= 2
            and int(tokens[0].text) <= 23
        ):
            return Clock(time(int(tokens[0].text)), is_bare=True)
        return None
    if len(tokens) == 2 and plain[1] in ("am", "pm"):
        first = tokens[0]
        if isinstance(first.value, time) and 1 <= first.value.hour <= 12:
            return Clock(first.value).halved(plain[1])
        if first.kind == "number" and first.text.isdigit() and 1 <= int(first.text[:3]) <= 12:
            return Clock(time(int(first.text))).halved(plain[1])
    return None


def _hours(tokens: Tokens, reading: Reading) -> Hours | None:
    """this morning, last night, yesterday evening, `Nov 1 afternoon`."""
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


_CLOCK_UNITS = MappingProxyType({"h": timedelta(hours=1), "m": timedelta(minutes=1)})


def _rounded(tokens: Tokens, reading: Reading) -> Hours | None:
    """`now-1h/h`: the whole hour or minute, as Grafana and Kibana round it."""
    point = _moment(tokens[:-2], reading)
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
