"""The SQLite connection, on one thread of its own.

A connection belongs to its thread, and a deferred transaction that reads before it writes fails
under contention, so a write of more than one statement opens with BEGIN IMMEDIATE on the one writer
thread.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import stamina
from sqlite_utils import Database as MigratedDatabase

from bot.store.errors import StoreError, StoreUnavailable
from bot.store.sql.database import Dialect, Row, Transaction
from bot.store.sqlite.health import DatabaseFile, make_private
from bot.store.sqlite.migrations import steps

T = TypeVar("T")
BUSY_S = 10.0
DIALECT = Dialect(
    lease_clock="lease_clock()",
    json_member=lambda column, name: f"json_extract({column}, '$.{name}')",
)
_Work = tuple[Callable[[], Any], "asyncio.Future[Any]"]
_Result = tuple["asyncio.Future[Any]", Any, BaseException | None]


class SqliteTransaction:
    """The statements of one transaction, on the connection's thread."""

    dialect = DIALECT

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        return self._connection.execute(sql, params).rowcount

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        cursor = self._connection.execute(sql, params)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        return self._connection.executemany(sql, rows).rowcount


class SqliteDatabase:
    """An open SQLite file."""

    dialect = DIALECT

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = DatabaseFile(path)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self.connection: sqlite3.Connection
        self._wanted: list[_Work] = []
        self._busy = False

    @classmethod
    async def open(cls, path: Path) -> SqliteDatabase:
        """The database at `path`, created and migrated if needed. Raises StoreError and changes
        nothing if it is not a database of Opswatch.
        """
        database = cls(path)
        try:
            await database.run(database._prepare)
        except (StoreUnavailable, OSError) as error:
            database._thread.shutdown(wait=False)
            raise StoreError(f"The database {path} cannot be used: {error}.") from None
        except StoreError:
            database._thread.shutdown(wait=False)
            raise
        return database

    async def close(self) -> None:
        await self.run(self.connection.close)
        self._thread.shutdown(wait=True)

    async def read(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        return await self.run(lambda: self._transaction.query(sql, params))

    async def write(self, work: Callable[[Transaction], T]) -> T:
        def transaction() -> T:
            self._file.require_same()
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(self._transaction)
            except BaseException:
                # A full disk has rolled everything back by itself.
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")
            return result

        return await self.run(transaction)

    async def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        def execute() -> int:
            self._file.require_same()
            return self._transaction.execute(sql, params)

        return await self.run(execute)

    async def damage(self) -> str:
        return await asyncio.to_thread(self._file.damage)

    async def size(self) -> int:
        """With the write-ahead log."""
        paths = (self._path, self._path.with_name(f"{self._path.name}-wal"))
        return sum(path.stat().st_size for path in paths if path.exists())

    def _prepare(self) -> None:
        folder = self._path.parent
        if not folder.is_dir():
            raise StoreError(
                f"The database {self._path} cannot be used: there is no folder {folder}."
            )
        make_private(self._path)
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=BUSY_S)
        try:
            _switch_to_wal(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            # Processes on one machine share the time since it was started, which nobody sets.
            connection.create_function("lease_clock", 0, time.monotonic)
            self._migrate(connection)
            self.connection = connection
            self._transaction = SqliteTransaction(connection)
            self._file.remember()
        except BaseException:
            connection.close()
            raise

    def _migrate(self, connection: sqlite3.Connection) -> None:
        database = MigratedDatabase(connection)
        self._refuse_newer(database)
        connection.execute("BEGIN IMMEDIATE")
        steps.apply(database)
        if connection.in_transaction:
            connection.execute("COMMIT")

    def _refuse_newer(self, database: MigratedDatabase) -> None:
        """A database with unknown migrations was written by a later version."""
        if "_sqlite_migrations" not in database.table_names():
            return
        rows = database.execute(
            "SELECT name FROM _sqlite_migrations WHERE migration_set = ?", (steps.name,)
        )
        unknown = {name for (name,) in rows} - {step.name for step in steps._migrations}  # noqa: SLF001
        if unknown:
            raise StoreError(
                f"The database {self._path.name} was written by a newer version "
                f"({', '.join(sorted(unknown))})."
            )

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work`, done on the thread. Work that comes while the thread is busy is
        handed over together, because waking a thread costs more than most statements.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._wanted.append((work, done))
        if not self._busy:
            self._hand_over(loop)
        return await done

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        wanted, self._wanted = self._wanted, []
        try:
            self._thread.submit(self._work, wanted, loop)
        except RuntimeError:
            # Closed meanwhile: nobody may wait for ever.
            closed = StoreUnavailable("the database is closed")
            self._set_results([(done, None, closed) for _, done in wanted], loop)
            return
        self._busy = True

    def _work(self, wanted: list[_Work], loop: asyncio.AbstractEventLoop) -> None:
        """On the thread: one after the other, each with a result of its own."""
        results = [(done, *_run_catching(work)) for work, done in wanted]
        loop.call_soon_threadsafe(self._set_results, results, loop)

    def _set_results(self, results: list[_Result], loop: asyncio.AbstractEventLoop) -> None:
        self._busy = False
        if self._wanted:
            self._hand_over(loop)
        for done, result, error in results:
            if not done.done():
                done.set_exception(error) if error else done.set_result(result)


def _run_catching(work: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return work(), None
    except sqlite3.Error as error:
        unavailable = StoreUnavailable(str(error))
        unavailable.__cause__ = error
        return None, unavailable
    except BaseException as error:
        return None, error


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Write-ahead logging. SQLite does not wait for its time-out if two switch at once, so this
    tries again.
    """
    for attempt in stamina.retry_context(
        on=_is_busy,
        attempts=None,
        timeout=BUSY_S,
        wait_initial=0.01,
        wait_max=0.2,
        wait_jitter=0.05,
    ):
        with attempt:
            connection.execute("PRAGMA journal_mode = WAL")


def _is_busy(error: Exception) -> bool:
    """Whether another process has locked the database; the low byte is the primary error code."""
    return (
        isinstance(error, sqlite3.OperationalError)
        and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    )
