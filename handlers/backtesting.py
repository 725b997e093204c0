"""Backtests of an alert: from stored samples, and from data fetched for the time without samples."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from msgspec import Struct

from bot.alerts.backtest import Backtest, EvaluationPoint, backtest
from bot.alerts.replay import Replay, ReplayRequest
from bot.alerts.rule import Rule, is_same_value
from bot.alerts.state import WHOLE
from bot.commands.answering import CommandHandler
from bot.questions.question import AccountDirectory, CommandName
from bot.questions.reading import read_question_line
from bot.questions.registry import COMMANDS
from bot.store import AlertStore, Sample
from providers.errors import ProviderError

# Calls are stored for 92 days by one vendor; usage by another has no such limit.
DAYS = 90
# Samples are kept as long by default.
MOST_DAYS = 400


class Backtesting(Struct, frozen=True):
    """Runs backtests. Stored samples come first; the time without samples is fetched if the
    provider can do that.
    """

    commands: Mapping[CommandName, CommandHandler[Any]]
    directory: AccountDirectory
    alerts: AlertStore
    zone: tzinfo
    clock: Callable[[], datetime]

    async def run(self, rule: Rule, *, days: int = DAYS) -> Backtest:
        """Raises ProviderError where the past cannot be fetched."""
        end = self.clock()
        start = end - timedelta(days=days)
        samples = await self._stored_samples(rule, start, end)
        replay = await self._replay(rule, start, end)
        # A check a minute makes 130,000 points in ninety days, which would hold up the event loop.
        points = await asyncio.to_thread(_merged, rule, samples, replay.points)
        matched = _matched(rule, replay, points)
        return await asyncio.to_thread(
            backtest,
            rule,
            points,
            start=start,
            end=end,
            zone=self.zone,
            notes=replay.notes,
            matched=matched,
        )

    async def history(self, rule: Rule, days: int) -> Sequence[EvaluationPoint]:
        """The rule's values of so many days: those of its evaluations, and those that the provider
        can tell. Raises ProviderError where there are none of both.
        """
        end = self.clock()
        start = end - timedelta(days=days)
        stored = _sampled(rule, await self._stored_samples(rule, start, end))
        try:
            return [*stored, *(await self._replay(rule, start, end)).points]
        except ProviderError:
            if not stored:
                raise
            return stored

    async def _stored_samples(self, rule: Rule, start: datetime, end: datetime) -> list[Sample]:
        """What evaluations of the same question and value have found, whatever their threshold."""
        # A rule that is only tried has no name and no samples; of a rule with subjects, the samples
        # are stored by subject.
        if not rule.name or rule.each:
            return []
        found: dict[datetime, Sample] = {}
        # A rule with another threshold has another definition, and the same values.
        definitions = [
            definition
            for definition in await self.alerts.definitions(rule.name)
            if is_same_value(rule, definition)
        ]
        # That of a long question is stored cut, so that it is not recognised.
        if rule.definition not in definitions:
            definitions.append(rule.definition)
        for definition in definitions:
            samples = await self.alerts.samples(rule.name, definition, since=start, until=end)
            found |= {sample.at: sample for sample in samples}
        return [found[at] for at in sorted(found)]

    async def _replay(self, rule: Rule, start: datetime, end: datetime) -> Replay:
        request = ReplayRequest(
            rule,
            start,
            end,
            lambda at: read_question_line(rule.query, self.directory, now=at, zone=self.zone),
        )
        return await self.commands[rule.command].replay(request)


def _matched(rule: Rule, replay: Replay, points: Sequence[EvaluationPoint]) -> bool:
    """Whether anything in the period matched the question. The lines of a log are known only from
    their counts.
    """
    values = [
        reading for point in points for reading in point.readings.values() if reading is not None
    ]
    if rule.value in COMMANDS[rule.command].values.counts:
        return not values or any(values)
    return replay.matched or any(values)


def _merged(
    rule: Rule, samples: Sequence[Sample], computed: Sequence[EvaluationPoint]
) -> list[EvaluationPoint]:
    """The stored samples, and the computed points between them."""
    sampled = _sampled(rule, samples)
    times = [point.at for point in sampled]

    def is_new(point: EvaluationPoint) -> bool:
        """Whether no sample lies in the step of the point."""
        # Both ends of the step fall between the same two samples.
        return bisect_left(times, point.at) == bisect_left(times, point.at + point.step)

    new = [point for point in computed if is_new(point)]
    return sorted([*sampled, *new], key=lambda point: point.at)


def _sampled(rule: Rule, samples: Sequence[Sample]) -> list[EvaluationPoint]:
    """Stored samples as points. A failed evaluation is no sample."""
    return [
        EvaluationPoint(sample.at, {WHOLE: sample.value}, rule.every)
        for sample in samples
        if sample.state != "error"
    ]
