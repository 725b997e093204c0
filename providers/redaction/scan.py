"""Finds fixed texts in a block at the speed of memory, so that the slower rules look only where a secret may begin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Generic, TypeVar

from ahocorasick_rs import BytesAhoCorasick, MatchKind

# That many texts the scan can look for with vectors, which is several times as quick.
LARGEST_PART: Final = 64

T = TypeVar("T")


class Scan(Generic[T]):
    """Looks for texts, each of which stands for something, such as a rule. Of texts that overlap, all are found where they are kept
    `apart`, and the first one otherwise."""

    def __init__(self, meanings: Mapping[bytes, T], *, apart: bool) -> None:
        texts = list(meanings)
        self._parts = [
            (
                BytesAhoCorasick([texts[index] for index in part], matchkind=MatchKind.LeftmostFirst),
                [meanings[texts[index]] for index in part],
            )
            for part in _parts(texts, apart=apart)
        ]

    def found(self, block: bytes) -> Iterator[tuple[list[T], list[tuple[int, int, int]]]]:
        """For each group of texts, what they stand for, and the matches in order: the place in the group, the start and the end."""
        for scan, meanings in self._parts:
            if matches := scan.find_matches_as_indexes(block):
                yield meanings, matches


def _parts(texts: Sequence[bytes], *, apart: bool) -> list[list[int]]:
    """The texts in groups. Where they are kept apart, no member of a group can hide another one."""
    parts: list[list[int]] = []
    # Short texts slow down a group, so they are kept together.
    for index in sorted(range(len(texts)), key=lambda index: -len(texts[index])):
        for part in parts:
            if len(part) < LARGEST_PART and not (apart and any(_hide(texts[index], texts[other]) for other in part)):
                part.append(index)
                break
        else:
            parts.append([index])
    return parts


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
