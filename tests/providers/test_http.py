"""How long to wait, and what counts as this machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from providers.http import Reply, is_loopback, retry_after_s

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DATE = {"Date": "Sat, 21 Nov 2026 12:00:00 GMT"}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "17"}, 17),
        ({"Retry-After": "Sat, 21 Nov 2026 12:01:00 GMT"}, 60),
        ({"Retry-After": "soon"}, None),
        ({"X-RateLimit-Reset": "412"}, 412),
        ({"X-RateLimit-Reset": str(int((NOW + timedelta(minutes=5)).timestamp()))}, 300),
        ({"X-RateLimit-Next": "2026-11-21T12:02:00Z"}, 120),
        ({"Akamai-RateLimit-Next": "2026-11-21T12:00:30Z"}, 30),
        ({"Retry-After": "5", "X-RateLimit-Reset": "412"}, 5),
    ],
)
def test_waits_are_read_in_all_their_spellings(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(Reply(429, httpx.Headers({**DATE, **headers}), b"")) == seconds


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:80", True),
        ("http://localhost/x", True),
        ("http://[::1]:9/", True),
        ("http://127.1.2.3", True),
        ("http://127.evil.example", False),
        ("http://localhost.evil.example", False),
        ("http://10.0.0.1", False),
        ("nonsense", False),
    ],
)
def test_only_this_machine_is_this_machine(url: str, here: bool) -> None:
    assert is_loopback(url) is here
