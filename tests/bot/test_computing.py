"""CPU-bound work runs on one thread, beside the event loop."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar

import pytest

from bot.system.computing import compute

QUESTION: ContextVar[str] = ContextVar("question", default="")


async def test_all_work_shares_one_other_thread() -> None:
    threads = await asyncio.gather(*(compute(threading.get_ident) for _ in range(10)))
    assert len(set(threads)) == 1 and threads[0] != threading.get_ident()


async def test_work_keeps_its_context() -> None:
    QUESTION.set("usage")
    assert await compute(QUESTION.get) == "usage"


async def test_error_of_work_is_raised() -> None:
    def fails(*, what: str) -> None:
        raise ValueError(what)

    with pytest.raises(ValueError, match="kitchen"):
        await compute(fails, what="kitchen")
