"""Records how questions ended, even if the database is unavailable at that moment."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from msgspec import Struct, field

from bot.store import QuestionStore, StoreUnavailable

log = logging.getLogger("opswatch")
# Ten minutes in all.
RETRY_EVERY_S = 2.0
RETRIES = 300
# A progress message that Slack has not confirmed is found in this time, in seconds, if at all.
DELETED_WITHIN_S = 40.0


class Outcomes(Struct, frozen=True):
    """Tries again until the outcome is recorded. A question without one would be reported as
    interrupted after the next restart, although its asker has the answer.
    """

    questions: QuestionStore
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def record(self, delivery: str, *, outcome: str, took_ms: int) -> None:
        await self._write(
            partial(self.questions.finish, delivery, outcome=outcome, took_ms=took_ms)
        )

    def record_after(
        self, deletion: asyncio.Task[None], delivery: str, *, outcome: str, took_ms: int
    ) -> None:
        """Records it once the progress message beside the answer is deleted, or was searched for
        long enough; the next process searches for it if this one ends before.
        """

        async def record() -> None:
            # The latest message for the question is the answer now.
            await self._write(partial(self.questions.note_shown, delivery, ""))
            await asyncio.wait({deletion}, timeout=DELETED_WITHIN_S)
            if not deletion.cancelled():
                await self.record(delivery, outcome=outcome, took_ms=took_ms)

        self._keep(asyncio.create_task(record()))

    async def leave(self, delivery: str) -> None:
        """Leaves a question whose error could not be sent to the reporter of interruptions."""
        await self._write(partial(self.questions.leave, delivery))

    async def interruption_reported(self, delivery: str) -> None:
        await self._write(partial(self.questions.interruption_reported, delivery))

    async def _write(self, write: Callable[[], Awaitable[None]]) -> None:
        try:
            await write()
        except StoreUnavailable as error:
            log.warning("The end of a question could not be recorded: %s", error)
            self._keep(asyncio.create_task(self._retry(write)))

    def _keep(self, task: asyncio.Task[None]) -> None:
        # asyncio holds tasks weakly; one that nobody refers to may be collected before its end.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _retry(self, write: Callable[[], Awaitable[None]]) -> None:
        for _ in range(RETRIES):
            await asyncio.sleep(RETRY_EVERY_S)
            try:
                await write()
            except StoreUnavailable:
                continue
            return

    async def close(self) -> None:
        """Gives up what could not be recorded."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
