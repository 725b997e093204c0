"""No answer misleads: missing data comes first, comparisons are of equal spans, unknown is not
zero, and old dates include their year.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.answer import Block
from bot.commands.apiaudit.blocks import audit_blocks, audit_text
from bot.commands.apiaudit.report import AuditFacts, AuditReport, audit_report, audit_values
from bot.commands.usage.blocks import usage_blocks, usage_text
from bot.commands.usage.report import UsageFacts, UsageReport, usage_report
from bot.commands.usage.total import UsageTotal
from bot.questions.windows import ParsedWindow
from providers.models import ApiCall, DayRange, Outcome, UsagePeriod, Window

TODAY = date(2026, 11, 20)  # a Friday
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = Window(NOON - timedelta(hours=1), NOON)


def read(window: Window) -> ParsedWindow:
    return ParsedWindow(window, "the window", asked_at=NOON)


def period(by_day: dict[date, int]) -> UsagePeriod:
    return UsagePeriod(by_day, None, None, None, None, None)


def report_of(by_day: dict[date, int], first: date, last: date, **changes: Any) -> UsageReport:
    """A report of some days, with all the data known before them."""
    days = DayRange(first, last)
    shown = {day: usage for day, usage in by_day.items() if day in days}
    before = {day: usage for day, usage in by_day.items() if day in days.before()}
    facts = {"today": TODAY, "before": period(before), "month": period(by_day), **changes}
    return usage_report(UsageFacts("eu", days, period(shown), **facts))


def history(back: int = 60, usage: Any = lambda day: 100) -> dict[date, int]:
    return {day: usage(day) for day in (TODAY - timedelta(days=n) for n in range(back))}


def text_of(report: UsageReport) -> str:
    return usage_text(UsageTotal(report), read(HOUR), by="day")


def chart_of(blocks: list[Block]) -> dict[str, list[Any]]:
    """The labels of the chart and its values, by series."""
    chart = next(block for block in blocks if block["type"] == "data_visualization")["chart"]
    series = {one["name"]: [point["value"] for point in one["data"]] for one in chart["series"]}
    return {"labels": chart["axis_config"]["categories"], **series}


def usage_chart(report: UsageReport, by: str = "day") -> dict[str, list[Any]]:
    return chart_of(usage_blocks(UsageTotal(report), read(HOUR), by=by, buttons=[]))


def weekly(day: date) -> int:
    return 10 if day.weekday() >= 5 else 100


COMPARISONS: dict[str, tuple[date, date, Any, str]] = {
    "today alone has nothing like it": (TODAY, TODAY, None, ""),
    "a week without today": (date(2026, 11, 13), date(2026, 11, 19), 0.0, "vs. previous 7 days: +0.0 %."),
    "a week with today": (date(2026, 11, 14), TODAY, 0.0, "vs. previous 7 days: +0.0 % (without today)."),
    "a Monday against a Monday": (date(2026, 11, 16), date(2026, 11, 16), 900.0, "vs. Mon 9 Nov: +0.0 %."),
    "ten days": (date(2026, 11, 10), date(2026, 11, 19), 28.125, "vs. same weekdays before: +0.0 % (Tue 27 Oct to Thu 5 Nov)."),
    "ten days with today": (date(2026, 11, 11), TODAY, pytest.approx(0, abs=999), "vs. same weekdays before: +0.0 % (Wed 28 Oct to Thu 5 Nov, without today)."),
    "this week so far": (date(2026, 11, 16), TODAY, pytest.approx(0, abs=999), "vs. same weekdays before: +0.0 % (Mon 9 Nov to Thu 12 Nov, without today)."),
}  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last", "value", "rendered"), COMPARISONS.values(), ids=COMPARISONS.keys()
)
def test_like_is_compared_with_like(first: date, last: date, value: Any, rendered: str) -> None:
    """Every week is the same, so that only weekends and an incomplete day could mislead."""
    by_day = {**history(usage=weekly), TODAY: 3}
    report = report_of(by_day, first, last)
    assert report.values().get("change_percent") == value
    assert rendered in text_of(report)
    assert ("vs." in text_of(report)) == bool(rendered)


@pytest.mark.parametrize(
    "gap", [date(2026, 11, 16), date(2026, 11, 9)], ids=["in the window", "in the window before"]
)
def test_windows_with_gaps_are_not_compared(gap: date) -> None:
    by_day = history()
    del by_day[gap]
    report = report_of(by_day, date(2026, 11, 13), date(2026, 11, 19))
    assert "change_percent" not in report.values()
    assert "vs." not in text_of(report)


def test_gap_today_leaves_comparison_of_whole_days() -> None:
    by_day = history()
    del by_day[TODAY]
    assert report_of(by_day, date(2026, 11, 14), TODAY).values()["change_percent"] == 0.0


@pytest.mark.parametrize("by", ["day", "week", "month"])
def test_usage_chart_ends_where_the_data_ends(by: str) -> None:
    known = dict.fromkeys(DayRange(date(2026, 9, 3), date(2026, 10, 12)).each(), 5)
    report = report_of(known, date(2026, 8, 20), TODAY)
    chart = usage_chart(report, by)
    assert chart["usage"]
    assert 0 not in (chart["usage"][0], chart["usage"][-1])


def test_missing_day_has_no_bar() -> None:
    by_day = history(12)
    del by_day[date(2026, 11, 15)]
    chart = usage_chart(report_of(by_day, date(2026, 11, 11), TODAY))
    assert [
        label for label, usage in zip(chart["labels"], chart["usage"], strict=True) if not usage
    ] == ["15 Nov: no data"]


def test_old_days_show_their_year_and_others_do_not() -> None:
    by_day = {date(2025, 12, 27) + timedelta(days=n): 5 + n for n in range(7)}
    del by_day[date(2025, 12, 29)]
    report = report_of(by_day, date(2025, 12, 27), date(2026, 1, 2))
    text = text_of(report)
    assert "Sat 27 Dec 2025 5 B" in text
    assert "No data (not zero): Mon 29 Dec 2025." in text
    assert "Fri 2 Jan 11 B" in text
    assert usage_chart(report)["labels"] == ["27 Dec 2025", "28 Dec 2025", "29 Dec 2025: no data", "30 Dec 2025", "31 Dec 2025", "1 Jan", "2 Jan"]  # fmt: skip


def test_month_to_date_mentions_gaps() -> None:
    by_day = history()
    del by_day[date(2026, 11, 3)]
    report = report_of(by_day, date(2026, 11, 13), date(2026, 11, 19))
    assert report.values()["month_to_date_bytes"] == 1900
    assert "Month to date: 1 day has no data." in text_of(report)
    assert "Month to date: 1" not in text_of(
        report_of(history(), date(2026, 11, 13), date(2026, 11, 19))
    )


def test_gap_of_window_is_mentioned_once() -> None:
    by_day = history()
    del by_day[date(2026, 11, 14)]
    text = text_of(report_of(by_day, date(2026, 11, 13), date(2026, 11, 19)))
    assert "No data (not zero): Sat 14 Nov." in text
    assert "Month to date: 1 day" not in text


VALUES: dict[str, tuple[dict[date, int], dict[str, Any], set[str]]] = {
    "nothing listed": ({}, {}, {"bytes", "mean_bytes_per_day", "peak_bytes", "peak_day", "change_percent", "month_to_date_bytes", "forecast_month_bytes", "quota_percent"}),
    "nothing listed before": (dict.fromkeys(DayRange(date(2026, 11, 13), date(2026, 11, 19)).each(), 5), {}, {"change_percent"}),
    "no month": (history(), {"month": None}, {"month_to_date_bytes", "forecast_month_bytes", "quota_percent"}),
    "no quota": (history(), {"monthly_quota": None}, {"quota_percent"}),
    "no window before": (history(), {"before": None}, {"change_percent"}),
    "zero before": ({**history(), **dict.fromkeys(DayRange(date(2026, 11, 6), date(2026, 11, 12)).each(), 0)}, {}, {"change_percent"}),
    "all there": (history(), {}, set()),
}  # fmt: skip
NAMED = {"bytes", "days", "days_missing", "mean_bytes_per_day", "peak_bytes", "peak_day", "change_percent", "month_to_date_bytes", "forecast_month_bytes", "quota_percent"}  # fmt: skip


@pytest.mark.parametrize(("by_day", "changes", "absent"), VALUES.values(), ids=VALUES.keys())
def test_usage_values_that_are_unknown_are_absent(
    by_day: dict[date, int], changes: dict[str, Any], absent: set[str]
) -> None:
    values = report_of(
        by_day, date(2026, 11, 13), date(2026, 11, 19), **{"monthly_quota": 9000, **changes}
    ).values()
    assert NAMED - values.keys() == absent
    listed = [
        usage for day, usage in by_day.items() if date(2026, 11, 13) <= day <= date(2026, 11, 19)
    ]
    assert values.get("bytes") == (sum(listed) if listed else None)
    assert values.get("mean_bytes_per_day") == (sum(listed) / len(listed) if listed else None)
    assert values["days_missing"] == 7 - len(listed)


def call(minute: float = 0, **changes: Any) -> ApiCall:
    given: dict[str, Any] = {
        "at": HOUR.start + timedelta(minutes=minute), "at_text": "t", "account": "iot", "actor": "ada", "action": "thing.list", "target": "oven",
        "status": "ok", "outcome": Outcome.SUCCESS, "client": "K", "ip": "", "duration_ms": 1.0,
    }  # fmt: skip
    return ApiCall(**{**given, **changes})


def audit(
    *calls: ApiCall, accounts: tuple[str, ...] = ("edge", "iot"), **facts: Any
) -> AuditReport:
    return audit_report(
        AuditFacts(accounts, facts.pop("window", HOUR), calls, **{"complete": True, **facts})
    )


def rendered(report: AuditReport, *warnings: str) -> tuple[str, list[Block]]:
    return (
        audit_text(report, read(report.window), zone=UTC, warnings=warnings),
        audit_blocks(report, read(report.window), zone=UTC, buttons=[], warnings=warnings),
    )


def test_failures_are_headed_failed() -> None:
    _, blocks = rendered(audit(call(), call(outcome=Outcome.FAILURE)))
    assert "Failed" in str(blocks)
    assert "EvaluationError" not in str(blocks)


def test_missing_account_is_mentioned_first() -> None:
    text, blocks = rendered(
        audit(call(), complete=False), "edge is missing from this answer: it is away."
    )
    assert text.split("\n")[:3] == [
        "edge is missing from this answer: it is away.",
        "This answer is incomplete.",
        "edge, iot: 1 call, none failed – the window.",
    ]
    assert blocks[0]["text"]["text"].startswith(":warning: edge is missing from this answer")
    assert blocks[1]["type"] == "header"


def test_missing_data_comes_first_and_remarks_last() -> None:
    notes = ("iot counts 42 calls and sent 1.", "Akamai records no 401.")
    text, _ = rendered(audit(call(), complete=False, notes=notes, shortcomings=notes[:1]))
    assert text.split("\n")[1] == "iot counts 42 calls and sent 1."
    assert text.split("\n")[-1] == "Akamai records no 401."
    assert text.count("42") == 1


def test_complete_answer_begins_with_its_number() -> None:
    text, blocks = rendered(audit(call()))
    assert text.startswith("edge, iot: 1 call")
    assert blocks[0]["type"] == "header"


@pytest.mark.parametrize(("filtered", "headline"), [(True, "No call matches"), (False, "No calls")])
def test_no_match_differs_from_no_data(filtered: bool, headline: str) -> None:
    report = audit(filtered=filtered)
    text, blocks = rendered(report)
    assert text.startswith(f"edge, iot: {headline} – ")
    assert blocks[0]["text"]["text"] == headline
    assert report.values() == {"calls": 0, "failures": 0, "actors": 0, "complete": True}


def test_unknown_usage_has_no_numbers() -> None:
    report = audit(accounts=("edge",), unknown=("edge",), complete=False)
    assert report.values() == {"complete": False}
    assert "edge: No data yet" in rendered(report)[0]


def test_account_without_data_has_no_values() -> None:
    facts = AuditFacts(("edge", "iot"), HOUR, [], complete=False, unknown=("edge",))
    assert set(audit_values(facts, each="account")["by_account"]) == {"iot"}
    assert audit_report(facts).values()["calls"] == 0


def test_audit_chart_ends_where_the_data_ends() -> None:
    report = audit(
        *(call(n) for n in range(0, 59, 3)), data_until=HOUR.start + timedelta(minutes=40)
    )
    text, blocks = rendered(report)
    assert chart_of(blocks)["labels"][-1] == "11:35"
    assert sum(chart_of(blocks)["calls"]) == 14
    assert "The chart ends at 20 Nov 11:40, where the data ends." in text
    assert "6 calls without a time inside the chart count in the totals" in text
    assert report.values()["calls"] == 20


@pytest.mark.parametrize("known_until", [HOUR.start, HOUR.end, HOUR.end + timedelta(hours=1), None])
def test_chart_is_cut_only_inside_its_window(known_until: datetime | None) -> None:
    report = audit(call(1), call(59), data_until=known_until)
    assert (report.drawn, report.untimed) == (HOUR, 0)


@pytest.mark.parametrize("days", [1, 30])
def test_old_calls_show_their_year(days: int) -> None:
    end = datetime(2025, 12, 31, 12, tzinfo=UTC)
    window = Window(end - timedelta(days=days), end)
    failed = call(at=end - timedelta(hours=2), outcome=Outcome.FAILURE)
    text, blocks = rendered(audit(failed, call(at=end - timedelta(hours=7 * days)), window=window))
    assert "31 Dec 2025 10:00" in text
    labels = chart_of(blocks)["labels"]
    assert labels
    assert all("2025" in str(label) for label in labels)
    assert "2026" not in "".join(map(str, chart_of(rendered(audit(call(), call(9)))[1])["labels"]))


AUDIT_VALUES: dict[str, tuple[list[ApiCall], dict[str, Any]]] = {
    "none": ([], {"calls": 0, "failures": 0, "actors": 0, "complete": True}),
    "outcome unknown": ([call(outcome=Outcome.UNKNOWN, duration_ms=None)], {"calls": 1, "failures": 0, "actors": 1, "complete": True}),
    "half known": (
        [call(outcome=Outcome.UNKNOWN), call(outcome=Outcome.FAILURE)],
        {"calls": 2, "failures": 1, "failure_percent": 100.0, "actors": 1, "duration_p95_ms": 1.0, "complete": True},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("calls", "values"), AUDIT_VALUES.values(), ids=AUDIT_VALUES.keys())
def test_audit_values_that_are_unknown_are_absent(
    calls: list[ApiCall], values: dict[str, Any]
) -> None:
    assert audit(*calls).values() == values
