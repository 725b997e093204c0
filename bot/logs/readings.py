"""What is read from a line, and the minutes of values that contain a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.logs import fields, times
from bot.logs.grammar import TIME_FIRST
from bot.logs.time_forms import Minute
from providers.patterns import compile_pattern

# The notations of time fields, with all digits replaced by one.
DIGITS_ALIKE: Final = bytes.maketrans(b"123456789", b"000000000")
# The text before the digits in the value of a time field.
TIME_OPENING: Final = compile_pattern(rb'(?:\{ ?"(?:\$date|epochSecond|seconds)" ?: ?)?+"?+')
MOST_KNOWN_TEXTS: Final = 256
_KNOWN_TEXTS: dict[bytes, tuple[str, slice, slice]] = {}


@dataclass(frozen=True, slots=True)
class Reading:
    """The minute and the level of a line; each is None if the line has none."""

    minute: Minute | None = None
    level: str | None = None


NOTHING: Final = Reading()


def read_fields(found: Mapping[str, fields.Value]) -> Reading:
    """The time and the level in named fields."""
    minute = next(
        (minute for text in fields.times_of_fields(found) if (minute := minute_of_text(text))), None
    )
    return Reading(minute, fields.level_of_fields(found))


def minute_of_text(text: bytes) -> Minute | None:
    """The minute of a separate value."""
    text = text[:64].strip(b" \t")
    # A region in brackets is part of the time.
    text = (text.strip(b"[]") if text.startswith(b"[") else text).removeprefix(b"/Date(")
    key = text.translate(DIGITS_ALIKE)
    known = _KNOWN_TEXTS.get(key)
    if known and (minute := times.minute_of(known[0], text[known[1]], text[known[2]])):
        return minute
    match = TIME_FIRST.match(text)
    if not match:
        return None
    if len(_KNOWN_TEXTS) >= MOST_KNOWN_TEXTS:
        _KNOWN_TEXTS.clear()
    _KNOWN_TEXTS[key] = spans_at(match)
    return minute_at(match)


def spans_at(match: re.Match[bytes]) -> tuple[str, slice, slice]:
    """The notation of a time, and the places of its minute and of the text after the seconds that
    belongs to it.
    """
    name = match.lastgroup
    at = match.lastindex
    assert name
    assert at
    behind = match.span(at + 2) if match[at + 2] is not None else (match.end(), match.end())
    return name, slice(*match.span(at + 1)), slice(*behind)


def minute_at(match: re.Match[bytes]) -> Minute | None:
    name = match.lastgroup
    at = match.lastindex
    assert name
    assert at
    return times.minute_of(name, match[at + 1], match[at + 2] or b"")
