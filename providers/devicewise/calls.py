"""A row of `usage.api.list` as a call.

Its `request` and `response` are JSON in strings, in any case and often broken. Any row gives a call.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from providers.devicewise.parse import Row, failure_of
from providers.http.decoding import decode_json
from providers.models import ApiCall, Outcome
from providers.redaction import Redactor

# A longer request or response is not read as JSON.
MOST_NESTED = 200_000
# Machines send short requests again and again; long ones would only fill the cache.
SHORT = 512
# Bounds the memory for requests that all differ.
REMEMBERED = 16_384
# A shorter text without `=` and `:` is a name.
LONGEST_PLAIN = 60


def api_call(row: Row, *, account: str, whoami: str, redactor: Redactor | None = None) -> ApiCall:
    """One row of `usage.api.list` as a call.

    `actor` is `whoami`, `action` the command names joined by `+`, `target` the thing key, `status`
    `ok` or the error code, `client` the orgKey, `organisation` that or the orgId, `host`
    processedBy, `duration_ms` from `execTime` (nanoseconds). `own` marks the bot's own calls.
    """
    request = row.request or ""
    response = row.response or ""
    at_text = row.ts or ""
    asked = _remembered_request(request) if len(request) <= SHORT else _read_request(request)
    status, outcome = (
        _remembered_response(response) if len(response) <= SHORT else _status(nested_json(response))
    )
    if redactor and asked.may_hold_secret:
        asked = asked.redacted(redactor)
    actor = row.whoami or ""
    org = row.orgKey or ""
    duration_ns = row.execTime
    # The fields in their order, which takes half the time of naming them: there are many rows.
    return ApiCall(
        _instant(at_text),
        at_text,
        account,
        actor,
        asked.action,
        asked.target,
        status,
        outcome,
        org,  # client
        "",  # ip
        # execTime is in nanoseconds.
        duration_ns / 1_000_000 if duration_ns is not None and 0 <= duration_ns < 2**63 else None,
        asked.is_own and actor == whoami != "",
        asked.actions,
        row.processedBy or "",
        org or row.orgId or "",
    )


class _Request(msgspec.Struct, frozen=True, gc=False):
    """What a request asks for. `is_own` where it has only commands that the bot sends, too."""

    action: str
    actions: tuple[str, ...]
    target: str
    is_own: bool
    may_hold_secret: bool

    def redacted(self, redactor: Redactor) -> _Request:
        """The same without secrets."""
        action = redactor.text(self.action) if _may_hold_secret(self.action) else self.action
        target = redactor.text(self.target) if _may_hold_secret(self.target) else self.target
        actions = self.actions if action == self.action else tuple(action.split("+"))
        return _Request(action, actions, target, self.is_own, may_hold_secret=False)


def _read_request(text: str) -> _Request:
    names, target = _asked(nested_json(text))
    action = "+".join(names)
    return _Request(
        action,
        names,
        target,
        is_own=names != () and _OWN.issuperset(names),
        may_hold_secret=_may_hold_secret(action) or _may_hold_secret(target),
    )


def _may_hold_secret(text: str) -> bool:
    return "=" in text or ":" in text or len(text) > LONGEST_PLAIN


# Machines send the same requests again and again, and get the same answers.
_remembered_request = lru_cache(maxsize=REMEMBERED)(_read_request)


@lru_cache(maxsize=REMEMBERED)
def _remembered_response(text: str) -> tuple[str, Outcome]:
    return _status(nested_json(text))


_OWN = frozenset(
    {"usage.api.list", "api.authenticate", "session.org.switch", "session.info", "session.end"}
)


def _status(response: Any) -> tuple[str, Outcome]:
    """A call failed if its response reports a failure of all or any of its commands."""
    if response.__class__ is not dict:
        return "", Outcome.UNKNOWN
    succeeded = _any_case(response, "success")
    if succeeded is False:
        return _failed_with(response), Outcome.FAILURE
    for reply in response.values():
        if reply.__class__ is dict:
            success = _any_case(reply, "success")
            if success is False:
                return _failed_with(reply), Outcome.FAILURE
            succeeded = succeeded is True or success
    return ("ok", Outcome.SUCCESS) if succeeded is True else ("", Outcome.UNKNOWN)


def _failed_with(reply: dict[str, Any]) -> str:
    codes = failure_of({"errorCodes": _any_case(reply, "errorcodes")}).codes
    return str(codes[0]) if codes else "failed"


def _asked(request: Any) -> tuple[tuple[str, ...], str]:
    """The commands of a request in document order, and the thing key, or other `key`, of the first
    that names one.

    A login carries its command under `auth`, or none at all; what it contains is no target.
    """
    if request.__class__ is not dict:
        return (), ""
    names = []
    target = ""
    for value in request.values():
        if value.__class__ is not dict:
            continue
        name = _any_case(value, "command")
        if name.__class__ is str and name:
            names.append(name)
        if not target and name != "api.authenticate":
            target = _key_of(_any_case(value, "params"))
    return tuple(names), target


def _key_of(params: Any) -> str:
    if params.__class__ is dict and params:
        for name in ("thingkey", "key"):
            found = _any_case(params, name)
            if found.__class__ is str and found:
                return found
    return ""


def _any_case(value: dict[str, Any], name: str) -> Any:
    """The member of that name, which is given in lower case, however it is spelt."""
    if name in value:
        return value[name]
    # Lengths are compared first, which is cheaper than lower case for every key.
    size = len(name)
    for key in value:  # noqa: PLC0206
        if len(key) == size and key.lower() == name:
            return value[key]
    return None


def nested_json(text: str | None) -> Any:
    """JSON in a string; None where it is broken, too deep or too long."""
    return decode_json(text) if text and len(text) <= MOST_NESTED else None


def _instant(text: str) -> datetime | None:
    """ISO-8601 with an offset, compared in UTC. A time without an offset is no instant."""
    try:
        moment = datetime.fromisoformat(text)
        # Nearly all instants are in UTC already.
        return moment if moment.tzinfo is UTC else moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
