"""Days, months and moments in a named zone: the calendar arithmetic for windows."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from msgspec import Struct

from bot.errors import BadQuestion

DAY = timedelta(days=1)


class UnknownWindow(BadQuestion):
    """Words that are not a time range at all."""


class TwoReadings(BadQuestion):
    """Ambiguous words. `readings` are unambiguous windows for each meaning, or for the one that can
    be asked for.
    """

    def __init__(self, words: str, readings: tuple[str, ...]) -> None:
        offered = " or ".join(f"“{each}”" for each in readings)
        super().__init__(f"“{words}” can be read in more than one way: use {offered}.")
        self.words = words
        self.readings = readings


class Reading(Struct, frozen=True):
    """The words, and the time and zone against which they are read."""

    now: datetime
    zone: tzinfo
    whole_days: bool
    text: str
    # The zone that was typed behind the words, as in `since 9 utc`.
    zone_text: str = ""

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def refused(self, message: str) -> BadQuestion:
        return BadQuestion(f"{message}.")

    def two_readings(self, one: str, other: str, zone_text: str = "") -> TwoReadings:
        """The error for words with two meanings. Each is offered in the zone that was typed with the
        words or behind them.
        """
        zone_text = zone_text or self.zone_text
        return TwoReadings(self.text, (in_zone(one, zone_text), in_zone(other, zone_text)))


def in_zone(words: str, zone_text: str) -> str:
    """The words with a zone behind them, if one was typed."""
    return f"{words} {zone_text}" if zone_text else words


def range_in_zones(start: str, start_zone: str, end: str, end_zone: str) -> str:
    """The words for a range; one zone for both ends is named once."""
    if start_zone == end_zone:
        return in_zone(f"{start} to {end}", end_zone)
    return f"{in_zone(start, start_zone)} to {in_zone(end, end_zone)}"


def midnight(day: date, zone: tzinfo) -> datetime:
    """The first instant of a day. If the clocks skip midnight, the first one that exists."""
    start = datetime.combine(day, time(), zone)
    # The round trip moves a time that the clocks skip to the one that exists.
    return start.astimezone(UTC).astimezone(zone)


def months_later(day: date, months: int) -> date:
    """The same day of another month, or its last one."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    # 31 January a month later is 28 or 29 February.
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (following - DAY).day))


def month_first(day: date) -> date:
    return day.replace(day=1)


def quarter_first(day: date) -> date:
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


def instant(day: date, clock: time, zone: tzinfo, reading: Reading) -> datetime:
    """The one instant of a local time. A time that the clocks skip or show twice is refused."""
    local = datetime.combine(day, clock)
    # PEP 495: the offsets of both folds differ where the clocks skip or repeat this time.
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    name = zone_name(zone)
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise reading.refused(
            f"{local:%Y-%m-%d %H:%M} does not exist in {name}, where the clocks go forward"
        )
    raise reading.refused(
        f"{local:%Y-%m-%d %H:%M} comes twice in {name}; add its offset, such as "
        f"{first.isoformat(timespec='minutes')}"
    )


def comes_twice(moment: datetime) -> bool:
    """Whether the clocks show the moment's local time once more."""
    return moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset()


def zone_name(zone: tzinfo) -> str:
    """The name of a time zone: `Europe/Dublin`, `UTC`."""
    # A fixed offset is shown as `UTC+01:00`.
    return zone.key if isinstance(zone, ZoneInfo) else "UTC" if zone is UTC else str(zone)
