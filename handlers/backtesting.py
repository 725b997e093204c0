"""Backtests of an alert: from stored samples, and from data fetched for the time without samples."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from bot.alerts.backtest import Backtest, EvaluationPoint, backtest
from bot.alerts.replay import Replay, ReplayRequest
from bot.alerts.rule import Rule
from bot.alerts.state import WHOLE
from bot.commands.answering import CommandHandler
from bot.questions.question import AccountDirectory, CommandName
from bot.questions.reading import read_question_line
from bot.questions.registry import COMMANDS
from bot.store import AlertStore, Sample

DAYS = 90
MOST_DAYS = 400


@dataclass(frozen=True, slots=True)
class Backtesting:
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
        samples = (
            await self.alerts.samples(rule.name, rule.definition, since=start, until=end)
            if rule.name and not rule.each
            else []
        )
        replay = await self._replay(rule, start, end)
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
        """The rule's values of so many days, as far as the provider can tell them. Raises
        ProviderError.
        """
        end = self.clock()
        return (await self._replay(rule, end - timedelta(days=days), end)).points

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
    """The stored samples, and the computed points between them. A failed evaluation is no sample."""
    sampled = [
        EvaluationPoint(sample.at, {WHOLE: sample.value}, rule.every)
        for sample in samples
        if sample.state != "error"
    ]
    times = [point.at for point in sampled]

    def is_new(point: EvaluationPoint) -> bool:
        """Whether no sample lies in the step of the point."""
        return bisect_left(times, point.at) == bisect_left(times, point.at + point.step)

    new = [point for point in computed if is_new(point)]
    return sorted([*sampled, *new], key=lambda point: point.at)
