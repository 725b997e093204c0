"""How long to wait, and which addresses are this machine."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import Unavailable
from providers.http.client import fetch, open_client
from providers.http.network import is_loopback
from providers.http.reply import Reply, parse_quota, retry_after_s

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
        ({"Akamai-Sync-RateLimit-Next": "2026-11-21T12:00:45Z"}, 45),
        ({"Retry-After": "5", "X-RateLimit-Reset": "412"}, 5),
    ],
)
def test_waits_are_read_in_all_their_spellings(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after_s(Reply(429, httpx.Headers({**DATE, **headers}), b"")) == seconds


@given(
    st.integers(100, 599),
    st.dictionaries(
        st.sampled_from(
            [
                "Retry-After",
                "X-RateLimit-Reset",
                "X-RateLimit-Remaining",
                "R7-RateLimit-RemainingBytes",
                "Date",
                "X-RateLimit-Next",
                "Akamai-RateLimit-Next",
                "Akamai-Sync-RateLimit-Next",
                "Akamai-Sync-RateLimit-Remaining",
            ]
        ),
        st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=40)
        | st.integers().map(str)
        | st.floats().map(str),
        max_size=5,
    ),
)
def test_any_headers_give_a_wait_or_none(status: int, headers: dict[str, str]) -> None:
    reply = Reply(
        status,
        httpx.Headers(
            [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        ),
        b"",
    )
    wait = retry_after_s(reply)
    assert wait is None or 0 <= wait < 1e12
    learned = parse_quota(reply)
    assert learned is None or learned.resets_at >= learned.answered_at


async def test_unanswered_connection_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that never accepts the connection: its backlog is full and stays full."""
    monkeypatch.setattr("providers.http.client.TIMEOUT", httpx.Timeout(30.0, connect=0.2))
    monkeypatch.setattr("providers.http.client.ATTEMPTS", 1)
    with socket.socket() as host:
        host.bind(("127.0.0.1", 0))
        host.listen(0)
        callers = [socket.socket() for _ in range(4)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(host.getsockname())
        client = open_client(f"http://127.0.0.1:{host.getsockname()[1]}", account="eu")
        with pytest.raises(Unavailable, match="eu could not be reached"):
            await fetch(client, lambda: client.build_request("GET", "/"), account="eu")
        await client.aclose()
        for caller in callers:
            caller.close()


async def test_unread_request_times_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("providers.http.client.TIMEOUT", httpx.Timeout(30.0, write=0.2))
    monkeypatch.setattr("providers.http.client.ATTEMPTS", 1)
    with socket.socket() as host:
        host.bind(("127.0.0.1", 0))
        host.listen(1)
        client = open_client(f"http://127.0.0.1:{host.getsockname()[1]}", account="eu")
        with pytest.raises(Unavailable, match="eu stopped reading the request"):
            await fetch(
                client,
                lambda: client.build_request("POST", "/", content=b"x" * 64_000_000),
                account="eu",
            )
        await client.aclose()


async def test_full_connection_pool_times_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Requests wait for a slot before the pool, so this needs a pool that is smaller than the
    number of slots.
    """
    monkeypatch.setattr("providers.http.client.TIMEOUT", httpx.Timeout(30.0, pool=0.2))
    monkeypatch.setattr("providers.http.client.LIMITS", httpx.Limits(max_connections=1))
    monkeypatch.setattr("providers.http.client.ATTEMPTS", 1)
    with socket.socket() as host:
        host.bind(("127.0.0.1", 0))
        host.listen(1)
        client = open_client(f"http://127.0.0.1:{host.getsockname()[1]}", account="eu")
        first = asyncio.create_task(
            fetch(client, lambda: client.build_request("GET", "/"), account="eu")
        )
        await asyncio.sleep(0.05)
        with pytest.raises(Unavailable, match="eu is busy with other requests of the bot"):
            await fetch(client, lambda: client.build_request("GET", "/"), account="eu")
        first.cancel()
        await client.aclose()


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


async def test_client_ends_shared_requests_before_it_closes() -> None:
    """Their budget is settled in the store, which closes after the client."""
    client = open_client("http://127.0.0.1:1", account="eu")
    began = asyncio.Event()
    settled = list[bool]()

    async def ask() -> Reply:
        try:
            began.set()
            await asyncio.Event().wait()
        finally:
            # As a database that answers on a thread.
            await asyncio.to_thread(settled.append, client.is_closed)
        raise AssertionError

    asker = asyncio.create_task(client.coalesced("/usage", ask))
    await began.wait()
    asker.cancel()
    await asyncio.gather(asker, return_exceptions=True)
    assert not settled
    await client.aclose()
    assert settled == [False]
    assert client.is_closed
