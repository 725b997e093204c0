"""Connections to a PostgreSQL server, used in threads.

Transactions that write take one advisory lock, so that one of them runs at a time in all processes.
That is how SQLite runs them, and so the same statements are right on both. Those of evaluations,
which are many, share the lock: they run concurrently with each other, but never with any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from types import MappingProxyType
from typing import Any, LiteralString, TypeVar

import msgspec
import psycopg
from msgspec import Struct
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from bot.store.compatibility import TABLE, oldest_of, require_known
from bot.store.errors import StoreError, StoreUnavailable, Unsuitable, WriteConflict
from bot.store.postgres.migrations import COMPATIBLE, STEPS
from bot.store.postgres.reasons import cause_of, first_line
from bot.store.sql.database import Columns, Dialect, Row, Transaction, Values

T = TypeVar("T")
# A few reads may run beside the one write.
CONNECTIONS = 4
CONNECT_WITHIN_S = 5
# A machine that has gone, or a network that drops packets, closes no connection. Without these the
# system waits a quarter of an hour for it; so long nothing could be read.
TIMEOUTS: Mapping[str, int] = MappingProxyType(
    {
        "connect_timeout": CONNECT_WITHIN_S,
        "keepalives_idle": 5,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
    }
)
# A process that stands still within a transaction, such as that of a suspended machine, holds the
# lock that all others wait for. Its lease lasts for 12 s.
IDLE_IN_TRANSACTION = "10s"
# NUL as JSON writes it.
_JSON_NUL = "\\u0000"
# Any number that no other program takes in the same database: "opswatch" in hexadecimal.
WRITE_LOCK = 0x6F70737761746368
_LOCK_ALONE = "SELECT pg_advisory_xact_lock(%s)"
_LOCK_SHARED = "SELECT pg_advisory_xact_lock_shared(%s)"
SECONDS = "CAST(extract(epoch FROM clock_timestamp()) AS float8)"


def _table(columns: Columns, rows: Sequence[Values]) -> tuple[str, list[Any]]:
    """The rows as one parameter, JSON: sent and read faster than a parameter for each value."""
    types = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    named = [dict(zip(columns, row, strict=True)) for row in rows]
    encoded = msgspec.json.encode(named).decode()
    if _JSON_NUL in encoded:
        named = [dict(zip(columns, _storable(row), strict=True)) for row in rows]
        encoded = msgspec.json.encode(named).decode()
    return f"(SELECT * FROM json_to_recordset(CAST(? AS json)) AS given({types}))", [encoded]  # noqa: S608


DIALECT = Dialect(
    lease_clock=SECONDS,
    time_of_day=SECONDS,
    json_member=lambda column, name: f"(CAST({column} AS json) ->> '{name}')",
    table=_table,
)


class PostgresTransaction:
    """The statements of one transaction."""

    dialect = DIALECT

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        return self._connection.execute(_translated(sql), _storable(params)).rowcount

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(_translated(sql), _storable(params)).fetchall()

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        with self._connection.cursor() as cursor:
            cursor.executemany(_translated(sql), map(_storable, rows))
            return cursor.rowcount


class PostgresDatabase:
    """An open database on a server."""

    dialect = DIALECT

    def __init__(self, url: str) -> None:
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="store")
        self._failure = _ConnectionFailure()
        self._pool = ConnectionPool(
            url,
            min_size=1,
            max_size=CONNECTIONS,
            open=False,
            timeout=CONNECT_WITHIN_S,
            # A server that was restarted leaves dead connections in the pool.
            check=ConnectionPool.check_connection,
            configure=_configure,
            connection_class=_recording(self._failure),
            kwargs={
                "autocommit": True,
                # A server without an encoding of its own would give bytes.
                "client_encoding": "utf8",
                **_not_in(url, TIMEOUTS),
            },
        )

    @classmethod
    async def open(cls, url: str) -> PostgresDatabase:
        """The database at `url`, migrated if needed. Raises StoreError; no message shows the URL,
        which holds a password.
        """
        database = cls(url)
        try:
            await asyncio.to_thread(database._pool.open)
            await database.write(_migrate)
        except StoreUnavailable as error:
            await database.close()
            raise StoreError(f"The PostgreSQL database cannot be used: {error}.") from None
        except BaseException:
            await database.close()
            raise
        return database

    async def close(self) -> None:
        await asyncio.to_thread(self._pool.close, timeout=2.0)
        self._threads.shutdown(wait=False)

    async def read(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        return await self._run(
            lambda connection: PostgresTransaction(connection).query(sql, params)
        )

    async def lookup(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        return await self.read(sql, params)

    async def write(self, work: Callable[[Transaction], T], *, concurrent: bool = False) -> T:
        lock: LiteralString = _LOCK_SHARED if concurrent else _LOCK_ALONE

        def transaction(connection: psycopg.Connection[Any]) -> T:
            with connection.transaction():
                connection.execute(lock, (WRITE_LOCK,))
                return work(PostgresTransaction(connection))

        return await self._run(transaction)

    async def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        return await self._run(
            lambda connection: PostgresTransaction(connection).execute(sql, params)
        )

    async def damage(self) -> str:
        """Damage is found by the server, and raised where it is met."""
        return ""

    async def size(self) -> int:
        [row] = await self.read("SELECT pg_database_size(current_database()) AS bytes")
        return int(row["bytes"])

    async def _run(self, work: Callable[[psycopg.Connection[Any]], T]) -> T:
        """The result of `work`, done on a thread with a connection of the pool."""

        def run() -> T:
            try:
                with self._pool.connection() as connection:
                    return work(connection)
            except psycopg.errors.DeadlockDetected as error:
                raise WriteConflict(first_line(error)) from error
            except PoolTimeout as error:
                # The pool says how long it waited; why, only the attempts to connect know.
                reason = self._failure.reason or first_line(error)
                raise StoreUnavailable(reason, cause_of(reason)) from error
            except psycopg.Error as error:
                raise StoreUnavailable(first_line(error)) from error

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, run)
        except RuntimeError:
            # The threads are gone.
            raise StoreUnavailable("the database is closed") from None


class _ConnectionFailure(Struct):
    """Why the last attempt to connect failed; empty after one that succeeded."""

    reason: str = ""


def _recording(failure: _ConnectionFailure) -> type[psycopg.Connection[Any]]:
    """A class of connections that records why one could not be opened. The pool tries in the
    background, and reports only that none could be had in time.
    """

    class Connection(psycopg.Connection[Any]):
        @classmethod
        def connect(cls, *arguments: Any, **options: Any) -> Any:
            try:
                connection = super().connect(*arguments, **options)
            except psycopg.Error as error:
                failure.reason = first_line(error)
                raise
            failure.reason = ""
            return connection

    return Connection


def _not_in(url: str, settings: Mapping[str, int]) -> dict[str, int]:
    """The settings that the URL leaves open."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.Error:
        # The attempt to connect says what is wrong.
        given = {}
    return {name: value for name, value in settings.items() if name not in given}


def _configure(connection: psycopg.Connection[Any]) -> None:
    """Settings of each session."""
    # What a tick reads is in memory. By the default, which is that of a rotating disk, a batch of
    # evaluations reads whole tables rather than its rows by their keys.
    connection.execute("SET random_page_cost = 1.1")
    # 0 is no limit. Any other is the operator's, from the URL, the role or the server.
    connection.execute(
        "SELECT set_config('idle_in_transaction_session_timeout', %s, false) "
        "WHERE current_setting('idle_in_transaction_session_timeout') = '0'",
        (IDLE_IN_TRANSACTION,),
    )


@lru_cache(maxsize=512)
def _translated(sql: str) -> LiteralString:
    """The statement with the parameters that psycopg wants. All statements are our own."""
    # In this order: the second adds percent signs of its own.
    return sql.replace("%", "%%").replace("?", "%s")


def _storable(params: Sequence[Any]) -> list[Any]:
    """The parameters without NUL in text, which PostgreSQL does not hold."""
    return [
        value.replace("\0", "\ufffd") if isinstance(value, str) and "\0" in value else value
        for value in params
    ]


def connect(url: str) -> psycopg.Connection[Any]:
    """A connection of its own, for a command. Raises psycopg.Error."""
    conninfo = make_conninfo(url, **_not_in(url, TIMEOUTS))
    return psycopg.connect(conninfo, autocommit=True, client_encoding="utf8")


def lock_alone(connection: psycopg.Connection[Any]) -> None:
    """Lets no other transaction of a bot write before the end of the current one."""
    connection.execute(_LOCK_ALONE, (WRITE_LOCK,))


def require_database(tx: Transaction) -> None:
    """Raises Unsuitable where the tables are missing, or of a newer version that this one may not
    use.
    """
    try:
        is_empty = len(_pending(tx)) == len(STEPS)
    except StoreError as error:
        raise Unsuitable(str(error)) from None
    if is_empty:
        raise Unsuitable("The PostgreSQL database has no tables of Opswatch.")


def pending_steps(url: str) -> list[str]:
    """The steps that the next start would apply to the database at `url`, which is not changed.
    Raises Unsuitable where this version may not use it, and StoreError where it cannot be reached.
    """
    try:
        with connect(url) as connection:
            return _pending(PostgresTransaction(connection))
    except psycopg.Error as error:
        raise StoreError(f"The PostgreSQL database cannot be used: {first_line(error)}.") from None
    except StoreError as error:
        raise Unsuitable(str(error)) from None


def _migrate(tx: Transaction) -> None:
    """Applies the steps that are missing; the lock of the transaction keeps others waiting."""
    tx.execute("CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, applied_at text)")
    for name in _pending(tx):
        for statement in STEPS[name]:
            tx.execute(statement)
        tx.execute(
            "INSERT INTO migrations (name, applied_at) VALUES (?, CAST(now() AS text))", (name,)
        )
    tx.execute_many(
        f"INSERT INTO {TABLE} (step, oldest) VALUES (?, ?) ON CONFLICT (step) DO NOTHING",  # noqa: S608
        oldest_of(tuple(STEPS), COMPATIBLE),
    )


def _pending(tx: Transaction) -> list[str]:
    """The steps that are missing. Raises StoreError where the tables cannot be used."""
    if _has_table(tx, "moved_tables"):
        raise StoreError(
            "The move from SQLite has not finished. Run `migrate --to` again, or empty the database."
        )
    applied = set[str]()
    if _has_table(tx, "migrations"):
        applied = {row["name"] for row in tx.query("SELECT name FROM migrations")}
    require_known(applied, tuple(STEPS), _recorded(tx), database="The database")
    return [name for name in STEPS if name not in applied]


def _has_table(tx: Transaction, name: str) -> bool:
    [found] = tx.query("SELECT to_regclass(?) IS NOT NULL AS there", (name,))
    return bool(found["there"])


def _recorded(tx: Transaction) -> dict[str, str]:
    if not _has_table(tx, TABLE):
        return {}
    rows = tx.query(f"SELECT step, oldest FROM {TABLE}")  # noqa: S608 - a constant
    return {row["step"]: row["oldest"] for row in rows}
