"""Downloads a log, with one retry if the download breaks off. Memory use does not grow with the
log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.logs.counter import LogCounter
from bot.logs.newest import NewestLines
from bot.logs.worker import LogWorker
from bot.logs.writer import LogWriter, TransferState, nth_line_end
from providers.errors import Incomplete, Unavailable
from providers.models import Window
from providers.redaction import Redactor
from providers.sources import MOST_LINES, LineSource

ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class DownloadRequest:
    """What to fetch: at most `limit` lines (None for no limit) and `most_bytes`. A log larger than
    `plain_bytes` is gzipped.
    """

    ids: Sequence[str]
    window: Window
    query: str
    limit: int | None
    most_bytes: int
    plain_bytes: int


@dataclass(frozen=True, slots=True)
class LogFile:
    """Where a log is stored: in memory, and once it is larger than `memory_bytes` in the folder,
    which is created when first used.
    """

    folder: Callable[[], Path]
    name: str
    memory_bytes: int = 0

    @property
    def path(self) -> Path:
        return self.folder() / self.name


async def download_log(
    source: LineSource,
    wanted: DownloadRequest,
    file: LogFile,
    redactor: Redactor,
    *,
    progress: Callable[[TransferState], None] = lambda _: None,
) -> TransferState:
    """The redacted log, in `file` or beside it with `.gz`. There is no resume: a download that
    breaks is fetched once more from its beginning; when it breaks again, what came is kept and
    `complete` is False. Raises where nothing usable came.
    """
    for attempt in range(ATTEMPTS):
        worker = _worker_for(wanted, file, redactor)
        try:
            await _fetch_once(source, wanted, worker, progress)
        except (Incomplete, Unavailable):
            worker.transfer.complete = False
            if attempt + 1 < ATTEMPTS:
                continue
            if not worker.transfer.received:
                raise
        return worker.transfer
    raise AssertionError("the last attempt returns or raises")


def _worker_for(wanted: DownloadRequest, file: LogFile, redactor: Redactor) -> LogWorker:
    lines = wanted.limit or MOST_LINES
    size = wanted.most_bytes
    newest = NewestLines(wanted.window.start, wanted.window.end) if len(wanted.ids) > 1 else None
    in_memory = file.memory_bytes > 0
    path = Path(file.name) if in_memory else file.path
    writer = LogWriter(
        TransferState(path, LogCounter(newest=newest)),
        redactor,
        most_lines=lines,
        most_bytes=size,
        plain_bytes=wanted.plain_bytes,
        in_memory=in_memory,
    )
    return LogWorker(writer, lambda: file.path, memory_bytes=file.memory_bytes)


async def _fetch_once(
    source: LineSource,
    wanted: DownloadRequest,
    worker: LogWorker,
    progress: Callable[[TransferState], None],
) -> None:
    fetch = _fetch_shares if wanted.limit and len(wanted.ids) > 1 else _fetch_whole
    try:
        shares = await fetch(source, wanted, worker, progress)
    except asyncio.CancelledError:
        await worker.cancel_work()
        raise
    finally:
        await worker.close()
    worker.transfer.shares = tuple(share.lines for share in shares)
    if worker.transfer.counter.lines >= MOST_LINES or any(share.has_more for share in shares):
        worker.transfer.truncated = True


@dataclass(slots=True)
class _Share:
    """The lines of one log among several that share a limit."""

    id: str
    lines: int = 0
    has_more: bool = False


async def _fetch_whole(
    source: LineSource,
    wanted: DownloadRequest,
    worker: LogWorker,
    progress: Callable[[TransferState], None],
) -> Sequence[_Share]:
    """Fetches a whole log. One line more than wanted is requested, to distinguish a cut log from an
    exact fit; at the vendor's own limit that is impossible.
    """
    limit = min((wanted.limit or MOST_LINES) + 1, MOST_LINES)
    async with source.download(
        wanted.ids, wanted.window, query=wanted.query, limit=limit, most_bytes=wanted.most_bytes
    ) as stream:
        async for piece in stream:
            if not await worker.feed(piece):
                break
            progress(worker.transfer)
    return ()


async def _fetch_shares(
    source: LineSource,
    wanted: DownloadRequest,
    worker: LogWorker,
    progress: Callable[[TransferState], None],
) -> Sequence[_Share]:
    """The same number of lines of each log, one after the other. What one leaves goes to those that
    have more; the vendor would give it all to the first.
    """
    assert wanted.limit
    shares = [_Share(key) for key in wanted.ids]
    left = wanted.limit
    for number, share in enumerate(shares):
        left -= await _fetch_share(
            source, wanted, worker, progress, share, -(-left // (len(shares) - number))
        )
    for share in shares:
        if left and share.has_more:
            left -= await _fetch_share(source, wanted, worker, progress, share, left)
    return shares


async def _fetch_share(
    source: LineSource,
    wanted: DownloadRequest,
    worker: LogWorker,
    progress: Callable[[TransferState], None],
    share: _Share,
    most: int,
) -> int:
    """Feeds up to this many more lines of a log, and returns how many there were."""
    skipped = share.lines
    taken = 0
    ends_line = True
    limit = min(skipped + most + 1, MOST_LINES)
    share.has_more = False
    async with source.download(
        [share.id], wanted.window, query=wanted.query, limit=limit, most_bytes=wanted.most_bytes
    ) as stream:
        to_skip = skipped
        async for piece in stream:
            rest, to_skip = _without_lines(piece, to_skip)
            head, lines = _first_lines(rest, most - taken)
            if head:
                taken += lines
                ends_line = head.endswith(b"\n")
                if not await worker.feed(head):
                    break
                progress(worker.transfer)
            if len(head) < len(rest):
                share.has_more = True
                break
    if not ends_line:
        taken += 1
        await worker.feed(b"\n")
    share.lines += taken
    return taken


def _without_lines(piece: bytes, lines: int) -> tuple[bytes, int]:
    """The piece after this many line ends, and how many are still to come."""
    ends = piece.count(b"\n")
    if ends < lines:
        return b"", lines - ends
    return piece[nth_line_end(piece, lines) :], 0


def _first_lines(piece: bytes, lines: int) -> tuple[bytes, int]:
    """The piece up to this many line ends, and how many it has."""
    ends = piece.count(b"\n")
    if ends < lines:
        return piece, ends
    return piece[: nth_line_end(piece, lines)], lines
