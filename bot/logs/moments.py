"""The instants of minutes. If the times of a log leave something out, they depend on the log's
window.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from bot.logs.calendar_names import SHARED_ZONES
from bot.logs.time_forms import Minute


def moment_of(minute: Minute, start: datetime, end: datetime) -> datetime | None:
    """The instant of a minute of a log that was asked for from `start` to `end`; None where it
    is unknown.

    What the log leaves out is chosen so that the instant is not after the end: the year, and the
    day. Where two readings are left, it is the one in the window. Times without a zone are UTC.
    """
    clock, zone = minute
    if clock[:1].isdigit() and b"/" not in clock and zone not in SHARED_ZONES:
        return _whole(minute)
    return _likeliest(minute, start, end)


# A report asks for each minute of a day twice.
@lru_cache(maxsize=4096)
def _whole(minute: Minute) -> datetime | None:
    """The instant of a minute that leaves nothing out, whatever the window is; None if there is
    none.
    """
    clock, zone = minute
    # An unknown region raises KeyError.
    with suppress(ValueError, OverflowError, KeyError):
        return _instant(clock.decode(), zone.decode())
    return None


@lru_cache(maxsize=4096)
def _likeliest(minute: Minute, start: datetime, end: datetime) -> datetime | None:
    readings = [*_readings(minute, start, end)]
    inside = [moment for moment in readings if start - timedelta(minutes=1) < moment < end]
    if inside:
        return inside[0]
    return readings[0] if readings and not minute[0].startswith(b"T") else None


def _readings(minute: Minute, start: datetime, end: datetime) -> Iterator[datetime]:
    clock, zone = minute
    for offset in SHARED_ZONES.get(zone, (zone,)):
        for day_and_clock in _dated(clock.decode(), start, end):
            with suppress(ValueError, OverflowError, KeyError):
                yield _instant(day_and_clock, offset.decode())


def _instant(day_and_clock: str, zone: str) -> datetime:
    if "/" in zone:
        # Few logs name a region, and the import takes memory.
        from zoneinfo import ZoneInfo

        return datetime.fromisoformat(day_and_clock).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    moment = datetime.fromisoformat(day_and_clock + zone)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _dated(clock: str, start: datetime, end: datetime) -> Iterator[str]:
    """The dates and times that a time may mean."""
    if clock.startswith("--"):
        # A day's leeway: clocks and zones differ.
        latest = (end + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
        years = (f"{year:04}-{clock[2:]}" for year in (end.year + 1, end.year, end.year - 1))
        yield from (dated for dated in years if dated <= latest)
    elif clock.startswith("T"):
        day: date = (end + timedelta(hours=14)).date()
        if end - start <= timedelta(days=1):
            yield from (f"{day - timedelta(days=back)}{clock}" for back in range(4))
    elif clock[4] == "/":
        # Between dots, the day is more often first.
        yield f"20{clock[8:10]}-{clock[5:7]}-{clock[2:4]}{clock[10:]}"
        yield clock.replace("/", "-")
    elif "/" in clock:
        year_text = clock[:4]
        rest = clock[5:]
        yield f"{year_text}-{rest[:2]}-{rest[3:]}"
        yield f"{year_text}-{rest[3:5]}-{rest[:2]}{rest[5:]}"
    else:
        yield clock
