"""The port between SQL and a database: one set of statements runs on every backend.

Parameters are written as `?`, names that are keywords somewhere (`user`, `end`) in double quotes.
Differences between databases are in `Dialect`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from msgspec import Struct

T = TypeVar("T")
Row = dict[str, Any]
# Older versions of SQLite take 999 in a statement.
MOST_PARAMETERS = 960


Values = Sequence[Any]
# The types of columns by their names.
Columns = Mapping[str, str]


class Dialect(Struct, frozen=True):
    """The differences between databases. `lease_clock` is an expression for seconds on a clock that
    all processes share and nobody sets; `time_of_day` one for seconds since 1970 by the clock of
    the database, empty where that is the clock of this machine; `json_member` one for a text member
    of a JSON column. `table` is an expression for given rows, to be used after FROM, and its
    parameters.
    """

    lease_clock: str
    time_of_day: str
    json_member: Callable[[str, str], str]
    table: Callable[[Columns, Sequence[Values]], tuple[str, list[Any]]]


class Transaction(Protocol):
    """The statements of one transaction."""

    @property
    def dialect(self) -> Dialect: ...

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        """The number of rows that a statement changed."""
        ...

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """The rows of a query."""
        ...

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """One statement for each row of parameters; the number of rows that they changed."""
        ...


class Database(Protocol):
    """An open database. Its methods raise StoreUnavailable."""

    @property
    def dialect(self) -> Dialect: ...

    async def read(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """The rows of a query."""
        ...

    async def lookup(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """The few rows that a query finds by their key. A database in a file answers at once."""
        ...

    async def write(self, work: Callable[[Transaction], T], *, concurrent: bool = False) -> T:
        """The result of `work`, done in a transaction of its own. An error rolls it back.

        One such transaction runs at a time in all processes. Where the database can, `concurrent`
        ones run at the same time as each other: each of their statements must be correct whatever
        the others do, and they lock rows in one order, so that there are no deadlocks. A
        transaction that meets one raises WriteConflict and has to be repeated without `concurrent`.
        """
        ...

    async def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        """The number of rows that one statement changed, in a transaction of its own."""
        ...

    async def damage(self) -> str:
        """What is wrong with the stored data, in the database's words; empty if nothing is known."""
        ...

    async def size(self) -> int:
        """The bytes that it takes on its disk."""
        ...

    async def close(self) -> None: ...


def quoted(name: str) -> str:
    """A name of the schema as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


@lru_cache(maxsize=256)
def to_text(moment: datetime) -> str:
    """A time as the tables hold it: ISO-8601 in UTC with milliseconds, which sorts as text."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def all_or_nothing(tx: Transaction, work: Callable[[], bool]) -> bool:
    """Whether `work` succeeded. Where it did not, nothing of it is written, and the transaction
    goes on without it.
    """
    tx.execute("SAVEPOINT part")
    succeeded = work()
    if not succeeded:
        tx.execute("ROLLBACK TO SAVEPOINT part")
    tx.execute("RELEASE SAVEPOINT part")
    return succeeded


def query_in(tx: Transaction, sql: str, values: Sequence[Any]) -> list[Row]:
    """The rows of a query that ends with `IN`, for any number of values."""
    found = list[Row]()
    for chunk in chunks(values):
        found += tx.query(f"{sql} ({', '.join('?' for _ in chunk)})", chunk)
    return found


def chunks(values: Sequence[T], parameters_each: int = 1) -> Iterator[Sequence[T]]:
    """The values in parts that fit into one statement."""
    size = MOST_PARAMETERS // parameters_each
    for at in range(0, len(values), size):
        yield values[at : at + size]


def tables(
    tx: Transaction, columns: Columns, rows: Sequence[Values]
) -> Iterator[tuple[str, list[Any]]]:
    """The rows as tables that fit into one statement each, and their parameters."""
    for chunk in chunks(rows, len(columns)):
        yield tx.dialect.table(columns, chunk)
