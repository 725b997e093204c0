"""Windows from one point to another: `10:00 to 11:30`, `Nov 1-7`, `monday to friday`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo

from msgspec.structs import replace

from bot.questions.windows.calendar import DAY, Reading, TwoReadings, instant, range_in_zones
from bot.questions.windows.dates import MONTH_NUMBERS, date_in
from bot.questions.windows.lengths import read_length
from bot.questions.windows.point_types import Period
from bot.questions.windows.points import AGO, Clock, Moment, Point, read_point
from bot.questions.windows.spans import SEPARATORS, Span, end_of, known_by_day, latest_day, start_of
from bot.questions.windows.tokens import Tokens, word, words_of
from bot.questions.windows.years import with_years

# `22:00 to 06:00` crosses midnight; with more hours the two times are rather swapped.
LONGEST_NIGHT = timedelta(hours=12)
# `17:00 to 09:00` is out of hours, while `10:00 to 09:00` rather has its times swapped.
LONGEST_OUT_OF_HOURS = timedelta(hours=18)
HOURS_OF_HALF = 12


def between_points(tokens: Tokens, reading: Reading) -> Span | None:
    """Two points with a sign or word between them, such as `10:00 to 11:30`, `Nov 1-7` or `monday
    to friday`.
    """
    plain = words_of(tokens)
    separators = SEPARATORS
    if plain[0] == "between":
        tokens = tokens[1:]
        plain = plain[1:]
        separators = SEPARATORS | {"and"}
    elif plain[0] == "from":
        tokens = tokens[1:]
        plain = plain[1:]
    elif "between" in plain:
        # `Nov 1 between 10:00 and 11:00`
        at = plain.index("between")
        tokens = [*tokens[:at], *tokens[at + 1 :]]
        plain = [*plain[:at], *plain[at + 1 :]]
        separators = SEPARATORS | {"and"}
    # A minus sign within `now-6h` is not a separator, so each position is tried.
    for at in (n for n, each in enumerate(plain) if each in separators and 0 < n < len(plain) - 1):
        # `now-1M/M` rounds.
        if plain[at] == "/" and len(plain[-1]) == 1 and plain[0] == "now":
            continue
        found = _joined(tokens[:at], tokens[at + 1 :], reading)
        if found:
            return found
    return _adjacent(tokens, plain, reading)


def _adjacent(tokens: Tokens, plain: Sequence[str], reading: Reading) -> Span | None:
    """`yesterday and today`: days that follow each other."""
    places = [n for n, each in enumerate(plain) if each in ("and", "+")]
    if len(places) != 1 or not 0 < (at := places[0]) < len(plain) - 1:
        return None
    one = read_point(tokens[:at], reading)
    two = read_point(tokens[at + 1 :], reading)
    if not isinstance(one, Period) or not isinstance(two, Period):
        return None
    # `today and yesterday`.
    if two.last == one.first:
        one, two = two, one
    one, two = with_years(one, two, reading)
    if one.last != two.first:
        return None
    return Span(start_of(one, reading), end_of(two, reading), by_day=True)


def _joined(left: Tokens, right: Tokens, reading: Reading) -> Span | None:
    # ISO 8601 allows a length on either side of the slash.
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
        start = start_of(point, reading)
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
        end = start_of(point, reading)
        return Span(length.before(end, reading.zone), end)
    return None


def _readings_of_both(
    left: Tokens, right: Tokens, reading: Reading
) -> Iterator[tuple[Point | None, Point | None]]:
    """Each side by itself, and with what it may share with the other: a day after both, a month,
    `ago`.
    """
    one = read_point(left, reading)
    two = read_point(right, reading)
    # First, since `Nov 1-7` is also a date and an hour.
    yield _days_of_month(left, right, reading)
    yield one, two
    # `30 to 10 minutes ago`: the unit after the second applies to both. `3h to 1h ago`: both are
    # counted from now.
    if words_of(right)[-1] in AGO:
        yield read_point([*left, *right[-2:]], reading), two
        yield read_point([*left, right[-1]], reading), two
    yield _hours_before_a_day(left, right, reading)
    yield one, _shortened_date(left, right)
    yield _weeks(left, right, reading)


def _hours_before_a_day(
    left: Tokens, right: Tokens, reading: Reading
) -> tuple[Point | None, Point | None]:
    """`9-17 monday`: two bare hours of the day that follows them."""
    if len(left) != 1 or left[0].kind != "number" or right[0].kind != "number" or len(right) < 2:
        return None, None
    day = right[2:] if word(right[1]) == "on" else right[1:]
    if not day or word(day[0]) in MONTH_NUMBERS:
        return None, None
    return read_point([*day, *left], reading), read_point(right[:1], reading)


def _shortened_date(left: Tokens, right: Tokens) -> Period | None:
    """`2026-11-01..07`, `2026-11-01..12-07`: ISO 8601 leaves out what the first date says."""
    if len(left) != 1 or left[0].kind != "date" or not isinstance(left[0].value, date):
        return None
    parts = [token.text for token in right]
    if [each for n, each in enumerate(parts) if n % 2] not in ([], ["-"]):
        return None
    numbers = parts[::2]
    if not all(len(each) == 2 and each.isdigit() for each in numbers):
        return None
    known = f"{left[0].value:%m-%d}".split("-")
    try:
        found = date.fromisoformat(
            "-".join([f"{left[0].value:%Y}", *known[: 2 - len(numbers)], *numbers])
        )
    except ValueError:
        return None
    return Period(found, found + DAY)


def _weeks(left: Tokens, right: Tokens, reading: Reading) -> tuple[Point | None, Point | None]:
    """`weeks 3 to 5`."""
    if (
        len(left) != 2
        or len(right) != 1
        or word(left[0]) not in ("week", "weeks", "wk", "cw", "kw")
    ):
        return None, None
    name = replace(left[0], value="week")
    return read_point([name, left[1]], reading), read_point([name, right[0]], reading)


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
        # The third number is a year.
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
    """The span from one point to another, each interpreted in the context of the other."""
    if isinstance(one, Clock) and isinstance(two, Clock):
        return between_clocks(one, two, reading)
    # A time without a day beside a day says nothing: which day would it be?
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
        one, two = with_years(one, two, reading)
    start = start_of(one, reading)
    end = end_of(two, reading)
    by_day = isinstance(one, Period) and (
        isinstance(two, Period) or (isinstance(two, Moment) and two.is_now)
    )
    return Span(start, end, by_day=by_day or reading.whole_days)


def between_clocks(one: Clock, two: Clock, reading: Reading) -> Span | None:
    """From a time of day to another. am or pm, a day or a zone next to one of them applies to the
    other where that makes sense.
    """
    if reading.whole_days:
        raise known_by_day(reading)
    # `0:30 to 1pm` mixes both ways to count hours.
    mixed = two.half == "pm" and not one.half and one.clock.hour == 0
    day = one.day or two.day
    one, two = _with_zones(one, two, reading)
    if one.is_bare and two.is_bare and day is not None:
        _refuse_bare_hours(one, two, day, reading)
    elif one.is_bare and two.is_bare:
        return None
    if mixed:
        return None
    zone = one.zone or reading.zone
    other = two.zone or reading.zone
    one, two = _halves(one, two)
    if one.is_end:
        raise reading.refused("There is no time 24:00 to begin at")
    if one.day is None and two.night_of is not None:
        # `11pm to 2am last night` began on the evening before.
        evening = two.night_of + DAY * (one.clock.hour < HOURS_OF_HALF)
        one = replace(one, day=Period(evening, evening + DAY))
    day = one.day or two.day
    first = day.first if day else latest_day(one.clock, zone, reading)
    start = instant(first, one.clock, zone, reading)
    if day is not None and day.weekday is not None and start > reading.now:
        # `friday 6pm to 8pm` on a Friday at noon is that of the week before.
        first -= 7 * DAY
        start = instant(first, one.clock, zone, reading)
    if one.day is not None and two.day is not None:
        return Span(start, instant(_last_day(first, one.day, two), two.clock, other, reading))
    return Span(start, _end_after(start, first, one, two, other, reading, day))


def _with_zones(one: Clock, two: Clock, reading: Reading) -> tuple[Clock, Clock]:
    """Both times with their zones. The zone of one applies to the other, too, unless there is one
    behind both.
    """
    behind = reading.zone, reading.zone_text
    first = (one.zone, one.zone_text) if one.zone else None
    last = (two.zone, two.zone_text) if two.zone else None
    shared = behind if reading.zone_text else first or last or behind
    first = first or shared
    last = last or shared
    return (
        replace(one, zone=first[0], zone_text=first[1]),
        replace(two, zone=last[0], zone_text=last[1]),
    )


def _end_after(
    start: datetime,
    first: date,
    one: Clock,
    two: Clock,
    zone: tzinfo,
    reading: Reading,
    day: Period | None,
) -> datetime:
    """The second of two times on one day, or on the day after it, as in `22:00 to 06:00`."""
    end = instant(first + DAY * two.is_end, two.clock, zone, reading)
    if end >= start:
        return end
    night = instant(first + DAY, two.clock, zone, reading)
    if day is not None:
        # On a day that was named, a long night is rather two times that were swapped.
        return night if night - start <= LONGEST_NIGHT else end
    if night - start > LONGEST_OUT_OF_HOURS:
        _refuse_swapped(one, two, night, reading)
    return night


def _refuse_swapped(one: Clock, two: Clock, night: datetime, reading: Reading) -> None:
    """Two times of nearly a whole day, the later one first. Raises TwoReadings for the hours between
    them and for the latest such day that is over. The night ends in the zone of the second time.
    """
    last = night.date()
    while instant(last, two.clock, night.tzinfo or reading.zone, reading) > reading.now:
        last -= DAY
    began = f"{last - DAY} {one.clock:%H:%M}"
    ended = f"{last} {two.clock:%H:%M}"
    raise TwoReadings(
        reading.text,
        (
            range_in_zones(
                f"{two.clock:%H:%M}", two.zone_text, f"{one.clock:%H:%M}", one.zone_text
            ),
            range_in_zones(began, one.zone_text, ended, two.zone_text),
        ),
    )


def _refuse_bare_hours(one: Clock, two: Clock, day: Period, reading: Reading) -> None:
    """Two hours of a day are those of 24 where one of them can be nothing else, as `9-17`. Raises
    TwoReadings where both may be am or pm.
    """
    if not (one.may_be_halved and two.may_be_halved):
        return
    late = one.halved("pm"), two.halved("pm")
    # 12 is before 1 on a clock of twelve hours.
    if two.clock.hour % HOURS_OF_HALF > one.clock.hour % HOURS_OF_HALF:
        early = one.halved("am"), two.halved("am")
    else:
        # `9-5`: from the morning to the afternoon, or from the evening to the morning.
        early = one.halved("am"), two.halved("pm")
        late = one.halved("pm"), two.halved("am")
    raise TwoReadings(reading.text, (_hours_of(day, *early), _hours_of(day, *late)))


def _hours_of(day: Period, one: Clock, two: Clock) -> str:
    # A window that ends at midnight ends with its day.
    end = f"{two.clock:%H:%M}" if two.clock.hour else "24:00"
    return range_in_zones(f"{day.first} {one.clock:%H:%M}", one.zone_text, end, two.zone_text)


def _last_day(first: date, day: Period, two: Clock) -> date:
    """The day of the second time. A weekday after a weekday is the next one."""
    assert two.day is not None
    if day.weekday is not None and two.day.weekday is not None:
        first += timedelta(days=(two.day.weekday - day.weekday) % 7)
        return first + DAY * two.is_end
    return two.day.first + DAY * two.is_end


def _halves(one: Clock, two: Clock) -> tuple[Clock, Clock]:
    """`2:00-3:00pm` is in the afternoon, `11-1pm` begins in the morning, and `2pm-4:30` ends in the
    afternoon.
    """
    if two.half and one.may_be_halved:
        # The same half first: `2-3pm` is an hour.
        same = one.halved(two.half)
        if same.clock < two.clock or (one.day and two.day):
            return same, two
        return one.halved("am" if two.half == "pm" else "pm"), two
    if one.half == "pm" and two.may_be_halved and two.clock < one.clock:
        later = two.halved("pm")
        if later.clock > one.clock:
            return one, later
    return one, replace(two, is_bare=False)
