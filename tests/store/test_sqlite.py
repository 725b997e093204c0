"""Opening a database in one SQLite file: new, old, newer, shared, or something else."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.store import QuestionRecord, Store, StoreError
from bot.store.sqlite.migrations import steps
from bot.store.sqlite.versions import MIGRATIONS
from tests.store.conftest import NOW

ASKED = QuestionRecord("trigger-1", NOW, "U0ADA", "C0OPS", "usage", "last 7 days", "slash")


async def test_two_processes_migrate_side_by_side(tmp_path: Path) -> None:
    stores = await asyncio.gather(*(Store.open(tmp_path / "bot.sqlite", now=NOW) for _ in range(4)))
    assert await stores[0].questions.claim(ASKED)
    assert not await stores[3].questions.claim(ASKED)
    await asyncio.gather(*(store.close() for store in stores))


async def test_many_processes_create_one_database(tmp_path: Path) -> None:
    for number in range(20):
        stores = await asyncio.gather(
            *(Store.open(tmp_path / f"{number}.sqlite", now=NOW) for _ in range(8))
        )
        assert len(stores) == 8
        await asyncio.gather(*(store.close() for store in stores))


async def test_other_file_is_refused_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite"
    path.write_bytes(b"this is a letter, not a database" * 100)
    with pytest.raises(StoreError, match=r"bot\.sqlite cannot be used"):
        await Store.open(path, now=NOW)
    assert path.read_bytes().startswith(b"this is a letter")


async def test_newer_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite"
    await (await Store.open(path, now=NOW)).close()
    connection = sqlite3.connect(path)
    connection.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('opswatch', "
        "'9999_future', 'x')"
    )
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="newer version"):
        await Store.open(path, now=NOW)


async def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be used"):
        await Store.open(tmp_path / "none" / "bot.sqlite", now=NOW)


async def test_database_without_claims_preserves_work(tmp_path: Path) -> None:
    """Earlier versions left posts, runs and questions without an owner."""
    path = tmp_path / "bot.sqlite"
    now = "2026-11-21T14:05:00.000+00:00"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        database = Database(connection)
        steps.apply(database, stop_before="0013_claims")
        connection.execute(
            "INSERT INTO outbox (key, channel, text, blocks, queued_at, not_before, state, "
            "claimed_at, attempts) VALUES ('k', '#ops', 'x', '[]', ?, ?, 'sending', ?, 0)",
            (now, now, now),
        )
        connection.execute(
            "INSERT INTO runs (schedule, due, started_at) VALUES ('daily', ?, ?)", (now, now)
        )
        connection.execute(
            "INSERT INTO questions (delivery, asked_at, user, channel, command, text, via, outcome)"
            " VALUES ('t', ?, 'U0ADA', 'C0OPS', 'usage', '', 'slash', 'asked')",
            (now,),
        )
        connection.execute(
            "INSERT INTO alerts (name, definition, state, due, watch) "
            "VALUES ('spike', 'd', 'firing', ?, '{}')",
            (now,),
        )
    store = await Store.open(path, now=NOW)
    later = NOW + timedelta(minutes=2)
    post = await store.outbox.claim_post(now=NOW)
    assert post
    assert (post.post.key, post.claimed_at) == ("k", NOW)
    assert await store.schedules.unfinished_runs(since=NOW) == [("daily", NOW)]
    assert await store.schedules.claim_run("daily", NOW, now=later) == 0
    assert await store.alerts.stored_states([("spike", "d")]) == [b"{}"]
    [asked] = await store.questions.take_interrupted(since=NOW, before=later)
    assert asked.delivery == "t"
    await store.close()


def test_every_migration_is_listed() -> None:
    """One that is missing from the list would not be applied to an existing database."""
    assert tuple(step.name for step in steps._migrations) == MIGRATIONS
