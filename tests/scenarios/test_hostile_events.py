"""Events that no person meant as a question, and payloads of malicious size or shape."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, Message
from tests.support.deliveries import texts

pytestmark = pytest.mark.usefixtures("late_progress")


async def test_message_of_other_app_asks_nothing(sandbox: Sandbox, bot: Bot) -> None:
    """Its buttons may look like ours; its text would be asked with the rights of whoever mentions
    the bot.
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
    message = Message(sandbox.slack._ts(), "C0OPS", BOT, "strange", blocks)
    await sandbox.slack.shortcut("ask_again", message=message)
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
