"""Akamai's reports become records here: v1 in JSON and CSV, v2, and the errors of the gateway and of the report."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from providers.errors import Incomplete, unreadable
from providers.records import ApiCall, Outcome
from providers.redaction import Redactor

_SECTIONS = ("METADATA", "SUMMARYSTATISTICS", "COLUMNS", "DATA")


@dataclass(frozen=True, slots=True)
class Report:
    """The rows of a report and what its metadata says about them."""

    rows: Sequence[Mapping[str, Any]]
    row_count: int | None
    data_ends: datetime | None
    retry_at: str
    next_link: str = ""


def json_report(body: bytes, *, account: str) -> Report:
    """A v1 or v2 report as JSON."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise unreadable(account, "a report that is not JSON") from None
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, list):
        raise unreadable(account, "a report without rows")
    metadata = answer.get("metadata")
    return _report(
        [row for row in data if isinstance(row, dict)],
        metadata if isinstance(metadata, dict) else {},
        answer.get("links"),
    )


def csv_report(body: bytes, *, account: str) -> Report:
    """A v1 report as CSV: four sections between `#X_START` and `#X_END`, each marker a record of its own.

    A marker inside a field, or where another section is open, is data. Without `#DATA_END` the answer was cut.
    """
    text = body.decode("utf-8-sig", "replace")
    sections: dict[str, list[list[str]]] = {}
    current = ""
    try:
        for record in csv.reader(io.StringIO(text, newline=""), strict=True):
            marker = record[0].strip() if len(record) == 1 else ""
            if not current and marker.startswith("#") and marker.endswith("_START") and marker[1:-6] in _SECTIONS:
                current = marker[1:-6]
                sections[current] = []
            elif current and marker == f"#{current}_END":
                sections[current + "_END"], current = [], ""
            elif current and record:
                sections[current].append(record)
    except csv.Error:
        raise _cut_short(account) from None
    if "DATA_END" not in sections:
        raise _cut_short(account) if "METADATA" in sections else unreadable(account, "a report that is not CSV")
    columns = next(iter(sections.get("COLUMNS") or [[]]))
    rows = [dict(zip(columns, record, strict=False)) for record in sections["DATA"]]
    return _report(rows, {record[0]: record[1] if len(record) > 1 else "" for record in sections.get("METADATA", [])}, None)


def api_call(row: Mapping[str, Any], *, account: str, own_token: str, redactor: Redactor | None = None) -> ApiCall:
    """One row as a call.

    `actor` is `clientOwner`; `client` and `ip` are `clientId` and `clientIp`; 2xx and 3xx are success, 4xx and 5xx
    failure, anything else unknown; secrets in a query string are taken out. The all-"Other" row of the vendor is a call of which nothing is known.
    """
    method = _value(row, "method", "requestMethod")
    method = method if method == "Other" else method.upper()
    code, uri, at = _value(row, "responseCode"), _value(row, "uri", "requestUri"), _value(row, "timestamp")
    return ApiCall(
        at=_instant(at),
        at_text=at,
        account=account,
        actor=_value(row, "clientOwner"),
        action=method,
        target=redactor.text(uri) if redactor and "=" in uri else uri,
        status=code,
        outcome=outcome(code),
        client=_value(row, "clientId"),
        ip=_value(row, "clientIp"),
        duration_ms=None,
        own="/reporting-api/" in uri and bool(own_token) and _value(row, "clientToken", "authorizationClientToken") == own_token,
        actions=(method,),
    )


def outcome(code: str) -> Outcome:
    """What a response code means: 2xx and 3xx success, 4xx and 5xx failure."""
    if len(code) == 3 and code.isascii() and code.isdigit():
        if code[0] in "23":
            return Outcome.SUCCESS
        if code[0] in "45":
            return Outcome.FAILURE
    return Outcome.UNKNOWN


def problem(body: bytes) -> Mapping[str, Any]:
    """An error body as a mapping; empty where it is HTML or anything else."""
    with contextlib.suppress(msgspec.DecodeError, RecursionError):
        answer = msgspec.json.decode(body)
        if isinstance(answer, dict):
            return answer
    return {}


def problem_said(problem: Mapping[str, Any]) -> str:
    """The vendor's words: title and detail of the gateway, or the titles in the report's `errors`."""
    errors = problem.get("errors")
    inner = [e for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []
    words = [problem.get("title"), problem.get("detail"), *(e.get("title") or e.get("detail") for e in inner[:3])]
    return " – ".join(dict.fromkeys(word.strip() for word in words if isinstance(word, str) and word.strip()))[:400]


def _report(rows: Sequence[Mapping[str, Any]], metadata: Mapping[str, Any], links: Any) -> Report:
    retry = metadata.get("suggestedRetryTime")
    return Report(
        rows=rows,
        row_count=_count(metadata.get("rowCount")),
        data_ends=_instant(_as_text(metadata.get("availableDataEnds"))),
        retry_at=retry[:40] if isinstance(retry, str) else "",
        next_link=_next(links),
    )


def _next(links: Any) -> str:
    """The link to the next page, in a list of `rel` and `href` or in a mapping by name."""
    if isinstance(links, dict):
        following = links.get("next")
        href = following.get("href") if isinstance(following, dict) else following
        return href if isinstance(href, str) else ""
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and str(link.get("rel", "")).lower() == "next" and isinstance(link.get("href"), str):
            return str(link["href"])
    return ""


def _count(value: Any) -> int | None:
    text = _as_text(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 15 else None


def _value(row: Mapping[str, Any], name: str, in_v2: str = "") -> str:
    """A column by its v1 name, or by the one that v2 has for it."""
    value = row.get(name)
    if value.__class__ is str:
        return value
    return _as_text(value if value is not None or not in_v2 else row.get(in_v2))


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None or isinstance(value, dict | list) else str(value)


def _instant(text: str) -> datetime | None:
    """ISO-8601, in UTC where no offset is given. Anything else is no instant."""
    with contextlib.suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC) if "T" in text or " " in text else None
    return None


def _cut_short(account: str) -> Incomplete:
    return Incomplete(f"{account} sent a report that was cut short.", account=account, hint="Ask again, or for a shorter window.")
