"""Private answers that their asker may share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.answer import Block
from bot.store.records import StoredAnswer
from bot.store.sql.database import Database, Row, Transaction, to_text


class SqlAnswers:
    def __init__(self, database: Database, kept_for: timedelta) -> None:
        self._database = database
        self._kept_for = kept_for

    async def save(
        self,
        ticket: str,
        *,
        user: str,
        channel: str,
        command: str,
        text: str,
        blocks: Sequence[Block],
        now: datetime,
    ) -> None:
        row = (ticket, to_text(now), user, channel, command, text, json.dumps(blocks))

        def insert(tx: Transaction) -> None:
            tx.execute("DELETE FROM answers WHERE kept_at < ?", (self._oldest(now),))
            tx.execute(
                'INSERT INTO answers (ticket, kept_at, "user", channel, command, text, blocks) '
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                row,
            )

        await self._database.write(insert)

    async def take(
        self, ticket: str, *, user: str, channel: str | None = None, now: datetime | None = None
    ) -> StoredAnswer | None:
        def take(tx: Transaction) -> StoredAnswer | None:
            rows = tx.query(
                'SELECT ticket, kept_at, command, text, blocks FROM answers WHERE ticket = ? AND "user" = ? '
                "AND kept_at >= ? AND channel = coalesce(?, channel)",
                (ticket, user, self._oldest(now), channel),
            )
            if not rows:
                return None
            # In the same transaction, so that two presses share it once.
            tx.execute("DELETE FROM answers WHERE ticket = ?", (ticket,))
            return _answer(rows[0])

        return await self._database.write(take)

    async def find(
        self, begins: str, *, user: str, now: datetime | None = None
    ) -> StoredAnswer | None:
        rows = await self._database.read(
            'SELECT ticket, kept_at, command, text, blocks FROM answers WHERE "user" = ? '
            "AND substr(ticket, 1, ?) = ? AND kept_at >= ?",
            (user, len(begins), begins, self._oldest(now)),
        )
        return _answer(rows[0]) if rows else None

    async def prune(self, now: datetime) -> None:
        await self._database.execute("DELETE FROM answers WHERE kept_at < ?", (self._oldest(now),))

    def _oldest(self, now: datetime | None) -> str:
        return to_text(now - self._kept_for) if now else ""


def _answer(row: Row) -> StoredAnswer:
    return StoredAnswer(
        row["ticket"],
        datetime.fromisoformat(row["kept_at"]),
        row["command"],
        row["text"],
        json.loads(row["blocks"]),
    )
