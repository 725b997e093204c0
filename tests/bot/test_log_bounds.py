"""Counting a log takes bounded work and memory, and no pattern has an unbounded repeat."""

from __future__ import annotations

import importlib
import pkgutil
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import bot.logs
from tests.support.counted_logs import counted
from tests.support.regex_work import PATTERN_TYPES, unbounded_parts
from tests.support.work import lines_run


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

    small = work(10_000)
    large = work(80_000)
    assert large <= 10 * small


PATTERNS = {
    f"{module}.{name}": found
    for module in (each.name for each in pkgutil.iter_modules(bot.logs.__path__))
    for name, found in vars(importlib.import_module(f"bot.logs.{module}")).items()
    if isinstance(found, PATTERN_TYPES)
}
# The last part takes the rest of a line, and a search goes on behind it.
TAKE_REST_OF_LINE = {"cm_traces._FIELDS", "counter._LONG_ENOUGH"}


@pytest.mark.parametrize("name", PATTERNS)
def test_pattern_repeats_nothing_without_bound(name: str) -> None:
    assert unbounded_parts(PATTERNS[name], even_last=name not in TAKE_REST_OF_LINE) == []


def test_patterns_were_found() -> None:
    assert len(PATTERNS) > 100
