"""Requests to the vendors and what remains of their limits, for all processes that use the database."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.store.sql.claims import Claims
from bot.store.sql.database import Database, Transaction, to_text
from providers.limits.rate_limiter import Limit, ReportedQuota, Reservation, available_at

# Longer than the window of any limit.
SPENDS_KEPT = timedelta(hours=1)


class SqlRateLimits:
    """A rate limit store whose reservations are one transaction each, so that two askers cannot
    have the same last one.
    """

    def __init__(self, database: Database, claims: Claims) -> None:
        self._database = database
        self._claims = claims

    async def reserve(
        self, key: str, limit: Limit, *, size: int, now: datetime
    ) -> Reservation | datetime:
        def reserve(tx: Transaction) -> Reservation | datetime:
            # Here and not only at night, as the query below reads them all.
            tx.execute("DELETE FROM spends WHERE at <= ?", (to_text(now - SPENDS_KEPT),))
            spends = _spends(tx, key, since=now - limit.window)
            when = available_at(limit, spends, _reported_quota(tx, key), size=size, now=now)
            if when is not None:
                return when
            [row] = tx.query(
                "INSERT INTO spends (key, at, bytes, settled) VALUES (?, ?, ?, 0) RETURNING id",
                (key, to_text(now), size),
            )
            return Reservation(row["id"], now, size)

        return await self._database.write(reserve)

    async def commit(
        self, key: str, reservation: Reservation, *, size: int, reported: ReportedQuota | None
    ) -> None:
        def commit(tx: Transaction) -> None:
            tx.execute(
                "UPDATE spends SET bytes = ?, settled = 1 WHERE id = ?", (size, reservation.id)
            )
            if reported is not None:
                _save_quota(tx, key, reported)

        await self._database.write(commit)

    async def used(self, key: str, *, since: datetime) -> int:
        rows = await self._database.read(
            "SELECT count(*) AS used FROM spends WHERE key = ? AND at > ?", (key, to_text(since))
        )
        return int(rows[0]["used"])

    async def lock_out(self, key: str, *, until: datetime, why: str) -> None:
        await self._database.execute(
            "INSERT INTO holds (key, until, why) VALUES (?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET until = excluded.until, why = excluded.why",
            (key, to_text(until), why),
        )

    async def lockout_reason(self, key: str, *, now: datetime) -> str | None:
        rows = await self._database.read(
            "SELECT why FROM holds WHERE key = ? AND until > ?", (key, to_text(now))
        )
        return rows[0]["why"] if rows else None

    async def begin_attempt(self, key: str) -> bool:
        sql = (
            "INSERT INTO login_attempts (key, owner) VALUES (?, ?) "  # noqa: S608 - constants
            "ON CONFLICT (key) DO UPDATE SET owner = excluded.owner "
            f"WHERE {self._claims.is_free('login_attempts.owner')}"
        )
        return await self._claims.write(lambda tx: tx.execute(sql, (key, self._claims.owner)) == 1)

    async def end_attempt(self, key: str) -> None:
        await self._database.execute(
            "DELETE FROM login_attempts WHERE key = ? AND owner = ?", (key, self._claims.owner)
        )


def _spends(tx: Transaction, key: str, *, since: datetime) -> list[Reservation]:
    rows = tx.query(
        "SELECT id, at, bytes, settled FROM spends WHERE key = ? AND at > ?", (key, to_text(since))
    )
    return [
        Reservation(
            row["id"], datetime.fromisoformat(row["at"]), row["bytes"], bool(row["settled"])
        )
        for row in rows
    ]


def _reported_quota(tx: Transaction, key: str) -> ReportedQuota | None:
    for row in tx.query("SELECT * FROM budgets WHERE key = ?", (key,)):
        return ReportedQuota(
            datetime.fromisoformat(row["asked_at"]),
            datetime.fromisoformat(row["answered_at"]),
            datetime.fromisoformat(row["resets_at"]),
            requests=row["requests"],
            bytes=row["bytes"],
        )
    return None


def _save_quota(tx: Transaction, key: str, quota: ReportedQuota) -> None:
    tx.execute(
        "INSERT INTO budgets (key, asked_at, answered_at, resets_at, requests, bytes) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET asked_at = excluded.asked_at, "
        "answered_at = excluded.answered_at, resets_at = excluded.resets_at, "
        "requests = excluded.requests, bytes = excluded.bytes",
        (
            key,
            to_text(quota.asked_at),
            to_text(quota.answered_at),
            to_text(quota.resets_at),
            quota.requests,
            quota.bytes,
        ),
    )
