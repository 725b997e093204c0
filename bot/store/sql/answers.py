"""Private answers that their asker may share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.answer import Block
from bot.store.sql.database import Database, Transaction, to_text


class SqlAnswers:
    def __init__(self, database: Database, kept_for: timedelta) -> None:
        self._database, self._kept_for = database, kept_for

    async def keep(
        self,
        ticket: str,
        *,
        user: str,
        channel: str,
        text: str,
        blocks: Sequence[Block],
        now: datetime,
    ) -> None:
        row = (ticket, to_text(now), user, channel, text, json.dumps(blocks))

        def keep(tx: Transaction) -> None:
            tx.execute("DELETE FROM answers WHERE kept_at < ?", (self._oldest(now),))
            tx.execute(
                'INSERT INTO answers (ticket, kept_at, "user", channel, text, blocks) '
                "VALUES (?, ?, ?, ?, ?, ?)",
                row,
            )

        await self._database.write(keep)

    async def kept_at(self, ticket: str) -> datetime | None:
        rows = await self._database.read("SELECT kept_at FROM answers WHERE ticket = ?", (ticket,))
        return datetime.fromisoformat(rows[0]["kept_at"]) if rows else None

    async def take(
        self, ticket: str, *, user: str, channel: str | None = None, now: datetime | None = None
    ) -> tuple[str, list[Block]] | None:
        def take(tx: Transaction) -> tuple[str, list[Block]] | None:
            rows = tx.query(
                'SELECT text, blocks FROM answers WHERE ticket = ? AND "user" = ? '
                "AND kept_at >= ? AND channel = coalesce(?, channel)",
                (ticket, user, self._oldest(now), channel),
            )
            if not rows:
                return None
            tx.execute("DELETE FROM answers WHERE ticket = ?", (ticket,))
            return rows[0]["text"], json.loads(rows[0]["blocks"])

        return await self._database.write(take)

    async def find(
        self, begins: str, *, user: str, now: datetime | None = None
    ) -> tuple[str, str, list[Block]] | None:
        rows = await self._database.read(
            'SELECT ticket, text, blocks FROM answers WHERE "user" = ? '
            "AND substr(ticket, 1, ?) = ? AND kept_at >= ?",
            (user, len(begins), begins, self._oldest(now)),
        )
        return (rows[0]["ticket"], rows[0]["text"], json.loads(rows[0]["blocks"])) if rows else None

    async def prune(self, now: datetime) -> None:
        await self._database.execute("DELETE FROM answers WHERE kept_at < ?", (self._oldest(now),))

    def _oldest(self, now: datetime | None) -> str:
        return to_text(now - self._kept_for) if now else ""
