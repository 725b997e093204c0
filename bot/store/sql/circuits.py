"""Vendors that keep failing, so that a process does not ask one that another process has found
down.
"""

from __future__ import annotations

import contextlib
from datetime import datetime

from msgspec.structs import replace

from bot.store.errors import StoreUnavailable
from bot.store.sql.database import Database, Transaction, to_text
from providers.http.circuit import OpenCircuit

# The table is shared with logins that were refused, which have keys of another form.
_KEY = "circuit "


class SqlCircuits:
    """Open circuits by account. Where the database cannot be used, each process has its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._last: dict[str, OpenCircuit | None] = {}

    async def get(self, account: str) -> OpenCircuit | None:
        with contextlib.suppress(StoreUnavailable):
            rows = await self._database.lookup(
                "SELECT until, why FROM holds WHERE key = ?", (_KEY + account,)
            )
            found = [
                OpenCircuit(int(row["why"]), datetime.fromisoformat(row["until"])) for row in rows
            ]
            self._last[account] = found[0] if found else None
        return self._last.get(account)

    async def open(self, account: str, circuit: OpenCircuit) -> bool:
        key = _KEY + account
        until = to_text(circuit.until)
        failures = str(circuit.failures)
        self._last[account] = circuit

        def write(tx: Transaction) -> bool:
            # Another process may know of more failures.
            later = "UPDATE holds SET until = ?, why = ? WHERE key = ? AND until < ?"
            if tx.execute(later, (until, failures, key, until)):
                return False
            add = (
                "INSERT INTO holds (key, until, why) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING"
            )
            return bool(tx.execute(add, (key, until, failures)))

        with contextlib.suppress(StoreUnavailable):
            return await self._database.write(write)
        return False

    async def begin_trial(self, account: str, *, ended: datetime, until: datetime) -> bool:
        with contextlib.suppress(StoreUnavailable):
            # Of several processes only the first still finds the time at which the pause ended.
            sql = "UPDATE holds SET until = ? WHERE key = ? AND until = ?"
            row = (to_text(until), _KEY + account, to_text(ended))
            return bool(await self._database.execute(sql, row))
        if last := self._last.get(account):
            self._last[account] = replace(last, until=until)
        return True

    async def close(self, account: str) -> None:
        self._last[account] = None
        with contextlib.suppress(StoreUnavailable):
            await self._database.execute("DELETE FROM holds WHERE key = ?", (_KEY + account,))
