"""Finds fixed texts in a block at high speed, so that the slower rules look only where a secret may
begin.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Final, Protocol

from ahocorasick_rs import BytesAhoCorasick, MatchKind

if TYPE_CHECKING:
    import hyperscan

# The index of a text, and where it begins and ends.
Match = tuple[int, int, int]
# Hyperscan needs a seventh of the time per megabyte, but compiling its texts takes as long as the
# other scan takes for this many bytes.
BYTES_BEFORE_HYPERSCAN: Final = 4 * 1024 * 1024
LOG_BLOCK_BYTES: Final = 16 * 1024
# The faster scan takes eight megabytes, which a process that leaves long logs to another one needs
# only where it reads many short ones: what it reads of logs counts a fourth.
BEGINNINGS_COUNT: Final = 4
# With fewer different first bytes, the library would search for each of them, which is slower if
# they are common letters.
_FILLERS: Final = tuple(bytes((first, 0xFF, 0xFE, 0xFD)) for first in range(4))


_READS_BEGINNINGS: Final[ContextVar[bool]] = ContextVar("reads beginnings", default=False)


@contextmanager
def beginning_of_log() -> Iterator[None]:
    """What is read in this context is a short log, or the beginning of a long one."""
    token = _READS_BEGINNINGS.set(True)
    try:
        yield
    finally:
        _READS_BEGINNINGS.reset(token)


# Tokens without a fixed text are looked for in runs of at least this many letters and digits.
SHORTEST_RUN: Final = 42


class TextScan(Protocol):
    """Looks for hundreds of texts in one pass, for some with their letter case and for others in
    any.

    All occurrences are found, even overlapping ones, ordered by their ends. Several threads may use
    a scan.
    """

    longest: int

    def found(self, block: bytes) -> list[Match]:
        """The texts in a block."""

    def may_have_run(self, block: bytes) -> bool:
        """Whether a block may contain SHORTEST_RUN letters, digits, hyphens and underscores in a
        row.
        """


def text_scan(any_case: Sequence[bytes], as_they_are: Sequence[bytes]) -> TextScan:
    """A scan that is fast for a few lines as well as for long logs."""
    return AdaptiveTexts(any_case, as_they_are)


@cache
def _load_hyperscan() -> ModuleType | None:
    try:
        import hyperscan as loaded
    except ImportError:  # No wheel for this platform, such as musl or Windows on ARM.
        return None
    return loaded


class AdaptiveTexts:
    """A `TextScan` that is ready at once, and switches to the faster scan when there is much to
    read.
    """

    def __init__(self, any_case: Sequence[bytes], as_they_are: Sequence[bytes]) -> None:
        self._texts = (any_case, as_they_are)
        self.current: TextScan = AhoCorasickTexts(any_case, as_they_are)
        self.longest = self.current.longest
        self._bytes_left = BYTES_BEFORE_HYPERSCAN
        self._change = threading.Lock()

    def found(self, block: bytes) -> list[Match]:
        # Logs are read in large blocks, and not on the event loop, where compiling would be felt.
        if self._bytes_left > 0 and len(block) >= LOG_BLOCK_BYTES:
            self._bytes_left -= len(block) // (BEGINNINGS_COUNT if _READS_BEGINNINGS.get() else 1)
            if self._bytes_left <= 0:
                self._use_hyperscan()
        return self.current.found(block)

    def may_have_run(self, block: bytes) -> bool:
        return self.current.may_have_run(block)

    def _use_hyperscan(self) -> None:
        with self._change:
            if isinstance(self.current, AhoCorasickTexts) and _load_hyperscan():
                self.current = HyperscanTexts(*self._texts)


class _HyperscanDatabase:
    """Compiled expressions, with the scratch space that Hyperscan needs for each thread."""

    def __init__(
        self, expressions: Sequence[bytes], flags: Sequence[int], *, literal: bool
    ) -> None:
        hyperscan = _load_hyperscan()
        assert hyperscan
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=expressions,
            ids=list(range(len(expressions))),
            elements=len(expressions),
            flags=flags,
            literal=literal,
        )
        self._scratches = threading.local()

    def scan(self, block: bytes, add: Callable[[int, int, int, int, object], None]) -> None:
        """Calls `add` for each match with its index, and where it ends."""
        scratch: hyperscan.Scratch | None = getattr(self._scratches, "scratch", None)
        if scratch is None:
            import hyperscan

            scratch = self._scratches.scratch = hyperscan.Scratch(self._database)
        self._database.scan(block, match_event_handler=add, scratch=scratch)


class HyperscanTexts:
    """A `TextScan` with Hyperscan."""

    def __init__(self, any_case: Sequence[bytes], as_they_are: Sequence[bytes]) -> None:
        hyperscan = _load_hyperscan()
        assert hyperscan
        texts = [*any_case, *as_they_are]
        self.longest = max(map(len, texts))
        self._lengths = [len(text) for text in texts]
        flags = [hyperscan.HS_FLAG_CASELESS] * len(any_case) + [0] * len(as_they_are)
        self._texts = _HyperscanDatabase(texts, flags, literal=True)
        run = b"[A-Za-z0-9_-]{%d}" % SHORTEST_RUN
        self._run = _HyperscanDatabase([run], [hyperscan.HS_FLAG_SINGLEMATCH], literal=False)

    def found(self, block: bytes) -> list[Match]:
        matches: list[Match] = []
        append = matches.append
        lengths = self._lengths

        def add(index: int, _start: int, end: int, _flags: int, _context: object) -> None:
            append((index, end - lengths[index], end))

        self._texts.scan(block, add)
        return matches

    def may_have_run(self, block: bytes) -> bool:
        ends: list[int] = []

        def add(_index: int, _start: int, end: int, _flags: int, _context: object) -> None:
            ends.append(end)

        self._run.scan(block, add)
        return bool(ends)


class AhoCorasickTexts:
    """A `TextScan` for short logs, and for platforms without Hyperscan: one pass over the block in
    lower case. Texts that are matched with their letter case are compared where they are found.
    """

    def __init__(self, any_case: Sequence[bytes], as_they_are: Sequence[bytes]) -> None:
        self.longest = max(map(len, [*any_case, *as_they_are]))
        texts = [*any_case, *as_they_are]
        self._scan = BytesAhoCorasick([text.lower() for text in texts])
        self._exact = [*[None] * len(any_case), *as_they_are]

    def found(self, block: bytes) -> list[Match]:
        exact = self._exact
        matches: list[Match] = [
            match
            for match in self._scan.find_matches_as_indexes(block.lower(), overlapping=True)
            if (text := exact[match[0]]) is None or block.startswith(text, match[1])
        ]
        matches.sort(key=_by_end)
        return matches

    def may_have_run(self, block: bytes) -> bool:
        # Looking for a run would take as long as looking for the tokens in it.
        return len(block) >= SHORTEST_RUN


def _by_end(match: Match) -> tuple[int, int]:
    index, _, end = match
    return end, index


class ValueScan:
    """Looks for some values. Of overlapping ones the longest is found."""

    def __init__(self, values: Sequence[bytes]) -> None:
        self._scan = BytesAhoCorasick([*values, *_FILLERS], matchkind=MatchKind.LeftmostLongest)
        self._count = len(values)

    def found(self, block: bytes) -> list[tuple[int, int]]:
        """Where the values begin and end."""
        matches = self._scan.find_matches_as_indexes(block)
        return [(start, end) for index, start, end in matches if index < self._count]
