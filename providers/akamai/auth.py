"""EdgeGrid (EG1-HMAC-SHA256): the credentials, where they are kept, and the signature on every
request.

Page: "Authenticate with EdgeGrid". The timestamp may be off by thirty seconds, so a measured clock
skew is applied.
"""

from __future__ import annotations

import base64
import configparser
import hashlib
import hmac
import re
import uuid
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path

import httpx

from providers.clock import Clock, utc_now
from providers.redaction import Secret

MAX_BODY = 131_072
EDGERC_KEYS = ("host", "client_token", "client_secret", "access_token")


class EdgercError(ValueError):
    """An `.edgerc` that cannot be used; the text says why and holds no secret."""


@dataclass(frozen=True, slots=True)
class EdgeGridCredentials:
    """One section of an `.edgerc`. `base_url` is `https://` and the host."""

    base_url: str
    client_token: Secret
    client_secret: Secret
    access_token: Secret
    max_body: int = MAX_BODY
    account_switch_key: str = ""
    headers_to_sign: tuple[str, ...] = ()


class EdgeGridAuth(httpx.Auth):
    """Signs every request afresh: a new nonce, a new timestamp, the URL exactly as it is sent."""

    requires_request_body = True

    def __init__(
        self,
        credentials: EdgeGridCredentials,
        *,
        now: Clock = utc_now,
        nonce: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._credentials = credentials
        self._now, self._nonce = now, nonce
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
        signing_key = _hmac(timestamp, key=self._credentials.client_secret.open())
        return f"{prefix}signature={_hmac(self._data(request, prefix), key=signing_key)}"

    def _data(self, request: httpx.Request, prefix: str) -> str:
        url = request.url
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


def read_edgerc(path: Path, section: str) -> EdgeGridCredentials:
    """The credentials of one section.

    Survives what is found in the field: `%` in a secret, a byte-order mark, `https://` or a slash
    at the host, keys in any case, comments behind a value, doubled keys. Raises EdgercError with a
    sentence for the rest.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise EdgercError(f"the file {path} cannot be read") from None
    parser = configparser.RawConfigParser(
        strict=False, inline_comment_prefixes=("#", ";"), default_section="\0"
    )
    try:
        parser.read_string(text)
    except configparser.Error:
        raise EdgercError(
            f"{path} is not an .edgerc: it needs lines such as [default] and host = …"
        ) from None
    if not parser.has_section(section):
        known = ", ".join(parser.sections()) or "none"
        raise EdgercError(f"{path} has no section [{section}]; it has: {known}")
    values = {key: (value or "").strip() for key, value in parser.items(section)}
    missing = [key for key in EDGERC_KEYS if not values.get(key)]
    if missing:
        raise EdgercError(f"section [{section}] of {path} lacks {', '.join(missing)}")
    body = values.get("max_body") or values.get("max-body") or str(MAX_BODY)
    return EdgeGridCredentials(
        base_url=host_url(values["host"]),
        client_token=Secret(values["client_token"]),
        client_secret=Secret(values["client_secret"]),
        access_token=Secret(values["access_token"]),
        max_body=int(body) if body.isdigit() and int(body) > 0 else MAX_BODY,
        account_switch_key=values.get("account_key", ""),
        headers_to_sign=_names(
            values.get("headers_to_sign") or values.get("headers-to-sign") or ""
        ),
    )


def _names(text: str) -> tuple[str, ...]:
    """A list of header names, in their order; the vendor's own library writes `none` where there
    are none.
    """
    names = re.split(r"[,\s]+", text.strip("[] "))
    return tuple(name for name in names if name and name.lower() != "none")


def host_url(host: str) -> str:
    """`https://` and the bare host, whatever stands around it."""
    bare = host.strip().removeprefix("https://").removeprefix("http://").strip("/ ")
    return f"https://{bare}"


def _hmac(text: str, *, key: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()
