"""Rapid7's key travels in one header, and where its regions answer."""

from __future__ import annotations

from collections.abc import Generator

import httpx

from providers.redaction import Secret

REGIONS = ("us", "us2", "us3", "eu", "ca", "au", "ap")


def region_url(region: str) -> str:
    """The Log Search host of a region. The same API also answers at
    `https://REGION.api.insight.rapid7.com/log_search`, which is reached by setting `base_url`.
    """
    return f"https://{region}.rest.logs.insight.rapid7.com"


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
