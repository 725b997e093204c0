"""HTTP mode: the same bot behind `/slack/events`, where Slack's signature is checked."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest

from bot.app import open_bot
from bot.sandbox.world import World


@pytest.fixture
async def listening(world: World) -> AsyncIterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = world.settings(slack={"mode": "http", "port": port})
    async with open_bot(settings, world.tokens("http")) as bot, bot.connected():
        world.slack.events_url = f"http://127.0.0.1:{port}/slack/events"
        yield world.slack.events_url


async def post(url: str, body: str, headers: dict[str, str]) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as response:
        return response.status, await response.text()


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
COMMAND = urlencode(
    {"command": "/usage", "text": "help", "user_id": "U0ADA", "channel_id": "C0OPS", "trigger_id": "t", "team_id": "T0SANDBOX"}
)


async def test_a_signed_command_is_acknowledged_and_answered(world: World, listening: str) -> None:
    answer = await world.slack.answer_to("/usage last 7 days")
    assert "in 7 days" in answer.text


async def test_the_ack_does_not_wait_for_the_provider(world: World, listening: str) -> None:
    world.rapid7.be_slow(1.5, times=9)
    ack = await world.slack.command("/usage last 7 days")
    assert await asyncio.wait_for(ack.done, 1.0) == 200


async def test_a_button_works(world: World, listening: str) -> None:
    refusal = await world.slack.answer_to("/usage foo")
    await world.slack.press(refusal, "ask.0")
    assert await world.slack.until(lambda: any("in 7 days" in m.text for m in world.slack.seen()))


async def test_a_wrong_signature_is_refused(world: World, listening: str) -> None:
    headers = {**FORM, **world.slack.signed(COMMAND)}
    headers["X-Slack-Signature"] = "v0=" + "0" * 64
    assert (await post(listening, COMMAND, headers))[0] == 401
    assert (await post(listening, COMMAND, FORM))[0] == 401
    assert (await post(listening, COMMAND + "&x=1", {**FORM, **world.slack.signed(COMMAND)}))[0] == 401


async def test_a_stale_timestamp_is_refused(world: World, listening: str) -> None:
    stale = world.slack.signed(COMMAND, at=time.time() - 600)
    assert (await post(listening, COMMAND, {**FORM, **stale}))[0] == 401


async def test_the_url_can_be_verified(world: World, listening: str) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c-1", "token": "x"})
    status, text = await post(listening, body, {"Content-Type": "application/json", **world.slack.signed(body)})
    assert (status, json.loads(text)["challenge"]) == (200, "c-1")


async def test_an_ssl_check_is_answered(listening: str) -> None:
    assert (await post(listening, "ssl_check=1&token=x", FORM))[0] == 200


async def test_a_delivery_that_slack_repeats_has_one_effect(world: World, listening: str) -> None:
    body = COMMAND.replace("text=help", "text=last+7+days").replace("trigger_id=t", "trigger_id=trigger.7")
    for retry in ({}, {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}, {"X-Slack-Retry-Num": "2"}):
        assert (await post(listening, body, {**FORM, **retry, **world.slack.signed(body)}))[0] == 200
    await world.slack.answer_to("/usage last 5 days")
    assert sum("in 7 days" in m.text for m in world.slack.seen()) == 1


async def test_a_listener_that_raises_at_once_loses_no_ack(world: World, tmp_path: Path) -> None:
    async def raise_at_once() -> None:
        raise ValueError("at once")

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = world.settings(slack={"mode": "http", "port": port})
    async with open_bot(settings, world.tokens("http")) as bot:
        bot.app.command("/broken")(raise_at_once)
        async with bot.connected():
            body = COMMAND.replace("usage", "broken")
            status, _ = await post(f"http://127.0.0.1:{port}/slack/events", body, {**FORM, **world.slack.signed(body)})
    assert status == 200
