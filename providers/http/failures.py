"""Errors for requests that got no answer, and for answers that refuse."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import httpx

from providers.errors import (
    AuthFailed,
    NotFound,
    ProtocolError,
    ProviderError,
    RateLimited,
    Unavailable,
)
from providers.http.causes import (
    CLOSED,
    NO_TLS,
    TIMED_OUT,
    TLS_FAILED,
    UNEXPLAINED,
    connection_cause,
    proxy_not_reached,
)
from providers.http.network import PROXY_HINT, untrusted_certificate
from providers.http.reply import Reply, retry_after_s
from providers.limits.rate_limiter import in_words

# No vendor limits requests for longer than a day, in seconds: a longer wait is not repeated.
_LONGEST_NAMED_WAIT_S = 86400.0


def setting_of(account: str) -> str:
    """Where the host of the account is set; how the setting is called depends on its vendor."""
    return f"the address of `[providers.{account}]` in bot.toml"


def unreachable(
    error: httpx.HTTPError, *, account: str, host: str = "", proxy: str = ""
) -> ProviderError:
    """The error for a request that got no complete answer. It says how the request failed and never
    quotes a URL; `host` and `proxy`, the one that was used, are only for operators.
    """
    if failure := untrusted_certificate(error):
        return not_reached(*failure, account=account, host=host)
    if isinstance(error, httpx.ProxyError):
        answer = sanitised_proxy_answer(error)
        return not_reached(f"the proxy refused{answer}", PROXY_HINT, account=account, host=host)
    if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError):
        return _not_connected(error, account=account, host=host, proxy=proxy)
    if isinstance(error, httpx.RemoteProtocolError) and not _is_cut_off(error):
        return not_http(account=account, host=host)
    what = next(
        (words for kind, words in _FAILURES.items() if isinstance(error, kind)),
        "broke off in the middle of its answer",
    )
    return no_answer(what, account=account)


def _not_connected(error: httpx.HTTPError, *, account: str, host: str, proxy: str) -> ProviderError:
    """The error for a connection that could not be opened, to the vendor or to the proxy."""
    cause = connection_cause(error)
    if not proxy:
        cause = cause or UNEXPLAINED
        return not_reached(
            cause.reason, cause.hint_for(setting_of(account)), account=account, host=host
        )
    # A later failure, in the TLS inside the tunnel, is the vendor's or the proxy's; a time-out
    # does not show which.
    if cause in (TIMED_OUT, NO_TLS, TLS_FAILED, CLOSED):
        message = f"{account} could not be reached through the proxy: {cause.reason}."
        return Unavailable(message, account=account, hint=PROXY_HINT, host=host)
    return not_reached(proxy_not_reached(cause), PROXY_HINT, account=account, host=proxy)


def not_reached(reason: str, hint: str, *, account: str, host: str = "") -> Unavailable:
    """The error for an account to which no connection was made, with the reason for it."""
    what = f"{account} could not be reached{reason and ': '}{reason}."
    return Unavailable(what, account=account, hint=hint, host=host)


def not_http(*, account: str, host: str) -> ProtocolError:
    """The error for an answer that is not HTTP."""
    return ProtocolError(
        f"{account} sent something that is not HTTP, or headers without end.",
        account=account,
        hint=f"Check {setting_of(account)}. If it keeps failing, tell the operator.",
        host=host,
    )


# The name of each kind of error; subclasses come first.
_FAILURES: Mapping[type[httpx.HTTPError], str] = MappingProxyType(
    {
        httpx.PoolTimeout: "is busy with other requests of the bot",
        httpx.WriteTimeout: "stopped reading the request",
        httpx.TimeoutException: "stopped responding",
    }
)


def _is_cut_off(error: httpx.RemoteProtocolError) -> bool:
    return any(words in str(error) for words in _CUT_OFF)


def sanitised_proxy_answer(error: httpx.HTTPError) -> str:
    """` (HTTP 407)` from the message of a proxy error, which begins with the status that the proxy
    gave.
    """
    status = str(error)[:3]
    return f" (HTTP {status})" if status.isdigit() else ""


# How the HTTP library reports that a connection ended too early; its other messages are about
# invalid content.
_CUT_OFF = ("disconnected", "peer closed connection", "ConnectionTerminated", "StreamReset")


def no_answer(what: str, *, account: str) -> Unavailable:
    """The error for an account that “stopped responding”, or failed in another way after it was reached."""
    return Unavailable(f"{account} {what}.", account=account, hint="Try again in a few minutes.")


def refuse_status(reply: Reply, *, account: str, message: str = "") -> None:
    """Raises the error for an HTTP status other than 200. `message` is the vendor's own sentence,
    already redacted.
    """
    status = reply.status
    if status == 200:
        return
    tail = f" It said: {message.rstrip('.')}." if message else ""
    if status in (401, 403):
        raise AuthFailed(
            f"{account} did not accept the credentials (HTTP {status}).{tail}",
            account=account,
            hint=f"Check the key of `{account}` and what it may do, then run `opswatch check`.",
        )
    if status in (404, 410):
        raise NotFound(
            f"{account} has nothing there (HTTP {status}).{tail}",
            account=account,
            hint=f"Check the name, and {setting_of(account)}.",
        )
    if status == 429:
        raise too_many_requests(reply, account=account)
    if status >= 500:
        raise Unavailable(
            f"{account} is unavailable (HTTP {status}).{tail}",
            account=account,
            hint="Try again in a few minutes.",
            retry_after_s=retry_after_s(reply),
        )
    if 300 <= status < 400:
        raise ProtocolError(
            (
                f"{account} answered with a redirect (HTTP {status}), which is not followed with "
                "a key."
            ),
            account=account,
            hint=f"Check {setting_of(account)}.",
        )
    raise ProtocolError(
        f"{account} refused the request (HTTP {status}).{tail}",
        account=account,
        hint="Try another window or filter.",
    )


def too_many_requests(reply: Reply, *, account: str, wait_s: float | None = None) -> RateLimited:
    """The error for a 429, with the time to try again. `wait_s` is the wait that the vendor's body
    asks for.
    """
    # The body first, since some vendors write the wait there.
    wait = wait_s or retry_after_s(reply)
    if not wait:
        when = "in a few minutes"
    elif wait > _LONGEST_NAMED_WAIT_S:
        when = "later"
    else:
        when = f"in about {in_words(wait)}"
    return RateLimited(
        f"{account} has reached its rate limit (HTTP 429).",
        account=account,
        hint=f"Try again {when}.",
        retry_after_s=wait,
    )
