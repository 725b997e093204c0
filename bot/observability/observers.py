"""Callbacks through which other modules report events (pure)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from msgspec import Struct

from providers.http.observer import RequestObserver, ignore_request

QuestionObserver = Callable[[str, str, float], None]
EvaluationObserver = Callable[[bool, timedelta], None]
RateLimitObserver = Callable[[str], None]
EventObserver = Callable[[str, bool], None]


def ignore_question(command: str, outcome: str, seconds: float) -> None:
    """Does nothing."""


def ignore_evaluation(failed: bool, delay: timedelta) -> None:
    """Does nothing."""


def ignore_rate_limit(method: str) -> None:
    """Does nothing."""


def ignore_event(target: str, accepted: bool) -> None:
    """Does nothing."""


class Observers(Struct, frozen=True):
    """Called when a question has ended (command, outcome, seconds), a vendor has responded or not,
    an alert was evaluated (whether that failed, and how long after it was due), when Slack has
    responded to a method with 429, and when an event was sent to a target (its name, and whether it
    accepted the event). The defaults do nothing.
    """

    question: QuestionObserver = ignore_question
    request: RequestObserver = ignore_request
    evaluation: EvaluationObserver = ignore_evaluation
    rate_limit: RateLimitObserver = ignore_rate_limit
    event: EventObserver = ignore_event


NO_OBSERVERS = Observers()
