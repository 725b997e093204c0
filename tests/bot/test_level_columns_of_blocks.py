"""Blocks of logs with a level column are counted like their lines one by one."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest

from bot.logs.counter import LogCounter
from bot.logs.reader import LineReader

Line = Callable[[str, str, str, int], str]
LINES: dict[str, Line] = {
    "word": lambda time, level, text, _: f"{time} kitchen oven {level} {text}",
    "changing words": lambda time, level, text, n: f"{time} kitchen oven{n % 40} {level} {text}",
    "letters before": lambda time, level, text, n: f"{time} {'EIW'[n % 3]} oven {level} {text}",
    "part": lambda time, level, text, _: f"{time} kitchen <oven_{level}> {text}",
    "cell": lambda time, level, text, n: f"{time}; kitchen; oven {n % 7}; {level}; {text}",
    "cell with signs": lambda time, level, text, n: f"{time}, [oven: {n % 5}], {level}, {text}",
    "last": lambda time, level, text, _: f"{time} {text} ({level})",
    "with a path": lambda time, level, text, n: f"{time} kitchen /oven/{n % 3} {level} {text}",
    "zone": lambda time, level, text, _: f"{time}+01:00 kitchen oven {level} {text}",
}
# What messages may hold: other levels, fields, JSON, prose.
TEXTS = (
    *("on", "error could not open", "ERROR: hot", "level=error", '{"level":"error"}', "a b c d"),
    *("[WARN] hot", "oven[12]: ERROR: hot", "status 500", "user=ada level=debug", "x; ERROR; y"),
    *("12 W oven", "%OVEN-3-HOT: hot", "Nov 21 09:00:00 <3> hot", "", "über heiß", "no. error."),
)
LEVELS = ("Info", "Warning", "Error", "Info", "Debug", "Verbose", "Status")


def log_of(
    line: Line, *, seed: int, lines: int, with_others: bool, share: float = 0.4
) -> list[bytes]:
    chance = random.Random(seed)
    found = [
        line(f"2026-11-21 10:{n // 60:02d}:{n % 60:02d}", LEVELS[n % 3], "on", n).encode()
        for n in range(40)
    ]
    while len(found) < lines:
        n = len(found)
        time = f"2026-11-21 {10 + n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}"
        text = chance.choice(TEXTS) if chance.random() < share else "on"
        found.append(line(time, chance.choice(LEVELS), text, n).encode())
        if with_others and chance.random() < 0.1:
            found.extend([b"  at org.example.Oven.run(Oven.java:12)", b"ERROR hot", b""])
    return found


@pytest.mark.parametrize("with_others", [False, True], ids=["alone", "with other lines"])
@pytest.mark.parametrize("name", LINES)
def test_block_is_counted_like_its_lines(name: str, with_others: bool) -> None:
    log = log_of(LINES[name], seed=1, lines=3000, with_others=with_others)
    counter = LogCounter()
    text = b"\n".join(log) + b"\n"
    for at in range(0, len(text), 20_000):
        counter.feed(text[at : at + 20_000])
    counter.close()
    reader = LineReader(level_column=counter._reader.level_column)
    levels: Counter[str] = Counter()
    minutes: Counter[bytes] = Counter()
    last = b""
    for line in log:
        minute, level = reader.read(line)
        levels[level or ""] += 1
        last = minute[0] if minute else last
        minutes[last] += 1
    del levels[""]
    assert +counter.levels == levels
    assert {minute: count for (minute, _), count in counter.minutes.items()} == minutes
    assert counter.lines == len(log)


def test_block_with_a_column_is_read_by_one_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    log = log_of(LINES["word"], seed=2, lines=2000, with_others=False, share=0.2)
    counter = LogCounter()
    counter.feed(b"\n".join(log[:100]) + b"\n")
    one_by_one: list[bytes] = []
    monkeypatch.setattr(LogCounter, "_count_each", lambda _, text: one_by_one.append(text))
    counter.feed(b"\n".join(log[100:]) + b"\n")
    assert not one_by_one
