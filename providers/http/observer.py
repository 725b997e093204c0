"""The callback that reports each request to a vendor (pure)."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct


class RequestOutcome(Struct, frozen=True):
    """One request: the seconds until the head of its answer arrived, and its HTTP status; None if
    no answer arrived.
    """

    account: str
    status: int | None
    seconds: float


RequestObserver = Callable[[RequestOutcome], None]


def ignore_request(outcome: RequestOutcome) -> None:
    """Does nothing."""
