"""Schedules and their runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.store.records import Post
from bot.store.sql.database import Database, Transaction, to_text
from bot.store.sql.outbox import enqueue_anew

# A run that has not ended by then was cut off, and is done again.
LEASE = timedelta(minutes=2)


class SqlSchedules:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def last_handled_at(self, schedule: str, definition: str, *, now: datetime) -> datetime:
        def last_handled_at(tx: Transaction) -> datetime:
            for row in tx.query(
                "SELECT definition, seen_until FROM schedules WHERE name = ?", (schedule,)
            ):
                if row["definition"] == definition:
                    return datetime.fromisoformat(row["seen_until"])
            tx.execute(
                "INSERT INTO schedules (name, definition, seen_until) VALUES (?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET definition = excluded.definition, "
                "seen_until = excluded.seen_until",
                (schedule, definition, to_text(now)),
            )
            return now

        return await self._database.write(last_handled_at)

    async def claim_run(self, schedule: str, due: datetime, *, now: datetime) -> int | None:
        def claim(tx: Transaction) -> int | None:
            run = (schedule, to_text(due))
            is_first = tx.execute(
                "INSERT INTO runs (schedule, due, started_at) VALUES (?, ?, ?) "
                "ON CONFLICT (schedule, due) DO NOTHING",
                (*run, to_text(now)),
            )
            if not is_first and not tx.execute(
                "UPDATE runs SET started_at = ? WHERE schedule = ? AND due = ? "
                "AND ended_at IS NULL AND started_at <= ?",
                (to_text(now), *run, to_text(now - LEASE)),
            ):
                return None
            return tx.execute(
                "UPDATE runs SET ended_at = ?, outcome = 'passed over' "
                "WHERE schedule = ? AND due < ? AND ended_at IS NULL",
                (to_text(now), *run),
            )

        return await self._database.write(claim)

    async def unfinished_runs(self, *, since: datetime) -> list[tuple[str, datetime]]:
        rows = await self._database.read(
            "SELECT schedule, due FROM runs WHERE ended_at IS NULL AND due >= ?", (to_text(since),)
        )
        return [(row["schedule"], datetime.fromisoformat(row["due"])) for row in rows]

    async def end_run(
        self, schedule: str, due: datetime, *, outcome: str, posts: Sequence[Post], now: datetime
    ) -> None:
        def end(tx: Transaction) -> None:
            ended = tx.execute(
                "UPDATE runs SET ended_at = ?, outcome = ? WHERE schedule = ? AND due = ? "
                "AND ended_at IS NULL",
                (to_text(now), outcome, schedule, to_text(due)),
            )
            if not ended:
                return
            tx.execute(
                "UPDATE schedules SET seen_until = ? WHERE name = ? AND seen_until < ?",
                (to_text(due), schedule, to_text(due)),
            )
            for post in posts:
                enqueue_anew(tx, post, now)

        await self._database.write(end)

    async def prune(self, *, before: datetime) -> None:
        await self._database.execute("DELETE FROM runs WHERE due < ?", (to_text(before),))
