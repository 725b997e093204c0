"""Opens streams of any size: bodies that are read in pieces and never held whole.

Ordinary requests use `providers.http.client`. Bulk bodies use aiohttp, whose parser is several
times as fast, especially for many small chunks.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import httpx
from msgspec.structs import replace
from yarl import URL

from providers.errors import Incomplete, ProtocolError, ProviderError
from providers.http.causes import UNEXPLAINED
from providers.http.connections import describe_failure, open_session
from providers.http.failures import no_answer, not_http, not_reached, setting_of
from providers.http.network import PROXY_HINT, Network
from providers.http.observer import RequestOutcome
from providers.http.reading import MOST_ERROR_BYTES
from providers.http.reply import Reply
from providers.http.unpacking import PACKINGS, Unpacker, packings_of

# Small chunks are gathered, since handing each on costs more than reading it.
PIECE_BYTES = 32 * 1024
REFUSAL_TIMEOUT_S = 10.0
# Time-outs for a connection, for the next bytes, and for a whole stream: an hour is enough for a
# log of some GB over a slow line.
TIMEOUT = aiohttp.ClientTimeout(total=3600.0, sock_connect=10.0, sock_read=60.0)


@dataclass(slots=True)
class ByteCounter:
    """Counts bytes as they arrive on the wire."""

    bytes: int = 0


class BulkClient:
    """One account's client for streams. It follows no redirects and sends what it is given, byte
    for byte.
    """

    def __init__(self, network: Network = Network()) -> None:
        self._network = network
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def stream(
        self, request: httpx.Request, *, account: str
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response to a signed request, its body neither read nor unpacked. Raises Unavailable
        for transport errors.
        """
        if self._session is None:
            self._session = open_session(
                self._network,
                timeout=TIMEOUT,
                # Unpacked here, in bounded parts.
                auto_decompress=False,
                read_bufsize=4 * PIECE_BYTES,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        began = time.monotonic()
        status = None
        try:
            response = await self._session.request(
                request.method,
                # Not encoded again, so that what was signed is what is sent.
                URL(str(request.url), encoded=True),
                headers=dict(request.headers),
                allow_redirects=False,
            )
            status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            host = request.url.netloc.decode("ascii")
            raise unreachable(error, account=account, host=host) from None
        finally:
            self._network.observer(RequestOutcome(account, status, time.monotonic() - began))
        try:
            yield response
        finally:
            response.close()

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()


async def read_refusal(response: aiohttp.ClientResponse, *, account: str) -> Reply:
    """A reply that is not a log. Only as much of its body is read as a sentence needs, and only as
    long as it arrives in time.
    """
    body = bytearray()
    with contextlib.suppress(TimeoutError, Incomplete):
        async with asyncio.timeout(REFUSAL_TIMEOUT_S):
            async for piece in pieces(response, account=account):
                body += piece
                if len(body) >= MOST_ERROR_BYTES:
                    break
    return replace(head(response), body=bytes(body[:MOST_ERROR_BYTES]))


def head(response: aiohttp.ClientResponse) -> Reply:
    """Status and headers, without the body."""
    return Reply(response.status, httpx.Headers(list(response.headers.items())), b"")


async def pieces(
    response: aiohttp.ClientResponse, *, account: str, meter: ByteCounter | None = None
) -> AsyncIterator[bytes]:
    """The body in pieces of PIECE_BYTES or more, unpacked if it was compressed in spite of
    `identity`. Everything that arrived is yielded before Incomplete is raised for a body that
    breaks off, stalls, or ends in the middle of compressed data.
    """
    unpacker = _unpacker(response.headers.get("Content-Encoding", ""), account=account)
    gathered = bytearray()
    broken = ""
    meter = meter or ByteCounter()
    try:
        while piece := await response.content.readany():
            meter.bytes += len(piece)
            for part in unpacker.feed(piece) if unpacker else (piece,):
                if not gathered and len(part) >= PIECE_BYTES:
                    yield part
                    continue
                gathered += part
                if len(gathered) >= PIECE_BYTES:
                    yield bytes(gathered)
                    gathered.clear()
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        broken = unreachable(error, account=account).message
    except zlib.error:
        broken = f"{account} sent a log that cannot be unpacked."
    if not broken and unpacker and not unpacker.ended:
        broken = f"{account} ended a packed log too early."
    if gathered:
        yield bytes(gathered)
    if broken:
        raise Incomplete(broken, account=account, hint="Ask again, or for a shorter window.")


def unreachable(error: Exception, *, account: str, host: str = "") -> ProviderError:
    """The error for a request that got no whole answer; says how it failed and never
    quotes a URL. `host` is only for operators.
    """
    if failure := describe_failure(error, setting=setting_of(account)):
        is_of_proxy = failure.hint == PROXY_HINT and failure.host
        shown = failure.host if is_of_proxy else host
        return not_reached(failure.reason, failure.hint, account=account, host=shown)
    if isinstance(error, aiohttp.ClientResponseError):
        return not_http(account=account, host=host)
    if isinstance(error, aiohttp.ClientConnectorError):
        return not_reached(
            "", UNEXPLAINED.hint_for(setting_of(account)), account=account, host=host
        )
    timed_out = isinstance(error, TimeoutError)
    what = "stopped responding" if timed_out else "broke off in the middle of its answer"
    return no_answer(what, account=account)


def _unpacker(encoding: str, *, account: str) -> Unpacker | None:
    packings = packings_of(encoding)
    if not packings:
        return None
    if len(packings) > 1 or packings[0] not in PACKINGS:
        raise ProtocolError(
            f"{account} sent a log packed as {encoding[:20]}.",
            account=account,
            hint="Tell the operator.",
        )
    return Unpacker()
