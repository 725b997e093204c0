"""An incident that nobody acknowledges in time notifies the next people, once. People are mentioned
when an alert fires, and never when it resolves.
"""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta
from typing import Any

import pytest

from bot.app import Bot, open_bot
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, Channel, Message
from bot.sandbox.targets import TargetSandbox
from tests.scenarios.test_crashes import SPEED, dying
from tests.support.alerts import (
    HURRIED,
    SPIKE,
    Meter,
    evaluate,
    evaluations,
    messages,
    posted_texts,
    running,
)
from tests.support.clock import MovableClock as Clock
from tests.support.killable_bot import fast_clock
from tests.support.modals import confirmed, opened

ESCALATING = {
    **SPIKE,
    "severity": "critical",
    "notify": ["S0ONCALL"],
    "escalate_after": "20m",
    "escalate_to": ["U0GRACE", "#kitchen", "pagerduty"],
}
ONCALL = "<!subteam^S0ONCALL>"
GRACE = "<@U0GRACE>"


pytestmark = pytest.mark.usefixtures("before_noon")


def posted(sandbox: Sandbox, channel: str = "C0OPS") -> list[Message]:
    """Everything that the bot posted in a channel and its threads."""
    return [
        m
        for m in sandbox.slack.messages
        if m.user == BOT and m.channel == channel and not m.seen_by
    ]


def mentioning(sandbox: Sandbox, who: str) -> list[Message]:
    return [
        m for channel in sandbox.slack.channels for m in posted(sandbox, channel) if who in str(m)
    ]


async def settled(bot: Bot) -> None:
    async with asyncio.timeout(20):
        while await bot.store.read("SELECT 1 FROM outbox WHERE state != 'sent'", ()):
            await asyncio.sleep(0.02)


async def escalated(sandbox: Sandbox) -> Message:
    """The reply about the escalation."""
    found: list[Message] = await sandbox.slack.until(
        lambda: [m for m in posted(sandbox) if "Escalated:" in m.text]
    )
    return found[0]


async def test_unacknowledged_incident_escalates_once(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(sandbox)
    async with running(sandbox, ESCALATING) as bot:
        await evaluate(bot, clock, meter, 6)
        await settled(bot)
        assert not targets.pagerduty.incidents
        assert len(mentioning(sandbox, ONCALL)) == 1
        clock.ahead += timedelta(minutes=21)
        reply = await escalated(sandbox)
        await settled(bot)
        assert GRACE in str(reply.blocks)
        assert reply.broadcast
        [copy] = messages(sandbox, "C0KITCHEN")
        assert copy.text.startswith("🔴 Critical · ingest-spike: bytes at 6.00 GB")
        assert ONCALL not in str(copy.blocks)
        clock.ahead += timedelta(minutes=30)
        await evaluations(bot, 3)
        await evaluate(bot, clock, meter, 3)
        await settled(bot)
    [incident] = targets.pagerduty.incidents
    assert (incident.events, incident.woken) == (["trigger", "resolve"], 1)
    assert len([m for m in posted(sandbox) if "Escalated:" in m.text]) == 1
    assert [m.text[:1] for m in messages(sandbox, "C0KITCHEN")] == ["✅"]
    assert [m for m in mentioning(sandbox, ONCALL) if "resolved" in m.text] == []


async def test_acknowledged_incident_does_not_escalate(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(sandbox)
    async with running(sandbox, ESCALATING) as bot:
        await evaluate(bot, clock, meter, 6)
        await settled(bot)
        await sandbox.slack.press(messages(sandbox)[0], "alert.acknowledge")
        await sandbox.slack.until(lambda: "Acknowledged" in str(posted(sandbox)))
        clock.ahead += timedelta(minutes=40)
        await evaluate(bot, clock, meter, 6)
        await settled(bot)
    assert not targets.pagerduty.incidents
    assert posted_texts(sandbox, "C0KITCHEN") == []


async def test_silenced_incident_escalates_afterwards(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(sandbox)
    async with running(sandbox, ESCALATING) as bot:
        await evaluate(bot, clock, meter, 6)
        await settled(bot)
        await sandbox.slack.answer_to("/usage silence ingest-spike 1h")
        clock.ahead += timedelta(minutes=30)
        await evaluate(bot, clock, meter, 6)
        assert not targets.pagerduty.incidents
        await sandbox.slack.answer_to("/usage unsilence ingest-spike")
        await escalated(sandbox)
        await settled(bot)
    assert len(targets.pagerduty.incidents) == 1


async def test_escalation_needs_no_vendor(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(sandbox)
    async with running(sandbox, ESCALATING) as bot:
        await evaluate(bot, clock, meter, 6)
        await settled(bot)
        sandbox.rapid7.answer_with(503, times=1000)
        clock.ahead += timedelta(minutes=21)
        await escalated(sandbox)
        await settled(bot)
    assert [incident.events for incident in targets.pagerduty.incidents] == [["trigger"]]


async def test_escalation_survives_restart(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(sandbox)
    async with running(sandbox, ESCALATING) as bot:
        await evaluate(bot, clock, meter, 6)
        await settled(bot)
    clock.ahead += timedelta(minutes=21)
    async with running(sandbox, ESCALATING) as bot:
        clock.ahead += timedelta(seconds=10)
        await escalated(sandbox)
        await settled(bot)
    assert len(targets.pagerduty.incidents) == 1


async def test_repeats_mention_nobody_before_escalation(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    rule = {**SPIKE, "notify": ["U0ADA"], "repeat": "15m"}
    async with running(sandbox, rule) as bot:
        await evaluate(bot, clock, meter, 6, 6, 4)
        await settled(bot)
    [root] = messages(sandbox)
    replies = [m for m in posted(sandbox) if m.thread_ts == root.ts]
    assert len(replies) == 2
    assert "<@U0ADA>" not in str([m.blocks for m in (root, *replies)])


async def test_repeats_after_escalation_mention_again(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(sandbox)
    async with running(sandbox, {**ESCALATING, "repeat": "15m"}) as bot:
        await evaluate(bot, clock, meter, 6)
        clock.ahead += timedelta(minutes=21)
        await escalated(sandbox)
        await evaluate(bot, clock, meter, 6)
        await settled(bot)
    repeats = [m for m in posted(sandbox) if "\nFiring for" in m.text]
    assert GRACE in str(repeats[-1].blocks)
    del targets


@pytest.mark.parametrize(
    ("style", "resolved", "replies"),
    [
        ({"updates": "edit"}, "✅", []),
        ({"updates": "thread"}, "🔴", ["✅"]),
        ({"updates": "both"}, "✅", ["✅"]),
        ({"updates": "thread", "resolved": "quiet"}, "✅", []),
        ({"resolved": "quiet"}, "✅", []),
    ],
    ids=str,
)
@pytest.mark.parametrize("channel", ["#ops", "C0OPS"])
async def test_channel_chooses_style_of_updates(
    sandbox: Sandbox,
    clock: Clock,
    style: dict[str, str],
    resolved: str,
    replies: list[str],
    channel: str,
) -> None:
    meter = Meter(sandbox)
    async with running(sandbox, SPIKE, channels={channel: style}) as bot:
        await evaluate(bot, clock, meter, 6)
        await settled(bot)
        await evaluate(bot, clock, meter, 4)
        await settled(bot)
    [root] = messages(sandbox)
    assert root.text[:1] == resolved
    assert [m.text[:1] for m in posted(sandbox) if m.thread_ts] == replies


async def test_style_of_name_holds_for_chat_alert(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    meter(6)
    async with running(
        sandbox, {**SPIKE, "above": "9 GB"}, channels={"#ops": {"updates": "edit"}}
    ) as bot:
        await sandbox.slack.until(
            lambda: "GET /api/conversations.list" in str(sandbox.slack.paths())
        )
        await sandbox.slack.answer_to("/usage alert rapid7-eu today above 5 GB every 15m as spike")
        await sandbox.slack.until(lambda: posted_texts(sandbox))
        await settled(bot)
        meter(3)
        clock.strike(15)
        await sandbox.slack.until(lambda: posted_texts(sandbox)[0].startswith("✅"))
        await settled(bot)
    assert not [m for m in posted(sandbox) if m.thread_ts]


async def test_missing_data_calls_before_firing(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(sandbox)
    rule = {**SPIKE, "no_data": "alert", "notify": ["U0ADA", "pagerduty"]}
    async with running(sandbox, rule) as bot:
        await evaluate(bot, clock, meter, None)
        await settled(bot)
        assert not mentioning(sandbox, "<@U0ADA>")
        await evaluate(bot, clock, meter, 6)
        await settled(bot)
        [reply] = [m for m in mentioning(sandbox, "<@U0ADA>") if m.thread_ts]
        assert reply.text.startswith("🔴 ingest-spike: bytes at 6.00 GB")
        await evaluate(bot, clock, meter, 3)
        await settled(bot)
    [incident] = targets.pagerduty.incidents
    assert (incident.events, incident.woken) == (["trigger", "trigger", "resolve"], 1)
    assert incident.summary.startswith("ingest-spike: bytes at 6.00 GB")


async def test_person_on_call_is_called(sandbox: Sandbox, clock: Clock) -> None:
    """The schedule at that time decides who is called. Nobody is if it has a gap, which is reported
    to the operator.
    """
    meter = Meter(sandbox)
    today = clock().replace(tzinfo=None, hour=0, minute=0)
    (sandbox.folder / "primary.csv").write_text(
        f"start,end,person\n{today:%Y-%m-%d},{today + timedelta(days=2):%Y-%m-%d},U0GRACE\n"
    )
    on_call = {"primary": {"file": "primary.csv"}}
    rule = {**SPIKE, "notify": ["primary"]}
    async with running(sandbox, rule, on_call=on_call) as bot:
        await evaluate(bot, clock, meter, 6)
        await settled(bot)
        assert mentioning(sandbox, "<@U0GRACE>")
        await evaluate(bot, clock, meter, 3)
        await settled(bot)
        clock.ahead += timedelta(days=3)
        await evaluate(bot, clock, meter, 6)
        await settled(bot)
        gaps = [m.text for m in posted(sandbox) if "nobody is on call" in m.text]
    assert gaps == ["Alert `ingest-spike` notified nobody: nobody is on call in `primary` now."]


async def test_own_buttons_link_and_ask(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    buttons: list[dict[str, Any]] = [
        {"text": "Dashboard", "url": "https://grafana.example.com/d/1"},
        {"text": "By log", "ask": "/usage rapid7-eu yesterday per log", "alerts": ["ingest-spike"]},
    ]
    async with running(sandbox, SPIKE, button=buttons) as bot:
        await evaluate(bot, clock, meter, 6)
        await settled(bot)
        [root] = messages(sandbox)
        elements = {e["text"]["text"]: e for e in root.blocks[-1]["elements"]}
        assert elements["Dashboard"]["url"] == "https://grafana.example.com/d/1"
        await sandbox.slack.press(root, elements["By log"]["action_id"])
        await sandbox.slack.until(lambda: any("per log" in str(m.blocks) for m in posted(sandbox)))
    assert sandbox.slack.refused == []


async def test_chat_makes_alert_with_recipients(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(sandbox)
    meter(6)
    line = (
        "/usage alert rapid7-eu today above 5 GB every 15m severity warning notify @oncall and "
        "pagerduty runbook https://wiki.example.com/x escalate after 20m to @grace, #kitchen"
    )
    async with running(sandbox) as bot:
        made = await sandbox.slack.answer_to(line)
        assert "severity warning" in made.text
        assert "notifies pagerduty and group oncall" in made.text
        assert "escalates after 20 min to C0KITCHEN and Grace" in made.text
        await sandbox.slack.until(lambda: targets.pagerduty.incidents)
        await settled(bot)
        assert any(ONCALL in str(m.blocks) for m in messages(sandbox))
        clock.ahead += timedelta(minutes=21)
        assert GRACE in str((await escalated(sandbox)).blocks)
        await settled(bot)
    assert sandbox.slack.refused == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("notify @nobody", "There is nobody called @nobody"),
        ("notify pager", "There is no target or on-call schedule “pager”; bot.toml has pagerduty"),
        ("notify #kitchen", "is a channel"),
        ("escalate after 5m to #nowhere", "no channel #nowhere"),
        ("runbook http://x.example.com", "begins with https://"),
        ("severity high", "severity takes info, warning or critical"),
    ],
)
async def test_unknown_recipient_is_refused(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox, words: str, says: str
) -> None:
    del clock, targets
    async with running(sandbox):
        answer = await sandbox.slack.answer_to(f"/usage alert rapid7-eu today above 5 GB {words}")
    assert answer.seen_by
    assert says in answer.text


async def test_two_processes_escalate_once(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(sandbox)
    async with running(sandbox, ESCALATING) as first, running(sandbox, ESCALATING):
        await evaluate(first, clock, meter, 6)
        await settled(first)
        clock.ahead += timedelta(minutes=21)
        await escalated(sandbox)
        clock.ahead += timedelta(seconds=30)
        await evaluate(first, clock, meter, 6)
        await settled(first)
    assert len([m for m in posted(sandbox) if "Escalated:" in m.text]) == 1
    assert [incident.woken for incident in targets.pagerduty.incidents] == [1]
    assert len(messages(sandbox, "C0KITCHEN")) == 1


async def test_escalation_has_acknowledge_button(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(sandbox)
    async with running(sandbox, ESCALATING) as bot:
        await evaluate(bot, clock, meter, 6)
        clock.ahead += timedelta(minutes=21)
        reply = await escalated(sandbox)
        await settled(bot)
        await sandbox.slack.press(reply, "alert.acknowledge", user="U0GRACE")
        await sandbox.slack.until(lambda: "Acknowledged by <@U0GRACE>" in str(messages(sandbox)[0]))
        await settled(bot)
    assert targets.pagerduty.incidents[0].events == ["trigger", "acknowledge"]
    assert [m.text[:1] for m in messages(sandbox, "C0KITCHEN")] == ["🟠"]


async def test_paused_alert_does_not_escalate(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(sandbox)
    line = (
        "/usage alert rapid7-eu today above 5 GB every 15m as spike escalate after 20m to pagerduty"
    )
    async with running(sandbox) as bot:
        meter(6)
        await sandbox.slack.answer_to(line)
        await sandbox.slack.until(lambda: any("spike" in text for text in posted_texts(sandbox)))
        sandbox.slack.users["U0ADA"].deleted = True
        clock.strike(15)
        await sandbox.slack.until(lambda: any("is paused" in m.text for m in posted(sandbox)))
        clock.ahead += timedelta(minutes=30)
        await settled(bot)
    assert not targets.pagerduty.incidents


async def test_escalation_skips_channel_that_creator_left(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    secret = Channel("C0SECRET", "secret", "", members=("U0ADA", "U0GRACE"))
    sandbox.slack.channels["C0SECRET"] = secret
    meter = Meter(sandbox)
    meter(6)
    line = (
        "/usage alert rapid7-eu today above 5 GB every 15m as spike escalate after 20m to "
        "C0SECRET, #kitchen and pagerduty"
    )
    async with running(sandbox, slack={"ops_channel": "C0KITCHEN"}) as bot:
        assert "created" in (await sandbox.slack.answer_to(line)).text
        await sandbox.slack.until(lambda: any("spike" in text for text in posted_texts(sandbox)))
        secret.members = ("U0GRACE",)
        clock.ahead += timedelta(minutes=21)
        await escalated(sandbox)
        await settled(bot)
    assert posted(sandbox, "C0SECRET") == []
    in_ops = [message.text for message in posted(sandbox, "C0KITCHEN")]
    assert [text for text in in_ops if "was not posted in `C0SECRET`" in text]
    assert [text for text in in_ops if text.startswith("🔴")]
    assert len(targets.pagerduty.incidents) == 1


async def test_escalation_is_posted_while_slack_is_unsure(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    sandbox.slack.channels["C0SECRET"] = Channel("C0SECRET", "secret", "", members=("U0ADA",))
    meter = Meter(sandbox)
    meter(6)
    line = "/usage alert rapid7-eu today above 5 GB as spike escalate after 20m to C0SECRET"
    async with running(sandbox) as bot:
        assert "created" in (await sandbox.slack.answer_to(line)).text
        await sandbox.slack.until(lambda: any("spike" in text for text in posted_texts(sandbox)))
        sandbox.slack.answer_with(503, path="conversations.members", times=1000)
        clock.ahead += timedelta(minutes=21)
        await escalated(sandbox)
        await settled(bot)
    assert len(posted(sandbox, "C0SECRET")) == 1
    del targets


@pytest.mark.parametrize(
    ("allowed", "says"),
    [
        ([], "You don't have access to alerts that notify"),
        (["U0GRACE"], "You don't have access to alerts that notify"),
        (["U0ADA"], "created"),
        (["*"], "created"),
    ],
)
async def test_access_limits_whose_alerts_notify(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox, allowed: list[str], says: str
) -> None:
    del clock, targets
    access = {**sandbox.table()["access"], "notify": allowed}
    async with running(sandbox, access=access):
        line = "/usage alert rapid7-eu today above 5 GB notify pagerduty"
        answer = await sandbox.slack.answer_to(line)
        assert says in answer.text
        without = await sandbox.slack.answer_to("/usage alert rapid7-eu today above 9 GB as big")
        assert "created" in without.text


async def test_alert_calls_nobody_without_access(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(sandbox)
    meter(3)
    access = {**sandbox.table()["access"], "notify": ["S0ONCALL"]}
    sandbox.slack.groups["S0ONCALL"] = ["U0ADA"]
    line = "/usage alert rapid7-eu today above 5 GB as spike severity info notify pagerduty escalate after 5m to mail"
    async with running(sandbox, {**SPIKE, "above": "9 GB"}, access=access) as bot:
        assert "created" in (await sandbox.slack.answer_to(line)).text
        sandbox.slack.groups["S0ONCALL"] = []
        clock.ahead += timedelta(minutes=2)
        meter(6)
        clock.strike(15)
        await sandbox.slack.until(lambda: any("spike" in text for text in posted_texts(sandbox)))
        clock.ahead += timedelta(minutes=20)
        await settled(bot)
    assert posted_texts(sandbox)[0].startswith("🔵 Info · spike")
    assert not targets.pagerduty.incidents
    assert not targets.mail.mails


ORDERS = ("before commit", "committed", "claimed", "before post", "posted", "before mark", "marked")


async def test_killed_bot_escalates_once(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    # The bot that is killed has a clock of its own, which runs faster.
    clock.ahead = timedelta(0)
    began_at = time.time()
    now = fast_clock(began_at, SPEED)
    sandbox.slack.clock = lambda: now().timestamp()
    sandbox.rapid7.usage = lambda day, _: 6_000_000_000
    rule = {**ESCALATING, "every": "5s", "escalate_after": "20s"}
    table = {**sandbox.table(), "timezone": "UTC", "alert": [rule]}
    (sandbox.folder / "table.json").write_text(json.dumps(table))
    async with dying(sandbox, began_at) as die:
        for order in (*ORDERS, "0.6", "0.8", "0.7"):
            await die(order)
    settings = sandbox.settings(timezone="UTC", alert=[rule])
    async with (
        open_bot(settings, sandbox.tokens(), pace=HURRIED, clock=now) as bot,
        bot.connected(),
    ):
        await escalated(sandbox)
        await settled(bot)
    assert len([m for m in posted(sandbox) if "Escalated:" in m.text]) == 1
    assert len(messages(sandbox, "C0KITCHEN")) == 1
    assert [incident.woken for incident in targets.pagerduty.incidents] == [1]
    assert len(mentioning(sandbox, ONCALL)) == 1


async def test_form_makes_alert_with_recipients(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(sandbox)
    meter(6)
    async with running(sandbox, {**SPIKE, "above": "9 GB"}) as bot:
        answer = await sandbox.slack.answer_to("/usage rapid7-eu today")
        view = await opened(sandbox, answer, "modal.alert")
        given = {"threshold": "5 GB", "as": "spike", "severity": "info"}
        wrong = {"notify": "^", "escalate": "soon", "runbook": "http://x.example.com"}
        await sandbox.slack.submit(view, **given, **wrong)
        assert set(view.errors) == {"notify", "escalate", "runbook"}
        right = {
            "notify": "@oncall, pagerduty",
            "escalate": "20m to #kitchen",
            "runbook": "https://x.example.com/y",
        }
        await sandbox.slack.submit(view, **given, **right)
        made = await confirmed(sandbox, "Alert `spike` created")
        assert "severity info, notifies pagerduty and group oncall" in made.text
        await sandbox.slack.until(lambda: targets.pagerduty.incidents)
        await settled(bot)
        form = await opened(sandbox, made, "alert.edit")
        initial = {
            block["block_id"]: block["element"].get("initial_value")
            for block in form.view["blocks"]
            if block["type"] == "input"
        }
        assert initial["notify"] == "S0ONCALL, pagerduty"
        assert initial["escalate"] == "20m to C0KITCHEN"
        assert initial["runbook"] == "https://x.example.com/y"
        del clock
    assert sandbox.slack.refused == []
