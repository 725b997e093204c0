"""Runs a coroutine on a loop whose clock jumps to the next timer, so that an hour of waiting takes
no time and always happens in the same order.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """Never waits: the time to wait is added to the clock instead."""

    skipped = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout:
            self.skipped += timeout
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Selector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.skipped


def in_virtual_time(work: Coroutine[Any, Any, T]) -> T:
    """The result of the coroutine. It must wait only for timers, not for sockets or threads."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)
