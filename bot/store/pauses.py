"""Alerts and subscriptions that are paused, since their maker may no longer ask the question."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlite_utils import Database

from bot.store.posts import Post, enqueue
from bot.store.sqlite import Store, to_text


class Pauses:
    """Pauses in the store, by the name of the schedule. Each is written together with the messages
    about it, so that it is told once.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def all(self) -> set[str]:
        """The schedules that are paused."""
        return {
            row["schedule"] for row in await self._store.read("SELECT schedule FROM pauses", ())
        }

    async def pause(self, schedule: str, posts: Sequence[Post], *, now: datetime) -> bool:
        """False where it is paused already, of which nothing is told again."""

        def pause(db: Database) -> bool:
            row = (schedule, to_text(now))
            if (
                db.execute(
                    "INSERT OR IGNORE INTO pauses (schedule, paused_at) VALUES (?, ?)", row
                ).rowcount
                != 1
            ):
                return False
            for post in posts:
                enqueue(db, post, now)
            return True

        return await self._store.write(pause)

    async def resume(self, schedule: str, posts: Sequence[Post], *, now: datetime) -> bool:
        """False where it is not paused."""

        def resume(db: Database) -> bool:
            if db.execute("DELETE FROM pauses WHERE schedule = ?", (schedule,)).rowcount != 1:
                return False
            for post in posts:
                enqueue(db, post, now)
            return True

        return await self._store.write(resume)
