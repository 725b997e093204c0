"""The words people use for a stretch of time, read once and read aloud again.

    today  yesterday  this week  last month  last 20 mins  20m  7d  3 months  since 09:00  since monday
    2026-11-01  2026-11-01..2026-11-07  2026-11-01T10:00..2026-11-01T11:30  2026-11-01 10:00 to 11:30
    yesterday 22:00 to 02:00  since monday 9am  14:00-14:10  october  this year

Two ways of counting: where days are what is known (`/usage`), `7d` is seven calendar days, today among them; elsewhere it
reaches exactly that long back from now. A window that reaches past now ends now. Weeks begin on Monday.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from types import MappingProxyType
from zoneinfo import ZoneInfo

from bot.errors import BadQuestion
from providers.records import Window

LONGEST = timedelta(days=3660)
LONGEST_NIGHT = timedelta(hours=12)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UNITS = MappingProxyType(
    {
        **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "minutes"),
        **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "hours"),
        **dict.fromkeys(("d", "day", "days"), "days"),
        **dict.fromkeys(("w", "wk", "week", "weeks"), "weeks"),
        **dict.fromkeys(("mo", "month", "months"), "months"),
        **dict.fromkeys(("y", "year", "years"), "years"),
    }
)
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_BACK = re.compile(r"(?:(?:last|past)\s+)?(-?\d+(?:\.\d+)?)\s*([a-z]+)")
_ONE_BACK = re.compile(r"(?:last|past)\s+(minute|hour|day|year)")
_DATE = r"\d{4}-\d{2}-\d{2}"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?"
_OFFSET = r"(?:z|[+-]\d{2}:?\d{2})?"
_POINT = re.compile(rf"({_DATE})(?:[t ]\s*({_CLOCK})\s*({_OFFSET}))?|({_CLOCK})")
_CLOCK_ALONE = re.compile(_CLOCK)
_RANGE = re.compile(r"\s*\.\.\s*|\s+(?:to|until|till|[-–])\s+")
SAYS_NOTHING = frozenset(
    ["and", "about", "during", "for", "from", "give", "how", "in", "just", "me", "of", "on", "only", "over", "please", "show", "the", "then", "what", "within"]
)  # fmt: skip
_DAY_NAME = rf"(today|yesterday|{'|'.join(WEEKDAYS)})"
_HALVED = re.compile(r"\b(0?[1-9]|1[0-2])(?::(\d{2}))?\s*([ap])\.?m\b\.?")
_DAY_BEFORE_CLOCK = re.compile(rf"\b{_DAY_NAME}\s+(?:(?:at|from|between)\s+)?(?=\d{{1,2}}:\d{{2}})")
_DAY_BEHIND_CLOCK = re.compile(rf"(since )?(\d{{1,2}}:\d{{2}}.*?)\s+(?:on\s+)?{_DAY_NAME}")
_DASHED = re.compile(rf"((?:{_DATE} )?{_CLOCK})[-–]({_CLOCK})")
_MONTH = re.compile(rf"({'|'.join(f'{month[:3]}(?:{month[3:]})?' for month in MONTHS)})(?:\s+(\d{{4}}))?")
_LOOKS_LIKE_DATE = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}.*|\d{4}[/.]\d{1,2}[/.]\d{1,2}.*")


class NoWindow(BadQuestion):
    """Words that name no stretch of time, not even one that cannot be asked for."""


@dataclass(frozen=True, slots=True)
class ReadWindow:
    """A window and how the words were read: `15 to 21 Nov 2026 (UTC)`. `by_day` where it is of whole days, and not known to the minute."""

    window: Window
    said: str
    by_day: bool = True
    asked_at: datetime | None = None

    @property
    def now(self) -> datetime:
        """When the words were read; where that is not known, the latest moment there is."""
        return self.asked_at or self.window.end


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the words are read against."""

    now: datetime
    zone: tzinfo
    whole_days: bool
    example: str

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def day(self, name: str) -> date:
        """The latest day of that name: `today`, `yesterday`, or a weekday, which may be today."""
        ago = ("today", "yesterday").index(name) if name in ("today", "yesterday") else _days_since(name, self.today)
        return self.today - timedelta(days=ago)


def without_marks(word: str) -> str:
    """A word without the marks that people put behind it."""
    return word.rstrip(",;?!")


def spoken(words: Sequence[str]) -> list[str]:
    """The words without those at either end that say nothing: `for the last 7 days, please` is `last 7 days`."""
    found = [bare for word in words if (bare := without_marks(word))]
    while found and found[0].lower() in SAYS_NOTHING:
        del found[0]
    while found and found[-1].lower() in SAYS_NOTHING:
        del found[-1]
    return found


def read_window(words: str, *, now: datetime, zone: tzinfo, whole_days: bool, example: str) -> ReadWindow:
    """The window that the words name. Raises BadQuestion, with `example` as its hint, for what is none.

    `zone` is where days begin; `whole_days` is for questions that know days and nothing shorter.
    """
    reading = _Reading(now, UTC if whole_days else zone, whole_days, example)
    text = " ".join(spoken(words.lower().split()))
    found = _counted(text, reading) or _named(text, reading)
    if found is None:
        text = _written(text, reading)
        found = _since(text, reading) or _dated(text, reading)
    if found:
        return _fitted(text, *found, reading)
    if _LOOKS_LIKE_DATE.fullmatch(text):
        raise _refused(f"“{words[:40]}” can be read in more than one way; dates are written 2026-11-01", reading)
    raise NoWindow(f"“{words[:60]}” is not a window I can read.", example)


def _written(text: str, reading: _Reading) -> str:
    """The same in the one way of writing that is read below: `yesterday 9am-10am` is `2026-11-20 09:00 to 10:00`."""
    text = _HALVED.sub(lambda m: f"{int(m[1]) % 12 + 12 * (m[3] == 'p'):02}:{m[2] or '00'}", text)
    text = re.sub(r"\bnoon\b", "12:00", re.sub(r"\bmidnight\b", "00:00", text))
    if text.startswith("between "):
        text = text.removeprefix("between ").replace(" and ", " to ", 1)
    text = _DAY_BEFORE_CLOCK.sub(lambda m: f"{reading.day(m[1])} ", text)
    if behind := _DAY_BEHIND_CLOCK.fullmatch(text):
        text = f"{behind[1] or ''}{reading.day(behind[3])} {behind[2]}"
    return _DASHED.sub(r"\1 to \2", text) if _DASHED.fullmatch(text) else text


def _fitted(text: str, start: datetime, end: datetime, reading: _Reading) -> ReadWindow:
    now = reading.now.astimezone(UTC)
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if start >= now and text != "today":
        raise _refused(f"“{text}” is still to come", reading)
    if end <= start:
        raise _refused(f"“{text}” ends before it begins" if end < start else f"“{text}” has no length", reading)
    if end - start > LONGEST:
        raise _refused(f"“{text}” is longer than ten years", reading)
    window = Window(start, max(min(end, now), start + timedelta(milliseconds=1)))
    by_day = _is_by_day(text, window, reading)
    return ReadWindow(window, _said(window, reading, by_day=by_day), by_day, reading.now)


def _named(text: str, reading: _Reading) -> tuple[datetime, datetime] | None:
    """today, yesterday, this and last week and month, this year, last monday, and months by their names."""
    today = reading.today
    monday = today - timedelta(days=today.weekday())
    first = today.replace(day=1)
    spans = {
        "today": (today, today + timedelta(days=1)),
        "yesterday": (today - timedelta(days=1), today),
        "this week": (monday, monday + timedelta(days=7)),
        "last week": (monday - timedelta(days=7), monday),
        "this month": (first, _months_later(first, 1)),
        "last month": (_months_later(first, -1), first),
        "this year": (first.replace(month=1), first.replace(month=1, year=first.year + 1)),
    }
    if text in spans:
        start, end = spans[text]
    elif text.startswith("last ") and text.removeprefix("last ") in WEEKDAYS:
        start = reading.today - timedelta(days=_days_since(text.removeprefix("last "), reading.today) or 7)
        end = start + timedelta(days=1)
    elif match := _MONTH.fullmatch(text):
        start = _month(match[1], match[2], reading)
        end = _months_later(start, 1)
    else:
        return None
    return _midnight(start, reading), _midnight(end, reading)


def _month(name: str, year: str | None, reading: _Reading) -> date:
    """The first day of the latest month of that name, or of that of a year."""
    number = [month[:3] for month in MONTHS].index(name[:3]) + 1
    return _date(f"{year or reading.today.year - (number > reading.today.month)}-{number:02}-01", reading)


def _days_since(weekday: str, today: date) -> int:
    return (today.weekday() - [name[:3] for name in WEEKDAYS].index(weekday[:3])) % 7


def _counted(text: str, reading: _Reading) -> tuple[datetime, datetime] | None:
    """`last 20 mins`, `past 3 hours`, `20m`, `7d`, `3 months`."""
    match, one = _BACK.fullmatch(text), _ONE_BACK.fullmatch(text)
    if not match and not one:
        return None
    number, unit = (match[1], match[2]) if match else ("1", one[1]) if one else ("", "")
    if unit not in _UNITS:
        raise NoWindow(f"“{unit[:20]}” is not a unit of time I know.", reading.example)
    if not number.isdigit() or int(number[:9]) == 0 or len(number) > 9:
        raise _refused(f"“{text[:40]}” needs a whole number from 1 on", reading)
    return _back(int(number), _UNITS[unit], text, reading)


def _back(number: int, unit: str, text: str, reading: _Reading) -> tuple[datetime, datetime]:
    if reading.whole_days and unit in ("minutes", "hours"):
        raise _refused("Data usage is known by day, so hours and minutes cannot be asked for", reading)
    if number > {"minutes": 5_300_000, "hours": 88_000, "days": 3660, "weeks": 522, "months": 120, "years": 10}[unit]:
        raise _refused(f"“{text[:40]}” is longer than ten years", reading)
    months = {"months": number, "years": number * 12}.get(unit, 0)
    if reading.whole_days:
        tomorrow = reading.today + timedelta(days=1)
        first = _months_later(tomorrow, -months) if months else tomorrow - timedelta(**{unit: number})
        return _midnight(first, reading), _midnight(tomorrow, reading)
    if months:
        local = reading.now.astimezone(reading.zone)
        earlier = datetime.combine(_months_later(local.date(), -months), local.time(), reading.zone)
        return earlier, reading.now
    return reading.now.astimezone(UTC) - timedelta(**{unit: number}), reading.now


def _since(text: str, reading: _Reading) -> tuple[datetime, datetime] | None:
    if not text.startswith("since "):
        return None
    what = text.removeprefix("since ").strip()
    if what in ("today", "yesterday", *WEEKDAYS) or what in [day[:3] for day in WEEKDAYS]:
        return _midnight(reading.day(what), reading), reading.now
    day = _latest(what, reading) if _CLOCK_ALONE.fullmatch(what) else reading.today
    start, _ = _point(what, reading, day=day)
    return start, reading.now


def _dated(text: str, reading: _Reading) -> tuple[datetime, datetime] | None:
    """A date, an hour on a date, or a range of either; a range of dates includes both its days."""
    parts = _RANGE.split(text)
    if not all(_POINT.fullmatch(part) for part in parts) or len(parts) > 2:
        return None
    if _CLOCK_ALONE.fullmatch(parts[0]):
        if len(parts) == 1 or not _CLOCK_ALONE.fullmatch(parts[1]):
            return None
        day = _latest(parts[0], reading)
        start, start_end = _point(parts[0], reading, day=day)
    else:
        start, start_end = _point(parts[0], reading, day=None)
        day = date.fromisoformat(parts[0][:10])
    if len(parts) == 1:
        if start_end is None:
            raise _refused(f"“{text}” is one moment; a window needs an end, too", reading)
        return start, start_end
    last, last_end = _point(parts[1], reading, day=day)
    return start, last_end or _in_the_night(start, last, parts[1], day, reading)


def _latest(clock: str, reading: _Reading) -> date:
    """The day on which it was this time last: shortly after midnight, 22:00 was the evening before."""
    start, _ = _point(clock, reading, day=reading.today)
    return reading.today - timedelta(days=start > reading.now)


def _in_the_night(start: datetime, last: datetime, clock: str, day: date, reading: _Reading) -> datetime:
    """The end of a window that ends at a time of day. Where that is before its start, it is that of the next day if this makes a night;
    else it has been turned round."""
    if last < start and _CLOCK_ALONE.fullmatch(clock):
        night, _ = _point(clock, reading, day=day + timedelta(days=1))
        return night if night - start <= LONGEST_NIGHT else last
    return last


def _point(text: str, reading: _Reading, *, day: date | None) -> tuple[datetime, datetime | None]:
    """A date as its first and last instant, or a moment as itself and None. `day` is what a bare clock time belongs to."""
    match = _POINT.fullmatch(text)
    if not match or (match[4] and day is None):
        raise _refused(f"“{text[:40]}” is not a time I can read", reading)
    if reading.whole_days and (match[2] or match[4]):
        raise _refused("Data usage is known by day, so hours and minutes cannot be asked for", reading)
    found = _date(match[1], reading) if match[1] else day
    assert found is not None
    if not (match[2] or match[4]):
        return _midnight(found, reading), _midnight(found + timedelta(days=1), reading)
    return _instant(found, match[2] or match[4], match[3] or "", reading), None


def _date(text: str, reading: _Reading) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise _refused(f"There is no {text}", reading) from None
    if not 1970 <= found.year <= 9998:
        raise _refused(f"{text} is too far away", reading)
    return found


def _instant(day: date, clock: str, offset: str, reading: _Reading) -> datetime:
    try:
        hour, *rest = clock.split(":")
        local = datetime.combine(day, time.fromisoformat(":".join([hour.zfill(2), *rest])))
        if offset:
            return datetime.fromisoformat(local.isoformat() + offset.upper())
    except ValueError:
        raise _refused(f"There is no time {clock}{offset}", reading) from None
    return _once(local, reading)


def _once(local: datetime, reading: _Reading) -> datetime:
    """The one instant of a local time. A time that the clocks skip or show twice is refused."""
    first, second = (local.replace(tzinfo=reading.zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    name = zone_name(reading.zone)
    if first.astimezone(UTC).astimezone(reading.zone).replace(tzinfo=None) != local:
        raise _refused(f"{local:%Y-%m-%d %H:%M} does not exist in {name}, where the clocks go forward", reading)
    raise _refused(f"{local:%Y-%m-%d %H:%M} comes twice in {name}; add its offset, such as {local:%Y-%m-%dT%H:%M}Z", reading)


def _midnight(day: date, reading: _Reading) -> datetime:
    """The first instant of a day; where the clocks skip midnight, the first there is."""
    start = datetime.combine(day, time(), reading.zone)
    return start.astimezone(UTC).astimezone(reading.zone)


def _months_later(day: date, months: int) -> date:
    """The same day of another month, or its last one."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (following - timedelta(days=1)).day))


def _is_by_day(text: str, window: Window, reading: _Reading) -> bool:
    start, end = (moment.astimezone(reading.zone).time() for moment in (window.start, window.end))
    return start == time() and (end == time() or reading.whole_days or "day" in text)


def _said(window: Window, reading: _Reading, *, by_day: bool) -> str:
    """How the words were read, with dates and the zone."""
    start = window.start.astimezone(reading.zone)
    last = (window.end - timedelta(microseconds=1)).astimezone(reading.zone)
    if by_day:
        span = _day(start) if start.date() == last.date() else f"{_shorter(start, last)} to {_day(last)}"
    else:
        end = window.end.astimezone(reading.zone)
        same_year = f"{start.day} {start:%b}" if start.year == end.year else _day(start)
        span = (
            f"{_day(start)} {start:%H:%M} to {end:%H:%M}"
            if end.date() == start.date()
            else f"{same_year} {start:%H:%M} to {_day(end)} {end:%H:%M}"
        )
    so_far = ", so far" if window.end == reading.now.astimezone(UTC) and by_day else ""
    return f"{span} ({zone_name(reading.zone)}{so_far})"


def _shorter(start: datetime, last: datetime) -> str:
    """The first day without what the last one says again: `15` to 21 Nov 2026, `28 Oct` to 3 Nov 2026."""
    if start.year != last.year:
        return _day(start)
    return str(start.day) if start.month == last.month else f"{start.day} {start:%b}"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"


def zone_name(zone: tzinfo) -> str:
    """How a time zone is said: `Europe/Dublin`, `UTC`."""
    return zone.key if isinstance(zone, ZoneInfo) else "UTC" if zone is UTC else str(zone)


def _refused(message: str, reading: _Reading) -> BadQuestion:
    return BadQuestion(f"{message}.", reading.example)
