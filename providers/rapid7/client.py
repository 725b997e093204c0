"""Rapid7 Log Search as a UsageSource, a LogSource and a LogQuerySource.

Pages: "GET Account Usage", "Download Log", and the vendor's OpenAPI for usage by log and the list
of logs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import httpx

from providers.clock import Clock, utc_now
from providers.errors import (
    AuthFailed,
    NotFound,
    ProtocolError,
    ProviderError,
    QueryRejected,
    Unavailable,
)
from providers.http.client import (
    MOST_AT_ONCE,
    MOST_IN_BACKGROUND,
    TOTAL_TIMEOUT_S,
    attempts,
    circuit_guard,
    fetch,
    open_client,
)
from providers.http.failures import refuse_status, too_many_requests
from providers.http.network import Network
from providers.http.priority_semaphore import PrioritySemaphore
from providers.http.reading import off_loop
from providers.http.reply import Reply, parse_quota
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
from providers.rapid7.limits import LIMITS
from providers.rapid7.query import QueryApi
from providers.redaction import Redactor, Secret
from providers.sources import MOST_LINES, MOST_LOGS

if TYPE_CHECKING:
    # Imported with the first download, since it takes longer than a question about usage.
    import aiohttp

    from providers.http import streaming

MOST_DAYS_BY_LOG, LEAST_DAYS_BY_LOG = 30, 7
MATCH_ALL = "where(/.*/)"
NAMES_KEPT_S = 300.0
# One page joins the ids of several logs by a colon, another by a semicolon.
SEPARATORS = (":", ";")
NO_CONTENT = 204
LOG_TYPES = frozenset({"", "text/plain", "application/octet-stream"})


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
        self._network = network
        self._bulk: streaming.BulkClient | None = None
        self._redactor = redactor or Redactor([api_key])
        self._names: tuple[float, Sequence[NamedLog]] | None = None
        self._days_by_log = MOST_DAYS_BY_LOG
        self._separators: tuple[str, ...] = SEPARATORS
        self._names_lock = asyncio.Lock()
        self._downloads = PrioritySemaphore(MOST_AT_ONCE, most_in_background=MOST_IN_BACKGROUND)
        self._queries = QueryApi(self._client, account, self._refuse_query)

    async def aclose(self) -> None:
        await self._client.aclose()
        if self._bulk:
            await self._bulk.aclose()

    async def usage(self, days: DayRange) -> UsagePeriod:
        """Bytes by day for `days`, both ends included. Both dates are always sent: some readings of
        the API need them.
        """
        reply = await self._get(
            "/usage/organizations", {"from": str(days.first), "to": str(days.last)}, subject="usage"
        )
        return await off_loop(partial(parse.usage_period, account=self.account), reply.body)

    async def usage_by_log(self, days: DayRange) -> LogUsage:
        """Bytes by day and log id; asked in pieces of at most 30 days, the longest that one page
        has the API give. Where these are refused it is asked for weeks, the longest of the other
        page, and from then on.
        """
        most = self._days_by_log
        try:
            answers = await asyncio.gather(
                *(self._usage_by_log(piece) for piece in days.pieces(most))
            )
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
        return await off_loop(partial(parse.log_usage, account=self.account), reply.body)

    async def named_logs(self) -> Sequence[NamedLog]:
        """All logs of the account, remembered for five minutes."""
        async with self._names_lock:
            if self._names is None or time.monotonic() - self._names[0] > NAMES_KEPT_S:
                reply = await self._get("/management/logs", {}, subject="logs")
                names = await off_loop(partial(parse.named_logs, account=self.account), reply.body)
                self._names = (time.monotonic(), names)
            return self._names[1]

    def download(
        self, ids: Sequence[str], window: Window | str, *, query: str, limit: int, most_bytes: int
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The raw bytes of one to ten logs, oldest entry of the window first as the vendor sends
        them.

        `window` is a Window, sent as `from` and `to` in milliseconds, or a relative range in the
        API's own words ("last 20 mins"), sent as `time_range`; never both. `query` is always sent,
        since the default is disputed. `most_bytes` is what the reader will take at most; so much of
        the budget is reserved, and what did not come is given back.
        """
        if not 1 <= len(ids) <= MOST_LOGS or not 1 <= limit <= MOST_LINES:
            raise ValueError("a download takes one to ten logs and 1 to 20,000,000 lines")
        self._check_ids(ids)
        params = {"query": query or MATCH_ALL, "limit": str(limit), **_when(window)}
        requests = {
            separator: self._client.build_request(
                "GET",
                f"/download/logs/{separator.join(ids)}",
                params=params,
                headers={"Accept-Encoding": "identity"},
            )
            for separator in (self._separators if len(ids) > 1 else self._separators[:1])
        }
        return self._download(requests, most_bytes)

    @asynccontextmanager
    async def _download(
        self, requests: Mapping[str, httpx.Request], most_bytes: int
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        from providers.http import streaming

        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._downloads.slot())
            async with circuit_guard(self._client.circuit):
                response, meter = await self._start_download(requests, most_bytes, stack)
            yield streaming.pieces(response, account=self.account, meter=meter)

    async def _start_download(
        self, requests: Mapping[str, httpx.Request], most_bytes: int, stack: AsyncExitStack
    ) -> tuple[aiohttp.ClientResponse, streaming.ByteCounter]:
        """A log that begins, by the first way of joining its ids that is not refused, which is then
        kept to. Where each is, the first refusal rises.
        """
        refusals: list[ProviderError] = []
        for separator, request in requests.items():
            try:
                async for attempt in attempts(TOTAL_TIMEOUT_S):
                    with attempt:
                        started = await stack.enter_async_context(
                            self._open_log(request, most_bytes)
                        )
            except (NotFound, ProtocolError) as error:
                refusals.append(error)
                continue
            if refusals:
                self._separators = (separator,)
            return started
        raise refusals[0]

    @asynccontextmanager
    async def _open_log(
        self, request: httpx.Request, most_bytes: int
    ) -> AsyncIterator[tuple[aiohttp.ClientResponse, streaming.ByteCounter]]:
        """The response to one try, when it is a log that begins; its bytes are settled when it has
        been read.
        """
        from providers.http import streaming

        self._bulk = self._bulk or streaming.BulkClient(self._network)
        reservation, meter, reported = (
            await self._budget.reserve("download", size=most_bytes),
            streaming.ByteCounter(),
            None,
        )
        try:
            async with self._bulk.stream(
                self._auth.signed(request), account=self.account
            ) as response:
                reported = parse_quota(streaming.head(response), now=self._clock)
                if response.status == 202:
                    raise self._not_ready()
                if response.status not in (200, NO_CONTENT):
                    self._refuse(
                        await streaming.read_refusal(response, account=self.account), subject="logs"
                    )
                self._refuse_other_than_a_log(response.headers.get("Content-Type", ""))
                yield response, meter
        finally:
            await self._budget.commit("download", reservation, size=meter.bytes, reported=reported)

    def _check_ids(self, ids: Sequence[str]) -> None:
        if not all(parse.LOG_ID.fullmatch(key) for key in ids):
            raise ProtocolError(
                f"{self.account} knows a log by an id that is none.",
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

    def _not_ready(self) -> Unavailable:
        """No page tells of a 202 here, which is how the vendor's queries say that they go on."""
        return Unavailable(
            f"{self.account} is still preparing the log (HTTP 202).",
            account=self.account,
            hint="Ask again in a minute.",
        )

    def _refuse_other_than_a_log(self, content_type: str) -> None:
        kind = content_type.partition(";")[0].strip().lower()
        if kind not in LOG_TYPES:
            raise ProtocolError(
                f"{self.account} sent {kind[:60]} where a log was expected.",
                account=self.account,
                hint="Check `base_url` or `region`; a proxy may be answering in its place.",
            )

    async def status(self) -> AccountStatus:
        """The state of the account as known without a request."""
        circuit = self._client.circuit
        return AccountStatus(
            self.account, circuit.problem, circuit.answered_at, await self._budget.left()
        )

    async def check(self) -> list[Check]:
        """Asks for the usage of the last ten days, the cheapest question there is."""
        today = self._clock().date()
        try:
            period = await self.usage(DayRange(today - timedelta(days=9), today))
        except ProviderError as error:
            return [Check(self.account, ok=False, detail=error.message, hint=error.hint)]
        who = f" for {period.organisation}" if period.organisation else ""
        return [Check(self.account, ok=True, detail=f"Rapid7 answers{who}.")]

    async def _get(self, path: str, params: dict[str, str], *, subject: str) -> Reply:
        def ask() -> Coroutine[Any, Any, Reply]:
            return fetch(
                self._client,
                lambda: self._client.build_request(
                    "GET", path, params=params, headers={"Accept": "application/json"}
                ),
                account=self.account,
                scope=path.split("/")[1],
                check=lambda reply: self._refuse(reply, subject=subject),
            )

        return await self._client.coalesced(f"{path} {params}", ask)

    def _refuse(self, reply: Reply, *, subject: str) -> None:
        """A wrong key is told as 404 by one page and as 401 by another, and 404 also means that
        nothing was found.
        """
        if reply.status == 404:
            raise NotFound(
                (
                    f"{self.account} found no {_MEANINGS[subject]}, or the key or the region is "
                    "wrong (HTTP 404)."
                ),
                account=self.account,
                hint=(
                    f"Check the period or the log, then `api_key` and `region` of `{self.account}`."
                ),
            )
        if reply.status == 401:
            raise AuthFailed(
                f"{self.account} did not accept our key (HTTP 401).",
                account=self.account,
                hint=(
                    f"Check `api_key` and `region` of `{self.account}`; usage needs a key with "
                    "Read/Write privileges."
                ),
            )
        if reply.status != 200:
            said = self._redactor.text(parse.error_said(reply.body))
            refuse_status(reply, account=self.account, said=said)

    def _refuse_query(self, reply: Reply) -> None:
        """A query in progress answers 202. A 400 is about the query, and tells what is wrong."""
        if reply.status in (200, 202):
            return
        if reply.status == 400:
            said = self._redactor.text(parse.error_said(reply.body)).strip().rstrip(".")
            raise QueryRejected(
                f"{self.account} does not accept the query: {said or 'it gives no reason'}.",
                account=self.account,
                hint="Correct the query.",
            )
        if reply.status == 429:
            wait_s = parse.seconds_until_reset(reply.body)
            raise too_many_requests(reply, account=self.account, wait_s=wait_s)
        self._refuse(reply, subject="logs")


_MEANINGS = MappingProxyType({"usage": "usage data for this period", "logs": "such log"})


def _when(window: Window | str) -> dict[str, str]:
    if isinstance(window, str):
        return {"time_range": window}
    return {"from": _milliseconds(window.start), "to": _milliseconds(window.end)}


def _milliseconds(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1000))
