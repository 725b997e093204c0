"""Rapid7's download API: a log as a stream of raw bytes ("Download Log")."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import httpx

from providers.clock import Clock
from providers.errors import NotFound, ProtocolError, ProviderError, Unavailable
from providers.http.client import (
    MOST_AT_ONCE,
    MOST_IN_BACKGROUND,
    TOTAL_TIMEOUT_S,
    AccountClient,
    attempts,
    circuit_guard,
)
from providers.http.network import Network
from providers.http.priority_semaphore import PrioritySemaphore
from providers.http.reply import Reply, parse_quota
from providers.limits.rate_limiter import RateLimiter
from providers.rapid7.auth import ApiKey

if TYPE_CHECKING:
    # Imported with the first download, since it takes longer than a question about usage.
    import aiohttp

    from providers.http import streaming

# One page joins the ids of several logs by a colon, another by a semicolon.
SEPARATORS = (":", ";")
NO_CONTENT = 204
LOG_TYPES = frozenset({"", "text/plain", "application/octet-stream"})


class DownloadApi:
    """The download API of one account. `check` raises the error of a reply that refuses."""

    def __init__(
        self,
        client: AccountClient,
        account: str,
        *,
        auth: ApiKey,
        budget: RateLimiter,
        network: Network,
        clock: Clock,
        check: Callable[[Reply], None],
    ) -> None:
        self._client = client
        self._account = account
        self._auth = auth
        self._budget = budget
        self._network = network
        self._clock = clock
        self._check = check
        self._bulk: streaming.BulkClient | None = None
        # Those that the account has not refused.
        self.separators: tuple[str, ...] = SEPARATORS
        self._at_once = PrioritySemaphore(MOST_AT_ONCE, most_in_background=MOST_IN_BACKGROUND)

    async def aclose(self) -> None:
        if self._bulk:
            await self._bulk.aclose()

    @asynccontextmanager
    async def open(
        self, requests: Mapping[str, httpx.Request], most_bytes: int
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        from providers.http import streaming

        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._at_once.slot())
            async with circuit_guard(self._client.circuit):
                response, meter = await self._start_download(requests, most_bytes, stack)
            yield streaming.pieces(response, account=self._account, meter=meter)

    async def _start_download(
        self, requests: Mapping[str, httpx.Request], most_bytes: int, stack: AsyncExitStack
    ) -> tuple[aiohttp.ClientResponse, streaming.ByteCounter]:
        """The first response that is a log, by separator of its ids; later downloads use that one
        alone. Raises the first refusal where every separator is refused.
        """
        refusals: list[ProviderError] = []
        for separator, request in requests.items():
            try:
                async for attempt in attempts(TOTAL_TIMEOUT_S):
                    with attempt:
                        started = await stack.enter_async_context(
                            self._open_log(request, most_bytes)
                        )
            # What a separator that is not understood looks like; other refusals concern the
            # request.
            except (NotFound, ProtocolError) as error:
                refusals.append(error)
                continue
            if refusals:
                self.separators = (separator,)
            return started
        raise refusals[0]

    @asynccontextmanager
    async def _open_log(
        self, request: httpx.Request, most_bytes: int
    ) -> AsyncIterator[tuple[aiohttp.ClientResponse, streaming.ByteCounter]]:
        """The response to one attempt, where it is a log. The bytes that were read are committed at
        the end.
        """
        from providers.http import streaming

        self._bulk = self._bulk or streaming.BulkClient(self._network)
        # How much will come is unknown: the most is reserved, and what came is committed.
        reservation = await self._budget.reserve("download", size=most_bytes)
        meter = streaming.ByteCounter()
        reported = None
        try:
            async with self._bulk.stream(
                self._auth.signed(request), account=self._account
            ) as response:
                reported = parse_quota(streaming.head(response), now=self._clock)
                if response.status == 202:
                    raise self._not_ready()
                if response.status not in (200, NO_CONTENT):
                    self._check(await streaming.read_refusal(response, account=self._account))
                self._refuse_other_than_a_log(response.headers.get("Content-Type", ""))
                yield response, meter
        finally:
            await self._budget.commit("download", reservation, size=meter.bytes, reported=reported)

    def _not_ready(self) -> Unavailable:
        """No page documents 202 for a download; queries answer it while they are in progress."""
        return Unavailable(
            f"{self._account} is still preparing the log (HTTP 202).",
            account=self._account,
            hint="Ask again in a minute.",
        )

    def _refuse_other_than_a_log(self, content_type: str) -> None:
        kind = content_type.partition(";")[0].strip().lower()
        if kind not in LOG_TYPES:
            raise ProtocolError(
                f"{self._account} sent {kind[:60]} where a log was expected.",
                account=self._account,
                hint="Check `base_url` or `region`; a proxy may be answering in its place.",
            )
