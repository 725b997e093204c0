"""Reads the lines of one log. The beginnings of lines are remembered, since most lines begin like
others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from bot.logs import field_names, fields, times
from bot.logs.bare_levels import bare_level
from bot.logs.grammar import FAR_ENOUGH, TIME_FIRST, is_behind_lead
from bot.logs.json_reader import JsonReader
from bot.logs.level_columns import LevelColumn
from bot.logs.levels import level_of_field
from bot.logs.lines import (
    SYSLOG_FORMS,
    at_start,
    holds_earlier_time,
    is_text,
    level_alone,
    level_at,
    level_before,
    level_inside,
    match_behind,
    read_json,
    read_line,
    redis_level,
    time_further_on,
)
from bot.logs.place_hints import AS_WORDS, NOT_REMEMBERED
from bot.logs.places import PLACE_OF, after_level
from bot.logs.readings import (
    DIGITS_ALIKE,
    NOTHING,
    Reading,
    minute_at,
    spans_at,
)
from bot.logs.similar_lines import KnownLine, form_depends_on_digits, known_from
from bot.logs.time_forms import Minute
from providers.patterns import compile_pattern

# How many bytes at the beginning of a line, and after its time, are compared with lines that were
# read before; and how far after the end of a match a pattern looks.
KEY_SIZES: Final = (12, 24, 32, 48, 72, 104)
LOOKS_BEHIND: Final = 9
MOST_REMEMBERED: Final = 2048
LONGEST_REMEMBERED: Final = 1024
# Learning from a line costs about as much as reading it, so only this many lines of a block are
# learnt from. If that is of no use, it is tried again after some blocks, unless a block has few
# lines.
_MOST_LEARNED: Final = 256
_BLOCKS_WITHOUT: Final = 16
_FEW_LINES: Final = 32
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class _Head:
    """The place of the time in lines with the same beginning, and the level if it comes before the
    time.
    """

    form: str
    minute: slice
    behind: slice
    end: int
    level: str | None
    # Lines with the same beginning have levels of one kind: those of syslog, of Redis, or any.
    kind: str


class LineReader:
    """Reads the lines of a log and remembers the results, for lines that differ only in digits, and
    for lines with the same words and number of digits at the beginning.
    """

    def __init__(
        self, *, has_bare_levels: bool = False, level_column: LevelColumn | None = None
    ) -> None:
        """`has_bare_levels` is for logs whose lines begin with a level and have no time, and
        `level_column` for logs whose first lines show where the level is.
        """
        self.has_bare_levels = has_bare_levels
        self.level_column = level_column
        self._known: dict[bytes, KnownLine] = {}
        # How many bytes of a line, or of the text after its time, are compared. A shorter line
        # never equals a longer one.
        self._heads: dict[int, dict[bytes, _Head]] = {}
        self._levels: dict[int, dict[tuple[str, bytes], str]] = {}
        self._untimed: dict[bytes, str | None] = {}
        self.json = JsonReader(self.read)
        # Lines of a block that are unlike any other, and blocks in which no line is learnt from.
        self._new_lines = 0
        self._blocks_without = 0
        self._unknown_before = 0
        # Lines about which nothing was known.
        self.unknown_lines = 0

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(
            LineReader, has_bare_levels=self.has_bare_levels, level_column=self.level_column
        ), ()

    def read(self, line: bytes) -> tuple[Minute | None, str | None]:
        """The minute and the level of a line without its line end."""
        return self.read_like(line, line.translate(DIGITS_ALIKE))

    def read_like(self, line: bytes, digits_alike: bytes) -> tuple[Minute | None, str | None]:
        """The same, given the line with all its digits replaced by one."""
        known = self._known.get(digits_alike)
        if known is None:
            return self._learn(line, digits_alike)
        if known.needs_checks:
            found = known.checked(line)
            if found is None:
                found = self._read(line, digits_alike)
                known.learn(line, *found)
            return found
        if not known.form:
            return None, known.level
        minute = times.minute_of(known.form, line[known.minute], line[known.behind])
        return (minute, known.level) if minute else self._read(line, digits_alike)

    def end_block(self, lines: int) -> None:
        """Stops learning for a while if most lines of a block are new, since it does not pay off
        then.
        """
        if self._blocks_without:
            self._blocks_without -= 1
        elif lines >= _FEW_LINES and self._new_lines * 2 > lines:
            self._blocks_without = _BLOCKS_WITHOUT
        self._new_lines = 0
        self._unknown_before = self.unknown_lines

    def read_json_like(self, line: bytes, digits_alike: bytes) -> tuple[Minute | None, str | None]:
        """The same for a line that begins like JSON."""
        unknown_before = self.json.unknown_lines
        found = self.json.read(line)
        self.unknown_lines += self.json.unknown_lines - unknown_before
        return self.read_like(line, digits_alike) if found is None else found

    def _learn(self, line: bytes, digits_alike: bytes) -> tuple[Minute | None, str | None]:
        found = self._read(line, digits_alike)
        self._new_lines += 1
        if (
            self._blocks_without
            or self._new_lines > _MOST_LEARNED
            or len(line) > LONGEST_REMEMBERED
        ):
            return found
        known: KnownLine | None
        if line == digits_alike and found[0] is None:
            # Without digits, the line is equal only to itself, so there is nothing to learn about them.
            known = KnownLine("", slice(0), slice(0), found[1])
        else:
            known = known_from(line, digits_alike, *found)
        if known:
            _remember(self._known, digits_alike, known)
        return found

    def _read(self, line: bytes, digits_alike: bytes) -> tuple[Minute | None, str | None]:
        minute, level = self._read_places(line, digits_alike)
        if level is None and minute and self.level_column:
            level = self.level_column.level(line)
        return minute, level

    def _read_places(self, line: bytes, digits_alike: bytes) -> tuple[Minute | None, str | None]:
        for size, heads in self._heads.items():
            head = heads.get(digits_alike[:size])
            if head is not None and (
                minute := times.minute_of(head.form, line[head.minute], line[head.behind])
            ):
                return minute, head.level or self._level(line, digits_alike, head)
        if line in self._untimed:
            return None, self._untimed[line]
        self.unknown_lines += 1
        is_json = line.startswith(b"{")
        reading = read_json(line, 0, self.read) if is_json else read_line(line)
        if self.has_bare_levels and reading == NOTHING:
            reading = Reading(None, bare_level(line))
        if not reading.minute:
            self._remember_untimed(line, reading.level)
        elif self._may_learn_heads() and (found := _head_of(line)):
            size = _key_size(found.end)
            if size:
                _remember(self._heads.setdefault(size, {}), digits_alike[:size], found)
        return reading.minute, reading.level

    def _may_learn_heads(self) -> bool:
        return (
            not self._blocks_without and self.unknown_lines - self._unknown_before < _MOST_LEARNED
        )

    def _remember_untimed(self, line: bytes, level: str | None) -> None:
        """Remembers a line without a time, since stack traces repeat the same lines."""
        if len(line) <= LONGEST_REMEMBERED:
            if len(self._untimed) >= MOST_REMEMBERED:
                self._untimed.clear()
            self._untimed[line] = level

    def _level(self, line: bytes, digits_alike: bytes, head: _Head) -> str | None:
        for size, levels in self._levels.items():
            if level := levels.get((head.kind, digits_alike[head.end : head.end + size])):
                return level
        start = line[:FAR_ENOUGH]
        match = match_behind(start, head.end, head.form)
        if not match:
            level = level_inside(line, start, head.end, 0)
            return redis_level(start, head.end) if level is None and head.kind == "redis" else level
        group = str(match.lastgroup)
        level = level_at(group, match[group])
        size = _key_size(match.end() - head.end)
        if level and size and group not in NOT_REMEMBERED and not match[group][-1:].isdigit():
            key = digits_alike[head.end : head.end + size]
            _remember(self._levels.setdefault(size, {}), (head.kind, key), level)
        return level


# The name of a zone may end after the part of two lines that is compared.
_REGION_BEHIND: Final = compile_pattern(rb"[ \[]?[A-Z][a-z]{1,12}/")


def _key_size(end: int) -> int:
    """The smallest size that includes everything a match looked at; 0 if there is none."""
    return next((size for size in KEY_SIZES if end + LOOKS_BEHIND <= size), 0)


def _remember(known: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    if len(known) >= MOST_REMEMBERED:
        known.clear()
    known[key] = value


def _head_of(line: bytes) -> _Head | None:
    """The beginning of the line, if its meaning depends only on its first bytes, whatever the
    digits.
    """
    if not is_text(line):
        return None
    head = line[:FAR_ENOUGH]
    match = at_start(head)
    if match is None:
        if level_alone(head):
            return None
        match = time_further_on(head)
    elif is_behind_lead(match) and match["priority"]:
        return None
    if match is None or _REGION_BEHIND.match(line, match.end()):
        return None
    form, minute, behind = spans_at(match)
    if form_depends_on_digits(line, match):
        return None
    if holds_earlier_time(line, match):
        return None
    kind = "syslog" if form in SYSLOG_FORMS else ""
    if is_behind_lead(match) and match["redis"]:
        kind = "redis"
    return _Head(form, minute, behind, match.end(), level_before(match), kind)


@dataclass(frozen=True, slots=True)
class Spans:
    """The places of a line's minute, of the rest of its time, and of its level."""

    form: str
    minute: tuple[int, int]
    behind: tuple[int, int]
    level: tuple[int, int]
    # A pattern for what must follow the level.
    after: bytes = b""


def level_span(line: bytes) -> Spans | None:
    """The places of the time and the level in a line in which the level follows the time."""
    if fields.looks_like_pairs(line):
        return _spans_of_pairs(line)
    if not is_text(line):
        return None
    head = line[:FAR_ENOUGH]
    match = at_start(head)
    if not match or (is_behind_lead(match) and (level_before(match) or match["redis"])):
        return None
    behind = match_behind(head, match.end(), str(match.lastgroup))
    if not behind or str(behind.lastgroup) not in AS_WORDS:
        return None
    at = match.lastindex or 0
    behind_time = match.span(at + 2) if match[at + 2] is not None else (match.end(), match.end())
    return Spans(
        str(match.lastgroup),
        match.span(at + 1),
        behind_time,
        behind.span(str(behind.lastgroup)),
        after_level(PLACE_OF[str(behind.lastgroup)]),
    )


_PAIR_TIME: Final = compile_pattern(rb'([\w@.]{1,32})="?(?=\d)')
_PAIR_LEVEL: Final = compile_pattern(rb'"? ([\w@.]{1,32})=(\w{1,16})(?= )')


def _spans_of_pairs(line: bytes) -> Spans | None:
    reading = read_line(line)
    start = _PAIR_TIME.match(line)
    if not start or not reading.minute or not reading.level:
        return None
    time = TIME_FIRST.match(line, start.end())
    if (
        not time
        or minute_at(time) != reading.minute
        or start[1].decode().lower() not in field_names.TIME_KEYS
    ):
        return None
    at = time.lastindex or 0
    level = _PAIR_LEVEL.match(line, time.end())
    read = field_names.LEVEL_KEYS.get(level[1].decode().lower()) if level else None
    if not level or read is not level_of_field or read(level[2]) != reading.level:
        return None
    behind = time.span(at + 2) if time[at + 2] is not None else (time.end(), time.end())
    return Spans(str(time.lastgroup), time.span(at + 1), behind, level.span(2))
