"""Lines of JSON with many records each: OpenTelemetry's `resourceLogs`, the `Records` of CloudTrail
and Azure, the `logEvents` of CloudWatch.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Final

import msgspec

from bot.logs.fields import Value
from providers.patterns import compile_pattern

# The fields that hold records, in lower case.
ENVELOPES: Final = ("resourcelogs", "records", "logevents")
Record = dict[str, msgspec.Raw]


class _ScopeLogs(msgspec.Struct, rename="camel"):
    log_records: list[Record] = []


class _ResourceLogs(msgspec.Struct, rename="camel"):
    scope_logs: list[_ScopeLogs] = []


class _EventSystem(msgspec.Struct, rename="pascal"):
    time_created: msgspec.Raw
    level: msgspec.Raw = msgspec.Raw(b"null")


class _WindowsEvent(msgspec.Struct, rename="pascal"):
    system: _EventSystem


_WINDOWS_EVENT: Final = msgspec.json.Decoder(_WindowsEvent)
_SYSTEM_TIME: Final = compile_pattern(rb'SystemTime" ?: ?("[^"\n]{10,40}")')
_RESOURCES: Final = msgspec.json.Decoder(list[_ResourceLogs])
_RECORDS: Final = msgspec.json.Decoder(list[Record])


def records_of(found: Mapping[str, Value], most: int) -> list[Record]:
    """The first records in a line, given its fields by their names in lower case."""
    name = next((name for name in ENVELOPES if name in found), "")
    if not name:
        return []
    try:
        if name != "resourcelogs":
            return _RECORDS.decode(bytes(found[name]))[:most]
        resources = _RESOURCES.decode(bytes(found[name]))
    except (msgspec.DecodeError, RecursionError, ValueError):
        return []
    records = (
        record
        for resource in resources
        for scope in resource.scope_logs
        for record in scope.log_records
    )
    return [*islice(records, most)]


def windows_event(written: Value) -> dict[str, Value] | None:
    """The fields of a Windows event that was converted to JSON; None if it is not one."""
    if b'"TimeCreated"' not in (value := bytes(written)):
        return None
    try:
        system = _WINDOWS_EVENT.decode(value).system
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None
    time = _SYSTEM_TIME.search(bytes(system.time_created), 0, 256)
    # If this field is present, the levels are those of Windows.
    return {"eventid": b"0", "level": system.level, "time": time[1] if time else b""}
