"""Finds fixed texts in a block at the speed of memory, so that the slower rules look only where a secret may begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Generic, TypeVar

from ahocorasick_rs import BytesAhoCorasick, MatchKind

# That many texts the scan can look for with vectors, which is several times as quick.
LARGEST_PART: Final = 64
# Texts of so few bytes slow down all that are looked for together with them.
SHORT: Final = 3
# With fewer first bytes than these, the scan would look for each of them by itself, which is slower where they are common letters.
_FILLERS: Final = tuple(bytes((first, 0xFF, 0xFE, 0xFD)) for first in range(4))

# The place of a text in its group, and where it begins and ends.
Match = tuple[int, int, int]
T = TypeVar("T")


class Group(Generic[T]):
    """Texts that are looked for in one pass, each of which stands for something, such as a rule. Of two that overlap the first is found."""

    def __init__(self, texts: Sequence[bytes], meanings: Sequence[T]) -> None:
        self.meanings = list(meanings)
        self.longest = max(map(len, texts))
        self.find = BytesAhoCorasick(texts, matchkind=MatchKind.LeftmostFirst).find_matches_as_indexes


def groups_of(meanings: Mapping[bytes, T], *, apart: bool) -> list[Group[T]]:
    """The texts in groups. Of texts that overlap, all are found where they are kept `apart`, and the first one of a group otherwise."""
    texts = list(meanings)
    return [
        Group([texts[index] for index in part], [meanings[texts[index]] for index in part]) for part in _parts(texts, apart=apart)
    ]


class ValueScan:
    """Looks for some values, of which the longest is found first."""

    def __init__(self, values: Sequence[bytes]) -> None:
        self._scan = BytesAhoCorasick([*values, *_FILLERS], matchkind=MatchKind.LeftmostLongest)
        self._count = len(values)

    def found(self, block: bytes) -> list[tuple[int, int]]:
        """Where the values stand."""
        matches = self._scan.find_matches_as_indexes(block)
        return [(start, end) for index, start, end in matches if index < self._count]


def _parts(texts: Sequence[bytes], *, apart: bool) -> list[list[int]]:
    """The texts in groups. Where they are kept apart, no member of a group can hide another one."""
    parts: list[list[int]] = []
    for index in sorted(range(len(texts)), key=lambda index: -len(texts[index])):
        for part in parts:
            if _may_join(texts, index, part) and not (apart and any(_hide(texts[index], texts[other]) for other in part)):
                part.append(index)
                break
        else:
            parts.append([index])
    return parts


def _may_join(texts: Sequence[bytes], index: int, part: Sequence[int]) -> bool:
    is_as_short = (len(texts[index]) <= SHORT) == (len(texts[part[0]]) <= SHORT)
    return len(part) < LARGEST_PART and is_as_short


def _hide(one: bytes, other: bytes) -> bool:
    """Whether an occurrence of one text can hide one of the other. What begins in the middle of a word is no token, and a
    sign alone is shared by many."""
    return _hides(one, other) or _hides(other, one)


def _hides(one: bytes, other: bytes) -> bool:
    for at in range(len(one)):
        if at and (one[at - 1 : at + 1].isalnum() or (at == len(one) - 1 and not one[at:].isalnum())):
            continue
        if one.startswith(other, at) or other.startswith(one[at:]):
            return True
    return False
