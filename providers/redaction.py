"""Secrets: how we hold our own, and what is taken out of everything that leaves a provider.

`Redactor.text` and `Redactor.lines` replace passwords, tokens and keys with `[redacted]`, also inside query strings
and JSON, and every one of the bot's own live secrets wherever it stands. When in doubt a value is taken out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from ahocorasick_rs import BytesAhoCorasick, MatchKind

MARK: Final = "[redacted]"
LONGEST_LINE: Final = 1024 * 1024
OVERLAP: Final = 8 * 1024


class Secret:
    """A value that prints as dots and opens only where a header is written."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def open(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(••••)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)


# What stands between a name and its value on one line, and where a value ends.
_BLANK: Final = rb"[^\S\n]"
_OPENING: Final = rb"""\\*["']?""" + _BLANK + rb"""{0,3}(?:=>|[:=]|%3[Dd])""" + _BLANK + rb"""{0,3}"""
# A quoted value ends at its own kind of quote unless a backslash stands before it, and with the line in any case.
_QUOTED: Final = rb"""(?:[^\n"'\\]++|(?!(?<!\\)(?P=quote))[^\n])*+"""
# A bare value ends at blanks and quotes; `&`, `,`, `;` and closing brackets end it only where something else begins behind them.
_BARE: Final = (
    rb"""(?:(?:\[redacted\])?(?:[^\s"'&,;<>\[\])}\\]++|[&,;](?!\\*["'{\[]|[\w.-]{1,40}\\*["']?[=:]|\s|$)|[\])}>](?![\s,;.&)\]}>"'\\]|$))++"""
    rb"""|\[redacted\])"""
)
_SCHEME: Final = rb"(?:bearer|basic|token|apikey|negotiate|eg1-hmac-sha256)"
_MARK: Final = MARK.encode()


def _rule(pattern: bytes, *hints: bytes) -> tuple[re.Pattern[bytes], tuple[bytes, ...]]:
    return re.compile(pattern), hints


def _joined(*firsts: bytes, last: bytes) -> list[bytes]:
    return [first + by + last for first in firsts for by in (b"", b"_", b"-")]


# Each rule with the words, in lower case, at one of which it begins. A rule takes out what stands behind its first group, `kept`.
# A word that begins with `?` or `&` is one that is a name only at the head of a query parameter; the rule begins behind it.
_RULES: Final = (
    # Authorization: Bearer abc, Basic dXNlcg==, EG1-HMAC-SHA256 client_token=...; Digest runs to the end of the line
    _rule(
        rb"(?i)(?P<kept>authorization\\*[\"']?" + _BLANK + rb"{0,3}[:=]" + _BLANK + rb"{0,3}\\*[\"']?)"
        rb"(?:digest" + _BLANK + rb"[^\n]+|(?:" + _SCHEME + _BLANK + rb"{1,3})?[^\s\"'\\,]+)",
        b"authorization",
    ),
    _rule(rb"(?i)(?P<kept>cookie\\*[\"']?" + _BLANK + rb"{0,3}:" + _BLANK + rb"{0,3}\\*[\"']?)[^\n\"']+", b"cookie"),
    _rule(rb"(?i)(?P<kept>\bbearer" + _BLANK + rb"{1,3})[A-Za-z0-9._~+/=-]{8,}", b"bearer"),
    _rule(rb"(?P<kept>\b[Bb](?:asic|ASIC)" + _BLANK + rb"{1,3})(?=[a-z]{0,80}[A-Z0-9+/=])[A-Za-z0-9+/=]{8,}", b"basic"),
    # A name such as password, api_key or X-Auth-Token, and its value; what may stand in front of it need not be matched to be kept.
    _rule(
        rb"(?i)(?P<kept>(?:passw(?:or)?d|passphrase|secret(?:[_-]?(?:access[_-]?)?key)?"
        rb"|(?:api|access|private|session|account|auth)[_-]?key|sess(?:ion)?[_-]?id|credentials?|token"
        rb"|(?<![A-Za-z])(?:pwd|jwt|otp|sid|sig|signature|totp|mfa)|(?<=[?&])(?:key|code|auth))"
        + _OPENING
        + rb"""(?P<quote>\\*["'])?)(?(quote)"""
        + _QUOTED
        + rb"|"
        + _BARE
        + rb")",
        *(b"passw", b"passphrase", b"secret", b"credential", b"token", b"pwd", b"jwt", b"otp", b"sid", b"sig", b"totp", b"mfa"),
        *_joined(b"api", b"access", b"session", b"account", b"auth", last=b"key"),
        *_joined(b"sess", b"session", last=b"id"),
        b"private",
        *(b"?key", b"&key", b"?code", b"&code", b"?auth", b"&auth"),
    ),
    # https://user:password@host
    _rule(rb"(?P<kept>://[^\s:/@\"']{0,128}:)[^\s@/\"']{1,256}(?=@)", b"://"),
    # tokens that show what they are: JWT, Slack, AWS, GitHub, GitLab, Stripe, Google, private keys
    _rule(rb"(?P<kept>)\beyJ[A-Za-z0-9_-]{8,4096}+\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?", b"eyj"),
    _rule(rb"(?P<kept>)\bx(?:ox[abeprs]|app)-[A-Za-z0-9-]{8,}", b"xox", b"xapp-"),
    _rule(rb"(?P<kept>)\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", b"akia", b"asia"),
    _rule(
        rb"(?P<kept>)\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,})",
        *(b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat", b"glpat"),
    ),
    _rule(
        rb"(?P<kept>)\b(?:[srp]k_(?:live|test)_[A-Za-z0-9]{10,}|AIza[A-Za-z0-9_-]{30,})",
        *(b"sk_live_", b"rk_live_", b"sk_test_", b"rk_test_", b"pk_", b"aiza"),
    ),
    _rule(rb"(?P<kept>)-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^\n]*", b"-----begin "),
)
_HINTS: Final = sorted({hint for _, hints in _RULES for hint in hints})
# That many the scan can look for with vectors, which is three times as quick.
assert len(_HINTS) <= 64
# One pass over a block finds all hints at once, at the speed of memory; they are looked for in lower case.
_SCAN: Final = BytesAhoCorasick(_HINTS, matchkind=MatchKind.LeftmostFirst)


_BEGINS_A_WORD: Final = re.compile(rb"(?:\(\?i\))?\(\?P<kept>\)?\\b")


def _attempts(hint: bytes) -> list[tuple[int, re.Pattern[bytes]]]:
    """Which rules to try where a hint was found, and how far behind its beginning. A hint that begins inside another is not
    reported by the scan, so what it stands for is tried as well, unless it begins a word and so cannot stand inside one."""
    tries: dict[tuple[int, re.Pattern[bytes]], None] = {}
    for pattern, hints in _RULES:
        for other in hints:
            for at in range(len(hint)):
                if at and hint[at - 1 : at].isalnum() and _BEGINS_A_WORD.match(pattern.pattern):
                    continue
                if hint[at:].startswith(other) or other.startswith(hint[at:]):
                    tries[at + other.startswith((b"?", b"&")), pattern] = None
    return sorted(tries, key=lambda attempt: attempt[0])


_ATTEMPTS: Final = [[(shift, pattern.match) for shift, pattern in _attempts(hint)] for hint in _HINTS]
# Behind this distance, what begins inside a secret cannot end outside of it.
_REACH: Final = 256
# A value that was cut at a seam of a very long line goes on behind its mark.
_CONTINUED: Final = re.compile(rb"""\[redacted\][^\s"'&,;<>\])}\[]+""")


class Redactor:
    """Takes secrets out of text and of log bytes. `own` are the bot's live secrets, matched by value."""

    def __init__(self, own: Iterable[Secret] = ()) -> None:
        self._own = sorted({s.open().encode() for s in own if len(s.open()) >= 4}, key=len, reverse=True)
        self._own_scan = BytesAhoCorasick(self._own)

    def __reduce__(self) -> tuple[type[Redactor], tuple[list[Secret]]]:
        return Redactor, ([Secret(value.decode()) for value in self._own],)

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self.block(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")

    def block(self, block: bytes) -> bytes:
        """A block of whole lines without secrets. Clean bytes come back as they were, bit for bit."""
        if self._own and self._own_scan.find_matches_as_indexes(block):
            for value in self._own:
                block = block.replace(value, _MARK)
        pieces: list[bytes] = []
        done = 0
        for start, end in _secrets(block):
            if start > done or not pieces:
                pieces.append(block[done:start])
                pieces.append(_MARK)
            if end > done:
                done = end
        return b"".join([*pieces, block[done:]]) if pieces else block

    def stream(self) -> LineRedactor:
        """A redactor for bytes that arrive in pieces."""
        return LineRedactor(self)


def _secrets(block: bytes) -> list[tuple[int, int]]:
    """Where the secrets begin and end, in order; they may overlap."""
    found: list[tuple[int, int]] = []
    reach = 0
    for hint, at, _ in _SCAN.find_matches_as_indexes(block.lower()):
        if at + _REACH < reach:
            continue
        for shift, match_at in _ATTEMPTS[hint]:
            if match := match_at(block, at + shift):
                end = match.end()
                found.append((match.end(1), end))
                if end > reach:
                    reach = end
    return sorted(found)


class LineRedactor:
    """Redacts a stream of bytes line by line, whatever pieces it comes in. Lines end at LF and at nothing else.

    A line longer than LONGEST_LINE is redacted in overlapping pieces, so memory stays flat.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._rest = bytearray()
        self._in_long_line = False

    def feed(self, piece: bytes) -> bytes:
        """The redacted bytes that are certain by now."""
        cut = piece.rfind(b"\n") + 1
        if cut:
            block = self._redacted(b"".join((self._rest, memoryview(piece)[:cut])))
            self._rest, self._in_long_line = bytearray(piece[cut:]), False
            return block
        self._rest += piece
        return self._long_line() if len(self._rest) > LONGEST_LINE else b""

    def close(self) -> bytes:
        """What is left once the stream has ended."""
        rest, self._rest = bytes(self._rest), bytearray()
        return self._redacted(rest)

    def _long_line(self) -> bytes:
        """All but the last OVERLAP bytes. The tail is cut from what is already clean, so no secret straddles the seam."""
        redacted = self._redacted(bytes(self._rest))
        self._rest, self._in_long_line = bytearray(redacted[-OVERLAP:]), True
        return redacted[:-OVERLAP]

    def _redacted(self, block: bytes) -> bytes:
        redacted = self._redactor.block(block)
        return _CONTINUED.sub(_MARK, redacted) if self._in_long_line else redacted
