"""One deviceWISE session per account and organisation, opened and renewed once for all requests.

TR50 locks a user out after a handful of wrong passwords, so a refused login is not tried again for
half an hour.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from msgspec import Struct

from providers.clock import Clock, utc_now
from providers.errors import AuthFailed, Unavailable
from providers.limits.rate_limiter import RateLimitStore, slow_fingerprint
from providers.redaction import Secret

# How long the platform locks a user out after a handful of wrong passwords.
LOCKOUT = timedelta(minutes=30)
NOT_AGAIN = (
    "Check the credentials of `{}`; they are not tried again for 30 minutes, so as not to lock "
    "the user out."
)
MFA_REQUIRED = -90041
# Longer than a login takes with its time-outs. A process that has died meanwhile holds no attempt.
ATTEMPT_WITHIN_S = 60.0
POLL_EVERY_S = 0.2


class Credentials(Struct, frozen=True):
    """Either `username` and `password`, or `app_token`, `app_id` and `thing_key`."""

    username: str = ""
    password: Secret | None = None
    app_token: Secret | None = None
    app_id: Secret | None = None
    thing_key: str = ""

    def params(self) -> dict[str, str]:
        """The params of `api.authenticate`."""
        if self.password is not None:
            return {"username": self.username, "password": self.password.open()}
        assert self.app_token
        assert self.app_id
        return {
            "appToken": self.app_token.open(),
            "appId": self.app_id.open(),
            "thingKey": self.thing_key,
        }

    def fingerprint(self, place: str) -> str:
        """What these credentials are remembered by at a place; another password is another one.
        Slow: call it in a thread.
        """
        return slow_fingerprint(Secret("\0".join(self.params().values())), salt=place)

    @property
    def whoami(self) -> str:
        """The name of these credentials in the platform's list of calls."""
        return self.username or self.thing_key


class LockOut(Struct, frozen=True):
    """Remembers a refused login, also across restarts, until LOCKOUT has passed or the credentials
    change.
    """

    account: str
    place: str
    credentials: Credentials
    rate_limit_store: RateLimitStore
    clock: Clock = utc_now

    @asynccontextmanager
    async def only_attempt(self) -> AsyncIterator[None]:
        """Waits until no other process tries these credentials: of many that start at once with a
        wrong password, one is refused, and the others learn of it. Raises AuthFailed where they
        must not be tried, and Unavailable where another process takes too long.
        """
        key = await self._key()
        waits = iter(range(round(ATTEMPT_WITHIN_S / POLL_EVERY_S)))
        while not await self.rate_limit_store.begin_attempt(key):
            if next(waits, None) is None:
                raise Unavailable(
                    f"Another process has been logging in to {self.account} for too long.",
                    account=self.account,
                    hint="Try again in a minute.",
                )
            await asyncio.sleep(POLL_EVERY_S)
        try:
            # Once more, now that no other process tries: its attempt may just have been refused.
            await self.check()
            yield
        finally:
            await self.rate_limit_store.end_attempt(key)

    async def check(self) -> None:
        """Raises AuthFailed while these credentials must not be tried again."""
        if why := await self.rate_limit_store.lockout_reason(await self._key(), now=self.clock()):
            raise AuthFailed(why, account=self.account, hint=NOT_AGAIN.format(self.account))

    async def remember(self, error: AuthFailed) -> None:
        await self.rate_limit_store.lock_out(
            await self._key(), until=self.clock() + LOCKOUT, why=error.message
        )

    async def _key(self) -> str:
        # Slow on purpose, because a password could be guessed.
        return await asyncio.to_thread(self.credentials.fingerprint, self.place)


class Session:
    """The session id of one account. `login` is passed in and sends the requests."""

    def __init__(self, login: Callable[[], Awaitable[Secret]], *, lock_out: LockOut) -> None:
        self._login = login
        self._lock_out = lock_out
        self._id: Secret | None = None
        self._lock = asyncio.Lock()

    async def id(self, *, instead_of: Secret | None = None) -> Secret:
        """A live session id. With `instead_of`, a new one unless somebody else has renewed that one
        already.
        """
        async with self._lock:
            # Of several requests that find the session expired, the first renews it for all.
            if self._id is None or (instead_of is not None and self._id == instead_of):
                self._id = None
                self._id = await self._only_try()
            return self._id

    async def _only_try(self) -> Secret:
        async with self._lock_out.only_attempt():
            try:
                return await self._login()
            except AuthFailed as error:
                # Eight failures within thirty minutes lock the user out ("Authentication").
                await self._lock_out.remember(error)
                raise
