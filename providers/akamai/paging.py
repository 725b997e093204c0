"""Covers a window by several requests: how many may be sent, and where each begins and ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from providers.akamai import parse
from providers.models import Window

# “Supported time intervals”: both bounds divisible by the interval in UTC.
WHOLE_STEP = timedelta(minutes=5)
# Of one question, as its rows are in memory until they are counted.
MOST_BYTES = 500_000_000


class RequestAllowance:
    """How many requests one question may still send, and how many rows they have returned."""

    def __init__(self, most: int, read: Callable[[int], None]) -> None:
        self._left = most
        self._rows = 0
        self._bytes = 0
        self._read = read
        self.exhausted = False
        # Whether an answer was as large as answers get, and no smaller ones could be had.
        self.is_at_cap = False

    def count_bytes(self, report: parse.Report) -> None:
        """Counts the bytes of an answer; after too many, no further request is sent."""
        self._bytes += report.bytes
        if self._bytes > MOST_BYTES:
            self._left = 0

    def count_rows(self, rows: int) -> None:
        self._rows += rows
        self._read(self._rows)

    def room_for(self, requests: int) -> bool:
        return self._left >= requests

    def use(self) -> bool:
        if self._left <= 0:
            self.exhausted = True
            return False
        self._left -= 1
        return True


def is_whole(window: Window) -> bool:
    return rounded(window) == window


def rounded(window: Window) -> Window:
    """The window in whole steps of five minutes, outward."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return Window(
        epoch + (window.start - epoch) // WHOLE_STEP * WHOLE_STEP,
        # Rounded up: floor division of a negative length.
        epoch - (epoch - window.end) // WHOLE_STEP * WHOLE_STEP,
    )


def are_within(parts: Sequence[tuple[Window, Sequence[parse.Report]]]) -> bool:
    """Whether every row is in the window that its report was requested for."""
    return all(
        len(parse.within(report, _as_sent(window)).rows) == len(report.rows)
        for window, reports in parts
        for report in reports
    )


def _as_sent(window: Window) -> Window:
    """The window that the vendor was sent, which begins at a whole second."""
    return Window(window.start.replace(microsecond=0), window.end)
