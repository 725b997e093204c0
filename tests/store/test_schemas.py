"""Both databases have the same tables, and each records which earlier version may still open it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.store import Store, StoreError
from bot.store.compatibility import require_known
from bot.store.postgres.migrations import COMPATIBLE as POSTGRES_COMPATIBLE
from bot.store.postgres.migrations import STEPS
from bot.store.sqlite.versions import COMPATIBLE, MIGRATIONS
from providers.redaction import Secret
from tests.store.conftest import NOW, OpenStore

# Each database's record of its migrations.
OWN = {"migrations", "_sqlite_migrations"}
# How the server stores rows, which SQLite does in its own way.
ONLY_ON_POSTGRES = {"room_for_updates"}
# SQLite numbers rows by itself.
NUMBERED_BY_SQLITE = {("questions", "rowid")}
CLASSES = {"INTEGER": "bigint", "TEXT": "text", "FLOAT": "double precision", "REAL": "double precision", "BLOB": "bytea"}  # fmt: skip
Column = tuple[str, str]


async def test_schemas_are_equal(store: Store, location: Path | Secret, tmp_path: Path) -> None:
    if isinstance(location, Path):
        pytest.skip("it is compared with the other one")
    server = await _postgres_columns(store)
    file = await Store.open(tmp_path / "bot.sqlite", now=NOW)
    try:
        assert await _sqlite_columns(file) == server
    finally:
        await file.close()


async def _postgres_columns(store: Store) -> dict[Column, tuple[str, bool, bool]]:
    rows = await store.read(
        "SELECT c.table_name, c.column_name, c.data_type, c.is_nullable, "
        "k.column_name IS NOT NULL AS is_key FROM information_schema.columns AS c "
        "LEFT JOIN information_schema.table_constraints AS t ON t.table_name = c.table_name "
        "AND t.constraint_type = 'PRIMARY KEY' "
        "LEFT JOIN information_schema.key_column_usage AS k "
        "ON k.constraint_name = t.constraint_name AND k.column_name = c.column_name "
        "WHERE c.table_schema = 'public'"
    )
    return {
        (row["table_name"], row["column_name"]): (
            row["data_type"],
            bool(row["is_key"]),
            row["is_nullable"] == "NO" or bool(row["is_key"]),
        )
        for row in rows
        if row["table_name"] not in OWN
        and (row["table_name"], row["column_name"]) not in NUMBERED_BY_SQLITE
    }


async def _sqlite_columns(store: Store) -> dict[Column, tuple[str, bool, bool]]:
    tables = await store.read("SELECT name FROM sqlite_master WHERE type = 'table'")
    found = {}
    for table in {row["name"] for row in tables} - OWN:
        if table.startswith("sqlite_"):
            continue
        for column in await store.read(f"PRAGMA table_info([{table}])"):
            is_key = bool(column["pk"])
            kind = CLASSES[column["type"].upper()]
            found[table, column["name"]] = (kind, is_key, bool(column["notnull"]) or is_key)
    return found


# Rolling back


async def test_release_before_may_open_it(open_store: OpenStore) -> None:
    store = await open_store()
    await _add_unknown_step(store, oldest=_latest(store))
    assert await (await open_store()).questions.latest() == []


@pytest.mark.parametrize("oldest", ["9998_future", None], ids=["too old", "not recorded"])
async def test_older_release_is_refused(open_store: OpenStore, oldest: str | None) -> None:
    store = await open_store()
    await _add_unknown_step(store, oldest=oldest)
    with pytest.raises(StoreError, match=r"newer version .*9999_future"):
        await open_store()


async def test_every_step_is_recorded(store: Store) -> None:
    rows = await store.read("SELECT step, oldest FROM schema_compatibility")
    known = list(STEPS) if store.database.dialect.time_of_day else list(MIGRATIONS)
    assert {row["step"] for row in rows} == set(known)
    for row in rows:
        assert known.index(row["oldest"]) <= known.index(row["step"])


def test_compatible_steps_only_add() -> None:
    """A change that breaks an older version must keep it from opening the database."""
    harmless = r"CREATE (TABLE|INDEX) |ALTER TABLE \w+ SET \(fillfactor "
    for name in POSTGRES_COMPATIBLE:
        for statement in STEPS[name]:
            assert re.match(harmless, statement), name
    assert {name.partition("_")[2] for name in COMPATIBLE} == {
        name.partition("_")[2] for name in POSTGRES_COMPATIBLE
    } - ONLY_ON_POSTGRES


def test_refusal_names_what_is_needed() -> None:
    with pytest.raises(StoreError) as raised:
        require_known(["a", "b", "c"], ["a"], {"b": "a", "c": "b"}, database="The database")
    assert "c, which needs at least b" in str(raised.value)
    assert "b," not in str(raised.value).replace("least b)", "")


def _latest(store: Store) -> str:
    return list(STEPS)[-1] if store.database.dialect.time_of_day else MIGRATIONS[-1]


async def _add_unknown_step(store: Store, *, oldest: str | None) -> None:
    if store.database.dialect.time_of_day:
        sql = "INSERT INTO migrations (name, applied_at) VALUES ('9999_future', 'now')"
    else:
        sql = (
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
            "VALUES ('opswatch', '9999_future', 'now')"
        )
    await store.database.execute(sql)
    if oldest:
        await store.database.execute(
            "INSERT INTO schema_compatibility (step, oldest) VALUES ('9999_future', ?)", (oldest,)
        )
