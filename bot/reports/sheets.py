"""Tables to download: CSV as RFC 4180 has it, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = frozenset("=+-@\t\r")
_BLANKS = " \n\v\f\u00a0"
_ODD = _FORMULA.union(_BLANKS)


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[str | int | float | None]]) -> bytes:
    """UTF-8 with a header row and CRLF. A text cell that a spreadsheet would run as a formula gets a `'` in front."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_cell(value) if value.__class__ is str and value[:1] in _ODD else value for value in row] for row in rows)
    return out.getvalue().encode("utf-8", "replace")


def _cell(text: str) -> str:
    # Tab and carriage return are blank themselves and count all the same, so blanks are cut to spaces and line feeds.
    return "'" + text if text.lstrip(_BLANKS)[:1] in _FORMULA else text
