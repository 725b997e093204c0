"""Whatever a target answers, the event is sent, refused or tried again."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.notifications.settings import HttpRequest
from bot.targets.errors import TargetRefused, TargetUnavailable
from bot.targets.http import send


@pytest.mark.parametrize("status", [400, 429, 503])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"message":"\xff\xfe"}',
        b'{"errors":["\xc3("]}',
        b'{"message":"\\ud800"}',
        b'{"errors":' + b"[" * 4000,
        b'{"errors":[1,{}],"message":1e999}',
        b"null",
    ],
)
async def test_odd_answer_shows_its_status(status: int, body: bytes) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body)

    app = web.Application()
    app.router.add_post("/", answer)
    expected = TargetRefused if status == 400 else TargetUnavailable
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        with pytest.raises(expected, match=f"HTTP {status}"):
            await send(session, HttpRequest(str(server.make_url("/")), b"{}", {}))
