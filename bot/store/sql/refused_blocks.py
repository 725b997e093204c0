"""Kinds of blocks that Slack has refused, so that no process sends them again for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from datetime import datetime

from bot.store.errors import StoreUnavailable
from bot.store.sql.database import Database, Transaction, to_text

# The table is shared with logins that were refused, which have keys of another form.
_KEY = "blocks "


class SqlRefusedBlocks:
    """Refused kinds of blocks. Where the database cannot be used, each process has its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, kinds: Collection[str], *, until: datetime) -> None:
        def write(tx: Transaction) -> None:
            for kind in kinds:
                tx.execute(
                    "INSERT INTO holds (key, until, why) VALUES (?, ?, 'refused') "
                    "ON CONFLICT (key) DO UPDATE SET until = excluded.until",
                    (_KEY + kind, to_text(until)),
                )

        with contextlib.suppress(StoreUnavailable):
            await self._database.write(write)

    async def any_refused(self, kinds: Collection[str], *, now: datetime) -> bool:
        keys = [_KEY + kind for kind in kinds]
        marks = ", ".join("?" for _ in keys)
        with contextlib.suppress(StoreUnavailable):
            rows = await self._database.lookup(
                f"SELECT 1 AS refused FROM holds WHERE until > ? AND key IN ({marks})",  # noqa: S608
                [to_text(now), *keys],
            )
            return bool(rows)
        return False
