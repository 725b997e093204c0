"""Rapid7 Log Search as a UsageSource, a LogSource and a LogQuerySource.

Pages: "GET Account Usage", "Download Log", and the vendor's OpenAPI for usage by log and the list
of logs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from providers.clock import Clock, utc_now
from providers.errors import (
    ProtocolError,
    ProviderError,
)
from providers.http.client import (
    fetch,
    open_client,
)
from providers.http.network import Network
from providers.http.reading import off_loop
from providers.http.reply import Reply
from providers.limits.rate_limiter import (
    MemoryRateLimitStore,
    RateLimiter,
    RateLimitStore,
)
from providers.models import (
    AccountStatus,
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
from providers.rapid7 import parse
from providers.rapid7.auth import ApiKey
from providers.rapid7.download import DownloadApi
from providers.rapid7.limits import LIMITS
from providers.rapid7.query import QueryApi
from providers.rapid7.refusals import Refusals
from providers.redaction import Redactor, Secret
from providers.sources import MOST_LINES, MOST_LOGS

MOST_DAYS_BY_LOG = 30
LEAST_DAYS_BY_LOG = 7
# "Download Log" says that without a query only lines with `error` are found.
MATCH_ALL = "where(/.*/)"
NAMES_KEPT_S = 300.0
Read = TypeVar("Read")


class Rapid7:
    """One Rapid7 account. `account` is the name people type."""

    def __init__(
        self,
        account: str,
        *,
        base_url: str,
        api_key: Secret,
        redactor: Redactor | None = None,
        rate_limit_store: RateLimitStore | None = None,
        clock: Clock = utc_now,
        network: Network = Network(),
    ) -> None:
        self.account = account
        self._clock = clock
        self._auth = ApiKey(api_key)
        self._budget = RateLimiter(
            account, api_key, LIMITS, rate_limit_store or MemoryRateLimitStore(), clock
        )
        self._client = open_client(
            base_url,
            account=account,
            auth=self._auth,
            budget=self._budget,
            clock=clock,
            network=network,
        )
        self._refusals = Refusals(account, redactor or Redactor([api_key]))
        self._names: tuple[float, Sequence[NamedLog]] | None = None
        self._days_by_log = MOST_DAYS_BY_LOG
        self._names_lock = asyncio.Lock()
        self._downloads = DownloadApi(
            self._client,
            account,
            auth=self._auth,
            budget=self._budget,
            network=network,
            clock=clock,
            check=self._refusals.check_log,
        )
        self._queries = QueryApi(self._client, account, self._refusals.check_query)

    async def aclose(self) -> None:
        await self._client.aclose()
        await self._downloads.aclose()

    async def usage(self, days: DayRange) -> UsagePeriod:
        """Bytes by day for `days`, both ends included. Both dates are always sent: one page requires
        them.
        """
        reply = await self._get(
            "/usage/organizations", {"from": str(days.first), "to": str(days.last)}, subject="usage"
        )
        return await self._read(parse.usage_period, reply)

    async def usage_by_log(self, days: DayRange) -> LogUsage:
        """Bytes by day and log id. One page allows 30 days in a request and another one 7: pieces of 30
        days are requested until they are refused, and from then on weeks.
        """
        most = self._days_by_log
        try:
            answers = await asyncio.gather(
                *(self._usage_by_log(piece) for piece in days.pieces(most))
            )
        # So many days were refused; the shorter limit holds from now on.
        except ProtocolError:
            if most == LEAST_DAYS_BY_LOG or len(days) <= LEAST_DAYS_BY_LOG:
                raise
            answers = await asyncio.gather(
                *(self._usage_by_log(piece) for piece in days.pieces(LEAST_DAYS_BY_LOG))
            )
            self._days_by_log = LEAST_DAYS_BY_LOG
        return LogUsage({day: logs for answer in answers for day, logs in answer.by_day.items()})

    async def _usage_by_log(self, days: DayRange) -> LogUsage:
        reply = await self._get(
            "/usage/organizations/logs",
            {"from": str(days.first), "to": str(days.last)},
            subject="usage",
        )
        return await self._read(parse.log_usage, reply)

    async def named_logs(self) -> Sequence[NamedLog]:
        """All logs of the account, cached for five minutes."""
        async with self._names_lock:
            # Inside the lock, so that one request serves all who wait.
            if self._names is None or time.monotonic() - self._names[0] > NAMES_KEPT_S:
                reply = await self._get("/management/logs", {}, subject="logs")
                names = await self._read(parse.named_logs, reply)
                self._names = (time.monotonic(), names)
            return self._names[1]

    def download(
        self, ids: Sequence[str], window: Window | str, *, query: str, limit: int, most_bytes: int
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The raw bytes of one to ten logs, from the oldest entry of the window on.

        `window` is a Window, sent as `from` and `to` in milliseconds, or a relative range in the
        API's own words ("last 20 mins"), sent as `time_range`; never both. `query` is always sent,
        since the pages disagree on its default. `most_bytes` are reserved of the rate limit, and those
        that were not received are released.
        """
        if not 1 <= len(ids) <= MOST_LOGS or not 1 <= limit <= MOST_LINES:
            raise ValueError("a download takes one to ten logs and 1 to 20,000,000 lines")
        self._check_ids(ids)
        params = {"query": query or MATCH_ALL, "limit": str(limit), **_when(window)}
        requests = {
            # The pages disagree on how ids are joined: by `:` or by `;`.
            separator: self._client.build_request(
                "GET",
                f"/download/logs/{separator.join(ids)}",
                params=params,
                # A gzip stream that is cut between chunks looks complete; plain text does not.
                headers={"Accept-Encoding": "identity"},
            )
            for separator in self._downloads.separators[: len(ids)]
        }
        return self._downloads.open(requests, most_bytes)

    def _check_ids(self, ids: Sequence[str]) -> None:
        if not all(parse.LOG_ID.fullmatch(key) for key in ids):
            raise ProtocolError(
                f"{self.account} has a log with an invalid ID.",
                account=self.account,
                hint="Use another log.",
            )

    async def statistics(
        self,
        ids: Sequence[str],
        window: Window,
        leql: str,
        *,
        progress: Callable[[int], None] = lambda _: None,
    ) -> LogStatistics:
        """The result of a query with `calculate` or `groupby`."""
        self._check_ids(ids)
        return await self._queries.statistics(ids, window, leql, progress)

    async def entries(
        self, ids: Sequence[str], window: Window, leql: str, *, most: int, newest_first: bool
    ) -> LogEntries:
        """At most `most` entries from one end of the window, the oldest first."""
        self._check_ids(ids)
        return await self._queries.entries(ids, window, leql, most=most, newest_first=newest_first)

    def follow(self, ids: Sequence[str], leql: str) -> AsyncGenerator[Sequence[LogEntry], None]:
        """What arrives from now on, until the iteration is closed."""
        self._check_ids(ids)
        return self._queries.follow(ids, leql)

    async def status(self) -> AccountStatus:
        """The state of the account as known without a request."""
        circuit = self._client.circuit
        return AccountStatus(
            self.account, circuit.problem, circuit.answered_at, await self._budget.left()
        )

    async def check(self) -> list[Check]:
        """Requests the usage of the last ten days, the cheapest request of this API."""
        today = self._clock().date()
        try:
            period = await self.usage(DayRange(today - timedelta(days=9), today))
        except ProviderError as error:
            return [Check(self.account, ok=False, detail=error.for_operators, hint=error.hint)]
        who = f" for {period.organisation}" if period.organisation else ""
        return [Check(self.account, ok=True, detail=f"Rapid7 answers{who}.")]

    async def _read(self, parsed: Callable[..., Read], reply: Reply) -> Read:
        def read(body: bytes) -> Read:
            return parsed(self._refusals.redactor.answer(body), account=self.account)

        return await off_loop(read, reply.body)

    async def _get(self, path: str, params: dict[str, str], *, subject: str) -> Reply:
        def ask() -> Coroutine[Any, Any, Reply]:
            return fetch(
                self._client,
                lambda: self._client.build_request(
                    "GET", path, params=params, headers={"Accept": "application/json"}
                ),
                account=self.account,
                # Limits are for each namespace, such as /usage and /management.
                scope=path.split("/")[1],
                check=partial(self._refusals.check, subject=subject),
            )

        return await self._client.coalesced(f"{path} {params}", ask)


def _when(window: Window | str) -> dict[str, str]:
    if isinstance(window, str):
        return {"time_range": window}
    return {"from": _milliseconds(window.start), "to": _milliseconds(window.end)}


def _milliseconds(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1000))
