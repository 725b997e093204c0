"""Finds the bot's own secrets by their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ahocorasick_rs import BytesAhoCorasick, MatchKind

# With fewer first bytes than these, the scan would look for each of them by itself, which is slower
# where they are common letters.
_FILLERS: Final = tuple(bytes((first, 0xFF, 0xFE, 0xFD)) for first in range(4))


class ValueScan:
    """Looks for some values, of which the longest is found first."""

    def __init__(self, values: Sequence[bytes]) -> None:
        self._scan = BytesAhoCorasick([*values, *_FILLERS], matchkind=MatchKind.LeftmostLongest)
        self._count = len(values)

    def found(self, block: bytes) -> list[tuple[int, int]]:
        """Where the values stand."""
        matches = self._scan.find_matches_as_indexes(block)
        return [(start, end) for index, start, end in matches if index < self._count]
