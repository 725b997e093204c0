"""The bot is stopped while Slack processes an answer. An answer that its asker can see is neither
replaced nor reported as interrupted, and completed changes are not offered again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from bot.slack.private_reasons import SHARED_CHANNEL
from bot.store import QuestionRecord, Store, StoreUnavailable
from handlers.interruptions import SENT_TWICE
from providers.clock import utc_now
from tests.conftest import connected_bot
from tests.scenarios.test_streamed_progress import asked, of_bot
from tests.support.agent_surface import open_agent_surface
from tests.support.bot_program import bot_program
from tests.support.deliveries import PRIVATE, answer_never, refuse, texts, until_lost, working
from tests.support.leases import expire_leases
from tests.support.messages import buttons, text_of

pytestmark = pytest.mark.usefixtures("late_progress", "short_end")
PUBLIC = "/usage last 7 days"
SUBSCRIBE = "/usage subscribe last 7 days at 09:00"


@pytest.fixture
def short_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits how long the process waits for questions in progress before it ends."""
    monkeypatch.setattr("bot.app.FINISH_WITHIN_S", 0.1)
    monkeypatch.setattr("handlers.running_tasks.END_WITHIN_S", 0.3)


async def stopped_outcome(bot: Bot) -> str:
    """How the only question has ended once the bot is stopped."""
    await bot.requests.running.finish(within_s=0.05)
    [asked] = await bot.store.questions.latest()
    return asked.outcome


async def lost_after_restart(sandbox: Sandbox, **changes: Any) -> None:
    """Starts the bot, and stops it once the interrupted question is reported."""
    async with connected_bot(sandbox, **changes) as bot:
        await until_lost(bot)


def interruptions(sandbox: Sandbox) -> list[str]:
    return [text for text in texts(sandbox) if "interrupted" in text]


@pytest.mark.shows_work
@pytest.mark.parametrize("is_applied", [True, False])
async def test_visible_answer_is_not_replaced(sandbox: Sandbox, is_applied: bool) -> None:
    async with connected_bot(sandbox) as ending:
        sandbox.rapid7.be_slow(600, times=3)
        await sandbox.slack.command(PUBLIC)
        shown = await working(sandbox)
        handled = answer_never(
            sandbox, "chat.update", after=sandbox.slack._method if is_applied else None
        )
        sandbox.rapid7.answer_at_once()
        await asyncio.wait_for(handled.wait(), 30)
        assert await stopped_outcome(ending) == "asked"
    await lost_after_restart(sandbox)
    assert sandbox.slack.seen() == [shown]
    assert len(interruptions(sandbox)) == (not is_applied)
    assert ("in 7 days" in shown.text) == is_applied


@pytest.mark.shows_work
async def test_stop_while_progress_is_deleted_leaves_the_answer(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox) as ending:
        sandbox.rapid7.be_slow(600, times=3)
        await sandbox.slack.command(PUBLIC)
        await working(sandbox)
        refuse(sandbox, "chat.update", "message_not_found")
        handled = answer_never(sandbox, "chat.delete")
        sandbox.rapid7.answer_at_once()
        await asyncio.wait_for(handled.wait(), 30)
        assert await stopped_outcome(ending) == "answered"
    assert any("in 7 days" in text for text in texts(sandbox))


@pytest.mark.shows_work
@pytest.mark.parametrize("is_applied", [True, False])
async def test_private_answer_replaces_itself(sandbox: Sandbox, is_applied: bool) -> None:
    """Nobody can read whether it is visible, so it is sent again in the same place."""
    async with connected_bot(sandbox) as ending:
        sandbox.devicewise.be_slow(600)
        await sandbox.slack.command(PRIVATE)
        shown = await working(sandbox)
        handled = answer_never(
            sandbox, "/response/", after=sandbox.slack._response if is_applied else None
        )
        sandbox.devicewise.answer_at_once()
        await asyncio.wait_for(handled.wait(), 30)
        assert await stopped_outcome(ending) == "asked"
    await lost_after_restart(sandbox)
    assert sandbox.slack.seen() == [shown]
    assert "iot:" in shown.text
    assert any(text.startswith("Share") for text in buttons(shown))


async def test_quick_private_answer_is_sent_again(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox) as ending:
        handled = answer_never(sandbox, "/response/", after=sandbox.slack._response)
        await sandbox.slack.command(PRIVATE)
        await asyncio.wait_for(handled.wait(), 30)
        assert await stopped_outcome(ending) == "asked"
    await lost_after_restart(sandbox)
    first, again = texts(sandbox)
    assert again.endswith(first)
    assert again.startswith(SENT_TWICE)


async def test_reason_is_sent_again(sandbox: Sandbox) -> None:
    sandbox.slack.channels["C0OPS"].is_ext_shared = True
    async with connected_bot(sandbox) as ending:
        handled = answer_never(sandbox, "/response/")
        await sandbox.slack.command(PUBLIC)
        await asyncio.wait_for(handled.wait(), 30)
        assert await stopped_outcome(ending) == "asked"
    await lost_after_restart(sandbox)
    *_, again = sandbox.slack.seen()
    assert f"\n{SHARED_CHANNEL}\n" in again.text
    assert SHARED_CHANNEL in text_of(again)


@pytest.mark.shows_work
async def test_refused_answer_is_sent_again(sandbox: Sandbox) -> None:
    """The process ends after the channel has refused the answer and before it is sent privately."""
    async with connected_bot(sandbox) as ending:
        sandbox.rapid7.be_slow(600, times=3)
        await sandbox.slack.command(PUBLIC)
        progress = await working(sandbox)
        refuse(sandbox, "chat.update", "is_archived", times=9)
        handled = answer_never(sandbox, "chat.delete")
        sandbox.rapid7.answer_at_once()
        await asyncio.wait_for(handled.wait(), 30)
        assert await stopped_outcome(ending) == "asked"
    sandbox.slack.faults.clear()
    await lost_after_restart(sandbox)
    assert progress not in sandbox.slack.messages
    *_, again = sandbox.slack.seen()
    assert again.seen_by == "U0ADA"
    assert "in 7 days" in again.text


@pytest.mark.shows_work
async def test_report_does_not_replace_shared_answer(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox) as ending:
        sandbox.devicewise.be_slow(600)
        await sandbox.slack.command(f"{PRIVATE} csv")
        shown = await working(sandbox)
        begun = answer_never(sandbox, "files.getUploadURLExternal")
        sandbox.devicewise.answer_at_once()
        await asyncio.wait_for(begun.wait(), 30)
        await sandbox.slack.press(shown, buttons(shown)["Share here"])
        await sandbox.slack.until(
            lambda: any("Shared by" in text_of(each) for each in sandbox.slack.messages)
        )
        for path in ("/response/", "chat.postEphemeral"):
            sandbox.slack.be_slow(600, path=path, times=9)
        assert await stopped_outcome(ending) == "asked"
    sandbox.slack.faults.clear()
    await lost_after_restart(sandbox)
    assert "iot:" in shown.text
    assert ".csv may be missing" in texts(sandbox)[-1]


async def test_error_that_a_stop_cuts_off_is_reported(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox) as ending:
        handled = answer_never(sandbox, "/response/")
        await sandbox.slack.command("/usage lastt 7 days")
        await asyncio.wait_for(handled.wait(), 30)
        assert await stopped_outcome(ending) == "asked"
    await lost_after_restart(sandbox)
    assert len(interruptions(sandbox)) == 1


async def test_answer_is_not_sent_again_without_access(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox) as ending:
        handled = answer_never(sandbox, "/response/")
        await sandbox.slack.command(PRIVATE)
        await asyncio.wait_for(handled.wait(), 30)
        await stopped_outcome(ending)
    await lost_after_restart(sandbox, access={"apiaudit": ["U0GRACE"]})
    assert not any("iot:" in text for text in texts(sandbox))
    assert len(interruptions(sandbox)) == 1


async def test_posted_answer_is_not_reported(sandbox: Sandbox) -> None:
    """Slack accepted a new message, and the process ended before it received the confirmation."""
    async with connected_bot(sandbox) as ending:
        handled = answer_never(sandbox, "chat.postMessage", after=sandbox.slack._method)
        await sandbox.slack.command(PUBLIC)
        await asyncio.wait_for(handled.wait(), 30)
        assert await stopped_outcome(ending) == "asked"
    await lost_after_restart(sandbox)
    [text] = texts(sandbox)
    assert "in 7 days" in text


@pytest.mark.parametrize("line", ["/usage last 7 days csv", "/apiaudit iot 24h csv"])
@pytest.mark.parametrize("cut_off", ["files.getUploadURLExternal", "/upload/"])
async def test_file_that_a_stop_cuts_off_is_named(
    sandbox: Sandbox, line: str, cut_off: str
) -> None:
    """Even if the report of the process that stops does not reach Slack."""
    async with connected_bot(sandbox) as ending:
        begun = answer_never(sandbox, cut_off)
        await sandbox.slack.command(line)
        await asyncio.wait_for(begun.wait(), 30)
        for path in ("/response/", "chat.postEphemeral"):
            sandbox.slack.be_slow(600, path=path, times=9)
        assert await stopped_outcome(ending) == "asked"
    sandbox.slack.faults.clear()
    async with connected_bot(sandbox) as bot:
        await until_lost(bot)
        assert await bot.store.read("SELECT * FROM unsent_files", ()) == []
    *_, report = texts(sandbox)
    assert f"the answer to {line}. The file " in report
    assert ".csv may be missing" in report


async def test_finished_command_is_not_offered_again(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox) as ending:
        handled = answer_never(sandbox, "/response/", after=sandbox.slack._response)
        await sandbox.slack.command(SUBSCRIBE)
        await asyncio.wait_for(handled.wait(), 30)
        assert await stopped_outcome(ending) == "cancelled"
        assert len(await ending.store.subscriptions.subscriptions()) == 1


@asynccontextmanager
async def left_by_killed_process(bot: Bot, *commands: str) -> AsyncIterator[None]:
    dead = await Store.open(bot.settings.database, now=utc_now())
    for line in commands:
        command, _, text = line.removeprefix("/").partition(" ")
        asked = QuestionRecord(line, bot.clock(), "U0ADA", "C0OPS", command, text, "slash")
        await dead.questions.claim(asked)
    await dead._claims.end()
    try:
        yield
    finally:
        await dead.close()


async def test_report_waits_for_no_earlier_one(sandbox: Sandbox, bot: Bot) -> None:
    """Slack has not answered the first one yet."""
    handled = answer_never(sandbox, "chat.postEphemeral")
    async with left_by_killed_process(bot, PUBLIC):
        await asyncio.wait_for(handled.wait(), 30)
        async with left_by_killed_process(bot, "/usage today"):
            await sandbox.slack.until(lambda: interruptions(sandbox), timeout_s=8)
    assert "/usage today" in interruptions(sandbox)[0]


@pytest.mark.parametrize(
    "line", [SUBSCRIBE, "/usage Alert today above 5 GB", "/usage save today as now", PUBLIC]
)
async def test_only_questions_are_offered_again(sandbox: Sandbox, bot: Bot, line: str) -> None:
    async with left_by_killed_process(bot, line):
        await until_lost(bot)
    [report] = sandbox.slack.seen()
    assert f"interrupted while it worked on {line}" in report.text
    assert ("Try again" in buttons(report)) == (line == PUBLIC)


async def test_killed_process_leaves_no_open_stream(sandbox: Sandbox) -> None:
    """A real process ends in the middle of a streamed answer."""
    open_agent_surface(sandbox)
    sandbox.rapid7.be_slow(600, times=9)
    async with bot_program(sandbox) as program:
        await sandbox.slack.until(lambda: bool(sandbox.slack.sockets), timeout_s=60)
        begun = await sandbox.slack.start_agent_thread()
        message = await asked(sandbox, begun)
        assert message.streaming == "streaming"
        program.kill()
        await program.wait()
    sandbox.rapid7.answer_at_once()
    async with connected_bot(sandbox) as bot:
        assert message.streaming == "streaming"
        await expire_leases(bot.store)
        await until_lost(bot)
    assert message.streaming == "closed"
    assert of_bot(sandbox, begun) == [message]
    assert len(interruptions(sandbox)) == 1
    assert "interrupted while it worked on" in message.text
    assert "Try again" in buttons(message)


@pytest.mark.parametrize(
    ("method", "is_applied"),
    [("chat.stopStream", False), ("chat.stopStream", True), ("chat.update", False)],
)
async def test_killed_process_leaves_no_steps_above_the_answer(
    sandbox: Sandbox, method: str, is_applied: bool
) -> None:
    """A real process ends between the end of a stream and the edit that removes the steps."""
    open_agent_surface(sandbox)
    sandbox.rapid7.be_slow(600, times=9)
    async with bot_program(sandbox) as program:
        await sandbox.slack.until(lambda: bool(sandbox.slack.sockets), timeout_s=60)
        begun = await sandbox.slack.start_agent_thread()
        message = await asked(sandbox, begun)
        reached = answer_never(
            sandbox, f"/api/{method}", after=sandbox.slack._method if is_applied else None
        )
        sandbox.rapid7.answer_at_once()
        await asyncio.wait_for(reached.wait(), 60)
        program.kill()
        await program.wait()
    sandbox.slack.faults.clear()
    async with connected_bot(sandbox) as bot:
        await expire_leases(bot.store)
        await until_lost(bot)
    assert of_bot(sandbox, begun) == [message]
    assert (message.streaming, interruptions(sandbox)) == ("closed", [])
    assert "in 3 days" in message.text
    assert "task_card" not in str(message.blocks)
    assert "Cancel" not in buttons(message)
    assert "7 days" in buttons(message)


@pytest.mark.shows_work
@pytest.mark.parametrize("button", ["Share here", "CSV"])
async def test_answer_with_a_pressed_button_is_not_replaced(sandbox: Sandbox, button: str) -> None:
    """Slack has shown the answer and not confirmed it, and the process is killed."""
    async with connected_bot(sandbox) as ending:
        sandbox.devicewise.be_slow(600)
        await sandbox.slack.command(PRIVATE)
        shown = await working(sandbox)
        handled = answer_never(sandbox, "/response/", after=sandbox.slack._response)
        sandbox.devicewise.answer_at_once()
        await asyncio.wait_for(handled.wait(), 30)
        sandbox.slack.faults.clear()
        pressed = next(text for text in buttons(shown) if text.startswith(button))
        await sandbox.slack.press(shown, buttons(shown)[pressed])
        await sandbox.slack.until(
            lambda: any(
                "Shared by" in text_of(m) or ".csv" in str(m) for m in sandbox.slack.messages
            )
        )
        words = shown.text
        # As a kill would: nothing is recorded of the end.
        await ending.requests.running.finish(within_s=0.05)
    async with connected_bot(sandbox) as bot:
        await bot.interruptions.report(started=bot.clock())
    assert shown.text == words
    assert interruptions(sandbox) == []
    assert not any("is sent again" in text for text in texts(sandbox))


@pytest.mark.parametrize("method", ["interruption_reported", "take_response_url"])
async def test_outage_of_database_does_not_repeat_reports(
    sandbox: Sandbox, bot: Bot, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr("handlers.outcomes.RETRY_EVERY_S", 0.01)
    act: Callable[..., Awaitable[object]] = getattr(bot.store.questions, method)
    failures = iter(range(2))

    async def fail_twice(*args: object, **options: object) -> object:
        if next(failures, None) is not None:
            raise StoreUnavailable("the server was stopped")
        return await act(*args, **options)

    monkeypatch.setattr(bot.store.questions, method, fail_twice)
    lines = [PUBLIC, "/usage today", "/usage yesterday"]
    async with left_by_killed_process(bot, *lines):
        await until_lost(bot, len(lines))
    assert len(interruptions(sandbox)) == len(lines)


async def test_failed_attempt_to_send_again_is_reported(
    sandbox: Sandbox, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*args: object, **options: object) -> object:
        raise ValueError

    monkeypatch.setattr(bot.store.answers, "find", fail)
    async with left_by_killed_process(bot, PUBLIC):
        await until_lost(bot)
    assert len(interruptions(sandbox)) == 1
