"""Resets times that were stored while the machine's clock was ahead, since each would delay
something until then.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.store.records import CLOCK_TOLERANCE
from bot.store.sql.claims import Claims
from bot.store.sql.database import Database, Transaction, to_text
from bot.store.sql.seen import delete_days_after

# A digest that ran is not run again if the clock is set back by less than that.
RAN_JUST_NOW = timedelta(minutes=10)
# Nothing is locked for longer after a refused login.
LONGEST_HOLD = timedelta(minutes=30)
_LATEST = (
    "SELECT max(seen_until) AS latest FROM ("
    "SELECT seen_until FROM schedules UNION ALL SELECT due FROM alerts "
    "UNION ALL SELECT due FROM runs UNION ALL SELECT max(at) FROM samples "
    "UNION ALL SELECT start FROM silences WHERE ended_at IS NULL "
    "UNION ALL SELECT queued_at FROM outbox WHERE state != 'sent' "
    "UNION ALL SELECT max(at) FROM spends) AS times"
)


class SqlTimes:
    """Resets every table with a time at which something is due."""

    def __init__(self, database: Database, claims: Claims) -> None:
        self._database = database
        self._claims = claims

    async def latest(self) -> datetime | None:
        [row] = await self._database.read(_LATEST)
        return datetime.fromisoformat(row["latest"]) if row["latest"] else None

    async def reset(self, now: datetime) -> timedelta | None:
        # Read first, which locks nothing: nearly always there is nothing to reset.
        [row] = await self._database.read(_LATEST)
        if row["latest"] is None or row["latest"] <= to_text(now + CLOCK_TOLERANCE):
            return None
        # What is ahead of a clock that is behind is not wrong, and others have just written it.
        if await self._claims.is_clock_behind():
            return None

        def reset(tx: Transaction) -> timedelta | None:
            latest = tx.query(_LATEST)[0]["latest"]
            if latest is None or latest <= to_text(now + CLOCK_TOLERANCE):
                return None
            _reset_schedules(tx, now)
            _reset_outbox(tx, now)
            _reset_silences(tx, now)
            _reset_budgets(tx, now)
            return datetime.fromisoformat(latest) - now

        return await self._database.write(reset)


def _reset_schedules(tx: Transaction, now: datetime) -> None:
    """Schedules continue from now, and runs and evaluations of future times are repeated when they
    are due.
    """
    at = to_text(now)
    tx.execute("UPDATE schedules SET seen_until = ? WHERE seen_until > ?", (at, at))
    tx.execute("UPDATE alerts SET due = ? WHERE due > ?", (at, at))
    tx.execute("DELETE FROM samples WHERE at > ?", (at,))
    tx.execute("DELETE FROM baseline_samples WHERE at > ?", (at,))
    delete_days_after(tx, now)
    for table in ("evaluation_claims", "overtaken_evaluations"):
        tx.execute(f"DELETE FROM {table} WHERE due > ?", (at,))  # noqa: S608 - constants
    tx.execute("DELETE FROM runs WHERE due > ?", (to_text(now + RAN_JUST_NOW),))
    tx.execute("UPDATE runs SET started_at = ? WHERE started_at > ? AND ended_at IS NULL", (at, at))


def _reset_outbox(tx: Transaction, now: datetime) -> None:
    at = to_text(now)
    for column in ("not_before", "queued_at"):
        tx.execute(
            f"UPDATE outbox SET {column} = ? WHERE {column} > ? AND state != 'sent'",  # noqa: S608
            (at, at),
        )


def _reset_silences(tx: Transaction, now: datetime) -> None:
    """A silence keeps its length, from now on."""
    rows = tx.query(
        'SELECT number, start, "end" FROM silences WHERE ended_at IS NULL AND start > ?',
        (to_text(now),),
    )
    for row in rows:
        length = datetime.fromisoformat(row["end"]) - datetime.fromisoformat(row["start"])
        tx.execute(
            'UPDATE silences SET start = ?, "end" = ? WHERE number = ?',
            (to_text(now), to_text(now + length), row["number"]),
        )


def _reset_budgets(tx: Transaction, now: datetime) -> None:
    """Requests in the future count as made now; quotas reported for a future time are deleted."""
    at = to_text(now)
    longest = to_text(now + LONGEST_HOLD)
    tx.execute("UPDATE spends SET at = ? WHERE at > ?", (at, at))
    tx.execute("DELETE FROM budgets WHERE answered_at > ?", (at,))
    tx.execute("UPDATE holds SET until = ? WHERE until > ?", (longest, longest))
