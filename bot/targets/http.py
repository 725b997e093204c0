"""Sends a request to a target, and says what its answer means."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import aiohttp
import msgspec

from bot import formatting
from bot.notifications.settings import HttpRequest
from bot.targets.errors import TargetRefused, TargetUnavailable
from providers.http.connections import describe_failure

# A queue waits while an event is sent; half a minute is long for an API that takes events.
TIMEOUT = aiohttp.ClientTimeout(total=30.0, sock_connect=10.0)
# Of an answer, no more is read than shows why an event was refused.
MOST_ANSWER_BYTES = 4096
LONGEST_RETRY_AFTER_S = 900.0
# Besides those from 500 on, statuses after which the same event may be accepted later.
_MAY_PASS = frozenset({408, 409, 425, 429})
# Uncompressed, so that what is read is bounded.
_HEADERS = {"User-Agent": "opswatch", "Accept-Encoding": "identity"}
_KEY_REFUSED = frozenset({401, 402, 403})


async def send(session: aiohttp.ClientSession, request: HttpRequest) -> None:
    """Sends a request. Raises TargetRefused and TargetUnavailable."""
    status, answer, retry_after_s = await _exchange(session, request)
    if 200 <= status < 300:
        return
    reason = f"HTTP {status}{_explanation(answer)}"
    if status in _MAY_PASS or status >= 500:
        raise TargetUnavailable(reason, retry_after_s=retry_after_s)
    raise TargetRefused(reason, hint_for(status))


async def reach(session: aiohttp.ClientSession, request: HttpRequest) -> None:
    """Checks that a server answers. Raises TargetUnavailable where none does, or with its own
    error.
    """
    status, answer, _ = await _exchange(session, request)
    # A receiver that knows no HEAD answers 405 or 501, and can be reached.
    if status >= 500 and status != HTTPStatus.NOT_IMPLEMENTED:
        raise TargetUnavailable(f"HTTP {status}{_explanation(answer)}")


async def _exchange(
    session: aiohttp.ClientSession, request: HttpRequest
) -> tuple[int, bytes, float | None]:
    try:
        # A redirect must not carry a key elsewhere.
        async with session.request(
            request.method,
            request.url,
            data=request.body or None,
            headers={**_HEADERS, **request.headers},
            timeout=TIMEOUT,
            allow_redirects=False,
        ) as response:
            answer = await response.content.read(MOST_ANSWER_BYTES)
            return response.status, answer, _retry_after_s(response.headers.get("Retry-After"))
    except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as error:
        # A connection that timed out is a TimeoutError, too, and says more.
        if failure := describe_failure(error, setting="its address in bot.toml"):
            raise TargetUnavailable(failure.reason, failure.hint) from None
        reason = "no answer in time" if isinstance(error, TimeoutError) else "no connection"
        raise TargetUnavailable(reason) from None


def hint_for(status: int) -> str:
    """What to do about a refusal."""
    if status in _KEY_REFUSED:
        return "Check its key in bot.toml."
    if 300 <= status < 400:
        return "It answers with a redirect, which is not followed with a key; check its address."
    if status in (404, 410):
        return "Check its address in bot.toml."
    return ""


def _explanation(answer: bytes) -> str:
    """`: Invalid routing key`, where the answer is JSON that says so; nothing else is repeated."""
    try:
        found = msgspec.json.decode(answer, type=_Answer)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""
    errors = [error for error in found.errors if isinstance(error, str)]
    text = "; ".join(errors) if isinstance(found.errors, list) and errors else found.message
    return f": {formatting.sanitise(text)}" if text else ""


class _Answer(msgspec.Struct):
    """What PagerDuty and Opsgenie say of an event that they refuse."""

    message: str = ""
    errors: list[object] | dict[str, object] = msgspec.field(default_factory=list)


def _retry_after_s(header: str | None) -> float | None:
    if header and header.isascii() and header.isdigit() and len(header) < 8:
        # Retry-After may also be a date (RFC 9110), which is not read.
        return min(float(header), LONGEST_RETRY_AFTER_S)
    return None
