"""Where a text may be cut into parts that are redacted one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from providers.patterns import lazy_pattern

# So many bytes are scanned at a time: what fits into the caches of a processor is read faster.
PART_BYTES: Final = 64 * 1024
# A better place to cut is looked for in so many lines.
_MOST_LINES_BACK: Final = 8
_LONGEST_TAIL: Final = 80
# A line whose value may stand on the next one, and an empty line.
_GOES_ON: Final = lazy_pattern(
    rb"""(?x)
    (?: [:=\[\\] | => | </(?:key|name|dt|td|th)> | (?:^|\n)
      | \b(?:name|key|header|value)["']?[ ]?:[ ]?["']?[^\n"']{1,60}["']?,?   # the other half may follow
      | (?:^|\n|[ \t])login[ \t]{1,8}\S{1,40}
    ) [ \t\r]{0,8} \n $
    """
)


def last_cut(block: bytes, end: int) -> int:
    """The place of the last cut in front of `end`, behind a line. A name and its value on the next
    line stay together, unless that takes too many lines.
    """
    cut = block.rfind(b"\n", 0, end) + 1
    first = cut
    for _ in range(_MOST_LINES_BACK):
        if cut == 0 or not _GOES_ON.search(block[max(0, cut - _LONGEST_TAIL) : cut]):
            return cut
        cut = block.rfind(b"\n", 0, cut - 1) + 1
    return first


def parts(block: bytes) -> Iterator[bytes]:
    """The block in parts of whole lines."""
    start = 0
    while len(block) - start > PART_BYTES:
        window = block[start : start + PART_BYTES]
        end = start + last_cut(window, len(window))
        if end == start:
            end = block.find(b"\n", start + PART_BYTES) + 1 or len(block)
        yield block[start:end]
        start = end
    yield block[start:] if start else block
