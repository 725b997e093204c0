"""When a schedule is due: through both daylight-saving changes, a leap day, downtime, and clocks
that are set back.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.schedules.cron import read_cron
from bot.schedules.due import Due, ScheduleEntry, due_now, next_due
from bot.schedules.recurrence import cron_in_words

DUBLIN = ZoneInfo("Europe/Dublin")


def entry(cron: str, seen_until: datetime, zone: ZoneInfo = DUBLIN) -> ScheduleEntry:
    trigger = read_cron(cron, zone)
    assert trigger is not None
    return ScheduleEntry("morning", trigger, seen_until)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def instants(cron: str, start: datetime, count: int, zone: ZoneInfo = DUBLIN) -> list[str]:
    trigger = read_cron(cron, zone)
    found = list[str]()
    at = start
    assert trigger is not None
    for _ in range(count):
        due = next_due(trigger, at)
        assert due is not None
        found.append(f"{due.astimezone(zone):%a %d %b %H:%M}")
        at = due
    return found


def test_nine_on_weekdays() -> None:
    assert instants("0 9 * * mon-fri", utc(2026, 11, 26, 12), 3) == [
        "Fri 27 Nov 09:00",
        "Mon 30 Nov 09:00",
        "Tue 01 Dec 09:00",
    ]
    assert instants("0 9 * * 1-5", utc(2026, 11, 26, 12), 2) == [
        "Fri 27 Nov 09:00",
        "Mon 30 Nov 09:00",
    ]


def test_nine_oclock_stays_nine_across_dst() -> None:
    assert instants("0 9 * * *", utc(2026, 10, 24, 0), 3) == [
        "Sat 24 Oct 09:00",
        "Sun 25 Oct 09:00",
        "Mon 26 Oct 09:00",
    ]
    assert instants("0 9 * * *", utc(2027, 3, 27, 0), 3) == [
        "Sat 27 Mar 09:00",
        "Sun 28 Mar 09:00",
        "Mon 29 Mar 09:00",
    ]


def test_dst_change_neither_doubles_nor_loses_digest() -> None:
    """01:30 occurs twice on 25 October; on 28 March the clocks go from 01:00 to 02:00."""
    assert instants("30 1 * * *", utc(2026, 10, 24, 12), 2) == [
        "Sun 25 Oct 01:30",
        "Mon 26 Oct 01:30",
    ]
    assert instants("0 * * * *", utc(2026, 10, 24, 23, 30), 3) == [
        "Sun 25 Oct 01:00",
        "Sun 25 Oct 01:00",
        "Sun 25 Oct 02:00",
    ]
    forward = instants("30 1 * * *", utc(2027, 3, 27, 12), 2)
    assert forward[1] == "Mon 29 Mar 01:30"
    assert forward[0].startswith("Sun 28 Mar")


def test_last_day_of_february_in_leap_year() -> None:
    assert instants("0 9 29 2 *", utc(2026, 1, 1), 2) == ["Tue 29 Feb 09:00", "Sun 29 Feb 09:00"]


def test_nothing_is_due_before_its_time() -> None:
    daily = entry("0 9 * * *", utc(2026, 11, 25, 8))
    assert due_now([daily], utc(2026, 11, 25, 8, 59, 59)) == []
    assert due_now([daily], utc(2026, 11, 25, 9)) == [Due("morning", utc(2026, 11, 25, 9), 0)]
    assert due_now([daily], utc(2026, 11, 25, 9, 0, 1)) == []


def test_three_days_of_downtime_are_one_digest() -> None:
    hourly = entry("0 * * * *", utc(2026, 11, 22, 9))
    assert due_now([hourly], utc(2026, 11, 25, 9, 20)) == [Due("morning", utc(2026, 11, 25, 9), 71)]
    assert due_now([hourly], utc(2026, 11, 25, 10)) == [Due("morning", utc(2026, 11, 25, 10), 0)]


@pytest.mark.parametrize("cron", ["* * * * *", "*/5 * * * *"])
def test_year_of_downtime_catches_up_to_latest(cron: str) -> None:
    often = entry(cron, utc(2025, 11, 25))
    [found] = due_now([often], utc(2026, 11, 25, 9, 20, 30))
    assert found.at == utc(2026, 11, 25, 9, 20)


def test_clock_put_back_makes_nothing_due() -> None:
    often = entry("* * * * *", utc(2026, 11, 25, 9))
    assert due_now([often], utc(2026, 11, 25, 9, 10))
    for minute in range(5, 11):
        assert due_now([often], utc(2026, 11, 25, 9, minute)) == []
    assert due_now([often], utc(2026, 11, 25, 9, 11)) == [
        Due("morning", utc(2026, 11, 25, 9, 11), 0)
    ]


def test_every_instant_is_due_once() -> None:
    often = entry("*/7 * * * *", utc(2026, 10, 25, 0))
    now = utc(2026, 10, 25, 0)
    found = list[datetime]()
    while now < utc(2026, 10, 25, 4):
        now += timedelta(seconds=13)
        found += [due.at for due in due_now([often], now)]
    assert len(found) == len(set(found))
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("0 9 * * 1-5", "at 09:00 on weekdays"),
        ("30 8 * * *", "at 08:30 every day"),
        ("0 9 * * mon", "at 09:00 on Mondays"),
        ("0 17 * * 1,fri", "at 17:00 on Mondays and Fridays"),
        ("0 10 * * 6,0", "at 10:00 on weekends"),
        ("0 9 * * 0", "at 09:00 on Sundays"),
        ("*/15 * * * *", "cron `*/15 * * * *`"),
        ("0 9 1 * *", "cron `0 9 1 * *`"),
        ("0 9 * * 12", "cron `0 9 * * 12`"),
        ("0 9 * * sun-thu", "cron `0 9 * * sun-thu`"),
    ],
)
def test_cron_is_shown_in_words(expression: str, words: str) -> None:
    assert cron_in_words(expression) == words
