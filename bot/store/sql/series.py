"""Numbers of series: samples of one alert, or of one of its subjects, by one definition."""

from __future__ import annotations

from collections.abc import Sequence

from bot.store.sql.database import Transaction, query_in

SeriesKey = tuple[str, str]


def series_name(alert: str, subject: str) -> str:
    """The name of an alert's series, or of that of one of its subjects."""
    return f"{alert}/{subject}" if subject else alert


class SeriesNumbers:
    """Numbers by name and definition, which are read or given once for each process."""

    def __init__(self) -> None:
        self._known: dict[SeriesKey, int] = {}

    def clear(self) -> None:
        """Forgets all, since a number may have been given in a transaction that was rolled back."""
        self._known.clear()

    def number(self, tx: Transaction, wanted: Sequence[SeriesKey]) -> list[int]:
        """The number of each series; one without a known number is numbered."""
        try:
            return [self._known[series] for series in wanted]
        except KeyError:
            self._add(tx, wanted)
            return [self._known[series] for series in wanted]

    def _add(self, tx: Transaction, wanted: Sequence[SeriesKey]) -> None:
        new = [series for series in dict.fromkeys(wanted) if series not in self._known]
        tx.execute_many(
            "INSERT INTO series (name, definition) VALUES (?, ?) "
            "ON CONFLICT (name, definition) DO NOTHING",
            new,
        )
        names = list({name for name, _ in new})
        rows = query_in(tx, "SELECT id, name, definition FROM series WHERE name IN", names)
        self._known |= {(row["name"], row["definition"]): row["id"] for row in rows}
