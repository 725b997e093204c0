"""A block is counted exactly as its lines are read one by one, however the log is cut and whatever
lines it contains.
"""

from __future__ import annotations

import itertools
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.logs import (
    signs,
)
from bot.logs.counter import LogCounter
from bot.logs.field_shapes import field_shape_of
from bot.logs.formats import FORMATS, Format
from bot.logs.json_shapes import JsonShape
from bot.logs.lines import (
    read_line,
    without_colours,
)
from bot.logs.reader import LineReader
from bot.logs.shapes import shape_of
from bot.logs.writer import GzipOverflowFile, TransferState
from tests.support.counted_logs import as_read, counted, written

STEADY = [
    *[b"2026-11-20T11:05:%02d.123Z INFO oven" % n for n in range(4)],
    b"2026-11-20T11:05:09.123Z ERROR again: Z INFO oven",
    b"2026-11-20T11:05:10.123Z ERR again",
    b"2026-11-20T11:05:11.123Z INFO",
    b"2026-11-20T11:05:12.123Z [INFO] Z INFO",
    b"2026-11-20T11:05:13.123Z INFO2 is no level, DEBUG is none either",
    b"2026-11-20T11:06:13.123+01:00 WARN oven",
    b"2026-13-20T11:06:13.123Z WARN a thirteenth month",
    *[b'{"time":"2026-11-20T11:05:%02d.123Z","level":"INFO","oven":1}' % n for n in range(4)],
    *[
        b'{"time":"2026-11-20T11:06:%02d.123Z","level":"WARN","message":"INFO"}' % n
        for n in range(4)
    ],
    b'{"time":"2026-11-20T11:06:00.123","level":"INFO"}',
    b'{"time":"2026-11-20T11:06:00.123+01:00","level":"INFO"}',
    b'{"time":"2026-11-20T11:07:00.123Z","level": "INFO"}',
    b'{"time":"2026-11-20T11:07:00.123Z","level":"INFO","level":"ERROR"}',
    b'{"time":"2026-11-20T11:07:00.123Z","level":"none","message":"ERROR"}',
    b'{"time":"2026-11-20T11:07:00.123Z","level":"INFO","@timestamp":"2026-11-20T11:08:00Z"}',
    b'{"time":"2026-11-20T11:07:00.123Z","severity":"INFO","level":"warn"}',
    b'{"at":"2026-11-20T11:07:00.123Z","severity":"debug"}',
    b'{"level":"INFO","message":"no time"}',
    b'{"level":"WARN","time":"2026-11-20T11:09:00Z","was":{"level":"INFO"}}',
    b'{"was":{"level":"INFO"},"level":"WARN","time":"2026-11-20T11:09:00+01:00"}',
    b'{"time":1795255200123,"level":30}',
    b'{"time":1795255200123,"level":50}',
    *[b"time=2026-11-20T11:05:%02d.123Z level=info oven=1" % n for n in range(4)],
    b"2026-11-20T11:05:01Z level=info oven=1 ERROR",
    b"level=info",
    b"  at kitchen.py:12",
    b"",
    b"ERR",
    b"said to Z INFO oven",
]
LINES = st.sampled_from(STEADY) | st.sampled_from(
    [without_colours(known.line) for known in FORMATS]
)


LOGS = st.lists(LINES, max_size=30) | st.lists(st.sampled_from(STEADY), max_size=30)


@given(LOGS, st.lists(st.integers(0, 3000), max_size=6))
def test_log_is_read_the_same_however_it_is_cut(log: list[bytes], cuts: list[int]) -> None:
    whole = b"".join(line + b"\n" for line in log)
    edges = [0, *sorted(cut for cut in cuts if cut < len(whole)), len(whole)]
    counter = counted(*(whole[start:end] for start, end in itertools.pairwise(edges)))
    assert (counter.levels, counter.minutes, counter.untimed) == as_read(log)
    assert counter.lines == len(log)
    assert counter.tail() == tuple(line.decode() for line in log[-12:])


# How lines of one log differ from each other, and what may be among them.
ODD_LINES = [
    b"{first} error: too hot",
    b"{first} level=warn",
    b"2026-11-22T11:00:00Z WARN another log",
    b'{"level":"error","time":"2026-11-21T11:00:00Z"}',
    b'{"was":{"level":"debug"},"time":"2026-11-21T11:00:00Z"}',
    b'{"time":"2026-11-21T11:00:00Z","@timestamp":"2026-11-21T12:00:00Z","level":"info"}',
    b"\tat org.example.Oven.start(Oven.java:12)",
    b"Nov 21 10:00:00 2026 kitchen",
    b"<13>Nov 21 10:00:00 kitchen oven: on",
    b'level=info msg="level=warn" ts=2026-11-21T11:00:00Z',
    b'10.0.0.2 - error [21/Nov/2026:11:00:00 +0000] "GET /error HTTP/1.1" 500 12',
]


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
def test_odd_lines_are_read_as_if_alone(known: Format) -> None:
    line = without_colours(known.line)
    odd = [each.replace(b"{first}", line) for each in ODD_LINES]
    log = [line, line, *itertools.chain.from_iterable((each, line, line) for each in odd)]
    counter = counted(
        b"".join(each + b"\n" for each in [line] * 20), b"".join(each + b"\n" for each in log)
    )
    assert (+counter.levels, counter.minutes, counter.untimed) == as_read([line] * 20 + log)


@pytest.mark.parametrize(
    "name",
    [
        "pino",
        "bunyan",
        "zap",
        "mongodb",
        "docker json lines",
        "kubernetes cri, json",
        "compose, json",
        "syslog, json",
        "go-kit",
        "log15",
    ],
)
def test_fields_are_counted_by_the_block(name: str) -> None:
    known = next((known for known in FORMATS if known.name == name), None)
    line = known.line if known else b'{"msg":"on","level":"info","time":"2026-11-21T10:00:00Z"}'
    shape = field_shape_of(line)
    assert shape is not None
    found = shape.count((b"\n" + line) * 3)
    assert found is not None
    assert found.levels == {known.level if known else "info": 3}
    assert written(shape.minute(found.last)) == (known.minute if known else "2026-11-21T10:00 Z")


JSON_LINE = b'{"ts":"2026-11-20T11:0%d:0%d.123Z","level":"%s","msg":"a {brace} and \\"level\\""}'


def json_block(*levels: bytes) -> list[bytes]:
    return [JSON_LINE % (n % 10, n % 7, level) for n, level in enumerate(levels)]


@pytest.mark.parametrize(
    "odd",
    [
        JSON_LINE[:40] % (1, 1),
        JSON_LINE[:-1] % (1, 1, b"warn"),
        JSON_LINE % (1, 1, b"warn") + JSON_LINE % (2, 2, b"error"),
        JSON_LINE % (1, 1, b"warn") + b" trailing",
        JSON_LINE[:-1] % (1, 1, b"warn") + b',"x":}',
        b'{"ts":"2026-11-20T11:00:00Z","x":{"level":"error"}}',
        b'{"ts":"2026-11-20T11:00:00Z","level":"none","severity":"error"}',
        b'{"ts":"2026-11-20T11:00:00Z","level":"\\u0065rror"}',
        b'{"ts":"2026-13-20T11:00:00Z","level":"error"}',
        b'{"ts":1795255200123,"level":50}',
        b'{"ts":"2026-11-20T11:00:00Z","level":"warn","\xff":1}',
        b'{"ts":"2026-11-20T11:00:00Z","level":"warn","level":"error"}',
        b'{"ts":\n"2026-11-20T11:00:00Z","level":"warn"}',
        b'{"ts":"2026-11-20T11:00:00Z","was":{"x":{}\n{"level":"warn"}}',
        b'[{"ts":"2026-11-20T11:00:00Z","level":"warn"}]',
        b"not json at all",
        b"",
    ],
)
def test_damaged_json_in_a_block_is_counted_as_read(odd: bytes) -> None:
    block = json_block(*[b"info", b"warn", b"error"] * 5)
    log = [*block, *odd.split(b"\n"), *block]
    counter = counted(b"".join(line + b"\n" for line in block), b"\n".join(log) + b"\n")
    assert (+counter.levels, counter.minutes, counter.untimed) == as_read(block + log)


@pytest.mark.parametrize(
    "line",
    [
        b'{"@timestamp":"2026-11-21T10:00:00.123Z","log":{"level":"warn"},"message":"hot"}',
        b'{"@t":"2026-11-21T10:00:00.123Z","@mt":"on"}',
        b'{"level":"Metadata","requestReceivedTimestamp":"2026-11-21T10:00:00.123456Z"}',
        b'{"t":{"$date":"2026-11-21T10:00:00.123+00:00"},"s":"W","c":"NETWORK","msg":"hot"}',
        b'{"level":30,"time":1795255200123,"pid":1,"msg":"on"}',
    ],
)
def test_json_is_decoded_by_the_block(line: bytes) -> None:
    shape = field_shape_of(line)
    assert isinstance(shape, JsonShape)
    again = pickle.loads(pickle.dumps(shape))
    found = again.count((b"\n" + line) * 3)
    assert found is not None
    assert (+found.levels, {again.minute(found.last): 3}, 0) == as_read([line] * 3)


@pytest.mark.parametrize(
    "name",
    [
        "go",
        "syslog",
        "openssh",
        "nginx access",
        "iis",
        "squid access",
        "auditd",
        "daemontools",
        "syslog 5424",
    ],
)
def test_lines_without_a_level_are_counted_in_runs(name: str) -> None:
    known = next(known for known in FORMATS if known.name == name)
    shape = shape_of(known.line)
    assert shape is not None
    match = shape.run.match((b"\n" + known.line) * 3)
    assert match is not None
    assert match[0].count(b"\n") == 3


@pytest.mark.parametrize(
    "line",
    [
        b"2026-11-21T10:00:00.123Z error:leveltoo hot",
        b"2026-11-21T10:00:00.123Z error: fatal: too hot",
        b"2016-09-28 04:30:30, Info    [error]              CBS    oven",
        b"[2026-11-21T10:00:00,123][WARN W  ][o.e.n.Node               ] [kitchen] oven",
        b"2026-11-21 10:00:00 [warning  [E] oven                   degrees=300",
        b'{"level":"warning","msg":"hot","Level":"ERROR","time":"2026-11-21T10:00:00Z"}',
        b'{"__REALTIME_TIMESTAMP":"1795255200123456","PRIORITY":"4","Level":"ERROR","MESSAGE":"x"}',
    ],
)
def test_damaged_line_is_counted_as_read(line: bytes) -> None:
    """The line is among lines of the formats that it may belong to."""
    for known in FORMATS:
        whole = without_colours(known.line)
        log = [whole, whole, line, whole]
        counter = counted(b"".join(each + b"\n" for each in log))
        assert (+counter.levels, counter.minutes, counter.untimed) == as_read(log)


@pytest.mark.parametrize(
    "line", [b"2026-11-21T10:008 [INFO] oven on", b"2026-11-21T10:0012 INFO oven on"]
)
def test_digits_right_behind_a_minute_stop_nothing(line: bytes) -> None:
    log = [line] * 40
    counter = counted(b"".join(line + b"\n" for line in log))
    assert (+counter.levels, counter.minutes, counter.untimed) == as_read(log)


def test_damaged_offset_does_not_cut_those_of_later_lines() -> None:
    log = [b"2026-11-21T10:00:00.123+01:rn-ada", b"2026-11-21T10:00:00.123+01:30 on"]
    counter = counted(b"".join(line + b"\n" for line in log))
    assert (+counter.levels, counter.minutes, counter.untimed) == as_read(log)


@given(LOGS, LOGS)
def test_what_was_read_before_changes_nothing(before: list[bytes], log: list[bytes]) -> None:
    reader = LineReader()
    for line in before:
        reader.read(line)
    assert [reader.read(line) for line in log] == [(r.minute, r.level) for r in map(read_line, log)]


@given(st.lists(st.binary(max_size=60), max_size=12))
def test_lines_are_counted_whatever_the_pieces(pieces: list[bytes]) -> None:
    counter = counted(*pieces)
    whole = b"".join(pieces)
    assert counter.lines == whole.count(b"\n") + (not whole.endswith(b"\n") and bool(whole))
    assert counter.minutes.total() + counter.untimed == counter.lines


def test_counter_goes_on_where_it_was_pickled() -> None:
    block = b"".join(line + b"\n" for line in STEADY)
    counter = LogCounter()
    counter.feed(block[:300])
    counter = pickle.loads(pickle.dumps(counter))
    counter.feed(block[300:])
    assert counter == counted(block)


def test_lines_without_a_time_belong_to_the_line_above() -> None:
    counter = counted(
        (
            b"a banner\n2026-11-20T11:00:00Z ERROR oven\n  at kitchen.py:12\nOvenError: too "
            b"hot\n2026-11-20T11:01:00Z INFO on\n"
        ),
        b"\n",
    )
    assert counter.minutes == {(b"2026-11-20T11:00", b"Z"): 3, (b"2026-11-20T11:01", b"Z"): 2}
    assert counter.untimed == 1
    assert counter.counted_levels() == {"error": 1, "info": 1}


def test_short_lines_belong_to_the_line_above() -> None:
    counter = counted(b"x\n" * 50 + b"2026-11-20T11:00:00Z WARN oven\n" + b"x\n" * 500)
    assert counter.minutes == {(b"2026-11-20T11:00", b"Z"): 501}
    assert (counter.untimed, counter.lines, dict(counter.levels)) == (50, 551, {"warn": 1})


def test_line_with_many_level_words_is_yielded_once() -> None:
    text = b"\n2026 info" + b" info" * 5000 + b"\nnothing\nerror: hot\ninformation\n%sinfo" % b"x"
    assert [line[:9] for line in signs.lines_with_signs(text)] == [
        b"2026 info",
        b"error: ho",
        b"informati",
    ]


def test_unwritable_gzip_file_can_be_closed(tmp_path: Path) -> None:
    (tmp_path / "kitchen.log.gz").mkdir()
    file = GzipOverflowFile(TransferState(tmp_path / "kitchen.log"), plain_bytes=100)
    with pytest.raises(IsADirectoryError):
        file.write(b"x" * 200)
    file.close()
