"""Secrets in tables: CSV rows below a header, and the output of database clients."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from providers.patterns import lazy_pattern
from providers.redaction.names import NameKind, name_kind
from providers.redaction.notation import Span
from providers.redaction.secret import MARK
from providers.redaction.values import is_ordinary

# The names of secrets in a header, as they are found next to a separator.
_NAMES: Final = (
    *("password", "passwd", "secret", "token", "api_key", "apikey", "pass"),
    *("PASSWORD", "Password", "PASSWD", "SECRET", "Secret", "TOKEN", "Token", "API"),
)
_FOREIGN: Final = (
    *("passwort", "Passwort", "kennwort", "Kennwort", "senha", "Senha", "wachtwoord", "parola"),
    *("mot_de_passe", "contrasena", "heslo", "haslo"),
)
_FOREIGN_COLUMNS: Final = frozenset(name.lower().encode() for name in _FOREIGN)
TABLE_HINTS: Final = (
    tuple(
        text
        for name in (*_NAMES, *_FOREIGN)
        for text in (f",{name}", f";{name}", f"\t{name}", f"{name},", f"{name};", f"{name}\t")
    )
    + tuple(
        text
        for name in ("password", "secret", "token", "passwd", "api_key")
        for text in (f',"{name}', f'{name}",', f"| {name}", f"{name} |", f"_{name},")
    )
    + ("_PASS,", "_PASS\n", "_PASSWORD,", "_PASSWORD\n", "_pass,", "Key,", ",Key", "_KEY,", "_key,")
)

_LONGEST_HEAD: Final = 1024
_LONGEST_ROW: Final = 16 * 1024
_SEPARATORS: Final = (b"|", b"\t", b";", b",")
_COLUMN: Final = lazy_pattern(
    rb'[ ]*+("?)[A-Za-z_]{1,30}\d{0,2}(?:[ .-][A-Za-z_]{1,20}){0,4}\1[ \r]*+$'
)
_RULE: Final = lazy_pattern(rb"(?=[+|: ]*+-)[+|: -]++\r?$")
# A cell of a row, quoted or not.
_CELL: Final = lazy_pattern(rb'[ ]*+(?:"((?:[^"\n]|"")*+)"[ ]*+|([^,;\t|\n"]*+))')
_KINDS: Final = frozenset({NameKind.SECRET, NameKind.PASS, NameKind.AUTHORIZATION})
_MARK: Final = MARK.encode()


class OpenTable(Struct):
    """A table that may have more rows: its separator, its number of columns, and the columns that
    hold secrets.
    """

    separator: bytes
    columns: int
    secret: frozenset[int]


def open_table(block: bytes, at: int) -> tuple[OpenTable | None, int]:
    """The table whose header is the line of `at`, and where its rows begin."""
    start = block.rfind(b"\n", max(0, at - _LONGEST_HEAD), at) + 1
    end = block.find(b"\n", at, start + _LONGEST_HEAD)
    if end < 0 or (start == 0 and at > _LONGEST_HEAD):
        return None, at
    head = block[start:end]
    separator = next((sign for sign in _SEPARATORS if sign in head), b"")
    columns = head.split(separator) if separator else []
    named = columns[1:-1] if separator == b"|" and not columns[0].strip() else columns
    if len(named) < 2 or not all(_COLUMN.match(column) for column in named):
        return None, at
    secret = frozenset(
        index for index, column in enumerate(columns) if _column_kind(column) in _KINDS
    )
    return (OpenTable(separator, len(columns), secret), end + 1) if secret else (None, at)


def _column_kind(column: bytes) -> NameKind:
    name = column.strip(b' "\r').replace(b" ", b"_")
    return NameKind.SECRET if name.lower() in _FOREIGN_COLUMNS else name_kind(name)


def table_rows(
    block: bytes, start: int, table: OpenTable
) -> tuple[list[Span], int, OpenTable | None]:
    """The secrets in the rows from `start`, the end of the last row, and the table if it may
    continue after the block.
    """
    spans: list[Span] = []
    while start < len(block):
        end = block.find(b"\n", start)
        end = len(block) if end < 0 else end
        if not _RULE.match(block, start, end):
            cells = _cells(block, start, end, table)
            if cells is None:
                return spans, start, None
            spans += [cells[index] for index in table.secret if _is_secret(block, cells[index])]
        start = end + 1
    return spans, len(block), table


def _cells(block: bytes, start: int, end: int, table: OpenTable) -> list[Span] | None:
    """The cells of a row, or None if the line is not a row of the table."""
    if end - start > _LONGEST_ROW:
        return None
    cells: list[Span] = []
    while len(cells) < table.columns:
        cell = _CELL.match(block, start, end)
        assert cell
        group = 1 if cell[1] is not None else 2
        cells.append(_without_blanks(block, *cell.span(group)))
        start = cell.end()
        if start == end:
            break
        if block[start : start + 1] != table.separator:
            return None
        start += 1
        if table.separator == b"," and block[start : start + 1] == b" ":
            # A comma with a blank after it is rather part of a sentence.
            return None
    return cells if len(cells) == table.columns and start == end else None


def _without_blanks(block: bytes, start: int, end: int) -> Span:
    text = block[start:end]
    stripped = text.lstrip(b" ")
    first = start + len(text) - len(stripped)
    return Span(first, first + len(stripped.rstrip(b" \r")))


def _is_secret(block: bytes, cell: Span) -> bool:
    value = block[cell.start : min(cell.end, cell.start + _LONGEST_HEAD)]
    if not value or value == _MARK or is_ordinary(value):
        return False
    # The header may be repeated.
    return _column_kind(value) not in _KINDS
