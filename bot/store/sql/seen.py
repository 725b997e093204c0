"""Values that were seen in API calls, by account and day."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import date, datetime

from bot.reports.seen_values import Parts, SeenDay, SeenSet, merged_parts
from bot.store.errors import StoreUnavailable
from bot.store.sql.database import Database, Row, Transaction
from providers.models import DayRange

log = logging.getLogger("opswatch")


class SqlSeen:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, account: str, seen: SeenDay) -> None:
        try:
            await self._database.write(lambda tx: _add(tx, account, seen))
        except StoreUnavailable as error:
            log.warning("Values of API calls could not be stored: %s", error)

    async def days(self, account: str, days: DayRange) -> Mapping[date, SeenDay]:
        rows = await self._read("SELECT day, covered FROM seen_days", account, days)
        found = {
            day: SeenDay(day, {}, _parts(row["covered"]))
            for row in rows
            if (day := date.fromisoformat(row["day"]))
        }
        rows = await self._read("SELECT day, kind, entries FROM seen_values", account, days)
        sets: dict[date, dict[str, SeenSet]] = {}
        for row in rows:
            day = date.fromisoformat(row["day"])
            sets.setdefault(day, {})[row["kind"]] = SeenSet(bytes(row["entries"]))
        for day, by_kind in sets.items():
            known = found.get(day, SeenDay(day))
            found[day] = SeenDay(day, by_kind, known.covered)
        return found

    async def _read(self, select: str, account: str, days: DayRange) -> list[Row]:
        try:
            return await self._database.read(
                f"{select} WHERE account = ? AND day >= ? AND day <= ?",
                (account, days.first.isoformat(), days.last.isoformat()),
            )
        except StoreUnavailable as error:
            log.warning("Values of earlier API calls could not be read: %s", error)
            return []

    async def prune(self, *, before: datetime) -> None:
        """Deletes the days before that time."""
        day = before.date().isoformat()
        await self._database.write(lambda tx: _delete(tx, "<", day))


def delete_days_after(tx: Transaction, now: datetime) -> None:
    """Deletes the days that a wrong clock has made."""
    _delete(tx, ">", now.date().isoformat())


def _delete(tx: Transaction, side: str, day: str) -> None:
    for table in ("seen_values", "seen_days"):
        tx.execute(f"DELETE FROM {table} WHERE day {side} ?", (day,))  # noqa: S608 - constants


def _add(tx: Transaction, account: str, seen: SeenDay) -> None:
    key = (account, seen.day.isoformat())
    rows = tx.query("SELECT kind, entries FROM seen_values WHERE account = ? AND day = ?", key)
    known = {row["kind"]: SeenSet(bytes(row["entries"])) for row in rows}
    for kind, found in seen.sets.items():
        before = known.get(kind, SeenSet())
        merged = before.merged(found)
        # Most calls have values that were seen before, and writing locks the database.
        if merged.packed != before.packed:
            tx.execute(
                "INSERT INTO seen_values (account, day, kind, entries) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (account, day, kind) DO UPDATE SET entries = excluded.entries",
                (*key, kind, merged.packed),
            )
    if seen.covered:
        rows = tx.query("SELECT covered FROM seen_days WHERE account = ? AND day = ?", key)
        covered = [part for row in rows for part in _parts(row["covered"])]
        tx.execute(
            "INSERT INTO seen_days (account, day, covered) VALUES (?, ?, ?) "
            "ON CONFLICT (account, day) DO UPDATE SET covered = excluded.covered",
            (*key, json.dumps(merged_parts([*covered, *seen.covered]))),
        )


def _parts(text: str) -> Parts:
    return [(start, end) for start, end in json.loads(text)]
