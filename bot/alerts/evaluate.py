"""What becomes of a rule at one evaluation: the next standing, and the reason to tell of it, if there is one.

States as Prometheus has them, with no data beside them. An error of a provider is never a recovery, and time in which nobody looked is not
time in breach.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from datetime import datetime

from bot.alerts.rule import Rule

ERRORS_TOLD = 3


class State(enum.StrEnum):
    UNKNOWN = "unknown"
    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    NO_DATA = "no_data"


class Reason(enum.StrEnum):
    """Why something is told now."""

    FIRED = "first"
    REPEATED = "repeat"
    RESOLVED = "resolved"
    NO_DATA = "no data"
    CANNOT_TELL = "error"


@dataclass(frozen=True, slots=True)
class Failed:
    """The question could not be answered."""

    why: str


Reading = float | Failed | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with a rule. `breach_since` shifts with time in which nobody looked; `told` is whether people know that it fires."""

    state: State = State.UNKNOWN
    since: datetime | None = None
    breach_since: datetime | None = None
    clear_since: datetime | None = None
    evaluated_at: datetime | None = None
    told: bool = False
    told_at: datetime | None = None
    value: float | None = None
    peak: float | None = None
    errors: int = 0


def evaluate(
    rule: Rule, before: Standing, reading: Reading, *, now: datetime, quiet: bool = False
) -> tuple[Standing, Reason | None]:
    """The standing after this evaluation, and the reason to tell, or None. While it is `quiet` (muted, silenced) nothing new is told;
    what people know of may still resolve."""
    if isinstance(reading, Failed):
        errors = before.errors + 1
        return replace(before, errors=errors), Reason.CANNOT_TELL if errors == ERRORS_TOLD else None
    known = replace(_without_the_time_away(rule, before, now), evaluated_at=now, errors=0)
    if reading is None:
        after = _without_data(rule, known, now)
    else:
        after = _with_value(rule, replace(known, value=reading), reading, now)
    return _told(rule, before, after, now=now, quiet=quiet)


def _without_the_time_away(rule: Rule, before: Standing, now: datetime) -> Standing:
    """Where more than one evaluation was left out, the breach and the calm count as if the time between had not been."""
    if before.evaluated_at is None:
        return before
    away = (now - before.evaluated_at) - rule.every
    if away <= rule.every:
        return before
    shifted = (moment + away if moment else None for moment in (before.breach_since, before.clear_since))
    breach, clear = shifted
    return replace(before, breach_since=breach, clear_since=clear)


def _with_value(rule: Rule, known: Standing, value: float, now: datetime) -> Standing:
    firing = known.state is State.FIRING
    if rule.is_breach(value, firing=firing):
        since = known.breach_since or now
        peak = value if rule.is_worse(value, known.peak) else known.peak
        state = State.FIRING if firing or now - since >= rule.hold else State.PENDING
        return _in(known, state, now, breach_since=since, clear_since=None, peak=peak)
    if firing:
        clear = known.clear_since or now
        if now - clear < rule.keep:
            return replace(known, clear_since=clear)
    return _in(known, State.INACTIVE, now, breach_since=None, clear_since=None)


def _without_data(rule: Rule, known: Standing, now: datetime) -> Standing:
    """By the rule's policy: as it was, as if all were well, or a state of its own. What fires goes on firing but for `ok`."""
    known = replace(known, value=None)
    if rule.no_data == "ok":
        return _in(known, State.INACTIVE, now, breach_since=None, clear_since=None)
    if rule.no_data == "alert" and known.state is not State.FIRING:
        return _in(known, State.NO_DATA, now, breach_since=None, clear_since=None)
    return known


def _in(known: Standing, state: State, now: datetime, **changes: object) -> Standing:
    since = known.since if state is known.state else now
    return replace(known, state=state, since=since, **changes)  # type: ignore[arg-type]


_TO_TELL = frozenset({State.FIRING, State.NO_DATA})


def _told(rule: Rule, before: Standing, after: Standing, *, now: datetime, quiet: bool) -> tuple[Standing, Reason | None]:
    if after.state in _TO_TELL:
        is_news = not before.told or after.state is not before.state
        if is_news and not quiet:
            reason = Reason.FIRED if after.state is State.FIRING else Reason.NO_DATA
            return replace(after, told=True, told_at=now), reason
        if not quiet and rule.repeat and after.told_at and now - after.told_at >= rule.repeat:
            return replace(after, told_at=now), Reason.REPEATED
        return after, None
    if before.told:
        # The peak stays for the message that it is over, and goes with the next breach.
        return replace(after, told=False, told_at=None), Reason.RESOLVED
    return (after if after.state is State.PENDING else replace(after, peak=None)), None
