"""Cron follows crontab(5): it is compared with an independent check of every minute, through clock
changes of several zones.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.schedules.cron import CronError, CronTrigger, read_cron
from bot.schedules.due import next_due
from tests.support.cron import due_times

EXPRESSIONS = """
* * * * *|*/5 * * * *|*/7 * * * *|0 * * * *|30 * * * *|15,45 * * * *|0-10/5 * * * *|7/20 * * * *|59 * * * *|10-12 * * * *
0 0 * * *|30 1 * * *|0 2 * * *|30 2 * * *|45 1 * * *|15 2 * * *|0 3 * * *|59 23 * * *|10 0 * * *|0 1 * * *
0 9 * * *|0,30 1,2 * * *|0 0,12 * * *|0 0-3 * * *|5 1-5/2 * * *|0 8-18/2 * * *|0 0-23 * * *|15 0-23 * * *|0 4/6 * * *|20,40 2 * * *
0 */2 * * *|0 */6 * * *|5 */3 * * *|* 2 * * *|*/15 3 * * *|*/30 2,3 * * *|*/10 0 * * *|* 1 * * *|*/20 1-3 * * *|45 */1 * * *
0 9 * * mon-fri|0 9 * * 1-5|0 9 * * sun-thu|0 9 * * 0-4|0 9 * * MON|0 9 * * Sun|0 9 * * 0|0 9 * * 7|0 9 * * 0-7|0 9 * * 0,7
0 9 * * 5-7|0 9 * * fri-7|0 9 * * sat,sun|0 9 * * 6,0|0 9 * * */2|0 9 * * */3|0 9 * * */7|0 9 * * 1-5/2|0 9 * * 0-6/2|0 9 * * tue-sat/2
0 0 * * mon|0 0 * * sun|30 1 * * sun|15 2 * * 7|0 2 * * 0|0 1 * * sun|0 3 * * sun|*/30 1 * * sun|0 * * * sun|0 0 * * mon,wed,fri
0 0 1 * *|0 0 15 * *|0 0 31 * *|0 0 30 * *|0 0 29 2 *|0 0 1,15 * *|0 0 1-7 * *|0 0 */2 * *|0 0 */10 * *|0 0 28-31 * *
0 0 1 * mon|0 0 13 * fri|0 0 1,15 * fri|0 0 1-7 * mon|0 0 */2 * mon|0 0 15 * */2|0 0 31 * sun|0 12 10-20/5 * wed-fri|0 0 1 1 mon|0 0 29 2 mon
0 0 1 jan *|0 0 1 JUL *|0 0 * mar *|0 0 1 */3 *|0 0 1 1,4,7,10 *|0 0 * jan-mar mon|0 0 1 6-8 *|0 0 * oct sun|30 1 25 oct *|0 0 9 mar *
30 11-11/1 * * *|0 9 5-5/3 * *|0 9 * 3-3/2 *|0 9 * * wed-wed/2|0 09-9/4 * * *|5-5/7,30 9 * * *|0 9 * * 3-wed/2|0 9 * mar-3/2 *
0 0 29 3 *|30 1 29 3 *|30 2 8 3 *|0 0 1 nov *|30 1 1 11 *|0 0 30 mar *|0 9 * 11 1-5|*/45 * * * *|0 9 1-7 2 *|59 23 31 12 *
""".replace("\n", "|").strip("|").split("|")  # fmt: skip
ZONES = [
    "UTC",
    "America/New_York",
    "Europe/Dublin",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Antarctica/Troll",
    "America/Havana",
]
# Just before the clock changes of 2026 in one of the zones, a leap day, and a new year; so many
# times are compared from each.
STARTS = [datetime(2026, 3, 7, 22, 30), datetime(2026, 3, 28), datetime(2026, 4, 4), datetime(2026, 4, 23, 12), datetime(2026, 10, 3), datetime(2026, 10, 24),
          datetime(2026, 10, 29), datetime(2026, 10, 31), datetime(2027, 12, 31), datetime(2028, 2, 28)]  # fmt: skip
COMPARED = 5


def times(expression: str, zone: ZoneInfo, start: datetime, count: int) -> list[datetime]:
    trigger = CronTrigger(expression, zone)
    found = list[datetime]()
    at = start - timedelta(microseconds=1)
    while len(found) < count and (due := next_due(trigger, at)):
        found.append(due)
        at = due
    return found


@pytest.mark.parametrize("zone", ZONES)
def test_due_times_equal_a_minute_by_minute_search(zone: str) -> None:
    assert len(EXPRESSIONS) >= 100
    for expression, start in itertools.product(
        EXPRESSIONS, (start.replace(tzinfo=UTC) for start in STARTS)
    ):
        until = start + timedelta(days=900)
        expected = list(
            itertools.islice(due_times(expression, ZoneInfo(zone), start, until), COMPARED)
        )
        found = [due for due in times(expression, ZoneInfo(zone), start, COMPARED) if due < until]
        assert found == expected, (expression, start)


@pytest.mark.parametrize(
    "expression", ["*/10 2 * * *", "* 3 * * *", "* 2 * * sun", "*/7 1-3 * * *", "45 */1 * * *"]
)
def test_part_of_an_hour_that_comes_twice_is_due_twice(expression: str) -> None:
    """On Chatham Island the clocks go back from 3:45 to 2:45."""
    zone = ZoneInfo("Pacific/Chatham")
    start = datetime(2026, 4, 4, 11, tzinfo=UTC)
    expected = list(due_times(expression, zone, start, start + timedelta(hours=6)))
    assert times(expression, zone, start, len(expected)) == expected


def clock_changes() -> dict[tuple[tuple[str, str], ...], str]:
    """The instants and offsets of the clock changes of 2026, each with a zone that observes them."""
    noons = [datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=n) for n in range(365)]
    found = dict[tuple[tuple[str, str], ...], str]()
    for name in sorted(each for each in available_timezones() if "/" in each):
        offsets = [noon.astimezone(ZoneInfo(name)).utcoffset() for noon in noons]
        pairs = zip(noons, offsets, offsets[1:], strict=False)
        changes = tuple((noon.isoformat(), f"{a} {b}") for noon, a, b in pairs if a != b)
        if changes:
            found.setdefault(changes, name)
    return found


@pytest.mark.parametrize("expression", ["* 3 * * *", "30 2 * * *", "*/30 0-3 * * *"])
def test_every_clock_change_of_a_year_is_walked_through(expression: str) -> None:
    changes = clock_changes()
    assert len(changes) > 15
    for dates, name in changes.items():
        zone = ZoneInfo(name)
        for noon, _ in dates[:2]:
            start = datetime.fromisoformat(noon) - timedelta(hours=24)
            expected = list(due_times(expression, zone, start, start + timedelta(days=2)))
            assert times(expression, zone, start, len(expected)) == expected, name


@given(st.sampled_from(EXPRESSIONS), st.sampled_from(ZONES), st.integers(0, 3 * 366 * 24 * 3600))
def test_next_time_is_right_from_any_second(expression: str, zone: str, seconds: int) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    until = start + timedelta(days=400)
    expected = next(due_times(expression, ZoneInfo(zone), start, until), None)
    found = CronTrigger(expression, ZoneInfo(zone)).get_next_fire_time(None, start)
    assert (found if found and found < until else None) == expected


@pytest.mark.parametrize(
    ("expression", "zone", "start", "first"),
    [
        ("0 0 * * *", "America/New_York", "2026-03-08T12:00Z", "2026-03-09T04:00"),
        ("0 0 * * mon", "Europe/Dublin", "2026-03-29T12:00Z", "2026-03-29T23:00"),
        ("30 2 * * *", "America/New_York", "2026-03-08T05:00Z", "2026-03-08T07:00"),
        ("30 1 * * *", "Europe/Dublin", "2026-10-25T00:31Z", "2026-10-26T01:30"),
        ("*/30 1 * * *", "Europe/Dublin", "2026-10-25T00:31Z", "2026-10-25T01:00"),
    ],
)
def test_nothing_is_lost_or_doubled_at_clock_changes(
    expression: str, zone: str, start: str, first: str
) -> None:
    due = CronTrigger(expression, ZoneInfo(zone)).get_next_fire_time(
        None, datetime.fromisoformat(start)
    )
    assert due == datetime.fromisoformat(f"{first}Z")


@pytest.mark.parametrize(
    ("nickname", "expression"),
    [
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * 0"),
        ("@daily", "0 0 * * *"),
        ("@Midnight", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
    ],
)
def test_nicknames_are_read(nickname: str, expression: str) -> None:
    start = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
    assert times(nickname, ZoneInfo("Europe/Dublin"), start, 3) == times(
        expression, ZoneInfo("Europe/Dublin"), start, 3
    )


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("", "0 fields"),
        ("* * * *", "4 fields"),
        ("* * * * * *", "6 fields"),
        ("60 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day of month"),
        ("* * 32 * *", "day of month"),
        ("* * * 13 *", "month"),
        ("* * * 0 *", "month"),
        ("* * * * 8", "weekday"),
        ("* * * * fun", "weekday"),
        ("* * * * 5L", "weekday"),
        ("* * * * monday", "weekday"),
        ("mon * * * *", "minute"),
        ("* * * mon *", "month"),
        ("*/0 * * * *", "minute"),
        ("*/90 * * * *", "step of the minute is larger than 59"),
        ("5-1 * * * *", "minute"),
        ("* * * * sat-tue", "weekday"),
        ("* * * * fri-sun", "fri-sun names no day, because sun begins the week; write fri-7"),
        ("* * * * 5-0", "5-0 names no day, because 0 begins the week; write 5-7"),
        ("* * * * mon,sat-sun", "write sat-7"),
        ("* * * * mon-0/2", "write mon-7"),
        ("* * * * 7-1", "weekday"),
        ("1,,2 * * * *", "minute"),
        ("1- * * * *", "minute"),
        ("-1 * * * *", "minute"),
        ("1/2/3 * * * *", "minute"),
        ("* * L * *", "does not know"),
        ("* * ? * *", "does not know"),
        ("* * * * mon#2", "does not know"),
        ("* * 15W * *", "does not know"),
        ("0 0 30 2 *", "day 30 of month 2 never comes"),
        ("0 0 31 2,4,6,9,11 *", "never comes"),
        ("0 0 30-31 feb */2", "never comes"),
        ("@reboot", "names no time"),
        ("@sometimes", "the nicknames are @yearly"),
        ("9" * 5000 + " * * * *", "longer than"),
        ("9" * 400 + " * * * *", "out of range"),
        ("٣ * * * *", "does not know"),
        ("every monday", "2 fields"),
    ],
)
def test_junk_is_refused_with_a_reason(expression: str, reason: str) -> None:
    with pytest.raises(CronError, match=reason):
        CronTrigger(expression, UTC)
    assert read_cron(expression, UTC) is None


@given(st.text("0123456789*/,-@mondayjeb ", max_size=30) | st.text(max_size=30))
def test_any_text_is_trigger_or_refused(text: str) -> None:
    if trigger := read_cron(text, ZoneInfo("Europe/Dublin")):
        assert trigger.get_next_fire_time(None, datetime(2026, 11, 21, tzinfo=UTC))
