"""HTTP mode: Slack's requests at `/slack/events`, below the base path if there is one. The
signature of each is checked before anything else in it is read. Requests that need no reply are
acknowledged at once and handled afterwards, as in Socket Mode.

Pages: "Verifying requests from Slack", "Using the Events API over HTTP", "Implementing slash
commands" (`ssl_check`).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.health import ConnectionStatus
from bot.http.log_limits import LimitedLog
from bot.http.server import LOOPBACK, listen
from bot.slack.deliveries import Deliveries, wants_reply
from providers.clock import Clock, utc_now
from providers.redaction import Secret

log = logging.getLogger("opswatch")
EVENTS_PATH = "/slack/events"
# Slack's unsigned check that the address can be reached is shorter than this.
MOST_CHECK_BYTES = 2000
# Slack's own recommendation against replayed requests (“Verifying requests from Slack”).
SIGNED_WITHIN_S = 300
# Answers requests that are not Slack's: their headers and body become a status.
Webhook = Callable[[Mapping[str, str], bytes], Awaitable[int]]
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")


class HttpMode:
    """Answers Slack's requests."""

    def __init__(
        self,
        deliveries: Deliveries,
        signing_secret: Secret,
        state: ConnectionStatus,
        clock: Clock = utc_now,
        base_path: str = "",
        webhooks: Mapping[str, Webhook] = MappingProxyType({}),
    ) -> None:
        self._deliveries = deliveries
        self._state = state
        self._clock = clock
        self._refusals = LimitedLog(log)
        self._tasks: set[asyncio.Task[Any]] = set()
        self.expect(signing_secret, base_path, webhooks)

    def expect(
        self, signing_secret: Secret, base_path: str, webhooks: Mapping[str, Webhook]
    ) -> None:
        """Sets the signing secret and the base path of Slack's requests, and the webhooks by path,
        from now on.
        """
        self._secret = signing_secret
        self._path = f"{base_path}{EVENTS_PATH}"
        self._webhooks = {f"{base_path}{path}": webhook for path, webhook in webhooks.items()}

    @asynccontextmanager
    async def listening(self, host: str = LOOPBACK, port: int = 3000) -> AsyncIterator[None]:
        """Listens for Slack's requests. Raises OSError where the port cannot be opened."""
        async with listen(self.respond, host, port):
            log.info("Listening for Slack on %s port %s at %s.", host, port, self._path)
            self._state.connected = True
            self._state.since = self._clock()
            self._state.problem = ""
            try:
                yield
            finally:
                self._state.connected = False

    async def respond(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        """The response to one request."""
        if webhook := self._webhooks.get(request.path):
            return await _answer_webhook(webhook, request, body)
        if request.path != self._path:
            return web.Response(status=404)
        # Slack does not sign it, and it changes nothing.
        if _is_ssl_check(request, body):
            return web.Response()
        if request.method != "POST":
            return web.Response(status=405, headers={"Allow": "POST"})
        if refusal := self._refusal(request, body):
            self._refusals.warning("A request from %s was refused: %s.", _sender(request), refusal)
            return web.Response(status=401)
        return await self._deliver(request, body)

    def _refusal(self, request: web.BaseRequest, body: bytes) -> str:
        """Why the request was not accepted as one of Slack; empty if it was."""
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not timestamp or not signature:
            return "it carries no signature"
        if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
            return "its signature is malformed"
        if not hmac.compare_digest(_signature(self._secret, timestamp, body), signature):
            return "its signature is not Slack's; is SLACK_SIGNING_SECRET the one of this app?"
        if abs(self._clock().timestamp() - int(timestamp)) > SIGNED_WITHIN_S:
            return (
                "it was not signed within the last five minutes; is the clock of this machine "
                "right?"
            )
        return ""

    async def _deliver(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        parsed = _parsed(request, body)
        if parsed is None:
            log.warning("A request of Slack's could not be read.")
            return web.Response(status=400)
        self._state.last_event = self._clock()
        if parsed.body.get("type") == "url_verification":
            return web.json_response({"challenge": str(parsed.body.get("challenge", ""))})
        if wants_reply(parsed.body):
            return await to_aiohttp_response(await self._deliveries.take(parsed))
        task = asyncio.create_task(self._deliveries.take(parsed))
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return web.Response()

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("A delivery failed:", exc_info=error)


async def _answer_webhook(
    webhook: Webhook, request: web.BaseRequest, body: bytes
) -> web.StreamResponse:
    if request.method != "POST":
        return web.Response(status=405, headers={"Allow": "POST"})
    return web.Response(status=await webhook(request.headers, body))


def _sender(request: web.BaseRequest) -> str:
    """Who sent the request: behind a proxy on this machine, the address that the proxy added last."""
    sender = str(request.remote)
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    with contextlib.suppress(ValueError):
        if ip_address(sender).is_loopback:
            return str(ip_address(forwarded))
    return sender


def _signature(secret: Secret, timestamp: str, body: bytes) -> str:
    """Slack's signature of these bytes at that time."""
    signed = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.open().encode(), signed, hashlib.sha256).hexdigest()


def _is_ssl_check(request: web.BaseRequest, body: bytes) -> bool:
    """Whether this is only a check that the address can be reached."""
    if request.query.get("ssl_check") == "1":
        return True
    return len(body) <= MOST_CHECK_BYTES and b"ssl_check=1" in body.split(b"&")


def _parsed(request: web.BaseRequest, body: bytes) -> AsyncBoltRequest | None:
    """The request as Bolt's type; None where it is malformed."""
    try:
        parsed = AsyncBoltRequest(
            body=body.decode(), query=request.query_string, headers={**request.headers}
        )
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError):
        return None
    return parsed if isinstance(parsed.body, dict) else None
