"""Opens aiohttp sessions that use the proxy and the certificates of a Network for every request,
including WebSockets.
"""

from __future__ import annotations

from typing import Any

import aiohttp
from aiohttp.client_middlewares import ClientHandlerType
from msgspec import Struct
from yarl import URL

from providers.http.causes import connection_cause, proxy_not_reached
from providers.http.network import PROXY_HINT, Network, untrusted_certificate

PROXY_WANTS_LOGIN = 407


def open_session(network: Network, **options: Any) -> aiohttp.ClientSession:
    """A session for any URL. The environment is not read again, since the Network has done so."""
    middlewares = (_through_proxy(network),) if network.proxies else ()
    return aiohttp.ClientSession(
        connector=_Connector(network), middlewares=middlewares, trust_env=False, **options
    )


class ConnectionFailure(Struct, frozen=True):
    """Why there is no connection: `connection refused`, and `slack.com:443` where the host is known."""

    reason: str
    hint: str
    host: str = ""

    @property
    def with_host(self) -> str:
        return f"{self.reason} ({self.host})" if self.host else self.reason


def describe_failure(error: BaseException, *, setting: str) -> ConnectionFailure | None:
    """What failed in a connection, and a hint for the operator, which names the `setting` of the
    host. None if all that is known is that the other side could not be reached.
    """
    if found := untrusted_certificate(error):
        return ConnectionFailure(*found, host=_host(error))
    # Bounded, because causes may form a cycle.
    for _ in range(10):
        if isinstance(error, aiohttp.ClientHttpProxyError):
            wants = (
                " and wants another user or password" if error.status == PROXY_WANTS_LOGIN else ""
            )
            reason = f"the proxy refused the connection (HTTP {error.status}){wants}"
            return ConnectionFailure(reason, PROXY_HINT)
        if isinstance(error, aiohttp.ClientProxyConnectionError):
            reason = proxy_not_reached(connection_cause(error))
            return ConnectionFailure(reason, PROXY_HINT, _host(error))
        # Errors after the connection was made have causes of the same kinds.
        if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            cause = connection_cause(error)
            if cause is None:
                return None
            return ConnectionFailure(cause.reason, cause.hint_for(setting), _host(error))
        if error.__cause__ is None:
            return None
        error = error.__cause__
    return None


def _host(error: BaseException) -> str:
    """`slack.com:443`, which aiohttp's errors of connections know; else nothing."""
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError):
        place = f"[{error.host}]" if ":" in error.host else error.host
        return f"{place}:{error.port}" if error.port else place
    return ""


class _Connector(aiohttp.TCPConnector):
    """Loads the certificates when the first connection needs them. A connection to a sandbox on
    this machine never does.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network

    async def connect(self, req: aiohttp.ClientRequest, *arguments: Any, **options: Any) -> Any:
        if self._ssl is True and (req.is_ssl() or req.proxy is not None):
            self._ssl = self._network.tls
        return await super().connect(req, *arguments, **options)


def _through_proxy(network: Network) -> Any:
    """Sets the proxy of each request by its URL. Slack's SDK reads HTTPS_PROXY on its own and knows
    no NO_PROXY, so what it has set is replaced.
    """

    async def middleware(
        request: aiohttp.ClientRequest, handler: ClientHandlerType
    ) -> aiohttp.ClientResponse:
        proxy = network.proxy_for(str(request.url))
        if proxy is None:
            request.update_proxy(None, None, None)
        else:
            request.update_proxy(URL(proxy.url), None, proxy.headers)
        return await handler(request)

    return middleware
