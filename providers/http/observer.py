"""The callback that reports each request to a vendor (pure)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestOutcome:
    """One request: how many seconds the head of its answer took, and its HTTP status; None where
    no answer came.
    """

    account: str
    status: int | None
    seconds: float


RequestObserver = Callable[[RequestOutcome], None]


def ignore_request(outcome: RequestOutcome) -> None:
    """Does nothing."""
