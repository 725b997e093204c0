"""When something is due, and what of it was missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from bot.schedules.cron import read_cron as read_cron


class Trigger(Protocol):
    """When something happens next."""

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None: ...


def next_due(trigger: Trigger, after: datetime) -> datetime | None:
    """The first instant of the trigger behind `after`, in UTC."""
    found = trigger.get_next_fire_time(None, after + timedelta(microseconds=1))
    return found.astimezone(UTC) if found else None


@dataclass(slots=True)
class Entry:
    """One schedule in a timetable: its name, when it is due, and until when it has been looked
    after.
    """

    name: str
    trigger: Trigger
    last_handled_at: datetime
    due: datetime | None = field(init=False)

    def __post_init__(self) -> None:
        self.due = next_due(self.trigger, self.last_handled_at)


@dataclass(frozen=True, slots=True)
class Due:
    """A schedule whose time has come, and how many earlier instants were passed over
    for this one.
    """

    name: str
    at: datetime
    passed_over: int


def due_now(entries: Sequence[Entry], now: datetime) -> list[Due]:
    """What is due. Of several instants that were missed only the latest is; the entries then look
    behind it.

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
            entry.last_handled_at = latest
            found.append(Due(entry.name, latest, missed))
    return found


# A schedule of every minute that lay for months is not counted through to the end.
MOST_MISSED = 10_000
