"""Instants, timelines, order and the newest lines of a log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.commands.logs.report import LogReport, Order, lines_outside, order_of, timeline
from bot.logs.counter import LogCounter
from bot.logs.moments import moment_of
from bot.logs.newest import NewestLines
from bot.logs.time_forms import Minute
from providers.models import Window
from tests.support.counted_logs import counted

HOUR = Window(datetime(2026, 11, 20, 11, tzinfo=UTC), datetime(2026, 11, 20, 12, tzinfo=UTC))
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


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
        (
            (b"2024/11/26T10:00", b""),
            datetime(2026, 11, 24, 12, tzinfo=UTC),
            "2026-11-24T10:00+00:00",
        ),
        (
            (b"2026/11/24T10:00", b""),
            datetime(2026, 11, 24, 12, tzinfo=UTC),
            "2026-11-24T10:00+00:00",
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
    ("levels", "untimed", "outside", "remarks"),
    [
        ({"info": 9}, 0, 0, ()),
        ({}, 0, 0, ("No levels: no line names one.",)),
        ({"info": 9}, 1, 0, ("1 line without a time.",)),
        ({"info": 9}, 3, 2, ("3 lines without a time.", "2 lines with a time outside the window.")),
        ({"info": 9}, 9, 0, ("No line has a time that can be read.",)),
    ],
)
def test_lines_that_were_not_placed_are_reported(
    levels: dict[str, int], untimed: int, outside: int, remarks: tuple[str, ...]
) -> None:
    report = LogReport(
        ("kitchen",),
        "eu",
        9,
        99,
        True,
        False,
        levels,
        (),
        (),
        timedelta(minutes=1),
        untimed=untimed,
        outside=outside,
    )
    assert report.remarks() == remarks


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
