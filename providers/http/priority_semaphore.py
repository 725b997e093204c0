"""Limits how many requests a vendor gets at once. People's requests go before those of schedules."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

_background: ContextVar[bool] = ContextVar("background", default=False)


@contextmanager
def in_background() -> Iterator[None]:
    """Marks the requests inside as those of a schedule, which let people's requests go first."""
    token = _background.set(True)
    try:
        yield
    finally:
        _background.reset(token)


def is_background() -> bool:
    return _background.get()


class PrioritySemaphore:
    """At most `most` requests at once, of which schedules get at most `most_in_background`, so that
    a person never waits for all of theirs.
    """

    def __init__(self, most: int, *, most_in_background: int) -> None:
        self._most = most
        self._most_in_background = most_in_background
        self._taken = self._taken_in_background = 0
        self._people: deque[asyncio.Future[None]] = deque()
        self._schedules: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Waits for a slot, and releases it at the end."""
        background = is_background()
        await self._take(background)
        try:
            yield
        finally:
            self._release(background)

    async def _take(self, background: bool) -> None:
        waiting = self._schedules if background else self._people
        slot: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(slot)
        self._dispatch()
        try:
            await slot
        except asyncio.CancelledError:
            # Cancelled after it was granted: the next one would wait for it in vain.
            if slot.done() and not slot.cancelled():
                self._release(background)
            raise

    def _release(self, background: bool) -> None:
        self._taken -= 1
        self._taken_in_background -= background
        self._dispatch()

    def _dispatch(self) -> None:
        while self._taken < self._most and (slot := _next(self._people)):
            self._taken += 1
            slot.set_result(None)
        while (
            self._taken < self._most
            and self._taken_in_background < self._most_in_background
            and (slot := _next(self._schedules))
        ):
            self._taken += 1
            self._taken_in_background += 1
            slot.set_result(None)


def _next(waiting: deque[asyncio.Future[None]]) -> asyncio.Future[None] | None:
    """The first that is still waiting."""
    while waiting:
        slot = waiting.popleft()
        if not slot.done():
            return slot
    return None
