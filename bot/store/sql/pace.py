"""The pace of calls to Slack, for all processes together.

Each lane (a channel, a method or the workspace) has one number: the time at which it is free again
if every call reserved so far keeps its distance. A call reserves by moving that time, and waits for
what exceeds the burst. This is the generic cell rate algorithm, which needs one row a lane.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.store.records import PaceLimit
from bot.store.sql.claims import Claims
from bot.store.sql.database import Database, Transaction

# No lane is reserved for longer; a time further ahead is from before the machine was restarted,
# where the clock counts from then.
LONGEST_S = 3600.0


class SqlPace:
    def __init__(self, database: Database, claims: Claims) -> None:
        self._database = database
        self._claims = claims

    @property
    def is_shared(self) -> bool:
        return self._claims.others > 0

    async def reserve(self, limits: Sequence[PaceLimit], *, if_free: bool = False) -> float | None:
        def reserve(tx: Transaction) -> float | None:
            if if_free and not all(_has_room(tx, each) for each in limits):
                return None
            return max((_reserve(tx, each) for each in limits), default=0.0)

        return await self._database.write(reserve)

    async def block(self, limit: PaceLimit, seconds: float) -> None:
        until = f"{self._database.dialect.lease_clock} + ?"
        # With the whole burst used up, as calls are made one by one afterwards.
        ahead = min(seconds, LONGEST_S / 2) + limit.interval_s * (limit.burst - 1)
        await self._database.execute(
            f"INSERT INTO slack_pace (lane, free_at) VALUES (?, {until}) "  # noqa: S608 - constants
            "ON CONFLICT (lane) DO UPDATE SET free_at = CASE WHEN slack_pace.free_at > "
            "excluded.free_at THEN slack_pace.free_at ELSE excluded.free_at END",
            (limit.lane, ahead),
        )

    async def prune(self) -> None:
        clock = self._database.dialect.lease_clock
        await self._database.execute(
            f"DELETE FROM slack_pace WHERE free_at < {clock} OR free_at > {clock} + {LONGEST_S!r}"  # noqa: S608
        )


def _reserve(tx: Transaction, limit: PaceLimit) -> float:
    """Seconds to wait for the call that is reserved by this."""
    clock = tx.dialect.lease_clock
    [row] = tx.query(
        f"INSERT INTO slack_pace (lane, free_at) VALUES (?, {clock} + ?) "  # noqa: S608 - constants
        "ON CONFLICT (lane) DO UPDATE SET free_at = CASE "
        f"WHEN slack_pace.free_at BETWEEN {clock} AND {clock} + {LONGEST_S!r} "
        f"THEN slack_pace.free_at ELSE {clock} END + ? "
        f"RETURNING free_at - {clock} AS ahead",
        (limit.lane, limit.interval_s, limit.interval_s),
    )
    return max(0.0, float(row["ahead"]) - limit.interval_s * limit.burst)


def _has_room(tx: Transaction, limit: PaceLimit) -> bool:
    """Whether half of the burst is still free after another call."""
    rows = tx.query(
        f"SELECT free_at - {tx.dialect.lease_clock} AS ahead FROM slack_pace WHERE lane = ?",  # noqa: S608
        (limit.lane,),
    )
    ahead = float(rows[0]["ahead"]) if rows else 0.0
    if not 0 <= ahead <= LONGEST_S:
        return True
    return ahead + limit.interval_s <= limit.interval_s * (limit.burst - limit.burst // 2)
