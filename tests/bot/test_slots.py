"""Slots for tasks."""

from __future__ import annotations

import asyncio

from handlers.jobs.slots import Slots


async def test_no_more_tasks_are_inside_than_slots() -> None:
    slots = Slots(3)
    inside = 0
    most = 0

    async def work() -> None:
        nonlocal inside, most
        async with slots:
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(work() for _ in range(20)))
    assert (inside, most) == (0, 3)


async def test_tasks_enter_in_order() -> None:
    slots = Slots(1)
    order = list[int]()

    async def work(number: int) -> None:
        async with slots:
            order.append(number)

    await asyncio.gather(*(work(number) for number in range(9)))
    assert order == list(range(9))


async def test_slot_of_cancelled_task_is_free() -> None:
    """Whether it was still waiting, or had been given the slot in the same turn of the event loop."""
    slots = Slots(1)
    first = asyncio.Event()
    last = asyncio.Event()

    async def work(done: asyncio.Event) -> None:
        async with slots:
            done.set()

    await slots.__aenter__()
    tasks = [asyncio.create_task(work(done)) for done in (first, asyncio.Event(), last)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await slots.__aexit__()
    tasks[0].cancel()
    await asyncio.wait_for(last.wait(), 10)
    assert not first.is_set()
    await tasks[2]
    async with asyncio.timeout(10), slots:
        pass
