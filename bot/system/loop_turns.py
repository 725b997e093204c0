"""Fair turns of the event loop. Many tasks that become ready at once would run one after the other in
a single turn, and everything else, such as an ack, would wait for all of them.
"""

from __future__ import annotations

import asyncio
from collections import deque


class LoopTurns:
    """Lets at most `per_turn` tasks continue in one turn of the event loop, in the order in which
    they ask.
    """

    def __init__(self, per_turn: int) -> None:
        self._per_turn = per_turn
        self._left = per_turn
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_renewing = False

    async def next(self) -> None:
        """Returns in a turn in which fewer tasks have continued, usually the current one."""
        loop = asyncio.get_running_loop()
        if not self._is_renewing:
            self._is_renewing = True
            loop.call_soon(self._renew, loop)
        if self._left and not self._waiting:
            self._left -= 1
            return
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _renew(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wakes the first tasks that wait; they continue in the next turn."""
        self._left = self._per_turn
        while self._waiting and self._left:
            turn = self._waiting.popleft()
            # A cancelled task waits no more.
            if not turn.done():
                turn.set_result(None)
                self._left -= 1
        self._is_renewing = self._left < self._per_turn
        if self._is_renewing:
            loop.call_soon(self._renew, loop)
