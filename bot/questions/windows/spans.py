"""A time range as words name it, and the start and end of its points."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo

from msgspec import Struct

from bot.errors import BadQuestion
from bot.questions.windows.calendar import DAY, Reading, instant, midnight
from bot.questions.windows.point_types import Period
from bot.questions.windows.points import Hours, Moment, Point

SEPARATORS = frozenset(
    ["to", "until", "till", "til", "through", "thru", "-", "--", "–", "—", "→", "->", "..", "...", "~", "/"]
)  # fmt: skip


class Span(Struct, frozen=True):
    """A time range as the words name it, before it is cut at now. `by_day` where it is of whole
    days.
    """

    start: datetime
    end: datetime
    by_day: bool = False
    # A period that has just begun is not in the future.
    has_begun: bool = False


def known_by_day(reading: Reading) -> BadQuestion:
    return reading.refused("Data usage is recorded by day, not by hour or minute")


def start_of(point: Point, reading: Reading) -> datetime:
    if isinstance(point, Period):
        return midnight(point.first, point.zone or reading.zone)
    if isinstance(point, Moment):
        return point.at if not reading.whole_days or point.is_now else _day_of(point, reading)
    if reading.whole_days:
        raise known_by_day(reading)
    if isinstance(point, Hours):
        return point.start
    zone = point.zone or reading.zone
    # A time alone is the last one that has passed.
    if point.day is None:
        return instant(latest_day(point.clock, zone, reading), point.clock, zone, reading)
    found = instant(point.day.first + DAY * point.is_end, point.clock, zone, reading)
    if point.day.weekday is not None and found > reading.now:
        # `friday 6pm` on a Friday at noon is that of the week before.
        return instant(point.day.first - 7 * DAY, point.clock, zone, reading)
    return found


def _day_of(point: Moment, reading: Reading) -> datetime:
    """The day of a moment that is whole days away; an hour of it cannot be asked for."""
    if not point.is_daily:
        raise known_by_day(reading)
    return midnight(point.at.astimezone(reading.zone).date(), reading.zone)


def end_of(point: Point, reading: Reading) -> datetime:
    if isinstance(point, Period):
        return midnight(point.last, point.zone or reading.zone)
    if isinstance(point, Hours):
        return point.end
    return start_of(point, reading)


def latest_day(clock: time, zone: tzinfo, reading: Reading) -> date:
    """The latest day with this time of day: shortly after midnight, 22:00 was the evening before."""
    today = reading.now.astimezone(zone).date()
    # A bool is 0 or 1: one day back where the time is in the future.
    return today - timedelta(days=instant(today, clock, zone, reading) > reading.now)
