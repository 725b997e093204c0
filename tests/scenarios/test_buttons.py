"""How a message changes when somebody presses one of its buttons."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bot.app import Bot, open_bot
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, INTERIM, Message
from bot.slack.outbox import OutboxTimings
from bot.slack.private_reasons import NOT_SHAREABLE
from tests.support.messages import buttons, text_of, types

pytestmark = pytest.mark.usefixtures("late_progress", "bot")
# These tests ask many questions in one channel.
QUICK = OutboxTimings(per_channel=0.05)


@pytest.fixture
async def bot(sandbox: Sandbox) -> AsyncIterator[Bot]:
    async with (
        open_bot(sandbox.settings(), sandbox.tokens(), pace=QUICK, clock=sandbox.clock) as opened,
        opened.connected(),
    ):
        await sandbox.slack.until(lambda: sandbox.slack.sockets)
        yield opened


async def pressed(sandbox: Sandbox, message: Message, button: str, *, user: str = "U0ADA") -> None:
    await sandbox.slack.press(message, buttons(message)[button], user=user)


async def test_own_answer_is_replaced_by_the_next(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    await pressed(sandbox, answer, "30 days")
    await sandbox.slack.until(lambda: "of 30 days" in answer.text)
    assert sandbox.slack.seen() == [answer]
    first = answer.blocks[-1]["block_id"]
    await pressed(sandbox, answer, "7 days")
    await sandbox.slack.until(lambda: "in 7 days" in answer.text)
    assert answer.blocks[-1]["block_id"] != first


async def test_answer_of_others_is_not_replaced(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    await pressed(sandbox, answer, "30 days", user="U0LINUS")
    await sandbox.slack.until(
        lambda: [m for m in sandbox.slack.seen() if "of 30 days" in m.text and m is not answer]
    )
    assert "in 7 days" in answer.text
    assert not answer.edited


async def test_answer_with_replies_is_not_replaced(
    sandbox: Sandbox,
) -> None:
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    await sandbox.slack.say("look at Tuesday", user="U0GRACE", thread_ts=answer.ts)
    await pressed(sandbox, answer, "30 days")
    found = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "of 30 days" in m.text), None)
    )
    assert found.thread_ts == answer.ts
    assert not answer.edited


async def test_own_file_in_thread_is_no_reply(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    await pressed(sandbox, answer, "CSV")
    brought = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.messages if m.files), None)
    )
    assert (brought.thread_ts, answer.edited) == (answer.ts, 1)
    assert "CSV" not in buttons(answer)
    await pressed(sandbox, answer, "30 days")
    await sandbox.slack.until(lambda: "of 30 days" in answer.text)


async def test_button_in_thread_answers_in_thread(sandbox: Sandbox) -> None:
    root = await sandbox.slack.answer_to("/usage last 7 days")
    await sandbox.slack.say("@Opswatch today", thread_ts=root.ts)
    reply = await sandbox.slack.until(
        lambda: next(
            (m for m in sandbox.slack.seen() if m.thread_ts and "so far today" in m.text), None
        )
    )
    await pressed(sandbox, reply, "30 days", user="U0LINUS")
    found = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "of 30 days" in m.text), None)
    )
    assert found.thread_ts == root.ts
    await pressed(sandbox, reply, "7 days")
    await sandbox.slack.until(lambda: "in 7 days" in reply.text)


@pytest.mark.shows_work
async def test_failed_question_leaves_previous_answer(
    sandbox: Sandbox,
) -> None:
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    sandbox.rapid7.be_slow(600, times=3)
    await pressed(sandbox, answer, "30 days")
    working = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if m.text.startswith("Working on")), None)
    )
    assert "in 7 days" in answer.text
    sandbox.rapid7.answer_at_once()
    await sandbox.slack.until(lambda: "of 30 days" in answer.text)
    await sandbox.slack.until(lambda: working not in sandbox.slack.messages)
    sandbox.rapid7.answer_with(403, "no", times=9)
    await pressed(sandbox, answer, "7 days")
    await sandbox.slack.until(lambda: any(m.seen_by for m in sandbox.slack.seen()))
    assert "of 30 days" in answer.text


@pytest.mark.parametrize("code", ["message_not_found", "cant_update_message", "edit_window_closed"])
async def test_uneditable_answer_is_followed_by_the_next(sandbox: Sandbox, code: str) -> None:
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    sandbox.slack.answer_with(
        200,
        json.dumps({"ok": False, "error": code}),
        path="chat.update",
        Content_Type="application/json",
        times=1,
    )
    await pressed(sandbox, answer, "30 days")
    assert await sandbox.slack.until(
        lambda: any("of 30 days" in m.text and m is not answer for m in sandbox.slack.seen())
    )


@pytest.mark.shows_work
@pytest.mark.parametrize("slow_s", [0, 1.6], ids=["at once", "after a while"])
async def test_private_answer_is_replaced_unless_next_fails(
    sandbox: Sandbox, slow_s: float
) -> None:
    answer = await sandbox.slack.answer_to("/apiaudit iot 24h")
    await pressed(sandbox, answer, "7 days")
    await sandbox.slack.until(lambda: answer.edited and "iot: " in answer.text)
    assert (sandbox.slack.seen(), answer.seen_by) == ([answer], "U0ADA")
    kept = answer.text, answer.blocks

    async def fail(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(slow_s)
        return web.Response(status=503)

    sandbox.devicewise.misbehave(fail, times=9)
    await pressed(sandbox, answer, "30 days")
    await sandbox.slack.until(
        lambda: any("Try again" in buttons(m) for m in sandbox.slack.seen()), timeout_s=30
    )
    assert (answer.text, answer.blocks) == kept


@pytest.mark.shows_work
async def test_cancelled_replacement_restores_private_answer(
    sandbox: Sandbox,
) -> None:
    answer = await sandbox.slack.answer_to("/apiaudit iot 24h")
    kept = answer.text, answer.blocks
    sandbox.devicewise.be_slow(30)
    await pressed(sandbox, answer, "7 days")
    await sandbox.slack.until(lambda: answer.text.startswith("Working on"))
    await pressed(sandbox, answer, "Cancel")
    await sandbox.slack.until(
        lambda: any("Cancelled, as you asked." in m.text for m in sandbox.slack.seen())
    )
    assert (answer.text, answer.blocks) == kept
    await pressed(sandbox, answer, "Share here")
    await sandbox.slack.until(lambda: any("Shared by" in text_of(m) for m in sandbox.slack.seen()))


@pytest.mark.shows_work
async def test_restored_answer_is_shareable_only_where_bot_can_post(sandbox: Sandbox) -> None:
    channel = sandbox.slack.channels["C0QUIET"]
    channel.bot_is_in = True
    answer = await sandbox.slack.answer_to("/apiaudit iot 24h", channel="C0QUIET")
    sandbox.devicewise.be_slow(30)
    await pressed(sandbox, answer, "7 days")
    await sandbox.slack.until(lambda: answer.text.startswith("Working on"))
    channel.bot_is_in = False
    await pressed(sandbox, answer, "Cancel")
    await sandbox.slack.until(lambda: answer.text.startswith("iot: "))
    assert "Share here" not in buttons(answer)
    assert NOT_SHAREABLE in answer.text
    assert NOT_SHAREABLE in text_of(answer)


async def test_refusal_is_replaced_by_corrected_answer(sandbox: Sandbox) -> None:
    refusal = await sandbox.slack.answer_to("/usage lsat week")
    await pressed(sandbox, refusal, "Ask this instead")
    await sandbox.slack.until(
        lambda: any("day" in m.text and not m.seen_by for m in sandbox.slack.seen())
    )
    await sandbox.slack.until(lambda: refusal not in sandbox.slack.messages)
    sandbox.devicewise.answer_with(503, "no", times=99)
    error = await sandbox.slack.answer_to("/apiaudit iot 24h")
    await pressed(sandbox, error, "Try again")
    await sandbox.slack.until(lambda: error.edited)
    assert [m for m in sandbox.slack.seen() if m.seen_by] == [error]


@pytest.mark.shows_work
@pytest.mark.parametrize("slow_s", [0, 2.6], ids=["at once", "after a while"])
async def test_help_is_not_replaced(sandbox: Sandbox, slow_s: float) -> None:
    help_answer = await sandbox.slack.answer_to("/apiaudit help")
    kept = help_answer.text
    sandbox.akamai.be_slow(slow_s)
    await sandbox.slack.press(help_answer, "ask.0")
    await sandbox.slack.until(lambda: any(" calls, " in m.text for m in sandbox.slack.seen()))
    assert (help_answer.text, help_answer.edited) == (kept, 0)
    assert help_answer in sandbox.slack.messages


@pytest.mark.shows_work
async def test_direct_message_answer_is_replaced(
    sandbox: Sandbox,
) -> None:
    await sandbox.slack.open_home("U0ADA")
    await sandbox.slack.until(lambda: sandbox.slack.homes.get("U0ADA"))
    await sandbox.slack.press_at_home("/apiaudit edge 24h failures")
    answer = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen(channel="D0ADA") if "calls" in m.text), None)
    )
    sandbox.akamai.be_slow(1.5, times=1)
    await pressed(sandbox, answer, "7 days")
    await sandbox.slack.until(lambda: answer.edited)
    await sandbox.slack.until(lambda: sandbox.slack.seen() == [answer])
    sandbox.akamai.answer_with(403, "no", times=9)
    await pressed(sandbox, answer, "24 hours")
    trouble = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if m is not answer), None)
    )
    assert (trouble.channel, trouble.seen_by) == ("D0ADA", "")


@pytest.mark.shows_work
async def test_mentioned_private_work_leaves_no_progress(
    sandbox: Sandbox,
) -> None:
    sandbox.devicewise.be_slow(1.5, times=1)
    await sandbox.slack.say("@Opswatch apiaudit iot 24h", channel="C0KITCHEN")
    await sandbox.slack.until(lambda: any("iot: " in m.text for m in sandbox.slack.seen()))
    help_answer = [m.text.partition(" takes")[0] for m in sandbox.slack.seen() if m.seen_by]
    assert help_answer[0] == "The answer to `/apiaudit iot 24h`"
    assert not [m for m in sandbox.slack.seen() if m.text.startswith("Working on")]


@pytest.mark.shows_work
async def test_private_answer_never_replaces_public_one(sandbox: Sandbox) -> None:
    private = await sandbox.slack.answer_to("/apiaudit iot 24h", channel="C0KITCHEN")
    public = Message(
        "1.5",
        "C0KITCHEN",
        BOT,
        "A digest",
        [*private.blocks[:-1], {**private.blocks[-1], "block_id": "b"}],
    )
    sandbox.slack.messages[:] = [public]
    sandbox.devicewise.be_slow(600, times=1)
    await pressed(sandbox, public, "7 days")
    soon = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if "takes a while" in m.text), None)
    )
    sandbox.devicewise.answer_at_once()
    answer = await sandbox.slack.until(
        lambda: next(
            (m for m in sandbox.slack.seen() if "calls" in m.text and m is not public), None
        )
    )
    assert (soon.seen_by, answer.seen_by) == ("U0ADA", "U0ADA")
    assert (public.text, public.edited) == ("A digest", 0)


async def answered(sandbox: Sandbox, message: Message, button: str) -> Message:
    """The result of a button once no progress is shown."""
    before = {(m.ts, m.edited) for m in sandbox.slack.messages}
    await pressed(sandbox, message, button)

    def fresh() -> Message | None:
        found = [m for m in sandbox.slack.seen() if (m.ts, m.edited) not in before and m.blocks]
        return next((m for m in found if not m.text.startswith(INTERIM)), None)

    found: Message = await sandbox.slack.until(fresh, timeout_s=60)
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


async def with_button(sandbox: Sandbox, line: str, name: str) -> Message:
    """The answer to the line, even if the channel is busy and the answer comes later."""
    await sandbox.slack.answer_to(line)
    found: Message = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.seen() if name in buttons(m)), None), timeout_s=60
    )
    return found


@pytest.mark.parametrize("line", LINES)
async def test_every_answer_button_works(sandbox: Sandbox, line: str) -> None:
    message = await sandbox.slack.answer_to(line)
    assert buttons(message)
    for name, action in buttons(message).items():
        sandbox.slack.messages.clear()
        message = await with_button(sandbox, line, name)
        if action.startswith("modal."):
            await pressed(sandbox, message, name)
            await sandbox.slack.until(sandbox.slack.modal)
            sandbox.slack.views.clear()
        elif action == "share":
            await pressed(sandbox, message, name)
            await sandbox.slack.until(
                lambda: any(
                    "Shared by" in text_of(m) and not m.seen_by for m in sandbox.slack.seen()
                )
            )
        else:
            assert action.startswith("ask.")
            answer = await answered(sandbox, message, name)
            assert types(answer)[0] == "header", (name, answer.text)
    assert sandbox.slack.refused == []


async def test_every_home_button_works(sandbox: Sandbox) -> None:
    await sandbox.slack.answer_to("/usage last 7 days")
    await sandbox.slack.open_home("U0ADA")
    home = await sandbox.slack.until(lambda: sandbox.slack.homes.get("U0ADA"))
    pressable = [block["accessory"] for block in home if "accessory" in block]
    values = [button["value"] for button in pressable if button["action_id"] != "home.check"]
    assert len(values) == 4
    for value in values:
        sandbox.slack.messages.clear()
        await sandbox.slack.press_at_home(value)
        answer = await sandbox.slack.until(
            lambda: next((m for m in sandbox.slack.seen(channel="D0ADA") if m.blocks), None)
        )
        assert types(answer)[0] == "header", (value, answer.text)
