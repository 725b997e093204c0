"""Claims on evaluations, so that one of several processes evaluates an alert."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.store.errors import WriteConflict
from bot.store.sql.claims import Claims
from bot.store.sql.database import (
    Database,
    Row,
    Transaction,
    chunks,
    query_in,
    tables,
    to_text,
)

Due = tuple[str, str]
_DUE = {"alert": "text", "due": "text"}
_CLAIM = {**_DUE, "owner": "text"}
_OVERTAKEN = "overtaken_evaluations"
_HAS_NO_SAMPLE = (
    "NOT EXISTS (SELECT 1 FROM samples JOIN series ON series.id = samples.series WHERE "
    "samples.at = overtaken_evaluations.due AND series.name = overtaken_evaluations.alert)"
)


class EvaluationClaims:
    """Claims evaluations by alert and due time. One that a dead process left unfinished can be
    claimed again, even after a later one of the same alert. A claim without an owner is that of an
    alert that was deleted.
    """

    def __init__(self, database: Database, claims: Claims) -> None:
        self._database = database
        self._claims = claims

    async def claim(self, due: Sequence[tuple[str, datetime]]) -> tuple[list[bool], dict[str, int]]:
        """As `AlertStore.claim_evaluations`, and the versions of the states of what was claimed."""
        asked = {alert: to_text(at) for alert, at in due}
        # Read first, which locks nothing: most of the time others have what is not free.
        free = await self._free(sorted(asked.items()))
        if not free:
            return [False] * len(due), {}
        # In one order: a query returns rows in any.
        wanted = sorted((row["alert"], row["due"]) for row in free)
        overtaken = [row for row in free if row["is_overtaken"]]
        claimed, passed_over = await self._claim_beside_others(wanted, overtaken)
        left = {(row["alert"], row["due"]) for row in free if row["is_left"]} | passed_over
        if left - claimed:
            claimed |= await self._claims.write(
                lambda tx: self._take_over(tx, sorted(left - claimed))
            )
        versions = {
            row["alert"]: row["version"] or 0
            for row in free
            if (row["alert"], row["due"]) in claimed
        }
        return [(alert, to_text(at)) in claimed for alert, at in due], versions

    async def claimed_elsewhere(self, due: Sequence[tuple[str, datetime]]) -> set[str]:
        """As `AlertStore.claimed_elsewhere`."""
        asked = {alert: to_text(at) for alert, at in due}
        free = await self._free(sorted(asked.items()))
        return asked.keys() - {row["alert"] for row in free}

    async def abandoned(self, *, since: datetime) -> list[tuple[str, datetime]]:
        """As `AlertStore.abandoned_evaluations`."""
        rows = await self._database.read(
            "SELECT claim.alert, claim.due FROM evaluation_claims AS claim "  # noqa: S608
            "LEFT JOIN alerts ON alerts.name = claim.alert WHERE claim.due >= ? "
            "AND (alerts.due IS NULL OR alerts.due < claim.due) AND claim.owner != '' "
            f"AND claim.owner != ? AND {self._claims.is_free('claim.owner')} "
            f"UNION ALL SELECT alert, due FROM {_OVERTAKEN} "
            f"WHERE due >= ? AND {self._claims.is_free()} AND {_HAS_NO_SAMPLE} ORDER BY due",
            (to_text(since), self._claims.owner, to_text(since)),
        )
        return [(row["alert"], datetime.fromisoformat(row["due"])) for row in rows]

    async def _free(self, asked: Sequence[Due]) -> list[Row]:
        """The evaluations that no living process has claimed, known without waiting for the others:
        whether a dead process or this one has claimed it, and the earlier claim that it overtakes.
        """
        owner = self._claims.owner
        found = list[Row]()
        dialect = self._database.dialect
        is_left = f"(claim.owner = ? OR {self._claims.is_free('claim.owner')})"
        for chunk in chunks(asked, len(_DUE) + 1):
            given, params = dialect.table(_DUE, chunk)
            found += await self._database.read(
                "SELECT given.alert, given.due, claim.due AS earlier, claim.owner, "  # noqa: S608
                "claim.due = given.due AS is_left, alerts.version, "
                "claim.due < given.due AND coalesce(alerts.due, '') < claim.due "
                "AND claim.owner != '' AS is_overtaken "
                f"FROM {given} AS given "
                "LEFT JOIN evaluation_claims AS claim ON claim.alert = given.alert "
                "LEFT JOIN alerts ON alerts.name = given.alert "
                f"WHERE claim.due IS NULL OR claim.due != given.due OR {is_left}",
                [*params, owner],
            )
        return found

    async def _claim_beside_others(
        self, wanted: Sequence[Due], overtaken: Sequence[Row]
    ) -> tuple[set[Due], set[Due]]:
        """Claims while other processes claim theirs, since all claim what is due at the same time."""

        def claim(tx: Transaction) -> tuple[set[Due], set[Due]]:
            return self._claim_new(tx, wanted, overtaken)

        try:
            return await self._claims.write(claim, concurrent=True)
        except WriteConflict:
            return await self._claims.write(claim)

    def _claim_new(
        self, tx: Transaction, wanted: Sequence[Due], overtaken: Iterable[Row]
    ) -> tuple[set[Due], set[Due]]:
        """The evaluations that nobody had claimed, which this process has now, and those of the
        others that a later claim has overtaken.
        """
        _note_overtaken(tx, overtaken)
        claimed = self._claim_where(tx, wanted, "evaluation_claims.owner = ?")
        refused = set(wanted) - claimed
        names = sorted(alert for alert, _ in refused)
        rows = query_in(tx, f"SELECT alert, due FROM {_OVERTAKEN} WHERE alert IN", names)  # noqa: S608
        return claimed, {(row["alert"], row["due"]) for row in rows} & refused

    def _take_over(self, tx: Transaction, left: Sequence[Due]) -> set[Due]:
        """Those of the evaluations that a dead process has left, which this process has now. Nobody
        renews a lease meanwhile.
        """
        takeable = self._claims.is_takeable("evaluation_claims.owner")
        owner = self._claims.owner
        claimed = self._claim_where(tx, left, takeable)
        take = (
            f"UPDATE {_OVERTAKEN} SET owner = ? WHERE alert = ? AND due = ? "  # noqa: S608
            f"AND {self._claims.is_takeable()} AND {_HAS_NO_SAMPLE}"
        )
        rest = [each for each in left if each not in claimed]
        return claimed | {each for each in rest if tx.execute(take, (owner, *each, owner))}

    def _claim_where(self, tx: Transaction, wanted: Sequence[Due], takeable: str) -> set[Due]:
        """Claims evaluations that are later than the last claim, or the same where it is `takeable`,
        a condition with this process as its parameter.
        """
        owner = self._claims.owner
        claimed = set[Due]()
        for given, params in tables(tx, _CLAIM, [(*each, owner) for each in wanted]):
            found = tx.query(
                "INSERT INTO evaluation_claims (alert, due, owner) "  # noqa: S608 - constants
                f"SELECT alert, due, owner FROM {given} AS given WHERE true "
                "ON CONFLICT (alert) DO UPDATE SET due = excluded.due, owner = excluded.owner "
                "WHERE evaluation_claims.due < excluded.due "
                f"OR (evaluation_claims.due = excluded.due AND {takeable}) RETURNING alert, due",
                [*params, owner],
            )
            claimed |= {(row["alert"], row["due"]) for row in found}
        return claimed


def _note_overtaken(tx: Transaction, unfinished: Iterable[Row]) -> None:
    """Records evaluations that are not finished when a later one of the same alert is claimed: their
    process may have died, or may try again once the database can be used.
    """
    for row in unfinished:
        tx.execute(
            f"DELETE FROM {_OVERTAKEN} WHERE alert = ? AND NOT {_HAS_NO_SAMPLE}",  # noqa: S608
            (row["alert"],),
        )
        tx.execute(
            f"INSERT INTO {_OVERTAKEN} (alert, due, owner) VALUES (?, ?, ?) "  # noqa: S608
            "ON CONFLICT (alert, due) DO NOTHING",
            (row["alert"], row["earlier"], row["owner"]),
        )
