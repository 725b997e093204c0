"""Alerts: looked at on time, told once, explained, and over only when they are over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.app import Bot, open_bot
from bot.sandbox.slack import BOT, Message
from bot.sandbox.world import Sandbox
from bot.store import Store
from tests.scenarios.test_digests import HURRIED
from tests.support.clock import MovableClock as Clock

SPIKE = {"name": "ingest-spike", "ask": "/usage rapid7-eu today", "value": "bytes", "above": "5 GB", "recover": "4.5 GB", "every": "15m", "channel": "#ops"}  # fmt: skip


pytestmark = pytest.mark.usefixtures("before_noon")


class Meter:
    """What the account has sent today."""

    def __init__(self, world: Sandbox) -> None:
        self.bytes: int | None = 3_000_000_000
        world.rapid7.usage = lambda day, now: self.bytes

    def __call__(self, gigabytes: float | None) -> None:
        self.bytes = None if gigabytes is None else int(gigabytes * 1e9)


@asynccontextmanager
async def running(world: Sandbox, *alerts: dict[str, Any], **changes: Any) -> AsyncIterator[Bot]:
    settings = world.settings(alert=list(alerts or (SPIKE,)), **changes)
    async with (
        open_bot(settings, world.tokens(), pace=HURRIED, clock=world.clock) as bot,
        bot.connected(),
    ):
        yield bot


def told(world: Sandbox, channel: str = "C0OPS") -> list[str]:
    """The messages of the channel, as they stand now; what is in threads is not among them."""
    return [m.text for m in messages(world, channel)]


def messages(world: Sandbox, channel: str = "C0OPS") -> list[Message]:
    return [
        m
        for m in world.slack.messages
        if m.user == BOT and m.channel == channel and not m.seen_by and not m.thread_ts
    ]


def thread(world: Sandbox) -> list[str]:
    """What stands in the thread of the one message there is."""
    [root] = messages(world)
    return [m.text for m in world.slack.messages if m.thread_ts == root.ts]


async def evaluations(bot: Bot, count: int) -> list[str]:
    """How the evaluations ended, once there are so many."""
    async with asyncio.timeout(60):
        while True:
            rows = await bot.store.read("SELECT state FROM samples ORDER BY at", ())
            if len(rows) >= count:
                return [row["state"] for row in rows]
            await asyncio.sleep(0.02)


async def look(bot: Bot, clock: Clock, meter: Meter, *gigabytes: float | None) -> None:
    """One look after the other, a quarter of an hour apart, each finding so much."""
    for each in gigabytes:
        meter(each)
        await evaluated(bot, clock)


async def evaluated(bot: Bot, clock: Clock) -> str:
    """How the next evaluation ends."""
    done = len(await evaluations(bot, 0))
    clock.strike(15)
    return (await evaluations(bot, done + 1))[-1]


async def test_incident_is_one_updated_message(world: Sandbox, clock: Clock) -> None:
    meter = Meter(world)
    async with running(world) as bot:
        await look(bot, clock, meter, 3, 5.72)
        [fired] = await world.slack.until(lambda: told(world))
        assert fired.startswith("🔴 ingest-spike: bytes at 5.72 GB, above 5.00 GB")
        assert "Resolve threshold: 4.50 GB" in fired
        assert "rule of bot.toml" in str(messages(world)[0].blocks)
        await look(bot, clock, meter, 6.1, 4.8, 4.2)
        await world.slack.until(lambda: told(world)[0].startswith("✅"))
        await world.slack.until(lambda: thread(world))
        assert (await evaluations(bot, 5))[:5] == [
            "inactive",
            "firing",
            "firing",
            "firing",
            "inactive",
        ]
    [resolved] = told(world)
    assert resolved.startswith("✅ ingest-spike resolved after 45 min, peak 6.10 GB")
    assert thread(world) == ["✅ ingest-spike resolved after 45 min, peak 6.10 GB."]
    assert world.slack.refused == []
    answer_before = len(world.slack.messages)
    async with running(world):
        await world.slack.press(messages(world)[0], "ask.0")
        await world.slack.until(
            lambda: any("rapid7-eu (" in m.text for m in world.slack.messages[answer_before:])
        )


async def test_repeat_shows_duration_in_channel(world: Sandbox, clock: Clock) -> None:
    meter = Meter(world)
    async with running(world, {**SPIKE, "repeat": "30m"}) as bot:
        await look(bot, clock, meter, 6, 6, 6.5)
        await world.slack.until(lambda: thread(world))
    assert thread(world) == [
        "Firing for 30 min: bytes still at 6.50 GB, above 5.00 GB; peak 6.50 GB."
    ]
    assert [m.broadcast for m in world.slack.messages if m.thread_ts] == [True]
    assert "bytes: 6.50 GB" in told(world)[0]


async def test_duration_ignores_provider_latency(world: Sandbox, clock: Clock) -> None:
    """Each look is answered sooner than the one before, so that less than a quarter of an hour lies
    between the answers.
    """
    meter = Meter(world)
    world.rapid7.be_slow(0.8)
    world.rapid7.be_slow(0.4)
    async with running(world, {**SPIKE, "for": "15m", "repeat": "15m"}) as bot:
        await look(bot, clock, meter, 6, 6)
        assert await evaluations(bot, 2) == ["pending", "firing"]
        await world.slack.until(lambda: told(world))
        await look(bot, clock, meter, 6)
        await world.slack.until(lambda: thread(world))
    assert thread(world)[0].startswith("Firing for 30 min: bytes still at 6.00 GB")


async def test_each_notice_is_stored_with_its_message(world: Sandbox, clock: Clock) -> None:
    meter = Meter(world)
    async with running(world, {**SPIKE, "repeat": "30m"}) as bot:
        await look(bot, clock, meter, 6, 6, 6.5, 1)
        await world.slack.until(lambda: len(thread(world)) == 2)
        async with asyncio.timeout(60):
            notices = [{"ts": None}]
            while not all(n["ts"] for n in notices):
                await asyncio.sleep(0.02)
                notices = await bot.store.read("SELECT * FROM notices ORDER BY at", ())
    assert [n["reason"] for n in notices] == ["first", "repeat", "resolved"]
    stand = [m.ts for m in world.slack.messages if m.user == BOT]
    assert [n["ts"] for n in notices] == stand


async def pressed(world: Sandbox, action: str, *, user: str = "U0ADA") -> None:
    await world.slack.press(messages(world)[0], action, user=user)


async def test_acknowledged_incident_ends_without_repeats(world: Sandbox, clock: Clock) -> None:
    meter = Meter(world)
    async with running(world, {**SPIKE, "repeat": "15m"}) as bot:
        await look(bot, clock, meter, 6)
        await world.slack.until(lambda: told(world))
        await pressed(world, "alert.acknowledge")
        await world.slack.until(
            lambda: "Acknowledged by <@U0ADA>" in str(messages(world)[0].blocks)
        )
        await world.slack.until(lambda: thread(world))
        await look(bot, clock, meter, 6, 6, 2)
        await world.slack.until(lambda: told(world)[0].startswith("✅"))
        await world.slack.until(lambda: len(thread(world)) == 2)
    assert thread(world)[0].startswith("Acknowledged by ")
    assert thread(world)[1].startswith("✅")
    assert "<@" not in str([m.blocks for m in world.slack.messages if m.thread_ts])


async def test_silenced_alert_posts_only_its_end(world: Sandbox, clock: Clock) -> None:
    meter = Meter(world)
    async with running(world, {**SPIKE, "repeat": "15m"}) as bot:
        await look(bot, clock, meter, 6)
        await world.slack.until(lambda: told(world))
        await pressed(world, "alert.silence.1h")
        await world.slack.until(lambda: thread(world))
        await world.slack.until(
            lambda: any(
                "Alert ingest-spike is silenced" in m.text.replace("`", "")
                for m in world.slack.messages
            )
        )
        await look(bot, clock, meter, 6, 6, 6)
        assert len(thread(world)) == 1
        # The silence ends a moment after the hour; it is looked at at once.
        clock.strike(15)
        await world.slack.until(lambda: len(thread(world)) == 2)
    assert thread(world)[0].startswith("Silenced until")
    assert thread(world)[1].startswith("The silence is over. Firing for 1 h")
    [silence] = await kept(world, "SELECT * FROM silences")
    assert (silence["alert"], silence["user"]) == ("ingest-spike", "U0ADA")


async def kept(world: Sandbox, sql: str) -> list[dict[str, Any]]:
    """What stands in the database."""
    store = await Store.open(world.location, now=datetime.now(UTC))
    try:
        return await store.read(sql, ())
    finally:
        await store.close()


async def test_unpermitted_person_changes_nothing(world: Sandbox, clock: Clock) -> None:
    meter = Meter(world)
    access = {"usage": ["*"], "manage": ["U0ADA"]}
    async with running(world, access=access) as bot:
        await look(bot, clock, meter, 6)
        await world.slack.until(lambda: told(world))
        for action in ("alert.acknowledge", "alert.silence.4h"):
            await pressed(world, action, user="U0LINUS")
            await world.slack.until(
                lambda: any(
                    m.seen_by == "U0LINUS" and "have access to manage" in m.text
                    for m in world.slack.messages
                )
            )
            world.slack.messages[:] = [m for m in world.slack.messages if not m.seen_by]
    assert thread(world) == []


async def test_simultaneous_changes_share_one_message(world: Sandbox, clock: Clock) -> None:
    edge_failures = {"ada": 3, "grace": 3, "linus": 0}
    world.akamai.rows = lambda a, b: calls(b, edge_failures)
    rule = {
        "name": "clients",
        "ask": "/apiaudit edge last 1h",
        "value": "failures",
        "above": 2,
        "each": "actor",
        "channel": "#ops",
    }
    async with running(world, rule) as bot:
        await evaluated(bot, clock)
        await world.slack.until(lambda: told(world))
        edge_failures.update(ada=0, linus=5)
        clock.strike(15)
        await world.slack.until(lambda: thread(world))
        edge_failures.update(grace=0, linus=0)
        clock.strike(15)
        await world.slack.until(lambda: told(world)[0].startswith("✅"))
        await world.slack.until(lambda: len(thread(world)) == 2)
    assert (
        thread(world)[0] == "Also firing: linus; OK again: ada. Failures above 2 for 2 of 3 actors."
    )


def calls(now: datetime, failures: dict[str, int]) -> list[dict[str, str]]:
    at = f"{now - timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}"
    row = {
        "clientId": "c",
        "clientIp": "203.0.113.7",
        "clientToken": "t",
        "method": "get",
        "timestamp": at,
        "uri": "host/papi",
    }
    return [
        {**row, "clientOwner": who, "responseCode": code}
        for who, n in failures.items()
        for code in ["503"] * n + ["200"]
    ]


async def test_restart_and_outage_change_no_state(world: Sandbox, clock: Clock) -> None:
    meter = Meter(world)
    meter(6)
    async with running(world):
        clock.strike(15)
        await world.slack.until(lambda: told(world))
    world.rapid7.answer_with(401, times=999)
    clock.strike(15)
    async with running(world) as bot:
        assert (await evaluations(bot, 2))[-1] == "error"
    world.rapid7.faults.clear()
    clock.strike(15)
    async with running(world) as bot:
        assert (await evaluations(bot, 3))[-1] == "firing"
        await asyncio.sleep(0.2)
    assert len(told(world)) == 1


async def test_three_failed_evaluations_notify_ops(world: Sandbox, clock: Clock) -> None:
    world.rapid7.answer_with(401, times=999)
    async with running(
        world, {**SPIKE, "channel": "#kitchen"}, slack={"ops_channel": "#ops"}
    ) as bot:
        for _ in range(4):
            await evaluated(bot, clock)
        await world.slack.until(lambda: told(world))
    assert told(world, "C0KITCHEN") == []
    # The clock runs ahead of the outbox, whose backlog may be reported, too.
    [text] = [each for each in told(world) if "Alert" in each]
    assert "could not be evaluated 3 times in a row: rapid7-eu did not accept our key" in text


async def test_recovered_evaluation_notifies_ops(world: Sandbox, clock: Clock) -> None:
    Meter(world)(6)
    world.rapid7.answer_with(401, times=3)
    async with running(
        world, {**SPIKE, "channel": "#kitchen"}, slack={"ops_channel": "#ops"}
    ) as bot:
        for _ in range(4):
            await evaluated(bot, clock)
        # A slow machine may also report that messages wait, as the clock jumps ahead.
        await world.slack.until(
            lambda: (
                any(
                    "can be evaluated again after 3 failures: firing" in each
                    for each in told(world)
                )
                and told(world, "C0KITCHEN")
            )
        )
    assert "could not be evaluated 3 times in a row" in told(world)[0]
    assert told(world, "C0KITCHEN")[0].startswith("🔴 ingest-spike")


async def test_actor_that_vanishes_from_complete_answers_resolves(
    world: Sandbox, clock: Clock
) -> None:
    failures = {"ada": 3, "grace": 0}
    world.akamai.rows = lambda a, b: calls(b, failures)
    rule = {"name": "clients", "ask": "/apiaudit edge last 1h", "value": "failure_percent", "above": 50, "each": "actor", "channel": "#ops"}  # fmt: skip
    async with running(world, rule) as bot:
        await evaluated(bot, clock)
        await world.slack.until(lambda: told(world))
        del failures["ada"]
        await evaluated(bot, clock)
        assert (await bot.store.read("SELECT state FROM alerts", ())) == [{"state": "firing"}]
        clock.strike(15)
        await world.slack.until(lambda: told(world)[0].startswith("✅"))


async def test_muted_alert_posts_after_mute(world: Sandbox, clock: Clock) -> None:
    Meter(world)(6)
    noon = clock().replace(hour=12, minute=0)
    mute = {"name": "release", "alerts": ["ingest-spike"], "start": f"{noon - timedelta(hours=1):%Y-%m-%dT%H:%M}", "end": f"{noon + timedelta(minutes=20):%Y-%m-%dT%H:%M}"}  # fmt: skip
    async with running(world, mute=[mute], timezone="UTC") as bot:
        for _ in range(2):
            assert await evaluated(bot, clock) == "firing"
            assert told(world) == []
        clock.strike(15)
        await world.slack.until(lambda: told(world))


async def test_late_data_is_no_recovery(world: Sandbox, clock: Clock) -> None:
    """Akamai lags a quarter of an hour: the failures of the last minutes are not there yet, which
    is no recovery.
    """
    world.akamai.data_until = lambda: clock() - timedelta(minutes=15)
    rule = {
        "name": "failing",
        "ask": "/apiaudit edge last 30m",
        "value": "failures",
        "above": 20,
        "channel": "#ops",
    }
    broke_at = clock().replace(minute=0, second=0, microsecond=0) + timedelta(minutes=80)
    world.akamai.rows = lambda a, b: [r for r in burst(broke_at, 30) if a <= broke_at < b]
    async with running(world, rule) as bot:
        states = [await evaluated(bot, clock) for _ in range(7)]
        await world.slack.until(lambda: told(world) and told(world)[0].startswith("✅"))
    # Known a quarter of an hour late, and gone from the window half an hour after that.
    assert states == [
        "inactive",
        "inactive",
        "inactive",
        "firing",
        "firing",
        "inactive",
        "inactive",
    ]


def burst(at: datetime, count: int) -> list[dict[str, str]]:
    row = {
        "clientId": "c",
        "clientIp": "203.0.113.7",
        "clientToken": "t",
        "method": "get",
        "uri": "host/papi",
        "clientOwner": "ada",
    }
    return [{**row, "responseCode": "503", "timestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}"}] * count


async def test_days_that_nobody_lists_are_no_zero(world: Sandbox, clock: Clock) -> None:
    meter = Meter(world)
    meter(None)
    quiet = {**SPIKE, "name": "silent", "above": None, "below": "1 GB", "recover": None}
    async with running(world, {k: v for k, v in quiet.items() if v is not None}) as bot:
        assert await evaluated(bot, clock) == "unknown"
        await asyncio.sleep(0.2)
    assert told(world) == []


async def test_alert_fetches_only_needed_data(world: Sandbox, clock: Clock) -> None:
    Meter(world)
    async with running(world) as bot:
        before = len(world.rapid7.requests)
        await evaluated(bot, clock)
        assert len(world.rapid7.requests) - before == 1
