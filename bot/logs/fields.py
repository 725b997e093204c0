"""Lines that name their fields: JSON, and `key=value` pairs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from bot.logs import levels

# Which field tells the level, and which the time: the first of these that there is, in lower case.
# Values that say nothing are passed over.
LevelReader = Callable[[bytes], str | None]
LEVEL_KEYS: Final[Mapping[str, LevelReader]] = {
    "level": levels.level_of_field,
    "lvl": levels.level_of_field,
    "severity": levels.level_of_field,
    "levelname": levels.level_of_field,
    "log.level": levels.level_of_field,
    "loglevel": levels.level_of_field,
    "log_level": levels.level_of_field,
    "level_name": levels.level_of_field,
    "severitytext": levels.level_of_field,
    "severity_text": levels.level_of_field,
    "@l": levels.level_of_field,
    "priority": levels.level_of_field,
    "s": levels.level_of_field,
    "l": levels.level_of_field,
    "lev": levels.level_of_field,
    "sev": levels.level_of_field,
    "pri": levels.level_of_field,
    "at": levels.level_of_word,
    "levelno": levels.level_of_python,
    "syslog_severity": levels.level_of_field,
    "severitynumber": levels.level_of_otel,
    "severity_number": levels.level_of_otel,
}
TIME_KEYS: Final = (
    "@timestamp", "timestamp", "time", "ts", "@t", "t", "datetime", "asctime", "eventtime", "event_time", "logged_at", "created_at",
    "timegenerated", "time_iso8601", "time_local", "msec", "timeunixnano", "observedtimeunixnano", "__realtime_timestamp",
    "_source_realtime_timestamp", "timemillis", "instant", "date", "startutc", "start_time", "requestreceivedtimestamp",
    "edgestarttimestamp", "eventtimestamp", "published", "at", "when", "dt", "logtime", "created", "receivetimestamp", "epoch",
)  # fmt: skip
_LEVEL_RANKS: Final = {key: rank for rank, key in enumerate(LEVEL_KEYS)}
_TIME_RANKS: Final = {key: rank for rank, key in enumerate(TIME_KEYS)}
LONGEST_LEVEL: Final = 32
# A value as it is written in JSON, or the text of one.
Value = bytes | msgspec.Raw
# Where these hold a line of their own, or more fields.
_NESTED_LEVELS: Final = (
    "log",
    "attributes",
    "jsonpayload",
    "fields",
    "record",
    "context",
    "meta",
    "extra",
)
_INNER_TEXT: Final = ("log",)
_PAIR: Final = re.compile(
    rb"(?<![\w.@-])([\w.@-]{1,64}+)=(?:\"((?:[^\"\\]|\\.){0,512}+)\"?|([^\s\"]{0,512}+))"
)
_STARTS_WITH_PAIR: Final = re.compile(rb"[A-Za-z_@][\w.@-]{0,63}=[^\s=]")
# Pairs are looked for so far into a line.
MOST_OF_PAIRS: Final = 4096
# JSON this deep is not a log line.
_DECODER: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_KEYED_TIME: Final = re.compile(
    rb'"(?:@?time(?:stamp)?|ts|t|datetime)" ?: ?"?([^"\n,}]{4,64})', re.IGNORECASE
)
_KEYED_LEVEL: Final = re.compile(
    rb'"(?:level|severity|lvl|levelname|log\.level)" ?: ?"?([\w@]{1,16})', re.IGNORECASE
)


def json_fields(line: bytes) -> dict[str, Value] | None:
    """The fields of a JSON object by their names in lower case, values as they are written; None
    where it is none.
    """
    try:
        found = _DECODER.decode(line)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None
    return {key.lower(): value for key, value in found.items()}


def text_of(written: Value) -> bytes:
    """What a JSON value says: the text of a string, anything else as it is written."""
    value = bytes(written)
    if not value.startswith(b'"'):
        return value
    if b"\\" not in value:
        return value[1:-1]
    try:
        return msgspec.json.decode(value, type=str).encode("utf-8", "surrogatepass")
    except (msgspec.DecodeError, ValueError):
        return value[1:-1]


def broken_json_fields(line: bytes) -> dict[str, bytes]:
    """The time and the level of JSON that is cut off or damaged."""
    found: dict[str, bytes] = {}
    if time := _KEYED_TIME.search(line[:8192]):
        found["time"] = time[1]
    if level := _KEYED_LEVEL.search(line[:8192]):
        found["level"] = level[1]
    return found


def looks_like_pairs(line: bytes, at: int = 0) -> bool:
    """Whether `key=value` pairs begin here."""
    return _STARTS_WITH_PAIR.match(line, at) is not None


def pairs(line: bytes, at: int = 0) -> dict[str, bytes]:
    """The `key=value` pairs from there, by their names in lower case. Words between them are passed
    over.
    """
    found: dict[str, bytes] = {}
    for key, quoted, bare in _PAIR.findall(line, at, at + MOST_OF_PAIRS):
        found.setdefault(key.decode().lower(), quoted or bare)
    return found


def level_of_fields(fields: Mapping[str, Value]) -> str | None:
    """The level that a field names, also one level down."""
    for key in sorted(fields.keys() & LEVEL_KEYS.keys(), key=_LEVEL_RANKS.__getitem__):
        if level := LEVEL_KEYS[key](text_of(fields[key])[:LONGEST_LEVEL]):
            return level
    for key in _NESTED_LEVELS:
        nested = json_fields(bytes(fields[key])) if key in fields else None
        if nested and (level := level_of_fields(_flat(nested))):
            return level
    # The compact format of Serilog leaves out what is information.
    return (
        "info"
        if "@t" in fields and "@l" not in fields and ("@mt" in fields or "@m" in fields)
        else None
    )


def _flat(fields: Mapping[str, Value]) -> dict[str, Value]:
    """Without what is nested further."""
    return {key: value for key, value in fields.items() if not bytes(value).startswith(b"{")}


def times_of_fields(fields: Mapping[str, Value]) -> Iterable[bytes]:
    """What may be the time, the likeliest first."""
    if "date" in fields and "time" in fields:
        # Two fields, as in the logs of firewalls.
        yield text_of(fields["date"]) + b" " + text_of(fields["time"])
    for key in sorted(fields.keys() & _TIME_RANKS.keys(), key=_TIME_RANKS.__getitem__):
        value = bytes(fields[key])
        if value.startswith(b"{"):
            nested = json_fields(value) or {}
            # {"$date": "…"}, {"seconds": 1, "nanos": 2}, {"epochSecond": 1, "nanoOfSecond": 2}
            for name in ("$date", "seconds", "epochsecond"):
                if name in nested:
                    yield text_of(nested[name])
        else:
            yield text_of(value)


def inner_line(fields: Mapping[str, Value]) -> bytes | None:
    """The line of text that was wrapped in JSON, as Docker does."""
    for key in _INNER_TEXT:
        value = bytes(fields.get(key, b""))
        if value.startswith(b'"'):
            return text_of(value).rstrip(b"\r\n")
    return None
