"""Cron minute by minute, as crontab(5) describes it, without the library that the bot uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

WEEKDAYS = {
    name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))
}
MONTHS = {
    name: number + 1
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
    )
}
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Fields:
    """The numbers that each field names, and whether both day fields are restricted."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    follows_the_clock: bool

    def is_day(self, day: date) -> bool:
        by_date = day.day in self.days
        by_weekday = day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (
            by_date or by_weekday if self.either_day else by_date and by_weekday
        )


def fields(expression: str) -> Fields:
    minute, hour, day, month, weekday = expression.lower().split()
    return Fields(
        _numbers(minute, 0, 59),
        _numbers(hour, 0, 23),
        _numbers(day, 1, 31),
        _numbers(month, 1, 12, MONTHS),
        frozenset(number % 7 for number in _numbers(weekday, 0, 7, WEEKDAYS)),
        not day.startswith("*") and not weekday.startswith("*"),
        minute.startswith("*") or hour.startswith("*"),
    )


def _numbers(text: str, least: int, most: int, names: Mapping[str, int] = {}) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        low = least if span == "*" else names[first] if first in names else int(first)
        high = (
            most
            if span == "*" or (step and not last)
            else low
            if not last
            else names[last]
            if last in names
            else int(last)
        )
        found.update(
            range(low, (7 if names is WEEKDAYS and high == 0 < low else high) + 1, int(step or 1))
        )
    return frozenset(found)


def due_times(expression: str, zone: tzinfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """The instants from `start` on at which the expression is due, in UTC, found by checking every
    minute of every due day.
    """
    wanted = fields(expression)
    day = start.astimezone(zone).date()
    last = end.astimezone(zone).date()
    while day <= last:
        if wanted.is_day(day):
            yield from (at for at in _on_day(wanted, day, zone) if start <= at < end)
        day += timedelta(days=1)


def _on_day(wanted: Fields, day: date, zone: tzinfo) -> Iterator[datetime]:
    done: set[datetime] = set()
    for at, shown, skipped in _minutes(day, zone):
        if shown.minute not in wanted.minutes and not skipped:
            continue
        if wanted.follows_the_clock:
            due = [shown] if _matches(wanted, shown) else []
        else:
            due = [
                each for each in (*skipped, shown) if _matches(wanted, each) and each not in done
            ]
            done.update(due)
        if due:
            yield at


@lru_cache(maxsize=1024)
def _minutes(day: date, zone: tzinfo) -> Sequence[tuple[datetime, datetime, Sequence[datetime]]]:
    """Every minute of a day: the instant, its local time, and the local times that the clock has
    just skipped.
    """
    at = datetime.combine(day, time(), zone).astimezone(UTC)
    found = []
    before = (at - MINUTE).astimezone(zone).replace(tzinfo=None)
    while (shown := at.astimezone(zone).replace(tzinfo=None)).date() <= day:
        skipped: list[datetime] = []
        if shown - before > MINUTE:
            missing = (before + n * MINUTE for n in range(1, (shown - before) // MINUTE))
            skipped = [each for each in missing if each.date() == day]
        found.append((at, shown, skipped))
        before = shown
        at = at + MINUTE
    return found


def _matches(wanted: Fields, shown: datetime) -> bool:
    return shown.minute in wanted.minutes and shown.hour in wanted.hours
