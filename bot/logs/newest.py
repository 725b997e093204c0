"""The newest lines of several logs that follow each other, in order of time."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bot.logs.lines import seconds_at
from bot.logs.moments import moment_of
from bot.logs.time_forms import Minute

TAIL_LINES: Final = 12
_KEPT_BYTES: Final = 512
# Up to this many lines, each is compared; of a longer log, only the last lines of each minute are.
_WEIGHED_LINES: Final = 5000


@dataclass(slots=True)
class NewestLines:
    """The newest lines of a log that was requested for `start` to `end`. A line without a time
    belongs to the line above it.
    """

    start: datetime
    end: datetime
    _best: list[tuple[float, int, bytes]] = field(default_factory=list)
    _minute: Minute | None = None
    _moment: float | None = None
    _seconds: float = 0.0
    _recent: deque[tuple[int, bytes, bool]] = field(
        default_factory=lambda: deque(maxlen=TAIL_LINES)
    )
    _offered: int = 0

    def offer(self, line: bytes, minute: Minute | None, *, has_time: bool) -> None:
        if minute != self._minute:
            self._weigh()
            self._minute = minute
            moment = moment_of(minute, self.start, self.end) if minute else None
            self._moment = moment.timestamp() if moment else None
        self._recent.append((self._offered, line[:_KEPT_BYTES], has_time))
        self._offered += 1
        if self._offered <= _WEIGHED_LINES:
            self._weigh()

    def lines(self) -> list[bytes]:
        """The lines, newest last."""
        self._weigh()
        return [line for _, _, line in sorted(self._best)]

    def _weigh(self) -> None:
        """Keeps lines that are newer than the oldest line kept."""
        for number, line, has_time in self._recent:
            if has_time:
                self._seconds = seconds_at(line)
            entry = ((self._moment or 0.0) + self._seconds, number, line)
            if len(self._best) < TAIL_LINES:
                heapq.heappush(self._best, entry)
            else:
                heapq.heappushpop(self._best, entry)
        self._recent.clear()
