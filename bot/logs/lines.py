"""Reads the time and the level of one log line of any program."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Final

from bot.logs import fields, levels, times
from bot.logs.envelopes import records_of, windows_event
from bot.logs.grammar import (
    ANSI,
    BEHIND_CONTAINER,
    COMPOSED_JSON,
    CONTINUES,
    FAR_ENOUGH,
    FIELDS_BEHIND,
    HEADER,
    JSON_BEHIND_MESSAGE,
    JSON_BEHIND_NAME,
    LEAST_BYTES,
    LEVEL_ALONE,
    LEVEL_AT_ONCE,
    LEVEL_AT_ONCE_LOWER,
    LEVEL_BEHIND,
    LEVEL_BEHIND_SYSLOG,
    LEVEL_WORDS,
    LEVELS_ALONE,
    PROSE,
    REDIS_SIGN,
    TIME_ANYWHERE,
    TIME_BEHIND_LEAD,
    TIME_FIRST,
    TIME_HINT,
    TIME_SIGN,
    is_behind_lead,
)
from bot.logs.places import PLACE_OF, PLACES, Where
from bot.logs.readings import NOTHING, Reading, minute_at, minute_of_text, read_fields
from bot.logs.time_forms import Minute
from bot.logs.xml_lines import is_xml, read_xml
from providers.patterns import compile_pattern

# JSON in a line of text, text in JSON.
MOST_NESTED: Final = 2
# How many different colour sequences of a text are remembered.
_MOST_COLOURS: Final = 12
# How many runs of digits that look like a time are checked.
MOST_HINTS: Final = 4
# Syslog passes on text that may be prose.
SYSLOG_FORMS: Final = {"syslog", "ctime"}
_PAIR_OF_TIME: Final = compile_pattern(
    rb"(?<![\w.@-])(?i:time(?:stamp)?|ts|date(?:time)?|at)=[\"']?(?=\d)"
)
_PRIORITY: Final = compile_pattern(rb"<(\d{1,3})>")
_BEFORE: Final = [(place.name, place.level_of) for place in PLACES if place.where is Where.BEFORE]


def without_colours(text: bytes) -> bytes:
    """The text without the sequences that colour a terminal."""
    if b"\x1b" not in text:
        return text
    if b"\0" in text or b"\x1b]" in text:
        return ANSI.sub(b"", text)
    # Most logs have few different sequences, and removing each separately is fast. A NUL in its
    # place keeps the text around it from forming a new one.
    left = text
    for _ in range(_MOST_COLOURS):
        if not (found := ANSI.search(left)):
            break
        left = left.replace(found[0], b"\0")
    else:
        left = ANSI.sub(b"", left)
    return left if left is text else left.replace(b"\0", b"")


def read_line(line: bytes, depth: int = 0) -> Reading:
    """The time and the level of a line without its line end. Colours have to be removed first."""
    line = line.removeprefix(b"\xef\xbb\xbf")
    if line.startswith(b" ") and line.lstrip(b" ").startswith(b'{"'):
        line = line.lstrip(b" ")
    if line.startswith((b"{", b"[{")):
        return read_json(line, depth)
    if len(line) < LEAST_BYTES:
        return NOTHING
    head = line[:FAR_ENOUGH]
    return _read_named_fields(line, head, depth) or _read_text(line, head, depth)


def _read_named_fields(line: bytes, head: bytes, depth: int) -> Reading | None:
    """Reads the named fields of a line; None if it has none."""
    if is_xml(line) and (reading := read_xml(line)) != NOTHING:
        return reading
    if fields.looks_labelled(head):
        return read_fields(fields.labelled(line))
    if fields.looks_like_value(head) and (reading := _read_value(line)) != NOTHING:
        return reading
    if container := COMPOSED_JSON.match(head):
        return read_json(line[container.end() :], depth)
    if fields.looks_like_pairs(head) and (reading := _read_pairs(line)) != NOTHING:
        return reading
    return None


def _read_value(line: bytes) -> Reading:
    """Reads an object in the notation of Go or Java."""
    return read_fields(fields.broken_json_fields(line))


def _read_text(line: bytes, head: bytes, depth: int) -> Reading:
    has_time = TIME_SIGN.search(head) is not None
    match = at_start(head) if has_time else None
    if match:
        return _read_timed(line, head, match, depth)
    if CONTINUES.match(head):
        return NOTHING
    if reading := _read_named_json(line, head, depth):
        return reading
    match = time_further_on(head) if has_time else None
    if match:
        return _read_further(line, head, match, depth)
    level = level_alone(head)
    if level is None and depth < MOST_NESTED and (container := BEHIND_CONTAINER.match(head)):
        return read_line(line[container.end() :], depth + 1)
    return Reading(None, level)


def _read_named_json(line: bytes, head: bytes, depth: int) -> Reading | None:
    """Reads JSON with its own time after the names of its writers, or after a level and a message;
    None if there is none.
    """
    if not may_have_json_behind(line) or not line.rstrip(b"\r").endswith(b"}"):
        return None
    behind_name = JSON_BEHIND_NAME.match(head)
    at = behind_name.end() if behind_name else line.find(b' {"') + 1
    reading = read_json(line[at:], depth)
    if not reading.minute:
        return None
    word = JSON_BEHIND_MESSAGE.match(head)
    return replace(reading, level=levels.level_of_word(word[1])) if word else reading


def may_have_json_behind(line: bytes) -> bool:
    """Whether a line begins like one that ends with JSON. The end is not considered, since lines
    are remembered by their beginnings.
    """
    return b'{"' in line and bool(JSON_BEHIND_NAME.match(line) or JSON_BEHIND_MESSAGE.match(line))


def is_text(line: bytes) -> bool:
    """Whether a line is not JSON, XML or named fields."""
    return not (
        line.startswith((b"{", b"[{", b"\xef\xbb\xbf"))
        or line.lstrip(b" ").startswith(b'{"')
        or is_xml(line)
        or may_have_json_behind(line)
        or fields.looks_like_value(line)
        or fields.looks_like_pairs(line)
        or fields.looks_labelled(line)
        or COMPOSED_JSON.match(line)
    )


def at_start(head: bytes) -> re.Match[bytes] | None:
    """The time at the beginning of a line, after little more than a level."""
    return TIME_FIRST.match(head) or TIME_BEHIND_LEAD.match(head)


InnerReader = Callable[[bytes], tuple[Minute | None, str | None]]


def read_json(line: bytes, depth: int, read_inner: InnerReader | None = None) -> Reading:
    """Reads a JSON line. `read_inner` may read a line of text in it, as `read_line` does."""
    if line.startswith(b"["):
        line = line[1:].rstrip(b"\r \t,").removesuffix(b"]")
    found = fields.json_object(line)
    if found is None:
        found = fields.json_object(line.rstrip(b"\r \t,"))
    if found is None:
        return read_fields(fields.broken_json_fields(line))
    reading = read_fields(found)
    if reading.level and reading.minute:
        return reading
    found = {key.lower(): value for key, value in found.items()}
    if event := windows_event(found.get("event", b"")):
        return read_fields(event)
    if depth < MOST_NESTED and (records := records_of(found, 1)):
        depth += 1
        found = {key.lower(): value for key, value in records[0].items()}
        reading = read_fields(found)
    inner = (fields.inner_line(found) or dated_event(found)) if depth < MOST_NESTED else None
    if not inner:
        return reading
    text = without_colours(inner)
    if read_inner and not text.startswith((b"{", b"[{")):
        minute, level = read_inner(text)
    else:
        within = read_line(text, depth + 1)
        minute = within.minute
        level = within.level
    return Reading(reading.minute or minute, reading.level or level)


def _read_pairs(line: bytes) -> Reading:
    found = fields.pairs(line)
    if (audited := found.get("msg", b"")).startswith(b"audit("):
        return Reading(minute_of_text(audited[6:].partition(b":")[0]))
    reading = read_fields(found)
    if reading.level and not reading.minute and TIME_SIGN.search(line, 0, FAR_ENOUGH):
        reading = replace(reading, minute=_minute_among_pairs(line[:FAR_ENOUGH]))
    priority = _PRIORITY.match(line)
    if priority and reading.level is None:
        return replace(reading, level=levels.level_of_severity(priority[1]))
    return reading


def _minute_among_pairs(head: bytes) -> Minute | None:
    """A time that is written with a blank and without quotes, or that is not a pair."""
    start = _PAIR_OF_TIME.search(head)
    time = TIME_FIRST.match(head, start.end()) if start else time_further_on(head)
    return minute_at(time) if time else None


def dated_event(found: Mapping[str, fields.Value]) -> bytes | None:
    """The line of text that Splunk passes on, which begins with its own time."""
    text = fields.text_of(found.get("event", b""))
    return text if TIME_FIRST.match(text) else None


def _read_timed(line: bytes, head: bytes, match: re.Match[bytes], depth: int) -> Reading:
    minute = minute_at(match)
    if minute is None:
        return Reading(None, level_alone(head))
    if not is_behind_lead(match):
        return Reading(minute, _level_behind(line, head, match.end(), str(match.lastgroup), depth))
    level = level_before(match)
    if level is None:
        level = _level_behind(line, head, match.end(), str(match.lastgroup), depth)
    if level is None and match["redis"]:
        level = redis_level(head, match.end())
    return Reading(minute, level)


def redis_level(head: bytes, at: int) -> str | None:
    """The level that Redis writes as a sign after the time."""
    sign = REDIS_SIGN.match(head, at)
    return levels.LEVEL_OF_LETTER[sign[1]] if sign else None


def _read_further(line: bytes, head: bytes, match: re.Match[bytes], depth: int) -> Reading:
    minute = minute_at(match)
    level = level_alone(head) or _level_behind(line, head, match.end(), str(match.lastgroup), depth)
    return Reading(minute, level)


def time_further_on(head: bytes) -> re.Match[bytes] | None:
    """The first time in a line that begins with something else, unless the beginning is prose."""
    for hint in islice(TIME_HINT.finditer(head), MOST_HINTS):
        match = TIME_ANYWHERE.search(
            head, max(0, hint.start() - 32), min(len(head), hint.start() + 64)
        )
        if match:
            is_prose = PROSE.search(head, 0, match.start()) and not (
                head[:1].isdigit() and match.lastgroup == "epoch"
            )
            return None if is_prose else match
    return None


def holds_earlier_time(line: bytes, time: re.Match[bytes]) -> bool:
    """Whether digits before the time are not a time in this line, but may be one in another."""
    hint = TIME_HINT.search(line, 0, time.end())
    return hint is not None and hint.start() < time.start()


def level_before(match: re.Match[bytes]) -> str | None:
    if not is_behind_lead(match):
        return None
    if match["priority"]:
        return levels.level_of_severity(match["priority"])
    return next((level_of(match[name]) for name, level_of in _BEFORE if match[name]), None)


def _level_behind(line: bytes, head: bytes, at: int, form: str, depth: int) -> str | None:
    match = match_behind(head, at, form)
    if match:
        return level_at(str(match.lastgroup), match[str(match.lastgroup)])
    return level_inside(line, head, at, depth)


def match_behind(head: bytes, at: int, form: str) -> re.Match[bytes] | None:
    """The level after the time, as a word or a letter."""
    by_syslog = form in SYSLOG_FORMS
    at_once = LEVEL_AT_ONCE if form == "year_first" else LEVEL_AT_ONCE_LOWER
    match = None if by_syslog else at_once.match(head, at)
    if match or not LEVEL_WORDS.find_matches_as_indexes(head[at:]):
        return match
    return (LEVEL_BEHIND_SYSLOG if by_syslog else LEVEL_BEHIND).match(head, at)


def level_inside(line: bytes, head: bytes, at: int, depth: int) -> str | None:
    """The level in fields that follow a time and a name or two."""
    if b"=" not in head and b"{" not in head:
        return None
    if depth < MOST_NESTED and (start := FIELDS_BEHIND.match(head, at)):
        return _level_of_inner(line, start.end(), depth)
    if depth < MOST_NESTED and (brace := head.find(b'{"', at)) >= 0 and _is_header(head, at, brace):
        return _level_of_inner(line, brace, depth)
    return None


def _is_header(head: bytes, start: int, end: int) -> bool:
    """Whether there are only tokens in between."""
    return HEADER.fullmatch(head, start, end) is not None


def _level_of_inner(line: bytes, at: int, depth: int) -> str | None:
    rest = line[at : at + 65536].removeprefix(b"@cee:").lstrip()
    if rest.startswith(b"{"):
        return read_json(rest, depth + 1).level
    return fields.level_of_fields(fields.pairs(rest))


def level_alone(head: bytes) -> str | None:
    match = LEVEL_ALONE.match(head)
    if not match or not match.lastgroup:
        return None
    return _level_of_match(match, match.lastgroup)


def levels_alone(text: bytes) -> Iterator[str | None]:
    """The levels of lines that begin with one. No line of the text, which has a line end before
    each line, has a time or fields.
    """
    for match in LEVELS_ALONE.finditer(text):
        if match.lastgroup:
            yield _level_of_match(match, match.lastgroup)


def _level_of_match(match: re.Match[bytes], place: str) -> str | None:
    if match["priority"]:
        return levels.level_of_severity(match["priority"])
    return level_at(place, match[place])


def level_at(place: str, found: bytes) -> str | None:
    return PLACE_OF[place].level_of(found)


def seconds_at(line: bytes) -> float:
    """The seconds of the time at the beginning of a line or in its fields, to order lines within a
    minute.
    """
    if line.startswith(b"{") and (found := fields.json_fields(line)):
        line = next(iter(fields.times_of_fields(found)), b"")
    head = line[:FAR_ENOUGH]
    match = at_start(head) or time_further_on(head)
    if not match or not match.lastgroup or not match.lastindex:
        return 0.0
    return times.seconds_of(match.lastgroup, head[match.end(match.lastindex + 1) :])
