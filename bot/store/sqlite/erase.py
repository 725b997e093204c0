"""Erases what is stored about a person."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.reports.seen_values import SeenSet, erased_digests
from bot.store.errors import StoreError
from bot.store.sqlite.files import MIGRATIONS, InUse, quoted, require_database

# Stands where a person stood. Slack knows nobody of this id, so what they made has no rights any
# more.
NOBODY = "U0FORGOTTEN"
# What is deleted whole, by the column that holds the person's id.
OWN = {"questions": "user", "answers": "user", "outbox": "channel"}


# The posts of what a person made, by the beginning of their keys.
_MADE_BY = """
    EXISTS (
        SELECT 1 FROM subscriptions AS made WHERE made.user = ?1
        AND instr(outbox.key, 'digest:subscription ' || made.number || ':') = 1
    ) OR EXISTS (
        SELECT 1 FROM rules AS made WHERE made.user = ?1
        AND instr(outbox.key, 'alert:' || made.name || ':') = 1
    )
"""


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows were deleted by table, in how many others the id was replaced, and what the
    person had made that is still active.
    """

    deleted: dict[str, int]
    changed: dict[str, int]
    alerts: tuple[str, ...] = ()
    subscriptions: tuple[int, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not any(self.deleted.values()) and not any(self.changed.values())


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
            erased = _Eraser(connection, user, heir).erase()
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


class _Eraser:
    """One erasure, in one transaction."""

    def __init__(self, connection: sqlite3.Connection, user: str, heir: str) -> None:
        self._db = connection
        self._user = user
        self._heir = heir
        self._id = re.compile(rf"(?<![A-Za-z0-9]){re.escape(user)}(?![A-Za-z0-9])")
        connection.create_function("names_person", 1, self._names, deterministic=True)
        connection.create_function("without_person", 1, self._without, deterministic=True)

    def erase(self) -> Erased:
        deleted = self._delete_own()
        deleted |= self._blank_answers()
        deleted |= self._delete_digests()
        alerts, subscriptions = self._hand_over()
        deleted |= self._blank_messages()
        return Erased(deleted, self._replace_everywhere(), alerts, subscriptions)

    def _delete_own(self) -> dict[str, int]:
        urls = (
            "DELETE FROM response_urls WHERE delivery IN (SELECT delivery FROM questions WHERE "
            "user = ?)"
        )
        deleted = {"response_urls": self._count(urls)} if self._has("response_urls") else {}
        if self._has("unsent_files"):
            deleted["unsent_files"] = self._count(urls.replace("response_urls", "unsent_files"))
        for table, column in OWN.items():
            if self._has(table):
                deleted[table] = self._count(f"DELETE FROM {table} WHERE {column} = ?")  # noqa: S608 - constants
        if self._has("silences"):
            # What they wrote about a silence is theirs; that it was quiet is everybody's.
            self._db.execute("UPDATE silences SET comment = '' WHERE user = ?", (self._user,))
        return deleted

    def _hand_over(self) -> tuple[tuple[str, ...], tuple[int, ...]]:
        alerts = self._active("rules", "name")
        subscriptions = self._active("subscriptions", "number")
        for table in ("rules", "subscriptions"):
            if self._has(table):
                sql = f"UPDATE {table} SET user = ? WHERE user = ? AND ended_at IS NULL"  # noqa: S608 - constants
                self._db.execute(sql, (self._heir or NOBODY, self._user))
        return tuple(map(str, alerts)), tuple(map(int, subscriptions))

    def _blank_answers(self) -> dict[str, int]:
        """Messages and files of alerts and subscriptions that the person made, if they were sent.
        Without an heir, unsent ones are dropped, because what they are about is paused.
        """
        if not self._has("outbox"):
            return {}
        states = "'sent'" if self._heir else "'sent', 'pending', 'sending', 'aside'"
        made_by = f"state IN ({states}) AND (text != '' OR blocks != '[]') AND ({_MADE_BY})"
        keys = f"SELECT key FROM outbox WHERE {made_by}"  # noqa: S608 - constants
        if self._has("outbox_files"):
            self._count(f"DELETE FROM outbox_files WHERE key IN ({keys})")  # noqa: S608
        count = self._count(
            f"UPDATE outbox SET text = '', blocks = '[]', state = 'sent' WHERE {made_by}"  # noqa: S608
        )
        return {"texts of their alerts and subscriptions": count}

    def _delete_digests(self) -> dict[str, int]:
        """The digests of the person's id among the values of API calls."""
        if not self._has("seen_values"):
            return {}
        digests = erased_digests(self._user)
        count = 0
        rows = self._db.execute("SELECT account, day, kind, entries FROM seen_values").fetchall()
        for account, day, kind, packed in rows:
            before = SeenSet(packed)
            after = before.without(digests)
            if len(after) < len(before):
                count += len(before) - len(after)
                self._db.execute(
                    "UPDATE seen_values SET entries = ? WHERE account = ? AND day = ? AND kind = ?",
                    (after.packed, account, day, kind),
                )
        return {"values of API calls": count} if count else {}

    def _blank_messages(self) -> dict[str, int]:
        """Messages that were sent and name the person are in Slack; the stored copy loses its text,
        which may contain their name, too.
        """
        if not self._has("outbox"):
            return {}
        sql = (
            "UPDATE outbox SET text = '', blocks = '[]' WHERE state = 'sent' "
            "AND (names_person(text) OR names_person(blocks) OR names_person(coalesce(trouble, "
            "'')))"
        )
        return {"texts of sent messages": self._db.execute(sql).rowcount}

    def _replace_everywhere(self) -> dict[str, int]:
        """Replaces the id in all other tables, including those that a later version adds."""
        changed: dict[str, int] = {}
        for table in self._tables():
            for column in self._text_columns(table):
                place = quoted(table)
                name = quoted(column)
                named = f"names_person({name})"
                sql = f"UPDATE OR IGNORE {place} SET {name} = without_person({name}) WHERE {named}"  # noqa: S608 - from the schema
                count = self._db.execute(sql).rowcount
                # A row that cannot be told apart from another one without the id goes.
                count += self._db.execute(f"DELETE FROM {place} WHERE {named}").rowcount  # noqa: S608
                if count:
                    changed[table] = changed.get(table, 0) + count
        return changed

    def _tables(self) -> list[str]:
        names = self._db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' "
            "ESCAPE '\\'"
        )
        return [str(name) for (name,) in names.fetchall() if name != MIGRATIONS]

    def _text_columns(self, table: str) -> list[str]:
        columns = self._db.execute(f"PRAGMA table_info({quoted(table)})").fetchall()
        return [str(column[1]) for column in columns if str(column[2]).upper() == "TEXT"]

    def _has(self, table: str) -> bool:
        return table in self._tables()

    def _active(self, table: str, column: str) -> list[Any]:
        if not self._has(table):
            return []
        sql = f"SELECT {column} FROM {table} WHERE user = ? AND ended_at IS NULL ORDER BY number"  # noqa: S608 - constants
        return [value for (value,) in self._db.execute(sql, (self._user,))]

    def _count(self, sql: str) -> int:
        return self._db.execute(sql, (self._user,)).rowcount

    def _names(self, text: object) -> bool:
        return isinstance(text, str) and self._user in text and bool(self._id.search(text))

    def _without(self, text: str) -> str:
        return self._id.sub(NOBODY, text)
