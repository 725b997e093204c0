"""PagerDuty's webhooks are accepted only if they are signed."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.notifications.pagerduty_webhook import (
    Acknowledgement,
    is_signed,
    read_acknowledgement,
)
from providers.redaction import Secret

SECRETS = [Secret("old"), Secret("new")]
BODY = b'{"event": {}}'


def signature(secret: str, body: bytes = BODY) -> str:
    return "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (signature("old"), True),
        (f"{signature('other')}, {signature('new')}", True),
        (signature("other"), False),
        (signature("old", b"{}"), False),
        (signature("old").removeprefix("v1="), False),
        (signature("old").upper(), False),
        ("", False),
        ("v1=", False),
        (",".join([signature("other")] * 50 + [signature("old")]), False),
    ],
)
def test_signature_is_checked(header: str, expected: bool) -> None:
    assert is_signed(header, BODY, SECRETS) is expected
    assert not is_signed(header, BODY, [])


def test_acknowledgement_is_read() -> None:
    event = {
        "event_type": "incident.acknowledged",
        "agent": {"summary": "Ada\u202e", "id": "P1"},
        "data": {"incident_key": "opswatch:alert:x", "number": 7},
    }
    body = json.dumps({"event": event}).encode()
    assert read_acknowledgement(body) == Acknowledgement("opswatch:alert:x", "Ada·")
    event["agent"] = None  # type: ignore[assignment]
    body = json.dumps({"event": event}).encode()
    assert read_acknowledgement(body) == Acknowledgement("opswatch:alert:x", "somebody")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"event": 5}'])
def test_unreadable_report_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        read_acknowledgement(body)


@given(st.binary(max_size=300), st.text(max_size=300))
def test_anything_may_come(body: bytes, header: str) -> None:
    assert not is_signed(header, body, SECRETS)
    try:
        read_acknowledgement(body)
    except ValueError:
        return
