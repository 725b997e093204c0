"""Slack and its response URLs fail while an answer is sent. Its asker hears of it once Slack works
again, in this process or the next, and no message is left that says that the bot is working.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import web

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import Message
from tests.conftest import connected_bot
from tests.support.clock import MovableClock
from tests.support.deliveries import PRIVATE, refuse, texts, working
from tests.support.messages import buttons

pytestmark = [pytest.mark.shows_work, pytest.mark.usefixtures("hurried_reports")]
PUBLIC = "/usage last 7 days"


@pytest.fixture
def hurried_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.interruptions.AGAIN_AFTER_S", (0.2,) * 200)
    monkeypatch.setattr("bot.app.REPORT_EVERY_S", 0.1)


@contextmanager
def outage(sandbox: Sandbox, kind: str = "reset") -> Iterator[None]:
    """Slack takes no message."""

    async def act(request: web.Request) -> web.StreamResponse:
        if kind == "reset":
            assert request.transport is not None
            request.transport.abort()
        status = {"503": 503, "html": 200}.get(kind, 500)
        return web.Response(status=status, text="<html>Back soon</html>")

    for path in ("/api/chat.", "/api/conversations.open", "/response/"):
        sandbox.slack.misbehave(act, path=path, times=10**9)
    yield
    sandbox.slack.faults.clear()


async def until_unsent(caplog: pytest.LogCaptureFixture) -> None:
    """Waits until neither the answer nor what went wrong could be sent, twice."""
    async with asyncio.timeout(30):
        while caplog.text.count("could not be reported") < 2:
            await asyncio.sleep(0.02)


async def outcome(bot: Bot) -> str:
    [asked] = await bot.store.questions.latest()
    return asked.outcome


async def until_answered(sandbox: Sandbox, shown: Message) -> None:
    """Waits until the answer can be seen and no progress."""
    await sandbox.slack.until(lambda: any("in 7 days" in text for text in texts(sandbox)))
    await sandbox.slack.until(
        lambda: shown not in sandbox.slack.seen() or not shown.text.startswith("Working on")
    )


@pytest.mark.parametrize("kind", ["reset", "503", "html"])
async def test_private_answer_is_sent_after_an_outage(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    async with connected_bot(sandbox) as bot:
        bot.requests.delivery._retry_after_s = ()
        sandbox.devicewise.be_slow(600)
        await sandbox.slack.command(PRIVATE)
        shown = await working(sandbox)
        with outage(sandbox, kind):
            sandbox.devicewise.answer_at_once()
            await until_unsent(caplog)
        await sandbox.slack.until(lambda: "iot:" in shown.text)
        assert sandbox.slack.seen() == [shown]
        assert any(text.startswith("Share") for text in buttons(shown))
        async with asyncio.timeout(10):
            while await outcome(bot) == "asked":
                await asyncio.sleep(0.02)


@pytest.mark.parametrize("kind", ["reset", "503", "html"])
@pytest.mark.parametrize("restarts", [False, True])
async def test_public_progress_does_not_outlast_an_outage(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, kind: str, restarts: bool
) -> None:
    async with connected_bot(sandbox) as bot:
        bot.requests.delivery._retry_after_s = ()
        sandbox.rapid7.be_slow(600, times=3)
        await sandbox.slack.command(PUBLIC)
        shown = await working(sandbox)
        with outage(sandbox, kind):
            sandbox.rapid7.answer_at_once()
            await until_unsent(caplog)
            if restarts:
                await bot.requests.running.finish(within_s=0.05)
        if not restarts:
            await until_answered(sandbox, shown)
    if restarts:
        async with connected_bot(sandbox):
            await until_answered(sandbox, shown)
    assert sum("in 7 days" in text for text in texts(sandbox)) == 1
    assert len(sandbox.slack.seen()) == 1


@pytest.mark.parametrize("command", ["/usage last 7 days", "/apiaudit iot 24h", "/usage lastt"])
async def test_error_is_not_lost_in_an_outage(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, command: str
) -> None:
    sandbox.rapid7.answer_with(500, "away", times=99)
    sandbox.devicewise.answer_with(500, "away", times=99)
    async with connected_bot(sandbox) as bot:
        bot.requests.delivery._retry_after_s = ()
        with outage(sandbox, "503"):
            await sandbox.slack.command(command)
            await until_unsent(caplog)
        messages = await sandbox.slack.until(sandbox.slack.seen)
        assert [m.seen_by for m in messages] == ["U0ADA"]
        assert f"interrupted while it worked on {command}" in messages[0].text


async def test_restored_token_ends_the_progress(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """A mention has no response URL, and the token was revoked meanwhile."""
    async with connected_bot(sandbox) as bot:
        bot.requests.delivery._retry_after_s = ()
        sandbox.rapid7.be_slow(600, times=3)
        await sandbox.slack.say("@Opswatch usage last 7 days")
        shown = await working(sandbox)
        for method in ("chat.update", "chat.delete", "chat.postEphemeral", "chat.postMessage"):
            refuse(sandbox, method, "token_revoked", times=10**9)
        refuse(sandbox, "conversations.open", "token_revoked", times=10**9)
        sandbox.rapid7.answer_at_once()
        await until_unsent(caplog)
    sandbox.slack.faults.clear()
    async with connected_bot(sandbox):
        await sandbox.slack.until(lambda: "interrupted" in shown.text)
    assert sandbox.slack.seen() == [shown]


@pytest.mark.parametrize("command", [PUBLIC, PRIVATE])
async def test_cancel_deletes_what_is_left_of_lost_work(
    sandbox: Sandbox, clock: MovableClock, command: str
) -> None:
    """The work was lost with its database."""
    async with connected_bot(sandbox) as bot:
        sandbox.rapid7.be_slow(600, times=3)
        sandbox.devicewise.be_slow(600)
        await sandbox.slack.command(command)
        shown = await working(sandbox)
        clock.ahead += timedelta(hours=1)
        await sandbox.slack.press(shown, "cancel", user="U0GRACE")
        await sandbox.slack.until(lambda: texts(sandbox, "U0GRACE"))
        assert shown in sandbox.slack.messages
        await bot.requests.running.finish(within_s=0.05)
        await sandbox.slack.until(lambda: "restart" in str(texts(sandbox)))
    left = replace(shown, ts=f"{clock().timestamp() - 3600:.6f}")
    sandbox.slack.messages[:] = [left]
    async with connected_bot(sandbox):
        await sandbox.slack.press(left, "cancel")
        await sandbox.slack.until(lambda: "nothing left to cancel" in str(texts(sandbox)))
        assert left not in sandbox.slack.messages


async def test_unconfirmed_replacement_is_shown_in_another_way(sandbox: Sandbox, bot: Bot) -> None:
    """The response URL confirms nothing, and the channel works."""
    bot.requests.delivery._delete_after_s = (0.3,) * 20
    sandbox.devicewise.be_slow(600)
    await sandbox.slack.command(PRIVATE)
    shown = await working(sandbox)
    with outage(sandbox):
        sandbox.slack.faults[:] = [f for f in sandbox.slack.faults if f.path == "/response/"]
        sandbox.devicewise.answer_at_once()
        await sandbox.slack.until(lambda: any("iot:" in text for text in texts(sandbox)))
    await sandbox.slack.until(lambda: shown not in sandbox.slack.messages)
    assert sum("iot:" in text for text in texts(sandbox)) == 1
