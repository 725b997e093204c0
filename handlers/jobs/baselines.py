"""Baselines of alerts whose threshold follows what is usual: read from the store when they are
needed, and filled with the vendor's history at first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from bot.alerts.backtest import EvaluationPoint
from bot.alerts.baseline import (
    DAYS,
    SAMPLE_EVERY,
    DayValue,
    Samples,
    baseline_at,
    needed_spans,
    usual_values,
    whole_days_span,
)
from bot.alerts.rule import Rule
from bot.alerts.state import NO_BASELINES, WHOLE, Baselines, Readings
from bot.store import BaselineSamples, BaselineStore, TimedValue
from handlers.error_messages import error_message

log = logging.getLogger("opswatch")
# The vendor's history is asked for again so long after it could not be fetched.
TRY_AGAIN_AFTER = timedelta(hours=1)
# Whoever makes an alert waits no longer for its history.
FILL_WITHIN_S = 20.0
History = Callable[[Rule, int], Awaitable[Sequence[EvaluationPoint]]]
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(slots=True)
class _Hour:
    """The samples of one rule that count for baselines within one hour."""

    start: datetime
    samples: dict[str, Samples] = field(default_factory=dict)


@dataclass(slots=True)
class BaselineReader:
    """Baselines by rule and subject. `history` fetches values of the past for so many days."""

    store: BaselineStore
    history: History
    zone: tzinfo
    clock: Callable[[], datetime]
    _hours: dict[tuple[str, str], _Hour] = field(default_factory=dict)
    _filled: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _filling: dict[tuple[str, str], asyncio.Task[None]] = field(default_factory=dict)

    async def at(self, rule: Rule, subjects: Iterable[str], now: datetime) -> Baselines:
        """The baseline of each subject at an instant; None where there is too little history."""
        if not rule.usual:
            return NO_BASELINES
        await self.fill(rule)
        hour = self._hour(rule, now)
        names = list(subjects)
        await self._read(rule, hour, [name for name in names if name not in hour.samples], now)
        whole_days = rule.usual.side == "above"
        return {
            name: baseline_at(hour.samples[name], now, self.zone, whole_days=whole_days)
            for name in names
        }

    def usual_values(self, rule: Rule, baselines: Baselines, now: datetime) -> list[DayValue]:
        """The values that the baseline of a whole answer is made of, as they were read just now."""
        baseline = baselines.get(WHOLE)
        samples = self._hour(rule, now).samples.get(WHOLE)
        if baseline is None or samples is None:
            return []
        return usual_values(samples, now, self.zone, baseline.season)

    async def fill(self, rule: Rule) -> None:
        """Adds the vendor's history to a baseline that has none of an earlier day, once. What goes
        on for too long goes on by itself.
        """
        key = _key(rule)
        if self.clock() < self._filled.get(key, _LONG_AGO):
            return
        if key not in self._filling:
            task = self._filling[key] = asyncio.create_task(self._fill(rule))
            task.add_done_callback(lambda _: self._filling.pop(key, None))
        await asyncio.wait([self._filling[key]], timeout=FILL_WITHIN_S)

    def _hour(self, rule: Rule, now: datetime) -> _Hour:
        start = _floor(now, _HOUR)
        hour = self._hours.get(_key(rule))
        if hour is None or hour.start != start:
            hour = self._hours[_key(rule)] = _Hour(start)
        return hour

    async def _read(self, rule: Rule, hour: _Hour, subjects: Sequence[str], now: datetime) -> None:
        """Reads what today adds nothing to, so once an hour is enough."""
        assert rule.usual
        if not subjects:
            return
        name, definition = _key(rule)
        spans = needed_spans(now, self.zone)
        if rule.usual.side == "above":
            last = whole_days_span(now, self.zone)
            spans = [last, *(span for span in spans if span.end <= last.start)]
        found = await self.store.samples(name, definition, subjects, spans)
        hour.samples |= {subject: Samples(values) for subject, values in found.items()}

    async def _fill(self, rule: Rule) -> None:
        name, definition = _key(rule)
        now = self.clock()
        self._filled[name, definition] = now + TRY_AGAIN_AFTER
        try:
            since = (now - 2 * DAYS * _DAY, now - _DAY)
            if not any((await self.store.samples(name, definition, [WHOLE], [since])).values()):
                points = await self.history(rule, DAYS)
                await self.store.add(name, definition, _values(points, now))
                self._hours.pop((name, definition), None)
        except Exception as error:
            kind = error_message(error).kind
            log.warning("The history of alert %s could not be fetched: %s", rule.name, kind)
            return
        self._filled[name, definition] = _NEVER_AGAIN


_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_NEVER_AGAIN = datetime.max.replace(tzinfo=UTC)


def baseline_samples(rule: Rule, readings: Readings, at: datetime) -> BaselineSamples:
    """The readings of an evaluation as samples for the baselines of later days."""
    known = {name: value for name, value in readings.items() if value is not None}
    return BaselineSamples(rule.name, rule.baseline_definition, _floor(at), known)


def _key(rule: Rule) -> tuple[str, str]:
    return rule.name, rule.baseline_definition


def _floor(at: datetime, step: timedelta = SAMPLE_EVERY) -> datetime:
    return at - (at - _LONG_AGO) % step


def _values(points: Sequence[EvaluationPoint], now: datetime) -> dict[str, list[TimedValue]]:
    """The readings of the past as samples by subject."""
    found: dict[str, list[TimedValue]] = {}
    for point in points:
        for name, value in point.readings.items():
            if value is not None:
                found.setdefault(name, []).extend((at, value) for at in _times(point) if at < now)
    return found


def _times(point: EvaluationPoint) -> list[datetime]:
    """When the value of a point of the past was so: at the end of a day in which it grew, and else
    in every hour of its step.
    """
    if point.step <= _HOUR:
        return [_floor(point.at)]
    if point.alone:
        return [_floor(point.end - timedelta(seconds=1))]
    return [point.at + n * _HOUR for n in range(point.step // _HOUR)]
