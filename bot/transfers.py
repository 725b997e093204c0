"""A log on its way: fetched, and fetched once more where it breaks. Memory does not grow with the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.mill import Mill
from bot.sink import Sink, Transfer
from providers.errors import Incomplete, Unavailable
from providers.records import Window
from providers.redaction import Redactor
from providers.sources import MOST_LINES, LogSource

ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to fetch: at most `limit` lines (None for all there may be) and `most_bytes`; a log above `plain_bytes` is gzipped."""

    ids: Sequence[str]
    window: Window
    query: str
    limit: int | None
    most_bytes: int
    plain_bytes: int


async def fetch_log(
    source: LogSource, wanted: Wanted, path: Path, redactor: Redactor, *, progress: Callable[[Transfer], None] = lambda _: None
) -> Transfer:
    """The log in `path`, redacted, or beside it with `.gz`. There is no resume: a download that breaks is fetched once more from
    its beginning; when it breaks again, what came is kept and `complete` is False. Raises where nothing usable came."""
    for attempt in range(ATTEMPTS):
        mill = _mill_for(wanted, path, redactor)
        try:
            await _fetch_once(source, wanted, mill, progress)
        except (Incomplete, Unavailable):
            mill.transfer.complete = False
            if attempt + 1 < ATTEMPTS:
                continue
            if not mill.transfer.received:
                raise
        return mill.transfer
    raise AssertionError("the last attempt returns or raises")


def _mill_for(wanted: Wanted, path: Path, redactor: Redactor) -> Mill:
    lines, size = wanted.limit or MOST_LINES, wanted.most_bytes
    return Mill(Sink(Transfer(path), redactor, most_lines=lines, most_bytes=size, plain_bytes=wanted.plain_bytes))


async def _fetch_once(source: LogSource, wanted: Wanted, mill: Mill, progress: Callable[[Transfer], None]) -> None:
    """One line more than wanted is asked for, to tell a cut from an exact fit; at the vendor's own limit that cannot be."""
    limit = min((wanted.limit or MOST_LINES) + 1, MOST_LINES)
    try:
        async with source.download(
            wanted.ids, wanted.window, query=wanted.query, limit=limit, most_bytes=wanted.most_bytes
        ) as stream:
            async for piece in stream:
                if not await mill.feed(piece):
                    break
                progress(mill.transfer)
    except asyncio.CancelledError:
        await mill.abandon()
        raise
    finally:
        await mill.close()
    if mill.transfer.counter.lines >= MOST_LINES:
        mill.transfer.truncated = True
