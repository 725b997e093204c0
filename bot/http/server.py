"""An HTTP port that idle, slow or excessive clients cannot exhaust.

A client has a few seconds to send its headers and a few to send its body. The number of connections
is capped: at the cap, a new one replaces the one that has been idle longest, so idle connections
lock no client out and take no more file descriptors than the cap.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import http_exceptions, web
from aiohttp.web_protocol import RequestHandler
from msgspec import Struct

from bot.http.log_limits import LimitedLog

log = logging.getLogger("opswatch")
# Where a port listens unless configured otherwise: only on this machine.
LOOPBACK = "127.0.0.1"
Handler = Callable[[web.BaseRequest, bytes], Awaitable[web.StreamResponse]]


class ListenerLimits(Struct, frozen=True):
    """Times in seconds. `keep_alive_s` is how long a connection may be idle after a response; it is
    longer than reverse proxies keep theirs by default, so that the proxy closes first.
    """

    headers_s: float = 10.0
    body_s: float = 10.0
    keep_alive_s: float = 75.0
    connections: int = 100
    body_bytes: int = 1024 * 1024


class _Client(Struct):
    """One connection: since when the server waits for the client, and the timer that ends the wait.
    Neither is set while its request is handled.
    """

    transport: asyncio.Transport
    waiting_since: float | None = None
    timer: asyncio.TimerHandle | None = None


class LimitedServer(web.Server):
    """Passes each request to `handler` once its body has arrived."""

    def __init__(self, handler: Handler, limits: ListenerLimits) -> None:
        # Slack compresses no request, and a small compressed body could unpack to a large one.
        super().__init__(
            self._serve,
            request_factory=self._request,
            auto_decompress=False,
            keepalive_timeout=limits.keep_alive_s,
            # After a refusal the rest of the body is read for a while, so that the client sees the
            # status and not a reset.
            lingering_time=2.0,
            max_headers=100,
            access_log=None,
            logger=_protocol_log,
        )
        self._handler = handler
        self._limits = limits
        self._clients: dict[RequestHandler, _Client] = {}
        self.addresses: list[Any] = []

    @property
    def open_connections(self) -> int:
        return len(self._clients)

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._clients[handler] = client = _Client(transport)
        self._await(client, self._limits.headers_s)
        if len(self._clients) > self._limits.connections:
            self._make_room()

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        if client := self._clients.pop(handler, None):
            _stop_timer(client)

    def _make_room(self) -> None:
        """Closes the connection that has been idle longest, or the new one if requests of all
        others are being handled.
        """
        waiting = [
            (client.waiting_since, handler)
            for handler, client in self._clients.items()
            if client.waiting_since is not None
        ]
        # Never empty: the new connection is one of those that wait.
        _, handler = min(waiting, key=lambda entry: entry[0])
        _protocol_refusals.warning(
            "Too many connections (%d); the one that was idle longest is closed.",
            self._limits.connections,
        )
        client = self._clients.pop(handler)
        _stop_timer(client)
        client.transport.abort()

    def _await(self, client: _Client, seconds: float) -> None:
        """Closes the connection unless the client sends the next part in time."""
        _stop_timer(client)
        loop = asyncio.get_running_loop()
        # Kept over several parts, so that a client that sends a byte now and then is idle all the
        # time.
        client.waiting_since = client.waiting_since or loop.time()
        client.timer = loop.call_later(seconds, client.transport.abort)

    def _request(
        self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any
    ) -> web.BaseRequest:
        """A request whose body may have up to `body_bytes`."""
        loop = asyncio.get_running_loop()
        most = self._limits.body_bytes
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=most)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        client = self._clients.get(request.protocol)
        if client is None:
            raise ConnectionResetError("closed meanwhile")
        try:
            self._await(client, self._limits.body_s)
            body = await self._body(request)
            _stop_timer(client)
            client.waiting_since = None
            return await self._handler(request, body)
        except web.HTTPException as refused:
            return _closing(web.Response(status=refused.status, text=refused.reason))
        except web.RequestPayloadError:
            return _closing(web.Response(status=400))
        # The client has gone, so nobody reads an answer.
        except ConnectionError:
            raise
        except Exception:
            log.exception("A request could not be answered:")
            return _closing(web.Response(status=500))
        finally:
            if request.protocol in self._clients:
                self._await(client, self._limits.keep_alive_s)

    async def _body(self, request: web.BaseRequest) -> bytes:
        """The whole body. Raises HTTPRequestEntityTooLarge, before reading where its length is
        given.
        """
        # A chunked body has no length; aiohttp stops reading at the same limit.
        if (request.content_length or 0) > self._limits.body_bytes:
            raise web.HTTPRequestEntityTooLarge(
                self._limits.body_bytes, request.content_length or 0
            )
        return await request.read()


@asynccontextmanager
async def listen(
    handler: Handler, host: str, port: int, limits: ListenerLimits = ListenerLimits()
) -> AsyncIterator[LimitedServer]:
    """A server at that address. Raises OSError, which names it, where it cannot listen there."""
    server = LimitedServer(handler, limits)
    runner = web.ServerRunner(server, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise OSError(
                error.errno, f"nothing can listen at {host} port {port} ({_reason(error)})"
            ) from None
        server.addresses = runner.addresses
        yield server
    finally:
        with contextlib.suppress(TimeoutError):
            # A client that does not close must not hold up the end of the process.
            async with asyncio.timeout(5.0):
                await runner.cleanup()


def _reason(error: OSError) -> str:
    """Why a port cannot be opened; asyncio and the resolver number their errors differently."""
    return (
        os.strerror(error.errno)
        if error.errno and error.errno > 0
        else str(error.strerror or type(error).__name__)
    )


def _stop_timer(client: _Client) -> None:
    if client.timer:
        client.timer.cancel()
        client.timer = None


def _closing(response: web.Response) -> web.Response:
    response.force_close()
    return response


class _Malformed(logging.Filter):
    """Logs malformed requests in one line that does not quote them, in place of aiohttp's
    traceback.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, http_exceptions.HttpProcessingError):
            _protocol_refusals.warning("A malformed HTTP request was refused.")
            return False
        return True


_protocol_refusals = LimitedLog(log)
_protocol_log = logging.getLogger("opswatch.http")
_protocol_log.addFilter(_Malformed())
