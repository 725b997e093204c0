"""EdgeGrid (EG1-HMAC-SHA256): the signature on every request.

Page: "Authenticate with EdgeGrid". The timestamp may be off by thirty seconds, so a measured clock
skew is applied.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from collections.abc import Callable, Generator
from datetime import UTC, timedelta

import httpx

from providers.akamai.edgerc import EdgeGridCredentials
from providers.clock import Clock, utc_now


class EdgeGridAuth(httpx.Auth):
    """Signs every request afresh: a new nonce, a new timestamp, the URL exactly as it is sent."""

    # httpx reads the body before it signs, as the hash of it is part of the signature.
    requires_request_body = True

    def __init__(
        self,
        credentials: EdgeGridCredentials,
        *,
        now: Clock = utc_now,
        nonce: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._credentials = credentials
        self._now = now
        self._nonce = nonce
        # Measured by the vendor's clock after a refusal.
        self.skew = timedelta(0)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self.header(request)
        yield request

    def header(self, request: httpx.Request) -> str:
        """The Authorization header for a request whose body has been read."""
        timestamp = (self._now() + self.skew).astimezone(UTC).strftime("%Y%m%dT%H:%M:%S+0000")
        prefix = (
            f"EG1-HMAC-SHA256 client_token={self._credentials.client_token.open()};"
            f"access_token={self._credentials.access_token.open()};timestamp={timestamp};nonce={self._nonce()};"
        )
        # The base64 text itself is the key of the next step, not the bytes that it stands for.
        signing_key = _hmac(timestamp, key=self._credentials.client_secret.open())
        return f"{prefix}signature={_hmac(self._data(request, prefix), key=signing_key)}"

    def _data(self, request: httpx.Request, prefix: str) -> str:
        url = request.url
        # The signature covers the host as it is sent, with its port.
        host = request.headers.get("Host") or url.netloc.decode()
        return "\t".join(
            [
                request.method.upper(),
                url.scheme,
                host,
                url.raw_path.decode("ascii"),
                self._canonical_headers(request),
                self._content_hash(request),
                prefix,
            ]
        )

    def _canonical_headers(self, request: httpx.Request) -> str:
        present = (
            (name.lower(), request.headers[name])
            for name in self._credentials.headers_to_sign
            if name in request.headers
        )
        return "\t".join(f"{name}:{' '.join(value.split())}" for name, value in present)

    def _content_hash(self, request: httpx.Request) -> str:
        """Only a POST's body counts, and of it only the first `max_body` bytes."""
        body = request.content[: self._credentials.max_body]
        return (
            base64.b64encode(hashlib.sha256(body).digest()).decode()
            if request.method.upper() == "POST" and body
            else ""
        )


def _hmac(text: str, *, key: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()
