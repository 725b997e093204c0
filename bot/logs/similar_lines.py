"""What is known about lines that differ only in digits from one that was read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from ahocorasick_rs import BytesAhoCorasick

from bot.logs import field_names, fields, levels, time_forms, times
from bot.logs.cm_traces import CM_TRACE
from bot.logs.grammar import FAR_ENOUGH, TIME_FIRST, TIME_SIGN
from bot.logs.lines import (
    at_start,
    holds_earlier_time,
    is_text,
    match_behind,
    read_line,
    time_further_on,
)
from bot.logs.readings import (
    DIGITS_ALIKE,
    minute_at,
    minute_of_text,
    spans_at,
)
from bot.logs.time_forms import Minute
from providers.patterns import compile_pattern

LevelOf = Callable[[bytes], str | None]
# How many places of digits that may mean a level are remembered in a line, how far back such a
# place reaches, and how many levels.
_MOST_DECISIVE: Final = 4
_LONGEST_DECISIVE: Final = 8
_MOST_LEVELS: Final = 64
_NOWHERE: Final = slice(0, 0)


@dataclass(frozen=True, slots=True)
class KnownLine:
    """The result of reading a line, and its places. Without a notation, such lines have no time."""

    form: str
    minute: slice
    behind: slice
    level: str | None
    # Whether more than the minute has to be read.
    needs_checks: bool = False
    # The digits that indicate the level, and their meanings.
    level_digits: slice | None = None
    level_of: LevelOf | None = None
    # The date, the time and the offset, if these are separate fields.
    parts: tuple[slice, ...] = ()
    # The time of a line of text within the line.
    inner: KnownLine | None = None
    # Whether digits before the time may be a time in another line.
    has_earlier_digits: bool = False
    # Digits that may indicate another level, and the levels of those seen so far.
    decisive: tuple[slice, ...] = ()
    levels: dict[bytes, str | None] = field(default_factory=dict)

    def learn(self, line: bytes, minute: Minute | None, level: str | None) -> None:
        """Remembers the level of another line, if its digits indicate one that is not known."""
        if not self.decisive or len(self.levels) >= _MOST_LEVELS:
            return
        # Without the time that such lines have, this line is of another kind.
        has_time = bool(self.form or self.parts)
        if has_time == (minute is not None) and minute == self._minute(line):
            self.levels[self._digits_in(line)] = level

    def _digits_in(self, line: bytes) -> bytes:
        return b" ".join([line[digits] for digits in self.decisive])

    def checked(self, line: bytes) -> tuple[Minute | None, str | None] | None:
        """The result for another line; None if it has to be read individually."""
        minute = self._minute(line)
        level = self.level
        if (self.form or self.parts) and minute is None:
            return None
        if self.inner and self.inner.form and not self.inner.minute_in(line):
            return None
        if line.startswith(b"{") and _holds_leading_zero(line):
            return None
        if self.decisive:
            digits = self._digits_in(line)
            return (minute, self.levels[digits]) if digits in self.levels else None
        if self.level_of and self.level_digits:
            level = self.level_of(line[self.level_digits])
            if level is None:
                return None
        return minute, level

    def minute_in(self, line: bytes) -> Minute | None:
        return times.minute_of(self.form, line[self.minute], line[self.behind])

    def _minute(self, line: bytes) -> Minute | None:
        if self.parts:
            date, time, offset = (line[part] for part in self.parts)
            return minute_of_text(fields.date_and_time(date, time, offset))
        if self.has_earlier_digits:
            head = line[:FAR_ENOUGH]
            found = at_start(head) or time_further_on(head)
            if found is None or spans_at(found) != (self.form, self.minute, self.behind):
                return None
        return self.minute_in(line) if self.form else None


# The first characters of a number in a JSON line that make it invalid.
_LEADING_ZERO: Final = compile_pattern(rb"(?:\": ?|[\[,-] ?)-?0\d")


def _holds_leading_zero(line: bytes) -> bool:
    # Searching for each costs much less than the pattern.
    if b'":0' in line or b'": 0' in line or b",0" in line or b", 0" in line or b"[0" in line:
        return _LEADING_ZERO.search(line) is not None
    return b"-0" in line and _LEADING_ZERO.search(line) is not None


# Places at which another digit may indicate another level, with digits replaced and in lower case:
# a number in a field or after a word, a priority, a bit mask.
_SHORT_NAME: Final = 4
_DIGITS_MATTER: Final = BytesAhoCorasick(
    [
        before + key.encode() + sign + b"0"
        for key in field_names.LEVEL_KEYS
        for before in ((b" ", b"\n", b'"', b",", b"{", b"\t") if len(key) < _SHORT_NAME else (b"",))
        for sign in (b"=", b'="', b"='", b":", b": ", b'":', b'": ', b'":"', b'": "')
    ]
    + [
        b"debug0",
        b"trace0",
        b"time_iso0000",
        b"\\u",
        b'<event xmlns="http://schemas.microsoft',
        b"<event xmlns='http://schemas.microsoft",
        b"\n<0",
        b" <0",
        b"(0x0000)",
    ]
)
# The severity of a Cisco or Huawei message, the letter of MongoDB, a WebSphere level.
_DIGITS_MATTER_TOO: Final = compile_pattern(
    rb"[=:]\"?[FEWIDfewid]\d\b|[0-9a-f]{8} [\w.$]{1,64} {1,14}[1-3] |\"[FEWIDfewid]\d\""
    rb"|LOG\d\[|\[\d\d\] \[cmk|%[A-Z][A-Z0-9_]{1,40}-(?:[A-Z0-9_]{1,40}-)?\d-|[A-Z0-9_]/\d/[A-Z]"
    rb"|\d\d:\d\d(?:\.\d{3})? \d: |\) \d |\]<\d>|!ENTRY [\w.]{1,100} \d "
)
_PRIORITY: Final = compile_pattern(rb"[ \t]{0,16}(?:\d{1,5} )?<(\d{1,3})>")
_SEVERITY_PLACES: Final = {"cisco", "huawei"}


def known_from(
    line: bytes, digits_alike: bytes, minute: Minute | None, level: str | None
) -> KnownLine | None:
    """What is known about lines that differ from this one only in digits; None if these may be read
    differently.
    """
    if line.startswith(CM_TRACE):
        return None
    if not _level_may_depend_on_digits(line, digits_alike):
        return _with_time(line, minute, level, None)
    digits = _digits_of_level(line)
    is_sure = digits is not None and digits[1](line[digits[0]]) == level
    if digits and is_sure:
        masked = _masked(line, digits_alike, digits[0])
        if _priority_of(line) or not _level_may_depend_on_digits(*masked):
            return _with_time(line, minute, level, digits)
    return _with_decisive_digits(line, digits_alike, minute, level)


def _with_decisive_digits(
    line: bytes, digits_alike: bytes, minute: Minute | None, level: str | None
) -> KnownLine | None:
    """What is known about lines that have the same digits in the places that may indicate a level."""
    decisive = _decisive_digits(line, digits_alike)
    known = _with_time(line, minute, level, None) if decisive else None
    if known is None or known.inner:
        return None
    known = replace(known, decisive=decisive, needs_checks=True, levels={})
    known.learn(line, minute, level)
    return known if known.checked(line) == (minute, level) else None


def _decisive_digits(line: bytes, digits_alike: bytes) -> tuple[slice, ...]:
    """The places at which digits may indicate a level; nothing if that is uncertain."""
    lowered = b"\n" + digits_alike.lower()
    ends = [end - 1 for _, _, end in _DIGITS_MATTER.find_matches_as_indexes(lowered)]
    if any(not line[end - 1 : end].isdigit() and line[end - 1 : end] != b")" for end in ends):
        return ()
    spans = [(max(0, end - _LONGEST_DECISIVE), _end_of_digits(line, end)) for end in ends]
    spans += [found.span() for found in _DIGITS_MATTER_TOO.finditer(line, 0, FAR_ENOUGH)]
    return tuple(slice(*span) for span in spans) if len(spans) <= _MOST_DECISIVE else ()


def _end_of_digits(line: bytes, at: int) -> int:
    while line[at : at + 1].isdigit():
        at += 1
    return at


def _priority_of(line: bytes) -> re.Match[bytes] | None:
    """The priority at the beginning of a line of text, which takes precedence over any other level."""
    return _PRIORITY.match(line) if is_text(line) else None


def _masked(line: bytes, digits_alike: bytes, digits: slice) -> tuple[bytes, bytes]:
    """The same without these digits."""
    mask = b"x" * (digits.stop - digits.start)
    return (
        line[: digits.start] + mask + line[digits.stop :],
        digits_alike[: digits.start] + mask + digits_alike[digits.stop :],
    )


def _level_may_depend_on_digits(line: bytes, digits_alike: bytes) -> bool:
    if _DIGITS_MATTER.find_matches_as_indexes(b"\n" + digits_alike.lower()):
        return True
    return _DIGITS_MATTER_TOO.search(line, 0, FAR_ENOUGH) is not None


def _digits_of_level(line: bytes) -> tuple[slice, LevelOf] | None:
    """The digits that indicate the level of a line, and their meanings."""
    priority = _priority_of(line)
    if priority:
        return slice(*priority.span(1)), levels.level_of_severity
    if not is_text(line):
        found = _fields_of(line)
        for name, read in field_names.field_order(tuple(found)).levels[:1]:
            if (at := _span_of(line, name, found)) and line[at].isdigit():
                return at, read
        return None
    head = line[:FAR_ENOUGH]
    time = at_start(head) or time_further_on(head)
    match = match_behind(head, time.end(), str(time.lastgroup)) if time else None
    if match and (place := str(match.lastgroup)) in _SEVERITY_PLACES:
        return slice(*match.span(place)), _level_of_severity_alone
    return None


def _level_of_severity_alone(value: bytes) -> str | None:
    return levels.level_of_severity(value) if value < b"8" else None


def _with_time(
    line: bytes,
    minute: Minute | None,
    level: str | None,
    digits: tuple[slice, LevelOf] | None,
) -> KnownLine | None:
    at, level_of = digits or (None, None)
    if is_text(line):
        return _of_text(line, minute, level, at, level_of)
    found = _fields_of(line)
    is_json = line.startswith(b"{")
    order = field_names.field_order(tuple(found))
    inner = None
    if is_json and _holds_inner(found) and not fields.level_of_fields(found):
        inner = _inner_line(line, found, level)
        if inner is None:
            return None
    if minute is None:
        return None
    if order.date_and_time:
        parts = tuple(_span_of(line, name, found) or _NOWHERE for name in order.date_and_time)
        known = KnownLine("", _NOWHERE, _NOWHERE, level, True, at, level_of, parts, inner)
        return known if known.checked(line) == (minute, level) else None
    time = _time_of_audit(line) or _time_of_field(line, order.times, found)
    if (
        time is None
        or minute_at(time) != minute
        or time.lastgroup in time_forms.FORMS_WITH_FIXED_DIGITS
    ):
        return None
    needs_checks = is_json or level_of is not None
    return KnownLine(*spans_at(time), level, needs_checks, at, level_of, (), inner)


def _of_text(
    line: bytes,
    minute: Minute | None,
    level: str | None,
    at: slice | None,
    level_of: LevelOf | None,
) -> KnownLine | None:
    if minute is None:
        if may_have_time(line):
            return None
        return KnownLine("", _NOWHERE, _NOWHERE, level, level_of is not None, at, level_of)
    head = line[:FAR_ENOUGH]
    time = at_start(head) or time_further_on(head)
    if time is None or minute_at(time) != minute or form_depends_on_digits(line, time):
        return None
    has_earlier = holds_earlier_time(line, time)
    needs_checks = has_earlier or level_of is not None
    return KnownLine(
        *spans_at(time), level, needs_checks, at, level_of, has_earlier_digits=has_earlier
    )


# Digits that may or may not be a year, after a time without one.
_YEAR_BEHIND: Final = compile_pattern(rb" (?:[A-Z]{3,4} |[+-]\d{4} )?\d{4}\b")


def form_depends_on_digits(line: bytes, time: re.Match[bytes]) -> bool:
    """Whether the notation of a time depends on digits before or after the minute."""
    if time.lastgroup in time_forms.FORMS_WITH_FIXED_DIGITS:
        return True
    if time.lastgroup != "syslog":
        return False
    year = line[max(0, time.start() - 5) : time.start()]
    return _YEAR_BEHIND.match(line, time.end()) is not None or year[:-1].isdigit()


def may_have_time(line: bytes) -> bool:
    return TIME_SIGN.search(line) is not None


_AUDIT: Final = b" msg=audit("
_INNER: Final = frozenset(("log", "event", *field_names.NESTED_LEVELS, *field_names.MESSAGES))


def _holds_inner(found: Mapping[str, fields.Value]) -> bool:
    """Whether a field may contain a line or other fields."""
    names = [name for name in found if name.lower() in _INNER]
    return any(
        name in ("log", "event")
        or bytes(found[name])[:2] in (b'"{', b'{"')
        or (name.lower() in field_names.MESSAGES and bytes(found[name]).startswith(b'"'))
        for name in names
    )


def _inner_line(
    line: bytes, found: Mapping[str, fields.Value], level: str | None
) -> KnownLine | None:
    """The place of the time in the line of text that a container wrote; None if the places of its
    digits do not determine it.
    """
    at = _span_of(line, "log", found)
    text = bytes(found.get("log", b""))
    if at is None or not text.startswith(b'"'):
        return None
    inner = text[1:-1].removesuffix(b"\\n")
    if b"\\" in inner or inner.startswith((b"{", b"[{")):
        return None
    reading = read_line(inner)
    known = known_from(inner, inner.translate(DIGITS_ALIKE), reading.minute, reading.level)
    if known is None or known.needs_checks or reading.level != level:
        return None
    minute, behind = (
        slice(part.start + at.start, part.stop + at.start) for part in (known.minute, known.behind)
    )
    return KnownLine(known.form, minute, behind, level)


def _fields_of(line: bytes) -> Mapping[str, fields.Value]:
    if line.startswith(b"{"):
        return fields.json_object(line) or {}
    return fields.pairs(line) if fields.looks_like_pairs(line) else fields.labelled(line)


def _time_of_audit(line: bytes) -> re.Match[bytes] | None:
    at = line.find(_AUDIT, 0, FAR_ENOUGH)
    return TIME_FIRST.match(line, at + len(_AUDIT)) if at >= 0 else None


def _time_of_field(
    line: bytes, names: tuple[str, ...], found: Mapping[str, fields.Value]
) -> re.Match[bytes] | None:
    """The time of the first field that may contain it."""
    at = _span_of(line, names[0], found) if names else None
    if at is None:
        return None
    text = line[at]
    start = at.start + len(text) - len(text.lstrip(b" \t[]"))
    return TIME_FIRST.match(line, start, at.stop)


def _span_of(line: bytes, name: str, found: Mapping[str, fields.Value]) -> slice | None:
    """The place of a field's value as written; None if that is uncertain."""
    value = bytes(found.get(name, b""))
    if not value:
        return None
    if line.startswith(b"{"):
        quoted = b'"%s"' % name.encode()
        match = _COLON.match(line, line.find(quoted) + len(quoted))
        is_certain = line.count(quoted) == 1 and match is not None
        start = match.end() if match else 0
    else:
        match = compile_pattern(
            rb"(?<![\w.@-])(?i:%s)(?:=\"?|:)" % re.escape(name.encode())
        ).search(line)
        is_certain = match is not None
        start = match.end() if match else 0
    if not is_certain or not line.startswith(value, start):
        return None
    is_quoted = value.startswith(b'"')
    return slice(start + is_quoted, start + len(value) - is_quoted)


_COLON: Final = compile_pattern(rb" ?: ?")
