"""Questions that were saved by a name."""

from __future__ import annotations

from datetime import datetime

from bot.store.records import SavedQuestion
from bot.store.sql.database import Database, Transaction, to_text

_SELECT = 'SELECT channel, command, name, query, "user" FROM saved_questions'
_KEY = "channel = ? AND command = ? AND name = ?"


class SqlSavedQuestions:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(
        self, question: SavedQuestion, *, now: datetime, most: int, only_own: bool = False
    ) -> SavedQuestion | None:
        def put(tx: Transaction) -> SavedQuestion | None:
            key = (question.channel, question.command, question.name)
            before = _stored(tx, key)
            # Checked here and not before: two people may save the same name at the same time.
            if only_own and before:
                _require_owner(before, question.user)
            [row] = tx.query(
                "SELECT count(*) AS count FROM saved_questions WHERE channel = ?",
                (question.channel,),
            )
            # A question that takes the place of another needs no room.
            if not before and row["count"] >= most:
                raise OverflowError(most)
            tx.execute(
                'INSERT INTO saved_questions (channel, command, name, query, "user", saved_at) '
                "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (channel, command, name) DO UPDATE SET "
                'query = excluded.query, "user" = excluded."user", saved_at = excluded.saved_at',
                (*key, question.query, question.user, to_text(now)),
            )
            return before

        return await self._database.write(put)

    async def find(self, channel: str, command: str, name: str) -> SavedQuestion | None:
        rows = await self._database.lookup(f"{_SELECT} WHERE {_KEY}", (channel, command, name))
        return SavedQuestion(**rows[0]) if rows else None

    async def delete(
        self, channel: str, command: str, name: str, *, only_of: str = ""
    ) -> SavedQuestion | None:
        key = (channel, command, name)

        def remove(tx: Transaction) -> SavedQuestion | None:
            found = _stored(tx, key)
            if found and only_of:
                _require_owner(found, only_of)
            tx.execute(f"DELETE FROM saved_questions WHERE {_KEY}", key)  # noqa: S608 - constants
            return found

        return await self._database.write(remove)

    async def in_channel(self, channel: str) -> list[SavedQuestion]:
        rows = await self._database.read(
            f"{_SELECT} WHERE channel = ? ORDER BY command, name", (channel,)
        )
        return [SavedQuestion(**row) for row in rows]

    async def of_user(self, user: str) -> list[SavedQuestion]:
        rows = await self._database.read(
            f'{_SELECT} WHERE "user" = ? ORDER BY command, name, channel', (user,)
        )
        return [SavedQuestion(**row) for row in rows]


def _stored(tx: Transaction, key: tuple[str, str, str]) -> SavedQuestion | None:
    rows = tx.query(f"{_SELECT} WHERE {_KEY}", key)
    return SavedQuestion(**rows[0]) if rows else None


def _require_owner(saved: SavedQuestion, user: str) -> None:
    if saved.user != user:
        raise PermissionError(saved.name)
