"""Reads whole answers, unpacked and limited in size, without blocking the event loop."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import httpx

from providers.errors import ProtocolError, TooLarge
from providers.http.failures import unreachable
from providers.http.reply import Reply
from providers.http.unpacking import PACKINGS, Unpacker, packings_of

T = TypeVar("T")

# Eight times the largest answer that is known, a report of 25,000 rows.
MOST_BODY_BYTES = 64_000_000
# Of a refusal, only a sentence is needed.
MOST_ERROR_BYTES = 64_000
# Decoded within a millisecond.
SMALL_BODY_BYTES = 64_000


async def read_all(response: httpx.Response, *, account: str) -> Reply:
    """The whole reply, unpacked. Raises for an answer that is too large; the body of a refusal is
    cut instead.
    """
    answered = 200 <= response.status_code < 300
    most = MOST_BODY_BYTES if answered else MOST_ERROR_BYTES
    body = bytearray()
    try:
        async for piece in _unpacked(response, account=account):
            body += piece
            if len(body) > most:
                if answered:
                    # The error may live for a while, and would keep everything in this frame alive.
                    body.clear()
                    raise too_large(account)
                del body[most:]
                break
    except httpx.HTTPError as error:
        raise unreachable(error, account=account) from None
    # A byte order mark is no part of JSON.
    if body.startswith(b"\xef\xbb\xbf"):
        del body[:3]
    return Reply(response.status_code, response.headers, bytes(body))


async def _unpacked(response: httpx.Response, *, account: str) -> AsyncIterator[bytes]:
    """The body in small pieces, however well it was compressed, so that the event loop can run
    between them.
    """
    packings = packings_of(response.headers.get("Content-Encoding", ""))
    if len(packings) > 1:
        raise _not_unpacked(account)
    # An unknown name, such as `utf-8`, is a mistake about the text, which is not compressed.
    unpacker = Unpacker() if packings and packings[0] in PACKINGS else None
    try:
        async for piece in response.aiter_raw():
            for part in unpacker.feed(piece) if unpacker else (piece,):
                yield part
                await asyncio.sleep(0)
    except zlib.error:
        raise _not_unpacked(account) from None
    # Compressed data that ends early raises nothing by itself.
    if unpacker and not unpacker.ended:
        raise _not_unpacked(account)


async def off_loop(read: Callable[[bytes], T], body: bytes) -> T:
    """The result of `read` for a body; in a thread if the body is large enough to block the event
    loop.
    """
    return read(body) if len(body) <= SMALL_BODY_BYTES else await asyncio.to_thread(read, body)


def too_large(account: str) -> TooLarge:
    """The error for an answer of more bytes than are accepted."""
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
        hint="Try again. If it keeps failing, tell the operator.",
    )
