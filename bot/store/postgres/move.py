"""Moves a SQLite database to a PostgreSQL server, table by table.

Each table is copied in a transaction of its own, read back and compared, and recorded. A move that
was interrupted goes on after the last table that is recorded. The file is only read.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from bot.store.compatibility import TABLE as COMPATIBILITY
from bot.store.errors import StoreError, Unsuitable
from bot.store.postgres.reasons import first_line
from bot.store.sql.series import NUL, indexed

# What processes that are running share, and what each kind of database records of itself.
NOT_MOVED = frozenset(
    {
        "replicas",
        "running_work",
        "slack_pace",
        "login_attempts",
        "_sqlite_migrations",
        COMPATIBILITY,
    }
)
PROGRESS = "moved_tables"
SERIES = "series"
READ_AT_ONCE = 2000
CONNECT_WITHIN_S = 10
_Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class MovedTable:
    """A table whose rows are on the server, verified. `was_there` if an earlier attempt has moved
    it.
    """

    name: str
    rows: int
    was_there: bool = False


@dataclass(frozen=True, slots=True)
class _Checksum:
    """A fingerprint of rows in any order, and their number."""

    rows: int
    digest: str

    @classmethod
    def of(cls, rows: Iterable[_Row]) -> _Checksum:
        count = total = 0
        for row in rows:
            count += 1
            each = hashlib.blake2b(repr(row).encode("utf-8", "replace"), digest_size=16)
            # Added up, as the server returns rows in any order.
            total = (total + int.from_bytes(each.digest())) % 2**128
        return cls(count, f"{total:032x}")


@dataclass(frozen=True, slots=True)
class _Table:
    """A table and its columns, each with the conversion of SQLite's value to its type."""

    name: str
    columns: dict[str, Callable[[Any], Any]]
    order: str

    @property
    def select(self) -> str:
        names = ", ".join(f'"{column}"' for column in self.columns)
        return f'SELECT {names} FROM "{self.name}"'  # noqa: S608 - from the schema

    def converted(self, rows: Iterable[_Row]) -> Iterator[_Row]:
        kinds = tuple(self.columns.values())
        for row in rows:
            yield tuple(
                None if value is None else kind(value)
                for kind, value in zip(kinds, row, strict=True)
            )


def move(
    source: Path, url: str, *, on_moved: Callable[[MovedTable], None] = lambda _: None
) -> list[MovedTable]:
    """Copies every table to the server, whose tables have to exist and be empty, or to have been
    filled by an earlier attempt. Raises Unsuitable where the server holds other rows, and StoreError
    where the copy is not equal to the file. No message shows the URL, which holds a password.
    """
    try:
        with closing(_reader(source)) as reader, _writer(url) as writer:
            # SQLite counts what other connections write.
            changes = reader.execute("PRAGMA data_version").fetchone()
            # One state of the file for all tables.
            reader.execute("BEGIN")
            tables = _tables(reader)
            _require_empty(writer, tables)
            moved = []
            for table in tables:
                moved.append(_move_table(reader, writer, table))
                on_moved(moved[-1])
            reader.execute("ROLLBACK")
            if reader.execute("PRAGMA data_version").fetchone() != changes:
                raise StoreError(
                    f"{source.name} was written meanwhile. Stop the bot and run this again."
                )
            _finish(writer)
            return moved
    except psycopg.Error as error:
        raise _failed(error) from None
    except sqlite3.Error as error:
        raise StoreError(f"{source.name} could not be read: {error}.") from None


def is_unfinished(url: str) -> bool:
    """Whether an earlier attempt has moved a part of the tables. Raises StoreError."""
    try:
        with _writer(url) as writer:
            return _has_progress(writer)
    except psycopg.Error as error:
        raise _failed(error) from None


def row_counts(source: Path) -> dict[str, int]:
    """How many rows of each table would be moved."""
    with closing(_reader(source)) as reader:
        return {
            table.name: int(
                reader.execute(f'SELECT count(*) FROM "{table.name}"').fetchone()[0]  # noqa: S608
            )
            for table in _tables(reader)
        }


def _failed(error: psycopg.Error) -> StoreError:
    return StoreError(f"The database could not be moved: {first_line(error)}.")


def _reader(source: Path) -> sqlite3.Connection:
    address = f"{source.resolve().as_uri()}?mode=ro"
    return sqlite3.connect(address, uri=True, isolation_level=None, timeout=10)


def _writer(url: str) -> psycopg.Connection[_Row]:
    return psycopg.connect(
        url, autocommit=True, connect_timeout=CONNECT_WITHIN_S, client_encoding="utf8"
    )


def _tables(reader: sqlite3.Connection) -> list[_Table]:
    named = reader.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' "
        "ORDER BY name"
    ).fetchall()
    return [_table(reader, name, text) for name, text in named if name not in NOT_MOVED]


def _table(reader: sqlite3.Connection, name: str, definition: str) -> _Table:
    columns = reader.execute(f'PRAGMA table_info("{name}")').fetchall()
    kinds = {column[1]: _KINDS[column[2].upper()] for column in columns}
    keys = ", ".join(f'"{column[1]}"' for column in columns if column[5])
    # The order in which rows were written, where SQLite has it.
    order = keys if "WITHOUT ROWID" in definition.upper() else "rowid"
    return _Table(name, kinds, order)


def _unique_series(rows: Iterable[_Row], alerts: Collection[str]) -> Iterator[_Row]:
    """Series whose names are as the bot looks them up: those of whole alerts as they are, those of
    subjects cut. Earlier versions wrote long names as they were, so that a series may be there
    twice: the older one, which the bot reads no more, is moved by a name of its own.
    """
    known: set[tuple[str, str]] = set()
    for number, name, definition in rows:
        key = (name if name in alerts else indexed(name), indexed(definition))
        if key in known:
            key = (indexed(f"{name}{NUL}{number}"), key[1])
        known.add(key)
        yield (number, *key)


def _text(value: Any) -> str:
    # PostgreSQL holds no NUL in text.
    return str(value).replace("\0", "\ufffd")


_KINDS: dict[str, Callable[[Any], Any]] = {
    "TEXT": _text,
    "INTEGER": int,
    "FLOAT": float,
    "REAL": float,
    "BLOB": bytes,
}


def _has_progress(writer: psycopg.Connection[_Row]) -> bool:
    found = writer.execute("SELECT to_regclass(%s)", (PROGRESS,)).fetchone()
    return found is not None and found[0] is not None


def _require_empty(writer: psycopg.Connection[_Row], tables: Iterable[_Table]) -> None:
    """Rows that no attempt has moved belong to a bot that runs on the server."""
    if _has_progress(writer):
        return
    filled = [
        table.name
        for table in tables
        if writer.execute(_statement("SELECT 1 FROM {} LIMIT 1", table.name)).fetchone()
    ]
    if filled:
        raise Unsuitable(
            f"The server's database holds rows already ({', '.join(filled)}). Move to an empty one."
        )
    writer.execute(f"CREATE TABLE {PROGRESS} (name text PRIMARY KEY, rows bigint, digest text)")


def _move_table(
    reader: sqlite3.Connection, writer: psycopg.Connection[_Row], table: _Table
) -> MovedTable:
    wanted = _Checksum.of(_rows_of_file(reader, table))
    recorded = writer.execute(
        f"SELECT rows, digest FROM {PROGRESS} WHERE name = %s",  # noqa: S608 - a constant
        (table.name,),
    ).fetchone()
    if recorded == (wanted.rows, wanted.digest):
        return MovedTable(table.name, wanted.rows, was_there=True)
    with writer.transaction():
        writer.execute(_statement("TRUNCATE {}", table.name))
        _copy(reader, writer, table)
        found = _Checksum.of(_rows_of_server(writer, table))
        if found != wanted:
            raise StoreError(
                f"The copy of {table.name} differs from the file ({found.rows} of {wanted.rows} "
                "rows). Nothing of it was kept; run this again."
            )
        writer.execute(
            f"INSERT INTO {PROGRESS} (name, rows, digest) VALUES (%s, %s, %s) "  # noqa: S608
            "ON CONFLICT (name) DO UPDATE SET rows = excluded.rows, digest = excluded.digest",
            (table.name, wanted.rows, wanted.digest),
        )
    return MovedTable(table.name, wanted.rows)


def _copy(reader: sqlite3.Connection, writer: psycopg.Connection[_Row], table: _Table) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), columns)
    with writer.cursor() as cursor, cursor.copy(into) as copying:
        for row in _rows_of_file(reader, table):
            copying.write_row(row)


def _rows_of_file(reader: sqlite3.Connection, table: _Table) -> Iterator[_Row]:
    if table.name == SERIES:
        # The newest first, which is the one that the bot reads.
        rows = reader.execute(f"SELECT id, name, definition FROM {SERIES} ORDER BY id DESC")  # noqa: S608
        alerts = {name for (name,) in reader.execute("SELECT name FROM alerts")}
        return table.converted(_unique_series(rows, alerts))
    return table.converted(reader.execute(f"{table.select} ORDER BY {table.order}"))


def _rows_of_server(writer: psycopg.Connection[_Row], table: _Table) -> Iterator[_Row]:
    """Read in parts, so that memory does not grow with the table."""
    columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    query = sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier(table.name))
    with writer.cursor(name="moved") as cursor:
        cursor.itersize = READ_AT_ONCE
        cursor.execute(query)
        yield from table.converted(cursor)


def _finish(writer: psycopg.Connection[_Row]) -> None:
    """Numbers continue after the highest that was moved, and the record of the move goes."""
    identities = writer.execute(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = current_schema() AND identity_generation = 'BY DEFAULT'"
    ).fetchall()
    with writer.transaction():
        for table, column in identities:
            writer.execute(
                sql.SQL(
                    "SELECT setval(pg_get_serial_sequence({}, {}), max({}), true) FROM {} "
                    "HAVING max({}) IS NOT NULL"
                ).format(
                    sql.Literal(table),
                    sql.Literal(column),
                    sql.Identifier(column),
                    sql.Identifier(table),
                    sql.Identifier(column),
                )
            )
        writer.execute(f"DROP TABLE {PROGRESS}")


def _statement(text: LiteralString, table: str) -> sql.Composed:
    return sql.SQL(text).format(sql.Identifier(table))
