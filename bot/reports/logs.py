"""A log as it streams by: lines, levels, times and the last lines, counted block by block in constant memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
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
_FIRST_TIME = re.compile(rb"\n([^\n]{0,64}?)" + _STAMP + _OFFSET)
# Most logs begin each line with a time and a level: one look then finds both. What stands behind the minute is the head of a line.
_TIME_AND_HEAD = re.compile(rb"\n" + _STAMP + rb"([^ \n]* +\[?[A-Za-z]+\b[^\w\n]?)")
_HEAD = re.compile(_OFFSET + rb" +\[?([A-Za-z]+)\W?")
MOST_HEADS = 12
# What begins with a time and a level, and what names its level by a key, in JSON or as `level=info`.
_ANY_LEVEL = b"|".join(_LEVEL_OF)
_BEGINS = re.compile(rb"\n" + _STAMP + rb"[^ \n]* +\[?(?:" + _ANY_LEVEL + rb")\b")
KEYS = (b"level", b"severity", b"lvl")
_KEYED = re.compile(rb"((?:level|levelname|severity|lvl)\"? ?[:=] ?\"?)(" + _ANY_LEVEL + rb")[^\w\n]")
_TIME_AND_KEY = re.compile(rb"\n([^\n]{0,64}?)" + _STAMP + rb"([^\n]{0,64}?)" + _KEYED.pattern)
# Where no key is found in so many bytes, there is no habit of keys.
FAR_ENOUGH = 4096


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
class TimeHabit:
    """How each line of a log has told its time so far: behind the same, and with the same offset. One look then takes in all lines that
    share a minute."""

    offset: bytes
    run: re.Pattern[bytes]

    @classmethod
    def of(cls, before: bytes, offset: bytes, behind: bytes) -> TimeHabit:
        """`before` and `behind` are patterns of what stands around the minute and its seconds."""
        behind = rb"[\d:.,]*+" + behind + rb"[^\n]*+"
        return cls(offset, re.compile(rb"\n" + before + _MINUTE + behind + rb"(?:\n" + before + rb"\1" + behind + rb")*+"))

    @classmethod
    def of_first(cls, text: bytes) -> TimeHabit | None:
        """The habit of which the first line may be."""
        match = _FIRST_TIME.match(text)
        if not match:
            return None
        offset = match[3] or b""
        return cls.of(re.escape(match[1]), offset, re.escape(offset) if offset else rb"(?!Z|[+-]\d\d)")

    def minutes(self, text: bytes) -> Counter[Minute] | None:
        """None where some line tells its time otherwise."""
        found: dict[bytes, int] = {}
        covered = 0
        for match in self.run.finditer(text):
            start, end = match.span()
            minute = match[1]
            found[minute] = found.get(minute, 0) + text.count(b"\n", start, end)
            covered += end - start
        return Counter({(minute, self.offset): lines for minute, lines in found.items()}) if covered == len(text) else None


@dataclass(frozen=True, slots=True)
class HeadHabit:
    """How each line has begun so far: with a time and one of a few levels, by heads of which the first is the commonest. They are searched
    for in the whole block, without a look at each line."""

    time: TimeHabit
    level_of: dict[bytes, str]

    @classmethod
    def of(cls, heads: dict[bytes, tuple[bytes, str]], before: HeadHabit | None) -> HeadHabit | None:
        """The habit behind these heads and those of before, if they make one."""
        levels = {head: level for head, (_, level) in heads.items()}
        offsets = {offset for offset, _ in heads.values()}
        if before and offsets == {before.time.offset}:
            levels |= before.level_of
        # A head with which a line ends cannot be told from a longer word.
        if len(offsets) != 1 or len(levels) > MOST_HEADS or any(head[-1] in _WORD for head in levels):
            return None
        (offset,) = offsets
        return cls(TimeHabit.of(b"", offset, _any_of(levels)), levels)

    def count(self, text: bytes) -> Counted | None:
        """Of a text in which a line end stands before each line; None where the habit does not hold."""
        minutes = self.time.minutes(text)
        if minutes is None:
            return None
        lines, levels = minutes.total(), _occurrences(self.level_of, text)
        return (lines, levels, minutes) if levels.total() == lines else None


@dataclass(frozen=True, slots=True)
class KeyHabit:
    """How each line has named its level so far: wherever it stands, by one key, such as `"level":"`, with one of a few levels."""

    key: bytes
    time: TimeHabit | None
    level_of: dict[bytes, str]

    def count(self, text: bytes) -> Counted | None:
        """Of a text in which a line end stands before each line; None where not every line names its level by the key, once, and does not
        begin with another."""
        lines = text.count(b"\n")
        if text.count(self.key) != lines or _BEGINS.search(text):
            return None
        levels, without = _occurrences(self.level_of, text), [line for line in text[1:].split(b"\n") if self.key not in line]
        if levels.total() != lines or without:
            return None
        return lines, levels, (self.time and self.time.minutes(text)) or Counter(_TIME.findall(text))


def _habit_by_key(text: bytes, known: dict[bytes, str]) -> HeadHabit | KeyHabit | None:
    """The habit of a text whose lines name their levels by one key, as those that are `known` have done. Where the key stands right behind
    the time, what is between belongs to the head."""
    found = Counter(match.group() for match in _KEYED.finditer(text))
    read = {keyed: _KEYED.fullmatch(keyed) for keyed in (*known, *(keyed for keyed, _ in found.most_common()))}
    levels = {keyed: _LEVEL_OF[match[2]] for keyed, match in read.items() if match}
    keys = {match[1] for match in read.values() if match}
    if len(keys) != 1 or len(levels) > MOST_HEADS:
        return None
    first = _TIME_AND_KEY.match(text)
    if not first or _KEYED.search(first[1]) or _BEGINS.match(text):
        return KeyHabit(keys.pop(), TimeHabit.of_first(text), levels)
    offset = re.match(_OFFSET, first[3])
    before, behind = re.escape(first[1]), re.escape(first[3]) + _any_of(levels)
    return HeadHabit(TimeHabit.of(before, (offset and offset[1]) or b"", behind), levels)


def _any_of(heads: Iterable[bytes]) -> bytes:
    return rb"(?:" + b"|".join(map(re.escape, heads)) + rb")"


def _occurrences(level_of: dict[bytes, str], text: bytes) -> Counter[str]:
    """How often each level is found by what it stands in, of which the first is the commonest."""
    commonest, *others = level_of
    levels = Counter({level_of[commonest]: text.count(commonest)})
    for other, count in Counter(other for other, _, _ in _scan_of(*others).find_matches_as_indexes(text)).items():
        levels[level_of[others[other]]] += count
    return levels


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
    _head_habit: HeadHabit | None = None
    _key_habit: HeadHabit | KeyHabit | None = None

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
        lines, levels, minutes = (
            (self._head_habit and self._head_habit.count(text)) or self._by_head(text) or self._by_key(text) or _by_line(text)
        )
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
        self._head_habit = HeadHabit.of(heads, self._head_habit)
        levels: Counter[str] = Counter()
        minutes: Counter[Minute] = Counter()
        for (clock, head), count in found.items():
            offset, level = heads[head]
            levels[level] += count
            minutes[clock, offset] += count
        return lines, levels, minutes

    def _by_key(self, text: bytes) -> Counted | None:
        """None where not every line names its level by a key."""
        counted = self._key_habit.count(text) if self._key_habit else None
        if counted is None and _KEYED.search(text, 0, FAR_ENOUGH):
            self._key_habit = _habit_by_key(text, self._key_habit.level_of if self._key_habit else {})
            counted = self._key_habit.count(text) if self._key_habit else None
        return counted


def _by_line(text: bytes) -> Counted:
    """Of each line the level that a key names, unless it begins with another one, or else the first there is; and its first time."""
    keyed = _keyed(text) if any(key in text for key in KEYS) else {}
    levels = Counter(keyed.values())
    line_end = 0
    for spelt, start, end in _LEVEL_SCAN.find_matches_as_indexes(text):
        if start < line_end or text[start - 1] in _WORD or (end < len(text) and text[end] in _WORD):
            continue
        if not keyed or text.rfind(b"\n", 0, start) not in keyed:
            levels[_SPELT_LEVELS[spelt]] += 1
        line_end = text.find(b"\n", end)
        if line_end < 0:
            break
    return text.count(b"\n"), levels, Counter(_TIME.findall(text))


def _keyed(text: bytes) -> dict[int, str]:
    """The level that a key names, by the line end before the line."""
    found: dict[int, str] = {}
    for match in _KEYED.finditer(text):
        at = text.rfind(b"\n", 0, match.start())
        if at not in found and not _BEGINS.match(text, at):
            found[at] = _LEVEL_OF[match[2]]
    return found


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
