"""Parses TR50 answers into records.

An HTTP 200 may hold a failure, for one command or for all. Any input gives a typed record.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import msgspec
from msgspec import Struct

from providers.errors import unreadable
from providers.http.decoding import decode_json, refuse_excess

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
    """One row of `usage.api.list`. None represents missing values and those of an unexpected type.

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
        return failure_of(answer)
    reply = answer.get(command_id)
    if not isinstance(reply, dict):
        raise unreadable(account, "an answer without the reply to the command")
    if reply.get("success") is not True:
        return failure_of(reply)
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


def failure_of(reply: Mapping[str, Any]) -> Failure:
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
