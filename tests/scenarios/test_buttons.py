"""What becomes of a message when one of its buttons is pressed, and by whom."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot.app import Bot, open_bot
from bot.sandbox.slack import BOT, INTERIM, Message
from bot.sandbox.world import Sandbox
from bot.slack.outbox import OutboxTimings
from bot.slack.private_reasons import NOT_SHAREABLE
from tests.scenarios.test_slack import buttons, text_of, types

pytestmark = pytest.mark.usefixtures("late_progress", "bot")
# These tests ask many questions in one channel.
QUICK = OutboxTimings(per_channel=0.05)


@pytest.fixture
async def bot(world: Sandbox) -> AsyncIterator[Bot]:
    async with (
        open_bot(world.settings(), world.tokens(), pace=QUICK, clock=world.clock) as opened,
        opened.connected(),
    ):
        await world.slack.until(lambda: world.slack.sockets)
        yield opened


async def pressed(world: Sandbox, message: Message, button: str, *, user: str = "U0ADA") -> None:
    await world.slack.press(message, buttons(message)[button], user=user)


async def test_own_answer_is_replaced_by_the_next(world: Sandbox) -> None:
    answer = await world.slack.answer_to("/usage last 7 days")
    await pressed(world, answer, "30 days")
    await world.slack.until(lambda: "of 30 days" in answer.text)
    assert world.slack.seen() == [answer]
    first = answer.blocks[-1]["block_id"]
    await pressed(world, answer, "7 days")
    await world.slack.until(lambda: "in 7 days" in answer.text)
    assert answer.blocks[-1]["block_id"] != first


async def test_answer_of_others_is_not_replaced(world: Sandbox) -> None:
    answer = await world.slack.answer_to("/usage last 7 days")
    await pressed(world, answer, "30 days", user="U0LINUS")
    await world.slack.until(
        lambda: [m for m in world.slack.seen() if "of 30 days" in m.text and m is not answer]
    )
    assert "in 7 days" in answer.text
    assert not answer.edited


async def test_answer_with_replies_is_not_replaced(
    world: Sandbox,
) -> None:
    answer = await world.slack.answer_to("/usage last 7 days")
    await world.slack.say("look at Tuesday", user="U0GRACE", thread_ts=answer.ts)
    await pressed(world, answer, "30 days")
    found = await world.slack.until(
        lambda: next((m for m in world.slack.seen() if "of 30 days" in m.text), None)
    )
    assert found.thread_ts == answer.ts
    assert not answer.edited


async def test_own_file_in_thread_is_no_reply(world: Sandbox) -> None:
    answer = await world.slack.answer_to("/usage last 7 days")
    await pressed(world, answer, "CSV")
    brought = await world.slack.until(
        lambda: next((m for m in world.slack.messages if m.files), None)
    )
    assert (brought.thread_ts, answer.edited) == (answer.ts, 1)
    assert "CSV" not in buttons(answer)
    await pressed(world, answer, "30 days")
    await world.slack.until(lambda: "of 30 days" in answer.text)


async def test_button_in_thread_answers_in_thread(world: Sandbox) -> None:
    root = await world.slack.answer_to("/usage last 7 days")
    await world.slack.say("@Opswatch today", thread_ts=root.ts)
    reply = await world.slack.until(
        lambda: next((m for m in world.slack.seen() if m.thread_ts and "in 1 day" in m.text), None)
    )
    await pressed(world, reply, "30 days", user="U0LINUS")
    found = await world.slack.until(
        lambda: next((m for m in world.slack.seen() if "of 30 days" in m.text), None)
    )
    assert found.thread_ts == root.ts
    await pressed(world, reply, "7 days")
    await world.slack.until(lambda: "in 7 days" in reply.text)


@pytest.mark.shows_work
async def test_failed_question_leaves_previous_answer(
    world: Sandbox,
) -> None:
    answer = await world.slack.answer_to("/usage last 7 days")
    world.rapid7.be_slow(600, times=3)
    await pressed(world, answer, "30 days")
    working = await world.slack.until(
        lambda: next((m for m in world.slack.seen() if m.text.startswith("Working on")), None)
    )
    assert "in 7 days" in answer.text
    world.rapid7.answer_at_once()
    await world.slack.until(lambda: "of 30 days" in answer.text)
    await world.slack.until(lambda: working not in world.slack.messages)
    world.rapid7.answer_with(403, "no", times=9)
    await pressed(world, answer, "7 days")
    await world.slack.until(lambda: any(m.seen_by for m in world.slack.seen()))
    assert "of 30 days" in answer.text


@pytest.mark.parametrize("code", ["message_not_found", "cant_update_message", "edit_window_closed"])
async def test_uneditable_answer_is_followed_by_the_next(world: Sandbox, code: str) -> None:
    answer = await world.slack.answer_to("/usage last 7 days")
    world.slack.answer_with(
        200,
        json.dumps({"ok": False, "error": code}),
        path="chat.update",
        Content_Type="application/json",
        times=1,
    )
    await pressed(world, answer, "30 days")
    assert await world.slack.until(
        lambda: any("of 30 days" in m.text and m is not answer for m in world.slack.seen())
    )


@pytest.mark.shows_work
@pytest.mark.parametrize("slow_s", [0, 1.6], ids=["at once", "after a while"])
async def test_private_answer_is_replaced_unless_next_fails(world: Sandbox, slow_s: float) -> None:
    answer = await world.slack.answer_to("/apiaudit iot 24h")
    await pressed(world, answer, "7 days")
    await world.slack.until(lambda: answer.edited and "iot: " in answer.text)
    assert (world.slack.seen(), answer.seen_by) == ([answer], "U0ADA")
    kept = answer.text, answer.blocks

    async def fail(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(slow_s)
        return web.Response(status=503)

    world.devicewise.misbehave(fail, times=9)
    await pressed(world, answer, "30 days")
    await world.slack.until(
        lambda: any("Try again" in buttons(m) for m in world.slack.seen()), timeout_s=30
    )
    assert (answer.text, answer.blocks) == kept


@pytest.mark.shows_work
async def test_cancelled_replacement_restores_private_answer(
    world: Sandbox,
) -> None:
    answer = await world.slack.answer_to("/apiaudit iot 24h")
    kept = answer.text, answer.blocks
    world.devicewise.be_slow(30)
    await pressed(world, answer, "7 days")
    await world.slack.until(lambda: answer.text.startswith("Working on"))
    await pressed(world, answer, "Cancel")
    await world.slack.until(
        lambda: any("Cancelled, as you asked." in m.text for m in world.slack.seen())
    )
    assert (answer.text, answer.blocks) == kept
    await pressed(world, answer, "Share here")
    await world.slack.until(lambda: any("Shared by" in text_of(m) for m in world.slack.seen()))


@pytest.mark.shows_work
async def test_restored_answer_is_shareable_only_where_bot_can_post(world: Sandbox) -> None:
    channel = world.slack.channels["C0QUIET"]
    channel.bot_is_in = True
    answer = await world.slack.answer_to("/apiaudit iot 24h", channel="C0QUIET")
    world.devicewise.be_slow(30)
    await pressed(world, answer, "7 days")
    await world.slack.until(lambda: answer.text.startswith("Working on"))
    channel.bot_is_in = False
    await pressed(world, answer, "Cancel")
    await world.slack.until(lambda: answer.text.startswith("iot: "))
    assert "Share here" not in buttons(answer)
    assert NOT_SHAREABLE in answer.text
    assert NOT_SHAREABLE in text_of(answer)


async def test_refusal_is_replaced_by_corrected_answer(world: Sandbox) -> None:
    refusal = await world.slack.answer_to("/usage lsat week")
    await pressed(world, refusal, "Ask this instead")
    await world.slack.until(
        lambda: any("day" in m.text and not m.seen_by for m in world.slack.seen())
    )
    await world.slack.until(lambda: refusal not in world.slack.messages)
    world.devicewise.answer_with(503, "no", times=99)
    error = await world.slack.answer_to("/apiaudit iot 24h")
    await pressed(world, error, "Try again")
    await world.slack.until(lambda: error.edited)
    assert [m for m in world.slack.seen() if m.seen_by] == [error]


@pytest.mark.shows_work
@pytest.mark.parametrize("slow_s", [0, 2.6], ids=["at once", "after a while"])
async def test_help_is_not_replaced(world: Sandbox, slow_s: float) -> None:
    told = await world.slack.answer_to("/apiaudit help")
    kept = told.text
    world.akamai.be_slow(slow_s)
    await world.slack.press(told, "ask.0")
    await world.slack.until(lambda: any(" calls, " in m.text for m in world.slack.seen()))
    assert (told.text, told.edited) == (kept, 0)
    assert told in world.slack.messages


@pytest.mark.shows_work
async def test_direct_message_answer_is_replaced(
    world: Sandbox,
) -> None:
    await world.slack.open_home("U0ADA")
    await world.slack.until(lambda: world.slack.homes.get("U0ADA"))
    await world.slack.press_at_home("/apiaudit edge 24h failures")
    answer = await world.slack.until(
        lambda: next((m for m in world.slack.seen(channel="D0ADA") if "calls" in m.text), None)
    )
    world.akamai.be_slow(1.5, times=1)
    await pressed(world, answer, "7 days")
    await world.slack.until(lambda: answer.edited)
    await world.slack.until(lambda: world.slack.seen() == [answer])
    world.akamai.answer_with(403, "no", times=9)
    await pressed(world, answer, "24 hours")
    trouble = await world.slack.until(
        lambda: next((m for m in world.slack.seen() if m is not answer), None)
    )
    assert (trouble.channel, trouble.seen_by) == ("D0ADA", "")


@pytest.mark.shows_work
async def test_mentioned_private_work_leaves_no_progress(
    world: Sandbox,
) -> None:
    world.devicewise.be_slow(1.5, times=1)
    await world.slack.say("@Opswatch apiaudit iot 24h", channel="C0KITCHEN")
    await world.slack.until(lambda: any("iot: " in m.text for m in world.slack.seen()))
    told = [m.text.partition(" takes")[0] for m in world.slack.seen() if m.seen_by]
    assert told[0] == "The answer to `/apiaudit iot 24h`"
    assert not [m for m in world.slack.seen() if m.text.startswith("Working on")]


@pytest.mark.shows_work
async def test_private_answer_never_replaces_public_one(world: Sandbox) -> None:
    private = await world.slack.answer_to("/apiaudit iot 24h", channel="C0KITCHEN")
    public = Message(
        "1.5",
        "C0KITCHEN",
        BOT,
        "A digest",
        [*private.blocks[:-1], {**private.blocks[-1], "block_id": "b"}],
    )
    world.slack.messages[:] = [public]
    world.devicewise.be_slow(600, times=1)
    await pressed(world, public, "7 days")
    soon = await world.slack.until(
        lambda: next((m for m in world.slack.seen() if "takes a while" in m.text), None)
    )
    world.devicewise.answer_at_once()
    answer = await world.slack.until(
        lambda: next((m for m in world.slack.seen() if "calls" in m.text and m is not public), None)
    )
    assert (soon.seen_by, answer.seen_by) == ("U0ADA", "U0ADA")
    assert (public.text, public.edited) == ("A digest", 0)


async def answered(world: Sandbox, message: Message, button: str) -> Message:
    """What comes of a button once no work shows any more."""
    before = {(m.ts, m.edited) for m in world.slack.messages}
    await pressed(world, message, button)

    def fresh() -> Message | None:
        found = [m for m in world.slack.seen() if (m.ts, m.edited) not in before and m.blocks]
        return next((m for m in found if not m.text.startswith(INTERIM)), None)

    found: Message = await world.slack.until(fresh, timeout_s=60)
    return found


LINES = [
    "/usage last 7 days",
    "/usage last 30 days by week per log",
    "/usage today csv",
    "/usage help",
    "/usage lsat week",
    "/usage alert today",
    "/apiaudit 24h",
    "/apiaudit iot 7d failures csv",
    "/apiaudit help",
    "/apiaudit edge who:",
    "/logs kitchen 20m",
    "/logs kitchen,cellar 2h where(ERROR)",
    "/logs help",
    "/logs",
    "/logs kitchn 20m",
]


async def with_button(world: Sandbox, line: str, name: str) -> Message:
    """The answer to the line, also where the channel is busy and it comes a while later."""
    await world.slack.answer_to(line)
    found: Message = await world.slack.until(
        lambda: next((m for m in world.slack.seen() if name in buttons(m)), None), timeout_s=60
    )
    return found


@pytest.mark.parametrize("line", LINES)
async def test_every_answer_button_works(world: Sandbox, line: str) -> None:
    message = await world.slack.answer_to(line)
    assert buttons(message)
    for name, action in buttons(message).items():
        world.slack.messages.clear()
        message = await with_button(world, line, name)
        if action.startswith("modal."):
            await pressed(world, message, name)
            await world.slack.until(world.slack.modal)
            world.slack.views.clear()
        elif action == "share":
            await pressed(world, message, name)
            await world.slack.until(
                lambda: any("Shared by" in text_of(m) and not m.seen_by for m in world.slack.seen())
            )
        else:
            assert action.startswith("ask.")
            answer = await answered(world, message, name)
            assert types(answer)[0] == "header", (name, answer.text)
    assert world.slack.refused == []


async def test_every_home_button_works(world: Sandbox) -> None:
    await world.slack.answer_to("/usage last 7 days")
    await world.slack.open_home("U0ADA")
    home = await world.slack.until(lambda: world.slack.homes.get("U0ADA"))
    pressable = [block["accessory"] for block in home if "accessory" in block]
    values = [button["value"] for button in pressable if button["action_id"] != "home.check"]
    assert len(values) == 4
    for value in values:
        world.slack.messages.clear()
        await world.slack.press_at_home(value)
        answer = await world.slack.until(
            lambda: next((m for m in world.slack.seen(channel="D0ADA") if m.blocks), None)
        )
        assert types(answer)[0] == "header", (value, answer.text)
