"""Collects what is submitted while an earlier batch is written, and writes it as the next batch."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batches(Generic[Item, Result]):
    """Writes items in batches of at most `size`. Each caller of `add` gets the result of its item,
    or the error of its batch.
    """

    def __init__(
        self, write: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]], size: int
    ) -> None:
        self._write = write
        self._size = size
        self._pending: list[tuple[Item, asyncio.Future[Result]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def add(self, item: Item) -> Result:
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._pending.append((item, result))
        # One writer at a time, so that items pile up into batches while the database is busy.
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_pending())
        return await result

    async def _write_pending(self) -> None:
        try:
            # Everything that is due in this tick is submitted before the first batch is written.
            await asyncio.sleep(0)
            while self._pending:
                batch = self._pending[: self._size]
                del self._pending[: self._size]
                await self._write_batch(batch)
        finally:
            self._writing = None

    async def _write_batch(self, batch: Sequence[tuple[Item, asyncio.Future[Result]]]) -> None:
        waiting = [result for _, result in batch]
        try:
            results = await self._write([item for item, _ in batch])
        except BaseException as error:
            _fail(waiting, error)
            # The writer was cancelled: everybody who waits is cancelled with it, and not left
            # waiting.
            if not isinstance(error, Exception):
                _fail([result for _, result in self._pending], error)
                self._pending.clear()
                raise
            return
        for future, value in zip(waiting, results, strict=True):
            if not future.done():
                future.set_result(value)


def _fail(waiting: Sequence[asyncio.Future[Result]], error: BaseException) -> None:
    for future in waiting:
        if future.done():
            continue
        if isinstance(error, Exception):
            future.set_exception(error)
        else:
            future.cancel()
