"""Windows from tokens: a length back from now, a range between two points, since a point, or a
period by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from bot.errors import BadQuestion
from bot.questions.windows.calendar import (
    DAY,
    Reading,
    TwoReadings,
    instant,
    midnight,
    months_later,
)
from bot.questions.windows.lengths import UNITS, Length, read_length
from bot.questions.windows.periods import MONTH_NUMBERS, Period, date_in
from bot.questions.windows.points import Clock, Hours, Moment, Point, read_point
from bot.questions.windows.tokens import Tokens, word, words_of

LONGEST_NIGHT = timedelta(hours=12)
# `Dec 28 - Jan 3` crosses a new year; `Nov 5 - Nov 1` is turned round.
LONGEST_OVER_NEW_YEAR = timedelta(days=183)
BACK = ("last", "past", "previous", "prior", "preceding", "trailing", "rolling")
_SEPARATORS = frozenset(
    [
        "to",
        "until",
        "till",
        "til",
        "through",
        "thru",
        "-",
        "--",
        "–",
        "—",
        "→",
        "->",
        "..",
        "...",
        "~",
        "/",
    ]
)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time as the words name it, before it is cut at now. `by_day` where it is of
    whole days.
    """

    start: datetime
    end: datetime
    by_day: bool = False
    # A period that has just begun is no future.
    has_begun: bool = False


def length_back(tokens: Tokens, reading: Reading) -> Span | None:
    """`20m`, `last 7 days`, `-24h`, `now-6h`, `past week`, `P1D`."""
    plain = words_of(tokens)
    if "/" in plain:
        return None
    if plain[:2] == ["this", "past"]:
        tokens, plain = tokens[1:], plain[1:]
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
        and plain[1] in ("week", "month", "quarter", "year")
    ):
        return None
    elif plain[:1] in (["previous"], ["prior"], ["preceding"]) and len(plain) == 2:
        _refuse_previous(plain[1], reading)
        return None
    elif plain[:1] and plain[0] in BACK:
        tokens = tokens[1:]
        if len(tokens) == 1 and word(tokens[0]) in UNITS and len(word(tokens[0])) > 2:
            tokens = [replace(tokens[0], kind="number", text="1", value=1.0), *tokens]
    length = read_length(tokens, reading) if tokens else None
    return _back(length, reading) if length else None


def _refuse_previous(unit: str, reading: Reading) -> None:
    """The previous hour is the last 60 minutes to some, and the hour of the clock to others."""
    if unit in ("hour", "minute"):
        length = f"last 60 {'minutes' if unit == 'hour' else 'seconds'}"
        raise TwoReadings(reading.text, (length, _clock_hour(reading)))


def _clock_hour(reading: Reading) -> str:
    end = reading.now.astimezone(reading.zone).replace(minute=0)
    start = (end.astimezone(UTC) - timedelta(hours=1)).astimezone(reading.zone)
    return f"{start:%H:%M} to {end:%H:%M}"


def _back(length: Length, reading: Reading) -> Span:
    if not reading.whole_days:
        return Span(length.before(reading.now, reading.zone), reading.now)
    tomorrow = reading.today + DAY
    if length.months:
        first = months_later(tomorrow, -length.months)
    elif length.days is not None:
        first = tomorrow - timedelta(days=length.days)
    else:
        raise known_by_day(reading)
    return Span(midnight(first, reading.zone), midnight(tomorrow, reading.zone), by_day=True)


def known_by_day(reading: Reading) -> BadQuestion:
    return reading.refused("Data usage is known by day, so hours and minutes cannot be asked for")


def ago(tokens: Tokens, reading: Reading) -> Span | None:
    """`half an hour ago` reaches from then to now; of days and longer, it may be that day alone, so
    both are asked back.
    """
    if words_of(tokens)[-1] != "ago":
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
    raise TwoReadings(reading.text, (that, f"since {then}"))


def to_come(tokens: Tokens, reading: Reading) -> Span | None:
    """`in 5 hours`, `tomorrow`, `next week`, `2 hours from now`: refused, since nothing is known of
    it.
    """
    plain = words_of(tokens)
    is_length = read_length(tokens[1:], reading) if plain[0] == "in" and len(tokens) > 1 else None
    later = plain[-2:] == ["from", "now"] or plain[-1] in ("hence", "later")
    if (
        is_length
        or plain[0] in ("next", "tomorrow", "coming", "upcoming", "following")
        or (later and len(tokens) > 2)
    ):
        raise reading.refused(f"“{reading.text[:60]}” is still to come")
    return None


def since(tokens: Tokens, reading: Reading) -> Span | None:
    """`since 09:00`, `since monday`, `since 2 hours ago`, `starting yesterday`, `monday onwards`,
    `from=…`.
    """
    plain = words_of(tokens)
    if plain[0] in ("since", "starting", "after", "from") and len(tokens) > 1:
        body = tokens[1:]
        if plain[0] == "starting" and plain[1:2] in (["from"], ["at"], ["on"]):
            body = tokens[2:]
    elif plain[-1] in ("onwards", "onward"):
        body = tokens[:-1]
    else:
        return None
    if any(each in _SEPARATORS - {"/", "-"} for each in words_of(body)):
        return _between(body, reading)
    if length := read_length(body, reading):
        return _back(length, reading)
    point = read_point(body, reading)
    if point is None or (plain[0] in ("after", "from") and isinstance(point, Period)):
        return None
    if isinstance(point, Clock) and point.is_bare:
        return None
    if isinstance(point, Period):
        return Span(midnight(point.first, point.zone or reading.zone), reading.now, by_day=True)
    return Span(_start_of(point, reading), reading.now, by_day=reading.whole_days)


def single(tokens: Tokens, reading: Reading) -> Span | None:
    """A period by itself: `today`, `last week`, `Nov 1`, `Q3 2026`, `last night`. A moment by
    itself is refused.
    """
    point = read_point(tokens, reading)
    if point is None or (isinstance(point, Clock) and (point.day is None or point.is_bare)):
        return None
    if isinstance(point, Period):
        if point.weekday is not None:
            return None
        zone = point.zone or reading.zone
        return Span(
            midnight(point.first, zone), midnight(point.last, zone), by_day=True, has_begun=True
        )
    if reading.whole_days:
        raise known_by_day(reading)
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


def between(tokens: Tokens, reading: Reading) -> Span | None:
    """Two points with a sign or word between them, such as `10:00 to 11:30`, `Nov 1-7` or `monday
    to friday`.
    """
    return _between(tokens, reading)


def _between(tokens: Tokens, reading: Reading) -> Span | None:
    plain = words_of(tokens)
    separators = _SEPARATORS
    if plain[0] == "between":
        tokens, plain, separators = tokens[1:], plain[1:], _SEPARATORS | {"and"}
    elif plain[0] == "from":
        tokens, plain = tokens[1:], plain[1:]
    elif "between" in plain:
        # `Nov 1 between 10:00 and 11:00`
        at = plain.index("between")
        tokens, plain, separators = (
            [*tokens[:at], *tokens[at + 1 :]],
            [*plain[:at], *plain[at + 1 :]],
            _SEPARATORS | {"and"},
        )
    # A minus sign within `now-6h` is no separator, so that each place is tried.
    for at in (n for n, each in enumerate(plain) if each in separators and 0 < n < len(plain) - 1):
        # `now-1M/M` rounds.
        if plain[at] == "/" and len(plain[-1]) == 1 and plain[0] == "now":
            continue
        found = _joined(tokens[:at], tokens[at + 1 :], reading)
        if found:
            return found
    return None


def _joined(left: Tokens, right: Tokens, reading: Reading) -> Span | None:
    if span := _with_length(left, right, reading):
        return span
    for one, two in _readings_of_both(left, right, reading):
        if one is None or two is None:
            continue
        if span := _resolved(one, two, reading):
            return span
    return None


def _with_length(left: Tokens, right: Tokens, reading: Reading) -> Span | None:
    """`2026-11-01T10:00Z/PT1H` and `PT1H/2026-11-01T10:00Z`."""
    if (
        right[0].kind == "duration"
        and (length := read_length(right, reading))
        and (point := read_point(left, reading))
    ):
        start = _start_of(point, reading)
        return (
            Span(start, start.astimezone(UTC) + timedelta(seconds=length.seconds))
            if length.seconds
            else None
        )
    if (
        left[0].kind == "duration"
        and (length := read_length(left, reading))
        and (point := read_point(right, reading))
    ):
        end = _start_of(point, reading)
        return Span(length.before(end, reading.zone), end)
    return None


def _readings_of_both(
    left: Tokens, right: Tokens, reading: Reading
) -> Iterator[tuple[Point | None, Point | None]]:
    """Each side by itself, and with what it may share with the other: a day behind both, a month,
    `ago`.
    """
    one, two = read_point(left, reading), read_point(right, reading)
    yield _days_of_month(left, right, reading)
    yield one, two
    if words_of(right)[-1] == "ago" and one is not None:
        unit = right[-2:]
        yield read_point([*left, *unit], reading), two


def _days_of_month(
    left: Tokens, right: Tokens, reading: Reading
) -> tuple[Point | None, Point | None]:
    """`July 13-15`, `13-15 July`, `Nov 1 to 7 2026`: one month, and one year, for both days."""
    tokens = [*left, *right]
    names = [word(token) for token in tokens if word(token) in MONTH_NUMBERS]
    others = [
        word(token)
        for token in tokens
        if token.kind == "word" and word(token) not in (*MONTH_NUMBERS, "of", "the")
    ]
    numbers = [
        token.text.rstrip("stndrh") for token in tokens if token.kind in ("number", "ordinal")
    ]
    kinds = {token.kind for token in tokens} - {"number", "ordinal", "word"}
    year = (
        int(numbers.pop())
        if len(numbers) == 3 and len(numbers[-1]) == 4 and numbers[-1].isdigit()
        else None
    )
    if (
        len(names) != 1
        or others
        or kinds
        or len(numbers) != 2
        or not all(n.isdigit() and 1 <= int(n) <= 31 for n in numbers)
    ):
        return None, None
    first, last = (int(number) for number in numbers)
    one = date_in(MONTH_NUMBERS[names[0]], first, year, reading)
    return one, date_in(
        MONTH_NUMBERS[names[0]], last, one.first.year, reading
    ) if last > first else None


def _resolved(one: Point, two: Point, reading: Reading) -> Span | None:
    """The span from one point to another, each read in the light of the other."""
    if isinstance(one, Clock) and isinstance(two, Clock):
        return _clocks(one, two, reading)
    if isinstance(one, Clock) and (
        one.is_bare or (one.day is None and not isinstance(two, Moment))
    ):
        return None
    if isinstance(two, Clock):
        if two.is_bare or (two.day is None and not isinstance(one, Moment)):
            return None
        if two.day is None:
            two = replace(two, day=Period(reading.today, reading.today + DAY))
    if isinstance(one, Period) and isinstance(two, Period):
        one, two = _years(one, two, reading)
    start, end = _start_of(one, reading), _end_of(two, reading)
    by_day = isinstance(one, Period) and (
        isinstance(two, Period) or (isinstance(two, Moment) and two.is_now)
    )
    return Span(start, end, by_day=by_day or reading.whole_days)


def _years(one: Period, two: Period, reading: Reading) -> tuple[Period, Period]:
    """Days without a year or a week: the first the latest there is, the second the next after it.
    What may be meant otherwise is asked back.
    """
    if one.weekday is not None and two.is_weekday:
        back = (two.first.weekday() - one.weekday) % 7
        return _at(one, two.first - timedelta(days=back)), two
    if two.weekday is not None:
        return one, _weekday_after(one, two, reading)
    if one.year_is_open and not two.year_is_open:
        return _at_latest(one, two), two
    if two.year_is_open and not one.year_is_open:
        return one, _at_earliest(two, one)
    if one.year_is_open and two.year_is_open and two.first < one.first:
        later = _moved(two, 1)
        if later.first - one.first > LONGEST_OVER_NEW_YEAR:
            return one, two
        if later.first > reading.today:
            earlier = _moved(one, -1)
            both = [f"{a.first}..{b.last - DAY}" for a, b in ((one, later), (earlier, two))]
            raise TwoReadings(reading.text, (both[0], both[1]))
        return one, later
    return one, two


def _weekday_after(one: Period, two: Period, reading: Reading) -> Period:
    """`friday` behind `monday` is the next one. Behind a date it may be the next, or the latest
    there is.
    """
    assert two.weekday is not None
    after = _at(two, one.first + timedelta(days=(two.weekday - one.first.weekday()) % 7))
    if (
        one.weekday is not None
        or one.is_weekday
        or after.first == two.first
        or two.first < one.first
    ):
        if after.first <= reading.today or not (one.weekday is not None or one.is_weekday):
            return after
        # The days that are not over may be meant, or those of the week before.
        week = 7 * DAY
        before = f"{one.first - week}..{after.first - week}"
        raise TwoReadings(reading.text, (before, f"{one.first}..{after.first}"))
    raise TwoReadings(reading.text, (f"{one.first}..{after.first}", f"{one.first}..{two.first}"))


def _at(period: Period, first: date) -> Period:
    return replace(period, first=first, last=first + DAY)


def _at_latest(one: Period, two: Period) -> Period:
    """The first period in the latest year in which it is not behind the second."""
    while one.first > two.first:
        one = _moved(one, -1)
    while _moved(one, 1).first <= two.first:
        one = _moved(one, 1)
    return one


def _at_earliest(two: Period, one: Period) -> Period:
    """The second period in the earliest year in which it is not before the first."""
    while two.first < one.first:
        two = _moved(two, 1)
    while _moved(two, -1).first >= one.first:
        two = _moved(two, -1)
    return two


def _moved(period: Period, years: int) -> Period:
    first = months_later(period.first, 12 * years)
    return replace(period, first=first, last=months_later(period.last, 12 * years))


def _start_of(point: Point, reading: Reading) -> datetime:
    if isinstance(point, Period):
        return midnight(point.first, point.zone or reading.zone)
    if isinstance(point, Moment):
        return point.at if not reading.whole_days or point.is_now else _day_of(point, reading)
    if reading.whole_days:
        raise known_by_day(reading)
    if isinstance(point, Hours):
        return point.start
    zone = point.zone or reading.zone
    if point.day is not None:
        return instant(point.day.first, point.clock, zone, reading)
    return instant(_latest(point.clock, zone, reading), point.clock, zone, reading)


def _day_of(point: Moment, reading: Reading) -> datetime:
    """The day of a moment that is whole days away; an hour of it cannot be asked for."""
    if not point.is_daily:
        raise known_by_day(reading)
    return midnight(point.at.astimezone(reading.zone).date(), reading.zone)


def _end_of(point: Point, reading: Reading) -> datetime:
    if isinstance(point, Period):
        return midnight(point.last, point.zone or reading.zone)
    if isinstance(point, Hours):
        return point.end
    return _start_of(point, reading)


def _latest(clock: time, zone: tzinfo, reading: Reading) -> date:
    """The day on which it was this time last: shortly after midnight, 22:00 was the
    evening before.
    """
    today = reading.now.astimezone(zone).date()
    return today - timedelta(days=instant(today, clock, zone, reading) > reading.now)


def _clocks(one: Clock, two: Clock, reading: Reading) -> Span | None:
    """From a time of day to another. What is said of one, am or pm, a day or a zone, holds for the
    other where it makes sense.
    """
    if reading.whole_days:
        raise known_by_day(reading)
    mixed = two.half == "pm" and not one.half and one.clock.hour == 0
    if (one.is_bare and two.is_bare) or mixed:
        return None
    zone = one.zone or two.zone or reading.zone
    other = two.zone or one.zone or reading.zone
    one, two = _halves(one, two)
    day = one.day or two.day
    first = day.first if day else _latest(one.clock, zone, reading)
    start = instant(first, one.clock, zone, reading)
    if one.day is not None and two.day is not None:
        return Span(start, instant(two.day.first, two.clock, other, reading))
    end = instant(first, two.clock, other, reading)
    if end < start:
        night = instant(first + DAY, two.clock, other, reading)
        # On a day that was named, a long one is rather two times that were swapped.
        end = night if day is None or night - start <= LONGEST_NIGHT else end
    return Span(start, end)


def _halves(one: Clock, two: Clock) -> tuple[Clock, Clock]:
    """`2:00-3:00pm` is in the afternoon, `11-1pm` begins in the morning, and `2pm-4:30` ends in the
    afternoon.
    """
    if two.half and one.may_be_halved:
        same = one.halved(two.half)
        if same.clock < two.clock or (one.day and two.day):
            return same, two
        return one.halved("am" if two.half == "pm" else "pm"), two
    if one.half == "pm" and two.may_be_halved and two.clock < one.clock:
        later = two.halved("pm")
        if later.clock > one.clock:
            return one, later
    return one, replace(two, is_bare=False)


FORMS: tuple[Callable[[Tokens, Reading], Span | None], ...] = (
    to_come,
    length_back,
    since,
    between,
    ago,
    single,
)
