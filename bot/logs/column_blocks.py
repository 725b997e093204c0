"""Counts the lines of a block whose level is in a column that the log was found to have. One pattern
reads all of them; lines that differ, or may have a level elsewhere, are left to be read one by one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from bot.logs import signs
from bot.logs.grammar import AT_ONCE_LETTER, FAR_ENOUGH
from bot.logs.level_columns import LETTER_OF_PART, LETTER_OF_WORD, LevelColumn, Unit
from bot.logs.lines import is_text, read_line
from bot.logs.shapes import beginning_of
from providers.patterns import compile_pattern, lazy_pattern

# Words and signs that are longer are read one by one, so that all words are near the beginning.
_MOST_SIGNS: Final = 8
_LONGEST_WORD: Final = 30
# Slashes are left out, since they may be parts of paths.
_SIGNS_OF: Final = {
    Unit.WORD: rb"[ \t\r\f\v|,;:=#~*\[\](){}<>\"']",
    Unit.PART: rb"(?:[\x00-\x09\x0b-\x2e:-@\[-`{-\x7f]|[\xe2\xf0][\x80-\xbf]{2,3}+|\xc2[\x80-\xbf])",
}
_LETTERS_OF: Final = {
    Unit.WORD: LETTER_OF_WORD,
    Unit.PART: LETTER_OF_PART,
}
_AFTER: Final = {b"": rb"(?=\n|\Z)", b" ": rb"(?=[^\S\n])"}
_MOST_KNOWN: Final = 4096
_LETTER: Final = lazy_pattern(AT_ONCE_LETTER)
# A level that may follow.
_WORD: Final = b"Error "


@dataclass(frozen=True, slots=True)
class ColumnLines:
    """The lines of a block: their minutes as written, or nothing for lines of another kind; their
    levels; and the numbers of the lines that have to be read one by one.
    """

    minutes: Sequence[bytes]
    counted_minutes: Counter[bytes]
    levels: Counter[str]
    odd: Sequence[int]


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """The beginning of lines up to the column with their level."""

    form: str
    behind: bytes
    column: LevelColumn
    pattern: re.Pattern[bytes]
    # The same, and the text after the column.
    open_pattern: re.Pattern[bytes]
    # Whether no text after the column can be a level in a place that programs share.
    is_closed: bool
    # Whether what comes before the column may have a level.
    _known: dict[bytes, bool] = field(default_factory=dict, compare=False)

    def lines_in(self, text: bytes) -> ColumnLines:
        """The lines of a text with a line end before each line."""
        is_closed = self.is_closed and b'{"' not in text
        pattern = self.pattern if is_closed else self.open_pattern
        minutes, befores, words, behinds = zip(*pattern.findall(text), strict=True)
        odd = set() if is_closed else _lines_with_signs(behinds)
        is_last = self.column.number < 0
        odd.update(_lines_with_signs(befores) if is_last else self._signs_before(befores))
        counted = Counter(words)
        written = Counter(minutes)
        if written.pop(b"", 0):
            odd.update(number for number, minute in enumerate(minutes) if not minute)
        counted.subtract([words[number] for number in odd])
        levels: Counter[str] = Counter()
        for word, count in counted.items():
            if count and (level := self.column.level_of(word)):
                levels[level] += count
        return ColumnLines(minutes, written, levels, sorted(odd))

    def _signs_before(self, befores: Sequence[bytes]) -> set[int]:
        """The lines that may have a level between the time and the column."""
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        different = set(befores)
        for before in different - self._known.keys():
            self._known[before] = bool(
                any(signs.lines_with_signs(b"\n" + before)) or _LETTER.match(before + _WORD)
            )
        if not any(map(self._known.__getitem__, different)):
            return set()
        return {number for number, before in enumerate(befores) if self._known[before]}


def column_shape_of(line: bytes, column: LevelColumn) -> ColumnShape | None:
    """The shape of a line with its time in front of this column; None if it has none."""
    if column.is_in_front or column.is_letter or not is_text(line):
        return None
    start = beginning_of(line)
    if start is None or start.has_priority:
        return None
    beginning = (
        rb"\n(?:"
        + start.before
        + rb"("
        + start.minute
        + rb")"
        + start.rest
        # Otherwise, each text before the column is checked once.
        + (rb"(?!" + AT_ONCE_LETTER + rb")" if column.number < 0 else b"")
        + _pattern_of(column)
    )
    match = re.compile(beginning + rb")").match(b"\n" + line)
    if match is None:
        return None
    is_closed = column.number < 0 or _is_closed(line[: match.end(3) - 1], column)
    patterns = (
        compile_pattern(beginning + rb"[^\n]*+()|[^\n]*+)"),
        lazy_pattern(beginning + rb"([^\n]*+)|[^\n]*+)"),
    )
    return ColumnShape(start.form, start.behind, column, *patterns, is_closed)


# Levels in the places that programs share.
_SHARED: Final = (
    *(
        b"ERROR: hot",
        b"ERROR hot",
        b"[ERROR] hot",
        b"- ERROR - hot",
        b"| ERROR | hot",
        b"error: hot",
    ),
    *(
        b"oven ERROR: hot",
        b"oven: ERROR hot",
        b"o.oven ERROR hot",
        b"[main] ERROR hot",
        b"(1) ERROR hot",
    ),
    *(
        b"ERROR;hot",
        b"ERROR,hot",
        b"oven;ERROR;hot",
        b"oven,ERROR,hot",
        b"ERROR\thot",
        b"<error> hot",
    ),
    *(b"level=error hot", b"on=1 level=error hot", b"<3>Nov 21 10:00:00 hot"),
    *(b"oven.cpp:12 [E] hot", b"oven[12]: ERROR: hot", b"%OVEN-3-HOT: hot", b"ERROR/oven: hot"),
)


def _is_closed(beginning: bytes, column: LevelColumn) -> bool:
    """Whether no text after the level at the end of this beginning is read as another level."""
    signs_ = column.after if column.unit is not Unit.CELL else column.before
    return not any(
        read_line(beginning + after + text).level
        for after in (signs_, signs_ + b" ")
        for text in _SHARED
    )


def _pattern_of(column: LevelColumn) -> bytes:
    """A pattern for the text before a column and the word in it."""
    sign = _before(column.before)
    if column.number < 0:
        letters = rb"A-Za-z\x80-\xff"
        last = rb"([^\n]*" + sign + rb")([" + letters + rb"]{3,32}+)"
        return last + rb"(?=[^0-9" + letters + rb"\n]{0,3}(?:\n|\Z))"
    if column.unit is Unit.CELL:
        separator = re.escape(column.before)
        most = (FAR_ENOUGH - 128) // (column.number + 1)
        cell = rb"[^\n" + separator + rb"]{0,%d}+" % most
        cells = rb"((?:" + cell + separator + rb"){%d})" % column.number
        return cells + rb"(" + cell + rb")(?=[\n" + separator + rb"]|\Z)"
    signs_ = _SIGNS_OF[column.unit]
    letters = _LETTERS_OF[column.unit] + rb"{1,%d}+" % _LONGEST_WORD
    words = rb"(?:" + signs_ + rb"{0,%d}+" % _MOST_SIGNS + letters + rb"){%d}" % column.number
    before = signs_ + rb"{0,%d}+" % _MOST_SIGNS
    after = _AFTER.get(column.after, rb"(?=" + re.escape(column.after) + rb")")
    return rb"(" + words + before + sign + rb")(" + letters + rb")" + after


def _before(sign: bytes) -> bytes:
    if not sign:
        return b""
    return rb"(?<=[^\S\n])" if sign == b" " else rb"(?<=" + re.escape(sign) + rb")"


def _lines_with_signs(texts: Sequence[bytes]) -> set[int]:
    """The numbers of the texts with a word or a field that may be a level."""
    starts = [*accumulate((len(text) + 1 for text in texts), initial=0)]
    joined = b"\n" + b"\n".join(texts)
    return {bisect_right(starts, start) - 1 for start in signs.starts_with_signs(joined)}
