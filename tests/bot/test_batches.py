"""Batches: submissions that arrive during a write are written together, and each caller gets its
own result.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from handlers.jobs.batches import Batches


async def test_one_tick_is_one_batch() -> None:
    written: list[list[int]] = []

    async def write(items: Sequence[int]) -> list[int]:
        written.append(list(items))
        return [item * 10 for item in items]

    batches = Batches(write, 250)
    results = await asyncio.gather(*(batches.add(item) for item in range(100)))
    assert results == [item * 10 for item in range(100)]
    assert written == [list(range(100))]


async def test_batches_have_a_largest_size() -> None:
    sizes: list[int] = []

    async def write(items: Sequence[int]) -> Sequence[int]:
        sizes.append(len(items))
        return items

    batches = Batches(write, 40)
    await asyncio.gather(*(batches.add(item) for item in range(100)))
    assert sizes == [40, 40, 20]


async def test_error_reaches_its_batch_alone() -> None:
    async def write(items: Sequence[int]) -> Sequence[int]:
        if 0 in items:
            raise OSError("disk full")
        return items

    batches = Batches(write, 2)
    results = await asyncio.gather(*map(batches.add, range(4)), return_exceptions=True)
    assert [type(result) for result in results] == [OSError, OSError, int, int]


async def test_items_during_a_write_wait_for_the_next() -> None:
    written: list[list[int]] = []
    began = asyncio.Event()
    may_end = asyncio.Event()

    async def write(items: Sequence[int]) -> Sequence[int]:
        written.append(list(items))
        began.set()
        await may_end.wait()
        return items

    batches = Batches(write, 250)
    first = asyncio.create_task(batches.add(1))
    await began.wait()
    others = [asyncio.create_task(batches.add(item)) for item in (2, 3)]
    await asyncio.sleep(0)
    may_end.set()
    assert await asyncio.gather(first, *others) == [1, 2, 3]
    assert written == [[1], [2, 3]]


async def test_cancelled_caller_does_not_stop_others() -> None:
    may_end = asyncio.Event()

    async def write(items: Sequence[int]) -> Sequence[int]:
        await may_end.wait()
        return items

    batches = Batches(write, 250)
    cancelled, other = (asyncio.create_task(batches.add(item)) for item in (1, 2))
    await asyncio.sleep(0)
    cancelled.cancel()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert await other == 2
