"""Checks EdgeGrid signatures with the vendor's own signer."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace

from aiohttp import web

from providers.akamai.sandbox.refusals import gateway_error

HEADER = re.compile(
    r"EG1-HMAC-SHA256 client_token=([^;]+);access_token=([^;]+);timestamp=([^;]+);nonce=([^;]+);signature=(\S+)"
)
MOST_SKEW = timedelta(seconds=30)


@dataclass(slots=True)
class SignatureCheck:
    """The credentials of one API client, and the nonces it has used."""

    client_token: str
    client_secret: str
    access_token: str
    nonces: set[str] = field(default_factory=set)

    def verify(self, request: web.Request, body: bytes, *, url: str, now: datetime) -> None:
        """Raises Refusal unless the same request, timestamp and nonce give the same header."""
        header = request.headers.get("Authorization", "")
        match = HEADER.fullmatch(header)
        if not match:
            raise gateway_error(
                400, "pep-authn/request-error", "Bad request", "Invalid Authorization header"
            )
        client_token, access_token, timestamp, nonce, _ = match.groups()
        signed_at = datetime.strptime(timestamp, "%Y%m%dT%H:%M:%S%z")
        if abs(now - signed_at) > MOST_SKEW:
            raise gateway_error(400, "pep-authn/request-error", "Bad request", "Invalid timestamp")
        if (client_token, access_token) != (self.client_token, self.access_token):
            raise _denied("Inactive client token")
        if nonce in self.nonces:
            raise _denied("The nonce was used before")
        self.nonces.add(nonce)
        if self._header(request, body, url, timestamp, nonce) != header:
            raise _denied("The signature does not match")

    def _header(
        self, request: web.Request, body: bytes, url: str, timestamp: str, nonce: str
    ) -> object:
        """The header that the vendor's signer gives the request."""
        from akamai.edgegrid.edgegrid import EdgeGridAuthHeaders

        logging.getLogger("akamai.edgegrid.edgegrid").setLevel(logging.WARNING)
        signer = EdgeGridAuthHeaders(self.client_token, self.client_secret, self.access_token)
        view = SimpleNamespace(
            method=request.method,
            url=url + request.raw_path,
            headers={"Host": request.headers["Host"]},
            body=body,
        )
        return signer.make_auth_header(view, timestamp, nonce)


def _denied(detail: str) -> Exception:
    return gateway_error(401, "pep-authn/deny", "Not authorized", detail)
