"""What becomes of a rule at one evaluation: how it stands then, and the reason to tell of it, if
there is one.

States as Prometheus has them, with no data beside them. An error of a provider is never a recovery,
and time in which nobody looked is not time in breach. Whether to tell is decided over all subjects
of a rule, in the order of Alertmanager's deduplication: somebody new, nobody left, somebody fewer,
long enough ago.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec.structs import replace

from bot.alerts.rule import Rule
from bot.alerts.state import (
    _NEW,
    WHOLE,
    AlertState,
    EvaluationError,
    Readings,
    Reason,
    State,
    SubjectState,
)

ERRORS_TOLD = 3
# A subject that an answer lists no more is gone after so many looks, as in Grafana ("stale alert
# instances").
LOOKS_UNTIL_GONE = 2
# "Flapping" as Nagios has it: of the last twenty-one looks, from which share of changes on, and
# until which.
LOOKS_KEPT, FLAPPING_FROM, FLAPPING_UNTIL = 21, 0.5, 0.25


_TO_TELL = frozenset({State.FIRING, State.NO_DATA})
_MATTERING = _TO_TELL | {State.PENDING}


def evaluate(
    rule: Rule,
    before: AlertState,
    readings: Readings | EvaluationError,
    *,
    now: datetime,
    quiet: bool = False,
    partial: bool = False,
) -> tuple[AlertState, Reason | None]:
    """How it stands after this evaluation, and the reason to tell, or None. While it is `quiet`
    (muted, silenced) nothing new is told; what people know of may still resolve, and what still
    fires afterwards is told at once.

    A subject whose reading is None has no data, and one that was there before and is not among the
    readings is not listed any more. Of an answer that is `partial` neither says anything, whatever
    the rule's policy: what is not there may only not have come.
    """
    before = _without_future(before, now)
    if isinstance(readings, EvaluationError):
        errors = before.errors + 1
        after = replace(before, errors=errors, looks=(before.looks + "?")[-LOOKS_KEPT:])
        return after, Reason.CANNOT_TELL if errors == ERRORS_TOLD else None
    away = _time_away(rule, before, now)
    subjects = _subjects(rule, before, readings, away, now, partial)
    looks = (before.looks + _look(subjects, readings))[-LOOKS_KEPT:]
    after = replace(
        before,
        subjects=subjects,
        evaluated_at=now,
        errors=0,
        quiet=quiet,
        looks=looks,
        flapping=_flaps(looks, before.flapping),
    )
    told, reason = _told(rule, before, after, now)
    if reason is None and before.errors >= ERRORS_TOLD:
        return told, Reason.TELLS_AGAIN
    return told, reason


def _subjects(
    rule: Rule,
    before: AlertState,
    readings: Readings,
    away: timedelta,
    now: datetime,
    partial: bool,
) -> dict[str, SubjectState]:
    """Every subject that is read now, and every one that was read before, matters still, and is not
    gone yet.
    """
    found = {}
    for name, reading in readings.items():
        known = _shifted(before.subjects.get(name, _NEW), away)
        if reading is not None:
            found[name] = _with_value(rule, known, reading, now)
        else:
            found[name] = replace(known, value=None) if partial else _without_data(rule, known, now)
    if readings.keys() == before.subjects.keys():
        return found
    for name, known in before.subjects.items():
        if name not in readings and known.state in _MATTERING and not (rule.each and name == WHOLE):
            standing = _shifted(known, away)
            after = replace(standing, value=None) if partial else _unlisted(rule, standing, now)
            if after is not None:
                found[name] = after
    return found


def _unlisted(rule: Rule, known: SubjectState, now: datetime) -> SubjectState | None:
    """A subject that was not listed; None once it is gone. It is calm from the first look on that
    misses it, and stays for as long as the rule keeps firing.
    """
    looks, clear = known.unlisted + 1, known.clear_since or now
    if looks >= LOOKS_UNTIL_GONE and (known.state is not State.FIRING or now - clear >= rule.keep):
        return None
    return replace(known, unlisted=looks, clear_since=clear, value=None)


def _without_future(before: AlertState, now: datetime) -> AlertState:
    """No instant of the past lies ahead of now. One that does was kept while the clock was wrong,
    and would hold back everything that is reckoned from it.
    """
    # None is later than the last evaluation.
    if before.evaluated_at is None or before.evaluated_at <= now:
        return before
    subjects = {name: _clamped(s, now) for name, s in before.subjects.items()}
    return replace(_clamped(before, now), subjects=subjects)


_Record = TypeVar("_Record", SubjectState, AlertState)


def _clamped(record: _Record, now: datetime) -> _Record:
    ahead = {
        name: now
        for name in record.__struct_fields__
        if isinstance(at := getattr(record, name), datetime) and at > now
    }
    return replace(record, **ahead) if ahead else record


def _time_away(rule: Rule, before: AlertState, now: datetime) -> timedelta:
    """How long nobody looked, where that is more than one evaluation left out."""
    if before.evaluated_at is None:
        return _NONE
    away = (now - before.evaluated_at) - rule.every
    return away if away > rule.every else _NONE


_NONE = timedelta(0)


def _shifted(known: SubjectState, away: timedelta) -> SubjectState:
    """The same, without the time in which nobody looked."""
    if not away:
        return known
    breach, clear = known.breach_since, known.clear_since
    return replace(known, breach_since=breach and breach + away, clear_since=clear and clear + away)


def _with_value(rule: Rule, known: SubjectState, value: float, now: datetime) -> SubjectState:
    firing = known.state is State.FIRING
    if rule.is_breach(value, firing=firing):
        since = known.breach_since or now
        peak = value if rule.is_worse(value, known.peak) else known.peak
        state = State.FIRING if firing or now - since >= rule.hold else State.PENDING
        return SubjectState(state, _since(known, state, now), since, None, value, peak)
    if firing:
        clear = known.clear_since or now
        if now - clear < rule.keep:
            return replace(known, clear_since=clear, value=value, unlisted=0)
    return SubjectState(State.INACTIVE, _since(known, State.INACTIVE, now), None, None, value, None)


def _without_data(rule: Rule, known: SubjectState, now: datetime) -> SubjectState:
    """By the rule's policy: as it was, as if all were well, or a state of its own. What fires goes
    on firing but for `ok`.
    """
    if rule.no_data == "ok":
        clear = known.clear_since or now
        if known.state is State.FIRING and now - clear < rule.keep:
            return replace(known, clear_since=clear, value=None, unlisted=0)
        return SubjectState(State.INACTIVE, _since(known, State.INACTIVE, now))
    if rule.no_data == "alert" and known.state is not State.FIRING:
        return SubjectState(State.NO_DATA, _since(known, State.NO_DATA, now))
    return replace(known, value=None, unlisted=0)


def _since(known: SubjectState, state: State, now: datetime) -> datetime | None:
    return known.since if state is known.state else now


def _look(subjects: Mapping[str, SubjectState], readings: Readings) -> str:
    if readings and not any(reading is not None for reading in readings.values()):
        return "?"
    for standing in subjects.values():
        if standing.state is State.FIRING:
            return "1"
    return "0"


def _flaps(looks: str, did: bool) -> bool:
    """Flapping is a label, nothing more. With fewer looks than are kept nothing can be said."""
    changes = looks.count("01") + looks.count("10")
    return len(looks) == LOOKS_KEPT and changes / (LOOKS_KEPT - 1) >= (
        FLAPPING_UNTIL if did else FLAPPING_FROM
    )


def _told(
    rule: Rule, before: AlertState, after: AlertState, now: datetime
) -> tuple[AlertState, Reason | None]:
    current = {name: s.state for name, s in after.subjects.items() if s.state in _TO_TELL}
    if not current:
        if not before.told:
            return after, None
        return replace(
            after, told={}, told_at=None, incident="", began_at=None, acknowledged_by=""
        ), Reason.RESOLVED
    if after.quiet:
        return after, None
    reason = notification_reason(rule, before, current, after.told_at, now)
    if reason is None:
        return after, None
    starts = [s.started_at for s in after.subjects.values() if s.state in _TO_TELL and s.started_at]
    began = after.began_at or min(starts, default=now)
    return replace(after, told=current, told_at=now, began_at=began), reason


def notification_reason(
    rule: Rule,
    before: AlertState,
    current: Mapping[str, State],
    told_at: datetime | None,
    now: datetime,
) -> Reason | None:
    told = before.told
    if current != told:
        fires = State.FIRING in current.values()
        if not told or (fires and State.FIRING not in told.values()):
            return Reason.FIRED if fires else Reason.NO_DATA
        return Reason.CHANGED
    if before.quiet:
        return Reason.QUIET_OVER
    if rule.repeat and not before.acknowledged_by and told_at and now - told_at >= rule.repeat:
        return Reason.REPEATED
    return None
