"""Alert rules and silences made in chat."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.store.records import Silence, StoredRule, Topic
from bot.store.sql.changes import record_change
from bot.store.sql.database import Database, Transaction, to_text

# Longer than other processes take to read a change, and than their clocks may differ.
KNOWN_WITHIN = timedelta(seconds=10)


class SqlRules:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_rule(
        self, *, name: str, command: str, channel: str, rule: str, user: str, now: datetime
    ) -> StoredRule | None:
        def add(tx: Transaction) -> StoredRule | None:
            # Compared here, because databases do not agree on the lower case of letters beyond
            # ASCII.
            active = tx.query("SELECT name FROM rules WHERE ended_at IS NULL")
            if name.lower() in {row["name"].lower() for row in active}:
                return None
            [row] = tx.query(
                'INSERT INTO rules (name, command, channel, rule, "user", made_at) '
                "VALUES (?, ?, ?, ?, ?, ?) RETURNING number",
                (name, command, channel, rule, user, to_text(now)),
            )
            tx.execute("DELETE FROM evaluation_claims WHERE alert = ? AND owner = ''", (name,))
            record_change(tx, Topic.RULES)
            return StoredRule(row["number"], name, command, channel, rule, user, now)

        return await self._database.write(add)

    async def names_ever(self) -> set[str]:
        return {row["name"] for row in await self._database.read("SELECT name FROM rules")}

    async def change_rule(self, number: int, *, rule: str, user: str, now: datetime) -> None:
        def change(tx: Transaction) -> None:
            tx.execute(
                'UPDATE rules SET rule = ?, "user" = ?, made_at = ? WHERE number = ?',
                (rule, user, to_text(now), number),
            )
            record_change(tx, Topic.RULES)

        await self._database.write(change)

    async def end_rule(self, number: int, *, user: str, now: datetime) -> None:
        def end(tx: Transaction) -> None:
            tx.execute(
                "UPDATE rules SET ended_at = ?, ended_by = ? WHERE number = ?",
                (to_text(now), user, number),
            )
            name = "(SELECT name FROM rules WHERE number = ?)"
            tx.execute(f"DELETE FROM alerts WHERE name = {name}", (number,))  # noqa: S608
            tx.execute(f"DELETE FROM overtaken_evaluations WHERE alert = {name}", (number,))  # noqa: S608
            # Other processes learn of it in a moment. Until then they must not evaluate an alert
            # whose incident was closed: it would fire anew.
            tx.execute(
                f"INSERT INTO evaluation_claims (alert, due, owner) VALUES ({name}, ?, '') "  # noqa: S608
                "ON CONFLICT (alert) DO UPDATE SET due = excluded.due, owner = excluded.owner",
                (number, to_text(now + KNOWN_WITHIN)),
            )
            record_change(tx, Topic.RULES)

        await self._database.write(end)

    async def rules(self) -> list[StoredRule]:
        rows = await self._database.read(
            'SELECT number, name, command, channel, rule, "user", made_at FROM rules '
            "WHERE ended_at IS NULL ORDER BY number"
        )
        return [
            StoredRule(**{**row, "made_at": datetime.fromisoformat(row["made_at"])}) for row in rows
        ]


class SqlSilences:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def silence(
        self, alert: str, *, end: datetime, comment: str, user: str, now: datetime
    ) -> Silence:
        def add(tx: Transaction) -> Silence:
            _end_silences(tx, alert, user, now)
            [row] = tx.query(
                'INSERT INTO silences (alert, start, "end", comment, "user") '
                "VALUES (?, ?, ?, ?, ?) RETURNING number",
                (alert, to_text(now), to_text(end), comment, user),
            )
            record_change(tx, Topic.SILENCES)
            return Silence(row["number"], alert, now, end, comment, user)

        return await self._database.write(add)

    async def unsilence(self, alert: str, *, user: str, now: datetime) -> bool:
        def end(tx: Transaction) -> bool:
            record_change(tx, Topic.SILENCES)
            return _end_silences(tx, alert, user, now)

        return await self._database.write(end)

    async def silences(self, now: datetime) -> list[Silence]:
        rows = await self._database.read(
            'SELECT number, alert, start, "end", comment, "user" FROM silences '
            'WHERE ended_at IS NULL AND "end" > ? ORDER BY number',
            (to_text(now),),
        )
        return [
            Silence(
                row["number"],
                row["alert"],
                start=datetime.fromisoformat(row["start"]),
                end=datetime.fromisoformat(row["end"]),
                comment=row["comment"] or "",
                user=row["user"],
            )
            for row in rows
        ]


def _end_silences(tx: Transaction, alert: str, user: str, now: datetime) -> bool:
    ended = tx.execute(
        "UPDATE silences SET ended_at = ?, ended_by = ? "
        'WHERE alert = ? AND ended_at IS NULL AND "end" > ?',
        (to_text(now), user, alert, to_text(now)),
    )
    return bool(ended)
