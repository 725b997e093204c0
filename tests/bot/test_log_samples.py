"""Lines of widely used programs, two or three of each: their times, zones and levels."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.logs.counter import LogCounter
from bot.logs.lines import read_line, without_colours
from bot.logs.time_forms import Minute

NO_OFFSET = ("Z", "+00:00")


def samples() -> dict[str, list[tuple[str, str, bytes]]]:
    """The minute, the level and the text of each line, by the name of its format."""
    found: dict[str, list[tuple[str, str, bytes]]] = {}
    for row in (Path(__file__).parent / "log_samples.txt").read_bytes().splitlines():
        if row.startswith(b"## "):
            rows = found.setdefault(row[3:].decode(), [])
        elif not row.startswith(b"# "):
            minute, level, line = row.split(b"|", 2)
            rows.append((minute.decode(), level.decode(), line))
    return found


SAMPLES = samples()


def as_written(minute: Minute | None) -> tuple[str, str]:
    """A minute and its zone. All names of UTC are treated as one."""
    clock, zone = (part.decode() for part in minute) if minute else ("", "")
    return clock, "Z" if zone in NO_OFFSET else zone


def expected(minute: str) -> tuple[str, str]:
    clock, _, zone = minute.partition(" ")
    return clock, "Z" if zone in NO_OFFSET else zone


def test_samples_cover_the_field() -> None:
    assert len(SAMPLES) > 600


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_is_read_as_expected(name: str) -> None:
    for minute, level, line in SAMPLES[name]:
        reading = read_line(without_colours(line))
        assert (as_written(reading.minute), reading.level or "", line) == (
            expected(minute),
            level,
            line,
        )


@pytest.mark.parametrize("name", SAMPLES)
def test_repeated_sample_is_counted_the_same(name: str) -> None:
    counter = LogCounter()
    rows = SAMPLES[name] * 4
    for _, _, line in rows:
        counter.feed(line + b"\n")
    counter.close()
    levels = [level for _, level, _ in rows if level]
    assert {level: levels.count(level) for level in levels} == dict(counter.levels)
    assert counter.lines == len(rows)


@pytest.mark.parametrize("name", SAMPLES)
def test_block_of_a_sample_is_counted_the_same(name: str) -> None:
    counter = LogCounter()
    rows = [row for row in SAMPLES[name] for _ in range(5)]
    counter.feed(b"".join(line + b"\n" for _, _, line in rows))
    counter.close()
    levels = [level for _, level, _ in rows if level]
    assert {level: levels.count(level) for level in levels} == +counter.levels
    placed = [minute for minute, _, _ in rows]
    while placed and not placed[0]:
        del placed[0]
    assert counter.untimed == len(rows) - len(placed)
