"""An answer reaches the person who asked, even if its message, thread or channel is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, Message
from bot.slack.messages import work_key
from bot.store import QuestionRecord, Store
from tests.conftest import connected_bot
from tests.support.deliveries import PRIVATE, cut, look_up_asker, refuse, texts, working
from tests.support.leases import expire_leases

pytestmark = pytest.mark.usefixtures("late_progress")


@pytest.mark.shows_work
async def test_cut_progress_leaves_no_message_that_work_goes_on(sandbox: Sandbox, bot: Bot) -> None:
    cut(sandbox, "/response/", after=sandbox.slack._response)
    sandbox.devicewise.be_slow(600)
    await sandbox.slack.command(PRIVATE)
    await working(sandbox)
    sandbox.devicewise.answer_at_once()
    await sandbox.slack.until(lambda: any("iot:" in text for text in texts(sandbox)))
    assert [text for text in texts(sandbox) if text.startswith("Working on")] == []


@pytest.mark.shows_work
@pytest.mark.parametrize(
    "line",
    ["/usage last 7 days", "@Opswatch usage last 7 days"],
    ids=["in the channel", "in a thread"],
)
@pytest.mark.parametrize("was_taken", [True, False])
async def test_cut_progress_in_the_channel_is_shown_once(
    sandbox: Sandbox, bot: Bot, was_taken: bool, line: str
) -> None:
    cut(sandbox, "chat.postMessage", after=sandbox.slack._method if was_taken else None)
    sandbox.rapid7.be_slow(600, times=3)
    await (sandbox.slack.command(line) if line.startswith("/") else sandbox.slack.say(line))
    # Whether it was taken is looked up before the answer takes its place.
    lookups = {"/api/conversations.history", "/api/conversations.replies"}
    await sandbox.slack.until(
        lambda: any(entry.path in lookups for entry in sandbox.slack.requests)
    )
    sandbox.rapid7.answer_at_once()
    await sandbox.slack.until(lambda: any("in 7 days" in text for text in texts(sandbox)))
    [answer] = sandbox.slack.seen()
    assert "in 7 days" in answer.text
    assert bool(answer.edited) == was_taken


@pytest.mark.shows_work
async def test_kill_before_recording_leaves_no_progress(
    sandbox: Sandbox,
) -> None:
    """The message is posted, but only Slack knows."""
    now = sandbox.clock()
    store = await Store.open(sandbox.settings().database, now=now)
    asked = QuestionRecord(
        "t1", now - timedelta(minutes=2), "U0ADA", "C0OPS", "usage", "last 7 days", "slash"
    )
    await store.questions.claim(asked)
    await store.close()
    shown = Message(sandbox.slack._ts(), "C0OPS", BOT, "Working on /usage last 7 days")
    shown.metadata = {"event_type": "opswatch_work", "event_payload": {"key": work_key("t1")}}
    sandbox.slack._add(shown)
    async with connected_bot(sandbox) as bot:
        await expire_leases(bot.store)
        await sandbox.slack.until(
            lambda: shown.text.startswith(
                "The bot was interrupted while it worked on /usage last 7 days"
            )
        )
        assert sandbox.slack.seen() == [shown]


@pytest.mark.shows_work
async def test_deleted_progress_is_followed_by_a_fresh_answer(sandbox: Sandbox, bot: Bot) -> None:
    sandbox.rapid7.be_slow(600, times=3)
    await sandbox.slack.command("/usage last 7 days")
    shown = await working(sandbox)
    sandbox.slack.messages.remove(shown)
    sandbox.rapid7.answer_at_once()
    answer = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "in 7 days" in m.text), None)
    )
    assert (answer.channel, answer.seen_by) == ("C0OPS", "")
    assert len(sandbox.slack.seen()) == 1


@pytest.mark.shows_work
@pytest.mark.parametrize("code", ["edit_window_closed", "cant_update_message", "update_failed"])
async def test_uneditable_progress_is_followed_by_answer(
    sandbox: Sandbox, bot: Bot, code: str
) -> None:
    sandbox.rapid7.be_slow(600, times=3)
    await sandbox.slack.command("/usage last 7 days")
    shown = await working(sandbox)
    refuse(sandbox, "chat.update", code, times=9)
    sandbox.rapid7.answer_at_once()
    answer = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "in 7 days" in m.text), None)
    )
    await sandbox.slack.until(lambda: shown not in sandbox.slack.messages)
    assert sandbox.slack.seen() == [answer]


@pytest.mark.shows_work
async def test_answer_without_its_message_is_posted_again(sandbox: Sandbox, bot: Bot) -> None:
    first = await sandbox.slack.answer_to("/usage last 7 days")
    button = next(
        e["action_id"]
        for b in first.blocks
        if b["type"] == "actions"
        for e in b["elements"]
        if "30" in str(e)
    )
    sandbox.rapid7.be_slow(0.5, times=3)
    await sandbox.slack.press(first, button)
    sandbox.slack.messages.remove(first)
    await sandbox.slack.until(
        lambda: any("of 30 days" in m.text for m in sandbox.slack.seen() if not m.seen_by)
    )


@pytest.mark.shows_work
async def test_cut_edit_is_sent_again(sandbox: Sandbox, bot: Bot) -> None:
    sandbox.rapid7.be_slow(600, times=3)
    await sandbox.slack.command("/usage last 7 days")
    shown = await working(sandbox)
    cut(sandbox, "chat.update", after=sandbox.slack._method)
    sandbox.rapid7.answer_at_once()
    await sandbox.slack.until(lambda: "in 7 days" in shown.text)
    assert sandbox.slack.seen() == [shown]


@pytest.mark.parametrize(
    "code", ["thread_not_found", "cannot_reply_to_message", "restricted_action_thread_locked"]
)
async def test_answer_to_deleted_thread_is_in_channel(
    sandbox: Sandbox, bot: Bot, code: str
) -> None:
    refuse(sandbox, "chat.postMessage", code)
    await sandbox.slack.say("@Opswatch usage last 7 days")
    answer = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "in 7 days" in m.text), None)
    )
    assert answer.thread_ts == ""


async def test_private_answer_to_deleted_thread_is_ephemeral(sandbox: Sandbox, bot: Bot) -> None:
    refuse(sandbox, "chat.postEphemeral", "thread_not_found")
    await sandbox.slack.say("@Opswatch apiaudit iot 24h")
    answer = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "iot:" in m.text), None)
    )
    assert (answer.thread_ts, answer.seen_by) == ("", "U0ADA")


@pytest.mark.shows_work
@pytest.mark.parametrize(
    ("code", "says"), [("is_archived", "is archived"), ("not_in_channel", "/invite @Opswatch")]
)
async def test_channel_lost_during_the_work_makes_the_answer_private(
    sandbox: Sandbox, bot: Bot, code: str, says: str
) -> None:
    sandbox.rapid7.be_slow(600, times=3)
    await sandbox.slack.command("/usage last 7 days")
    await working(sandbox)
    refuse(sandbox, "chat.update", code, times=9)
    sandbox.rapid7.answer_at_once()
    answer = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "in 7 days" in m.text), None)
    )
    assert answer.seen_by == "U0ADA"
    assert says in answer.text


async def test_message_too_long_for_slack_is_shortened(sandbox: Sandbox, bot: Bot) -> None:
    refuse(sandbox, "chat.postMessage", "msg_too_long")
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    assert "in 7 days" in answer.text
    assert [block["type"] for block in answer.blocks] == ["section"]


@pytest.mark.shows_work
async def test_post_that_did_not_reach_slack_is_sent_again(
    sandbox: Sandbox, bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    client = bot.requests.delivery._client.web
    reachable = client.base_url
    await look_up_asker(bot)
    client.base_url = "http://127.0.0.1:1/"
    bot.requests.delivery._retry_after_s = (0.1,) * 100
    await sandbox.slack.command("/usage last 7 days")
    async with asyncio.timeout(20):
        while "could not be reached" not in caplog.text:
            await asyncio.sleep(0.02)
    client.base_url = reachable
    answer = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "in 7 days" in m.text), None)
    )
    assert answer.seen_by == ""
    assert len(sandbox.slack.seen()) == 1


async def test_file_for_deleted_thread_is_in_channel(sandbox: Sandbox, bot: Bot) -> None:
    refuse(sandbox, "files.completeUploadExternal", "thread_not_found")
    await sandbox.slack.command("/usage last 7 days csv")
    brought = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.messages if m.files), None)
    )
    assert (brought.channel, brought.thread_ts) == ("C0OPS", "")


async def test_file_refused_by_channel_comes_by_dm(sandbox: Sandbox, bot: Bot) -> None:
    refuse(sandbox, "files.completeUploadExternal", "not_in_channel")
    await sandbox.slack.command("/usage last 7 days csv")
    brought = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.messages if m.files), None)
    )
    assert sandbox.slack.channels[brought.channel].direct_with == "U0ADA"


FILE_FAULTS: dict[str, Callable[[Sandbox], None]] = {
    "refused": lambda sandbox: refuse(
        sandbox, "files.getUploadURLExternal", "file_uploads_disabled"
    ),
    "HTTP 500": lambda sandbox: sandbox.slack.answer_with(500, "no", path="/upload/"),
    "the connection was cut": lambda sandbox: cut(sandbox, "/upload/"),
}


@pytest.mark.parametrize("says", FILE_FAULTS)
async def test_failed_file_leaves_the_answer(sandbox: Sandbox, bot: Bot, says: str) -> None:
    FILE_FAULTS[says](sandbox)
    await sandbox.slack.command("/usage last 7 days csv")
    note = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "file could not be sent" in m.text), None)
    )
    assert says in note.text or "Uploads are switched off" in note.text
    assert ("Ask again" in note.text) == (says in note.text)
    assert any("in 7 days" in text for text in texts(sandbox))


async def test_bot_stops_while_answers_wait_for_their_turn(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox) as bot:
        for _ in range(12):
            await sandbox.slack.command("/usage last 7 days", user="U0LINUS")
        await sandbox.slack.until(
            lambda: any("in 7 days" in text for text in texts(sandbox, "U0LINUS"))
        )
        assert bot.slack.connected
