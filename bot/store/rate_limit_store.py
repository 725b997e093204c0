"""What was asked of the vendors, and what remains: budgets that outlive the process and are shared
by all that use the database.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlite_utils import Database

from bot.store.sqlite import Store, to_text
from providers.limits.rate_limiter import Limit, ReportedQuota, Reservation, available_at

# Longer than any limit's window.
SPENDS_KEPT = timedelta(hours=1)


class SqliteRateLimitStore:
    """A rate_limit_store in the store. A reservation is one immediate transaction, so no two askers can have
    the same last one.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def reserve(
        self, key: str, limit: Limit, *, size: int, now: datetime
    ) -> Reservation | datetime:
        def reserve(db: Database) -> Reservation | datetime:
            db.execute("DELETE FROM spends WHERE at <= ?", (to_text(now - SPENDS_KEPT),))
            rows = db.query(
                "SELECT id, at, bytes, settled FROM spends WHERE key = ? AND at > ?",
                [key, to_text(now - limit.window)],
            )
            spends = [
                Reservation(
                    row["id"], datetime.fromisoformat(row["at"]), row["bytes"], bool(row["settled"])
                )
                for row in rows
            ]
            when = available_at(limit, spends, _learned(db, key), size=size, now=now)
            if when is not None:
                return when
            done = db.execute(
                "INSERT INTO spends (key, at, bytes, settled) VALUES (?, ?, ?, 0)",
                (key, to_text(now), size),
            )
            return Reservation(int(done.lastrowid or 0), now, size)

        return await self._store.write(reserve)

    async def settle(
        self, key: str, spend: Reservation, *, size: int, learned: ReportedQuota | None
    ) -> None:
        def settle(db: Database) -> None:
            db.execute("UPDATE spends SET bytes = ?, settled = 1 WHERE id = ?", (size, spend.id))
            if learned is not None:
                times = [
                    to_text(moment)
                    for moment in (learned.asked_at, learned.answered_at, learned.resets_at)
                ]
                db.execute(
                    (
                        "INSERT OR REPLACE INTO budgets (key, asked_at, answered_at, resets_at, "
                        "requests, bytes) VALUES (?, ?, ?, ?, ?, ?)"
                    ),
                    (key, *times, learned.requests, learned.bytes),
                )

        await self._store.write(settle)

    async def used(self, key: str, *, since: datetime) -> int:
        rows = await self._store.read(
            "SELECT count(*) AS used FROM spends WHERE key = ? AND at > ?", (key, to_text(since))
        )
        return int(rows[0]["used"])

    async def hold(self, key: str, *, until: datetime, why: str) -> None:
        await self._store.write(
            lambda db: db.execute(
                "INSERT OR REPLACE INTO holds (key, until, why) VALUES (?, ?, ?)",
                (key, to_text(until), why),
            )
        )

    async def held(self, key: str, *, now: datetime) -> str | None:
        rows = await self._store.read(
            "SELECT why FROM holds WHERE key = ? AND until > ?", (key, to_text(now))
        )
        return rows[0]["why"] if rows else None


def _learned(db: Database, key: str) -> ReportedQuota | None:
    for row in db.query("SELECT * FROM budgets WHERE key = ?", [key]):
        asked_at, answered_at, resets_at = (
            datetime.fromisoformat(row[name]) for name in ("asked_at", "answered_at", "resets_at")
        )
        return ReportedQuota(
            asked_at, answered_at, resets_at, requests=row["requests"], bytes=row["bytes"]
        )
    return None
