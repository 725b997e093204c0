"""Columns that hold the level in logs of unknown programs. A word may be prose in one line; a log
whose first lines all have a word for a level in the same place, and not always the same one, has a
column for it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Final

from bot.logs.grammar import CONTINUES, FAR_ENOUGH
from bot.logs.levels import LEVEL_OF_LETTER, LEVEL_OF_WORD, PLAIN_WORDS, WORDS_ABROAD
from bot.logs.lines import at_start, is_text, read_line, time_further_on
from bot.logs.readings import NOTHING
from providers.patterns import compile_pattern

# How many lines have to have a time, and how many in a hundred of them the column. If the first few
# have a level in a place that programs share, no column is looked for.
_LEAST_LINES: Final = 5
_LEAST_PERCENT: Final = 90
_LEAST_LEVELS: Final = 2
# This many lines without anything like a level are allowed, of the first sixteen.
_MOST_WITHOUT: Final = 1
_ENOUGH_KNOWN: Final = 4
_MOST_WORDS: Final = 12
_MOST_CELLS: Final = 24
# Of a line that is longer than what is read, the last word is looked for here.
LINE_END: Final = 80
_SIGNS: Final = rb"\s|,;:=/#~*\[\](){}<>\"'"
LETTER_OF_WORD: Final = rb"[^" + _SIGNS + rb"]"
_WORD: Final = compile_pattern(rb"([" + _SIGNS + rb"]{0,24}+)(" + LETTER_OF_WORD + rb"{1,64}+)")
# Letters of other alphabets are parts of words; dashes, arrows and pictures are signs.
LETTER_OF_PART: Final = rb"[0-9A-Za-z\x80-\xff]"
_PART: Final = compile_pattern(
    rb"((?:[\x00-/:-@\[-`{-\x7f]|[\xe2\xf0][\x80-\xbf]{2,3}+|\xc2[\x80-\xbf]){0,24}+)"
    rb"(" + LETTER_OF_PART + rb"{1,64}+)"
)
_LAST: Final = compile_pattern(
    rb"([^0-9A-Za-z\x80-\xff])([A-Za-z\x80-\xff]{3,32}+)[^0-9A-Za-z\x80-\xff]{0,3}$"
)
_AROUND_CELL: Final = b" \t\r\"'"
_SEPARATORS: Final = (b",", b";", b"\t", b"|")
_LETTERS: Final = frozenset(b"E W I D F V T C".split())
# East and west are letters, too, but no compass has these. Inserts, changes and deletes are I, C
# and D: two letters are levels only if one is I and the other E or W.
_SURE_LETTERS: Final = frozenset((b"I", b"D"))
_CHANGES: Final = frozenset((b"I", b"C", b"D"))
_LEAST_LETTERS: Final = 3
_PAIRS: Final = (frozenset((b"I", b"E")), frozenset((b"I", b"W")))
_SURE_WORDS: Final = PLAIN_WORDS.keys() | WORDS_ABROAD.keys()


class Unit(Enum):
    """What a column is counted in: cells between separators, words between blanks and signs, or
    parts of words between any signs.
    """

    CELL = "cell"
    WORD = "word"
    PART = "part"


@dataclass(frozen=True, slots=True)
class LevelColumn:
    """The place of the level in front of the time or behind it: the number of a cell, a word or a
    part, and the signs around it. The last one of a line has the number -1.
    """

    unit: Unit
    number: int
    before: bytes
    after: bytes = b""
    is_in_front: bool = False
    is_letter: bool = False

    def level(self, line: bytes) -> str | None:
        """The level of a line that has a time and no level in a place that programs share."""
        texts = _texts_around_time(line)
        if self.number < 0:
            found = _last_of(texts)
        else:
            text = texts.front if self.is_in_front else texts.behind
            if self.unit is Unit.CELL:
                found = _cells_of(text, self.before, is_in_front=self.is_in_front)
            elif self.unit is Unit.WORD:
                found = _words_of(text, is_in_front=self.is_in_front, at=self.number)
            else:
                found = _parts_of(text, is_in_front=self.is_in_front, at=self.number)
        word = next((word for column, word in found if column == self), b"")
        return _level_of(word, is_letter=self.is_letter)

    def level_of(self, word: bytes) -> str | None:
        """The level of the text in this column, other than a letter."""
        if self.unit is Unit.CELL:
            return _level_of(word.strip(_AROUND_CELL))
        return _level_of(word.rstrip(b".") if self.unit is Unit.WORD else word)


@dataclass(frozen=True, slots=True)
class _Texts:
    """The texts of a line in front of its time and behind it, and its end."""

    front: bytes
    behind: bytes
    end: bytes


_Found = defaultdict["LevelColumn", Counter[bytes]]


def level_column(lines: Sequence[bytes]) -> LevelColumn | None:
    """The column with the levels of a log that begins with these lines; None if it has none, or if
    the first levels are in a place that programs share.
    """
    found: _Found = defaultdict(Counter)
    known: list[tuple[bytes, str]] = []
    timed = 0
    without = 0
    for line, level in _timed(lines):
        timed += 1
        if level:
            known.append((line, level))
        else:
            without += not _add_columns(found, line)
        if len(known) == timed == _ENOUGH_KNOWN or without > _MOST_WITHOUT:
            return None
    if timed < _LEAST_LINES or not found:
        return None
    for line, level in known:
        # A line whose level is known shows which word is not one.
        _add_columns(found, line, level)
    return next((column for column in found if _is_column(column, found[column], timed)), None)


def _timed(lines: Sequence[bytes]) -> Iterator[tuple[bytes, str | None]]:
    """The lines that have a time, and their levels. A line that repeats shows nothing new."""
    for line in dict.fromkeys(lines):
        reading = read_line(line) if is_text(line) and not CONTINUES.match(line) else NOTHING
        if reading.minute:
            yield line, reading.level


def _add_columns(found: _Found, line: bytes, level: str | None = None) -> bool:
    """Adds the columns of a line that have this level, or any. Returns whether there is one."""
    has_columns = False
    for column, word in _columns_of(_texts_around_time(line)):
        if level in (None, _level_of(word, is_letter=column.is_letter)):
            found[column][word] += 1
            has_columns = True
    return has_columns


def _is_column(column: LevelColumn, words: Counter[bytes], lines: int) -> bool:
    levels = {_level_of(word, is_letter=column.is_letter) for word in words}
    if len(levels) < _LEAST_LEVELS:
        return False
    if column.is_letter:
        return words.total() == lines and _are_levels(frozenset(words))
    # Words such as `config`, `system` and `note` alone may name what the lines are about.
    sure = sum(count for word, count in words.items() if word.lower() in _SURE_WORDS)
    return words.total() * 100 >= lines * _LEAST_PERCENT and sure * 2 >= words.total()


def _are_levels(letters: frozenset[bytes]) -> bool:
    if len(letters) < _LEAST_LETTERS:
        return letters in _PAIRS
    return not letters.isdisjoint(_SURE_LETTERS) and letters != _CHANGES


def _columns_of(texts: _Texts) -> Iterator[tuple[LevelColumn, bytes]]:
    """The places of a line that hold what may be a level, and what each holds."""
    for text, is_in_front in ((texts.behind, False), (texts.front, True)):
        for separator in _SEPARATORS:
            yield from _cells_of(text, separator, is_in_front=is_in_front)
        yield from _words_of(text, is_in_front=is_in_front)
        yield from _parts_of(text, is_in_front=is_in_front)
    yield from _last_of(texts)


def _last_of(texts: _Texts) -> Iterator[tuple[LevelColumn, bytes]]:
    last = _LAST.search(texts.end)
    if last and last[1] != b"/" and _level_of(last[2]):
        yield LevelColumn(Unit.PART, -1, _sign_of(last[1])), last[2]


def _cells_of(
    text: bytes, separator: bytes, *, is_in_front: bool
) -> Iterator[tuple[LevelColumn, bytes]]:
    cells = [cell.strip(_AROUND_CELL) for cell in text.split(separator, _MOST_CELLS)]
    # The time is a cell, too, and a text without a separator is none.
    inner = enumerate(cells[:-1] if is_in_front else cells[1:], start=0 if is_in_front else 1)
    for number, cell in inner:
        if _level_of(cell):
            yield LevelColumn(Unit.CELL, number, separator, is_in_front=is_in_front), cell


def _words_of(
    text: bytes, *, is_in_front: bool, at: int | None = None
) -> Iterator[tuple[LevelColumn, bytes]]:
    """The words of a text that may be levels, or the one with this number."""
    for number, (word, before, after) in _numbered(_WORD, text, at):
        word = word.rstrip(b".")
        is_letter = word in _LETTERS
        if _level_of(word, is_letter=is_letter):
            yield LevelColumn(Unit.WORD, number, before, after, is_in_front, is_letter), word


def _parts_of(
    text: bytes, *, is_in_front: bool, at: int | None = None
) -> Iterator[tuple[LevelColumn, bytes]]:
    """The parts of words that may be levels, or the one with this number."""
    for number, (part, before, after) in _numbered(_PART, text, at):
        if _level_of(part):
            yield LevelColumn(Unit.PART, number, before, after, is_in_front), part


def _numbered(
    pattern: re.Pattern[bytes], text: bytes, at: int | None
) -> Iterator[tuple[int, tuple[bytes, bytes, bytes]]]:
    end = None if at is None else at + 1
    return islice(enumerate(_matches_of(pattern, text)), at or 0, end)


def _matches_of(pattern: re.Pattern[bytes], text: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """The first words of a text, each with the sign before it and the sign after it."""
    at = 0
    is_path = False
    for _ in range(_MOST_WORDS):
        match = pattern.match(text, at)
        if match is None:
            return
        at = match.end()
        is_below = match[1].endswith(b"/")
        # The beginning of a path, `GET /error`, or what is further down, `/api/error`; but not
        # `oven/error`, a name and a level.
        is_path = is_below and (is_path or len(match[1]) > 1 or not match.start())
        if is_path:
            yield b"", b"", b""
            continue
        yield match[2], _sign_of(match[1][-1:]), _sign_of(text[at : at + 1])


def _sign_of(sign: bytes) -> bytes:
    return b" " if sign.isspace() else sign


_LONGEST_WORD: Final = max(map(len, LEVEL_OF_WORD))


def _level_of(word: bytes, *, is_letter: bool = False) -> str | None:
    if is_letter:
        return LEVEL_OF_LETTER.get(word) if word in _LETTERS else None
    if len(word) > _LONGEST_WORD or word.isdigit():
        return None
    return LEVEL_OF_WORD.get(word.lower())


def _texts_around_time(line: bytes) -> _Texts:
    head = line[:FAR_ENOUGH]
    time = at_start(head) or time_further_on(head)
    if time is None:
        return _Texts(b"", b"", b"")
    # In front of the time, the pattern may have matched a thread or a name.
    start = time.start(str(time.lastgroup))
    return _Texts(head[:start], head[time.end() :], line[max(time.end(), len(line) - LINE_END) :])
