"""Logs that are counted, and the same lines read one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bot.logs.bare_levels import DECIDING_LINES, bare_level, begin_with_levels
from bot.logs.counter import LogCounter
from bot.logs.level_columns import level_column
from bot.logs.lines import (
    read_line,
    without_colours,
)
from bot.logs.readings import (
    NOTHING,
)
from bot.logs.time_forms import Minute


def counted(*blocks: bytes) -> LogCounter:
    counter = LogCounter()
    for block in blocks:
        counter.feed(block)
    counter.close()
    return counter


def as_read(read: Sequence[bytes]) -> tuple[Counter[str], Counter[Minute], int]:
    """The levels, minutes and lines without a time, from reading each line separately."""
    levels: Counter[str] = Counter()
    minutes: Counter[Minute] = Counter()
    minute = None
    untimed = 0
    has_bare_levels = begin_with_levels([without_colours(line) for line in read])
    beginning = [line for line in map(without_colours, read) if line.strip()][:DECIDING_LINES]
    column = None if has_bare_levels else level_column(beginning)
    for line in map(without_colours, read):
        reading = read_line(line)
        minute = reading.minute or minute
        level = reading.level
        if has_bare_levels and reading == NOTHING:
            level = bare_level(line)
        elif column and reading.minute and level is None:
            level = column.level(line)
        levels.update([level] if level else [])
        if minute:
            minutes[minute] += 1
        else:
            untimed += 1
    return levels, minutes, untimed


def written(minute: Minute | None) -> str:
    return b" ".join(minute).decode().strip() if minute else ""
