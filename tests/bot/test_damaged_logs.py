"""Damaged logs: a block is counted exactly as its lines are read one by one, whatever the damage."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest

from bot.logs.counter import LONGEST_LINE, LogCounter
from bot.logs.formats import FORMATS
from bot.logs.lines import without_colours
from tests.bot.test_log_samples import SAMPLES
from tests.support.counted_logs import as_read

LINES_OF = {
    **{name: [line for _, _, line in rows] for name, rows in SAMPLES.items()},
    **{f"format {known.name}": [known.line] for known in FORMATS},
}
NAMES = list(LINES_OF)
# What may be in a line by chance, and would mean something in another place.
PIECES = (
    *(b"INFO", b"error", b"WARN", b"[error]", b"ERROR:", b"fatal:", b"note:", b"Info ", b"error]"),
    *(b"level=warn", b"severity=3", b"s=W", b"Level=ERROR", b"ts=1795259200", b"tz=+0100", b"="),
    *(b'"level":"error"', b'"severity":"WARN",', b'"time":1795259200,', b'"LEVEL":"error",'),
    *(b'"was":{"level":"debug"},', b'"log":"x ERROR",', b'"log":', b'"date":"2026-01-01",', b'"'),
    *(b'{"level":"warn"}', b"@cee:", b"{", b"}", b"[", b"]", b"E/Tag( 12):", b"W ", b"|E|", b"[E]"),
    *(b"%LINK-3-UP:", b"Er(12)", b"PHP Warning:", b"LOG:", b"<11>", b"#", b"+01:00", b"UTC", b"PM"),
    *(
        b"10:20:30",
        b"2026-11-22T11:00:00Z",
        b"1795255300",
        b"12",
        b"-",
        b"oven",
        b"on:",
        b"\t",
        b"  ",
    ),
    *(b"\0", b"\r", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3\x28", b"x" * 70, b"x" * 5000),
)
LEVELS = re.compile(rb"\b(?:INFO|WARN|ERROR|info|warn|error|warning|WARNING|debug)\b")
OTHER_LEVELS = (b"INFO", b"ERROR", b"debug", b"WARN", b"error", b"note", b"FINE", b"NOTE", b"7")

Damage = Callable[[random.Random, bytes, bytes], bytes]


def other_digits(rng: random.Random, line: bytes, _: bytes) -> bytes:
    return re.sub(
        rb"\d(?=\D|$)", lambda m: b"%d" % rng.randrange(10) if rng.random() < 0.3 else m[0], line
    )


def other_level(rng: random.Random, line: bytes, _: bytes) -> bytes:
    return LEVELS.sub(lambda _: rng.choice(OTHER_LEVELS), line)


def piece_between_words(rng: random.Random, line: bytes, _: bytes) -> bytes:
    words = line.split(b" ")
    words.insert(rng.randrange(len(words) + 1), rng.choice(PIECES))
    return b" ".join(words)


def piece_for_a_word(rng: random.Random, line: bytes, _: bytes) -> bytes:
    words = line.split(b" ")
    words[rng.randrange(len(words))] = rng.choice(PIECES)
    return b" ".join(words)


def piece_anywhere(rng: random.Random, line: bytes, _: bytes) -> bytes:
    at = rng.randrange(len(line) + 1)
    return line[:at] + rng.choice(PIECES) + line[at:]


def field_more(rng: random.Random, line: bytes, _: bytes) -> bytes:
    columns = line.split(b",")
    columns.insert(rng.randrange(len(columns) + 1), rng.choice(PIECES).rstrip(b","))
    return b",".join(columns)


def cut_short(rng: random.Random, line: bytes, _: bytes) -> bytes:
    return line[: rng.randrange(len(line) + 1)]


def beginning_lost(rng: random.Random, line: bytes, _: bytes) -> bytes:
    return line[rng.randrange(len(line) + 1) :]


def doubled(_: random.Random, line: bytes, __: bytes) -> bytes:
    return line + line


def interleaved(rng: random.Random, line: bytes, other: bytes) -> bytes:
    return line[: rng.randrange(len(line) + 1)] + other[rng.randrange(len(other) + 1) :]


def bits_flipped(rng: random.Random, line: bytes, _: bytes) -> bytes:
    damaged = bytearray(line)
    for _number in range(rng.randrange(1, 4)):
        if damaged:
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def windows_line_end(_: random.Random, line: bytes, __: bytes) -> bytes:
    return line + b"\r"


def byte_order_mark(_: random.Random, line: bytes, __: bytes) -> bytes:
    return b"\xef\xbb\xbf" + line


def very_long(rng: random.Random, line: bytes, _: bytes) -> bytes:
    return rng.choice([b"x" * 100_000 + line, line + b"y" * 70_000, b"{" * 3000, b"\0" * 8 + line])


def noise(rng: random.Random, _: bytes, __: bytes) -> bytes:
    return bytes(rng.choices(b'abcdefgh0123456789:.-/ ={}"[]<>', k=rng.randrange(30)))


DAMAGES: tuple[Damage, ...] = (
    *(other_digits, other_digits, other_level, piece_between_words, piece_between_words),
    *(piece_for_a_word, piece_anywhere, field_more, cut_short, beginning_lost, doubled),
    *(interleaved, bits_flipped, windows_line_end, byte_order_mark, very_long, noise),
)


def damaged_log(rng: random.Random) -> list[bytes]:
    """Lines of one program: first whole ones, then some damaged ones."""
    own = LINES_OF[rng.choice(NAMES)]
    other = rng.choice(LINES_OF[rng.choice(NAMES)])
    share = rng.choice([0.05, 0.3, 0.7])
    log = [rng.choice(own) for _ in range(rng.randrange(1, 30))]
    for _ in range(60):
        line = rng.choice(own)
        log.append(rng.choice(DAMAGES)(rng, line, other) if rng.random() < share else line)
    return [without_colours(line.replace(b"\n", b"")) for line in log]


def counted_in_pieces(log: list[bytes], rng: random.Random) -> LogCounter:
    whole = b"".join(line + b"\n" for line in log)
    counter = LogCounter()
    at = 0
    for cut in sorted(rng.randrange(len(whole)) for _ in range(rng.choice([0, 1, 3]))):
        counter.feed(whole[at:cut])
        at = cut
    counter.feed(whole[at:])
    counter.close()
    return counter


def first_bytes(line: bytes) -> bytes:
    """The part that is kept of a line that spans blocks. The time and the level are never after it."""
    return line[:4096] if len(line) > LONGEST_LINE else line


@pytest.mark.parametrize("seed", range(12))
def test_damaged_log_is_counted_as_read(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(40):
        log = damaged_log(rng)
        counter = counted_in_pieces(log, rng)
        assert (+counter.levels, counter.minutes, counter.untimed) == as_read(
            [first_bytes(line) for line in log]
        ), b"\n".join(dict.fromkeys(line[:300] for line in log)).decode("utf-8", "replace")
        assert counter.lines == len(log)
