"""State of alerts, the samples of their evaluations, and what was posted about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.store.errors import WriteConflict
from bot.store.records import (
    EvaluationRecord,
    NewSilence,
    OpenIncident,
    Post,
    RuleEdit,
    Sample,
    Saved,
)
from bot.store.sql.baselines import add_baseline_samples
from bot.store.sql.claims import Claims
from bot.store.sql.database import (
    Database,
    Row,
    Transaction,
    Values,
    all_or_nothing,
    chunks,
    query_in,
    tables,
    to_text,
)
from bot.store.sql.evaluation_claims import EvaluationClaims
from bot.store.sql.outbox import enqueue_all, enqueue_anew
from bot.store.sql.rules import add_silence, edit_rule
from bot.store.sql.series import SeriesNumbers, indexed, series_name

_STATE = {
    "definition": "text",
    "state": "text",
    "since": "text",
    "value": "double precision",
    "due": "text",
    "watch": "text",
    "name": "text",
    "version": "bigint",
}
_COLUMNS = ", ".join(_STATE)
_SAMPLE = {"at": "text", "series": "bigint", "value": "double precision", "state": "text"}
_UPSERT_STATE = (
    f"INSERT INTO alerts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, 1) "  # noqa: S608
    "ON CONFLICT (name) DO UPDATE SET definition = excluded.definition, state = excluded.state, "
    "since = excluded.since, value = excluded.value, due = excluded.due, watch = excluded.watch, "
    "version = alerts.version + 1"
)


class SqlAlerts:
    def __init__(self, database: Database, claims: Claims, series: SeriesNumbers) -> None:
        self._database = database
        self._series = series
        self._evaluation_claims = EvaluationClaims(database, claims)
        # The version of each alert's row that this process has read or written last.
        self._versions: dict[str, int] = {}
        # Alerts whose evaluation was claimed after another process had written their state.
        self._written_elsewhere: set[str] = set()

    async def stored_states(self, alerts: Sequence[tuple[str, str]]) -> list[bytes | None]:
        names = [name for name, _ in alerts]
        rows = list[Row]()
        for chunk in chunks(names):
            marks = ", ".join("?" for _ in chunk)
            rows += await self._database.read(
                f"SELECT name, definition, watch, version FROM alerts WHERE name IN ({marks})",  # noqa: S608
                chunk,
            )
        # An alert without a row has version 0, which its first row is compared with.
        self._versions |= dict.fromkeys(names, 0)
        self._versions |= {row["name"]: row["version"] for row in rows}
        states = {(row["name"], row["definition"]): str(row["watch"]).encode() for row in rows}
        return [states.get(alert) for alert in alerts]

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
        claimed, versions = await self._evaluation_claims.claim(due)
        known = self._versions
        self._written_elsewhere |= {
            name for name, version in versions.items() if known.get(name, 0) != version
        }
        return claimed

    async def claimed_elsewhere(self, due: Sequence[tuple[str, datetime]]) -> set[str]:
        return await self._evaluation_claims.claimed_elsewhere(due)

    async def abandoned_evaluations(self, *, since: datetime) -> list[tuple[str, datetime]]:
        return await self._evaluation_claims.abandoned(since=since)

    async def save_evaluations(self, evaluations: Sequence[EvaluationRecord]) -> list[Saved]:
        if not evaluations:
            return []
        try:
            saved = await self._save_beside_others(evaluations)
            if not saved:
                saved = await self._database.write(lambda tx: self._save(tx, evaluations))
        except BaseException:
            self._series.clear()
            raise
        versions = self._versions
        for evaluation in _written(evaluations, saved):
            versions[evaluation.alert] = versions.get(evaluation.alert, 0) + 1
        return saved

    async def _save_beside_others(self, evaluations: Sequence[EvaluationRecord]) -> list[Saved]:
        """Saves evaluations while other processes save theirs. Nothing where one of them cannot be
        written, or posts something: the messages of a channel have one order.
        """
        if any(each.posts or each.reason for each in evaluations):
            return []
        # In one order, so that no two processes wait for each other's rows.
        ordered = sorted(evaluations, key=lambda each: (each.alert, each.due))

        def save(tx: Transaction) -> list[Saved]:
            if not all_or_nothing(tx, lambda: self._save_all(tx, ordered)):
                return []
            self._add_baseline_samples(tx, ordered)
            return [Saved.WRITTEN] * len(evaluations)

        try:
            return await self._database.write(save, concurrent=True)
        except WriteConflict:
            self._series.clear()
            return []

    def _save(self, tx: Transaction, evaluations: Sequence[EvaluationRecord]) -> list[Saved]:
        # Nearly always this process alone has written every alert, and each is due once.
        if all_or_nothing(tx, lambda: self._save_all(tx, evaluations)):
            saved = [Saved.WRITTEN] * len(evaluations)
        else:
            saved = self._save_each(tx, evaluations)
        written = _written(evaluations, saved)
        self._add_baseline_samples(tx, written)
        for evaluation in written:
            if evaluation.posts or evaluation.reason:
                _enqueue_posts(tx, evaluation)
        return saved

    def _add_baseline_samples(
        self, tx: Transaction, evaluations: Sequence[EvaluationRecord]
    ) -> None:
        samples = [each.baseline_samples for each in evaluations if each.baseline_samples]
        add_baseline_samples(tx, self._series, samples)

    def _save_all(self, tx: Transaction, evaluations: Sequence[EvaluationRecord]) -> bool:
        """Writes states and samples of all in a few statements. False if one of them cannot be
        written, so that what was written is to be rolled back.
        """
        known = list[Values]()
        new = list[Values]()
        for evaluation in evaluations:
            version = self._versions.get(evaluation.alert, 0)
            values = (*_state_values(evaluation), evaluation.alert, version)
            (known if version else new).append(values)
        if _update_states(tx, known) != len(known) or _insert_states(tx, new) != len(new):
            return False
        rows = self._sample_rows(tx, evaluations)
        if _insert_samples(tx, rows) == len(rows):
            return True
        # Some may have been given in what is rolled back.
        self._series.clear()
        return False

    def _sample_rows(
        self, tx: Transaction, evaluations: Sequence[EvaluationRecord]
    ) -> list[Values]:
        """The rows of all samples; their series are numbered first."""
        samples = [
            (
                evaluation.alert,
                evaluation.definition,
                to_text(evaluation.due),
                evaluation.value,
                evaluation.state,
            )
            for evaluation in evaluations
        ]
        samples += [
            (
                series_name(evaluation.alert, subject),
                evaluation.definition,
                to_text(evaluation.due),
                value,
                state,
            )
            for evaluation in evaluations
            for subject, value, state in evaluation.samples
        ]
        keys = [(name, definition) for name, definition, _, _, _ in samples]
        numbers = self._series.number(tx, keys)
        return [
            (at, number, value, state)
            for number, (_, _, at, value, state) in zip(numbers, samples, strict=True)
        ]

    def _save_each(self, tx: Transaction, evaluations: Sequence[EvaluationRecord]) -> list[Saved]:
        """Writes what can be written, one by one."""
        refused = self._refused(tx, evaluations)
        saved = [
            refused.get(evaluation.alert) or self._save_samples(tx, evaluation)
            for evaluation in evaluations
        ]
        for evaluation, result in zip(evaluations, saved, strict=True):
            if result is Saved.WRITTEN:
                tx.execute(_UPSERT_STATE, (*_state_values(evaluation), evaluation.alert))
        return saved

    def _refused(
        self, tx: Transaction, evaluations: Sequence[EvaluationRecord]
    ) -> dict[str, Saved]:
        """The alerts that another process has written or deleted since this one read them."""
        known = {each.alert: self._versions.get(each.alert, 0) for each in evaluations}
        rows = query_in(tx, "SELECT name, version FROM alerts WHERE name IN", list(known))
        found = {row["name"]: row["version"] for row in rows}
        return {
            name: Saved.STATE_CHANGED if name in found else Saved.DELETED
            for name, version in known.items()
            if found.get(name, 0) != version
        }

    def _save_samples(self, tx: Transaction, evaluation: EvaluationRecord) -> Saved:
        own, *of_subjects = self._sample_rows(tx, [evaluation])
        if not _insert_samples(tx, [own]):
            return Saved.ALREADY_EVALUATED
        _insert_samples(tx, of_subjects)
        return Saved.WRITTEN

    async def save_user_action(
        self, evaluation: EvaluationRecord, made: NewSilence | RuleEdit | None = None
    ) -> bool:
        version = self._versions.get(evaluation.alert, 0)

        def save(tx: Transaction) -> bool:
            # Only from the version that the person has seen.
            is_current = tx.execute(
                "UPDATE alerts SET watch = ?, state = ?, version = version + 1 "
                "WHERE name = ? AND version = ?",
                (evaluation.alert_state.decode(), evaluation.state, evaluation.alert, version),
            )
            if not is_current:
                return False
            if isinstance(made, NewSilence):
                add_silence(tx, made)
            elif made:
                edit_rule(tx, made)
            _enqueue_posts(tx, evaluation)
            return True

        is_saved = await self._database.write(save)
        if is_saved:
            self._versions[evaluation.alert] = version + 1
        return is_saved

    async def edit_rule(self, edit: RuleEdit, posts: Sequence[Post] = ()) -> bool:
        alert = edit.before.name
        version = self._versions.get(alert, 0)

        def save(tx: Transaction) -> bool:
            found = tx.query("SELECT version FROM alerts WHERE name = ?", (alert,))
            if sum(row["version"] for row in found) != version:
                return False
            edit_rule(tx, edit)
            enqueue_all(tx, posts, edit.now)
            return True

        return await self._database.write(save)

    def changed_before(self, alerts: Sequence[str]) -> set[str]:
        changed = self._written_elsewhere.intersection(alerts)
        self._written_elsewhere -= changed
        return changed

    async def changed_elsewhere(self) -> set[str]:
        rows = await self._database.read("SELECT name, version FROM alerts")
        found = {row["name"]: row["version"] for row in rows}
        return {name for name, known in self._versions.items() if found.get(name, 0) != known}

    async def states(self) -> dict[str, str]:
        rows = await self._database.read("SELECT name, state FROM alerts")
        return {row["name"]: row["state"] for row in rows}

    async def definitions(self, alert: str) -> list[str]:
        rows = await self._database.read(
            "SELECT definition FROM series WHERE name = ? ORDER BY id", (alert,)
        )
        return [row["definition"] for row in rows]

    async def samples(
        self, alert: str, definition: str, *, since: datetime, until: datetime
    ) -> list[Sample]:
        rows = await self._database.read(
            "SELECT at, value, state FROM samples WHERE series = "
            "(SELECT id FROM series WHERE name = ? AND definition = ?) "
            "AND at >= ? AND at < ? ORDER BY at",
            (alert, indexed(definition), to_text(since), to_text(until)),
        )
        return [
            Sample(datetime.fromisoformat(row["at"]), row["value"], row["state"]) for row in rows
        ]

    async def prune(self, *, samples_before: datetime, notices_before: datetime) -> None:
        def prune(tx: Transaction) -> None:
            tx.execute("DELETE FROM samples WHERE at < ?", (to_text(samples_before),))
            tx.execute("DELETE FROM notices WHERE at < ?", (to_text(notices_before),))
            # Of alerts that were deleted, which by now every process knows.
            tx.execute(
                "DELETE FROM evaluation_claims WHERE owner = '' AND due < ?",
                (to_text(samples_before),),
            )

        await self._database.write(prune)


def _written(
    evaluations: Sequence[EvaluationRecord], saved: Sequence[Saved]
) -> Sequence[EvaluationRecord]:
    written = Saved.WRITTEN
    if saved.count(written) == len(saved):
        return evaluations
    pairs = zip(evaluations, saved, strict=True)
    return [evaluation for evaluation, result in pairs if result is written]


def _state_values(evaluation: EvaluationRecord) -> tuple[Any, ...]:
    """The columns of an alert's row without its name and version."""
    return (
        evaluation.definition,
        evaluation.state,
        to_text(evaluation.since) if evaluation.since else None,
        evaluation.value,
        to_text(evaluation.due),
        evaluation.alert_state.decode(),
    )


def _update_states(tx: Transaction, rows: Sequence[Values]) -> int:
    """The number of states that were updated; those that another process has written meanwhile are
    skipped.
    """
    return sum(
        tx.execute(
            "UPDATE alerts SET definition = given.definition, state = given.state, "  # noqa: S608
            "since = given.since, value = given.value, due = given.due, watch = given.watch, "
            f"version = alerts.version + 1 FROM {given} AS given "
            "WHERE alerts.name = given.name AND alerts.version = given.version",
            params,
        )
        for given, params in tables(tx, _STATE, rows)
    )


def _insert_states(tx: Transaction, rows: Sequence[Values]) -> int:
    """The number of states that were inserted; existing ones are skipped."""
    return sum(
        tx.execute(
            f"INSERT INTO alerts ({_COLUMNS}) SELECT definition, state, since, value, due, watch, "  # noqa: S608
            f"name, version + 1 FROM {given} AS given WHERE true ON CONFLICT (name) DO NOTHING",
            params,
        )
        for given, params in tables(tx, _STATE, rows)
    )


def _insert_samples(tx: Transaction, rows: Sequence[Values]) -> int:
    """The number of samples that were inserted; existing ones are skipped."""
    return sum(
        tx.execute(
            "INSERT INTO samples (at, series, value, state) "  # noqa: S608 - constants
            f"SELECT at, series, value, state FROM {given} AS given WHERE true "
            "ON CONFLICT (at, series) DO NOTHING",
            params,
        )
        for given, params in tables(tx, _SAMPLE, rows)
    )


def _enqueue_posts(tx: Transaction, evaluation: EvaluationRecord) -> None:
    """Puts the posts into the outbox, and the reason for them on record."""
    for post in evaluation.posts:
        enqueue_anew(tx, post, evaluation.at)
    if evaluation.reason:
        key = evaluation.posts[-1].key if evaluation.posts else None
        tx.execute(
            "INSERT INTO notices (alert, at, reason, key) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (alert, at, reason) DO NOTHING",
            (evaluation.alert, to_text(evaluation.at), evaluation.reason, key),
        )
