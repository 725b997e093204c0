"""The names of the fields that contain the time and the level of a line: lists of known names, and
endings of others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bot.logs import levels
from providers.patterns import compile_pattern

# The fields for the level and for the time, in lower case; the first one that exists is used.
# Values without a meaning are skipped.
LevelReader = Callable[[bytes], str | None]
LEVEL_KEYS: Final[Mapping[str, LevelReader]] = {
    # A name is more precise than the number that some programs write beside it.
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
    "leveldisplayname": levels.level_of_field,
}
TIME_KEYS: Final = (
    "@timestamp", "timestamp", "time", "ts", "@t", "t", "datetime", "asctime", "eventtime", "event_time", "logged_at", "created_at",
    "timegenerated", "time_iso8601", "time_local", "msec", "timeunixnano", "observedtimeunixnano", "__realtime_timestamp",
    "_source_realtime_timestamp", "timemillis", "instant", "date", "startutc", "start_time", "requestreceivedtimestamp",
    "edgestarttimestamp", "eventtimestamp", "published", "at", "when", "dt", "logtime", "created", "receivetimestamp", "epoch",
    "query_timestamp", "eventtimestampms", "eventcreationtime", "creationtime", "reqtimesec", "unixtime", "date_create", "log_time",
    "event_timestamp", "isotimestamp", "timestamp_ms", "calendartime", "utctime", "timecreated", "log_timestamp",
    "timestamp_ns", "time_unix_nano", "observed_time_unix_nano", "start_time_unix_nano", "time_ns", "ts_ns", "ts_ms", "time_ms", "@ts", "_ts",
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
    r"(?i:expir|until|birth|due|deadline|valid|before|after|next|max|min_|buil[dt]|release|install|boot|"
    r"launch|compil|format|zone|modif|updat|duration|elapsed|run_?time|up_?time|last_?seen)"
)
_MOST_OTHER_TIMES: Final = 4
# The same for levels, which are words in such fields.
_LIKE_A_LEVEL: Final = compile_pattern(
    r"(?i:level|severity|lvl)(?:_?(?i:name|str|string|text|label))?$"
)
_NO_LEVEL_OF_LINE: Final = compile_pattern(
    r"(?i:privilege|risk|threat|battery|confidence|trust|access|zoom|energy|isolation|compat|volume|"
    r"noise|integrity|compression|support|service|user|member|skill|fuel|water|min|max|threshold|"
    r"filter|config|alert|security|alarm|cr_?l)"
)
# The endings of such field names, in lower case.
LEVEL_ENDS: Final = tuple(
    word + end.encode()
    for word in (b"level", b"severity", b"lvl")
    for part in ("", "name", "str", "string", "text", "label")
    for end in dict.fromkeys((part, part and "_" + part))
)
NO_LEVEL: Final[LevelReader] = lambda _: None  # noqa: E731
_LEVEL_RANKS: Final = {key: rank for rank, key in enumerate(LEVEL_KEYS)}
_TIME_RANKS: Final = {key: rank for rank, key in enumerate(TIME_KEYS)}
# Serilog's compact format leaves out the level of information.
_SERILOG: Final = ("@mt", "@m")
LONGEST_LEVEL: Final = 32
_LONGEST_NAME: Final = 64
# Fields that may contain a line of their own, or more fields.
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
    "entry",
    "header",
)
# A number in one of these is seldom a level.
NUMBERS_ARE_NO_LEVELS: Final = frozenset(
    ("event", "data", "payload", "body", "properties", "details")
)
_NESTED_TIMES: Final = (
    *("event", "metadata", "record", "id", "header", "meta", "_source", "result", "log", "fields"),
    *("data", "payload", "attributes", "body", "details", "properties", "context"),
    *("jsonpayload", "entry", "message", "extra"),
)
# Programs whose `level` has its own numbers, by a field that only they have.
_OWN_NUMBERS: Final[Mapping[str, LevelReader]] = {
    "eventid": levels.level_of_windows,
    "event_id": levels.level_of_windows,
    "operationname": levels.level_of_windows,
    "reqid": levels.level_of_nextcloud,
}
# Fields whose text may be JSON.
MESSAGES: Final = ("message", "msg", "textpayload", "@message", "line", "_raw", "body")
# The notations of field names that consist of several words.
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
        *("jsonPayload", "levelDisplayName"),
        *("utcTime", "TimeCreated", "EventID", "operationName", "reqId", "EventTime"),
    )
}


def spellings_of(key: str) -> tuple[str, ...]:
    """The spellings of a field name that programs use."""
    spelt = (key, key.upper(), key.capitalize(), _CAMEL_CASE.get(key, key))
    camel = _CAMEL_CASE.get(key, key)
    return tuple(
        dict.fromkeys((*spelt, camel[:1].lower() + camel[1:], camel[:1].upper() + camel[1:]))
    )


def names_with_own_numbers() -> Iterable[str]:
    """The fields of programs whose levels have their own numbers."""
    return _OWN_NUMBERS.keys()


def has_own_numbers(names: Collection[str]) -> bool:
    """Whether the level numbers are specific to one program."""
    return not _OWN_NUMBERS.keys().isdisjoint(names)


# The fields that matter, in all spellings of their names.
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
    """Whether a field of this name may contain the time or the level, or a value that does."""
    return name in _KEY_OF or is_like_a_time(name) or is_like_a_level(name)


# Most names have another ending, which is a faster check.
_ENDS: Final = (
    *("time", "stamp", "date", "at", "on", "utc", "derived", "received", "start"),
    *("level", "severity", "lvl", "name", "str", "string", "text", "label"),
)


def _may_be_like(name: str) -> bool:
    lowered = name.lower()
    return (
        len(name) <= _LONGEST_NAME
        and (lowered.endswith(_ENDS) or "timestamp" in lowered)
        and name not in _KEY_OF
    )


def is_like_a_time(name: str) -> bool:
    """Whether the name of an unknown field suggests the time of its line."""
    return (
        _may_be_like(name)
        and _LIKE_A_TIME.search(name) is not None
        and _NO_TIME_OF_LINE.search(name) is None
    )


def is_like_a_level(name: str) -> bool:
    """Whether the name of an unknown field suggests the level of its line."""
    return (
        _may_be_like(name)
        and _LIKE_A_LEVEL.search(name) is not None
        and _NO_LEVEL_OF_LINE.search(name) is None
    )


@dataclass(frozen=True, slots=True)
class FieldOrder:
    """The fields of one line that may give its time and its level, the likeliest first."""

    times: tuple[str, ...]
    # If these contain no time: fields whose names suggest one.
    other_times: tuple[str, ...]
    levels: tuple[tuple[str, LevelReader], ...]
    # Fields that may contain other fields.
    nested_levels: tuple[str, ...]
    nested_times: tuple[str, ...]
    # The date, the time and the offset in separate fields, as in firewall logs.
    date_and_time: tuple[str, str, str] | None
    # The level of lines without a level.
    implied_level: str | None


_NO_FIELDS: Final = FieldOrder((), (), (), (), (), None, None)


@lru_cache(maxsize=512)
def field_order(names: tuple[str, ...]) -> FieldOrder:
    """The order for a line with these field names; most lines of a log have the same ones."""
    name_of = {_KEY_OF[name]: name for name in names if name in _KEY_OF}
    if not name_of and not any(map(_may_be_like, names)):
        return _NO_FIELDS
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
