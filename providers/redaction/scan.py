"""Finds fixed texts in a block at the speed of memory, so that the slower rules look only where a
secret may begin.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol

from ahocorasick_rs import BytesAhoCorasick

try:
    import hyperscan
except (
    ImportError
):  # pragma: no cover - no wheel for this platform, such as musl or Windows on ARM.
    hyperscan = None  # type: ignore[assignment]

# The place of a text in its sequence, and where it begins and ends.
Match = tuple[int, int, int]


class TextScan(Protocol):
    """Looks for hundreds of texts in one pass: for some as they are, and for others in upper and
    lower case.

    All are found, also where they overlap, in the order of their ends. Threads may use it at the
    same time.
    """

    longest: int

    def found(self, block: bytes) -> list[Match]:
        """The texts in a block."""


def text_scan(any_case: Sequence[bytes], as_they_are: Sequence[bytes]) -> TextScan:
    """The fastest scan that this platform has."""
    scan = HyperscanTexts if hyperscan else AhoCorasickTexts
    return scan(any_case, as_they_are)


class HyperscanTexts:
    """A `TextScan` by Hyperscan, which knows letter case."""

    def __init__(self, any_case: Sequence[bytes], as_they_are: Sequence[bytes]) -> None:
        texts = [*any_case, *as_they_are]
        self.longest = max(map(len, texts))
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
        matches: list[Match] = []
        append = matches.append
        lengths = self._lengths

        def add(index: int, _start: int, end: int, _flags: int, _context: object) -> None:
            append((index, end - lengths[index], end))

        self._database.scan(block, match_event_handler=add, scratch=self._scratch())
        return matches

    def _scratch(self) -> hyperscan.Scratch:
        """Each thread needs one of its own."""
        scratch: hyperscan.Scratch | None = getattr(self._scratches, "scratch", None)
        if scratch is None:
            scratch = self._scratches.scratch = hyperscan.Scratch(self._database)
        return scratch


class AhoCorasickTexts:
    """A `TextScan` for platforms without Hyperscan: one pass over the block, and another one over
    the block in lower case.
    """

    def __init__(self, any_case: Sequence[bytes], as_they_are: Sequence[bytes]) -> None:
        self.longest = max(map(len, [*any_case, *as_they_are]))
        self._any_case = BytesAhoCorasick([text.lower() for text in any_case])
        self._as_they_are = BytesAhoCorasick(list(as_they_are))
        self._first_as_it_is = len(any_case)

    def found(self, block: bytes) -> list[Match]:
        matches: list[Match] = self._any_case.find_matches_as_indexes(
            block.lower(), overlapping=True
        )
        first = self._first_as_it_is
        matches += [
            (index + first, start, end)
            for index, start, end in self._as_they_are.find_matches_as_indexes(
                block, overlapping=True
            )
        ]
        return sorted(matches, key=_by_end)


def _by_end(match: Match) -> tuple[int, int]:
    index, _, end = match
    return end, index
