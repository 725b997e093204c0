"""Signs that a line may have a level. A line without any needs no closer look."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cache
from operator import itemgetter
from typing import Final

from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

from bot.logs import field_names, levels
from bot.logs.envelopes import ENVELOPES
from bot.logs.place_hints import HINTS
from providers.patterns import compile_pattern

_WORD: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


_KEYS: Final = [key.encode() for key in field_names.LEVEL_KEYS]
_SPELT_KEYS: Final = [
    name.encode() for key in field_names.LEVEL_KEYS for name in field_names.spellings_of(key)
]
# In JSON, names are looked for in any case.
_QUOTED_KEYS: Final = BytesAhoCorasick(
    [b'"' + key + b'"' for key in (*_KEYS, b"@t", b"log", *(key.encode() for key in ENVELOPES))]
    + [end + b'"' for end in field_names.LEVEL_ENDS]
)
# With the text that must follow each: the end of the word for words, the sign for keys.
_WORDS: Final = [
    *levels.in_each_case(levels.LEVEL_OF_WORD),
    *(hint for hint in HINTS if hint.isalpha()),
]
_SIGNS: Final = [
    *_WORDS,
    *(hint for hint in HINTS if not hint.isalpha()),
    *(key + b"=" for key in dict.fromkeys(_SPELT_KEYS)),
]
_FIRST_NO_WORD: Final = len(_WORDS)
_NO_WORD: Final = len(_SIGNS)
_PERCENT: Final = _SIGNS.index(b"%")
_START_OF_MATCH: Final = itemgetter(1)
_CISCO: Final = compile_pattern(rb"%[A-Z][A-Z0-9_]{1,40}-")


def lines_with_signs(text: bytes) -> Iterable[bytes]:
    """The lines with a word or a field that may be a level, in a text with a line end before each
    line.
    """
    for start in starts_with_signs(text):
        end = text.find(b"\n", start + 1)
        yield text[start + 1 : end if end >= 0 else len(text)]


def starts_with_signs(text: bytes) -> Iterator[int]:
    """Where these lines start: their line ends."""
    matches = _scan().find_matches_as_indexes(text)
    if b'{"' in text:
        named = _QUOTED_KEYS.find_matches_as_indexes(text.lower())
        matches += [(_NO_WORD, start, end) for _, start, end in named]
        matches.sort(key=_START_OF_MATCH)
    number = 0
    while number < len(matches):
        sign, start, end = matches[number]
        number += 1
        if not _is_sign(text, sign, start, end):
            continue
        line_end = text.find(b"\n", end)
        if line_end < 0:
            line_end = len(text)
        yield text.rfind(b"\n", 0, start + 1)
        # One long line may contain thousands of signs.
        if number < len(matches) and matches[number][1] < line_end:
            number = bisect_left(matches, line_end, number, key=_START_OF_MATCH)


@cache
def _scan() -> BytesAhoCorasick:
    """The scan for signs. It takes most of a megabyte, which is not needed for logs whose lines
    have levels.
    """
    return BytesAhoCorasick(
        _SIGNS, matchkind=MatchKind.LeftmostLongest, implementation=Implementation.DFA
    )


def _is_sign(text: bytes, sign: int, start: int, end: int) -> bool:
    """Whether the match is a separate word."""
    if sign == _NO_WORD:
        return True
    if sign == _PERCENT:
        return _CISCO.match(text, start) is not None
    if text[start - 1] in _WORD and text[start] in _WORD:
        return False
    return sign >= _FIRST_NO_WORD or end == len(text) or text[end] not in _WORD
