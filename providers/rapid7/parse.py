"""Reads Rapid7's JSON into records. Any other input raises ProtocolError."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from providers.errors import unreadable
from providers.http.decoding import decode_json, refuse_excess
from providers.models import LogUsage, NamedLog, UsagePeriod

MOST_BYTES = 2**63
# The window of every limit is a quarter of an hour; more than a day is no such wait.
LONGEST_RESET_S = 86_400
_USAGE_MEMBERS = frozenset({"daily_usage", "period_usage", "period"})
LOG_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_DIGITS = re.compile(r"[0-9]{1,19}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]{1,20}(?:Z|[+-][0-9:]{2,6})?)?")


def usage_period(body: bytes, *, account: str) -> UsagePeriod:
    """The answer of `GET /usage/organizations`.

    `daily_usage` may come in any order, as one object, as null or not at all, and numbers may be
    strings; the list need not add up to `period_usage`.
    """
    answer = _object(body, account=account)
    if answer and _USAGE_MEMBERS.isdisjoint(answer):
        raise unreadable(account, "JSON of an unknown shape")
    entries = answer.get("daily_usage")
    by_day: dict[date, int] = {}
    for entry in [entries] if isinstance(entries, dict) else _list(entries, account=account):
        day = _day(_get(entry, "day"))
        usage = _bytes(_get(entry, "usage"))
        if day is None or (usage is None and _get(entry, "usage") is not None):
            raise unreadable(account, "a day of usage")
        # A day that is listed twice with one figure does no harm.
        if usage is not None and by_day.setdefault(day, usage) != usage:
            raise unreadable(account, f"two figures for {day}")
    period = answer.get("period")
    return UsagePeriod(
        by_day=dict(sorted(by_day.items())),
        reported_bytes=_bytes(answer.get("period_usage")),
        reported_from=_day(_get(period, "from")),
        reported_to=_day(_get(period, "to")),
        organisation=_text(answer.get("name")),
        organisation_id=_text(answer.get("id")),
        vendor="Rapid7",
        lag="a day",
    )


def log_usage(body: bytes, *, account: str) -> LogUsage:
    """The answer of `GET /usage/organizations/logs`: `per_day_usage.usage[{interval, log_usage[{id,
    usage}]}]`.
    """
    answer = _object(body, account=account)
    by_day: dict[date, dict[str, int]] = {}
    if answer and "per_day_usage" not in answer:
        raise unreadable(account, "JSON of an unknown shape")
    for entry in _list(_get(answer.get("per_day_usage"), "usage"), account=account):
        # The sample has `interval`, the usage of the whole account `day`.
        day = _day(_get(entry, "interval") or _get(entry, "day"))
        if day is None:
            raise unreadable(account, "a day of usage by log")
        logs = by_day.setdefault(day, {})
        for log in _list(_get(entry, "log_usage"), account=account):
            key = _text(_get(log, "id"))
            usage = _bytes(_get(log, "usage"))
            if key is None or (usage is None and _get(log, "usage") is not None):
                raise unreadable(account, "the usage of a log")
            # null is unknown, and not zero.
            if usage is None:
                continue
            if logs.setdefault(key, usage) != usage:
                raise unreadable(account, f"two figures for a log on {day}")
    return LogUsage(dict(sorted(by_day.items())))


def named_logs(body: bytes, *, account: str) -> list[NamedLog]:
    """The answer of `GET /management/logs`. Its `tokens` are ingestion secrets and are dropped
    here.
    """
    answer = _object(body, account=account)
    if answer and "logs" not in answer:
        raise unreadable(account, "JSON of an unknown shape")
    logs = []
    for entry in _list(answer.get("logs"), account=account):
        key = _text(_get(entry, "id"))
        name = _text(_get(entry, "name"))
        if key is None:
            raise unreadable(account, "a log in its list of logs")
        kept = _RETENTION.get(str(_get(entry, "retention_period")), "")
        logs.append(NamedLog(id=key, name=name or key, retention=kept))
    return logs


# The values of `retention_period`. How long `default` is depends on the account.
_RETENTION = MappingProxyType(
    {
        "1w": "1 week",
        "2w": "2 weeks",
        "1m": "1 month",
        "2m": "2 months",
        "6m": "6 months",
        "1y": "1 year",
        "2y": "2 years",
        "unlimited": "unlimited",
    }
)


def seconds_until_reset(body: bytes) -> float | None:
    """How long the rate limit lasts, where the body of a 429 has `secs_until_reset`."""
    answer = decode_json(body)
    seconds = answer.get("secs_until_reset") if isinstance(answer, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    return float(seconds) if 0 < seconds <= LONGEST_RESET_S else None


def vendor_message(body: bytes) -> str:
    """The vendor's own sentence in an error body; empty if there is none. Bodies are JSON of
    several shapes, text, or HTML.
    """
    answer = decode_json(body)
    if isinstance(answer, dict):
        words = (answer.get(key) for key in ("message", "errorMessage", "error"))
        return " ".join(word for word in words if isinstance(word, str))[:300]
    text = body[:300].decode("utf-8", "replace").strip()
    return "" if text.startswith("<") else text.partition("\n")[0]


def _object(body: bytes, *, account: str) -> dict[str, Any]:
    refuse_excess(body, account=account)
    answer = decode_json(body)
    if answer is None:
        raise unreadable(account, "an answer that is not JSON")
    if not isinstance(answer, dict):
        raise unreadable(account, "JSON of an unknown shape")
    return answer


def _list(value: Any, *, account: str) -> list[Any]:
    """A list; an empty one where there is nothing or null."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise unreadable(account, "JSON of an unknown shape")
    return value


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, Mapping) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _bytes(value: Any) -> int | None:
    """A count of bytes; Rapid7 sends numbers, and strings that hold numbers."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = int(value) if _DIGITS.fullmatch(value) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and 0 <= value < MOST_BYTES else None


def _day(value: Any) -> date | None:
    """A day: `2026-11-01`, or the instant at which it begins."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        with contextlib.suppress(ValueError):
            return date.fromisoformat(value[:10])
    return None
