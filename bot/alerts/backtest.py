"""What a rule would have done in a past period, by evaluating it over past values (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal

from msgspec import Struct, structs
from msgspec.structs import replace

from bot import formatting
from bot.alerts.baseline import LEAST_DAYS, Baseline, Samples, baseline_at, baseline_of_days
from bot.alerts.evaluate import evaluate
from bot.alerts.rule import Rule
from bot.alerts.state import NO_BASELINES, WHOLE, AlertState, Readings, State

NOTHING_MATCHED = "Nothing in that period matches the question; check its filter."
Now = Literal["inactive", "pending", "firing", "no_data"]
_ZERO = timedelta(0)
_DAY = timedelta(days=1)


class EvaluationPoint(Struct, frozen=True):
    """One evaluation in the past: its readings, and how long until the next. The value of a point
    that is `alone` covers only its own step, such as the bytes of one day.
    """

    at: datetime
    readings: Readings
    step: timedelta
    alone: bool = False

    @property
    def end(self) -> datetime:
        return self.at + self.step


class FiringPeriod(Struct, frozen=True):
    """A period in which the rule fired. `end` is None while it still fires."""

    start: datetime
    end: datetime | None
    peak: float | None


class Backtest(Struct, frozen=True):
    """What the rule would have done. `samples` counts the points with a value and `missing` those
    without; `notes` say what is unknown of the past. If nothing in the period `matched` the
    question, no point counts as a sample.
    """

    rule: Rule
    start: datetime
    end: datetime
    points: Sequence[EvaluationPoint]
    samples: int
    missing: int
    firings: tuple[FiringPeriod, ...]
    now: Now
    notes: tuple[str, ...] = ()
    matched: bool = True
    # What was usual at each point, of a rule whose threshold follows it.
    baselines: Sequence[Baseline | None] = ()

    def longest(self) -> timedelta:
        """The length of the longest firing."""
        lengths = ((firing.end or self.end) - firing.start for firing in self.firings)
        return max(lengths, default=_ZERO)


def backtest(
    rule: Rule,
    points: Sequence[EvaluationPoint],
    *,
    start: datetime,
    end: datetime,
    zone: tzinfo = UTC,
    notes: Sequence[str] = (),
    matched: bool = True,
) -> Backtest:
    """The rule evaluated at each point, the oldest first. Where points are further apart than the
    rule's interval, a `for` shorter than that counts as fulfilled. Where the threshold follows what
    is usual, that is taken from the points before alone, by the hours of `zone`.
    """
    alert = AlertState()
    firings = list[FiringPeriod]()
    samples = 0
    usual = [*_baselines(rule, points, zone)] if rule.usual else []
    previous: EvaluationPoint | None = None
    for number, point in enumerate(points):
        # The value was reset, as the bytes of a day are at midnight, so nothing of it continues.
        if previous and previous.alone:
            _end_with(firings, previous, point)
            alert = AlertState()
        before = alert
        previous = point
        alert, _ = evaluate(
            # Values of whole days cannot show what a check every quarter of an hour would have
            # seen.
            _at_step(rule, point.step),
            before,
            point.readings,
            now=point.at,
            baselines=usual[number] if usual else NO_BASELINES,
        )
        samples += any(reading is not None for reading in point.readings.values())
        _follow(firings, rule, before, alert, point.at)
    # A filter that matches nothing gives zeros, which look like a quiet alert.
    if not matched:
        samples = 0
        notes = (*notes, NOTHING_MATCHED)
    return Backtest(
        rule,
        start,
        end,
        points,
        samples,
        len(points) - samples,
        tuple(firings),
        _now(alert),
        (*notes, *_without_baseline(usual)),
        matched,
        [baselines.get(WHOLE) for baselines in usual],
    )


def _baselines(
    rule: Rule, points: Sequence[EvaluationPoint], zone: tzinfo
) -> Iterator[dict[str, Baseline | None]]:
    """The baseline of each subject at each point."""
    samples: defaultdict[str, Samples] = defaultdict(Samples)
    for point in points:
        # Whole days are those of the vendor, which are in UTC.
        place = UTC if point.step >= _DAY else zone
        yield {name: _baseline(rule, samples[name], point.at, place) for name in point.readings}
        for name, reading in point.readings.items():
            if reading is not None:
                # Only after the baseline of this point was taken, which must not know its own
                # value.
                samples[name].add(point.at, reading)


def _baseline(rule: Rule, samples: Samples, at: datetime, zone: tzinfo) -> Baseline | None:
    found = baseline_at(samples, at, zone)
    if found is None and rule.side == "above":
        return baseline_of_days(samples, at, zone)
    return found


def _without_baseline(usual: Sequence[Mapping[str, Baseline | None]]) -> list[str]:
    """A note on the points at which nothing was usual yet."""
    unknown = sum(not any(baselines.values()) for baselines in usual)
    if not unknown:
        return []
    verb = "has" if unknown == 1 else "have"
    checks = formatting.pluralise(len(usual), "check")
    return [f"{unknown:,} of {checks} {verb} no baseline: it takes {LEAST_DAYS} days of history."]


def _end_with(
    firings: list[FiringPeriod], previous: EvaluationPoint, point: EvaluationPoint
) -> None:
    """Ends the firing of a point that is alone with the step of that point."""
    if firings and firings[-1].end is None:
        firings[-1] = replace(firings[-1], end=min(previous.end, point.at))


def _at_step(rule: Rule, step: timedelta) -> Rule:
    if step <= rule.every:
        return rule
    return structs.replace(
        rule,
        every=step,
        # It holds at every step or at none, since there is nothing between two steps.
        for_=rule.for_ if rule.for_ >= step else _ZERO,
        keep_firing_for=rule.keep_firing_for if rule.keep_firing_for >= step else _ZERO,
    )


def _follow(
    firings: list[FiringPeriod], rule: Rule, before: AlertState, after: AlertState, at: datetime
) -> None:
    """Records where a firing begins, gets worse and ends."""
    fired = before.state is State.FIRING
    fires = after.state is State.FIRING
    if fires:
        # The peak of the whole firing, also over subjects that are OK again.
        earlier = [firings[-1].peak] if fired else []
        peak = rule.worst([*earlier, *(subject.peak for subject in after.firing().values())])
        if fired:
            firings[-1] = replace(firings[-1], peak=peak)
        else:
            firings.append(FiringPeriod(at, None, peak))
    elif fired:
        firings[-1] = replace(firings[-1], end=at)


def _now(alert: AlertState) -> Now:
    if alert.state in (State.FIRING, State.PENDING, State.INACTIVE):
        return alert.state.value  # type: ignore[return-value]
    return "no_data"
