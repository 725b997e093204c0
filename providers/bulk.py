"""One place that opens streams of any size: a body that passes by in pieces and is never held whole.

Ordinary calls go through `providers.http`. Bulk bodies go through aiohttp, whose parser is several times as quick, above all where
the body comes in many small chunks.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import httpx
from yarl import URL

from providers.connections import describe_failure, open_session
from providers.errors import Incomplete, ProtocolError, Unavailable
from providers.http import MOST_BODY_BYTES, Reply, no_answer
from providers.network import Network

PIECE_BYTES = 32 * 1024
# A connection, the next bytes of a stream, and a whole stream: an hour is what a log of some GB takes over a slow line.
TIMEOUT = aiohttp.ClientTimeout(total=3600.0, sock_connect=10.0, sock_read=60.0)


@dataclass(slots=True)
class Meter:
    """Bytes as they came over the wire."""

    bytes: int = 0


class BulkClient:
    """One account's client for streams. It follows no redirects and sends what it is given, byte for byte."""

    def __init__(self, network: Network = Network()) -> None:
        self._network = network
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def opened(self, request: httpx.Request, *, account: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response to a signed request, its body not read and not unpacked. Transport errors come out as Unavailable."""
        if self._session is None:
            self._session = open_session(
                self._network,
                timeout=TIMEOUT,
                auto_decompress=False,
                read_bufsize=4 * PIECE_BYTES,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        try:
            response = await self._session.request(
                request.method, URL(str(request.url), encoded=True), headers=dict(request.headers), allow_redirects=False
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(error, account=account) from None
        try:
            yield response
        finally:
            response.close()

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()


async def whole(response: aiohttp.ClientResponse, *, account: str) -> Reply:
    """A short body, such as that of an error, read to its end."""
    body = bytearray()
    async for piece in pieces(response, account=account):
        body += piece
        if len(body) > MOST_BODY_BYTES:
            raise ProtocolError(f"{account} sent an answer without end.", account=account, hint="Ask for a shorter window.")
    return replace(head(response), body=bytes(body))


def head(response: aiohttp.ClientResponse) -> Reply:
    """Status and headers, without the body."""
    return Reply(response.status, httpx.Headers(list(response.headers.items())), b"")


async def pieces(response: aiohttp.ClientResponse, *, account: str, meter: Meter | None = None) -> AsyncIterator[bytes]:
    """The body in pieces of PIECE_BYTES or more at a time, unpacked where it comes packed in spite of `identity`.

    What came is given out before Incomplete is raised for a body that breaks off, falls silent, or ends in the middle of
    what was packed.
    """
    unpacker = _unpacker(response.headers.get("Content-Encoding", ""), account=account)
    gathered, broken, meter = bytearray(), "", meter or Meter()
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


def unreachable(error: Exception, *, account: str) -> Unavailable:
    """The error for a request that got no whole answer; says how it failed and never quotes a URL."""
    if failure := describe_failure(error):
        reason, hint = failure
        return Unavailable(f"{account} could not be reached: {reason}.", account=account, hint=hint)
    if isinstance(error, aiohttp.ConnectionTimeoutError | aiohttp.ClientConnectorError):
        what = "could not be reached"
    elif isinstance(error, TimeoutError):
        what = "fell silent"
    else:
        what = "broke off in the middle of its answer"
    return no_answer(what, account=account)


class _Unpacker:
    """gzip or deflate, of one member or several, given out in bounded parts so that a packed bomb does not fill memory."""

    def __init__(self) -> None:
        self._stream = self._fresh()
        self._any = False

    @property
    def ended(self) -> bool:
        return bool(self._stream.eof) or not self._any

    def feed(self, piece: bytes) -> Any:
        while piece:
            if self._stream.eof:
                self._stream = self._fresh()
            self._any = True
            part = self._stream.decompress(piece, 8 * PIECE_BYTES)
            if part:
                yield part
            piece = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail

    @staticmethod
    def _fresh() -> Any:
        return zlib.decompressobj(wbits=47)


def _unpacker(encoding: str, *, account: str) -> _Unpacker | None:
    encoding = encoding.strip().lower()
    if encoding in ("identity", ""):
        return None
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise ProtocolError(f"{account} sent a log packed as {encoding[:20]}.", account=account, hint="Tell the operator.")
    return _Unpacker()
