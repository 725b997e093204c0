"""Keeps lines fast in which a secret may begin at every few bytes, such as one line of JSON with
thousands of counts of tokens.

What repeats in such a line and is no secret is passed over, and lines that repeat are read once. A
very long line in which too much is left to read loses its rest, and says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction.scan import Match

# Lines are dense with more matches than these, and no more than so many bytes from each to the next.
DENSE_MATCHES: Final = 400
DENSE_BYTES: Final = 24
SLICE_BYTES: Final = 4 * 1024
# What is passed over is seen so many times in a dense slice at least, and is so many different texts
# at most.
FEWEST_REPEATS: Final = 8
MOST_ORDINARY_TEXTS: Final = 64
# A line longer than this is very long. Services for logs cut lines at 32 to 256 KiB, so there are few.
VERY_LONG_LINE: Final = 64 * 1024
# A slice of a very long line is crowded with a match in so many bytes. Behind so many matches in its
# crowded slices, the rest of the line goes.
CROWDED_BYTES: Final = 64
MOST_CROWDED: Final = 500
# A line that stands fewer times in a row is read each time.
FEWEST_LINE_REPEATS: Final = 8
_REPEATED_LINES: Final = lazy_pattern(rb"([^\n]*+\n?)\1*+")

Find = Callable[[bytes], list[Match]]
# The ordinary texts at some places of a line.
OrdinaryTexts = Callable[[bytes, list[Match]], Iterable[bytes]]


def is_dense(matches: list[Match], length: int) -> bool:
    """Whether so many matches in so many bytes are worth a search for what repeats in them."""
    return len(matches) > DENSE_MATCHES and len(matches) * DENSE_BYTES > length


def line_matches(
    find: Find, line: bytes, ordinary_texts: OrdinaryTexts, *, longest: int
) -> Iterator[list[Match]]:
    """The matches in a long line, slice by slice, except for those in ordinary text that repeats.
    They end early where a very long line is crowded with them.

    `longest` is the length of the longest text that is looked for.
    """
    is_very_long = len(line) > VERY_LONG_LINE
    text = line
    crowded = 0
    has_searched = False
    for at in range(0, len(line), SLICE_BYTES):
        found = [
            (index, at + start, at + end)
            for index, start, end in find(text[at : at + SLICE_BYTES + longest])
            if start < SLICE_BYTES
        ]
        yield found
        is_crowded = is_very_long and len(found) * CROWDED_BYTES > SLICE_BYTES
        if is_crowded and has_searched:
            crowded += len(found)
            if crowded > MOST_CROWDED:
                return
        if not has_searched and (is_crowded or is_dense(found, SLICE_BYTES)):
            has_searched = True
            repeated = _repeated(ordinary_texts(line, found[:DENSE_MATCHES]))
            text = line[: at + SLICE_BYTES] + _blanked(line[at + SLICE_BYTES :], repeated)


def _repeated(texts: Iterable[bytes]) -> list[bytes]:
    common = Counter(texts).most_common(MOST_ORDINARY_TEXTS)
    return [text for text, count in common if count >= FEWEST_REPEATS]


def _blanked(rest: bytes, texts: list[bytes]) -> bytes:
    """The rest of a line with blanks in place of some texts, but for their first and last bytes."""
    for text in texts:
        blank = text[:1] + b" " * (len(text) - 2) + text[-1:]
        # Two neighbours share the byte between them, so the second one is found in a second pass.
        rest = rest.replace(text, blank).replace(text, blank)
    return rest


def repeated_lines(block: bytes, *, long: int) -> Iterator[tuple[bytes, int]]:
    """The lines of a block in order, some at a time, each with how often it stands there. Lines of
    at least `long` bytes are by themselves.
    """
    others = 0
    for run in _REPEATED_LINES.finditer(block):
        length = run.end(1) - run.start(1)
        if length == 0:
            break
        count = (run.end() - run.start()) // length
        if count < FEWEST_LINE_REPEATS and length < long:
            continue
        if others < run.start():
            yield block[others : run.start()], 1
        yield run[1], count
        others = run.end()
    if others < len(block):
        yield block[others:], 1
