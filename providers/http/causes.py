"""Why a connection could not be opened, in the words of an operator, whichever library tried it."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator

from msgspec import Struct

# Causes may form a cycle, and a host may have many addresses.
_MOST_CAUSES = 40


class Cause(Struct, frozen=True):
    """Why there is no connection, and what to do. `{setting}` in the hint is where the host is set."""

    reason: str
    hint: str

    def hint_for(self, setting: str) -> str:
        return self.hint.format(setting=setting)


_LATER_OR_CHECK = "Try again in a few minutes. If that does not help, check {setting}."
UNKNOWN_HOST = Cause(
    "host name not found in DNS", "Check {setting}, and the DNS of the bot's machine."
)
NO_DNS = Cause("no answer from DNS", "Check the DNS of the bot's machine.")
REFUSED = Cause("connection refused", _LATER_OR_CHECK)
TIMED_OUT = Cause(
    "connection timed out",
    "Try again in a few minutes. If that does not help, check the firewall, HTTPS_PROXY and "
    "{setting}.",
)
NO_ROUTE = Cause("no route to the host", "Check the network of the bot's machine, and {setting}.")
CLOSED = Cause("connection closed by the host", _LATER_OR_CHECK)
NO_TLS = Cause("the port does not speak TLS", "Check the port in {setting}.")
TLS_FAILED = Cause("the TLS handshake failed", "Check {setting}, and any proxy in between.")
UNEXPLAINED = Cause("", _LATER_OR_CHECK)

_BY_ERRNO = {
    errno.ECONNREFUSED: REFUSED,
    errno.ETIMEDOUT: TIMED_OUT,
    errno.EHOSTUNREACH: NO_ROUTE,
    errno.ENETUNREACH: NO_ROUTE,
    errno.ENETDOWN: NO_ROUTE,
    errno.EADDRNOTAVAIL: NO_ROUTE,
    errno.ECONNRESET: CLOSED,
    errno.ECONNABORTED: CLOSED,
    errno.EPIPE: CLOSED,
}
# Answers of a server that speaks another protocol, such as plain HTTP or SMTP.
_NO_TLS_REASONS = frozenset(
    {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"}
)


def connection_cause(error: BaseException) -> Cause | None:
    """The cause of an error that was raised while a connection was opened; None if it names none.
    An error without words of its own, such as `All connection attempts failed`, has its causes
    within.
    """
    for each in _chain(error):
        if found := _cause(each):
            return found
    return None


def proxy_not_reached(cause: Cause | None) -> str:
    """The reason where there is no connection to the proxy, with the cause if there is one."""
    what = "the proxy could not be reached"
    return f"{what}: {cause.reason}" if cause else what


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that led to it."""
    left = [error]
    for _ in range(_MOST_CAUSES):
        if not left:
            return
        each = left.pop(0)
        yield each
        if isinstance(each, BaseExceptionGroup):
            left += each.exceptions
        if inner := each.__cause__ or each.__context__:
            left.append(inner)


def _cause(error: BaseException) -> Cause | None:
    if isinstance(error, socket.gaierror):
        return NO_DNS if error.errno == socket.EAI_AGAIN else UNKNOWN_HOST
    if isinstance(error, ssl.SSLError):
        return _tls_cause(error)
    # Of most libraries without a number; that of httpx has one within.
    if isinstance(error, TimeoutError):
        return TIMED_OUT
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno or 0)
    return None


def _tls_cause(error: ssl.SSLError) -> Cause | None:
    # aiohttp's wrapper is such an error, too, and has its reason within.
    reason = getattr(error, "reason", None)
    if reason is None:
        return None
    if reason in _NO_TLS_REASONS:
        return NO_TLS
    return CLOSED if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError) else TLS_FAILED
