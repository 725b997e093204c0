"""Writes that arrive together share a transaction, and each has a separate result."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.store.errors import StoreUnavailable
from bot.store.sql.database import Transaction
from bot.store.sqlite import connection
from bot.store.sqlite.connection import SqliteDatabase

INSERT = "INSERT INTO notes VALUES (?)"


@pytest.fixture
async def database(tmp_path: Path) -> SqliteDatabase:
    database = await SqliteDatabase.open(tmp_path / "bot.sqlite")
    await database.execute("CREATE TABLE notes (text TEXT UNIQUE)")
    return database


async def notes(database: SqliteDatabase) -> list[str]:
    rows = await database.read("SELECT text FROM notes ORDER BY rowid")
    return [row["text"] for row in rows]


async def test_concurrent_writes_share_transactions(database: SqliteDatabase) -> None:
    statements: list[str] = []
    await database.run(lambda: database.connection.set_trace_callback(statements.append))
    await asyncio.gather(*(database.execute(INSERT, (f"note {n}",)) for n in range(100)))
    await database.run(lambda: database.connection.set_trace_callback(None))
    assert len(await notes(database)) == 100
    assert sum(each.startswith("COMMIT") for each in statements) <= 3
    await database.close()


async def test_writes_of_a_crowd_wait_for_each_other(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "GATHER_S", 0.1)
    statements: list[str] = []
    await database.run(lambda: database.connection.set_trace_callback(statements.append))
    await asyncio.gather(*(database.execute(INSERT, (f"note {n}",)) for n in range(10)))
    statements.clear()
    late = []
    for n in range(5):
        late.append(asyncio.create_task(database.execute(INSERT, (f"late note {n}",))))
        await asyncio.sleep(0.001)
    await asyncio.gather(*late)
    assert sum(each.startswith("COMMIT") for each in statements) == 1
    await database.close()


async def test_lone_writes_do_not_wait(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "GATHER_S", 3600.0)
    for n in range(5):
        await asyncio.wait_for(database.execute(INSERT, (f"note {n}",)), timeout=60)
    await database.close()


async def test_failed_write_does_not_affect_others(database: SqliteDatabase) -> None:
    def fails(tx: Transaction) -> None:
        tx.execute(INSERT, ("half",))
        raise ValueError("kitchen")

    written = await asyncio.gather(
        database.execute(INSERT, ("first",)),
        database.write(lambda tx: tx.execute(INSERT, ("second",))),
        database.write(fails),
        database.execute(INSERT, ("first",)),
        database.execute(INSERT, ("third",)),
        return_exceptions=True,
    )
    assert list(written[:2]) == [1, 1]
    assert isinstance(written[2], ValueError)
    assert isinstance(written[3], StoreUnavailable)
    assert written[4] == 1
    assert await notes(database) == ["first", "second", "third"]
    await database.close()


async def test_full_disk_fails_all_of_a_transaction(
    database: SqliteDatabase, tmp_path: Path
) -> None:
    """SQLite rolls the whole transaction back, and nothing is written outside of it."""
    pages = await database.read("PRAGMA page_count")
    most = pages[0]["page_count"]
    await database.run(lambda: database.connection.execute(f"PRAGMA max_page_count = {most}"))
    await database.execute(INSERT, ("before",))
    written = await asyncio.gather(
        *(database.execute(INSERT, (f"note {n}",)) for n in range(3)),
        database.execute(INSERT, ("x" * 50_000,)),
        database.write(lambda tx: tx.execute(INSERT, ("after",))),
        return_exceptions=True,
    )
    found = await notes(database)
    assert isinstance(written[3], StoreUnavailable)
    texts = ["note 0", "note 1", "note 2", "x" * 50_000, "after"]
    assert found == [
        "before",
        *(text for text, each in zip(texts, written, strict=True) if each == 1),
    ]
    await database.close()


async def test_python_state_survives_others_failure(database: SqliteDatabase) -> None:
    """Work runs once, so what it remembers of its rows stays correct."""
    known: dict[str, int] = {}

    def number(tx: Transaction) -> None:
        assert not known
        [row] = tx.query("INSERT INTO notes VALUES ('numbered') RETURNING rowid AS id")
        known["numbered"] = row["id"]

    def fails(tx: Transaction) -> None:
        tx.execute(INSERT, ("half",))
        raise ValueError

    await asyncio.gather(
        database.execute(INSERT, ("first",)),
        database.write(number),
        database.write(fails),
        return_exceptions=True,
    )
    [row] = await database.read("SELECT rowid AS id FROM notes WHERE text = 'numbered'")
    assert known["numbered"] == row["id"]
    await database.close()


async def test_result_comes_after_commit(database: SqliteDatabase, tmp_path: Path) -> None:
    async def write_and_look(n: int) -> bool:
        await database.execute(INSERT, (f"note {n}",))
        with closing(sqlite3.connect(tmp_path / "bot.sqlite")) as other:
            found = other.execute("SELECT 1 FROM notes WHERE text = ?", (f"note {n}",)).fetchone()
        return found is not None

    assert all(await asyncio.gather(*(write_and_look(n) for n in range(30))))
    await database.close()


async def test_cancelled_wait_does_not_affect_others(database: SqliteDatabase) -> None:
    tasks = [asyncio.create_task(database.execute(INSERT, (f"note {n}",))) for n in range(20)]
    await asyncio.sleep(0)
    tasks[7].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [*results[:7], *results[8:]] == [1] * 19
    await database.close()


async def test_locked_database_fails_all_at_once(database: SqliteDatabase, tmp_path: Path) -> None:
    await database.run(lambda: database.connection.execute("PRAGMA busy_timeout = 50"))
    with closing(sqlite3.connect(tmp_path / "bot.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        results = await asyncio.gather(
            *(database.execute(INSERT, (f"note {n}",)) for n in range(40)), return_exceptions=True
        )
    assert all(isinstance(result, StoreUnavailable) for result in results)
    assert await notes(database) == []
    await database.close()


async def test_waiting_tasks_take_turns(database: SqliteDatabase) -> None:
    """Tasks that wait for one transaction do not all continue in the same turn of the event loop."""
    turn = 0
    turns: list[int] = []

    async def count_turns() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    async def write(n: int) -> None:
        await database.execute(INSERT, (f"note {n}",))
        turns.append(turn)

    counting = asyncio.create_task(count_turns())
    await asyncio.gather(*(write(n) for n in range(60)))
    counting.cancel()
    assert max(turns.count(each) for each in set(turns)) < 10
    await database.close()
