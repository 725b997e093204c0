"""State of alerts, the samples of their evaluations, and what was posted about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.store.records import EvaluationRecord, OpenIncident, Sample
from bot.store.sql.database import Database, Transaction, to_text
from bot.store.sql.outbox import enqueue_anew

_ADD_SAMPLE = (
    "INSERT INTO samples (series, at, value, state) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (at, series) DO NOTHING"
)


class SqlAlerts:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._series: dict[tuple[str, str], int] = {}

    async def watch(self, alert: str, definition: str) -> bytes | None:
        rows = await self._database.read(
            "SELECT watch FROM alerts WHERE name = ? AND definition = ?", (alert, definition)
        )
        return str(rows[0]["watch"]).encode() if rows else None

    async def open_incidents(self) -> list[OpenIncident]:
        incident = self._database.dialect.json_member("watch", "incident")
        rows = await self._database.read(
            "SELECT name, definition, watch, channel FROM alerts "  # noqa: S608
            f"JOIN outbox ON outbox.key = {incident}"
        )
        return [
            OpenIncident(r["name"], r["definition"], str(r["watch"]).encode(), r["channel"])
            for r in rows
        ]

    async def last_handled_at(self, alert: str, definition: str, *, now: datetime) -> datetime:
        rows = await self._database.read(
            "SELECT due FROM alerts WHERE name = ? AND definition = ?", (alert, definition)
        )
        return datetime.fromisoformat(rows[0]["due"]) if rows else now

    async def save_evaluations(self, several: Sequence[EvaluationRecord]) -> list[bool]:
        def save(tx: Transaction) -> list[bool]:
            saved = [self._is_first(tx, judged) for judged in several]
            first = [judged for judged, is_first in zip(several, saved, strict=True) if is_first]
            _save_states(tx, first)
            for judged in first:
                _enqueue_posts(tx, judged)
            return saved

        try:
            return await self._database.write(save)
        except BaseException:
            # A series may have been numbered in the transaction that was rolled back.
            self._series.clear()
            raise

    async def save_user_action(self, judged: EvaluationRecord) -> None:
        def save(tx: Transaction) -> None:
            tx.execute(
                "UPDATE alerts SET watch = ?, state = ? WHERE name = ?",
                (judged.watch.decode(), judged.state, judged.alert),
            )
            _enqueue_posts(tx, judged)

        await self._database.write(save)

    async def states(self) -> dict[str, str]:
        rows = await self._database.read("SELECT name, state FROM alerts")
        return {row["name"]: row["state"] for row in rows}

    async def samples(
        self, alert: str, definition: str, *, since: datetime, until: datetime
    ) -> list[Sample]:
        rows = await self._database.read(
            "SELECT at, value, state FROM samples WHERE series = "
            "(SELECT id FROM series WHERE name = ? AND definition = ?) "
            "AND at >= ? AND at < ? ORDER BY at",
            (alert, definition, to_text(since), to_text(until)),
        )
        return [
            Sample(datetime.fromisoformat(row["at"]), row["value"], row["state"]) for row in rows
        ]

    async def prune(self, *, samples_before: datetime, notices_before: datetime) -> None:
        def prune(tx: Transaction) -> None:
            tx.execute("DELETE FROM samples WHERE at < ?", (to_text(samples_before),))
            tx.execute("DELETE FROM notices WHERE at < ?", (to_text(notices_before),))

        await self._database.write(prune)

    def _is_first(self, tx: Transaction, judged: EvaluationRecord) -> bool:
        """Whether this is the first evaluation for its due time; its samples are then written."""
        at = to_text(judged.due)
        series = self._series_id(tx, judged.alert, judged.definition)
        if not tx.execute(_ADD_SAMPLE, (series, at, judged.value, judged.state)):
            return False
        for subject, value, state in judged.samples:
            series = self._series_id(tx, f"{judged.alert}/{subject}", judged.definition)
            tx.execute(_ADD_SAMPLE, (series, at, value, state))
        return True

    def _series_id(self, tx: Transaction, name: str, definition: str) -> int:
        known = self._series.get((name, definition))
        if known is None:
            tx.execute(
                "INSERT INTO series (name, definition) VALUES (?, ?) "
                "ON CONFLICT (name, definition) DO NOTHING",
                (name, definition),
            )
            [row] = tx.query(
                "SELECT id FROM series WHERE name = ? AND definition = ?", (name, definition)
            )
            known = self._series[name, definition] = row["id"]
        return known


def _save_states(tx: Transaction, several: Sequence[EvaluationRecord]) -> None:
    rows: list[tuple[Any, ...]] = [
        (
            judged.alert,
            judged.definition,
            judged.state,
            to_text(judged.since) if judged.since else None,
            judged.value,
            to_text(judged.due),
            judged.watch.decode(),
        )
        for judged in several
    ]
    tx.execute_many(
        "INSERT INTO alerts (name, definition, state, since, value, due, watch) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE "
        "SET definition = excluded.definition, state = excluded.state, since = excluded.since, "
        "value = excluded.value, due = excluded.due, watch = excluded.watch",
        rows,
    )


def _enqueue_posts(tx: Transaction, judged: EvaluationRecord) -> None:
    """Puts the posts into the outbox, and the reason for them on record."""
    for post in judged.posts:
        enqueue_anew(tx, post, judged.at)
    if judged.reason:
        key = judged.posts[-1].key if judged.posts else None
        tx.execute(
            "INSERT INTO notices (alert, at, reason, key) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (alert, at, reason) DO NOTHING",
            (judged.alert, to_text(judged.at), judged.reason, key),
        )
