"""A log as it streams by: lines, levels, times and the last lines, counted block by block in constant memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # The process that works on a long log needs this module and little else.
    from providers.records import Window

MOST_POINTS = 20
TAIL_LINES = 12
TAIL_BYTES = 400
LAST_BYTES = TAIL_LINES * TAIL_BYTES * 4
MOST_MINUTES = 50_000
Minute = tuple[bytes, bytes]
LEVELS = ("fatal", "critical", "error", "warn", "info", "debug", "trace")
_SAME = {"crit": "critical", "err": "error", "warning": "warn", "notice": "info"}
_SPELT = [spelt for name in (*LEVELS, *_SAME) for spelt in (name.upper(), name.capitalize(), name)]
# This runs over every byte of a log: spelt out in three cases, and with a look ahead at the first letter, it is several times
# as quick as when case is ignored.
# It takes the rest of the line with it, since the first level of a line is the line's.
_LEVEL = re.compile(rb"(?=[CDEFINTWcdefintw])\b(" + "|".join(sorted(_SPELT, key=len, reverse=True)).encode() + rb")\b[^\n]*")
_STAMP, _OFFSET = rb"(\d\d\d\d-\d\d-\d\d[T ]\d\d:\d\d)[\d:.,]*", rb"(Z|[+-]\d\d:?\d\d)?"
_TIME = re.compile(rb"(?m)^[^\n]{0,60}?" + _STAMP + _OFFSET)
# Most logs begin each line with a time and a level: one look then finds both.
_TIME_AND_LEVEL = re.compile(rb"\n" + _STAMP + rb"([^ \n]* +\[?[A-Za-z]+)\b")
_OFFSET_AND_LEVEL = re.compile(_OFFSET + rb" +\[?([A-Za-z]+)")
_LEVEL_OF = {spelt.encode(): _SAME.get(spelt.lower(), spelt.lower()) for spelt in _SPELT}


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
    _last: bytes = b""
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
        """The last lines, each cut to what a preview shows."""
        lines = self._last.removesuffix(b"\n").split(b"\n")[-TAIL_LINES:] if self._last else []
        return tuple(line[:TAIL_BYTES].removesuffix(b"\r").decode("utf-8", "replace") for line in lines)

    def counted_levels(self) -> dict[str, int]:
        return {level: self.levels[level] for level in LEVELS if self.levels[level]}

    def _count(self, block: bytes) -> None:
        if not self._count_at_once(block):
            for name, lines in Counter(_LEVEL.findall(block)).items():
                self.levels[_LEVEL_OF[name]] += lines
            if len(self.minutes) < MOST_MINUTES:
                self.minutes.update(_TIME.findall(block))
        self._last = (self._last + block if len(block) < LAST_BYTES else block)[-LAST_BYTES:]

    def _count_at_once(self, block: bytes) -> bool:
        """True where every line of the block begins with a time and a level, which are then counted together."""
        found = Counter(_TIME_AND_LEVEL.findall(b"\n" + block))
        if found.total() != block.count(b"\n") + (not block.endswith(b"\n")):
            return False
        read = {rest: _OFFSET_AND_LEVEL.fullmatch(rest) for rest in {rest for _, rest in found}}
        known = {rest: (match[1] or b"", _LEVEL_OF[match[2]]) for rest, match in read.items() if match and match[2] in _LEVEL_OF}
        if len(known) < len(read):
            return False
        room = len(self.minutes) < MOST_MINUTES
        for (clock, rest), lines in found.items():
            offset, level = known[rest]
            self.levels[level] += lines
            if room:
                self.minutes[clock, offset] += lines
        return True


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
    clock, offset = minute
    try:
        moment = datetime.fromisoformat((clock + offset).decode())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
