"""Erases what is stored about a person, in one transaction, on any database."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.reports.seen_values import SeenSet, erased_digests
from bot.store.records import Topic
from bot.store.sql.changes import record_change
from bot.store.sql.database import Transaction, quoted

# Stands where a person stood. Slack knows nobody of this id, so what they made has no rights any
# more.
NOBODY = "U0FORGOTTEN"
# What is deleted whole, by the column that holds the person's id.
OWN = {"questions": "user", "answers": "user", "outbox": "channel"}


# The posts of what a person made, by the beginning of their keys.
_DIGEST_KEY = "'digest:subscription ' || made.number || ':'"
_ALERT_KEY = "'alert:' || made.name || ':'"
_MADE_BY = f"""
    EXISTS (
        SELECT 1 FROM subscriptions AS made WHERE made."user" = ?
        AND substr(outbox.key, 1, length({_DIGEST_KEY})) = {_DIGEST_KEY}
    ) OR EXISTS (
        SELECT 1 FROM rules AS made WHERE made."user" = ?
        AND substr(outbox.key, 1, length({_ALERT_KEY})) = {_ALERT_KEY}
    )
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows were deleted by table, in how many others the id was replaced, and what the
    person had made that is still active. `touched` are the tables with changed rows.
    """

    deleted: dict[str, int]
    changed: dict[str, int]
    alerts: tuple[str, ...] = ()
    subscriptions: tuple[int, ...] = ()
    touched: frozenset[str] = frozenset()

    @property
    def is_empty(self) -> bool:
        return not any(self.deleted.values()) and not any(self.changed.values())


class TextColumns(Protocol):
    """How one database finds and replaces a pattern in its text."""

    @property
    def matches(self) -> str:
        """The operator between a text and a pattern."""
        ...

    def by_table(self, tx: Transaction) -> Mapping[str, Sequence[str]]:
        """The text columns of each of our tables, whatever version has created it."""
        ...

    def replace(self, tx: Transaction, table: str, column: str, pattern: str) -> int:
        """Replaces the pattern by NOBODY in a column. A row that cannot be told apart from another
        one without it is deleted. The number of rows that were changed or deleted.
        """
        ...


def person_pattern(user: str) -> str:
    """The id where it is not part of a longer one, for Python and PostgreSQL alike."""
    # In JSON, a letter before the id may be the end of an escape, such as that of a line feed.
    before = r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4}))"
    return rf"{before}{re.escape(user)}(?![A-Za-z0-9])"


def erase(tx: Transaction, columns: TextColumns, user: str, *, heir: str = "") -> Erased:
    """Deletes the person's questions, private answers and direct messages, and replaces their id
    wherever else it is stored. Active alerts and subscriptions then belong to `heir`, if given,
    else to nobody.
    """
    return _Eraser(tx, columns, user, heir).erase()


class _Eraser:
    """One erasure, in one transaction."""

    def __init__(self, tx: Transaction, columns: TextColumns, user: str, heir: str) -> None:
        self._tx = tx
        self._text = columns
        self._columns = columns.by_table(tx)
        self._user = user
        self._heir = heir
        self._pattern = person_pattern(user)
        self._touched = set[str]()

    def erase(self) -> Erased:
        deleted = self._delete_own()
        deleted |= self._blank_answers()
        deleted |= self._delete_digests()
        alerts, subscriptions = self._hand_over()
        deleted |= self._blank_messages()
        changed = self._replace_everywhere()
        return Erased(deleted, changed, alerts, subscriptions, frozenset(self._touched))

    def _delete_own(self) -> dict[str, int]:
        deleted = {}
        for table in ("response_urls", "unsent_files"):
            if self._has(table):
                of_person = 'SELECT delivery FROM questions WHERE "user" = ?'
                sql = f"DELETE FROM {table} WHERE delivery IN ({of_person})"  # noqa: S608 - constants
                deleted[table] = self._change(table, sql, self._user)
        for table, column in OWN.items():
            if self._has(table):
                sql = f"DELETE FROM {table} WHERE {quoted(column)} = ?"  # noqa: S608 - constants
                deleted[table] = self._change(table, sql, self._user)
        if self._has("silences"):
            # What they wrote about a silence is theirs; that it was quiet is everybody's.
            sql = "UPDATE silences SET comment = '' WHERE \"user\" = ?"
            self._change("silences", sql, self._user)
        return deleted

    def _hand_over(self) -> tuple[tuple[str, ...], tuple[int, ...]]:
        alerts = self._active("rules", "name")
        subscriptions = self._active("subscriptions", "number")
        for table in ("rules", "subscriptions"):
            if self._has(table):
                sql = f'UPDATE {table} SET "user" = ? WHERE "user" = ? AND ended_at IS NULL'  # noqa: S608 - constants
                self._change(table, sql, self._heir or NOBODY, self._user)
        if self._has("changes"):
            # A bot that runs reads anew whose they are.
            record_change(self._tx, Topic.RULES)
            record_change(self._tx, Topic.SUBSCRIPTIONS)
        return tuple(map(str, alerts)), tuple(map(int, subscriptions))

    def _blank_answers(self) -> dict[str, int]:
        """Messages and files of alerts and subscriptions that the person made, if they were sent.
        Without an heir, unsent ones are dropped, because what they are about is paused.
        """
        if not self._has("outbox"):
            return {}
        states = "'sent'" if self._heir else "'sent', 'pending', 'sending', 'aside'"
        made_by = f"state IN ({states}) AND (text != '' OR blocks != '[]') AND ({_MADE_BY})"
        by_person = (self._user, self._user)
        if self._has("outbox_files"):
            keys = f"SELECT key FROM outbox WHERE {made_by}"  # noqa: S608 - constants
            sql = f"DELETE FROM outbox_files WHERE key IN ({keys})"  # noqa: S608 - constants
            self._change("outbox_files", sql, *by_person)
        sql = f"UPDATE outbox SET text = '', blocks = '[]', state = 'sent' WHERE {made_by}"  # noqa: S608
        return {"texts of their alerts and subscriptions": self._change("outbox", sql, *by_person)}

    def _delete_digests(self) -> dict[str, int]:
        """The digests of the person's id among the values of API calls."""
        if not self._has("seen_values"):
            return {}
        digests = erased_digests(self._user)
        count = 0
        for row in self._tx.query("SELECT account, day, kind, entries FROM seen_values"):
            before = SeenSet(row["entries"])
            after = before.without(digests)
            if len(after) < len(before):
                count += len(before) - len(after)
                self._change(
                    "seen_values",
                    "UPDATE seen_values SET entries = ? WHERE account = ? AND day = ? AND kind = ?",
                    *(after.packed, row["account"], row["day"], row["kind"]),
                )
        return {"values of API calls": count} if count else {}

    def _blank_messages(self) -> dict[str, int]:
        """Messages that were sent and name the person are in Slack; the stored copy loses its text,
        which may contain their name, too.
        """
        if not self._has("outbox"):
            return {}
        places = ("text", "blocks", "coalesce(trouble, '')")
        named = " OR ".join(f"{place} {self._text.matches} ?" for place in places)
        sql = f"UPDATE outbox SET text = '', blocks = '[]' WHERE state = 'sent' AND ({named})"  # noqa: S608 - constants
        count = self._change("outbox", sql, *[self._pattern] * len(places))
        return {"texts of sent messages": count}

    def _replace_everywhere(self) -> dict[str, int]:
        """Replaces the id in all other tables, including those that a later version adds."""
        changed: dict[str, int] = {}
        for table, columns in self._columns.items():
            count = sum(
                self._text.replace(self._tx, table, column, self._pattern) for column in columns
            )
            if count:
                changed[table] = count
                self._touched.add(table)
        return changed

    def _has(self, table: str) -> bool:
        return table in self._columns

    def _active(self, table: str, column: str) -> list[Any]:
        if not self._has(table):
            return []
        sql = f'SELECT {column} FROM {table} WHERE "user" = ? AND ended_at IS NULL ORDER BY number'  # noqa: S608 - constants
        return [row[column] for row in self._tx.query(sql, (self._user,))]

    def _change(self, table: str, sql: str, *params: Any) -> int:
        count = self._tx.execute(sql, params)
        if count:
            self._touched.add(table)
        return count
