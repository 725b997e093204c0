"""A circuit breaker: sends nothing to a vendor that keeps failing, except one request from time to
time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from providers.clock import Clock, utc_now
from providers.errors import Unavailable
from providers.limits.rate_limiter import in_words

log = logging.getLogger("opswatch")
OPENS_AFTER = 5
FIRST_REST_S = 15.0
# A recovered vendor is noticed within four minutes.
LONGEST_REST_S = 240.0


class OpenCircuit(Struct, frozen=True):
    """How often a vendor has failed in a row, and until when nothing is sent to it."""

    failures: int
    until: datetime


class SharedCircuits(Protocol):
    """The open circuits that all processes know, by account."""

    async def get(self, account: str) -> OpenCircuit | None: ...

    async def open(self, account: str, circuit: OpenCircuit) -> bool:
        """Shares an open circuit with the other processes. Returns whether it was closed before."""
        ...

    async def begin_trial(self, account: str, *, ended: datetime, until: datetime) -> bool:
        """Whether this process may send the one request after a pause that has `ended`. The others
        wait for it `until` then.
        """
        ...

    async def close(self, account: str) -> None: ...


class Circuit(Struct):
    """Opens after OPENS_AFTER failures in a row. While it is open, nothing is sent. Then one
    request is let through; if that fails too, the pause doubles.

    With `shared`, what one process has found out holds for all, and one of them sends that request.
    """

    account: str
    clock: Callable[[], float] = time.monotonic
    _failures: int = 0
    _open_until: float = 0.0
    answered_at: datetime | None = None
    now: Clock = utc_now
    shared: SharedCircuits | None = None

    @property
    def problem(self) -> str:
        """What is wrong with the vendor, judging by its last requests; empty if they were answered."""
        if not self._failures:
            return ""
        left = self._open_until - self.clock()
        rest = f", paused for {in_words(left)}" if left > 0 else ""
        return (
            f"failed {self._failures} {'time' if self._failures == 1 else 'times'} in a row{rest}"
        )

    async def check(self) -> None:
        """Raises Unavailable while the circuit is open."""
        if self.shared:
            await self._learn_from(self.shared)
        now = self.clock()
        if now < self._open_until:
            raise self._refusal(self._open_until - now)
        if self._failures >= OPENS_AFTER:
            # This request is let through for all; the others are refused until it has ended.
            self._open_until = now + self._rest_s

    async def succeeded(self) -> None:
        was_open = self._failures >= OPENS_AFTER
        self._reset()
        self.answered_at = self.now()
        if was_open and self.shared:
            await self.shared.close(self.account)

    async def failed(self, reason: str = "") -> None:
        """Counts a failure. `reason` is the sentence that the log shows."""
        self._failures += 1
        if self._failures < OPENS_AFTER:
            return
        self._open_until = self.clock() + self._rest_s
        is_new = self._failures == OPENS_AFTER
        if self.shared:
            until = self.now() + timedelta(seconds=self._rest_s)
            is_new = await self.shared.open(self.account, OpenCircuit(self._failures, until))
        if is_new:
            log.warning(
                "%s has failed %d times in a row; requests to it are paused.%s",
                self.account,
                self._failures,
                reason and f" {reason}",
            )

    @property
    def _rest_s(self) -> float:
        """The length of the pause after this many failures. The first pause is the short one."""
        doubled = min(self._failures - OPENS_AFTER, 10)
        return float(min(LONGEST_REST_S, FIRST_REST_S * 2**doubled))

    def _reset(self) -> None:
        self._failures = 0
        self._open_until = 0.0

    async def _learn_from(self, shared: SharedCircuits) -> None:
        """Adopts what another process has found out."""
        found = await shared.get(self.account)
        if found is None:
            if self._failures >= OPENS_AFTER:
                # The vendor has answered another process.
                self._reset()
            return
        self._failures = found.failures
        left_s = (found.until - self.now()).total_seconds()
        if left_s <= 0:
            until = self.now() + timedelta(seconds=self._rest_s)
            if await shared.begin_trial(self.account, ended=found.until, until=until):
                self._open_until = 0.0
                return
            left_s = self._rest_s
        self._open_until = self.clock() + min(left_s, LONGEST_REST_S)

    def _refusal(self, left_s: float) -> Unavailable:
        return Unavailable(
            (
                f"{self.account} has failed {self._failures} times in a row, so requests to it are "
                "paused."
            ),
            account=self.account,
            hint=f"Requests continue in about {in_words(max(1.0, left_s))}; ask again then.",
            retry_after_s=left_s,
        )
