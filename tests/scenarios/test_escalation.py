"""An incident that nobody acknowledges in time calls the next ones, once; people are mentioned when
an alert fires, and never when it is over.
"""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta
from typing import Any

import pytest

from bot.app import Bot, open_bot
from bot.sandbox.slack import BOT, Channel, Message
from bot.sandbox.targets import TargetSandbox
from bot.sandbox.world import Sandbox
from tests.scenarios.test_alerts import SPIKE, Meter, evaluations, look, messages, running, told
from tests.scenarios.test_crashes import SPEED, dying
from tests.scenarios.test_digests import HURRIED
from tests.scenarios.test_modals import confirmed, opened
from tests.support.clock import MovableClock as Clock
from tests.support.killable_bot import fast_clock

ESCALATING = {
    **SPIKE,
    "severity": "critical",
    "notify": ["S0ONCALL"],
    "escalate_after": "20m",
    "escalate_to": ["U0GRACE", "#kitchen", "pagerduty"],
}
ONCALL, GRACE = "<!subteam^S0ONCALL>", "<@U0GRACE>"


pytestmark = pytest.mark.usefixtures("before_noon")


def posted(world: Sandbox, channel: str = "C0OPS") -> list[Message]:
    """Everything that the bot posted in a channel and its threads."""
    return [
        m for m in world.slack.messages if m.user == BOT and m.channel == channel and not m.seen_by
    ]


def mentioning(world: Sandbox, who: str) -> list[Message]:
    return [m for channel in world.slack.channels for m in posted(world, channel) if who in str(m)]


async def settled(bot: Bot) -> None:
    async with asyncio.timeout(20):
        while await bot.store.read("SELECT 1 FROM outbox WHERE state != 'sent'", ()):
            await asyncio.sleep(0.02)


async def escalated(world: Sandbox) -> Message:
    """The reply that says so."""
    found: list[Message] = await world.slack.until(
        lambda: [m for m in posted(world) if "Escalated:" in m.text]
    )
    return found[0]


async def test_unacknowledged_incident_escalates_once(
    world: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(world)
    async with running(world, ESCALATING) as bot:
        await look(bot, clock, meter, 6)
        await settled(bot)
        assert not targets.pagerduty.incidents
        assert len(mentioning(world, ONCALL)) == 1
        clock.ahead += timedelta(minutes=21)
        reply = await escalated(world)
        await settled(bot)
        assert GRACE in str(reply.blocks)
        assert reply.broadcast
        [copy] = messages(world, "C0KITCHEN")
        assert copy.text.startswith("🔴 Critical · ingest-spike: bytes at 6.00 GB")
        assert ONCALL not in str(copy.blocks)
        clock.ahead += timedelta(minutes=30)
        await evaluations(bot, 3)
        await look(bot, clock, meter, 3)
        await settled(bot)
    [incident] = targets.pagerduty.incidents
    assert (incident.events, incident.woken) == (["trigger", "resolve"], 1)
    assert len([m for m in posted(world) if "Escalated:" in m.text]) == 1
    assert [m.text[:1] for m in messages(world, "C0KITCHEN")] == ["✅"]
    assert [m for m in mentioning(world, ONCALL) if "resolved" in m.text] == []


async def test_acknowledged_incident_does_not_escalate(
    world: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(world)
    async with running(world, ESCALATING) as bot:
        await look(bot, clock, meter, 6)
        await settled(bot)
        await world.slack.press(messages(world)[0], "alert.acknowledge")
        await world.slack.until(lambda: "Acknowledged" in str(posted(world)))
        clock.ahead += timedelta(minutes=40)
        await look(bot, clock, meter, 6)
        await settled(bot)
    assert not targets.pagerduty.incidents
    assert told(world, "C0KITCHEN") == []


async def test_silenced_incident_escalates_afterwards(
    world: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(world)
    async with running(world, ESCALATING) as bot:
        await look(bot, clock, meter, 6)
        await settled(bot)
        await world.slack.answer_to("/usage silence ingest-spike 1h")
        clock.ahead += timedelta(minutes=30)
        await look(bot, clock, meter, 6)
        assert not targets.pagerduty.incidents
        await world.slack.answer_to("/usage unsilence ingest-spike")
        await escalated(world)
        await settled(bot)
    assert len(targets.pagerduty.incidents) == 1


async def test_escalation_needs_no_vendor(
    world: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(world)
    async with running(world, ESCALATING) as bot:
        await look(bot, clock, meter, 6)
        await settled(bot)
        world.rapid7.answer_with(503, times=1000)
        clock.ahead += timedelta(minutes=21)
        await escalated(world)
        await settled(bot)
    assert [incident.events for incident in targets.pagerduty.incidents] == [["trigger"]]


async def test_escalation_survives_restart(
    world: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(world)
    async with running(world, ESCALATING) as bot:
        await look(bot, clock, meter, 6)
        await settled(bot)
    clock.ahead += timedelta(minutes=21)
    async with running(world, ESCALATING) as bot:
        clock.ahead += timedelta(seconds=10)
        await escalated(world)
        await settled(bot)
    assert len(targets.pagerduty.incidents) == 1


async def test_repeats_mention_nobody_before_escalation(world: Sandbox, clock: Clock) -> None:
    meter = Meter(world)
    rule = {**SPIKE, "notify": ["U0ADA"], "repeat": "15m"}
    async with running(world, rule) as bot:
        await look(bot, clock, meter, 6, 6, 4)
        await settled(bot)
    [root] = messages(world)
    replies = [m for m in posted(world) if m.thread_ts == root.ts]
    assert len(replies) == 2
    assert "<@U0ADA>" not in str([m.blocks for m in (root, *replies)])


async def test_repeats_after_escalation_mention_again(
    world: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(world)
    async with running(world, {**ESCALATING, "repeat": "15m"}) as bot:
        await look(bot, clock, meter, 6)
        clock.ahead += timedelta(minutes=21)
        await escalated(world)
        await look(bot, clock, meter, 6)
        await settled(bot)
    repeats = [m for m in posted(world) if "\nFiring for" in m.text]
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
    world: Sandbox,
    clock: Clock,
    style: dict[str, str],
    resolved: str,
    replies: list[str],
    channel: str,
) -> None:
    meter = Meter(world)
    async with running(world, SPIKE, channels={channel: style}) as bot:
        await look(bot, clock, meter, 6)
        await settled(bot)
        await look(bot, clock, meter, 4)
        await settled(bot)
    [root] = messages(world)
    assert root.text[:1] == resolved
    assert [m.text[:1] for m in posted(world) if m.thread_ts] == replies


async def test_style_of_name_holds_for_chat_alert(world: Sandbox, clock: Clock) -> None:
    meter = Meter(world)
    meter(6)
    async with running(
        world, {**SPIKE, "above": "9 GB"}, channels={"#ops": {"updates": "edit"}}
    ) as bot:
        await world.slack.until(lambda: "GET /api/conversations.list" in str(world.slack.paths()))
        await world.slack.answer_to("/usage alert rapid7-eu today above 5 GB every 15m as spike")
        await world.slack.until(lambda: told(world))
        await settled(bot)
        meter(3)
        clock.strike(15)
        await world.slack.until(lambda: told(world)[0].startswith("✅"))
        await settled(bot)
    assert not [m for m in posted(world) if m.thread_ts]


async def test_missing_data_calls_before_firing(
    world: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(world)
    rule = {**SPIKE, "no_data": "alert", "notify": ["U0ADA", "pagerduty"]}
    async with running(world, rule) as bot:
        await look(bot, clock, meter, None)
        await settled(bot)
        assert not mentioning(world, "<@U0ADA>")
        await look(bot, clock, meter, 6)
        await settled(bot)
        [reply] = [m for m in mentioning(world, "<@U0ADA>") if m.thread_ts]
        assert reply.text.startswith("🔴 ingest-spike: bytes at 6.00 GB")
        await look(bot, clock, meter, 3)
        await settled(bot)
    [incident] = targets.pagerduty.incidents
    assert (incident.events, incident.woken) == (["trigger", "trigger", "resolve"], 1)
    assert incident.summary.startswith("ingest-spike: bytes at 6.00 GB")


async def test_person_on_call_is_called(world: Sandbox, clock: Clock) -> None:
    """By the schedule at that time, and nobody where it has a gap, which the operator reads."""
    meter = Meter(world)
    today = clock().replace(tzinfo=None, hour=0, minute=0)
    (world.folder / "primary.csv").write_text(
        f"start,end,person\n{today:%Y-%m-%d},{today + timedelta(days=2):%Y-%m-%d},U0GRACE\n"
    )
    on_call = {"primary": {"file": "primary.csv"}}
    rule = {**SPIKE, "notify": ["primary"]}
    async with running(world, rule, on_call=on_call) as bot:
        await look(bot, clock, meter, 6)
        await settled(bot)
        assert mentioning(world, "<@U0GRACE>")
        await look(bot, clock, meter, 3)
        await settled(bot)
        clock.ahead += timedelta(days=3)
        await look(bot, clock, meter, 6)
        await settled(bot)
        gaps = [m.text for m in posted(world) if "nobody is on call" in m.text]
    assert gaps == [
        "Alert `ingest-spike` called nobody of `primary`: nobody is on call in that schedule now."
    ]


async def test_own_buttons_link_and_ask(world: Sandbox, clock: Clock) -> None:
    meter = Meter(world)
    buttons: list[dict[str, Any]] = [
        {"text": "Dashboard", "url": "https://grafana.example.com/d/1"},
        {"text": "By log", "ask": "/usage rapid7-eu yesterday per log", "alerts": ["ingest-spike"]},
    ]
    async with running(world, SPIKE, button=buttons) as bot:
        await look(bot, clock, meter, 6)
        await settled(bot)
        [root] = messages(world)
        elements = {e["text"]["text"]: e for e in root.blocks[-1]["elements"]}
        assert elements["Dashboard"]["url"] == "https://grafana.example.com/d/1"
        await world.slack.press(root, elements["By log"]["action_id"])
        await world.slack.until(lambda: any("per log" in str(m.blocks) for m in posted(world)))
    assert world.slack.refused == []


async def test_chat_makes_alert_with_recipients(
    world: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(world)
    meter(6)
    line = (
        "/usage alert rapid7-eu today above 5 GB every 15m severity warning notify @oncall and "
        "pagerduty runbook https://wiki.example.com/x escalate after 20m to @grace, #kitchen"
    )
    async with running(world) as bot:
        made = await world.slack.answer_to(line)
        assert "severity warning" in made.text
        assert "notifies pagerduty and 1 person or group" in made.text
        assert "escalates after 20 min to C0KITCHEN and 1 person or group" in made.text
        await world.slack.until(lambda: targets.pagerduty.incidents)
        await settled(bot)
        assert any(ONCALL in str(m.blocks) for m in messages(world))
        clock.ahead += timedelta(minutes=21)
        assert GRACE in str((await escalated(world)).blocks)
        await settled(bot)
    assert world.slack.refused == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("notify @nobody", "There is nobody called @nobody"),
        ("notify pager", "There is no target or on-call schedule “pager”; there are pagerduty"),
        ("notify #kitchen", "is a channel"),
        ("escalate after 5m to #nowhere", "no channel #nowhere"),
        ("runbook http://x.example.com", "begins with https://"),
        ("severity high", "severity takes info, warning or critical"),
    ],
)
async def test_unknown_recipient_is_refused(
    world: Sandbox, clock: Clock, targets: TargetSandbox, words: str, says: str
) -> None:
    del clock, targets
    async with running(world):
        answer = await world.slack.answer_to(f"/usage alert rapid7-eu today above 5 GB {words}")
    assert answer.seen_by
    assert says in answer.text


async def test_two_processes_escalate_once(
    world: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(world)
    async with running(world, ESCALATING) as first, running(world, ESCALATING):
        await look(first, clock, meter, 6)
        await settled(first)
        clock.ahead += timedelta(minutes=21)
        await escalated(world)
        clock.ahead += timedelta(seconds=30)
        await look(first, clock, meter, 6)
        await settled(first)
    assert len([m for m in posted(world) if "Escalated:" in m.text]) == 1
    assert [incident.woken for incident in targets.pagerduty.incidents] == [1]
    assert len(messages(world, "C0KITCHEN")) == 1


async def test_escalation_has_acknowledge_button(
    world: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(world)
    async with running(world, ESCALATING) as bot:
        await look(bot, clock, meter, 6)
        clock.ahead += timedelta(minutes=21)
        reply = await escalated(world)
        await settled(bot)
        await world.slack.press(reply, "alert.acknowledge", user="U0GRACE")
        await world.slack.until(lambda: "Acknowledged by <@U0GRACE>" in str(messages(world)[0]))
        await settled(bot)
    assert targets.pagerduty.incidents[0].events == ["trigger", "acknowledge"]
    assert [m.text[:1] for m in messages(world, "C0KITCHEN")] == ["🟠"]


async def test_paused_alert_does_not_escalate(
    world: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(world)
    line = (
        "/usage alert rapid7-eu today above 5 GB every 15m as spike escalate after 20m to pagerduty"
    )
    async with running(world) as bot:
        meter(6)
        await world.slack.answer_to(line)
        await world.slack.until(lambda: any("spike" in text for text in told(world)))
        world.slack.users["U0ADA"].deleted = True
        clock.strike(15)
        await world.slack.until(lambda: any("is paused" in m.text for m in posted(world)))
        clock.ahead += timedelta(minutes=30)
        await settled(bot)
    assert not targets.pagerduty.incidents


async def test_escalation_skips_channel_that_creator_left(
    world: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    secret = Channel("C0SECRET", "secret", "", members=("U0ADA", "U0GRACE"))
    world.slack.channels["C0SECRET"] = secret
    meter = Meter(world)
    meter(6)
    line = (
        "/usage alert rapid7-eu today above 5 GB every 15m as spike escalate after 20m to "
        "C0SECRET, #kitchen and pagerduty"
    )
    async with running(world, slack={"ops_channel": "C0KITCHEN"}) as bot:
        assert "created" in (await world.slack.answer_to(line)).text
        await world.slack.until(lambda: any("spike" in text for text in told(world)))
        secret.members = ("U0GRACE",)
        clock.ahead += timedelta(minutes=21)
        await escalated(world)
        await settled(bot)
    assert posted(world, "C0SECRET") == []
    in_ops = [message.text for message in posted(world, "C0KITCHEN")]
    assert [text for text in in_ops if "was not posted in `C0SECRET`" in text]
    assert [text for text in in_ops if text.startswith("🔴")]
    assert len(targets.pagerduty.incidents) == 1


async def test_escalation_is_posted_while_slack_is_unsure(
    world: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    world.slack.channels["C0SECRET"] = Channel("C0SECRET", "secret", "", members=("U0ADA",))
    meter = Meter(world)
    meter(6)
    line = "/usage alert rapid7-eu today above 5 GB as spike escalate after 20m to C0SECRET"
    async with running(world) as bot:
        assert "created" in (await world.slack.answer_to(line)).text
        await world.slack.until(lambda: any("spike" in text for text in told(world)))
        world.slack.answer_with(503, path="conversations.members", times=1000)
        clock.ahead += timedelta(minutes=21)
        await escalated(world)
        await settled(bot)
    assert len(posted(world, "C0SECRET")) == 1
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
    world: Sandbox, clock: Clock, targets: TargetSandbox, allowed: list[str], says: str
) -> None:
    del clock, targets
    access = {**world.table()["access"], "notify": allowed}
    async with running(world, access=access):
        line = "/usage alert rapid7-eu today above 5 GB notify pagerduty"
        answer = await world.slack.answer_to(line)
        assert says in answer.text
        without = await world.slack.answer_to("/usage alert rapid7-eu today above 9 GB as big")
        assert "created" in without.text


async def test_alert_calls_nobody_without_access(
    world: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(world)
    meter(3)
    access = {**world.table()["access"], "notify": ["S0ONCALL"]}
    world.slack.groups["S0ONCALL"] = ["U0ADA"]
    line = "/usage alert rapid7-eu today above 5 GB as spike severity info notify pagerduty escalate after 5m to mail"
    async with running(world, {**SPIKE, "above": "9 GB"}, access=access) as bot:
        assert "created" in (await world.slack.answer_to(line)).text
        world.slack.groups["S0ONCALL"] = []
        clock.ahead += timedelta(minutes=2)
        meter(6)
        clock.strike(15)
        await world.slack.until(lambda: any("spike" in text for text in told(world)))
        clock.ahead += timedelta(minutes=20)
        await settled(bot)
    assert told(world)[0].startswith("🔵 Info · spike")
    assert not targets.pagerduty.incidents
    assert not targets.mail.mails


ORDERS = ("before commit", "committed", "claimed", "before post", "posted", "before mark", "marked")


async def test_killed_bot_escalates_once(
    world: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    # The bot that is killed has a clock of its own, which runs faster.
    clock.ahead = timedelta(0)
    began_at = time.time()
    now = fast_clock(began_at, SPEED)
    world.slack.clock = lambda: now().timestamp()
    world.rapid7.usage = lambda day, _: 6_000_000_000
    rule = {**ESCALATING, "every": "5s", "escalate_after": "20s"}
    table = {**world.table(), "timezone": "UTC", "alert": [rule]}
    (world.folder / "table.json").write_text(json.dumps(table))
    async with dying(world, began_at) as die:
        for order in (*ORDERS, "0.6", "0.8", "0.7"):
            await die(order)
    settings = world.settings(timezone="UTC", alert=[rule])
    async with open_bot(settings, world.tokens(), pace=HURRIED, clock=now) as bot, bot.connected():
        await escalated(world)
        await settled(bot)
    assert len([m for m in posted(world) if "Escalated:" in m.text]) == 1
    assert len(messages(world, "C0KITCHEN")) == 1
    assert [incident.woken for incident in targets.pagerduty.incidents] == [1]
    assert len(mentioning(world, ONCALL)) == 1


async def test_form_makes_alert_with_recipients(
    world: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(world)
    meter(6)
    async with running(world, {**SPIKE, "above": "9 GB"}) as bot:
        answer = await world.slack.answer_to("/usage rapid7-eu today")
        view = await opened(world, answer, "modal.alert")
        given = {"threshold": "5 GB", "as": "spike", "severity": "info"}
        wrong = {"notify": "^", "escalate": "soon", "runbook": "http://x.example.com"}
        await world.slack.submit(view, **given, **wrong)
        assert set(view.errors) == {"notify", "escalate", "runbook"}
        right = {
            "notify": "@oncall, pagerduty",
            "escalate": "20m to #kitchen",
            "runbook": "https://x.example.com/y",
        }
        await world.slack.submit(view, **given, **right)
        made = await confirmed(world, "Alert `spike` created")
        assert "severity info, notifies pagerduty and 1 person or group" in made.text
        await world.slack.until(lambda: targets.pagerduty.incidents)
        await settled(bot)
        form = await opened(world, made, "alert.edit")
        initial = {
            block["block_id"]: block["element"].get("initial_value")
            for block in form.view["blocks"]
            if block["type"] == "input"
        }
        assert initial["notify"] == "S0ONCALL, pagerduty"
        assert initial["escalate"] == "20m to C0KITCHEN"
        assert initial["runbook"] == "https://x.example.com/y"
        del clock
    assert world.slack.refused == []
