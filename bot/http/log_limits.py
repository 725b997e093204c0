"""Limits log lines that strangers can cause to a few a minute."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from msgspec import Struct

PER_MINUTE = 5
WINDOW_S = 60.0


class _Written(Struct):
    """How often a message was written, and dropped, in the minute that began then."""

    began_at: float
    written: int = 0
    left_out: int = 0


class LimitedLog:
    """Writes each kind of warning a few times a minute; the first one of a later minute says how
    many were dropped.
    """

    def __init__(
        self,
        log: logging.Logger,
        *,
        per_minute: int = PER_MINUTE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._per_minute = per_minute
        self._clock = clock
        self._kinds: dict[str, _Written] = {}

    def warning(self, message: str, *facts: object) -> None:
        """The same as `Logger.warning`, where there is room. `message` is the kind, so it is a
        constant.
        """
        now = self._clock()
        # By the constant message, so that strangers cannot make the table grow.
        kind = self._kinds.setdefault(message, _Written(now))
        if now - kind.began_at >= WINDOW_S:
            kind.began_at = now
            kind.written = 0
        if kind.written >= self._per_minute:
            kind.left_out += 1
            return
        kind.written += 1
        if kind.left_out:
            message = f"{message} (%d more like it were not logged.)"
            facts = (*facts, kind.left_out)
            kind.left_out = 0
        self._log.warning(message, *facts)
