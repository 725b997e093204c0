"""Baselines of alerts whose threshold follows what is usual: read from the store on demand, and
initially filled with the vendor's history.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from msgspec import Struct, field

from bot.alerts.backtest import EvaluationPoint
from bot.alerts.baseline import (
    DAYS,
    SAMPLE_EVERY,
    DayValue,
    Samples,
    Season,
    Span,
    baseline_at,
    baseline_of_days,
    needed_spans,
    usual_values,
    whole_days_span,
)
from bot.alerts.rule import Rule
from bot.alerts.state import NO_BASELINES, WHOLE, Baselines, Readings
from bot.store import BaselineSamples, BaselineStore, TimedValue
from handlers.error_messages import log_failure

log = logging.getLogger("opswatch")
# The vendor's history is asked for again so long after it could not be fetched.
TRY_AGAIN_AFTER = timedelta(hours=1)
# Whoever makes an alert waits no longer for its history.
FILL_WITHIN_S = 8.0
History = Callable[[Rule, int], Awaitable[Sequence[EvaluationPoint]]]
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class _Hour(Struct):
    """The samples of one rule's subjects that count for baselines within one hour: those of this
    hour of earlier days, and, of subjects with too few of these, those of whole days.
    """

    start: datetime
    of_hours: dict[str, Samples] = field(default_factory=dict)
    of_days: dict[str, Samples] = field(default_factory=dict)


class BaselineReader(Struct):
    """Baselines by rule and subject. `history` fetches values of the past for so many days."""

    store: BaselineStore
    history: History
    zone: tzinfo
    clock: Callable[[], datetime]
    _hours: dict[tuple[str, str], _Hour] = field(default_factory=dict)
    _fill_again_at: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _filling: dict[tuple[str, str], asyncio.Task[None]] = field(default_factory=dict)

    async def at(self, rule: Rule, subjects: Iterable[str], now: datetime) -> Baselines:
        """The baseline of each subject at an instant; None where there is too little history."""
        if not rule.usual:
            return NO_BASELINES
        await self.fill(rule)
        hour = self._hour(rule, now)
        zone = self.zone
        names = list(subjects)
        await self._read(rule, names, hour.of_hours, needed_spans(now, zone))
        found = {name: baseline_at(hour.of_hours[name], now, zone) for name in names}
        unknown = [name for name in names if found[name] is None]
        # Only upwards: where vendors list whole days, one that is under way is always less than
        # usual.
        if unknown and rule.usual.side == "above":
            await self._read(rule, unknown, hour.of_days, [whole_days_span(now, zone)])
            found |= {name: baseline_of_days(hour.of_days[name], now, zone) for name in unknown}
        return found

    def usual_values(self, rule: Rule, baselines: Baselines, now: datetime) -> list[DayValue]:
        """The values that make up the baseline of a whole answer, as they were last read."""
        baseline = baselines.get(WHOLE)
        hour = self._hour(rule, now)
        if baseline is None:
            return []
        is_of_days = baseline.season is Season.DAY
        samples = (hour.of_days if is_of_days else hour.of_hours).get(WHOLE, Samples())
        return usual_values(samples, now, self.zone, baseline.season)

    def is_filling(self, rule: Rule) -> bool:
        """Whether the vendor's history is being fetched."""
        return _key(rule) in self._filling

    async def fill(self, rule: Rule) -> None:
        """Adds the vendor's history to a baseline that has none of an earlier day, once. What takes
        too long continues in the background.
        """
        key = _key(rule)
        if key not in self._filling:
            if self.clock() < self._fill_again_at.get(key, _LONG_AGO):
                return
            task = self._filling[key] = asyncio.create_task(self._fill(rule))
            task.add_done_callback(lambda _: self._filling.pop(key, None))
        # `wait` does not cancel what takes longer.
        await asyncio.wait([self._filling[key]], timeout=FILL_WITHIN_S)

    def _hour(self, rule: Rule, now: datetime) -> _Hour:
        start = _floor(now, _HOUR)
        hour = self._hours.get(_key(rule))
        if hour is None or hour.start != start:
            hour = self._hours[_key(rule)] = _Hour(start)
        return hour

    async def _read(
        self, rule: Rule, subjects: Sequence[str], known: dict[str, Samples], spans: Sequence[Span]
    ) -> None:
        """Reads the samples that are not `known`. Today adds nothing to them, so once an hour is
        enough.
        """
        missing = [subject for subject in subjects if subject not in known]
        if missing:
            found = await self.store.samples(*_key(rule), missing, spans)
            known |= {subject: Samples(values) for subject, values in found.items()}

    async def _fill(self, rule: Rule) -> None:
        name, definition = _key(rule)
        now = self.clock()
        again_at = now + TRY_AGAIN_AFTER
        try:
            # Samples of today are those of the rule's own first checks, and no baseline yet.
            since = (now - 2 * DAYS * _DAY, now - _DAY)
            if not any((await self.store.samples(name, definition, [WHOLE], [since])).values()):
                points = await self.history(rule, DAYS)
                await self.store.add(name, definition, _values(points, now))
                # What was read before has none of the values that were just added.
                self._hours.pop((name, definition), None)
            again_at = _NEVER
        except Exception as error:
            # The alert works without it: its own checks are its history after a week.
            log_failure(error, f"The history of alert {rule.name} could not be fetched")
        finally:
            self._fill_again_at[name, definition] = again_at


_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


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
    """When a past point had its value: at the end of the day if the value grew during the day, else
    in every hour of its step.
    """
    if point.step <= _HOUR:
        return [_floor(point.at)]
    if point.alone:
        # The end of a window is not in it.
        return [_floor(point.end - timedelta(seconds=1))]
    return [point.at + n * _HOUR for n in range(point.step // _HOUR)]
