"""The errors that Rapid7's refusals mean."""

from __future__ import annotations

from types import MappingProxyType

from msgspec import Struct

from providers.errors import AuthFailed, NotFound, QueryRejected
from providers.http.failures import refuse_status, too_many_requests
from providers.http.reply import Reply
from providers.rapid7 import parse
from providers.redaction import Redactor


class Refusals(Struct, frozen=True):
    """Raises the error of a reply that refuses. The vendor's own sentence is redacted."""

    account: str
    redactor: Redactor

    def check(self, reply: Reply, *, subject: str) -> None:
        """Raises for any status but 200. One page documents 404 for a wrong key and another one 401,
        and 404 also means that nothing was found.
        """
        if reply.status == 404:
            raise NotFound(
                (
                    f"{self.account} found no {_MEANINGS[subject]}, or the key or the region is "
                    "wrong (HTTP 404)."
                ),
                account=self.account,
                hint=(
                    f"Check the period or the log, then `api_key` and `region` of `{self.account}`."
                ),
            )
        if reply.status == 401:
            raise AuthFailed(
                f"{self.account} did not accept the key (HTTP 401).",
                account=self.account,
                hint=(
                    f"Check `api_key` and `region` of `{self.account}`; usage needs a key with "
                    "Read/Write privileges."
                ),
            )
        if reply.status != 200:
            message = self.redactor.text(parse.vendor_message(reply.body))
            refuse_status(reply, account=self.account, message=message)

    def check_query(self, reply: Reply) -> None:
        """Raises for any status but 200, and 202 of a query in progress."""
        if reply.status in (200, 202):
            return
        if reply.status == 429:
            # Queries write the seconds into the body; downloads send Retry-After.
            wait_s = parse.seconds_until_reset(reply.body)
            raise too_many_requests(reply, account=self.account, wait_s=wait_s)
        self.check_log(reply)

    def check_log(self, reply: Reply) -> None:
        """Raises for any status but 200. A 400 is about the query, and its message is the reason."""
        if reply.status == 400:
            message = self.redactor.text(parse.vendor_message(reply.body)).strip().rstrip(".")
            raise QueryRejected(
                f"{self.account} does not accept the query: {message or 'it gives no reason'}.",
                account=self.account,
                hint="Correct the query.",
            )
        self.check(reply, subject="logs")


_MEANINGS = MappingProxyType({"usage": "usage data for this period", "logs": "such log"})
