"""What a rule would have done: the same evaluation over past samples."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.alerts.backtest import Backtest, EvaluationPoint, backtest
from bot.alerts.rule import Rule
from bot.alerts.state import WHOLE
from bot.blocks import limits
from bot.blocks.backtest import backtest_blocks, backtest_text, bars, sentence
from bot.commands.apiaudit.history import CallHistory
from bot.commands.apiaudit.report import AuditFacts, audit_report, audit_values
from bot.questions.question import AccountDirectory
from bot.store import EvaluationRecord, Sample, Store
from handlers.backtesting import Backtesting, _merged
from providers.models import Window
from tests.bot.test_alerts import MINUTE, RULE
from tests.bot.test_reports import call

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
QUARTER = 15 * MINUTE
SPIKE = Rule(**{**RULE, "every": QUARTER})


def tried(rule: Rule, *values: float | None, step: timedelta = QUARTER) -> Backtest:
    start = NOON - len(values) * step
    points = [
        EvaluationPoint(start + n * step, {WHOLE: value}, step) for n, value in enumerate(values)
    ]
    return backtest(rule, points, start=start, end=NOON)


@pytest.mark.parametrize("query", ["/logs web", f"/logs web where({'x' * 1500})"], ids=len)
async def test_stored_samples_are_found(query: str, tmp_path: Path) -> None:
    """Includes a question that is too long for an index, for which the store uses a part of it."""
    rule = replace(SPIKE, query=query, value="lines", above=5.0)
    store = await Store.open(tmp_path / "bot.sqlite", now=NOON)
    try:
        record = EvaluationRecord(
            alert=rule.name,
            definition=rule.definition,
            due=NOON,
            at=NOON,
            state="firing",
            since=NOON,
            value=7.0,
            alert_state=b"{}",
        )
        await store.alerts.save_evaluations([record])
        later = NOON + QUARTER
        testing = Backtesting({}, AccountDirectory({}), store.alerts, UTC, lambda: later)
        found = await testing._stored_samples(rule, NOON, later)
        assert [sample.value for sample in found] == [7.0]
    finally:
        await store.close()


def test_firing_has_start_end_and_peak() -> None:
    test = tried(SPIKE, 5, 11, 13, 12, 5, None, 20)
    assert [
        ((f.start - test.start) // QUARTER, f.end and (f.end - test.start) // QUARTER, f.peak)
        for f in test.firings
    ] == [
        (1, 4, 13),
        (6, None, 20),
    ]
    assert (test.samples, test.missing, test.now) == (6, 1, "firing")


@pytest.mark.parametrize(
    ("values", "now"),
    [
        ([], "no_data"),
        ([None], "no_data"),
        ([5], "inactive"),
        ([11], "firing"),
        ([11, 5], "inactive"),
        ([5, None], "inactive"),
    ],
)
def test_current_state_is_described(values: list[float | None], now: str) -> None:
    assert tried(SPIKE, *values).now == now


def test_rule_with_duration_is_pending_first() -> None:
    rule = Rule(**{**RULE, "every": QUARTER, "for_": 30 * MINUTE})
    assert [tried(rule, 11, *more).now for more in ([], [11], [11, 11])] == [
        "pending",
        "pending",
        "firing",
    ]


def test_whole_day_satisfies_duration_of_minutes() -> None:
    rule = Rule(**{**RULE, "every": QUARTER, "for_": 30 * MINUTE, "keep_firing_for": 10 * MINUTE})
    test = tried(rule, 5, 11, 5, 5, step=timedelta(days=1))
    assert [(f.start - test.start, f.end) for f in test.firings] == [
        (timedelta(days=1), test.start + timedelta(days=2))
    ]
    days = Rule(**{**RULE, "every": QUARTER, "for_": timedelta(days=2)})
    assert tried(days, 11, 11, step=timedelta(days=1)).firings == ()
    assert len(tried(days, 11, 11, 11, step=timedelta(days=1)).firings) == 1


def test_isolated_points_are_evaluated_separately() -> None:
    """Hysteresis, hold and firing do not carry over from one point to the next."""
    day = timedelta(days=1)
    rule = Rule(**{**RULE, "every": QUARTER, "recover": 6.0, "for_": 30 * MINUTE})
    start = NOON.replace(hour=0) - 4 * day
    points = [
        EvaluationPoint(start + n * day, {WHOLE: value}, day, alone=True)
        for n, value in enumerate((11.0, 12.0, 8.0, 11.0))
    ]
    test = backtest(rule, points, start=start, end=NOON)
    assert [
        ((f.start - start).days, f.end and (f.end - start).days, f.peak) for f in test.firings
    ] == [
        (0, 1, 11),
        (1, 2, 12),
        (3, None, 11),
    ]
    chart = next(b for b in backtest_blocks(test, UTC) if b["type"] == "data_visualization")[
        "chart"
    ]
    assert chart["type"] == "bar"
    assert [point["value"] for point in chart["series"][2]["data"]] == [11, 12, 0, 11]
    held = backtest(Rule(**{**RULE, "for_": 2 * day}), points, start=start, end=NOON)
    assert held.firings == ()


def test_isolated_point_ends_where_samples_begin() -> None:
    day = timedelta(days=1)
    start = NOON.replace(hour=0) - day
    points = [
        EvaluationPoint(start, {WHOLE: 11.0}, day, alone=True),
        EvaluationPoint(NOON, {WHOLE: 5.0}, QUARTER),
    ]
    [firing] = backtest(SPIKE, points, start=start, end=NOON).firings
    assert (firing.start, firing.end) == (start, start + day)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([5] * 96, "would not have fired in 1 day, now OK"),
        ([5] * 95 + [11], "would have fired 1 time in 1 day, longest 15 min, now firing"),
        (
            [11, 5] + [11] * 9 + [5] * 85,
            "would have fired 2 times in 1 day, longest 2 h 15 min, now OK",
        ),
        ([None] * 96, "no data in the last 1 day"),
    ],
)
def test_summary_is_one_sentence(values: list[float | None], says: str) -> None:
    assert sentence(tried(SPIKE, *values)) == says


def test_text_and_chart_show_firings() -> None:
    test = tried(Rule(**{**RULE, "above": 5e9}), *[3e9] * 40, 6e9, *[3e9] * 55)
    text = backtest_text(test, UTC)
    blocks = backtest_blocks(test, UTC)
    assert "peak 6.00 GB" in text
    assert sum(" ! " in line for line in text.splitlines()) == 1
    assert limits.message_problems(text, blocks) == []
    chart = next(b for b in blocks if b["type"] == "data_visualization")["chart"]
    assert [s["name"] for s in chart["series"]] == ["value", "threshold", "firing"]
    assert len(bars(test)) <= 20


@given(
    st.lists(st.sampled_from([5.0, 8.0, 11.0, None]), max_size=60),
    st.sampled_from([None, 6.0]),
    st.sampled_from([0, 30]),
)
def test_any_history_has_a_summary(
    values: list[float | None], recover: float | None, hold: int
) -> None:
    test = tried(Rule(**{**RULE, "recover": recover, "for_": hold * MINUTE}), *values)
    assert test.samples + test.missing == len(values)
    assert all(f.end is None or f.start < f.end for f in test.firings)
    assert sum(f.end is None for f in test.firings) == (test.now == "firing")
    assert limits.message_problems(backtest_text(test, UTC), backtest_blocks(test, UTC)) == []


def test_samples_are_used_and_gaps_computed() -> None:
    kept = [
        Sample(NOON, 1.0, "inactive"),
        Sample(NOON + QUARTER, None, "error"),
        Sample(NOON + 2 * QUARTER, 2.0, "inactive"),
    ]
    computed = [EvaluationPoint(NOON + n * QUARTER, {WHOLE: 9.0}, QUARTER) for n in range(-1, 4)]
    assert [point.readings[WHOLE] for point in _merged(SPIKE, kept, computed)] == [
        9.0,
        1.0,
        9.0,
        2.0,
        9.0,
    ]
    whole_day = [
        EvaluationPoint(NOON.replace(hour=0) - timedelta(days=n), {WHOLE: 9.0}, timedelta(days=1))
        for n in (1, 0)
    ]
    assert [point.readings[WHOLE] for point in _merged(SPIKE, kept, whole_day)] == [9.0, 1.0, 2.0]


CALLS = st.lists(
    st.builds(
        call, st.integers(0, 59), actor=st.sampled_from(["ada", "grace"]), account=st.sampled_from(["edge", "iot"]),
        duration_ms=st.none() | st.floats(0, 1000),
    )
)  # fmt: skip


@given(CALLS, st.integers(0, 58), st.integers(1, 59))
def test_call_history_equals_answer_of_each_window(
    calls: list[Any], first: int, length: int
) -> None:
    start = NOON.replace(day=20) - timedelta(hours=1) + first * MINUTE
    window = Window(start, start + length * MINUTE)
    history = CallHistory(calls, ("edge", "iot"))
    facts = AuditFacts(
        ("edge", "iot"), window, [c for c in calls if window.start <= c.at < window.end], True
    )
    answer = audit_report(facts).values()
    for name in ("calls", "failures", "failure_percent", "actors", "duration_p95_ms"):
        assert history.values(window, name).get(name) == answer.get(name)
    for each in ("account", "actor"):
        by = history.values(window, "calls", each)[f"by_{each}"]
        assert {who: found["calls"] for who, found in by.items()} == {
            who: v["calls"] for who, v in audit_values(facts, each=each)[f"by_{each}"].items()
        }
