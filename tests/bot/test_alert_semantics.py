"""What an alert does if series vanish, answers are partial, evaluations are missed, or the clock
was wrong. It follows Prometheus and Grafana.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.evaluate import evaluate
from bot.alerts.rule import Rule, extract_readings
from bot.alerts.state import WHOLE, AlertState
from bot.blocks.alert_context import NotificationContext
from bot.blocks.alert_lines import state_line
from bot.blocks.alert_replies import thread_reply
from bot.blocks.alerts import incident_message
from tests.bot.test_alerts import MINUTE, NOON, OUT, RULE, X, steps
from tests.support.alert_model import AlertModel, Policy

ADA = {"ada": 11.0}
NOBODY = dict[str, float]()
EACH = {"each": "actor", "value": "failure_percent"}

VANISHING: dict[str, tuple[dict[str, Any], list[Any], list[str]]] = {
    "gone after two evaluations": ({}, [ADA, NOBODY, NOBODY], ["firing first", "firing", "inactive resolved"]),
    "back after one": ({}, [ADA, NOBODY, ADA, NOBODY, NOBODY], ["firing first", "firing", "firing", "firing", "inactive resolved"]),
    "OK after one": ({}, [ADA, NOBODY, {"ada": 5.0}], ["firing first", "firing", "inactive resolved"]),
    "an error is no evaluation without it": ({}, [ADA, NOBODY, OUT, OUT, NOBODY], ["firing first", "firing", "firing", "firing", "inactive resolved"]),
    "no data is no evaluation without it": ({}, [ADA, NOBODY, {"ada": X}, NOBODY, NOBODY], ["firing first", "firing", "firing", "firing", "inactive resolved"]),
    "also where no data alerts": ({"no_data": "alert"}, [ADA, NOBODY, NOBODY], ["firing first", "firing", "inactive resolved"]),
    "keep firing for counts from the first evaluation without it": ({"keep_firing_for": 15 * MINUTE}, [ADA, NOBODY, NOBODY, NOBODY, NOBODY], ["firing first", "firing", "firing", "firing", "inactive resolved"]),
    "for starts anew after it has gone": ({"for_": 10 * MINUTE}, [ADA, ADA, NOBODY, NOBODY, ADA, ADA, ADA], ["pending", "pending", "pending", "inactive", "pending", "pending", "firing first"]),
    "one of two": ({}, [{"ada": 11.0, "bob": 11.0}, {"bob": 11.0}, {"bob": 11.0}, {"bob": 5.0}], ["firing first", "firing", "firing changed", "inactive resolved"]),
    "the answer as a whole is replaced by its subjects": ({"no_data": "alert"}, [{WHOLE: X}, {"ada": 5.0}], ["no_data no data", "inactive resolved"]),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "found", "expected"), VANISHING.values(), ids=VANISHING.keys())
def test_vanished_series_resolves_after_two_evaluations(
    changes: dict[str, Any], found: list[Any], expected: list[str]
) -> None:
    assert steps(Rule(**{**RULE, **EACH, **changes}), found) == expected


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"complete": True, "by_actor": {"bob": {"failure_percent": 1}}}, {"bob": 1.0}),
        ({"complete": True, "by_actor": {}}, {}),
        (
            {"complete": False, "by_actor": {"bob": {"failure_percent": 1}}},
            {"ada": None, "bob": None},
        ),
        ({"complete": True}, {"ada": None}),
    ],
)
def test_only_complete_answers_leave_a_series_out(
    values: dict[str, Any], found: dict[str, float | None]
) -> None:
    assert extract_readings(Rule(**{**RULE, **EACH}), values, {"ada": 1}) == found  # type: ignore[dict-item]


VALUES = st.sampled_from([11.0, 11.0, 10.0, 9.0, 5.0, None])
EVALUATIONS = st.lists(
    st.tuples(
        # How many intervals after the one before, the series, and whether the answer is an error.
        st.sampled_from([1, 1, 1, 1, 2, 3, 20]),
        st.dictionaries(st.sampled_from(["ada", "bob", "cy"]), VALUES),
        st.sampled_from(["whole", "whole", "whole", "partial", "error"]),
        st.sampled_from([False, False, False, True]),
    ),
    max_size=14,
)
MINUTES = st.sampled_from([0, 10, 30]).map(lambda minutes: minutes * MINUTE)


@given(
    EVALUATIONS,
    st.builds(
        Policy,
        every=st.sampled_from([5 * MINUTE, 15 * MINUTE]),
        recover=st.sampled_from([None, 8.0]),
        for_=MINUTES,
        keep_firing_for=MINUTES,
        repeat=st.sampled_from([None, 15 * MINUTE]),
        no_data=st.sampled_from(["hold", "alert", "ok"]),
    ),
)
def test_states_and_reasons_equal_a_plain_model(
    evaluations: list[tuple[int, dict[str, float | None], str, bool]], policy: Policy
) -> None:
    rule = Rule(**{**RULE, **EACH, **asdict(policy)})
    model = AlertModel(policy)
    watch = AlertState()
    now = NOON
    for intervals, values, kind, silenced in evaluations:
        now += intervals * policy.every
        partial = kind == "partial"
        if partial:
            # What is missing may only not have arrived; a breach is certain.
            values = {name: value if value == 11 else None for name, value in values.items()}
        readings = OUT if kind == "error" else values
        watch, reason = evaluate(rule, watch, readings, now=now, silenced=silenced, partial=partial)
        expected = model.evaluate(
            None if kind == "error" else values, now, silenced=silenced, partial=partial
        )
        assert (reason.value if reason else "") == expected
        states = {name: s.state.value for name, s in watch.subjects.items()}
        active = {n: s for n, s in states.items() if s not in ("inactive", "unknown")}
        assert active == model.states()


@given(
    evaluations=st.lists(
        st.tuples(
            st.integers(1, 3),
            st.sampled_from([None, 3.0, 9.0, 11.0]),
            st.sampled_from(["complete", "partial", "error"]),
            st.booleans(),
        ),
        max_size=40,
    ),
    recover=st.sampled_from([None, 8.0]),
    no_data=st.sampled_from(["hold", "alert", "ok"]),
)
def test_short_way_leads_to_the_same_state(
    evaluations: list[tuple[int, float | None, str, bool]], recover: float | None, no_data: str
) -> None:
    rule = Rule(**{**RULE, "recover": recover, "no_data": no_data})
    state = AlertState()
    now = NOON
    for intervals, value, kind, silenced in evaluations:
        now += intervals * rule.every
        readings = OUT if kind == "error" else {WHOLE: value}
        is_partial = kind == "partial"
        short = evaluate(rule, state, readings, now=now, silenced=silenced, partial=is_partial)
        with patch("bot.alerts.evaluate._still_clear", return_value=None):
            assert short == evaluate(
                rule, state, readings, now=now, silenced=silenced, partial=is_partial
            )
        state, _ = short


DOWNTIME = {
    "a missed evaluation is no downtime": (
        {"for_": 10 * MINUTE},
        {1: 10},
        ["pending", "firing first", "firing"],
    ),
    "one hour": ({"for_": 10 * MINUTE}, {1: 60}, ["pending", "pending", "firing first"]),
    "three days": ({"for_": 10 * MINUTE}, {1: 4320}, ["pending", "pending", "firing first"]),
    "without for": ({}, {1: 60}, ["firing first", "firing", "firing"]),
}


@pytest.mark.parametrize(("changes", "gaps", "expected"), DOWNTIME.values(), ids=DOWNTIME.keys())
def test_downtime_is_not_time_in_breach(
    changes: dict[str, Any], gaps: dict[int, int], expected: list[str]
) -> None:
    assert steps(Rule(**RULE, **changes), [11] * 3, gaps=gaps) == expected


@pytest.mark.parametrize("no_data", ["hold", "alert", "ok"])
def test_partial_answer_never_changes_the_state(no_data: str) -> None:
    rule = Rule(**RULE, no_data=no_data)  # type: ignore[arg-type]
    watch, _ = evaluate(rule, AlertState(), {WHOLE: 11.0}, now=NOON)
    after, reason = evaluate(rule, watch, {WHOLE: None}, now=NOON + 5 * MINUTE, partial=True)
    assert (after.state, reason) == (watch.state, None)


def test_no_data_as_ok_respects_keep_firing_for() -> None:
    rule = Rule(**RULE, no_data="ok", keep_firing_for=10 * MINUTE)
    assert steps(rule, [11, X, X, X]) == ["firing first", "firing", "firing", "inactive resolved"]


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=1), timedelta(days=4000)])
def test_state_of_wrong_clock_delays_nothing(ahead: timedelta) -> None:
    """The clock was ahead at the second evaluation, and is right again at the third."""
    rule = Rule(**RULE, for_=10 * MINUTE, repeat=10 * MINUTE)
    watch, _ = evaluate(rule, AlertState(), {WHOLE: 11.0}, now=NOON)
    watch, _ = evaluate(rule, watch, {WHOLE: 11.0}, now=NOON + ahead)
    notified = []
    for n in range(1, 7):
        watch, reason = evaluate(rule, watch, {WHOLE: 11.0}, now=NOON + n * 5 * MINUTE)
        notified.append(f"{watch.state.value} {reason.value}" if reason else watch.state.value)
    assert notified == ["pending", "pending", "firing first", "firing", "firing repeat", "firing"]


def test_message_thread_and_list_show_one_start() -> None:
    rule = Rule(**RULE, for_=10 * MINUTE, repeat=10 * MINUTE)
    before = AlertState()
    watch = before
    notified = []
    for n in range(6):
        # The bot was away for two hours before the last evaluation.
        now = NOON + n * 5 * MINUTE + (2 * 60 * MINUTE if n == 5 else 0 * MINUTE)
        before = watch
        watch, reason = evaluate(rule, before, {WHOLE: 11.0}, now=now)
        if reason:
            notified.append(NotificationContext(rule, before, watch, reason, now, UTC))
    first, again, last = notified
    assert (
        "Since: 25 Nov 12:00 UTC (10 min), seen by checks every 5 min" in incident_message(first)[0]
    )
    assert (
        "Since: 25 Nov 12:00 UTC (20 min), seen by checks every 5 min" in incident_message(again)[0]
    )
    assert thread_reply(again)[0].startswith("Firing for 20 min")
    assert (
        "Since: 25 Nov 12:00 UTC (2 h 25 min), seen by checks every 5 min"
        in incident_message(last)[0]
    )
    assert "firing since 25 Nov 12:00" in state_line(rule, watch, UTC, NOON)
    over, _ = evaluate(rule, watch, {WHOLE: 1.0}, now=now + 5 * MINUTE)
    resolved = incident_message(NotificationContext(rule, watch, over, _, now + 5 * MINUTE, UTC))[0]  # type: ignore[arg-type]
    assert "resolved after 2 h 30 min" in resolved
    assert "Since: 25 Nov 12:00 UTC (2 h 30 min), seen by checks every 5 min" in resolved
