"""The shapes in which most secrets stand in logs, each found by one expression: a plain name, a
sign, and letters with digits among them.

What has none of these shapes is left to the slower rules, which would come to the same result.
"""

from __future__ import annotations

import re
from typing import Final

from providers.patterns import lazy_pattern

_BEGINS: Final = rb"(?<![A-Za-z0-9_.%/\\-])"
_QUOTE_OF_NAME: Final = rb"""(?:\\{0,3}["'])?"""
_OPENS: Final = rb"""(?P<quote>\\{0,3}["'])?"""
_ENDS: Final = (
    rb"""(?(quote)(?P=quote)(?![ ]{1,3}[-=]>)|"""
    rb"""(?=\s|["'][^\w!$^*~@\#+]|[&,;](?:[\w.-]{1,40}[=:]|\s|$)|$))"""
)


# The group of the value in each shape; by its number it is found faster than by its name.
VALUE_GROUP: Final = 2


def _shape(name: bytes, sign: bytes, value: bytes) -> re.Pattern[bytes]:
    return lazy_pattern(
        _BEGINS
        + b"(?i:"
        + name
        + b")"
        + _QUOTE_OF_NAME
        + sign
        + _OPENS
        + b"(?P<value>"
        + value
        + b")"
        + _ENDS
    )


_NAMED: Final = _shape(
    rb"password|passwd|secret|token|api_?key",
    rb"[^\S\n]?[=:][^\S\n]?",
    # A number of JSON becomes a text, which is left to the slower rules.
    rb"(?=[A-Za-z]{0,64}[0-9])(?=[0-9]{0,64}[A-Za-z])[A-Za-z0-9](?:[A-Za-z0-9_~!$*^+-]|&(?![\w.%-]{1,40}[=:])){7,255}+",
)
_SESSION: Final = _shape(
    rb"session_?id",
    rb"[=:]",
    rb"(?=[A-Fa-f]{0,64}[0-9])(?=[0-9]{0,15}[A-Fa-f])[0-9A-Fa-f]{12,128}+",
)
_HEADER: Final = _shape(
    rb"authorization",
    rb"[^\S\n]?[=:][^\S\n]?",
    rb"(?i:bearer|basic|token)[ ][A-Za-z0-9._~+/=-]{6,8192}+",
)

# By the text that is found first, in lower case.
COMMON_SHAPES: Final = {
    b"pass": _NAMED,
    b"secret": _NAMED,
    b"token": _NAMED,
    b"apikey": _NAMED,
    b"session": _SESSION,
    b"authorization": _HEADER,
}
