"""A log on its way: download, redact line by line, count, write to disk, pack. Memory does not grow with the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from isal import isal_zlib

from bot.reports.logs import LogCounter
from providers.errors import Incomplete, Unavailable
from providers.records import Window
from providers.redaction import Redactor
from providers.sources import MOST_LINES, LogSource

ATTEMPTS = 2
PACK_LEVEL = 2
COPY_BYTES = 1024 * 1024


@dataclass(slots=True)
class Transfer:
    """What has come of a log so far. `received` counts bytes as the provider sent them; `path` is the file, packed or not."""

    path: Path
    counter: LogCounter = field(default_factory=LogCounter)
    received: int = 0
    truncated: bool = False
    complete: bool = True
    cut_at_total: bool = False


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
        transfer = Transfer(path)
        try:
            await _fetch_once(source, wanted, redactor, transfer, progress)
            return transfer
        except (Incomplete, Unavailable):
            transfer.complete = False
            if attempt + 1 == ATTEMPTS:
                if not transfer.received:
                    raise
                return transfer
    raise AssertionError("the last attempt returns or raises")


async def _fetch_once(
    source: LogSource,
    wanted: Wanted,
    redactor: Redactor,
    transfer: Transfer,
    progress: Callable[[Transfer], None],
) -> None:
    """One line more than wanted is asked for, to tell a cut from an exact fit; at the vendor's own limit that cannot be."""
    limit = wanted.limit or MOST_LINES
    sink = _Sink(_LogFile(transfer, wanted.plain_bytes), redactor, transfer, lines_left=limit, bytes_left=wanted.most_bytes)
    try:
        async with source.download(
            wanted.ids, wanted.window, query=wanted.query, limit=min(limit + 1, MOST_LINES), most_bytes=wanted.most_bytes
        ) as stream:
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

    def __init__(self, file: _LogFile, redactor: Redactor, transfer: Transfer, *, lines_left: int, bytes_left: int) -> None:
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
        try:
            self._write(self._redacted.close())
            self._transfer.counter.close()
        finally:
            self._file.close()

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


class _LogFile:
    """A file that turns into a gzipped one as soon as it is larger than may go out plain, so no log is written twice."""

    def __init__(self, transfer: Transfer, plain_bytes: int) -> None:
        self._transfer, self._plain_left = transfer, plain_bytes
        self._file: BinaryIO = transfer.path.open("wb+")
        self._pack: Any = None

    def write(self, block: bytes) -> None:
        self._plain_left -= len(block)
        if self._plain_left < 0 and self._pack is None:
            self._turn_into_gzip()
        self._file.write(self._pack.compress(block) if self._pack else block)

    def close(self) -> None:
        with self._file:
            if self._pack:
                self._file.write(self._pack.flush())

    def _turn_into_gzip(self) -> None:
        plain = self._transfer.path
        self._transfer.path = plain.with_name(plain.name + ".gz")
        self._pack = isal_zlib.compressobj(level=PACK_LEVEL, wbits=31)
        packed = self._transfer.path.open("wb")
        with self._file:
            self._file.seek(0)
            while part := self._file.read(COPY_BYTES):
                packed.write(self._pack.compress(part))
        self._file = packed
        plain.unlink()


def _nth_line_end(piece: bytes, number: int) -> int:
    at = 0
    for _ in range(number):
        at = piece.index(b"\n", at) + 1
    return at
