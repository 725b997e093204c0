"""Answers about two windows and about several accounts: the change first, what explains it, and no
percentage if data is missing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.alerts.value_words import compares_nothing
from bot.answer import Block
from bot.blocks.limits import message_problems
from bot.commands.apiaudit.comparison import (
    ComparedCalls,
    calls_within,
    compared_calls,
    compared_values_by,
)
from bot.commands.apiaudit.comparison_blocks import comparison_blocks as audit_blocks
from bot.commands.apiaudit.comparison_blocks import comparison_text as audit_text
from bot.commands.apiaudit.display import Display
from bot.commands.apiaudit.history import CallHistory
from bot.commands.usage.blocks import usage_blocks, usage_text
from bot.commands.usage.comparison import (
    ComparedUsage,
    UsageComparison,
    compared_usage,
    compared_values,
)
from bot.commands.usage.comparison_blocks import comparison_blocks, comparison_text
from bot.commands.usage.question import UsageQuestion
from bot.commands.usage.report import UsageFacts
from bot.commands.usage.total import UsageTotal, total_of
from bot.questions.question import AccountDirectory
from bot.questions.reading import read_question_line
from bot.questions.windows.alignment import Comparison
from providers.models import ApiCall, DayRange, LogUsage, Outcome, UsagePeriod
from tests.bot.test_answer_layout import tables
from tests.bot.test_honest_answers import chart_of

NOW = datetime(2026, 11, 27, 14, 5, tzinfo=UTC)
TODAY = NOW.date()
HOUSE = AccountDirectory({"eu": "rapid7", "us": "rapid7", "edge": "akamai", "iot": "devicewise"})


def comparison_of(line: str) -> Comparison:
    comparison = read_question_line(line, HOUSE, now=NOW, zone=UTC).comparison
    assert comparison
    return comparison


WEEKS = comparison_of("/usage eu last 7 days vs previous")
UNEQUAL = comparison_of("/usage eu yesterday vs last week")


def each_day(days: DayRange, usage: int) -> dict[date, int]:
    return dict.fromkeys(days.each(), usage)


def logs_of(days: DayRange, **usage: int) -> LogUsage:
    return LogUsage(dict.fromkeys(days.each(), usage))


def account(
    name: str = "eu",
    comparison: Comparison = WEEKS,
    *,
    now: int = 30,
    then: int = 20,
    **logs: tuple[int, int],
) -> ComparedUsage:
    days, before = (each.window.days for each in (comparison.current, comparison.previous))
    return ComparedUsage(
        name,
        each_day(days, now),
        each_day(before, then),
        logs_of(days, **{key: after for key, (after, _) in logs.items()}),
        logs_of(before, **{key: earlier for key, (_, earlier) in logs.items() if earlier}),
        {"k": "kitchen", "c": "cellar"},
    )


def usage_of(*accounts: ComparedUsage, comparison: Comparison = WEEKS, **more: Any) -> Any:
    return compared_usage(accounts, comparison, today=TODAY, **more)


def shown(report: UsageComparison, by: str = "day", **more: Any) -> tuple[str, list[Block]]:
    blocks = comparison_blocks(report, by=by, buttons=[("CSV", "/usage csv")], **more)
    text = comparison_text(report, by=by, **more)
    assert message_problems(text, blocks) == []
    return text, blocks


def test_change_comes_first_with_both_totals() -> None:
    report = usage_of(account(k=(25, 10), c=(5, 10)))
    text, blocks = shown(report)
    assert text.split("\n")[:5] == [
        "eu: +50.0 % (+60 B) – 21 to 26 Nov 2026 vs. 14 to 19 Nov 2026 (UTC).",
        "21 to 26 Nov 2026: 180 B in 6 days.",
        "14 to 19 Nov 2026: 120 B in 6 days.",
        "Only what is over is compared: the first 6 days of both windows.",
        "Biggest changes: kitchen +90 B, cellar −30 B.",
    ]
    assert blocks[0]["text"]["text"] == "+50.0 % (+60 B)"
    assert report.values() == {
        "bytes": 180,
        "days": 6,
        "days_missing": 0,
        "mean_bytes_per_day": 30,
        "before_bytes": 120,
        "before_days": 6,
        "before_days_missing": 0,
        "before_mean_bytes_per_day": 20,
        "change_bytes": 60,
        "change_percent": 50.0,
    }


def test_chart_has_a_series_for_each_window() -> None:
    chart = chart_of(shown(usage_of(account()))[1])
    assert chart["21 to 26 Nov 2026"] == [30] * 6
    assert chart["14 to 19 Nov 2026"] == [20] * 6
    assert chart["labels"] == ["21 Nov", "22 Nov", "23 Nov", "24 Nov", "25 Nov", "26 Nov"]


@pytest.mark.parametrize("side", ["current", "previous"])
def test_missing_day_is_not_comparable(side: str) -> None:
    with_gap = account(k=(30, 20))
    by_day: Any = getattr(with_gap, side)
    gap = min(by_day)
    del by_day[gap]
    report = usage_of(with_gap)
    text, blocks = shown(report)
    assert "change_percent" not in report.values()
    assert "change_bytes" not in report.values()
    assert "%" not in text
    assert f"No data (not zero) for Sat {gap.day} Nov." in text
    shown_totals = "150 B vs. 120 B" if side == "current" else "180 B vs. 100 B"
    headline = f"{shown_totals}, not comparable: 1 day without data"
    assert blocks[0]["text"]["text"] == headline
    assert headline in text
    assert "Change" not in tables(blocks)["Usage by log"][0]


def test_logs_without_change_are_sorted_by_size() -> None:
    with_gap = account(k=(10, 90), c=(20, 20))
    by_day: Any = with_gap.current
    del by_day[min(by_day)]
    _, blocks = shown(usage_of(with_gap))
    assert [row[0] for row in tables(blocks)["Usage by log"]] == ["Log", "cellar", "kitchen"]


def test_shorter_last_step_is_marked() -> None:
    months = comparison_of("/usage eu this month vs last month")
    labels = chart_of(shown(usage_of(account(comparison=months), comparison=months))[1])["labels"]
    assert labels == ["1 Nov", "8 Nov", "15 Nov", "22 Nov (part)"]


def test_day_that_is_not_over_is_not_comparable() -> None:
    comparison = comparison_of("/usage eu today vs yesterday")
    text, _ = shown(usage_of(account(comparison=comparison), comparison=comparison))
    assert "Today is not over" in text
    assert "Ask for “yesterday vs previous” to compare what is over." in text


@pytest.mark.parametrize(
    ("words", "now", "instead"),
    [
        ("today vs yesterday", None, "yesterday vs previous"),
        ("today vs a week ago", None, "yesterday vs a week ago"),
        ("today vs last friday", None, "last friday vs previous"),
        ("this week vs last week", "2026-11-23", "last week vs previous"),
        ("this month vs last month", "2026-12-01", "last month vs previous"),
        ("this week vs last week", None, ""),
        ("yesterday vs previous", None, ""),
    ],
)
def test_whole_days_are_offered_in_place_of_today(
    words: str, now: str | None, instead: str
) -> None:
    moment = datetime.fromisoformat(f"{now}T12:00:00+00:00") if now else NOW
    question = read_question_line(f"/usage eu {words}", HOUSE, now=moment, zone=UTC)
    assert isinstance(question, UsageQuestion)
    assert question.comparison is not None
    assert question.comparison.instead == instead
    if instead:
        again = read_question_line(question.over(instead), HOUSE, now=moment, zone=UTC)
        assert isinstance(again, UsageQuestion)
        assert again.comparison is not None
        assert not again.comparison.obstacle


@pytest.mark.parametrize(
    ("words", "value", "says"),
    [
        ("today vs yesterday", "change_percent", "ask for “yesterday vs previous”"),
        ("today vs yesterday", "change_bytes", "ask for “yesterday vs previous”"),
        ("today vs yesterday", "bytes", ""),
        ("yesterday vs previous", "change_percent", ""),
    ],
)
def test_alert_on_what_is_never_known_is_refused(words: str, value: str, says: str) -> None:
    question = read_question_line(f"/usage eu {words}", HOUSE, now=NOW, zone=UTC)
    why = compares_nothing(question, value)
    assert (says in why) if says else not why


def test_windows_of_different_lengths_compare_averages() -> None:
    report = usage_of(account(comparison=UNEQUAL, k=(30, 20)), comparison=UNEQUAL)
    text, _ = shown(report)
    assert report.values()["change_percent"] == 50.0
    assert "change_bytes" not in report.values()
    assert "+50.0 % (+10 B a day)" in text
    assert "averages per day are compared" in text
    assert "Biggest changes a day: kitchen +10 B." in text


def test_same_total_has_no_change() -> None:
    report = usage_of(account(now=20, then=20, k=(15, 5), c=(5, 15)))
    text, _ = shown(report)
    assert text.startswith("eu: No change – ")
    assert "Biggest changes: cellar −60 B, kitchen +60 B." in text
    assert report.values()["change_percent"] == 0


def test_change_from_nothing_has_no_percentage() -> None:
    report = usage_of(account(then=0, k=(30, 0)))
    assert "change_percent" not in report.values()
    assert shown(report)[0].startswith("eu: +180 B – ")


def test_months_of_different_lengths_show_daily_average() -> None:
    quarters = comparison_of("/usage eu q3 vs q2")
    text, blocks = shown(usage_of(account(comparison=quarters), comparison=quarters), by="month")
    assert "Daily average: 30 B vs. 20 B (+50.0 %)." in text
    assert "Totals are compared, of 92 days with those of 91 days." in text
    rows = tables(blocks)["Usage by month, compared"]
    assert [row[0] for row in rows[1:]] == ["September 2026", "August 2026", "July 2026"]
    assert [row[2] for row in rows[1:]] == ["June 2026", "May 2026", "April 2026"]


def test_contributors_of_several_accounts_are_named() -> None:
    eu = account("eu", k=(30, 20))
    us = account("us", now=10, then=10, k=(10, 10))
    text, blocks = shown(usage_of(eu, us))
    assert text.startswith("eu and us: +33.3 % (+60 B)")
    assert "By account: eu 180 B vs. 120 B, +60 B; us 60 B vs. 60 B, +0 B." in text
    assert [row[0] for row in tables(blocks)["Usage by log"][1:]] == [
        "kitchen (eu)",
        "kitchen (us)",
    ]


def test_gap_of_one_account_names_it() -> None:
    us = account("us")
    del us.current[date(2026, 11, 24)]  # type: ignore[attr-defined]
    text, _ = shown(usage_of(account(), us))
    assert "No data (not zero) for Tue 24 Nov of us." in text


def test_account_that_fails_comes_first() -> None:
    report = usage_of(account(), missing=["us"])
    text, blocks = shown(report, missing=["us is missing from this comparison: it is down."])
    assert text.startswith("us is missing from this comparison")
    assert blocks[0]["text"]["text"].startswith(":warning: us is missing")
    assert report.values()["complete"] is False


def test_each_account_and_log_is_compared_alone() -> None:
    accounts = [account("eu", k=(30, 20)), account("us", now=10, then=20, k=(10, 20))]
    report = usage_of(*accounts)
    by_account = compared_values(accounts, report, "account")["by_account"]
    assert by_account["eu"]["change_percent"] == 50.0
    assert by_account["us"]["change_bytes"] == -60
    by_log = compared_values(accounts, report, "log")["by_log"]
    assert by_log["kitchen (us)"] == {
        "bytes": 60,
        "before_bytes": 120,
        "change_bytes": -60,
        "change_percent": -50.0,
    }


@pytest.mark.parametrize("line", ["this year vs last year", "q3 vs q2", "last 60 days vs previous"])
@pytest.mark.parametrize("by", ["day", "week", "month"])
def test_long_comparison_fits_a_message(line: str, by: str) -> None:
    comparison = comparison_of(f"/usage eu {line}")
    logs = {f"log{n}": (n, 40 - n) for n in range(40)}
    hostile = account("e" * 40, comparison, **logs)  # type: ignore[arg-type]
    shown(usage_of(hostile, account("us", comparison), comparison=comparison), by)


def facts(name: str, usage: Sequence[int | None], **more: Any) -> UsageFacts:
    days = DayRange(date(2026, 11, 21), date(2026, 11, 26))
    listed = {
        day: count for day, count in zip(days.each(), usage, strict=True) if count is not None
    }
    before = each_day(days.before(), 10)
    month = {**each_day(DayRange(date(2026, 11, 1), TODAY), 10), **listed}
    period = UsagePeriod(listed, None, None, None, name.upper(), name)
    return UsageFacts(
        name,
        days,
        period,
        TODAY,
        UsagePeriod(before, None, None, None, None, None),
        UsagePeriod(month, None, None, None, None, None),
        **more,
    )


def total_text(total: UsageTotal, **more: Any) -> tuple[str, list[Block]]:
    window = read_question_line(
        "/usage eu us 2026-11-21..2026-11-26", HOUSE, now=NOW, zone=UTC
    ).window
    blocks = usage_blocks(total, window, by="day", buttons=[], **more)
    text = usage_text(total, window, by="day", **more)
    assert message_problems(text, blocks) == []
    return text, blocks


def test_several_accounts_have_a_total() -> None:
    total = total_of(
        [facts("eu", [20] * 6, monthly_quota=1000), facts("us", [10] * 6, monthly_quota=500)]
    )
    text, blocks = total_text(total)
    assert text.startswith("eu and us: 180 B in 6 days – 21 to 26 Nov 2026 (UTC).")
    assert "By account: eu 120 B and us 60 B." in text
    values = total.values()
    assert (values["bytes"], values["change_percent"], values["complete"]) == (180, 50.0, True)
    assert values["month_to_date_bytes"] == 27 * 20 + 60
    assert values["quota_percent"] == 40.0
    assert values["by_account"]["eu"]["bytes"] == 120
    assert tables(blocks)["Usage by day"][:2] == [
        ["Day", "eu", "us", "Total"],
        ["Thu 26 Nov", "20 B", "10 B", "30 B"],
    ]
    chart = chart_of(blocks)
    assert (chart["eu"], chart["us"]) == ([20] * 6, [10] * 6)


def test_day_missing_in_one_account_counts_as_missing() -> None:
    total = total_of([facts("eu", [20] * 6), facts("us", [10, None, 10, 10, 10, 10])])
    text, _ = total_text(total)
    values = total.values()
    assert (values["bytes"], values["days_missing"], values["mean_bytes_per_day"]) == (170, 1, 30)
    assert "change_percent" not in values
    assert "No data (not zero): Sun 22 Nov of us." in text


def test_total_says_which_account_it_is_without() -> None:
    total = total_of([facts("eu", [20] * 6)], ["us"])
    text, blocks = total_text(total, missing=["us is missing from this answer: it is down."])
    assert text.startswith("us is missing from this answer")
    assert blocks[0]["text"]["text"].startswith(":warning: us is missing")
    assert (total.values()["complete"], total.values()["bytes"]) == (False, 120)


def test_quota_of_one_account_is_none_of_the_total() -> None:
    values = total_of([facts("eu", [20] * 6, monthly_quota=1000), facts("us", [10] * 6)]).values()
    assert "quota_percent" not in values
    assert values["by_account"]["eu"]["quota_percent"] == 33.0


HOURS = comparison_of("/apiaudit today vs yesterday")


def call(at: datetime, actor: str = "ada", **changes: Any) -> ApiCall:
    known: dict[str, Any] = {
        "at": at,
        "at_text": "",
        "account": "edge",
        "actor": actor,
        "action": "GET",
        "target": "/papi",
        "status": "200",
        "outcome": Outcome.SUCCESS,
        "client": "",
        "ip": "203.0.113.7",
        "duration_ms": 1.0,
    }
    return ApiCall(**{**known, **changes})


def calls(
    number: int, comparison: Comparison = HOURS, side: str = "current", **changes: Any
) -> list[ApiCall]:
    window = getattr(comparison, side).window
    return [call(window.start + n * window.length / (number + 1), **changes) for n in range(number)]


def audited(current: list[ApiCall], previous: list[ApiCall], **more: Any) -> Any:
    more = {"comparison": HOURS, "accounts": ("edge",), **more}
    return compared_calls(ComparedCalls(current=current, previous=previous, **more))


def audit_shown(report: Any, **more: Any) -> tuple[str, list[Block]]:
    blocks = audit_blocks(report, zone=UTC, buttons=[("CSV", "/apiaudit csv")], **more)
    text = audit_text(report, **more)
    assert message_problems(text, blocks) == []
    return text, blocks


def test_calls_change_first_with_contributors() -> None:
    failed: dict[str, Any] = {"outcome": Outcome.FAILURE, "status": "503"}
    now = [*calls(12), *calls(6, actor="bob", action="PUT", **failed)]
    then = [*calls(10, side="previous"), *calls(2, side="previous", actor="eve")]
    report = audited(now, then)
    text, blocks = audit_shown(report)
    assert text.split("\n")[:8] == [
        "edge: +50.0 % (+6 calls) – 27 Nov 2026 00:00 to 14:05 vs. 26 Nov 2026 00:00 to 14:05 (UTC).",
        "27 Nov 2026 00:00 to 14:05: 18 calls, 6 failed.",
        "26 Nov 2026 00:00 to 14:05: 12 calls, none failed.",
        "Failed: 33.3 % vs. 0.0 %.",
        "Actors: 2 vs. 2.",
        "p95 latency: 1.0 ms vs. 1.0 ms.",
        "The same hours of both days are compared: 00:00 to 14:05.",
        "Biggest changes by actor: bob +6, ada +2, eve −2.",
    ]
    assert blocks[0]["text"]["text"] == "+50.0 % (+6 calls)"
    assert report.values() == {
        "calls": 18,
        "failures": 6,
        "failure_percent": pytest.approx(100 / 3),
        "actors": 2,
        "before_calls": 12,
        "before_failures": 0,
        "change_calls": 6,
        "change_failures": 6,
        "change_percent": 50.0,
        "complete": True,
    }
    assert list(tables(blocks)) == ["By actor"]
    assert tables(blocks)["By actor"][1][:4] == ["bob", "6", "0", "+6"]
    assert "By action: PUT 6 vs. 0 (+6)" in text
    chart = chart_of(blocks)
    assert (sum(chart["27 Nov"]), sum(chart["26 Nov"])) == (18, 12)


def test_incomplete_calls_are_not_comparable() -> None:
    report = audited(calls(9), calls(3, side="previous"), incomplete=("edge sent 9 of 12 calls.",))
    text, _ = audit_shown(report, missing=["edge sent 9 of 12 calls."])
    assert text.startswith("edge sent 9 of 12 calls.\nedge: Not comparable")
    assert "change_percent" not in report.values()
    assert report.values()["complete"] is False


@pytest.mark.parametrize(
    ("filtered", "headline"),
    [(True, "No call matches in either window"), (False, "No calls in either window")],
)
def test_no_calls_at_all_are_no_change(filtered: bool, headline: str) -> None:
    report = audited([], [], filtered=filtered)
    assert audit_shown(report)[0].startswith(f"edge: {headline} – ")
    assert report.values()["change_calls"] == 0


def test_calls_compare_averages_of_different_lengths() -> None:
    comparison = comparison_of("/apiaudit last 2h vs last week")
    now = calls(20, comparison)
    then = calls(840, comparison, "previous")
    report = audited(now, then, comparison=comparison)
    assert report.values()["change_percent"] == pytest.approx(100.0)
    assert "change_calls" not in report.values()
    assert "+100.0 % (+5.0 calls an hour)" in audit_shown(report)[0]


def test_contributors_are_the_columns_asked_for() -> None:
    report = audited(
        calls(3), calls(1, side="previous", ip="198.51.100.4"), display=Display(by=("ip",))
    )
    text, blocks = audit_shown(report)
    assert "By IP address: 203.0.113.7 3 vs. 0 (+3); 198.51.100.4 0 vs. 1 (−1)." in text
    assert set(tables(blocks)) == {"By IP address"}


def test_hostile_names_fit_a_message() -> None:
    odd = ["<!channel>`*_", "x" * 3000, "", "\u202e\x00"]
    now = [
        call(NOW - timedelta(minutes=n), odd[n % 4] + str(n), action=odd[n % 3]) for n in range(400)
    ]
    text, blocks = audit_shown(audited(now, []))
    assert "<!channel>" not in str(blocks[3])
    assert "\u202e" not in text


def test_values_by_actor_compare_each_alone() -> None:
    now = [*calls(4), *calls(3, actor="bob")]
    found = compared_values_by(now, calls(2, side="previous"), "actor", ["edge"], HOURS)
    assert found["ada"]["change_percent"] == 100.0
    assert found["bob"]["before_calls"] == 0
    assert "change_percent" not in found["bob"]


def test_history_agrees_with_answer() -> None:
    chance = random.Random(14)
    outcomes = list(Outcome)
    every = [
        call(
            NOW - timedelta(minutes=chance.randrange(4000)),
            chance.choice("abc"),
            outcome=chance.choice(outcomes),
        )
        for _ in range(500)
    ]
    history = CallHistory(every, ["edge"])
    for line in ("today vs yesterday", "2h vs a day ago", "last 2h vs yesterday", "6h vs last 24h"):
        comparison = comparison_of(f"/apiaudit {line}")
        sides = [
            calls_within(every, each.window) for each in (comparison.current, comparison.previous)
        ]
        answer = audited(sides[0], sides[1], comparison=comparison).values()
        del answer["complete"]
        found = history.compared_values(comparison, "actor")
        by_actor = found.pop("by_actor")
        assert found == answer
        assert by_actor == compared_values_by(sides[0], sides[1], "actor", ["edge"], comparison)
