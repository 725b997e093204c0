"""Passwords of `IDENTIFIED BY` in SQL, which sentences say, too: `issue identified by customer;`."""

from __future__ import annotations

import re
from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction.notation import Span, quoted_end
from providers.redaction.values import looks_stated, may_be_secret

_IDENTIFIED: Final = lazy_pattern(
    rb"""(?xi) identified [^\S\n]{1,3} (?:with[^\S\n]{1,3}(?P<plugin>\S{1,40})[^\S\n]{1,3})? (?P<word>by|as) [^\S\n]{1,3}
    (?P<hash>password[^\S\n]{1,3})? (?=(?P<quote>\\{0,4}["']) | (?P<value>[^\s;]{6,64});)"""
)  # fmt: skip
# mysql_native_password, ed25519, 'sha256_password'
_PLUGIN: Final = lazy_pattern(rb"""(?i)["'`\\]|\w{1,20}_|ed25519|sha\d""")
_STATEMENT: Final = lazy_pattern(
    rb"""(?xi) \b (?: (?:create|alter)\s{1,3}(?:or\s{1,3}replace\s{1,3})?(?:user|role|(?:(?:shared|public)\s){0,2}database\slink)
      | grant\s[^;]{1,200}\son\s[^;]{1,100}\sto | grant\s{1,3}(?:connect|resource|dba|usage|all|select)\b | connect\s{1,3}to | set\s{1,3}role ) \s"""
)  # fmt: skip
# The account is directly before `identified`: 'ada'@'%', or after USER in capital letters.
_ACCOUNT: Final = lazy_pattern(
    rb"""["'`]@[^\s]{1,100}\s{1,8}$|\b(?:USER|ROLE|TO)\s{1,8}[^\s;]{1,100}\s{1,8}$"""
)
_HARDWARE_ADDRESS: Final = lazy_pattern(rb"(?i)(?:[\da-f]{2}[:-]){5}[\da-f]{2}$")
_LONGEST_FRONT: Final = 300
_LONGEST_CHECKED: Final = 256


def identified_secrets(block: bytes, at: int) -> list[Span]:
    """The password after `identified by` or `identified as` at `at`. Outside a statement of SQL, it
    has to look like one.
    """
    match = _IDENTIFIED.match(block, at)
    if match is None:
        return []
    spans = _value(block, match)
    if not spans or _is_statement(block, at, match):
        return spans
    value = block[spans[0].start : spans[0].end]
    if match["word"].lower() == b"as" or _HARDWARE_ADDRESS.match(value):
        return []
    return spans if looks_stated(value) else []


def _value(block: bytes, match: re.Match[bytes]) -> list[Span]:
    if not match["quote"]:
        is_found = may_be_secret(match["value"])
        return [Span(*match.span("value"))] if is_found else []
    start = match.end("quote")
    end = quoted_end(block, start, match["quote"], start + _LONGEST_CHECKED)
    if not may_be_secret(block[start:end]):
        return []
    # Only then the rest of a long value is read, so that lines full of them stay linear.
    return [Span(start, quoted_end(block, start, match["quote"]))]


def _is_statement(block: bytes, at: int, match: re.Match[bytes]) -> bool:
    if match["hash"] or (match["plugin"] and _PLUGIN.match(match["plugin"])):
        return True
    if match["quote"] and match["word"].lower() == b"by":
        return True
    front = block[max(0, at - _LONGEST_FRONT) : at].rpartition(b";")[2]
    return bool(_STATEMENT.search(front) or _ACCOUNT.search(front))
