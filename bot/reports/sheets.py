"""Tables to download: CSV as RFC 4180 has it, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[str | int | float | None]]) -> bytes:
    """UTF-8 with a header row and CRLF. A text cell that a spreadsheet would run as a formula gets a `'` in front."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8", "replace")


def _cell(value: str | int | float | None) -> str | int | float:
    if not isinstance(value, str):
        return "" if value is None else value
    # Tab and carriage return are blank themselves and count all the same, so blanks are cut to spaces and line feeds.
    first = value.lstrip(" \n\v\f\u00a0")[:1]
    return "'" + value if first in _FORMULA and first else value
