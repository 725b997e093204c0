"""Takes secrets out of text and of log bytes: passwords, tokens and keys, and the bot's own credentials wherever they stand.

One pass over a block finds the fixed texts at which a secret may begin; the rules look only there. When in doubt a value is taken out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from providers.redaction.named import NAME_HINTS, named_secrets
from providers.redaction.own import spellings
from providers.redaction.phrases import (
    ADDRESS_HINTS,
    COMMAND_HINTS,
    SCHEME_HINTS,
    address_secrets,
    command_secrets,
    scheme_secrets,
)
from providers.redaction.private_keys import KEY_HINTS, OpenKey, following_lines, private_key
from providers.redaction.scan import Scan
from providers.redaction.secret import MARK, Secret
from providers.redaction.stream import LineRedactor
from providers.redaction.token_rules import JWT_HINTS, JwtRule, Rule, token_rules
from providers.redaction.values import Span

SHORTEST_OWN: Final = 4
_MARK: Final = MARK.encode()


def _phrase_rules() -> list[tuple[bytes, Rule]]:
    hints = (
        (NAME_HINTS, named_secrets),
        (ADDRESS_HINTS, address_secrets),
        (SCHEME_HINTS, scheme_secrets),
        (COMMAND_HINTS, command_secrets),
    )
    return [(hint.encode(), rule) for texts, rule in hints for hint in texts]


# Looked for in lower case.
_PHRASES: Final = _phrase_rules()
_PHRASE_RULES: Final = [rule for _, rule in _PHRASES]
_PHRASE_SCAN: Final = Scan([hint for hint, _ in _PHRASES], apart=False)
# Looked for as they are.
_TOKENS: Final = token_rules()
_KEYS: Final = frozenset(hint.encode() for hint in KEY_HINTS)
_JWTS: Final = frozenset(hint.encode() for hint in JWT_HINTS)
_TOKEN_TEXTS: Final = list(dict.fromkeys([*_TOKENS, *sorted(_KEYS), *sorted(_JWTS)]))
_TOKEN_RULES: Final = [_TOKENS.get(text, []) for text in _TOKEN_TEXTS]
_TOKEN_SCAN: Final = Scan(_TOKEN_TEXTS, apart=True)
# Behind this distance, what begins inside a secret cannot end outside of it.
_REACH: Final = 256
_LONGEST_SCHEME: Final = len("basic%20")


class Redactor:
    """Takes secrets out of text and of log bytes. `own` are the bot's live secrets, matched by value in any of their spellings."""

    def __init__(self, own: Iterable[Secret] = ()) -> None:
        self._own = sorted({s.open() for s in own if len(s.open()) >= SHORTEST_OWN})
        texts = sorted({spelling for value in self._own for spelling in spellings(value)}, key=len, reverse=True)
        self._own_scan = BytesAhoCorasick(texts, matchkind=MatchKind.LeftmostLongest) if texts else None

    def __reduce__(self) -> tuple[type[Redactor], tuple[list[Secret]]]:
        return Redactor, ([Secret(value) for value in self._own],)

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self.block(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")

    def block(self, block: bytes) -> bytes:
        """A block of whole lines without secrets. Clean bytes come back as they were, bit for bit."""
        return self.part(block, None)[0]

    def part(self, block: bytes, key: OpenKey | None) -> tuple[bytes, OpenKey | None]:
        """Some lines of a longer text without secrets, where the lines before them may have left a private key open."""
        spans, key = _secrets(block, key)
        if self._own_scan:
            spans += [Span(start, end) for _, start, end in self._own_scan.find_matches_as_indexes(block)]
        return _without(block, spans), key

    def stream(self) -> LineRedactor:
        """A redactor for bytes that arrive in pieces."""
        return LineRedactor(self)


def _secrets(block: bytes, key: OpenKey | None) -> tuple[list[Span], OpenKey | None]:
    """Where the secrets stand; they may overlap. And the private key that goes on behind the block."""
    spans: list[Span] = []
    if key:
        spans, _, key = following_lines(block, 0, key)
    hits = _TOKEN_SCAN.found(block)
    phrases = _PHRASE_SCAN.found(block.lower())
    _look(block, sorted(phrases), spans)
    if hits:
        key = _look_for_tokens(block, sorted(hits), spans) or key
    return spans, key


def _look(block: bytes, hits: list[tuple[int, int]], spans: list[Span]) -> None:
    reach = 0
    rules = _PHRASE_RULES
    for at, hint in hits:
        if at + _REACH < reach:
            continue
        rule = rules[hint]
        # The credentials behind a scheme were taken out together with it.
        if rule is scheme_secrets and at + _LONGEST_SCHEME < reach:
            continue
        found = rule(block, at)
        if found:
            spans += found
            reach = max(reach, found[-1][1])


def _look_for_tokens(block: bytes, hits: list[tuple[int, int]], spans: list[Span]) -> OpenKey | None:
    jwt = JwtRule()
    key: OpenKey | None = None
    reach = 0
    for at, hint in hits:
        if at + _REACH < reach:
            continue
        text = _TOKEN_TEXTS[hint]
        found = [span for rule in _TOKEN_RULES[hint] for span in rule(block, at)]
        if text in _JWTS:
            found += jwt(block, at)
        elif text in _KEYS and at >= reach:
            begun, key = private_key(block, at)
            found += begun
            if key:
                below, end, key = following_lines(block, _next_line(block, begun[-1].end), key)
                found += below
                reach = max(reach, end)
        spans += found
        reach = max([reach, *(span.end for span in found)])
    return key


def _next_line(block: bytes, at: int) -> int:
    end = block.find(b"\n", at)
    return len(block) if end < 0 else end + 1


def _without(block: bytes, spans: list[Span]) -> bytes:
    if not spans:
        return block
    spans.sort()
    pieces: list[bytes] = []
    done = 0
    for start, end, mark in spans:
        if end <= start:
            continue
        if start > done or not pieces:
            pieces += (block[done:start], mark)
        done = max(done, end)
    return b"".join([*pieces, block[done:]])
