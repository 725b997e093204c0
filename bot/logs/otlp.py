"""Envelopes of OpenTelemetry: lines of JSON with many records each."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Final

import msgspec

from bot.logs.fields import Value


class _ScopeLogs(msgspec.Struct, rename="camel"):
    log_records: list[dict[str, msgspec.Raw]] = []


class _ResourceLogs(msgspec.Struct, rename="camel"):
    scope_logs: list[_ScopeLogs] = []


_OTLP_DECODER: Final = msgspec.json.Decoder(list[_ResourceLogs])


def otlp_records(found: Mapping[str, Value], most: int) -> list[dict[str, msgspec.Raw]]:
    """The first records of a line of OpenTelemetry's `resourceLogs`, given its fields by their
    names in lower case.
    """
    if "resourcelogs" not in found:
        return []
    try:
        resources = _OTLP_DECODER.decode(bytes(found["resourcelogs"]))
    except (msgspec.DecodeError, RecursionError, ValueError):
        return []
    records = (
        record
        for resource in resources
        for scope in resource.scope_logs
        for record in scope.log_records
    )
    return [*islice(records, most)]
