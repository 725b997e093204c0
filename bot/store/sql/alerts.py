"""State of alerts, the samples of their evaluations, and what was posted about them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from bot.store.records import EvaluationRecord, OpenIncident, Sample, Saved
from bot.store.sql.claims import Claims
from bot.store.sql.database import Database, Transaction, to_text
from bot.store.sql.outbox import enqueue_anew

_ADD_SAMPLE = (
    "INSERT INTO samples (series, at, value, state) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (at, series) DO NOTHING"
)


class SqlAlerts:
    def __init__(self, database: Database, claims: Claims) -> None:
        self._database, self._claims = database, claims
        self._series: dict[tuple[str, str], int] = {}
        # The version of each alert's row that this process has read or written last.
        self._versions: dict[str, int] = {}

    async def stored_state(self, alert: str, definition: str) -> bytes | None:
        rows = await self._database.read(
            "SELECT definition, watch, version FROM alerts WHERE name = ?", (alert,)
        )
        self._versions[alert] = rows[0]["version"] if rows else 0
        return next(
            (str(row["watch"]).encode() for row in rows if row["definition"] == definition), None
        )

    async def open_incidents(self) -> list[OpenIncident]:
        incident = self._database.dialect.json_member("watch", "incident")
        rows = await self._database.read(
            "SELECT name, definition, watch, version, outbox.channel FROM alerts "  # noqa: S608
            f"JOIN outbox ON outbox.key = {incident}"
        )
        self._versions |= {row["name"]: row["version"] for row in rows}
        return [
            OpenIncident(r["name"], r["definition"], str(r["watch"]).encode(), r["channel"])
            for r in rows
        ]

    async def last_handled_at(self, alert: str, definition: str, *, now: datetime) -> datetime:
        rows = await self._database.read(
            "SELECT due FROM alerts WHERE name = ? AND definition = ?", (alert, definition)
        )
        return datetime.fromisoformat(rows[0]["due"]) if rows else now

    async def claim_evaluations(self, due: Sequence[tuple[str, datetime]]) -> list[bool]:
        owner = self._claims.owner
        sql = (
            "INSERT INTO evaluation_claims (alert, due, owner) VALUES (?, ?, ?) "  # noqa: S608
            "ON CONFLICT (alert) DO UPDATE SET due = excluded.due, owner = excluded.owner "
            "WHERE evaluation_claims.due < excluded.due "
            f"OR {self._claims.is_takeable('evaluation_claims.owner')}"
        )
        rows = [(alert, to_text(at), owner, owner) for alert, at in due]
        return await self._claims.write(lambda tx: [tx.execute(sql, row) == 1 for row in rows])

    async def abandoned_evaluations(self, *, since: datetime) -> list[tuple[str, datetime]]:
        rows = await self._database.read(
            "SELECT claim.alert, claim.due FROM evaluation_claims AS claim "  # noqa: S608
            "LEFT JOIN alerts ON alerts.name = claim.alert WHERE claim.due >= ? "
            "AND (alerts.due IS NULL OR alerts.due < claim.due) "
            f"AND claim.owner != ? AND {self._claims.is_free('claim.owner')}",
            (to_text(since), self._claims.owner),
        )
        return [(row["alert"], datetime.fromisoformat(row["due"])) for row in rows]

    async def save_evaluations(self, several: Sequence[EvaluationRecord]) -> list[Saved]:
        def save(tx: Transaction) -> list[Saved]:
            changed = self._changed(tx, several)
            saved = [self._save_samples(tx, judged, changed) for judged in several]
            written = [
                judged
                for judged, result in zip(several, saved, strict=True)
                if result is Saved.WRITTEN
            ]
            _save_states(tx, written)
            for judged in written:
                _enqueue_posts(tx, judged)
            return saved

        try:
            saved = await self._database.write(save)
        except BaseException:
            # A series may have been numbered in the transaction that was rolled back.
            self._series.clear()
            raise
        for judged, result in zip(several, saved, strict=True):
            if result is Saved.WRITTEN:
                self._versions[judged.alert] = self._versions.get(judged.alert, 0) + 1
        return saved

    def _changed(self, tx: Transaction, several: Sequence[EvaluationRecord]) -> set[str]:
        """The alerts that another process has written since this one read them."""
        names = list({judged.alert for judged in several})
        marks = ", ".join("?" for _ in names)
        rows = tx.query(f"SELECT name, version FROM alerts WHERE name IN ({marks})", names)  # noqa: S608
        versions = {row["name"]: row["version"] for row in rows}
        return {name for name in names if versions.get(name, 0) != self._versions.get(name, 0)}

    async def save_user_action(self, judged: EvaluationRecord) -> bool:
        version = self._versions.get(judged.alert, 0)

        def save(tx: Transaction) -> bool:
            is_current = tx.execute(
                "UPDATE alerts SET watch = ?, state = ?, version = version + 1 "
                "WHERE name = ? AND version = ?",
                (judged.alert_state.decode(), judged.state, judged.alert, version),
            )
            if is_current:
                _enqueue_posts(tx, judged)
            return bool(is_current)

        is_saved = await self._database.write(save)
        if is_saved:
            self._versions[judged.alert] = version + 1
        return is_saved

    async def changed_elsewhere(self) -> set[str]:
        rows = await self._database.read("SELECT name, version FROM alerts")
        found = {row["name"]: row["version"] for row in rows}
        return {name for name, known in self._versions.items() if found.get(name, 0) != known}

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

    def _save_samples(
        self, tx: Transaction, judged: EvaluationRecord, changed: Collection[str]
    ) -> Saved:
        if judged.alert in changed:
            return Saved.STATE_CHANGED
        at = to_text(judged.due)
        series = self._series_id(tx, judged.alert, judged.definition)
        if not tx.execute(_ADD_SAMPLE, (series, at, judged.value, judged.state)):
            return Saved.ALREADY_EVALUATED
        for subject, value, state in judged.samples:
            series = self._series_id(tx, f"{judged.alert}/{subject}", judged.definition)
            tx.execute(_ADD_SAMPLE, (series, at, value, state))
        return Saved.WRITTEN

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
            judged.alert_state.decode(),
        )
        for judged in several
    ]
    tx.execute_many(
        "INSERT INTO alerts (name, definition, state, since, value, due, watch, version) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (name) DO UPDATE "
        "SET definition = excluded.definition, state = excluded.state, since = excluded.since, "
        "value = excluded.value, due = excluded.due, watch = excluded.watch, "
        "version = alerts.version + 1",
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
