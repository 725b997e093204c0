"""Finds tokens of the formats in `tokens.TOKEN_FORMATS` at their fixed texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from providers.patterns import lazy_pattern
from providers.redaction.encoded import encoded_token
from providers.redaction.notation import Span
from providers.redaction.tokens import MARKED_RUNS, TOKEN_FORMATS, TokenFormat

# A word begins after anything but a letter or digit, and after an escape such as `\n` or `%20`.
_WORD_BEGINS: Final = (
    rb"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=%[0-9A-Fa-f]{2})|(?<=\\u00[0-9A-Fa-f]{2})|(?<=\\x[0-9A-Fa-f]{2})"
    # The end of a terminal's escape for a colour, such as `ESC[1;32m`.
    rb"|(?<=\[m)|(?<=[\[;]\dm)|(?<=[\[;]\d\dm)|(?<=;\d\d\dm))"
)
# The end of an escape looks like a letter of a word.
_INSIDE_WORD: Final = lazy_pattern(rb"(?![0-9A-Fa-f]{2})[^\\\n][A-Za-z0-9]")
# No token is this short, and none continues after a quote or a blank.
_SHORT_REST: Final = lazy_pattern(rb"""[A-Za-z0-9_.~+/=-]{0,11}+["'\s]""")
_JWT: Final = lazy_pattern(
    rb"[A-Za-z0-9_-]{8,4096}+\.(?:[A-Za-z0-9_-]{4,}+|(?=\.[A-Za-z0-9_-]{20}))(?:\.[A-Za-z0-9_-]*+){0,3}"
)
_LOOK_BACK: Final = 256
# As much of the text before a token decides whether it is one.
_LONGEST_FRONT: Final = 96
_RUN_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_TWICE_ENCODED: Final = lazy_pattern(rb"[A-Za-z0-9+/_-]{40,}+={0,2}")
_KEY_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
_KEY_RUN: Final = lazy_pattern(
    rb"(?:[A-Za-z0-9+/_-]|%(?:25){0,2}2[BbFf]){0,160}+(?:=|%(?:25){0,2}3[Dd]){0,2}"
)
# Encoded signs that are not part of Base64: ` "&:=?`.
_OTHER_SIGN: Final = lazy_pattern(rb".{0,160}%(?:2[026]|3[AaDdFf])", re.DOTALL)


# The fixed texts of the formats, and those of them that have to be at the beginning of a word.
_OTHER_PREFIXES: Final = frozenset(
    prefix for token in TOKEN_FORMATS if token.before for prefix in token.prefixes
)
_MIDDLE_PREFIXES: Final = frozenset(
    prefix for token in TOKEN_FORMATS if not token.is_word for prefix in token.prefixes
)
_PREFIXES: Final = frozenset(
    prefix.encode()
    for token in TOKEN_FORMATS
    for prefix in token.prefixes
    if prefix not in _OTHER_PREFIXES
)
_WORD_PREFIXES: Final = _PREFIXES - {prefix.encode() for prefix in _MIDDLE_PREFIXES}

# The rest of a placeholder such as `xoxb-xxxx-xxxx` or `sk_live_********`: one letter, again and
# again.
_PLACEHOLDER: Final = lazy_pattern(
    rb"(?:[a-z][a-z0-9]{1,9}[_.-]){0,3}([A-Za-z0-9*])(?:\1|[-_.=]){7,}+$"
)

# Fixed texts with one of these are different in a query string. JSON with its quotes is seldom in
# one.
_ENCODED: Final = frozenset("+/:|*$=[{")
_QUOTING: Final = frozenset('"\\% ')

# Keys that may be followed by their secret.
_WITH_FOLLOWING_SECRET: Final = (b"AKIA", b"ASIA", b"ABIA", b"ACCA", b"DO00", b"DO80")

Rule = Callable[[bytes, int], list[Span]]


def token_rules() -> dict[bytes, list[Rule]]:
    """The rules for each fixed text."""
    rules: dict[bytes, list[Rule]] = {}
    for token in TOKEN_FORMATS:
        for prefix in token.prefixes:
            rules.setdefault(prefix.encode(), []).append(_rule(token, prefix.encode()))
            for encoded in _in_query_string(prefix) if not token.before else ():
                rules.setdefault(encoded, []).append(_rule(token, encoded, prefix.encode()))
    for mark in MARKED_RUNS:
        for text in (mark.encode(), *_in_query_string(mark)):
            rules.setdefault(text, []).append(_marked_run)
    rules[b"eyJ"] = [json_web_token]
    rules[b"ZXlK"] = [twice_encoded_token]
    return rules


def _in_query_string(prefix: str) -> set[bytes]:
    """A fixed text as it is in a query string, also encoded twice, unless it is the same there."""
    if _ENCODED.isdisjoint(prefix) or not _QUOTING.isdisjoint(prefix):
        return set()
    once = quote(prefix, safe="")
    return {once.encode(), quote(once, safe="").encode()}


def ordinary_token_text(block: bytes, at: int, end: int, rules: list[Rule]) -> bytes | None:
    """The text around the fixed text of a format if it is not a token wherever it occurs: because
    it is inside a word, or too short.
    """
    preceding = block[max(0, at - 2) : at]
    text = block[at:end]
    is_inside = bool(_INSIDE_WORD.match(preceding))
    if text in _WORD_PREFIXES and is_inside:
        return preceding + text
    if (
        text not in _PREFIXES
        or len(preceding) < 2
        or not (is_inside or not preceding[-1:].isalnum())
    ):
        return None
    rest = _SHORT_REST.match(block, end)
    if rest is None or any(rule(block, at) for rule in rules):
        return None
    return preceding + text + rest[0]


def _rule(token: TokenFormat, prefix: bytes, decoded: bytes | None = None) -> Rule:
    """The rule of a format. `decoded` is the prefix if `prefix` is its form in a query string.

    Its expression is compiled when its prefix is first found: compiling all takes a third of a
    second, and a process needs only a few.
    """
    if token.before:
        return _rule_with_text_before(token, prefix)
    begins = _WORD_BEGINS if token.is_word else b""
    rest = b"(?:" + token.rest.encode() + b")"
    pattern = lazy_pattern(begins + re.escape(prefix) + rest)
    of_decoded = lazy_pattern(begins + re.escape(decoded) + rest) if decoded else pattern
    has_following_secret = prefix in _WITH_FOLLOWING_SECRET
    not_after = lazy_pattern(token.not_after.encode()) if token.not_after else None

    def rule(block: bytes, at: int) -> list[Span]:
        match = pattern.match(block, at)
        is_cut = match is None or block[match.end() : match.end() + 1] == b"%"
        if is_cut and (encoded := encoded_token(block, at, prefix, of_decoded)):
            return [encoded]
        if match is None or _PLACEHOLDER.match(match[0], len(prefix)):
            return []
        if not_after and not_after.search(block, max(0, at - _LONGEST_FRONT), at):
            return []
        if has_following_secret:
            return _with_following_secret(match)
        return [Span(*match.span(1 if match.re.groups else 0))]

    return rule


def _with_following_secret(match: re.Match[bytes]) -> list[Span]:
    spans = [Span(match.start(), match.start() + 20)]
    return [*spans, Span(*match.span(1))] if match[1] else spans


def _rule_with_text_before(token: TokenFormat, prefix: bytes) -> Rule:
    front = lazy_pattern(b"(?:" + token.before.encode() + b")$")
    rest = lazy_pattern(re.escape(prefix) + b"(?:" + token.rest.encode() + b")")
    length = token.before_length

    def rule(block: bytes, at: int) -> list[Span]:
        match = rest.match(block, at)
        before = block[max(0, at - length) : at]
        first = front.search(before) if match else None
        return [Span(at - len(before) + first.start(), match.end())] if first and match else []

    return rule


def _marked_run(block: bytes, at: int) -> list[Span]:
    """A run of Base64 around its mark, of the length of Azure's keys."""
    before = block[max(0, at - 160) : at]
    run_before = before[len(before.rstrip(_KEY_BYTES + b"%")) :]
    other = _OTHER_SIGN.match(run_before)
    start = at - len(run_before) + (other.end() if other else 0)
    if block[start - 1 : start] == b"\\":
        start += 1
    run = _KEY_RUN.match(block, at)
    end = run.end() if run else at
    length = end - start - 2 * block.count(b"%", start, end) - 2 * block.count(b"%25", start, end)
    return [Span(start, end)] if 40 <= length <= 128 else []


def json_web_token(block: bytes, at: int) -> list[Span]:
    """A JSON Web Token, signed or encrypted. If a run of letters has several beginnings, only the
    first is read.
    """
    before = block[max(0, at - _LOOK_BACK) : at]
    run = before[len(before.rstrip(_RUN_BYTES)) :]
    if b"eyJ" in run:
        return []
    match = _JWT.match(block, at)
    return [Span(*match.span())] if match else []


def twice_encoded_token(block: bytes, at: int) -> list[Span]:
    """The Base64 of a JSON Web Token."""
    match = _TWICE_ENCODED.match(block, at)
    return [Span(*match.span())] if match else []
