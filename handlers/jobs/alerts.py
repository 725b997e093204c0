"""Alerts when they are due: the question is asked, the answer judged, and what there is to tell
goes into the outbox with the judgement.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import partial

import msgspec
from msgspec.structs import replace

from bot import formatting
from bot.alerts.evaluate import ERRORS_TOLD, evaluate
from bot.alerts.mutes import Mute, muted_by
from bot.alerts.rule import (
    EvaluationTimes,
    Rule,
    extract_readings,
    is_partial,
    rule_from_definition,
)
from bot.alerts.state import AlertState, EvaluationError, Readings, Reason, State
from bot.answer import Measurement
from bot.blocks.alerts import NotificationContext, incident_message, thread_reply
from bot.commands.answering import Answerer, MeasureContext, lazy_temp_dir
from bot.observers import EvaluationObserver, ignore_evaluation
from bot.questions.reading import read_question_line
from bot.schedules.due import Due
from bot.slack.outbox import Outbox, operator_post
from bot.store import AlertStore, EvaluationRecord, Post, PostKind, Saved, Silence, SilenceStore
from handlers.error_messages import error_message
from handlers.jobs.digests import ON_TIME
from handlers.jobs.scheduler import Job

log = logging.getLogger("opswatch")
ALERT_STATE_CODEC = msgspec.json.Decoder(AlertState)
# So many rules are judged in one go: a few milliseconds.
AT_ONCE = 250
# Facts that are later than that are missing.
LATEST = timedelta(hours=6)


@dataclass(slots=True)
class SilenceIndex:
    """Who keeps which alert quiet now: the mute windows of the configuration, and silences made in
    chat.
    """

    store: SilenceStore
    mutes: Sequence[Mute]
    zone: tzinfo
    silences: list[Silence] = field(default_factory=list)

    async def refresh(self, now: datetime) -> None:
        self.silences = await self.store.silences(now)

    def silence(self, alert: str, now: datetime) -> Silence | None:
        return next((silence for silence in self.silences if silence.covers(alert, now)), None)

    def said(self, alert: str, now: datetime) -> str:
        """Until when and why it is quiet, or nothing."""
        if silence := self.silence(alert, now):
            why = f" ({formatting.sanitise(silence.comment, 200)})" if silence.comment else ""
            return (
                f"until {formatting.format_time(silence.end, self.zone, now)}{why}, by "
                f"<@{silence.user}>"
            )
        if mute := muted_by(self.mutes, alert, now):
            return f"planned, {formatting.sanitise(mute, 80)}"
        return ""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came back for a rule that was due."""

    rule: Rule
    due: Due
    answer: Measurement | EvaluationError

    def as_of(self, now: datetime) -> datetime:
        """The instant that it is judged for: when it was due, so that `for` and `repeat` do not
        hang on how long a provider takes to answer; now where it is late.
        """
        return self.due.at if now - self.due.at <= ON_TIME else now


@dataclass(frozen=True, slots=True)
class AlertJob:
    """Asks an alert's question, judges the watched value, and puts what is to be told into the
    outbox.
    """

    answering: Answerer
    alerts: AlertStore
    outbox: Outbox
    quiet: SilenceIndex
    zone: tzinfo
    clock: Callable[[], datetime]
    ops_channel: str
    on_evaluated: EvaluationObserver = ignore_evaluation
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _watches: dict[str, tuple[Rule, AlertState]] = field(default_factory=dict)
    _found: list[tuple[Evaluation, asyncio.Future[None]]] = field(default_factory=list)
    _judging: set[asyncio.Task[None]] = field(default_factory=set)

    def scheduled(self, rule: Rule) -> Job:
        covering = [mute for mute in self.quiet.mutes if rule.name in mute.alerts]
        return Job(
            schedule_of(rule.name),
            EvaluationTimes(rule.every, covering),
            partial(self.run, rule),
            lambda now: self.alerts.last_handled_at(rule.name, rule.definition, now=now),
        )

    async def run(self, rule: Rule, due: Due) -> None:
        """One evaluation. What a crash cuts off is read again at the next look, and an instant that
        somebody else has judged already is left alone.
        """
        if not await self.alerts.claim_evaluation(rule.name, due.at):
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._found.append((Evaluation(rule, due, await self._measure(rule)), done))
        if not self._judging:
            task = asyncio.create_task(self._judge_what_is_found())
            self._judging.add(task)
            task.add_done_callback(self._judging.discard)
        await done

    async def save_evaluations(self, found: Sequence[Evaluation]) -> None:
        """What comes of evaluations whose answers are at hand: their standings and what there is to
        tell of them, in transactions of so many that nobody waits for long.
        """
        for at in range(0, len(found), AT_ONCE):
            await self._judge_together(found[at : at + AT_ONCE])
            await asyncio.sleep(0)

    async def _judge_what_is_found(self) -> None:
        """Those whose answers come while others are written down are written down together."""
        while self._found:
            batch, self._found[:] = self._found[:], []
            try:
                await self.save_evaluations([found for found, _ in batch])
            except BaseException as error:
                for _, done in batch:
                    if not done.done():
                        done.set_exception(
                            error if isinstance(error, Exception) else asyncio.CancelledError()
                        )
                if not isinstance(error, Exception):
                    raise
            for _, done in batch:
                if not done.done():
                    done.set_result(None)

    async def abandoned(self, since: datetime) -> list[tuple[str, datetime]]:
        """Evaluations that a process has left undone: schedule and due time."""
        found = await self.alerts.abandoned_evaluations(since=since)
        return [(schedule_of(alert), due) for alert, due in found]

    async def _judge_together(self, several: Sequence[Evaluation]) -> None:
        now, judged = self.clock(), list[EvaluationRecord]()
        async with self._turn:
            # Another process may have made or ended a silence.
            await self.quiet.refresh(now)
            pending = several
            while pending:
                saved, pending = await self._save_once(pending, now)
                judged += saved
        for each in judged:
            self.on_evaluated(each.state == "error", each.at - each.due)
        if any(each.posts for each in judged):
            self.outbox.wake()

    async def _save_once(
        self, several: Sequence[Evaluation], now: datetime
    ) -> tuple[list[EvaluationRecord], list[Evaluation]]:
        """The records of the evaluations that are settled, and those that are to be made once more
        because another process has changed the state of the alert.
        """
        for found in several:
            if self._watches.get(found.rule.name, _NOBODY)[0] is not found.rule:
                await self.watch(found.rule)
        records = [self._judge(found, now) for found in several]
        saved = [Saved.STATE_CHANGED] * len(records)
        try:
            saved = await self.alerts.save_evaluations(records)
        finally:
            # A state that was not written is read again from the store.
            for found, result in zip(several, saved, strict=True):
                if result is not Saved.WRITTEN:
                    self._watches.pop(found.rule.name, None)
        current = [result is not Saved.STATE_CHANGED for result in saved]
        return (
            [record for record, is_current in zip(records, current, strict=True) if is_current],
            [found for found, is_current in zip(several, current, strict=True) if not is_current],
        )

    def _judge(self, found: Evaluation, now: datetime) -> EvaluationRecord:
        rule, answer, at = found.rule, found.answer, found.as_of(now)
        _, before = self._watches[rule.name]
        quiet = self.quiet.said(rule.name, now)
        if before.evaluated_at and at < before.evaluated_at <= now:
            # Judged late once, it is not judged for an earlier instant afterwards.
            at = before.evaluated_at
        partial = not isinstance(answer, EvaluationError) and is_partial(answer.values)
        after, reason = evaluate(
            rule, before, _read(rule, answer, before), now=at, quiet=bool(quiet), partial=partial
        )
        posts: list[Post] = []
        if reason:
            scene = self._scene(found, before, after, reason, quiet, at)
            after, posts = self._told(scene, f"{found.due.at:%Y%m%dT%H%M%SZ}", answer)
        if before.errors >= ERRORS_TOLD and not after.errors and reason is not Reason.TELLS_AGAIN:
            # Its channel hears the state that was found; the ops channel was told of the errors,
            # and hears of their end.
            again = self._scene(found, before, after, Reason.TELLS_AGAIN, quiet, at)
            posts = [*self._told(again, f"{found.due.at:%Y%m%dT%H%M%SZ}", answer)[1], *posts]
        self._watches[rule.name] = (rule, after)
        return _judged(rule, found.due, after, posts, reason, answer, now)

    def _scene(
        self,
        found: Evaluation,
        before: AlertState,
        after: AlertState,
        reason: Reason,
        quiet: str,
        at: datetime,
    ) -> NotificationContext:
        answer = found.answer
        if isinstance(answer, EvaluationError):
            return NotificationContext(found.rule, before, after, reason, at, self.zone)
        window = answer.window.said if answer.window else ""
        return NotificationContext(
            found.rule, before, after, reason, at, self.zone, window, _shortcomings(answer), quiet
        )

    async def watch(self, rule: Rule) -> AlertState:
        """How it stands with a rule; kept at hand, since one process judges."""
        at_hand = self._watches.get(rule.name)
        if at_hand and (at_hand[0] is rule or at_hand[0].definition == rule.definition):
            return at_hand[1]
        kept = await self.alerts.watch(rule.name, rule.definition)
        watch = ALERT_STATE_CODEC.decode(kept) if kept else AlertState()
        self._watches[rule.name] = (rule, watch)
        return watch

    async def acknowledge(self, rule: Rule, *, user: str) -> bool:
        """Somebody has taken the incident on: it is not repeated. False where there is none."""
        return await self._said(
            rule, Reason.ACKNOWLEDGED, lambda watch: replace(watch, acknowledged_by=user), by=user
        )

    async def silenced(self, rule: Rule, *, user: str, name: str = "") -> bool:
        """An incident that is open tells that it is quiet now, and who wanted it so. False where
        there is none.
        """
        return await self._said(
            rule, Reason.SILENCED, lambda watch: replace(watch, quiet=True), by=user, name=name
        )

    async def close(self, rule: Rule, *, by: str = "", name: str = "") -> bool:
        """A rule that is changed or ended leaves no message saying that it fires. False where none
        did.
        """
        is_told = await self._said(rule, Reason.ENDED, lambda _: AlertState(), by=by, name=name)
        self._watches.pop(rule.name, None)
        return is_told

    async def close_orphans(self, rules: Sequence[Rule]) -> None:
        """The same for rules that were changed in or taken out of the configuration while nobody
        was here.
        """
        known = {rule.name: rule.definition for rule in rules}
        for left in await self.alerts.open_incidents():
            watch = ALERT_STATE_CODEC.decode(left.watch)
            if known.get(left.alert) == left.definition or not watch.told:
                continue
            rule = rule_from_definition(left.alert, left.definition, left.channel)
            self._watches[rule.name] = (rule, watch)
            await self.close(rule)

    async def _said(
        self,
        rule: Rule,
        reason: Reason,
        change: Callable[[AlertState], AlertState],
        *,
        by: str,
        name: str = "",
    ) -> bool:
        async with self._turn:
            before, now = await self.watch(rule), self.clock()
            if not before.told or (reason is Reason.ACKNOWLEDGED and before.acknowledged_by):
                return False
            after = change(before)
            scene = NotificationContext(
                rule,
                before,
                after,
                reason,
                now,
                self.zone,
                quiet=self.quiet.said(rule.name, now),
                by=by,
                name=name,
            )
            _, posts = self._told(scene, f"{now:%Y%m%dT%H%M%S%fZ}", None)
            is_saved = await self.alerts.save_user_action(
                _judged(rule, Due(schedule_of(rule.name), now, 0), after, posts, reason, None, now)
            )
            self._watches[rule.name] = (rule, after)
            if not is_saved:
                del self._watches[rule.name]
        if not is_saved:
            return await self._said(rule, reason, change, by=by, name=name)
        self.outbox.wake()
        return True

    async def _measure(self, rule: Rule) -> Measurement | EvaluationError:
        """The values of the rule's question, fetched afresh. Where facts arrive late, the question
        is asked as of the moment until which they are known: what has not arrived is not zero.
        """
        now = self.clock()
        try:
            found = await self._measure_at(rule, now)
            if found.data_until and now - LATEST < found.data_until < now:
                found = await self._measure_at(rule, found.data_until)
            return found
        except Exception as error:
            trouble = error_message(error)
            log.warning("The alert %s could not be evaluated: %s", rule.name, trouble.kind)
            return EvaluationError(f"{trouble.message} {trouble.hint}")

    async def _measure_at(self, rule: Rule, now: datetime) -> Measurement:
        question = read_question_line(rule.line, self.answering.directory, now=now, zone=self.zone)
        with lazy_temp_dir() as folder:
            context = MeasureContext(folder, self.zone, rule.value.partition(".")[0], rule.each)
            return await self.answering.measure(question, context)

    def _told(
        self, scene: NotificationContext, instant: str, found: Measurement | EvaluationError | None
    ) -> tuple[AlertState, list[Post]]:
        """The posts for a reason, and the standing that knows its incident's message. The first one
        opens it; each later one tells that message anew and says in its thread what has changed; a
        repeat is shown in the channel, too.
        """
        rule, reason = scene.rule, scene.reason
        key = f"alert:{rule.name}:{instant}:{reason.value}"
        if reason in (Reason.CANNOT_TELL, Reason.TELLS_AGAIN):
            return scene.after, [
                operator_post(self.ops_channel or rule.channel, key, _of_itself(scene, found))
            ]
        root = scene.before.incident
        if not root:
            if scene.is_over:
                return scene.after, []
            return replace(scene.after, incident=key), [
                Post(key, rule.channel, *incident_message(scene))
            ]
        how = PostKind.BROADCAST if reason in _SHOWN_AGAIN else PostKind.REPLY
        return scene.after, [
            Post(f"{key}:edit", rule.channel, *incident_message(scene), PostKind.EDIT, root),
            Post(key, rule.channel, *thread_reply(scene), how, root),
        ]


_NOBODY = (None, AlertState())
_SHOWN_AGAIN = frozenset({Reason.REPEATED, Reason.QUIET_OVER})


def schedule_of(alert: str) -> str:
    """What the scheduler calls an alert."""
    return f"alert {alert}"


def _read(
    rule: Rule, found: Measurement | EvaluationError, before: AlertState
) -> Readings | EvaluationError:
    return (
        found
        if isinstance(found, EvaluationError)
        else extract_readings(rule, found.values, before.subjects)
    )


def _shortcomings(answer: Measurement) -> list[str]:
    """What the answer itself was missing, so that nobody takes its value for the whole truth."""
    missing = answer.values.get("days_missing")
    days = (
        [f"{formatting.pluralise(missing, 'day')} of the window not listed"]
        if isinstance(missing, int) and missing
        else []
    )
    cut = ["the answer is not complete"] if answer.values.get("complete") is False else []
    return days + cut


def _judged(
    rule: Rule,
    due: Due,
    after: AlertState,
    posts: list[Post],
    reason: Reason | None,
    found: Measurement | EvaluationError | None,
    now: datetime,
) -> EvaluationRecord:
    standing = after.standing
    failed = isinstance(found, EvaluationError)
    return EvaluationRecord(
        alert=rule.name,
        definition=rule.definition,
        due=due.at,
        at=now,
        state="error" if failed else after.state._value_,
        since=after.started_at,
        value=None if failed else standing.value,
        watch=msgspec.json.encode(after),
        samples=[(name, s.value, s.state._value_) for name, s in after.subjects.items() if name]
        if rule.each and not failed
        else (),
        posts=posts,
        reason=reason.value if reason else "",
    )


def _of_itself(scene: NotificationContext, found: Measurement | EvaluationError | None) -> str:
    name = scene.rule.name
    if isinstance(found, EvaluationError):
        return (
            f"The alert `{name}` could not be evaluated {ERRORS_TOLD} times in a row: {found.why}"
        )
    state = {State.FIRING: "it fires", State.NO_DATA: "there is no data"}.get(
        scene.after.state, "all is calm"
    )
    return (
        f"The alert `{name}` can be evaluated again after "
        f"{formatting.pluralise(scene.before.errors, 'failure')}: {state}."
    )
