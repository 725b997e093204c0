"""People's requests go before those of schedules, and time in our own queue is not a time-out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from providers.errors import Unavailable
from providers.http.client import fetch, open_client
from providers.http.priority_semaphore import PrioritySemaphore, in_background
from providers.rapid7.sandbox import Rapid7Sandbox


class Queue:
    """Callers at a semaphore, the names of those that got a slot, and an event that each waits for."""

    def __init__(self, semaphore: PrioritySemaphore) -> None:
        self.semaphore = semaphore
        self.began = list[str]()
        self.gates: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, *names: str, background: bool = False) -> None:
        for name in names:
            self.gates[name] = asyncio.Event()
            if background:
                with in_background():
                    self.tasks[name] = asyncio.create_task(self._ask(name))
            else:
                self.tasks[name] = asyncio.create_task(self._ask(name))
        await settle()

    async def _ask(self, name: str) -> None:
        async with self.semaphore.slot():
            self.began.append(name)
            await self.gates[name].wait()

    async def end(self, *names: str) -> None:
        for name in names:
            self.gates[name].set()
        await settle()

    async def give_up(self, name: str) -> None:
        self.tasks[name].cancel()
        await settle()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_schedules_leave_slots_to_people() -> None:
    queue = Queue(PrioritySemaphore(3, most_in_background=2))
    await queue.ask("a1", "a2", "a3", background=True)
    assert queue.began == ["a1", "a2"]
    await queue.ask("ada", "bob")
    assert queue.began == ["a1", "a2", "ada"]
    await queue.end("a1")
    assert queue.began == ["a1", "a2", "ada", "bob"]
    await queue.end("ada")
    assert queue.began[-1] == "a3"


async def test_cancelled_waiter_frees_its_turn() -> None:
    queue = Queue(PrioritySemaphore(1, most_in_background=1))
    await queue.ask("ada", "bob", "eve")
    await queue.give_up("bob")
    await queue.give_up("ada")
    assert queue.began == ["ada", "eve"]
    await queue.end("eve")
    await queue.ask("dan")
    assert queue.began[-1] == "dan"


async def test_turn_given_to_a_cancelled_asker_goes_on() -> None:
    """The cancellation comes at the moment in which the slot was granted."""
    queue = Queue(PrioritySemaphore(1, most_in_background=1))
    await queue.ask("ada", "bob", "eve")
    queue.gates["ada"].set()
    await asyncio.sleep(0)
    queue.tasks["bob"].cancel()
    await settle()
    assert queue.began[-1] == "eve"


@pytest.fixture
async def slow(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("providers.http.client.MOST_AT_ONCE", 1)
    server = Rapid7Sandbox()
    await server.start()
    yield server
    await server.stop()


async def test_queue_time_is_no_vendor_failure(slow: Rapid7Sandbox) -> None:
    """Fourteen questions, one at a time. Each answer takes a tenth of the time limit, and all
    together take longer than it.
    """
    slow.be_slow(0.3, times=99)
    client = open_client(slow.url, account="eu")
    asked = [
        fetch(
            client,
            lambda: client.build_request("GET", "/"),
            account="eu",
            timeout_s=4.0,
            check=_anything,
        )
        for _ in range(14)
    ]
    await asyncio.gather(*asked)
    assert client.circuit.problem == ""
    await client.aclose()


async def test_vendor_time_is_limited_behind_a_queue(slow: Rapid7Sandbox) -> None:
    slow.be_slow(5, times=99)
    client = open_client(slow.url, account="eu")
    with pytest.raises(Unavailable, match="did not answer within"):
        await fetch(
            client,
            lambda: client.build_request("GET", "/"),
            account="eu",
            timeout_s=0.2,
            check=_anything,
        )
    assert "failed 1 time" in client.circuit.problem
    await client.aclose()


async def test_slow_ledger_is_no_failure_of_the_vendor(slow: Rapid7Sandbox) -> None:
    """The reservation takes longer than the vendor's time limit."""

    class SlowBudget:
        async def reserve(self, scope: str) -> None:
            await asyncio.sleep(0.6)

        async def commit(self, scope: str, reservation: None, *, reported: object) -> None:
            await asyncio.sleep(0.6)

    client = open_client(slow.url, account="eu", budget=SlowBudget())  # type: ignore[arg-type]
    await fetch(
        client,
        lambda: client.build_request("GET", "/"),
        account="eu",
        timeout_s=0.5,
        check=_anything,
    )
    assert client.circuit.problem == ""
    await client.aclose()


def _anything(reply: object) -> None:
    """Accepts any answer."""
