"""Line after line of one log: how lines began is remembered, for most begin as others did."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeVar

from bot.logs import fields, times
from bot.logs.grammar import FAR_ENOUGH, TIME_BEHIND_LEAD, TIME_FIRST
from bot.logs.json_reader import JsonReader
from bot.logs.levels import level_of_field
from bot.logs.lines import (
    DIGITS_ALIKE,
    MOST_NESTED,
    SYSLOG_FORMS,
    Reading,
    at_start,
    is_text,
    level_alone,
    level_at,
    level_before,
    level_inside,
    match_behind,
    minute_at,
    read_json,
    read_line,
    spans_at,
    time_further_on,
)
from bot.logs.places import AS_WORDS, NOT_REMEMBERED, PLACE_OF, after_level
from bot.logs.times import Minute
from providers.patterns import compile_pattern

# How much of a line's beginning, and of what stands behind its time, is held against lines that
# were read before; and how far behind the end of a match a pattern looks.
KEY_SIZES: Final = (12, 24, 32, 48, 72, 104)
LOOKS_BEHIND: Final = 6
MOST_REMEMBERED: Final = 2048
LONGEST_REMEMBERED: Final = 256
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class _Head:
    """Where the time stands in lines that begin alike, and the level where that stands
    before it.
    """

    form: str
    minute: slice
    behind: slice
    end: int
    level: str | None


class LineReader:
    """Reads line after line, and remembers how lines began: what has the same words and as many
    digits is read the same way.
    """

    def __init__(self) -> None:
        self._heads: dict[bytes, _Head] = {}
        self._head_sizes: list[int] = []
        self._levels: dict[tuple[bool, bytes], str] = {}
        self._level_sizes: list[int] = []
        self._untimed: dict[bytes, str | None] = {}
        self._json = JsonReader()
        self._previous: bytes | None = None
        self._found: tuple[Minute | None, str | None] = (None, None)

    def __reduce__(self) -> tuple[type[LineReader], tuple[()]]:
        return LineReader, ()

    def read(self, line: bytes) -> tuple[Minute | None, str | None]:
        """The minute and the level of a line without its end."""
        if line != self._previous:
            self._previous, self._found = line, self._read(line)
        return self._found

    def _read(self, line: bytes) -> tuple[Minute | None, str | None]:
        for size in self._head_sizes:
            head = self._heads.get(line[:size].translate(DIGITS_ALIKE))
            if head is not None and (
                minute := times.minute_of(head.form, line[head.minute], line[head.behind])
            ):
                return minute, head.level or self._level(line, head)
        if line in self._untimed:
            return None, self._untimed[line]
        is_json = line.startswith(b"{")
        reading = (self._json.known(line) or self._json.learn(line)) if is_json else read_line(line)
        if not reading.minute:
            self._remember_untimed(line, reading.level)
        elif not is_json and (found := _head_of(line)):
            size = _key_size(found.end)
            if size:
                _remember(
                    self._heads, line[:size].translate(DIGITS_ALIKE), found, self._head_sizes, size
                )
        return reading.minute, reading.level

    def _remember_untimed(self, line: bytes, level: str | None) -> None:
        """Stack traces have the same lines again and again."""
        if len(line) <= LONGEST_REMEMBERED:
            if len(self._untimed) >= MOST_REMEMBERED:
                self._untimed.clear()
            self._untimed[line] = level

    def _level(self, line: bytes, head: _Head) -> str | None:
        by_syslog, behind = head.form in SYSLOG_FORMS, line[head.end :]
        for size in self._level_sizes:
            if level := self._levels.get((by_syslog, behind[:size].translate(DIGITS_ALIKE))):
                return level
        start = line[:FAR_ENOUGH]
        match = match_behind(start, head.end, head.form)
        if not match:
            return level_inside(line, start, head.end, 0, read_fields=self._json.known)
        group = str(match.lastgroup)
        level = level_at(group, match[group])
        size = _key_size(match.end() - head.end)
        if level and size and group not in NOT_REMEMBERED:
            _remember(
                self._levels,
                (by_syslog, behind[:size].translate(DIGITS_ALIKE)),
                level,
                self._level_sizes,
                size,
            )
        return level


def _key_size(end: int) -> int:
    """The least size that holds all that a match looked at; 0 where there is none."""
    return next((size for size in KEY_SIZES if end + LOOKS_BEHIND <= size), 0)


def _remember(
    known: dict[_Key, _Value], key: _Key, value: _Value, sizes: list[int], size: int
) -> None:
    if len(known) >= MOST_REMEMBERED:
        known.clear()
    known[key] = value
    if size not in sizes:
        sizes.append(size)


def _head_of(line: bytes) -> _Head | None:
    """How the line begins, where that is told by its first bytes, whatever the digits."""
    if not is_text(line):
        return None
    head = line[:FAR_ENOUGH]
    match = at_start(head)
    if match is None:
        if level_alone(head):
            return None
        match = time_further_on(head)
    elif match.re is TIME_BEHIND_LEAD and (match["priority"] or match["redis"]):
        return None
    if match is None:
        return None
    return _Head(*spans_at(match), match.end(), level_before(match))


@dataclass(frozen=True, slots=True)
class Spans:
    """Where a line tells its minute, what stands behind the time and belongs to it, and
    its level.
    """

    form: str
    minute: tuple[int, int]
    behind: tuple[int, int]
    level: tuple[int, int]
    # A pattern for what must follow the level.
    after: bytes = b""


def level_span(line: bytes) -> Spans | None:
    """Where the time and the level stand in a line in which the level stands behind the time."""
    if line.startswith(b"{"):
        return _spans_of_fields(line, read_json(line, MOST_NESTED), _JSON_TIME, _JSON_LEVEL)
    if fields.looks_like_pairs(line):
        return _spans_of_fields(line, read_line(line), _PAIR_TIME, _PAIR_LEVEL)
    if not is_text(line):
        return None
    head = line[:FAR_ENOUGH]
    match = at_start(head)
    if not match or (match.re is TIME_BEHIND_LEAD and (level_before(match) or match["redis"])):
        return None
    behind = match_behind(head, match.end(), str(match.lastgroup))
    if not behind or str(behind.lastgroup) not in AS_WORDS:
        return None
    at = match.lastindex or 0
    stands_behind = match.span(at + 2) if match[at + 2] is not None else (match.end(), match.end())
    return Spans(
        str(match.lastgroup),
        match.span(at + 1),
        stands_behind,
        behind.span(str(behind.lastgroup)),
        after_level(PLACE_OF[str(behind.lastgroup)]),
    )


_PAIR_TIME: Final = compile_pattern(rb'([\w@.]{1,32})="?(?=\d)')
_PAIR_LEVEL: Final = compile_pattern(rb'"? ([\w@.]{1,32})=(\w{1,16})(?= )')
_JSON_TIME: Final = compile_pattern(rb'\{[^{}\n]{0,80}?"([\w@.]{1,32})" ?: ?"?(?=\d)')
_JSON_LEVEL: Final = compile_pattern(rb'"?[^{}\n]{0,80}?"([\w@.]{1,32})" ?: ?"?(\w{1,16})')


def _spans_of_fields(
    line: bytes, reading: Reading, time_field: re.Pattern[bytes], level_field: re.Pattern[bytes]
) -> Spans | None:
    start = time_field.match(line)
    if (found := fields.json_fields(line)) and fields.has_own_numbers(found):
        return None
    if not start or not reading.minute or not reading.level:
        return None
    time = TIME_FIRST.match(line, start.end())
    if (
        not time
        or minute_at(time) != reading.minute
        or start[1].decode().lower() not in fields.TIME_KEYS
    ):
        return None
    at = time.lastindex or 0
    level = level_field.match(line, time.end())
    read = fields.LEVEL_KEYS.get(level[1].decode().lower()) if level else None
    if not level or read is not level_of_field or read(level[2]) != reading.level:
        return None
    behind = time.span(at + 2) if time[at + 2] is not None else (time.end(), time.end())
    return Spans(str(time.lastgroup), time.span(at + 1), behind, level.span(2))
