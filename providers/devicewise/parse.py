"""TR50 answers become records here.

An HTTP 200 may hold a failure, for one command or for all. `request` and `response` of a row are JSON in strings, in any
case and often broken; whatever comes in, a typed record comes out.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from providers.errors import unreadable
from providers.records import ApiCall, Outcome

MOST_NESTED = 200_000
EXPIRED_PREFIX = "authentication session is invalid"
EXPIRED_CODES = frozenset({-90000})


@dataclass(frozen=True, slots=True)
class Failure:
    """A command that failed inside an HTTP 200, or all of them."""

    codes: tuple[int, ...]
    messages: tuple[str, ...]

    @property
    def session_expired(self) -> bool:
        return any(m.lower().startswith(EXPIRED_PREFIX) for m in self.messages) or not EXPIRED_CODES.isdisjoint(self.codes)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of `usage.api.list`. `count` is the vendor's own total, which is only a hint."""

    rows: list[dict[str, Any]]
    count: int | None


def reply_params(body: bytes, command_id: str, *, account: str) -> dict[str, Any] | Failure:
    """The params that answer `command_id`, or the failure that was told instead: the global one first, then its own."""
    answer = _decoded(body)
    if not isinstance(answer, dict):
        raise unreadable(account, "an answer that is not a JSON object")
    if answer.get("success") is False or "errorCodes" in answer or "errorMessages" in answer:
        return _failure(answer)
    reply = answer.get(command_id)
    if not isinstance(reply, dict):
        raise unreadable(account, "an answer without the reply to our command")
    if reply.get("success") is not True:
        return _failure(reply)
    params = reply.get("params")
    return params if isinstance(params, dict) else {}


def page(params: Mapping[str, Any], *, account: str) -> Page:
    """A page of rows; `result` may be null or absent."""
    rows = params.get("result") or []
    if not isinstance(rows, list):
        raise unreadable(account, "rows of an unknown shape")
    count = params.get("count")
    return Page([row for row in rows if isinstance(row, dict)], count if type(count) is int and count >= 0 else None)


def api_call(row: Mapping[str, Any], *, account: str, whoami: str) -> ApiCall:
    """One row of `usage.api.list` as a call.

    `actor` is `whoami`, `action` the command names joined by `+`, `target` the thing key, `status` `ok` or the error
    code, `client` the orgKey, `organisation` that or the orgId, `host` processedBy, `duration_ms` from `execTime` (nanoseconds). `own` marks the bot's own calls.
    """
    request = _nested(row.get("request"))
    response = _nested(row.get("response"))
    names = tuple(_command_names(request))
    at_text = row.get("ts") if isinstance(row.get("ts"), str) else ""
    actor = _text(row, "whoami")
    status, outcome = _status(response)
    return ApiCall(
        at=_instant(at_text or ""),
        at_text=at_text or "",
        account=account,
        actor=actor,
        action="+".join(names),
        target=_target(request),
        status=status,
        outcome=outcome,
        client=_text(row, "orgKey"),
        ip="",
        duration_ms=_milliseconds(row.get("execTime")),
        own=bool(whoami) and actor == whoami and bool(names) and all(n in _OWN for n in names),
        actions=names,
        host=_text(row, "processedBy"),
        organisation=_text(row, "orgKey") or _text(row, "orgId"),
    )


def fingerprint(row: Mapping[str, Any]) -> int:
    """What tells a row from another; rows carry no id of their own."""
    return hash(tuple(str(row.get(key)) for key in ("ts", "whoami", "processedBy", "request", "response")))


_OWN = frozenset({"usage.api.list", "api.authenticate", "session.org.switch", "session.info", "session.end"})


def _status(response: Any) -> tuple[str, Outcome]:
    """A call failed where its response says so, for all or for any of its commands."""
    if not isinstance(response, dict):
        return "", Outcome.UNKNOWN
    replies = [response, *(value for value in response.values() if isinstance(value, dict))]
    known = [(reply, _any_case(reply, "success")) for reply in replies]
    for reply, success in known:
        if success is False:
            codes = _failure({"errorCodes": _any_case(reply, "errorCodes")}).codes
            return (str(codes[0]) if codes else "failed"), Outcome.FAILURE
    if any(success is True for _, success in known):
        return "ok", Outcome.SUCCESS
    return "", Outcome.UNKNOWN


def _command_names(request: Any) -> Iterator[str]:
    """The commands of a request in document order. A login carries its command under `auth`, or none at all."""
    if not isinstance(request, dict):
        return
    for value in request.values():
        if not isinstance(value, dict):
            continue
        name = _any_case(value, "command")
        if isinstance(name, str) and name:
            yield name


def _target(request: Any) -> str:
    """The thing key, or other `key`, of the first command that names one; what a login says of itself is left out."""
    if isinstance(request, dict):
        for value in request.values():
            if _any_case(value, "command") == "api.authenticate":
                continue
            params = _any_case(value, "params")
            for name in ("thingkey", "key"):
                found = _any_case(params, name)
                if isinstance(found, str) and found:
                    return found
    return ""


def _any_case(value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        return None
    if name in value:
        return value[name]
    lowered = name.lower()
    return next((v for k, v in value.items() if isinstance(k, str) and k.lower() == lowered), None)


def _nested(text: Any) -> Any:
    """JSON in a string; None where it is broken, too deep or too long."""
    if isinstance(text, str) and len(text) <= MOST_NESTED:
        return _decoded(text.encode("utf-8", "surrogatepass"))
    return text if isinstance(text, dict) else None


def _decoded(body: bytes) -> Any:
    """JSON read fast; what the fast decoder rejects (lone surrogates, big numbers) is read again by the standard one."""
    with contextlib.suppress(msgspec.DecodeError, RecursionError):
        return msgspec.json.decode(body)
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(body.decode("utf-8", "surrogatepass"))
    return None


def _failure(reply: Mapping[str, Any]) -> Failure:
    codes, messages = reply.get("errorCodes"), reply.get("errorMessages")
    return Failure(
        tuple(c for c in codes if type(c) is int) if isinstance(codes, list) else (),
        tuple(m for m in messages if isinstance(m, str)) if isinstance(messages, list) else (),
    )


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""


def _instant(text: str) -> datetime | None:
    """ISO-8601 with an offset, compared in UTC. A time without an offset is no instant."""
    with contextlib.suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    return None


def _milliseconds(nanoseconds: Any) -> float | None:
    if type(nanoseconds) is int and 0 <= nanoseconds < 2**63:
        return nanoseconds / 1_000_000
    return None
