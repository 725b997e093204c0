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


async def in_pieces(items: Iterable[T], size: int = PIECE_ROWS) -> AsyncIterator[list[T]]:
    """The items in lists of at most `size`. Each list is built when it is needed, and other tasks
    run before the next one.
    """
    remaining = iter(items)
    while piece := list(islice(remaining, size)):
        yield piece
        await asyncio.sleep(0)


async def json_array(items: Iterable[object]) -> str:
    """The items as a JSON array."""
    encoded = [json.dumps(piece)[1:-1] async for piece in in_pieces(items)]
    return f"[{', '.join(encoded)}]"
