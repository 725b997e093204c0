"""What an alert would have done: from the samples that were kept, and from facts of the past
fetched where none were.
"""

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
    """Tries rules on the past. What was sampled stands; what is missing before it is fetched, where
    it can be.
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
        kept = (
            await self.alerts.samples(rule.name, rule.definition, since=start, until=end)
            if rule.name and not rule.each
            else []
        )
        span = ReplayRequest(
            rule,
            start,
            end,
            lambda at: read_question_line(rule.line, self.directory, now=at, zone=self.zone),
        )
        past = await self.commands[rule.command].replay(span)
        looks = await asyncio.to_thread(_joined, rule, kept, past.looks)
        matched = _matched(rule, past, looks)
        return await asyncio.to_thread(
            backtest, rule, looks, start=start, end=end, notes=past.notes, matched=matched
        )


def _matched(rule: Rule, past: Replay, looks: Sequence[EvaluationPoint]) -> bool:
    """Whether anything in that time matched the question. The lines of a log are known by what was
    counted of them alone.
    """
    counted = [
        reading for look in looks for reading in look.readings.values() if reading is not None
    ]
    if rule.value in COMMANDS[rule.command].values.counts:
        return not counted or any(counted)
    return past.matched or any(counted)


def _joined(
    rule: Rule, kept: Sequence[Sample], computed: Sequence[EvaluationPoint]
) -> list[EvaluationPoint]:
    """What was sampled, and between the samples what was computed. A look that found an error says
    nothing.
    """
    sampled = [
        EvaluationPoint(sample.at, {WHOLE: sample.value}, rule.every)
        for sample in kept
        if sample.state != "error"
    ]
    times = [look.at for look in sampled]

    def is_new(look: EvaluationPoint) -> bool:
        """Whether no sample lies in the time for which the look stands."""
        return bisect_left(times, look.at) == bisect_left(times, look.at + look.step)

    return sorted(
        [*sampled, *(look for look in computed if is_new(look))], key=lambda look: look.at
    )
