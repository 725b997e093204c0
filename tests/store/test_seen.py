"""Values of API calls by account and day."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.seen_store import RECENT_S, MemorySeenStore, RecentDays, SeenStore
from bot.reports.seen_values import (
    MOST_ENTRIES,
    WHOLE_DAY,
    SeenDay,
    SeenSet,
    digest_in_hour,
    digest_of,
    merged_parts,
    midnight,
)
from bot.store import Store
from providers.models import DayRange, Window
from providers.redaction import Secret
from tests.store.conftest import NOW, OpenStore, erase_person

TODAY = NOW.date()
DAY = timedelta(days=1)
WEEK = DayRange(TODAY - 6 * DAY, TODAY)


def of(**values: tuple[int, int]) -> SeenSet:
    return SeenSet.of({digest_of(name): pair for name, pair in values.items()})


def seen(day: date, covered: tuple[int, int] | None = None, **actors: tuple[int, int]) -> SeenDay:
    return SeenDay(day, {"actor": of(**actors)}, [covered] if covered else [])


@pytest.fixture(params=["store", "memory"])
def values(request: pytest.FixtureRequest, store: Store) -> SeenStore:
    """Both kinds of store must behave the same."""
    return store.seen if request.param == "store" else MemorySeenStore()


async def test_readings_of_a_day_are_merged(values: SeenStore) -> None:
    await values.add("edge", seen(TODAY, (0, 10), ada=(3, 9)))
    await values.add("edge", seen(TODAY, (8, 20), ada=(5, 15), grace=(16, 16)))
    await values.add("edge", seen(TODAY, (30, 40)))
    await values.add("iot", seen(TODAY, (0, WHOLE_DAY), linus=(1, 1)))
    found = (await values.days("edge", WEEK))[TODAY]
    assert found.sets["actor"].entries == of(ada=(3, 15), grace=(16, 16)).entries
    assert found.covered == [(0, 20), (30, 40)]


async def test_unknown_days_are_missing(values: SeenStore) -> None:
    await values.add("edge", seen(TODAY - 7 * DAY, (0, 9), ada=(1, 1)))
    await values.add("edge", seen(TODAY - DAY, ada=(1, 1)))
    assert list(await values.days("edge", WEEK)) == [TODAY - DAY]
    assert await values.days("iot", WEEK) == {}


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 100_000, "", "💥" * 999])
async def test_any_text_is_a_value(store: Store, name: str) -> None:
    digest = digest_of(name)
    assert 0 <= digest < 2**64
    await store.seen.add("edge", SeenDay(TODAY, {"ip": SeenSet.of({digest: (0, WHOLE_DAY)})}))
    [found] = (await store.seen.days("edge", WEEK)).values()
    assert list(found.sets["ip"].digests) == [digest]


async def test_two_processes_add_to_one_day(store: Store, other: Store) -> None:
    await store.seen.add("edge", seen(TODAY, (0, 10), ada=(1, 1)))
    await other.seen.add("edge", seen(TODAY, (10, 20), grace=(2, 2)))
    [found] = (await store.seen.days("edge", WEEK)).values()
    assert len(found.sets["actor"]) == 2
    assert found.covered == [(0, 20)]


def test_set_is_bounded() -> None:
    full = SeenSet.of(dict.fromkeys(range(MOST_ENTRIES + 5), (0, 0)))
    assert len(full) == MOST_ENTRIES
    assert full.is_full
    assert full.merged(SeenSet.of({2**63: (0, 0)})).is_full


async def test_old_days_are_deleted(store: Store) -> None:
    await store.seen.add("edge", seen(TODAY - 200 * DAY, (0, 9), ada=(1, 1)))
    await store.seen.add("edge", seen(TODAY, (0, 9), ada=(1, 1)))
    await store.prune(NOW)
    for table in ("seen_values", "seen_days"):
        rows = await store.read(f"SELECT day FROM {table}")
        assert [row["day"] for row in rows] == [TODAY.isoformat()]


async def test_days_of_wrong_clock_are_deleted(store: Store) -> None:
    await store.schedules.last_handled_at("digest", "d", now=NOW)
    await store.schedules.claim_run("digest", NOW + 9 * DAY, now=NOW)
    await store.seen.add("edge", seen(TODAY + 9 * DAY, (0, 9), ada=(1, 1)))
    await store.times.reset(NOW)
    assert await store.seen.days("edge", DayRange(TODAY, TODAY + 30 * DAY)) == {}


async def test_unusable_database_fails_nothing(open_store: OpenStore) -> None:
    store = await open_store()
    await store.close()
    await store.seen.add("edge", seen(TODAY, (0, 9), ada=(1, 1)))
    assert await store.seen.days("edge", WEEK) == {}


async def test_person_is_erased_from_sets(
    store: Store, location: Path | Secret, open_store: OpenStore
) -> None:
    keys = [digest_of("U0ADA"), digest_in_hour(7, "U0ADA"), digest_of("U0GRACE")]
    found = SeenSet.of(dict.fromkeys(keys, (1, 1)))
    await store.seen.add("edge", SeenDay(TODAY, {"actor": found}, [(0, 9)]))
    await store.close()
    assert erase_person(location, "U0ADA").deleted["values of API calls"] == 2
    [row] = await (await open_store()).read("SELECT entries FROM seen_values")
    assert list(SeenSet(row["entries"]).digests) == [digest_of("U0GRACE")]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8))
def test_gaps_are_what_was_not_read(parts: list[tuple[int, int]]) -> None:
    day = SeenDay(TODAY, {}, merged_parts(parts))
    start = midnight(TODAY)
    window = Window(start + timedelta(microseconds=5), start + timedelta(microseconds=33))
    unread = {n for n in range(5, 33) if not any(a <= n < b for a, b in parts)}
    assert {n for a, b in day.gaps(window) for n in range(a, b)} == unread


async def test_days_are_read_once_a_minute(store: Store, other: Store) -> None:
    now = 0.0
    recent = RecentDays(store.seen, lambda: now)
    assert await recent.days("edge", WEEK) == {}
    await other.seen.add("edge", seen(TODAY, (0, 10), ada=(1, 1)))
    await recent.add("edge", seen(TODAY, (20, 30), grace=(2, 2)))
    kept = (await recent.days("edge", WEEK))[TODAY]
    assert kept.covered == [(20, 30)]
    assert (await recent.days("edge", WEEK, fresh=True))[TODAY].covered == [(0, 10), (20, 30)]
    await other.seen.add("edge", seen(TODAY, (30, 40)))
    now = RECENT_S + 1
    assert (await recent.days("edge", WEEK))[TODAY].covered == [(0, 10), (20, 40)]
    before = DayRange(TODAY - 60 * DAY, TODAY - 50 * DAY)
    assert await recent.days("edge", before) == {}


async def test_large_days_are_not_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.commands.seen_store.MOST_BYTES", 20)
    memory = MemorySeenStore()
    recent = RecentDays(memory)
    await memory.add("edge", seen(TODAY, (0, 10), ada=(1, 1)))
    assert len(await recent.days("edge", WEEK)) == 1
    await memory.add("edge", seen(TODAY - DAY, (0, 10), ada=(1, 1)))
    assert len(await recent.days("edge", WEEK)) == 2
