"""Tokens in query strings, where signs such as `/` and `=` are percent-encoded, once or twice."""

from __future__ import annotations

import re
from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction.notation import Span

# A run of the bytes of tokens, with an encoded one among them.
_RUN: Final = lazy_pattern(
    rb"[A-Za-z0-9_.~+/=:!$*|-]{0,512}+"
    rb"(?:%(?:25){0,2}(?:2[1BbFfAa4]|3[AaDd]|5[BbDd]|7[CcEe])[A-Za-z0-9_.~+/=:!$*|-]{0,512}+){1,64}+"
)
_UNIT: Final = lazy_pattern(rb"%(?:25){0,2}([0-9A-Fa-f]{2})|[^%]")
_RUN_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.~+/=:!$*|-%"
_LOOK_BACK: Final = 256
# What the patterns of tokens look back at.
_LONGEST_FRONT: Final = 8


def encoded_token(block: bytes, at: int, prefix: bytes, pattern: re.Pattern[bytes]) -> Span | None:
    """The token at `at` that `pattern` matches once it is decoded. If a run has several beginnings
    of tokens, only the first is read.
    """
    before = block[max(0, at - _LOOK_BACK) : at]
    # Before the run is read, which would be read again at each of its beginnings.
    if prefix in before[len(before.rstrip(_RUN_BYTES)) :]:
        return None
    run = _RUN.match(block, at)
    if run is None:
        return None
    front = before[-_LONGEST_FRONT:]
    units = list(_UNIT.finditer(run[0]))
    text = b"".join(bytes.fromhex(unit[1].decode()) if unit[1] else unit[0] for unit in units)
    match = pattern.match(front + text, len(front))
    if match is None:
        return None
    first, last = match.span(1 if match.re.groups else 0)
    if first == last:
        return None
    start = units[first - len(front)]
    end = units[last - len(front) - 1]
    return Span(at + start.start(), at + end.end())
