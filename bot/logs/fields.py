"""Lines that name their fields: JSON, and `key=value` pairs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import msgspec
from ahocorasick_rs import BytesAhoCorasick

from bot.logs import levels
from bot.logs.grammar import TIME_FIRST
from providers.patterns import compile_pattern

# Which field gives the level, and which the time: the first of these that there is, in lower case.
# Values without a meaning are skipped.
LevelReader = Callable[[bytes], str | None]
LEVEL_KEYS: Final[Mapping[str, LevelReader]] = {
    # A name says more than the number that some programs write beside it.
    "level_name": levels.level_of_field,
    "levelname": levels.level_of_field,
    "lvlname": levels.level_of_field,
    "level_text": levels.level_of_field,
    "level": levels.level_of_field,
    "@level": levels.level_of_field,
    "lvl": levels.level_of_field,
    "severity": levels.level_of_field,
    "log.level": levels.level_of_field,
    "loglevel": levels.level_of_field,
    "log_level": levels.level_of_lager,
    "severitytext": levels.level_of_field,
    "severity_text": levels.level_of_field,
    "error_severity": levels.level_of_field,
    "severitylevel": levels.level_of_insights,
    "messagetype": levels.level_of_field,
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
    "severity_label": levels.level_of_field,
    "severity_name": levels.level_of_field,
    "log_severity": levels.level_of_field,
    "logseverity": levels.level_of_field,
    "loglvl": levels.level_of_field,
    "log-level": levels.level_of_field,
    "log.severity": levels.level_of_field,
    "event_level": levels.level_of_field,
    "eventlevel": levels.level_of_field,
    "logger_level": levels.level_of_field,
    "entrytype": levels.level_of_field,
    "priority_name": levels.level_of_field,
    "priorityname": levels.level_of_field,
    "syslog_level": levels.level_of_field,
    "prio": levels.level_of_field,
    "level_value": levels.level_of_logback,
}
TIME_KEYS: Final = (
    "@timestamp", "timestamp", "time", "ts", "@t", "t", "datetime", "asctime", "eventtime", "event_time", "logged_at", "created_at",
    "timegenerated", "time_iso8601", "time_local", "msec", "timeunixnano", "observedtimeunixnano", "__realtime_timestamp",
    "_source_realtime_timestamp", "timemillis", "instant", "date", "startutc", "start_time", "requestreceivedtimestamp",
    "edgestarttimestamp", "eventtimestamp", "published", "at", "when", "dt", "logtime", "created", "receivetimestamp", "epoch",
    "query_timestamp", "eventtimestampms", "eventcreationtime", "creationtime", "reqtimesec", "unixtime", "date_create", "log_time",
    "event_timestamp", "isotimestamp", "timestamp_ms", "calendartime", "utctime", "timecreated", "log_timestamp",
    "timestamp_ns", "time_unix_nano", "observed_time_unix_nano", "start_time_unix_nano", "time_ns", "ts_ns", "ts_ms", "time_ms", "@ts",
    "requesttime", "requesttimeepoch", "createddatetime", "eventdatetime", "activitydatetime", "date_time", "datetimeutc",
    "timestamp_utc", "time_utc", "utc_time", "utc", "timestampmillis", "timestamp_millis", "_time", "_timestamp", "logdate", "log_date",
    "event_date", "eventdate", "createdat", "created_time", "createdtime", "time_created", "started_at", "startedat", "starttime",
    "occurred_at", "occurredat", "received_at", "receivedat", "published_at", "generated_at", "triggered_at", "time_generated",
    "event_created", "localtime", "local_time", "systemtime", "rt",
    "__time__", "log_ts", "event_ts", "eventts", "timestamp_us", "timestamp_s", "time_us", "time_s", "time_stamp", "datestamp", "@time",
    "recorded_at", "recordedat", "captured_at", "created_on", "createdon", "received_time", "receivedtime", "sent_at", "sentat",
    "datetime_utc", "utc_timestamp", "utctimestamp", "date_utc", "iso_time", "isotime", "log.time", "event.created", "log_datetime",
    "logdatetime", "logtimestamp", "log_created_at", "insertedat", "inserted_at", "ingested_at", "actiontime", "action_time",
    "operationtime", "operation_time", "createtime", "create_time", "published_time", "happenedat",
    "creationdate", "created_date", "detectedat", "detected_at", "servertimestamp", "clicktime", "lasttimestamp", "detectedtime",
    "timereceived", "receiveddatetime", "detection_time", "detection_timestamp", "eventreceivedtime", "happened_at", "raised_at", "fired_at", "reporttime", "report_time",
)  # fmt: skip
# Where a line has none of these, any other field that is named like a time and holds a date.
_LIKE_A_TIME: Final = compile_pattern(
    r"(?:(?i:time(?:_?stamp)?|date|_at|_ts|_on|time_?utc|derived|received|^start)|At|On|[Tt]imestamp\w{0,8})$"
)
_NO_TIME_OF_LINE: Final = compile_pattern(
    r"(?i:expir|until|birth|due|deadline|valid|before|after|next|max|min_|build|release|install|boot|"
    r"launch|compil|format|zone|modif|updat|duration|elapsed|run_?time|up_?time|last_?seen)"
)
_MOST_OTHER_TIMES: Final = 4
# The same of levels, which are words in such fields.
_LIKE_A_LEVEL: Final = compile_pattern(
    r"(?i:level|severity|lvl)(?:_?(?i:name|str|string|text|label))?$"
)
_NO_LEVEL_OF_LINE: Final = compile_pattern(
    r"(?i:privilege|risk|threat|battery|confidence|trust|access|zoom|energy|isolation|compat|volume|"
    r"noise|integrity|compression|support|service|user|member|skill|fuel|water|min|max|threshold|"
    r"filter|config|alert|security|alarm|cr_?l)"
)
# How the names of such fields end, in lower case.
LEVEL_ENDS: Final = tuple(
    word + end.encode()
    for word in (b"level", b"severity", b"lvl")
    for part in ("", "name", "str", "string", "text", "label")
    for end in dict.fromkeys((part, part and "_" + part))
)
_HOLDS_DATE: Final = compile_pattern(
    rb"(?:19|20)\d\d[-/.]?\d\d[-/.]?\d\d|1\d{9}(?:\d{3}){0,3}(?:\.\d{1,9})?\s{0,2}$"
    rb"|\d{1,2}[/. -](?:[A-Za-z]{3}|\d{1,2})[/. -]\d{4}|(?:[A-Z][a-z]{2}, ?)?[A-Z][a-z]{2} \d"
)
NO_LEVEL: Final[LevelReader] = lambda _: None  # noqa: E731
_LEVEL_RANKS: Final = {key: rank for rank, key in enumerate(LEVEL_KEYS)}
_TIME_RANKS: Final = {key: rank for rank, key in enumerate(TIME_KEYS)}
# The compact format of Serilog leaves out what is information.
_SERILOG: Final = ("@mt", "@m")
LONGEST_LEVEL: Final = 32
_LONGEST_NAME: Final = 64
# A value as it is written in JSON, or the text of one.
Value = bytes | msgspec.Raw
# Where these hold a line of their own, or more fields.
NESTED_LEVELS: Final = (
    "log",
    "attributes",
    "jsonpayload",
    "fields",
    "record",
    "context",
    "meta",
    "extra",
    "@fields",
    "message",
    "event",
    "data",
    "payload",
    "body",
    "properties",
    "details",
    "_source",
    "result",
)
# A number in these is seldom a level.
NUMBERS_ARE_NO_LEVELS: Final = frozenset(
    ("event", "data", "payload", "body", "properties", "details")
)
# How levels do not begin that are nested in a field. Loguru's are objects.
_PASSED_OVER_IN: Final = {
    **dict.fromkeys(NUMBERS_ARE_NO_LEVELS, b"{0123456789"),
    "record": b"[",
}
_NESTED_TIMES: Final = (
    *("event", "metadata", "record", "id", "header", "meta", "_source", "result", "log", "fields"),
    *("data", "payload", "attributes", "body", "details", "properties", "context"),
)
# Programs whose `level` has numbers of its own, by a field that they alone have.
_OWN_NUMBERS: Final[Mapping[str, LevelReader]] = {
    "eventid": levels.level_of_windows,
    "event_id": levels.level_of_windows,
    "operationname": levels.level_of_windows,
    "reqid": levels.level_of_nextcloud,
}
# Of an object used as a level.
_NAMES_OF_LEVEL: Final = ("name", "text", "label", "level", "levelStr", "Name")
# Fields whose text may be JSON.
MESSAGES: Final = ("message", "msg", "textpayload", "@message", "line", "_raw", "body")
# How the names of fields are written that are made of several words.
_CAMEL_CASE: Final = {
    name.lower(): name
    for name in (
        *("logLevel", "levelName", "severityText", "severityNumber", "severityLevel", "levelNo"),
        *("messageType", "eventTime", "timeGenerated", "timeUnixNano", "observedTimeUnixNano"),
        *("timeMillis", "startUTC", "StartUTC", "requestReceivedTimestamp", "EdgeStartTimestamp"),
        *("eventTimestamp", "logTime", "receiveTimestamp", "EventTimestampMs", "CreationTime"),
        *("eventCreationTime", "reqTimeSec", "unixTime", "isoTimestamp", "calendarTime"),
        *(
            "requestTime",
            "requestTimeEpoch",
            "createdDateTime",
            "eventDateTime",
            "activityDateTime",
        ),
        *("dateTimeUtc", "timestampMillis", "logDate", "eventDate", "createdTime", "startedAt"),
        *("occurredAt", "receivedAt", "localTime", "systemTime", "logSeverity", "logLvl"),
        *(
            "dateTime",
            "lvlName",
            "timeStamp",
            "@timeStamp",
            "createdAt",
            "startTime",
            "logTimestamp",
        ),
        *("creationDate", "detectedAt", "serverTimestamp", "clickTime", "lastTimestamp"),
        *("timeReceived", "receivedDateTime", "eventReceivedTime", "detectedTime"),
        *("utcTime", "TimeCreated", "EventID", "operationName", "reqId", "EventTime"),
    )
}
_PAIR: Final = compile_pattern(
    rb"(?<![\w.@-])([\w.@-]{1,64}+)=(?:\"((?:[^\"\\]|\\.){0,512}+)\"?|([^\s\"]{0,512}+))"
)
_STARTS_WITH_PAIR: Final = compile_pattern(rb"(?:<\d{1,3}>)?+[A-Za-z_@][\w.@-]{0,63}=[^\s=]")
# Of the name of a field, in lower case.
NAME_BYTES: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_.@-")
# Pairs are looked for so far into a line.
MOST_OF_PAIRS: Final = 4096
_OBJECT_STARTS: Final = (b"{", b" ", b"\t", b"\r", b"\n")
_DECODER: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
# In JSON, and as Python, Ruby, Java and Go write fields: `'level': 'error'`, `:level=>"error"`,
# `level=ERROR, `, `level:error `.
_KEYED_TIME: Final = compile_pattern(
    rb"(?<=[\"':{\[(, ])(?:@?time(?:stamp)?|ts|t|datetime)[\"']? ?(?:=>|[:=]) ?[\"']?([^\"'\n,})]{4,64})",
    re.IGNORECASE,
)
_KEYED_LEVEL: Final = compile_pattern(
    rb"(?<=[\"':{\[(, ])(?:level|severity|lvl|levelname|log\.level)[\"']? ?(?:=>|[:=]) ?[\"':]?([\w@]{1,16})",
    re.IGNORECASE,
)
_STARTS_AS_VALUE: Final = compile_pattern(rb"map\[[\w.@-]{1,64}:|[A-Z]\w{0,40}[({][\w.@-]{1,64}=")
# level=error|time=…, level=error;time=…
_STARTS_GLUED: Final = compile_pattern(rb"[A-Za-z_][\w.@-]{0,63}=[^\s=\"|;,]{0,64}[|;,]\w")
_GLUE: Final = compile_pattern(rb"[|;,](?=[A-Za-z_][\w.@-]{0,63}=)")


# Labelled values, as in http://ltsv.org: `time:…<tab>level:…`
_LABELLED: Final = compile_pattern(
    rb"(?:time|ts|timestamp|host|remote_addr|remotehost|level):[^\t\n]{1,200}\t[A-Za-z_][\w.-]{0,32}:"
)
_OFFSET: Final = compile_pattern(rb"[+-]\d{4}")


def spellings_of(key: str) -> tuple[str, ...]:
    """The ways in which programs write the name of a field."""
    spelt = (key, key.upper(), key.capitalize(), _CAMEL_CASE.get(key, key))
    camel = _CAMEL_CASE.get(key, key)
    return tuple(
        dict.fromkeys((*spelt, camel[:1].lower() + camel[1:], camel[:1].upper() + camel[1:]))
    )


def names_with_own_numbers() -> Iterable[str]:
    """The fields of programs whose levels have numbers of their own."""
    return _OWN_NUMBERS.keys()


def has_own_numbers(fields: Mapping[str, Value]) -> bool:
    """Whether the numbers of the levels are those of one program alone."""
    return not _OWN_NUMBERS.keys().isdisjoint(fields)


def json_object(line: bytes) -> dict[str, msgspec.Raw] | None:
    """The fields of a JSON object, values as they are written; None where it is none."""
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
    """The content of a JSON value: the text of a string, anything else as it is written."""
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
    """Whether a line is made of labels and values between tabs."""
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
    """Whether a line is an object as Go or Java writes it."""
    return _STARTS_AS_VALUE.match(line) is not None


def looks_like_pairs(line: bytes, at: int = 0) -> bool:
    """Whether `key=value` pairs begin here."""
    return _STARTS_WITH_PAIR.match(line, at) is not None


def pairs(line: bytes, at: int = 0) -> dict[str, bytes]:
    """The `key=value` pairs from there, by their names in lower case. Words between them are passed
    over.
    """
    found: dict[str, bytes] = {}
    text = line[at : at + MOST_OF_PAIRS]
    if _STARTS_GLUED.match(text):
        text = _GLUE.sub(b" ", text)
    for key, quoted, bare in _PAIR.findall(text):
        found.setdefault(key.decode().lower(), quoted or bare.strip(b"'").rstrip(b",;"))
    return found


# The fields that count, by all spellings of their names.
_KEY_OF: Final = {
    name: key
    for key in (
        *TIME_KEYS,
        *LEVEL_KEYS,
        *NESTED_LEVELS,
        *_NESTED_TIMES,
        *_OWN_NUMBERS,
        *_SERILOG,
        "date",
        "tz",
    )
    for name in spellings_of(key)
}


def may_count(name: str) -> bool:
    """Whether a field of this name may give the time or the level, or hold one that does."""
    return name in _KEY_OF or is_like_a_time(name) or is_like_a_level(name)


@lru_cache(maxsize=2048)
def is_like_a_time(name: str) -> bool:
    """Whether a field that is not known is named as if it held the time of its line."""
    return (
        name not in _KEY_OF
        and len(name) <= _LONGEST_NAME
        and _LIKE_A_TIME.search(name) is not None
        and _NO_TIME_OF_LINE.search(name) is None
    )


@lru_cache(maxsize=2048)
def is_like_a_level(name: str) -> bool:
    """Whether a field that is not known is named as if it held the level of its line."""
    return (
        name not in _KEY_OF
        and len(name) <= _LONGEST_NAME
        and _LIKE_A_LEVEL.search(name) is not None
        and _NO_LEVEL_OF_LINE.search(name) is None
    )


@dataclass(frozen=True, slots=True)
class FieldOrder:
    """The fields of one line that may give its time and its level, the likeliest first."""

    times: tuple[str, ...]
    # Where these give no time: fields that are named like one.
    other_times: tuple[str, ...]
    levels: tuple[tuple[str, LevelReader], ...]
    # Fields that may hold other fields.
    nested_levels: tuple[str, ...]
    nested_times: tuple[str, ...]
    # The date, the time and the offset as fields of their own, as in the logs of firewalls.
    date_and_time: tuple[str, str, str] | None
    # The level of lines that leave it out.
    implied_level: str | None


@lru_cache(maxsize=512)
def field_order(names: tuple[str, ...]) -> FieldOrder:
    """The order for a line with fields of these names; most lines of a log have the same."""
    name_of = {_KEY_OF[name]: name for name in names if name in _KEY_OF}
    own = next((read for key, read in _OWN_NUMBERS.items() if key in name_of), None)
    is_serilog = "@t" in name_of and "@l" not in name_of and not name_of.keys().isdisjoint(_SERILOG)
    has_date_and_time = "date" in name_of and "time" in name_of
    return FieldOrder(
        tuple(name_of[key] for key in _in_order(name_of, _TIME_RANKS)),
        tuple(filter(is_like_a_time, names))[:_MOST_OTHER_TIMES],
        tuple(
            (name_of[key], own if own and key == "level" else LEVEL_KEYS[key])
            for key in _in_order(name_of, _LEVEL_RANKS)
        )
        + tuple(
            (name, levels.level_of_word)
            for name in sorted(names, key=_is_severity)
            if is_like_a_level(name)
        ),
        tuple(name_of[key] for key in NESTED_LEVELS if key in name_of),
        tuple(name_of[key] for key in _NESTED_TIMES if key in name_of),
        (name_of["date"], name_of["time"], name_of.get("tz", "")) if has_date_and_time else None,
        "info" if is_serilog else None,
    )


def _is_severity(name: str) -> bool:
    return "severity" in name.lower()


def _in_order(names: Mapping[str, str], ranks: Mapping[str, int]) -> list[str]:
    return sorted(names.keys() & ranks.keys(), key=ranks.__getitem__)


def has_pair(names: BytesAhoCorasick, text: bytes) -> bool:
    """Whether a text holds one of the names of fields, given in lower case with their sign."""
    lowered = text.lower()
    return any(
        not start or lowered[start - 1] not in NAME_BYTES
        for _, start, _ in names.find_matches_as_indexes(lowered, overlapping=True)
    )


def level_of_value(value: bytes, read: LevelReader) -> str | None:
    """The level in a value, as it is written: a text, a number, or an object with a name."""
    if value.startswith(b"{"):
        named = json_object(value) or {}
        texts = (text_of(named[name]) for name in _NAMES_OF_LEVEL if name in named)
        return next((level for text in texts if (level := read(text[:LONGEST_LEVEL]))), None)
    return read(text_of(value)[:LONGEST_LEVEL])


def level_of_fields(fields: Mapping[str, Value], passed_over: bytes = b"") -> str | None:
    """The level that a field names, also one level down. Values that begin with one of the bytes
    of `passed_over` do not count.
    """
    order = field_order(tuple(fields))
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
    """What may be the time, the likeliest first."""
    order = field_order(tuple(fields))
    if order.date_and_time:
        yield date_and_time(*(text_of(fields.get(name, b"")) for name in order.date_and_time))
    for name in order.times:
        yield from _texts_of_time(bytes(fields[name]))
    for name in order.nested_times:
        if inner := json_object(bytes(fields[name])):
            for key in field_order(tuple(inner)).times:
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
    yield from (text_of(nested[part]) for part in _PARTS_OF_TIME if part in nested)


def inner_line(fields: Mapping[str, Value]) -> bytes | None:
    """The line that was wrapped in JSON, as Docker does, or is a message."""
    value = bytes(fields.get("log", b""))
    if value.startswith(b'"'):
        return text_of(value).rstrip(b"\r\n")
    for name in MESSAGES:
        if (value := bytes(fields.get(name, b""))).startswith(b'"'):
            return line_of_message(value)
    return None


def line_of_message(value: bytes) -> bytes | None:
    """The first line of a message, given as it is written in JSON, where it is JSON or a whole line
    with its own time; any other is prose.
    """
    text = text_of(value).strip()
    return text.partition(b"\n")[0].rstrip(b"\r") if is_whole_line(text) else None


def is_whole_line(text: bytes) -> bool:
    """Whether a text is JSON, pairs, or begins with a time."""
    return text.startswith(b"{") or looks_like_pairs(text) or TIME_FIRST.match(text) is not None
