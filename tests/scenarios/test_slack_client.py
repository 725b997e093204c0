"""The client for Slack's Web API: how it handles 429, and answers that do not come from Slack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from bot.errors import SlackDeliveryUnknown
from bot.sandbox.sandbox import Sandbox
from bot.slack.client import SlackClient, slack_client
from bot.slack.pace import NoRoom, Priority, SlackPace


@asynccontextmanager
async def client_of(sandbox: Sandbox, pace: SlackPace | None = None) -> AsyncIterator[SlackClient]:
    async with aiohttp.ClientSession() as session:
        yield slack_client(
            sandbox.slack.bot_token,
            f"{sandbox.slack.url}/api/",
            session,
            pace=pace or SlackPace(0.01),
        )


def too_many(
    sandbox: Sandbox,
    method: str,
    *,
    times: int = 1,
    retry_after: str = "1",
    body: str = '{"ok":false}',
) -> None:
    sandbox.slack.answer_with(
        429,
        body,
        path=method,
        times=times,
        Retry_After=retry_after,
        Content_Type="application/json",
    )


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("users.info", {"user": "U0ADA"}),
        ("chat.postMessage", {"channel": "C0OPS", "text": "Hello"}),
        ("conversations.list", {}),
        ("chat.postEphemeral", {"channel": "C0OPS", "user": "U0ADA", "text": "Hello"}),
    ],
)
async def test_429_on_any_method_is_waited_for(
    sandbox: Sandbox, method: str, arguments: dict[str, str]
) -> None:
    too_many(sandbox, method, times=5, retry_after="0")
    async with client_of(sandbox) as client:
        answer = await client.call(method, **arguments)
    assert answer["ok"]
    assert [path.endswith(f"/api/{method}") for path in sandbox.slack.paths()].count(True) == 6


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"ok":false,"error":"ratelimited"}'])
@pytest.mark.parametrize(
    "retry_after", ["0", "", "soon", "-1", "nan", "Mon, 01 Jan 2024 00:00:00 GMT"]
)
async def test_retry_after_of_any_kind_is_read(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, body: str, retry_after: str
) -> None:
    monkeypatch.setattr("bot.slack.web.WAIT_S", 0.01)
    too_many(sandbox, "users.info", retry_after=retry_after, body=body)
    async with client_of(sandbox) as client:
        assert (await client.call("users.info", user="U0ADA"))["ok"]


async def test_429_blocks_the_channel_for_everybody(sandbox: Sandbox) -> None:
    too_many(sandbox, "chat.postMessage", retry_after="1")
    async with client_of(sandbox) as client:
        several = [
            client.at(priority) for priority in (Priority.ANSWER, Priority.MESSAGE, Priority.ANSWER)
        ]
        first = asyncio.create_task(client.call("chat.postMessage", channel="C0OPS", text="First"))
        async with asyncio.timeout(60):
            while client.pace and client.pace.wait_s("C0OPS") < 0.5:
                await asyncio.sleep(0.01)
        elsewhere = asyncio.create_task(
            client.call("chat.postMessage", channel="C0KITCHEN", text="Elsewhere")
        )
        await asyncio.gather(
            *(each.call("chat.postMessage", channel="C0OPS", text="Later") for each in several),
            first,
            elsewhere,
        )
    assert sandbox.slack.paths().count("POST /api/chat.postMessage") == 6
    assert [m.text for m in sandbox.slack.messages] == [
        "Elsewhere",
        "First",
        "Later",
        "Later",
        "Later",
    ]


async def test_progress_does_not_wait_for_a_429(sandbox: Sandbox) -> None:
    too_many(sandbox, "chat.postMessage", retry_after="60")
    async with client_of(sandbox) as client:
        with pytest.raises(NoRoom):
            await client.at(Priority.PROGRESS).call(
                "chat.postMessage", channel="C0OPS", text="Working on it"
            )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("OK", "text/plain"),
        ("{", "application/json"),
        ("[1]", "application/json"),
        ("<p>", "text/html"),
    ],
)
async def test_answer_that_is_not_slacks_is_no_answer(
    sandbox: Sandbox, body: str, kind: str
) -> None:
    sandbox.slack.answer_with(200, body, path="chat.postMessage", Content_Type=kind)
    async with client_of(sandbox) as client:
        with pytest.raises(SlackDeliveryUnknown):
            await client.call("chat.postMessage", channel="C0OPS", text="Hello")


@pytest.mark.parametrize(
    ("body", "kind"), [("Bad Gateway", "text/plain"), ("{", "application/json"), ("", "text/html")]
)
async def test_error_page_of_a_proxy_leaves_delivery_unknown(
    sandbox: Sandbox, body: str, kind: str
) -> None:
    sandbox.slack.answer_with(502, body, path="chat.postMessage", Content_Type=kind)
    async with client_of(sandbox) as client:
        with pytest.raises(SlackDeliveryUnknown) as raised:
            await client.call("chat.postMessage", channel="C0OPS", text="Hello")
    assert raised.value.code == "HTTP 502"
