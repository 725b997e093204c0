"""Kinds of blocks that Slack rejects, shared by all processes."""

from __future__ import annotations

from datetime import timedelta

from bot.store import Store
from tests.store.conftest import NOW

DAY = timedelta(days=1)


async def test_refused_blocks_are_known_to_all_for_a_while(store: Store, other: Store) -> None:
    await store.refused_blocks.add(["data_table", "card"], until=NOW + DAY)
    refused = other.refused_blocks.any_refused
    assert await refused(["data_visualization", "card"], now=NOW)
    assert not await refused(["data_visualization"], now=NOW)
    assert not await refused(["card"], now=NOW + DAY)


async def test_refused_again_is_remembered_longer(store: Store, other: Store) -> None:
    for days in (1, 2):
        await store.refused_blocks.add(["card"], until=NOW + days * DAY)
    assert await other.refused_blocks.any_refused(["card"], now=NOW + 1.5 * DAY)


async def test_refused_blocks_are_no_fault_without_the_database(store: Store) -> None:
    await store.close()
    await store.refused_blocks.add(["card"], until=NOW + DAY)
    assert not await store.refused_blocks.any_refused(["card"], now=NOW)
