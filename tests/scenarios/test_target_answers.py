"""How answers of targets are interpreted: sent, rejected permanently, or to be retried."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web

from bot.notifications import pagerduty
from bot.sandbox.targets import PagerDutySandbox
from bot.targets.errors import TargetError, TargetRefused, TargetUnavailable
from bot.targets.http import send
from providers.redaction import Secret
from tests.bot.test_notifications import EVENT

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
async def server() -> AsyncIterator[PagerDutySandbox]:
    opened = PagerDutySandbox()
    await opened.start()
    yield opened
    await opened.stop()


async def sent(server: PagerDutySandbox) -> TargetError | None:
    """The error that sending an event raises."""
    settings = pagerduty.PagerDutySettings.model_construct(
        kind="pagerduty", routing_key=Secret(server.routing_key), base_url=server.url, region="us"
    )
    async with aiohttp.ClientSession() as session:
        try:
            await send(session, pagerduty.render(settings, EVENT, NOW))
        except TargetError as error:
            return error
    return None


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_any_success_is_accepted(server: PagerDutySandbox, status: int) -> None:
    server.answer_with(status, b"anything")
    assert await sent(server) is None


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (301, "a redirect, which is not followed"),
        (308, "a redirect, which is not followed"),
        (400, ""),
        (401, "Check its key"),
        (403, "Check its key"),
        (404, "Check its address"),
        (410, "Check its address"),
        (422, ""),
    ],
)
async def test_final_status_is_refused(server: PagerDutySandbox, status: int, hint: str) -> None:
    server.answer_with(status, b"no", Location="https://elsewhere.example.com/")
    error = await sent(server)
    assert isinstance(error, TargetRefused)
    assert error.code == f"HTTP {status}"
    assert hint in error.hint
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_passing_status_is_tried_again(server: PagerDutySandbox, status: int) -> None:
    server.answer_with(status, Retry_After="7")
    error = await sent(server)
    assert isinstance(error, TargetUnavailable)
    assert error.retry_after_s == 7


@pytest.mark.parametrize(
    ("header", "expected"),
    [("0", 0), ("99999999", None), ("-1", None), ("9" * 7, 900), ("soon", None), ("²", None)],
)
async def test_odd_retry_after_is_bounded(
    server: PagerDutySandbox, header: str, expected: float | None
) -> None:
    server.answer_with(503, Retry_After=header)
    error = await sent(server)
    assert isinstance(error, TargetUnavailable)
    assert error.retry_after_s == expected


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"message": "Invalid", "errors": ["a", "b"]}', "HTTP 400: a; b"),
        (b'{"message": "Not\\u202e now"}', "HTTP 400: Not· now"),
        (b'{"errors": {"message": "wrong"}}', "HTTP 400"),
        (b'{"errors": [1, null]}', "HTTP 400"),
        (b'{"message": 5}', "HTTP 400"),
        (b"<html>", "HTTP 400"),
        (b"[" * 4000, "HTTP 400"),
        (b"\xff\xfe", "HTTP 400"),
    ],
)
async def test_only_known_reasons_are_shown(
    server: PagerDutySandbox, body: bytes, code: str
) -> None:
    server.answer_with(400, body)
    error = await sent(server)
    assert error is not None
    assert error.code == code


async def test_long_answer_is_not_read_whole(server: PagerDutySandbox) -> None:
    server.answer_with(400, b'{"message": "' + b"x" * 10_000_000 + b'"}')
    error = await sent(server)
    assert error is not None
    assert error.code == "HTTP 400"


async def test_no_connection_is_tried_again(server: PagerDutySandbox) -> None:
    async def cut(request: web.Request) -> web.Response:
        assert request.transport
        request.transport.abort()
        return web.Response()

    server.misbehave(cut)
    assert isinstance(await sent(server), TargetUnavailable)
    await server.stop()
    assert isinstance(await sent(server), TargetUnavailable)
