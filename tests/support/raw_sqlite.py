"""Statements on the bot's own SQLite connection, to put it into states that no port can."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from bot.store import Store
from bot.store.sqlite.connection import SqliteDatabase

T = TypeVar("T")


async def on_connection(store: Store, work: Callable[[sqlite3.Connection], T]) -> T:
    """The result of `work`, done on the thread of the store's connection."""
    database = store.database
    assert isinstance(database, SqliteDatabase)
    return await database.run(lambda: work(database.connection))


async def execute(store: Store, sql: str) -> list[tuple[object, ...]]:
    """The rows of one statement, run outside of any transaction."""
    return await on_connection(store, lambda connection: connection.execute(sql).fetchall())
