"""What the lines of a log say: their times and levels, whatever program wrote them and however the
log is cut.
"""

from __future__ import annotations

import itertools
import pickle
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from re import _constants as sre  # type: ignore[attr-defined]  # private, and typeshed does not list it
from re import _parser as sre_parser  # type: ignore[attr-defined]  # private, and typeshed does not list it
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.logs.report import Order, lines_outside, order_of, timeline
from bot.logs import (
    field_shapes,
    fields,
    grammar,
    json_shapes,
    lines,
    minutes,
    places,
    shapes,
    signs,
    times,
)
from bot.logs.bare_levels import bare_level, begin_with_levels
from bot.logs.counter import LogCounter
from bot.logs.field_shapes import field_shape_of
from bot.logs.formats import FORMATS, Format
from bot.logs.json_shapes import JsonShape
from bot.logs.lines import (
    read_line,
    without_colours,
)
from bot.logs.moments import moment_of
from bot.logs.newest import NewestLines
from bot.logs.places import PLACES, Place, Where
from bot.logs.reader import LineReader
from bot.logs.readings import (
    NOTHING,
)
from bot.logs.shapes import shape_of
from bot.logs.times import FORMS, Minute, TimeForm, minute_of
from bot.logs.writer import GzipOverflowFile, TransferState
from providers.models import Window
from providers.patterns import LazyPattern, compile_pattern
from tests.support.work import lines_run

HOUR = Window(datetime(2026, 11, 20, 11, tzinfo=UTC), datetime(2026, 11, 20, 12, tzinfo=UTC))
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def counted(*blocks: bytes) -> LogCounter:
    counter = LogCounter()
    for block in blocks:
        counter.feed(block)
    counter.close()
    return counter


def as_read(read: Sequence[bytes]) -> tuple[Counter[str], Counter[Minute], int]:
    """The levels, minutes and lines without a time, with each line read by itself."""
    levels: Counter[str] = Counter()
    minutes: Counter[Minute] = Counter()
    minute, untimed = None, 0
    has_bare_levels = begin_with_levels([without_colours(line) for line in read])
    for line in map(without_colours, read):
        reading = read_line(line)
        minute = reading.minute or minute
        level = reading.level
        if has_bare_levels and reading == NOTHING:
            level = bare_level(line)
        levels.update([level] if level else [])
        if minute:
            minutes[minute] += 1
        else:
            untimed += 1
    return levels, minutes, untimed


def written(minute: Minute | None) -> str:
    return b" ".join(minute).decode().strip() if minute else ""


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_time_means_the_minute_in_the_table(form: TimeForm) -> None:
    match = compile_pattern(times.any_time(at_start=True)).match(form.example)
    assert match is not None
    assert match.lastgroup == form.name
    assert match.lastindex is not None
    assert match.end() == len(form.example)
    assert (
        minute_of(form.name, match[match.lastindex + 1], match[match.lastindex + 2] or b"")
        == form.means
    )


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_level_is_found_in_its_place(place: Place) -> None:
    reading = read_line(place.example)
    assert reading.level == place.means
    assert (reading.minute is None) == (place.where is Where.ALONE)


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
def test_format_is_read_as_its_example_says(known: Format) -> None:
    counter = counted(known.line + b"\n")
    assert dict(counter.levels) == ({known.level: 1} if known.level else {})
    assert [written(minute) for minute in counter.minutes] == (
        [known.minute] if known.minute else []
    )


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
def test_format_is_read_the_same_again(known: Format) -> None:
    counter = counted(*[(known.line + b"\n") * 3] * 3)
    assert counter.levels.total() == (9 if known.level else 0)
    assert counter.minutes.total() == (9 if known.minute else 0)
    assert len(counter.minutes) <= 1


def test_formats_of_one_log_are_distinguished() -> None:
    log = [known.line for known in FORMATS] * 3
    random.Random(1).shuffle(log)
    counter = counted(b"".join(line + b"\n" for line in log))
    assert (counter.levels, counter.minutes, counter.untimed) == as_read(log)


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
    """Among lines of the formats that it may have been."""
    for known in FORMATS:
        whole = without_colours(known.line)
        log = [whole, whole, line, whole]
        counter = counted(b"".join(each + b"\n" for each in log))
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


BARE = [b"error could not open the oven", b"info  oven on", b"warn: hot", b"debug", b"  at kitchen"]


@pytest.mark.parametrize("lines_a_block", [1, 3, 100])
def test_level_in_lower_case_counts_where_lines_begin_so(lines_a_block: int) -> None:
    log = BARE * 20
    pieces = [log[n : n + lines_a_block] for n in range(0, len(log), lines_a_block)]
    counter = counted(*(b"".join(line + b"\n" for line in piece) for piece in pieces))
    assert counter.counted_levels() == {"error": 20, "warn": 20, "info": 20, "debug": 20}
    assert counter.untimed == len(log)


def test_short_log_may_have_bare_levels() -> None:
    assert counted(b"info on\nwarn hot\nerror out\n").counted_levels() == {
        "error": 1,
        "warn": 1,
        "info": 1,
    }


def test_level_in_lower_case_is_prose_elsewhere() -> None:
    assert counted(b"making the oven\n" * 10 + b"error could not open\n" * 9).levels == {}
    timed = b"2026-11-20T11:00:00Z on\nerror could not open\nerror again\nerror\n"
    assert counted(timed * 9).levels == {}


def test_short_lines_belong_to_the_line_above() -> None:
    counter = counted(b"x\n" * 50 + b"2026-11-20T11:00:00Z WARN oven\n" + b"x\n" * 500)
    assert counter.minutes == {(b"2026-11-20T11:00", b"Z"): 501}
    assert (counter.untimed, counter.lines, dict(counter.levels)) == (50, 551, {"warn": 1})


@pytest.mark.parametrize(
    "line",
    [
        b"2026-11-20T11:00:00Z the oven said ERROR twice",
        b"2026-11-20T11:00:00Z GET /var/log/error/INFO.log",
        b"2026-11-20 11:00:00,123 [error-handler] oven",
        b"2026-11-20T11:00:00Z Error reading the oven",
        b"Nov 20 11:00:00 error sshd[1]: error: bad oven",
        b"	at org.example.ERROR.start(Error.java:12)",
        b"Caused by: ERROR of the oven",
        b'10.0.0.1 - error [20/Nov/2026:11:00:00 +0000] "GET /error HTTP/1.1" 500 12',
        b'{"time":"2026-11-20T11:00:00Z","message":"level ERROR"}',
        b"INFO2 is a sensor",
        b"2026-11-20T11:00:00Z User ERROR page opened",
        b"2026-11-20T11:00:00Z see INFO for details",
        b"2026-11-20 11:00:00 oven is in DEBUG mode",
        b"2026-11-20 11:00:00 Setting log level to DEBUG",
        b"2026-11-20 11:00:00,123 [FATAL-pool-1] oven on",
        b"2026-11-20T11:00:00Z error.example.com connected",
        b"2026-11-20 11:00:00 ERROR_COUNT=0",
        b"2026-11-20 11:00:00 warning-service started",
        b"2026-11-20 11:00:00 got ERROR from oven",
        b"Nov 20 11:00:00 kitchen error[12]: oven",
        b"Nov 20 11:00:00 kitchen oven[12]: [HID]ERROR: hot",
        b"java.lang.IllegalStateException: ERROR",
        b"WARNINGS were found",
        b"DEBUG=1 make oven",
        b'{"time":"2026-11-20T11:00:00Z","msg":"level: ERROR","levels":["error"]}',
    ],
)
def test_word_is_not_taken_for_a_level(line: bytes) -> None:
    assert counted(line + b"\n").counted_levels() == {}


@pytest.mark.parametrize(
    ("minute", "end", "moment"),
    [
        ((b"--11-21T10:00", b""), NOON, "2026-11-21T10:00+00:00"),
        (
            (b"--12-31T23:59", b""),
            datetime(2027, 1, 1, 0, 10, tzinfo=UTC),
            "2026-12-31T23:59+00:00",
        ),
        (
            (b"--12-31T23:59", b""),
            datetime(2026, 12, 31, 23, 59, 30, tzinfo=UTC),
            "2026-12-31T23:59+00:00",
        ),
        (
            (b"--01-01T00:05", b""),
            datetime(2026, 12, 31, 23, 59, tzinfo=UTC),
            "2027-01-01T00:05+00:00",
        ),
        ((b"--02-29T10:00", b""), datetime(2028, 2, 29, 12, tzinfo=UTC), "2028-02-29T10:00+00:00"),
        ((b"--02-30T10:00", b""), NOON, None),
        ((b"T10:00", b""), NOON, "2026-11-21T10:00+00:00"),
        ((b"T23:50", b""), datetime(2026, 11, 21, 0, 10, tzinfo=UTC), "2026-11-20T23:50+00:00"),
        (
            (b"2026-11/12T10:00", b""),
            datetime(2026, 12, 11, 12, tzinfo=UTC),
            "2026-12-11T10:00+00:00",
        ),
        (
            (b"2026-11/12T10:00", b""),
            datetime(2026, 11, 12, 12, tzinfo=UTC),
            "2026-11-12T10:00+00:00",
        ),
        ((b"2026-11-21T15:30", b"IST"), NOON, "2026-11-21T10:00+00:00"),
        ((b"2026-11-21T12:00", b"IST"), NOON, "2026-11-21T10:00+00:00"),
        ((b"2026-11-21T11:00", b"IST"), NOON, "2026-11-21T10:00+00:00"),
        ((b"2026-11-21T04:00", b"CST"), NOON, "2026-11-21T10:00+00:00"),
        ((b"2026-11-21T18:00", b"CST"), NOON, "2026-11-21T10:00+00:00"),
        ((b"2026-02-30T10:00", b"Z"), NOON, None),
        ((b"2026-11-21T25:00", b"Z"), NOON, None),
    ],
)
def test_incomplete_time_is_completed_by_the_window(
    minute: Minute, end: datetime, moment: str | None
) -> None:
    found = moment_of(minute, end - timedelta(hours=2, minutes=30), end)
    assert (found and found.isoformat(timespec="minutes")) == moment


def test_clock_alone_means_no_day_of_a_long_window() -> None:
    assert moment_of((b"T10:00", b""), NOON - timedelta(days=3), NOON) is None


def test_timeline_counts_lines_in_steps() -> None:
    counter = counted(b"".join(b"2026-11-20T11:%02d:00.123Z INFO line\n" % n for n in range(30)))
    step, points = timeline(counter.minutes, HOUR)
    assert sum(count for _, count in points) == 30
    assert step == timedelta(minutes=5)
    assert points[-1][0] == datetime(2026, 11, 20, 11, 55, tzinfo=UTC)


def test_timeline_of_cut_log_ends_with_its_lines() -> None:
    counter = counted(b"".join(b"2026-11-20T11:%02d:00Z INFO line\n" % n for n in range(10, 20)))
    points = timeline(counter.minutes, HOUR, ends_with_data=True)[1]
    assert [point[0].minute for point in points] == [10, 15]


def test_lines_without_times_have_no_timeline() -> None:
    counter = counted(b"no time here\n" * 5)
    assert timeline(counter.minutes, HOUR)[1] == ()
    assert counter.untimed == 5


def test_lines_outside_the_window_are_counted() -> None:
    counter = counted(
        b"2026-11-20T11:30:00Z a line\n",
        b"2026-11-19T11:30:00Z a line\n" * 2,
        b"2026-02-30T11:30:00Z a line\n",
    )
    assert lines_outside(counter.minutes, HOUR) == (1, 2)


@pytest.mark.parametrize(
    ("first", "last", "order"),
    [
        ((b"2026-11-20T11:00", b"Z"), (b"2026-11-20T11:05", b"Z"), Order.OLDEST_FIRST),
        ((b"2026-11-20T11:05", b"Z"), (b"2026-11-20T11:00", b"Z"), Order.NEWEST_FIRST),
        ((b"2026-11-20T12:00", b"+01:00"), (b"2026-11-20T11:05", b"Z"), Order.OLDEST_FIRST),
        (None, None, None),
    ],
)
def test_times_tell_the_order_of_a_log(
    first: Minute | None, last: Minute | None, order: Order | None
) -> None:
    assert order_of(first, last, HOUR) is order


def test_newest_lines_of_two_logs_are_sorted() -> None:
    counter = LogCounter(newest=NewestLines(HOUR.start, HOUR.end))
    counter.feed(
        b"".join(
            b"2026-11-20T11:5%d:%02d.500Z kitchen\n" % (n // 60, n % 60) for n in range(0, 300, 3)
        )
    )
    counter.feed(
        b"".join(
            b"20/Nov/2026:11:5%d:%02d +0000 cellar\n  at cellar\n" % (n // 60, n % 60)
            for n in range(0, 300, 7)
        )
    )
    written = [(n + 0.5, "kitchen") for n in range(0, 300, 3)]
    written += [(n, name) for n in range(0, 300, 7) for name in ("cellar", "  at cellar")]
    assert [line.split()[-1] for line in counter.tail()] == [
        name.split()[-1] for _, name in sorted(written, key=lambda each: each[0])
    ][-12:]
    assert counter.lines == len(written)


def test_many_minutes_are_counted_in_bounded_memory() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    log = b"".join(
        b"%s INFO x\n" % (start + timedelta(minutes=n)).isoformat().encode() for n in range(52_000)
    )
    counter = counted(log)
    assert counter.minutes.total() == 52_000
    assert len(counter.minutes) < 50_100


HOSTILE = {
    "digits": lambda n: b"2026-11-21T10:00:" + b"1" * n,
    "time after time": lambda n: b"10:10:" * (n // 6),
    "brackets": lambda n: b"2026-11-21T10:00:00Z " + b"[" * n,
    "dots": lambda n: b"2026-11-21T10:00:00Z " + b"a." * (n // 2),
    "words": lambda n: b"2026-11-21T10:00:00Z " + b"info:" * (n // 5),
    "pairs": lambda n: b"a=1 " * (n // 4),
    "json": lambda n: b"{" + b'"a":1,' * (n // 6) + b'"b":1}',
    "deep json": lambda n: b'{"a":' * (n // 5),
    "broken json": lambda n: b'{"level" : ' + b'"' * n,
    "colours": lambda n: b"\x1b[" * (n // 2),
    "short lines": lambda n: b"a\n" * (n // 2),
}  # fmt: skip


@pytest.mark.parametrize("made", HOSTILE.values(), ids=HOSTILE.keys())
def test_work_does_not_grow_faster_than_a_hostile_line(made: Any) -> None:
    def work(size: int) -> int:
        return lines_run(lambda: counted(made(size)))

    small, large = work(10_000), work(80_000)
    assert large <= 10 * small


def repeats(pattern: Any, inside: bool = False) -> Iterator[str]:
    """The repeats of a pattern that have no bound and may be given back, which is how a search
    becomes quadratic.
    """
    for op, value in pattern:
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            _, most, body = value
            if most == sre.MAXREPEAT:
                yield str(value)
            yield from repeats(body, True)
        elif op is sre.POSSESSIVE_REPEAT:
            yield from repeats(value[2], inside)
        elif op is sre.BRANCH:
            for branch in value[1]:
                yield from repeats(branch, inside)
        elif op is sre.SUBPATTERN:
            yield from repeats(value[-1], inside)
        elif op in (sre.ASSERT, sre.ASSERT_NOT):
            yield from repeats(value[1], inside)
        elif op is sre.ATOMIC_GROUP:
            yield from repeats(value, inside)


PATTERNS = {
    f"{module.__name__}.{name}": found
    for module in (
        field_shapes,
        fields,
        grammar,
        json_shapes,
        lines,
        minutes,
        places,
        shapes,
        signs,
        times,
    )
    for name, found in vars(module).items()
    if isinstance(found, re.Pattern | LazyPattern)
}


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS.keys())
def test_pattern_repeats_nothing_without_bound(pattern: re.Pattern[bytes]) -> None:
    assert list(repeats(sre_parser.parse(pattern.pattern, pattern.flags))) == []


def test_patterns_were_found() -> None:
    assert len(PATTERNS) > 10


def test_unwritable_gzip_file_can_be_closed(tmp_path: Path) -> None:
    (tmp_path / "kitchen.log.gz").mkdir()
    file = GzipOverflowFile(TransferState(tmp_path / "kitchen.log"), plain_bytes=100)
    with pytest.raises(IsADirectoryError):
        file.write(b"x" * 200)
    file.close()


def test_line_with_many_level_words_is_yielded_once() -> None:
    text = b"\n2026 info" + b" info" * 5000 + b"\nnothing\nerror: hot\ninformation\n%sinfo" % b"x"
    assert [line[:9] for line in signs.lines_with_signs(text)] == [
        b"2026 info",
        b"error: ho",
        b"informati",
    ]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (b"\x1b[31mhot\x1b[0m", b"hot"),
        (
            b"".join(b"\x1b[%dm%d" % (n, n) for n in range(40)),
            b"".join(b"%d" % n for n in range(40)),
        ),
        # What is left over makes no new sequence.
        (b"\x1b[\x1b[0m31mhot", b"\x1b[31mhot"),
        (b"\x1b[31mhot\x1b[", b"hot\x1b["),
        (b"\x1b[" * 9, b"\x1b[" * 9),
    ],
    ids=["two", "many", "nested", "cut off", "none"],
)
def test_colours_are_removed_once(text: bytes, left: bytes) -> None:
    assert without_colours(text) == left
