"""Slash commands reach their listeners without arguments that none of our listeners takes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp, AsyncBoltContext
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.bolt import CommandApp, CommandRequest


async def authorize() -> AuthorizeResult:
    return AuthorizeResult(enterprise_id=None, team_id="T0KITCHEN", bot_token="xoxb-1")


def command_app() -> AsyncApp:
    return CommandApp(
        name="kitchen",
        client=AsyncWebClient(token="xoxb-1"),
        signing_secret="secret",
        authorize=authorize,
        request_verification_enabled=False,
    )


def command(text: str, *, is_short: bool = True) -> AsyncBoltRequest:
    body = {"command": "/soup", "text": text, "team_id": "T0KITCHEN", "user_id": "U0ADA"}
    return CommandRequest(body) if is_short else AsyncBoltRequest(mode="socket_mode", body=body)


@pytest.mark.parametrize("is_short", [False, True])
@pytest.mark.parametrize("by_bolt", [False, True])
async def test_command_reaches_its_listener_after_ack(by_bolt: bool, is_short: bool) -> None:
    app = command_app()
    received = asyncio.get_running_loop().create_future()

    async def ours(body: dict[str, Any], context: AsyncBoltContext) -> None:
        assert context.ack.response is not None
        received.set_result(body["text"])

    async def theirs(ack: Any, command: dict[str, Any], context: AsyncBoltContext) -> None:
        await ack()
        assert (context.team_id, context.user_id) == ("T0KITCHEN", "U0ADA")
        received.set_result(command["text"])

    app.command("/soup")(theirs if by_bolt else ours)
    response = await app.async_dispatch(command("onion", is_short=is_short))
    async with asyncio.timeout(30):
        assert (response.status, await received) == (200, "onion")


async def test_retried_command_keeps_its_headers() -> None:
    app = command_app()
    received = asyncio.get_running_loop().create_future()

    async def theirs(request: AsyncBoltRequest) -> None:
        received.set_result(request.headers)

    app.command("/soup")(theirs)
    body = {"command": "/soup", "text": "onion", "team_id": "T0KITCHEN", "user_id": "U0ADA"}
    headers = {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "timeout"}
    request = CommandRequest(body, {**headers})
    await app.async_dispatch(request)
    expected = {"x-slack-retry-num": ["1"], "x-slack-retry-reason": ["timeout"]}
    async with asyncio.timeout(30):
        assert await received == request.headers == expected


async def test_failing_listener_is_reported() -> None:
    app = command_app()
    reported = asyncio.get_running_loop().create_future()

    async def fail(context: AsyncBoltContext) -> None:
        context["target"] = "U0ADA"
        raise ValueError("burnt")

    async def report(error: Exception, context: AsyncBoltContext) -> None:
        reported.set_result((str(error), context["target"]))

    app.command("/soup")(fail)
    app.error(report)
    response = await app.async_dispatch(command("onion"))
    async with asyncio.timeout(30):
        assert (response.status, await reported) == (200, ("burnt", "U0ADA"))
