"""The time of day. Whatever needs it is given a clock, so that a test can hold it; `utc_now` is the
machine's own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """This instant by the machine's clock, in UTC."""
    return datetime.now(UTC)
