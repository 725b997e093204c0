"""Which schedules are due, and how many due times were missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from msgspec import Struct


class Trigger(Protocol):
    """A schedule: when it is due next."""

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None: ...


def next_due(trigger: Trigger, after: datetime) -> datetime | None:
    """The first due time after `after`, in UTC."""
    # The trigger includes its start, and what was handled then must not be due again.
    found = trigger.get_next_fire_time(None, after + timedelta(microseconds=1))
    return found.astimezone(UTC) if found else None


@dataclass(slots=True)
class ScheduleEntry:
    """One schedule of the scheduler: its name, the last due time that was handled, and the next."""

    name: str
    trigger: Trigger
    last_handled_at: datetime
    due: datetime | None = field(init=False)

    def __post_init__(self) -> None:
        self.due = next_due(self.trigger, self.last_handled_at)


class Due(Struct, frozen=True):
    """A schedule that is due, and how many earlier due times were skipped for this one."""

    name: str
    at: datetime
    passed_over: int


def due_now(entries: Sequence[ScheduleEntry], now: datetime) -> list[Due]:
    """The schedules that are due. Of several missed due times only the latest counts, and each
    entry moves on to the one after it.

    A clock that is set back makes nothing due again, because handled due times stay handled.
    """
    found = []
    for entry in entries:
        latest = None
        missed = -1
        while entry.due is not None and entry.due <= now:
            latest = entry.due
            missed += 1
            entry.due = next_due(entry.trigger, latest)
            if missed > MOST_MISSED:
                # Two days before now: close enough to end, far enough for any schedule that is
                # daily.
                entry.due = next_due(entry.trigger, max(latest, now - timedelta(days=2)))
        if latest is not None:
            entry.last_handled_at = latest
            found.append(Due(entry.name, latest, missed))
    return found


# A schedule of every minute that was missed for months is not counted to the end.
MOST_MISSED = 10_000
