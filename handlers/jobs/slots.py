"""Limits how many tasks do something at once, where thousands may wait for it.

`asyncio.Semaphore` looks at every waiter it has woken each time one is released.
"""

from __future__ import annotations

import asyncio
from collections import deque


class Slots:
    """At most so many tasks at once are inside `async with`; the others wait in their order."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __aenter__(self) -> None:
        if self._free:
            self._free -= 1
            return
        slot: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(slot)
        try:
            await slot
        except asyncio.CancelledError:
            if slot.done() and not slot.cancelled():
                # It was granted before the task was cancelled, so the next one gets it.
                self._release()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._release()

    def _release(self) -> None:
        while self._waiting:
            slot = self._waiting.popleft()
            if not slot.done():
                slot.set_result(None)
                return
        self._free += 1
