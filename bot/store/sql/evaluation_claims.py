"""Claims on evaluations, so that of several processes one evaluates an alert."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain

from bot.store.sql.claims import Claims
from bot.store.sql.database import (
    MOST_PARAMETERS,
    Database,
    Row,
    Transaction,
    chunks,
    query_in,
    to_text,
)

# A claim has three parameters, and the statement one of its own.
ROWS_AT_ONCE = MOST_PARAMETERS // 4
_OVERTAKEN = "overtaken_evaluations"
_HAS_NO_SAMPLE = (
    "NOT EXISTS (SELECT 1 FROM samples JOIN series ON series.id = samples.series WHERE "
    "samples.at = overtaken_evaluations.due AND series.name = overtaken_evaluations.alert)"
)


class EvaluationClaims:
    """Claims evaluations by alert and due time. One that a dead process has left unfinished can be
    claimed again, also after a later one of the same alert.
    """

    def __init__(self, database: Database, claims: Claims) -> None:
        self._database, self._claims = database, claims

    async def claim(self, due: Sequence[tuple[str, datetime]]) -> list[bool]:
        """As `AlertStore.claim_evaluations`."""
        asked = {alert: to_text(at) for alert, at in due}
        wanted, overtaken = list(asked.items()), list[Row]()
        for row in await self._others_claims(list(asked)):
            if row["due"] == asked[row["alert"]] and not row["is_free"]:
                # Known without waiting for the others, which claim at the same time.
                wanted.remove((row["alert"], row["due"]))
            elif row["due"] < asked[row["alert"]] and not row["is_finished"]:
                overtaken.append(row)
        if not wanted:
            return [False] * len(due)

        def write(tx: Transaction) -> set[tuple[str, str]]:
            _note_overtaken(tx, overtaken)
            claimed = self._claim_due(tx, wanted)
            refused = [each for each in wanted if each not in claimed]
            return claimed | self._claim_overtaken(tx, refused) if refused else claimed

        claimed = await self._claims.write(write)
        return [(alert, to_text(at)) in claimed for alert, at in due]

    async def abandoned(self, *, since: datetime) -> list[tuple[str, datetime]]:
        """As `AlertStore.abandoned_evaluations`."""
        rows = await self._database.read(
            "SELECT claim.alert, claim.due FROM evaluation_claims AS claim "  # noqa: S608
            "LEFT JOIN alerts ON alerts.name = claim.alert WHERE claim.due >= ? "
            "AND (alerts.due IS NULL OR alerts.due < claim.due) "
            f"AND claim.owner != ? AND {self._claims.is_free('claim.owner')} "
            f"UNION ALL SELECT alert, due FROM {_OVERTAKEN} "
            f"WHERE due >= ? AND {self._claims.is_free()} AND {_HAS_NO_SAMPLE} ORDER BY due",
            (to_text(since), self._claims.owner, to_text(since)),
        )
        return [(row["alert"], datetime.fromisoformat(row["due"])) for row in rows]

    async def _others_claims(self, alerts: Sequence[str]) -> list[Row]:
        """The last claims on alerts, and own ones that were not finished: whether that is done, and
        whether their process has died.
        """
        found = list[Row]()
        for chunk in chunks(alerts):
            marks = ", ".join("?" for _ in chunk)
            found += await self._database.read(
                "SELECT claim.alert, claim.due, "  # noqa: S608 - constants
                "coalesce(alerts.due, '') >= claim.due AS is_finished, claim.owner, "
                f"claim.owner = ? OR {self._claims.is_free('claim.owner')} AS is_free "
                "FROM evaluation_claims AS claim LEFT JOIN alerts ON alerts.name = claim.alert "
                f"WHERE claim.alert IN ({marks})",
                [self._claims.owner, *chunk],
            )
        return found

    def _claim_due(
        self, tx: Transaction, wanted: Sequence[tuple[str, str]]
    ) -> set[tuple[str, str]]:
        """The evaluations that this process has now; several in a statement, since another process
        wants the same ones at the same time.
        """
        owner, claimed = self._claims.owner, set[tuple[str, str]]()
        for at in range(0, len(wanted), ROWS_AT_ONCE):
            chunk = wanted[at : at + ROWS_AT_ONCE]
            marks = ", ".join(["(?, ?, ?)"] * len(chunk))
            rows = tx.query(
                f"INSERT INTO evaluation_claims (alert, due, owner) VALUES {marks} "  # noqa: S608
                "ON CONFLICT (alert) DO UPDATE SET due = excluded.due, owner = excluded.owner "
                "WHERE evaluation_claims.due < excluded.due "
                "OR (evaluation_claims.due = excluded.due "
                f"AND {self._claims.is_takeable('evaluation_claims.owner')}) RETURNING alert, due",
                [*chain.from_iterable((*each, owner) for each in chunk), owner],
            )
            claimed |= {(row["alert"], row["due"]) for row in rows}
        return claimed

    def _claim_overtaken(
        self, tx: Transaction, refused: Sequence[tuple[str, str]]
    ) -> set[tuple[str, str]]:
        """Those of the evaluations that a dead process has not finished before a later one."""
        names = [alert for alert, _ in refused]
        rows = query_in(tx, f"SELECT alert, due FROM {_OVERTAKEN} WHERE alert IN", names)  # noqa: S608
        owner = self._claims.owner
        take = (
            f"UPDATE {_OVERTAKEN} SET owner = ? WHERE alert = ? AND due = ? "  # noqa: S608
            f"AND {self._claims.is_takeable()} AND {_HAS_NO_SAMPLE}"
        )
        found = {(row["alert"], row["due"]) for row in rows}.intersection(refused)
        return {each for each in found if tx.execute(take, (owner, *each, owner))}


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
            (row["alert"], row["due"], row["owner"]),
        )
