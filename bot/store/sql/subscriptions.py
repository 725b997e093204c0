"""Questions that channels are subscribed to."""

from __future__ import annotations

from datetime import datetime

from bot.store.records import Subscription, Topic
from bot.store.sql.changes import record_change
from bot.store.sql.database import Database, Row, Transaction, to_text

_ACTIVE = (
    'SELECT made.number, channel, line, cron, said, "user", canvas.number AS canvas '
    "FROM subscriptions AS made LEFT JOIN canvas_subscriptions AS canvas "
    "ON canvas.number = made.number WHERE ended_at IS NULL"
)


class SqlSubscriptions:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def subscribe(
        self,
        *,
        channel: str,
        line: str,
        cron: str,
        said: str,
        user: str,
        now: datetime,
        as_canvas: bool = False,
    ) -> Subscription:
        def add(tx: Transaction) -> Subscription:
            [row] = tx.query(
                'INSERT INTO subscriptions (channel, line, cron, said, "user", made_at) '
                "VALUES (?, ?, ?, ?, ?, ?) RETURNING number",
                (channel, line, cron, said, user, to_text(now)),
            )
            number = row["number"]
            if as_canvas:
                tx.execute("INSERT INTO canvas_subscriptions (number) VALUES (?)", (number,))
            record_change(tx, Topic.SUBSCRIPTIONS)
            return Subscription(number, channel, line, cron, said, user, as_canvas)

        return await self._database.write(add)

    async def unsubscribe(
        self, number: int, *, channel: str, user: str, now: datetime
    ) -> Subscription | None:
        def end(tx: Transaction) -> Subscription | None:
            rows = tx.query(f"{_ACTIVE} AND made.number = ? AND channel = ?", (number, channel))
            tx.execute(
                "UPDATE subscriptions SET ended_at = ?, ended_by = ? "
                "WHERE ended_at IS NULL AND number = ? AND channel = ?",
                (to_text(now), user, number, channel),
            )
            record_change(tx, Topic.SUBSCRIPTIONS)
            return _subscription(rows[0]) if rows else None

        return await self._database.write(end)

    async def subscriptions(self, channel: str | None = None) -> list[Subscription]:
        where, params = (" AND channel = ?", (channel,)) if channel is not None else ("", ())
        rows = await self._database.read(f"{_ACTIVE}{where} ORDER BY made.number", params)
        return [_subscription(row) for row in rows]


def _subscription(row: Row) -> Subscription:
    return Subscription(
        row["number"],
        row["channel"],
        row["line"],
        row["cron"],
        row["said"],
        row["user"],
        as_canvas=row["canvas"] is not None,
    )
