"""The tables of times, of places for levels and of formats are read as their examples say. Text
that only looks like a level is not read as one.
"""

from __future__ import annotations

import random

import pytest

from bot.logs import (
    time_forms,
)
from bot.logs.formats import FORMATS, Format
from bot.logs.lines import (
    read_line,
    without_colours,
)
from bot.logs.places import PLACES, Place, Where
from bot.logs.time_forms import FORMS, TimeForm
from bot.logs.times import minute_of
from providers.patterns import compile_pattern
from tests.support.counted_logs import as_read, counted, written


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_time_means_the_minute_in_the_table(form: TimeForm) -> None:
    match = compile_pattern(time_forms.any_time(at_start=True)).match(form.example)
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
        b"2026-11-20 11:00:00 loss INF at 3",
        b"2026-11-20 11:00:00 value INF reached",
        b"2026-11-20 11:00:00 code ERR returned",
        b"2026-11-20 11:00:00 payment TRC sent",
        b"2026-11-20 11:00:00 LOG_ERROR is a macro",
        b"2026-11-20 11:00:00 [Last Error] none",
        b"2026-11-20 11:00:00 [Without Error] fine",
        b"2026-11-20 11:00:00 [Test Error] none",
        b"2026-11-20 11:00:00 alerts: SMS: sent",
        b"2026-11-20 11:00:00 errors: TCP: 0 dropped",
        b"2026.11.20 11:00:00 1: starting",
    ],
)
def test_word_is_not_taken_for_a_level(line: bytes) -> None:
    assert counted(line + b"\n").counted_levels() == {}
    assert counted(*[(line + b"\n") * 3] * 3).counted_levels() == {}


@pytest.mark.parametrize(
    "message",
    [
        b"[worker-1] I could not open the oven",
        b"[oven] E mail sent",
        b"[chat] I love it",
        b"[oven] E: 12",
        b"F (Fahrenheit)",
        b"E Street Band played",
        b'E "x"',
        b"D The",
        b"W (10 watts)",
        b"C  major",
        b"C [1, 2]",
        b"T: 21.5",
        b"F - 70 degrees",
        b"(I) think so",
        b"<I> love",
        b"(C) The Kitchen 2026",
        b"(C) 2026 The Kitchen",
        b"(C) Copyright The Kitchen",
    ],
)
@pytest.mark.parametrize("time", [b"2026-11-20 11:00:00", b"2026/11/20 11:00:00.123456"])
def test_letter_is_not_taken_for_a_level(time: bytes, message: bytes) -> None:
    assert counted((time + b" " + message + b"\n") * 3).counted_levels() == {}


@pytest.mark.parametrize(
    ("line", "minute"),
    [
        (b"2026/11/21 22:00:00 AM hot", "2026-11-21T22:00"),
        (b"2026/11/21 14:05:00 am: asset manager up", "2026-11-21T14:05"),
        (b"2026/11/21 10:00:00 PM started", "2026-11-21T10:00"),
        (b"2026/11/21 10:00:00 PM: started", "2026-11-21T10:00"),
        (b"2026/11/21 10:00:00 PM ERROR hot", "2026-11-21T22:00"),
        (b"2026/11/21 10:00:00 PM", "2026-11-21T22:00"),
        (b"2026/11/21 10:00:00PM hot", "2026-11-21T22:00"),
        (b"2026-11-21 10:00:00 PM: started", "2026-11-21T10:00"),
        (b"2026-11-21 10:00:00 PM started", "2026-11-21T22:00"),
        (b"2026-11-21 14:00:00 PM started", "2026-11-21T14:00"),
        (b"2026-W53-7T10:00:00 started", "2027-01-03T10:00"),
        (b"2026.325.22:00:00 started", "2026-11-21T22:00"),
        (
            b'2001:200:10:30::5 - - [21/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5',
            "2026-11-21T10:00 +00:00",
        ),
        (b"26.11.21 10:00:00 started", "2026-11-21T10:00"),
        (b"26.11.25 10:00:00 started", "2026/11/25T10:00"),
        (b"26.11.30 10:00:00 started", "2026/11/30T10:00"),
        (b"21.11.26 10:00:00 started", "2026-11-21T10:00"),
        (b"2026-11-21 22:00:00 AM hot", "2026-11-21T22:00"),
        (b"11/21/2026 22:00:00 AM hot", "2026-11-21T22:00"),
        (b"11/21/2026 00:05:00 AM hot", "2026-11-21T00:05"),
        (b"11/21/2026 12:05:00 AM hot", "2026-11-21T00:05"),
        (b"2026-11-21 10:00:00[Atlantic/Cache] hit", "2026-11-21T10:00"),
        (b"2026-11-21 10:00:00[Europe/Worker] ERROR x", "2026-11-21T10:00"),
        (b"2026-11-21 10:00:00[Europe/Berlin] ERROR x", "2026-11-21T10:00 Europe/Berlin"),
        (b"2026-11-21 10:00:00 +2600 items", "2026-11-21T10:00"),
        (b"2026-11-21 10:00:00 +0060 items", "2026-11-21T10:00"),
        (b"2026-11-21 10:00:00 +1430 items", "2026-11-21T10:00"),
        (b"2026-11-21 10:00:00 GMT+26 items", "2026-11-21T10:00"),
        (b"2026-11-21 10:00:00 +0545 items", "2026-11-21T10:00 +05:45"),
        (b"11-21 10:00:00 +2600 items", "--11-21T10:00"),
        (b"11-21 10:00:00 -1200 kWh", "--11-21T10:00"),
        (b"11-21 10:00:00 +0100 E/Oven( 1702): hot", "--11-21T10:00 +01:00"),
    ],
)
def test_time_ends_where_the_message_begins(line: bytes, minute: str) -> None:
    clock, _, zone = minute.partition(" ")
    assert read_line(line).minute == (clock.encode(), zone.encode())
    block = counted(*[(line + b"\n") * 3] * 3)
    assert dict(block.minutes) == {(clock.encode(), zone.encode()): 9}


@pytest.mark.parametrize(
    "line",
    [
        b"2026-112 10:30 order shipped",
        b"2026/112/10:30 items",
        b"build 2026.123 10:30",
        b"build 2026.123.10:30",
    ],
)
def test_number_is_not_taken_for_a_day(line: bytes) -> None:
    assert read_line(line).minute is None


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
