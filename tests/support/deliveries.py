"""Shared by tests of deliveries: texts that a person sees, requests that Slack rejects or cuts off, and
reports after a crash.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import Message
from bot.slack.socket_mode import SocketTimeouts

PRIVATE = "/apiaudit iot 24h"
HURRIED = SocketTimeouts(
    open=2.0, hello=0.5, ping=5.0, linger=1.0, first_wait=0.05, longest_wait=0.2, lost=0.3
)


def texts(sandbox: Sandbox, user: str = "U0ADA") -> list[str]:
    return [message.text for message in sandbox.slack.seen(user)]


async def working(sandbox: Sandbox) -> Message:
    """The message that shows the progress of work."""
    shown = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if m.text.startswith("Working on")), None)
    )
    assert isinstance(shown, Message)
    return shown


async def until_lost(bot: Bot, count: int = 1) -> None:
    """Waits until interrupted questions are reported."""
    async with asyncio.timeout(30):
        while [a.outcome for a in await bot.store.questions.latest()] != ["lost"] * count:
            await asyncio.sleep(0.02)


async def look_up_asker(bot: Bot) -> None:
    """Asks Slack about Ada and her channel: what is not known of them would make an answer private."""
    await bot.requests.people.membership("U0ADA")
    await bot.requests.permissions.private_reason("usage", "C0OPS")


def refuse(sandbox: Sandbox, method: str, error: str, times: int = 1) -> None:
    body = json.dumps({"ok": False, "error": error})
    sandbox.slack.answer_with(
        200, body, path=f"/api/{method}", times=times, Content_Type="application/json"
    )


def cut(
    sandbox: Sandbox,
    path: str,
    *,
    after: Callable[[web.Request], Any] | None = None,
    times: int = 1,
) -> None:
    """Cuts the connection of the next requests, after handling them or without doing so."""

    async def act(request: web.Request) -> web.StreamResponse:
        if after:
            await after(request)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    sandbox.slack.misbehave(act, path=path, times=times)


def answer_never(
    sandbox: Sandbox,
    path: str,
    *,
    after: Callable[[web.Request], Any] | None = None,
) -> asyncio.Event:
    """Leaves the next request unanswered, whether it is handled or not. The event is set once the
    request has been handled.
    """
    handled = asyncio.Event()

    async def act(request: web.Request) -> web.StreamResponse:
        if after:
            await after(request)
        handled.set()
        # Until the client gives up.
        await asyncio.Event().wait()
        return web.Response()

    sandbox.slack.misbehave(act, path=path)
    return handled
