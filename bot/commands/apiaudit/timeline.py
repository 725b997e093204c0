"""Calls over time: how many there were, and how many failed, in equal parts of a window."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from msgspec import Struct

from bot.reports.timeline import MOST_POINTS, step_start, time_step
from providers.models import ApiCall, Window


class Bucket(Struct, frozen=True):
    start: datetime
    calls: int
    failures: int


def timeline_of(
    calls: Sequence[ApiCall], failed: Sequence[ApiCall], window: Window
) -> tuple[timedelta, tuple[Bucket, ...], int]:
    """Calls in at most twenty equal steps of the window; calls outside it or without a readable
    time are only counted.
    """
    step = time_step(window)
    first = step_start(window.start, step)
    starts = [first + n * step for n in range(math.ceil((window.end - first) / step))]
    # The first step begins on a round time before the window, which cuts it off.
    edges = [window.start, *starts[1:], window.end]
    counts = _counts_between(calls, edges)
    failures = _counts_between(failed, edges)
    buckets = tuple(Bucket(*each) for each in zip(starts, counts, failures, strict=True))
    return step, buckets[-MOST_POINTS:], len(calls) - sum(counts)


def _counts_between(calls: Sequence[ApiCall], edges: Sequence[datetime]) -> list[int]:
    """How many calls are between each edge and the next."""
    # Calls come nearly in order of time, which takes little to sort.
    times = sorted([call.at for call in calls if call.at is not None])
    places = [bisect_left(times, edge) for edge in edges]
    return [end - start for start, end in pairwise(places)]
