"""A row of the report as a call."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from providers.akamai.filters import nearest_actor, row_filter
from providers.akamai.parse import Report, Row, instant_of, text_of
from providers.models import ApiCall, CallFilters, Outcome
from providers.redaction import MARK, Redactor


def kept_calls(
    reports: Sequence[Report],
    filters: CallFilters,
    *,
    account: str,
    own_token: str,
    redactor: Redactor,
) -> tuple[list[ApiCall], str]:
    """The rows as calls, and the actor that is nearest to a `who` which nobody matches. Many rows
    take a while.
    """
    rows = [row for report in reports for row in report.rows]
    calls = [api_call(row, account=account, own_token=own_token, redactor=redactor) for row in rows]
    if filters.call:
        # One call is shown with every column of its row.
        calls = [
            msgspec.structs.replace(
                call, columns=columns(row, own_token=own_token, redactor=redactor)
            )
            for row, call in zip(rows, calls, strict=True)
            if call.id == filters.call
        ]
    if not filters:
        return calls, ""
    keep = row_filter(filters)
    kept = [call for call in calls if keep(call)]
    nearest = "" if kept else nearest_actor(filters.who, [call.actor for call in calls])
    return kept, nearest


def api_call(
    row: Row, *, account: str, own_token: str, redactor: Redactor | None = None
) -> ApiCall:
    """One row as a call.

    `actor` is `clientOwner`; `client` and `ip` are `clientId` and `clientIp`; 2xx and 3xx are
    success, 4xx and 5xx failure, anything else unknown; secrets in a query string are taken out.
    The all-"Other" row of the vendor is a call of which nothing is known.
    """
    method, actions = _method(_value(row.method, row.requestMethod))
    code = row.responseCode
    uri = _value(row.uri, row.requestUri)
    at = row.timestamp
    # Values are text in v1 and may be numbers in v2.
    if code.__class__ is not str:
        code = text_of(code)
    if at.__class__ is not str:
        at = text_of(at)
    # A column of text may be padded.
    if len(code) != 3:
        code = code.strip()
    token = _value(row.clientToken, row.authorizationClientToken)
    is_own_token = token == own_token != ""
    # The fields in their order, which takes half the time of naming them: there are many rows.
    return ApiCall(
        instant_of(at),
        at,
        account,
        text_of(row.clientOwner),
        method,
        redactor.text(uri) if redactor and "=" in uri else uri,
        code,
        outcome(code),
        text_of(row.clientId),
        text_of(row.clientIp),
        None,  # duration_ms
        # Others may use the same client; only the requests for this report are the bot's.
        is_own_token and "/reporting-api/" in uri,
        actions,
        "",  # host
        "",  # organisation
        MARK if is_own_token else _without_own(token, redactor),
    )


def columns(row: Row, *, own_token: str, redactor: Redactor) -> tuple[tuple[str, str], ...]:
    """Every column that came, by the vendor's names and without secrets."""
    came = ((name, text_of(getattr(row, name))) for name in Row.__struct_fields__)
    return tuple((name, _shown(name, text, own_token, redactor)) for name, text in came if text)


def _shown(name: str, text: str, own_token: str, redactor: Redactor) -> str:
    if name in ("clientToken", "authorizationClientToken"):
        return MARK if text == own_token else _without_own(text, redactor)
    return redactor.text(text)


# A client token names the credentials of an API client and opens nothing without their secret, so
# only the bot's own, which are configured as secrets, are taken out. A report has few of them.
@lru_cache(maxsize=1024)
def _without_own(token: str, redactor: Redactor | None) -> str:
    return redactor.without_own(token) if redactor and token else token


@lru_cache(maxsize=512)
def _method(method: str) -> tuple[str, tuple[str, ...]]:
    """The method as it is shown, and as the one action of a call."""
    shown = method if method == "Other" else method.upper()
    return shown, (shown,)


@lru_cache(maxsize=2048)
def outcome(code: str) -> Outcome:
    """What a response code means: 2xx and 3xx success, 4xx and 5xx failure."""
    if len(code) == 3 and code.isascii() and code.isdigit():
        if code[0] in "23":
            return Outcome.SUCCESS
        if code[0] in "45":
            return Outcome.FAILURE
    return Outcome.UNKNOWN


def _value(in_v1: Any, in_v2: Any) -> str:
    """A column by its v1 name, or by the one that v2 has for it."""
    return text_of(in_v1 if in_v1 is not None else in_v2)
