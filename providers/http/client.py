"""One place that opens HTTP clients, tries reads again, and turns transport trouble into our error
family.
"""

from __future__ import annotations

import asyncio
import email.utils
import ssl
import time
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar
from typing import Any, TypeVar

import httpx
import stamina

from providers.clock import Clock, utc_now
from providers.errors import (
    AuthFailed,
    NotFound,
    ProtocolError,
    ProviderError,
    RateLimited,
    TooLarge,
    Unavailable,
)
from providers.http.circuit import Circuit
from providers.http.connections import PROXY_HINT
from providers.http.network import UNTRUSTED_HINT, Network, ProxyServer, untrusted_reason
from providers.http.observer import RequestObserver, RequestOutcome, ignore_request
from providers.http.turns import Turns, is_background
from providers.http.unpacking import PACKINGS, Unpacker, packings_of
from providers.limits.rate_limiter import QUARTER, RateLimiter, ReportedQuota, Throttle, in_words

T = TypeVar("T")

ATTEMPTS = 3
TOTAL_TIMEOUT_S = 90.0
LONGEST_WAIT_S = 5.0
# A reset told for later than this is a mistake of somebody's clock.
LONGEST_LEARNED_S = 3600.0
MOST_BODY_BYTES = 64_000_000
# Of a refusal only a sentence is wanted.
MOST_ERROR_BYTES = 64_000
# What is decoded within a millisecond.
SMALL_BODY_BYTES = 64_000
TIMEOUT = httpx.Timeout(connect=10.0, read=60.0, write=20.0, pool=10.0)
MOST_AT_ONCE = 20
MOST_IN_BACKGROUND = 12
LIMITS = httpx.Limits(max_connections=MOST_AT_ONCE, max_keepalive_connections=8)

# stamina's own retry messages name the URL, which may carry an account's identifiers.
stamina.instrumentation.set_on_retry_hooks([])


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP answer: status, headers and the unpacked body."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def content_type(self) -> str:
        return str(self.headers.get("Content-Type", "")).partition(";")[0].strip().lower()


class AccountClient(httpx.AsyncClient):
    """One account's HTTP client. At most MOST_AT_ONCE requests are under way; the others wait for
    their turn out here, since the pool looks through all its connections for every request that
    waits inside it.

    `coalesced` sends one request for readers of the same resource at the same time. `budget`
    says how much may be asked, `throttle` how fast, and `circuit` leaves a vendor alone that is away.
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
        self.by_proxy = settings.get("proxy") is not None
        self.observer = observer
        self.clock = clock
        self.circuit, self.budget, self.throttle = circuit, budget, throttle
        self.turns = Turns(MOST_AT_ONCE, most_in_background=MOST_IN_BACKGROUND)
        self._under_way: dict[str, asyncio.Task[Reply]] = {}

    async def coalesced(self, key: str, ask: Callable[[], Coroutine[Any, Any, Reply]]) -> Reply:
        """The reply to a read that somebody may be waiting for already. One asker who gives up does
        not stop the others. A person does not wait for what a schedule has asked, whose turn may be
        far off.
        """
        key = f"{'schedule' if is_background() else 'person'} {key}"
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(ask())
            task.add_done_callback(
                lambda done: (self._under_way.pop(key, None), done.cancelled() or done.exception())
            )
        return await asyncio.shield(task)


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
    """A client for one account. It follows no redirects: a redirect must not carry a key or an old
    signature.
    """
    proxy = network.proxy_for(base_url)
    return AccountClient(
        circuit=Circuit(account, now=clock),
        budget=budget,
        throttle=throttle,
        clock=clock,
        observer=network.observer,
        base_url=base_url.rstrip("/"),
        auth=auth,
        timeout=TIMEOUT,
        limits=LIMITS,
        follow_redirects=False,
        trust_env=False,
        verify=network.tls if base_url.startswith("https:") else False,
        proxy=_httpx_proxy(proxy, network) if proxy else None,
        cookies=_NoCookies(),
        headers={"User-Agent": "opswatch", "Accept-Encoding": "gzip"},
    )


class _NoCookies(CookieJar):
    """Keeps no cookies: no vendor's API needs any, and what they set would grow and be sent back
    for ever.
    """

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Leaves the answer's cookies unread."""

    def add_cookie_header(self, request: Any) -> None:
        """Sends none."""


def _httpx_proxy(proxy: ProxyServer, network: Network) -> httpx.Proxy:
    """httpx takes a context for an https:// proxy alone."""
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

    Every attempt is built, and therefore signed, afresh, and is one request of the budget's
    `scope`. `check` raises a ProviderError for a reply that is no answer; errors that may pass are
    tried again up to ATTEMPTS times, within `timeout_s` seconds in all. What we reservation on ourselves,
    waiting for a turn and reserving, is none of those seconds, and no failure of the vendor's.
    """

    async def once(deadline: asyncio.Timeout) -> Reply:
        async with _paused(deadline):
            if client.throttle:
                await client.throttle.wait()
            reservation, reported = (
                await client.budget.reserve(scope) if client.budget else None,
                None,
            )
        try:
            async with opened(client, build(), account=account) as response:
                reply = await read_all(response, account=account)
            reported = parse_quota(reply, now=client.clock)
        finally:
            if client.budget:
                async with _paused(deadline):
                    await client.budget.commit(scope, reservation, reported=reported)
        (check or (lambda reply: refuse_status(reply, account=account)))(reply)
        return reply

    async with client.turns.turn(), circuit_guard(client.circuit):
        try:
            async with asyncio.timeout(timeout_s) as deadline:
                async for attempt in attempts(timeout_s):
                    with attempt:
                        return await once(deadline)
        except TimeoutError:
            raise Unavailable(
                f"{account} gave no answer within {timeout_s:.0f} s.",
                account=account,
                hint="Try again in a few minutes.",
            ) from None
    raise AssertionError("stamina either returns or raises")


@asynccontextmanager
async def _paused(deadline: asyncio.Timeout) -> AsyncIterator[None]:
    """What is done in it counts against no deadline."""
    loop, when = asyncio.get_running_loop(), deadline.when()
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
    """Up to ATTEMPTS tries with growing, jittered waits between them; only for what is safe to
    repeat.
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
    """Tells the circuit how it came out. A vendor that answers at all, if only to
    refuse, is there.
    """
    circuit.check()
    try:
        yield
    except Unavailable:
        circuit.failed()
        raise
    except RateLimited:
        raise
    except ProviderError:
        circuit.succeeded()
        raise
    else:
        circuit.succeeded()


def parse_quota(reply: Reply, *, now: Clock = utc_now) -> ReportedQuota | None:
    """What the answer says about what remains of a budget: `X-RateLimit-Remaining` or a
    vendor's spelling of it, `R7-RateLimit-RemainingBytes`, or a 429.

    A 200 that leaves nothing is a success; only the next request has to wait.
    """
    answered, headers = now(), reply.headers
    requests = next(
        (n for value in _spellings(headers, _REMAINING) if (n := _count(value)) is not None), None
    )
    size = _count(headers.get("R7-RateLimit-RemainingBytes"))
    wait_s = retry_after_s(reply)
    if reply.status == 429:
        requests = 0 if wait_s else None
    if requests is None and size is None:
        return None
    if wait_s is None:
        if size is None:
            return None
        wait_s = QUARTER.total_seconds()
    return ReportedQuota(
        answered,
        answered,
        answered + timedelta(seconds=min(wait_s, LONGEST_LEARNED_S)),
        requests,
        size,
    )


def wait_before_retry(error: Exception) -> bool | float:
    """Whether to try again, or after how many seconds. A wait longer than LONGEST_WAIT_S is for the
    asker to decide.
    """
    if not isinstance(error, ProviderError) or not error.may_retry:
        return False
    if error.retry_after_s is None:
        return not isinstance(error, RateLimited)
    return error.retry_after_s if error.retry_after_s <= LONGEST_WAIT_S else False


class opened:
    """A response whose body has not been read; transport errors come out as Unavailable."""

    def __init__(self, client: AccountClient, request: httpx.Request, *, account: str) -> None:
        self._client, self._request, self._account = client, request, account
        self._response: httpx.Response

    async def __aenter__(self) -> httpx.Response:
        began, status = time.monotonic(), None
        try:
            self._response = await self._client.send(self._request, stream=True)
            status = self._response.status_code
        except BaseException as error:
            if isinstance(error, httpx.HTTPError):
                raise unreachable(
                    error, account=self._account, by_proxy=self._client.by_proxy
                ) from None
            raise
        finally:
            seconds = time.monotonic() - began
            self._client.observer(RequestOutcome(self._account, status, seconds))
        return self._response

    async def __aexit__(self, *_: object) -> None:
        await self._response.aclose()


async def read_all(response: httpx.Response, *, account: str) -> Reply:
    """The whole reply, unpacked. An answer that is too large is refused, and the words of a refusal
    are cut.
    """
    answered = response.status_code == 200
    most = MOST_BODY_BYTES if answered else MOST_ERROR_BYTES
    body = bytearray()
    try:
        async for piece in _unpacked(response, account=account):
            body += piece
            if len(body) > most:
                if answered:
                    # The error may be kept for a while, and with it all that stands here.
                    body.clear()
                    raise too_large(account)
                del body[most:]
                break
    except httpx.HTTPError as error:
        raise unreachable(error, account=account) from None
    return Reply(response.status_code, response.headers, bytes(body))


async def _unpacked(response: httpx.Response, *, account: str) -> AsyncIterator[bytes]:
    """The body in pieces that are small however tightly it was packed; the event loop gets its turn
    between them.
    """
    packings = packings_of(response.headers.get("Content-Encoding", ""))
    if len(packings) > 1:
        raise _not_unpacked(account)
    # A name that is none, such as `utf-8`, is a mistake about the text, which is not packed.
    unpacker = Unpacker() if packings and packings[0] in PACKINGS else None
    try:
        async for piece in response.aiter_raw():
            for part in unpacker.feed(piece) if unpacker else (piece,):
                yield part
                await asyncio.sleep(0)
    except zlib.error:
        raise _not_unpacked(account) from None
    if unpacker and not unpacker.ended:
        raise _not_unpacked(account)


async def off_loop(read: Callable[[bytes], T], body: bytes) -> T:
    """What `read` makes of a body; in a thread where the body is large enough to hold up everybody
    else.
    """
    return read(body) if len(body) <= SMALL_BODY_BYTES else await asyncio.to_thread(read, body)


def too_large(account: str) -> TooLarge:
    """The error for an answer of more bytes than are taken."""
    size = f"{MOST_BODY_BYTES // 1_000_000} MB"
    return TooLarge(
        f"{account} sent more than {size} for one answer.",
        account=account,
        hint="Ask for a shorter window.",
    )


def _not_unpacked(account: str) -> ProtocolError:
    return ProtocolError(
        f"{account} sent an answer that cannot be unpacked.",
        account=account,
        hint="Try again; if it stays, tell the operator.",
    )


def unreachable(error: httpx.HTTPError, *, account: str, by_proxy: bool = False) -> ProviderError:
    """The error for a request that got no whole answer; says how it failed and never quotes a URL.
    `by_proxy` where it went to a proxy.
    """
    if reason := untrusted_reason(error):
        what = f"could not be reached: its certificate is not trusted ({reason})"
        return Unavailable(f"{account} {what}.", account=account, hint=UNTRUSTED_HINT)
    if isinstance(error, httpx.ProxyError):
        said = sanitised_proxy_answer(error)
        return Unavailable(
            f"{account} could not be reached: the proxy refused{said}.",
            account=account,
            hint=PROXY_HINT,
        )
    if by_proxy and isinstance(error, httpx.ConnectTimeout | httpx.ConnectError):
        # What fails later, in the TLS within the tunnel, is the vendor's or the proxy's; a time-out
        # does not tell which.
        in_tunnel = isinstance(error, httpx.ConnectTimeout) or _is_tls_failure(error)
        what = (
            "could not be reached through the proxy"
            if in_tunnel
            else "could not be reached: the proxy could not be reached"
        )
        return Unavailable(f"{account} {what}.", account=account, hint=PROXY_HINT)
    if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError):
        what = "could not be reached"
    elif isinstance(error, httpx.PoolTimeout):
        what = "is busy with our other questions"
    elif isinstance(error, httpx.WriteTimeout):
        what = "does not take our question in"
    elif isinstance(error, httpx.TimeoutException):
        what = "fell silent"
    elif isinstance(error, httpx.RemoteProtocolError) and not any(
        words in str(error) for words in _CUT_OFF
    ):
        return ProtocolError(
            f"{account} sent something that is not HTTP, or headers without end.",
            account=account,
            hint="Check `base_url`; if it stays, tell the operator.",
        )
    else:
        what = "broke off in the middle of its answer"
    return no_answer(what, account=account)


def _is_tls_failure(error: BaseException | None) -> bool:
    for _ in range(10):
        if error is None or isinstance(error, ssl.SSLError):
            break
        error = error.__cause__ or error.__context__
    return isinstance(error, ssl.SSLError)


def sanitised_proxy_answer(error: httpx.HTTPError) -> str:
    """` (HTTP 407)` from the message of a proxy error, which begins with the status that the proxy
    gave.
    """
    status = str(error)[:3]
    return f" (HTTP {status})" if status.isdigit() else ""


# How the HTTP library says that a connection ended too early; its other complaints are about what
# came.
_CUT_OFF = ("disconnected", "peer closed connection", "ConnectionTerminated", "StreamReset")


def no_answer(what: str, *, account: str) -> Unavailable:
    """The error for an account that `could not be reached`, `fell silent`, or failed on the way in
    another such manner.
    """
    return Unavailable(f"{account} {what}.", account=account, hint="Try again in a few minutes.")


def refuse_status(reply: Reply, *, account: str, said: str = "") -> None:
    """Raises the error that an HTTP status other than 200 means. `said` is the vendor's own
    sentence, already redacted.
    """
    status = reply.status
    if status == 200:
        return
    tail = f" It said: {said.rstrip('.')}." if said else ""
    if status in (401, 403):
        raise AuthFailed(
            f"{account} did not accept our credentials (HTTP {status}).{tail}",
            account=account,
            hint=f"Check the key of `{account}` and what it may do, then run `python -m bot check`.",
        )
    if status in (404, 410):
        raise NotFound(
            f"{account} has nothing there (HTTP {status}).{tail}",
            account=account,
            hint="Check the name and the region.",
        )
    if status == 429:
        raise too_many_requests(reply, account=account)
    if status >= 500:
        raise Unavailable(
            f"{account} is unavailable (HTTP {status}).{tail}",
            account=account,
            hint="Try again in a few minutes.",
            retry_after_s=retry_after_s(reply),
        )
    if 300 <= status < 400:
        raise ProtocolError(
            (
                f"{account} answered with a redirect (HTTP {status}), which is not followed with "
                "a key."
            ),
            account=account,
            hint="Check `base_url` or `region` of the account.",
        )
    raise ProtocolError(
        f"{account} refused the request (HTTP {status}).{tail}",
        account=account,
        hint="Try another window or filter.",
    )


def too_many_requests(reply: Reply, *, account: str, wait_s: float | None = None) -> RateLimited:
    """The error for a 429, with the time when it will work; `wait_s` is what a vendor's own body
    told of it.
    """
    wait = wait_s or retry_after_s(reply)
    when = (
        f"It will work again in about {in_words(wait)}." if wait else "Try again in a few minutes."
    )
    return RateLimited(
        f"{account} has reached its rate limit (HTTP 429).",
        account=account,
        hint=when,
        retry_after_s=wait,
    )


def retry_after_s(reply: Reply) -> float | None:
    """Seconds to wait as the answer's headers tell, or None.

    Read in this order: `Retry-After` (seconds or a date), then `X-RateLimit-Reset` (seconds
    remaining, or a Unix time where it is above a million), then `X-RateLimit-Next`
    or a vendor's spelling of it (a date).
    """
    headers = reply.headers
    now = date_of(headers.get("Date")) or utc_now()
    if (value := headers.get("Retry-After")) is not None:
        return _seconds(value) if _seconds(value) is not None else _until(value, now)
    if (seconds := _seconds(headers.get("X-RateLimit-Reset"))) is not None:
        return max(0.0, seconds - now.timestamp()) if seconds > 1_000_000 else seconds
    following = _spellings(headers, _NEXT)
    return _until(following[0], now) if following else None


# Some vendors put their name where others write `X`.
_NEXT, _REMAINING = "-ratelimit-next", "-ratelimit-remaining"


def _spellings(headers: httpx.Headers, ending: str) -> list[str]:
    """The values of the headers with this ending, that of `X-…` first."""
    found = [(name.lower(), value) for name, value in headers.items()]
    named = [each for each in found if each[0].endswith(ending)]
    return [value for name, value in sorted(named, key=lambda each: each[0] != f"x{ending}")]


def _count(value: str | None) -> int | None:
    return (
        int(value)
        if value is not None and value.isascii() and value.isdigit() and len(value) < 19
        else None
    )


def _seconds(value: str | None) -> float | None:
    try:
        seconds = float(value) if value is not None else None
    except ValueError:
        return None
    return seconds if seconds is not None and 0 <= seconds < 1e12 else None


def _until(value: str, now: datetime) -> float | None:
    moment = date_of(value)
    return max(0.0, (moment - now).total_seconds()) if moment else None


def date_of(value: str | None) -> datetime | None:
    """The instant of a header, in either way of writing one; in UTC where no offset is given. None
    for anything else.
    """
    if not value or len(value) > 100:
        return None
    for read in (datetime.fromisoformat, email.utils.parsedate_to_datetime):
        try:
            moment = read(value)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
