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
    read_acknowledgement,
    signers,
)
from providers.redaction import Secret

SECRETS = {"kitchen": Secret("old"), "cellar": Secret("new")}
BODY = b'{"event": {}}'


def signature(secret: str, body: bytes = BODY) -> str:
    return "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (signature("old"), ["kitchen"]),
        (f"{signature('other')}, {signature('new')}", ["cellar"]),
        (f"{signature('new')},{signature('old')}", ["kitchen", "cellar"]),
        (signature("other"), []),
        (signature("old", b"{}"), []),
        (signature("old").removeprefix("v1="), []),
        (signature("old").upper(), []),
        ("", []),
        ("v1=", []),
        (",".join([signature("other")] * 50 + [signature("old")]), []),
    ],
)
def test_signature_names_its_targets(header: str, expected: list[str]) -> None:
    assert signers(header, BODY, SECRETS) == expected
    assert signers(header, BODY, {}) == []


def test_targets_may_share_a_secret() -> None:
    shared = {"kitchen": Secret("old"), "cellar": Secret("old")}
    assert signers(signature("old"), BODY, shared) == ["kitchen", "cellar"]


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
    assert not signers(header, body, SECRETS)
    try:
        read_acknowledgement(body)
    except ValueError:
        return
