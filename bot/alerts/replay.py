"""Past values: what a command is asked for, what it returns, and the instants in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from msgspec import Struct

from bot.alerts.backtest import EvaluationPoint
from bot.alerts.rule import Rule, extract_readings
from bot.questions.question import Question

Q = TypeVar("Q", bound=Question)


class Replay(Struct, frozen=True):
    """Past values as points, oldest first, notes on what is unknown, and whether anything matched
    the question.
    """

    points: Sequence[EvaluationPoint]
    notes: tuple[str, ...] = ()
    matched: bool = True


class ReplayRequest(Struct, Generic[Q], frozen=True):
    """The period to replay for a rule. `read_at` reads its question as of any moment."""

    rule: Rule
    start: datetime
    end: datetime
    read_at: Callable[[datetime], Q]


def days_apart(request: ReplayRequest[Any]) -> list[datetime]:
    """The start of every UTC day in the period."""
    first = request.start.replace(hour=0, minute=0, second=0, microsecond=0)
    return [first + timedelta(days=n) for n in range((request.end - first).days + 1)]


def steps_apart(request: ReplayRequest[Any]) -> list[datetime]:
    """The instants of the period at which the rule is evaluated."""
    every = request.rule.every
    # Backwards from the end, so that the last instant is now.
    first = request.end - (request.end - request.start) // every * every
    return [first + n * every for n in range((request.end - first) // every + 1)]


def point_at(
    request: ReplayRequest[Any],
    at: datetime,
    values: Mapping[str, object],
    step: timedelta,
    *,
    alone: bool = False,
) -> EvaluationPoint:
    """The point with the rule's readings of these values."""
    return EvaluationPoint(at, extract_readings(request.rule, values, {}), step, alone)
