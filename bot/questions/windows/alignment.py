"""Aligns two windows for a fair comparison: the same hours of two days, the elapsed part of both,
or averages if their lengths differ (pure).
"""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta

from msgspec import Struct
from msgspec.structs import replace

from bot import formatting
from bot.questions.windows.calendar import DAY, Reading, midnight, months_later
from bot.questions.windows.lengths import Length
from bot.questions.windows.reading import ParsedWindow, window_between
from providers.models import Window

# Months, quarters and years have a length of their own; these count as equally long.
SIMILAR = 0.9
SHORTEST_MONTH = timedelta(days=27)
# Days are longer or shorter by an hour where clocks change, and in few places by less.
CLOCK_CHANGE = timedelta(hours=1)
# Windows of so many days or fewer may hold more weekends than the other.
FEW_DAYS = range(2, 28)


class Comparison(Struct, frozen=True):
    """Two windows as they are compared. `current` is measured against `previous`; `first` is the
    first window as it was named, and `basis` says in words what is compared.

    `unit` is empty where totals are compared, else the averages of a `day` or an `hour` are.
    `obstacle` says why nothing can be compared, and `instead` has the words of two windows that
    can be.
    """

    first: ParsedWindow
    current: ParsedWindow
    previous: ParsedWindow
    basis: str
    unit: str = ""
    obstacle: str = ""
    instead: str = ""

    @property
    def is_never_known(self) -> bool:
        """Whether today, of which only whole days are known, is one of the windows: asked again
        tomorrow, the same words cannot be compared either.
        """
        return bool(self.instead) and self.first.named.length <= DAY + CLOCK_CHANGE

    @property
    def window(self) -> ParsedWindow:
        """The current window, with both windows in its label."""
        return replace(self.current, label=self.label)

    @property
    def label(self) -> str:
        """How both windows were read: `1 to 26 Nov 2026 vs. 1 to 26 Oct 2026 (UTC)`."""
        return f"{self.current_label} vs. {self.previous.label}"

    @property
    def current_label(self) -> str:
        """The current window without the zone that both labels name."""
        zone = self.previous.label.rpartition(" (")[2]
        return self.current.label.removesuffix(f" ({zone}")

    @property
    def previous_label(self) -> str:
        return self.previous.label.partition(" (")[0]

    def units(self, window: Window) -> float:
        """How many units are averaged over; 1 where totals are compared."""
        lengths = {"day": DAY, "hour": timedelta(hours=1)}
        return window.length / lengths[self.unit] if self.unit else 1

    def until(self, end: datetime, why: str, reading: Reading) -> Comparison:
        """The same up to an instant of one of the windows, beyond which nothing is known, and up to
        the same place of the other. The reason is added to the basis.
        """
        inside = [
            window
            for each in (self.current, self.previous)
            if (window := each.window).start < end < window.end
        ]
        if not inside:
            return self
        parts = [self.current, self.previous]
        if self.unit:
            parts = [_cut(each, end, reading) if each.window in inside else each for each in parts]
        else:
            offset = _offset(inside[0].start, end, reading)
            parts = [_cut(each, _moved(each, offset, reading), reading) for each in parts]
        current, previous = parts
        return replace(self, current=current, previous=previous, basis=f"{self.basis} {why}")


def aligned(first: ParsedWindow, second: ParsedWindow, reading: Reading) -> Comparison:
    """The parts of two windows to compare. Of a window that is not over, only the elapsed part
    counts, and as much of the other. Raises BadQuestion if both are the same.
    """
    if first.named == second.named:
        raise reading.refused("Both windows are the same")
    limit = midnight(reading.today, reading.zone) if reading.whole_days else reading.now
    for each in (first, second):
        if each.window.start >= limit:
            obstacle = "Today is not over, and data usage is recorded by whole days."
            if not reading.whole_days:
                obstacle = f"Nothing of {each.label} is over yet."
            return Comparison(first, first, second, "", obstacle=obstacle)
    found = _same_hours(first, second, limit, reading)
    if found is None and _is_like(first, second, reading):
        found = _same_length(first, second, limit, reading)
    found = found or _averages(first, second, limit, reading)
    found = replace(found, basis=f"{found.basis}{_clock_change(found)}")
    one = found.current.window
    two = found.previous.window
    if one.start < two.end and two.start < one.end:
        return replace(found, basis=f"{found.basis} The windows overlap.")
    return found


def _clock_change(found: Comparison) -> str:
    """A remark where one window is longer than the other because the clocks change in it."""
    if found.unit:
        return ""
    longer = found.current
    shorter = found.previous
    if longer.window.length < shorter.window.length:
        longer, shorter = shorter, longer
    difference = longer.window.length - shorter.window.length
    if not timedelta(minutes=1) < difference <= CLOCK_CHANGE:
        return ""
    label = longer.label.partition(" (")[0]
    return (
        f" {label} is {formatting.format_duration(difference)} longer, because the clocks change."
    )


def window_before(window: ParsedWindow, reading: Reading) -> ParsedWindow:
    """The window before this one: the month before a month, or as many days or hours."""
    return moved_back(window, _own_length(window, reading), reading)


def moved_back(window: ParsedWindow, length: Length, reading: Reading) -> ParsedWindow:
    """The same window moved back, at the same time of day. Whole months stay whole months;
    otherwise the number of days is kept, even if a month is shorter.
    """
    start, end = (_back(each, length, reading) for each in (window.named.start, window.named.end))
    days = _own_length(window, reading).days
    if window.by_day and length.months and days is not None:
        last = start.astimezone(reading.zone).date() + timedelta(days=days)
        end = midnight(last, reading.zone)
    return window_between(start, max(end, start + timedelta(milliseconds=1)), reading)


def on_day(window: ParsedWindow, day: date, reading: Reading) -> ParsedWindow:
    """The same hours from another day on."""
    days = (window.named.start.astimezone(reading.zone).date() - day).days
    return moved_back(window, Length(days * 86_400, is_daily=True), reading)


def _own_length(window: ParsedWindow, reading: Reading) -> Length:
    start, end = (each.astimezone(reading.zone) for each in _edges(window.named))
    if window.by_day:
        months = (end.year - start.year) * 12 + end.month - start.month
        if months and start.day == end.day == 1 and end.time() == time():
            return Length(months=months)
        days = (end.date() - start.date()).days + (end.time() > time())
        return Length(days * 86_400, is_daily=True)
    return Length(window.named.length.total_seconds())


def _edges(window: Window) -> tuple[datetime, datetime]:
    return window.start, window.end


def _back(moment: datetime, length: Length, reading: Reading) -> datetime:
    """The moment so much earlier. Days keep the time of day where the clocks have changed."""
    local = moment.astimezone(reading.zone)
    if length.months:
        return _at(months_later(local.date(), -length.months), local.time(), reading)
    if length.days is not None:
        return _at(local.date() - timedelta(days=length.days), local.time(), reading)
    return moment - timedelta(seconds=length.seconds)


def _at(day: date, clock: time, reading: Reading) -> datetime:
    """A local time. One that the clocks skip is as long after the preceding midnight."""
    if clock == time():
        return midnight(day, reading.zone)
    return datetime.combine(day, clock, reading.zone)


Hours = tuple[time, time | None]


def _same_hours(
    first: ParsedWindow, second: ParsedWindow, limit: datetime, reading: Reading
) -> Comparison | None:
    """A day, or hours of one, against another day: the hours that both have. None for anything
    else.
    """
    days = [_day_of(each.named, reading) for each in (first, second)]
    whole = [_is_whole_day(each.named, reading) for each in (first, second)]
    if None in days or not any(whole) or days[0] == days[1]:
        return None
    over = [_hours(each, limit, reading) for each in (first, second)]
    start = max(begin for begin, _ in over)
    end = min((end for _, end in over if end is not None), default=None)
    if end is not None and end <= start:
        return None
    parts = []
    for day in days:
        assert day is not None
        last = midnight(day + DAY, reading.zone) if end is None else _at(day, end, reading)
        parts.append(window_between(_at(day, start, reading), last, reading))
    current, previous = parts
    if start == time() and end is None:
        return Comparison(first, current, previous, "Both days are compared whole.")
    shown = f"{start:%H:%M} to {end:%H:%M}" if end else f"{start:%H:%M} to 24:00"
    basis = f"The same hours of both days are compared: {shown}."
    return Comparison(first, current, previous, basis)


def _day_of(window: Window, reading: Reading) -> date | None:
    """The one local day in which the window lies."""
    first = window.start.astimezone(reading.zone).date()
    last = (window.end - timedelta(microseconds=1)).astimezone(reading.zone).date()
    return first if first == last else None


def _is_whole_day(window: Window, reading: Reading) -> bool:
    day = window.start.astimezone(reading.zone).date()
    return _edges(window) == (midnight(day, reading.zone), midnight(day + DAY, reading.zone))


def _hours(window: ParsedWindow, limit: datetime, reading: Reading) -> Hours:
    """The hours of its day that are over; None where they reach its end."""
    start = window.named.start.astimezone(reading.zone)
    end = min(window.named.end, limit).astimezone(reading.zone)
    return start.time(), None if end.date() > start.date() else end.time()


def _is_like(first: ParsedWindow, second: ParsedWindow, reading: Reading) -> bool:
    """Whether both are alike: equally long except for the lengths of months, or one begins like the
    other and is not over.
    """
    if _is_similar(first.named, second.named):
        return True
    (shorter, longer) = sorted((first, second), key=lambda each: each.named.length)
    return (
        shorter.by_day
        and longer.by_day
        and shorter.window.end >= _midnight_before(reading)
        and _begins_alike(shorter, longer, reading)
    )


def _is_similar(one: Window, two: Window) -> bool:
    shorter, longer = sorted((one.length, two.length))
    if shorter >= SHORTEST_MONTH:
        return shorter >= longer * SIMILAR
    return longer - shorter <= (CLOCK_CHANGE if shorter >= DAY - CLOCK_CHANGE else timedelta())


def _midnight_before(reading: Reading) -> datetime:
    """A window that reaches into today is not over."""
    return midnight(reading.today, reading.zone) + timedelta(milliseconds=1)


def _begins_alike(shorter: ParsedWindow, longer: ParsedWindow, reading: Reading) -> bool:
    """`since monday` begins like `last week`, `since Nov 1` like `last month`."""
    one, two = (each.named.start.astimezone(reading.zone) for each in (shorter, longer))
    days = round(longer.named.length / DAY)
    if days <= 7:
        return days == 7 and one.weekday() == two.weekday()
    return one.day == two.day == 1


class _Offset(Struct, frozen=True):
    """A distance by the calendar: days, and the time of day."""

    days: int
    clock: timedelta

    def __lt__(self, other: _Offset) -> bool:
        return (self.days, self.clock) < (other.days, other.clock)


def _same_length(
    first: ParsedWindow, second: ParsedWindow, limit: datetime, reading: Reading
) -> Comparison:
    both = (first, second)
    if _is_similar(first.named, second.named) and all(each.named.end <= limit for each in both):
        days = [round(each.named.length / DAY) for each in both]
        basis = "Both windows are compared whole."
        if days[0] != days[1]:
            basis = (
                f"Totals are compared, of {formatting.pluralise(days[0], 'day')} with those of "
                f"{formatting.pluralise(days[1], 'day')}."
            )
        return Comparison(
            first, first, second, f"{basis}{_weekdays(first, second, reading)}".strip()
        )
    ends = [min(each.named.end, limit) for each in both]
    offset = min(
        _offset(each.named.start, end, reading) for each, end in zip(both, ends, strict=True)
    )
    current, previous = (_cut(each, _moved(each, offset, reading), reading) for each in both)
    basis = f"Only what is over is compared: the first {_offset_text(offset)} of both windows."
    return Comparison(
        first, current, previous, f"{basis}{_weekdays(current, previous, reading)}".strip()
    )


def _averages(
    first: ParsedWindow, second: ParsedWindow, limit: datetime, reading: Reading
) -> Comparison:
    current, previous = (
        _cut(each, min(each.named.end, limit), reading) for each in (first, second)
    )
    unit = "day" if min(current.window.length, previous.window.length) >= DAY else "hour"
    lengths = " and ".join(_length(each.window) for each in (current, previous))
    basis = (
        f"The windows are of different lengths ({lengths}), so averages per {unit} are compared."
    )
    return Comparison(first, current, previous, basis, unit=unit)


def _length(window: Window) -> str:
    days = window.length / DAY
    if days < 1:
        return formatting.format_duration(window.length)
    return formatting.pluralise(round(days), "day")


def _weekdays(current: ParsedWindow, previous: ParsedWindow, reading: Reading) -> str:
    """A remark where one window may hold more weekends than the other."""
    days = math.ceil(current.window.length / DAY)
    one, two = (
        each.window.start.astimezone(reading.zone).weekday() for each in (current, previous)
    )
    if not (current.by_day and days in FEW_DAYS and days % 7 and one != two):
        return ""
    return " The windows hold different weekdays."


def _offset(start: datetime, end: datetime, reading: Reading) -> _Offset:
    begin, last = (each.astimezone(reading.zone) for each in (start, end))
    days = (last.date() - begin.date()).days
    clock = datetime.combine(date.min, last.time()) - datetime.combine(date.min, begin.time())
    return _Offset(days, clock) if clock >= timedelta() else _Offset(days - 1, clock + DAY)


def _moved(window: ParsedWindow, offset: _Offset, reading: Reading) -> datetime:
    """The place in the window, which is not beyond its end."""
    start = window.named.start.astimezone(reading.zone)
    day = start.date() + timedelta(days=offset.days)
    clock = datetime.combine(day, start.time()) + offset.clock
    return min(_at(clock.date(), clock.time(), reading), window.named.end)


def _cut(window: ParsedWindow, end: datetime, reading: Reading) -> ParsedWindow:
    start = window.named.start
    return window_between(start, max(end, start + timedelta(milliseconds=1)), reading)


def _offset_text(offset: _Offset) -> str:
    if offset.clock == timedelta():
        return formatting.pluralise(offset.days, "day")
    if not offset.days:
        return formatting.format_duration(offset.clock)
    hours = formatting.format_duration(max(offset.clock, timedelta(seconds=90)))
    return f"{formatting.pluralise(offset.days, 'day')} and {hours}"
