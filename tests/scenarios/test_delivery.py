"""An answer reaches the person who asked, whatever becomes of the way it was to take."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.app import Bot, open_bot
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, Message
from bot.slack.messages import work_key
from bot.slack.socket_mode import SocketTimeouts
from bot.store import QuestionRecord, Store
from tests.conftest import ROOT, connected_bot, toml_of
from tests.support.leases import expire_leases

HURRIED = SocketTimeouts(
    open=2.0, hello=0.5, ping=5.0, linger=1.0, first_wait=0.05, longest_wait=0.2, lost=0.3
)
PRIVATE = "/apiaudit iot 24h"

pytestmark = pytest.mark.usefixtures("late_progress")


def texts(sandbox: Sandbox, user: str = "U0ADA") -> list[str]:
    return [message.text for message in sandbox.slack.seen(user)]


async def working(sandbox: Sandbox) -> Message:
    """The message that says that work goes on."""
    shown = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if m.text.startswith("Working on")), None)
    )
    assert isinstance(shown, Message)
    return shown


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
    """The next requests are handled, or not, and then the connection is cut."""

    async def act(request: web.Request) -> web.StreamResponse:
        if after:
            await after(request)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    sandbox.slack.misbehave(act, path=path, times=times)


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
    told = await sandbox.slack.until(lambda: [m for m in sandbox.slack.seen() if "iot:" in m.text])
    assert [sandbox.slack.channels[m.channel].direct_with for m in told] == ["U0ADA"]


async def test_former_member_is_answered_by_dm(
    sandbox: Sandbox, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_response_urls(sandbox, monkeypatch, UNREACHABLE["refused"])
    refuse(sandbox, "chat.postEphemeral", "user_not_in_channel")
    await sandbox.slack.command(PRIVATE)
    [told] = await sandbox.slack.until(
        lambda: [m for m in sandbox.slack.seen() if "iot:" in m.text]
    )
    assert sandbox.slack.channels[told.channel].direct_with == "U0ADA"


@pytest.mark.shows_work
async def test_deactivated_asker_does_no_harm(
    sandbox: Sandbox, bot: Bot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    break_response_urls(sandbox, monkeypatch, UNREACHABLE["refused"])
    refuse(sandbox, "chat.postEphemeral", "user_not_in_channel", times=2)
    refuse(sandbox, "conversations.open", "user_disabled", times=2)
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
    told = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "did not confirm" in m.text), None)
    )
    assert told.seen_by == "U0ADA"
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
async def test_cut_progress_leaves_no_message_that_work_goes_on(sandbox: Sandbox, bot: Bot) -> None:
    cut(sandbox, "/response/", after=sandbox.slack._response)
    sandbox.devicewise.be_slow(600)
    await sandbox.slack.command(PRIVATE)
    await working(sandbox)
    sandbox.devicewise.answer_at_once()
    await sandbox.slack.until(lambda: any("iot:" in text for text in texts(sandbox)))
    assert [text for text in texts(sandbox) if text.startswith("Working on")] == []


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
    """The message stands, and nothing but Slack knows of it."""
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
    async with (
        open_bot(
            sandbox.settings(), sandbox.tokens(), timeouts=HURRIED, clock=sandbox.clock
        ) as bot,
        bot.connected(),
    ):
        await expire_leases(bot.store)
        await sandbox.slack.until(
            lambda: shown.text.startswith(
                "The bot was interrupted while it worked on /usage last 7 days"
            )
        )
        assert sandbox.slack.seen() == [shown]


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
    reachable, client.base_url = client.base_url, "http://127.0.0.1:1/"
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


async def test_answer_by_response_url_is_private(sandbox: Sandbox, bot: Bot) -> None:
    bot.requests.delivery._client.web.base_url = "http://127.0.0.1:1/"
    bot.requests.delivery._retry_after_s = ()
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    assert answer.seen_by == "U0ADA"
    assert "in 7 days" in answer.text
    assert "Slack took no message for this channel" in answer.text


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
    told = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "file could not be sent" in m.text), None)
    )
    assert says in told.text or "file_uploads_disabled" in told.text
    assert any("in 7 days" in text for text in texts(sandbox))


async def test_message_of_other_app_asks_nothing(sandbox: Sandbox, bot: Bot) -> None:
    """Its buttons may look like ours; what it says would be asked with the rights of whoever
    mentions us.
    """
    button = {
        "type": "button",
        "action_id": "ask.0",
        "text": {"type": "plain_text", "text": "x"},
        "value": "/logs kitchen 2h",
    }
    root = Message(
        sandbox.slack._ts(),
        "C0OPS",
        "U0PAGER",
        "Something is wrong",
        [{"type": "actions", "elements": [button]}],
    )
    sandbox.slack._add(root)
    await sandbox.slack.say("@Opswatch last 30 days", thread_ts=root.ts)
    await sandbox.slack.until(lambda: any("say what to change" in text for text in texts(sandbox)))
    assert sandbox.rapid7.requests == []


@pytest.mark.parametrize(
    "extra",
    [
        {"bot_id": "B0PAGER"},
        {"bot_profile": {"name": "pager"}},
        {"subtype": "bot_message"},
        {"user": BOT},
    ],
    ids=["bot_id", "bot_profile", "subtype", "ourselves"],
)
async def test_mention_by_an_app_is_ignored(
    sandbox: Sandbox, bot: Bot, extra: dict[str, Any]
) -> None:
    event = {
        "type": "app_mention",
        "user": "U0PAGER",
        "text": f"<@{BOT}> usage last 7 days",
        "ts": "1.1",
        "channel": "C0OPS",
    }
    await sandbox.slack._send("events_api", sandbox.slack._event("U0PAGER", {**event, **extra}))
    await sandbox.slack.answer_to("/usage last 5 days")
    assert not any("in 7 days" in text for text in texts(sandbox))


async def test_message_events_are_ignored(
    sandbox: Sandbox, bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    event = {
        "type": "message",
        "user": "U0ADA",
        "text": "usage hunter2 last 7 days",
        "ts": "1.1",
        "channel": "C0OPS",
    }
    ack = await sandbox.slack._send("events_api", sandbox.slack._event("U0ADA", event))
    await asyncio.wait_for(ack.done, 60)
    await sandbox.slack.answer_to("/usage last 5 days")
    assert not any("in 7 days" in text for text in texts(sandbox))
    assert "hunter2" not in caplog.text


LONG = {
    "a command of 3,000 characters": "a " * 1500,
    "a command of one word": "a" * 3000,
    "quotes": '"' * 3000,
    "brackets": "where(" * 500,
    "dates": "2026-11-01.." * 250,
}


@pytest.mark.parametrize("words", LONG.values(), ids=LONG.keys())
async def test_hostile_command_is_acknowledged_and_refused(
    sandbox: Sandbox, bot: Bot, words: str
) -> None:
    ack = await sandbox.slack.command(f"/usage {words}")
    await asyncio.wait_for(ack.done, 60)
    await sandbox.slack.until(sandbox.slack.seen)
    assert "in 7 days" in (await sandbox.slack.answer_to("/usage last 7 days")).text


async def test_mention_of_eight_thousand_words_is_refused(sandbox: Sandbox, bot: Bot) -> None:
    await sandbox.slack.say("@Opswatch " + "word " * 8000)
    await sandbox.slack.until(
        lambda: any("too long for a question" in text for text in texts(sandbox))
    )


def nested(depth: int) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "section"}
    for _ in range(depth):
        block = {"type": "section", "elements": [block]}
    return block


@pytest.mark.parametrize(
    "blocks", [[nested(400)], [{"type": "section"}] * 20_000, "no list", [None, 7, "x"]]
)
async def test_shortcut_at_a_strange_message_opens_the_chooser(
    sandbox: Sandbox, bot: Bot, blocks: Any
) -> None:
    said = Message(sandbox.slack._ts(), "C0OPS", BOT, "strange", blocks)
    await sandbox.slack.shortcut("ask_again", message=said)
    assert await sandbox.slack.until(sandbox.slack.modal)


async def test_huge_state_of_a_form_is_answered(sandbox: Sandbox, bot: Bot) -> None:
    help_ = await sandbox.slack.answer_to("/usage help")
    await sandbox.slack.press(help_, "modal.question")
    view = await sandbox.slack.until(sandbox.slack.modal)
    value = {"x": {"type": "plain_text_input", "value": "a " * 1500}}
    payload = {
        "type": "view_submission",
        **sandbox.slack._from_view(
            view, {"values": {f"b{number}": value for number in range(200)} | {"rest": value}}
        ),
    }
    ack = await sandbox.slack._send("interactive", payload)
    answer = await asyncio.wait_for(ack.done, 30)
    assert answer.get("response_action") in (None, "errors")
    assert "in 7 days" in (await sandbox.slack.answer_to("/usage last 7 days")).text


@pytest.mark.shows_work
async def test_kill_during_private_work_leaves_no_progress(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    config = tmp_path / "bot.toml"
    config.write_text(toml_of(sandbox.table()), "utf-8")
    env = {
        **os.environ,
        **sandbox.environ(),
        "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "run",
        "--config",
        str(config),
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        await sandbox.slack.until(lambda: sandbox.slack.sockets, timeout_s=60)
        sandbox.devicewise.be_slow(60)
        await sandbox.slack.command(PRIVATE)
        shown = await working(sandbox)
    finally:
        process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL
    await sandbox.slack.until(lambda: not sandbox.slack.sockets)
    async with (
        open_bot(
            sandbox.settings(), sandbox.tokens(), timeouts=HURRIED, clock=sandbox.clock
        ) as bot,
        bot.connected(),
    ):
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


async def test_bot_stops_while_answers_wait_for_their_turn(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox) as bot:
        for _ in range(12):
            await sandbox.slack.command("/usage last 7 days", user="U0LINUS")
        await sandbox.slack.until(
            lambda: any("in 7 days" in text for text in texts(sandbox, "U0LINUS"))
        )
        assert bot.slack.connected
