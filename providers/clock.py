"""The time of day. Code that needs it receives a clock, so that tests can set it; `utc_now` is the
clock of the machine.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time now by the machine's clock, in UTC."""
    return datetime.now(UTC)
