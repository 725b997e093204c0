"""Numbers from facts: gaps are not zeros, unknown is not a number, and tables are safe to open."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.apiaudit.blocks import _failure_list
from bot.commands.apiaudit.listing import list_text
from bot.commands.apiaudit.report import AuditFacts, audit_report, percentile
from bot.commands.apiaudit.table import csv_rows
from bot.commands.usage.forecast import month_forecast
from bot.commands.usage.report import UsageFacts, buckets, usage_report
from bot.reports.file_names import file_stem, safe_name
from bot.reports.sheets import csv_bytes
from bot.reports.timeline import MOST_POINTS
from providers.models import ApiCall, DayRange, Outcome, UsagePeriod, Window

TODAY = date(2026, 11, 21)
WEEK = DayRange(date(2026, 11, 9), date(2026, 11, 15))


def period(by_day: dict[date, int], reported: int | None = None) -> UsagePeriod:
    return UsagePeriod(by_day, reported, None, None, "Ada's Kitchen", "k1")


def days(usages: Sequence[int | None], first: date) -> dict[date, int]:
    return {first + timedelta(days=n): usage for n, usage in enumerate(usages) if usage is not None}


def facts(**changes: Any) -> UsageFacts:
    given_: dict[str, Any] = {
        "account": "eu",
        "days": WEEK,
        "period": period(days([10, 20, 30, 40, 50, 60, 70], WEEK.first), 280),
        "today": TODAY,
        "before": period(days([10] * 7, WEEK.before().first)),
        "month": period(days([10] * 20, date(2026, 11, 1))),
        "monthly_quota": 1000,
    }
    return UsageFacts(**{**given_, **changes})


def test_values_of_a_whole_week() -> None:
    assert usage_report(facts()).values() == {
        "bytes": 280,
        "reported_bytes": 280,
        "days": 7,
        "days_missing": 0,
        "mean_bytes_per_day": 40,
        "peak_bytes": 70,
        "peak_day": "2026-11-15",
        "change_percent": 300.0,
        "month_to_date_bytes": 200,
        "forecast_month_bytes": 300,
        "quota_percent": 20.0,
    }


def test_missing_day_is_not_part_of_mean() -> None:
    values = usage_report(
        facts(period=period(days([10, None, 30, None, 50, None, 70], WEEK.first)))
    ).values()
    assert (values["bytes"], values["days_missing"], values["mean_bytes_per_day"]) == (160, 3, 40)
    assert "change_percent" not in values
    assert "reported_bytes" not in values


def test_total_of_another_period_is_named_with_its_dates() -> None:
    listed = days([10] * 7, WEEK.first)
    same = UsagePeriod(listed, 500, WEEK.first, WEEK.last, None, None)
    assert "500 B for the period;" in usage_report(facts(period=same)).findings()[-1]
    other = UsagePeriod(listed, 500, date(2026, 11, 1), WEEK.last, None, None)
    found = usage_report(facts(period=other)).findings()[-1]
    assert "500 B for Sun 1 Nov to Sun 15 Nov;" in found


def test_day_of_zero_counts_as_a_day() -> None:
    values = usage_report(facts(period=period(days([0] * 7, WEEK.first)))).values()
    assert (
        values["bytes"],
        values["days_missing"],
        values["mean_bytes_per_day"],
        values["change_percent"],
    ) == (0, 0, 0, -100)


def test_nothing_listed_is_unknown_and_never_zero() -> None:
    values = usage_report(facts(period=period({}), before=None, month=None)).values()
    assert values == {"days": 7, "days_missing": 7}


def test_change_needs_complete_previous_period() -> None:
    for before in (
        period(days([10, None, 10, 10, 10, 10, 10], WEEK.before().first)),
        period(days([0] * 7, WEEK.before().first)),
    ):
        assert "change_percent" not in usage_report(facts(before=before)).values()


def test_days_outside_the_window_are_not_counted() -> None:
    listed = days([10] * 7, WEEK.first) | {date(2018, 12, 1): 999}
    assert usage_report(facts(period=period(listed))).values()["bytes"] == 70


def test_findings_name_outliers() -> None:
    listed = days([10, 10, 10, 21, 10, 10, 10], WEEK.first)
    findings = usage_report(facts(period=period(listed, 500), monthly_quota=250)).findings()
    assert findings[0] == "Thu 12 Nov was 2.1 × the median day (10 B)."
    assert findings[1] == "The month-end forecast is 50 B over the quota of 250 B."
    assert "500 B" in findings[2]


def test_peak_is_compared_with_its_weekday() -> None:
    """Mondays are always twice as busy, so a Monday is not unusual; this Wednesday is."""
    usual = history(lambda day: 20 if day.weekday() == 0 else 10, until=WEEK.first)
    week = days([20, 10, 10, 10, 10, 10, 10], WEEK.first)
    assert usage_report(facts(period=period(week), month=period(usual))).findings() == []
    busy = days([20, 10, 24, 10, 10, 10, 10], WEEK.first)
    assert (
        usage_report(facts(period=period(busy), month=period(usual))).findings()[0]
        == "Wed 11 Nov was 2.4 × the median Wednesday (10 B)."
    )


@pytest.mark.parametrize(
    ("by_day", "forecast"),
    [
        ({}, None),
        (days([10] * 20, date(2026, 11, 1)), 300),
        (days([10] * 20 + [99], date(2026, 11, 1)), 10 * 20 + 99 + 9 * 10),
        (days([10, None] * 10, date(2026, 11, 1)), 300),
        (days([6] * 10, date(2026, 10, 20)), 180),
        ({date(2026, 11, 21): 5}, None),
        (days([6] * 10, date(2018, 12, 1)), None),
    ],
    ids=[
        "nothing",
        "even",
        "today is more already",
        "gaps",
        "first of the month",
        "today alone",
        "long ago",
    ],
)
def test_forecast_extends_mean_of_whole_days(by_day: dict[date, int], forecast: int | None) -> None:
    found = month_forecast(by_day, today=TODAY)
    assert (found and found.bytes) == forecast


def history(usage: Any, *, until: date = TODAY, back: int = 130) -> dict[date, int]:
    return {day: round(usage(day)) for day in (until - timedelta(days=n) for n in range(1, back))}


def test_forecast_distinguishes_weekdays_with_enough_data() -> None:
    """Five working days and two days off: the ten days left contain two weekends."""
    found = month_forecast(history(lambda day: 100 if day.weekday() < 5 else 10), today=TODAY)
    assert found is not None
    november = [TODAY.replace(day=n) for n in range(1, 31)]
    assert found.bytes == sum(100 if day.weekday() < 5 else 10 for day in november)
    assert (found.spread, found.error_percent, found.tried) == (0, 0.0, 10)


def test_forecast_shows_its_past_error() -> None:
    spread = random.Random(3)
    found = month_forecast(history(lambda day: 100_000 * spread.uniform(0.8, 1.2)), today=TODAY)
    assert found is not None
    assert found.error_percent is not None and 0 < found.error_percent < 8
    assert found.spread is not None and 0 < found.spread < 0.1 * found.bytes
    assert abs(found.bytes - 3_000_000) < 150_000


def test_forecast_follows_growth_of_last_weeks() -> None:
    found = month_forecast(
        history(lambda day: 1000 * 1.01 ** (day - date(2026, 7, 1)).days), today=TODAY
    )
    assert found is not None
    actual = sum(
        1000 * 1.01 ** (TODAY.replace(day=n) - date(2026, 7, 1)).days for n in range(1, 31)
    )
    assert 0.85 < found.bytes / actual < 1.0
    assert found.error_percent is not None and found.error_percent > 1


@pytest.mark.parametrize("back", [0, 1, 20, 38])
def test_short_history_gives_no_error_finding(back: int) -> None:
    found = month_forecast(history(lambda day: 5, back=back), today=TODAY)
    assert found is None or found.error_percent is None


@given(st.dictionaries(st.integers(0, 140), st.integers(0, 10**13)), st.integers(0, 400))
def test_forecast_is_at_least_present_usage(usages: dict[int, int], shift: int) -> None:
    today = TODAY + timedelta(days=shift)
    by_day = {today - timedelta(days=n): usage for n, usage in usages.items()}
    found = month_forecast(by_day, today=today)
    if found:
        assert (
            found.bytes
            >= sum(usage for day, usage in by_day.items() if day >= today.replace(day=1)) - 1
        )
        assert found.spread is None or found.spread >= 0


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    by_day: dict[date, int | None] = {date(2026, 10, 30) + timedelta(days=n): 1 for n in range(5)}
    assert [(str(a), str(b), n) for a, b, n, _ in buckets(by_day, "week")] == [
        ("2026-10-30", "2026-11-01", 3),
        ("2026-11-02", "2026-11-03", 2),
    ]
    assert [n for _, _, n, _ in buckets(by_day, "month")] == [2, 3]


NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = Window(NOON - timedelta(hours=1), NOON)


def call(minute: int = 0, **changes: Any) -> ApiCall:
    given_: dict[str, Any] = {
        "at": HOUR.start + timedelta(minutes=minute), "at_text": "t", "account": "iot", "actor": "ada", "action": "thing.list", "target": "oven",
        "status": "ok", "outcome": Outcome.SUCCESS, "client": "K", "ip": "", "duration_ms": 1.0,
    }  # fmt: skip
    return ApiCall(**{**given_, **changes})


SHARED_HOST = ["api.example.com/v1/x", "api.example.com", "api.example.com-old", "api.example.com/"]


def test_only_paths_lose_shared_host() -> None:
    calls = [call(minute, target=target) for minute, target in enumerate(SHARED_HOST)]
    heading, *lines = list_text(calls, UTC, NOON)
    assert heading == "Calls, paths on api.example.com:"
    shown = ["/v1/x", "api.example.com", "api.example.com-old", "/"]
    for line, target in zip(lines, shown, strict=True):
        assert f" thing.list {target} ok" in line


def test_failures_name_whole_targets() -> None:
    calls = [
        call(minute, target=target, outcome=Outcome.FAILURE)
        for minute, target in enumerate(SHARED_HOST[:3])
    ]
    shown = str(
        _failure_list(audit_report(AuditFacts(("iot",), HOUR, calls, complete=True)), UTC, NOON)
    )
    assert "paths on api.example.com" in shown
    for target in ("/v1/x", "api.example.com", "api.example.com-old"):
        assert f" thing.list {target} ok" in shown


def test_values_of_an_audit() -> None:
    calls = [
        *(call(n, duration_ms=float(n)) for n in range(1, 21)),
        call(outcome=Outcome.FAILURE, duration_ms=None),
        call(outcome=Outcome.UNKNOWN, actor="bob", duration_ms=None),
    ]
    report = audit_report(AuditFacts(("iot",), HOUR, calls, complete=True))
    assert report.values() == {
        "calls": 22,
        "failures": 1,
        "failure_percent": 100 / 21,
        "actors": 2,
        "duration_p95_ms": 19.0,
        "complete": True,
    }


def test_no_calls_have_no_percentages() -> None:
    assert audit_report(AuditFacts(("iot",), HOUR, [], complete=False)).values() == {
        "calls": 0,
        "failures": 0,
        "actors": 0,
        "complete": False,
    }


@pytest.mark.parametrize(
    "length",
    [
        timedelta(seconds=30),
        timedelta(minutes=20),
        timedelta(hours=1),
        timedelta(hours=25),
        timedelta(days=7),
        timedelta(days=92),
        timedelta(days=3650),
    ],
)
def test_timeline_has_twenty_points_and_all_calls(length: timedelta) -> None:
    window = Window(NOON - length, NOON)
    calls = [call(at=window.start + length * n / 50) for n in range(50)]
    report = audit_report(AuditFacts(("iot",), window, calls, complete=True))
    assert len(report.timeline) <= MOST_POINTS
    assert sum(bucket.calls for bucket in report.timeline) == 50


def test_calls_without_a_time_are_counted_and_not_drawn() -> None:
    report = audit_report(
        AuditFacts(("edge",), HOUR, [call(at=None, at_text="Other"), call(1)], complete=True)
    )
    assert (report.calls, report.untimed, sum(b.calls for b in report.timeline)) == (2, 1, 1)


@pytest.mark.parametrize(
    ("values", "p95"), [([], None), ([5.0], 5.0), ([float(n) for n in range(1, 101)], 95.0)]
)
def test_95th_percentile(values: list[float], p95: float | None) -> None:
    assert percentile(values, 95) == p95


def test_csv_has_utc_milliseconds_and_empty_unknowns() -> None:
    rows = list(
        csv_rows(
            [
                call(at=datetime(2014, 2, 11, 19, 15, 34, 882000, tzinfo=UTC), duration_ms=21.5),
                call(at=None, at_text="Other", duration_ms=None),
            ]
        )
    )
    assert rows[0] == (
        "2014-02-11T19:15:34.882Z",
        "iot",
        "ada",
        "thing.list",
        "oven",
        "ok",
        "success",
        "K",
        "",
        "21.5",
        "",
        "",
        "",
    )
    assert (rows[1][0], rows[1][9]) == ("Other", None)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1", "\rx", "  =1", " \t+1"])
def test_csv_cell_with_formula_is_guarded(cell: str) -> None:
    assert (
        next(
            iter(
                csv.reader(
                    io.StringIO(
                        csv_bytes(("a",), [(cell,)]).decode().split("\r\n", 1)[1], newline=""
                    )
                )
            )
        )[0]
        == "'" + cell
    )


@given(st.lists(st.tuples(st.text(), st.text()), max_size=8))
def test_csv_is_read_back_as_it_was_written(rows: list[tuple[str, str]]) -> None:
    clean = [tuple(cell.encode("utf-8", "replace").decode() for cell in row) for row in rows]
    read = list(csv.reader(io.StringIO(csv_bytes(("a", "b"), clean).decode(), newline="")))
    assert [tuple(cell.removeprefix("'") for cell in row) for row in read[1:]] == [
        tuple(c.removeprefix("'") for c in row) for row in clean
    ]


def test_csv_has_crlf_and_a_header() -> None:
    assert (
        csv_bytes(("day", "bytes"), [("2026-11-20", 5), ("2026-11-21", None)])
        == b"day,bytes\r\n2026-11-20,5\r\n2026-11-21,\r\n"
    )


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("kitchen", "kitchen"),
        ("../../etc/passwd", "etc_passwd"),
        ("a b/c", "a_b_c"),
        ("...", "log"),
        ("Ünï", "n"),
        ("x" * 200, "x" * 60),
    ],
)
def test_file_names_are_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_file_is_named_after_logs_and_window() -> None:
    assert (
        file_stem(["kitchen", "cellar"], HOUR) == "kitchen+cellar-20261120T110000Z-20261120T120000Z"
    )


def test_host_with_most_failures_is_named() -> None:
    calls = [call(n, outcome=Outcome.FAILURE, host="ip-1", organisation="ACME") for n in range(5)]
    calls += [call(n, host="ip-2", organisation="BETA") for n in range(5)]
    report = audit_report(AuditFacts(("iot",), HOUR, calls, complete=True))
    assert "ip-1 processed 100.0 % of the failed calls." in report.findings()
    assert [(t.name, t.calls, t.failures) for t in report.organisations] == [
        ("ACME", 5, 5),
        ("BETA", 5, 0),
    ]
