"""What the rooms report of their work, to whoever counts it (pure)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from providers.http.observer import RequestObserver, ignore_request

QuestionObserver = Callable[[str, str, float], None]
EvaluationObserver = Callable[[bool, timedelta], None]
RateLimitObserver = Callable[[str], None]


def ignore_question(command: str, outcome: str, seconds: float) -> None:
    """Counts nothing."""


def ignore_evaluation(failed: bool, delay: timedelta) -> None:
    """Counts nothing."""


def ignore_rate_limit(method: str) -> None:
    """Counts nothing."""


@dataclass(frozen=True, slots=True)
class Observers:
    """Called when something has happened: a question has ended (command, outcome, seconds), a
    vendor's answer began or did not come, an alert was evaluated (whether that failed, and how long
    after it was due), Slack has answered 429 to a method. By default nobody listens.
    """

    question: QuestionObserver = ignore_question
    request: RequestObserver = ignore_request
    evaluation: EvaluationObserver = ignore_evaluation
    rate_limit: RateLimitObserver = ignore_rate_limit


NO_OBSERVERS = Observers()
