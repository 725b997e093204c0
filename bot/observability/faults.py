"""Remembers which faults of the bot were logged, so that each traceback is logged once."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable

# Somebody who reads the log of the last hour finds the traceback there.
REPEAT_AFTER_S = 3600.0
MOST_REMEMBERED = 256


class RecentFaults:
    """Where faults were raised in the last hour. One in code that runs for each of thousands of
    alerts would otherwise fill the log with copies of one traceback.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._logged_at: dict[tuple[type[BaseException], str], float] = {}

    def is_new(self, error: BaseException) -> bool:
        """Whether no error of this kind was raised at the same place in the last hour."""
        now = self._clock()
        place = (type(error), _raised_at(error))
        logged_at = self._logged_at.get(place)
        if logged_at is not None and now - logged_at < REPEAT_AFTER_S:
            return False
        # In the order in which they were logged: the oldest is forgotten first.
        self._logged_at.pop(place, None)
        self._logged_at[place] = now
        if len(self._logged_at) > MOST_REMEMBERED:
            del self._logged_at[next(iter(self._logged_at))]
        return True


def _raised_at(error: BaseException) -> str:
    """The file and line that raised the error."""
    frames = list(traceback.walk_tb(error.__traceback__))
    if not frames:
        return ""
    frame, line = frames[-1]
    return f"{frame.f_code.co_filename}:{line}"
