"""Erases what is stored about a person on a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql as composed

from bot.store.errors import StoreError, Unsuitable
from bot.store.postgres.connection import (
    PostgresTransaction,
    connect,
    lock_alone,
    require_database,
)
from bot.store.postgres.reasons import first_line
from bot.store.records import LeaseTimings
from bot.store.sql.claims import live_replicas
from bot.store.sql.database import Transaction, quoted
from bot.store.sql.erase import NOBODY, Erased, erase


def erase_person(url: str, user: str, *, heir: str = "") -> Erased:
    """Deletes the person's questions, private answers and direct messages, and replaces their id
    wherever else it is stored.

    Active alerts and subscriptions then belong to `heir`, if given, else to nobody. Raises
    Unsuitable where a bot uses the database, and StoreError where it cannot be changed.
    """
    try:
        with connect(url) as connection:
            with connection.transaction():
                # Bots that start meanwhile wait for it with their first statement.
                lock_alone(connection)
                tx = PostgresTransaction(connection)
                require_database(tx)
                _require_unused(tx)
                erased = erase(tx, PostgresTextColumns(connection), user, heir=heir)
            _rewrite(connection, erased.touched)
            return erased
    except psycopg.Error as error:
        raise StoreError(
            f"The PostgreSQL database cannot be changed: {first_line(error)}."
        ) from None


def _require_unused(tx: Transaction) -> None:
    """Raises Unsuitable while a bot renews its lease: it keeps some of this in memory and would
    write it again.
    """
    timings = LeaseTimings()
    if tx.query(live_replicas(tx.dialect.lease_clock, timings)):
        raise Unsuitable(
            "The PostgreSQL database is in use by another process; stop all bots first, and wait "
            f"{timings.expires_after:g} s after one that was killed."
        )


def _rewrite(connection: psycopg.Connection[Any], tables: Iterable[str]) -> None:
    """Writes tables anew: deleted rows stay readable in their files until then."""
    try:
        for table in sorted(tables):
            connection.execute(composed.SQL("VACUUM (FULL) {}").format(composed.Identifier(table)))
    except psycopg.Error as error:
        raise StoreError(
            "Everything was erased, but the server's files may still hold deleted rows, because "
            f"a table could not be rewritten: {first_line(error)}."
        ) from None


class PostgresTextColumns:
    """Text columns by their domain, which other programs that share the schema do not use."""

    matches = "~"

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def by_table(self, tx: Transaction) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        for row in tx.query(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = current_schema() AND domain_name = 'words' "
            "ORDER BY table_name, ordinal_position"
        ):
            found.setdefault(row["table_name"], []).append(row["column_name"])
        return found

    def replace(self, tx: Transaction, table: str, column: str, pattern: str) -> int:
        name = quoted(column)
        update = f"UPDATE {quoted(table)} SET {name} = regexp_replace({name}, ?, ?, 'g') WHERE"  # noqa: S608 - from the schema
        replaced = (pattern, NOBODY)
        try:
            # A transaction within the transaction is a savepoint.
            with self._connection.transaction():
                return tx.execute(f"{update} {name} ~ ?", (*replaced, pattern))
        except psycopg.errors.UniqueViolation:
            pass
        # `ctid` is the place of a row, which stays until the row itself is changed.
        named = f"SELECT CAST(ctid AS text) AS place FROM {quoted(table)} WHERE {name} ~ ?"  # noqa: S608 - from the schema
        places = [row["place"] for row in tx.query(named, (pattern,))]
        for place in places:
            try:
                with self._connection.transaction():
                    tx.execute(f"{update} ctid = CAST(? AS tid)", (*replaced, place))
            except psycopg.errors.UniqueViolation:
                tx.execute(f"DELETE FROM {quoted(table)} WHERE ctid = CAST(? AS tid)", (place,))  # noqa: S608 - from the schema
        return len(places)
