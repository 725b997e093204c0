"""The server as streamable HTTP, at `/mcp`: for clients on this machine, or for those with a token."""

from __future__ import annotations

import contextlib
import hmac
import ipaddress
import logging
import signal
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import anyio
import uvicorn
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bot.cli.mcp.server import McpServer
from providers.redaction import Secret

PATH = "/mcp"
# The longest question fits several times, also where every character is escaped.
MOST_BODY_BYTES = 256_000
MOST_SESSIONS = 100
MOST_CONNECTIONS = 200
SHUTDOWN_WITHIN_S = 5


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach a server that listens there."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host.lower() == "localhost"


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises OSError."""
    # IPv6 addresses alone have a colon.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


async def serve_http(
    server: McpServer,
    listening: socket.socket,
    *,
    hosts: Sequence[str],
    token: Secret | None,
) -> None:
    """Answers until SIGTERM or SIGINT. `hosts` are the names by which clients may call the server,
    beside those of this machine.
    """
    allowed = _security([*hosts, "127.0.0.1", "localhost", "[::1]"])
    manager = StreamableHTTPSessionManager(
        server,
        security_settings=allowed,
        max_request_body_size=MOST_BODY_BYTES,
        max_sessions=MOST_SESSIONS,
    )
    config = uvicorn.Config(
        _Guard(manager, TransportSecurityMiddleware(allowed), token),
        log_config=None,
        access_log=False,
        # The session manager is started around the server, not by it.
        lifespan="off",
        server_header=False,
        # Forwarded addresses are not trusted, as nothing here depends on them.
        proxy_headers=False,
        ws="none",
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=SHUTDOWN_WITHIN_S,
    )
    logging.getLogger("mcp.server.streamable_http").addFilter(_is_unexpected)
    async with manager.run():
        with _suppress_exit_signal():
            await uvicorn.Server(config).serve(sockets=[listening])


def _is_unexpected(record: logging.LogRecord) -> bool:
    """False for the error that the SDK logs whenever a client ends its session."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, anyio.ClosedResourceError)


def _security(hosts: Sequence[str]) -> TransportSecuritySettings:
    """What Host and Origin may be, with any port. A page of another site that has its own name
    resolved to this machine (DNS rebinding) sends its own name in both.
    """
    names = [f"{name}{port}" for name in hosts for port in ("", ":*")]
    origins = [f"{scheme}://{name}" for scheme in ("http", "https") for name in names]
    return TransportSecuritySettings(allowed_hosts=names, allowed_origins=origins)


@contextlib.contextmanager
def _suppress_exit_signal() -> Iterator[None]:
    """Ends without a traceback: uvicorn raises the signal again once it has stopped."""
    before = {
        name: signal.signal(name, lambda *_: None) for name in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


@dataclass(frozen=True, slots=True)
class _Guard:
    """The application: everything that is not allowed is refused before a session exists."""

    manager: StreamableHTTPSessionManager
    security: TransportSecurityMiddleware
    token: Secret | None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        refused = await self._refusal(request)
        if refused is None:
            await self.manager.handle_request(scope, receive, send)
        else:
            await refused(scope, receive, send)

    async def _refusal(self, request: Request) -> Response | None:
        # Host and Origin come first, so that a page in a browser learns nothing about tokens.
        if refused := await self.security.validate_request(
            request, is_post=request.method == "POST"
        ):
            return refused
        if not self._is_authorized(request):
            return Response(
                "A bearer token is needed.",
                status_code=401,
                headers={"WWW-Authenticate": 'Bearer realm="opswatch"'},
            )
        # After the token: an unauthorized client does not learn which paths there are.
        if request.url.path.rstrip("/") != PATH:
            return Response(f"The server is at {PATH}.", status_code=404)
        return None

    def _is_authorized(self, request: Request) -> bool:
        if self.token is None:
            return True
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        # As bytes, since header values may hold any character.
        expected = self.token.open().encode()
        # Takes the same time wherever the first difference is.
        matches = hmac.compare_digest(given.strip().encode("latin-1", "replace"), expected)
        return scheme.lower() == "bearer" and matches
