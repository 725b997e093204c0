"""Dumps: stretches of text with a different secret every few bytes, such as a list of passwords.

Reading each of these secrets by the rules takes a hundred times as long as plain text does. So a
few of them are read to recognise a dump, and the rest of it is removed at once. The text says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from msgspec import Struct

from providers.patterns import lazy_pattern
from providers.redaction.private_keys import KEY_HINTS
from providers.redaction.secret import DUMP_MARK

# This much of a block is read to recognise a dump, at several places of the block.
SAMPLE_BYTES: Final = 1536
# Most texts that begin a secret are found twice, as `pass` and as `pass,`; and of random values only
# about half look like secrets.
SAMPLE_MATCHES: Final = 80
SAMPLE_EVERY: Final = 16 * 1024
# The mean distance of the secrets of a dump, at most. Short lines that hold a few secrets each are
# left to the rules if the rest of such a line may be of use.
LARGEST_GAP: Final = 64
_LARGEST_GAP_IN_SHORT_LINES: Final = 36
_FEWEST_SECRETS: Final = 12
# The value of a secret of a dump begins at most this far after its fixed text.
_LONGEST_NAME: Final = 40
# A dump goes on as long as each chunk has at least half as many fixed texts as the sample.
_CHUNK_BYTES: Final = 256
_FEWEST_CHUNKS: Final = 4
_LONGEST_HEADER: Final = 512
# A blank on both sides, so that no rule takes the mark for a part of a name or a value.
_MARK_APART: Final = b" " + DUMP_MARK + b" "
_LINE: Final = lazy_pattern(rb"[^\n]+")


class Hit(NamedTuple):
    """A place of a sample at which a secret was found: its fixed text, and the secret."""

    at: int
    text: bytes
    start: int
    value: bytes


class Dump(Struct, frozen=True):
    """What a dump is recognised by: the fixed text of its secrets, and how many of them a chunk has
    at least.
    """

    text: bytes
    fewest: int

    def regions(self, block: bytes) -> Iterator[tuple[int, int]]:
        """The stretches of a block that are part of the dump, each from one fixed text to another.
        What comes before and after them is left to the rules.
        """
        last = _before_keys(block)
        at = 0
        while (start := block.find(self.text, at, last)) >= 0:
            at = end = self._end(block, start, last)
            if end - start < _FEWEST_CHUNKS * _CHUNK_BYTES:
                at = max(at, start + _CHUNK_BYTES)
                continue
            end = block.rfind(self.text, start, end)
            # A short last line is read whole, since it may be the header of a table.
            yield start, block.rfind(b"\n", max(start, end - _LONGEST_HEADER), end) + 1 or end

    def _end(self, block: bytes, start: int, last: int) -> int:
        """Where the chunks from a place stop being part of the dump."""
        count = block.count
        at = start
        while at < last and count(self.text, at, at + _CHUNK_BYTES) >= self.fewest:
            at += _CHUNK_BYTES
        return min(at, last)


def repeats_lines(sample: bytes) -> bool:
    """Whether most lines of a sample are the same, so that it is no part of a dump."""
    lines = sample.splitlines()
    return 4 * len(set(lines)) < len(lines)


def recognise_dump(sample: bytes, hits: Sequence[Hit]) -> Dump | None:
    """The dump that a sample is part of. Text that repeats is none: it is read once anyway."""
    if not hits:
        return None
    text, count = Counter(hit.text for hit in hits).most_common(1)[0]
    alike = [hit for hit in hits if hit.text == text]
    length = alike[-1].at - alike[0].at
    has_short_lines = sample.count(b"\n", alike[0].at, alike[-1].at) > 2
    is_of_use = has_short_lines and not _repeats_between(sample, alike)
    gap = _LARGEST_GAP_IN_SHORT_LINES if is_of_use else LARGEST_GAP
    is_dump = (
        count >= _FEWEST_SECRETS
        and length <= gap * (count - 1)
        and 4 * len({hit.value for hit in alike}) >= 3 * count
        # A part of the secret before its fixed text would be left at the beginning of a stretch.
        and all(0 <= hit.start - hit.at <= _LONGEST_NAME for hit in alike)
    )
    return Dump(text, max(3, _CHUNK_BYTES * (count - 1) // (2 * length))) if is_dump else None


def _repeats_between(sample: bytes, hits: Sequence[Hit]) -> bool:
    """Whether what is between the secrets is always the same, so that nothing of use is lost with
    it.
    """
    between = Counter(
        sample[hit.start + len(hit.value) : following.start].replace(b"\n", b"")
        for hit, following in pairwise(hits)
    )
    return bool(between) and 4 * between.most_common(1)[0][1] >= 3 * between.total()


def without_dump(block: bytes, dump: Dump) -> bytes:
    """A block with a mark in each line instead of the stretches of a dump."""
    pieces: list[bytes] = []
    done = 0
    for start, end in dump.regions(block):
        region = block[start:end]
        marked = _marked_lines(region) if b"\n" in region else _MARK_APART
        pieces += (block[done:start], marked)
        done = end
    return b"".join([*pieces, block[done:]]) if pieces else block


def _marked_lines(region: bytes) -> bytes:
    """A mark for each line of a stretch."""
    if region.startswith(b"\n") or b"\n\n" in region:
        return _LINE.sub(DUMP_MARK, region)
    last = b"" if region.endswith(b"\n") else DUMP_MARK
    return (DUMP_MARK + b"\n") * region.count(b"\n") + last


def _before_keys(block: bytes) -> int:
    """The beginning of the line with the first private key, which the rules have to read."""
    places = [at for hint in KEY_HINTS if (at := block.find(hint.encode())) >= 0]
    return block.rfind(b"\n", 0, min(places)) + 1 if places else len(block)
