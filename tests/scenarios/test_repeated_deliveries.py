"""Slack's repeated deliveries take effect once, even across a restart or a crash."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import Message, View
from bot.slack.deliveries import delivery_key, is_recorded
from bot.store import Store
from providers.clock import utc_now
from tests.conftest import connected_bot
from tests.scenarios.test_reload import HANGS_UP, running
from tests.support.messages import buttons, text_of

Act = Callable[[Sandbox], Awaitable[None]]


async def form(sandbox: Sandbox, message: Message, button: str) -> View:
    await sandbox.slack.press(message, buttons(message)[button])
    view: View = await sandbox.slack.until(sandbox.slack.modal)
    return view


async def seen(sandbox: Sandbox, text: str) -> None:
    await sandbox.slack.until(lambda: any(text in text_of(m) for m in sandbox.slack.seen()))


async def _ask(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    await sandbox.slack.press(answer, buttons(answer)["30 days"])
    await seen(sandbox, "of 30 days")


async def _share(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/apiaudit iot 24h")
    await sandbox.slack.press(answer, buttons(answer)["Share here"])
    await seen(sandbox, "Shared by")


async def _cancel_nothing(sandbox: Sandbox) -> None:
    sandbox.rapid7.be_slow(2.0, times=3)
    await sandbox.slack.command("/usage last 7 days")
    working = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if m.text.startswith("Working on")), None)
    )
    await sandbox.slack.press(working, buttons(working)["Cancel"])
    await seen(sandbox, "Cancelled, as you asked.")


async def _subscribe(sandbox: Sandbox) -> None:
    view = await form(sandbox, await sandbox.slack.answer_to("/usage last 7 days"), "Repeat…")
    await sandbox.slack.submit(view, time="08:30")
    await seen(sandbox, "Subscription 1")


async def _alert(sandbox: Sandbox) -> None:
    view = await form(sandbox, await sandbox.slack.answer_to("/usage today"), "Alert me…")
    await sandbox.slack.submit(view, threshold="5000 GB")
    await seen(sandbox, "in 90 days")


async def _form_question(sandbox: Sandbox) -> None:
    view = await form(sandbox, await sandbox.slack.answer_to("/usage help"), "Fill in…")
    await sandbox.slack.submit(view)
    await seen(sandbox, "in 10 days")


async def _refused_mention(sandbox: Sandbox) -> None:
    await sandbox.slack.say("@Opswatch what is this?")
    await seen(sandbox, "say what to change")


async def _open_form(sandbox: Sandbox) -> None:
    await form(sandbox, await sandbox.slack.answer_to("/usage help"), "Fill in…")


ACTS: dict[str, Act] = {
    "question by button": _ask,
    "share": _share,
    "cancel": _cancel_nothing,
    "subscription": _subscribe,
    "alert": _alert,
    "question by form": _form_question,
    "refused mention": _refused_mention,
    "opened form": _open_form,
}


def effects(sandbox: Sandbox) -> list[tuple[str, str, int]]:
    """The messages and forms that the bot has shown."""
    opened = sandbox.slack.paths().count("POST /api/views.open")
    return [
        *((m.text, json.dumps(m.blocks), m.edited) for m in sandbox.slack.seen()),
        ("", "", opened),
    ]


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
async def test_delivery_repeated_after_restart_is_ignored(sandbox: Sandbox, act: Act) -> None:
    async with connected_bot(sandbox):
        await act(sandbox)
        delivered = sandbox.slack.last_delivery
    before = effects(sandbox)
    async with connected_bot(sandbox) as bot:
        sandbox.slack.last_delivery = delivered
        await sandbox.slack.deliver_again()
        # Begun later, so what the repeated one would do is done by then.
        await sandbox.slack.answer_to("/usage yesterday", channel="C0KITCHEN", user="U0GRACE")
        again = [m for m in sandbox.slack.messages if m.channel == "C0KITCHEN"]
        for message in again:
            sandbox.slack.messages.remove(message)
        made = await bot.store.read(
            "SELECT (SELECT count(*) FROM subscriptions) AS s, (SELECT count(*) FROM rules) AS r"
        )
    assert effects(sandbox) == before
    assert made[0]["s"] + made[0]["r"] <= 1


async def test_refused_form_repeated_after_restart_is_refused(sandbox: Sandbox) -> None:
    async with connected_bot(sandbox):
        view = await form(sandbox, await sandbox.slack.answer_to("/usage last 7 days"), "Repeat…")
        await sandbox.slack.submit(view, time="08:30", question="lsat week")
        assert view.errors
        delivered = sandbox.slack.last_delivery
    async with connected_bot(sandbox):
        sandbox.slack.last_delivery = delivered
        ack = await sandbox.slack.deliver_again()
        assert ack.done.result()["response_action"] == "errors"


@HANGS_UP
async def test_killed_bot_saves_a_repeated_form_once(sandbox: Sandbox, tmp_path: Path) -> None:
    async with running(sandbox, tmp_path / "log") as process:
        await _subscribe(sandbox)
        delivered = sandbox.slack.last_delivery
        process.kill()
    await sandbox.slack.until(lambda: not sandbox.slack.sockets)
    async with running(sandbox, tmp_path / "log"):
        sandbox.slack.last_delivery = delivered
        await sandbox.slack.deliver_again()
        await sandbox.slack.answer_to("/usage yesterday", timeout_s=60)
    store = await Store.open(sandbox.location, now=utc_now())
    assert len(await store.subscriptions.subscriptions()) == 1
    await store.close()


PRESS: dict[str, Any] = {
    "type": "block_actions",
    "user": {"id": "U0ADA"},
    "actions": [{"action_id": "share", "action_ts": "1.1"}],
}


def test_press_without_trigger_is_known_by_its_time() -> None:
    assert delivery_key(PRESS) == "block_actions 1.1 U0ADA share"
    assert delivery_key({**PRESS, "trigger_id": "t"}) == "block_actions t"
    assert delivery_key({"type": "block_suggestion", "trigger_id": "t"}) == ""
    assert delivery_key({"type": "block_actions"}) == ""


def test_commands_are_recorded_as_questions() -> None:
    assert is_recorded(PRESS)
    assert not is_recorded({"command": "/usage", "trigger_id": "t"})
    assert not is_recorded({"event_id": "E", "event": {"type": "app_home_opened"}})
