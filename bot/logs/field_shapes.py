"""Lines that have their time and their level in fields: JSON after a time or the name of a
container, and `key=value` pairs. They are counted block by block, with a short look at each line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ahocorasick_rs import BytesAhoCorasick

from bot.logs import field_names, fields, time_forms, times
from bot.logs.cm_traces import CM_TRACE, CmTraceShape
from bot.logs.grammar import COMPOSED_JSON, FAR_ENOUGH, JSON_BEHIND_NAME, TIME_FIRST
from bot.logs.json_shapes import JsonShape, json_shape_of
from bot.logs.lines import (
    read_line,
)
from bot.logs.minutes import CountedBlock, minute_like
from bot.logs.readings import (
    minute_at,
    spans_at,
)
from bot.logs.shapes import beginning_of, with_any_digits
from bot.logs.time_forms import Minute
from providers.patterns import compile_pattern

# Longer lines are not used as a model for others.
LONGEST_LEARNED: Final = 8192


@dataclass(frozen=True, slots=True)
class FieldShape:
    """The beginning and the end of each line, and the fields that contain its time and its level."""

    opening: bytes
    ending: bytes
    form: str
    behind: bytes
    time: re.Pattern[bytes]
    level: re.Pattern[bytes] | None
    level_field: str
    # The level of lines without a level.
    constant: str
    # Text that every line must contain, and text that no line may contain.
    keys: tuple[bytes, ...]
    never: BytesAhoCorasick

    def count(self, text: bytes) -> CountedBlock | None:
        """Counts a text with a line end before each line; None if any line is different."""
        lines = text.count(b"\n")
        if text.count(b"\n" + self.opening) != lines:
            return None
        if self.ending and text.count(self.ending + b"\n") + text.endswith(self.ending) != lines:
            return None
        minutes = self.time.findall(text)
        words = self.level.findall(text) if self.level else ()
        if (
            len(minutes) != lines
            or (self.level and len(words) != lines)
            or self._has_other_fields(text)
        ):
            return None
        levels: Counter[str] = Counter({self.constant: lines} if self.constant else {})
        for word, count in Counter(words).items():
            level = field_names.LEVEL_KEYS[self.level_field](word)
            if level is None:
                return None
            levels[level] += count
        if not self._are_in_each(text, lines):
            return None
        return CountedBlock(levels, Counter(minutes), minutes[-1])

    def minute(self, written: bytes) -> Minute | None:
        return times.minute_of(self.form, written, self.behind)

    def _has_other_fields(self, text: bytes) -> bool:
        if self.ending:
            return bool(self.never.find_matches_as_indexes(text))
        return fields.has_pair(self.never, text)

    def _are_in_each(self, text: bytes, lines: int) -> bool:
        """Whether the fields are in every line, outside of any object in it."""
        own_braces = 1 + sum(key.count(b"{") for key in self.keys)
        is_flat = self.ending != b"}" or text.count(b"{") == lines * own_braces
        for line in text[1:].split(b"\n"):
            for key in self.keys:
                at = line.find(key)
                if at < 0:
                    return False
                if not is_flat and line.count(b"{", 0, at + len(key)) > own_braces:
                    return False
                if at > fields.MOST_OF_PAIRS and self.ending != b"}":
                    return False
        return True


@dataclass(frozen=True, slots=True)
class NamedJsonShape:
    """JSON with its own time after the names of its writers, which may differ from line to line."""

    json: JsonShape

    def count(self, text: bytes) -> CountedBlock | None:
        """Counts a text with a line end before each line; None if any line is different."""
        objects, found = _NAMES.subn(b"\n", text)
        return self.json.count(objects) if found == text.count(b"\n") else None

    def minute(self, written: bytes) -> Minute | None:
        return self.json.minute(written)


_NAMES: Final = compile_pattern(rb"\n(?:" + JSON_BEHIND_NAME.pattern + rb")")
BlockShape = FieldShape | JsonShape | NamedJsonShape | CmTraceShape


def field_shape_of(line: bytes) -> BlockShape | None:
    """The shape of a line that has its time in its fields or before them."""
    if len(line) > LONGEST_LEARNED:
        return None
    head = line[:FAR_ENOUGH]
    if line.startswith(b"{"):
        return json_shape_of(line)
    if line.startswith(CM_TRACE):
        return CmTraceShape()
    if composed := COMPOSED_JSON.match(head):
        return _of_composed_json(line, composed.end())
    if fields.looks_like_pairs(head):
        return _of_pairs(line)
    if named := JSON_BEHIND_NAME.match(head):
        shape = json_shape_of(line[named.end() :])
        return NamedJsonShape(shape) if shape else None
    return _of_json_behind_time(line)


def _of_composed_json(line: bytes, at: int) -> FieldShape | None:
    body = line[at:].rstrip(b"\r")
    reading = read_line(line)
    found = fields.json_fields(body)
    if not found or not reading.minute or field_names.has_own_numbers(found):
        return None
    if not body.endswith(b"}"):
        return None
    time_field = next((key for key in field_names.TIME_KEYS if key in found), "")
    written = _json_key(body, time_field, found)
    time = TIME_FIRST.match(body, written.end()) if written else None
    if written is None or time is None or minute_at(time) != reading.minute:
        return None
    form, minute_at_, behind_at = spans_at(time)
    minute, _ = minute_like(body[minute_at_], form)
    behind = body[behind_at]
    end = time_forms.FORM_OF[form].rest + re.escape(behind) + rb"(?=[\",}])"
    pattern = compile_pattern(re.escape(written[0]) + rb"(" + minute + rb")" + end)
    earlier = [*field_names.TIME_KEYS[: field_names.TIME_KEYS.index(time_field)], "date"]
    opening = line[:at] + body[:2]
    return _with_level(
        body,
        found,
        reading.level,
        (opening, form, behind, pattern),
        written[0],
        [key for key in earlier if key != time_field],
    )


def _of_json_behind_time(line: bytes) -> FieldShape | None:
    """A time, possibly a program or a container, and JSON."""
    beginning = beginning_of(line)
    brace = line.find(b'{"', beginning.end, FAR_ENOUGH) if beginning else -1
    if beginning is None or beginning.has_priority or brace < 0:
        return None
    body = line[brace:].rstrip(b"\r")
    level = read_line(line).level
    found = fields.json_fields(body)
    if not found or not level or not body.endswith(b"}") or field_names.has_own_numbers(found):
        return None
    header = (
        with_any_digits(line[beginning.end : brace + 2])
        .replace(b"stdout", b"std(?:out|err)")
        .replace(b"stderr", b"std(?:out|err)")
    )
    pattern = compile_pattern(
        rb"\n" + beginning.before + rb"(" + beginning.minute + rb")" + beginning.rest + header
    )
    return _with_level(
        body, found, level, (b"", beginning.form, beginning.behind, pattern), b"", []
    )


def _with_level(
    body: bytes,
    found: Mapping[str, fields.Value],
    level: str | None,
    beginning: tuple[bytes, str, bytes, re.Pattern[bytes]],
    time_key: bytes,
    earlier_times: list[str],
) -> FieldShape | None:
    """The shape of JSON whose time is at a known place."""
    opening, form, behind, time = beginning
    level_fields = [key for key in field_names.LEVEL_KEYS if key in found]
    keys = [time_key] if time_key else []
    never = list(earlier_times)
    pattern = None
    field = ""
    constant = ""
    if level_fields:
        field = level_fields[0]
        written = _json_key(body, field, found)
        value = (
            compile_pattern(rb"[\w.-]{1,16}(?=[\",}])").match(body, written.end())
            if written
            else None
        )
        if written is None or value is None or field_names.LEVEL_KEYS[field](value[0]) != level:
            return None
        pattern = compile_pattern(re.escape(written[0]) + rb"([\w.-]{1,16})(?=[\",}])")
        keys.append(written[0])
        never += list(field_names.LEVEL_KEYS)[: list(field_names.LEVEL_KEYS).index(field)]
    else:
        if level and not ("@t" in found and "@mt" in found):
            return None
        constant = level or ""
        keys += [b'"@mt":'] if level else []
        never += [*field_names.LEVEL_KEYS, *field_names.NESTED_LEVELS, *([] if level else ["@t"])]
    spelt = [
        b'"' + each.encode() + b'"'
        for key in dict.fromkeys([*never, field, *field_names.names_with_own_numbers()])
        for each in field_names.spellings_of(key)
        if key
    ]
    used = [key.partition(b":")[0].rstrip() for key in keys]
    scan = BytesAhoCorasick([each for each in spelt if each not in used] or [b"\0"])
    return FieldShape(
        opening, b"}", form, behind, time, pattern, field, constant, tuple(keys), scan
    )


def _json_key(body: bytes, field: str, found: Mapping[str, fields.Value]) -> re.Match[bytes] | None:
    """The name of an outermost field and what comes before its value, which may be the first field
    of an object.
    """
    if not field or field not in found:
        return None
    match = compile_pattern(
        rb'"(?i:'
        + re.escape(field.encode())
        + rb')" ?: ?(?:\{"(?:\$date|epochSecond|seconds)" ?: ?)?"?'
    ).search(body)
    if match is None:
        return None
    depth = body.count(b"{", 0, match.start()) - body.count(b"}", 0, match.start())
    return match if depth == 1 else None


def _of_pairs(line: bytes) -> FieldShape | None:
    reading = read_line(line)
    found = fields.pairs(line)
    if not reading.minute or not reading.level or found.get("msg", b"").startswith(b"audit("):
        return None
    time_field = next((key for key in field_names.TIME_KEYS if key in found), "")
    field = next((key for key in field_names.LEVEL_KEYS if key in found), "")
    text = b"\n" + line
    written = _pair_key(text, time_field)
    level = _pair_key(text, field)
    time = TIME_FIRST.match(text, written.end()) if written else None
    if written is None or level is None or time is None or minute_at(time) != reading.minute:
        return None
    if field_names.LEVEL_KEYS[field](found[field][: field_names.LONGEST_LEVEL]) != reading.level:
        return None
    form, minute_at_, behind_at = spans_at(time)
    minute, _ = minute_like(text[minute_at_], form)
    behind = text[behind_at]
    end = rb"(?=[\"\s]|\Z)"
    time_pattern = compile_pattern(
        re.escape(written[0])
        + rb"("
        + minute
        + rb")"
        + time_forms.FORM_OF[form].rest
        + re.escape(behind)
        + end
    )
    level_pattern = compile_pattern(re.escape(level[0]) + rb"([\w.-]{1,16})" + end)
    never = [
        *field_names.TIME_KEYS[: field_names.TIME_KEYS.index(time_field)],
        *list(field_names.LEVEL_KEYS)[: list(field_names.LEVEL_KEYS).index(field)],
        "date",
    ]
    keys = tuple(key[0].lstrip(b"\n") for key in (written, level))
    return FieldShape(
        line[: line.index(b"=") + 1],
        b"",
        form,
        behind,
        time_pattern,
        level_pattern,
        field,
        "",
        keys,
        BytesAhoCorasick([key.encode() + b"=" for key in never]),
    )


def _pair_key(text: bytes, field: str) -> re.Match[bytes] | None:
    """The name of a field, with the blank before it."""
    return (
        compile_pattern(rb"[ \n](?i:" + re.escape(field.encode()) + rb")=\"?").search(text)
        if field
        else None
    )
