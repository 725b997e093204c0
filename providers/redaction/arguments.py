"""One word or one quoted string that is a secret."""

from __future__ import annotations

import re
from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction.notation import Span
from providers.redaction.prose import is_prose_argument
from providers.redaction.values import may_be_secret

_WORD: Final = lazy_pattern(rb"""[^\s"'`|;,)<\\]{3,256}+""")
_QUOTED: Final = lazy_pattern(
    rb"""(?P<quote>\\{0,8}["'])(?P<value>[^"'\\\n]{1,256}+)(?=(?P=quote))"""
)


def argument(block: bytes, start: int) -> list[Span]:
    """The word or the quoted string at `start`, unless it is an ordinary word or a reference."""
    quoted = _QUOTED.match(block, start)
    match = quoted or _WORD.match(block, start)
    if match is None:
        return []
    group = "value" if quoted else 0
    if not may_be_secret(match[group]):
        return []
    if not quoted and is_prose_argument(block, start, match[group]):
        return []
    return [Span(*match.span(group))]


def piped_value(pattern: re.Pattern[bytes], block: bytes, at: int, longest: int) -> list[Span]:
    """The `value` of a pattern that ends at `at`, where a command begins that reads it. The pattern
    is searched in at most `longest` bytes.
    """
    offset = max(0, at - longest)
    match = pattern.search(block[offset:at])
    if match is None or not may_be_secret(match["value"]):
        return []
    # Some programs ask twice, as in `(echo x; echo x) | smbpasswd -s`.
    groups = [group for group in ("value", "again") if match.groupdict().get(group)]
    return [Span(offset + match.start(group), offset + match.end(group)) for group in groups]
