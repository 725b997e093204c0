"""Alerts: looked at on time, told once, explained, and over only when they are over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.app import Bot, open_bot
from bot.sandbox.slack import BOT
from bot.sandbox.world import World
from tests.scenarios.test_digests import HURRIED, Clock

SPIKE = {"name": "ingest-spike", "ask": "/usage rapid7-eu today", "value": "bytes", "above": "5 GB", "recover": "4.5 GB", "every": "15m", "channel": "#ops"}  # fmt: skip


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stands just before a full quarter of an hour, at noon."""
    clock = Clock()
    clock.set(datetime.now(UTC).replace(hour=11, minute=59, second=59, microsecond=500_000))
    monkeypatch.setattr("bot.app.utc_now", clock)
    monkeypatch.setattr("handlers.jobs.TICK_S", 0.05)
    return clock


class Meter:
    """What the account has sent today."""

    def __init__(self, world: World) -> None:
        self.bytes: int | None = 3_000_000_000
        world.rapid7.usage = lambda day, now: self.bytes  # type: ignore[assignment, misc]

    def __call__(self, gigabytes: float | None) -> None:
        self.bytes = None if gigabytes is None else int(gigabytes * 1e9)


@asynccontextmanager
async def running(world: World, *alerts: dict[str, Any], **changes: Any) -> AsyncIterator[Bot]:
    settings = world.settings(alert=list(alerts or (SPIKE,)), **changes)
    async with open_bot(settings, world.tokens(), pace=HURRIED) as bot, bot.connected():
        yield bot


def told(world: World, channel: str = "C0OPS") -> list[str]:
    return [m.text for m in world.slack.messages if m.user == BOT and m.channel == channel and not m.seen_by]


async def evaluations(bot: Bot, count: int) -> list[str]:
    """How the evaluations ended, once there are so many."""
    async with asyncio.timeout(10):
        while True:
            rows = await bot.store.read(
                "SELECT outcome FROM runs WHERE schedule LIKE 'alert %' AND ended_at IS NOT NULL ORDER BY due", ()
            )
            if len(rows) >= count:
                return [row["outcome"] for row in rows]
            await asyncio.sleep(0.02)


async def test_an_alert_fires_once_explains_itself_and_resolves(world: World, clock: Clock) -> None:
    meter = Meter(world)
    async with running(world) as bot:
        for number, gigabytes in enumerate((3, 5.72, 6.1, 4.8, 4.2), 1):
            meter(gigabytes)
            assert len(await evaluations(bot, number)) == number
            clock.ahead += timedelta(minutes=15)
        await world.slack.until(lambda: len(told(world)) == 2)
        assert (await evaluations(bot, 5))[:5] == ["inactive", "firing", "firing", "firing", "inactive"]
    fired, resolved = told(world)
    assert fired.startswith("🔴 ingest-spike: bytes is 5.72 GB, above 5.00 GB")
    assert "Calm again at: 4.50 GB" in fired
    assert resolved.startswith("✅ ingest-spike has resolved after 45 min")
    assert "Worst: 6.10 GB" in resolved
    message = next(m for m in world.slack.messages if m.user == BOT)
    assert "rule of bot.toml" in str(message.blocks)
    assert world.slack.refused == []
    answer_before = len(world.slack.messages)
    async with running(world):
        await world.slack.press(message, "ask.0")
        await world.slack.until(lambda: any("rapid7-eu (" in m.text for m in world.slack.messages[answer_before:]))


async def test_a_restart_repeats_nothing_and_a_provider_that_is_away_ends_nothing(world: World, clock: Clock) -> None:
    meter = Meter(world)
    meter(6)
    async with running(world):
        await world.slack.until(lambda: told(world))
    world.rapid7.answer_with(401, times=999)
    clock.ahead += timedelta(minutes=15)
    async with running(world) as bot:
        assert (await evaluations(bot, 2))[-1] == "error"
    world.rapid7.faults.clear()
    clock.ahead += timedelta(minutes=15)
    async with running(world) as bot:
        assert (await evaluations(bot, 3))[-1] == "firing"
        await asyncio.sleep(0.2)
    assert len(told(world)) == 1


async def test_what_cannot_be_evaluated_three_times_is_told_in_the_ops_channel(world: World, clock: Clock) -> None:
    world.rapid7.answer_with(401, times=999)
    async with running(world, {**SPIKE, "channel": "#kitchen"}, slack={"ops_channel": "#ops"}) as bot:
        for number in range(1, 5):
            await evaluations(bot, number)
            clock.ahead += timedelta(minutes=15)
        await world.slack.until(lambda: told(world))
    assert told(world, "C0KITCHEN") == []
    [text] = told(world)
    assert "could not be evaluated 3 times in a row: rapid7-eu did not accept our key" in text


async def test_muted_it_says_nothing_and_speaks_as_soon_as_the_quiet_is_over(world: World, clock: Clock) -> None:
    Meter(world)(6)
    noon = clock().replace(hour=12, minute=0, second=0)
    mute = {"name": "release", "alerts": ["ingest-spike"], "start": f"{noon - timedelta(hours=1):%Y-%m-%dT%H:%M}", "end": f"{noon + timedelta(minutes=20):%Y-%m-%dT%H:%M}"}  # fmt: skip
    async with running(world, mute=[mute], timezone="UTC") as bot:
        for number in (1, 2):
            assert (await evaluations(bot, number))[-1] == "firing"
            assert told(world) == []
            clock.ahead += timedelta(minutes=15)
        await world.slack.until(lambda: told(world))


async def test_days_that_nobody_lists_are_no_zero(world: World, clock: Clock) -> None:
    meter = Meter(world)
    meter(None)
    quiet = {**SPIKE, "name": "silent", "above": None, "below": "1 GB", "recover": None}
    async with running(world, {k: v for k, v in quiet.items() if v is not None}) as bot:
        assert await evaluations(bot, 1) == ["unknown"]
        await asyncio.sleep(0.2)
    assert told(world) == []


async def test_an_alert_fetches_only_what_its_value_needs(world: World, clock: Clock) -> None:
    Meter(world)
    async with running(world) as bot:
        before = len(world.rapid7.ledger)
        await evaluations(bot, 1)
        assert len(world.rapid7.ledger) - before == 1
