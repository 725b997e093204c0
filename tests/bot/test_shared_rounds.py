"""If very many jobs are due at once, each process begins with a different part of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.alerts.rule import EvaluationTimes
from bot.schedules.due import Due
from bot.schedules.timetable import own_first
from bot.store import StoreUnavailable
from handlers.jobs import scheduler as scheduling
from handlers.jobs.scheduler import Job, Scheduler

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
DUES = [Due(f"alert {n}", NOON, 0) for n in range(10)]


class Round:
    """A scheduler with this many jobs that are due now. It records their names as they run."""

    def __init__(self, count: int = 10) -> None:
        self.ran: list[str] = []
        self.asked: list[Due] = []
        self.elsewhere: set[str] = set()
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.all_ran = asyncio.Event()
        self.now = NOON
        self.scheduler = Scheduler(None, lambda: self.now, [], self._ignore, self._ignore)  # type: ignore[arg-type]
        self.scheduler.claimed_elsewhere.append(self._claimed_elsewhere)
        self._count = count

    async def run(self, begin: float, size: float) -> None:
        """Runs the round until all its jobs have ended."""
        for n in range(self._count):
            await self.scheduler.add(
                Job(f"alert {n}", EvaluationTimes(timedelta(hours=1)), self._run, self._at_noon)
            )
        self.scheduler.share = lambda: (begin, size)
        self.now = NOON + timedelta(hours=1)
        await self.scheduler._tick()
        async with asyncio.timeout(30):
            await self.all_ran.wait()
        await self.scheduler.stop(within_s=30)

    async def _run(self, due: Due) -> None:
        self.ran.append(due.name)
        if len(self.ran) == self._count - len(self.elsewhere):
            self.all_ran.set()
        await self.goes_on.wait()

    async def _claimed_elsewhere(self, dues: Sequence[Due]) -> set[str]:
        self.asked += dues
        self.goes_on.set()
        return self.elsewhere

    async def _at_noon(self, now: datetime) -> datetime:
        return NOON

    async def _ignore(self, *_: Any) -> None:
        """Prunes nothing and reports no failure."""


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treats a few jobs as many."""
    monkeypatch.setattr(scheduling, "SHARED_FROM", 5)


def names(dues: Sequence[Due]) -> list[int]:
    return [int(due.name.removeprefix("alert ")) for due in dues]


PARTS = {
    "alone": (0.0, 1.0, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], []),
    "first of two": (0.0, 0.5, [0, 1, 2, 3, 4], [5, 6, 7, 8, 9]),
    "second of two": (0.5, 0.5, [5, 6, 7, 8, 9], [0, 1, 2, 3, 4]),
    "second of three": (1 / 3, 1 / 3, [3, 4, 5, 6], [7, 8, 9, 0, 1, 2]),
    "last of three": (2 / 3, 1 / 3, [6, 7, 8, 9], [0, 1, 2, 3, 4, 5]),
}


@pytest.mark.parametrize(("begin", "size", "own", "rest"), PARTS.values(), ids=PARTS)
def test_parts_cover_everything(begin: float, size: float, own: list[int], rest: list[int]) -> None:
    assert [*map(names, own_first(DUES, begin, size))] == [own, rest]


@pytest.mark.usefixtures("shared")
async def test_claimed_parts_are_left_to_others() -> None:
    together = Round()
    together.elsewhere = {"alert 7", "alert 9"}
    await together.run(0.0, 0.5)
    assert names(together.asked) == [5, 6, 7, 8, 9]
    assert together.ran == [f"alert {n}" for n in (0, 1, 2, 3, 4, 5, 6, 8)]


@pytest.mark.usefixtures("shared")
async def test_slow_part_does_not_delay_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process for that part may have died, so its part must be evaluated too."""
    # The head start is over at once, while the own part goes on until the others are asked about.
    monkeypatch.setattr(scheduling, "HEAD_START_S", 0)
    together = Round()
    together.goes_on.clear()
    await together.run(0.5, 0.5)
    assert sorted(together.ran) == [f"alert {n}" for n in range(10)]


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("error", [StoreUnavailable("gone"), ValueError("malformed")])
async def test_unknown_claims_hide_nothing(error: Exception) -> None:
    async def fail(dues: Sequence[Due]) -> set[str]:
        raise error

    together = Round()
    together.scheduler.claimed_elsewhere[:] = [fail]
    await together.run(0.0, 0.5)
    assert len(together.ran) == 10


async def test_few_jobs_begin_at_once() -> None:
    together = Round()
    await together.run(0.5, 0.5)
    assert together.asked == []
    assert names([Due(name, NOON, 0) for name in together.ran]) == [5, 6, 7, 8, 9, 0, 1, 2, 3, 4]
