"""Budgets: reserved before requests, settled after them, updated from answers, kept across
restarts, and never exceeded by concurrent requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from bot.store import Store
from providers.errors import NotFound, RateLimited, Unavailable
from providers.http.reply import Reply, parse_quota
from providers.limits.rate_limiter import (
    Limit,
    MemoryRateLimitStore,
    RateLimiter,
    RateLimitStore,
    ReportedQuota,
    Reservation,
    Throttle,
    available_at,
    fingerprint,
)
from providers.models import DayRange, Window
from providers.rapid7.client import Rapid7
from providers.rapid7.limits import LIMITS
from providers.rapid7.sandbox import Rapid7Sandbox
from providers.redaction import Secret

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS = DayRange(NOON.date(), NOON.date())
WINDOW = Window(NOON - timedelta(minutes=20), NOON)
KITCHEN = "aee00b66-a543-43dc-b093-53963c2e8f41"
KEY = Secret("kitchen-api-key")
THREE = {"download": Limit("downloads", 3, bytes=100)}


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def ahead(self, **by: int) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "stored"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RateLimitStore]:
    """Both stores must behave the same."""
    if request.param == "memory":
        yield MemoryRateLimitStore()
        return
    store = await Store.open(tmp_path / "bot.sqlite", now=NOON)
    yield store.rate_limits
    await store.close()


def budget_of(store: RateLimitStore, clock: Clock, **changes: Any) -> RateLimiter:
    return RateLimiter("eu", changes.get("key", KEY), changes.get("limits", THREE), store, clock)


async def test_exhausted_budget_names_time_of_recovery(store: RateLimitStore, clock: Clock) -> None:
    budget = budget_of(store, clock)
    for _ in range(3):
        await budget.commit("download", await budget.reserve("download"))
        clock.ahead(minutes=4)
    with pytest.raises(RateLimited, match="3 downloads and 0 GB in 15 min") as caught:
        await budget.reserve("download")
    assert caught.value.hint == "Try again at 12:15:00 UTC, in about 3 min."
    clock.ahead(minutes=3)
    assert await budget.reserve("download") is not None


async def test_unused_reserved_bytes_are_returned(store: RateLimitStore, clock: Clock) -> None:
    budget = budget_of(store, clock)
    first = await budget.reserve("download", size=60)
    with pytest.raises(RateLimited):
        await budget.reserve("download", size=60)
    await budget.commit("download", first, size=10)
    assert await budget.reserve("download", size=60) is not None


async def test_oversized_reservation_takes_the_whole_budget(
    store: RateLimitStore, clock: Clock
) -> None:
    assert await budget_of(store, clock).reserve("download", size=10**15) is not None


async def test_reported_quota_replaces_our_count(store: RateLimitStore, clock: Clock) -> None:
    """Somebody else uses the same key, so less remains than our own count says; or the limit is
    higher than documented.
    """
    budget = budget_of(store, clock)
    reservation = await budget.reserve("download")
    await budget.commit(
        "download",
        reservation,
        reported=ReportedQuota(NOON, NOON, NOON + timedelta(minutes=2), requests=0),
    )
    clock.ahead(seconds=10)
    with pytest.raises(RateLimited, match="rate limit") as caught:
        await budget.reserve("download")
    assert caught.value.retry_after_s == 110
    clock.ahead(minutes=2)
    reservation = await budget.reserve("download")
    await budget.commit(
        "download",
        reservation,
        reported=ReportedQuota(
            clock.now, clock.now, clock.now + timedelta(minutes=15), requests=150
        ),
    )
    clock.ahead(seconds=1)
    for _ in range(20):
        await budget.commit("download", await budget.reserve("download"))


async def test_budget_belongs_to_the_key(store: RateLimitStore, clock: Clock) -> None:
    for _ in range(3):
        await budget_of(store, clock).reserve("download")
    assert await budget_of(store, clock, key=Secret("another-key")).reserve("download")
    with pytest.raises(RateLimited):
        await budget_of(store, clock).reserve("download")


async def test_unlimited_window_is_free(store: RateLimitStore, clock: Clock) -> None:
    assert await budget_of(store, clock).reserve("describe") is None


async def test_lockout_expires(store: RateLimitStore) -> None:
    await store.lock_out("login", until=NOON, why="refused")
    assert await store.lockout_reason("login", now=NOON - timedelta(seconds=1)) == "refused"
    assert await store.lockout_reason("login", now=NOON) is None
    assert await store.lockout_reason("other", now=NOON - timedelta(seconds=1)) is None


async def test_concurrent_processes_never_exceed_the_budget(tmp_path: Path, clock: Clock) -> None:
    stores = [await Store.open(tmp_path / "bot.sqlite", now=NOON) for _ in range(4)]
    budgets = [
        budget_of(store.rate_limits, clock, limits={"download": Limit("downloads", 20)})
        for store in stores
    ]
    found = await asyncio.gather(
        *(budgets[n % 4].reserve("download") for n in range(60)), return_exceptions=True
    )
    assert sum(isinstance(reservation, Reservation) for reservation in found) == 20
    assert sum(isinstance(reservation, RateLimited) for reservation in found) == 40
    for store in stores:
        await store.close()


async def test_budget_survives_restart(tmp_path: Path, clock: Clock) -> None:
    for _ in range(3):
        store = await Store.open(tmp_path / "bot.sqlite", now=NOON)
        await budget_of(store.rate_limits, clock).reserve("download")
        await store.close()
    store = await Store.open(tmp_path / "bot.sqlite", now=NOON)
    with pytest.raises(RateLimited):
        await budget_of(store.rate_limits, clock).reserve("download")
    await store.close()
    assert b"kitchen-api-key" not in (tmp_path / "bot.sqlite").read_bytes()


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60)), max_size=40))
def test_no_window_exceeds_its_limit(asked: list[tuple[int, int]]) -> None:
    """A caller that waits until the announced time may send its request, and no quarter of an hour
    has more requests than its limit.
    """
    limit = Limit("downloads", 5, bytes=100)
    spends = list[Reservation]()
    now = NOON
    for minutes, size in asked:
        now += timedelta(minutes=minutes)
        recent = [s for s in spends if s.at > now - limit.window]
        when = available_at(limit, recent, None, size=size, now=now)
        for _ in range(10):
            if when is None:
                break
            assert when > now
            now = when
            recent = [s for s in spends if s.at > now - limit.window]
            when = available_at(limit, recent, None, size=size, now=now)
        assert when is None
        spends.append(Reservation(len(spends), now, size))
        assert len(recent) < limit.requests
        assert sum(s.bytes for s in recent) + size <= 100


@pytest.mark.parametrize(
    ("status", "headers", "requests", "size", "seconds"),
    [
        (200, {"X-RateLimit-Remaining": "498", "X-RateLimit-Reset": "412"}, 498, None, 412),
        (
            200,
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOON.timestamp()) + 60)},
            0,
            None,
            60,
        ),
        (
            200,
            {"R7-RateLimit-LimitBytes": "75000000000", "R7-RateLimit-RemainingBytes": "74"},
            None,
            74,
            900,
        ),
        (429, {"Retry-After": "417"}, 0, None, 417),
        (429, {"Retry-After": "99999999"}, 0, None, 3600),
        (200, {"X-RateLimit-Remaining": "-3", "X-RateLimit-Reset": "412"}, None, None, None),
        (200, {"X-RateLimit-Remaining": "many"}, None, None, None),
        (200, {"X-RateLimit-Remaining": "12"}, None, None, None),
        (429, {}, None, None, None),
        (200, {}, None, None, None),
    ],
)
def test_remaining_quota_is_read_from_answers(
    status: int, headers: dict[str, str], requests: Any, size: Any, seconds: Any
) -> None:
    date = {"Date": "Fri, 20 Nov 2026 12:00:00 GMT"}
    reported = parse_quota(Reply(status, httpx.Headers({**date, **headers}), b""), now=lambda: NOON)
    if seconds is None:
        assert reported is None
        return
    assert reported is not None
    assert (reported.requests, reported.bytes) == (requests, size)
    assert (reported.resets_at - NOON).total_seconds() == pytest.approx(seconds)


@pytest.fixture
async def server() -> AsyncIterator[Rapid7Sandbox]:
    sandbox = Rapid7Sandbox()
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


@pytest.fixture
async def rapid7(server: Rapid7Sandbox, store: RateLimitStore) -> AsyncIterator[Rapid7]:
    client = Rapid7(
        "eu", base_url=server.url, api_key=Secret(server.api_key), rate_limit_store=store
    )
    yield client
    await client.aclose()


async def read(rapid7: Rapid7, most_bytes: int = 10**9) -> bytes:
    async with rapid7.download(
        [KITCHEN], WINDOW, query="", limit=1000, most_bytes=most_bytes
    ) as stream:
        return b"".join([piece async for piece in stream])


async def test_last_allowed_request_succeeds(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(
        200, '{"daily_usage":[]}', X_RateLimit_Remaining="0", X_RateLimit_Reset="412"
    )
    await rapid7.usage(DAYS)
    asked = len(server.requests)
    with pytest.raises(RateLimited, match="rate limit") as caught:
        await rapid7.usage(DayRange(DAYS.first - timedelta(days=1), DAYS.last))
    assert caught.value.retry_after_s == pytest.approx(412, abs=5)
    assert len(server.requests) == asked


async def test_requests_wait_after_a_429(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(429, "API rate limit exceeded", Retry_After="417")
    with pytest.raises(RateLimited, match="rate limit"):
        await read(rapid7)
    asked = len(server.requests)
    with pytest.raises(RateLimited, match="rate limit") as caught:
        await read(rapid7)
    assert len(server.requests) == asked
    assert "in about 7 min" in caught.value.hint


async def test_failed_try_uses_the_budget(server: Rapid7Sandbox, store: RateLimitStore) -> None:
    client = Rapid7(
        "eu", base_url=server.url, api_key=Secret(server.api_key), rate_limit_store=store
    )
    client._budget._limits = {"download": Limit("downloads", 2)}
    server.answer_with(503, "", times=99, path="/download")
    with pytest.raises(RateLimited, match="rate limit"):
        await read(client)
    assert sum("download" in path for path in server.paths()) == 2
    await client.aclose()


async def test_download_is_settled_with_received_bytes(
    server: Rapid7Sandbox, store: RateLimitStore
) -> None:
    client = Rapid7(
        "eu", base_url=server.url, api_key=Secret(server.api_key), rate_limit_store=store
    )
    for _ in range(4):
        assert await read(client, most_bytes=60_000_000_000)
    await client.aclose()


async def test_refused_download_returns_its_bytes(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    for _ in range(3):
        server.answer_with(404, "", path="/download")
        with pytest.raises(NotFound):
            await read(rapid7, most_bytes=60_000_000_000)


def test_limits_are_as_documented() -> None:
    assert (LIMITS["download"].requests, LIMITS["download"].bytes) == (
        150,
        75_000_000_000,
    )
    assert {scope: limit.requests for scope, limit in LIMITS.items()} == {
        "download": 150,
        "usage": 500,
        "query": 1500,
        "polls": 10_000,
        "management": 1500,
    }


def test_fingerprint_does_not_reveal_its_key() -> None:
    assert fingerprint(KEY) == fingerprint(Secret(KEY.open()))
    assert KEY.open() not in fingerprint(KEY)
    assert fingerprint(KEY) != fingerprint(Secret("other"))


async def test_throttle_limits_requests_per_second() -> None:
    throttle = Throttle(200)
    loop = asyncio.get_running_loop()
    started = loop.time()
    await asyncio.gather(*(throttle.wait() for _ in range(21)))
    assert loop.time() - started >= 0.099


async def test_unavailable_vendor_is_not_contacted(
    server: Rapid7Sandbox, rapid7: Rapid7, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(rapid7._client.circuit, "clock", lambda: now)

    async def cut(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    server.misbehave(cut, times=10_000)
    for day in range(5):
        with pytest.raises(Unavailable, match="broke off"):
            await rapid7.usage(DayRange(DAYS.first - timedelta(days=day), DAYS.last))
    asked = len(server.requests)
    with pytest.raises(
        Unavailable, match="failed 5 times in a row, so requests to it are paused"
    ) as caught:
        await rapid7.usage(DAYS)
    assert caught.value.hint == "Requests continue in about 15 s; ask again then."
    with pytest.raises(Unavailable, match="are paused"):
        await read(rapid7)
    assert len(server.requests) == asked
    now += 16
    with pytest.raises(Unavailable, match="broke off"):
        await rapid7.usage(DAYS)
    with pytest.raises(Unavailable, match="are paused"):
        await rapid7.usage(DAYS)
    server.faults.clear()
    now += 31
    await rapid7.usage(DAYS)
    await read(rapid7)


async def test_refusals_do_not_open_the_circuit(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(404, "", times=20)
    for day in range(8):
        with pytest.raises(NotFound):
            await rapid7.usage(DayRange(DAYS.first - timedelta(days=day), DAYS.last))
