"""Schedules by their next due time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.rule import EvaluationTimes
from bot.schedules.due import Due, ScheduleEntry, due_now
from bot.schedules.timetable import Timetable

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
