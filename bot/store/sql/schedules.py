"""Schedules and their runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.store.records import Post
from bot.store.sql.claims import Claims
from bot.store.sql.database import Database, Transaction, to_text
from bot.store.sql.outbox import enqueue_anew

# A run of this process, or of a version before claims, that has not ended by then was cut off.
RUN_LEASE = timedelta(minutes=2)


class SqlSchedules:
    def __init__(self, database: Database, claims: Claims) -> None:
        self._database = database
        self._claims = claims

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
        me = self._claims.owner
        earlier = (
            "SELECT 1 AS found FROM runs WHERE schedule = ? AND due < ? AND ended_at IS NULL "  # noqa: S608
            f"AND owner != ? AND NOT {self._claims.is_free()} LIMIT 1"
        )

        def claim(tx: Transaction) -> int | None:
            run = (schedule, to_text(due))
            if tx.query(earlier, (*run, me)):
                # Left to whoever looks for unfinished runs next, so that nothing is passed over and
                # the runs stay in order.
                tx.execute(
                    "INSERT INTO runs (schedule, due, started_at, owner) VALUES (?, ?, ?, '') "
                    "ON CONFLICT (schedule, due) DO NOTHING",
                    (*run, to_text(now)),
                )
                return None
            is_first = tx.execute(
                "INSERT INTO runs (schedule, due, started_at, owner) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (schedule, due) DO NOTHING",
                (*run, to_text(now), me),
            )
            if not is_first and not tx.execute(
                "UPDATE runs SET started_at = ?, owner = ? WHERE schedule = ? AND due = ? "  # noqa: S608
                f"AND ended_at IS NULL AND {self._is_cut_off()}",
                (to_text(now), me, *run, me, to_text(now - RUN_LEASE)),
            ):
                return None
            return tx.execute(
                "UPDATE runs SET ended_at = ?, outcome = 'passed over' "
                "WHERE schedule = ? AND due < ? AND ended_at IS NULL",
                (to_text(now), *run),
            )

        return await self._claims.write(claim)

    def _is_cut_off(self) -> str:
        """A condition for runs that nobody is doing; its parameters are this process and a time."""
        return (
            "CASE WHEN owner IS NULL OR owner = ? THEN started_at <= ? "
            f"ELSE {self._claims.is_free()} END"
        )

    async def unfinished_runs(self, *, since: datetime) -> list[tuple[str, datetime]]:
        rows = await self._database.read(
            "SELECT schedule, due FROM runs WHERE ended_at IS NULL AND due >= ? "  # noqa: S608
            f"AND (owner IS NULL OR {self._claims.is_takeable()})",
            (to_text(since), self._claims.owner),
        )
        return [(row["schedule"], datetime.fromisoformat(row["due"])) for row in rows]

    async def end_run(
        self, schedule: str, due: datetime, *, outcome: str, posts: Sequence[Post], now: datetime
    ) -> None:
        def end(tx: Transaction) -> None:
            ended = tx.execute(
                "UPDATE runs SET ended_at = ?, outcome = ? WHERE schedule = ? AND due = ? "
                "AND ended_at IS NULL AND owner = ?",
                (to_text(now), outcome, schedule, to_text(due), self._claims.owner),
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

    async def release_claims(self) -> None:
        await self._database.execute(
            "UPDATE runs SET owner = '' WHERE owner = ? AND ended_at IS NULL", (self._claims.owner,)
        )

    async def prune(self, *, before: datetime) -> None:
        await self._database.execute("DELETE FROM runs WHERE due < ?", (to_text(before),))
