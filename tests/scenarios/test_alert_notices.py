"""What the message of an alert and its thread say: whom it escalates to, what was changed, and what a
silence leaves to do.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import Message
from bot.sandbox.targets import TargetSandbox
from tests.support.alerts import (
    SPIKE,
    Meter,
    evaluate,
    evaluated,
    messages,
    posted_texts,
    running,
    thread,
)
from tests.support.clock import MovableClock as Clock
from tests.support.messages import button_elements
from tests.support.modals import opened

pytestmark = pytest.mark.usefixtures("before_noon")


async def firing(sandbox: Sandbox) -> Message:
    found: Message = await sandbox.slack.until(
        lambda: next((m for m in messages(sandbox) if m.text.startswith("🔴")), None)
    )
    return found


async def test_message_names_those_who_are_called_next(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    called = ["U0GRACE", "S0ONCALL", "#kitchen", "pagerduty"]
    rule = {**SPIKE, "escalate_after": "20m", "escalate_to": called}
    async with running(sandbox, rule) as bot:
        await evaluate(bot, clock, Meter(sandbox), 6)
        message = await firing(sandbox)
        names = "#kitchen, pagerduty, Grace and group oncall"
        assert f"Not acknowledged. Escalates to {names} at " in str(message.blocks)
        assert f"Not acknowledged. Escalates to {names} at 28" in message.text.replace(
            f"{clock().day} ", "28 "
        )
        await sandbox.slack.press(message, "alert.acknowledge")
        await sandbox.slack.until(lambda: "Acknowledged by" in str(message.blocks))
    assert "Not acknowledged" not in message.text + str(message.blocks)


async def test_message_names_who_is_on_call_then(sandbox: Sandbox, clock: Clock) -> None:
    """At the time of the escalation, which a silence postpones, and not now."""
    clock.set(clock().replace(hour=10, minute=0, second=0))
    now = clock().replace(tzinfo=None)
    handover = now + timedelta(hours=1)
    gap = now + timedelta(hours=3)
    (sandbox.folder / "primary.csv").write_text(
        f"start,end,person\n{now - timedelta(days=1):%Y-%m-%dT%H:%M},{handover:%Y-%m-%dT%H:%M},U0ADA\n"
        f"{handover:%Y-%m-%dT%H:%M},{gap:%Y-%m-%dT%H:%M},U0GRACE\n"
    )
    rule = {**SPIKE, "escalate_after": "20m", "escalate_to": ["primary"]}
    on_call = {"primary": {"file": "primary.csv"}}
    async with running(sandbox, rule, on_call=on_call, timezone="UTC") as bot:
        await evaluate(bot, clock, Meter(sandbox), 6)
        message = await firing(sandbox)
        assert "Not acknowledged. Escalates to Ada at" in message.text
        await sandbox.slack.answer_to("/usage silence ingest-spike 2h")
        await sandbox.slack.until(lambda: "Escalates to Grace at" in message.text)
        await sandbox.slack.answer_to("/usage silence ingest-spike 4h")
        await sandbox.slack.until(lambda: "Escalates to nobody at" in message.text)
    assert "nobody is on call then." in str(message.blocks)
    assert "Ada" not in message.text


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"threshold": "5.5 GB"}, "Alert changed by Ada while it was firing: threshold above 5.00 GB → above 5.50 GB."),
        ({"for": "30m"}, "Alert `pantry` was changed: for none → 30 min by Ada."),
    ],
    ids=["what is checked", "how it is checked"],
)  # fmt: skip
async def test_thread_says_what_was_changed(
    sandbox: Sandbox, clock: Clock, typed: dict[str, Any], says: str
) -> None:
    """Also of an alert of one's own: others read the thread."""
    Meter(sandbox)(6)
    async with running(sandbox, {**SPIKE, "above": "900 GB"}):
        made = await sandbox.slack.answer_to(
            "/usage alert rapid7-eu today above 5 GB recover 4 GB as pantry"
        )
        message = await firing(sandbox)
        view = await opened(sandbox, made, "alert.edit")
        await sandbox.slack.submit(view, **typed)
        reply = await sandbox.slack.until(
            lambda: next((m for m in sandbox.slack.messages if m.thread_ts == message.ts), None)
        )
    assert reply.text == says
    assert "<@U0ADA>" in str(reply.blocks)


async def test_silenced_alert_says_why_it_cannot_be_acknowledged(
    sandbox: Sandbox, clock: Clock
) -> None:
    async with running(sandbox) as bot:
        await sandbox.slack.answer_to("/usage silence ingest-spike 2h")
        await evaluate(bot, clock, Meter(sandbox), 6)
        answer = await sandbox.slack.answer_to("/usage ack ingest-spike")
    assert "`ingest-spike` is firing, and silenced until " in answer.text
    assert "nothing was posted that could be acknowledged" in answer.text
    assert not [text for text in posted_texts(sandbox) if "🔴" in text]


@pytest.mark.parametrize(("action", "days"), [("morning", 0), ("tomorrow", 1)])
async def test_button_of_an_earlier_version_does_what_it_says(
    sandbox: Sandbox, clock: Clock, action: str, days: int
) -> None:
    """*Silence until 09:00* and *Silence until tomorrow*, both pressed before nine."""
    clock.set(clock().replace(hour=6, minute=0))
    async with running(sandbox, timezone="UTC") as bot:
        meter = Meter(sandbox)
        meter(6)
        await evaluated(bot, clock)
        message = await firing(sandbox)
        [button] = [
            each
            for each in button_elements(message)
            if each["action_id"] == "alert.silence.morning"
        ]
        assert button["text"]["text"] == "Silence until 09:00"
        button["action_id"] = f"alert.silence.{action}"
        await sandbox.slack.press(message, f"alert.silence.{action}")
        await sandbox.slack.until(lambda: thread(sandbox))
        [silence] = await bot.store.silences.silences(clock())
    nine = clock().replace(hour=9, minute=0, second=0, microsecond=0)
    assert silence.end == nine + timedelta(days=days)
