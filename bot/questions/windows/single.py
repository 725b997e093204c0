"""Windows of one point: a length back from now, since a point, or a period by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, timedelta
from types import MappingProxyType

from msgspec.structs import replace

from bot.questions.windows.calendar import (
    DAY,
    Reading,
    comes_twice,
    midnight,
    month_first,
    months_later,
    quarter_first,
)
from bot.questions.windows.lengths import UNITS, Length, read_length
from bot.questions.windows.point_types import Period
from bot.questions.windows.points import AGO, Clock, Hours, Moment, Point, read_point
from bot.questions.windows.ranges import between_points
from bot.questions.windows.spans import SEPARATORS, Span, known_by_day, start_of
from bot.questions.windows.tokens import Tokens, word, words_of

BACK = (
    "last",
    "past",
    "previous",
    "prior",
    "preceding",
    "trailing",
    "rolling",
    "recent",
    "latest",
)
ONWARDS = ("onwards", "onward")
FULL = ("full", "complete", "whole", "entire", "calendar")


def length_back(tokens: Tokens, reading: Reading) -> Span | None:
    """`20m`, `last 7 days`, `-24h`, `now-6h`, `past week`, `P1D`."""
    plain = words_of(tokens)
    if "/" in plain:
        return None
    tokens = _bare_length(tokens)
    plain = words_of(tokens)
    if plain[:2] == ["now", "-"]:
        tokens = tokens[2:]
    elif plain[:1] == ["-"] and len(tokens) > 1:
        # Monitoring tools write the last day as `-24h`. A negative number of days is a mistake more
        # often.
        length = read_length(tokens[1:], reading)
        if length and (length.is_daily or length.months):
            raise reading.refused(f"“{reading.text[:40]}” needs a whole number from 1 on")
        return _back(length, reading) if length else None
    elif (
        plain[:1] == ["last"]
        and len(plain) == 2
        # `last week` is the calendar week before, and is read as a period.
        and plain[1] in ("week", "month", "quarter", "year")
    ):
        return None
    elif plain[:1] in (["previous"], ["prior"], ["preceding"]) and len(plain) == 2:
        # Never guessed: the two meanings share only a part.
        _refuse_previous(plain[1], reading)
        return None
    elif plain[:1] and plain[0] in BACK:
        # `last-7-days` is a name that dashboards use; `last -5 minutes` is a mistake.
        is_hyphen = plain[1:2] == ["-"] and f"{plain[0]}-" in reading.text.lower()
        return _last(tokens[1 + is_hyphen :], reading)
    length = read_length(tokens, reading) if tokens else None
    return _back(length, reading) if length else None


def _bare_length(tokens: Tokens) -> Tokens:
    """`~2h`, `this past week`, `most recent 2 hours`, `2h UTC` and Kusto's `ago(1h)` without what
    does not change them.
    """
    plain = words_of(tokens)
    if len(tokens) > 1 and (plain[0] in ("~", "ago") or plain[:2] in _LEADING):
        tokens = tokens[1:]
    # So long back is the same in every zone.
    return tokens[:-1] if len(tokens) > 1 and tokens[-1].kind == "zone" else tokens


_LEADING = (["this", "past"], ["these", "last"], ["these", "past"], ["most", "recent"])


def _last(tokens: Tokens, reading: Reading) -> Span | None:
    """What follows `last`: `7 days`, `hour`, `7 full days`."""
    # `last hour` is one hour; `last m` is nothing.
    if len(tokens) == 1 and word(tokens[0]) in UNITS and _is_spelled_out(word(tokens[0])):
        tokens = [replace(tokens[0], kind="number", text="1", value=1.0), *tokens]
    if not tokens:
        return None
    if span := _whole_units_back(tokens, words_of(tokens), reading):
        return span
    length = read_length(tokens, reading)
    return _back(length, reading) if length else None


def _is_spelled_out(unit: str) -> bool:
    return len(unit) > 2 or unit == "hr"


def _whole_units_back(tokens: Tokens, plain: Sequence[str], reading: Reading) -> Span | None:
    """`last 7 full days`, `last 2 calendar weeks`, `last full hour`: those that are over."""
    counted = [token for token in tokens if word(token) not in FULL]
    if len(counted) != len(tokens) - 1 or plain[-1] in FULL:
        return None
    if len(counted) == 1:
        counted = [replace(counted[0], kind="number", text="1", value=1.0), *counted]
    length = read_length(counted, reading)
    if length is None or length.seconds % 1:
        return None
    unit = UNITS[plain[-1]]
    if unit in ("hours", "minutes"):
        return _whole_hours_back(length, unit, reading)
    if unit not in _UNIT_STARTS or (not length.months and length.days is None):
        return None
    end = _UNIT_STARTS[unit](reading.today)
    days = timedelta(days=length.days or 0)
    first = months_later(end, -length.months) if length.months else end - days
    return Span(midnight(first, reading.zone), midnight(end, reading.zone), by_day=True)


def _whole_hours_back(length: Length, unit: str, reading: Reading) -> Span:
    """The last hours or minutes of the clock that are over."""
    if reading.whole_days:
        raise known_by_day(reading)
    end = reading.now.astimezone(reading.zone).replace(second=0, microsecond=0)
    end = end.replace(minute=0) if unit == "hours" else end
    return Span(length.before(end, reading.zone), end)


_UNIT_STARTS: Mapping[str, Callable[[date], date]] = MappingProxyType(
    {
        "days": lambda today: today,
        # Weeks begin on Monday.
        "weeks": lambda today: today - timedelta(days=today.weekday()),
        "months": month_first,
        "quarters": quarter_first,
        "years": lambda today: today.replace(month=1, day=1),
    }
)


def _refuse_previous(unit: str, reading: Reading) -> None:
    """The previous hour is the last 60 minutes to some, and the hour of the clock to others."""
    if unit in ("hour", "minute"):
        length = f"last 60 {'minutes' if unit == 'hour' else 'seconds'}"
        raise reading.two_readings(length, _clock_hour(reading))


def _clock_hour(reading: Reading) -> str:
    end = reading.now.astimezone(reading.zone).replace(minute=0)
    start = (end.astimezone(UTC) - timedelta(hours=1)).astimezone(reading.zone)
    if any(comes_twice(each) for each in (start, end)):
        return " to ".join(each.isoformat(timespec="minutes") for each in (start, end))
    return f"{start:%H:%M} to {end:%H:%M}"


def _back(length: Length, reading: Reading) -> Span:
    if not reading.whole_days:
        return Span(length.before(reading.now, reading.zone), reading.now)
    tomorrow = reading.today + DAY
    # Whole days end with today, so months are counted from tomorrow.
    if length.months:
        first = months_later(tomorrow, -length.months)
    elif length.days is not None:
        first = tomorrow - timedelta(days=length.days)
    else:
        raise known_by_day(reading)
    return Span(midnight(first, reading.zone), midnight(tomorrow, reading.zone), by_day=True)


def ago(tokens: Tokens, reading: Reading) -> Span | None:
    """`half an hour ago` reaches from then to now; for days and longer it may mean that day alone,
    so TwoReadings is raised.
    """
    if words_of(tokens)[-1] not in AGO:
        return None
    length = read_length(tokens[:-1], reading)
    if length is None:
        return None
    if not length.is_daily and not length.months:
        return _back(length, reading)
    then = length.before(reading.now, reading.zone).astimezone(reading.zone).date()
    if length.coarsest == "weeks":
        first = then - timedelta(days=then.weekday())
        that = f"{first}..{first + 6 * DAY}"
    elif length.coarsest in ("months", "quarters"):
        that = f"{then:%Y-%m}"
    elif length.coarsest == "years":
        that = f"{then.year}-01-01..{then.year}-12-31"
    else:
        that = f"{then}"
    # `2 days ago` is a day to some and a stretch of two days to others.
    raise reading.two_readings(that, f"since {then}")


def refuse_future(tokens: Tokens, reading: Reading) -> Span | None:
    """`in 5 hours`, `tomorrow`, `next week`, `2 hours from now`: refused, since nothing is known of
    it.
    """
    plain = words_of(tokens)
    is_length = read_length(tokens[1:], reading) if plain[0] == "in" and len(tokens) > 1 else None
    # Refused as what it is, and not as unreadable.
    later = plain[-2:] == ["from", "now"] or plain[-1] in ("hence", "later")
    if (
        is_length
        or plain[0] in ("next", "tomorrow", "coming", "upcoming", "following")
        or (later and len(tokens) > 2)
    ):
        raise reading.refused(f"“{reading.text[:60]}” is in the future")
    return None


def since(tokens: Tokens, reading: Reading) -> Span | None:
    """`since 09:00`, `since monday`, `since 2 hours ago`, `starting yesterday`, `monday onwards`,
    `from=…`.
    """
    plain = words_of(tokens)
    body = _since_body(tokens, plain)
    if not body:
        return None
    # `from 9am to 11am` has both ends.
    if any(each in SEPARATORS - {"/", "-"} for each in words_of(body)):
        return between_points(body, reading)
    # `since 2h` and `since the last 2 hours`.
    bare = body[1:] if word(body[0]) == "the" and len(body) > 1 else body
    if word(bare[0]) in BACK and (found := length_back(bare, reading)):
        return found
    if length := read_length(body, reading):
        return _back(length, reading)
    point = read_point(body, reading)
    if point is None or (plain[0] in ("after", "from") and isinstance(point, Period)):
        _refuse_from_date(plain, point, reading)
        return None
    if isinstance(point, Clock) and point.is_bare:
        _refuse_bare_hour(point, reading)
        return None
    if isinstance(point, Clock) and "midnight" in plain:
        _refuse_midnight_of(point, reading)
    if isinstance(point, Period):
        return Span(midnight(point.first, point.zone or reading.zone), reading.now, by_day=True)
    return Span(start_of(point, reading), reading.now, by_day=reading.whole_days)


def _since_body(tokens: Tokens, plain: Sequence[str]) -> Tokens:
    """What is named as the beginning; nothing where the words name none."""
    begins = plain[0] in ("since", "starting", "after", "from")
    if len(tokens) < 2 or not (begins or plain[-1] in ONWARDS):
        return []
    end = len(tokens) - (plain[-1] in ONWARDS)
    if plain[0] == "starting" and plain[1] in ("from", "at", "on"):
        return tokens[2:end]
    body = tokens[begins:end]
    # `since ~3pm`.
    return body[1:] if begins and len(body) > 1 and body[0].text == "~" else body


def _refuse_bare_hour(point: Clock, reading: Reading) -> None:
    """`since 9` is since the morning to some, and since the evening to others."""
    if point.day is None and point.may_be_halved and not reading.whole_days:
        one, two = (f"since {point.halved(half).clock:%H:%M}" for half in ("am", "pm"))
        raise reading.two_readings(one, two, point.zone_text)


def _refuse_midnight_of(point: Clock, reading: Reading) -> None:
    """Midnight of yesterday is its beginning to some, and its end to others."""
    if point.day is not None and point.day.first != reading.today:
        one, two = (f"since {day} 00:00" for day in (point.day.first, point.day.last))
        raise reading.two_readings(one, two, point.zone_text)


def _refuse_from_date(plain: Sequence[str], point: Point | None, reading: Reading) -> None:
    """`from 2026-11-01` is that day to some, and everything since to others."""
    if plain[0] == "from" and isinstance(point, Period) and point.last - point.first == DAY:
        raise reading.two_readings(f"{point.first}", f"since {point.first}", point.zone_text)


def single(tokens: Tokens, reading: Reading) -> Span | None:
    """A period by itself: `today`, `last week`, `Nov 1`, `Q3 2026`, `last night`. A moment by
    itself is refused.
    """
    point = read_point(tokens, reading)
    if point is None or (isinstance(point, Clock) and (point.day is None or point.is_bare)):
        return None
    if isinstance(point, Moment) and "@" in words_of(tokens)[:-1] and word(tokens[-1]) != "":
        # Splunk's `earliest=-7d@d` reaches to now.
        return Span(start_of(point, reading), reading.now, by_day=point.is_daily)
    if isinstance(point, Period):
        # A weekday alone may be the day or everything since.
        if point.weekday is not None:
            raise reading.two_readings(f"{point.first}", f"since {point.first}", point.zone_text)
        zone = point.zone or reading.zone
        return Span(
            midnight(point.first, zone), midnight(point.last, zone), by_day=True, has_begun=True
        )
    if reading.whole_days:
        raise known_by_day(reading)
    if isinstance(point, Clock) and "midnight" in words_of(tokens):
        _refuse_midnight_of(point, reading)
    if isinstance(point, Hours):
        return Span(point.start, point.end, has_begun=True)
    such_as = (
        f", such as “since {reading.text[:60]}”"
        if not (isinstance(point, Moment) and point.is_now)
        else ""
    )
    raise reading.refused(
        f"“{reading.text[:60]}” is one moment; a window needs an end, too{such_as}"
    )
