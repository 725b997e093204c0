"""What a rule would have done over history: the same evaluation, over samples of the
past (pure).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from bot.alerts.evaluate import evaluate
from bot.alerts.rule import Rule
from bot.alerts.state import AlertState, Readings, State

NOTHING_MATCHED = "Nothing in that time matches the question; check its filter."
Now = Literal["inactive", "pending", "firing", "no_data"]


@dataclass(frozen=True, slots=True)
class EvaluationPoint:
    """What a look at the rule found, or would have found, and how long until the next one. A look
    that is `alone` is judged for itself: its value began anew with it, and is gone with its step.
    """

    at: datetime
    readings: Readings
    step: timedelta
    alone: bool = False

    @property
    def end(self) -> datetime:
        return self.at + self.step


@dataclass(frozen=True, slots=True)
class FiringPeriod:
    """A time in which the rule fired. `end` is None where it still does."""

    start: datetime
    end: datetime | None
    peak: float | None


@dataclass(frozen=True, slots=True)
class Backtest:
    """What the rule would have done. `samples` are the looks that found something, `missing` those
    that did not; `notes` say what could not be known of the past. Where nothing in all of it
    `matched` the question, no look found anything, whatever it counted.
    """

    rule: Rule
    start: datetime
    end: datetime
    looks: Sequence[EvaluationPoint]
    samples: int
    missing: int
    firings: tuple[FiringPeriod, ...]
    now: Now
    notes: tuple[str, ...] = ()
    matched: bool = True

    def longest(self) -> timedelta:
        return max(
            ((firing.end or self.end) - firing.start for firing in self.firings),
            default=timedelta(0),
        )


def backtest(
    rule: Rule,
    looks: Sequence[EvaluationPoint],
    *,
    start: datetime,
    end: datetime,
    notes: Sequence[str] = (),
    matched: bool = True,
) -> Backtest:
    """The rule evaluated at each look, the oldest first. Where looks are further apart than the
    rule's own, what it wants to last for less than that is taken to have lasted.
    """
    watch, firings, samples = AlertState(), list[FiringPeriod](), 0
    earlier: EvaluationPoint | None = None
    for look in looks:
        if earlier and earlier.alone:
            _end_with(firings, earlier, look)
            watch = AlertState()
        before, earlier = watch, look
        watch, _ = evaluate(_at_step(rule, look.step), before, look.readings, now=look.at)
        samples += any(reading is not None for reading in look.readings.values())
        _follow(firings, rule, before, watch, look.at)
    if not matched:
        samples, notes = 0, (*notes, NOTHING_MATCHED)
    missing = len(looks) - samples
    return Backtest(
        rule,
        start,
        end,
        looks,
        samples,
        missing,
        tuple(firings),
        _now(watch),
        tuple(notes),
        matched,
    )


def _end_with(firings: list[FiringPeriod], earlier: EvaluationPoint, look: EvaluationPoint) -> None:
    """What fired at a look that is judged for itself ends with its step."""
    if firings and firings[-1].end is None:
        firings[-1] = replace(firings[-1], end=min(earlier.end, look.at))


def _at_step(rule: Rule, step: timedelta) -> Rule:
    if step <= rule.every:
        return rule
    zero = timedelta(0)
    return replace(
        rule,
        every=step,
        hold=rule.hold if rule.hold >= step else zero,
        keep=rule.keep if rule.keep >= step else zero,
    )


def _follow(
    firings: list[FiringPeriod], rule: Rule, before: AlertState, after: AlertState, at: datetime
) -> None:
    """Notes where a firing begins, gets worse and ends."""
    fired, fires = before.state is State.FIRING, after.state is State.FIRING
    if fires:
        earlier = [firings[-1].peak] if fired else []
        peak = rule.worst([*earlier, *(standing.peak for standing in after.firing().values())])
        if fired:
            firings[-1] = replace(firings[-1], peak=peak)
        else:
            firings.append(FiringPeriod(at, None, peak))
    elif fired:
        firings[-1] = replace(firings[-1], end=at)


def _now(watch: AlertState) -> Now:
    if watch.state in (State.FIRING, State.PENDING, State.INACTIVE):
        return watch.state.value  # type: ignore[return-value]
    return "no_data"
