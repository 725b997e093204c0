"""Private answers by a response URL: unreachable, refused, cut, or slow."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from tests.conftest import connected_bot
from tests.support.bot_program import bot_program
from tests.support.clock import MovableClock
from tests.support.deliveries import PRIVATE, cut, look_up_asker, refuse, texts, until_lost, working
from tests.support.leases import expire_leases

pytestmark = pytest.mark.usefixtures("late_progress")


def break_response_urls(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(type(sandbox.slack), "_response_url", lambda *_, **__: address)


UNREACHABLE = {
    "refused": "http://127.0.0.1:1/response/x",
    "no such name": "http://slack.invalid/response/x",
    "no TLS": "https://127.0.0.1:{port}/response/x",
    "no address": "http://[/response/x",
}


@pytest.mark.parametrize("address", UNREACHABLE.values(), ids=UNREACHABLE.keys())
async def test_unreachable_response_url_falls_back_to_ephemeral(
    sandbox: Sandbox, bot: Bot, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    break_response_urls(
        sandbox, monkeypatch, address.format(port=sandbox.slack.url.rpartition(":")[2])
    )
    answer = await sandbox.slack.answer_to(PRIVATE)
    assert answer.seen_by == "U0ADA"
    assert [m for m in sandbox.slack.seen() if "iot:" in m.text] == [answer]
    assert "POST /api/chat.postEphemeral" in sandbox.slack.paths()


async def test_unreachable_response_url_falls_back_to_dm(
    sandbox: Sandbox, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_response_urls(sandbox, monkeypatch, UNREACHABLE["refused"])
    await sandbox.slack.command(PRIVATE, channel="C0QUIET")
    messages = await sandbox.slack.until(
        lambda: [m for m in sandbox.slack.seen() if "iot:" in m.text]
    )
    assert [sandbox.slack.channels[m.channel].direct_with for m in messages] == ["U0ADA"]


async def test_former_member_is_answered_by_dm(
    sandbox: Sandbox, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_response_urls(sandbox, monkeypatch, UNREACHABLE["refused"])
    refuse(sandbox, "chat.postEphemeral", "user_not_in_channel")
    await sandbox.slack.command(PRIVATE)
    [messages] = await sandbox.slack.until(
        lambda: [m for m in sandbox.slack.seen() if "iot:" in m.text]
    )
    assert sandbox.slack.channels[messages.channel].direct_with == "U0ADA"


@pytest.mark.shows_work
async def test_deactivated_asker_does_no_harm(
    sandbox: Sandbox, bot: Bot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    break_response_urls(sandbox, monkeypatch, UNREACHABLE["refused"])
    refuse(sandbox, "chat.postEphemeral", "user_not_in_channel", times=100)
    refuse(sandbox, "conversations.open", "user_disabled", times=100)
    await sandbox.slack.command(PRIVATE)
    async with asyncio.timeout(20):
        while "could not be sent to" not in caplog.text:
            await asyncio.sleep(0.02)
    assert "user_disabled" in caplog.text
    assert "in 7 days" in (await sandbox.slack.answer_to("/usage last 7 days")).text


@pytest.mark.parametrize("was_taken", [True, False])
async def test_cut_response_is_reported_not_repeated(
    sandbox: Sandbox, bot: Bot, was_taken: bool
) -> None:
    cut(sandbox, "/response/", after=sandbox.slack._response if was_taken else None)
    await sandbox.slack.command(PRIVATE)
    messages = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "did not confirm" in m.text), None)
    )
    assert messages.seen_by == "U0ADA"
    assert sum("iot:" in text for text in texts(sandbox)) == was_taken
    assert len([path for path in sandbox.slack.paths() if "/response/" in path]) == 1


@pytest.mark.shows_work
async def test_cut_replacement_of_private_progress_is_sent_again(
    sandbox: Sandbox, bot: Bot
) -> None:
    """Replacing a message twice changes nothing."""
    sandbox.devicewise.be_slow(600)
    await sandbox.slack.command(PRIVATE)
    await working(sandbox)
    cut(sandbox, "/response/", after=sandbox.slack._response)
    sandbox.devicewise.answer_at_once()
    answer = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "iot:" in m.text), None)
    )
    await sandbox.slack.until(lambda: answer.edited == 2)
    assert len(sandbox.slack.seen()) == 1


@pytest.mark.shows_work
async def test_private_progress_that_cannot_be_replaced_is_removed(
    sandbox: Sandbox, bot: Bot
) -> None:
    bot.requests.delivery._delete_after_s = (0.3, 0.3)
    sandbox.devicewise.be_slow(600)
    await sandbox.slack.command(PRIVATE)
    shown = await working(sandbox)
    sandbox.slack.answer_with(503, "away", path="/response/")
    sandbox.devicewise.answer_at_once()
    await sandbox.slack.until(lambda: any("iot:" in text for text in texts(sandbox)))
    await sandbox.slack.until(lambda: shown not in sandbox.slack.messages)
    assert sum("iot:" in text for text in texts(sandbox)) == 1


async def test_retry_after_of_a_response_url_is_honoured(sandbox: Sandbox, bot: Bot) -> None:
    sandbox.slack.answer_with(429, "", path="/response/", Retry_After="1")
    answer = await sandbox.slack.answer_to(PRIVATE)
    assert "iot:" in answer.text
    assert "POST /api/chat.postEphemeral" not in sandbox.slack.paths()


@pytest.mark.parametrize(
    "body", ['{"ok": false, "error": "expired_url"}', "<html>Sign in to this network</html>"]
)
async def test_refused_response_with_status_200_counts_as_refused(
    sandbox: Sandbox, bot: Bot, body: str
) -> None:
    sandbox.slack.answer_with(200, body, path="/response/", times=9)
    answer = await sandbox.slack.answer_to(PRIVATE)
    assert "iot:" in answer.text
    assert "POST /api/chat.postEphemeral" in sandbox.slack.paths()


async def test_answer_by_response_url_is_private(sandbox: Sandbox, bot: Bot) -> None:
    await look_up_asker(bot)
    bot.requests.delivery._client.web.base_url = "http://127.0.0.1:1/"
    bot.requests.delivery._retry_after_s = ()
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    assert answer.seen_by == "U0ADA"
    assert "in 7 days" in answer.text
    assert "Slack took no message for this channel" in answer.text


@asynccontextmanager
async def killed_program(sandbox: Sandbox) -> AsyncIterator[None]:
    """`run` in a separate process, which is killed at the end."""
    async with bot_program(sandbox) as process:
        await sandbox.slack.until(lambda: sandbox.slack.sockets, timeout_s=60)
        yield
        process.kill()
        assert await process.wait() == -signal.SIGKILL
    await sandbox.slack.until(lambda: not sandbox.slack.sockets)


@pytest.mark.shows_work
async def test_kill_during_private_work_leaves_no_progress(sandbox: Sandbox) -> None:
    async with killed_program(sandbox):
        sandbox.devicewise.be_slow(60)
        await sandbox.slack.command(PRIVATE)
        shown = await working(sandbox)
    async with connected_bot(sandbox) as bot:
        await expire_leases(bot.store)
        await sandbox.slack.until(
            lambda: shown.text.startswith(
                "The bot was interrupted while it worked on /apiaudit iot 24h"
            )
        )
        assert shown.seen_by == "U0ADA"
        assert "Try again" in str(shown.blocks)
        assert sandbox.slack.seen() == [shown]
        assert await bot.store.read("SELECT * FROM response_urls", ()) == []


@pytest.mark.shows_work
@pytest.mark.parametrize("command", ["/usage last 7 days", PRIVATE])
async def test_progress_ends_where_the_bot_starts_hours_after_a_kill(
    sandbox: Sandbox, clock: MovableClock, command: str
) -> None:
    """Nobody waits for the answer any more, so nothing else is sent."""
    async with killed_program(sandbox):
        sandbox.rapid7.be_slow(60, times=9)
        sandbox.devicewise.be_slow(60)
        await sandbox.slack.command(command)
        shown = await working(sandbox)
        await asyncio.sleep(1)
    clock.ahead += timedelta(hours=2)
    async with connected_bot(sandbox) as bot:
        await expire_leases(bot.store)
        await until_lost(bot)
    assert sandbox.slack.seen() == [shown]
    # Only its response URL, which has expired, could change what the asker alone sees.
    assert ("interrupted" in shown.text) == (command != PRIVATE)


@pytest.mark.shows_work
@pytest.mark.parametrize("command", ["/logs kitchen 20m", "/apiaudit iot 24h csv"])
async def test_kill_during_upload_leaves_the_answer(sandbox: Sandbox, command: str) -> None:
    async with killed_program(sandbox):
        sandbox.rapid7.be_slow(60)
        sandbox.devicewise.be_slow(60)
        await sandbox.slack.command(command)
        shown = await working(sandbox)
        sandbox.slack.be_slow(600, path="/upload/", times=9)
        sandbox.rapid7.answer_at_once()
        sandbox.devicewise.answer_at_once()
        await sandbox.slack.until(
            lambda: any("/upload/" in entry.path for entry in sandbox.slack.requests)
        )
        answer = shown.text
        assert "Working on" not in answer
    async with connected_bot(sandbox) as bot:
        await expire_leases(bot.store)
        await sandbox.slack.until(lambda: "may be missing" in str(texts(sandbox)))
    # The answer is shown again, and no file is in the direct messages.
    assert shown.text == answer.removesuffix("\nThe file is in your direct messages.")


@pytest.mark.shows_work
async def test_response_url_is_stored_only_during_work(
    sandbox: Sandbox, bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sandbox.devicewise.be_slow(600)
    await sandbox.slack.command(PRIVATE)
    await working(sandbox)
    [kept] = await bot.store.read("SELECT * FROM response_urls", ())
    assert kept["url"].startswith("http")
    sandbox.devicewise.answer_at_once()
    await sandbox.slack.until(lambda: any("iot:" in text for text in texts(sandbox)))
    async with asyncio.timeout(20):
        while await bot.store.read("SELECT * FROM response_urls", ()):
            await asyncio.sleep(0.02)
    assert not [
        r for r in caplog.records if r.name.startswith("opswatch") and kept["url"] in r.getMessage()
    ]
