"""Logins, sessions that expire, and organisations."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.store import Store
from providers.devicewise.auth import Credentials
from providers.devicewise.client import DeviceWise
from providers.devicewise.sandbox import DeviceWiseSandbox
from providers.errors import (
    AuthFailed,
    ProtocolError,
)
from providers.models import CallFilters, CallPage
from providers.redaction import Secret
from tests.providers.devicewise.support import NOON, WINDOW, bodies, client_of, rows


async def test_application_logs_in_with_its_token(server: DeviceWiseSandbox) -> None:
    client = client_of(
        server,
        credentials=Credentials(
            app_token=Secret("app-token-1"), app_id=Secret("app-id-1"), thing_key="opswatch-thing"
        ),
    )
    await client.calls(WINDOW, CallFilters())
    await client.aclose()
    assert bodies(server, "api.authenticate")[0]["params"] == {
        "appToken": "app-token-1",
        "appId": "app-id-1",
        "thingKey": "opswatch-thing",
    }


async def test_concurrent_requests_share_one_session(
    server: DeviceWiseSandbox, iot: DeviceWise
) -> None:
    await asyncio.gather(*(iot.calls(WINDOW, CallFilters()) for _ in range(8)))
    assert server.logins == 1


async def test_expired_session_is_renewed_once(server: DeviceWiseSandbox, iot: DeviceWise) -> None:
    await iot.calls(WINDOW, CallFilters())
    server.forget_sessions()
    await asyncio.gather(*(iot.calls(WINDOW, CallFilters()) for _ in range(8)))
    assert server.logins == 2


async def test_session_ending_between_pages_loses_nothing(
    server: DeviceWiseSandbox, iot: DeviceWise
) -> None:
    server.rows = lambda start, end: rows(250)
    server.page_rows = 100
    pages = 0

    async def forget_once(_: web.Request) -> None:
        nonlocal pages
        pages += 1
        if pages == 3:
            server.forget_sessions()

    server.misbehave(forget_once, times=99)
    page = await iot.calls(WINDOW, CallFilters())
    assert (len(page.calls), page.complete, server.logins) == (250, True, 2)


async def test_organisation_is_selected(server: DeviceWiseSandbox) -> None:
    client = client_of(server, org="CELLAR")
    await client.calls(WINDOW, CallFilters())
    await client.aclose()
    assert list(server.sessions.values()) == ["CELLAR"]
    assert bodies(server, "session.org.switch") == [
        {"command": "session.org.switch", "params": {"key": "CELLAR"}}
    ]


async def test_foreign_organisation_is_reported(server: DeviceWiseSandbox) -> None:
    client = client_of(server, org="ELSEWHERE")
    with pytest.raises(AuthFailed, match="is not allowed to switch to the organisation ELSEWHERE"):
        await client.calls(WINDOW, CallFilters())
    await client.aclose()


async def test_wrong_password_is_tried_once(server: DeviceWiseSandbox) -> None:
    client = client_of(
        server, credentials=Credentials(username="ada", password=Secret("wrong-password"))
    )
    for _ in range(5):
        with pytest.raises(AuthFailed, match="refused the login") as caught:
            await client.calls(WINDOW, CallFilters())
        assert "wrong-password" not in str(caught.value)
    await client.aclose()
    assert server.logins == 1


async def test_wrong_password_is_not_retried_after_restart(
    server: DeviceWiseSandbox, tmp_path: Path
) -> None:
    async def ask_with(password: str) -> CallPage:
        store = await Store.open(tmp_path / "bot.sqlite", now=NOON)
        client = client_of(
            server,
            credentials=Credentials(username=server.username, password=Secret(password)),
            rate_limit_store=store.rate_limits,
        )
        try:
            return await client.calls(WINDOW, CallFilters())
        finally:
            await client.aclose()
            await store.close()

    for _ in range(3):
        with pytest.raises(AuthFailed, match="refused the login") as caught:
            await ask_with("wrong-password")
        assert "not tried again for 30 minutes" in caught.value.hint
    assert server.logins == 1
    assert b"wrong-password" not in (tmp_path / "bot.sqlite").read_bytes()
    assert (await ask_with(server.password)).calls


async def test_processes_try_a_wrong_password_once(
    server: DeviceWiseSandbox, tmp_path: Path
) -> None:
    server.be_slow(0.3, times=10)

    async def ask() -> str:
        store = await Store.open(tmp_path / "bot.sqlite", now=NOON)
        client = client_of(
            server,
            credentials=Credentials(username=server.username, password=Secret("wrong-password")),
            rate_limit_store=store.rate_limits,
        )
        try:
            with pytest.raises(AuthFailed) as caught:
                await client.calls(WINDOW, CallFilters())
            return caught.value.message
        finally:
            await client.aclose()
            await store.close()

    messages = await asyncio.gather(*(ask() for _ in range(4)))
    assert server.logins == 1
    assert len(set(messages)) == 1


async def test_second_factor_is_explained(server: DeviceWiseSandbox, iot: DeviceWise) -> None:
    server.mfa = True
    with pytest.raises(AuthFailed, match="second factor"):
        await iot.calls(WINDOW, CallFilters())


async def test_refused_new_session_is_not_renewed_again(
    server: DeviceWiseSandbox, iot: DeviceWise
) -> None:
    await iot.calls(WINDOW, CallFilters())
    asked = len(server.requests)
    good = {"auth": {"success": True, "params": {"sessionId": "f" * 32}}}
    bad = {
        "success": False,
        "errorCodes": [-90000],
        "errorMessages": ["Authentication session is invalid: [f00d]"],
    }
    for answer in (bad, good, bad):
        server.answer_with(200, json.dumps(answer))
    with pytest.raises(AuthFailed, match="does not accept the session"):
        await iot.calls(WINDOW, CallFilters())
    assert len(server.requests) == asked + 3


async def test_after_renewal_the_organisation_is_switched_to_again(
    server: DeviceWiseSandbox,
) -> None:
    client = client_of(server, org="CELLAR")
    await client.calls(WINDOW, CallFilters())
    server.forget_sessions()
    await client.calls(WINDOW, CallFilters())
    await client.aclose()
    assert list(server.sessions.values()) == ["CELLAR"]
    assert len(bodies(server, "session.org.switch")) == 2


@pytest.mark.parametrize(
    "session",
    ["\ud800", "", "a b", "x" * 100_000, "a\nb", 5, None, ["x"]],
    ids=lambda value: repr(value)[:20],
)
async def test_missing_session_is_a_protocol_error(
    server: DeviceWiseSandbox, iot: DeviceWise, session: Any
) -> None:
    server.answer_with(
        200, json.dumps({"auth": {"success": True, "params": {"sessionId": session}}})
    )
    with pytest.raises(ProtocolError, match="sent no session"):
        await iot.calls(WINDOW, CallFilters())
