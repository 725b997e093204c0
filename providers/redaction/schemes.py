"""Tokens after `Bearer` and `Basic`, in headers and elsewhere."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction.names import NameKind, words
from providers.redaction.notation import Span
from providers.redaction.values import is_secret

SCHEME_HINTS: Final = ("bearer", "basic ", "basic%20")

_BEARER: Final = lazy_pattern(
    rb"(?i)(?<![A-Za-z])bearer(?:[^\S\n]{1,3}|%20|\+)((?![\w.-]{1,30}=[^=\s])[A-Za-z0-9._~+/=:-]{6,16384})"
)
_AFTER_BEARER: Final = words(
    "authentication authorization instrument instruments certificate certificates security "
    "securities credential credentials challenge scheme"
    " header headers tokens tokens: shares realm methods support prefix"
)
_BASIC: Final = lazy_pattern(
    rb"(?i)(?<![A-Za-z])basic(?:[^\S\n]{1,3}|%20)((?:[A-Za-z0-9+/_-]|%3[dD]){6,4096}={0,2})"
)
# `Bearer bonds` is prose, `Bearer abC1` is not.
_DIGIT_OR_CASE: Final = lazy_pattern(rb"\d|[a-z][A-Z]|[._~+/=].")


def scheme_secrets(block: bytes, at: int) -> list[Span]:
    """The token after `Bearer` or `Basic`, unless it is an ordinary word."""
    if (match := _BEARER.match(block, at)) and _is_bearer_token(match[1][:512]):
        return [Span(*match.span(1))]
    if (match := _BASIC.match(block, at)) and _is_basic(match[1]):
        return [Span(*match.span(1))]
    return []


def _is_bearer_token(token: bytes) -> bool:
    """Whether a word after `Bearer` is a token: not a known word, and either long or with more than
    letters.
    """
    if token.rstrip(b".,:;").lower() in _AFTER_BEARER or not is_secret(
        NameKind.SECRET, token, prose=True
    ):
        return False
    return len(token) >= 8 or bool(_DIGIT_OR_CASE.search(token))


def _is_basic(token: bytes) -> bool:
    """Whether a word decodes to a user and a password, or can only be Base64."""
    word = token[:512].replace(b"%3D", b"=").rstrip(b"=")
    # Credentials are `user:password`. Anything else has to look random, since `Basic` is also a word.
    try:
        decoded = base64.b64decode(
            word[: len(word) // 4 * 4], altchars=b"-_" if b"-" in word or b"_" in word else None
        )
    except binascii.Error:
        return False
    if b":" in decoded and all(32 <= byte < 127 for byte in decoded):
        return True
    return (
        len(token) >= 12
        and bool(re.search(rb"\d", word))
        and bool(re.search(rb"[a-z][A-Z0-9]", word))
    )
