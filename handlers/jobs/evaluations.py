"""Evaluations of alerts: what was measured for a rule that was due, and the record of its result."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TypedDict

import msgspec
from msgspec import Struct, field

from bot import formatting
from bot.alerts.baseline import DayValue
from bot.alerts.evaluate import evaluate
from bot.alerts.rule import Rule, extract_readings, is_partial
from bot.alerts.state import NO_BASELINES, AlertState, Baselines, EvaluationError, Reason
from bot.answer import Measurement
from bot.blocks.alert_context import NO_DETAILS, NoticeDetails
from bot.commands.answering import Answerer, MeasureContext, lazy_temp_dir
from bot.questions.reading import read_question_line
from bot.schedules.due import Due
from bot.store import BaselineSamples, EvaluationRecord, Post
from handlers.error_messages import error_message, log_failure
from handlers.jobs.baselines import baseline_samples
from handlers.jobs.digests import ON_TIME

log = logging.getLogger("opswatch")
_encode_state = msgspec.json.Encoder().encode
# Facts that arrive later than that count as missing.
MAX_DATA_DELAY = timedelta(hours=6)


class Evaluation(Struct, frozen=True):
    """A rule that was due, and what its question measured. `baselines` have what is usual of each
    subject, and `usual_values` the values of earlier days of which that of the whole is made.
    `details` are those of its message, if there will be one.
    """

    rule: Rule
    due: Due
    result: Measurement | EvaluationError
    baselines: Baselines = field(default_factory=lambda: NO_BASELINES)
    usual_values: Sequence[DayValue] = ()
    details: NoticeDetails = NO_DETAILS

    def as_of(self, now: datetime) -> datetime:
        """The time of the evaluation: its due time, so that `for` and `repeat` do not depend on how
        long a provider takes; the current time if it is late.
        """
        return self.due.at if now - self.due.at <= ON_TIME else now

    @property
    def instant(self) -> str:
        """The due time as part of the keys of posts."""
        return _compact(self.due.at)


@lru_cache(maxsize=256)
def _compact(at: datetime) -> str:
    """All rules that are due together share it."""
    return f"{at:%Y%m%dT%H%M%SZ}"


async def measured(
    answering: Answerer, rule: Rule, *, now: datetime, zone: tzinfo
) -> Measurement | EvaluationError:
    """The values of the rule's question, fetched afresh. Where facts arrive late, the question is
    asked as of the time until which they are known: what has not arrived is not zero.
    """
    try:
        found = await _measured_at(answering, rule, now, zone)
        if found.data_until and now - MAX_DATA_DELAY < found.data_until < now:
            # Once more only: what the second answer says about its own end would move again.
            found = await _measured_at(answering, rule, found.data_until, zone)
        return found
    except Exception as error:
        shown = error_message(error)
        log_failure(error, f"Alert {rule.name} could not be evaluated")
        return EvaluationError(f"{shown.message} {shown.hint}")


async def _measured_at(answering: Answerer, rule: Rule, now: datetime, zone: tzinfo) -> Measurement:
    question = read_question_line(rule.query, answering.directory, now=now, zone=zone)
    with lazy_temp_dir() as folder:
        # `levels.error` is one of the values that are computed as `levels`.
        context = MeasureContext(folder, zone, rule.value.partition(".")[0], rule.each)
        return await answering.measure(question, context)


def evaluated(
    evaluation: Evaluation, before: AlertState, *, now: datetime, silenced: bool
) -> tuple[AlertState, Reason | None, BaselineSamples | None]:
    """The state after an evaluation, why it is to be posted, and the samples that it adds to the
    baselines of later days.
    """
    rule = evaluation.rule
    result = evaluation.result
    if isinstance(result, EvaluationError):
        return *evaluate(rule, before, result, now=now, silenced=silenced), None
    partial = is_partial(result.values)
    readings = extract_readings(rule, result.values, before.subjects, partial=partial)
    after, reason = evaluate(
        rule,
        before,
        readings,
        now=now,
        silenced=silenced,
        partial=partial,
        baselines=evaluation.baselines,
    )
    # A partial value would make later days look unusual.
    is_sampled = rule.usual and not partial
    samples = baseline_samples(rule, readings, evaluation.due.at) if is_sampled else None
    return after, reason, samples


class MeasuredWindow(TypedDict, total=False):
    """The window of a measurement in words, and what is missing from it."""

    window: str
    window_times: tuple[datetime, datetime] | None
    shortcomings: Sequence[str]


def window_of(result: Measurement | EvaluationError) -> MeasuredWindow:
    """The window of a measurement; nothing where there is none."""
    if isinstance(result, EvaluationError):
        return {}
    window = result.window
    # A comparison names two windows.
    has_times = window is not None and not window.by_day and " vs. " not in window.label
    return {
        "window": window.label if window else "",
        "window_times": (window.window.start, window.window.end) if window and has_times else None,
        "shortcomings": _shortcomings(result),
    }


def _shortcomings(result: Measurement) -> list[str]:
    """What is missing from the measurement."""
    missing = result.values.get("days_missing")
    shortcomings = [*result.shortcomings]
    if isinstance(missing, int) and missing:
        shortcomings.append(f"no data for {formatting.pluralise(missing, 'day')} of the window")
    if result.values.get("complete") is False:
        shortcomings.append("the answer is incomplete")
    return shortcomings


def evaluation_record(
    rule: Rule,
    due: Due,
    after: AlertState,
    posts: list[Post],
    reason: Reason | None,
    result: Measurement | EvaluationError | None,
    now: datetime,
    baseline_samples: BaselineSamples | None = None,
) -> EvaluationRecord:
    """What is written about an evaluation, or about an action of a person."""
    failed = isinstance(result, EvaluationError)
    state, since, value = after.summary()
    return EvaluationRecord(
        alert=rule.name,
        definition=rule.definition,
        due=due.at,
        at=now,
        # The attribute behind `value`, which is a descriptor: ten thousand are read in one tick.
        state="error" if failed else state._value_,
        since=since,
        value=None if failed else value,
        alert_state=_encode_state(after),
        # The whole answer has no name; its value is that of the record.
        samples=[(name, s.value, s.state._value_) for name, s in after.subjects.items() if name]
        if rule.each and not failed
        else (),
        baseline_samples=baseline_samples,
        posts=posts,
        reason=reason.value if reason else "",
    )
