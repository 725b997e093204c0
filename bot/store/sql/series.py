"""Numbers of series. A series has the samples of one alert, or of one of its subjects, for one
definition.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from bot.store.sql.database import Transaction, query_in

SeriesKey = tuple[str, str]
# PostgreSQL takes 2,704 bytes of both columns in a row of its index.
LONGEST_BYTES = 1300
# So many characters have no more bytes, whatever they are.
LONGEST = LONGEST_BYTES // 4
NUL = "\0"


def series_name(alert: str, subject: str) -> str:
    """The name of an alert's series, or of that of one of its subjects."""
    return indexed(f"{alert}/{subject}" if subject else alert)


def indexed(text: str) -> str:
    """A text that every database takes in an index: one that is too long, or has a NUL, is cut and
    ends in its digest. Subjects are values of logs, and may be anything.
    """
    has_nul = NUL in text
    if len(text) <= LONGEST and not has_nul:
        return text
    # Names from JSON may hold half of a surrogate pair.
    encoded = text.encode("utf-8", "surrogatepass")
    if len(encoded) <= LONGEST_BYTES and not has_nul:
        return text
    digest = hashlib.sha256(encoded).hexdigest()
    return f"{text[: LONGEST - len(digest) - 1].replace(NUL, '')} {digest}"


class SeriesNumbers:
    """Numbers by name and definition, read or assigned once per process."""

    def __init__(self) -> None:
        self._known: dict[SeriesKey, int] = {}

    def clear(self) -> None:
        """Forgets all, since a number may have been given in a transaction that was rolled back."""
        self._known.clear()

    def number(self, tx: Transaction, wanted: Sequence[SeriesKey]) -> list[int]:
        """The number of each series; a new series gets one."""
        try:
            return [self._known[series] for series in wanted]
        except KeyError:
            kept = [(name, indexed(definition)) for name, definition in wanted]
            self._add(tx, kept)
            self._known |= {
                series: self._known[key] for series, key in zip(wanted, kept, strict=True)
            }
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
