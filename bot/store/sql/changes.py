"""Counts changes of what every process keeps in memory, so that each reads again what another one
has changed.
"""

from __future__ import annotations

from bot.store.records import Topic
from bot.store.sql.database import Database, Transaction


class SqlChanges:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def numbers(self) -> dict[Topic, int]:
        rows = await self._database.read("SELECT topic, number FROM changes")
        known = {topic.value for topic in Topic}
        # A newer version may count more.
        return {Topic(row["topic"]): row["number"] for row in rows if row["topic"] in known}


def record_change(tx: Transaction, topic: Topic) -> None:
    """Counts a change, in the transaction that makes it."""
    tx.execute(
        "INSERT INTO changes (topic, number) VALUES (?, 1) "
        "ON CONFLICT (topic) DO UPDATE SET number = changes.number + 1",
        (topic.value,),
    )
