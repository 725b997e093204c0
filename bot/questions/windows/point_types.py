"""What a point of time may be: an instant, a part of a day, a time of day or a period."""

from __future__ import annotations

from datetime import date, datetime, time, tzinfo

from msgspec import Struct
from msgspec.structs import replace

from bot.questions.windows.calendar import DAY


class Period(Struct, frozen=True):
    """Whole days, from the first to before the last. `year_is_open` and `weekday` say what else the
    words may mean beside another point.
    """

    first: date
    last: date
    year_is_open: bool = False
    weekday: int | None = None
    # A weekday of a known week, such as `last monday`.
    is_weekday: bool = False
    zone: tzinfo | None = None
    # The zone as it was typed.
    zone_text: str = ""


def one_day(day: date) -> Period:
    return Period(day, day + DAY)


class Moment(Struct, frozen=True):
    """An instant; `is_now` for now itself, `is_daily` where it is whole days away from now."""

    at: datetime
    is_now: bool = False
    is_daily: bool = False


class Hours(Struct, frozen=True):
    """A part of a day, such as the morning."""

    start: datetime
    end: datetime


class Clock(Struct, frozen=True):
    """A time of day, on a day or the latest one. `half` is am or pm; `is_bare` for an hour without
    minutes and half.
    """

    clock: time
    day: Period | None = None
    half: str = ""
    is_bare: bool = False
    zone: tzinfo | None = None
    zone_text: str = ""
    # 24:00, the midnight at the end of the day.
    is_end: bool = False
    # The day on whose evening the night began that the time belongs to.
    night_of: date | None = None

    @property
    def may_be_halved(self) -> bool:
        return not self.half and 1 <= self.clock.hour <= 12

    def halved(self, half: str) -> Clock:
        hour = self.clock.hour % 12 + (12 if half == "pm" else 0)
        return replace(self, clock=self.clock.replace(hour=hour), half=half, is_bare=False)


Point = Period | Moment | Hours | Clock
