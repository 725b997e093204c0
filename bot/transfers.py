"""A log on its way: download, redact line by line, count, write to disk, pack. Memory does not grow with the log."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from isal import igzip

from bot.reports.logs import LogCounter
from providers.errors import Incomplete, Unavailable
from providers.records import Window
from providers.redaction import Redactor
from providers.sources import MOST_LINES, LogSource

ATTEMPTS = 2


@dataclass(slots=True)
class Transfer:
    """What has come of a log so far. `received` counts bytes as the provider sent them."""

    counter: LogCounter = field(default_factory=LogCounter)
    received: int = 0
    truncated: bool = False
    complete: bool = True
    cut_at_total: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to fetch: at most `limit` lines (None for all there may be) and `most_bytes`."""

    ids: Sequence[str]
    window: Window
    query: str
    limit: int | None
    most_bytes: int


async def fetch_log(
    source: LogSource, wanted: Wanted, path: Path, redactor: Redactor, *, progress: Callable[[Transfer], None] = lambda _: None
) -> Transfer:
    """The log in `path`, redacted. There is no resume: a download that breaks is fetched once more from its beginning;
    when it breaks again, what came is kept and `complete` is False. Raises where nothing usable came."""
    for attempt in range(ATTEMPTS):
        transfer = Transfer()
        try:
            with path.open("wb") as file:
                await _fetch_once(source, wanted, file, redactor, transfer, progress)
            return transfer
        except (Incomplete, Unavailable):
            transfer.complete = False
            if attempt + 1 == ATTEMPTS:
                if not transfer.received:
                    raise
                return transfer
    raise AssertionError("the last attempt returns or raises")


async def pack(path: Path) -> Path:
    """The file gzipped beside itself; the plain one is removed."""
    packed = path.with_name(path.name + ".gz")
    await asyncio.to_thread(_gzip, path, packed)
    return packed


async def _fetch_once(
    source: LogSource,
    wanted: Wanted,
    file: BinaryIO,
    redactor: Redactor,
    transfer: Transfer,
    progress: Callable[[Transfer], None],
) -> None:
    """One line more than wanted is asked for, to tell a cut from an exact fit; at the vendor's own limit that cannot be."""
    limit = wanted.limit or MOST_LINES
    sink = _Sink(file, redactor, transfer, lines_left=limit, bytes_left=wanted.most_bytes)
    try:
        async with source.download(wanted.ids, wanted.window, query=wanted.query, limit=min(limit + 1, MOST_LINES)) as stream:
            async for piece in stream:
                if not await asyncio.to_thread(sink.feed, piece):
                    break
                progress(transfer)
    finally:
        await asyncio.to_thread(sink.close)
    if transfer.counter.lines >= MOST_LINES:
        transfer.truncated = True


class _Sink:
    """Takes raw pieces, writes redacted ones, and stops at the last line that is wanted."""

    def __init__(self, file: BinaryIO, redactor: Redactor, transfer: Transfer, *, lines_left: int, bytes_left: int) -> None:
        self._file, self._transfer = file, transfer
        self._redacted = redactor.stream()
        self._lines_left, self._bytes_left = lines_left, bytes_left

    def feed(self, piece: bytes) -> bool:
        """False once no more is wanted."""
        wanted = self._wanted(piece)
        self._transfer.received += len(wanted)
        self._bytes_left -= len(wanted)
        self._write(self._redacted.feed(wanted))
        return not self._transfer.truncated

    def close(self) -> None:
        self._write(self._redacted.close())
        self._transfer.counter.close()

    def _wanted(self, piece: bytes) -> bytes:
        """The piece up to the last line that still fits the limits."""
        lines = piece.count(b"\n")
        if lines >= self._lines_left:
            end = _nth_line_end(piece, self._lines_left) if self._lines_left else 0
            self._transfer.truncated = len(piece) > end
            piece, lines = piece[:end], self._lines_left
        if len(piece) > self._bytes_left:
            piece = piece[: piece.rfind(b"\n", 0, self._bytes_left) + 1]
            self._transfer.truncated = self._transfer.cut_at_total = True
        self._lines_left -= lines
        return piece

    def _write(self, block: bytes) -> None:
        self._file.write(block)
        self._transfer.counter.feed(block)


def _nth_line_end(piece: bytes, number: int) -> int:
    at = 0
    for _ in range(number):
        at = piece.index(b"\n", at) + 1
    return at


def _gzip(path: Path, packed: Path) -> None:
    with path.open("rb") as plain, igzip.open(packed, "wb", compresslevel=2) as out:  # type: ignore[no-untyped-call]
        shutil.copyfileobj(plain, out, 1024 * 1024)
    path.unlink()
