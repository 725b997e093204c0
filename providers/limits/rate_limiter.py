"""How much may be asked of a vendor, and when more: reserved before a request, settled after it,
learned from the answers.

Limits are per key, over a sliding window. The store that keeps what was spent is handed in, so it
may outlive the process and be shared by several; a vendor's own word about what remains is believed
over our reckoning.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from providers.clock import Clock, utc_now
from providers.errors import RateLimited
from providers.models import QuotaLeft
from providers.redaction import Secret

QUARTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many requests, and bytes where that is limited, in any `window`. `what` is how
    people call the requests.
    """

    what: str
    requests: int
    window: timedelta = QUARTER
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Reservation:
    """One request as it was reserved, and its bytes as they were reserved or, once
    `settled`, came.
    """

    id: int
    at: datetime
    bytes: int = 0
    settled: bool = False


@dataclass(frozen=True, slots=True)
class ReportedQuota:
    """What a vendor said in an answer about what remains until `resets_at`; None where it did not
    say.
    """

    asked_at: datetime
    answered_at: datetime
    resets_at: datetime
    requests: int | None = None
    bytes: int | None = None


class RateLimitStore(Protocol):
    """Keeps what was spent and learned. Each method is one transaction; `key` names a limit of a
    vendor's key.
    """

    async def reserve(
        self, key: str, limit: Limit, *, size: int, now: datetime
    ) -> Reservation | datetime:
        """The spend where it fits, else when it will."""
        ...

    async def settle(
        self, key: str, spend: Reservation, *, size: int, learned: ReportedQuota | None
    ) -> None: ...

    async def used(self, key: str, *, since: datetime) -> int:
        """How many requests were reserved since then."""
        ...

    async def hold(self, key: str, *, until: datetime, why: str) -> None:
        """Notes that something must not be tried before `until`."""
        ...

    async def held(self, key: str, *, now: datetime) -> str | None:
        """Why it must not be tried yet; None where it may."""
        ...


def available_at(
    limit: Limit,
    spends: Sequence[Reservation],
    learned: ReportedQuota | None,
    *,
    size: int,
    now: datetime,
) -> datetime | None:
    """When one more request of `size` bytes fits the limit; None where it does now. `spends` are
    those of the window.
    """
    known = learned if learned and now < learned.resets_at else None
    if known and known.requests is not None:
        if sum(1 for s in spends if s.at >= known.answered_at or not s.settled) >= known.requests:
            return known.resets_at
    elif len(spends) >= limit.requests:
        oldest_first = sorted(spends, key=lambda s: s.at)
        return oldest_first[len(spends) - limit.requests].at + limit.window
    if known and known.bytes is not None:
        if sum(s.bytes for s in spends if s.at >= known.asked_at) + size > known.bytes:
            return known.resets_at
    elif limit.bytes is not None:
        return _room_for(size, limit, spends)
    return None


def _room_for(size: int, limit: Limit, spends: Sequence[Reservation]) -> datetime | None:
    """When so many bytes have left the window that `size` more fit into it."""
    assert limit.bytes is not None
    left = sum(s.bytes for s in spends) + size - limit.bytes
    for spend in sorted(spends, key=lambda s: s.at):
        if left <= 0:
            return None
        left -= spend.bytes
        if left <= 0:
            return spend.at + limit.window
    return None


class RateLimiter:
    """The budget of one account. Scopes without a limit are free."""

    def __init__(
        self,
        account: str,
        secret: Secret,
        limits: Mapping[str, Limit],
        rate_limit_store: RateLimitStore,
        clock: Clock = utc_now,
    ) -> None:
        self._account, self._limits, self._rate_limit_store, self._clock = (
            account,
            limits,
            rate_limit_store,
            clock,
        )
        self._key = fingerprint(secret)

    async def take(self, scope: str, *, size: int = 0) -> Reservation | None:
        """Reserves one request, and `size` bytes of it. Raises RateLimited with the time when it
        will work.
        """
        limit = self._limits.get(scope)
        if limit is None:
            return None
        if limit.bytes is not None:
            size = min(size, limit.bytes)
        now = self._clock()
        found = await self._rate_limit_store.reserve(
            f"{self._key}:{scope}", limit, size=size, now=now
        )
        if isinstance(found, Reservation):
            return found
        wait_s = max(1.0, (found - now).total_seconds())
        raise RateLimited(
            f"{self._account} has used up what it may ask: {_said(limit)}.",
            account=self._account,
            hint=f"It works again at {found:%H:%M:%S} UTC, in about {in_words(wait_s)}.",
            retry_after_s=wait_s,
        )

    async def left(self) -> tuple[QuotaLeft, ...]:
        """What may still be asked within each limit, by our own reckoning."""
        now = self._clock()
        return tuple(
            [
                QuotaLeft(
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

    async def settle(
        self,
        scope: str,
        spend: Reservation | None,
        *,
        size: int = 0,
        learned: ReportedQuota | None = None,
    ) -> None:
        """Notes how it came out."""
        if spend is not None:
            if learned is not None:
                learned = replace(learned, asked_at=spend.at)
            await self._rate_limit_store.settle(
                f"{self._key}:{scope}", spend, size=size, learned=learned
            )


def fingerprint(secret: Secret) -> str:
    """A name for a long random key under which its budget is kept; the key cannot be
    had from it.
    """
    return hashlib.sha256(b"opswatch budget\0" + secret.open().encode()).hexdigest()[:24]


def slow_fingerprint(password: Secret, *, salt: str) -> str:
    """The same for a password, which might be guessed: so slow that guessing does not pay. Call it
    in a thread.
    """
    return hashlib.pbkdf2_hmac("sha256", password.open().encode(), salt.encode(), 200_000).hex()[
        :24
    ]


def in_words(seconds: float) -> str:
    """A wait as people say it: `40 s`, `3 min`."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _said(limit: Limit) -> str:
    size = f" and {limit.bytes / 1e9:.0f} GB" if limit.bytes else ""
    return f"{limit.requests:,} {limit.what}{size} in {in_words(limit.window.total_seconds())}"


@dataclass(slots=True)
class MemoryRateLimitStore:
    """A rate_limit_store that lasts as long as the process."""

    _spends: dict[str, list[Reservation]] = field(default_factory=dict)
    _learned: dict[str, ReportedQuota] = field(default_factory=dict)
    _holds: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    _ids: itertools.count[int] = field(default_factory=itertools.count)

    async def reserve(
        self, key: str, limit: Limit, *, size: int, now: datetime
    ) -> Reservation | datetime:
        spends = self._spends[key] = [
            s for s in self._spends.get(key, []) if s.at > now - limit.window
        ]
        when = available_at(limit, spends, self._learned.get(key), size=size, now=now)
        if when is not None:
            return when
        spends.append(spend := Reservation(next(self._ids), now, size))
        return spend

    async def settle(
        self, key: str, spend: Reservation, *, size: int, learned: ReportedQuota | None
    ) -> None:
        done = replace(spend, bytes=size, settled=True)
        self._spends[key] = [done if s.id == spend.id else s for s in self._spends.get(key, [])]
        if learned:
            self._learned[key] = learned

    async def used(self, key: str, *, since: datetime) -> int:
        return sum(1 for spend in self._spends.get(key, []) if spend.at > since)

    async def hold(self, key: str, *, until: datetime, why: str) -> None:
        self._holds[key] = (until, why)

    async def held(self, key: str, *, now: datetime) -> str | None:
        until, why = self._holds.get(key, (now, ""))
        return why if until > now else None


class Pace:
    """At most so many requests a second; who is too early waits."""

    def __init__(self, per_s: float) -> None:
        self._gap_s, self._next = 1 / per_s, 0.0

    async def turn(self) -> None:
        now = time.monotonic()
        self._next = max(now, self._next + self._gap_s)
        if self._next > now:
            await asyncio.sleep(self._next - now)
