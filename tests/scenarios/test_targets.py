"""Alerts notify PagerDuty, Opsgenie, a signed webhook and mailboxes: each event once and in order,
without losses or duplicate calls.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from bot.app import Bot, open_bot
from bot.cli.check import run_checks
from bot.observability.metrics import Metrics
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import Message
from bot.sandbox.targets import TargetSandbox
from tests.conftest import toml_of
from tests.support.alerts import (
    HURRIED,
    SPIKE,
    Meter,
    evaluate,
    evaluated,
    messages,
    posted_texts,
    running,
)
from tests.support.clock import MovableClock as Clock
from tests.support.ports import free_port

ALL = ["pagerduty", "opsgenie", "hook", "mail"]
CALLING = {
    **SPIKE,
    "severity": "critical",
    "runbook": "https://wiki.example.com/spike",
    "notify": ALL,
}


pytestmark = pytest.mark.usefixtures("before_noon")


async def settled(bot: Bot) -> None:
    """Waits until every post has been sent."""
    await until(bot, lambda rows: not rows, "state != 'sent'")


async def until(
    bot: Bot, holds: Callable[[list[dict[str, Any]]], bool], where: str
) -> list[dict[str, Any]]:
    async with asyncio.timeout(20):
        while True:
            rows = await bot.store.read(f"SELECT * FROM outbox WHERE {where} ORDER BY id", ())
            if holds([dict(row) for row in rows]):
                return [dict(row) for row in rows]
            await asyncio.sleep(0.02)


def button(message: Message, text: str) -> dict[str, Any]:
    return next(
        element
        for block in message.blocks
        if block["type"] == "actions"
        for element in block["elements"]
        if element["text"]["text"] == text
    )


async def test_incident_runs_through_every_target(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(sandbox)
    async with running(sandbox, CALLING) as bot:
        await evaluate(bot, clock, meter, 6)
        await settled(bot)
        await sandbox.slack.press(messages(sandbox)[0], "alert.acknowledge")
        await sandbox.slack.until(lambda: "acknowledge" in targets.webhook.actions("ingest-spike"))
        await evaluate(bot, clock, meter, 4)
        await settled(bot)
    [incident] = targets.pagerduty.incidents
    assert incident.events == ["trigger", "acknowledge", "resolve"]
    assert (incident.woken, incident.severity) == (1, "critical")
    assert incident.summary == "Critical · ingest-spike: bytes at 6.00 GB, above 5.00 GB"
    assert incident.links == ["https://wiki.example.com/spike"]
    [alert] = targets.opsgenie.alerts
    assert (alert.status, alert.count, alert.priority) == ("closed", 1, "P1")
    assert alert.acknowledged_by == "Ada"
    assert targets.webhook.actions("ingest-spike") == ["trigger", "acknowledge", "resolve"]
    verbs = [mail.subject.partition("]")[0] for mail in targets.mail.mails]
    assert verbs == ["[FIRING critical", "[ACKNOWLEDGED critical", "[RESOLVED critical"]
    assert "Runbook: https://wiki.example.com/spike" in targets.mail.mails[0].text
    assert len({mail.message["References"] for mail in targets.mail.mails}) == 1
    assert [targets.mail.refused, targets.pagerduty.dropped, targets.opsgenie.missed] == [[]] * 3


async def test_message_shows_severity_and_runbook(sandbox: Sandbox, clock: Clock) -> None:
    meter = Meter(sandbox)
    rule = {**SPIKE, "severity": "warning", "runbook": "https://wiki.example.com/spike"}
    async with running(sandbox, rule) as bot:
        await evaluate(bot, clock, meter, 6)
        await sandbox.slack.until(lambda: posted_texts(sandbox))
        [message] = messages(sandbox)
        assert message.text.startswith("🟡 Warning · ingest-spike: bytes at 6.00 GB")
        assert button(message, "Runbook")["url"] == "https://wiki.example.com/spike"
        await sandbox.slack.press(message, button(message, "Runbook")["action_id"])
    assert sandbox.slack.refused == []


@pytest.mark.parametrize("failure", ["503", "429", "cut"])
async def test_unreachable_target_gets_event_later(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox, failure: str
) -> None:
    server = targets.pagerduty
    if failure == "cut":
        server.misbehave(cut, times=3)
    else:
        server.answer_with(int(failure), times=3, Retry_After="0")
    meter = Meter(sandbox)
    async with running(sandbox, CALLING) as bot:
        await evaluate(bot, clock, meter, 6, 4)
        await settled(bot)
    [incident] = server.incidents
    assert (incident.events, incident.woken) == (["trigger", "resolve"], 1)


async def cut(request: Any) -> Any:
    request.transport.abort()
    from aiohttp import web

    return web.Response()


async def test_refused_event_is_reported_once(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    right = targets.pagerduty.routing_key
    settings = {"slack": {"ops_channel": "#kitchen"}}
    meter = Meter(sandbox)
    async with running(sandbox, {**SPIKE, "notify": ["pagerduty", "hook"]}, **settings) as bot:
        targets.pagerduty.routing_key = "f" * 32
        await evaluate(bot, clock, meter, 6)
        [notice] = await sandbox.slack.until(lambda: posted_texts(sandbox, "C0KITCHEN"))
        assert "A notification to the target pagerduty could not be sent (HTTP 400: " in notice
        assert "Invalid routing key" in notice
        assert right not in notice
        await evaluate(bot, clock, meter, 4)
        await until(bot, lambda rows: len(rows) == 2, "channel = 'target:pagerduty'")
        await sandbox.slack.until(lambda: len(targets.webhook.events) == 2)
        targets.pagerduty.routing_key = right
        await settled(bot)
    assert (
        len([text for text in posted_texts(sandbox, "C0KITCHEN") if "A notification to" in text])
        == 1
    )
    [incident] = targets.pagerduty.incidents
    assert incident.events == ["trigger", "resolve"]


async def test_mail_survives_lost_answer(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    targets.mail.cut_after_data = 1
    targets.mail.faults = ["451 4.3.0 Try again"]
    meter = Meter(sandbox)
    async with running(sandbox, {**SPIKE, "notify": ["mail"]}) as bot:
        await evaluate(bot, clock, meter, 6)
        await settled(bot)
    assert len(targets.mail.mails) == 2
    assert len(targets.mail.inbox()) == 1


async def test_removed_target_is_reported(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(sandbox)
    targets.pagerduty.answer_with(503, times=100)
    async with running(sandbox, {**SPIKE, "notify": ["pagerduty"]}) as bot:
        await evaluate(bot, clock, meter, 6)
        await until(bot, lambda rows: bool(rows and rows[0]["trouble"]), "how = 'event'")
    table = targets.table()
    del table["pagerduty"]
    async with running(sandbox, SPIKE, targets=table, slack={"ops_channel": "#kitchen"}):
        [notice] = await sandbox.slack.until(lambda: posted_texts(sandbox, "C0KITCHEN"))
    assert "to the target pagerduty could not be sent (there is no such target)" in notice


async def test_hostile_names_stay_text(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(sandbox)
    ask = "/apiaudit edge last 2h who:<!channel>"
    rule = {**CALLING, "name": "x\u202e é", "ask": ask, "value": "failures", "below": 5}
    del rule["above"], rule["recover"]
    del meter
    async with running(sandbox, rule) as bot:
        await evaluated(bot, clock)
        await settled(bot)
    assert targets.mail.refused == []
    [mail] = targets.mail.mails
    assert "\u202e" not in mail.subject
    assert [len(each) for each in (targets.pagerduty.incidents, targets.opsgenie.alerts)] == [1, 1]


async def test_check_calls_nobody(sandbox: Sandbox, targets: TargetSandbox) -> None:
    (sandbox.folder / "bot.toml").write_text(toml_of(sandbox.table()), "utf-8")
    checks, code = await run_checks(sandbox.folder / "bot.toml", environ=sandbox.environ())
    found = {check.name: check for check in checks if check.name.startswith("target ")}
    assert {name: check.ok for name, check in found.items()} == {
        f"target {name}": True for name in ALL
    }
    assert code in (0, 2), "people and groups of the sandbox are looked up, too"
    assert not targets.pagerduty.incidents
    assert not targets.opsgenie.alerts
    assert not targets.mail.mails
    assert not targets.webhook.events
    assert "hook-token" not in str(found)


@pytest.mark.parametrize(
    ("target", "variable", "says"),
    [
        ("pagerduty", "PAGERDUTY_ROUTING_KEY", "Invalid routing key"),
        ("opsgenie", "OPSGENIE_API_KEY", "Could not authenticate"),
        ("mail", "SMTP_PASSWORD", "refuses the login"),
    ],
)
async def test_check_names_wrong_key(
    sandbox: Sandbox, targets: TargetSandbox, target: str, variable: str, says: str
) -> None:
    (sandbox.folder / "bot.toml").write_text(toml_of(sandbox.table()), "utf-8")
    wrong = "0" * 31 + "f"
    environ = {**sandbox.environ(), variable: wrong}
    checks, code = await run_checks(sandbox.folder / "bot.toml", environ=environ)
    [failed] = [each for each in checks if each.name.startswith("target ") and not each.ok]
    assert failed.name == f"target {target}"
    assert code != 0
    assert says in failed.detail
    assert wrong not in str(failed)


async def test_secrets_of_targets_never_show(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    known = {**targets.environ(), "PAGERDUTY_WEBHOOK_SECRET": ""}
    known.pop("SMTP_USERNAME")
    secrets = [secret for secret in known.values() if secret]
    echo = " ".join(secrets)
    for server in targets.servers:
        server.answer_with(400, json.dumps({"message": echo}), times=100)
    targets.mail.faults = [f"554 5.0.0 {echo}"] * 100
    meter = Meter(sandbox)
    async with running(sandbox, CALLING, slack={"ops_channel": "#kitchen"}) as bot:
        await evaluate(bot, clock, meter, 6)
        await until(bot, lambda rows: len(rows) == 4, "how = 'event' AND trouble IS NOT NULL")
        await sandbox.slack.until(lambda: len(posted_texts(sandbox, "C0KITCHEN")) >= 4)
        stored = await bot.store.read("SELECT * FROM outbox", ())
    shown = f"{caplog.text} {stored} {posted_texts(sandbox, 'C0KITCHEN')}"
    for secret in secrets:
        assert secret[:12] not in shown
    assert "hook-token" not in shown


@asynccontextmanager
async def in_http_mode(
    sandbox: Sandbox, rule: dict[str, Any], **others: dict[str, Any]
) -> AsyncIterator[tuple[Bot, str]]:
    """The bot in HTTP mode, which PagerDuty can reach at the URL; `others` are targets beside those
    of the sandbox.
    """
    targets = {**sandbox.table()["targets"], **others}
    port = free_port()
    targets["pagerduty"]["webhook_secret"] = "env:PAGERDUTY_WEBHOOK_SECRET"
    slack = {"mode": "http", "port": port}
    settings = sandbox.settings(alert=[rule], targets=targets, slack=slack)
    tokens = sandbox.tokens("http")
    async with (
        open_bot(settings, tokens, pace=HURRIED, clock=sandbox.clock) as bot,
        bot.connected(),
    ):
        sandbox.slack.events_url = f"http://127.0.0.1:{port}/slack/events"
        yield bot, f"http://127.0.0.1:{port}/pagerduty/events"


async def test_acknowledgement_there_counts_here(
    sandbox: Sandbox, clock: Clock, targets: TargetSandbox
) -> None:
    meter = Meter(sandbox)
    async with in_http_mode(sandbox, {**CALLING, "repeat": "15m"}) as (bot, url):
        await evaluate(bot, clock, meter, 6)
        await settled(bot)
        [incident] = targets.pagerduty.incidents
        assert await targets.pagerduty.report(url, incident) == 202
        assert await targets.pagerduty.report(url, incident) == 202
        await sandbox.slack.until(
            lambda: "Acknowledged by Earline" in str(messages(sandbox)[0].blocks)
        )
        await evaluate(bot, clock, meter, 6)
        await settled(bot)
    assert posted_texts(sandbox)[0].startswith("🟠")
    assert incident.events == ["trigger"]
    assert targets.webhook.actions("ingest-spike") == ["trigger", "acknowledge"]
    assert [mail.subject.partition("]")[0] for mail in targets.mail.mails][-1].startswith("[ACK")


@pytest.mark.parametrize(
    ("secret", "event_type", "key", "status"),
    [
        ("wrong-secret", "incident.acknowledged", "", 401),
        ("", "incident.resolved", "", 202),
        ("", "incident.acknowledged", "another incident", 202),
    ],
    ids=["wrong signature", "another event", "another incident"],
)
async def test_other_reports_change_nothing(
    sandbox: Sandbox,
    clock: Clock,
    targets: TargetSandbox,
    secret: str,
    event_type: str,
    key: str,
    status: int,
) -> None:
    meter = Meter(sandbox)
    async with in_http_mode(sandbox, {**SPIKE, "notify": ["pagerduty"]}) as (bot, url):
        await evaluate(bot, clock, meter, 6)
        await settled(bot)
        [incident] = targets.pagerduty.incidents
        sent = replace(incident, key=key or incident.key)
        found = await targets.pagerduty.report(url, sent, event_type, secret=secret)
        assert found == status
        await settled(bot)
    assert posted_texts(sandbox)[0].startswith("🔴")


async def test_socket_mode_opens_no_port(sandbox: Sandbox, targets: TargetSandbox) -> None:
    del targets
    async with running(sandbox) as bot:
        assert bot.http_mode is None


async def test_metrics_count_events(sandbox: Sandbox, clock: Clock, targets: TargetSandbox) -> None:
    metrics = Metrics()
    meter = Meter(sandbox)
    targets.opsgenie.answer_with(503)
    settings = sandbox.settings(alert=[{**SPIKE, "notify": ["hook", "opsgenie"]}])
    async with (
        open_bot(
            settings,
            sandbox.tokens(),
            pace=HURRIED,
            clock=sandbox.clock,
            observers=metrics.observers,
        ) as bot,
        bot.connected(),
    ):
        await evaluate(bot, clock, meter, 6)
        await settled(bot)
    page = metrics.page("")[0].decode()
    assert 'opswatch_target_events_total{outcome="ok",target="hook"} 1.0' in page
    assert 'opswatch_target_events_total{outcome="failed",target="opsgenie"} 1.0' in page
    assert 'opswatch_target_events_total{outcome="ok",target="opsgenie"} 1.0' in page
