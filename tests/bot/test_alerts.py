"""Alerts, in the manner of Prometheus and Alertmanager: time steps and values in, states and reasons out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.evaluate import Failed, Reading, Reason, Standing, evaluate
from bot.alerts.notices import lasting, measured, notice
from bot.alerts.rule import EvaluationTimes, Rule, watched

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RULE = {"name": "spike", "line": "/usage today", "value": "bytes", "channel": "#ops", "above": 10.0, "every": 5 * MINUTE}
OUT = Failed("down")
X = None  # no data


def steps(
    rule: Rule, readings: list[Reading], *, quiet: frozenset[int] = frozenset(), gaps: dict[int, int] | None = None
) -> list[str]:
    """`state` or `state reason` of each evaluation, five minutes apart but for the gaps (in minutes before a step)."""
    standing, now, told = Standing(), NOON, []
    for number, reading in enumerate(readings):
        now += timedelta(minutes=(gaps or {}).get(number, 5))
        standing, reason = evaluate(rule, standing, reading, now=now, quiet=number in quiet)
        told.append(f"{standing.state.value} {reason.value}" if reason else standing.state.value)
    return told


TABLE: dict[str, tuple[dict[str, Any], list[Reading], list[str]]] = {
    "fires at once and resolves": ({}, [5, 11, 12, 9], ["inactive", "firing first", "firing", "inactive resolved"]),
    "the threshold itself is calm": ({}, [10], ["inactive"]),
    "below": ({"above": None, "below": 3.0}, [5, 2, 3], ["inactive", "firing first", "inactive resolved"]),
    "for holds it back": ({"hold": 10 * MINUTE}, [11, 11, 11, 11], ["pending", "pending", "firing first", "firing"]),
    "a pending one that recovers vanishes silently": ({"hold": 10 * MINUTE}, [11, 11, 9, 11], ["pending", "pending", "inactive", "pending"]),
    "between the thresholds it goes on": ({"recover": 6.0}, [11, 8, 6.5, 6, 8], ["firing first", "firing", "firing", "inactive resolved", "inactive"]),
    "keep firing for": ({"keep": 10 * MINUTE}, [11, 9, 9, 9], ["firing first", "firing", "firing", "inactive resolved"]),
    "a new breach starts the calm afresh": ({"keep": 10 * MINUTE}, [11, 9, 11, 9, 9, 9], ["firing first", "firing", "firing", "firing", "firing", "inactive resolved"]),
    "repeat": ({"repeat": 10 * MINUTE}, [11, 11, 11, 11, 11], ["firing first", "firing", "firing repeat", "firing", "firing repeat"]),
    "without repeat it speaks once": ({}, [11] * 4, ["firing first", "firing", "firing", "firing"]),
    "no data holds what is": ({}, [X, 11, X, X, 9, X], ["unknown", "firing first", "firing", "firing", "inactive resolved", "inactive"]),
    "no data alerts": ({"no_data": "alert"}, [5, X, X, 5, X, 11], ["inactive", "no_data no data", "no_data", "inactive resolved", "no_data no data", "firing first"]),
    "no data never ends a firing one": ({"no_data": "alert"}, [11, X, 11], ["firing first", "firing", "firing"]),
    "no data is well": ({"no_data": "ok"}, [11, X, X], ["firing first", "inactive resolved", "inactive"]),
    "an error is never a recovery": ({}, [11, OUT, OUT, 11, 9], ["firing first", "firing", "firing", "firing", "inactive resolved"]),
    "three errors in a row are told once": ({}, [5, OUT, OUT, OUT, OUT, 5, OUT], ["inactive", "inactive", "inactive", "inactive error", "inactive", "inactive", "inactive"]),
    "nothing is known at first": ({}, [OUT, X], ["unknown", "unknown"]),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "readings", "expected"), TABLE.values(), ids=TABLE.keys())
def test_a_rule_goes_through_its_states(changes: dict[str, Any], readings: list[Reading], expected: list[str]) -> None:
    assert steps(Rule(**{**RULE, **changes}), readings) == expected


def test_while_quiet_nothing_new_is_told_and_afterwards_at_once() -> None:
    told = steps(Rule(**RULE, repeat=5 * MINUTE), [11, 11, 11, 11], quiet=frozenset({0, 1}))
    assert told == ["firing", "firing", "firing first", "firing repeat"]


def test_what_people_know_of_resolves_also_while_it_is_quiet() -> None:
    assert steps(Rule(**RULE), [11, 9, 11, 9], quiet=frozenset({1, 2})) == [
        "firing first",
        "inactive resolved",
        "firing",
        "inactive",
    ]


def test_time_away_is_not_time_in_breach() -> None:
    """Three hours of downtime after one breach do not make half an hour of it."""
    rule = Rule(**RULE, hold=30 * MINUTE)
    told = steps(rule, [11, 11, 11, 11, 11, 11, 11, 11], gaps={1: 180})
    assert told == ["pending"] * 6 + ["firing first", "firing"]


def test_time_away_is_not_time_of_calm() -> None:
    rule = Rule(**RULE, keep=10 * MINUTE)
    assert steps(rule, [11, 9, 9, 9], gaps={2: 180}) == ["firing first", "firing", "firing", "inactive resolved"]


READINGS = st.lists(st.sampled_from([5.0, 8.0, 11.0, 20.0, X, OUT]), max_size=60)
RULES = st.builds(
    lambda hold, keep, recover, repeat, no_data: Rule(
        **RULE,
        hold=hold * MINUTE,
        keep=keep * MINUTE,
        recover=recover,
        repeat=repeat * MINUTE if repeat else None,
        no_data=no_data,
    ),
    st.sampled_from([0, 5, 10, 30]),
    st.sampled_from([0, 10]),
    st.sampled_from([None, 6.0]),
    st.sampled_from([0, 10, 60]),
    st.sampled_from(["hold", "alert", "ok"]),
)


@given(RULES, READINGS, st.sets(st.integers(0, 60)))
def test_nothing_is_told_without_a_change_or_an_elapsed_repeat(rule: Rule, readings: list[Reading], quiet: set[int]) -> None:
    """And what was told to fire is told to be over exactly once."""
    standing, now, open_, told_at = Standing(), NOON, False, NOON
    for number, reading in enumerate(readings):
        now += 5 * MINUTE
        before = standing
        standing, reason = evaluate(rule, before, reading, now=now, quiet=number in quiet)
        assert standing.told == (
            open_ if reason in (None, Reason.REPEATED, Reason.CANNOT_TELL) else reason is not Reason.RESOLVED
        )
        if reason in (Reason.FIRED, Reason.NO_DATA):
            assert not open_ or before.state is not standing.state
            open_, told_at = True, now
        elif reason is Reason.REPEATED:
            assert open_
            assert rule.repeat and now - told_at >= rule.repeat
            told_at = now
        elif reason is Reason.RESOLVED:
            assert open_
            assert not isinstance(reading, Failed)
            open_ = False
    assert open_ == standing.told


@given(RULES, READINGS)
def test_a_provider_that_is_away_changes_no_state(rule: Rule, readings: list[Reading]) -> None:
    standing = Standing()
    for reading in readings:
        after, reason = evaluate(rule, standing, reading, now=NOON)
        if isinstance(reading, Failed):
            assert (after.state, after.told) == (standing.state, standing.told)
            assert reason in (None, Reason.CANNOT_TELL)
        standing = after


def test_evaluations_are_at_whole_steps_whenever_the_bot_started() -> None:
    times = EvaluationTimes(15 * MINUTE)
    assert times.get_next_fire_time(None, NOON) == NOON
    assert times.get_next_fire_time(None, NOON + timedelta(seconds=1)) == NOON + 15 * MINUTE


@pytest.mark.parametrize(
    ("values", "name", "found"),
    [
        ({"bytes": 5}, "bytes", 5.0),
        ({}, "bytes", None),
        ({"lines": 3, "levels": {"error": 2}}, "levels.error", 2.0),
        ({"lines": 3, "levels": {}}, "levels.error", 0.0),
        ({}, "levels.error", None),
        ({"complete": True}, "complete", 1.0),
        ({"peak_day": "2026-11-20"}, "peak_day", None),
    ],
)
def test_the_watched_value_is_one_of_the_answers(values: dict[str, Any], name: str, found: float | None) -> None:
    assert watched(values, name) == found


def test_a_notice_explains_itself() -> None:
    rule = Rule(**{**RULE, "above": 5e9, "recover": 4.5e9, "hold": 30 * MINUTE})
    standing = Standing()
    for n in range(8):
        before = standing
        standing, reason = evaluate(rule, standing, 5.72e9, now=NOON + n * 5 * MINUTE)
        if reason:
            break
    text, blocks = notice(rule, before, standing, Reason.FIRED, window="25 Nov 2026", now=NOON + 30 * MINUTE, zone=UTC)
    assert text.startswith("🔴 spike: bytes is 5.72 GB, above 5.00 GB")
    for said in ("Calm again at: 4.50 GB", "Since: 25 Nov 12:00 (30 min)", "Window: 25 Nov 2026"):
        assert said in text
    assert "resolved" not in text + str(blocks)
    assert "told now, because it has just begun (held for 30 min)" in str(blocks)
    after, _ = evaluate(rule, standing, 1e9, now=NOON + 50 * MINUTE)
    text, _ = notice(rule, standing, after, Reason.RESOLVED, window="", now=NOON + 50 * MINUTE, zone=UTC)
    assert text.startswith("✅ spike has resolved after 20 min")
    assert "Worst: 5.72 GB" in text


@pytest.mark.parametrize(
    ("seconds", "said"), [(40, "40 s"), (720, "12 min"), (7800, "2 h 10 min"), (7200, "2 h"), (260_000, "3 days")]
)
def test_how_long_something_lasts(seconds: int, said: str) -> None:
    assert lasting(timedelta(seconds=seconds)) == said


def test_values_are_shown_in_their_unit() -> None:
    assert [measured(n, 12.5) for n in ("failure_percent", "duration_p95_ms", "lines")] == ["12.5 %", "12 ms", "12.50"]
