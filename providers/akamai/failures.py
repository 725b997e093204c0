"""Refusals of Akamai that the client handles: a window whose bounds it does not accept, and a wrong
clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from providers.errors import AuthFailed, ProtocolError
from providers.http.reply import Reply, date_of

# A vendor's clock that is further off cannot be used.
MOST_SKEW = timedelta(days=400)


class BoundsRefused(ProtocolError):
    """The vendor does not accept where the window begins or ends."""

    def __init__(self, account: str, message: str) -> None:
        super().__init__(
            f"{account} refused the window (HTTP 400). It said: {message.rstrip('.')}.",
            account=account,
            hint="Try another window.",
        )


class ClockSkew(AuthFailed):
    """Our clock is off by `by`; the signature was refused for it."""

    def __init__(self, account: str, by: timedelta) -> None:
        super().__init__(
            f"{account} says that this machine's clock is wrong.",
            account=account,
            hint="Check the time on this machine (NTP).",
        )
        self.by = by


def server_time(reply: Reply, problem: Mapping[str, Any], now: datetime) -> datetime | None:
    """The vendor's clock. One that is years off measures nothing."""
    requested = problem.get("requestTime")
    # The gateway's body has the time, too, for answers whose header a proxy has removed.
    theirs = date_of(reply.headers.get("Date")) or date_of(
        requested if isinstance(requested, str) else None
    )
    return theirs if theirs and abs(theirs - now) < MOST_SKEW else None


def next_request_s(problem: Mapping[str, Any], now: datetime) -> float | None:
    """Seconds until `rateLimitNextRequest`, whose date is spelt in a way of its own ("Fri, 29 Mar
    2024 13:40:00 Z").
    """
    text = problem.get("rateLimitNextRequest")
    if not isinstance(text, str):
        return None
    moment = date_of(text) or date_of(text.removesuffix("Z") + "+0000")
    return max(0.0, (moment - now).total_seconds()) if moment else None
