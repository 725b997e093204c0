"""Rows that are looked up by their key, beside the thread of the database."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from bot.store.errors import StoreUnavailable
from bot.store.sqlite.connection import SqliteDatabase

INSERT = "INSERT INTO notes VALUES (?)"
SELECT = "SELECT text FROM notes WHERE text = ?"


@pytest.fixture
async def database(tmp_path: Path) -> SqliteDatabase:
    database = await SqliteDatabase.open(tmp_path / "bot.sqlite")
    await database.execute("CREATE TABLE notes (text TEXT UNIQUE)")
    return database


async def test_lookup_finds_what_was_committed(database: SqliteDatabase) -> None:
    for number in range(3):
        await database.execute(INSERT, (f"note {number}",))
        assert await database.lookup(SELECT, (f"note {number}",)) == [{"text": f"note {number}"}]
    assert await database.lookup(SELECT, ("other",)) == []
    await database.close()


async def test_lookup_does_not_wait_for_the_thread(database: SqliteDatabase) -> None:
    release = threading.Event()
    working = asyncio.create_task(database.run(release.wait))
    await asyncio.sleep(0)
    found = await database.lookup(SELECT, ("note",))
    assert (found, working.done()) == ([], False)
    release.set()
    await working
    await database.close()


async def test_lookup_changes_nothing(database: SqliteDatabase) -> None:
    await database.execute(INSERT, ("note",))
    assert database._reader.execute("PRAGMA query_only").fetchone() == (1,)
    await database.close()


async def test_failed_lookup_is_left_to_the_thread(database: SqliteDatabase) -> None:
    await database.execute(INSERT, ("note",))
    database._reader.close()
    assert await database.lookup(SELECT, ("note",)) == [{"text": "note"}]
    with pytest.raises(StoreUnavailable, match="no such table: other"):
        await database.lookup("SELECT * FROM other")
    await database.close()


async def test_lookup_after_the_end_fails(database: SqliteDatabase) -> None:
    await database.lookup(SELECT, ("note",))
    await database.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        await database.lookup(SELECT, ("note",))
