"""When something is due: cron expressions as people write them, in a named zone, through daylight-saving changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

from apscheduler.triggers.cron import CronTrigger

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Cron(CronTrigger):  # type: ignore[misc]
    """A cron expression in a zone. An hour that is named comes once a day, also when the clocks go back and the hour comes twice."""

    names_hours = False

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        found: datetime | None = super().get_next_fire_time(previous_fire_time, now)
        if found is not None and self.names_hours and found.astimezone(self.timezone).fold:
            # Behind the hour that comes twice; reckoned in UTC, since local times forget which of the two they are.
            found = super().get_next_fire_time(None, found.astimezone(UTC) + timedelta(hours=1))
        return found


def read_cron(expression: str, zone: tzinfo) -> Cron | None:
    """The trigger of five cron fields, or None where they are none.

    APScheduler counts weekdays from Monday; cron counts from Sunday, so numbers become names first.
    """
    fields = expression.split()
    if len(fields) != 5:
        return None
    weekdays = re.sub(r"(?<![/\d])[0-7](?!\d)", lambda match: _DAYS[int(match[0])], fields[4].lower())
    try:
        trigger: Cron = Cron.from_crontab(" ".join([*fields[:4], weekdays]), timezone=zone)
    except (ValueError, TypeError, LookupError):
        return None
    trigger.names_hours = not fields[1].startswith("*")
    return trigger


class Trigger(Protocol):
    """When something happens next."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None: ...


def next_due(trigger: Trigger, after: datetime) -> datetime | None:
    """The first instant of the trigger behind `after`, in UTC."""
    found = trigger.get_next_fire_time(None, after + timedelta(microseconds=1))
    return found.astimezone(UTC) if found else None


@dataclass(slots=True)
class Entry:
    """One schedule in a timetable: its name, when it is due, and until when it has been looked after."""

    name: str
    trigger: Trigger
    seen_until: datetime
    due: datetime | None = field(init=False)

    def __post_init__(self) -> None:
        self.due = next_due(self.trigger, self.seen_until)


@dataclass(frozen=True, slots=True)
class Due:
    """A schedule whose time has come, and how many earlier instants were passed over for this one."""

    name: str
    at: datetime
    passed_over: int


def due_now(entries: Sequence[Entry], now: datetime) -> list[Due]:
    """What is due. Of several instants that were missed only the latest is; the entries then look behind it.

    A clock that is put back makes nothing due again, since what was looked after stays behind.
    """
    found = []
    for entry in entries:
        latest, missed = None, -1
        while entry.due is not None and entry.due <= now:
            latest, missed = entry.due, missed + 1
            entry.due = next_due(entry.trigger, latest)
            if missed > MOST_MISSED:
                entry.due = next_due(entry.trigger, max(latest, now - timedelta(days=2)))
        if latest is not None:
            entry.seen_until = latest
            found.append(Due(entry.name, latest, missed))
    return found


# A schedule of every minute that lay for months is not counted through to the end.
MOST_MISSED = 10_000
