"""What a command needs to compute its values of the past, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from bot.alerts.backtest import EvaluationPoint
from bot.alerts.rule import Rule, extract_readings
from bot.questions.question import Question

Q = TypeVar("Q", bound=Question)


@dataclass(frozen=True, slots=True)
class Replay:
    """What could be known of the past: looks, the oldest first, what could not be known, in words,
    and whether anything in it matched.
    """

    looks: Sequence[EvaluationPoint]
    notes: tuple[str, ...] = ()
    matched: bool = True


@dataclass(frozen=True, slots=True)
class ReplayRequest(Generic[Q]):
    """Which past is asked for: a rule, the time, and how its question was to be read at any moment
    of it.
    """

    rule: Rule
    start: datetime
    end: datetime
    read_at: Callable[[datetime], Q]


def days_apart(span: ReplayRequest[Any]) -> list[datetime]:
    """The beginnings of the UTC days in the span."""
    first = span.start.replace(hour=0, minute=0, second=0, microsecond=0)
    return [first + timedelta(days=n) for n in range((span.end - first).days + 1)]


def steps_apart(span: ReplayRequest[Any]) -> list[datetime]:
    """The instants of the span at which the rule is evaluated."""
    every = span.rule.every
    first = span.end - (span.end - span.start) // every * every
    return [first + n * every for n in range((span.end - first) // every + 1)]


def look_of(
    span: ReplayRequest[Any],
    at: datetime,
    values: Mapping[str, object],
    step: timedelta,
    *,
    alone: bool = False,
) -> EvaluationPoint:
    return EvaluationPoint(at, extract_readings(span.rule, values, {}), step, alone)
