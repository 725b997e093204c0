"""Reads dense lines fast: lines in which a secret could begin at every few bytes, such as a long
line of JSON with thousands of token counts.

Text that repeats in such a line and is not a secret is skipped, and repeated lines are read once.
If a very long line still has too much to read, its rest is removed, and the line says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction.periodic import end_of_run
from providers.redaction.scan import Match

# A block is dense if it has more than DENSE_MATCHES matches, at most DENSE_BYTES apart on average.
DENSE_MATCHES: Final = 400
DENSE_BYTES: Final = 64
SLICE_BYTES: Final = 4 * 1024
# Text is skipped if it occurs at least FEWEST_REPEATS times in the first dense slice; at most
# MOST_ORDINARY_TEXTS different texts are.
FEWEST_REPEATS: Final = 8
MOST_ORDINARY_TEXTS: Final = 64
# Log services split lines at 32 to 256 KiB, so longer ones are rare.
VERY_LONG_LINE: Final = 64 * 1024
# A slice of a very long line is crowded if its matches are at most CROWDED_BYTES apart on average.
# After MOST_CROWDED matches in crowded slices, the rest of the line is removed.
CROWDED_BYTES: Final = 64
MOST_CROWDED: Final = 500
# Fewer repetitions of a line are not worth the comparison.
FEWEST_LINE_REPEATS: Final = 8
# The beginning of such a run. Comparing the rest line by line would take longer.
_REPEATED_LINES: Final = lazy_pattern(rb"([^\n]*+\n?)\1{0,15}+")
_REPEATS_MATCHED: Final = 16

Find = Callable[[bytes], list[Match]]
# Returns the harmless texts at some matches of a line.
OrdinaryTexts = Callable[[bytes, list[Match]], Iterable[bytes]]


def is_dense(matches: list[Match], length: int) -> bool:
    """Whether a block is dense, so that it is worth looking for repeated text."""
    return len(matches) > DENSE_MATCHES and len(matches) * DENSE_BYTES > length


def line_matches(
    find: Find, line: bytes, ordinary_texts: OrdinaryTexts, *, longest: int
) -> Iterator[list[Match]]:
    """The matches in a long line, one slice at a time, except those in repeated ordinary text. Ends
    early if a very long line is crowded.

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
    """The rest of a line with blanks instead of some texts, except for the first and last byte of
    each.
    """
    for text in texts:
        blank = text[:1] + b" " * (len(text) - 2) + text[-1:]
        # Neighbouring occurrences share a byte, so the second of the two is found in a second pass.
        rest = rest.replace(text, blank).replace(text, blank)
    return rest


def repeated_lines(block: bytes, *, long: int) -> Iterator[tuple[bytes, int]]:
    """The lines of a block in order, in groups, each with the number of times it is repeated. Lines
    of at least `long` bytes are groups of their own.
    """
    others = at = 0
    while at < len(block) and (run := _REPEATED_LINES.match(block, at)):
        start, end = run.span()
        length = len(run[1])
        if end - start == _REPEATS_MATCHED * length:
            end = end_of_run(block, start, length)
            end -= (end - start) % length
        at = end
        count = (end - start) // length
        if count < FEWEST_LINE_REPEATS and length < long:
            continue
        if others < start:
            yield block[others:start], 1
        yield run[1], count
        others = end
    if others < len(block):
        yield block[others:], 1
