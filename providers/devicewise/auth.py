"""One deviceWISE session per account and organisation: opened once for many, renewed once for many.

TR50 locks a user out after a handful of wrong passwords, so a refused login is not tried again for half an hour.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from providers.errors import AuthFailed
from providers.redaction import Secret

LOCKOUT_S = 30 * 60.0
MFA_REQUIRED = -90041


@dataclass(frozen=True, slots=True)
class Credentials:
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
        assert self.app_token and self.app_id
        return {"appToken": self.app_token.open(), "appId": self.app_id.open(), "thingKey": self.thing_key}

    @property
    def whoami(self) -> str:
        """How the platform names the calls made with these credentials."""
        return self.username or self.thing_key


class Session:
    """The session id of one account. `login` is handed in and does the talking."""

    def __init__(self, login: Callable[[], Awaitable[Secret]]) -> None:
        self._login = login
        self._id: Secret | None = None
        self._lock = asyncio.Lock()
        self._refused: tuple[float, AuthFailed] | None = None

    async def id(self, *, instead_of: Secret | None = None) -> Secret:
        """A live session id. With `instead_of`, a new one unless somebody else has renewed that one already."""
        async with self._lock:
            if self._id is None or (instead_of is not None and self._id == instead_of):
                self._id = None
                self._id = await self._first_try()
            return self._id

    async def _first_try(self) -> Secret:
        if self._refused and time.monotonic() - self._refused[0] < LOCKOUT_S:
            raise self._refused[1].with_traceback(None)
        try:
            return await self._login()
        except AuthFailed as error:
            self._refused = (time.monotonic(), error)
            raise
