"""JSON lines with different fields, with several records, and with lines of text inside."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.logs.counter import LogCounter
from bot.logs.json_reader import MOST_RECORDS
from tests.support.counted_logs import as_read

TIME = "2026-11-21T10:00:00.123Z"


def counted(*lines: Any) -> LogCounter:
    counter = LogCounter()
    counter.feed(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    counter.close()
    return counter


def envelope(*severities: int) -> dict[str, Any]:
    """A line of OpenTelemetry's collector, with two records per scope."""
    records = [
        {"timeUnixNano": "1795255200123456789", "severityNumber": number, "body": {}}
        for number in severities
    ]
    scopes = [{"logRecords": records[at : at + 2]} for at in range(0, len(records), 2)]
    return {"resourceLogs": [{"resource": {}, "scopeLogs": scopes}]}


def test_every_record_of_an_envelope_counts() -> None:
    counter = counted(envelope(17, 9, 9, 13, 17), envelope(9))
    assert counter.counted_levels() == {"error": 2, "warn": 1, "info": 3}
    assert counter.lines == 2
    assert counter.minutes == {(b"2026-11-21T10:00", b"Z"): 2}


def test_records_of_an_envelope_are_bounded() -> None:
    assert counted(envelope(*[17] * (MOST_RECORDS + 50))).levels["error"] == MOST_RECORDS


@pytest.mark.parametrize("name", ["records", "Records", "logEvents"])
def test_records_of_other_envelopes_count(name: str) -> None:
    line = {name: [{"time": TIME, "level": level} for level in ("Error", "Warning", "Error")]}
    counter = counted(line, line)
    assert counter.counted_levels() == {"error": 4, "warn": 2}
    assert counter.minutes == {(b"2026-11-21T10:00", b"Z"): 2}


def docker(text: str) -> dict[str, str]:
    return {"log": text, "stream": "stdout", "time": TIME}


@pytest.mark.parametrize(
    "texts",
    [
        ["2026-11-21 10:00:00 ERROR hot\n", "2026-11-21 10:00:01 INFO on\n"],
        ['10.0.0.1 - - [21/Nov/2026:10:00:00 +0000] "GET /error" 500\n'],
        ["WARNING: hot\r\n", "\n", "", "on", "    at oven.Error\n"],
        ['{"level":"error","msg":"hot"}\n', "E1121 10:00:00.123456 1 oven.go:42] hot\n"],
        ["ERROR two\nWARN lines\n", "ERROR: one\n"],
    ],
    ids=["text", "access", "ends", "json", "several"],
)
def test_docker_lines_are_counted_as_read(texts: list[str]) -> None:
    rows = [docker(text) for text in texts] * 40
    counter = counted(*rows)
    read = as_read([json.dumps(row).encode() for row in rows])
    assert (+counter.levels, counter.minutes, counter.untimed) == read


@pytest.mark.parametrize(
    "row",
    [
        {"time": TIME, "level": "", "severity": "warn"},
        {"time": TIME, "severity": "DEFAULT", "log": {"level": "error"}},
        {"time": "never", "ts": 1795255200.5, "lvl": 40},
        {"event": {"time": TIME, "level": "error"}},
        {"event": {"severity": 3}, "time": TIME},
        {"message": '{"level":"error"}', "time": TIME},
        {"message": f'{{"time":"{TIME}","level":"error"}}'},
        {"rule": {"level": 5}, "timestamp": TIME},
        {"instant": {"epochSecond": 1795255200, "nanoOfSecond": 1}, "level": "WARN"},
        {"date": "2026-11-21", "time": "10:00:00", "tz": "+0100", "level": "warn"},
        {"@t": TIME, "@mt": "on"},
        {"TIMESTAMP": TIME, "LEVEL": {"name": "ERROR"}},
    ],
    ids=str,
)
def test_mixed_objects_are_counted_as_read(row: dict[str, Any]) -> None:
    rows = [{"time": TIME, "level": "info"}, row, {"nothing": 1}, row] * 30
    counter = counted(*rows)
    read = as_read([json.dumps(each).encode() for each in rows])
    assert (+counter.levels, counter.minutes, counter.untimed) == read


def as_lines(*lines: bytes) -> LogCounter:
    counter = LogCounter()
    counter.feed(b"".join(line + b"\n" for line in lines))
    counter.close()
    return counter


@pytest.mark.parametrize(
    "lines",
    [
        [
            b'[pod/web-%d/app] {"time":"2026-11-21T10:00:00Z","level":"warn"}' % pod
            for pod in range(9)
        ],
        [
            b'web-1 app {"ts":1795255200,"level":"error"}',
            b'web-1 app {"ts":1795255200,"level":"error',
        ],
        [b'web-1: {"time":"2026-11-21T10:00:00Z","level":"info"}', b"web-1: on"],
        [b'{"time":"2026-11-21T10:00:00Z","level":"info"}', b'{"time":"2026-11-21T10:00:00Z",'],
        [b'{"time":"x","level":"info"}{"time":"x","level":"info"}', b'{"level":', b'"info"}'],
        [b'  {"time":"2026-11-21T10:00:00Z","level":"info"}', b'{"time":1,"level":"info"} '],
    ],
    ids=["pods", "cut off", "text", "broken", "two in a line", "blanks"],
)
def test_wrapped_and_broken_json_is_counted_as_read(lines: list[bytes]) -> None:
    lines = lines[:1] * 40 + lines * 40
    counter = as_lines(*lines)
    assert (+counter.levels, counter.minutes, counter.untimed) == as_read(lines)


CM_TRACE = (
    b'<![LOG[%s]LOG]!><time="10:00:00.123-060" date="11-21-2026" component="Oven" context="" '
    b'type="%d" thread="12" file="oven.cpp:12">'
)


@pytest.mark.parametrize(
    "message", [b"on", b"]LOG]!>", b'type="3"', b"x" * 5000, b""], ids=lambda m: m[:8].decode()
)
def test_traces_of_configuration_manager_are_counted_as_read(message: bytes) -> None:
    lines = [CM_TRACE % (b"on", kind) for kind in (1, 2, 3, 4)] + [CM_TRACE % (message, 2)]
    counter = as_lines(*lines * 40)
    assert (+counter.levels, counter.minutes, counter.untimed) == as_read(lines * 40)
