"""Socket Mode: a connection to Slack that is renewed before Slack closes it, and reconnects when it
breaks.

An envelope is acknowledged as soon as it is read, before it is handled, so that work in progress
does not delay the ack. Where Slack expects a reply inside the ack (modals, options), the envelope
is acknowledged with that reply. Each connection asks for a new URL, because a URL works once.

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
from typing import Any

import aiohttp
from msgspec import Struct
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.health import ConnectionStatus
from bot.slack.deliveries import wants_reply
from bot.slack.socket_errors import (
    FATAL_ERRORS,
    NOT_CONNECTED,
    REASONS,
    NoAddress,
    NoHello,
    describe,
)
from bot.slack.web import retry_after_s
from bot.system.loop_turns import LoopTurns
from providers.clock import Clock, utc_now

log = logging.getLogger("opswatch")

MOST_MESSAGE_BYTES = 8 * 1024 * 1024
ROUTINE = frozenset({"warning", "refresh_requested"})
BROKE_OFF = "broke_off"
# Envelopes that arrive together are all acknowledged before the first one is handled: it waits until
# none has come for so long, and at most for so long in all.
GATHER_S = 0.002
GATHER_AT_MOST_S = 0.03
# An ack takes a tenth of a millisecond or two.
ACKS_PER_LOOP_TURN = 16
# How long the replies of forms may take while the connection is being closed.
REPLY_WITHIN_S = 1.0


class SocketTimeouts(Struct, frozen=True):
    """Time-outs and intervals in seconds. `ping` is the interval of heartbeats; a pong may take half
    of it. `linger` is how long an old connection is still read after its successor is open, since
    envelopes may be on their way. `lost` is how long after the start interrupted questions of
    earlier processes are reported.
    """

    open: float = 15.0
    hello: float = 10.0
    ping: float = 15.0
    linger: float = 30.0
    first_wait: float = 0.5
    longest_wait: float = 20.0
    lost: float = 15.0


class SocketMode:
    """Keeps one connection open and passes its envelopes to `handle`, which returns the reply where
    Slack expects one.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        session: aiohttp.ClientSession,
        app_token: str,
        handle: Callable[[SocketModeRequest], Awaitable[dict[str, Any] | None]],
        state: ConnectionStatus,
        timeouts: SocketTimeouts = SocketTimeouts(),
        clock: Clock = utc_now,
    ) -> None:
        self._client = client
        self._session = session
        self._app_token = app_token
        self._handle = handle
        self._state = state
        self._timeouts = timeouts
        self._clock = clock
        self._waiting: deque[tuple[SocketModeRequest, aiohttp.ClientWebSocketResponse]] = deque()
        self._more = asyncio.Event()
        self._loop_turns = LoopTurns(ACKS_PER_LOOP_TURN)
        self._tasks: set[asyncio.Task[None]] = set()
        self._sockets: set[aiohttp.ClientWebSocketResponse] = set()
        self._newest: aiohttp.ClientWebSocketResponse | None = None
        self._closing = False
        self._failures = 0
        self._not_before = 0.0

    async def start(self) -> None:
        """Connects, or keeps trying if Slack cannot be reached. Raises SlackApiError for one of
        FATAL_ERRORS.
        """
        first = None
        try:
            first = await self._open()
        except Exception as error:
            if isinstance(error, SlackApiError) and error.response.get("error") in FATAL_ERRORS:
                raise
            self._failed(error)
        # Also without a first connection, since Slack may be reached later.
        self._begin(self._keep_connected(first))
        self._begin(self._dispatch())

    async def close(self) -> None:
        """Closes every connection. Envelopes that were acknowledged are handled all the same, since
        Slack does not deliver them again.
        """
        self._closing = True
        own = [task for task in self._tasks if task.get_name() == "socket"]
        for task in own:
            task.cancel()
        await asyncio.gather(*own, return_exceptions=True)
        while self._waiting:
            self._begin(self._work(*self._waiting.popleft()), name="work")
        # Some acks carry a reply.
        if handled := {task for task in self._tasks if task.get_name() == "work"}:
            await asyncio.wait(handled, timeout=REPLY_WITHIN_S)
        for socket in list(self._sockets):
            await socket.close()
        self._state.connected = False

    async def _keep_connected(self, socket: aiohttp.ClientWebSocketResponse | None) -> None:
        """Opens one connection after the other, each before the previous one is closed."""
        while True:
            if socket is None:
                await self._wait()
                try:
                    socket = await self._open()
                except Exception as error:
                    self._failed(error)
                    continue
            problem = await self._wait_for_disconnect(socket)
            socket = None
            self._failures = self._failures + 1 if problem else 0
            if problem:
                self._report(problem)

    def _failed(self, error: Exception) -> None:
        """Reports why no connection could be opened, and keeps to Slack's Retry-After."""
        self._failures += 1
        if not isinstance(error, NOT_CONNECTED):
            log.error("A connection to Slack could not be opened:", exc_info=error)
        wait_s = retry_after_s(error) if isinstance(error, SlackApiError) else None
        if wait_s is not None:
            self._not_before = asyncio.get_running_loop().time() + wait_s
        self._report(describe(error))

    async def _wait_for_disconnect(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        """Why the connection ended; empty for a routine renewal, and for a connection that worked
        before it broke.
        """
        # The socket is read on after this is set, as envelopes may still arrive.
        ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        started = time.monotonic()
        self._begin(self._read(socket, ended))
        reason = await ended
        if reason in ROUTINE:
            return ""
        if reason == BROKE_OFF:
            return (
                "The connection breaks right after it is opened."
                if time.monotonic() - started < self._timeouts.hello
                else ""
            )
        return REASONS.get(reason, f"Slack closed the connection ({reason[:60]}).")

    async def _open(self) -> aiohttp.ClientWebSocketResponse:
        """A new connection that has received `hello`."""
        timeouts = self._timeouts
        async with asyncio.timeout(timeouts.open):
            answer = await self._client.apps_connections_open(app_token=self._app_token)
        address = answer.get("url")
        if not isinstance(address, str) or not address.startswith(("wss://", "ws://")):
            raise NoAddress
        async with asyncio.timeout(timeouts.open):
            socket = await self._session.ws_connect(
                address, heartbeat=timeouts.ping, max_msg_size=MOST_MESSAGE_BYTES
            )
        try:
            async with asyncio.timeout(timeouts.hello):
                message = _object(await socket.receive_str())
            if message.get("type") != "hello":
                raise NoHello(
                    str(message.get("reason") or message.get("type") or "another message")
                )
        except BaseException as error:
            await socket.close()
            if isinstance(error, TypeError):
                raise NoHello("nothing") from None
            raise
        self._sockets.add(socket)
        self._newest = socket
        if not self._state.connected:
            log.info("Connected to Slack over Socket Mode.")
        self._state.connected = True
        self._state.problem = ""
        self._state.since = self._clock()
        self._state.opened += 1
        return socket

    async def _read(
        self, socket: aiohttp.ClientWebSocketResponse, ended: asyncio.Future[str]
    ) -> None:
        """Acknowledges and queues envelopes until the connection ends. `ended` is set as soon as a
        new connection is needed, which is earlier if Slack announces the end.
        """
        try:
            async for frame in socket:
                message = _object(frame.data) if frame.type is aiohttp.WSMsgType.TEXT else {}
                if message.get("type") == "disconnect" and not ended.done():
                    reason = str(message.get("reason") or "warning")
                    log.info("Slack asks for a new connection (%s).", reason)
                    ended.set_result(reason)
                    asyncio.get_running_loop().call_later(
                        self._timeouts.linger, self._close_later, socket
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
            log.warning("A malformed envelope from Slack is ignored.")
            return
        if not wants_reply(request.payload):
            await self._loop_turns.next()
            await self._acknowledge(request, socket)
        self._waiting.append((request, socket))
        self._more.set()

    async def _dispatch(self) -> None:
        """Starts to handle one envelope at a time and lets the sockets be read in between, so that
        acks stay quick when many arrive.
        """
        while True:
            await self._more.wait()
            await self._gather()
            while self._waiting:
                request, socket = self._waiting.popleft()
                self._begin(self._work(request, socket), name="work")
                await asyncio.sleep(0)
            self._more.clear()

    async def _gather(self) -> None:
        """Returns once no more envelopes arrive."""
        waits_until = time.monotonic() + GATHER_AT_MOST_S
        arrived = 0
        while arrived < len(self._waiting) and time.monotonic() < waits_until:
            arrived = len(self._waiting)
            await asyncio.sleep(GATHER_S)

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
                "An ack could not be sent because the connection was closed; Slack may deliver again."
            )

    def _close_later(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        if not socket.closed:
            self._begin(_closed(socket))

    def _report(self, problem: str) -> None:
        """Logs a problem when it is new, and then every tenth time."""
        if problem != self._state.problem or self._failures % 10 == 0:
            log.error("Not connected to Slack: %s", problem)
        self._state.connected = False
        self._state.problem = problem

    async def _wait(self) -> None:
        """Waits with exponential backoff up to `longest_wait`, and at least for Slack's
        Retry-After.
        """
        wait_s = 0.0
        if self._failures:
            wait_s = min(
                self._timeouts.longest_wait,
                self._timeouts.first_wait * 2 ** min(self._failures - 1, 16),
            )
        asked_for_s = self._not_before - asyncio.get_running_loop().time()
        # Random, so that several processes do not connect at the same instant.
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


def _request(message: dict[str, Any]) -> SocketModeRequest | None:
    """The request in an envelope; None where it is malformed."""
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
