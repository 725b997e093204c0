"""Decodes the JSON lines of one log block by block: only the fields with the time and the level are
extracted, and every line is checked for being complete.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final, Literal

import msgspec
from ahocorasick_rs import BytesAhoCorasick, Implementation

from bot.logs import field_names, fields, levels, time_forms, times
from bot.logs.candidates import fast_scan_of
from bot.logs.envelopes import ENVELOPES
from bot.logs.grammar import TIME_FIRST
from bot.logs.lines import (
    read_line,
)
from bot.logs.minutes import CountedBlock, any_digits_of, minute_like, seconds_like
from bot.logs.readings import (
    DIGITS_ALIKE,
    TIME_OPENING,
    minute_at,
    spans_at,
)
from bot.logs.time_forms import Minute
from providers.patterns import compile_pattern

_END_OF_TIME: Final = rb"(?=[\",}\n]|\Z)"
# Fields that contain a line of text or records.
_INNER: Final = (*field_names.NESTED_LEVELS, *field_names.MESSAGES, *ENVELOPES)
# Decoded to one string each, which is counted without reading its characters again.
_COMMON_WORDS: Final[Any] = Literal[
    tuple(
        spelt
        for word in ("fatal", "critical", "error", "warning", "warn", "info", "debug", "trace")
        for spelt in (word, word.upper(), word.capitalize())
    )
]
# A field with more different values than this in a block contains few levels, if any.
_MANY_VALUES: Final = 64
# The first letters of level values, in lower case.
_LEVEL_STARTS: Final = fast_scan_of(
    [b'\n"' + word for word in levels.LEVEL_OF_WORD]
    + [b'\n"%s"' % word for word in levels.LEVEL_OF_FIELD]
    + [b'\n"' + sign for sign in (b" ", b"\t", b"\\", b"\r")]
    + [b"\n{"]
    + [b"\n" + quote + b"%d" % digit for quote in (b"", b'"') for digit in range(10)]
)
_LEVEL_KEYS: Final = tuple(field_names.LEVEL_KEYS)
# Several objects in one line; a line that begins with blanks.
_TWO_OBJECTS: Final = (
    *(b"}{", b"} {", b"}\t", b"}\r{", b"}\r ", b"}  ", b"} \t", b"} \r"),
    *(b"\n ", b"\n\t", b"\n\r"),
)
_LEVEL_ENDS: Final = fast_scan_of(end + b'"' for end in field_names.LEVEL_ENDS)
_LOG: Final = "log"


@dataclass(frozen=True, slots=True)
class _LevelField:
    """The field with the level, and the object that contains it if it is not an outermost field."""

    name: str
    parent: str | None = None


class JsonShape:
    """Counts blocks of JSON lines that have the same two fields as an example line."""

    def __init__(
        self, example: bytes, found: Mapping[str, fields.Value], level: _LevelField | None
    ) -> None:
        self._example = example
        self._level_name = level.name if level else None
        self._parent = level.parent if level else None
        self._time_name = _time_key(found)
        self._text_name = None if level else _text_key(found)
        self._constant = "info" if level is None and "@mt" in found else None
        names = _spelt_as_in(example)
        # The first is faster, and fails if a level is not written as a common word.
        self._decoders = [
            msgspec.json.Decoder(self._kind(names, level_type))
            for level_type in (_COMMON_WORDS, msgspec.Raw)
        ]
        self._times = _times_like(bytes(found[self._time_name]))
        used = {names[key] for key in self._used() if key in names}
        self._never = _scan_of(self._counting_instead(), used, _TWO_OBJECTS)
        self._other_levels = _scan_of((*_LEVEL_KEYS, *_INNER), used)
        # How often a line contains a name with an ending of level names.
        self._own_ends = (
            len(_LEVEL_ENDS.find_matches_as_indexes(b'%s"' % level.name.encode())) if level else 0
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # A decoder cannot be pickled.
        return json_shape_of, (self._example,)

    def count(self, text: bytes) -> CountedBlock | None:
        """Counts a text with a line end before each line; None if any line is different or damaged."""
        if not _may_be_objects(text) or self._never.find_matches_as_indexes(text):
            return None
        rows = self._rows_of(text)
        # The decoder treats line ends as blanks. If no line has two objects, as many objects as
        # lines means one object per line.
        if len(rows) != text.count(b"\n"):
            return None
        minutes = self._times.minutes_in([row.time for row in rows])
        found = self._levels_of(rows, text)
        texts = self._texts_of(rows)
        if minutes is None or found is None or texts is None:
            return None
        return CountedBlock(found, *minutes, texts)

    def minute(self, written: bytes) -> Minute | None:
        return times.minute_of(self._times.form, written, self._times.behind)

    def _rows_of(self, text: bytes) -> list[Any]:
        """The fields of each line; none if any line lacks them or is damaged."""
        for decoder in self._decoders:
            with contextlib.suppress(msgspec.DecodeError, RecursionError, ValueError):
                return decoder.decode_lines(text)
        return []

    def _levels_of(self, rows: list[Any], text: bytes) -> Counter[str] | None:
        if self._level_name is None:
            if self._has_other_ends(text, len(rows)):
                return None
            return Counter({self._constant: len(rows)} if self._constant else {})
        holders = [row.parent for row in rows] if self._parent else rows
        values = [holder.level for holder in holders]
        written = values if isinstance(values[0], str) else map(bytes, values)
        found: Counter[str] = Counter()
        is_sure = True
        counted = Counter(written)
        if len(counted) > _MANY_VALUES:
            is_sure = False
            counted = _with_levels(counted)
        for value, count in counted.items():
            level = self._level_of(value if isinstance(value, bytes) else value.encode())
            is_sure = is_sure and level is not None
            found[level or ""] += count
        del found[""]
        # If one field contains no level, another may.
        if not is_sure and (
            self._other_levels.find_matches_as_indexes(text)
            or self._has_other_ends(text, len(rows))
        ):
            return None
        return found

    def _has_other_ends(self, text: bytes, lines: int) -> bool:
        """Whether the name of a field may end like a level without being in a list."""
        found = _LEVEL_ENDS.find_matches_as_indexes(text.lower())
        return len(found) != lines * self._own_ends

    def _texts_of(self, rows: list[Any]) -> str | None:
        """The lines of text within the lines; None if any line contains several."""
        if self._text_name is None:
            return ""
        if self._text_name == _LOG:
            texts = [row.text.rstrip("\r\n") for row in rows]
        else:
            messages = (row.text.strip() for row in rows)
            texts = [
                text.partition("\n")[0].rstrip("\r")
                for text in messages
                if fields.is_whole_line(text.encode("utf-8", "surrogatepass"))
            ]
        joined = "\n".join(texts)
        return None if joined.count("\n") >= max(len(texts), 1) else joined + "\n" * bool(texts)

    def _level_of(self, value: bytes) -> str | None:
        assert self._level_name
        if self._parent in field_names.NUMBERS_ARE_NO_LEVELS and value[:1] in b"0123456789":
            return None
        return fields.level_of_value(value, field_names.LEVEL_KEYS[self._level_name])

    def _inner_instead(self) -> Iterable[str]:
        """The fields that would take precedence over the one that contains a line or other fields."""
        if self._text_name in field_names.MESSAGES:
            later = field_names.MESSAGES[field_names.MESSAGES.index(self._text_name) + 1 :]
            return [name for name in _INNER if name not in later]
        return _INNER

    def _kind(self, names: Mapping[str, str], level_type: Any) -> type[msgspec.Struct]:
        """The type of the fields to decode."""
        kinds: list[tuple[str, Any]] = [("time", msgspec.Raw)]
        spelt = {"time": names[self._time_name]}
        if self._parent and self._level_name:
            nested = msgspec.defstruct(
                "Parent",
                [("level", level_type)],
                rename={"level": names[self._level_name]},
                gc=False,
            )
            kinds.append(("parent", nested))
            spelt["parent"] = names[self._parent]
        elif self._level_name:
            kinds.append(("level", level_type))
            spelt["level"] = names[self._level_name]
        elif self._text_name:
            kinds.append(("text", str))
            spelt["text"] = names[self._text_name]
        elif self._constant:
            kinds.append(("template", msgspec.Raw))
            spelt["template"] = names["@mt"]
        # Thousands of them are short-lived; the garbage collector does not have to track them.
        return msgspec.defstruct("Line", kinds, rename=spelt, gc=False)

    def _used(self) -> Iterable[str]:
        """The fields that may be in a line although they would count in other lines."""
        yield self._time_name
        yield from (name for name in (self._level_name, self._parent, self._text_name) if name)
        if self._constant:
            yield "@t"

    def _counting_instead(self) -> Iterable[str]:
        """The fields that would provide the time or the level if a line had them."""
        yield from field_names.TIME_KEYS[: field_names.TIME_KEYS.index(self._time_name)]
        yield from (self._time_name, "date", *ENVELOPES, *field_names.names_with_own_numbers())
        if self._level_name is None:
            yield from (*_LEVEL_KEYS, *self._inner_instead(), "@t")
        elif self._parent:
            yield from _LEVEL_KEYS
            yield from field_names.NESTED_LEVELS[: field_names.NESTED_LEVELS.index(self._parent)]
        else:
            yield from _LEVEL_KEYS[: _LEVEL_KEYS.index(self._level_name) + 1]


def json_shape_of(line: bytes) -> JsonShape | None:
    """The shape of a JSON line that has its time in a field; None if more than two fields are
    needed.
    """
    reading = read_line(line)
    found = fields.json_fields(line)
    if not found or not reading.minute or field_names.has_own_numbers(found):
        return None
    time = _time_key(found)
    if not time or not line.rstrip(b"\r").endswith(b"}") or not found.keys().isdisjoint(ENVELOPES):
        return None
    level = _level_field(found)
    try:
        shape = JsonShape(line, found, level)
    except ValueError:
        return None
    counted = shape.count(b"\n" + line)
    is_same = (
        counted is not None
        and shape.minute(counted.last) == reading.minute
        and [*counted.levels] == ([reading.level] if reading.level and not counted.texts else [])
    )
    return shape if is_same else None


def _time_key(found: Mapping[str, fields.Value]) -> str:
    return next((key for key in field_names.TIME_KEYS if key in found), "")


def _text_key(found: Mapping[str, fields.Value]) -> str | None:
    """The field with a line of text, as Docker writes it, or with JSON."""
    if _LOG in found:
        return _LOG if bytes(found[_LOG]).startswith(b'"') else None
    return next(
        (key for key in field_names.MESSAGES if bytes(found.get(key, b"")).startswith(b'"')), None
    )


def _level_field(found: Mapping[str, fields.Value]) -> _LevelField | None:
    outermost = next((key for key in _LEVEL_KEYS if key in found), None)
    if outermost:
        return _LevelField(outermost)
    for parent in field_names.NESTED_LEVELS:
        nested = fields.json_fields(bytes(found[parent])) if parent in found else None
        if nested and (name := next((key for key in _LEVEL_KEYS if key in nested), None)):
            return _LevelField(name, parent)
    return None


def _spelt_as_in(line: bytes) -> dict[str, str]:
    """Maps field names in lower case to their spelling in the line."""
    names: dict[str, str] = {}
    for parent in ("", *field_names.NESTED_LEVELS):
        body = line
        if parent:
            found = fields.json_fields(line) or {}
            body = bytes(found.get(parent, b""))
        if body.startswith(b"{"):
            decoded = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
            for name in decoded:
                names.setdefault(name.lower(), name)
    return names


@dataclass(frozen=True, slots=True)
class _Times:
    """How the values of the time field are written: the form, what belongs to a time behind the
    seconds, a pattern of such values, and one of a run of values of one minute.
    """

    form: str
    behind: bytes
    digits_alike: bytes
    pattern: re.Pattern[bytes]
    run: re.Pattern[bytes]

    def minutes_in(self, values: list[msgspec.Raw]) -> tuple[Counter[bytes], bytes] | None:
        """How many values have each minute, and the last one; None if any are written differently."""
        joined = b"\n" + b"\n".join(values)
        # Most logs write every time with the same number of digits, so that a run of one minute is
        # one match.
        if joined.translate(DIGITS_ALIKE) == self.digits_alike * len(values):
            minutes: Counter[bytes] = Counter()
            minute = b""
            step = len(self.digits_alike)
            for run in self.run.finditer(joined):
                minute = run[1]
                minutes[minute] += (run.end() - run.start()) // step
            return (minutes, minute) if minutes.total() == len(values) else None
        found = self.pattern.findall(joined)
        return (Counter(found), found[-1]) if len(found) == len(values) else None


def _times_like(written: bytes) -> _Times:
    """The notation of a value that contains a time; ValueError if it contains none."""
    opening = TIME_OPENING.match(written)
    time = TIME_FIRST.match(written, opening.end() if opening else 0)
    if time is None or minute_at(time) is None:
        raise ValueError("no time")
    form, minute_span, behind_span = spans_at(time)
    minute, _ = minute_like(written[minute_span], form)
    behind = written[behind_span]
    pattern = compile_pattern(
        rb"\n"
        + re.escape(written[: minute_span.start])
        + rb"("
        + minute
        + rb")"
        + time_forms.FORM_OF[form].rest
        + re.escape(behind)
        + _END_OF_TIME
    )
    digits_alike = b"\n" + written.translate(DIGITS_ALIKE)
    before = rb"\n" + re.escape(written[: minute_span.start])
    seconds = seconds_like(written[minute_span.stop : behind_span.start], form)
    # All values have the same length as this one, so this many bytes are skipped at once.
    rest = rb"(?s:.{%d})" % (len(written) - minute_span.stop)
    if form in time_forms.FORMS_WITH_FIXED_DIGITS or any_digits_of(behind) != re.escape(behind):
        # Unlike all other digits, those of an offset have to be the same.
        rest = seconds + re.escape(behind) + any_digits_of(written[behind_span.stop :])
    same = any_digits_of(written[minute_span])
    run = compile_pattern(
        before + rb"(" + same + rb")" + rest + rb"(?:" + before + rb"(?:\1)" + rest + rb")*+"
    )
    return _Times(form, behind, digits_alike, pattern, run)


def _scan_of(keys: Iterable[str], used: set[str], others: Iterable[bytes] = ()) -> BytesAhoCorasick:
    spelt = dict.fromkeys(name for key in keys for name in field_names.spellings_of(key))
    return BytesAhoCorasick(
        [*(b'"%s"' % name.encode() for name in spelt if name not in used), *others],
        implementation=Implementation.DFA,
    )


def _with_levels(counted: Counter[bytes]) -> Counter[bytes]:
    """The values that begin like a level."""
    values = [*counted]
    joined = b"\n" + b"\n".join(values).lower()
    starts = {start for _, start, _ in _LEVEL_STARTS.find_matches_as_indexes(joined)}
    ends = accumulate((len(value) + 1 for value in values), initial=0)
    return Counter({v: counted[v] for v, at in zip(values, ends, strict=False) if at in starts})


def _may_be_objects(text: bytes) -> bool:
    return text.startswith(b"\n{") and (text.isascii() or _is_utf8(text))


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
