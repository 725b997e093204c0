"""Where a value without quotes ends that contains a sign which elsewhere separates values, such as
the `&` of `secret = a&b=c` on a line of its own, or the `%26` of `?secret=a%26b`.
"""

from __future__ import annotations

import re
from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction.notation import Span

_SEPARATORS: Final = (b"&", b",", b";", b"|")
# In a query string whose `=` is not encoded, an encoded sign is part of the value.
_ENCODED_REST: Final = lazy_pattern(
    rb"(?:[A-Za-z0-9._~+/=*!$@:-]|%(?!(?:25){0,2}(?:20|22|0[AaDd]))[0-9A-Fa-f]{2})++"
)
_REST_OF_LINE: Final = lazy_pattern(rb"""[^\s"'`<>\\]++(?=[ \t\r]{0,80}(?:\n|$))""")
_BEGINS_LINE: Final = lazy_pattern(rb"(?:^|\n)[ \t]{0,40}(?:[<>#+-][ ])?$")
# `-H "x-api-key: x"`, `Environment="API_KEY=x"`: the quote before the name closes the value.
_QUOTED_ARGUMENT: Final = lazy_pattern(
    rb"""(?:[ ](?:-H|--header|-e|--env)[ =]?|nvironment=)(?P<quote>\\{0,4}["'])$"""
)
_QUOTED_REST: Final = lazy_pattern(rb"""[^\s"'\\]++""")
_PASSWORD_AFTER_USER: Final = lazy_pattern(rb"""[ ]/[ ][^\s"'`<>\\]{3,256}+""")
_ELEMENT_REST: Final = lazy_pattern(rb"[^<\n]++(?=</)")


def whole_value(block: bytes, found: Span, after: re.Match[bytes], name: bytes) -> Span:
    """The value whose beginning was `found` after a name and a sign."""
    stop = block[found.end : found.end + 1]
    if stop == b" " and name[-5:].lower() in (b"creds", b"tials"):
        # credentials: ada / x
        return _extended(block, found, _PASSWORD_AFTER_USER)
    if stop == b"%" and after["sign"] == b"=":
        return _extended(block, found, _ENCODED_REST)
    if stop not in _SEPARATORS:
        return found
    if block[found.start - 1 : found.start] == b">":
        return _extended(block, found, _ELEMENT_REST)
    first = after.end("rest") - len(name)
    front = block[max(0, first - 48) : first]
    argument = _QUOTED_ARGUMENT.search(front)
    if argument:
        longer = _extended(block, found, _QUOTED_REST)
        return longer if block.startswith(argument["quote"], longer.end) else found
    has_gap = block[found.start - 1 : found.start] in (b" ", b"\t")
    if has_gap and (first <= len(front) or b"\n" in front) and _BEGINS_LINE.search(front):
        return _extended(block, found, _REST_OF_LINE)
    return found


def _extended(block: bytes, found: Span, pattern: re.Pattern[bytes]) -> Span:
    rest = pattern.match(block, found.end)
    return Span(found.start, rest.end()) if rest else found
