"""Alerts, modelled on Prometheus and Alertmanager: time steps and values in, states and reasons
out.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from msgspec.structs import replace
from msgspec.structs import replace as replace_

from bot.alerts.evaluate import HISTORY_LENGTH, evaluate
from bot.alerts.mutes import ActiveSilence, Mute
from bot.alerts.paging import Paging, Severity
from bot.alerts.rule import (
    EvaluationTimes,
    Rule,
    extract_readings,
    extract_value,
    rule_from_definition,
)
from bot.alerts.state import WHOLE, AlertState, EvaluationError, Reading, Readings, Reason, State
from bot.answer import Evidence, EvidenceFact
from bot.blocks import kit
from bot.blocks.alert_context import NoticeDetails, NotificationContext
from bot.blocks.alert_replies import thread_reply
from bot.blocks.alert_values import format_value
from bot.blocks.alerts import incident_message, subject_lines
from bot.blocks.rule_changes import definition_changes, rule_changes
from bot.schedules.cron import read_cron

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RULE: dict[str, Any] = {
    "name": "spike",
    "query": "/usage today",
    "value": "bytes",
    "channel": "#ops",
    "above": 10.0,
    "every": 5 * MINUTE,
}
OUT = EvaluationError("down")
X = None  # no data


def steps(
    rule: Rule,
    found: list[Any],
    *,
    quiet: frozenset[int] = frozenset(),
    gaps: dict[int, int] | None = None,
) -> list[str]:
    """`state` or `state reason` of each evaluation. Evaluations are five minutes apart unless a gap
    (minutes before a step) is given.
    """
    watch = AlertState()
    now = NOON
    notified = []
    for number, reading in enumerate(found):
        now += timedelta(minutes=(gaps or {}).get(number, 5))
        watch, reason = evaluate(rule, watch, whole(reading), now=now, silenced=number in quiet)
        notified.append(f"{watch.state.value} {reason.value}" if reason else watch.state.value)
    return notified


def whole(reading: Any) -> Readings | EvaluationError:
    """The readings of a rule that evaluates an answer as a whole, or those of its subjects
    unchanged.
    """
    return reading if isinstance(reading, EvaluationError | dict) else {WHOLE: reading}


TABLE: dict[str, tuple[dict[str, Any], list[Reading | Readings | EvaluationError], list[str]]] = {
    "fires at once and resolves": ({}, [5, 11, 12, 9], ["inactive", "firing first", "firing", "inactive resolved"]),
    "the threshold itself is OK": ({}, [10], ["inactive"]),
    "below": ({"above": None, "below": 3.0}, [5, 2, 3], ["inactive", "firing first", "inactive resolved"]),
    "for holds it back": ({"for_": 10 * MINUTE}, [11, 11, 11, 11], ["pending", "pending", "firing first", "firing"]),
    "a pending one that recovers vanishes silently": ({"for_": 10 * MINUTE}, [11, 11, 9, 11], ["pending", "pending", "inactive", "pending"]),
    "between the thresholds it goes on": ({"recover": 6.0}, [11, 8, 6.5, 6, 8], ["firing first", "firing", "firing", "inactive resolved", "inactive"]),
    "keep firing for": ({"keep_firing_for": 10 * MINUTE}, [11, 9, 9, 9], ["firing first", "firing", "firing", "inactive resolved"]),
    "a new breach restarts the recovery": ({"keep_firing_for": 10 * MINUTE}, [11, 9, 11, 9, 9, 9], ["firing first", "firing", "firing", "firing", "firing", "inactive resolved"]),
    "repeat": ({"repeat": 10 * MINUTE}, [11, 11, 11, 11, 11], ["firing first", "firing", "firing repeat", "firing", "firing repeat"]),
    "without repeat it speaks once": ({}, [11] * 4, ["firing first", "firing", "firing", "firing"]),
    "no data holds what is": ({}, [X, 11, X, X, 9, X], ["unknown", "firing first", "firing", "firing", "inactive resolved", "inactive"]),
    "no data alerts": ({"no_data": "alert"}, [5, X, X, 5, X, 11], ["inactive", "no_data no data", "no_data", "inactive resolved", "no_data no data", "firing first"]),
    "no data never ends a firing one": ({"no_data": "alert"}, [11, X, 11], ["firing first", "firing", "firing"]),
    "no data is well": ({"no_data": "ok"}, [11, X, X], ["firing first", "inactive resolved", "inactive"]),
    "an error is never a recovery": ({}, [11, OUT, OUT, 11, 9], ["firing first", "firing", "firing", "firing", "inactive resolved"]),
    "three errors in a row are posted once, and their end": ({}, [5, OUT, OUT, OUT, OUT, 5, OUT], ["inactive", "inactive", "inactive", "inactive error", "inactive", "inactive error over", "inactive"]),
    "two errors are nothing to speak of": ({}, [5, OUT, OUT, 5], ["inactive"] * 4),
    "one more subject is a change": ({"each": "log"}, [{"a": 5.0, "b": 11.0}, {"a": 12.0, "b": 12.0}, {"a": 12.0, "b": 13.0}], ["firing first", "firing changed", "firing"]),
    "one fewer is a change, none is the end": ({"each": "log"}, [{"a": 11.0, "b": 11.0}, {"a": 5.0, "b": 11.0}, {"a": 5.0, "b": 5.0}], ["firing first", "firing changed", "inactive resolved"]),
    "another in its place is a change": ({"each": "log"}, [{"a": 11.0, "b": 5.0}, {"a": 5.0, "b": 11.0}], ["firing first", "firing changed"]),
    "a new subject that is OK is not notified": ({"each": "log"}, [{"a": 11.0}, {"a": 11.0, "b": 1.0}], ["firing first", "firing"]),
    "a subject that has gone without a word goes on firing": ({"each": "log"}, [{"a": 11.0, "b": 1.0}, {"b": 1.0}, {"a": 3.0, "b": 1.0}], ["firing first", "firing", "inactive resolved"]),
    "a change starts the repeat afresh": ({"each": "log", "repeat": 10 * MINUTE}, [{"a": 11.0}, {"a": 11.0, "b": 11.0}, {"a": 11.0, "b": 11.0}, {"a": 11.0, "b": 11.0}], ["firing first", "firing changed", "firing", "firing repeat"]),
    "of a rule without subjects nothing is known": ({"each": "log"}, [{}, {}], ["inactive", "inactive"]),
    "nothing is known at first": ({}, [OUT, X], ["unknown", "unknown"]),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "readings", "expected"), TABLE.values(), ids=TABLE.keys())
def test_rule_passes_through_its_states(
    changes: dict[str, Any],
    readings: list[Reading | Readings | EvaluationError],
    expected: list[str],
) -> None:
    assert steps(Rule(**{**RULE, **changes}), readings) == expected


def test_silenced_alert_notifies_after_silence() -> None:
    notified = steps(Rule(**RULE, repeat=5 * MINUTE), [11, 11, 11, 11], quiet=frozenset({0, 1}))
    assert notified == ["firing", "firing", "firing first", "firing repeat"]


def test_alert_notified_before_silence_repeats_after_it() -> None:
    notified = steps(Rule(**RULE), [11, 11, 11, 11, 11], quiet=frozenset({1, 2}))
    assert notified == ["firing first", "firing", "firing", "firing quiet over", "firing"]


def test_acknowledged_alert_repeats_only_after_new_firing() -> None:
    rule = Rule(**RULE, repeat=5 * MINUTE)
    watch, _ = evaluate(rule, AlertState(), whole(11.0), now=NOON)
    watch = replace(watch, acknowledged_by="U0ADA")
    notified = []
    for n, value in enumerate((11.0, 11.0, 5.0, 11.0, 11.0), 1):
        watch, reason = evaluate(rule, watch, whole(value), now=NOON + n * 5 * MINUTE)
        notified.append(reason and reason.value)
    assert notified == [None, None, "resolved", "first", "repeat"]


def test_flapping_label_delays_nothing() -> None:
    rule = Rule(**RULE)
    watch = AlertState()
    labels = []
    for n in range(60):
        watch, reason = evaluate(
            rule, watch, whole(11.0 if n % 2 and n < 40 else 5.0), now=NOON + n * 5 * MINUTE
        )
        assert (reason is not None) == (0 < n < 41)
        labels.append(watch.flapping)
    assert labels[: HISTORY_LENGTH - 1] == [False] * (HISTORY_LENGTH - 1)
    assert labels[HISTORY_LENGTH - 1] and labels[40]
    assert not labels[-1]


@pytest.mark.parametrize(
    ("each", "value", "values", "known", "found"),
    [
        ("", "bytes", {"bytes": 5}, {}, {"": 5.0}),
        (
            "log",
            "bytes",
            {"bytes": 5, "by_log": {"kitchen": {"bytes": 3}}},
            {"cellar": 1},
            {"cellar": 0.0, "kitchen": 3.0},
        ),
        (
            "log",
            "bytes",
            {"by_log": {"kitchen": {"bytes": 3}}},
            {"cellar": 1},
            {"cellar": None, "kitchen": 3.0},
        ),
        (
            "actor",
            "failure_percent",
            {"calls": 2, "failure_percent": 1, "by_actor": {}},
            {"ada": 1},
            {"ada": None},
        ),
        ("", "failures", {"failures": 3, "complete": False}, {}, {"": None}),
        ("", "failures", {"failures": 30, "complete": False}, {}, {"": 30.0}),
        ("", "failure_percent", {"failure_percent": 30, "complete": False}, {}, {"": None}),
        ("", "lines", {"lines": 500, "complete": True, "truncated": True}, {}, {"": 500.0}),
        (
            "account",
            "failures",
            {"failures": 30, "complete": False, "by_account": {"edge": {"failures": 30}}},
            {"iot": 1},
            {"edge": 30.0, "iot": None},
        ),
        (
            "actor",
            "failures",
            {"failures": 30, "complete": True, "by_actor": {"": {"failures": 30}}},
            {"ada": 1},
            {"unnamed": 30.0, "ada": 0.0},
        ),
        ("log", "bytes", {}, {"cellar": 1}, {"cellar": None}),
        ("log", "bytes", {}, {}, {"": None}),
    ],
)
def test_unlisted_subject_has_no_value(
    each: str, value: str, values: dict[str, Any], known: dict[str, Any], found: dict[str, Reading]
) -> None:
    assert extract_readings(Rule(**{**RULE, "each": each, "value": value}), values, known) == found


def test_notified_alert_resolves_during_silence() -> None:
    assert steps(Rule(**RULE), [11, 9, 11, 9], quiet=frozenset({1, 2})) == [
        "firing first",
        "inactive resolved",
        "firing",
        "inactive",
    ]


def test_time_away_is_not_time_in_breach() -> None:
    """Three hours of downtime after one breach do not count as half an hour of breach."""
    rule = Rule(**RULE, for_=30 * MINUTE)
    notified = steps(rule, [11, 11, 11, 11, 11, 11, 11, 11], gaps={1: 180})
    assert notified == ["pending"] * 6 + ["firing first", "firing"]


def test_clock_put_back_changes_no_state() -> None:
    """The clock goes back five minutes in the middle of a breach, and in the middle of its
    recovery.
    """
    assert steps(Rule(**RULE), [5, 11, 11, 11, 9, 9], gaps={2: -5, 5: -5}) == [
        "inactive", "firing first", "firing", "firing", "inactive resolved", "inactive",
    ]  # fmt: skip
    held = Rule(**RULE, for_=10 * MINUTE)
    assert steps(held, [11, 11, 11, 11, 11], gaps={2: -5}) == [
        "pending",
        "pending",
        "pending",
        "pending",
        "firing first",
    ]


def test_downtime_is_neither_breach_nor_recovery() -> None:
    rule = Rule(**RULE, for_=10 * MINUTE, keep_firing_for=10 * MINUTE, repeat=4 * 60 * MINUTE)
    notified = steps(rule, [11, 11, 11, 11, 9, 9, 9], gaps={1: 3 * 1440, 5: 3 * 1440})
    assert notified == [
        "pending",
        "pending",
        "firing first",
        "firing",
        "firing",
        "firing repeat",
        "inactive resolved",
    ]


def test_downtime_is_no_recovery() -> None:
    rule = Rule(**RULE, keep_firing_for=10 * MINUTE)
    assert steps(rule, [11, 9, 9, 9], gaps={2: 180}) == [
        "firing first",
        "firing",
        "firing",
        "inactive resolved",
    ]


READINGS = st.lists(st.sampled_from([5.0, 8.0, 11.0, 20.0, X, OUT]), max_size=60)
RULES = st.builds(
    lambda hold, keep, recover, repeat, no_data: Rule(
        **RULE,
        for_=hold * MINUTE,
        keep_firing_for=keep * MINUTE,
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
def test_notification_needs_change_or_elapsed_repeat(
    rule: Rule, found: list[Any], quiet: set[int]
) -> None:
    """Each incident that was posted is resolved exactly once."""
    watch = AlertState()
    now = NOON
    open_ = False
    notified_at = NOON
    for number, reading in enumerate(found):
        now += 5 * MINUTE
        before = watch
        watch, reason = evaluate(rule, before, whole(reading), now=now, silenced=number in quiet)
        if reason in (Reason.FIRED, Reason.NO_DATA, Reason.CHANGED):
            assert before.notified != watch.notified
            assert (reason is Reason.CHANGED) <= open_
            open_ = True
            notified_at = now
        elif reason is Reason.SILENCE_ENDED:
            assert open_ and before.silenced and not watch.silenced
            notified_at = now
        elif reason is Reason.REPEATED:
            assert open_
            assert rule.repeat and now - notified_at >= rule.repeat
            notified_at = now
        elif reason is Reason.RESOLVED:
            assert open_
            assert not isinstance(reading, EvaluationError)
            open_ = False
        assert bool(watch.notified) == open_


SUBJECTS = st.lists(
    st.dictionaries(st.sampled_from("abc"), st.sampled_from([5.0, 11.0, X])) | st.just(OUT),
    max_size=40,
)


@given(RULES, SUBJECTS)
def test_every_firing_subject_is_resolved(rule: Rule, found: list[Any]) -> None:
    """Only a change or the end of the alert resolves it."""
    watch = AlertState()
    now = NOON
    notified: dict[str, State] = {}
    for reading in found:
        now += 5 * MINUTE
        watch, reason = evaluate(replace(rule, each="log"), watch, reading, now=now)
        if watch.notified != notified:
            assert reason in (Reason.FIRED, Reason.NO_DATA, Reason.CHANGED, Reason.RESOLVED)
        else:
            assert reason in (
                None,
                Reason.REPEATED,
                Reason.EVALUATION_FAILED,
                Reason.EVALUATION_RECOVERED,
            )
        notified = watch.notified
        assert notified == {
            name: s.state
            for name, s in watch.subjects.items()
            if s.state in (State.FIRING, State.NO_DATA)
        }


@given(st.lists(st.tuples(RULES, READINGS), min_size=2, max_size=3), st.randoms())
def test_order_of_evaluation_does_not_matter(
    watched: list[tuple[Rule, list[Any]]], spread: Any
) -> None:
    def outcomes(order: list[int]) -> dict[int, list[Any]]:
        notified: dict[int, list[Any]] = {n: [] for n in order}
        watches = dict.fromkeys(order, AlertState())
        for step in range(max(len(found) for _, found in watched)):
            for n in order:
                rule, found = watched[n]
                if step < len(found):
                    watches[n], reason = evaluate(
                        rule, watches[n], whole(found[step]), now=NOON + step * 5 * MINUTE
                    )
                    notified[n].append(reason)
        return notified

    mixed = list(range(len(watched)))
    spread.shuffle(mixed)
    assert outcomes(mixed) == outcomes(list(range(len(watched))))


@given(RULES, READINGS)
def test_unavailable_provider_changes_no_state(rule: Rule, found: list[Any]) -> None:
    watch = AlertState()
    for reading in found:
        after, reason = evaluate(rule, watch, whole(reading), now=NOON)
        if isinstance(reading, EvaluationError):
            assert (after.state, after.notified) == (watch.state, watch.notified)
            assert reason in (None, Reason.EVALUATION_FAILED)
        watch = after


def test_evaluations_are_at_whole_steps_whenever_the_bot_started() -> None:
    times = EvaluationTimes(15 * MINUTE)
    assert times.get_next_fire_time(None, NOON) == NOON
    assert times.get_next_fire_time(None, NOON + timedelta(seconds=1)) == NOON + 15 * MINUTE


def test_evaluation_is_due_when_silence_ends() -> None:
    once = Mute("release", frozenset({"spike"}), NOON, NOON + 20 * MINUTE)
    often = Mute(
        "night", frozenset({"spike"}), trigger=read_cron("0 13 * * *", UTC), lasting=7 * MINUTE
    )
    times = EvaluationTimes(15 * MINUTE, [once, often])
    due = NOON
    found = []
    while due < NOON + 80 * MINUTE:
        due = times.get_next_fire_time(None, due + timedelta(microseconds=1)) or NOON
        found.append(round((due - NOON) / MINUTE))
    assert found == [15, 20, 30, 45, 60, 67, 75, 90]


@given(RULES, st.sampled_from(["", "log"]), st.booleans())
def test_stored_definition_preserves_the_rule(rule: Rule, each: str, is_below: bool) -> None:
    sides: dict[str, Any] = {"above": None, "below": 2.5, "recover": None} if is_below else {}
    rule = replace(rule, query="/logs kitchen where(x each log y) 2h", each=each, **sides)
    left = rule_from_definition(rule.name, rule.definition, rule.channel)
    assert left.definition == rule.definition
    assert (left.query, left.value, left.threshold, left.each) == (
        rule.query,
        rule.value,
        rule.threshold,
        each,
    )


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
def test_watched_value_comes_from_the_answer(
    values: dict[str, Any], name: str, found: float | None
) -> None:
    assert extract_value(values, name) == found


def context(
    rule: Rule, *found: Any, every: timedelta = 5 * MINUTE, **changes: Any
) -> NotificationContext:
    """The context after the last of these readings."""
    before = watch = AlertState()
    for n, reading in enumerate(found):
        before = watch
        now = NOON + n * every
        watch, reason = evaluate(rule, before, whole(reading), now=now)
    return NotificationContext(
        rule, before, watch, changes.pop("reason", reason), now, UTC, **changes
    )


SIZED = Rule(**{**RULE, "above": 5e9, "recover": 4.5e9, "for_": 30 * MINUTE})


def test_notice_explains_itself() -> None:
    notified = context(
        SIZED,
        OUT,
        *[5.72e9] * 7,
        window="25 Nov 2026",
        shortcomings=["1 day of the window not listed"],
    )
    text, blocks = incident_message(notified)
    assert text.startswith("🔴 spike: bytes at 5.72 GB, above 5.00 GB")
    for words in (
        "Resolve threshold: 4.50 GB", "Since: 25 Nov 12:05 UTC (30 min), seen by checks every", "Window: 25 Nov 2026",
        "Missing: no data in 1 of the last 8 checks; 1 day of the window not listed",
    ):  # fmt: skip
        assert words in text
    assert "resolved" not in text + str(blocks)
    for words in (
        "`/usage today`",
        "Started firing after 30 min in breach",
        "alert from bot.toml",
        "next check <!date^",
    ):
        assert words in str(blocks)
    assert [e["action_id"] for e in blocks[-1]["elements"]] == ["alert.acknowledge", "ask.0", "alert.silence.1h", "alert.silence.4h", "alert.silence.morning"]  # fmt: skip


LONG_NAME = "ingest of the whole production cluster in europe and asia"


@pytest.mark.parametrize("name", ["spike", "ingest-production-eu", LONG_NAME])
@pytest.mark.parametrize("severity", ["", "info", "warning", "critical"])
@pytest.mark.parametrize(
    ("value", "measured", "shown"),
    [
        ("bytes", 5.72e9, "bytes at 5.72 GB"),
        ("failures", 123_456.0, "failures at 123,456"),
        ("quota_percent", 99.96, "quota_percent at 100.0 %"),
        ("forecast_month_bytes", 1.5e12, "forecast_month_bytes at 1.50 TB"),
    ],
)
def test_push_shows_name_severity_and_value(
    name: str, severity: Severity, value: str, measured: float, shown: str
) -> None:
    paging = Paging(severity=severity)
    rule = Rule(**{**RULE, "name": name, "value": value, "paging_or_unset": paging})
    text, blocks = incident_message(context(rule, measured))
    push = text[:60]
    assert severity.capitalize() in push
    assert name[:11] in push
    assert shown in push
    assert name in text
    assert name in blocks[0]["text"]["text"]


@pytest.mark.parametrize(
    "subject", ["ada", "linus@platform.example.com", "payments-gateway-production-account", "a, b"]
)
@pytest.mark.parametrize("severity", ["", "critical"])
@pytest.mark.parametrize(
    ("value", "measured", "shown"),
    [
        ("failures", 60.0, "failures at 60"),
        ("duration_p95_ms", 2345.0, "duration_p95_ms at 2345 ms"),
    ],
)
def test_push_shows_value_and_the_whole_subject_behind_it(
    subject: str, severity: Severity, value: str, measured: float, shown: str
) -> None:
    paging = Paging(severity=severity)
    rule = Rule(**{**RULE, "value": value, "each": "actor", "paging_or_unset": paging})
    rule = structs.replace(rule, name="failing-clients")
    after, reason = evaluate(rule, AlertState(), {subject: measured}, now=NOON)
    assert reason is not None
    notified = NotificationContext(rule, AlertState(), after, reason, NOON, UTC)
    text, blocks = incident_message(notified)
    assert shown in text[:60]
    # With the longest of these values a name has room for its beginning alone.
    assert ("failing-clients" if value == "failures" else "failing-cli") in text[:60]
    assert f" for {subject}, above" in text.partition("\n")[0]
    assert f" for {subject}, above" in blocks[0]["text"]["text"]


def test_window_has_its_times_in_the_zone_of_the_reader() -> None:
    times = (NOON - timedelta(hours=1), NOON)
    label = "25 Nov 2026 11:00 to 12:00 (UTC)"
    text, blocks = incident_message(context(Rule(**RULE), 50.0, window=label, window_times=times))
    assert f"Window: {label}." in text
    assert "(UTC)" not in str(blocks)
    assert f"*Window*\\n{kit.local_time(times[0])} to {kit.local_time(times[1])}" in str(blocks)
    # Whole days are those of the zone that they name.
    assert "25 Nov 2026 (UTC)" in str(
        incident_message(context(Rule(**RULE), 50.0, window="25 Nov 2026 (UTC)"))[1]
    )


def test_edit_is_offered_for_alerts_made_in_chat() -> None:
    made_here = structs.replace(Rule(**RULE), origin="this channel, created 1 Nov 2026")
    for rule, offered in ((Rule(**RULE), False), (made_here, True)):
        _, blocks = incident_message(context(rule, 50.0))
        assert ("alert.edit" in str(blocks)) is offered
    assert "alert from bot.toml" in str(incident_message(context(Rule(**RULE), 50.0))[1])


def test_reply_that_notifies_names_alert() -> None:
    rule = Rule(**{**RULE, "paging_or_unset": Paging(severity="critical", notify=("U0ADA",))})
    reply, blocks = thread_reply(context(rule, 50.0))
    assert reply == "🔴 Critical · spike: bytes at 50 B, above 10 B"
    assert "spike" not in blocks[0]["text"]["text"]


def test_resolved_notice_shows_duration_and_peak() -> None:
    text, blocks = incident_message(context(Rule(**{**RULE, "above": 5e9}), 5.1e9, 6e9, 5.5e9, 1e9))
    assert text.startswith("✅ spike resolved after 15 min, peak 6.00 GB")
    assert "bytes now: 1.00 GB" in text
    assert "<@" not in text + str(blocks)
    assert [e["action_id"] for e in blocks[-1]["elements"]] == ["ask.0"]


FAILURES = Rule(
    **{**RULE, "value": "failures", "each": "account", "above": 20.0, "repeat": 10 * MINUTE}
)


def test_one_firing_subject_is_named_in_headline() -> None:
    firing = context(FAILURES, {"edge": 30.0, "iot": 2.0})
    text, blocks = incident_message(firing)
    assert text.startswith("🔴 spike: failures at 30 for edge, above 20\nThreshold")
    assert "• edge" not in str(blocks)
    # Other services get it as a value of its own.
    assert subject_lines(firing) == ["edge: 30"]


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([{"edge": 3.0, "iot": 22.0}, {"edge": 25.0, "iot": 22.0}], "Also firing: edge. Failures above 20 for 2 of 2 accounts."),
        ([{"edge": 30.0, "iot": 22.0}, {"edge": 25.0, "iot": 2.0}], "OK again: iot. Failures at 25 for edge, above 20."),
        ([{"edge": 30.0}, {"edge": 25.0}, {"edge": 26.0}], "Firing for 10 min: failures still at 26 for edge, above 20; peak 30."),
        ([{"edge": 30.0}, {"edge": 2.0}], "✅ spike resolved after 5 min, peak 30."),
    ],
)  # fmt: skip
def test_thread_reply_text(found: list[Any], says: str) -> None:
    text, blocks = thread_reply(context(FAILURES, *found))
    assert text == says
    # The message above the thread says whose alert it is.
    assert "bot.toml" not in str(blocks)
    assert ("Next check" in str(blocks)) is ("resolved" not in says)
    assert "<@" not in str(blocks)


def test_subjects_are_named_the_worst_first_and_shortened() -> None:
    text, _ = incident_message(context(FAILURES, {f"account-{n}": 20.0 + n for n in range(12)}))
    assert text.splitlines()[:3] == [
        "🔴 spike: failures above 20 for 11 of 12 accounts",
        "account-11: 31",
        "account-10: 30",
    ]
    assert "… and 3 more" in text


def test_message_names_acknowledger_and_silencer() -> None:
    notified = context(
        Rule(**RULE),
        11.0,
        silence=ActiveSilence("silenced until 25 Nov 16:00 (load test)", "U0ADA"),
        reason=Reason.SILENCED,
    )
    _, blocks = incident_message(notified)
    assert "Silenced until 25 Nov 16:00 (load test), by <@U0ADA>." in str(blocks)
    assert thread_reply(notified)[0].startswith(
        "Silenced until 25 Nov 16:00 (load test). The end is still posted"
    )
    assert "alert.silence" not in str(blocks)
    taken = context(Rule(**RULE), 11.0, reason=Reason.ACKNOWLEDGED)
    taken = replace_(taken, after=replace(taken.after, acknowledged_by="U0ADA"))
    text, blocks = incident_message(taken)
    assert text.startswith("🟠 ")
    assert "Acknowledged by <@U0ADA>" in str(blocks)
    assert "alert.acknowledge" not in str(blocks)


def test_values_are_shown_in_their_unit() -> None:
    assert [format_value(n, 12.5) for n in ("failure_percent", "duration_p95_ms", "lines")] == [
        "12.5 %",
        "12 ms",
        "12.50",
    ]


ESCALATING = Rule(
    **{
        **RULE,
        "paging_or_unset": Paging(
            notify=("S0ONCALL",),
            escalate_after=15 * MINUTE,
            escalate_to=("U0GRACE", "C0SRE", "mail"),
        ),
    }
)


def waiting_flag(notified: NotificationContext) -> str:
    _, blocks = incident_message(notified)
    return next((str(block) for block in blocks if "Not acknowledged" in str(block)), "")


def test_message_says_whom_it_escalates_to() -> None:
    details = NoticeDetails(
        called_next=("U0GRACE", "C0SRE", "mail"), names={"U0GRACE": "Grace", "S0ONCALL": "x"}
    )
    notified = context(ESCALATING, 50.0, details=details)
    at = kit.local_time(NOON + 15 * MINUTE)
    assert (
        f"Not acknowledged. Escalates to <#C0SRE>, mail and Grace at {at} unless"
        in waiting_flag(notified)
    )
    assert (
        "Not acknowledged. Escalates to C0SRE, mail and Grace at 25 Nov 12:15 UTC unless "
        "acknowledged."
    ) in incident_message(notified)[0]
    assert "<@U0GRACE>" not in str(incident_message(notified))


def test_acknowledged_or_escalated_message_waits_for_nobody() -> None:
    notified = context(ESCALATING, 50.0)
    taken = replace_(notified, after=replace(notified.after, acknowledged_by="U0ADA"))
    calls = structs.replace(notified.after.calls, escalated_at=NOON + 15 * MINUTE)
    escalated = replace_(notified, after=replace(notified.after, calls=calls))
    for each in (taken, escalated, context(Rule(**RULE), 50.0), context(ESCALATING, 50.0, 1.0)):
        assert waiting_flag(each) == ""


@pytest.mark.parametrize(
    ("silence", "when"),
    [
        (ActiveSilence("silenced until …", "U0ADA", NOON + 60 * MINUTE), "at 25 Nov 13:00 UTC"),
        (ActiveSilence("silenced until …", "U0ADA", NOON + 5 * MINUTE), "at 25 Nov 12:15 UTC"),
        (ActiveSilence("muted by release night"), "when it is no longer muted"),
    ],
)
def test_silenced_message_escalates_afterwards(silence: ActiveSilence, when: str) -> None:
    text, _ = incident_message(context(ESCALATING, 50.0, silence=silence))
    assert f"to C0SRE, mail and 1 person or group {when} unless" in text


def test_message_has_one_form_of_times() -> None:
    """In blocks each reader sees all times in their own zone; in words all name the bot's."""
    end = NOON + 60 * MINUTE
    notified = context(
        Rule(**RULE),
        50.0,
        reason=Reason.SILENCED,
        silence=ActiveSilence("silenced until 25 Nov 13:00 UTC (load test)", "U0ADA", end),
        evidence=Evidence((EvidenceFact("Latest failure", "ada · GET /papi", NOON),)),
    )
    text, blocks = incident_message(notified)
    reply, reply_blocks = thread_reply(notified)
    bare = re.sub(r"<!date\^[^>]*>", "", str([*blocks, *reply_blocks]))
    assert re.findall(r"\d\d:\d\d", bare) == []
    assert f"Silenced until {kit.local_time(end)} (load test), by <@U0ADA>." in str(blocks)
    assert f"{kit.local_time(NOON)} · ada · GET" in str(blocks)
    clocks = re.findall(r"\d\d:\d\d(?: UTC)?", text + reply)
    assert clocks and all(clock.endswith(" UTC") for clock in clocks)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"above": 12.0}, "threshold above 10 B → above 12 B"),
        ({"above": None, "below": 9.0}, "threshold above 10 B → below 9 B"),
        ({"recover": 8.0, "every": 15 * MINUTE}, "resolve threshold none → 8 B, check every 5 min → 15 min"),
        ({"query": "/usage yesterday"}, "question `/usage today` → `/usage yesterday`"),
        ({"for_": 10 * MINUTE, "repeat": 60 * MINUTE}, "for none → 10 min, reminder every none → 1 h"),
        ({"paging_or_unset": Paging(severity="critical", notify=("U0GRACE", "mail"))}, "severity none → critical, notifies nobody → mail and Grace"),
        ({"name": "other", "origin": "this channel"}, ""),
    ],
)  # fmt: skip
def test_change_of_a_rule_is_said_from_what_to_what(changed: dict[str, Any], says: str) -> None:
    after = structs.replace(Rule(**RULE), **changed)
    assert rule_changes(Rule(**RULE), after, {"U0GRACE": "Grace"}) == says


def test_change_in_the_configuration_is_said_too() -> None:
    before = Rule(**RULE)
    stored = rule_from_definition(before.name, before.definition, before.channel)
    after = structs.replace(before, above=12.0, repeat=60 * MINUTE)
    assert definition_changes(stored, after) == "threshold above 10 B → above 12 B"


def test_next_check_is_when_the_rule_is_due() -> None:
    """Also in what somebody does between two checks."""
    rule = Rule(**RULE)
    pressed = context(rule, 50.0, reason=Reason.ACKNOWLEDGED)
    pressed = replace_(pressed, now=NOON + 2 * MINUTE)
    for blocks in (incident_message(pressed)[1], thread_reply(pressed)[1]):
        assert f"ext check {kit.local_time(NOON + 5 * MINUTE)}" in str(blocks)
    assert f"next check {kit.local_time(NOON + 5 * MINUTE)}" in str(
        incident_message(context(rule, 50.0))[1]
    )
