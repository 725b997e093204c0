"""Instants that were kept while the machine's clock was ahead. Each would hold something back until
that time has come.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlite_utils import Database

from bot.store.sqlite import Store, to_text

# Clocks are corrected by less than that all the time.
TOLERANCE = timedelta(minutes=1)
# A digest that ran is not run again where the clock is set back by less than that.
RAN_JUST_NOW = timedelta(minutes=10)
# Nothing is locked for longer after a refused login.
LONGEST_HOLD = timedelta(minutes=30)
_AHEAD = (
    "SELECT seen_until FROM schedules UNION ALL SELECT due FROM alerts UNION ALL SELECT due FROM "
    "runs "
    "UNION ALL SELECT max(at) FROM samples UNION ALL SELECT start FROM silences WHERE ended_at IS "
    "NULL "
    "UNION ALL SELECT queued_at FROM outbox WHERE state != 'sent' UNION ALL SELECT max(at) FROM "
    "spends"
)


class StoredTimes:
    """Every table that keeps an instant which something waits for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def reset(self, now: datetime) -> timedelta | None:
        """How far the furthest instant lay ahead of now, all of which are reset with this; None
        where none did.
        """

        def reset(db: Database) -> timedelta | None:
            latest = next(iter(db.execute(f"SELECT max(seen_until) FROM ({_AHEAD})").fetchall()))[0]  # noqa: S608
            if latest is None or latest <= to_text(now + TOLERANCE):
                return None
            _reset_schedules(db, now)
            _reset_silences(db, now)
            _reset_budgets(db, now)
            return datetime.fromisoformat(latest) - now

        return await self._store.write(reset)


def _reset_schedules(db: Database, now: datetime) -> None:
    """What was looked after is looked after from now on, and what was judged or run for a time to
    come is so again when it has come.
    """
    at = to_text(now)
    db.execute("UPDATE schedules SET seen_until = ? WHERE seen_until > ?", (at, at))
    db.execute("UPDATE alerts SET due = ? WHERE due > ?", (at, at))
    db.execute("DELETE FROM samples WHERE at > ?", (at,))
    db.execute("DELETE FROM runs WHERE due > ?", (to_text(now + RAN_JUST_NOW),))
    db.execute("UPDATE runs SET started_at = ? WHERE started_at > ? AND ended_at IS NULL", (at, at))
    db.execute(
        "UPDATE outbox SET not_before = ? WHERE not_before > ? AND state != 'sent'", (at, at)
    )
    db.execute("UPDATE outbox SET queued_at = ? WHERE queued_at > ? AND state != 'sent'", (at, at))


def _reset_silences(db: Database, now: datetime) -> None:
    """A silence lasts as long as its maker wanted, from now on."""
    rows = list(
        db.query(
            "SELECT number, start, end FROM silences WHERE ended_at IS NULL AND start > ?",
            [to_text(now)],
        )
    )
    for row in rows:
        length = datetime.fromisoformat(row["end"]) - datetime.fromisoformat(row["start"])
        values = (to_text(now), to_text(now + length), row["number"])
        db.execute("UPDATE silences SET start = ?, end = ? WHERE number = ?", values)


def _reset_budgets(db: Database, now: datetime) -> None:
    """What was spent counts as spent now; what a vendor said of a time to come is forgotten."""
    at, longest = to_text(now), to_text(now + LONGEST_HOLD)
    db.execute("UPDATE spends SET at = ? WHERE at > ?", (at, at))
    db.execute("DELETE FROM budgets WHERE answered_at > ?", (at,))
    db.execute("UPDATE holds SET until = ? WHERE until > ?", (longest, longest))
