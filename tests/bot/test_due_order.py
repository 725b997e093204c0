"""Schedules ordered by their next due time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.rule import EvaluationTimes
from bot.schedules.due import Due, ScheduleEntry, due_now
from bot.schedules.timetable import Timetable
from handlers.jobs.pruning import Pruning
from handlers.jobs.scheduler import Job, Scheduler

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def entry(name: str, minutes: int, at: datetime = NOON) -> ScheduleEntry:
    return ScheduleEntry(name, EvaluationTimes(timedelta(minutes=minutes)), at)


def due(timetable: Timetable, now: datetime) -> list[Due]:
    def fail(name: str, error: Exception) -> None:
        raise AssertionError(name) from error

    return timetable.due(now, fail)


@given(
    st.lists(st.integers(1, 20), max_size=8),
    st.lists(st.integers(0, 50), max_size=10).map(sorted),
)
def test_timetable_agrees_with_a_full_scan(every: list[int], scans: list[int]) -> None:
    timetable = Timetable()
    entries = [entry(f"rule-{n}", minutes) for n, minutes in enumerate(every)]
    for each in entries:
        timetable.add(ScheduleEntry(each.name, each.trigger, each.last_handled_at))
    for minutes in scans:
        now = NOON + minutes * MINUTE
        found = sorted(due(timetable, now), key=lambda each: each.name)
        assert found == sorted(due_now(entries, now), key=lambda each: each.name)


def test_replaced_entry_is_due_once() -> None:
    timetable = Timetable()
    timetable.add(entry("rule", 5))
    timetable.add(entry("rule", 5))
    timetable.add(entry("another", 5))
    timetable.remove("another")
    assert due(timetable, NOON + 5 * MINUTE) == [Due("rule", NOON + 5 * MINUTE, 0)]
    assert set(timetable.names) == {"rule"}


def test_reset_continues_from_now() -> None:
    timetable = Timetable()
    timetable.add(entry("rule", 5, NOON + timedelta(days=1)))
    assert timetable.was_handled_after(NOON)
    assert timetable.reset(NOON) == timedelta(days=1)
    assert not timetable.was_handled_after(NOON)
    assert due(timetable, NOON + 5 * MINUTE) == [Due("rule", NOON + 5 * MINUTE, 0)]


DAY = timedelta(days=1)


@dataclass
class SetClock:
    """A clock that a test sets and a shared database may correct, and the actions of a scheduler
    that uses it.
    """

    ahead: timedelta = timedelta(0)
    correction: timedelta = timedelta(0)
    has_reference: bool = True
    ran: list[datetime] = field(default_factory=list)
    resets: list[datetime] = field(default_factory=list)

    def __call__(self) -> datetime:
        return NOON + self.ahead - self.correction

    async def compare(self) -> None:
        self.correction = self.ahead if self.has_reference else timedelta(0)

    async def run(self, due: Due) -> None:
        self.ran.append(due.at)

    async def reset(self, now: datetime) -> None:
        self.resets.append(now)

    async def last_handled(self, now: datetime) -> datetime:
        return now

    async def nothing(self, *_: object) -> None:
        return None

    async def scheduler(self) -> Scheduler:
        found = Scheduler(
            None,  # type: ignore[arg-type]
            self,
            [],
            Pruning(self.nothing, self.nothing, self.nothing),
            self.nothing,
            reset_stored=self.reset,
            compare_clocks=self.compare,
        )
        trigger = EvaluationTimes(timedelta(minutes=5))
        await found.add(Job("rule", trigger, self.run, self.last_handled))
        await found._tick()
        return found

    async def tick(self, scheduler: Scheduler, ahead: timedelta) -> None:
        self.ahead = ahead
        await scheduler._tick()
        await asyncio.gather(*(run.task for run in [*scheduler._running.values()]))


@pytest.mark.parametrize("jump", [DAY, -DAY, timedelta(minutes=20)], ids=str)
async def test_jump_of_clock_is_compared_before_anything_runs(jump: timedelta) -> None:
    clock = SetClock()
    scheduler = await clock.scheduler()
    for ahead in (jump, jump, timedelta(0)):
        await clock.tick(scheduler, ahead)
    assert (clock.ran, clock.resets) == ([], [])


async def test_clock_without_reference_is_believed() -> None:
    """As after a machine with a file database was suspended."""
    clock = SetClock(has_reference=False)
    scheduler = await clock.scheduler()
    await clock.tick(scheduler, DAY)
    assert clock.ran == [NOON + DAY]
    await clock.tick(scheduler, timedelta(0))
    assert clock.resets == [NOON]
