"""Evaluates alerts when they are due, and saves the new state together with its notifications."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from functools import partial

from msgspec.structs import replace

from bot.alerts.channels import USUAL, Presentation
from bot.alerts.escalation import is_escalation_due
from bot.alerts.evaluate import ERRORS_BEFORE_NOTICE
from bot.alerts.on_call import NO_SCHEDULES, OnCall
from bot.alerts.paging import without_recipients
from bot.alerts.rule import (
    EvaluationTimes,
    Rule,
    extract_readings,
)
from bot.alerts.state import AlertState, EvaluationError, Reason
from bot.answer import Measurement
from bot.blocks.alert_context import (
    NO_DETAILS,
    NoticeDetails,
    NotificationContext,
    RuleChange,
)
from bot.commands.answering import Answerer
from bot.observability.observers import EvaluationObserver, ignore_evaluation
from bot.schedules.due import Due
from bot.slack.outbox import Outbox
from bot.store import AlertStore, EvaluationRecord, NewSilence, Post, RuleEdit, Saved
from handlers.jobs.alert_schedules import schedule_of
from handlers.jobs.alert_states import CachedStates
from handlers.jobs.baselines import BaselineReader
from handlers.jobs.batches import Batches
from handlers.jobs.evaluations import (
    Evaluation,
    evaluated,
    evaluation_record,
    measured,
    window_of,
)
from handlers.jobs.incident_actions import (
    IncidentAction,
    acknowledgement,
    escalation,
    silencing,
)
from handlers.jobs.notice_details import DetailsReader, may_need_details, without_source
from handlers.jobs.notifications import (
    closed_channels_post,
    evaluation_posts,
    gap_post,
    notification_posts,
)
from handlers.jobs.scheduler import Job
from handlers.jobs.silences import SilenceIndex
from handlers.jobs.slots import Slots

# So many rules are saved in one transaction, and evaluated in one go; each takes a few milliseconds.
BATCH_SIZE = 1000
EVALUATED_AT_ONCE = 250
# So many evaluations are claimed at a time; the rest is left to other processes meanwhile.
MOST_IN_PROGRESS = 500
CLAIMED_AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class AlertJob:
    """Measures an alert's value, evaluates its rule, and puts notifications into the outbox."""

    answering: Answerer
    alerts: AlertStore
    outbox: Outbox
    silences: SilenceIndex
    zone: tzinfo
    clock: Callable[[], datetime]
    ops_channel: str
    on_evaluated: EvaluationObserver = ignore_evaluation
    presentation: Presentation = USUAL
    # Without it, rules whose threshold follows what is usual have no baseline.
    baselines: BaselineReader | None = None
    on_call: OnCall = NO_SCHEDULES
    # Without it, messages show no evidence.
    details: DetailsReader | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _slots: Slots = field(default_factory=lambda: Slots(MOST_IN_PROGRESS))
    _states: CachedStates = field(init=False)
    _claims: Batches[tuple[str, datetime], bool] = field(init=False)
    _saves: Batches[Evaluation, None] = field(init=False)

    def __post_init__(self) -> None:
        # The dataclass is frozen; these are made of its other fields.
        object.__setattr__(self, "_states", CachedStates(self.alerts))
        object.__setattr__(self, "_claims", Batches(self.alerts.claim_evaluations, CLAIMED_AT_ONCE))
        object.__setattr__(self, "_saves", Batches(self._save_batch, BATCH_SIZE))

    def scheduled(self, rule: Rule) -> Job:
        """The rule as a job of the scheduler."""
        mutes = [mute for mute in self.silences.mutes if rule.name in mute.alerts]
        return Job(
            schedule_of(rule.name),
            EvaluationTimes(rule.every, mutes),
            partial(self.run, rule),
            lambda now: self.alerts.last_handled_at(rule.name, rule.definition, now=now),
        )

    async def run(self, rule: Rule, due: Due) -> None:
        """One evaluation. After a crash the next one reads the value again; an instant that was
        evaluated already is skipped.
        """
        async with self._slots:
            # False where another process evaluates this instant, or has done so.
            if await self._claims.add((rule.name, due.at)):
                result = await self._measure(rule)
                evaluation = Evaluation(rule, due, result)
                if rule.usual and isinstance(result, Measurement):
                    evaluation = await self._with_baselines(evaluation, result)
                await self._saves.add(await self._with_details(evaluation))

    async def _with_baselines(self, evaluation: Evaluation, result: Measurement) -> Evaluation:
        """The same with what is usual of each subject that is about to be evaluated."""
        rule = evaluation.rule
        at = evaluation.due.at
        if self.baselines is None:
            return evaluation
        known = (await self.state(rule)).subjects
        readings = extract_readings(rule, result.values, known)
        baselines = await self.baselines.at(rule, readings, at)
        values = self.baselines.usual_values(rule, baselines, at)
        return Evaluation(rule, evaluation.due, result, baselines, values)

    async def _with_details(self, evaluation: Evaluation) -> Evaluation:
        """The same with what its message says besides the state, if there will be one."""
        details = NO_DETAILS
        if self.details and may_need_details(evaluation):
            before = await self.state(evaluation.rule)
            details = await self.details.of_evaluation(evaluation, before)
        return replace(without_source(evaluation), details=details)

    async def save_evaluations(self, evaluations: Sequence[Evaluation]) -> None:
        """Evaluates what was measured, and saves the states and their notifications, in transactions
        that take a few milliseconds each.
        """
        for at in range(0, len(evaluations), BATCH_SIZE):
            await self._save_batch(evaluations[at : at + BATCH_SIZE])
            await asyncio.sleep(0)

    async def _save_batch(self, evaluations: Sequence[Evaluation]) -> list[None]:
        now = self.clock()
        records = list[EvaluationRecord]()
        async with self._lock:
            # Another process may have made or ended a silence.
            await self.silences.refresh(now)
            pending = evaluations
            while pending:
                saved, pending = await self._save_once(pending, now)
                records += saved
        for record in records:
            self.on_evaluated(record.state == "error", record.at - record.due)
        if any(record.posts for record in records):
            self.outbox.wake()
        return [None] * len(evaluations)

    async def _save_once(
        self, evaluations: Sequence[Evaluation], now: datetime
    ) -> tuple[list[EvaluationRecord], list[Evaluation]]:
        """The records of the evaluations that are settled, and the evaluations to repeat because
        another process has changed the state of the alert.
        """
        records = list[EvaluationRecord]()
        saved = [Saved.STATE_CHANGED] * len(evaluations)
        # Only the alerts of this batch: others are read again when they are evaluated.
        self._states.drop(self.alerts.changed_before([each.rule.name for each in evaluations]))
        try:
            for at in range(0, len(evaluations), EVALUATED_AT_ONCE):
                part = evaluations[at : at + EVALUATED_AT_ONCE]
                await self._states.read([evaluation.rule for evaluation in part])
                records += [self._evaluate(evaluation, now) for evaluation in part]
                # Acknowledgements to Slack must not wait for all alerts that are due together.
                await asyncio.sleep(0)
            saved = await self.alerts.save_evaluations(records)
        finally:
            # Also after an exception: the cache then holds states that the database does not.
            if saved.count(Saved.WRITTEN) < len(saved):
                self._states.drop(
                    each.rule.name
                    for each, result in zip(evaluations, saved, strict=True)
                    if result is not Saved.WRITTEN
                )
        if Saved.STATE_CHANGED not in saved:
            return records, []
        current = [result is not Saved.STATE_CHANGED for result in saved]
        return (
            [record for record, is_current in zip(records, current, strict=True) if is_current],
            [each for each, is_current in zip(evaluations, current, strict=True) if not is_current],
        )

    def _evaluate(self, evaluation: Evaluation, now: datetime) -> EvaluationRecord:
        rule = evaluation.rule
        result = evaluation.result
        before = self._states.known(rule)
        silence = self.silences.active(rule.name, now)
        at = evaluation.as_of(now)
        if before.evaluated_at and at < before.evaluated_at <= now:
            # After a late evaluation, none is made for an earlier instant.
            at = before.evaluated_at
        after, reason, samples = evaluated(evaluation, before, now=at, silenced=bool(silence))
        details = evaluation.details
        if reason and details.evidence is not None:
            after = replace(after, evidence=details.evidence)
        posts: list[Post] = []
        works_again = before.errors >= ERRORS_BEFORE_NOTICE and not after.errors
        if reason or works_again:
            context = NotificationContext(
                self.on_call.called_by(rule, at),
                before,
                after,
                reason or Reason.EVALUATION_RECOVERED,
                at,
                self.zone,
                silence=silence,
                buttons=self.presentation.buttons_of(rule.name),
                usual_values=evaluation.usual_values,
                evidence=after.evidence,
                details=details,
                **window_of(result),
            )
            after, posts = evaluation_posts(
                context,
                evaluation,
                style=self.presentation.style_of(rule.channel),
                ops_channel=self.ops_channel or rule.channel,
                works_again=works_again,
            )
            if reason is Reason.FIRED:
                posts = [*self._gaps(context, rule.paging.notify, evaluation.instant), *posts]
        self._states.keep(rule, after)
        return evaluation_record(rule, evaluation.due, after, posts, reason, result, now, samples)

    def _gaps(
        self, context: NotificationContext, recipients: Sequence[str], instant: str
    ) -> list[Post]:
        names = self.on_call.without_anybody(recipients, context.now)
        channel = self.ops_channel or context.rule.channel
        return [gap_post(context, instant, name, channel) for name in names]

    async def refresh(self) -> None:
        """Forgets the cached states that another process has changed. Called before states are
        shown, and before a person acts on one.
        """
        async with self._lock:
            await self._states.refresh()

    async def state(self, rule: Rule) -> AlertState:
        """The state of a rule's alert, cached until it is known to have changed. An evaluation from
        a state that is out of date is made again: its version is compared when it is saved.
        """
        return await self._states.of(rule)

    async def acknowledge(
        self, rule: Rule, *, user: str, name: str = "", known_to: Sequence[str] = ()
    ) -> bool:
        """Turns off reminders of the open incident, and acknowledges it in its targets but those
        that it is `known_to`. False where there is none.
        """
        return await self._apply_action(rule, acknowledgement(user, name, known_to))

    async def is_escalation_due(self, rule: Rule) -> bool:
        """Whether nobody has acknowledged the open incident in time."""
        return self._escalates(rule, await self.state(rule), self.clock())

    async def escalate(self, rule: Rule, *, closed: Sequence[str] = ()) -> bool:
        """Calls the next ones for the open incident, and reports to the operator the channels that
        are `closed` to the creator of the rule, where nothing is posted. False where it is no longer
        due.
        """
        now = self.clock()
        if closed:
            rule = replace(rule, paging_or_unset=without_recipients(rule.paging, closed))
        return await self._apply_action(rule, escalation(now, closed))

    def _escalates(self, rule: Rule, alert: AlertState, now: datetime) -> bool:
        silenced = self.silences.active(rule.name, now) is not None
        return is_escalation_due(rule, alert, now, silenced=silenced)

    async def silence(self, rule: Rule, silence: NewSilence, *, name: str) -> bool:
        """Silences an alert with an open incident, and posts that there, in one transaction. False,
        and nothing is changed, where there is none. Raises RuleChanged.
        """
        return await self._apply_action(rule, silencing(silence, name))

    async def close(
        self,
        rule: Rule,
        change: RuleChange,
        *,
        by: str = "",
        name: str = "",
        changes: str = "",
        edit: RuleEdit | None = None,
        posts: Sequence[Post] = (),
    ) -> bool:
        """Closes the open incident of a rule that was changed or deleted; `changes` say from what
        to what. False where there is none. The `edit` of the rule is written in the same
        transaction, or, without an incident, with the `posts` about it. Raises RuleChanged.
        """
        action = IncidentAction(
            Reason.RULE_CHANGED,
            lambda _: AlertState(),
            by=by,
            name=name,
            change=change,
            changes=changes,
            edit=edit,
            posts=posts,
        )
        is_posted = await self._apply_action(rule, action)
        self._states.drop([rule.name])
        return is_posted

    async def _apply_action(self, rule: Rule, action: IncidentAction) -> bool:
        """Changes the state of an alert with an open incident, and posts it there."""
        details = await self._details_of_incident(rule, action.silence)
        async with self._lock:
            await self._states.refresh()
            before = await self.state(rule)
            now = self.clock()
            applies = self._applies(rule, action.reason, before, now)
            if applies:
                is_saved = await self._save_action(rule, action, before, details, now)
            else:
                is_saved = await self._save_edit(action)
            if not is_saved:
                self._states.drop([rule.name])
        if not is_saved:
            # Another process has changed the state, which is read again.
            return await self._apply_action(rule, action)
        self.outbox.wake()
        return applies

    async def _save_action(
        self,
        rule: Rule,
        action: IncidentAction,
        before: AlertState,
        details: NoticeDetails,
        now: datetime,
    ) -> bool:
        context = action.context(
            self.on_call.called_by(rule, now),
            before,
            now,
            self.zone,
            silence=self.silences.after(action.silence, rule.name, now),
            buttons=self.presentation.buttons_of(rule.name),
        )
        context = replace(context, evidence=before.evidence, details=details)
        # With microseconds, unlike that of an evaluation: two people may act within one second.
        instant = f"{now:%Y%m%dT%H%M%S%fZ}"
        style = self.presentation.style_of(rule.channel)
        after, posts = notification_posts(context, instant, style)
        if action.closed:
            channel = self.ops_channel or rule.channel
            # In front, because the last post is the one that is on record.
            posts.insert(0, closed_channels_post(context, instant, action.closed, channel))
        if action.reason is Reason.ESCALATED:
            posts = [*self._gaps(context, rule.paging.escalate_to, instant), *posts]
        due = Due(schedule_of(rule.name), now, 0)
        record = evaluation_record(rule, due, after, posts, action.reason, None, now)
        is_saved = await self.alerts.save_user_action(record, action.silence or action.edit)
        self._states.keep(rule, after)
        return is_saved

    async def _save_edit(self, action: IncidentAction) -> bool:
        return action.edit is None or await self.alerts.edit_rule(action.edit, action.posts)

    async def _details_of_incident(self, rule: Rule, silence: NewSilence | None) -> NoticeDetails:
        if self.details is None:
            return NO_DETAILS
        # Another process may have posted the incident.
        await self.refresh()
        alert = await self.state(rule)
        is_open = bool(alert.notified)
        return await self.details.of_incident(rule, alert, silence) if is_open else NO_DETAILS

    def _applies(self, rule: Rule, reason: Reason, before: AlertState, now: datetime) -> bool:
        """Whether an action still changes something; another one may have come first."""
        if reason is Reason.ACKNOWLEDGED and before.acknowledged_by:
            return False
        if reason is Reason.ESCALATED and not self._escalates(rule, before, now):
            return False
        return bool(before.notified)

    async def _measure(self, rule: Rule) -> Measurement | EvaluationError:
        return await measured(self.answering, rule, now=self.clock(), zone=self.zone)
