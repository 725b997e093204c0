"""The end of a silence as people type it, such as `until 9`, `until monday` or `until tomorrow`
(pure).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from msgspec import Struct
from msgspec.structs import replace

from bot.errors import BadQuestion
from bot.questions.windows.dates import DAY_NUMBERS

# A day without a time of day ends when people are at work again.
MORNING = time(9)
# Until then “tomorrow” usually is the day after the next sleep, and not that of the calendar.
NIGHT_ENDS = time(5)
_WEEKDAY = r"(?:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs?(?:day)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)"
_DAY = (
    rf"(?:(?:on\s+)?(?:(?:this|next)\s+)?{_WEEKDAY}|today|tomorrow(?:\s+morning)?|(?:the\s+)?morning"
    r"|(?:the\s+)?(?:end\s+of\s+(?:the\s+)?)?weekend|\d{4}-\d{2}-\d{2})"
    # `tomorrow evening` has no time of day that all agree on.
    r"(?:(?=T\d)|(?![\w-]))(?!\s+(?:evening|afternoon|night))"
)
_CLOCK = (
    r"(?:(?:at\s+)?(?:\d{1,2}[:.]\d{2}(?:\s?[ap]m)?|\d{1,2}\s?[ap]m|noon|midday|midnight)(?![\w:]|\.\d)"
    # A number alone is an hour, but in `9 March` or `9 days` it is none.
    rf"|(?:at\s+)?\d{{1,2}}(?=\s*\Z|\s*\"|\s+(?:today|tomorrow|{_WEEKDAY})(?!\w)))"
)
# One group, for use in a larger pattern.
UNTIL = rf"(?:un)?till?\s+(?:{_DAY}(?:(?:[ \t,]{{1,4}}|T){_CLOCK})?|{_CLOCK}(?:\s+{_DAY})?)"
_PARTS = re.compile(
    rf"(?i)(?:un)?till?\s+(?:(?P<clock>{_CLOCK})\s*)?(?P<day>{_DAY})?[ \tT,]*(?P<later>{_CLOCK})?\Z"
)
_CLOCK_PARTS = re.compile(r"(?i)(?:at\s+)?(\d{1,2})(?:[:.](\d{2}))?\s?([ap]m)?\Z")
_NAMED_TIMES = {"noon": time(12), "midday": time(12), "midnight": time(0)}


class SilenceEnd(Struct, frozen=True):
    """The end of a silence: `today`, `tomorrow`, a weekday, an ISO date or, without a day, the next
    time that the clock shows `at`. `is_bare` marks an hour without minutes and without am or pm.
    """

    day: str = ""
    at: time = MORNING
    is_bare: bool = False
    is_next: bool = False


NEXT_MORNING = SilenceEnd()
TOMORROW = SilenceEnd("tomorrow")


class EndReadings(Struct, frozen=True):
    """The instant at which a silence ends, and another one that the words may mean, too."""

    end: datetime
    other: datetime | None = None


def parse_silence_end(text: str) -> SilenceEnd | None:
    """The end in words that match `UNTIL`; None where its time or date is none of the calendar."""
    found = _PARTS.match(" ".join(text.split()))
    if not found:
        return None
    clock = found["clock"] or found["later"] or ""
    at = _time_of_day(clock) if clock else MORNING
    words = (found["day"] or "").lower().removeprefix("on ").split()
    is_next = words[:1] == ["next"]
    day = words[-1] if words else ""
    if day == "morning":
        day = "tomorrow" if words[0] == "tomorrow" else ""
    if day == "weekend":
        # Its last day is over when people are at work again.
        day = "mon"
    if at is None or not _is_day(day):
        return None
    is_bare = clock.lower().removeprefix("at").strip().isdigit()
    return SilenceEnd(day, at, is_bare=is_bare, is_next=is_next)


def _is_day(day: str) -> bool:
    try:
        return not day[:1].isdigit() or bool(date.fromisoformat(day))
    except ValueError:
        return False


def _time_of_day(clock: str) -> time | None:
    named = _NAMED_TIMES.get(clock.lower().removeprefix("at").strip())
    found = _CLOCK_PARTS.match(clock)
    if named is not None or not found:
        return named
    hour = int(found[1])
    half = (found[3] or "").lower()
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    try:
        return time(0 if hour == 24 else hour, int(found[2] or 0))
    except ValueError:
        return None


def resolve_silence_end(wanted: SilenceEnd, now: datetime, zone: tzinfo) -> EndReadings:
    """When a silence ends that begins now, on the clock of a zone. Of two days the nearer one is
    taken, since a silence that is too long hides the next incident. Raises BadQuestion, whose hint is
    another end, where the end has passed, or where an hour may be in the morning or in the evening.
    """
    today = now.astimezone(zone).date()
    if not wanted.day:
        return EndReadings(_next_time(wanted, now, zone))
    if wanted.day == "tomorrow":
        return _tomorrow(wanted, now, zone)
    if wanted.day[:3] in DAY_NUMBERS:
        return _weekday(wanted, now, zone)
    end = _instant(today if wanted.day == "today" else date.fromisoformat(wanted.day), wanted, zone)
    if end <= now:
        raise BadQuestion(f"{end.astimezone(zone):%Y-%m-%d %H:%M} has passed.", "2h")
    return EndReadings(end)


def _instant(day: date, wanted: SilenceEnd, zone: tzinfo) -> datetime:
    # Days are added in local time, so that nine o'clock is nine o'clock after a clock change.
    return datetime.combine(day, wanted.at, tzinfo=zone).astimezone(UTC)


def _next_time(wanted: SilenceEnd, now: datetime, zone: tzinfo) -> datetime:
    """When the clock shows that time next."""
    end = _first_after(now, wanted, zone)
    if wanted.is_bare and 1 <= wanted.at.hour <= 12:
        half_a_day_on = replace(wanted, at=time((wanted.at.hour + 12) % 24))
        if _first_after(now, half_a_day_on, zone) < end:
            message = f"“{wanted.at.hour}” may mean {half_a_day_on.at:%H:%M} or {wanted.at:%H:%M}."
            raise BadQuestion(message, f"until {half_a_day_on.at:%H:%M}")
    return end


def _first_after(now: datetime, wanted: SilenceEnd, zone: tzinfo) -> datetime:
    today = now.astimezone(zone).date()
    # The clock may skip a time on the day it is put forward, so there are three days to look at.
    ends = (_instant(today + timedelta(days=days), wanted, zone) for days in range(3))
    return next(end for end in ends if end > now)


def _tomorrow(wanted: SilenceEnd, now: datetime, zone: tzinfo) -> EndReadings:
    local = now.astimezone(zone)
    end = _instant(local.date() + timedelta(days=1), wanted, zone)
    if local.time() < NIGHT_ENDS <= wanted.at:
        return EndReadings(_instant(local.date(), wanted, zone), end)
    return EndReadings(end)


def _weekday(wanted: SilenceEnd, now: datetime, zone: tzinfo) -> EndReadings:
    today = now.astimezone(zone).date()
    ahead = (DAY_NUMBERS[wanted.day[:3]] - today.weekday()) % 7
    day = today + timedelta(days=ahead)
    end = _instant(day, wanted, zone)
    a_week_later = _instant(day + timedelta(days=7), wanted, zone)
    if ahead:
        return EndReadings(end)
    # Said on that very day, it may be the day itself or the one a week later.
    if end <= now or wanted.is_next:
        return EndReadings(a_week_later)
    return EndReadings(end, a_week_later)
