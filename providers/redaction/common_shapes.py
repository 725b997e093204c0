"""The forms that most secrets in logs have, each matched by one expression: a plain name, a sign,
and a value of letters and digits.

Everything else is left to the slower rules, which would give the same result for these forms.
"""

from __future__ import annotations

import re
from typing import Final

from providers.patterns import lazy_pattern

_QUOTE_OF_NAME: Final = rb"""(?:\\{0,3}["'])?"""
_OPENS: Final = rb"""(?P<quote>\\{0,3}["'])?"""
_ENDS: Final = (
    rb"""(?(quote)(?P=quote)(?![ ]{1,3}[-=]>)|"""
    rb"""(?=\s|["'][^\w!$^*~@\#+]|[&,;](?:[\w.-]{1,40}[=:]|\s|$)|$))"""
)


# The number of the group of the value. Groups are read faster by number than by name.
VALUE_GROUP: Final = 2


def _shape(text: bytes, rest: bytes, sign: bytes, value: bytes) -> re.Pattern[bytes]:
    """The pattern of what follows the fixed `text`, which was found before. `rest` completes it to a
    name that is not part of a longer one.
    """
    begins = rb"(?s:(?<![A-Za-z0-9_.%%/\\-].{%d}))" % len(text)
    name = begins + b"(?i:" + rest + b")" + _QUOTE_OF_NAME
    return lazy_pattern(name + sign + _OPENS + b"(?P<value>" + value + b")" + _ENDS)


_SIGN: Final = rb"[^\S\n]?[=:][^\S\n]?"
_VALUE: Final = (
    # Numbers are left to the slower rules, since in JSON they have to become strings.
    rb"(?=[A-Za-z]{0,64}[0-9])(?=[0-9]{0,64}[A-Za-z])"
    rb"[A-Za-z0-9](?:[A-Za-z0-9_~!$*^+-]|&(?![\w.%-]{1,40}[=:])){7,255}+"
)
_SESSION_ID: Final = rb"(?=[A-Fa-f]{0,64}[0-9])(?=[0-9]{0,15}[A-Fa-f])[0-9A-Fa-f]{12,128}+"
_CREDENTIALS: Final = rb"(?i:bearer|basic|token)[ ](?![xX.]{6,64}+[\s\"']|(?i:authentication|authorization|undefined)\b)[A-Za-z0-9._~+/=-]{6,8192}+"

# By the fixed text that is found, in lower case.
COMMON_SHAPES: Final = {
    b"pass": _shape(b"pass", rb"word|wd", _SIGN, _VALUE),
    b"secret": _shape(b"secret", b"", _SIGN, _VALUE),
    b"token": _shape(b"token", b"", _SIGN, _VALUE),
    b"apikey": _shape(b"apikey", b"", _SIGN, _VALUE),
    b"session": _shape(b"session", rb"_?id", rb"[=:]", _SESSION_ID),
    b"authorization": _shape(b"authorization", b"", _SIGN, _CREDENTIALS),
}
