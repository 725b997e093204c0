"""Finds fixed texts in a block at the speed of memory, so that the slower rules look only where a
secret may begin.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

import hyperscan
from ahocorasick_rs import BytesAhoCorasick, MatchKind

# The place of a text in its sequence, and where it begins and ends.
Match = tuple[int, int, int]
# With fewer first bytes than these, the scan would look for each of them by itself, which is slower
# where they are common letters.
_FILLERS: Final = tuple(bytes((first, 0xFF, 0xFE, 0xFD)) for first in range(4))


class TextScan:
    """Looks for hundreds of texts in one pass: for some as they are, and for those of `any_case` in
    upper and lower case.

    All are found, also where they overlap, in the order of their ends. Threads may use it at the
    same time.
    """

    def __init__(self, any_case: Sequence[bytes], as_they_are: Sequence[bytes]) -> None:
        texts = [*any_case, *as_they_are]
        self.longest: Final = max(map(len, texts))
        self._lengths = [len(text) for text in texts]
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=texts,
            ids=list(range(len(texts))),
            elements=len(texts),
            flags=[hyperscan.HS_FLAG_CASELESS] * len(any_case) + [0] * len(as_they_are),
            literal=True,
        )
        self._scratches = threading.local()

    def found(self, block: bytes) -> list[Match]:
        """The texts in a block."""
        matches: list[Match] = []
        lengths = self._lengths

        def add(index: int, _start: int, end: int, _flags: int, _context: object) -> None:
            matches.append((index, end - lengths[index], end))

        self._database.scan(block, match_event_handler=add, scratch=self._scratch())
        return matches

    def _scratch(self) -> hyperscan.Scratch:
        """Each thread needs one of its own."""
        scratch: hyperscan.Scratch | None = getattr(self._scratches, "scratch", None)
        if scratch is None:
            scratch = self._scratches.scratch = hyperscan.Scratch(self._database)
        return scratch


class ValueScan:
    """Looks for some values, of which the longest is found first."""

    def __init__(self, values: Sequence[bytes]) -> None:
        self._scan = BytesAhoCorasick([*values, *_FILLERS], matchkind=MatchKind.LeftmostLongest)
        self._count = len(values)

    def found(self, block: bytes) -> list[tuple[int, int]]:
        """Where the values stand."""
        matches = self._scan.find_matches_as_indexes(block)
        return [(start, end) for index, start, end in matches if index < self._count]
