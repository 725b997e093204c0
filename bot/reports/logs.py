"""A log as it streams by: lines, levels, times and the last lines, counted block by block in constant memory."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.reports.audit import MOST_POINTS
from providers.records import Window

TAIL_LINES = 12
TAIL_BYTES = 400
MOST_MINUTES = 50_000
Minute = tuple[bytes, bytes, bytes]
LEVELS = ("fatal", "critical", "error", "warn", "info", "debug", "trace")
_SAME = {"crit": "critical", "err": "error", "warning": "warn", "notice": "info"}
_SPELT = [spelt for name in (*LEVELS, *_SAME) for spelt in (name.upper(), name.capitalize(), name)]
# This runs over every byte of a log: spelt out in three cases, and with a look ahead at the first letter, it is several times
# as quick as when case is ignored.
# It takes the rest of the line with it, since the first level of a line is the line's.
_LEVEL = re.compile(rb"(?=[CDEFINTWcdefintw])\b(" + "|".join(sorted(_SPELT, key=len, reverse=True)).encode() + rb")\b[^\n]*")
_TIME = re.compile(rb"(?m)^[^\n]{0,60}?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::\d\d)?(?:[.,]\d{1,9})?(Z|[+-]\d\d:?\d\d)?")


@dataclass(frozen=True, slots=True)
class LogReport:
    """What a log showed. `bytes` are those the provider sent, before redaction."""

    names: tuple[str, ...]
    account: str
    lines: int
    bytes: int
    complete: bool
    truncated: bool
    levels: dict[str, int]
    tail: tuple[str, ...]
    timeline: tuple[tuple[datetime, int], ...]
    step: timedelta
    notes: tuple[str, ...] = ()

    def shortcomings(self) -> tuple[str, ...]:
        """What is missing from the log, in words."""
        found = [f"Truncated: there are more lines than these {self.lines:,}."] if self.truncated else []
        if not self.complete:
            found.append("Incomplete: the log broke off before its end.")
        return (*found, *self.notes)

    def values(self) -> dict[str, Any]:
        return {
            "lines": self.lines,
            "bytes": self.bytes,
            "complete": self.complete,
            "truncated": self.truncated,
            "levels": dict(self.levels),
        }


@dataclass(slots=True)
class LogCounter:
    """Counts redacted blocks as they pass. Blocks are cut anywhere; a line counts where it ends."""

    lines: int = 0
    levels: Counter[str] = field(default_factory=Counter)
    minutes: Counter[Minute] = field(default_factory=Counter)
    _tail: deque[bytes] = field(default_factory=lambda: deque(maxlen=TAIL_LINES))
    _open: bytes = b""

    def feed(self, block: bytes) -> None:
        cut = block.rfind(b"\n") + 1
        if cut:
            whole = self._open + block[:cut]
            self.lines += whole.count(b"\n")
            self._count(whole)
            self._open = block[cut:]
        else:
            self._open += block
        if len(self._open) > 65536:
            self._open = self._open[:4096]

    def close(self) -> None:
        """A last line without a line end is a line, too."""
        if self._open:
            self.lines += 1
            self._count(self._open)
            self._open = b""

    def tail(self) -> tuple[str, ...]:
        return tuple(line.decode("utf-8", "replace") for line in self._tail)

    def counted_levels(self) -> dict[str, int]:
        return {level: self.levels[level] for level in LEVELS if self.levels[level]}

    def _count(self, block: bytes) -> None:
        for name, lines in Counter(_LEVEL.findall(block)).items():
            level = name.decode().lower()
            self.levels[_SAME.get(level, level)] += lines
        if len(self.minutes) < MOST_MINUTES:
            self.minutes.update(_TIME.findall(block))
        last = block[-(TAIL_LINES * TAIL_BYTES * 4) :].split(b"\n")
        if last and not last[-1]:
            last.pop()
        self._tail.extend(line[:TAIL_BYTES].removesuffix(b"\r") for line in last[-TAIL_LINES:])


def timeline(minutes: Counter[Minute], window: Window) -> tuple[timedelta, tuple[tuple[datetime, int], ...]]:
    """Lines over the window in at most twenty steps, by the times written in them; times without an offset are UTC.

    Empty where too few lines carry a time that lies in the window.
    """
    step = next(
        s for s in (timedelta(minutes=m) for m in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 10080, 527_040))
        if window.length <= s * (MOST_POINTS - 1)
    )  # fmt: skip
    epoch = datetime(1970, 1, 5, tzinfo=UTC)
    first = epoch + (window.start - epoch) // step * step
    counts: Counter[datetime] = Counter()
    for minute, lines in minutes.items():
        moment = _moment(minute)
        if moment and window.start - timedelta(minutes=1) < moment < window.end:
            counts[max(first, epoch + (moment - epoch) // step * step)] += lines
    if not counts:
        return step, ()
    length = -((first - window.end) // step)
    return step, tuple((first + n * step, counts[first + n * step]) for n in range(length))[-MOST_POINTS:]


def safe_name(name: str) -> str:
    """A log's name as a file name: letters, digits, `.`, `_` and `-` alone, and no dot at the front."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._")[:60] or "log"


def file_stem(names: Sequence[str], window: Window) -> str:
    """`kitchen+cellar-20261121T093000Z-20261121T095000Z`."""
    joined = "+".join(safe_name(name) for name in names)
    return f"{joined[:120]}-{window.start.astimezone(UTC):%Y%m%dT%H%M%SZ}-{window.end.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _moment(minute: Minute) -> datetime | None:
    day, clock, offset = minute
    try:
        moment = datetime.fromisoformat(f"{day.decode()}T{clock.decode()}{offset.decode()}")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
