"""Takes secrets out of text and of log bytes: passwords, tokens and keys, and the bot's own
credentials wherever they stand.

One pass over a block finds the fixed texts at which a secret may begin; the rules look only there.
When in doubt a value is taken out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from providers.redaction import crowds
from providers.redaction.common_shapes import COMMON_SHAPES
from providers.redaction.named import NAME_HINTS, named_secrets, ordinary_text
from providers.redaction.own import spellings
from providers.redaction.phrases import (
    ADDRESS_HINTS,
    COMMAND_HINTS,
    LONGEST_ADDRESS,
    SCHEME_HINTS,
    address_secrets,
    command_secrets,
    scheme_secrets,
)
from providers.redaction.private_keys import KEY_HINTS, OpenKey, following_lines, private_key
from providers.redaction.scan import Match, TextScan, ValueScan
from providers.redaction.secret import MARK, Secret
from providers.redaction.stream import LineRedactor
from providers.redaction.token_rules import Rule, ordinary_token_text, token_rules

# Where a secret stands, and what takes its place.
Found = tuple[int, int, bytes]
# The rule of a text, and the shape that is tried before it.
PhraseRule = tuple[Rule, re.Pattern[bytes] | None]

SHORTEST_OWN: Final = 4
# So many bytes are scanned at a time: what fits into the caches of a processor is read faster.
PART_BYTES: Final = 64 * 1024
# Among lines that are dense, one of so many bytes is looked at by itself.
LONG_LINE: Final = 4096
# Behind this distance, what begins inside a secret cannot end outside of it.
_REACH: Final = 256
_LONGEST_SCHEME: Final = len("basic%20")
_MARK: Final = MARK.encode()


def _phrase_rules() -> dict[bytes, PhraseRule]:
    hints = (
        (NAME_HINTS, named_secrets),
        (ADDRESS_HINTS, address_secrets),
        (SCHEME_HINTS, scheme_secrets),
        (COMMAND_HINTS, command_secrets),
    )
    return {
        hint.encode(): (rule, COMMON_SHAPES.get(hint.encode()))
        for texts, rule in hints
        for hint in texts
    }


# A private key goes on in the lines below, so it has no rule for its place alone.
_KEY_RULES: Final[Mapping[bytes, list[Rule]]] = {hint.encode(): [] for hint in KEY_HINTS}
_TOKEN_RULES: Final = {**token_rules(), **_KEY_RULES}
_RULES: Final[list[PhraseRule | list[Rule]]] = [*_phrase_rules().values(), *_TOKEN_RULES.values()]
_SCAN: Final = TextScan(any_case=list(_phrase_rules()), as_they_are=list(_TOKEN_RULES))


class Redactor:
    """Takes secrets out of text and of log bytes. `own` are the bot's live secrets, matched by
    value in any of their spellings.
    """

    def __init__(self, own: Iterable[Secret] = ()) -> None:
        self._own = sorted({s.open() for s in own if len(s.open()) >= SHORTEST_OWN})
        texts = sorted({spelling for value in self._own for spelling in spellings(value)})
        self._own_scan = ValueScan(texts)
        self._may_cut = not any(b"\n" in text for text in texts)

    def __reduce__(self) -> tuple[type[Redactor], tuple[list[Secret]]]:
        return Redactor, ([Secret(value) for value in self._own],)

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self.block(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")

    def block(self, block: bytes) -> bytes:
        """A block of whole lines without secrets. Clean bytes come back as they were,
        bit for bit.
        """
        return self.part(block, None)[0]

    def part(self, block: bytes, key: OpenKey | None) -> tuple[bytes, OpenKey | None]:
        """Some lines of a longer text without secrets, where the lines before them may have left a
        private key open.
        """
        redacted: list[bytes] = []
        is_dense = False
        for lines in _parts(block) if self._may_cut else [block]:
            if not is_dense and len(lines) <= PART_BYTES:
                try:
                    clean, key = self._lines(lines, key)
                except _DenseLinesError:
                    is_dense = True
                else:
                    redacted.append(clean)
                    continue
            clean, key = self._dense_lines(lines, key)
            redacted.append(clean)
        return (redacted[0] if len(redacted) == 1 else b"".join(redacted)), key

    def stream(self) -> LineRedactor:
        """A redactor for bytes that arrive in pieces."""
        return LineRedactor(self)

    def _lines(
        self, block: bytes, key: OpenKey | None, *, dense: bool = False
    ) -> tuple[bytes, OpenKey | None]:
        spans, key = _secrets(block, key, dense=dense)
        spans += [(start, end, _MARK) for start, end in self._own_scan.found(block)]
        return _without(block, spans), key

    def _dense_lines(self, block: bytes, key: OpenKey | None) -> tuple[bytes, OpenKey | None]:
        """Lines that may be dense. One that repeats is read once, unless a private key goes on in
        it.
        """
        redacted: list[bytes] = []
        for lines, count in crowds.repeated_lines(block, long=LONG_LINE):
            left = count
            while left:
                has_key = key is not None
                clean, key = self._lines(lines, key, dense=True)
                times = left if key is None and not has_key else 1
                redacted.append(clean * times)
                left -= times
        return b"".join(redacted), key


class _DenseLinesError(Exception):
    """A secret may begin at every few bytes, so the lines are to be looked at in another way."""


def _parts(block: bytes) -> Iterator[bytes]:
    """The block in parts of whole lines."""
    start = 0
    while len(block) - start > PART_BYTES:
        end = block.rfind(b"\n", start, start + PART_BYTES) + 1 or _next_line(
            block, start + PART_BYTES
        )
        yield block[start:end]
        start = end
    yield block[start:] if start else block


def _secrets(
    block: bytes, key: OpenKey | None, *, dense: bool
) -> tuple[list[Found], OpenKey | None]:
    """Where the secrets stand; they may overlap. And the private key that goes on
    behind the block.
    """
    spans: list[Found] = []
    if key:
        below, _, key = following_lines(block, 0, key)
        spans += below
    matches = _matches(block, spans, dense=dense)
    if matches and (keys := _look(block, matches, spans)):
        key = _look_for_keys(block, keys, spans) or key
    return spans, key


def _matches(block: bytes, spans: list[Found], *, dense: bool) -> list[Match]:
    """The places that are worth a look. Where a long line is too dense, its rest is added to
    `spans`.
    """
    if dense and len(block) >= LONG_LINE and block.find(b"\n", 0, len(block) - 1) < 0:
        matches, rest = crowds.line_matches(
            _SCAN.found, block, _ordinary_texts, longest=_SCAN.longest
        )
        if rest:
            spans.append(rest)
        return matches
    matches = _SCAN.found(block)
    if not dense and crowds.is_crowded(matches, len(block)):
        raise _DenseLinesError
    return matches


def _ordinary_texts(line: bytes, matches: list[Match]) -> Iterator[bytes]:
    """What stands around the places and is no secret wherever it stands in the line."""
    has_userinfo = b"@" in line
    for index, at, end in matches:
        rule = _RULES[index]
        if isinstance(rule, list):
            text = ordinary_token_text(line, at, end, rule)
        elif line.startswith(b"://", at):
            text = None if has_userinfo else b"://"
        else:
            text = ordinary_text(line, at)
        if text:
            yield text


def _look(block: bytes, matches: list[Match], spans: list[Found]) -> list[int]:
    """Adds the secrets at some places to `spans`, and says where private keys may begin."""
    keys: list[int] = []
    starts: set[int] = set()
    reach = token_reach = 0
    next_at_sign = -1
    for index, at, _ in matches:
        rules = _RULES[index]
        if isinstance(rules, list):
            if not rules:
                keys.append(at)
            elif at + _REACH >= token_reach:
                token_reach = max(token_reach, _look_for_token(block, at, rules, spans))
            continue
        if at + _REACH < reach:
            continue
        rule, shape = rules
        if shape:
            if common := shape.match(block, at):
                start, end = common.span("value")
                spans.append((start, end, _MARK))
                starts.add(start)
                reach = max(reach, end)
                continue
        # The credentials behind a scheme were taken out together with it.
        elif rule is scheme_secrets and (at in starts or at + _LONGEST_SCHEME < reach):
            continue
        elif rule is address_secrets and block.startswith(b"://", at):
            if next_at_sign < at:
                next_at_sign = block.find(b"@", at)
                next_at_sign = len(block) + LONGEST_ADDRESS if next_at_sign < 0 else next_at_sign
            if next_at_sign > at + LONGEST_ADDRESS:
                continue
        if found := rule(block, at):
            spans += found
            reach = max(reach, found[-1][1])
    return keys


def _look_for_token(block: bytes, at: int, rules: list[Rule], spans: list[Found]) -> int:
    """Adds the tokens at a place to `spans`, and says where the last one ends."""
    end = 0
    for rule in rules:
        if found := rule(block, at):
            spans += found
            end = found[-1][1]
    return end


def _look_for_keys(block: bytes, starts: list[int], spans: list[Found]) -> OpenKey | None:
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


def _without(block: bytes, spans: list[Found]) -> bytes:
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
    pieces.append(block[done:])
    return b"".join(pieces)
