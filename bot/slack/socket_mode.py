"""Socket Mode, kept up: the connection to Slack that is renewed before it ends, and comes back by
itself when it breaks.

An envelope is acknowledged the moment it is read, before anything looks at it, so that answers
under way do not hold it up; what Slack wants a reply to inside the ack (modals, options) is
acknowledged with that reply. Each connection is opened at an address of its own, for an address
works once.

Pages: "Using Socket Mode", "apps.connections.open".
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.health import ConnectionStatus
from bot.slack.deliveries import wants_reply
from bot.slack.web import retry_after_s
from providers.clock import Clock, utc_now
from providers.http.connections import describe_failure

log = logging.getLogger("opswatch")

# What Slack says where a token will never do; trying again helps only once somebody has mended the
# app.
FATAL_ERRORS = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "not_allowed_token_type",
        "missing_scope",
    }
)
MOST_MESSAGE_BYTES = 8 * 1024 * 1024
ROUTINE = frozenset({"warning", "refresh_requested"})
BROKE_OFF = "broke_off"
# Who comes in a crowd is acknowledged before the first one's work begins.
GATHER_S = 0.002


class _NoHello(Exception):
    """The new connection said something else than hello."""


class _NoAddress(Exception):
    """Slack's answer holds no address to connect to."""


NOT_CONNECTED = (aiohttp.ClientError, TimeoutError, OSError, SlackApiError, _NoHello, _NoAddress)


@dataclass(frozen=True, slots=True)
class SocketTimeouts:
    """How long to wait for what, in seconds. `ping` is how often the peer is asked whether it is
    there; it has half as long to answer. An old connection is read for `linger` after its successor
    stands, so that nothing on its way is lost. `lost` is when those are told whose questions an
    earlier process left unanswered.
    """

    open: float = 15.0
    hello: float = 10.0
    ping: float = 15.0
    linger: float = 30.0
    first_wait: float = 0.5
    longest_wait: float = 20.0
    lost: float = 15.0


class SocketMode:
    """Keeps one connection up and hands its envelopes to `handle`, which gives the reply where
    Slack wants one.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        session: aiohttp.ClientSession,
        app_token: str,
        handle: Callable[[SocketModeRequest], Awaitable[dict[str, Any] | None]],
        state: ConnectionStatus,
        patience: SocketTimeouts = SocketTimeouts(),
        clock: Clock = utc_now,
    ) -> None:
        self._client, self._session, self._app_token = client, session, app_token
        self._handle, self._state, self._patience, self._clock = handle, state, patience, clock
        self._waiting: deque[tuple[SocketModeRequest, aiohttp.ClientWebSocketResponse]] = deque()
        self._more = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sockets: set[aiohttp.ClientWebSocketResponse] = set()
        self._newest: aiohttp.ClientWebSocketResponse | None = None
        self._closing = False
        self._failures = 0
        self._not_before = 0.0

    async def start(self) -> None:
        """Connects, or goes on trying where Slack cannot be reached. Raises SlackApiError where it
        never will let us in.
        """
        first = None
        try:
            first = await self._opened()
        except Exception as error:
            if isinstance(error, SlackApiError) and error.response.get("error") in FATAL_ERRORS:
                raise
            self._failed(error)
        self._begin(self._keep_connected(first))
        self._begin(self._dispatch())

    async def close(self) -> None:
        """Closes every connection; what is under way is left to end by itself."""
        self._closing = True
        own = [task for task in self._tasks if task.get_name() == "socket"]
        for task in own:
            task.cancel()
        await asyncio.gather(*own, return_exceptions=True)
        for socket in list(self._sockets):
            await socket.close()
        self._state.connected = False

    async def _keep_connected(self, socket: aiohttp.ClientWebSocketResponse | None) -> None:
        """One connection after the other; the next one stands before the one before is left."""
        while True:
            if socket is None:
                await self._wait()
                try:
                    socket = await self._opened()
                except Exception as error:
                    self._failed(error)
                    continue
            trouble = await self._wait_for_disconnect(socket)
            socket = None
            self._failures = self._failures + 1 if trouble else 0
            if trouble:
                self._note(trouble)

    def _failed(self, error: Exception) -> None:
        """Notes why no connection could be opened, and for how long Slack wants to be
        left alone.
        """
        self._failures += 1
        if not isinstance(error, NOT_CONNECTED):
            log.error("A connection to Slack could not be opened:", exc_info=error)
        wait_s = retry_after_s(error) if isinstance(error, SlackApiError) else None
        if wait_s is not None:
            self._not_before = asyncio.get_running_loop().time() + wait_s
        self._note(_what_failed(error))

    async def _wait_for_disconnect(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        """What was wrong with the connection; nothing where it only was to be renewed, or had done
        well until it broke.
        """
        ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        started = time.monotonic()
        self._begin(self._read(socket, ended))
        reason = await ended
        if reason in ROUTINE:
            return ""
        if reason == BROKE_OFF:
            return (
                "The connection breaks off as soon as it stands."
                if time.monotonic() - started < self._patience.hello
                else ""
            )
        return _REASONS.get(reason, f"Slack closed the connection ({reason[:60]}).")

    async def _opened(self) -> aiohttp.ClientWebSocketResponse:
        """A connection that has said hello, at a fresh address."""
        patience = self._patience
        answer = await asyncio.wait_for(
            self._client.apps_connections_open(app_token=self._app_token), patience.open
        )
        address = answer.get("url")
        if not isinstance(address, str) or not address.startswith(("wss://", "ws://")):
            raise _NoAddress
        socket = await asyncio.wait_for(
            self._session.ws_connect(
                address, heartbeat=patience.ping, max_msg_size=MOST_MESSAGE_BYTES
            ),
            patience.open,
        )
        try:
            message = _object(await asyncio.wait_for(socket.receive_str(), patience.hello))
            if message.get("type") != "hello":
                raise _NoHello(
                    str(message.get("reason") or message.get("type") or "something else")
                )
        except BaseException as error:
            await socket.close()
            if isinstance(error, TypeError):
                raise _NoHello("nothing") from None
            raise
        self._sockets.add(socket)
        self._newest = socket
        if not self._state.connected:
            log.info("Connected to Slack over Socket Mode.")
        self._state.connected, self._state.trouble, self._state.since = True, "", self._clock()
        self._state.opened += 1
        return socket

    async def _read(
        self, socket: aiohttp.ClientWebSocketResponse, ended: asyncio.Future[str]
    ) -> None:
        """Acknowledges and queues what comes, until the connection ends. `ended` is set as soon as
        another one is wanted.
        """
        try:
            async for frame in socket:
                message = _object(frame.data) if frame.type is aiohttp.WSMsgType.TEXT else {}
                if message.get("type") == "disconnect" and not ended.done():
                    reason = str(message.get("reason") or "warning")
                    log.info("Slack asks for a fresh connection (%s).", reason)
                    ended.set_result(reason)
                    asyncio.get_running_loop().call_later(
                        self._patience.linger, self._close_later, socket
                    )
                elif message.get("envelope_id"):
                    await self._take(message, socket)
        finally:
            self._sockets.discard(socket)
            if self._newest is socket and not self._closing:
                self._state.connected = False
                log.warning("The connection to Slack has ended; connecting again.")
            if not ended.done():
                ended.set_result(BROKE_OFF)

    async def _take(self, message: dict[str, Any], socket: aiohttp.ClientWebSocketResponse) -> None:
        self._state.last_event = self._clock()
        request = _request(message)
        if request is None:
            log.warning("A delivery of Slack's could not be read.")
            return
        if not wants_reply(request.payload):
            await self._acknowledge(request, socket)
        self._waiting.append((request, socket))
        self._more.set()

    async def _dispatch(self) -> None:
        """Begins one piece of work at a time and looks at the sockets in between, so that acks
        never wait for a crowd.
        """
        while True:
            await self._more.wait()
            await asyncio.sleep(GATHER_S)
            while self._waiting:
                request, socket = self._waiting.popleft()
                self._begin(self._work(request, socket), name="work")
                await asyncio.sleep(0)
            self._more.clear()

    async def _work(
        self, request: SocketModeRequest, socket: aiohttp.ClientWebSocketResponse
    ) -> None:
        reply = await self._handle(request)
        if wants_reply(request.payload):
            await self._acknowledge(request, socket, reply)

    async def _acknowledge(
        self,
        request: SocketModeRequest,
        socket: aiohttp.ClientWebSocketResponse,
        payload: dict[str, Any] | None = None,
    ) -> None:
        answer: dict[str, Any] = {"envelope_id": request.envelope_id}
        if payload:
            answer["payload"] = payload
        try:
            await socket.send_str(json.dumps(answer))
        except (ConnectionError, aiohttp.ClientError, RuntimeError):
            log.warning(
                "An ack could not be sent, since the connection was gone; Slack may deliver again."
            )

    def _close_later(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        if not socket.closed:
            self._begin(_closed(socket))

    def _note(self, trouble: str) -> None:
        """Tells what is wrong at once, and then now and again."""
        if trouble != self._state.trouble or self._failures % 10 == 0:
            log.error("Not connected to Slack: %s", trouble)
        self._state.connected, self._state.trouble = False, trouble

    async def _wait(self) -> None:
        """Waits longer after each failure in a row, up to `longest_wait`, and for as long as Slack
        wants.
        """
        wait_s = 0.0
        if self._failures:
            wait_s = min(
                self._patience.longest_wait,
                self._patience.first_wait * 2 ** min(self._failures - 1, 16),
            )
        asked_for_s = self._not_before - asyncio.get_running_loop().time()
        await asyncio.sleep(max(wait_s * random.uniform(0.7, 1.0), asked_for_s))

    def _begin(self, work: Any, name: str = "socket") -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("A delivery failed:", exc_info=error)


_REASONS = {
    "too_many_websockets": (
        "Slack refuses the connection: ten are open for this app already; is it running somewhere "
        "else, too?"
    ),
    "link_disabled": (
        "Socket Mode was switched off for this app; switch it on at api.slack.com, or set [slack] "
        "mode to http."
    ),
}


def _what_failed(error: Exception) -> str:
    if isinstance(error, SlackApiError):
        code = str(error.response.get("error") or f"HTTP {error.response.status_code}")
        if code in FATAL_ERRORS:
            return (
                f"Slack does not accept SLACK_APP_TOKEN ({code}); it needs the scope "
                "connections:write."
            )
        wait_s = retry_after_s(error)
        if wait_s is not None:
            return f"Slack asks us to open no connection for {wait_s:.0f} s (HTTP 429)."
        return f"Slack would not open a connection ({code})."
    if isinstance(error, _NoHello):
        return _REASONS.get(
            str(error), f"Slack opened a connection and said {str(error)[:60]} instead of hello."
        )
    if isinstance(error, TimeoutError):
        return "Slack did not answer in time."
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"Slack refused the WebSocket (HTTP {error.status})."
    if isinstance(error, _NoAddress | aiohttp.ClientPayloadError):
        return "Slack's answer to apps.connections.open could not be read; is a proxy in between?"
    if isinstance(error, NOT_CONNECTED):
        return unreachable(error)
    return f"A connection could not be opened ({type(error).__name__})."


def unreachable(error: BaseException) -> str:
    """`Slack could not be reached.`, and what can be done where it is a certificate or a proxy."""
    failure = describe_failure(error)
    return (
        f"Slack could not be reached: {failure[0]}. {failure[1]}"
        if failure
        else "Slack could not be reached."
    )


def _request(message: dict[str, Any]) -> SocketModeRequest | None:
    """The delivery in an envelope; None where there is none in it."""
    try:
        request = SocketModeRequest.from_dict(message)
    except (ValueError, TypeError):
        return None
    return (
        request
        if request and isinstance(request.payload, dict) and isinstance(request.envelope_id, str)
        else None
    )


def _object(text: str) -> dict[str, Any]:
    with suppress(ValueError, RecursionError):
        message = json.loads(text)
        if isinstance(message, dict):
            return message
    return {}


async def _closed(socket: aiohttp.ClientWebSocketResponse) -> None:
    await socket.close()
