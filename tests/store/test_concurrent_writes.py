"""Transactions of concurrent evaluations, and what happens when they conflict."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo

from bot.store import EvaluationRecord, Saved, Store
from bot.store.errors import StoreUnavailable, WriteConflict
from bot.store.postgres.connection import PostgresDatabase
from bot.store.sql.database import Transaction
from providers.redaction import Secret
from tests.store.conftest import NOW

ALERTS = ("cellar", "kitchen")
HOUR = timedelta(hours=1)
Write = Callable[..., Any]


def evaluation(alert: str) -> EvaluationRecord:
    return EvaluationRecord(
        alert=alert,
        definition="d",
        due=NOW,
        at=NOW,
        state="inactive",
        since=None,
        value=1.0,
        alert_state=b"{}",
    )


async def test_circular_wait_is_a_conflict(store: Store, other: Store) -> None:
    if not store.database.dialect.time_of_day:
        pytest.skip("SQLite writes one transaction at a time")
    await store.alerts.save_evaluations([evaluation(alert) for alert in ALERTS])
    both_hold_one = threading.Barrier(2)

    def update(*alerts: str) -> Callable[[Transaction], None]:
        def work(tx: Transaction) -> None:
            tx.execute("SET LOCAL deadlock_timeout = '50ms'")
            for number, alert in enumerate(alerts):
                tx.execute("UPDATE alerts SET due = due WHERE name = ?", (alert,))
                if number == 0:
                    both_hold_one.wait(timeout=30)

        return work

    results = await asyncio.gather(
        store.database.write(update(*ALERTS), concurrent=True),
        other.database.write(update(*reversed(ALERTS)), concurrent=True),
        return_exceptions=True,
    )
    assert [type(each) for each in results if each] == [WriteConflict]


@pytest.fixture
def conflicting(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes every concurrent transaction conflict."""
    write = store.database.write

    async def collide(work: Write, *, concurrent: bool = False) -> Any:
        if concurrent:
            raise WriteConflict("deadlock detected")
        return await write(work)

    monkeypatch.setattr(store.database, "write", collide)


@pytest.mark.usefixtures("conflicting")
async def test_claim_is_repeated_alone(store: Store, other: Store) -> None:
    due = [(alert, NOW) for alert in ALERTS]
    assert await store.alerts.claim_evaluations(due) == [True, True]
    assert await other.alerts.claim_evaluations(due) == [False, False]


@pytest.mark.usefixtures("conflicting")
async def test_evaluations_are_saved_alone(store: Store) -> None:
    records = [evaluation(alert) for alert in ALERTS]
    assert await store.alerts.save_evaluations(records) == [Saved.WRITTEN, Saved.WRITTEN]
    for alert in ALERTS:
        found = await store.alerts.samples(alert, "d", since=NOW, until=NOW + HOUR)
        assert [sample.value for sample in found] == [1.0]


async def test_claims_are_written_in_one_order(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query returns rows in any order, and processes that claim them in different orders block
    each other.
    """
    names = [f"rule-{n}" for n in range(400)]
    wanted = list[list[str]]()
    claims: Any = store.alerts._evaluation_claims  # type: ignore[attr-defined]
    claim_new = claims._claim_new

    def note(tx: Transaction, due: list[tuple[str, str]], overtaken: Any) -> Any:
        wanted.append([alert for alert, _ in due])
        return claim_new(tx, due, overtaken)

    monkeypatch.setattr(claims, "_claim_new", note)
    for at in (NOW, NOW + HOUR):
        assert all(await store.alerts.claim_evaluations([(name, at) for name in reversed(names)]))
    assert wanted == [sorted(names)] * 2


async def test_state_written_elsewhere_is_known_by_claim(store: Store, other: Store) -> None:
    await store.alerts.save_evaluations([evaluation(alert) for alert in ALERTS])
    await other.alerts.stored_states([(alert, "d") for alert in ALERTS])
    await store.alerts.claim_evaluations([("kitchen", NOW + HOUR)])
    later = EvaluationRecord(
        alert="kitchen",
        definition="d",
        due=NOW + HOUR,
        at=NOW + HOUR,
        state="firing",
        since=NOW,
        value=2.0,
        alert_state=b"{}",
    )
    await store.alerts.save_evaluations([later])
    await other.alerts.claim_evaluations([(alert, NOW + 2 * HOUR) for alert in ALERTS])
    assert other.alerts.changed_before(ALERTS) == {"kitchen"}
    assert other.alerts.changed_before(ALERTS) == set(), "it is read again once"


async def test_stalled_process_blocks_no_other(
    store: Store, location: Path | Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not store.database.dialect.time_of_day:
        pytest.skip("a process that stands still holds the lock of SQLite's file")
    monkeypatch.setattr("bot.store.postgres.connection.IDLE_IN_TRANSACTION", "200ms")
    stalled = await Store.open(location, now=NOW)
    has_begun = threading.Event()
    goes_on = threading.Event()

    def stand_still(tx: Transaction) -> None:
        has_begun.set()
        goes_on.wait(60)
        tx.query("SELECT 1")

    write = asyncio.create_task(stalled.database.write(stand_still))
    try:
        assert await asyncio.to_thread(has_begun.wait, 60)
        async with asyncio.timeout(30):
            await store.database.write(lambda tx: tx.query("SELECT 1"))
    finally:
        goes_on.set()
    with pytest.raises(StoreUnavailable, match="idle-in-transaction"):
        await write
    await stalled.database.write(lambda tx: tx.query("SELECT 1"))
    await stalled.close()


@pytest.mark.parametrize(("given", "expected"), [("0", "10s"), ("3s", "3s"), ("1min", "1min")])
async def test_limit_of_operator_is_kept(
    location: Path | Secret, given: str, expected: str
) -> None:
    if isinstance(location, Path):
        pytest.skip("SQLite has no sessions")
    options = f"-c idle_in_transaction_session_timeout={given}"
    database = await PostgresDatabase.open(make_conninfo(location.open(), options=options))
    try:
        [row] = await database.read("SHOW idle_in_transaction_session_timeout")
    finally:
        await database.close()
    assert row == {"idle_in_transaction_session_timeout": expected}
