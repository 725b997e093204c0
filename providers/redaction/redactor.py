"""Takes secrets out of text and of log bytes: passwords, tokens and keys, and the bot's own credentials wherever they stand.

One pass over a block finds the fixed texts at which a secret may begin; the rules look only there. When in doubt a value is taken out.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Final

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from providers.redaction.common_shapes import common_secret
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
from providers.redaction.token_rules import Rule, token_rules
from providers.redaction.values import Span

# The place of a text in its group, and where it begins and ends.
Match = tuple[int, int, int]
SHORTEST_OWN: Final = 4
_MARK: Final = MARK.encode()


def _phrase_rules() -> dict[bytes, Rule]:
    hints = (
        (NAME_HINTS, named_secrets),
        (ADDRESS_HINTS, address_secrets),
        (SCHEME_HINTS, scheme_secrets),
        (COMMAND_HINTS, command_secrets),
    )
    return {hint.encode(): rule for texts, rule in hints for hint in texts}


# Looked for in lower case.
_PHRASE_SCAN: Final = Scan(_phrase_rules(), apart=False)
# Looked for as they are. A private key goes on in the lines below, so it has no rule for its place alone.
_KEY_RULES: Final[Mapping[bytes, list[Rule]]] = {hint.encode(): [] for hint in KEY_HINTS}
_TOKEN_SCAN: Final = Scan({**token_rules(), **_KEY_RULES}, apart=True)
# So many places in one line, with no more than so many bytes from each to the next, are a crowd. No log that was seen has one.
CROWD: Final = 2000
CROWD_BYTES: Final = 24
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
    lowered = block.lower()
    for rules, matches in _PHRASE_SCAN.found(lowered):
        matches = _without_crowds(block, matches, spans)
        _look_for_phrases(block, lowered, rules, matches, spans)
    keys: list[int] = []
    for choices, matches in _TOKEN_SCAN.found(block):
        matches = _without_crowds(block, matches, spans)
        _look_for_tokens(block, choices, matches, spans)
        keys += [at for index, at, _ in matches if not choices[index]]
    if keys:
        key = _look_for_keys(block, sorted(keys), spans) or key
    return spans, key


def _without_crowds(block: bytes, matches: list[Match], spans: list[Span]) -> list[Match]:
    """The places that are worth a look. A line of which every few bytes may begin a secret is not read to its end but taken out."""
    if len(matches) <= CROWD or len(matches) * CROWD_BYTES < len(block):
        return matches
    kept: list[Match] = []
    at = 0
    while at < len(matches):
        kept += matches[at : at + CROWD]
        first, last = matches[at][1], matches[min(at + CROWD, len(matches)) - 1][1]
        at += CROWD
        if last - first < CROWD * CROWD_BYTES and len(kept) >= CROWD and block.find(b"\n", first, last) < 0:
            end = _next_line(block, last) - block.endswith(b"\n", last, _next_line(block, last))
            spans.append(Span(last, end))
            at = bisect_left(matches, end, lo=min(at, len(matches)), key=_start_of)
    return kept


def _start_of(match: Match) -> int:
    return match[1]


def _look_for_phrases(block: bytes, lowered: bytes, rules: list[Rule], matches: list[Match], spans: list[Span]) -> None:
    reach = 0
    for index, at, _ in matches:
        if at + _REACH < reach:
            continue
        rule = rules[index]
        if rule is named_secrets:
            if common := common_secret(lowered, at):
                spans.append(Span(*common))
                reach = max(reach, common[1])
                continue
        # The credentials behind a scheme were taken out together with it.
        elif rule is scheme_secrets and at + _LONGEST_SCHEME < reach:
            continue
        if found := rule(block, at):
            spans += found
            reach = max(reach, found[-1][1])


def _look_for_tokens(block: bytes, rules: list[list[Rule]], matches: list[Match], spans: list[Span]) -> None:
    reach = 0
    for index, at, _ in matches:
        if at + _REACH < reach:
            continue
        for rule in rules[index]:
            if found := rule(block, at):
                spans += found
                reach = max(reach, found[-1][1])


def _look_for_keys(block: bytes, starts: list[int], spans: list[Span]) -> OpenKey | None:
    key: OpenKey | None = None
    reach = 0
    for at in starts:
        if at < reach:
            continue
        begun, key = private_key(block, at)
        spans += begun
        reach = begun[-1].end if begun else reach
        if key:
            below, reach, key = following_lines(block, _next_line(block, begun[-1].end), key)
            spans += below
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
