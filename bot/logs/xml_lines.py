"""Lines of XML: Windows events, and elements that contain a time or a level."""

from __future__ import annotations

from typing import Final

from bot.logs import levels
from bot.logs.cm_traces import CM_TRACE, read_cm_trace
from bot.logs.readings import NOTHING, Reading, minute_of_text
from providers.patterns import compile_pattern

WINDOWS_EVENT: Final = (
    b"<Event xmlns='http://schemas.microsoft.com",
    b'<Event xmlns="http://schemas.microsoft.com',
)
MOST_XML: Final = 4096
_EVENT_TIME: Final = compile_pattern(rb"SystemTime=['\"]([^'\"\n]{10,40})")
_EVENT_LEVEL: Final = compile_pattern(rb"<Level>(\d)</Level>")
# FoundationDB.
_TRACE: Final = b'<Event Severity="'
_TRACE_EVENT: Final = compile_pattern(rb'<Event Severity="(\d{1,2})" Time="(\d{10}\.\d{1,9})"')
_TRACE_LEVELS: Final = {
    b"5": "debug",
    b"10": "info",
    b"20": "warn",
    b"30": "warn",
    b"40": "error",
}
# Elements that contain text, as Java's XMLFormatter writes them, one a line.
_ELEMENTS: Final = compile_pattern(
    rb"[ \t]{0,16}<(?:\?xml\b|[A-Za-z][\w:.-]{0,40}>(?:[^<\n]{0,64}</|<))"
)
_ELEMENT_TIME: Final = compile_pattern(
    rb"<(?i:date|(?:date|utc|gmt|local|event|log)?_?time(?:stamp|created)?)>\s?([^<\n]{10,40})</"
)
_ELEMENT_LEVEL: Final = compile_pattern(rb"<(?i:(?:log)?level|severity)>\s?([A-Za-z]{1,16})\s?</")


def is_xml(line: bytes) -> bool:
    """Whether `read_xml` reads a line."""
    return line.startswith((CM_TRACE, _TRACE, *WINDOWS_EVENT)) or (
        line.lstrip(b" \t")[:1] == b"<" and _ELEMENTS.match(line) is not None
    )


def read_xml(line: bytes) -> Reading:
    """The time and the level of a line of XML."""
    if line.startswith(WINDOWS_EVENT):
        return _read_windows_event(line)
    if line.startswith(CM_TRACE):
        return read_cm_trace(line)
    if trace := _TRACE_EVENT.match(line):
        return Reading(minute_of_text(trace[2]), _TRACE_LEVELS.get(trace[1]))
    time, level = (pattern.search(line, 0, MOST_XML) for pattern in (_ELEMENT_TIME, _ELEMENT_LEVEL))
    if not time and not level:
        return NOTHING
    return Reading(
        minute_of_text(time[1]) if time else None,
        levels.level_of_word(level[1]) if level else None,
    )


def _read_windows_event(line: bytes) -> Reading:
    time = _EVENT_TIME.search(line, 0, MOST_XML)
    level = _EVENT_LEVEL.search(line, 0, MOST_XML)
    return Reading(
        minute_of_text(time[1]) if time else None,
        levels.level_of_windows(level[1]) if level else None,
    )
