"""What the rest of the program may request from a provider. An account implements the protocols of
its vendor's capabilities.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol, runtime_checkable

from providers.models import (
    AccountStatus,
    CallFilters,
    CallPage,
    CallsDescription,
    Check,
    DayRange,
    LogEntries,
    LogEntry,
    LogStatistics,
    LogUsage,
    NamedLog,
    UsagePeriod,
    Window,
)

# The most that one download takes: logs, and lines ("Download Log").
MOST_LOGS = 10
MOST_LINES = 20_000_000


@runtime_checkable
class UsageSource(Protocol):
    """Data usage by day."""

    account: str

    async def usage(self, days: DayRange) -> UsagePeriod: ...

    async def usage_by_log(self, days: DayRange) -> LogUsage: ...

    async def named_logs(self) -> Sequence[NamedLog]: ...


@runtime_checkable
class CallSource(Protocol):
    """Recorded API calls."""

    account: str

    def unsupported_filter(self, filters: CallFilters) -> str | None:
        """Why this account cannot apply the filters, as one sentence that names the filter; None if
        it can.
        """
        ...

    def kept_since(self, now: datetime) -> datetime | None:
        """The oldest instant that can be requested; None if the vendor documents no limit."""
        ...

    async def calls(
        self, window: Window, filters: CallFilters, *, read: Callable[[int], None] = lambda _: None
    ) -> CallPage:
        """The calls of the window. `read` is called with the number of calls read so far."""
        ...


@runtime_checkable
class DescribesCalls(Protocol):
    """A source of calls that lists the values of its filters, for forms."""

    account: str

    async def calls_description(self) -> CallsDescription: ...


@runtime_checkable
class LimitsCalls(Protocol):
    """A source of calls that knows its limits without a request."""

    account: str

    def call_limits(self) -> CallsDescription:
        """The limits as the source has described itself, or as its documentation says; without
        filters.
        """
        ...


@runtime_checkable
class OmitsCalls(Protocol):
    """Says in a sentence which calls an account does not record."""

    account: str
    unrecorded_calls: str


class LogStream(Protocol):
    """A log that is being downloaded. Iterating yields raw bytes; it raises a ProviderError where
    the stream breaks.
    """

    def __aiter__(self) -> AsyncIterator[bytes]: ...


class LineSource(Protocol):
    """Lines of logs as a stream, whether they are downloaded or found by a query."""

    account: str

    def download(
        self, ids: Sequence[str], window: Window | str, *, query: str, limit: int, most_bytes: int
    ) -> AbstractAsyncContextManager[LogStream]: ...


@runtime_checkable
class LogSource(LineSource, Protocol):
    """Raw log lines, and the logs that have them."""

    async def named_logs(self) -> Sequence[NamedLog]: ...


class LogEntrySource(Protocol):
    """Returns a few entries of logs."""

    account: str

    async def entries(
        self, ids: Sequence[str], window: Window, leql: str, *, most: int, newest_first: bool
    ) -> LogEntries:
        """At most so many entries from one end of the window."""
        ...


class LogFeedSource(Protocol):
    """Follows logs."""

    account: str

    def follow(self, ids: Sequence[str], leql: str) -> AsyncGenerator[Sequence[LogEntry], None]:
        """What arrives from now on, again and again, until the iteration is closed."""
        ...


@runtime_checkable
class LogQuerySource(LogEntrySource, LogFeedSource, Protocol):
    """Answers queries about logs without a download. `leql` is a whole statement; each method raises
    QueryRejected where the provider does not accept it.
    """

    async def statistics(
        self,
        ids: Sequence[str],
        window: Window,
        leql: str,
        *,
        progress: Callable[[int], None] = lambda _: None,
    ) -> LogStatistics:
        """The result of a `calculate` or `groupby`; `progress` is called with the percentage done."""
        ...


@runtime_checkable
class Checked(Protocol):
    """Something that can check with one cheap request whether it works."""

    account: str

    async def check(self) -> Sequence[Check]: ...

    async def status(self) -> AccountStatus:
        """Its state as far as is known without a request."""
        ...

    async def aclose(self) -> None: ...
