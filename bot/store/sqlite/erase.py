"""Erases what is stored about a person in a SQLite file."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from bot.store.errors import StoreError
from bot.store.sql.database import Transaction, quoted
from bot.store.sql.erase import NOBODY, Erased, erase
from bot.store.sqlite.connection import SqliteTransaction
from bot.store.sqlite.files import MIGRATIONS, InUse, require_database


def erase_person(database: Path, user: str, *, heir: str = "") -> Erased:
    """Deletes the person's questions, private answers and direct messages, and replaces their id
    wherever else it is stored.

    Active alerts and subscriptions then belong to `heir`, if given, else to nobody. Raises InUse
    while another process has the database open, and StoreError where it cannot be changed.
    """
    require_database(database)
    try:
        with closing(sqlite3.connect(database, isolation_level=None, timeout=1.0)) as connection:
            # The bot keeps some of this in memory and would write it again.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN IMMEDIATE")
            columns = SqliteTextColumns(connection, user)
            erased = erase(SqliteTransaction(connection), columns, user, heir=heir)
            connection.execute("COMMIT")
            # Deleted rows stay readable in the file until their pages are written anew.
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return erased
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise InUse(
                f"{database.name} is in use by another process; stop the bot first."
            ) from None
        raise StoreError(f"{database.name} cannot be changed: {error}.") from None
    except sqlite3.Error as error:
        raise StoreError(f"{database.name} cannot be changed: {error}.") from None


class SqliteTextColumns:
    """Text columns by their declared type, and the functions that SQLite leaves to its user."""

    matches = "REGEXP"

    def __init__(self, connection: sqlite3.Connection, user: str) -> None:
        self._user = user
        connection.create_function("regexp", 2, self._names, deterministic=True)
        connection.create_function("regexp_replace", 3, _replaced, deterministic=True)

    def by_table(self, tx: Transaction) -> Mapping[str, Sequence[str]]:
        names = tx.query(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' "
            "ESCAPE '\\'"
        )
        tables = [str(row["name"]) for row in names if row["name"] != MIGRATIONS]
        return {table: _text_columns(tx, table) for table in tables}

    def replace(self, tx: Transaction, table: str, column: str, pattern: str) -> int:
        place = quoted(table)
        name = quoted(column)
        count = tx.execute(
            f"UPDATE OR IGNORE {place} SET {name} = regexp_replace({name}, ?, ?) "  # noqa: S608 - from the schema
            f"WHERE {name} REGEXP ?",
            (pattern, NOBODY, pattern),
        )
        return count + tx.execute(f"DELETE FROM {place} WHERE {name} REGEXP ?", (pattern,))  # noqa: S608

    def _names(self, pattern: str, text: object) -> bool:
        # Most text does not have the id at all, which is found much faster without the pattern.
        return isinstance(text, str) and self._user in text and bool(re.search(pattern, text))


def _text_columns(tx: Transaction, table: str) -> list[str]:
    columns = tx.query(f"PRAGMA table_info({quoted(table)})")
    return [str(column["name"]) for column in columns if column["type"].upper() == "TEXT"]


def _replaced(text: str, pattern: str, replacement: str) -> str:
    return re.sub(pattern, replacement, text)
