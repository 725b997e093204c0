"""What Slack delivers again has one effect, also where a restart or a crash came in between."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.slack import Message, View
from bot.sandbox.world import Sandbox
from bot.slack.deliveries import delivery_key, is_recorded
from bot.store import Store
from providers.clock import utc_now
from tests.conftest import connected_bot
from tests.scenarios.test_reload import HANGS_UP, running
from tests.scenarios.test_slack import buttons, text_of

Act = Callable[[Sandbox], Awaitable[None]]


async def form(world: Sandbox, message: Message, button: str) -> View:
    await world.slack.press(message, buttons(message)[button])
    view: View = await world.slack.until(world.slack.modal)
    return view


async def seen(world: Sandbox, text: str) -> None:
    await world.slack.until(lambda: any(text in text_of(m) for m in world.slack.seen()))


async def _ask(world: Sandbox) -> None:
    answer = await world.slack.answer_to("/usage last 7 days")
    await world.slack.press(answer, buttons(answer)["30 days"])
    await seen(world, "of 30 days")


async def _share(world: Sandbox) -> None:
    answer = await world.slack.answer_to("/apiaudit iot 24h")
    await world.slack.press(answer, buttons(answer)["Share here"])
    await seen(world, "Shared by")


async def _cancel_nothing(world: Sandbox) -> None:
    world.rapid7.be_slow(2.0, times=3)
    await world.slack.command("/usage last 7 days")
    working = await world.slack.until(
        lambda: next((m for m in world.slack.seen() if m.text.startswith("Working on")), None)
    )
    await world.slack.press(working, buttons(working)["Cancel"])
    await seen(world, "Cancelled, as you asked.")


async def _subscribe(world: Sandbox) -> None:
    view = await form(world, await world.slack.answer_to("/usage last 7 days"), "Repeat…")
    await world.slack.submit(view, time="08:30")
    await seen(world, "Subscription 1")


async def _alert(world: Sandbox) -> None:
    view = await form(world, await world.slack.answer_to("/usage today"), "Alert me…")
    await world.slack.submit(view, threshold="5000 GB")
    await seen(world, "in 90 days")


async def _form_question(world: Sandbox) -> None:
    view = await form(world, await world.slack.answer_to("/usage help"), "Fill in…")
    await world.slack.submit(view)
    await seen(world, "in 10 days")


async def _refused_mention(world: Sandbox) -> None:
    await world.slack.say("@Opswatch what is this?")
    await seen(world, "say what to change")


async def _open_form(world: Sandbox) -> None:
    await form(world, await world.slack.answer_to("/usage help"), "Fill in…")


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


def effects(world: Sandbox) -> list[tuple[str, str, int]]:
    """What the bot has shown and opened."""
    opened = world.slack.paths().count("POST /api/views.open")
    return [
        *((m.text, json.dumps(m.blocks), m.edited) for m in world.slack.seen()),
        ("", "", opened),
    ]


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
async def test_delivery_repeated_after_restart_is_ignored(world: Sandbox, act: Act) -> None:
    async with connected_bot(world):
        await act(world)
        delivered = world.slack.last_delivery
    before = effects(world)
    async with connected_bot(world) as bot:
        world.slack.last_delivery = delivered
        await world.slack.deliver_again()
        # Begun later, so what the repeated one would do is done by then.
        await world.slack.answer_to("/usage yesterday", channel="C0KITCHEN", user="U0GRACE")
        again = [m for m in world.slack.messages if m.channel == "C0KITCHEN"]
        for message in again:
            world.slack.messages.remove(message)
        made = await bot.store.read(
            "SELECT (SELECT count(*) FROM subscriptions) AS s, (SELECT count(*) FROM rules) AS r"
        )
    assert effects(world) == before
    assert made[0]["s"] + made[0]["r"] <= 1


async def test_refused_form_repeated_after_restart_is_refused(world: Sandbox) -> None:
    async with connected_bot(world):
        view = await form(world, await world.slack.answer_to("/usage last 7 days"), "Repeat…")
        await world.slack.submit(view, time="08:30", question="lsat week")
        assert view.errors
        delivered = world.slack.last_delivery
    async with connected_bot(world):
        world.slack.last_delivery = delivered
        ack = await world.slack.deliver_again()
        assert ack.done.result()["response_action"] == "errors"


@HANGS_UP
async def test_killed_bot_saves_a_repeated_form_once(world: Sandbox, tmp_path: Path) -> None:
    async with running(world, tmp_path / "log") as process:
        await _subscribe(world)
        delivered = world.slack.last_delivery
        process.kill()
    await world.slack.until(lambda: not world.slack.sockets)
    async with running(world, tmp_path / "log"):
        world.slack.last_delivery = delivered
        await world.slack.deliver_again()
        await world.slack.answer_to("/usage yesterday", timeout_s=60)
    store = await Store.open(world.location, now=utc_now())
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
