"""Logs designed to be slow to count: most of their lines are not read one by one."""

from __future__ import annotations

import random

import pytest

from bot.logs.candidates import candidates, may_have_times_or_fields
from bot.logs.counter import LogCounter
from bot.logs.formats import FORMATS
from bot.logs.lines import read_line, without_colours
from bot.logs.places import PLACES
from tests.bot.test_log_samples import SAMPLES
from tests.support.counted_logs import as_read
from tests.support.hostile_logs import HOSTILE_LINES, LineMaker, hostile_block
from tests.support.work import lines_run

KINDS = pytest.mark.parametrize("line", HOSTILE_LINES.values(), ids=HOSTILE_LINES.keys())
BLOCK = 32_768


def feed(counter: LogCounter, log: bytes) -> None:
    for at in range(0, len(log), BLOCK):
        counter.feed(log[at : at + BLOCK])


@KINDS
def test_hostile_log_needs_bounded_work(line: LineMaker) -> None:
    counter = LogCounter()
    feed(counter, hostile_block(line, 2 * BLOCK, seed=1))
    log = hostile_block(line, 4 * BLOCK, seed=2)
    # Reading each of its lines would be twenty lines of Python each.
    assert lines_run(lambda: feed(counter, log)) < 2000 + 15 * log.count(b"\n")


@KINDS
def test_hostile_log_is_counted_as_read(line: LineMaker) -> None:
    log = hostile_block(line, 40_000, seed=3)
    counter = LogCounter()
    feed(counter, log)
    counter.close()
    lines = [without_colours(each[:4096]) for each in log.split(b"\n")[:-1]]
    assert (+counter.levels, counter.minutes, counter.untimed) == as_read(lines)
    assert counter.lines == len(lines)


def test_kinds_of_hostile_lines_can_be_mixed() -> None:
    rng = random.Random(4)
    lines = [rng.choice([*HOSTILE_LINES.values()])(rng)[:200] for _ in range(3000)]
    counter = LogCounter()
    feed(counter, b"".join(line + b"\n" for line in lines))
    counter.close()
    read = as_read([without_colours(line) for line in lines])
    assert (+counter.levels, counter.minutes, counter.untimed) == read


TELLING = [
    *(known.line for known in FORMATS),
    *(place.example for place in PLACES),
    *(line for rows in SAMPLES.values() for _, _, line in rows),
]


@pytest.mark.parametrize("line", TELLING, ids=range(len(TELLING)))
def test_informative_line_is_a_candidate(line: bytes) -> None:
    line = without_colours(line)
    reading = read_line(line)
    if reading.minute or reading.level:
        text = b"\nnoise\n" + line + b"\nnoise"
        assert [*candidates(text)] == [(6, 7 + len(line))]


def test_timed_line_is_not_counted_without_times() -> None:
    timed = [line for line in map(without_colours, TELLING) if read_line(line).minute]
    missed = [line for line in timed if not may_have_times_or_fields(b"\n" + line)]
    assert missed == []
