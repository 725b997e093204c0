"""Shortens long runs of one repeated text, such as a line of `token= token= token= …`, so that the
rules read the text a few times instead of many thousand times.

What is cut out of a run is as long as a number of its periods, and the rules look at most at
`CONTEXT` bytes around a place. So what they find in the last period in front of a cut, they would
find in each period that was cut out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from providers.redaction.spans import Found

LONGEST_PERIOD: Final = 512
# What stays of a run at either end; an address is looked through for 1024 bytes.
CONTEXT: Final = 2048
SHORTEST_RUN: Final = 4 * CONTEXT
# A repetition shows by so many bytes that occur again.
_PROBE_BYTES: Final = 32
# A run is compared with itself in steps of so many bytes.
_COMPARED_BYTES: Final = 4096


class Cut(NamedTuple):
    """Bytes that were cut out of a run: `periods` times `period` bytes in front of `at`, which is
    a place in the shortened text.
    """

    at: int
    period: int
    periods: int

    @property
    def length(self) -> int:
        return self.period * self.periods


def has_long_run(block: bytes) -> bool:
    """Whether a run of SHORTEST_RUN bytes and more is likely in a block; a longer one is for
    sure.
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
    """What was found in the shortened line, at its places in the whole line."""
    found = list(spans)
    for cut in reversed(cuts):
        found = list(_around_cut(found, cut))
    return found


def _around_cut(spans: Sequence[Found], cut: Cut) -> Iterator[Found]:
    for start, end, mark in spans:
        if start >= cut.at:
            yield start + cut.length, end + cut.length, mark
        elif end > cut.at and end - start > cut.period:
            # One value that goes on through all of the run.
            yield start, end + cut.length, mark
        else:
            yield start, end, mark
            if start >= cut.at - cut.period:
                for shift in range(cut.period, cut.length + 1, cut.period):
                    yield start + shift, end + shift, mark


def _runs(line: bytes) -> Iterator[tuple[int, int, int]]:
    """Where runs begin and end, and the length of what they repeat."""
    at = 0
    while at + SHORTEST_RUN <= len(line):
        period = _period(line, at)
        end = _end_of_run(line, at, period) if period else at
        if end - at >= SHORTEST_RUN:
            yield at, end, period
            at = end
        else:
            at += CONTEXT


def _period(text: bytes, at: int) -> int:
    """How far behind a place its bytes occur again, or 0."""
    probe = text[at : at + _PROBE_BYTES]
    again = text.find(probe, at + 1, at + _PROBE_BYTES + LONGEST_PERIOD)
    return max(0, again - at)


def _end_of_run(text: bytes, at: int, period: int) -> int:
    """Where the text behind a place stops repeating what stands a period in front of it."""
    step = _COMPARED_BYTES
    while step:
        beginning = text[at : at + step]
        if len(beginning) == step and beginning == text[at + period : at + period + step]:
            at += step
        else:
            step //= 2
    return at + period
