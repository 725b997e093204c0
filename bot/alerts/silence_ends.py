"""The end of a silence, such as the next morning, monday or 24 December, and the instant that it is
(pure). `silence_end_words` reads it from words.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from msgspec import Struct
from msgspec.structs import replace

from bot.errors import BadQuestion
from bot.questions.windows.calendar import DAY, midnight, month_first, months_later, zone_name
from bot.questions.windows.dates import DAY_NUMBERS
from bot.questions.windows.tokens import WEEKDAYS

# A day without a time of day ends when people are at work again.
MORNING = time(9)
# Until then “tomorrow” usually is the day after the next sleep, and not that of the calendar.
NIGHT_ENDS = time(5)
# A date without a year that is this long past is not meant to be that of the next year.
LONG_PAST = timedelta(days=180)


class SilenceEnd(Struct, frozen=True):
    """The end of a silence. `day` is a weekday or one of `today`, `tomorrow`, `overmorrow`, `month`
    and `year`, which end, `date` a date, and `day_of_month` the next one; without a day it is the
    next time that the clock shows `at`. With `months` it is so long from now.
    """

    day: str = ""
    at: time = MORNING
    # An hour without minutes and without am or pm.
    is_bare: bool = False
    is_next: bool = False
    # Of the week after this one.
    is_next_week: bool = False
    # The midnight at the end of the day.
    is_midnight: bool = False
    date: date | None = None
    is_yearly: bool = False
    day_of_month: int = 0
    # The weekday that was typed with a date.
    weekday: str = ""
    zone: tzinfo | None = None
    months: int = 0


NEXT_MORNING = SilenceEnd()
TOMORROW = SilenceEnd("tomorrow")


class EndReadings(Struct, frozen=True):
    """The instant at which a silence ends, and another one that the words may mean, too."""

    end: datetime
    other: datetime | None = None


def resolve_silence_end(wanted: SilenceEnd, now: datetime, zone: tzinfo) -> EndReadings:
    """When a silence ends that begins now, on the clock of a zone. Of two days the nearer one is
    taken, since a silence that is too long hides the next incident. Raises BadQuestion, whose hint is
    another end, where the end has passed, or where an hour may be in the morning or in the evening.
    """
    return _Resolver(wanted, now, wanted.zone or zone).readings()


def end_words(end: datetime, zone: tzinfo, *, with_offset: bool = False) -> str:
    """An end as it can be typed; with its offset where the clock shows that time twice."""
    local = end.astimezone(zone)
    is_twice = local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset()
    if with_offset or is_twice:
        return f"until {local.isoformat(timespec='minutes')}"
    return f"until {local:%Y-%m-%d %H:%M}"


class _Resolver(Struct, frozen=True):
    wanted: SilenceEnd
    now: datetime
    zone: tzinfo

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    @property
    def other_at(self) -> time | None:
        """The time half a day away from an hour that may be in the morning or in the evening; None
        for any other time.
        """
        at = self.wanted.at
        if not self.wanted.is_bare or not 1 <= at.hour <= 12:
            return None
        return at.replace(hour=(at.hour + 12) % 24)

    def readings(self) -> EndReadings:
        wanted = self.wanted
        if wanted.months:
            local = self.now.astimezone(self.zone)
            day = months_later(local.date(), wanted.months)
            return EndReadings(datetime.combine(day, local.time(), self.zone).astimezone(UTC))
        if wanted.day_of_month:
            return self._first(self._as_weekday(day) for day in self._days_of_month())
        if wanted.date:
            return self._date(wanted.date)
        if wanted.day in DAY_NUMBERS:
            return self._weekday()
        if not wanted.day:
            return self._next_time()
        if wanted.day == "tomorrow":
            return self._tomorrow()
        return self._only(self._named_day())

    def _named_day(self) -> date:
        if self.wanted.day == "month":
            return months_later(month_first(self.today), 1) - DAY
        if self.wanted.day == "year":
            return date(self.today.year, 12, 31)
        return self.today + (2 * DAY if self.wanted.day == "overmorrow" else timedelta(0))

    def _instants(self, day: date) -> list[datetime]:
        """Every instant that the end may be on that day; two for an hour that may be in the morning
        or in the evening, and where the clock shows a time twice.
        """
        if self.wanted.is_midnight:
            return [midnight(day + DAY, self.zone).astimezone(UTC)]
        other = self.other_at
        ats = [self.wanted.at] if other is None else sorted([self.wanted.at, other])
        found = {each for at in ats for each in self._of_clock(day, at)}
        return sorted(each for each in found if each > self.now)

    def _of_clock(self, day: date, at: time) -> list[datetime]:
        if at == time():
            # Where the clock skips midnight, the day begins later.
            return [midnight(day, self.zone).astimezone(UTC)]
        local = datetime.combine(day, at)
        # PEP 495: the offsets of both folds differ where the clocks skip or repeat this time.
        both = [local.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        if both[0] > both[1] and both[0] > self.now:
            # The clocks skip this time.
            raise BadQuestion(
                f"{local:%Y-%m-%d %H:%M} does not exist in {zone_name(self.zone)}, where the clocks "
                "go forward.",
                self._words(both[0]),
            )
        return both

    def _words(self, end: datetime) -> str:
        return end_words(end, self.zone, with_offset=self.wanted.zone is not None)

    def _on(self, day: date) -> datetime | None:
        """The instant of the end on that day; None where it has passed. Raises BadQuestion where it
        may be in the morning or in the evening.
        """
        ends = self._instants(day)
        if self.wanted.is_bare and len(ends) > 1:
            one, other = (f"{end.astimezone(self.zone):%H:%M}" for end in (ends[0], ends[-1]))
            message = f"“{self.wanted.at.hour}” may mean {one} or {other}."
            raise BadQuestion(message, self._words(ends[0]))
        return ends[0] if ends else None

    def _only(self, day: date) -> EndReadings:
        """The end on that day. Raises BadQuestion where it has passed."""
        end = self._on(day)
        if end is None:
            local = datetime.combine(day + DAY if self.wanted.is_midnight else day, self.wanted.at)
            raise BadQuestion(f"{local:%Y-%m-%d %H:%M} has passed.", "2h")
        return self._with_other(end)

    def _first(self, days: Iterator[date]) -> EndReadings:
        return self._with_other(next(end for day in days if (end := self._on(day))))

    def _with_other(self, end: datetime) -> EndReadings:
        """With the second instant where the clock shows that time twice."""
        local = end.astimezone(self.zone)
        second = local.replace(fold=1).astimezone(UTC)
        return EndReadings(end, second if second > end else None)

    def _days_of_month(self) -> Iterator[date]:
        # Of fourteen months several have a 31st.
        for ahead in range(14):
            month = months_later(month_first(self.today), ahead)
            last = months_later(month, 1) - DAY
            day = self.wanted.day_of_month
            if day <= last.day and month.replace(day=day) >= self.today:
                yield month.replace(day=day)

    def _date(self, named: date) -> EndReadings:
        return self._only(
            self._as_weekday(self._of_year(named) if self.wanted.is_yearly else named)
        )

    def _as_weekday(self, day: date) -> date:
        """The day. Raises BadQuestion where it is another weekday than was typed with it."""
        weekday = WEEKDAYS[day.weekday()].capitalize()
        if self.wanted.weekday and DAY_NUMBERS[self.wanted.weekday] != day.weekday():
            right = f"until {day} {self.wanted.at:%H:%M}"
            raise BadQuestion(f"{day.day} {day:%b %Y} is a {weekday}.", right)
        return day

    def _of_year(self, named: date) -> date:
        """The next such date, 29 February in a leap year."""
        first = self.today.year
        for year in range(first, first + 9):
            try:
                day = named.replace(year=year)
            except ValueError:
                continue
            if day >= self.today:
                break
            if year == first and self.today - day < LONG_PAST:
                later = f"until {named:{year + 1}-%m-%d}"
                raise BadQuestion(f"{day} has passed.", later)
        return day

    def _next_time(self) -> EndReadings:
        """When the clock shows that time next."""
        other = self.other_at
        if other is None:
            return self._first(self.today + n * DAY for n in range(3))
        plain = replace(self.wanted, is_bare=False)
        readings = replace(self, wanted=plain).readings()
        if replace(self, wanted=replace(plain, at=other)).readings().end < readings.end:
            message = f"“{plain.at.hour}” may mean {other:%H:%M} or {plain.at:%H:%M}."
            raise BadQuestion(message, f"until {other:%H:%M}")
        return readings

    def _tomorrow(self) -> EndReadings:
        local = self.now.astimezone(self.zone)
        if local.time() < NIGHT_ENDS <= self.wanted.at and not self.wanted.is_bare:
            end = self._on(local.date())
            return (
                EndReadings(end, self._on(local.date() + DAY)) if end else self._only(local.date())
            )
        return self._only(local.date() + DAY)

    def _weekday(self) -> EndReadings:
        wanted = self.wanted
        number = DAY_NUMBERS[wanted.day]
        ahead = (number - self.today.weekday()) % 7
        nearest = self.today + ahead * DAY
        if wanted.is_next_week:
            return self._only(self.today + (7 - self.today.weekday() + number) * DAY)
        if not ahead and wanted.is_next:
            return self._only(nearest + 7 * DAY)
        end = self._on(nearest)
        if end is None:
            return self._only(nearest + 7 * DAY)
        # Said on that very day, it may be the day itself or the one a week later; and `next friday`
        # on a Wednesday may be that of the next week.
        is_this_week = number >= self.today.weekday()
        if not ahead or (wanted.is_next and is_this_week):
            return EndReadings(end, self._on(nearest + 7 * DAY))
        return self._with_other(end)
