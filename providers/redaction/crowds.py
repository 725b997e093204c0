"""Bounds the work on lines of which every few bytes may begin a secret.

Ordinary data can be that dense, too, such as one line of JSON with thousands of counts of tokens.
What repeats in it and is no secret is passed over, and lines that repeat are read once. Only what
is still as dense is taken out unread: no log that was seen has such a line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from providers.redaction.scan import Match
from providers.redaction.values import Span

# So many places in one line, with no more than so many bytes from each to the next, are a crowd.
CROWD: Final = 400
CROWD_BYTES: Final = 24
SLICE_BYTES: Final = 16 * 1024
# What is passed over is seen so many times in a crowd at least, and is so many different texts at
# most.
SELDOM: Final = 8
MOST_ORDINARY: Final = 64
OFTEN: Final = 8
_REPEATED: Final = re.compile(rb"([^\n]*+\n?)\1*+")

Find = Callable[[bytes], list[Match]]
# What is ordinary at some places of a line, if anything is.
OrdinaryTexts = Callable[[bytes, list[Match]], Iterable[bytes]]


def is_crowded(matches: list[Match], length: int) -> bool:
    """Whether so many places in so many bytes are too many to look at each of them without asking
    further.
    """
    return len(matches) > CROWD and len(matches) * CROWD_BYTES > length


def line_matches(
    find: Find, line: bytes, ordinary: OrdinaryTexts, *, longest: int
) -> tuple[list[Match], Span | None]:
    """The places in a long line that are worth a look, and the rest of the line where it is to be
    taken out unread.

    `longest` is the length of the longest text that is looked for.
    """
    text = line
    kept: list[Match] = []
    first = 0
    has_asked = False
    for at in range(0, len(line), SLICE_BYTES):
        found = find(text[at : at + SLICE_BYTES + longest])
        found = [
            (index, at + start, at + end) for index, start, end in found if start < SLICE_BYTES
        ]
        if len(found) * CROWD_BYTES < SLICE_BYTES:
            kept += found
            first = len(kept)
            continue
        kept += found
        if len(kept) - first <= CROWD:
            continue
        if has_asked or not (texts := _common(ordinary(line, kept[first : first + CROWD]))):
            return kept[: first + CROWD], Span(
                kept[first + CROWD][1], len(line) - line.endswith(b"\n")
            )
        has_asked = True
        first = len(kept)
        text = line[: at + SLICE_BYTES] + _without(line[at + SLICE_BYTES :], texts)
    return kept, None


def _common(texts: Iterable[bytes]) -> list[bytes]:
    return [text for text, count in Counter(texts).most_common(MOST_ORDINARY) if count >= SELDOM]


def _without(rest: bytes, texts: list[bytes]) -> bytes:
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
    for run in _REPEATED.finditer(block):
        length = run.end(1) - run.start(1)
        if length == 0:
            break
        count = (run.end() - run.start()) // length
        if count < OFTEN and length < long:
            continue
        if others < run.start():
            yield block[others : run.start()], 1
        yield run[1], count
        others = run.end()
    if others < len(block):
        yield block[others:], 1
