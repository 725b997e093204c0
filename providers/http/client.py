"""Opens the HTTP client of an account, and sends requests that are safe to repeat."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar
from typing import Any

import anyio
import httpx
import stamina

from providers.clock import Clock, utc_now
from providers.errors import ProviderError, RateLimited, Unavailable
from providers.http.circuit import Circuit
from providers.http.failures import refuse_status, unreachable
from providers.http.network import Network, ProxyServer
from providers.http.observer import RequestObserver, RequestOutcome, ignore_request
from providers.http.priority_semaphore import PrioritySemaphore, is_background
from providers.http.reading import read_all
from providers.http.reply import Reply, parse_quota
from providers.limits.rate_limiter import RateLimiter, Throttle

ATTEMPTS = 3
TOTAL_TIMEOUT_S = 90.0
# A longer Retry-After is reported instead of waited for.
LONGEST_WAIT_S = 5.0
# Requests wait for the pool after signing, and a vendor accepts a signature for only thirty
# seconds.
TIMEOUT = httpx.Timeout(connect=10.0, read=60.0, write=20.0, pool=10.0)
MOST_AT_ONCE = 20
# Leaves eight of the twenty to people while hundreds of alerts are due.
MOST_IN_BACKGROUND = 12
LIMITS = httpx.Limits(max_connections=MOST_AT_ONCE, max_keepalive_connections=8)

# stamina's own retry messages name the URL, which may carry an account's identifiers.
stamina.instrumentation.set_on_retry_hooks([])


class AccountClient(httpx.AsyncClient):
    """The HTTP client of one account. At most MOST_AT_ONCE requests are sent at the same time. The
    others wait here rather than in the connection pool, which scans all its connections for every
    request that waits inside it.

    `coalesced` sends one request for concurrent readers of the same resource. `budget` limits how
    many requests are sent, `throttle` how fast, and `circuit` sends nothing to a vendor that is
    down.
    """

    def __init__(
        self,
        *,
        circuit: Circuit,
        budget: RateLimiter | None,
        throttle: Throttle | None,
        clock: Clock,
        observer: RequestObserver = ignore_request,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        proxy: httpx.Proxy | None = settings.get("proxy")
        self.proxy_host = proxy.url.netloc.decode("ascii") if proxy else ""
        self.observer = observer
        self.clock = clock
        self.circuit = circuit
        self.budget = budget
        self.throttle = throttle
        self.semaphore = PrioritySemaphore(MOST_AT_ONCE, most_in_background=MOST_IN_BACKGROUND)
        self._under_way: dict[str, asyncio.Task[Reply]] = {}

    async def coalesced(self, key: str, ask: Callable[[], Coroutine[Any, Any, Reply]]) -> Reply:
        """The reply to a read, shared with everybody who waits for the same one. An asker who gives
        up does not stop the others. People and schedules do not share, since a schedule's request
        may have to wait for those of people.
        """
        key = f"{'schedule' if is_background() else 'person'} {key}"
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(ask())
            # Reading the exception keeps asyncio from logging that nobody did.
            task.add_done_callback(
                lambda done: (self._under_way.pop(key, None), done.cancelled() or done.exception())
            )
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Also ends requests that nobody waits for any longer. They settle their budget in the
        store, which closes later.
        """
        under_way = [*self._under_way.values()]
        for task in under_way:
            task.cancel()
        if under_way:
            await asyncio.wait(under_way)
        await super().aclose()


def prepare() -> None:
    """Loads what httpx would otherwise load on the event loop with its first request, which takes
    20 ms. Call it in a thread.
    """
    anyio.run(anyio.sleep, 0)


def open_client(
    base_url: str,
    *,
    account: str,
    auth: httpx.Auth | None = None,
    budget: RateLimiter | None = None,
    throttle: Throttle | None = None,
    clock: Clock = utc_now,
    network: Network = Network(),
) -> AccountClient:
    """A client for one account. It follows no redirects, because a redirect must not forward a key
    or an old signature.
    """
    proxy = network.proxy_for(base_url)
    return AccountClient(
        circuit=Circuit(account, now=clock, shared=network.circuits),
        budget=budget,
        throttle=throttle,
        clock=clock,
        observer=network.observer,
        base_url=base_url.rstrip("/"),
        auth=auth,
        timeout=TIMEOUT,
        limits=LIMITS,
        follow_redirects=False,
        # The Network has read the environment already.
        trust_env=False,
        # Loading certificates takes a while, and plain HTTP does not need any.
        verify=network.tls if base_url.startswith("https:") else False,
        proxy=_httpx_proxy(proxy, network) if proxy else None,
        cookies=_NoCookies(),
        headers={"User-Agent": "opswatch", "Accept-Encoding": "gzip"},
    )


class _NoCookies(CookieJar):
    """Stores no cookies. No vendor's API needs any, and they would be sent back with every request."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Ignores the cookies of an answer."""

    def add_cookie_header(self, request: Any) -> None:
        """Sends no cookies."""


def _httpx_proxy(proxy: ProxyServer, network: Network) -> httpx.Proxy:
    """The proxy as httpx takes it; only an https:// proxy gets a TLS context."""
    tls = network.tls if proxy.url.startswith("https:") else None
    return httpx.Proxy(proxy.url, headers=proxy.headers, ssl_context=tls)


async def fetch(
    client: AccountClient,
    build: Callable[[], httpx.Request],
    *,
    account: str,
    scope: str = "",
    check: Callable[[Reply], None] | None = None,
    timeout_s: float = TOTAL_TIMEOUT_S,
) -> Reply:
    """The answer to a request that is safe to repeat.

    Every attempt is built and signed anew, and counts as one request of the budget's `scope`.
    `check` raises a ProviderError for a reply that is not an answer. Errors that may pass are
    retried up to ATTEMPTS times, within `timeout_s` seconds in all. Time spent on our side, in the
    queue and on reservations, does not count towards these seconds, and is no failure of the
    vendor.
    """

    async def once(deadline: asyncio.Timeout) -> Reply:
        async with _paused(deadline):
            if client.throttle:
                await client.throttle.wait()
            reservation = await client.budget.reserve(scope) if client.budget else None
            reported = None
        try:
            async with _stream(client, build(), account=account) as response:
                reply = await read_all(response, account=account)
            reported = parse_quota(reply, now=client.clock)
        finally:
            if client.budget:
                async with _paused(deadline):
                    await client.budget.commit(scope, reservation, reported=reported)
        (check or (lambda reply: refuse_status(reply, account=account)))(reply)
        return reply

    async with client.semaphore.slot(), circuit_guard(client.circuit):
        try:
            async with asyncio.timeout(timeout_s) as deadline:
                async for attempt in attempts(timeout_s):
                    with attempt:
                        return await once(deadline)
        except TimeoutError:
            raise Unavailable(
                f"{account} did not answer within {timeout_s:.0f} s.",
                account=account,
                hint="Try again in a few minutes.",
                host=client.base_url.netloc.decode("ascii"),
            ) from None
    raise AssertionError("stamina either returns or raises")


@asynccontextmanager
async def _paused(deadline: asyncio.Timeout) -> AsyncIterator[None]:
    """Stops the clock of a deadline while the block runs."""
    loop = asyncio.get_running_loop()
    when = deadline.when()
    if when is None or deadline.expired():
        yield
        return
    began = loop.time()
    deadline.reschedule(None)
    try:
        yield
    finally:
        deadline.reschedule(when + loop.time() - began)


def attempts(timeout_s: float) -> AsyncIterable[Any]:
    """Up to ATTEMPTS tries with growing, jittered waits between them. Only for requests that are
    safe to repeat.
    """
    return stamina.retry_context(
        on=wait_before_retry,
        attempts=ATTEMPTS,
        timeout=timeout_s,
        wait_initial=0.1,
        wait_max=2.0,
        wait_jitter=0.2,
    )


@asynccontextmanager
async def circuit_guard(circuit: Circuit) -> AsyncIterator[None]:
    """Reports the outcome to the circuit. Any answer of the vendor, even a refusal, counts as a
    success.
    """
    await circuit.check()
    try:
        yield
    except Unavailable as error:
        await circuit.failed(error.for_operators)
        raise
    # Neither a success nor a failure: the vendor is up, but accepts nothing now.
    except RateLimited:
        raise
    except ProviderError:
        await circuit.succeeded()
        raise
    else:
        await circuit.succeeded()


def wait_before_retry(error: Exception) -> bool | float:
    """Whether to try again, or after how many seconds. A wait longer than LONGEST_WAIT_S is left to
    the person who asked.
    """
    if not isinstance(error, ProviderError) or not error.may_retry:
        return False
    if error.retry_after_s is None:
        # A 429 without a time is left to the person, as a retry would count against the limit.
        return not isinstance(error, RateLimited)
    return error.retry_after_s if error.retry_after_s <= LONGEST_WAIT_S else False


@asynccontextmanager
async def _stream(
    client: AccountClient, request: httpx.Request, *, account: str
) -> AsyncIterator[httpx.Response]:
    """A response whose body has not been read. Raises Unavailable for transport errors."""
    started = time.monotonic()
    status = None
    try:
        response = await client.send(request, stream=True)
        status = response.status_code
    except httpx.HTTPError as error:
        host = request.url.netloc.decode("ascii")
        raise unreachable(error, account=account, host=host, proxy=client.proxy_host) from None
    finally:
        client.observer(RequestOutcome(account, status, time.monotonic() - started))
    try:
        yield response
    finally:
        await response.aclose()
