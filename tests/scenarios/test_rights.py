"""Permissions are checked when something is done, by the command and the channel that it belongs
to.
"""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, Channel, Message
from tests.scenarios.test_digests import posted
from tests.support.alerts import (
    SPIKE,
    Meter,
    evaluate,
    evaluations,
    posted_texts,
    running,
    stored_rows,
)
from tests.support.clock import MovableClock as Clock

pytestmark = pytest.mark.usefixtures("before_noon")
QUIET = {**SPIKE, "above": "50 GB", "recover": "40 GB"}
LOGS_ALERT = "/logs alert kitchen where(/timeout/) last 15m lines above 100 as pantry"
EVERYBODY = {"usage": ["*"], "apiaudit": ["*"], "logs": ["*"]}
WITHOUT_LINUS = {"usage": ["*"], "apiaudit": ["U0ADA"], "logs": ["U0ADA", "C0OPS"]}


async def answer_text(
    sandbox: Sandbox, line: str, *, user: str = "U0ADA", channel: str = "C0KITCHEN"
) -> str:
    return (await sandbox.slack.answer_to(line, user=user, channel=channel)).text


def everything_seen(sandbox: Sandbox, user: str) -> str:
    """Everything of the bot that a person can read."""
    shown = [m.text + json.dumps(m.blocks, ensure_ascii=False) for m in sandbox.slack.seen(user)]
    view = sandbox.slack.modal(user)
    return "\n".join(
        [
            *shown,
            json.dumps(sandbox.slack.homes.get(user, []), ensure_ascii=False),
            view.words() if view else "",
        ]
    )


async def until_posted(sandbox: Sandbox, words: str, channel: str) -> Message:
    found: Message = await sandbox.slack.until(
        lambda: next(
            (
                m
                for m in sandbox.slack.messages
                if words in m.text and m.channel == channel and m.user == BOT
            ),
            None,
        )
    )
    return found


@pytest.mark.parametrize(
    "line",
    ["unalert pantry", "silence pantry 2h", "unsilence pantry", "silence pantri 2h", "ack pantry"],
)
async def test_alert_of_other_command_is_not_there(
    sandbox: Sandbox, clock: Clock, line: str
) -> None:
    async with running(sandbox, QUIET):
        await answer_text(sandbox, LOGS_ALERT)
        await answer_text(sandbox, "/logs silence pantry 2h")
        refusal = await answer_text(sandbox, f"/usage {line}", user="U0LINUS")
        assert "There is no alert" in refusal and "did you mean" not in refusal
        assert refusal == (
            await answer_text(sandbox, f"/usage {line.replace('pantr', 'nothin')}", user="U0LINUS")
        ).replace("nothin", "pantr")
        assert "pantry" not in await answer_text(sandbox, "/usage alerts", user="U0LINUS")
    [rule] = await stored_rows(sandbox, "SELECT ended_by FROM rules")
    [silence] = await stored_rows(sandbox, 'SELECT ended_by, "user" FROM silences')
    assert (rule["ended_by"], silence["ended_by"], silence["user"]) == (None, None, "U0ADA")


async def test_channel_right_does_not_reach_other_channels(sandbox: Sandbox, clock: Clock) -> None:
    """A member of the operations channel may ask for logs there, which gives no access to alerts in
    other channels.
    """
    async with running(sandbox, QUIET):
        await answer_text(sandbox, LOGS_ALERT)
        for line in ("/logs unalert pantry", "/logs silence pantry 2h"):
            assert "There is no alert" in await answer_text(
                sandbox, line, user="U0LINUS", channel="C0OPS"
            )


async def test_alert_of_private_channel_is_not_there(sandbox: Sandbox, clock: Clock) -> None:
    sandbox.slack.channels["C0SECRET"] = Channel("C0SECRET", "secret", "", members=("U0ADA",))
    async with running(sandbox, QUIET):
        await answer_text(sandbox, "/usage alert today above 500 GB as merger", channel="C0SECRET")
        await answer_text(sandbox, "/usage subscribe last 5 days csv at 08:30", channel="C0SECRET")
        assert "There is no alert" in await answer_text(
            sandbox, "/usage silence merger 2h", user="U0LINUS"
        )
        assert "is silenced until" in await answer_text(sandbox, "/usage silence merger 2h")
        for user in ("U0LINUS", "U0ADA"):
            await sandbox.slack.open_home(user)
            await sandbox.slack.until(partial(sandbox.slack.homes.get, user))
    home = json.dumps(sandbox.slack.homes)
    assert "merger" in json.dumps(sandbox.slack.homes["U0ADA"]), home
    assert "merger" not in json.dumps(sandbox.slack.homes["U0LINUS"])
    assert "C0SECRET" not in json.dumps(sandbox.slack.homes["U0LINUS"])


async def test_subscriptions_list_what_may_be_asked(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, QUIET):
        await answer_text(sandbox, "/apiaudit subscribe edge 24h at 09:00")
        await answer_text(sandbox, "/usage subscribe last 5 days at 09:00")
        listed = await answer_text(sandbox, "/usage subscriptions", user="U0LINUS")
        assert "edge" not in listed and "2. `/usage last 5 days`" in listed
        assert "There is no subscription 1" in await answer_text(
            sandbox, "/usage unsubscribe 1", user="U0LINUS"
        )
        assert "Subscription 2 ended" in await answer_text(
            sandbox, "/usage unsubscribe 2", user="U0LINUS"
        )
        announced = await until_posted(sandbox, "Subscription 2", "C0KITCHEN")
        announced = await until_posted(sandbox, "was ended by Linus", "C0KITCHEN")
    assert "<@U0LINUS>" in str(announced.blocks)
    assert [
        row["ended_by"] for row in await stored_rows(sandbox, "SELECT ended_by FROM subscriptions")
    ] == [
        None,
        "U0LINUS",
    ]


async def test_maker_without_right_may_still_end(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, QUIET, access=EVERYBODY):
        for name in ("one", "two"):
            await answer_text(
                sandbox,
                f"/apiaudit alert edge last 1h failures above 900 as {name}",
                user="U0LINUS",
            )
        await answer_text(sandbox, "/apiaudit subscribe edge 24h at 09:00", user="U0LINUS")
        await answer_text(sandbox, "/apiaudit silence one 2h", user="U0LINUS")
    async with running(sandbox, QUIET, access={**WITHOUT_LINUS, "manage": ["U0GRACE"]}):
        listed = await answer_text(sandbox, "/usage alerts", user="U0LINUS")
        assert "`one` paused" in listed and "edge" not in listed
        assert "is no longer silenced" in await answer_text(
            sandbox, "/apiaudit unsilence one", user="U0LINUS"
        )
        assert "Alert `one` deleted" in await answer_text(
            sandbox, "/apiaudit unalert one", user="U0LINUS"
        )
        assert "Subscription 1 ended." in await answer_text(
            sandbox, "/usage unsubscribe 1", user="U0LINUS"
        )
        assert "You don't have access to manage" in await answer_text(sandbox, "/usage unalert two")
        assert "Alert `two` deleted." in await answer_text(
            sandbox, "/usage unalert two", user="U0GRACE"
        )


async def test_maker_ends_from_direct_messages(sandbox: Sandbox, clock: Clock) -> None:
    sandbox.slack._api_conversations_open({"users": "U0ADA"})
    async with running(sandbox, QUIET):
        await answer_text(sandbox, "/usage alert today above 500 GB as pantry")
        await answer_text(sandbox, "/usage subscribe last 5 days at 09:00")
        assert "Alert `pantry` deleted" in await answer_text(
            sandbox, "/usage unalert pantry", channel="D0ADA"
        )
        assert "Subscription 1 ended" in await answer_text(
            sandbox, "/usage unsubscribe 1", channel="D0ADA"
        )


async def test_digest_pauses_without_right_and_resumes(sandbox: Sandbox, clock: Clock) -> None:
    due = clock() + timedelta(minutes=5)
    same: dict[str, Any] = {"slack": {"mode": "socket", "ops_channel": "#ops"}, "timezone": "UTC"}
    async with running(sandbox, QUIET, access=EVERYBODY, **same):
        await answer_text(sandbox, f"/apiaudit subscribe edge 24h at {due:%H:%M}", user="U0LINUS")
    for day in range(2):
        clock.set(due + timedelta(days=day, minutes=-5))
        async with running(sandbox, QUIET, access=WITHOUT_LINUS, **same) as bot:
            clock.strike(60)
            await _paused_runs(bot, day + 1)
            for channel in ("C0KITCHEN", "C0OPS", "D0LINUS"):
                await until_posted(sandbox, "Subscription 1 is paused", channel)
            listed = await answer_text(sandbox, "/apiaudit subscriptions")
            assert (
                "paused because its creator no longer has access to the question: `/apiaudit edge 24h`"
                in listed
            )
    for channel in ("C0KITCHEN", "C0OPS", "D0LINUS"):
        assert len([text for text in posted(sandbox, channel) if "is paused" in text]) == 1
    assert "edge" not in "".join(posted(sandbox, "C0KITCHEN"))
    clock.set(due + timedelta(days=2, minutes=-5))
    async with running(sandbox, QUIET, access=EVERYBODY, **same):
        clock.strike(60)
        for channel in ("C0KITCHEN", "C0OPS", "D0LINUS"):
            await until_posted(sandbox, "Subscription 1 continues", channel)
        await until_posted(sandbox, "Digest subscription 1", "C0KITCHEN")
    assert sandbox.slack.refused == []


async def test_alert_of_deactivated_maker_is_paused(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, QUIET) as bot:
        await answer_text(
            sandbox, "/usage alert rapid7-eu today above 5 GB as pantry", user="U0LINUS"
        )
        await evaluations(bot, 1)
        sandbox.slack.users["U0LINUS"].deleted = True
        Meter(sandbox)(6)
        clock.strike(15)
        await until_posted(sandbox, "Alert `pantry` is paused", "C0KITCHEN")
        clock.strike(15)
        assert "`pantry` paused because its creator" in await answer_text(sandbox, "/usage alerts")
        sandbox.slack.users["U0LINUS"].deleted = False
        clock.strike(15)
        await until_posted(sandbox, "Alert `pantry` continues", "C0KITCHEN")
        await sandbox.slack.until(
            lambda: any(text.startswith("🔴 pantry") for text in posted_texts(sandbox, "C0KITCHEN"))
        )
    assert len([text for text in posted_texts(sandbox, "C0KITCHEN") if "is paused" in text]) == 1


@pytest.mark.parametrize("members", [["U0GRACE"], None], ids=["left", "group deleted"])
async def test_alert_of_maker_who_left_group_is_paused(
    sandbox: Sandbox, clock: Clock, members: list[str] | None
) -> None:
    access = {"usage": ["S0ONCALL"]}
    sandbox.slack.groups["S0ONCALL"] = ["U0GRACE", "U0LINUS"]
    async with running(sandbox, QUIET, access=access) as bot:
        await answer_text(
            sandbox, "/usage alert rapid7-eu today above 5 GB as pantry", user="U0LINUS"
        )
        await evaluations(bot, 1)
        if members is None:
            del sandbox.slack.groups["S0ONCALL"]
        else:
            sandbox.slack.groups["S0ONCALL"] = members
        clock.strike(15)
        await until_posted(sandbox, "Alert `pantry` is paused", "C0KITCHEN")


async def test_unreadable_group_notifies_ops(sandbox: Sandbox, clock: Clock) -> None:
    sandbox.slack.groups["S0ONCALL"] = ["U0LINUS"]
    ops = {"slack": {"mode": "socket", "ops_channel": "#ops"}}
    async with running(sandbox, QUIET, access={"usage": ["S0ONCALL"]}, **ops) as bot:
        await answer_text(
            sandbox, "/usage alert rapid7-eu today above 500 GB as pantry", user="U0LINUS"
        )
        await evaluations(bot, 1)
        refusal = '{"ok":false,"error":"internal_error"}'
        sandbox.slack.answer_with(
            200, refusal, path="usergroups.users.list", times=99, Content_Type="application/json"
        )
        clock.ahead += timedelta(minutes=70)
        await until_posted(sandbox, "Slack has not returned the members of a user group", "C0OPS")
        assert "You don't have access to" in await answer_text(
            sandbox, "/usage today", user="U0LINUS"
        )
    assert not [text for text in posted_texts(sandbox, "C0KITCHEN") if "is paused" in text]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/usage silence pantry 2h", "Alert `pantry` was silenced until"),
        ("/usage unalert pantry", "Alert `pantry` (bytes of"),
    ],
)
async def test_change_of_other_peoples_alert_is_announced(
    sandbox: Sandbox, clock: Clock, line: str, says: str
) -> None:
    async with running(sandbox, QUIET):
        await answer_text(sandbox, "/usage alert today above 500 GB as pantry")
        await answer_text(sandbox, line, user="U0LINUS")
        announced = await until_posted(sandbox, says, "C0KITCHEN")
        await sandbox.slack.until(lambda: announced.blocks)
    assert (
        announced.seen_by == ""
        and "by Linus." in announced.text
        and "<@U0LINUS>" in str(announced.blocks)
    )


async def test_end_of_other_peoples_silence_is_announced(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, QUIET):
        await answer_text(sandbox, "/usage silence ingest-spike 2h")
        await answer_text(sandbox, "/usage unsilence ingest-spike", user="U0LINUS")
        await until_posted(sandbox, "Alert `ingest-spike` was unsilenced by Linus.", "C0OPS")


async def test_edit_of_other_peoples_alert_is_announced(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, QUIET):
        made = await sandbox.slack.answer_to(
            "/usage alert today above 500 GB as pantry", channel="C0KITCHEN"
        )
        await sandbox.slack.press(made, "alert.edit", user="U0LINUS")
        view = await sandbox.slack.until(lambda: sandbox.slack.modal("U0LINUS"))
        await sandbox.slack.submit(view, threshold="600 GB")
        announced = await until_posted(sandbox, "Alert `pantry` was changed", "C0KITCHEN")
    assert announced.text.endswith(": threshold above 500 GB → above 600 GB by Linus.")


async def test_open_incident_names_its_silencer(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox) as bot:
        await evaluate(bot, clock, Meter(sandbox), 6)
        [root] = await sandbox.slack.until(
            lambda: [m for m in sandbox.slack.messages if m.text.startswith("🔴")]
        )
        await answer_text(sandbox, "/usage silence ingest-spike 2h", user="U0LINUS")
        [reply] = await sandbox.slack.until(
            lambda: [m for m in sandbox.slack.messages if m.thread_ts == root.ts]
        )
    assert "by Linus" in reply.text and "<@U0LINUS>" in str(reply.blocks)


async def test_edit_button_needs_the_right(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, QUIET):
        made = await sandbox.slack.answer_to(
            "/apiaudit alert edge last 1h failures above 900 as pantry", channel="C0KITCHEN"
        )
        await sandbox.slack.press(made, "alert.edit", user="U0LINUS")
        await until_posted(sandbox, "There is no alert “pantry”", "C0KITCHEN")
        assert sandbox.slack.modal("U0LINUS") is None
    assert "edge" not in everything_seen(sandbox, "U0LINUS")


async def _shortcut(sandbox: Sandbox) -> None:
    await sandbox.slack.shortcut("ask_opswatch", user="U0LINUS")
    await sandbox.slack.until(lambda: sandbox.slack.modal("U0LINUS"))


async def _choice(sandbox: Sandbox, name: str) -> None:
    """Presses a choice that was offered to somebody else."""
    await sandbox.slack.shortcut("ask_opswatch")
    view = await sandbox.slack.until(sandbox.slack.modal)
    view.user = "U0LINUS"
    await sandbox.slack.press_in(view, f"modal.choose.{name}")
    await sandbox.slack.until(lambda: view.view["title"]["text"] == f"/{name}")


async def _message_shortcut(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/apiaudit edge 24h who:nobody", channel="C0KITCHEN")
    answer.seen_by = ""
    await sandbox.slack.shortcut("ask_again", user="U0LINUS", message=answer)
    await sandbox.slack.until(
        lambda: "You don't have access to" in everything_seen(sandbox, "U0LINUS")
    )
    sandbox.slack.messages.remove(answer)


async def _mention(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/apiaudit edge 24h who:nobody", channel="C0KITCHEN")
    answer.seen_by = ""
    await sandbox.slack.say(
        "@Opswatch nonsense", user="U0LINUS", channel="C0KITCHEN", thread_ts=answer.ts
    )
    await sandbox.slack.until(
        lambda: "You don't have access to" in everything_seen(sandbox, "U0LINUS")
    )
    sandbox.slack.messages.remove(answer)


async def _button(sandbox: Sandbox, action: str) -> None:
    answer = await sandbox.slack.answer_to(
        "/usage last 3 days", user="U0LINUS", channel="C0KITCHEN"
    )
    button = next(
        e
        for block in answer.blocks
        for e in block.get("elements", [])
        if e.get("action_id") == "modal.repeat"
    )
    button.update(action_id=action, value="/logs nonsense")
    await sandbox.slack.press(answer, action, user="U0LINUS")
    await sandbox.slack.until(
        lambda: "You don't have access to" in everything_seen(sandbox, "U0LINUS")
    )
    assert sandbox.slack.modal("U0LINUS") is None


async def _typed(sandbox: Sandbox, line: str) -> None:
    refusal = await answer_text(sandbox, line, user="U0LINUS")
    assert "You don't have access to" in refusal or "Akamai" not in refusal


TRIED: dict[str, Any] = {
    "shortcut": _shortcut,
    "shortcut to audit": lambda sandbox: _choice(sandbox, "apiaudit"),
    "shortcut to logs": lambda sandbox: _choice(sandbox, "logs"),
    "shortcut at a message": _message_shortcut,
    "mention in a thread": _mention,
    **{action: lambda sandbox, action=action: _button(sandbox, action) for action in ("modal.question", "modal.repeat", "modal.alert")},
    **{
        line: lambda sandbox, line=line: _typed(sandbox, line)
        for line in (
            "/apiaudit help", "/logs help", "/logs kitchn", "/apiaudit edgy 24h", "/apiaudit subscribe", "/logs subscribe x",
            "/apiaudit alert", "/logs alert today abov 5", "/logs alert", "/usage edgy last 7 days", "/usage edge", "/apiaudit",
            "/usage alert edge above 5 GB", "/usage subscribe edge at 09:00", "/usage help", "/usage alerts", "/logs alerts",
            "/logs subscriptions", "/apiaudit silence x", "/logs unalert x",
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("way", TRIED)
async def test_names_stay_hidden_without_right(sandbox: Sandbox, clock: Clock, way: str) -> None:
    names = {**sandbox.table()["providers"]}
    names["iot-plant"] = names.pop("iot")
    names["rapid7-eu"] = {
        **names["rapid7-eu"],
        "logs": {f"{name}-shelf": log for name, log in names["rapid7-eu"]["logs"].items()},
    }
    async with running(sandbox, QUIET, providers=names):
        await TRIED[way](sandbox)
        await sandbox.slack.open_home("U0LINUS")
        await sandbox.slack.until(lambda: sandbox.slack.homes.get("U0LINUS"))
    typed = way.split()
    for name in ("edge", "iot-plant", "kitchen-shelf", "cellar-shelf"):
        assert name in typed or name not in everything_seen(sandbox, "U0LINUS"), name


async def test_person_of_other_workspace_needs_to_be_named(sandbox: Sandbox, clock: Clock) -> None:
    sandbox.slack.users["U0LINUS"].team = "T0ELSEWHERE"
    async with running(sandbox, QUIET):
        assert "You don't have access to /usage here" in await answer_text(
            sandbox, "/usage last 3 days", user="U0LINUS"
        )
        assert "ingest-spike" not in await answer_text(sandbox, "/usage alerts", user="U0LINUS")
        answer = await sandbox.slack.answer_to("/usage last 3 days", channel="C0KITCHEN")
        await sandbox.slack.press(answer, "ask.0", user="U0LINUS")
        await sandbox.slack.until(
            lambda: (
                sum(
                    "You don't have access to /usage here" in m.text
                    for m in sandbox.slack.messages
                    if m.seen_by == "U0LINUS"
                )
                == 2
            )
        )
    async with running(sandbox, QUIET, access={"usage": ["*", "U0LINUS"]}):
        assert "in 3 days" in await answer_text(sandbox, "/usage last 3 days", user="U0LINUS")


async def test_shortcut_ignores_buttons_of_other_apps(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, QUIET):
        block = {
            "type": "actions",
            "elements": [
                {"type": "button", "action_id": "ask.0", "value": "/logs kitchen where(/x/)"}
            ],
        }
        foreign = Message("1.000001", "C0KITCHEN", "U0OTHERAPP", "press me", [block])
        sandbox.slack.messages.append(foreign)
        await sandbox.slack.shortcut("ask_again", message=foreign)
        view = await sandbox.slack.until(sandbox.slack.modal)
    assert "where(/x/)" not in view.words()
    assert "modal.choose.usage" in view.words()


@pytest.mark.parametrize("line", ["subscribe last 5 days at 09:00", "alert today above 500 GB"])
async def test_invitation_is_asked_for_at_once(sandbox: Sandbox, clock: Clock, line: str) -> None:
    async with running(sandbox, QUIET):
        assert "`/invite @Opswatch`" in await answer_text(
            sandbox, f"/usage {line}", channel="C0QUIET"
        )
        assert "/invite" not in await answer_text(sandbox, f"/usage {line}", channel="C0KITCHEN")


async def test_tampered_form_is_refused(sandbox: Sandbox, clock: Clock) -> None:
    async with running(sandbox, QUIET):
        await answer_text(sandbox, "/apiaudit alert edge last 1h failures above 900 as pantry")
        answer = await sandbox.slack.answer_to("/usage today", user="U0LINUS", channel="C0KITCHEN")
        await sandbox.slack.press(answer, "modal.alert", user="U0LINUS")
        view = await sandbox.slack.until(lambda: sandbox.slack.modal("U0LINUS"))
        view.view["private_metadata"] = json.dumps(
            {"command": "usage", "channel": "C0KITCHEN", "rule": "pantry"}
        )
        await sandbox.slack.submit(view, threshold="5 GB")
        assert "There is no alert “pantry”" in view.errors["question"]
    [rule] = await stored_rows(sandbox, 'SELECT rule, "user" FROM rules')
    assert "apiaudit" in rule["rule"] and rule["user"] == "U0ADA"


async def _paused_runs(bot: Bot, count: int) -> None:
    """Waits until this many runs have been skipped."""
    async with asyncio.timeout(20):
        while len(await bot.store.read("SELECT 1 FROM runs WHERE outcome = 'paused'", ())) < count:
            await asyncio.sleep(0.05)


async def test_unknown_member_has_what_is_granted_to_them_by_name(sandbox: Sandbox) -> None:
    """Whether somebody belongs to the workspace is not known while `users.info` fails alone."""
    sandbox.slack.refuse("users.info", "internal_error")
    async with running(sandbox, QUIET):
        refused = await answer_text(sandbox, "/usage today")
        granted = await answer_text(sandbox, "/apiaudit edge 24h")
    assert "Slack does not say whether you belong to this workspace" in refused
    assert "Try again in a minute" in refused
    assert "Slack does not say" not in granted
