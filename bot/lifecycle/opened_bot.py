"""An opened bot. Its jobs can be stopped before its questions have ended, which it finishes before
it closes.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

from msgspec import Struct, field

from bot.app import FINISH_WITHIN_S, Bot

# For the old bot's questions.
DRAIN_WITHIN_S = 1800.0
DRAIN_POLL_S = 0.5


class OpenBot(Struct):
    """A bot, and what closes it, its outbox and its scheduler."""

    bot: Bot
    opened: AsyncExitStack
    working: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start_jobs(self) -> None:
        await self.working.enter_async_context(self.bot.working())

    async def stop_jobs(self) -> None:
        """Sends no more messages and starts no more scheduled runs."""
        await self.working.aclose()
        self.working = AsyncExitStack()

    async def close(self) -> None:
        await self.stop_jobs()
        await self.opened.aclose()


async def drain(old: OpenBot, stopping: asyncio.Event) -> None:
    """Closes a replaced bot once its questions are answered, or soon after everything stops. It is
    not cancelled for that, since a bot that is half closed would keep its database open.
    """
    running = old.bot.requests.running
    deliveries = old.bot.deliveries
    gives_up_at = time.monotonic() + DRAIN_WITHIN_S
    try:
        while (deliveries.are_under_way or running.tasks) and time.monotonic() < gives_up_at:
            if await _is_set_within(stopping, DRAIN_POLL_S):
                break
        await running.finish(within_s=FINISH_WITHIN_S)
    finally:
        await old.close()


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
