"""Baselines of rules, read from the store and filled with the vendor's history."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.alerts.backtest import EvaluationPoint
from bot.alerts.baseline import Season, Usual
from bot.alerts.rule import Rule
from bot.alerts.state import WHOLE
from bot.store import Store
from handlers.jobs.baselines import BaselineReader, baseline_samples
from providers.errors import Unavailable

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NOW = datetime(2026, 11, 27, 14, 20, tzinfo=UTC)
ODD = Rule("odd", "/usage today", "bytes", "#ops", usual=Usual("above", 2.0))
LOW = Rule("odd", "/usage today", "bytes", "#ops", usual=Usual("below", 0.5))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "bot.sqlite", now=NOW)
    yield store
    await store.close()


class Vendor:
    """Records the requests for past values, and answers them."""

    def __init__(self, *points: EvaluationPoint, fails: bool = False) -> None:
        self.points = points
        self.fails = fails
        self.asked: list[str] = []

    async def __call__(self, rule: Rule, days: int) -> Sequence[EvaluationPoint]:
        self.asked.append(f"{rule.name} {days}")
        await asyncio.sleep(0)
        if self.fails:
            raise Unavailable("edge is unavailable.", account="edge", hint="Try again.")
        return self.points


def reader(store: Store, vendor: Vendor, now: datetime = NOW) -> BaselineReader:
    return BaselineReader(store.baselines, vendor, UTC, lambda: now)


def hourly(days: int) -> list[EvaluationPoint]:
    return [EvaluationPoint(NOW - n * HOUR, {WHOLE: 5.0}, HOUR) for n in range(days * 24)]


def whole_days(days: int, *, alone: bool) -> list[EvaluationPoint]:
    midnight = NOW.replace(hour=0, minute=0)
    return [EvaluationPoint(midnight - n * DAY, {WHOLE: 5.0}, DAY, alone) for n in range(days)]


async def test_history_is_fetched_once(store: Store) -> None:
    vendor = Vendor(*hourly(28))
    first = reader(store, vendor)
    found = await asyncio.gather(*(first.at(ODD, [WHOLE], NOW) for _ in range(3)))
    seasons = [each.season for baselines in found if (each := baselines[WHOLE])]
    assert seasons == [Season.WEEKDAY_AND_HOUR] * 3
    assert vendor.asked == ["odd 28"]
    # Another process finds it in the store.
    another = Vendor()
    assert (await reader(store, another).at(ODD, [WHOLE], NOW))[WHOLE]
    assert another.asked == []


async def test_failed_history_is_fetched_an_hour_later(store: Store) -> None:
    vendor = Vendor(*hourly(28), fails=True)
    now = NOW
    baselines = BaselineReader(store.baselines, vendor, UTC, lambda: now)
    assert (await baselines.at(ODD, [WHOLE], now))[WHOLE] is None
    vendor.fails = False
    assert (await baselines.at(ODD, [WHOLE], now))[WHOLE] is None
    now = NOW + HOUR
    assert (await baselines.at(ODD, [WHOLE], now))[WHOLE]
    assert vendor.asked == ["odd 28"] * 2


async def test_slow_history_is_not_waited_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.jobs.baselines.FILL_WITHIN_S", 0.0)
    arrived = asyncio.Event()

    async def slow(rule: Rule, days: int) -> Sequence[EvaluationPoint]:
        await arrived.wait()
        return hourly(28)

    baselines = BaselineReader(store.baselines, slow, UTC, lambda: NOW)
    assert (await baselines.at(ODD, [WHOLE], NOW))[WHOLE] is None
    assert baselines.is_filling(ODD)
    arrived.set()
    async with asyncio.timeout(30):
        while baselines.is_filling(ODD):
            await asyncio.sleep(0)
    assert (await baselines.at(ODD, [WHOLE], NOW))[WHOLE]


async def test_later_evaluation_waits_for_history(store: Store) -> None:
    asked = asyncio.Event()
    arrived = asyncio.Event()

    async def slow(rule: Rule, days: int) -> Sequence[EvaluationPoint]:
        asked.set()
        await arrived.wait()
        return hourly(28)

    baselines = BaselineReader(store.baselines, slow, UTC, lambda: NOW)
    first = asyncio.create_task(baselines.at(ODD, [WHOLE], NOW))
    await asked.wait()
    second = asyncio.create_task(baselines.at(ODD, [WHOLE], NOW))
    done, _ = await asyncio.wait([second], timeout=0.05)
    assert not done
    arrived.set()
    assert (await first)[WHOLE]
    assert (await second)[WHOLE]


async def test_whole_days_show_only_what_is_high(store: Store) -> None:
    vendor = Vendor(*whole_days(28, alone=True))
    high = (await reader(store, vendor).at(ODD, [WHOLE], NOW))[WHOLE]
    assert high and (high.season, high.median) == (Season.DAY, 5.0)
    assert (await reader(store, vendor).at(LOW, [WHOLE], NOW))[WHOLE] is None


async def test_values_of_a_day_count_for_its_hours(store: Store) -> None:
    vendor = Vendor(*whole_days(28, alone=False))
    found = (await reader(store, vendor).at(LOW, [WHOLE], NOW))[WHOLE]
    assert found and found.season is Season.WEEKDAY_AND_HOUR


async def test_subjects_have_their_own_history(store: Store) -> None:
    vendor = Vendor(
        *(EvaluationPoint(NOW - n * HOUR, {"ada": 3.0, "bob": None}, HOUR) for n in range(28 * 24))
    )
    found = await reader(store, vendor).at(ODD, ["ada", "bob", "eve"], NOW)
    assert found["ada"] and found["ada"].median == 3.0
    assert found["bob"] is None and found["eve"] is None


async def test_chart_has_the_values_of_the_baseline(store: Store) -> None:
    for vendor, days in ((Vendor(*hourly(28)), 3), (Vendor(*whole_days(28, alone=True)), 27)):
        rule = ODD if days == 3 else Rule("day", "/usage today", "bytes", "#ops", usual=ODD.usual)
        baselines = reader(store, vendor)
        found = await baselines.at(rule, [WHOLE], NOW)
        values = baselines.usual_values(rule, found, NOW)
        baseline = found[WHOLE]
        assert baseline
        assert len(values) == days == baseline.days
        assert values[0].day > values[-1].day


async def test_fixed_rule_has_no_baseline(store: Store) -> None:
    vendor = Vendor()
    fixed = Rule("spike", "/usage today", "bytes", "#ops", above=5.0)
    assert dict(await reader(store, vendor).at(fixed, [WHOLE], NOW)) == {}
    assert vendor.asked == []


def test_samples_begin_with_their_quarter() -> None:
    at = NOW.replace(minute=44, second=59)
    found = baseline_samples(ODD, {WHOLE: 1.0, "bob": None}, at)
    assert found.at == NOW.replace(minute=30)
    assert found.values == {WHOLE: 1.0}
