"""Builds large answers in pieces, so that a server does not block the tasks beside it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

# Built within a few milliseconds.
PIECE_ROWS = 200
# After this many pieces the server is idle for a moment. A loop that is never idle hardly ever leaves
# the interpreter to threads, and the bot in the same process keeps its database in one.
BUSY_PIECES = 10
IDLE_S = 0.001


async def in_pieces(items: Iterable[T], size: int = PIECE_ROWS) -> AsyncIterator[list[T]]:
    """The items in lists of at most `size`. Each list is built when it is needed, and other tasks
    run before the next one, and threads every few.
    """
    remaining = iter(items)
    built = 0
    while piece := list(islice(remaining, size)):
        yield piece
        built += 1
        await asyncio.sleep(0 if built % BUSY_PIECES else IDLE_S)


async def json_array(items: Iterable[object]) -> str:
    """The items as a JSON array."""
    encoded = [json.dumps(piece)[1:-1] async for piece in in_pieces(items)]
    return f"[{', '.join(encoded)}]"
