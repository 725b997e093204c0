"""A clock that jumps ahead for seconds, or is set back: digests and alerts continue, before and
after a restart, and the operator is notified once.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from tests.support.alerts import SPIKE, Meter, evaluated, posted_texts, running, stored_rows
from tests.support.clock import MovableClock
from tests.support.messages import answer_text

pytestmark = pytest.mark.usefixtures("before_noon")
OPS = {"slack": {"ops_channel": "#ops"}}
RULE = {**SPIKE, "channel": "#kitchen"}
DIGEST = {
    "name": "hourly",
    "ask": "/usage rapid7-eu last 7 days",
    "at": "0 * * * *",
    "channel": "#ops",
}
JUMPS = [timedelta(days=1), timedelta(hours=1), timedelta(days=400), timedelta(minutes=20)]


def clock_notices(sandbox: Sandbox) -> list[str]:
    return [text for text in posted_texts(sandbox) if "The clock of this machine" in text]


def digests_of(sandbox: Sandbox) -> list[str]:
    return [text for text in posted_texts(sandbox) if text.startswith("Digest hourly")]


async def alert_due(bot: Bot) -> str:
    rows = await bot.store.read("SELECT due FROM alerts", ())
    return str(rows[0]["due"]) if rows else ""


async def until_due(bot: Bot, wanted: Any) -> None:
    async with asyncio.timeout(20):
        while not wanted(await alert_due(bot)):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("jump", JUMPS, ids=str)
@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
async def test_clock_that_was_ahead_for_seconds_silences_nothing(
    sandbox: Sandbox, clock: MovableClock, jump: timedelta, restart: bool
) -> None:
    meter = Meter(sandbox)
    async with running(sandbox, RULE, digest=[DIGEST], **OPS) as bot:
        await evaluated(bot, clock)
        before = await alert_due(bot)
        clock.ahead += jump
        await until_due(bot, lambda due: due > before)
        if not restart:
            clock.ahead -= jump
            await goes_on(sandbox, bot, clock, meter)
    if restart:
        clock.ahead -= jump
        async with running(sandbox, RULE, digest=[DIGEST], **OPS) as bot:
            await goes_on(sandbox, bot, clock, meter)
    assert len(clock_notices(sandbox)) == 1


async def goes_on(sandbox: Sandbox, bot: Bot, clock: MovableClock, meter: Meter) -> None:
    """The next evaluation measures the current values, and the next hour brings its digest."""
    await sandbox.slack.until(lambda: clock_notices(sandbox))
    digests = len(digests_of(sandbox))
    meter(6)
    clock.strike(15)
    await sandbox.slack.until(
        lambda: any(
            text.startswith("🔴 ingest-spike") for text in posted_texts(sandbox, "C0KITCHEN")
        ),
        timeout_s=20,
    )
    clock.strike(60)
    await sandbox.slack.until(lambda: len(digests_of(sandbox)) > digests, timeout_s=20)
    meter(1)
    clock.strike(15)
    await sandbox.slack.until(
        lambda: any(
            text.startswith("✅ ingest-spike") for text in posted_texts(sandbox, "C0KITCHEN")
        ),
        timeout_s=20,
    )


async def test_clock_set_back_by_an_hour_silences_no_alert(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    """The breach happens at instants that were already evaluated while the clock was ahead, and so
    does its message.
    """
    meter = Meter(sandbox)
    async with running(sandbox, RULE, **OPS) as bot:
        for gigabytes in (6, 1, 1, 1):
            meter(gigabytes)
            await evaluated(bot, clock)
        await sandbox.slack.until(lambda: len(posted_texts(sandbox, "C0KITCHEN")) == 1)
        clock.ahead -= timedelta(hours=1)
        await sandbox.slack.until(lambda: clock_notices(sandbox))
        meter(6)
        clock.strike(15)
        await sandbox.slack.until(
            lambda: len(posted_texts(sandbox, "C0KITCHEN")) == 2, timeout_s=20
        )
    assert posted_texts(sandbox, "C0KITCHEN")[1].startswith("🔴 ingest-spike")


async def test_silence_of_wrong_clock_has_intended_length(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    Meter(sandbox)
    async with running(sandbox, RULE, **OPS) as bot:
        before = await alert_due(bot)
        clock.ahead += timedelta(days=1)
        await until_due(bot, lambda due: due > before)
        await answer_text(sandbox, "/usage silence ingest-spike 2h")
        clock.ahead -= timedelta(days=1)
        await sandbox.slack.until(lambda: clock_notices(sandbox))
        now = clock()
    [silence] = await stored_rows(sandbox, 'SELECT start, "end" FROM silences')
    assert silence["start"] <= (now + timedelta(seconds=30)).isoformat()
    assert silence["end"] <= (now + timedelta(hours=2, seconds=30)).isoformat()


async def test_clock_corrected_by_seconds_resets_nothing(
    sandbox: Sandbox, clock: MovableClock
) -> None:
    async with running(sandbox, RULE, **OPS) as bot:
        await evaluated(bot, clock)
        clock.ahead -= timedelta(seconds=30)
        assert await bot.store.times.reset(clock()) is None
