"""Measures the work of code by counting instead of timing: the lines of Python that run, and the
peak memory.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parents[2]


def lines_run(work: Callable[[], object]) -> int:
    """The number of lines that `work` runs in any Python file, of this project or of a library."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    collects = gc.isenabled()
    # A collection would run the finalizers of other tests, and count them.
    gc.disable()
    try:
        with_tracer(trace, work)
    finally:
        if collects:
            gc.enable()
    return count


def with_tracer(
    trace: Callable[[FrameType, str, Any], Any] | None, work: Callable[[], object]
) -> None:
    """Runs `work` under another tracer, or under none, instead of that which measures coverage."""
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)


def growth(work: Callable[[int], object], sizes: Sequence[int]) -> list[float]:
    """By what factor the lines that run grow from each size to the next, which is twice as large: 2
    is linear, 4 quadratic.
    """
    counts = [max(1, lines_run(lambda size=size: work(size))) for size in sizes]  # type: ignore[misc]
    return [counts[n + 1] / counts[n] for n in range(len(counts) - 1)]


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """Appends the peak number of bytes of Python's memory."""
    found: list[int] = []
    tracemalloc.start()
    try:
        yield found
    finally:
        found.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
