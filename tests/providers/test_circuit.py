"""The circuit breaker of a vendor, in one process and shared by several."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.store import Store
from providers.errors import Unavailable
from providers.http.circuit import FIRST_REST_S, OPENS_AFTER, Circuit
from providers.redaction import Secret

START = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)


class Now:
    """A clock for both kinds of time that moves only when a test moves it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def utc(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
async def pair(location: Path | Secret, now: Now) -> AsyncIterator[tuple[Circuit, Circuit]]:
    """The circuit breakers of one vendor in two processes."""
    stores = [await Store.open(location, now=START) for _ in range(2)]
    one, two = (circuit(now, store) for store in stores)
    yield one, two
    for store in stores:
        await store.close()


def circuit(now: Now, store: Store | None = None) -> Circuit:
    shared = store.circuits if store else None
    return Circuit("eu", clock=now.monotonic, now=now.utc, shared=shared)


async def fail(circuit: Circuit, times: int = OPENS_AFTER) -> None:
    for _ in range(times):
        await circuit.check()
        await circuit.failed()


async def is_open(circuit: Circuit) -> bool:
    try:
        await circuit.check()
    except Unavailable:
        return True
    return False


async def test_circuit_opens_after_failures_in_a_row(now: Now) -> None:
    alone = circuit(now)
    await fail(alone, OPENS_AFTER - 1)
    await alone.succeeded()
    await fail(alone, OPENS_AFTER - 1)
    assert not await is_open(alone)
    await alone.failed()
    assert await is_open(alone)
    assert alone.problem == "failed 5 times in a row, paused for 15 s"


@pytest.mark.parametrize(("failures", "rest_s"), [(5, 15), (6, 30), (8, 120), (9, 240), (99, 240)])
async def test_pause_doubles_up_to_four_minutes(now: Now, failures: int, rest_s: int) -> None:
    alone = circuit(now)
    for _ in range(failures):
        await alone.failed()
    now.seconds = rest_s - 1
    assert await is_open(alone)
    now.seconds = rest_s
    assert not await is_open(alone)


async def test_one_request_is_let_through_after_the_pause(now: Now) -> None:
    alone = circuit(now)
    await fail(alone)
    now.seconds += FIRST_REST_S
    assert [await is_open(alone), await is_open(alone)] == [False, True]
    await alone.succeeded()
    assert not await is_open(alone)


async def test_vendor_found_down_is_down_for_all(pair: tuple[Circuit, Circuit], now: Now) -> None:
    one, two = pair
    await fail(one)
    assert await is_open(two)
    assert two.problem.startswith("failed 5 times in a row, paused for")


async def test_one_process_tries_after_the_pause(pair: tuple[Circuit, Circuit], now: Now) -> None:
    one, two = pair
    await fail(one)
    await is_open(two)
    now.seconds += FIRST_REST_S
    assert sorted(await asyncio.gather(is_open(one), is_open(two))) == [False, True]


async def test_failed_trial_doubles_pause_of_all(pair: tuple[Circuit, Circuit], now: Now) -> None:
    one, two = pair
    await fail(one)
    now.seconds += FIRST_REST_S
    await fail(two, 1)
    now.seconds += FIRST_REST_S
    assert await is_open(one)
    now.seconds += FIRST_REST_S
    assert not await is_open(one)


async def test_answer_to_one_process_closes_circuit_of_all(
    pair: tuple[Circuit, Circuit], now: Now
) -> None:
    one, two = pair
    await fail(one)
    assert await is_open(two)
    now.seconds += FIRST_REST_S
    assert not await is_open(one)
    await one.succeeded()
    assert not await is_open(two)
    assert two.problem == ""


async def test_opening_is_logged_once(
    pair: tuple[Circuit, Circuit], now: Now, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = pair
    for each in (one, two):
        for _ in range(OPENS_AFTER + 2):
            await each.failed()
    assert [record.message for record in caplog.records] == [
        "eu has failed 5 times in a row; requests to it are paused."
    ]


async def test_circuit_works_without_the_database(location: Path | Secret, now: Now) -> None:
    store = await Store.open(location, now=START)
    alone = circuit(now, store)
    await fail(alone)
    await store.close()
    assert await is_open(alone)
    now.seconds += FIRST_REST_S
    assert [await is_open(alone), await is_open(alone)] == [False, True]
    await alone.succeeded()
    assert not await is_open(alone)
