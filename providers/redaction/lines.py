"""Splits text into parts that can be redacted one after the other, and into lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from providers.patterns import lazy_pattern

# The size of a part. Parts that fit into the caches of the processor are scanned faster.
PART_BYTES: Final = 64 * 1024
# How many lines back a better place to cut is looked for.
_MOST_LINES_BACK: Final = 8
_LONGEST_TAIL: Final = 80
# Lines that may need the next line: those that end in a name, and empty lines.
_GOES_ON: Final = lazy_pattern(
    rb"""(?x)
    (?: [:=\[\\] | => | </(?:key|name|dt|td|th)> | <[\w:.-]{1,64}> | (?:^|\n)
      | \b(?:name|key|header|value)["']?[ ]?[:=][ ]?["']?[^\n"']{1,60}["']?,?   # the other half may follow
      | (?:^|\n|[ \t])login[ \t]{1,8}\S{1,40}
    ) [ \t\r]{0,8} \n $
    """
)


def last_cut(block: bytes, end: int) -> int:
    """The last place before `end` where a line ends and the text can be cut. A name and its value
    on the next line are kept together, unless that takes too many lines.
    """
    cut = block.rfind(b"\n", 0, end) + 1
    first = cut
    for _ in range(_MOST_LINES_BACK):
        if cut == 0 or not _GOES_ON.search(block[max(0, cut - _LONGEST_TAIL) : cut]):
            return cut
        cut = block.rfind(b"\n", 0, cut - 1) + 1
    return first


def line_before(block: bytes, at: int, longest: int) -> bytes:
    """What precedes a place on its line, or the last `longest` bytes of it."""
    return block[max(0, at - longest) : at].rpartition(b"\n")[2]


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
