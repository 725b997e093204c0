"""Many tasks that become ready at once share the event loop with other work."""

from __future__ import annotations

import asyncio

from bot.system.loop_turns import LoopTurns


async def continued_by_turn(turns: LoopTurns, tasks: int) -> list[list[int]]:
    """The number of tasks that continued in each turn of the loop, when all became ready at once."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    by_turn: list[list[int]] = [[]]
    done = 0

    async def task(number: int) -> None:
        nonlocal done
        await ready
        await turns.next()
        by_turn[-1].append(number)
        done += 1

    def count_turn() -> None:
        by_turn.append([])
        if done < tasks:
            loop.call_soon(count_turn)

    working = [asyncio.create_task(task(number)) for number in range(tasks)]
    await asyncio.sleep(0)
    loop.call_soon(count_turn)
    ready.set_result(None)
    await asyncio.gather(*working)
    return [numbers for numbers in by_turn if numbers]


async def test_few_tasks_continue_in_one_turn() -> None:
    by_turn = await continued_by_turn(LoopTurns(4), 50)
    assert max(map(len, by_turn)) <= 8
    assert len(by_turn) >= 12


async def test_tasks_continue_in_order() -> None:
    by_turn = await continued_by_turn(LoopTurns(3), 20)
    assert [number for numbers in by_turn for number in numbers] == list(range(20))


async def test_lone_task_continues_at_once() -> None:
    turns = LoopTurns(4)
    other = asyncio.create_task(asyncio.sleep(0))
    for _ in range(4):
        await turns.next()
    assert not other.done()
    await other


async def test_cancelled_task_takes_no_turn() -> None:
    turns = LoopTurns(1)
    await turns.next()
    first, cancelled, last = (asyncio.create_task(turns.next()) for _ in range(3))
    await asyncio.sleep(0)
    cancelled.cancel()
    async with asyncio.timeout(30):
        await asyncio.gather(first, last)
    assert cancelled.cancelled()
