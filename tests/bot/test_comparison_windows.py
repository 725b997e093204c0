"""Two windows of one question: which words name them, and which parts of both are compared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BadQuestion
from bot.questions.question import AccountDirectory
from bot.questions.reading import apply_follow_up, read_form, read_question_line
from bot.questions.windows import reading_of
from bot.questions.windows.alignment import Comparison

FRIDAY = datetime(2026, 11, 27, 14, 5, tzinfo=UTC)
DUBLIN = ZoneInfo("Europe/Dublin")
HOUSE = AccountDirectory({"eu": "rapid7", "us": "rapid7", "edge": "akamai", "iot": "devicewise"})
LOGS = AccountDirectory({"eu": "rapid7"}, {"eu": {"kitchen": "1"}})


def ask(line: str, *, now: datetime = FRIDAY, zone: tzinfo = DUBLIN) -> Any:
    return read_question_line(line, HOUSE, now=now, zone=zone)


def compared(line: str, **changes: Any) -> Comparison:
    comparison = ask(line, **changes).comparison
    assert isinstance(comparison, Comparison)
    return comparison


MONTHS = "1 to 26 Nov 2026 vs. 1 to 26 Oct 2026 (UTC)"
USAGE: list[tuple[str, str]] = [
    ("this month vs last month", MONTHS),
    ("This Month VS. Last Month", MONTHS),
    ("this month versus last month", MONTHS),
    ("this month against last month", MONTHS),
    ("this month compared to last month", MONTHS),
    ("this month compared with last month", MONTHS),
    ("this month in comparison to last month", MONTHS),
    ("compare this month with last month", MONTHS),
    ("compare this month and last month", MONTHS),
    ("compare this month vs last month", MONTHS),
    ("show me this month vs the last month, please", MONTHS),
    ("this month vs previous", MONTHS),
    ("this month vs the month before", MONTHS),
    ("this month vs a month ago", MONTHS),
    ("this month vs the same period last month", MONTHS),
    ("this month vs last month same days", MONTHS),
    ("vs last month", MONTHS),
    ("month to date vs last month", MONTHS),
    ("since Nov 1 vs october", MONTHS),
    ("last month vs this month", "1 to 26 Oct 2026 vs. 1 to 26 Nov 2026 (UTC)"),
    ("last month vs the month before", "1 to 31 Oct 2026 vs. 1 to 30 Sep 2026 (UTC)"),
    ("last month vs previous month", "1 to 31 Oct 2026 vs. 1 to 30 Sep 2026 (UTC)"),
    ("q3 vs q2", "1 Jul to 30 Sep 2026 vs. 1 Apr to 30 Jun 2026 (UTC)"),
    ("this month vs same period last year", "1 to 26 Nov 2026 vs. 1 to 26 Nov 2025 (UTC)"),
    ("this year vs last year", "1 Jan to 26 Nov 2026 vs. 1 Jan to 26 Nov 2025 (UTC)"),
    ("yesterday vs the day before yesterday", "26 Nov 2026 vs. 25 Nov 2026 (UTC)"),
    ("yesterday vs the day before", "26 Nov 2026 vs. 25 Nov 2026 (UTC)"),
    ("yesterday vs monday", "26 Nov 2026 vs. 23 Nov 2026 (UTC)"),
    ("yesterday vs same day last week", "26 Nov 2026 vs. 19 Nov 2026 (UTC)"),
    ("last 7 days vs previous", "21 to 26 Nov 2026 vs. 14 to 19 Nov 2026 (UTC)"),
    ("last 7 days vs previous 7 days", "21 to 26 Nov 2026 vs. 14 to 19 Nov 2026 (UTC)"),
    ("last 7 days vs two weeks ago", "21 to 26 Nov 2026 vs. 7 to 12 Nov 2026 (UTC)"),
    ("last weekend vs previous", "21 to 22 Nov 2026 vs. 14 to 15 Nov 2026 (UTC)"),
    ("last weekend vs the weekend before", "21 to 22 Nov 2026 vs. 14 to 15 Nov 2026 (UTC)"),
    ("monday to wednesday vs previous", "23 to 25 Nov 2026 vs. 16 to 18 Nov 2026 (UTC)"),
    ("last monday vs previous monday", "23 Nov 2026 vs. 16 Nov 2026 (UTC)"),
    ("last monday vs the monday before", "23 Nov 2026 vs. 16 Nov 2026 (UTC)"),
    ("last monday vs previous", "23 Nov 2026 vs. 22 Nov 2026 (UTC)"),
    ("2026-11-21..2026-11-22 vs previous", "21 to 22 Nov 2026 vs. 19 to 20 Nov 2026 (UTC)"),
    ("2024-02-29 vs a month ago", "29 Feb 2024 vs. 29 Jan 2024 (UTC)"),
    ("2024-02-29 vs a year ago", "29 Feb 2024 vs. 28 Feb 2023 (UTC)"),
    ("2024-02 vs a year ago", "1 to 29 Feb 2024 vs. 1 to 28 Feb 2023 (UTC)"),
    ("since monday vs last week", "23 to 26 Nov 2026 vs. 16 to 19 Nov 2026 (UTC)"),
    ("difference between this month and last month", MONTHS),
    ("comparing this month to last month", MONTHS),
    ("this month verses last month", MONTHS),
    ("this month v. last month", MONTHS),
    ("month over month", MONTHS),
    ("MoM", MONTHS),
    ("this month yoy", "1 to 26 Nov 2026 vs. 1 to 26 Nov 2025 (UTC)"),
    ("q3 year over year", "1 Jul to 30 Sep 2026 vs. 1 Jul to 30 Sep 2025 (UTC)"),
    ("week over week", "23 to 26 Nov 2026 vs. 16 to 19 Nov 2026 (UTC)"),
    ("last week vs the week before last", "16 to 22 Nov 2026 vs. 9 to 15 Nov 2026 (UTC)"),
    ("last week vs the same week last year", "16 to 22 Nov 2026 vs. 17 to 23 Nov 2025 (UTC)"),
    ("last month vs the same month last year", "1 to 31 Oct 2026 vs. 1 to 31 Oct 2025 (UTC)"),
    ("2M vs previous", "28 Sep to 26 Nov 2026 vs. 29 Jul to 26 Sep 2026 (UTC)"),
    ("vs yesterday", "27 Nov 2026 (UTC, so far) vs. 26 Nov 2026 (UTC)"),
    ("last 7 days vs last 30 days", "21 to 26 Nov 2026 vs. 29 Oct to 26 Nov 2026 (UTC)"),
]  # fmt: skip
SAME_HOURS = "27 Nov 2026 00:00 to 14:05 vs. 26 Nov 2026 00:00 to 14:05"
TWO_HOURS = "27 Nov 2026 12:05 to 14:05 vs. 26 Nov 2026 12:05 to 14:05"
AUDIT: list[tuple[str, str]] = [
    ("today vs yesterday same hours", SAME_HOURS),
    ("today vs the same hours of yesterday", SAME_HOURS),
    ("today vs yesterday at the same time", SAME_HOURS),
    ("today vs yesterday", SAME_HOURS),
    ("today vs yesterday so far", SAME_HOURS),
    ("today vs yesterday at this time", SAME_HOURS),
    ("today so far vs yesterday", SAME_HOURS),
    ("this hour vs last hour", "27 Nov 2026 14:00 to 14:05 vs. 27 Nov 2026 13:00 to 13:05"),
    ("today vs a day ago", SAME_HOURS),
    ("vs yesterday", SAME_HOURS),
    ("yesterday vs today", "26 Nov 2026 00:00 to 14:05 vs. 27 Nov 2026 00:00 to 14:05"),
    ("last 2h vs yesterday", TWO_HOURS),
    ("last 2h vs yesterday same hours", TWO_HOURS),
    ("last 2h vs same hours yesterday", TWO_HOURS),
    ("last 2h vs previous", "27 Nov 2026 12:05 to 14:05 vs. 27 Nov 2026 10:05 to 12:05"),
    ("last 2h vs last monday same hours", "27 Nov 2026 12:05 to 14:05 vs. 23 Nov 2026 12:05 to 14:05"),
    ("last 2h vs last week same hours", "27 Nov 2026 12:05 to 14:05 vs. 20 Nov 2026 12:05 to 14:05"),
    ("since 09:00 vs yesterday", "27 Nov 2026 09:00 to 14:05 vs. 26 Nov 2026 09:00 to 14:05"),
    ("10:00 to 11:30 vs yesterday", "27 Nov 2026 10:00 to 11:30 vs. 26 Nov 2026 10:00 to 11:30"),
    ("24h vs previous", "26 Nov 14:05 to 27 Nov 2026 14:05 vs. 25 Nov 14:05 to 26 Nov 2026 14:05"),
    ("this week vs last week same hours", "23 Nov 00:00 to 27 Nov 2026 14:05 vs. 16 Nov 00:00 to 20 Nov 2026 14:05"),
    ("this month vs last month", "1 Nov 00:00 to 27 Nov 2026 14:05 vs. 1 Oct 00:00 to 27 Oct 2026 14:05"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "label"), USAGE, ids=[words for words, _ in USAGE])
def test_words_name_two_windows_of_days(words: str, label: str) -> None:
    question = ask(f"/usage eu {words}")
    assert question.window.label == question.comparison.label == label
    assert question.accounts == ("eu",)


@pytest.mark.parametrize(("words", "label"), AUDIT, ids=[words for words, _ in AUDIT])
def test_words_name_two_windows_of_hours(words: str, label: str) -> None:
    assert compared(f"/apiaudit {words}").label == f"{label} (Europe/Dublin)"


@pytest.mark.parametrize(
    ("line", "basis", "unit"),
    [
        ("/usage eu this month vs last month", "Only what is over is compared: the first 26 days of both windows. The windows hold different weekdays.", ""),
        ("/usage eu last 7 days vs previous", "Only what is over is compared: the first 6 days of both windows.", ""),
        ("/usage eu q3 vs q2", "Totals are compared, of 92 days with those of 91 days.", ""),
        ("/usage eu yesterday vs monday", "Both days are compared whole.", ""),
        ("/usage eu last week vs last month", "The windows are of different lengths (7 days and 31 days), so averages per day are compared.", "day"),
        ("/apiaudit today vs yesterday", "The same hours of both days are compared: 00:00 to 14:05.", ""),
        ("/apiaudit last 2h vs last week", "The windows are of different lengths (2 h and 7 days), so averages per hour are compared.", "hour"),
        ("/apiaudit last 24h vs yesterday", "Both windows are compared whole. The windows overlap.", ""),
    ],
)  # fmt: skip
def test_basis_says_what_is_compared(line: str, basis: str, unit: str) -> None:
    comparison = compared(line)
    assert (comparison.basis, comparison.unit, comparison.obstacle) == (basis, unit, "")


@pytest.mark.parametrize(
    ("words", "now", "remark"),
    [
        ("today vs yesterday", "2026-03-29T12:00", "28 Mar 2026 00:00 to 13:00 is 1 h longer"),
        ("today vs yesterday", "2026-10-25T01:30", "25 Oct 2026 00:00 to 01:30 is 1 h longer"),
        ("yesterday vs previous", "2026-03-30T12:00", "28 Mar 2026 is 1 h longer"),
        ("last week vs previous", "2026-04-01T12:00", "16 to 22 Mar 2026 is 1 h longer"),
        ("last week vs previous", "2026-11-25T12:00", ""),
        ("last 24 hours vs previous", "2026-03-29T12:00", ""),
        ("last month vs previous", "2026-03-10T12:00", ""),
    ],
)
def test_clock_change_that_makes_longer_is_noted(words: str, now: str, remark: str) -> None:
    found = compared(f"/apiaudit edge {words}", now=datetime.fromisoformat(f"{now}+00:00"))
    assert (remark in found.basis) if remark else ("longer" not in found.basis)


# Far from UTC, at an hour that is another day there.
IN_KOLKATA = ("2026-11-27T20:00+00:00", "Asia/Kolkata")
IN_NEW_YORK = ("2026-11-27T03:00+00:00", "America/New_York")
ELSEWHERE = [
    (
        *IN_KOLKATA,
        "today vs yesterday",
        "28 Nov 2026 00:00 to 01:30 vs. 27 Nov 2026 00:00 to 01:30",
    ),
    (*IN_KOLKATA, "yesterday vs previous", "27 Nov 2026 vs. 26 Nov 2026"),
    (
        *IN_KOLKATA,
        "this week vs last week",
        "23 Nov 00:00 to 28 Nov 2026 01:30 vs. 16 Nov 00:00 to 21 Nov 2026 01:30",
    ),
    (*IN_KOLKATA, "last month vs previous", "1 to 31 Oct 2026 vs. 1 to 30 Sep 2026"),
    (*IN_KOLKATA, "january vs previous", "1 to 31 Jan 2026 vs. 1 to 31 Dec 2025"),
    (
        *IN_KOLKATA,
        "yesterday 10:00 to 12:00 vs today",
        "27 Nov 2026 10:00 to 12:00 vs. 28 Nov 2026 00:00 to 01:30",
    ),
    (*IN_NEW_YORK, "yesterday vs a week ago", "25 Nov 2026 vs. 18 Nov 2026"),
    (
        *IN_NEW_YORK,
        "10:00..11:00 vs yesterday",
        "26 Nov 2026 10:00 to 11:00 vs. 25 Nov 2026 10:00 to 11:00",
    ),
    (
        *IN_NEW_YORK,
        "since monday vs last week",
        "23 Nov 00:00 to 26 Nov 2026 22:00 vs. 16 Nov 00:00 to 19 Nov 2026 22:00",
    ),
]


@pytest.mark.parametrize(("now", "zone", "words", "label"), ELSEWHERE)
def test_windows_are_those_of_the_readers_zone(now: str, zone: str, words: str, label: str) -> None:
    context: dict[str, Any] = {"now": datetime.fromisoformat(now), "zone": ZoneInfo(zone)}
    found = compared(f"/apiaudit edge {words}", **context)
    assert found.label == f"{label} ({zone})"
    first, _, _ = words.partition(" vs ")
    assert found.first == ask(f"/apiaudit edge {first}", **context).window


def test_night_before_is_a_day_earlier() -> None:
    found = compared("/apiaudit edge last night vs the night before")
    assert found.label == (
        "26 Nov 18:00 to 27 Nov 2026 06:00 vs. 25 Nov 18:00 to 26 Nov 2026 06:00 (Europe/Dublin)"
    )


def test_day_that_has_just_ended_is_over() -> None:
    found = ask("/usage eu yesterday", now=datetime(2026, 11, 27, tzinfo=UTC))
    assert found.window.label == "26 Nov 2026 (UTC)"


def test_today_of_whole_days_is_not_comparable() -> None:
    obstacle = "Today is not over, and data usage is recorded by whole days."
    assert compared("/usage eu today vs yesterday").obstacle == obstacle
    first = FRIDAY.replace(day=1)
    assert compared("/usage eu this month vs last month", now=first).obstacle == obstacle


def test_longer_month_is_cut_to_shorter_one() -> None:
    comparison = compared("/usage eu this month vs last month", now=FRIDAY.replace(month=3, day=31))
    assert comparison.label == "1 to 28 Mar 2026 vs. 1 to 28 Feb 2026 (UTC)"


def test_same_hours_hold_over_clock_change() -> None:
    """Clocks went back on 25 October, so that 14:05 is at a different UTC time on each day."""
    now = datetime(2026, 10, 25, 14, 5, tzinfo=UTC)
    comparison = compared("/apiaudit today vs yesterday", now=now)
    ends = [each.window.end for each in (comparison.current, comparison.previous)]
    assert [f"{end.astimezone(DUBLIN):%d %H:%M}" for end in ends] == ["25 14:05", "24 14:05"]
    assert ends[0].hour - ends[1].hour == 1


REFUSED: list[tuple[str, str, str]] = [
    ("/usage eu last 7 days vs", "takes two windows", "/usage eu last 7 days vs previous"),
    ("/usage eu q3 vs q2 vs q1", "at a time", "/usage eu q3 vs q2"),
    ("/usage eu compare q3 csv", "takes two windows", "/usage eu q3 vs previous csv"),
    ("/usage eu q3 vs q3", "the same", "/usage eu q3 vs previous"),
    ("/usage eu q3 vs whenever per log", "“whenever”", "/usage eu q3 vs previous per log"),
    ("/usage eu whenever vs q3 per log", "“whenever”", "/usage eu last 7 days vs q3 per log"),
    ("/usage eu q3 vs 2h ago", "recorded by day", "/usage eu q3 vs previous"),
    ("/usage eu q3 vs tomorrow", "in the future", "/usage eu q3 vs previous"),
    ("/apiaudit today vs same hours", "which day", "/apiaudit today vs previous"),
    ("/apiaudit 2h vs q3 same hours", "not one day", "/apiaudit 2h vs previous"),
    ("/apiaudit edge 2h vs yesterday calls 9 own:no", "one window", "/apiaudit edge 2h vs yesterday own:no"),
    ("/apiaudit edge 2h vs yesterday new ip by ip", "days before", "/apiaudit edge 2h vs yesterday by ip"),
    ("/apiaudit edge 2h vs yesterday call:1f3a9c07", "one window", "/apiaudit edge 2h vs yesterday"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "words", "hint"), REFUSED, ids=[line for line, *_ in REFUSED])
def test_refusal_keeps_rest_of_comparison(line: str, words: str, hint: str) -> None:
    with pytest.raises(BadQuestion, match=words) as caught:
        ask(line)
    assert caught.value.hint == hint
    assert ask(hint).comparison


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("vs previous", "/usage eu this month vs previous per log"),
        ("compared with last month", "/usage eu this month compared with last month per log"),
        ("yoy", "/usage eu this month yoy per log"),
        ("last month", "/usage eu last month per log"),
        ("csv", "/usage eu this month per log csv"),
    ],
)
def test_reply_compares_window_of_question(words: str, line: str) -> None:
    for typed in ("/usage eu this month per log", "/usage eu this month vs october per log"):
        question = apply_follow_up(ask(typed), words, HOUSE, now=FRIDAY, zone=DUBLIN)
        expected = line.replace("month per log csv", "month vs october per log csv")
        assert question.line == (expected if "october" in typed else line)


@pytest.mark.parametrize("words", ["today vs yesterday", "2h compared to yesterday count"])
def test_logs_answer_about_one_window(words: str) -> None:
    with pytest.raises(BadQuestion, match="one window") as caught:
        read_question_line(f"/logs kitchen {words}", LOGS, now=FRIDAY, zone=DUBLIN)
    first = words.partition(" ")[0]
    assert caught.value.hint == f"/logs kitchen {first}{' count' * words.endswith('count')}"


ACCOUNTS: list[tuple[str, tuple[str, ...], str]] = [
    ("/usage eu us last 7 days", ("eu", "us"), "/usage eu us q3"),
    ("/usage us, eu last 7 days", ("us", "eu"), "/usage us eu q3"),
    ("/usage eu and us yesterday", ("eu", "us"), "/usage eu us q3"),
    ("/usage eu vs us last 7 days", ("eu", "us"), "/usage eu us q3"),
    ("/usage all last 7 days", ("eu", "us"), "/usage all q3"),
    ("/usage last 7 days all accounts", ("eu", "us"), "/usage all q3"),
    ("/usage all accounts this month vs last month", ("eu", "us"), "/usage all q3"),
    ("/apiaudit all 24h", ("edge", "iot"), "/apiaudit all q3"),
    ("/apiaudit edge vs iot today vs yesterday", ("edge", "iot"), "/apiaudit edge iot q3"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "names", "later"), ACCOUNTS, ids=[line for line, *_ in ACCOUNTS])
def test_words_name_several_accounts(line: str, names: tuple[str, ...], later: str) -> None:
    question = ask(line)
    assert question.accounts == names
    assert question.over("q3") == later
    assert ask(later).accounts == names


def test_several_accounts_are_asked_for_by_name() -> None:
    with pytest.raises(BadQuestion, match="There are eu, us; `all` asks them all") as caught:
        ask("/usage this month vs last month")
    assert caught.value.hint == "/usage eu this month vs last month"


@pytest.mark.parametrize(
    ("command", "values", "line"),
    [
        ("usage", {"account": "eu", "window": "this month", "compare": "previous"}, "/usage eu this month vs previous"),
        ("usage", {"account": "all", "window": "q3 vs q2", "rest": "by week"}, "/usage all q3 vs q2 by week"),
        ("usage", {"account": "eu us", "from": "2026-11-01", "to": "2026-11-07", "compare": "a week ago"}, "/usage eu us 2026-11-01..2026-11-07 vs a week ago"),
        ("apiaudit", {"window": "last 2h", "compare": "a week ago", "rest": "failures"}, "/apiaudit last 2h vs a week ago failures"),
        ("apiaudit", {"compare": "previous"}, "/apiaudit vs previous"),
    ],
)  # fmt: skip
def test_form_compares_like_words(command: str, values: dict[str, str], line: str) -> None:
    entered = read_form(command, values, HOUSE, now=FRIDAY, zone=DUBLIN)
    typed = ask(line)
    assert entered.line == line
    assert (entered.comparison, entered.accounts) == (typed.comparison, typed.accounts)


@pytest.mark.parametrize(
    ("command", "values", "field"),
    [
        ("usage", {"account": "eu", "window": "q3 vs q2", "compare": "previous"}, "compare"),
        ("usage", {"account": "eu attic", "window": "q3"}, "account"),
        ("apiaudit", {"window": "2h", "show": "calls", "compare": "previous"}, "show"),
    ],
)
def test_form_names_wrong_input(command: str, values: dict[str, str], field: str) -> None:
    with pytest.raises(BadQuestion) as caught:
        read_form(command, values, HOUSE, now=FRIDAY, zone=DUBLIN)
    assert caught.value.field == field


@given(
    st.integers(0, 4 * 366 * 1440),
    st.sampled_from([words for words, _ in (*USAGE, *AUDIT)]),
    st.sampled_from([DUBLIN, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata"), UTC]),
)
def test_totals_are_of_equal_lengths(minutes: int, words: str, zone: tzinfo) -> None:
    """At any time and in any zone: the hours differ by at most two when clocks change, and the days
    are equal except for whole months.
    """
    now = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    for line in (f"/usage eu {words}", f"/apiaudit {words}"):
        try:
            comparison = compared(line, now=now, zone=zone)
        except BadQuestion:
            continue
        if comparison.unit or comparison.obstacle:
            continue
        one, two = (each.window.length for each in (comparison.current, comparison.previous))
        is_whole = "Totals" in comparison.basis or "whole" in comparison.basis
        most = 3.2 * 86_400 if is_whole else 7_200
        assert abs((one - two).total_seconds()) <= most, comparison.label
        assert comparison.current.window.end <= now


def test_both_windows_end_where_data_ends() -> None:
    comparison = compared("/apiaudit today vs yesterday")
    reading = reading_of("", now=FRIDAY, zone=DUBLIN, whole_days=False)
    cut = comparison.until(FRIDAY.replace(hour=11, minute=0), "Data ends at 11:00.", reading)
    assert cut.label == (
        "27 Nov 2026 00:00 to 11:00 vs. 26 Nov 2026 00:00 to 11:00 (Europe/Dublin)"
    )
    assert cut.basis.endswith("Data ends at 11:00.")
    assert comparison.until(FRIDAY.replace(day=29), "", reading) is comparison


@pytest.mark.parametrize(
    "words", ["vs " * 1300, "compare " * 500, "same hours " * 360, "vs same hours of " * 230]
)
def test_long_comparison_is_refused_quickly(words: str) -> None:
    with pytest.raises(BadQuestion):
        ask(f"/usage eu {words}")
