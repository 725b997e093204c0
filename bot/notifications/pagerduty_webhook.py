"""Acknowledgements from PagerDuty: signed webhooks (v3). Pages: "Webhooks Overview", "Verifying
Signatures".
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from bot.formatting import sanitise
from providers.redaction import Secret

SIGNATURE = "X-PagerDuty-Signature"
ACKNOWLEDGED = "incident.acknowledged"
# The header has several signatures while a secret is rotated.
MOST_SIGNATURES = 8
_SIGNATURE = re.compile(r"v1=([0-9a-f]{64})")


class Acknowledgement(Struct, frozen=True):
    """Who acknowledged which incident in PagerDuty; `incident` is the key that we gave it."""

    incident: str
    by: str


class _Agent(msgspec.Struct):
    summary: str = ""


class _Incident(msgspec.Struct):
    incident_key: str = ""


class _Event(msgspec.Struct):
    event_type: str
    data: _Incident
    agent: _Agent | None = None


class _Report(msgspec.Struct):
    event: _Event


def signers(header: str, body: bytes, secrets: Mapping[str, Secret]) -> list[str]:
    """The names of the secrets by which one of the signatures in the header is that of these bytes."""
    # Split a bounded number of times, since the header comes from outside.
    given = [_SIGNATURE.fullmatch(each.strip()) for each in header.split(",", MOST_SIGNATURES)]
    digests = [match[1] for match in given[:MOST_SIGNATURES] if match]
    return [name for name, secret in secrets.items() if _is_signed(digests, body, secret)]


def _is_signed(digests: Iterable[str], body: bytes, secret: Secret) -> bool:
    expected = hmac.new(secret.open().encode(), body, hashlib.sha256).hexdigest()
    # Takes the same time wherever two signatures differ first.
    return any(hmac.compare_digest(digest, expected) for digest in digests)


def read_acknowledgement(body: bytes) -> Acknowledgement | None:
    """The acknowledgement that a webhook reports; None if it reports something else. Raises
    ValueError where it cannot be read.
    """
    try:
        event = msgspec.json.decode(body, type=_Report).event
    # msgspec refuses deep nesting with this.
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if event.event_type != ACKNOWLEDGED or not event.data.incident_key:
        return None
    agent = event.agent.summary if event.agent else ""
    return Acknowledgement(event.data.incident_key, sanitise(agent, 60) or "somebody")
