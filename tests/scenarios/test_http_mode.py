"""HTTP mode: the same bot behind `/slack/events`, where Slack's signature is checked."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from urllib.parse import quote_plus, urlencode

import aiohttp
import pytest

from bot.app import open_bot
from bot.health import ConnectionStatus, serve_health
from bot.sandbox.sandbox import Sandbox
from tests.support.ports import free_port


def own_address() -> str:
    """An address of this machine in its network, found without sending anything."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def signed_bytes(sandbox: Sandbox, body: bytes) -> dict[str, str]:
    stamp = str(int(time.time()))
    digest = hmac.new(
        sandbox.slack.signing_secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256
    ).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": "v0=" + digest}


@pytest.fixture
async def listening(sandbox: Sandbox) -> AsyncIterator[str]:
    port = free_port()
    settings = sandbox.settings(slack={"mode": "http", "port": port})
    async with (
        open_bot(settings, sandbox.tokens("http"), clock=sandbox.clock) as bot,
        bot.connected(),
    ):
        sandbox.slack.events_url = f"http://127.0.0.1:{port}/slack/events"
        yield sandbox.slack.events_url


async def post(url: str, body: str, headers: dict[str, str]) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=headers) as response,
    ):
        return response.status, await response.text()


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
COMMAND = urlencode(
    {
        "command": "/usage",
        "text": "help",
        "user_id": "U0ADA",
        "channel_id": "C0OPS",
        "trigger_id": "t",
        "team_id": "T0SANDBOX",
    }
)


async def test_signed_command_is_answered(sandbox: Sandbox, listening: str) -> None:
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    assert "in 7 days" in answer.text


async def test_ack_does_not_wait_for_providers(sandbox: Sandbox, listening: str) -> None:
    sandbox.rapid7.be_slow(600, times=9)
    ack = await sandbox.slack.command("/usage last 7 days")
    assert await asyncio.wait_for(ack.done, 60) == 200
    sandbox.rapid7.answer_at_once()


async def test_button_works(sandbox: Sandbox, listening: str) -> None:
    refusal = await sandbox.slack.answer_to("/usage foo")
    await sandbox.slack.press(refusal, "ask.0")
    assert await sandbox.slack.until(
        lambda: any("in 7 days" in m.text for m in sandbox.slack.seen())
    )


async def test_wrong_signature_is_refused(sandbox: Sandbox, listening: str) -> None:
    headers = {**FORM, **sandbox.slack.signed(COMMAND)}
    headers["X-Slack-Signature"] = "v0=" + "0" * 64
    assert (await post(listening, COMMAND, headers))[0] == 401
    assert (await post(listening, COMMAND, FORM))[0] == 401
    assert (await post(listening, COMMAND + "&x=1", {**FORM, **sandbox.slack.signed(COMMAND)}))[
        0
    ] == 401


async def test_stale_timestamp_is_refused(sandbox: Sandbox, listening: str) -> None:
    stale = sandbox.slack.signed(COMMAND, at=time.time() - 600)
    assert (await post(listening, COMMAND, {**FORM, **stale}))[0] == 401


MALFORMED = {
    "no number": {"X-Slack-Request-Timestamp": "now"},
    "a very long number": {"X-Slack-Request-Timestamp": "9" * 5000},
    "digits of another script": {"X-Slack-Request-Timestamp": "\u0661\u0662"},
    "from the future": {"X-Slack-Request-Timestamp": "99999999999"},
    "a signature in another script": {"X-Slack-Signature": "v0=\u0661"},
    "another version": {"X-Slack-Signature": "v1=" + "0" * 64},
    "no timestamp": {"X-Slack-Request-Timestamp": ""},
}


@pytest.mark.parametrize("given", MALFORMED.values(), ids=MALFORMED.keys())
async def test_malformed_signature_is_refused(
    sandbox: Sandbox, listening: str, given: dict[str, str]
) -> None:
    assert (await post(listening, COMMAND, {**FORM, **sandbox.slack.signed(COMMAND), **given}))[
        0
    ] == 401


async def test_refusals_are_logged_without_content(
    sandbox: Sandbox, listening: str, caplog: pytest.LogCaptureFixture
) -> None:
    forged = {
        "X-Slack-Request-Timestamp": str(int(time.time())),
        "X-Slack-Signature": "v0=" + "0" * 64,
    }
    for _ in range(30):
        assert (await post(listening, "text=hunter2", {**FORM, **forged}))[0] == 401
    refusals = [record for record in caplog.records if "was refused" in record.getMessage()]
    assert 1 <= len(refusals) <= 5
    assert {record.levelname for record in refusals} == {"WARNING"}
    assert "hunter2" not in caplog.text and "v0=" not in caplog.text
    assert "SLACK_SIGNING_SECRET" in caplog.text


@pytest.mark.parametrize(
    ("forwarded", "shown"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("10.9.8.7, 2001:db8::7", "2001:db8::7"),
        ("", "127.0.0.1"),
        ("unknown", "127.0.0.1"),
        ("203.0.113.9\u202e", "127.0.0.1"),
    ],
)
async def test_refusal_names_sender_behind_proxy(
    sandbox: Sandbox, listening: str, caplog: pytest.LogCaptureFixture, forwarded: str, shown: str
) -> None:
    assert (await post(listening, COMMAND, {**FORM, "X-Forwarded-For": forwarded}))[0] == 401
    assert f"A request from {shown} was refused" in caplog.text


UNREADABLE = {
    "nested a hundred thousand deep": '{"a":' * 100_000,
    "no object": "payload=" + quote_plus("[1, 2]"),
    "a payload that is no JSON": "payload={",
    "not UTF-8": "payload=\udcff",
    "parts of another kind": json.dumps(
        {"type": "event_callback", "authorizations": 7, "team": "T", "user": ["U"]}
    ),
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_unreadable_body_is_refused(sandbox: Sandbox, listening: str, body: str) -> None:
    raw = body.encode("utf-8", "surrogateescape")
    async with aiohttp.ClientSession() as session:
        headers = {**FORM, **signed_bytes(sandbox, raw)}
        async with session.post(listening, data=raw, headers=headers) as response:
            assert response.status == 400
    assert "in 7 days" in (await sandbox.slack.answer_to("/usage last 7 days")).text


async def test_large_body_is_refused(sandbox: Sandbox, listening: str) -> None:
    body = "text=" + "a" * 3_000_000
    # It may be refused before all of it was sent.
    with suppress(aiohttp.ClientConnectionError):
        assert (await post(listening, body, {**FORM, **sandbox.slack.signed(body)}))[0] == 413
    assert "in 7 days" in (await sandbox.slack.answer_to("/usage last 7 days")).text


async def test_unhandled_event_is_acknowledged(sandbox: Sandbox, listening: str) -> None:
    event = {"type": "message", "channel": "C0OPS", "user": "U0ADA", "text": "hello", "ts": "1.1"}
    body = json.dumps(
        {"type": "event_callback", "event_id": "Ev1", "team_id": "T0SANDBOX", "event": event}
    )
    assert (
        await post(
            listening, body, {"Content-Type": "application/json", **sandbox.slack.signed(body)}
        )
    )[0] == 200


async def test_idle_connections_block_nobody(sandbox: Sandbox, listening: str) -> None:
    """There are more of them than the usual limit of open files of a process."""
    port = int(listening.split(":")[2].split("/", maxsplit=1)[0])
    async with AsyncExitStack() as stack:
        for _ in range(1100):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
        assert "in 7 days" in (await sandbox.slack.answer_to("/usage last 7 days")).text


async def test_idle_health_connections_block_nobody(sandbox: Sandbox, listening: str) -> None:
    port = free_port()
    slack = ConnectionStatus(connected=True, problem="")

    async def database_works() -> bool:
        return True

    before = len(os.listdir("/proc/self/fd"))
    async with serve_health(port, slack, database_works), AsyncExitStack() as stack:
        for _ in range(1100):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/readyz") as response,
        ):
            assert response.status == 200
        assert "in 7 days" in (await sandbox.slack.answer_to("/usage last 7 days")).text
        # Our own ends of them, and no more than the cap on the other side.
        assert len(os.listdir("/proc/self/fd")) - before < 1100 + 100 + 100


async def test_default_host_is_loopback(sandbox: Sandbox, listening: str) -> None:
    port = int(listening.split(":")[2].split("/", maxsplit=1)[0])
    own = own_address()
    if own == "127.0.0.1":
        pytest.skip("this machine has no other address")
    with pytest.raises(OSError):
        await asyncio.wait_for(asyncio.open_connection(own, port), 60)


async def test_configured_host_is_used(sandbox: Sandbox) -> None:
    port = free_port()
    settings = sandbox.settings(slack={"mode": "http", "port": port, "host": "0.0.0.0"})
    async with (
        open_bot(settings, sandbox.tokens("http"), clock=sandbox.clock) as bot,
        bot.connected(),
    ):
        assert (await post(f"http://{own_address()}:{port}/slack/events", "ssl_check=1", FORM))[
            0
        ] == 200


@pytest.mark.parametrize("base_path", ["/opswatch", "/chat/opswatch/"])
async def test_base_path_is_served(sandbox: Sandbox, base_path: str) -> None:
    port = free_port()
    settings = sandbox.settings(slack={"mode": "http", "port": port, "base_path": base_path})
    async with (
        open_bot(settings, sandbox.tokens("http"), clock=sandbox.clock) as bot,
        bot.connected(),
    ):
        site = f"http://127.0.0.1:{port}"
        sandbox.slack.events_url = f"{site}{base_path.rstrip('/')}/slack/events"
        assert "in 7 days" in (await sandbox.slack.answer_to("/usage last 7 days")).text
        signed = {**FORM, **sandbox.slack.signed(COMMAND)}
        for path in ("/slack/events", "/slack/events/", f"{base_path}//slack/events", "/"):
            assert (await post(f"{site}{path}", COMMAND, signed))[0] == 404


async def test_modal_can_be_submitted(sandbox: Sandbox, listening: str) -> None:
    help_ = await sandbox.slack.answer_to("/usage help")
    await sandbox.slack.press(help_, "modal.question")
    view = await sandbox.slack.until(sandbox.slack.modal)
    await sandbox.slack.submit(view, window="last 7 days")
    assert await sandbox.slack.until(
        lambda: any("in 7 days" in m.text for m in sandbox.slack.seen())
    )


async def test_mention_is_answered_in_its_thread(sandbox: Sandbox, listening: str) -> None:
    mention = await sandbox.slack.say("@Opswatch usage last 7 days")
    answer = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "in 7 days" in m.text), None)
    )
    assert answer.thread_ts == mention.ts


async def test_last_event_is_recorded(sandbox: Sandbox) -> None:
    port = free_port()
    settings = sandbox.settings(slack={"mode": "http", "port": port})
    async with (
        open_bot(settings, sandbox.tokens("http"), clock=sandbox.clock) as bot,
        bot.connected(),
    ):
        sandbox.slack.events_url = f"http://127.0.0.1:{port}/slack/events"
        assert bot.slack.last_event is None
        await sandbox.slack.answer_to("/usage help")
        assert bot.slack.last_event is not None


async def test_url_verification_is_answered(sandbox: Sandbox, listening: str) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c-1", "token": "x"})
    status, text = await post(
        listening, body, {"Content-Type": "application/json", **sandbox.slack.signed(body)}
    )
    assert (status, json.loads(text)["challenge"]) == (200, "c-1")


async def test_ssl_check_is_answered(listening: str) -> None:
    assert (await post(listening, "ssl_check=1&token=x", FORM))[0] == 200


async def test_repeated_delivery_has_one_effect(sandbox: Sandbox, listening: str) -> None:
    body = COMMAND.replace("text=help", "text=last+7+days").replace(
        "trigger_id=t", "trigger_id=trigger.7"
    )
    for retry in (
        {},
        {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"},
        {"X-Slack-Retry-Num": "2"},
    ):
        assert (await post(listening, body, {**FORM, **retry, **sandbox.slack.signed(body)}))[
            0
        ] == 200

    def answers() -> int:
        return sum("in 7 days" in m.text for m in sandbox.slack.seen())

    # A later question may be answered first.
    await sandbox.slack.until(answers)
    await sandbox.slack.answer_to("/usage last 5 days")
    assert answers() == 1


async def test_raising_listener_is_still_acknowledged(sandbox: Sandbox) -> None:
    async def raise_at_once() -> None:
        raise ValueError("at once")

    port = free_port()
    settings = sandbox.settings(slack={"mode": "http", "port": port})
    async with open_bot(settings, sandbox.tokens("http"), clock=sandbox.clock) as bot:
        bot.app.command("/broken")(raise_at_once)
        async with bot.connected():
            body = COMMAND.replace("usage", "broken")
            status, _ = await post(
                f"http://127.0.0.1:{port}/slack/events",
                body,
                {**FORM, **sandbox.slack.signed(body)},
            )
    assert status == 200
