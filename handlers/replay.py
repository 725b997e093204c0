"""What a command needs to compute its values of the past, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.alerts.backtest import EvaluationPoint
from bot.alerts.rule import Rule
from bot.questions.question import Question


@dataclass(frozen=True, slots=True)
class Replay:
    """What could be known of the past: looks, the oldest first, what could not be known, in words,
    and whether anything in it matched.
    """

    looks: Sequence[EvaluationPoint]
    notes: tuple[str, ...] = ()
    matched: bool = True


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """Which past is asked for: a rule, the time, and how its question was to be read at any moment
    of it.
    """

    rule: Rule
    start: datetime
    end: datetime
    read_at: Callable[[datetime], Question]
