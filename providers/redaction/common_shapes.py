"""The forms that most secrets in logs have, each matched by one expression: a plain name, a sign,
and a value of letters and digits.

Everything else is left to the slower rules, which would give the same result for these forms.
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


# The number of the group of the value. Groups are read faster by number than by name.
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
    # Numbers are left to the slower rules, since in JSON they have to become strings.
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

# By the fixed text that is found, in lower case.
COMMON_SHAPES: Final = {
    b"pass": _NAMED,
    b"secret": _NAMED,
    b"token": _NAMED,
    b"apikey": _NAMED,
    b"session": _SESSION,
    b"authorization": _HEADER,
}
