"""A circuit breaker: sends nothing to a vendor that keeps failing, except one request now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from providers.clock import Clock, utc_now
from providers.errors import Unavailable
from providers.limits.rate_limiter import in_words

OPENS_AFTER = 5
FIRST_REST_S = 15.0
# A vendor that is back is noticed within four minutes.
LONGEST_REST_S = 240.0


@dataclass(slots=True)
class Circuit:
    """Opens after OPENS_AFTER failures in a row. While it is open, nothing is sent. Then one request
    is let through; where that fails, too, the pause doubles.
    """

    account: str
    clock: Callable[[], float] = time.monotonic
    _failures: int = 0
    _rest_s: float = FIRST_REST_S
    _open_until: float = 0.0
    answered_at: datetime | None = None
    now: Clock = utc_now

    @property
    def problem(self) -> str:
        """What is wrong with the vendor by its last requests; empty where they were answered."""
        if not self._failures:
            return ""
        left = self._open_until - self.clock()
        rest = f", paused for {in_words(left)}" if left > 0 else ""
        return (
            f"failed {self._failures} {'time' if self._failures == 1 else 'times'} in a row{rest}"
        )

    def check(self) -> None:
        """Raises Unavailable while the circuit is open."""
        now = self.clock()
        if now < self._open_until:
            left = self._open_until - now
            raise Unavailable(
                (
                    f"{self.account} has failed {self._failures} times in a row, so requests to it "
                    "are paused."
                ),
                account=self.account,
                hint=f"Requests continue in about {in_words(max(1.0, left))}; ask again then.",
                retry_after_s=left,
            )
        if self._failures >= OPENS_AFTER:
            # This request is let through for all; the others are refused until it has ended.
            self._open_until = now + self._rest_s

    def succeeded(self) -> None:
        self._failures = 0
        self._rest_s = FIRST_REST_S
        self._open_until = 0.0
        self.answered_at = self.now()

    def failed(self) -> None:
        self._failures += 1
        # The first pause is the short one.
        if self._failures > OPENS_AFTER:
            self._rest_s = min(LONGEST_REST_S, self._rest_s * 2)
        if self._failures >= OPENS_AFTER:
            self._open_until = self.clock() + self._rest_s
