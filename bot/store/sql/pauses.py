"""Alerts and subscriptions that are paused because their maker may no longer ask the question."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.store.records import Post, Topic
from bot.store.sql.changes import record_change
from bot.store.sql.database import Database, Transaction, to_text
from bot.store.sql.outbox import enqueue


class SqlPauses:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> set[str]:
        return {row["schedule"] for row in await self._database.read("SELECT schedule FROM pauses")}

    async def pause(self, schedule: str, posts: Sequence[Post], *, now: datetime) -> bool:
        sql = (
            "INSERT INTO pauses (schedule, paused_at) VALUES (?, ?) "
            "ON CONFLICT (schedule) DO NOTHING"
        )
        row = (schedule, to_text(now))
        return await self._database.write(
            lambda tx: bool(tx.execute(sql, row)) and _changed(tx, posts, now)
        )

    async def resume(self, schedule: str, posts: Sequence[Post], *, now: datetime) -> bool:
        sql = "DELETE FROM pauses WHERE schedule = ?"
        return await self._database.write(
            lambda tx: bool(tx.execute(sql, (schedule,))) and _changed(tx, posts, now)
        )


def _changed(tx: Transaction, posts: Sequence[Post], now: datetime) -> bool:
    record_change(tx, Topic.PAUSES)
    for post in posts:
        enqueue(tx, post, now)
    return True
