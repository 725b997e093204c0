"""Samples that baselines are made of, in the order of their series: a baseline reads an hour of many
days of one series, while the samples of a tick are written for all of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

from bot.store.records import BaselineSamples, TimedValue
from bot.store.sql.database import MOST_PARAMETERS, Database, Transaction, to_text
from bot.store.sql.series import SeriesNumbers, indexed, series_name

_ADD = (
    "INSERT INTO baseline_samples (series, at, value) VALUES (?, ?, ?) "
    "ON CONFLICT (series, at) DO NOTHING"
)


class SqlBaselines:
    def __init__(self, database: Database, series: SeriesNumbers) -> None:
        self._database = database
        self._series = series

    async def add(
        self, alert: str, definition: str, samples: Mapping[str, Sequence[TimedValue]]
    ) -> None:
        found = [
            BaselineSamples(alert, definition, at, {subject: value})
            for subject, values in samples.items()
            for at, value in values
        ]
        try:
            await self._database.write(lambda tx: add_baseline_samples(tx, self._series, found))
        except BaseException:
            self._series.clear()
            raise

    async def samples(
        self,
        alert: str,
        definition: str,
        subjects: Sequence[str],
        spans: Sequence[tuple[datetime, datetime]],
    ) -> dict[str, list[TimedValue]]:
        by_name = {series_name(alert, subject): subject for subject in subjects}
        found: dict[str, list[TimedValue]] = {subject: [] for subject in subjects}
        if not spans:
            return found
        bounds = [to_text(bound) for bound in chain.from_iterable(spans)]
        names = list(by_name)
        most = MOST_PARAMETERS - len(bounds) - 1
        for at in range(0, len(names), most):
            some = names[at : at + most]
            for row in await self._read(definition, some, bounds):
                value = (datetime.fromisoformat(row["at"]), float(row["value"]))
                found[by_name[row["name"]]].append(value)
        return found

    async def _read(
        self, definition: str, names: Sequence[str], bounds: Sequence[str]
    ) -> list[dict[str, Any]]:
        spans = ", ".join(["(?, ?)"] * (len(bounds) // 2))
        marks = ", ".join("?" for _ in names)
        # The order of the joins is that of the index: for each series, each hour is one range.
        return await self._database.read(
            f"WITH spans (first, last) AS (VALUES {spans}) "  # noqa: S608
            "SELECT series.name AS name, found.at AS at, found.value AS value "
            "FROM series CROSS JOIN spans CROSS JOIN baseline_samples AS found "
            f"WHERE series.definition = ? AND series.name IN ({marks}) "
            "AND found.series = series.id AND found.at >= spans.first AND found.at < spans.last "
            "ORDER BY found.at",
            [*bounds, indexed(definition), *names],
        )

    async def prune(self, *, before: datetime) -> None:
        # By series, as the rows are in that order.
        await self._database.execute(
            "DELETE FROM baseline_samples WHERE series IN (SELECT id FROM series) AND at < ?",
            (to_text(before),),
        )


def add_baseline_samples(
    tx: Transaction, series: SeriesNumbers, samples: Sequence[BaselineSamples]
) -> None:
    """Writes the samples whose quarter of an hour has none yet."""
    rows = [
        ((series_name(each.alert, subject), each.definition), to_text(each.at), value)
        for each in samples
        for subject, value in each.values.items()
        # SQLite stores what is no number as NULL, which would fail the whole transaction.
        if math.isfinite(value)
    ]
    if rows:
        numbers = series.number(tx, [key for key, _, _ in rows])
        numbered = zip(numbers, rows, strict=True)
        tx.execute_many(_ADD, [(number, at, value) for number, (_, at, value) in numbered])
