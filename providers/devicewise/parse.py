"""Parses TR50 answers into records.

An HTTP 200 may hold a failure, for one command or for all. `request` and `response` of a row are
JSON in strings, in any case and often broken. Any input gives a typed record.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import Struct

from providers.errors import unreadable
from providers.http.decoding import decode_json, refuse_excess
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
# Only the beginning: the rest of the sentence has changed, which broke other clients
# (ha-zcs-mower#264).
EXPIRED_PREFIX = "authentication session is invalid"
EXPIRED_CODES = frozenset({-90000})
# The platform's lists report this for an offset beyond their end.
EXHAUSTED_CODE = -90058
_FAILURE_WORDS = frozenset({"errorCodes", "errorMessages", "errorMessage"})


class Failure(Struct, frozen=True):
    """A command that failed inside an HTTP 200, or all of them."""

    codes: tuple[int, ...]
    messages: tuple[str, ...]

    @property
    def session_expired(self) -> bool:
        return any(
            m.lower().startswith(EXPIRED_PREFIX) for m in self.messages
        ) or not EXPIRED_CODES.isdisjoint(self.codes)

    @property
    def is_end_of_list(self) -> bool:
        return EXHAUSTED_CODE in self.codes


class Row(msgspec.Struct, frozen=True, gc=False):
    """One row of `usage.api.list`. None stands for what is missing, and for what is of another kind
    than it should be.

    `request` and `response` are JSON in strings; where a gateway sends the objects themselves, they
    are put into strings again.
    """

    ts: str | None = None
    execTime: int | None = None
    processedBy: str | None = None
    orgId: str | None = None
    orgKey: str | None = None
    whoami: str | None = None
    request: str | None = None
    response: str | None = None

    def fingerprint(self) -> int:
        """What distinguishes a row from others, since rows carry no id."""
        return hash((self.ts, self.whoami, self.processedBy, self.request, self.response))


@dataclass(frozen=True, slots=True)
class Page:
    """One page of `usage.api.list`. `count` is the vendor's own total, `bytes` the size of the
    answer.
    """

    rows: list[Row]
    count: int | None
    bytes: int = field(default=0, compare=False)
    # Entries of the list that are no rows.
    unreadable: int = 0


class _Params(msgspec.Struct):
    result: list[Row] | msgspec.UnsetType | None = msgspec.UNSET
    count: str | int | float | bool | None = None


class _Reply(msgspec.Struct):
    success: Literal[True]
    params: _Params


class _Envelope(msgspec.Struct):
    """An answer of the documented shape: our command, and no failure."""

    list: _Reply
    success: bool = True
    errorCodes: None = None
    errorMessages: None = None
    errorMessage: None = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)
LIST_ID = "list"
_DIGITS = re.compile(r"[0-9]{1,15}")


def list_page(body: bytes, *, account: str) -> Page | Failure:
    """The page that answers the command LIST_ID, or the failure that was returned instead."""
    refuse_excess(body, account=account, depth_matters=False)
    try:
        params = _ENVELOPE.decode(body).list.params
    # Anything but the documented shape, a failure among it, is read tolerantly.
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        found = reply_params(body, LIST_ID, account=account)
        return (
            found
            if isinstance(found, Failure)
            else replace(page(found, account=account), bytes=len(body))
        )
    if params.result is msgspec.UNSET:
        return _page_without_result(_count(params.count), account=account)
    return Page(params.result or [], _count(params.count), len(body))


def reply_params(body: bytes, command_id: str, *, account: str) -> dict[str, Any] | Failure:
    """The params that answer `command_id`, or the failure that was reported instead: the global one
    first, then its own.
    """
    refuse_excess(body, account=account)
    answer = decode_json(body)
    if not isinstance(answer, dict):
        raise unreadable(account, "an answer that is not a JSON object")
    # The global failure first: it carries no ids, and explains why the reply is missing.
    if _reports_failure(answer, command_id):
        return _failure(answer)
    reply = answer.get(command_id)
    if not isinstance(reply, dict):
        raise unreadable(account, "an answer without the reply to our command")
    if reply.get("success") is not True:
        return _failure(reply)
    params = reply.get("params")
    return params if isinstance(params, dict) else {}


def _reports_failure(answer: Mapping[str, Any], command_id: str) -> bool:
    """Whether an answer is a failure of all commands. Empty lists of errors beside a reply report
    none.
    """
    success = answer.get("success")
    if success is not None or command_id in answer:
        has_errors = any(answer.get(word) for word in _FAILURE_WORDS)
        return success is False or (success is not True and has_errors)
    return not _FAILURE_WORDS.isdisjoint(answer)


def page(params: Mapping[str, Any], *, account: str) -> Page:
    """A page of rows; `result` may be null, or absent where there is a count."""
    count = _count(params.get("count"))
    if "result" not in params:
        return _page_without_result(count, account=account)
    rows = params["result"]
    if rows is not None and not isinstance(rows, list):
        raise unreadable(account, "rows of an unknown shape")
    found = [row_of(row) for row in rows or () if isinstance(row, dict)]
    return Page(found, count, unreadable=len(rows or ()) - len(found))


def _page_without_result(count: int | None, *, account: str) -> Page:
    if count is None:
        raise unreadable(account, "an answer without rows")
    return Page([], count)


def row_of(columns: Mapping[str, Any]) -> Row:
    """A row of the columns that are known and of the kind they should be; a number stands for its
    digits.
    """
    texts = {name: text for name in _TEXTS if (text := _plain_text(columns.get(name))) is not None}
    nested = {name: _json_text(columns.get(name)) for name in ("request", "response")}
    return Row(execTime=_whole(columns.get("execTime")), **texts, **nested)


_TEXTS = ("ts", "processedBy", "orgId", "orgKey", "whoami")


def _plain_text(value: Any) -> str | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value if isinstance(value, str) else None


def _json_text(value: Any) -> str | None:
    if isinstance(value, dict):
        return json.dumps(value)
    return value if isinstance(value, str) else None


def _count(value: Any) -> int | None:
    number = int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else _whole(value)
    return number if number is not None and number >= 0 else None


def _whole(value: Any) -> int | None:
    """A whole number, however it is spelt in JSON: `21500000` and `2.15e7`, not `true`."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    # A bool of Python is an int, too.
    return value if type(value) is int else None


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
        _remembered_response(response) if len(response) <= SHORT else _status(_nested(response))
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
    names, target = _asked(_nested(text))
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
    return _status(_nested(text))


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
    codes = _failure({"errorCodes": _any_case(reply, "errorcodes")}).codes
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


def _nested(text: str | None) -> Any:
    """JSON in a string; None where it is broken, too deep or too long."""
    return decode_json(text) if text and len(text) <= MOST_NESTED else None


def _failure(reply: Mapping[str, Any]) -> Failure:
    """Codes and messages of a failure. Either list may be missing, and old gateways send a single
    one of each.
    """
    codes = reply.get("errorCodes") or reply.get("errorCode")
    messages = reply.get("errorMessages") or reply.get("errorMessage")
    found = (_code(each) for each in (codes if isinstance(codes, list) else [codes]))
    return Failure(
        tuple(code for code in found if code is not None),
        tuple(
            message
            for message in (messages if isinstance(messages, list) else [messages])
            if isinstance(message, str)
        ),
    )


def _code(value: Any) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,9}", value):
        return int(value)
    return value if type(value) is int else None


def _instant(text: str) -> datetime | None:
    """ISO-8601 with an offset, compared in UTC. A time without an offset is no instant."""
    try:
        moment = datetime.fromisoformat(text)
        # Nearly all instants are in UTC already.
        return moment if moment.tzinfo is UTC else moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
