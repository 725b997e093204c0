"""A few entries of a log, or its new lines, as a stream like that of a download."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from bot.commands.logs.display import Entries
from providers.errors import ProviderError, RateLimited, Unavailable
from providers.models import LogEntry, Window
from providers.sources import LogEntrySource, LogFeedSource, LogStream

# The pause before a feed that has failed is opened again.
REOPEN_AFTER_S = 5.0
INTERRUPTED = "The feed was interrupted, so lines may be missing."


@dataclass(slots=True)
class EntrySource:
    """Streams the newest or the oldest lines of a window. `has_more` and `notes` are known once it has
    been read.
    """

    source: LogEntrySource
    ids: Sequence[str]
    wanted: Entries
    has_more: bool = False
    notes: tuple[str, ...] = ()
    account: str = field(init=False)

    def __post_init__(self) -> None:
        self.account = self.source.account

    @asynccontextmanager
    async def download(
        self, ids: Sequence[str], window: Window | str, *, query: str, limit: int, most_bytes: int
    ) -> AsyncIterator[LogStream]:
        """The lines, the oldest first."""
        # The query has a limit of its own, and all logs are in it.
        del ids, limit, most_bytes
        assert isinstance(window, Window)
        found = await self.source.entries(
            self.ids, window, query, most=self.wanted.lines, newest_first=self.wanted.newest
        )
        self.has_more = found.has_more
        self.notes = found.notes
        yield _one(_lines(found.entries))


@dataclass(slots=True)
class FollowSource:
    """Streams the new lines of a log, for a while."""

    source: LogFeedSource
    ids: Sequence[str]
    length: timedelta
    has_more: bool = False
    notes: tuple[str, ...] = ()
    account: str = field(init=False)

    def __post_init__(self) -> None:
        self.account = self.source.account

    def download(
        self, ids: Sequence[str], window: Window | str, *, query: str, limit: int, most_bytes: int
    ) -> AbstractAsyncContextManager[LogStream]:
        """The lines as they arrive, until the time is over."""
        del ids, window, limit, most_bytes
        return aclosing(self._pieces(query))

    async def _pieces(self, query: str) -> AsyncGenerator[bytes, None]:
        """Raises where the feed cannot be opened; one that fails later is opened again."""
        ends = _now() + self.length.total_seconds()
        was_open = False
        while _now() < ends:
            try:
                async with aclosing(self.source.follow(self.ids, query)) as feed:
                    while (entries := await _next_before(feed, ends)) is not None:
                        was_open = True
                        if entries:
                            yield _lines(entries)
                    return
            except (RateLimited, Unavailable) as error:
                # An error at the start is the answer; only a feed that was open is opened again.
                if not was_open:
                    raise
                self.notes = (INTERRUPTED,)
                await asyncio.sleep(max(0.0, min(_wait_s(error), ends - _now())))


def _wait_s(error: ProviderError) -> float:
    return max(REOPEN_AFTER_S, error.retry_after_s or 0)


async def _next_before(
    feed: AsyncIterator[Sequence[LogEntry]], ends: float
) -> Sequence[LogEntry] | None:
    """The next entries of the feed; None once its time is over."""
    try:
        # Not `wait_for`, which forgets a cancellation that comes as the entries do.
        async with asyncio.timeout_at(ends):
            return await anext(feed)
    except (TimeoutError, StopAsyncIteration):
        return None


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _one(piece: bytes) -> AsyncIterator[bytes]:
    if piece:
        yield piece


def _lines(entries: Sequence[LogEntry]) -> bytes:
    return "".join(f"{entry.message}\n" for entry in entries).encode("utf-8", "surrogatepass")
