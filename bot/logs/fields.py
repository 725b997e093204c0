"""Lines with named fields: JSON, and `key=value` pairs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from ahocorasick_rs import BytesAhoCorasick

from bot.logs import field_names
from bot.logs.grammar import ANSI, TIME_FIRST
from providers.patterns import compile_pattern

# A value as written in JSON, or its text.
Value = bytes | msgspec.Raw
# The first bytes of fields that are not a level in another field. Loguru's are objects.
_PASSED_OVER_IN: Final = {
    **dict.fromkeys(field_names.NUMBERS_ARE_NO_LEVELS, b"{0123456789"),
    "record": b"[",
}
# Of an object used as a level.
_NAMES_OF_LEVEL: Final = ("name", "text", "label", "level", "levelStr", "Name")
_HOLDS_DATE: Final = compile_pattern(
    rb"(?:19|20)\d\d[-/.]?\d\d[-/.]?\d\d|1\d{9}(?:\d{3}){0,3}(?:\.\d{1,9})?\s{0,2}$"
    rb"|\d{1,2}[/. -](?:[A-Za-z]{3}|\d{1,2})[/. -]\d{4}|(?:[A-Z][a-z]{2}, ?)?[A-Z][a-z]{2} \d"
)
_PAIR: Final = compile_pattern(
    rb"(?<![\w.@-])([\w.@-]{1,64}+)=(?:\"((?:[^\"\\]|\\.){0,512}+)\"?|([^\s\"]{0,512}+))"
)
_STARTS_WITH_PAIR: Final = compile_pattern(rb"(?:<\d{1,3}>)?+[A-Za-z_@][\w.@-]{0,63}=[^\s=]")
# Of the name of a field, in lower case.
NAME_BYTES: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_.@-")
# Pairs are looked for up to this far into a line.
MOST_OF_PAIRS: Final = 4096
_OBJECT_STARTS: Final = (b"{", b" ", b"\t", b"\r", b"\n")
_DECODER: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
# In JSON, and as Python, Ruby, Java, Go, Elixir and Clojure write fields: `'level': 'error'`,
# `:level=>"error"`, `level=ERROR, `, `level:error `, `level: :error`, `:level :error`.
_KEYED_TIME: Final = compile_pattern(
    rb"(?<=[\"':{\[(, ])(?:@?time(?:stamp)?|ts|t|datetime)[\"']? ?(?:=>|[:=]| (?=[\"#])) ?(?:#inst )?[\"']?([^\"'\n,})]{4,64})",
    re.IGNORECASE,
)
_KEYED_LEVEL: Final = compile_pattern(
    rb"(?<=[\"':{\[(, ])(?:level|severity|lvl|levelname|log\.level)[\"']? ?(?:=>|[:=]| (?=[:\"])) ?[\"':]?([\w@]{1,16})",
    re.IGNORECASE,
)
_STARTS_AS_VALUE: Final = compile_pattern(
    rb"map\[[\w.@-]{1,64}:|%\{[a-z]\w{0,63}: |[A-Z]\w{0,40}[({][\w.@-]{1,64}="
)
# level=error|time=…, level=error;time=…
_STARTS_GLUED: Final = compile_pattern(
    rb"[A-Za-z_][\w.@-]{0,63}=(?:[^\s=\"|;,]{0,64}|\"[^\"\n]{0,64}\")[|;,]\w"
)
_GLUE: Final = compile_pattern(rb"[|;,](?=[A-Za-z_][\w.@-]{0,63}=)")


# Labelled values, as in http://ltsv.org: `time:…<tab>level:…`
_LABELLED: Final = compile_pattern(
    rb"(?:time|ts|timestamp|host|remote_addr|remotehost|level):[^\t\n]{1,200}\t[A-Za-z_][\w.-]{0,32}:"
)
_OFFSET: Final = compile_pattern(rb"[+-]\d{4}")


def json_object(line: bytes) -> dict[str, msgspec.Raw] | None:
    """The fields of a JSON object, with their values as written; None if it is not one."""
    if not line.startswith(_OBJECT_STARTS):
        return None
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None


def json_fields(line: bytes) -> dict[str, Value] | None:
    """The same by their names in lower case."""
    found = json_object(line)
    return None if found is None else {key.lower(): value for key, value in found.items()}


def text_of(written: Value) -> bytes:
    """The content of a JSON value: the text of a string, anything else as written."""
    value = bytes(written)
    if not value.startswith(b'"'):
        return value
    if b"\\" not in value:
        return value[1:-1]
    try:
        return msgspec.json.decode(value, type=str).encode("utf-8", "surrogatepass")
    except (msgspec.DecodeError, ValueError):
        return value[1:-1]


def looks_labelled(line: bytes) -> bool:
    """Whether a line consists of labels and values separated by tabs."""
    return _LABELLED.match(line) is not None


def labelled(line: bytes) -> dict[str, bytes]:
    """The values of such a line by their labels in lower case."""
    found: dict[str, bytes] = {}
    for column in line[:MOST_OF_PAIRS].split(b"\t"):
        label, colon, value = column.partition(b":")
        if colon:
            found.setdefault(label[:64].decode("ascii", "replace").lower(), value)
    return found


def broken_json_fields(line: bytes) -> dict[str, bytes]:
    """The time and the level of JSON that is cut off or damaged."""
    found: dict[str, bytes] = {}
    if time := _KEYED_TIME.search(line[:8192]):
        found["time"] = time[1]
    if level := _KEYED_LEVEL.search(line[:8192]):
        found["level"] = level[1]
    return found


def looks_like_value(line: bytes) -> bool:
    """Whether a line is an object in the notation of Go or Java."""
    return _STARTS_AS_VALUE.match(line) is not None


def looks_like_pairs(line: bytes, at: int = 0) -> bool:
    """Whether `key=value` pairs begin here."""
    return _STARTS_WITH_PAIR.match(line, at) is not None


def pairs(line: bytes, at: int = 0) -> dict[str, bytes]:
    """The `key=value` pairs from this place, by their names in lower case. Words between them are
    skipped.
    """
    found: dict[str, bytes] = {}
    text = line[at : at + MOST_OF_PAIRS]
    if _STARTS_GLUED.match(text):
        text = _GLUE.sub(b" ", text)
    for key, quoted, bare in _PAIR.findall(text):
        found.setdefault(key.decode().lower(), quoted or bare.rstrip(b",;").strip(b"'"))
    return found


def has_pair(names: BytesAhoCorasick, text: bytes) -> bool:
    """Whether a text contains one of these field names, given in lower case with their sign."""
    lowered = text.lower()
    return any(
        not start or lowered[start - 1] not in NAME_BYTES
        for _, start, _ in names.find_matches_as_indexes(lowered, overlapping=True)
    )


def level_of_value(value: bytes, read: field_names.LevelReader) -> str | None:
    """The level in a value as written: a text, a number, or an object with a name."""
    if value.startswith(b"{"):
        named = json_object(value) or {}
        texts = (text_of(named[name]) for name in _NAMES_OF_LEVEL if name in named)
        return next(
            (level for text in texts if (level := read(text[: field_names.LONGEST_LEVEL]))), None
        )
    text = text_of(value)
    if b"\x1b" in text:
        text = ANSI.sub(b"", text[: 4 * field_names.LONGEST_LEVEL])
    return read(text[: field_names.LONGEST_LEVEL])


def level_of_fields(fields: Mapping[str, Value], passed_over: bytes = b"") -> str | None:
    """The level in the fields, or one level further down. Values that begin with one of the bytes
    of `passed_over` are ignored.
    """
    order = field_names.field_order(tuple(fields))
    for name, read in order.levels:
        value = bytes(fields[name])
        if value[:1] in passed_over and passed_over:
            continue
        if level := level_of_value(value, read):
            return level
    if not passed_over:
        for name in order.nested_levels:
            flat = _PASSED_OVER_IN.get(name.lower(), b"{")
            nested = json_object(bytes(fields[name]))
            if nested and (level := level_of_fields(nested, flat)):
                return level
    return order.implied_level


def date_and_time(date: bytes, time: bytes, offset: bytes) -> bytes:
    """The time in these three fields."""
    zone = _OFFSET.fullmatch(offset)
    return date + b" " + time + (zone[0] if zone else b"")


def times_of_fields(fields: Mapping[str, Value]) -> Iterable[bytes]:
    """Values that may be the time, the most likely first."""
    order = field_names.field_order(tuple(fields))
    if order.date_and_time:
        yield date_and_time(*(text_of(fields.get(name, b"")) for name in order.date_and_time))
    for name in order.times:
        yield from _texts_of_time(bytes(fields[name]))
    for name in order.nested_times:
        if inner := json_object(bytes(fields[name])):
            for key in field_names.field_order(tuple(inner)).times:
                yield from _texts_of_time(bytes(inner[key]))
    for name in order.other_times:
        if _HOLDS_DATE.match(text := text_of(fields[name])):
            yield text


# {"$date": "…"}, {"seconds": 1, "nanos": 2}, {"epochSecond": 1, "nanoOfSecond": 2}; Loguru.
_PARTS_OF_TIME: Final = (*("$date", "$numberlong", "seconds", "epochsecond", "timestamp", "repr"),)


def _texts_of_time(value: bytes) -> Iterable[bytes]:
    """The text of a value, or the texts of an object that holds a time."""
    if not value.startswith(b"{"):
        yield text_of(value)
        return
    nested = json_fields(value) or {}
    for part in _PARTS_OF_TIME:
        if part in nested:
            # MongoDB writes {"$date": {"$numberLong": "…"}}, too.
            inner = json_fields(bytes(nested[part])) or {}
            yield text_of(inner.get("$numberlong", nested[part]))


def inner_line(fields: Mapping[str, Value]) -> bytes | None:
    """The line that was wrapped in JSON, as Docker does, or that is a message."""
    value = bytes(fields.get("log", b""))
    if value.startswith(b'"'):
        return text_of(value).rstrip(b"\r\n")
    for name in field_names.MESSAGES:
        if (value := bytes(fields.get(name, b""))).startswith(b'"'):
            return line_of_message(value)
    return None


def line_of_message(value: bytes) -> bytes | None:
    """The first line of a message, given as written in JSON, if it is JSON or a whole line with its
    own time. Any other message is prose.
    """
    text = text_of(value).strip()
    return text.partition(b"\n")[0].rstrip(b"\r") if is_whole_line(text) else None


def is_whole_line(text: bytes) -> bool:
    """Whether a text is JSON, pairs, or begins with a time."""
    return text.startswith(b"{") or looks_like_pairs(text) or TIME_FIRST.match(text) is not None
