"""Rapid7's errors, retries, and answers that never come or never end."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest
from aiohttp import web

from providers.errors import (
    AuthFailed,
    NotFound,
    ProtocolError,
    ProviderError,
    RateLimited,
    Unavailable,
)
from providers.http import client as http_client
from providers.models import DayRange
from providers.rapid7.client import Rapid7
from providers.rapid7.sandbox import Rapid7Sandbox
from providers.redaction import Secret
from providers.sandbox.seed import KITCHEN
from tests.providers.rapid7.support import DAYS, body_of

ERRORS = [
    (401, "", AuthFailed),
    (403, "", AuthFailed),
    (404, "", NotFound),
    (415, "", ProtocolError),
    (400, '{"message": "Invalid query"}', ProtocolError),
    (302, "", ProtocolError),
    (429, "API rate limit exceeded", RateLimited),
    (500, "<html>oops</html>", Unavailable),
    (503, "", Unavailable),
]


@pytest.mark.parametrize(
    ("status", "body", "error"), ERRORS, ids=[str(status) for status, _, _ in ERRORS]
)
async def test_each_status_is_an_error_of_the_family(
    server: Rapid7Sandbox, rapid7: Rapid7, status: int, body: str, error: type[ProviderError]
) -> None:
    server.answer_with(status, body, times=9)
    with pytest.raises(error) as caught:
        await rapid7.usage(DAYS)
    assert caught.value.account == "rapid7-eu"
    assert caught.value.hint
    assert server.api_key not in str(caught.value)


async def test_404_on_usage_names_both_causes(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(404)
    with pytest.raises(
        NotFound, match="no usage data for this period, or the key or the region is wrong"
    ):
        await rapid7.usage(DAYS)


async def test_400_shows_the_vendors_reason(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(400, '{"message": "Invalid query: password=hunter2"}')
    with pytest.raises(ProtocolError, match=r"Invalid query: password=\[redacted\]"):
        await rapid7.usage(DAYS)


async def test_temporary_503_is_retried(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(503, times=2)
    await rapid7.usage(DAYS)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("seconds", "hint"),
    [
        ("417", "Try again in about 7 min."),
        ("18000", "Try again in about 5 h."),
        ("315360000", "Try again later."),
        ("Wed, 21 Oct 2099 07:28:00 GMT", "Try again later."),
    ],
)
async def test_long_retry_delay_is_reported(
    server: Rapid7Sandbox, rapid7: Rapid7, seconds: str, hint: str
) -> None:
    server.answer_with(429, Retry_After=seconds, times=9)
    with pytest.raises(RateLimited) as caught:
        await rapid7.usage(DAYS)
    assert caught.value.hint == hint
    assert len(server.requests) == 1


async def test_short_retry_delay_is_awaited(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(429, Retry_After="0.2")
    await rapid7.usage(DAYS)
    assert len(server.requests) == 2


async def test_nobody_listening_is_unavailable() -> None:
    client = Rapid7("gone", base_url="http://127.0.0.1:9", api_key=Secret("k"))
    with pytest.raises(Unavailable, match="gone could not be reached"):
        await client.usage(DAYS)
    await client.aclose()


async def test_redirected_request_carries_no_key(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(307, Location="http://elsewhere.example/")
    with pytest.raises(ProtocolError, match="redirect"):
        await rapid7.usage(DAYS)


async def test_503_before_first_byte_is_retried(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(503, times=2, path="/download")
    assert await body_of(rapid7, [KITCHEN])
    assert sum("/download" in path for path in server.paths()) == 3


async def test_unresponsive_server_is_reported(
    monkeypatch: pytest.MonkeyPatch, server: Rapid7Sandbox
) -> None:
    monkeypatch.setattr(http_client, "TIMEOUT", httpx.Timeout(0.1))
    client = Rapid7("eu", base_url=server.url, api_key=Secret(server.api_key))
    server.be_slow(5, times=9)
    with pytest.raises(Unavailable, match="eu stopped responding"):
        await client.usage(DAYS)
    await client.aclose()


async def test_dripping_answer_times_out(
    monkeypatch: pytest.MonkeyPatch, server: Rapid7Sandbox, rapid7: Rapid7
) -> None:
    """Each byte arrives in time, but the whole answer never does."""

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.02)

    defaults = http_client.fetch.__kwdefaults__
    assert defaults and "timeout_s" in defaults
    monkeypatch.setitem(defaults, "timeout_s", 0.3)
    server.misbehave(drip, times=9)
    with pytest.raises(Unavailable, match="did not answer within 0 s"):
        await rapid7.usage(DAYS)


async def test_endless_answer_is_refused(
    monkeypatch: pytest.MonkeyPatch, server: Rapid7Sandbox, rapid7: Rapid7
) -> None:
    monkeypatch.setattr("providers.http.reading.MOST_BODY_BYTES", 100_000)

    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 50_000)

    server.misbehave(flood)
    with pytest.raises(ProtocolError, match="sent more than 0 MB"):
        await rapid7.usage(DAYS)


async def test_many_requests_are_all_answered(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.be_slow(0.05, times=999)
    days = [DayRange(DAYS.first - timedelta(days=n), DAYS.last) for n in range(60)]
    assert len(await asyncio.gather(*(rapid7.usage(each) for each in days))) == 60
