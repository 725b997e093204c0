"""The calls of an audit answer as a table to download: a row for every call (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC

from providers.models import ApiCall, iso_utc

CSV_HEADER = (
    "at",
    "account",
    "actor",
    "action",
    "target",
    "status",
    "outcome",
    "client",
    "ip",
    "duration_ms",
    "org",
    "host",
    "client_token",
)


def csv_rows(calls: Iterable[ApiCall]) -> Iterable[Sequence[str | float | None]]:
    """One row a call, in the order received."""
    for call in calls:
        at = call.at
        yield (
            # Nearly all instants are in UTC already; spelling that out here is a third of the cost
            # of a row.
            f"{at.isoformat('T', 'milliseconds')[:-6]}Z"
            if at and at.tzinfo is UTC
            else _otherwise(call),
            call.account,
            call.actor,
            call.action,
            call.target,
            call.status,
            call.outcome._value_,
            call.client,
            call.ip,
            None if call.duration_ms is None else f"{call.duration_ms:.3f}".rstrip("0").rstrip("."),
            call.organisation,
            call.host,
            call.client_token,
        )


def _otherwise(call: ApiCall) -> str:
    return iso_utc(call.at, "milliseconds") if call.at else call.at_text
