"""Opens aiohttp sessions that use the proxy and the certificates of a Network for every request,
including WebSockets.
"""

from __future__ import annotations

from typing import Any

import aiohttp
from aiohttp.client_middlewares import ClientHandlerType
from yarl import URL

from providers.http.network import PROXY_HINT, UNTRUSTED_HINT, Network, untrusted_reason

PROXY_WANTS_LOGIN = 407


def open_session(network: Network, **options: Any) -> aiohttp.ClientSession:
    """A session for any URL. The environment is not read again, since the Network has done so."""
    middlewares = (_through_proxy(network),) if network.proxies else ()
    return aiohttp.ClientSession(
        connector=_Connector(network), middlewares=middlewares, trust_env=False, **options
    )


def describe_failure(error: BaseException) -> tuple[str, str] | None:
    """What failed in a connection, and a hint for the operator: `("its certificate is not trusted
    (…)", hint)`. None if all that is known is that the other side could not be reached.
    """
    if reason := untrusted_reason(error):
        return f"its certificate is not trusted ({reason})", UNTRUSTED_HINT
    # Bounded, because causes may form a cycle.
    for _ in range(10):
        if isinstance(error, aiohttp.ClientHttpProxyError):
            wants = (
                " and wants another user or password" if error.status == PROXY_WANTS_LOGIN else ""
            )
            return f"the proxy refused the connection (HTTP {error.status}){wants}", PROXY_HINT
        if isinstance(error, aiohttp.ClientProxyConnectionError):
            return "the proxy could not be reached", PROXY_HINT
        if error.__cause__ is None:
            return None
        error = error.__cause__
    return None


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
