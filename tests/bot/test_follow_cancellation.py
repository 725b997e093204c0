"""A log that is followed can be cancelled at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from bot.commands.logs.entries import _next_before
from providers.models import LogEntry


async def test_cancellation_is_kept_when_entries_arrive() -> None:
    arrived = asyncio.Event()

    async def feed() -> AsyncGenerator[Sequence[LogEntry], None]:
        while True:
            await arrived.wait()
            yield []

    async def follow() -> None:
        entries = feed()
        ends = asyncio.get_running_loop().time() + 60
        while await _next_before(entries, ends) is not None:
            arrived.clear()

    task = asyncio.create_task(follow())
    for _ in range(3):
        await asyncio.sleep(0)
    arrived.set()
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=10)
    assert done
    with pytest.raises(asyncio.CancelledError):
        await task
