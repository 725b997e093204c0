"""Deliveries of Slack that were handled, kept across restarts."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.store.sql.database import Database, to_text

# Slack delivers an event again for up to an hour, or a day where delayed events are switched on.
REPEATED_WITHIN = timedelta(days=1)


class SqlDeliveries:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, key: str, *, now: datetime) -> bool:
        sql = "INSERT INTO deliveries (key, received_at) VALUES (?, ?) ON CONFLICT (key) DO NOTHING"
        return await self._database.write(lambda tx: tx.execute(sql, (key, to_text(now))) == 1)

    async def release(self, key: str) -> None:
        await self._database.execute("DELETE FROM deliveries WHERE key = ?", (key,))

    async def prune(self, now: datetime) -> None:
        oldest = to_text(now - REPEATED_WITHIN)
        await self._database.execute("DELETE FROM deliveries WHERE received_at < ?", (oldest,))
