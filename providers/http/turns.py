"""Turns at a vendor: at most so many requests at once, and those of people before those of
schedules.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

_background: ContextVar[bool] = ContextVar("background", default=False)


@contextmanager
def in_background() -> Iterator[None]:
    """What is asked in it is asked by a schedule: nobody waits for it, and it gives way
    to people.
    """
    token = _background.set(True)
    try:
        yield
    finally:
        _background.reset(token)


def is_background() -> bool:
    return _background.get()


class Turns:
    """At most `most` at once, of which schedules have at most `most_in_background`, so that a
    person never waits for all of theirs.
    """

    def __init__(self, most: int, *, most_in_background: int) -> None:
        self._most, self._most_in_background = most, most_in_background
        self._taken = self._taken_in_background = 0
        self._people: deque[asyncio.Future[None]] = deque()
        self._schedules: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits for a turn, and gives it back."""
        background = is_background()
        await self._take(background)
        try:
            yield
        finally:
            self._give_back(background)

    async def _take(self, background: bool) -> None:
        waiting = self._schedules if background else self._people
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        self._dispatch()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back(background)
            raise

    def _give_back(self, background: bool) -> None:
        self._taken -= 1
        self._taken_in_background -= background
        self._dispatch()

    def _dispatch(self) -> None:
        while self._taken < self._most and (turn := _next(self._people)):
            self._taken += 1
            turn.set_result(None)
        while (
            self._taken < self._most
            and self._taken_in_background < self._most_in_background
            and (turn := _next(self._schedules))
        ):
            self._taken += 1
            self._taken_in_background += 1
            turn.set_result(None)


def _next(waiting: deque[asyncio.Future[None]]) -> asyncio.Future[None] | None:
    """The first that still waits."""
    while waiting:
        turn = waiting.popleft()
        if not turn.done():
            return turn
    return None
