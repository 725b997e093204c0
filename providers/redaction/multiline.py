"""Secrets of several lines: private keys, YAML block scalars, here documents and long strings. A
secret that is open at the end of a block continues in the next one.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from providers.patterns import lazy_pattern
from providers.redaction.names import NameKind, name_kind
from providers.redaction.notation import Span
from providers.redaction.private_keys import KEY_HINTS, OpenKey, following_lines, private_key
from providers.redaction.secret import MARK
from providers.redaction.tables import TABLE_HINTS, OpenTable, open_table, table_rows
from providers.redaction.values import is_ordinary

TEXT_HINTS: Final = (": |", ": >", "= <<", "=<<", '"""\n', "'''\n", '"""\r', "'''\r")
MULTILINE_HINTS: Final = (*KEY_HINTS, *TEXT_HINTS, *TABLE_HINTS)
# A block scalar ends where its indentation ends. A here document may be cut off before its end.
MOST_SCALAR_LINES: Final = 1000
MOST_QUOTED_LINES: Final = 50
_LONGEST_LINE_START: Final = 200

_TEXT_BEGINS: Final = lazy_pattern(
    rb"""(?x)
    (?P<indent> [^\S\n]{0,100} (?:-[ ]{1,4}){0,2} ) (?:export[ ])? ["']? (?P<name>[\w.-]{1,64}) ["']? [^\S\n]{0,4}
    (?: : [^\S\n]{1,4} (?:!!?[\w:-]{1,30}[ ])? (?P<scalar>[|>]) [+-]?\d?[+-]? (?:[^\S\n]{1,4}\#[^\n]{0,200})? [^\S\n]{0,4}
      | [:=]{1,2} [^\S\n]{0,4} (?: <<[-~]? ["']?(?P<word>\w{1,40})["']? | [rbfu]{0,2}(?P<quote>\"\"\"|''') ) [^\S\n]{0,4} )
    (?:\n|$)
    """
)  # fmt: skip
_INDENT: Final = lazy_pattern(rb"[ \t]*+")
_KEY_BEGINS: Final = tuple(hint.encode() for hint in KEY_HINTS)
_BEGINS_KEY: Final = (b"-----BEGIN", b"---- BEGIN", b"PuTTY-User")
_MARK: Final = MARK.encode()


class OpenText(Struct):
    """A text whose end has not been read yet. It ends at a line that is indented no deeper than
    `indent`, or at `end`.
    """

    indent: int
    end: bytes
    lines_left: int


OpenBlock = OpenKey | OpenText | OpenTable


def multiline_secrets(
    block: bytes, starts: list[int], spans: list[tuple[int, int, bytes]]
) -> OpenBlock | None:
    """Adds the secrets of several lines that begin at `starts` to `spans`, and returns the one that
    continues after the block.
    """
    opened: OpenBlock | None = None
    reach = 0
    for at in starts:
        if at < reach:
            continue
        begun, end_of_begun, begun_block = _begin(block, at, reach)
        if not begun and begun_block is None:
            continue
        spans += begun
        reach = end_of_begun
        opened = begun_block
        if opened:
            is_key = isinstance(opened, OpenKey)
            below, end, opened = continued(block, reach, opened)
            spans += below
            # Other secrets may begin in the lines that were searched for more of a key in vain.
            reach = below[-1].end if is_key and below else reach if is_key else end
    return opened


def continued(
    block: bytes, start: int, opened: OpenBlock
) -> tuple[list[Span], int, OpenBlock | None]:
    """The parts of an open secret in the lines from `start`, the end of the last part, and the
    secret if it continues after the block.
    """
    if isinstance(opened, OpenKey):
        return following_lines(block, start, opened)
    if isinstance(opened, OpenTable):
        return table_rows(block, start, opened)
    return _text_lines(block, start, opened)


def _begin(block: bytes, at: int, reach: int) -> tuple[list[Span], int, OpenBlock | None]:
    """The secret that begins on the line of `at`: its parts, the place to continue at, and the
    secret if it is open.
    """
    if block.startswith((b": ", b"=", b'"', b"'"), at):
        text = _open_text(block, at)
        return [], _line_after(block, at) if text else reach, text
    if not block.startswith(_KEY_BEGINS, at):
        table, rows = open_table(block, at)
        return [], rows if table else reach, table
    begun, key = private_key(block, at)
    if not begun:
        return [], reach, None
    end = begun[-1].end
    return begun, _line_after(block, end) if key else end, key


def _open_text(block: bytes, at: int) -> OpenText | None:
    start = max(block.rfind(b"\n", 0, at) + 1, at - _LONGEST_LINE_START)
    begins = _TEXT_BEGINS.match(block, start)
    if begins is None or not begins.start() <= at < begins.end():
        return None
    if name_kind(begins["name"]) not in (NameKind.SECRET, NameKind.PASS):
        return None
    # `private_keys` knows where these end.
    if block[begins.end() : begins.end() + 100].lstrip().startswith(_BEGINS_KEY):
        return None
    if begins["scalar"]:
        return OpenText(len(begins["indent"]), b"", MOST_SCALAR_LINES)
    return OpenText(-1, begins["word"] or begins["quote"], MOST_QUOTED_LINES)


def _text_lines(
    block: bytes, start: int, opened: OpenText
) -> tuple[list[Span], int, OpenText | None]:
    spans: list[Span] = []
    while start < len(block):
        end = block.find(b"\n", start)
        end = len(block) if end < 0 else end
        indent = _INDENT.match(block, start, end)
        first = indent.end() if indent else start
        line = block[first:end].rstrip()
        is_end = line.startswith(opened.end) if opened.end else first - start <= opened.indent
        if opened.lines_left <= 0 or (line and is_end):
            return spans, start, None
        opened.lines_left -= 1
        text, quote, _ = line.partition(opened.end) if opened.end else (line, b"", b"")
        if text and text != _MARK and not is_ordinary(text):
            spans.append(Span(first, first + len(text)))
        if quote and not opened.end.isalnum():
            return spans, end, None
        start = end + 1
    return spans, len(block), opened


def _line_after(block: bytes, at: int) -> int:
    end = block.find(b"\n", at)
    return len(block) if end < 0 else end + 1
