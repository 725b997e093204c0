"""Rapid7's key, sent in one header."""

from __future__ import annotations

from collections.abc import Generator

import httpx

from providers.redaction import Secret


class ApiKey(httpx.Auth):
    """Puts `x-api-key` on every request ("GET Account Usage", Authentication)."""

    def __init__(self, key: Secret) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        yield self.signed(request)

    def signed(self, request: httpx.Request) -> httpx.Request:
        """The request with the key, for a client that takes no httpx.Auth."""
        request.headers["x-api-key"] = self._key.open()
        return request
