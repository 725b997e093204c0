"""The canvases of digests."""

from __future__ import annotations

import contextlib

from bot.store.errors import StoreUnavailable
from bot.store.records import StoredCanvas
from bot.store.sql.claims import Claims
from bot.store.sql.database import Database, Transaction

_COLUMNS = "digest, channel, canvas_id, reference, content, problem"


class SqlCanvases:
    def __init__(self, database: Database, claims: Claims) -> None:
        self._database = database
        self._claims = claims

    async def begin_update(self, digest: str, channel: str) -> bool:
        claims = self._claims
        # Also where this process has it: it could not be released when it was last updated.
        sql = (
            "INSERT INTO login_attempts (key, owner) VALUES (?, ?) "  # noqa: S608 - constants
            "ON CONFLICT (key) DO UPDATE SET owner = excluded.owner "
            f"WHERE {claims.is_takeable('login_attempts.owner')}"
        )
        params = (_claim_key(digest, channel), claims.owner, claims.owner)
        return await claims.write(lambda tx: tx.execute(sql, params) == 1)

    async def end_update(self, digest: str, channel: str) -> None:
        with contextlib.suppress(StoreUnavailable):
            sql = "DELETE FROM login_attempts WHERE key = ? AND owner = ?"
            params = (_claim_key(digest, channel), self._claims.owner)
            # As a write, which waits for a `begin_update` that was cancelled and still commits.
            await self._database.write(lambda tx: tx.execute(sql, params))

    async def canvas(self, digest: str, channel: str) -> StoredCanvas | None:
        rows = await self._database.read(
            f"SELECT {_COLUMNS} FROM canvases WHERE digest = ? AND channel = ?",  # noqa: S608
            (digest, channel),
        )
        return StoredCanvas(**rows[0]) if rows else None

    async def save(self, canvas: StoredCanvas) -> None:
        await self._database.write(lambda tx: _save(tx, canvas))

    async def refused(self) -> list[StoredCanvas]:
        rows = await self._database.read(
            f"SELECT {_COLUMNS} FROM canvases WHERE problem != '' ORDER BY digest, channel"  # noqa: S608
        )
        return [StoredCanvas(**row) for row in rows]


def _claim_key(digest: str, channel: str) -> str:
    """The table is shared with attempts to log in, which have keys of another form."""
    return f"canvas {channel} {digest}"


def _save(tx: Transaction, canvas: StoredCanvas) -> None:
    # A digest that has moved to another channel has no problem in the one before.
    tx.execute(
        "UPDATE canvases SET problem = '' WHERE digest = ? AND channel != ? AND problem != ''",
        (canvas.digest, canvas.channel),
    )
    tx.execute(
        f"INSERT INTO canvases ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) "  # noqa: S608
        "ON CONFLICT (digest, channel) DO UPDATE SET canvas_id = excluded.canvas_id, "
        "reference = excluded.reference, content = excluded.content, "
        "problem = excluded.problem",
        (
            canvas.digest,
            canvas.channel,
            canvas.canvas_id,
            canvas.reference,
            canvas.content,
            canvas.problem,
        ),
    )
