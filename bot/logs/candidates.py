"""Lines that may tell a time or a level, found in one pass over a block. All others tell nothing
and belong to the line above, so a block of random text needs no look at each line.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ahocorasick_rs import BytesAhoCorasick

from bot.logs import fields, levels
from bot.logs.grammar import DIGITS_OF_TIME, LEAST_BYTES
from providers.patterns import compile_pattern

# In a text with all its digits alike a search that begins with one is many times as quick as one
# that begins with any digit or sign.
_TIMES: Final = compile_pattern(DIGITS_OF_TIME.replace(rb"\d", b"0") + rb"[^\n]*+")
_TAI_TIMES: Final = compile_pattern(rb"@00000[^\n]*+")
# How lines begin that tell a level and no time, or fields by labels; of them, the lines of Docker
# Compose take longest to tell from others.
_STARTS: Final = compile_pattern(
    rb"\n(?=[^\n]{%d})(?:[\[<%%\xef]" % LEAST_BYTES
    + rb"|"
    + levels.CAPITALS
    + rb"|"
    + levels.CAREFUL_CAPITALS
    + rb"|(?:trce|dbug|info|warn|fail|crit): |TRAC|DEBU|ERRO|FATA|PANI|PHP |npm "
    + rb"|\d{1,10}+ {1,6}+[\[nviwe]|[EWIDVFAS] ?[(/]"
    + rb"|(?:kern|user|daemon|syslog|auth|local\d)[ :]"
    + rb"|(?:time|ts|timestamp|host|remote_addr|remotehost|level):)[^\n]*+"
)
_COMPOSED: Final = compile_pattern(rb"\n[\w.-]{1,64}+ {1,20}\|[^\n]*+")
_KEYS: Final = [*fields.LEVEL_KEYS, "@t", "log", "date"]
_QUOTED: Final = [b'"%s"' % key.encode() for key in _KEYS]
# What stands in lower-case JSON and pairs that may tell a level; the name of a field may be
# written with escapes, too.
_FIELDS: Final = BytesAhoCorasick([*_QUOTED, b"\\u", *(b"%s=" % key.encode() for key in _KEYS)])
_FIRST_PAIR: Final = len(_QUOTED) + 1
_NAME: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_.@-")


def candidates(text: bytes, digits_alike: bytes) -> Iterator[tuple[int, int]]:
    """From which line end to which the lines reach that may tell something, in order, of a text in
    which a line end stands before each line.
    """
    ends = {text.rfind(b"\n", 0, m.start()): m.end() for m in _TIMES.finditer(digits_alike)}
    if b"@4" in text:
        found = _TAI_TIMES.finditer(digits_alike)
        ends.update((text.rfind(b"\n", 0, m.start()), m.end()) for m in found)
    ends.update((m.start(), m.end()) for m in _STARTS.finditer(text))
    if b" |" in text:
        ends.update((m.start(), m.end()) for m in _COMPOSED.finditer(text))
    if b"=" in text or b"{" in text:
        ends.update(_with_fields(text))
    return iter(sorted(ends.items()))


def _with_fields(text: bytes) -> Iterator[tuple[int, int]]:
    lowered = text.lower()
    for sign, start, end in _FIELDS.find_matches_as_indexes(lowered):
        if sign >= _FIRST_PAIR and lowered[start - 1] in _NAME:
            continue
        line_end = text.find(b"\n", end)
        yield text.rfind(b"\n", 0, start), line_end if line_end >= 0 else len(text)
