"""Counting a log takes bounded work and memory, and no pattern has an unbounded repeat."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from re import _constants as sre  # type: ignore[attr-defined]  # private, and typeshed does not list it
from re import _parser as sre_parser  # type: ignore[attr-defined]  # private, and typeshed does not list it
from typing import Any

import pytest

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
from providers.patterns import LazyPattern
from tests.support.counted_logs import counted
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


def repeats(pattern: Any, inside: bool = False) -> Iterator[str]:
    """The repeats of a pattern that are unbounded and can backtrack, which is how a search becomes
    quadratic.
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
