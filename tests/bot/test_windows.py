"""The words for a period of time, in tables: both ways of counting, zones, and both daylight-saving
changes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BadQuestion
from bot.questions.windows import ParsedWindow, read_window

SATURDAY = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
DUBLIN = ZoneInfo("Europe/Dublin")
NEW_YORK = ZoneInfo("America/New_York")


def read(
    words: str, *, whole_days: bool = False, now: datetime = SATURDAY, zone: ZoneInfo = DUBLIN
) -> ParsedWindow:
    return read_window(
        words, now=now, zone=zone, whole_days=whole_days, example="/usage last 7 days"
    )


def span(found: ParsedWindow) -> tuple[str, str]:
    return found.window.start.strftime("%Y-%m-%d %H:%M"), found.window.end.strftime(
        "%Y-%m-%d %H:%M"
    )


NOW = "2026-11-21 14:05"
BY_THE_CLOCK = [
    ("today", "2026-11-21 00:00", NOW),
    ("TODAY", "2026-11-21 00:00", NOW),
    ("yesterday", "2026-11-20 00:00", "2026-11-21 00:00"),
    ("this week", "2026-11-16 00:00", NOW),
    ("last week", "2026-11-09 00:00", "2026-11-16 00:00"),
    ("this month", "2026-11-01 00:00", NOW),
    ("last month", "2026-09-30 23:00", "2026-11-01 00:00"),
    ("last 20 mins", "2026-11-21 13:45", NOW),
    ("past 3 hours", "2026-11-21 11:05", NOW),
    ("20m", "2026-11-21 13:45", NOW),
    ("2h", "2026-11-21 12:05", NOW),
    ("last 1h", "2026-11-21 13:05", NOW),
    ("7d", "2026-11-14 14:05", NOW),
    ("2w", "2026-11-07 14:05", NOW),
    ("3 months", "2026-08-21 13:05", NOW),
    ("since 09:00", "2026-11-21 09:00", NOW),
    ("since 22:00", "2026-11-20 22:00", NOW),
    ("since 9:30", "2026-11-21 09:30", NOW),
    ("since monday", "2026-11-16 00:00", NOW),
    ("since saturday", "2026-11-21 00:00", NOW),
    ("since yesterday", "2026-11-20 00:00", NOW),
    ("since 2026-11-20 10:00", "2026-11-20 10:00", NOW),
    ("2026-11-01", "2026-11-01 00:00", "2026-11-02 00:00"),
    ("2026-11-01..2026-11-07", "2026-11-01 00:00", "2026-11-08 00:00"),
    ("2026-11-01 to 2026-11-07", "2026-11-01 00:00", "2026-11-08 00:00"),
    ("2026-11-01T10:00..2026-11-01T11:30", "2026-11-01 10:00", "2026-11-01 11:30"),
    ("2026-11-01 10:00 to 11:30", "2026-11-01 10:00", "2026-11-01 11:30"),
    ("2026-11-01T10:00:00+02:00..2026-11-01T11:00Z", "2026-11-01 08:00", "2026-11-01 11:00"),
    ("2026-11-20..2026-12-31", "2026-11-20 00:00", NOW),
]
AS_PEOPLE_SAY = [
    ("for the last 7 days, please", "2026-11-14 14:05", NOW),
    ("in the past 3 hours?", "2026-11-21 11:05", NOW),
    ("this year", "2026-01-01 00:00", NOW),
    ("october", "2026-09-30 23:00", "2026-11-01 00:00"),
    ("nov", "2026-11-01 00:00", NOW),
    ("in december", "2025-12-01 00:00", "2026-01-01 00:00"),
    ("May 2024", "2024-04-30 23:00", "2024-05-31 23:00"),
    ("last monday", "2026-11-16 00:00", "2026-11-17 00:00"),
    ("on last saturday", "2026-11-14 00:00", "2026-11-15 00:00"),
    ("10:00 to 11:00", "2026-11-21 10:00", "2026-11-21 11:00"),
    ("9:00-10:30", "2026-11-21 09:00", "2026-11-21 10:30"),
    ("22:00..23:00", "2026-11-20 22:00", "2026-11-20 23:00"),
    ("from 22:00 to 02:00", "2026-11-20 22:00", "2026-11-21 02:00"),
    ("20:00 to 8:10", "2026-11-20 20:00", "2026-11-21 08:10"),
    ("22:00 to 12:00", "2026-11-20 22:00", "2026-11-21 12:00"),
    ("from 10pm until midnight", "2026-11-20 22:00", "2026-11-21 00:00"),
    ("between 9am and 10:30 am", "2026-11-21 09:00", "2026-11-21 10:30"),
    ("14:00 to 15:00", "2026-11-21 14:00", NOW),
    ("since 9am", "2026-11-21 09:00", NOW),
    ("since noon", "2026-11-21 12:00", NOW),
    ("since midnight", "2026-11-21 00:00", NOW),
    ("since 12am", "2026-11-21 00:00", NOW),
    ("yesterday 14:00 to 14:10", "2026-11-20 14:00", "2026-11-20 14:10"),
    ("yesterday 22:00 to 02:00", "2026-11-20 22:00", "2026-11-21 02:00"),
    ("2026-11-14 11pm-1am", "2026-11-14 23:00", "2026-11-15 01:00"),
    ("yesterday from 2pm to 2:10pm", "2026-11-20 14:00", "2026-11-20 14:10"),
    ("14:00 - 14:10 yesterday", "2026-11-20 14:00", "2026-11-20 14:10"),
    ("monday 9am-10am", "2026-11-16 09:00", "2026-11-16 10:00"),
    ("since monday 9am", "2026-11-16 09:00", NOW),
    ("since yesterday at 22:00", "2026-11-20 22:00", NOW),
    ("since 22:00 yesterday", "2026-11-20 22:00", NOW),
    ("yesterday 22:00 to today 02:00", "2026-11-20 22:00", "2026-11-21 02:00"),
    ("2026-11-01 10:00 until 11:30", "2026-11-01 10:00", "2026-11-01 11:30"),
    ("2026-11-01 10:00-11:30", "2026-11-01 10:00", "2026-11-01 11:30"),
    ("between 2026-11-01 and 2026-11-07", "2026-11-01 00:00", "2026-11-08 00:00"),
    ("2026-11-01 - 2026-11-07", "2026-11-01 00:00", "2026-11-08 00:00"),
    ("2026-11-01T10:00-05:00..2026-11-01T11:00-05:00", "2026-11-01 15:00", "2026-11-01 16:00"),
]
BY_THE_DAY = [
    ("today", "2026-11-21 00:00", NOW),
    ("yesterday", "2026-11-20 00:00", "2026-11-21 00:00"),
    ("7d", "2026-11-15 00:00", NOW),
    ("last 7 days", "2026-11-15 00:00", NOW),
    ("2w", "2026-11-08 00:00", NOW),
    ("3 months", "2026-08-22 00:00", NOW),
    ("last week", "2026-11-09 00:00", "2026-11-16 00:00"),
    ("this month", "2026-11-01 00:00", NOW),
    ("since monday", "2026-11-16 00:00", NOW),
    ("2026-11-01..2026-11-07", "2026-11-01 00:00", "2026-11-08 00:00"),
    ("october", "2026-10-01 00:00", "2026-11-01 00:00"),
    ("last friday", "2026-11-20 00:00", "2026-11-21 00:00"),
]


BY_THE_CLOCK += AS_PEOPLE_SAY


@pytest.mark.parametrize(
    ("words", "start", "end"), BY_THE_CLOCK, ids=[words for words, _, _ in BY_THE_CLOCK]
)
def test_words_by_the_clock(words: str, start: str, end: str) -> None:
    assert span(read(words)) == (start, end)


@pytest.mark.parametrize(
    ("words", "start", "end"), BY_THE_DAY, ids=[words for words, _, _ in BY_THE_DAY]
)
def test_words_by_the_day_count_in_utc(words: str, start: str, end: str) -> None:
    assert span(read(words, whole_days=True, zone=NEW_YORK)) == (start, end)


def test_days_belong_to_the_zone_of_the_asker() -> None:
    assert span(read("yesterday", zone=NEW_YORK)) == ("2026-11-20 05:00", "2026-11-21 05:00")


def test_day_when_clocks_go_back_has_25_hours() -> None:
    assert read("2026-10-25").window.length == timedelta(hours=25)


def test_day_when_clocks_go_forward_has_23_hours() -> None:
    assert read("2026-03-29").window.length == timedelta(hours=23)


def test_three_months_are_calendar_months() -> None:
    found = read(
        "last 3 months", now=datetime(2015, 9, 30, 14, 40, 20, tzinfo=UTC), zone=ZoneInfo("UTC")
    )
    assert found.window.length == timedelta(days=92)


@pytest.mark.parametrize(
    ("words", "now", "start"),
    [
        ("1 month", "2026-03-31", "2026-02-28"),
        ("1 month", "2024-03-31", "2024-02-29"),
        ("1 year", "2024-02-29", "2023-02-28"),
    ],
)
def test_month_back_ends_on_last_existing_day(words: str, now: str, start: str) -> None:
    found = read(words, now=datetime.fromisoformat(now + "T12:00Z"), zone=ZoneInfo("UTC"))
    assert f"{found.window.start:%Y-%m-%d}" == start


REFUSED = [
    ("0d", "whole number from 1 on"),
    ("-3d", "whole number from 1 on"),
    ("1.5 months", "whole number from 1 on"),
    ("99999999999d", "whole number from 1 on"),
    ("9999d", "longer than ten years"),
    ("2026-11-07..2026-11-01", "ends before it begins"),
    ("2026-11-01T10:00..2026-11-01T10:00", "has no length"),
    ("2027-01-01", "in the future"),
    ("since 2026-11-22", "in the future"),
    ("2026-02-30", "There is no 2026-02-30"),
    ("2026-11-01T25:00..2026-11-02", "There is no time 25:00"),
    ("01/02/2026", "more than one way"),
    ("01-02-2026", "more than one way"),
    ("10", "not a window"),
    ("monday", "more than one way"),
    ("7 parsecs", "not a unit of time"),
    ("2026-11-20T10:00", "one moment"),
    ("2026-11-01..", "not a window"),
    ("10:00", "not a window"),
    ("13pm to 14pm", "not a window"),
    ("10:00..10:00", "has no length"),
    ("since 25:00", "There is no time 25:00"),
    ("2026-11-20 11:00-10:00", "ends before it begins"),
    ("october 9999", "too far away"),
    ("9999-12-31", "too far away"),
    ("2026-03-29T01:30..2026-03-29T03:00", "does not exist in Europe/Dublin"),
    ("2026-10-25T01:30..2026-10-25T03:00", "comes twice in Europe/Dublin"),
]


@pytest.mark.parametrize(("words", "says"), REFUSED, ids=[words for words, _ in REFUSED])
def test_invalid_window_is_refused_with_example(words: str, says: str) -> None:
    with pytest.raises(BadQuestion, match=says) as caught:
        read(words)
    assert caught.value.message.endswith(".")
    assert caught.value.hint == "/usage last 7 days"


@pytest.mark.parametrize(
    "words",
    [
        "20m",
        "last 3 hours",
        "since 09:00",
        "2026-11-01T10:00..2026-11-01T11:30",
        "last hour",
        "9am-10am",
    ],
)
def test_hours_are_refused_for_daily_data(words: str) -> None:
    with pytest.raises(BadQuestion, match="recorded by day"):
        read(words, whole_days=True)


@pytest.mark.parametrize(
    ("words", "label"),
    [
        ("last week", "9 to 15 Nov 2026 (Europe/Dublin)"),
        ("today", "21 Nov 2026 (Europe/Dublin, so far)"),
        ("last 20 mins", "21 Nov 2026 13:45 to 14:05 (Europe/Dublin)"),
        ("last month", "1 to 31 Oct 2026 (Europe/Dublin)"),
        ("2026-10-28..2026-11-03", "28 Oct to 3 Nov 2026 (Europe/Dublin)"),
        ("7d", "14 Nov 14:05 to 21 Nov 2026 14:05 (Europe/Dublin)"),
    ],
)
def test_answer_shows_the_window_it_read(words: str, label: str) -> None:
    assert read(words).label == label


SPOKEN = st.lists(
    st.sampled_from(
        [
            "last",
            "past",
            "since",
            "between",
            "and",
            "to",
            "until",
            "-",
            "..",
            "the",
            "at",
            "on",
            "7",
            "24",
            "days",
            "hours",
            "today",
            "yesterday",
            "monday",
            "saturday",
            "october",
            "dec",
            "2026",
            "2024-02-29",
            "2026-11-20",
            "10:00",
            "25:00",
            "9am",
            "12",
            "pm",
            "noon",
            "midnight",
            "22:00-02:00",
            "2026-10-25",
            "01:30",
            "+01:00",
            "z",
        ]
    ),
    max_size=7,
).map(" ".join)


@given(st.text(max_size=60) | SPOKEN)
def test_any_words_give_a_window_or_a_refusal(words: str) -> None:
    for whole_days in (True, False):
        try:
            found = read(words, whole_days=whole_days)
        except BadQuestion as error:
            assert error.message
        else:
            assert found.window.start < found.window.end <= SATURDAY


@given(st.integers(1, 3000), st.sampled_from("mhdw"))
def test_counted_window_is_exactly_that_long(number: int, unit: str) -> None:
    length = timedelta(**{{"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[unit]: number})
    if length <= timedelta(days=3650):
        assert read(f"{number}{unit}").window.length == length
