"""Limits requests to a vendor: reserved before a request, committed after it, and corrected by what
the answers report.

Limits apply per key, over a sliding window. The store of reservations is passed in, so it may
outlive the process and be shared by several. The quota that a vendor reports takes precedence over
our own count.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from providers.clock import Clock, utc_now
from providers.errors import RateLimited
from providers.models import RemainingQuota
from providers.redaction import Secret

# The window of the limits that vendors have documented so far.
QUARTER = timedelta(minutes=15)


class Limit(Struct, frozen=True):
    """At most this many requests, and bytes if those are limited, in any `window`. `what` is the
    name of the requests in messages.
    """

    what: str
    requests: int
    window: timedelta = QUARTER
    bytes: int | None = None


class Reservation(Struct, frozen=True):
    """One reserved request and its bytes: an estimate until it is `settled`, then the bytes
    received.
    """

    id: int
    at: datetime
    bytes: int = 0
    settled: bool = False


class ReportedQuota(Struct, frozen=True):
    """What a vendor reported about its quota until `resets_at`; None if it reported nothing."""

    asked_at: datetime
    answered_at: datetime
    resets_at: datetime
    requests: int | None = None
    bytes: int | None = None


class RateLimitStore(Protocol):
    """Stores reservations and reported quotas. Each method is one transaction; `key` names a limit of a
    vendor's key.
    """

    async def reserve(
        self, key: str, limit: Limit, *, size: int, now: datetime
    ) -> Reservation | datetime:
        """Reserves a request. Returns the reservation, or the time at which there will be room."""
        ...

    async def commit(
        self, key: str, reservation: Reservation, *, size: int, reported: ReportedQuota | None
    ) -> None: ...

    async def used(self, key: str, *, since: datetime) -> int:
        """The number of requests reserved since then."""
        ...

    async def lock_out(self, key: str, *, until: datetime, why: str) -> None:
        """Forbids further attempts before `until`."""
        ...

    async def lockout_reason(self, key: str, *, now: datetime) -> str | None:
        """Why no attempt may be made yet; None if one may be made."""
        ...

    async def begin_attempt(self, key: str) -> bool:
        """Claims the one attempt at something that fails permanently if it is tried too often.
        False while another process makes one.
        """
        ...

    async def end_attempt(self, key: str) -> None:
        """Lets others make an attempt."""
        ...


def available_at(
    limit: Limit,
    reservations: Sequence[Reservation],
    reported: ReportedQuota | None,
    *,
    size: int,
    now: datetime,
) -> datetime | None:
    """When one more request of `size` bytes fits the limit; None if it fits now. `reservations` are
    those of the window.
    """
    known = reported if reported and now < reported.resets_at else None
    if known and known.requests is not None:
        if (
            sum(1 for s in reservations if s.at >= known.answered_at or not s.settled)
            >= known.requests
        ):
            return known.resets_at
    elif len(reservations) >= limit.requests:
        oldest_first = sorted(reservations, key=lambda s: s.at)
        return oldest_first[len(reservations) - limit.requests].at + limit.window
    if known and known.bytes is not None:
        if sum(s.bytes for s in reservations if s.at >= known.asked_at) + size > known.bytes:
            return known.resets_at
    elif limit.bytes is not None:
        return _room_for(size, limit, reservations)
    return None


def _room_for(size: int, limit: Limit, reservations: Sequence[Reservation]) -> datetime | None:
    """When enough bytes have left the window for `size` more."""
    assert limit.bytes is not None
    left = sum(s.bytes for s in reservations) + size - limit.bytes
    for reservation in sorted(reservations, key=lambda s: s.at):
        if left <= 0:
            return None
        left -= reservation.bytes
        if left <= 0:
            return reservation.at + limit.window
    return None


class RateLimiter:
    """The limits of one account. Scopes without a limit are unlimited."""

    def __init__(
        self,
        account: str,
        secret: Secret,
        limits: Mapping[str, Limit],
        rate_limit_store: RateLimitStore,
        clock: Clock = utc_now,
    ) -> None:
        self._account = account
        self._limits = limits
        self._rate_limit_store = rate_limit_store
        self._clock = clock
        self._key = fingerprint(secret)

    async def reserve(self, scope: str, *, size: int = 0) -> Reservation | None:
        """Reserves one request, and `size` bytes of it. Raises RateLimited with the time when it
        will work.
        """
        limit = self._limits.get(scope)
        if limit is None:
            return None
        if limit.bytes is not None:
            # More than the whole limit would never fit.
            size = min(size, limit.bytes)
        now = self._clock()
        found = await self._rate_limit_store.reserve(
            f"{self._key}:{scope}", limit, size=size, now=now
        )
        if isinstance(found, Reservation):
            return found
        wait_s = max(1.0, (found - now).total_seconds())
        raise RateLimited(
            f"{self._account} has reached its rate limit: {_limit_label(limit)}.",
            account=self._account,
            hint=f"Try again at {found:%H:%M:%S} UTC, in about {in_words(wait_s)}.",
            retry_after_s=wait_s,
        )

    async def left(self) -> tuple[RemainingQuota, ...]:
        """What remains of each limit, by our own count."""
        now = self._clock()
        return tuple(
            [
                RemainingQuota(
                    limit.what,
                    max(
                        0,
                        limit.requests
                        - await self._rate_limit_store.used(
                            f"{self._key}:{scope}", since=now - limit.window
                        ),
                    ),
                    limit.requests,
                )
                for scope, limit in self._limits.items()
            ]
        )

    async def commit(
        self,
        scope: str,
        reservation: Reservation | None,
        *,
        size: int = 0,
        reported: ReportedQuota | None = None,
    ) -> None:
        """Records the bytes that were received and the quota that the answer reported."""
        if reservation is not None:
            if reported is not None:
                reported = replace(reported, asked_at=reservation.at)
            await self._rate_limit_store.commit(
                f"{self._key}:{scope}", reservation, size=size, reported=reported
            )


def fingerprint(secret: Secret) -> str:
    """A name for a long random key in the store, from which the key cannot be recovered."""
    return hashlib.sha256(b"opswatch budget\0" + secret.open().encode()).hexdigest()[:24]


def slow_fingerprint(password: Secret, *, salt: str) -> str:
    """The same for a password, which could be guessed: slow enough to make guessing expensive. Call
    it in a thread.
    """
    return hashlib.pbkdf2_hmac("sha256", password.open().encode(), salt.encode(), 200_000).hex()[
        :24
    ]


def in_words(seconds: float) -> str:
    """A wait in words: `40 s`, `3 min`, `5 h`."""
    if seconds >= 7200:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _limit_label(limit: Limit) -> str:
    size = f" and {limit.bytes / 1e9:.0f} GB" if limit.bytes else ""
    return f"{limit.requests:,} {limit.what}{size} in {in_words(limit.window.total_seconds())}"


class MemoryRateLimitStore(Struct):
    """A store that lasts as long as the process."""

    _reservations: dict[str, list[Reservation]] = field(default_factory=dict)
    _reported: dict[str, ReportedQuota] = field(default_factory=dict)
    _lockouts: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    _attempts: set[str] = field(default_factory=set)
    _ids: itertools.count[int] = field(default_factory=itertools.count)

    async def reserve(
        self, key: str, limit: Limit, *, size: int, now: datetime
    ) -> Reservation | datetime:
        reservations = self._reservations[key] = [
            s for s in self._reservations.get(key, []) if s.at > now - limit.window
        ]
        when = available_at(limit, reservations, self._reported.get(key), size=size, now=now)
        if when is not None:
            return when
        reservations.append(reservation := Reservation(next(self._ids), now, size))
        return reservation

    async def commit(
        self, key: str, reservation: Reservation, *, size: int, reported: ReportedQuota | None
    ) -> None:
        done = replace(reservation, bytes=size, settled=True)
        self._reservations[key] = [
            done if s.id == reservation.id else s for s in self._reservations.get(key, [])
        ]
        if reported:
            self._reported[key] = reported

    async def used(self, key: str, *, since: datetime) -> int:
        return sum(1 for reservation in self._reservations.get(key, []) if reservation.at > since)

    async def lock_out(self, key: str, *, until: datetime, why: str) -> None:
        self._lockouts[key] = (until, why)

    async def lockout_reason(self, key: str, *, now: datetime) -> str | None:
        until, why = self._lockouts.get(key, (now, ""))
        return why if until > now else None

    async def begin_attempt(self, key: str) -> bool:
        if key in self._attempts:
            return False
        self._attempts.add(key)
        return True

    async def end_attempt(self, key: str) -> None:
        self._attempts.discard(key)


class Throttle:
    """At most this many requests a second; callers that are early wait."""

    def __init__(self, per_s: float) -> None:
        self._gap_s = 1 / per_s
        self._next = 0.0

    async def wait(self) -> None:
        now = time.monotonic()
        # Each caller takes the next free moment, in the order in which they come.
        self._next = max(now, self._next + self._gap_s)
        if self._next > now:
            await asyncio.sleep(self._next - now)
