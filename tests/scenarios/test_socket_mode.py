"""Slack can fail too: the connection is renewed, breaks, stalls or is refused, and the bot
reconnects by itself.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.app import Bot, open_bot
from bot.health import ConnectionStatus, serve_health
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, Message
from bot.slack.socket_mode import SocketTimeouts
from bot.store import QuestionRecord, Store

# The same waits as in production, hurried.
HURRIED = SocketTimeouts(
    open=2.0, hello=0.5, ping=0.4, linger=1.0, first_wait=0.05, longest_wait=0.2, lost=0.3
)


@asynccontextmanager
async def hurried_bot(sandbox: Sandbox) -> AsyncIterator[Bot]:
    async with (
        open_bot(
            sandbox.settings(), sandbox.tokens(), timeouts=HURRIED, clock=sandbox.clock
        ) as bot,
        bot.connected(),
    ):
        yield bot


async def connected(sandbox: Sandbox, bot: Bot) -> None:
    async with asyncio.timeout(60):
        while not (bot.slack.connected and sandbox.slack.sockets):
            await asyncio.sleep(0.01)


async def replaced(sandbox: Sandbox, old: web.WebSocketResponse) -> None:
    """Waits until there is a newer connection."""
    await sandbox.slack.until(lambda: sandbox.slack.sockets[-1] is not old)


async def test_connection_refresh_loses_no_command(sandbox: Sandbox) -> None:
    async with hurried_bot(sandbox) as bot:
        await connected(sandbox, bot)
        for reason in ("warning", "refresh_requested"):
            old = await sandbox.slack.ask_to_leave(reason)
            asked = [
                await sandbox.slack.command("/usage last 7 days", user="U0LINUS", over=old)
                for _ in range(3)
            ]
            await replaced(sandbox, old)
            asked += [await sandbox.slack.command("/usage last 7 days", user="U0LINUS", over=old)]
            asked += [await sandbox.slack.command("/usage last 7 days", user="U0LINUS")]
            await asyncio.wait_for(asyncio.gather(*(ack.done for ack in asked)), 60)
        await sandbox.slack.until(
            lambda: sum("in 7 days" in m.text for m in sandbox.slack.messages) == 10
        )
        assert bot.slack.connected
        assert bot.slack.problem == ""


async def test_broken_connection_is_reopened(sandbox: Sandbox) -> None:
    async with hurried_bot(sandbox) as bot:
        await connected(sandbox, bot)
        await asyncio.sleep(HURRIED.hello)
        sandbox.slack.break_off()
        await sandbox.slack.until(lambda: not sandbox.slack.sockets)
        await connected(sandbox, bot)
        assert "in 7 days" in (await sandbox.slack.answer_to("/usage last 7 days")).text


async def test_dead_address_is_not_retried(sandbox: Sandbox) -> None:
    """A failed handshake uses its URL up, so every attempt needs a new one."""
    sandbox.slack.dead_addresses = 3
    async with hurried_bot(sandbox) as bot:
        await connected(sandbox, bot)
        opened = sandbox.slack.paths().count("POST /api/apps.connections.open")
        assert opened == 4
        assert "in 7 days" in (await sandbox.slack.answer_to("/usage last 7 days")).text


async def test_silent_peer_is_replaced(sandbox: Sandbox) -> None:
    sandbox.slack.silent = True
    async with hurried_bot(sandbox) as bot:
        await connected(sandbox, bot)
        mute = sandbox.slack.sockets[-1]
        sandbox.slack.silent = False
        await sandbox.slack.until(
            lambda: any(socket is not mute for socket in sandbox.slack.sockets), timeout_s=60
        )
        assert "in 7 days" in (await sandbox.slack.answer_to("/usage last 7 days")).text


async def test_too_many_connections_are_reported(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "opswatch")
    sandbox.slack.too_many = 3
    async with hurried_bot(sandbox) as bot:
        await connected(sandbox, bot)
    assert "ten are open for this app already" in caplog.text


async def test_failing_connection_is_retried_slowly(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Each connection breaks off right after its hello: the bot waits longer and longer in between."""
    async with hurried_bot(sandbox) as bot:
        await connected(sandbox, bot)
        for _ in range(4):
            sandbox.slack.break_off()
            await sandbox.slack.until(lambda: not sandbox.slack.sockets)
            await connected(sandbox, bot)
        assert bot.slack.connected
    assert "breaks right after it is opened" in caplog.text


async def test_slack_may_be_away_when_the_bot_starts(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    async def away(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    sandbox.slack.misbehave(away, path="/api/", times=4)
    async with hurried_bot(sandbox) as bot:
        await connected(sandbox, bot)
        assert "in 7 days" in (await sandbox.slack.answer_to("/usage last 7 days")).text
    assert "Slack could not be reached" in caplog.text


async def test_retry_after_of_a_refused_connection_is_honoured(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Longer than our own waits, and longer than an attempt may take."""
    sandbox.slack.answer_with(
        429,
        '{"ok": false, "error": "ratelimited"}',
        path="apps.connections.open",
        Retry_After="3",
        Content_Type="application/json",
    )
    async with hurried_bot(sandbox) as bot:
        await connected(sandbox, bot)
    asked = [
        entry.at for entry in sandbox.slack.requests if entry.path.endswith("apps.connections.open")
    ]
    assert len(asked) == 2
    assert (asked[1] - asked[0]).total_seconds() >= 2.9
    assert "before opening a connection: 3 s (HTTP 429)" in caplog.text


async def test_retry_after_at_the_start_is_honoured(sandbox: Sandbox) -> None:
    sandbox.slack.answer_with(429, "slow down", path="auth.test", Retry_After="2")
    async with hurried_bot(sandbox) as bot:
        await connected(sandbox, bot)
    asked = [entry.at for entry in sandbox.slack.requests if entry.path.endswith("auth.test")]
    assert len(asked) == 2
    assert (asked[1] - asked[0]).total_seconds() >= 1.9


UNUSABLE = {
    "503": (503, "<html>Service Unavailable</html>"),
    "500 with Slack's word": (500, '{"ok": false, "error": "internal_error"}'),
    "no JSON": (200, "<html>Sign in to this network</html>"),
    "broken JSON": (200, '{"ok": true, "url": "wss:'),
    "a list": (200, "[]"),
    "no address": (200, '{"ok": true}'),
    "an address of another kind": (200, '{"ok": true, "url": 7}'),
    "an address that is no address": (200, '{"ok": true, "url": "wss://["}'),
    "429 without a number": (429, "{}"),
}


@pytest.mark.parametrize(("status", "body"), UNUSABLE.values(), ids=UNUSABLE.keys())
async def test_unusable_answer_is_retried_slowly(
    sandbox: Sandbox, status: int, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"Retry_After": "0"} if status == 429 else {}
    sandbox.slack.answer_with(
        status,
        body,
        path="apps.connections.open",
        times=3,
        Content_Type="application/json",
        **headers,
    )
    async with hurried_bot(sandbox) as bot:
        await connected(sandbox, bot)
        assert "in 7 days" in (await sandbox.slack.answer_to("/usage last 7 days")).text
    asked = [
        entry.at for entry in sandbox.slack.requests if entry.path.endswith("apps.connections.open")
    ]
    assert len(asked) == 4
    # Three waits, each longer than the one before: 0.05, 0.1 and 0.2 s, less the jitter.
    assert (asked[-1] - asked[0]).total_seconds() >= 0.2
    assert "Not connected to Slack" in caplog.text


async def test_slow_answer_is_retried(sandbox: Sandbox) -> None:
    sandbox.slack.be_slow(30, path="apps.connections.open")
    async with hurried_bot(sandbox) as bot:
        await connected(sandbox, bot)
    assert (
        sum(entry.path.endswith("apps.connections.open") for entry in sandbox.slack.requests) == 2
    )


STRANGE = {
    "a list": "[1]",
    "nested deep": '{"envelope_id": "e", "type": "events_api", "payload": ' + '{"a":' * 50_000,
    "no payload": '{"envelope_id": "e", "type": "events_api"}',
    "a payload that is a list": '{"envelope_id": "e", "type": "interactive", "payload": [1]}',
    "a payload that is nothing": '{"envelope_id": "e", "type": "interactive", "payload": null}',
    "parts of another kind": '{"envelope_id": "e", "type": "events_api", "payload": {"authorizations": 7, "team": "T", "user": ["U"]}}',
    "a number as its name": '{"envelope_id": 7, "type": "interactive", "payload": {}}',
}


@pytest.mark.parametrize("frame", STRANGE.values(), ids=STRANGE.keys())
async def test_strange_delivery_does_no_harm(sandbox: Sandbox, frame: str) -> None:
    async with hurried_bot(sandbox) as bot:
        await connected(sandbox, bot)
        [socket] = sandbox.slack.sockets
        await socket.send_str(frame)
        assert "in 7 days" in (await sandbox.slack.answer_to("/usage last 7 days")).text
        assert sandbox.slack.sockets == [socket]


async def test_fault_is_logged_with_its_traceback(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    async with hurried_bot(sandbox) as bot:
        await connected(sandbox, bot)

        async def fail(_: object) -> None:
            raise LookupError("the dispatcher is broken")

        bot.deliveries._dispatch = fail  # type: ignore[assignment]
        await sandbox.slack.command("/usage last 7 days")
        async with asyncio.timeout(60):
            while "the dispatcher is broken" not in caplog.text:
                await asyncio.sleep(0.02)
    assert "Traceback" in caplog.text


async def test_repeated_delivery_has_one_effect(sandbox: Sandbox) -> None:
    async with hurried_bot(sandbox) as bot:
        await connected(sandbox, bot)
        sandbox.slack.deliveries = 2
        await sandbox.slack.say("@Opswatch usage last 7 days")
        sandbox.slack.deliveries = 2
        await sandbox.slack.say("@Opswatch what is this?")
        help_ = await sandbox.slack.answer_to("/usage help")
        sandbox.slack.deliveries = 2
        await sandbox.slack.press(help_, "modal.question")
        view = await sandbox.slack.until(sandbox.slack.modal)
        sandbox.slack.deliveries = 2
        await sandbox.slack.submit(view)
        await sandbox.slack.until(lambda: any("in 10 days" in m.text for m in sandbox.slack.seen()))
        await sandbox.slack.answer_to("/usage last 3 days")
        texts = [m.text for m in sandbox.slack.seen()]
        assert sum("in 7 days" in text for text in texts) == 1
        assert sum("say what to change" in text for text in texts) == 1
        assert sum("in 10 days" in text for text in texts) == 1
        assert sandbox.slack.paths().count("POST /api/views.open") == 1


async def test_readyz_names_what_is_wrong(sandbox: Sandbox) -> None:
    port = 18_767
    slack = ConnectionStatus()

    async def database_works() -> bool:
        return True

    async def ready(session: aiohttp.ClientSession) -> tuple[int, dict[str, object]]:
        async with session.get(f"http://127.0.0.1:{port}/readyz") as response:
            return response.status, await response.json()

    async with aiohttp.ClientSession() as session, serve_health(port, slack, database_works):
        assert (await ready(session))[0] == 503
        async with (
            open_bot(
                sandbox.settings(), sandbox.tokens(), slack, HURRIED, clock=sandbox.clock
            ) as bot,
            bot.connected(),
        ):
            status, health = await ready(session)
            assert (status, health["ready"], health["trouble"], health["last_event"]) == (
                200,
                True,
                [],
                None,
            )
            await sandbox.slack.answer_to("/usage last 7 days")
            assert (await ready(session))[1]["last_event"]
            sandbox.slack.dead_addresses = 1000
            await asyncio.sleep(HURRIED.hello)
            sandbox.slack.break_off()
            async with asyncio.timeout(60):
                while (found := await ready(session))[0] == 200 or "HTTP 503" not in str(
                    found[1]["trouble"]
                ):
                    await asyncio.sleep(0.02)
            sandbox.slack.dead_addresses = 0
            await connected(sandbox, bot)
            assert (await ready(session))[0] == 200


async def test_ack_does_not_wait_for_work(sandbox: Sandbox) -> None:
    sandbox.rapid7.be_slow(600, times=99)
    async with hurried_bot(sandbox) as bot:
        await connected(sandbox, bot)
        sent = [
            await sandbox.slack.command("/usage last 7 days", user="U0LINUS") for _ in range(30)
        ]
        await asyncio.wait_for(asyncio.gather(*(ack.done for ack in sent)), 60)
        assert not any("in 7 days" in m.text for m in sandbox.slack.seen("U0LINUS"))
        sandbox.rapid7.answer_at_once()


@pytest.mark.parametrize(
    "extra",
    [{}, {"retry_attempt": 1, "retry_reason": "timeout"}],
    ids=["plain", "marked as a retry"],
)
async def test_repeated_command_has_one_effect(sandbox: Sandbox, extra: dict[str, Any]) -> None:
    async with hurried_bot(sandbox) as bot:
        await connected(sandbox, bot)
        for more in ({}, extra):
            ack = await sandbox.slack.command("/usage last 7 days", trigger_id="trigger.1", **more)
            await asyncio.wait_for(ack.done, 60)
        await sandbox.slack.until(lambda: "in 7 days" in str(sandbox.slack.seen()))
        await sandbox.slack.answer_to("/usage last 5 days")
        assert sum("in 7 days" in m.text for m in sandbox.slack.seen()) == 1


async def test_delivery_repeated_after_restart_has_one_effect(sandbox: Sandbox) -> None:
    for _ in range(2):
        async with hurried_bot(sandbox) as bot:
            await connected(sandbox, bot)
            ack = await sandbox.slack.command("/usage last 7 days", trigger_id="trigger.1")
            await asyncio.wait_for(ack.done, 60)
            await sandbox.slack.answer_to("/usage last 5 days")
        await sandbox.slack.until(lambda: not sandbox.slack.sockets)
    assert sum("in 7 days" in m.text for m in sandbox.slack.seen()) == 1


async def test_crash_is_reported_once_to_the_asker(sandbox: Sandbox) -> None:
    """Slack does not redeliver what was acknowledged, so the next process reports it."""
    now = datetime.now(UTC)
    store = await Store.open(sandbox.settings().database, now=now)
    for n, (user, channel, ago) in enumerate(
        [("U0ADA", "C0OPS", 2), ("U0LINUS", "C0QUIET", 5), ("U0GRACE", "C0OPS", 45)]
    ):
        asked = QuestionRecord(
            f"t{n}", now - timedelta(minutes=ago), user, channel, "usage", "last 7 days", "slash"
        )
        await store.questions.claim(asked)
    await store.close()
    for _ in range(2):
        async with hurried_bot(sandbox) as bot:
            await connected(sandbox, bot)
            health = await sandbox.slack.until(
                lambda: [
                    m for m in sandbox.slack.messages if "The bot was interrupted while" in m.text
                ][1:]
            )
            await asyncio.sleep(0.5)
    health = [
        m
        for m in sandbox.slack.messages
        if "The bot was interrupted while it worked on /usage last 7 days" in m.text
    ]
    assert sorted(m.seen_by or sandbox.slack.channels[m.channel].direct_with for m in health) == [
        "U0ADA",
        "U0LINUS",
    ]
    async with hurried_bot(sandbox) as bot:
        await connected(sandbox, bot)
        await sandbox.slack.press(next(m for m in health if m.seen_by == "U0ADA"), "ask.0")
        assert await sandbox.slack.until(
            lambda: any("in 7 days" in m.text for m in sandbox.slack.seen())
        )


async def test_no_message_is_left_saying_that_work_goes_on(sandbox: Sandbox) -> None:
    """An earlier process died while a message in the channel showed its progress; the next one
    replaces that message with a report.
    """
    now = datetime.now(UTC)
    shown = Message(sandbox.slack._ts(), "C0OPS", BOT, "Working on /usage last 7 days")
    sandbox.slack._add(shown)
    store = await Store.open(sandbox.settings().database, now=now)
    await store.questions.claim(
        QuestionRecord(
            "t1", now - timedelta(minutes=2), "U0ADA", "C0OPS", "usage", "last 7 days", "slash"
        )
    )
    await store.questions.note_shown("t1", shown.ts)
    await store.close()
    async with hurried_bot(sandbox) as bot:
        await connected(sandbox, bot)
        await sandbox.slack.until(
            lambda: shown.text.startswith(
                "The bot was interrupted while it worked on /usage last 7 days"
            )
        )
    assert "Try again" in str(shown.blocks)
    assert len(sandbox.slack.seen()) == 1


async def test_progress_message_is_stored_with_duration(
    sandbox: Sandbox,
) -> None:
    sandbox.rapid7.be_slow(600)
    async with hurried_bot(sandbox) as bot:
        await connected(sandbox, bot)
        await sandbox.slack.command("/usage last 7 days")
        [shown] = await sandbox.slack.until(
            lambda: [m for m in sandbox.slack.seen() if m.text.startswith("Working on")]
        )
        assert re.search(r"\b\d+ s so far", str(shown.blocks))
        async with asyncio.timeout(60):
            while (await bot.store.read("SELECT shown_ts FROM questions", ()))[0][
                "shown_ts"
            ] != shown.ts:
                await asyncio.sleep(0.02)
        sandbox.rapid7.answer_at_once()
        await sandbox.slack.until(lambda: "in 7 days" in shown.text)
