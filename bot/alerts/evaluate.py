"""One evaluation of a rule: the new state of its alert, and the reason to notify, if there is one
(pure).

The states are those of Prometheus, with no data beside them. An error of a provider is never a
recovery, and downtime of the bot is not time in breach. The reason is decided over all subjects of a
rule, in the order of Alertmanager's deduplication: new subjects, none left, fewer subjects, repeat
interval over.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec.structs import replace

from bot.alerts.baseline import Baseline
from bot.alerts.rule import Rule
from bot.alerts.state import (
    FIRED,
    NEW_SUBJECT,
    NO_BASELINES,
    NO_CALLS,
    NOTHING_FOUND,
    OK,
    WHOLE,
    AlertState,
    Baselines,
    EvaluationError,
    IncidentCalls,
    Readings,
    Reason,
    State,
    SubjectState,
)
from bot.answer import NO_EVIDENCE

# So many errors in a row are reported.
ERRORS_BEFORE_NOTICE = 3
# A subject that answers no longer list is gone after so many evaluations, as in Grafana ("stale alert
# instances").
MISSING_UNTIL_GONE = 2
# Flapping as in Nagios: the share of changes in the last 21 evaluations from which it begins, and
# below which it ends.
HISTORY_LENGTH = 21
FLAPPING_FROM = 0.5
FLAPPING_UNTIL = 0.25
# Python 3.11 takes long to look up a member of an enumeration.
_FIRING = State.FIRING
_INACTIVE = State.INACTIVE
_NOTIFIABLE = frozenset({State.FIRING, State.NO_DATA})
_ACTIVE = _NOTIFIABLE | {State.PENDING}
_NONE = timedelta(0)


def evaluate(
    rule: Rule,
    before: AlertState,
    readings: Readings | EvaluationError,
    *,
    now: datetime,
    silenced: bool = False,
    partial: bool = False,
    baselines: Baselines = NO_BASELINES,
) -> tuple[AlertState, Reason | None]:
    """The state after this evaluation and the reason to notify, or None. While an alert is silenced
    or muted, nothing new is notified; an open incident may resolve, and whatever still fires
    afterwards is notified at once.

    A subject whose reading is None has no data; one that had a reading before and has none now is
    no longer listed. A `partial` answer proves neither, whatever the rule's policy: the missing
    part may just not have arrived yet.

    Where the threshold follows what is usual, `baselines` has that of each subject. A subject without
    one does not start firing; one that is firing keeps firing.
    """
    # The clock was ahead when this was stored.
    if before.evaluated_at is not None and before.evaluated_at > now:
        before = _without_future(before, now)
    if isinstance(readings, EvaluationError):
        return _after_error(before)
    if (still_clear := _still_clear(rule, before, readings, now, silenced=silenced)) is not None:
        return still_clear, None
    downtime = _downtime(rule, before, now)
    subjects = _subjects(rule, before, readings, baselines, downtime, now, partial=partial)
    history = (before.history + _outcome(subjects, readings))[-HISTORY_LENGTH:]
    after = replace(
        before,
        subjects=subjects,
        evaluated_at=now,
        errors=0,
        silenced=silenced,
        history=history,
        flapping=_is_flapping(history, was_flapping=before.flapping),
    )
    notified, reason = _apply_notification(rule, before, after, now)
    if reason is None and before.errors >= ERRORS_BEFORE_NOTICE:
        return notified, Reason.EVALUATION_RECOVERED
    return notified, reason


def _still_clear(
    rule: Rule, before: AlertState, readings: Readings, now: datetime, *, silenced: bool
) -> AlertState | None:
    """The state after an evaluation like nearly all others: the answer as a whole was inactive, and
    is. None for any other, which takes the long way to the same state.
    """
    known = before.subjects.get(WHOLE)
    value = readings.get(WHOLE)
    if known is None or value is None or known.state is not _INACTIVE:
        return None
    is_only = len(before.subjects) == 1 and len(readings) == 1
    has_times = known.breach_since or known.clear_since
    if not is_only or has_times or before.notified or before.errors or rule.usual:
        return None
    if rule.is_breach(value, firing=False):
        return None
    history = (before.history + OK)[-HISTORY_LENGTH:]
    return replace(
        before,
        subjects={WHOLE: SubjectState(_INACTIVE, known.since, None, None, value)},
        evaluated_at=now,
        silenced=silenced,
        history=history,
        flapping=FIRED in history and _is_flapping(history, was_flapping=before.flapping),
    )


def _after_error(before: AlertState) -> tuple[AlertState, Reason | None]:
    errors = before.errors + 1
    # An error is not a change, so it does not make an alert flap.
    history = (before.history + NOTHING_FOUND)[-HISTORY_LENGTH:]
    reason = Reason.EVALUATION_FAILED if errors == ERRORS_BEFORE_NOTICE else None
    return replace(before, errors=errors, history=history), reason


def _subjects(
    rule: Rule,
    before: AlertState,
    readings: Readings,
    baselines: Baselines,
    downtime: timedelta,
    now: datetime,
    *,
    partial: bool,
) -> dict[str, SubjectState]:
    """Every subject with a reading, and every active one without a reading that is not gone yet."""
    found = {}
    for name, reading in readings.items():
        known = before.subjects.get(name, NEW_SUBJECT)
        if downtime:
            known = _without_downtime(known, downtime)
        if reading is not None:
            found[name] = _with_value(rule, known, reading, now, baselines.get(name))
        else:
            found[name] = replace(known, value=None) if partial else _without_data(rule, known, now)
    for name, known in before.subjects.items():
        # A subject that is OK and no longer listed is forgotten at once.
        if name in readings or known.state not in _ACTIVE or (rule.each and name == WHOLE):
            continue
        if downtime:
            known = _without_downtime(known, downtime)
        after = replace(known, value=None) if partial else _unlisted(rule, known, now)
        if after is not None:
            found[name] = after
    return found


def _unlisted(rule: Rule, known: SubjectState, now: datetime) -> SubjectState | None:
    """A subject that the answer did not list; None once it is gone. It counts as OK from the first
    evaluation that misses it, and stays as long as the rule keeps firing.
    """
    unlisted = known.unlisted + 1
    clear_since = known.clear_since or now
    keeps_firing = known.state is _FIRING and now - clear_since < rule.keep_firing_for
    if unlisted >= MISSING_UNTIL_GONE and not keeps_firing:
        return None
    return replace(known, unlisted=unlisted, clear_since=clear_since, value=None)


def _without_future(before: AlertState, now: datetime) -> AlertState:
    """The state with every instant that lies ahead of now set to now; none is later than the last
    evaluation. Such an instant was stored while the clock was wrong, and would delay everything
    that is computed from it.
    """
    subjects = {name: _clamped(s, now) for name, s in before.subjects.items()}
    calls = _clamped(before.calls, now)
    return replace(_clamped(before, now), subjects=subjects, calls=calls)


_Record = TypeVar("_Record", SubjectState, AlertState, IncidentCalls)


def _clamped(record: _Record, now: datetime) -> _Record:
    ahead = {
        name: now
        for name in record.__struct_fields__
        if isinstance(at := getattr(record, name), datetime) and at > now
    }
    return replace(record, **ahead) if ahead else record


def _downtime(rule: Rule, before: AlertState, now: datetime) -> timedelta:
    """How long no evaluation ran, if more than one was skipped."""
    if before.evaluated_at is None:
        return _NONE
    # One skipped evaluation is a slow provider. Prometheus restores `for` in the same way after an
    # outage (rules/alerting.go).
    late = now - before.evaluated_at - rule.every
    return late if late > rule.every else _NONE


def _without_downtime(known: SubjectState, downtime: timedelta) -> SubjectState:
    """The same subject with its times moved on by the downtime."""
    breach = known.breach_since
    clear = known.clear_since
    return replace(
        known,
        breach_since=breach and breach + downtime,
        clear_since=clear and clear + downtime,
    )


def _with_value(
    rule: Rule, known: SubjectState, value: float, now: datetime, baseline: Baseline | None
) -> SubjectState:
    firing = known.state is _FIRING
    if baseline is None and rule.usual:
        return _without_baseline(known, value, now)
    if rule.is_breach(value, firing=firing, baseline=baseline):
        # `for` counts from the first evaluation in breach, and starts again after one that is not.
        since = known.breach_since or now
        peak = value if rule.is_worse(value, known.peak, baseline) else known.peak
        state = _FIRING if firing or now - since >= rule.for_ else State.PENDING
        since_state = _since(known, state, now)
        return SubjectState(state, since_state, since, None, value, peak, 0, baseline)
    if firing:
        # As keep_firing_for of Prometheus: from the first clear evaluation, and anew after a
        # breach.
        clear_since = known.clear_since or now
        if now - clear_since < rule.keep_firing_for:
            return replace(
                known, clear_since=clear_since, value=value, unlisted=0, baseline=baseline
            )
    since_state = _since(known, _INACTIVE, now)
    return SubjectState(_INACTIVE, since_state, None, None, value, None, 0, baseline)


def _without_baseline(known: SubjectState, value: float, now: datetime) -> SubjectState:
    """A firing subject keeps firing, with its last baseline."""
    if known.state is _FIRING:
        return replace(known, value=value, unlisted=0)
    since = _since(known, State.NO_BASELINE, now)
    return SubjectState(State.NO_BASELINE, since, None, None, value)


def _without_data(rule: Rule, known: SubjectState, now: datetime) -> SubjectState:
    """By the rule's policy: unchanged, OK, or a state of its own. A firing subject keeps firing
    unless the policy is `ok`.
    """
    if rule.no_data == "ok":
        clear_since = known.clear_since or now
        if known.state is _FIRING and now - clear_since < rule.keep_firing_for:
            return replace(known, clear_since=clear_since, value=None, unlisted=0)
        return SubjectState(_INACTIVE, _since(known, _INACTIVE, now))
    # A firing alert tells more than that its data is missing.
    if rule.no_data == "alert" and known.state is not _FIRING:
        return SubjectState(State.NO_DATA, _since(known, State.NO_DATA, now))
    return replace(known, value=None, unlisted=0)


def _since(known: SubjectState, state: State, now: datetime) -> datetime | None:
    return known.since if state is known.state else now


def _outcome(subjects: Mapping[str, SubjectState], readings: Readings) -> str:
    """The sign of this evaluation in the history."""
    if _all_unknown(readings):
        return NOTHING_FOUND
    for subject in subjects.values():
        if subject.state is _FIRING:
            return FIRED
    return OK


def _all_unknown(readings: Readings) -> bool:
    """Whether there are readings, and none has a value."""
    for reading in readings.values():
        if reading is not None:
            return False
    return bool(readings)


def _is_flapping(history: str, *, was_flapping: bool) -> bool:
    """Flapping is a label and holds nothing back. A short history is never flapping."""
    # Sensu, too, calls nothing flapping with fewer results.
    if len(history) < HISTORY_LENGTH or FIRED not in history:
        return False
    changes = history.count(OK + FIRED) + history.count(FIRED + OK)
    return changes / (HISTORY_LENGTH - 1) >= (FLAPPING_UNTIL if was_flapping else FLAPPING_FROM)


def _apply_notification(
    rule: Rule, before: AlertState, after: AlertState, now: datetime
) -> tuple[AlertState, Reason | None]:
    """The state after the notification, if there is a reason for one."""
    current = {}
    for name, subject in after.subjects.items():
        if subject.state in _NOTIFIABLE:
            current[name] = subject.state
    if not current:
        return _resolved(after) if before.notified else (after, None)
    # The end is still notified above, so that nobody works on what is over.
    if after.silenced:
        return after, None
    reason = notification_reason(rule, before, current, after.notified_at, now)
    if reason is None:
        return after, None
    subjects = (s for s in after.subjects.values() if s.state in _NOTIFIABLE)
    # The incident began with its first subject, not with this notification.
    starts = [s.started_at for s in subjects if s.started_at]
    began_at = after.began_at or min(starts, default=now)
    changed = replace(
        after,
        notified=current,
        notified_at=now,
        began_at=began_at,
        calls=after.calls if after.calls.opened_at else IncidentCalls(opened_at=now),
    )
    return changed, reason


def _resolved(after: AlertState) -> tuple[AlertState, Reason]:
    closed = replace(
        after,
        notified={},
        notified_at=None,
        incident="",
        began_at=None,
        acknowledged_by="",
        calls=NO_CALLS,
        evidence=NO_EVIDENCE,
    )
    return closed, Reason.RESOLVED


def notification_reason(
    rule: Rule,
    before: AlertState,
    current: Mapping[str, State],
    notified_at: datetime | None,
    now: datetime,
) -> Reason | None:
    """Why people should be notified of the `current` subjects now, or None."""
    known = before.notified
    if current != known:
        fires = _FIRING in current.values()
        if not known or (fires and _FIRING not in known.values()):
            return Reason.FIRED if fires else Reason.NO_DATA
        return Reason.CHANGED
    # Whoever silenced it learns that it still fires.
    if before.silenced:
        return Reason.SILENCE_ENDED
    if before.acknowledged_by or not rule.repeat or not notified_at:
        return None
    return Reason.REPEATED if now - notified_at >= rule.repeat else None
