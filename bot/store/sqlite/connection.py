"""The SQLite connection, on one thread of its own, and one for looking up rows by their key.

A connection belongs to its thread, and a deferred transaction that reads before it writes fails
under contention, so a write opens with BEGIN IMMEDIATE on the one writer thread. Jobs that come
while the thread is busy share the next transaction (group commit), and where many come, they wait a
moment for each other.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import stamina
from msgspec import Struct

from bot.store.compatibility import TABLE, oldest_of, require_known
from bot.store.errors import StoreError, StoreUnavailable
from bot.store.sql.database import Columns, Dialect, Row, Transaction, Values
from bot.store.sqlite.health import DatabaseFile, make_private
from bot.store.sqlite.versions import (
    COMPATIBLE,
    MIGRATIONS,
    applied_migrations,
    recorded_compatibility,
)

T = TypeVar("T")
BUSY_S = 10.0


def _table(columns: Columns, rows: Sequence[Values]) -> tuple[str, list[Any]]:
    """The rows as parameters of VALUES, whose columns SQLite calls column1, column2 and so on."""
    names = ", ".join(f"column{n} AS {name}" for n, name in enumerate(columns, 1))
    marks = f"({', '.join('?' for _ in columns)})"
    values = ", ".join([marks] * len(rows))
    return f"(SELECT {names} FROM (VALUES {values}))", [*chain.from_iterable(rows)]  # noqa: S608


DIALECT = Dialect(
    lease_clock="lease_clock()",
    time_of_day="",
    json_member=lambda column, name: f"json_extract({column}, '$.{name}')",
    table=_table,
)
# How long after a transaction of several writes the next one begins at the earliest. Each time the
# thread wakes up, it takes the interpreter from the event loop for every one of its statements.
GATHER_S = 0.004
# Waiting tasks that go on in one turn of the event loop, so that others get theirs soon.
WOKEN_AT_ONCE = 4


class _Job(Struct, frozen=True):
    """Work for the thread. What `writes` goes into a transaction, what does not is a query; a job
    that runs `alone` manages the connection itself.
    """

    work: Callable[[SqliteTransaction], Any]
    done: asyncio.Future[Any]
    writes: bool = False
    alone: bool = False


class _Result(Struct, frozen=True):
    job: _Job
    value: Any = None
    error: BaseException | None = None

    def deliver(self) -> None:
        if self.job.done.done():
            return
        if self.error:
            self.job.done.set_exception(self.error)
        else:
            self.job.done.set_result(self.value)


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
        self._waiting: list[_Job] = []
        # Whether the thread works, or is about to.
        self._busy = False
        self._next_at = 0.0
        self._is_closing = False

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
        self._is_closing = True
        if reader := self.__dict__.pop("_reader", None):
            reader.close()
        await self.run(self.connection.close)
        self._thread.shutdown(wait=True)

    async def read(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        return await self._submit(lambda tx: tx.query(sql, params))

    async def lookup(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """On the event loop: the rows are in memory, since they were written or read lately, and
        take a tenth of the time that the thread would need to wake up.
        """
        if not self._is_closing:
            with contextlib.suppress(sqlite3.Error):
                return SqliteTransaction(self._reader).query(sql, params)
        # The thread waits for a lock, and reports what is wrong.
        return await self.read(sql, params)

    @cached_property
    def _reader(self) -> sqlite3.Connection:
        """A connection that is never blocked: with write-ahead logging, writers do not lock it."""
        connection = sqlite3.connect(
            self._path, isolation_level=None, timeout=0, check_same_thread=False
        )
        connection.execute("PRAGMA query_only = ON")
        return connection

    async def write(
        self,
        work: Callable[[Transaction], T],
        *,
        concurrent: bool = False,  # noqa: ARG002 - SQLite has one writer at a time
    ) -> T:
        return await self._submit(work, writes=True)

    async def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        return await self._submit(lambda tx: tx.execute(sql, params), writes=True)

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
            self._file.remember()
        except BaseException:
            connection.close()
            raise

    def _migrate(self, connection: sqlite3.Connection) -> None:
        """Applies the migrations that are missing. A database with unknown ones was written by a
        later version.
        """
        applied = applied_migrations(connection)
        require_known(
            applied,
            MIGRATIONS,
            recorded_compatibility(connection),
            database=f"The database {self._path.name}",
        )
        if applied.issuperset(MIGRATIONS):
            return
        # The library takes a while to import.
        from sqlite_utils import Database

        from bot.store.sqlite.migrations import steps

        connection.execute("BEGIN IMMEDIATE")
        steps.apply(Database(connection))
        connection.executemany(
            f"INSERT OR IGNORE INTO {TABLE} (step, oldest) VALUES (?, ?)",  # noqa: S608 - a constant
            oldest_of(MIGRATIONS, COMPATIBLE),
        )
        if connection.in_transaction:
            connection.execute("COMMIT")

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work`, done on the thread, which manages the connection itself."""
        return await self._submit(lambda _: work(), alone=True)

    async def _submit(
        self, work: Callable[[SqliteTransaction], T], *, writes: bool = False, alone: bool = False
    ) -> T:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Job(work, done, writes, alone))
        if not self._busy:
            self._begin(loop)
        return await done

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Has the thread work on what waits: soon where many jobs come, else at once."""
        self._busy = True
        if loop.time() < self._next_at:
            loop.call_at(self._next_at, self._hand_over, loop)
        else:
            self._hand_over(loop)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        """Gives the thread everything that waits, because waking it costs more than most
        statements.
        """
        jobs = self._waiting
        self._waiting = []
        if sum(job.writes for job in jobs) > 1:
            self._next_at = loop.time() + GATHER_S
        try:
            self._thread.submit(self._work, jobs, loop)
        except RuntimeError:
            # Closed meanwhile: nobody may wait for ever.
            self._busy = False
            closed = StoreUnavailable("the database is closed")
            self._deliver([_Result(job, error=closed) for job in jobs], loop)

    def _work(self, jobs: list[_Job], loop: asyncio.AbstractEventLoop) -> None:
        """On the thread: sets the result of every job, and commits what it wrote."""
        may_share = any(job.writes for job in jobs) and not any(job.alone for job in jobs)
        results = self._together(jobs) if may_share else [self._plain(job) for job in jobs]
        loop.call_soon_threadsafe(self._finish, results, loop)

    def _together(self, jobs: list[_Job]) -> list[_Result]:
        """The results of jobs in one transaction, which costs about as much as that of one. The
        writes of a failed job are rolled back; if the transaction fails, all of them fail.
        """
        try:
            self._file.require_same()
            self.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            # Each by itself would wait just as long for the lock.
            return _all_failed(jobs, error)
        tx = SqliteTransaction(self.connection)
        results = [self._in_savepoint(job, tx, is_only=len(jobs) == 1) for job in jobs]
        if not self.connection.in_transaction:
            # A full disk has rolled everything back.
            return _all_failed(jobs, next(result.error for result in results if result.error))
        if len(jobs) == 1 and results[0].error:
            self.connection.execute("ROLLBACK")
            return results
        try:
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            return _all_failed(jobs, error)
        return results

    def _in_savepoint(self, job: _Job, tx: SqliteTransaction, *, is_only: bool) -> _Result:
        """The result of one job of a transaction; without a savepoint where all of it is undone."""
        if is_only or not job.writes:
            return _done(job, tx)
        if not self.connection.in_transaction:
            return _failed(job, sqlite3.OperationalError("the transaction was rolled back"))
        try:
            self.connection.execute("SAVEPOINT job")
        except sqlite3.Error as error:
            return _failed(job, error)
        result = _done(job, tx)
        if self.connection.in_transaction:
            if result.error:
                self.connection.execute("ROLLBACK TO job")
            self.connection.execute("RELEASE job")
        return result

    def _plain(self, job: _Job) -> _Result:
        # The connection is there once the first job of all has opened it.
        tx = None if job.alone else SqliteTransaction(self.connection)
        if job.writes:
            return self._together([job])[0]
        return _done(job, tx)

    def _finish(self, results: list[_Result], loop: asyncio.AbstractEventLoop) -> None:
        self._busy = False
        if self._waiting:
            self._begin(loop)
        self._deliver(results, loop)

    def _deliver(self, results: list[_Result], loop: asyncio.AbstractEventLoop) -> None:
        """Wakes a few of those who wait in each turn of the event loop."""
        for result in results[:WOKEN_AT_ONCE]:
            result.deliver()
        if rest := results[WOKEN_AT_ONCE:]:
            loop.call_soon(self._deliver, rest, loop)


def _done(job: _Job, tx: SqliteTransaction | None) -> _Result:
    try:
        return _Result(job, job.work(tx))  # type: ignore[arg-type]
    except BaseException as error:
        return _failed(job, error)


def _failed(job: _Job, error: BaseException) -> _Result:
    if isinstance(error, sqlite3.Error):
        unavailable = StoreUnavailable(str(error))
        unavailable.__cause__ = error
        return _Result(job, error=unavailable)
    return _Result(job, error=error)


def _all_failed(jobs: list[_Job], error: BaseException) -> list[_Result]:
    return [_failed(job, sqlite3.OperationalError(str(error))) for job in jobs]


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
