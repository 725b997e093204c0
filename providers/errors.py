"""The errors of requests to vendors.

    ProviderError
    ├── AuthFailed       the credentials were not accepted (401, 403, a failed login)
    ├── NotFound         the thing asked for is not there (404, 410)
    ├── RateLimited      rate limit reached (429 and the vendors' own signs of it)
    ├── Unavailable      no connection, a time-out, a 5xx
    ├── ProtocolError    an answer that cannot be read, or a 400 to a question we thought right
    │   ├── TooLarge     an answer of more bytes than are taken
    │   └── QueryRejected    a query that the vendor does not accept
    └── Incomplete       an answer cut short of which nothing can be used

Each carries the account, one sentence about what happened, one hint about what to do, and whether
asking again may help. Vendor errors are translated to these once, inside the vendor's folder.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import ClassVar


class ProviderError(Exception):
    """A question a provider could not answer. `str(error)` is one sentence for a person and holds
    no secret. `host` is what was called, where there was no connection to it.
    """

    kind: ClassVar[str] = "unavailable"
    may_retry: ClassVar[bool] = False
    exit_code: ClassVar[int] = 3
    log_level: ClassVar[int] = logging.INFO

    def __init__(
        self,
        message: str,
        *,
        account: str,
        hint: str,
        retry_after_s: float | None = None,
        host: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.account = account
        self.hint = hint
        self.retry_after_s = retry_after_s
        self.host = host

    @property
    def for_operators(self) -> str:
        """The message with the host, which people in Slack are not shown."""
        return f"{self.message.rstrip('.')} ({self.host})." if self.host else self.message


class AuthFailed(ProviderError):
    kind = "auth"


class NotFound(ProviderError):
    kind = "not_found"


class RateLimited(ProviderError):
    kind = "rate_limited"
    may_retry = True


class Unavailable(ProviderError):
    kind = "unavailable"
    may_retry = True


class ProtocolError(ProviderError):
    kind = "protocol"


class TooLarge(ProtocolError):
    """The answer is too large; smaller parts may be requested instead."""


class QueryRejected(ProtocolError):
    """The vendor does not accept a query; the message holds the reason that it gives."""


class Incomplete(ProviderError):
    kind = "incomplete"
    may_retry = True


def combined(errors: Sequence[ProviderError]) -> ProviderError:
    """One error for several accounts of which none answered: the kind and account of the first, and
    the sentence and hint of each.
    """
    first = errors[0]
    if len(errors) == 1:
        return first
    hints = list(dict.fromkeys(error.hint for error in errors))
    shown_hints = (
        hints if len(hints) == 1 else [f"{error.account}: {error.hint}" for error in errors]
    )
    # The longest counts: before it, one of them would refuse again.
    waits = [error.retry_after_s for error in errors if error.retry_after_s is not None]
    messages = [
        error.message if error.account in error.message else f"{error.account}: {error.message}"
        for error in errors
    ]
    return type(first)(
        " ".join(dict.fromkeys(messages)),
        account=first.account,
        hint=" ".join(shown_hints),
        retry_after_s=max(waits, default=None),
    )


def unreadable(account: str, what: str) -> ProtocolError:
    """The error for an answer that cannot be read. `what` follows “ACCOUNT sent”."""
    return ProtocolError(
        f"{account} sent {what}, which cannot be read.",
        account=account,
        hint="Try again. If it keeps failing, tell the operator.",
    )
