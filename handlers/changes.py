"""Reads again what another process has changed: alert rules, silences, subscriptions and pauses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from msgspec import Struct, field

from bot.store import ChangeStore, Topic
from handlers.error_messages import log_failure

log = logging.getLogger("opswatch")
# What is changed in one process is known in the others after that, and the time of a query.
CHECK_EVERY_S = 1.0
Refresh = Callable[[], Awaitable[None]]


class ChangeWatcher(Struct):
    """Compares the number of changes of each topic with the one that was seen last."""

    changes: ChangeStore
    refresh: dict[Topic, Refresh] = field(default_factory=dict)
    _seen: dict[Topic, int] = field(default_factory=dict)

    @classmethod
    async def open(cls, changes: ChangeStore) -> ChangeWatcher:
        """Called before the topics are read for the first time, so that no change is missed."""
        return cls(changes, _seen=await changes.numbers())

    async def check(self) -> None:
        """Reads again each topic that has changed."""
        for topic, number in (await self.changes.numbers()).items():
            if self._seen.get(topic, 0) == number:
                continue
            await self.refresh[topic]()
            # Only now: a refresh that fails is tried again in the next round.
            self._seen[topic] = number

    async def run(self) -> None:
        """Checks regularly until cancelled."""
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            try:
                await self.check()
            except Exception as error:
                # One topic that cannot be read must not end the watch over all of them.
                log_failure(error, "Changes of other processes were not applied")
