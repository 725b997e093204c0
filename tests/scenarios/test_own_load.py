"""Hundreds of alerts with a slow vendor: none fails because of it, each rule has one evaluation at
a time, and people's questions are still answered.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from tests.support.alerts import running
from tests.support.clock import MovableClock

pytestmark = pytest.mark.usefixtures("before_noon")
COUNT = 100


def rules(count: int) -> list[dict[str, Any]]:
    """Each rule asks a different question, so that no two share a request."""
    return [
        {
            "name": f"rule-{n}",
            "ask": f"/usage rapid7-eu last {n + 1} days",
            "value": "bytes",
            "above": "900 TB",
            "channel": "#ops",
        }
        for n in range(count)
    ]


async def states(bot: Bot) -> list[str]:
    return [row["state"] for row in await bot.store.read("SELECT state FROM samples", ())]


async def test_person_is_answered_before_hundreds_of_schedules(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    sandbox.rapid7.be_slow(1, times=100_000)
    async with running(sandbox, *rules(COUNT)) as bot:
        clock.strike(15)
        async with asyncio.timeout(30):
            while len(sandbox.rapid7.requests) < 12:
                await asyncio.sleep(0.02)
        answer = await sandbox.slack.answer_to("/usage rapid7-eu yesterday", timeout_s=30)
        assert "rapid7-eu" in answer.text
        assert len(await states(bot)) < COUNT / 2
        sandbox.rapid7.faults.clear()
        async with asyncio.timeout(60):
            while len(await states(bot)) < COUNT:
                await asyncio.sleep(0.05)
        assert set(await states(bot)) == {"inactive"}


async def test_slow_evaluation_is_not_begun_twice(sandbox: Sandbox, clock: MovableClock) -> None:
    """Three quarter-hours pass while the first evaluation is still being answered. Afterwards, the
    last of them is evaluated.
    """
    release = asyncio.Event()

    async def wait(_: object) -> None:
        await release.wait()

    async with running(sandbox, *rules(1)) as bot:
        sandbox.rapid7.misbehave(wait)
        clock.strike(15)
        async with asyncio.timeout(20):
            while not sandbox.rapid7.requests:
                await asyncio.sleep(0.02)
        for _ in range(3):
            clock.strike(15)
            await asyncio.sleep(0.3)
        assert len(sandbox.rapid7.requests) == 1
        release.set()
        async with asyncio.timeout(20):
            while len(await states(bot)) < 2:
                await asyncio.sleep(0.02)
        rows = await bot.store.read("SELECT at FROM samples ORDER BY at", ())
        assert [row["at"][14:16] for row in rows] == ["00", "45"]
        assert len(sandbox.rapid7.requests) == 2
