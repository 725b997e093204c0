"""Secrets: how we hold our own, and what is taken out of everything that leaves a provider.

`Redactor.text` and `Redactor.lines` replace passwords, tokens and keys with `[redacted]`, also inside query strings
and JSON, and every one of the bot's own live secrets wherever it stands. When in doubt a value is taken out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

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


# A name such as password, api_key or X-Auth-Token; what may stand in front of it need not be matched to be kept.
_NAMES: Final = (
    rb"(?:passw(?:or)?d|passphrase|secret(?:[_-]?(?:access[_-]?)?key)?|(?:api|access|private|session|account|auth)[_-]?key"
    rb"|sess(?:ion)?[_-]?id|credentials?|token|(?<![A-Za-z])(?:pwd|jwt|otp|sid|sig|signature|totp|mfa)|(?<=[?&])(?:key|code|auth))"
)
_NAME_HINTS: Final = (
    b"pass", b"pwd", b"secret", b"key", b"token", b"sess", b"sid", b"mfa", b"credential", b"auth", b"otp", b"jwt", b"sig", b"code=",
)  # fmt: skip
_OPENING: Final = rb"""(?P<open>\\*["']?\s{0,3}(?:=>|[:=]|%3[Dd])\s{0,3})"""
# A quoted value ends at its own kind of quote unless a backslash stands before it, and with the line in any case.
_QUOTED: Final = rb"""(?P<quote>\\*["'])(?:(?!(?<!\\)(?P=quote))[^\n])*"""
# A bare value ends at blanks and quotes; `&`, `,`, `;` and closing brackets end it only where something else begins behind them.
_BARE: Final = (
    rb"""(?:\[redacted\])?(?:[^\s"'&,;<>\[\])}\\]|[&,;](?!\\*["'{\[]|[\w.-]{1,40}\\*["']?[=:]|\s|$)|[\])}>](?![\s,;.&)\]}>"'\\]|$))+"""
    rb"""|\[redacted\]"""
)
_SCHEME: Final = rb"(?:bearer|basic|token|apikey|negotiate|eg1-hmac-sha256)"
_MARK: Final = MARK.encode()

_AFTER_NAME: Final = rb"\g<name>" + _MARK

# Each rule with the words, in lower case, of which a line must hold one for the rule to match at all. Looking for these first
# spares clean lines the rules, and the others most of them.
_RULES: Final[tuple[tuple[tuple[bytes, ...], re.Pattern[bytes], bytes], ...]] = (
    # Authorization: Bearer abc, Basic dXNlcg==, EG1-HMAC-SHA256 client_token=...; Digest runs to the end of the line
    (
        (b"auth",),
        re.compile(
            rb"(?i)(?P<name>authorization\\*[\"']?\s{0,3}[:=]\s{0,3}\\*[\"']?)"
            rb"(?:digest\s[^\n]+|(?:" + _SCHEME + rb"\s{1,3})?[^\s\"'\\,]+)"
        ),
        _AFTER_NAME,
    ),
    ((b"cookie",), re.compile(rb"(?i)(?P<name>cookie\\*[\"']?\s{0,3}:\s{0,3}\\*[\"']?)[^\n\"']+"), _AFTER_NAME),
    ((b"bearer",), re.compile(rb"(?i)(?P<name>\bbearer\s{1,3})[A-Za-z0-9._~+/=-]{8,}"), _AFTER_NAME),
    (
        (b"basic",),
        re.compile(rb"(?P<name>\b[Bb](?:asic|ASIC)\s{1,3})(?=[a-z]{0,80}[A-Z0-9+/=])[A-Za-z0-9+/=]{8,}"),
        _AFTER_NAME,
    ),
    (
        _NAME_HINTS,
        # The look ahead at the first letter is what makes this quick.
        re.compile(
            rb"(?i)(?=[acjkmopst])(?P<name>" + _NAMES + rb")" + _OPENING + rb"(?:" + _QUOTED + rb"|" + _BARE + rb")",
        ),
        rb"\g<name>\g<open>\g<quote>" + _MARK,
    ),
    # https://user:password@host
    ((b"://",), re.compile(rb"(?P<name>://[^\s:/@\"']{0,128}:)[^\s@/\"']{1,256}(?=@)"), _AFTER_NAME),
    # tokens that show what they are: JWT, Slack, AWS, GitHub, GitLab, Stripe, Google, private keys
    ((b"eyj",), re.compile(rb"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?"), _MARK),
    ((b"xox", b"xapp-"), re.compile(rb"\bx(?:ox[abeprs]|app)-[A-Za-z0-9-]{8,}"), _MARK),
    ((b"akia", b"asia"), re.compile(rb"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), _MARK),
    (
        (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat", b"glpat"),
        re.compile(rb"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,})"),
        _MARK,
    ),
    ((b"_live_", b"_test_", b"aiza"), re.compile(rb"\b(?:[srp]k_(?:live|test)_[A-Za-z0-9]{10,}|AIza[A-Za-z0-9_-]{30,})"), _MARK),
    ((b"private",), re.compile(rb"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^\n]*"), _MARK),
)
# Each word once, with the rules that want it as bits.
_HINTS: Final = {
    hint: sum(1 << n for n, (hints, _, _) in enumerate(_RULES) if hint in hints)
    for hint in {h for hints, _, _ in _RULES for h in hints}
}
# A value that was cut at a seam of a very long line goes on behind its mark.
_CONTINUED: Final = re.compile(rb"""\[redacted\][^\s"'&,;<>\])}\[]+""")


class Redactor:
    """Takes secrets out of text and of log bytes. `own` are the bot's live secrets, matched by value."""

    def __init__(self, own: Iterable[Secret] = ()) -> None:
        self._own = sorted({s.open().encode() for s in own if len(s.open()) >= 4}, key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self.block(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")

    def block(self, block: bytes) -> bytes:
        """A block of whole lines without secrets. Clean bytes come back as they were, bit for bit."""
        for value in self._own:
            block = block.replace(value, _MARK)
        pieces, done = [], 0
        for start, end, rules in _suspects(block):
            pieces += [block[done:start], _ruled(block[start:end], rules)]
            done = end
        return b"".join([*pieces, block[done:]]) if pieces else block

    def stream(self) -> LineRedactor:
        """A redactor for bytes that arrive in pieces."""
        return LineRedactor(self)


def _suspects(block: bytes) -> list[tuple[int, int, int]]:
    """Where the lines stand that hold a hint, in order, and the rules that apply to them as bits."""
    lower = block.lower()
    ends: dict[int, int] = {}
    rules: dict[int, int] = {}
    for hint, bits in _HINTS.items():
        at = lower.find(hint)
        while at >= 0:
            start = block.rfind(b"\n", 0, at) + 1
            end = block.find(b"\n", at)
            ends[start] = end = len(block) if end < 0 else end
            rules[start] = rules.get(start, 0) | bits
            at = lower.find(hint, end)
    return [(start, ends[start], rules[start]) for start in sorted(ends)]


def _ruled(line: bytes, rules: int) -> bytes:
    for number, (_, pattern, replacement) in enumerate(_RULES):
        if rules >> number & 1:
            line = pattern.sub(replacement, line)
    return line


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
            block = self._redacted(bytes(self._rest) + piece[:cut])
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
