"""Shortens long runs of one repeated text, such as a line of `token= token= token= …`, so that the
rules read the text a few times instead of many thousand times.

The length of what is cut out of a run is a multiple of its period, and the rules look at most
CONTEXT bytes to each side. So whatever they find in the last period before a cut, they would also
find in each period that was cut out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from providers.redaction.spans import Found

LONGEST_PERIOD: Final = 512
# What is kept at each end of a run. The rule for addresses reads the furthest, 1024 bytes.
CONTEXT: Final = 2048
SHORTEST_RUN: Final = 4 * CONTEXT
# A repetition is recognised by this many bytes that occur again.
_PROBE_BYTES: Final = 32
# The number of bytes that are compared at once.
_COMPARED_BYTES: Final = 4096


class Cut(NamedTuple):
    """Bytes that were cut out of a run: `periods` times `period` bytes before `at`, a place in the
    shortened text.
    """

    at: int
    period: int
    periods: int

    @property
    def length(self) -> int:
        return self.period * self.periods


def has_long_run(block: bytes) -> bool:
    """Whether a block probably contains a run of at least SHORTEST_RUN bytes. A run of twice that
    length is always found.
    """
    return any(
        block.find(b"\n", at, at + CONTEXT) < 0 and _period(block, at)
        for at in range(0, len(block) - SHORTEST_RUN + 1, SHORTEST_RUN)
    )


def shortened(line: bytes) -> tuple[bytes, list[Cut]]:
    """A line without the middle of its runs, and what was cut out."""
    kept: list[bytes] = []
    cuts: list[Cut] = []
    done = removed = 0
    for start, end, period in _runs(line):
        periods = (end - start - 2 * CONTEXT) // period
        at = start + CONTEXT
        kept.append(line[done:at])
        done = at + periods * period
        cuts.append(Cut(at - removed, period, periods))
        removed += periods * period
    if not cuts:
        return line, cuts
    return b"".join([*kept, line[done:]]), cuts


def restored(spans: Sequence[Found], cuts: Sequence[Cut]) -> list[Found]:
    """The spans of the shortened line at their places in the whole line."""
    found = list(spans)
    for cut in reversed(cuts):
        found = list(_around_cut(found, cut))
    return found


def _around_cut(spans: Sequence[Found], cut: Cut) -> Iterator[Found]:
    for start, end, mark in spans:
        if start >= cut.at:
            yield start + cut.length, end + cut.length, mark
        elif end > cut.at and end - start > cut.period:
            # A value that continues through the whole run.
            yield start, end + cut.length, mark
        else:
            yield start, end, mark
            if start >= cut.at - cut.period:
                for shift in range(cut.period, cut.length + 1, cut.period):
                    yield start + shift, end + shift, mark


def _runs(line: bytes) -> Iterator[tuple[int, int, int]]:
    """Start, end and period of each run."""
    at = 0
    while at + SHORTEST_RUN <= len(line):
        period = _period(line, at)
        end = end_of_run(line, at, period) if period else at
        if end - at >= SHORTEST_RUN:
            yield at, end, period
            at = end
        else:
            at += CONTEXT


def _period(text: bytes, at: int) -> int:
    """The distance to the next occurrence of the bytes at a place, or 0."""
    probe = text[at : at + _PROBE_BYTES]
    again = text.find(probe, at + 1, at + _PROBE_BYTES + LONGEST_PERIOD)
    return max(0, again - at)


def end_of_run(text: bytes, at: int, period: int) -> int:
    """Where the text after a place stops being the same as one period before."""
    step = _COMPARED_BYTES
    while step:
        beginning = text[at : at + step]
        if len(beginning) == step and beginning == text[at + period : at + period + step]:
            at += step
        else:
            step //= 2
    return at + period
