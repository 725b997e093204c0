"""Logs designed to be slow to count: lines that all differ, or that contain thousands of the signs
a reader looks for.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Mapping
from typing import Final

LETTERS: Final = string.ascii_lowercase.encode()
ANYTHING: Final = string.ascii_letters.encode() + string.digits.encode() + b" .:-/"
HEX: Final = b"0123456789abcdef"
TIME: Final = b"2026-11-21T10:00:00Z "

LineMaker = Callable[[random.Random], bytes]


def _of(letters: bytes, least: int, most: int) -> LineMaker:
    return lambda rng: bytes(rng.choices(letters, k=rng.randint(least, most)))


def _word(rng: random.Random) -> bytes:
    return bytes(rng.choices(LETTERS, k=6))


def _clock(rng: random.Random) -> tuple[int, int, int]:
    return rng.randrange(24), rng.randrange(60), rng.randrange(60)


HOSTILE_LINES: Final[Mapping[str, LineMaker]] = {
    "random short lines": _of(ANYTHING, 6, 20),
    "random long lines": _of(ANYTHING, 60, 140),
    "random words": _of(LETTERS, 8, 20),
    "random hexadecimal digits": _of(HEX, 12, 32),
    "random bytes": lambda rng: rng.randbytes(40).replace(b"\n", b""),
    "random lines behind a time": lambda rng: TIME + _of(ANYTHING, 8, 20)(rng),
    "clocks in prose": lambda rng: b"%s %02d:%02d:%02d %s" % (_word(rng), *_clock(rng), _word(rng)),
    "long numbers in prose": lambda rng: b"%s %d %s" % (_word(rng), rng.randrange(10**12), _word(rng)),
    "a time of its own in each line": lambda rng: (
        b"2026-11-%02dT%02d:%02d:%02dZ INFO %s" % (rng.randint(1, 28), *_clock(rng), _word(rng))
    ),
    "impossible dates": lambda rng: (
        b"2026-%02d-%02dT%02d:%02d:%02dZ INFO %s"
        % (rng.randint(13, 99), rng.randint(32, 99), *_clock(rng), _word(rng))
    ),
    "random pairs": lambda rng: _word(rng) + b"=" + _word(rng),
    "random JSON": lambda rng: b'{"%s":"%s"}' % (_word(rng), _word(rng)),
    "broken JSON": lambda rng: b'{"%s":' % _word(rng),
    "a million levels in JSON": lambda rng: (
        b'{"time":"2026-11-21T10:00:00Z","level":"l%d"}' % rng.randrange(10**6)
    ),
    "a million levels in pairs": lambda rng: (
        b"time=2026-11-21T10:00:00Z level=l%d" % rng.randrange(10**6)
    ),
    "a million levels in brackets": lambda rng: TIME + b"[l%d] on" % rng.randrange(10**6),
    "levels in prose": lambda rng: _word(rng) + b" info " + _word(rng),
    "info:, one long line": lambda _: b"info:" * 20_000,
    "info:info:, one a line": lambda _: b"info:info:",
    "info: behind a time": lambda _: TIME + b"info:" * 8,
    "JSON with a key a byte": lambda _: b"{" + b'"a":1,' * 9000 + b'"b":2}',
    "nested JSON": lambda _: b'{"a":' * 10_000,
    "30,000 digits": lambda _: b"2026-11-21T10:00:" + b"1" * 30_000,
    "no line end": lambda _: b"x" * 500_000,
    "colours": lambda rng: b"\x1b[31m" + _word(rng) + b"\x1b[0m",
    "escape characters": lambda _: b"\x1b[" * 5000,
    "empty lines": lambda _: b"",
}  # fmt: skip


def hostile_block(line: LineMaker, size: int, *, seed: int) -> bytes:
    """Lines of one kind, with this many bytes in total."""
    rng = random.Random(seed)
    lines = []
    length = 0
    while length < size:
        lines.append(line(rng))
        length += len(lines[-1]) + 1
    return b"\n".join(lines) + b"\n"
