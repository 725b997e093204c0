"""Rules whose threshold follows the usual values: their states, words, forms and settings."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from typing import Any

import msgspec
import pytest

from bot.alerts.backtest import EvaluationPoint, backtest
from bot.alerts.baseline import Baseline, DayValue, Season, Usual
from bot.alerts.commands import parse_alert_command
from bot.alerts.create import CreateAlert
from bot.alerts.evaluate import evaluate
from bot.alerts.form import new_alert, read_alert_form
from bot.alerts.rule import Rule, is_same_value, rule_from_definition
from bot.alerts.state import WHOLE, AlertState, Reason, State
from bot.blocks.alert_context import NotificationContext
from bot.blocks.alert_lines import rule_line, state_line
from bot.blocks.alert_replies import thread_reply
from bot.blocks.alert_values import format_range
from bot.blocks.alerts import incident_message
from bot.blocks.backtest import backtest_blocks, backtest_text
from bot.blocks.modals import ModalState, alert_modal
from bot.questions.form import InvalidForm
from bot.sandbox.block_kit_schema import complaints
from bot.sandbox.modal_schema import view_complaints
from handlers.rule_conversion import create_alert_from, rule_from
from tests.bot.test_alerts import MINUTE, NOON
from tests.bot.test_config import problems
from tests.bot.test_question import HOUSE

STEP = 5 * MINUTE
BAND = Baseline(100.0, 70.0, 130.0, Season.HOUR, 20)
ODD: dict[str, Any] = {
    "name": "odd",
    "query": "/usage today",
    "value": "bytes",
    "channel": "#ops",
    "every": STEP,
}
TWICE = Rule(**ODD, usual=Usual("above", 2.0, recover=1.5))
OUTSIDE = Rule(**ODD, usual=Usual("outside"))


def states(rule: Rule, *seen: tuple[float | None, Baseline | None]) -> list[str]:
    """State and reason after each evaluation."""
    alert = AlertState()
    found = []
    for n, (value, baseline) in enumerate(seen):
        alert, reason = evaluate(
            rule, alert, {WHOLE: value}, now=NOON + n * STEP, baselines={WHOLE: baseline}
        )
        found.append(f"{alert.state.value} {reason.value}" if reason else alert.state.value)
    return found


TABLE: dict[str, tuple[Rule, list[tuple[float | None, Baseline | None]], list[str]]] = {
    "fires and resolves": (
        TWICE,
        [(100, BAND), (201, BAND), (160, BAND), (150, BAND)],
        ["inactive", "firing first", "firing", "inactive resolved"],
    ),
    "never fires without a baseline": (
        TWICE,
        [(1e12, None), (1e12, None), (100, BAND)],
        ["no_baseline", "no_baseline", "inactive"],
    ),
    "fires once its baseline is there": (
        TWICE,
        [(1e12, None), (201, BAND)],
        ["no_baseline", "firing first"],
    ),
    "goes on firing where the baseline is missing": (
        TWICE,
        [(201, BAND), (1, None), (1, BAND)],
        ["firing first", "firing", "inactive resolved"],
    ),
    "no data is not unusual": (
        OUTSIDE,
        [(100, BAND), (None, BAND), (None, None)],
        ["inactive", "inactive", "inactive"],
    ),
    "outside fires on both sides": (
        OUTSIDE,
        [(60, BAND), (100, BAND), (140, BAND)],
        ["firing first", "inactive resolved", "firing first"],
    ),
}


@pytest.mark.parametrize(("rule", "seen", "expected"), TABLE.values(), ids=TABLE.keys())
def test_alert_follows_baseline(
    rule: Rule, seen: list[tuple[float | None, Baseline | None]], expected: list[str]
) -> None:
    assert states(rule, *seen) == expected


def test_each_subject_has_its_own_baseline() -> None:
    rule = Rule(**ODD, each="log", usual=Usual("above", 2.0))
    small = Baseline(1.0, 0.0, 2.0, Season.HOUR, 9)
    after, _ = evaluate(
        rule,
        AlertState(),
        {"kitchen": 150.0, "cellar": 150.0, "new": 150.0},
        now=NOON,
        baselines={"kitchen": BAND, "cellar": small, "new": None},
    )
    found = {name: subject.state for name, subject in after.subjects.items()}
    assert found == {
        "kitchen": State.INACTIVE,
        "cellar": State.FIRING,
        "new": State.NO_BASELINE,
    }
    assert after.state is State.FIRING


def test_furthest_value_of_outside_is_kept() -> None:
    alert = AlertState()
    for n, value in enumerate((140.0, 20.0, 135.0)):
        alert, _ = evaluate(
            OUTSIDE, alert, {WHOLE: value}, now=NOON + n * STEP, baselines={WHOLE: BAND}
        )
    assert alert.worst_subject.peak == 20.0


@pytest.mark.parametrize(
    "rule",
    [TWICE, OUTSIDE, Rule(**ODD, each="log", usual=Usual("below", 0.5))],
    ids=lambda rule: rule.usual.label,
)
def test_rule_survives_storage(rule: Rule) -> None:
    stored = msgspec.json.decode(msgspec.json.encode(rule), type=Rule)
    assert stored == rule
    again = rule_from_definition(rule.name, rule.definition, rule.channel)
    assert (again.query, again.value, again.each) == (rule.query, rule.value, rule.each)
    assert again.definition == rule.definition
    alert = create_alert_from(rule)
    assert rule_from(alert, rule.query, rule.channel).usual == rule.usual


def test_fixed_rule_is_stored_as_before() -> None:
    rule = Rule(**ODD, above=5.0)
    assert "usual" not in msgspec.json.decode(msgspec.json.encode(rule))
    assert rule.definition == "/usage today bytes 5.0 None"


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (Rule(**ODD, above=5.0), True),
        (Rule(**ODD, below=1.5e9, recover=2e9), True),
        (OUTSIDE, True),
        (Rule(**ODD, each="log", above=5.0), False),
        (Rule(**{**ODD, "value": "days"}, above=5.0), False),
        (Rule(**{**ODD, "query": "/usage yesterday"}, above=5.0), False),
    ],
)
def test_samples_of_other_thresholds_count(other: Rule, same: bool) -> None:
    assert is_same_value(TWICE, other.definition) is same
    assert not is_same_value(TWICE, TWICE.baseline_definition)


def test_threshold_may_change_without_losing_the_baseline() -> None:
    assert TWICE.definition != OUTSIDE.definition
    assert TWICE.baseline_definition == OUTSIDE.baseline_definition


def context(
    rule: Rule, value: float, *, before: AlertState | None = None, reason: Reason = Reason.FIRED
) -> NotificationContext:
    known = before or AlertState()
    after, _ = evaluate(rule, known, {WHOLE: value}, now=NOON, baselines={WHOLE: GIGABYTES})
    days = [DayValue(date(2026, 11, 24) - timedelta(days=n), 3e9 + n * 1e8) for n in range(30)]
    return NotificationContext(rule, known, after, reason, NOON, UTC, usual_values=days)


GIGABYTES = Baseline(3.6e9, 3.1e9, 4.2e9, Season.WEEKDAY_AND_HOUR, 12)


def test_notification_shows_usual_range() -> None:
    fired = context(TWICE, 9.1e9)
    text, blocks = incident_message(fired)
    lines = text.splitlines()
    assert lines[0] == (
        "🔴 odd: bytes at 9.10 GB, above 2x usual (usual 3.10–4.20 GB at this hour)"
    )
    assert "Threshold: above 2x usual, now 7.20 GB." in lines
    assert "Resolve threshold: 1.5x usual." in lines
    assert "Usual: 3.10–4.20 GB at this weekday and hour, median 3.60 GB of 12 days." in lines
    [chart] = [block for block in blocks if block["type"] == "data_visualization"]
    labels = chart["chart"]["axis_config"]["categories"]
    assert labels[-2:] == ["24 Nov", "now"]
    assert len(labels) == 20
    assert complaints(blocks, most=50) == []
    assert "at 9.10 GB, above 2x usual" in thread_reply(fired)[0]


def test_resolved_notification_shows_the_band_of_now() -> None:
    fired = context(OUTSIDE, 9.1e9)
    resolved = context(OUTSIDE, 4e9, before=fired.after, reason=Reason.RESOLVED)
    text, blocks = incident_message(resolved)
    assert text.startswith("✅ odd resolved after")
    assert "furthest 9.10 GB" in text.splitlines()[0]
    [chart] = [block for block in blocks if block["type"] == "data_visualization"]
    assert chart["chart"]["series"][0]["data"][-1] == {"label": "now", "value": 4.0}


def test_fixed_rule_has_no_chart() -> None:
    rule = Rule(**ODD, above=5.0)
    after, _ = evaluate(rule, AlertState(), {WHOLE: 9.0}, now=NOON)
    fired = NotificationContext(rule, AlertState(), after, Reason.FIRED, NOON, UTC)
    assert all(block["type"] != "data_visualization" for block in incident_message(fired)[1])


def test_list_mentions_missing_baseline() -> None:
    alert, _ = evaluate(TWICE, AlertState(), {WHOLE: 5e9}, now=NOON, baselines={WHOLE: None})
    assert state_line(TWICE, alert, UTC, NOON) == "no baseline yet (5.00 GB)"
    assert rule_line(TWICE) == (
        "bytes of `/usage today` above 2x usual, resolve threshold 1.5x usual"
    )


@pytest.mark.parametrize(
    ("value", "low", "high", "shown"),
    [
        ("bytes", 3.1e9, 4.2e9, "3.10–4.20 GB"),
        ("bytes", 9e8, 4.2e9, "900 MB–4.20 GB"),
        ("failures", 0.0, 12.0, "0–12"),
        ("failure_percent", 1.0, 2.5, "1.0–2.5 %"),
        ("change_percent", -5.0, 5.0, "-5.0–5.0 %"),
    ],
)
def test_range_names_its_unit_once(value: str, low: float, high: float, shown: str) -> None:
    assert format_range(value, low, high) == shown


def points(days: int, values: dict[int, float]) -> list[EvaluationPoint]:
    """A point an hour, most of which are 100."""
    start = NOON.replace(hour=0) - timedelta(days=days)
    hours = [start + timedelta(hours=n) for n in range(days * 24)]
    return [
        EvaluationPoint(at, {WHOLE: values.get(n, 100.0 + n % 2)}, timedelta(hours=1))
        for n, at in enumerate(hours)
    ]


def test_backtest_judges_with_the_history_before() -> None:
    # The later values are ten times as high: to the hours before them they are not known.
    late = dict.fromkeys(range(30 * 24, 31 * 24), 1000.0)
    seen = points(31, {100: 1000.0, 15 * 24: 1000.0, **late})
    test = backtest(TWICE, seen, start=seen[0].at, end=seen[-1].at, zone=UTC)
    starts = [firing.start for firing in test.firings]
    # Within the first seven days nothing fires.
    assert starts == [seen[15 * 24].at, seen[30 * 24].at]
    assert [baseline is None for baseline in test.baselines].count(True) == 7 * 24
    assert any("168 of 744 checks have no baseline" in note for note in test.notes)
    short = backtest(TWICE, seen[: 20 * 24], start=seen[0].at, end=seen[-1].at, zone=UTC)
    assert test.baselines[: 20 * 24] == short.baselines


def test_backtest_shows_the_band() -> None:
    seen = points(31, {15 * 24: 1000.0})
    for rule in (TWICE, OUTSIDE):
        test = backtest(rule, seen, start=seen[0].at, end=seen[-1].at, zone=UTC)
        text = backtest_text(test, UTC)
        assert rule.usual and rule.usual.label in text
        assert "|" in text or "▌" in text
        assert complaints(backtest_blocks(test, UTC), most=50) == []


FORM = {"value": "bytes", "side": "above", "threshold": "2x usual", "question": "today"}


@pytest.mark.parametrize(
    ("changes", "usual"),
    [
        ({}, Usual("above", 2.0)),
        ({"recover": "1.5x usual"}, Usual("above", 2.0, 1.5)),
        ({"side": "below", "threshold": "50% of usual"}, Usual("below", 0.5)),
        ({"side": "outside", "threshold": ""}, Usual("outside")),
        ({"side": "outside", "threshold": "usual"}, Usual("outside")),
        ({"threshold": "5 GB"}, None),
    ],
)
def test_form_accepts_unusual_threshold(changes: dict[str, str], usual: Usual | None) -> None:
    alert = read_alert_form("usage", {**FORM, **changes}, new_alert("usage", "today"))
    assert alert.usual == usual
    # A form that is opened for the alert reads the same again.
    view = alert_modal(ModalState("usage", "C0OPS"), alert, "")
    assert "Outside what is usual" in str(view)
    assert view_complaints(view) == []


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"threshold": "0x usual"}, "threshold"),
        ({"threshold": ""}, "threshold"),
        ({"side": "outside", "threshold": "5 GB"}, "threshold"),
        ({"side": "outside", "threshold": "2x usual"}, "threshold"),
        ({"side": "outside", "threshold": "", "recover": "2x usual"}, "recover"),
        ({"recover": "3x usual"}, "recover"),
        ({"recover": "4 GB"}, "recover"),
        ({"threshold": "5 GB", "recover": "2x usual"}, "recover"),
    ],
)
def test_form_marks_wrong_inputs(changes: dict[str, str], wrong: str) -> None:
    with pytest.raises(InvalidForm) as caught:
        read_alert_form("usage", {**FORM, **changes}, new_alert("usage", "today"))
    assert list(caught.value.errors) == [wrong]


def test_form_of_typed_alert_has_its_threshold() -> None:
    alert = parse_alert_command("usage", "alert today above 2x usual recover 1.5x usual", HOUSE)
    assert isinstance(alert, CreateAlert)
    shown = str(alert_modal(ModalState("usage", "C0OPS"), alert, ""))
    assert "'2x usual'" in shown
    assert "'1.5x usual'" in shown


def test_configured_threshold_problems_name_valid_values() -> None:
    account = {"kind": "rapid7", "region": "eu", "api_key": "env:RAPID7_API_KEY"}

    def notifications(**changes: Any) -> list[str]:
        alert = {"name": "a", "ask": "/usage", "value": "bytes", "channel": "#ops", **changes}
        return problems({"providers": {"r": account}, "alert": [alert]})

    assert '"2x usual"' in str(notifications(above="much"))
    assert "outside" in str(notifications(above="2x usual", outside="usual"))
    assert '"usual"' in str(notifications(outside="5 GB"))
    assert "recover must be an amount, or a multiple" in str(
        notifications(above="2x usual", recover="4 GB")
    )
    assert "at or below" in str(notifications(above="2x usual", recover="3x usual"))
    assert "at or above" in str(notifications(below="0.5x usual", recover="0.2x usual"))
