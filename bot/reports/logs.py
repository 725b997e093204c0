"""A log as it streams by: lines, levels, times and the last lines, counted block by block in constant memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ahocorasick_rs import BytesAhoCorasick, MatchKind

if TYPE_CHECKING:
    # The process that works on a long log needs this module and little else.
    from providers.records import Window

MOST_POINTS = 20
TAIL_LINES = 12
TAIL_BYTES = 400
LAST_BYTES = TAIL_LINES * TAIL_BYTES * 4
MOST_MINUTES = 50_000
Minute = tuple[bytes, bytes]
# Lines, their levels and their minutes.
Counted = tuple[int, Counter[str], Counter[Minute]]
LEVELS = ("fatal", "critical", "error", "warn", "info", "debug", "trace")
_SAME = {"crit": "critical", "err": "error", "warning": "warn", "notice": "info"}
_SPELT = [spelt for name in (*LEVELS, *_SAME) for spelt in (name.upper(), name.capitalize(), name)]
_LEVEL_OF = {spelt.encode(): _SAME.get(spelt.lower(), spelt.lower()) for spelt in _SPELT}
_SPELT_LEVELS = list(_LEVEL_OF.values())
_LEVEL_SCAN = BytesAhoCorasick(list(_LEVEL_OF), matchkind=MatchKind.LeftmostLongest)
_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_MINUTE, _OFFSET = rb"(20\d\d-\d\d-\d\d[T ]\d\d:\d\d)", rb"(Z|[+-]\d\d:?\d\d)?"
_STAMP = _MINUTE + rb"[\d:.,]*"
# The first time of a line is the line's.
_TIME = re.compile(_STAMP + _OFFSET + rb"[^\n]*+")
# Most logs begin each line with a time and a level: one look then finds both. What stands behind the minute is the head of a line.
_TIME_AND_HEAD = re.compile(rb"\n" + _STAMP + rb"([^ \n]* +\[?[A-Za-z]+\b[^\w\n]?)")
_HEAD = re.compile(_OFFSET + rb" +\[?([A-Za-z]+)\W?")
MOST_HEADS = 12


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


@dataclass(frozen=True, slots=True)
class Habit:
    """How each line of a log has begun so far: a minute, seconds, one offset, and one of a few levels, by heads of which the first is
    the commonest.

    Lines with a habit are counted without a look at each: one look takes in all that share a minute, and heads are searched for in the
    whole block. Where something is left over, or the sums differ, the habit does not hold for the block.
    """

    offset: bytes
    level_of: dict[bytes, str]
    run: re.Pattern[bytes]

    @classmethod
    def of(cls, heads: dict[bytes, tuple[bytes, str]], before: Habit | None) -> Habit | None:
        """The habit behind these heads and those of before, if they make one."""
        levels = {head: level for head, (_, level) in heads.items()}
        offsets = {offset for offset, _ in heads.values()}
        if before and offsets == {before.offset}:
            levels |= before.level_of
        # A head with which a line ends cannot be told from a longer word.
        if len(offsets) != 1 or len(levels) > MOST_HEADS or any(head[-1] in _WORD for head in levels):
            return None
        (offset,) = offsets
        head = rb"[\d:.,]*+(?:" + b"|".join(map(re.escape, sorted(levels))) + rb")[^\n]*+"
        return cls(offset, levels, re.compile(rb"\n" + _MINUTE + head + rb"(?:\n\1" + head + rb")*+"))

    def count(self, text: bytes) -> Counted | None:
        """Of a text in which a line end stands before each line; None where the habit does not hold."""
        minutes: Counter[Minute] = Counter()
        covered = 0
        for match in self.run.finditer(text):
            start, end = match.span()
            minutes[match[1], self.offset] += text.count(b"\n", start, end)
            covered += end - start
        if covered != len(text):
            return None
        commonest, *others = self.level_of
        levels = Counter({self.level_of[commonest]: text.count(commonest)})
        for other, count in Counter(other for other, _, _ in _scan_of(*others).find_matches_as_indexes(text)).items():
            levels[self.level_of[others[other]]] += count
        lines = minutes.total()
        return (lines, levels, minutes) if levels.total() == lines else None


@lru_cache(maxsize=64)
def _scan_of(*heads: bytes) -> BytesAhoCorasick:
    """Finds what is not common in much less time than each would take by itself."""
    return BytesAhoCorasick(heads)


@dataclass(slots=True)
class LogCounter:
    """Counts redacted blocks as they pass. Blocks are cut anywhere; a line counts where it ends."""

    lines: int = 0
    levels: Counter[str] = field(default_factory=Counter)
    minutes: Counter[Minute] = field(default_factory=Counter)
    _last: bytes = b""
    _open: bytes = b""
    _habit: Habit | None = None

    def feed(self, block: bytes) -> None:
        end = block.rfind(b"\n")
        if end >= 0:
            self._count(b"".join((b"\n", self._open, memoryview(block)[:end])))
            self._open = block[end + 1 :]
        else:
            self._open += block
        if len(self._open) > 65536:
            self._open = self._open[:4096]

    def close(self) -> None:
        """A last line without a line end is a line, too."""
        if self._open:
            self._count(b"\n" + self._open)
            self._open = b""

    def tail(self) -> tuple[str, ...]:
        """The last lines, each cut to what a preview shows."""
        lines = self._last.removeprefix(b"\n").split(b"\n")[-TAIL_LINES:] if self._last else []
        return tuple(line[:TAIL_BYTES].removesuffix(b"\r").decode("utf-8", "replace") for line in lines)

    def counted_levels(self) -> dict[str, int]:
        return {level: self.levels[level] for level in LEVELS if self.levels[level]}

    def _count(self, text: bytes) -> None:
        """A text in which a line end stands before each line."""
        lines, levels, minutes = (self._habit and self._habit.count(text)) or self._by_head(text) or _by_word(text)
        self.lines += lines
        self.levels.update(levels)
        if len(self.minutes) < MOST_MINUTES:
            self.minutes.update(minutes)
        self._last = (self._last + text if len(text) < LAST_BYTES else text)[-LAST_BYTES:]

    def _by_head(self, text: bytes) -> Counted | None:
        """None where not every line begins with a time and a level. What is learned here makes the next block a matter of habit."""
        found = Counter(_TIME_AND_HEAD.findall(text))
        lines = found.total()
        if lines != text.count(b"\n"):
            return None
        often: Counter[bytes] = Counter()
        for (_, head), count in found.items():
            often[head] += count
        read = {head: _HEAD.fullmatch(head) for head, _ in often.most_common()}
        heads = {head: (match[1] or b"", _LEVEL_OF[match[2]]) for head, match in read.items() if match and match[2] in _LEVEL_OF}
        if len(heads) < len(read):
            return None
        self._habit = Habit.of(heads, self._habit)
        levels: Counter[str] = Counter()
        minutes: Counter[Minute] = Counter()
        for (clock, head), count in found.items():
            offset, level = heads[head]
            levels[level] += count
            minutes[clock, offset] += count
        return lines, levels, minutes


def _by_word(text: bytes) -> Counted:
    """The first level and the first time of each line, wherever they stand."""
    levels: Counter[str] = Counter()
    line_end = 0
    for spelt, start, end in _LEVEL_SCAN.find_matches_as_indexes(text):
        if start < line_end or text[start - 1] in _WORD or (end < len(text) and text[end] in _WORD):
            continue
        levels[_SPELT_LEVELS[spelt]] += 1
        line_end = text.find(b"\n", end)
        if line_end < 0:
            break
    return text.count(b"\n"), levels, Counter(_TIME.findall(text))


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
