"""Short spellings of windows, as people in several countries write them: each is read rightly, asked
back with every meaning, or refused by name; none is read as something else.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.errors import BadQuestion
from bot.questions.windows import ParsedWindow, TwoReadings, read_window

# A Saturday in week 48.
NOW = datetime(2026, 11, 28, 9, 5, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def read(words: str, *, whole_days: bool = False) -> ParsedWindow:
    return read_window(words, now=NOW, zone=BERLIN, whole_days=whole_days, example="")


# The first and the last day.
DAYS = {
    "2026": ("2026-01-01", "2026-11-28"),
    "in 2026": ("2026-01-01", "2026-11-28"),
    "the year 2025": ("2025-01-01", "2025-12-31"),
    "2025": ("2025-01-01", "2025-12-31"),
    "2019": ("2019-01-01", "2019-12-31"),
    "KW48": ("2026-11-23", "2026-11-28"),
    "kw 47": ("2026-11-16", "2026-11-22"),
    "KW47/2026": ("2026-11-16", "2026-11-22"),
    "KW 47/26": ("2026-11-16", "2026-11-22"),
    "kw01/2026": ("2025-12-29", "2026-01-04"),
    "W48": ("2026-11-23", "2026-11-28"),
    "w47": ("2026-11-16", "2026-11-22"),
    "W47/2026": ("2026-11-16", "2026-11-22"),
    "W47-2026": ("2026-11-16", "2026-11-22"),
    "week 47/26": ("2026-11-16", "2026-11-22"),
    "CW47 2026": ("2026-11-16", "2026-11-22"),
    "2026-W47": ("2026-11-16", "2026-11-22"),
    "2026W47": ("2026-11-16", "2026-11-22"),
    "2026-W48": ("2026-11-23", "2026-11-28"),
    "week 53/2020": ("2020-12-28", "2021-01-03"),
    "Q4": ("2026-10-01", "2026-11-28"),
    "Q3": ("2026-07-01", "2026-09-30"),
    "Q4 2025": ("2025-10-01", "2025-12-31"),
    "Q4/2025": ("2025-10-01", "2025-12-31"),
    "Q4-2025": ("2025-10-01", "2025-12-31"),
    "2025-Q4": ("2025-10-01", "2025-12-31"),
    "2025Q4": ("2025-10-01", "2025-12-31"),
    "Q4'25": ("2025-10-01", "2025-12-31"),
    "Q4 25": ("2025-10-01", "2025-12-31"),
    "Q4/25": ("2025-10-01", "2025-12-31"),
    "q4-25": ("2025-10-01", "2025-12-31"),
    "4Q25": ("2025-10-01", "2025-12-31"),
    "1q2026": ("2026-01-01", "2026-03-31"),
    "H1": ("2026-01-01", "2026-06-30"),
    "24.11.2026": ("2026-11-24", "2026-11-24"),
    "24.11.": ("2026-11-24", "2026-11-24"),
    "24.–27.11.2026": ("2026-11-24", "2026-11-27"),
    "24.-27.11.2026": ("2026-11-24", "2026-11-27"),
    "24-27.11.2026": ("2026-11-24", "2026-11-27"),
    "24. bis 27.11.2026": ("2026-11-24", "2026-11-27"),
    "24. to 27.11.2026": ("2026-11-24", "2026-11-27"),
    "1.-7.1.2026": ("2026-01-01", "2026-01-07"),
    "24.11.-27.11.2026": ("2026-11-24", "2026-11-27"),
    "24.–27.11.26": ("2026-11-24", "2026-11-27"),
    "24.-30.11.26": ("2026-11-24", "2026-11-28"),
    "24. bis 27.11.26": ("2026-11-24", "2026-11-27"),
    "11/21/26": ("2026-11-21", "2026-11-21"),
    "11-21-26": ("2026-11-21", "2026-11-21"),
    "31.10.26": ("2026-10-31", "2026-10-31"),
    "31/10/26": ("2026-10-31", "2026-10-31"),
    "30.11.25": ("2025-11-30", "2025-11-30"),
    "30.10.26-31.10.26": ("2026-10-30", "2026-10-31"),
    "30.10.26 to 31.10.26": ("2026-10-30", "2026-10-31"),
    "26.11.28": ("2026-11-28", "2026-11-28"),
}
# From one time to another, as Berlin shows them.
HOURS = {
    "since 8 Uhr": ("28 08:00", "28 10:05"),
    "since 8:30 uhr": ("28 08:30", "28 10:05"),
    "8 Uhr to 9 Uhr": ("28 08:00", "28 09:00"),
    "8:00h to 9:30h": ("28 08:00", "28 09:30"),
    "since 08:00h": ("28 08:00", "28 10:05"),
    "8h30 to 9h": ("28 08:30", "28 09:00"),
    "since 2h": ("28 08:05", "28 10:05"),
    "--since 8h": ("28 02:05", "28 10:05"),
    "since 24h": ("27 10:05", "28 10:05"),
    "since 12 h ago": ("27 22:05", "28 10:05"),
    "13h": ("27 21:05", "28 10:05"),
    "last 13h": ("27 21:05", "28 10:05"),
    "3h to 1h ago": ("28 07:05", "28 09:05"),
    "yesterday 22:00 to 24:00": ("27 22:00", "28 00:00"),
    "00:00-24:00": ("28 00:00", "28 10:05"),
}
ASKED_BACK = {
    "since 13h": ("since 13:00", "last 13 hours"),
    "since 9h": ("since 09:00", "last 9 hours"),
    "since 6 h": ("since 06:00", "last 6 hours"),
    "since 13h30": ("since 13:30", "last 13h30m"),
    "13h to 14h": ("13:00 to 14:00", "14h to 13h ago"),
    "13h-14h": ("13:00 to 14:00", "14h to 13h ago"),
    "from 2h to 4h": ("02:00 to 04:00", "4h to 2h ago"),
    "since 2026": ("since 2026-01-01", "since 20:26"),
    "2025 to 2026": ("2025-01-01..2026-12-31", "20:25 to 20:26"),
    "2025-2026": ("2025-01-01..2026-12-31", "20:25 to 20:26"),
    "2025..2026": ("2025-01-01..2026-12-31", "20:25 to 20:26"),
    "21/11/26": ("2026-11-21", "2021-11-26"),
    "21.11.26": ("2026-11-21", "2021-11-26"),
    "21-11-26": ("2026-11-21", "2021-11-26"),
    "24.11.26": ("2026-11-24", "2024-11-26"),
    "26/11/21": ("2021-11-26", "2026-11-21"),
    "26-11-21": ("2021-11-26", "2026-11-21"),
    "1/2/26": ("2026-02-01", "2026-01-02", "2001-02-26"),
    "since 21.11.26": ("since 2026-11-21", "since 2021-11-26"),
    "24.11.26-25.11.26": ("2026-11-24-2026-11-25", "2024-11-26-2025-11-26"),
    "01/02/2026": ("2026-01-02", "2026-02-01"),
    "5M": ("5 months", "5m"),
    "24.11.-30.11.": ("2026-11-24..2026-11-30", "2025-11-24..2025-11-30"),
}
REFUSED = {
    "24:00": "end of a day",
    "24:01": "no time 24:01",
    "Q5": "no quarter 5",
    "Q0": "no quarter 0",
    "5Q26": "no quarter 5",
    "H3": "no half 3",
    "KW0": "no week 0",
    "W54": "no week 54",
    "KW54/2026": "no week 54 of 2026",
    "FY": "begins in another month",
    "FY26": "begins in another month",
    "FY 2026": "begins in another month",
    "fiscal year": "begins in another month",
    "last fiscal quarter": "begins in another month",
    "24.–31.11.26": "no date 31.11.26",
    "31.11.26": "no date 31.11.26",
    "2027": "in the future",
    "32.13.26": "no date",
    "24.11": "not a window",
    "281126": "not a window",
    "0915": "not a window",
}


@pytest.mark.parametrize(("words", "days"), DAYS.items(), ids=[*DAYS])
@pytest.mark.parametrize("whole_days", [False, True], ids=["instants", "days"])
def test_short_dates_are_read(words: str, days: tuple[str, str], *, whole_days: bool) -> None:
    found = read(words, whole_days=whole_days)
    zone = UTC if whole_days else BERLIN
    first, last = (date.fromisoformat(day) for day in days)
    assert found.window.start == datetime.combine(first, datetime.min.time(), zone)
    ends = (found.window.end.astimezone(zone), found.window.end.astimezone(zone).date())
    assert ends[0] == NOW or (ends[1] - last).days == 1


@pytest.mark.parametrize(("words", "ends"), HOURS.items(), ids=[*HOURS])
def test_short_hours_are_read(words: str, ends: tuple[str, str]) -> None:
    window = read(words).window
    assert tuple(f"{end.astimezone(BERLIN):%d %H:%M}" for end in (window.start, window.end)) == ends


@pytest.mark.parametrize(("words", "readings"), ASKED_BACK.items(), ids=[*ASKED_BACK])
def test_words_of_two_conventions_are_asked_back(words: str, readings: tuple[str, ...]) -> None:
    with pytest.raises(TwoReadings) as caught:
        read(words)
    assert caught.value.readings == readings
    for each in readings:
        assert read(each)


@pytest.mark.parametrize(("words", "says"), REFUSED.items(), ids=[*REFUSED])
def test_what_does_not_exist_is_refused_by_name(words: str, says: str) -> None:
    with pytest.raises(BadQuestion, match=says):
        read(words)


def test_years_of_whole_days_are_no_times() -> None:
    assert read("since 2026", whole_days=True).window.start == datetime(2026, 1, 1, tzinfo=UTC)
    assert read("2025-2026", whole_days=True).window.start == datetime(2025, 1, 1, tzinfo=UTC)
