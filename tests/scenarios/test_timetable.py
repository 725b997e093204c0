"""The scheduler reports when it does not run, and one schedule never stops the others."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest

from bot.app import Bot
from bot.sandbox.sandbox import Sandbox
from bot.schedules.due import ScheduleEntry
from bot.store import StoreUnavailable
from tests.scenarios.test_database_health import readiness
from tests.support.alerts import SPIKE, Meter, evaluated, running
from tests.support.clock import MovableClock

pytestmark = pytest.mark.usefixtures("before_noon")


async def until_problem(bot: Bot, says: str) -> None:
    async with asyncio.timeout(20):
        while says not in bot.scheduler.problem:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (StoreUnavailable("disk I/O error"), "disk I/O error"),
        (OSError("no clock"), "OSError"),
    ],
)
async def test_ready_reports_stuck_scheduler(
    sandbox: Sandbox,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
    free_tcp_port: int,
    error: Exception,
    says: str,
) -> None:
    def broken() -> datetime:
        raise error

    monkeypatch.setattr("handlers.jobs.scheduler.STUCK_AFTER_S", 0.2)
    async with running(sandbox, SPIKE) as bot, readiness(bot, free_tcp_port) as ready:
        bot.scheduler.clock = broken
        await until_problem(bot, says)
        assert "no clock" not in bot.scheduler.problem
        status, found = await ready()
        assert (status, found["database"], found["slack"]) == (503, True, True)
        assert "The scheduler has not run for" in str(found["trouble"])
        bot.scheduler.clock = clock
        async with asyncio.timeout(20):
            while (await ready())[0] != 200:
                await asyncio.sleep(0.05)


async def test_unreadable_schedule_stops_no_other(sandbox: Sandbox, clock: MovableClock) -> None:
    class Broken:
        def get_next_fire_time(self, previous_fire_time: Any, now: datetime) -> datetime | None:
            if self.times:
                self.times -= 1
                return now
            raise OverflowError

        times = 1

    Meter(sandbox)
    async with running(sandbox, SPIKE) as bot:
        bot.scheduler.timetable.add(ScheduleEntry("broken", Broken(), clock()))
        assert await evaluated(bot, clock) == "inactive"
        assert "broken" not in bot.scheduler.timetable.names


async def test_run_that_never_ends_is_named(
    sandbox: Sandbox, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.jobs.scheduler.RUN_STUCK_AFTER_S", 0.2)
    sandbox.rapid7.be_slow(600, times=9)
    async with running(sandbox, SPIKE) as bot:
        clock.strike(15)
        await until_problem(bot, "alert ingest-spike has been running for")
        sandbox.rapid7.answer_at_once()
