"""Several processes of the bot on one database: changes made in one are known in the others.

The last process that connects receives what people do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from providers.redaction import Secret
from tests.conftest import connected_bot
from tests.support.alerts import SPIKE, Meter, evaluate, posted_texts, running
from tests.support.alerts import messages as messages_of
from tests.support.clock import MovableClock
from tests.support.messages import buttons

pytestmark = pytest.mark.usefixtures("before_noon")


@pytest.fixture
def database(sandbox: Sandbox, location: Path | Secret) -> str:
    """The `database` setting, for each kind of database."""
    if isinstance(location, Path):
        return str(location)
    (sandbox.folder / "database-url").write_text(location.open())
    return "file:database-url"


async def until(what: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not what():
            await asyncio.sleep(0.05)


def names(bot: Bot) -> set[str]:
    return set(bot.rules.registry.chat_rules)


def scheduled(bot: Bot) -> set[str]:
    return set(bot.scheduler.timetable.names)


async def test_chat_rules_reach_every_process(sandbox: Sandbox, database: str) -> None:
    async with connected_bot(sandbox, database=database) as first:
        async with connected_bot(sandbox, database=database):
            await sandbox.slack.answer_to("/usage alert today above 5 GB every 15m as kitchen")
            await until(lambda: "alert kitchen" in scheduled(first))
            [rule] = first.rules.registry.rules()
            assert (rule.name, rule.above) == ("kitchen", 5e9)
            stored = first.rules.registry.chat_rules["kitchen"]
            await sandbox.slack.answer_to("/usage unalert kitchen")
            await until(lambda: "alert kitchen" not in scheduled(first))
            assert names(first) == set()
            await first.store.rules.add_rule(
                name="cellar",
                command="usage",
                channel="C0OPS",
                rule=stored.rule,
                user="U0ADA",
                now=sandbox.clock(),
            )
            await asyncio.sleep(1.2)
        answer = await sandbox.slack.answer_to("/usage alerts")
        assert "cellar" in answer.text, "it outlives the process in which it was made"


async def test_subscriptions_reach_every_process(sandbox: Sandbox, database: str) -> None:
    async with (
        connected_bot(sandbox, database=database) as first,
        connected_bot(sandbox, database=database),
    ):
        await sandbox.slack.answer_to("/usage subscribe last 7 days at 09:00")
        await until(lambda: "subscription 1" in scheduled(first))
        await sandbox.slack.answer_to("/usage unsubscribe 1")
        await until(lambda: "subscription 1" not in scheduled(first))


async def test_pauses_reach_every_process(sandbox: Sandbox, database: str) -> None:
    async with (
        connected_bot(sandbox, database=database) as first,
        connected_bot(sandbox, database=database) as second,
    ):
        await second.store.pauses.pause("alert spike", [], now=sandbox.clock())
        await until(lambda: first.rules.guard.is_paused("alert spike"))
        await second.store.pauses.resume("alert spike", [], now=sandbox.clock())
        await until(lambda: not first.rules.guard.is_paused("alert spike"))


async def test_cancel_reaches_the_working_process(sandbox: Sandbox, database: str) -> None:
    sandbox.rapid7.be_slow(60)
    async with connected_bot(sandbox, database=database) as first:
        await sandbox.slack.command("/usage last 7 days")
        working = await sandbox.slack.until(
            lambda: next((m for m in sandbox.slack.seen() if "Cancel" in buttons(m)), None)
        )
        async with connected_bot(sandbox, database=database) as second:
            assert not second.requests.running.cancellable
            assert not await second.requests.cancel(_ticket(first), "U0GRACE")
            await sandbox.slack.press(working, buttons(working)["Cancel"])
            await sandbox.slack.until(
                lambda: any(m.text.startswith("Cancelled") for m in sandbox.slack.messages)
            )
            await until(lambda: not first.requests.running.tasks)
            assert await second.store.read("SELECT * FROM running_work") == []


def _ticket(bot: Bot) -> str:
    return next(iter(bot.requests.running.cancellable))


async def test_incident_of_another_process_is_acknowledged(
    sandbox: Sandbox, clock: MovableClock, database: str
) -> None:
    """The process that receives the button press has never evaluated the alert."""
    meter = Meter(sandbox)
    async with running(sandbox, database=database) as first:
        await evaluate(first, clock, meter, 3)
        async with running(sandbox, database=database) as second:
            rule = second.rules.registry.find(SPIKE["name"])
            assert rule
            await second.rules.job.state(rule)
            await second.scheduler.stop(within_s=1)
            await evaluate(first, clock, meter, 6)
            [message] = await sandbox.slack.until(
                lambda: posted_texts(sandbox) and messages_of(sandbox)
            )
            await sandbox.slack.press(message, buttons(message)["Acknowledge"])
            await sandbox.slack.until(lambda: "cknowledged" in str(message.blocks))
            listed = await sandbox.slack.answer_to("/usage alerts", channel="C0KITCHEN")
            assert "`ingest-spike` firing" in listed.text
