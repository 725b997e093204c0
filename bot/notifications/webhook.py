"""A webhook of the operator's own: the event as JSON, signed.

The signature is HMAC-SHA256 of `TIMESTAMP.BODY` with the shared secret, in hexadecimal. A receiver
recomputes it over the bytes that came, and refuses a timestamp that is more than five minutes off.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from pydantic import BeforeValidator, ValidationInfo

from bot.notifications.event import AlertEvent
from bot.notifications.settings import HttpRequest, TargetSettings
from providers.http.network import is_host_name, is_loopback
from providers.redaction import Secret
from providers.settings import SecretReference, read_reference

VERSION = 1
TIMESTAMP = "Opswatch-Timestamp"
SIGNATURE = "Opswatch-Signature"
IDEMPOTENCY = "Idempotency-Key"


def _hook_url(value: Any, info: ValidationInfo) -> Secret:
    """The address of a receiver. Many carry a token in their path or query, so it is a secret."""
    text = str(value)
    if text.startswith(("env:", "file:")):
        text = read_reference(text, info).open()
    try:
        parts = urlsplit(text)
        is_whole = parts.scheme in ("https", "http") and is_host_name(parts.hostname or "")
        is_whole = is_whole and (parts.port or 1) > 0 and "@" not in parts.netloc
    except ValueError:
        is_whole = False
    if not is_whole or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError('an address such as "https://hooks.example.com/opswatch", or a reference')
    if urlsplit(text).scheme == "http" and not is_loopback(text):
        raise ValueError("https://, since plain http:// is accepted for this machine alone")
    return Secret(text)


class WebhookSettings(TargetSettings):
    """A receiver of signed requests."""

    kind: Literal["webhook"]
    url: Annotated[Secret, BeforeValidator(_hook_url)]
    """Where requests are sent; a reference where the address holds a token."""
    secret: SecretReference
    """Signs each request."""

    @property
    def address(self) -> str:
        """The receiver without its path, which may hold a token."""
        parts = urlsplit(self.url.open())
        return f"{parts.scheme}://{parts.netloc}"


def render(settings: WebhookSettings, event: AlertEvent, now: datetime) -> HttpRequest:
    """The request for an event. Each attempt is signed afresh and carries the same key, by which a
    receiver recognises a repeated event.
    """
    body = msgspec.json.encode({"version": VERSION, **event.as_json()})
    # Signed with the body, so that an old request cannot be sent again later.
    timestamp = str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json",
        TIMESTAMP: timestamp,
        SIGNATURE: f"v1={sign(settings.secret, timestamp, body)}",
        IDEMPOTENCY: idempotency_key(event),
    }
    return HttpRequest(settings.url.open(), body, headers)


def check_request(settings: WebhookSettings, event: AlertEvent, now: datetime) -> HttpRequest:
    """A request that only shows whether the receiver can be reached: what it does with a body is
    not known.
    """
    del event, now
    # A POST might call somebody.
    return HttpRequest(settings.url.open(), b"", {}, method="HEAD")


def idempotency_key(event: AlertEvent) -> str:
    """The same for each attempt to send an event, in characters that every header takes."""
    # The id holds names of alerts, which are not valid header values.
    return hashlib.sha256(event.id.encode()).hexdigest()[:32]


def sign(secret: Secret, timestamp: str, body: bytes) -> str:
    signed = timestamp.encode() + b"." + body
    return hmac.new(secret.open().encode(), signed, hashlib.sha256).hexdigest()
