"""Finds the secrets in a block: one pass for the fixed texts at which a secret may begin, and the
rules only there.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Final

from providers.redaction import dense
from providers.redaction.addresses import LONGEST_ADDRESS, address_secrets
from providers.redaction.common_shapes import VALUE_GROUP
from providers.redaction.dumps import (
    LARGEST_GAP,
    SAMPLE_BYTES,
    SAMPLE_EVERY,
    SAMPLE_MATCHES,
    Dump,
    Hit,
    recognise_dump,
    repeats_lines,
    without_dump,
)
from providers.redaction.lines import PART_BYTES, parts
from providers.redaction.multiline import OpenBlock, continued, multiline_secrets
from providers.redaction.named import mentions_context, named_secrets, ordinary_text
from providers.redaction.ordinary import without_ordinary_text
from providers.redaction.periodic import Cut, has_long_run, restored, shortened
from providers.redaction.private_keys import open_key_at_end
from providers.redaction.rules import rule_table
from providers.redaction.runs import run_secrets
from providers.redaction.scan import Match, ValueScan
from providers.redaction.schemes import scheme_secrets
from providers.redaction.secret import MARK, REST_MARK
from providers.redaction.spans import Found, without
from providers.redaction.token_rules import Rule, ordinary_token_text
from providers.redaction.unfolded import OPEN_END, table_heads, unfolded_secrets

# Dense lines of at least this many bytes are read one at a time.
LONG_LINE: Final = 4096
# What begins this far before the end of a secret also ends within it.
_REACH: Final = 256
_LONGEST_WORD: Final = 256
_BEGINNING: Final = 1024
# With fewer matches, looking at each of them costs less than a look at all of them.
_MANY_BYTES: Final = 512
_FEWEST_DIGITS: Final = 11
_JWT_BEGINNING: Final = 12
_LONGEST_SCHEME: Final = len("basic%20")
_MARK: Final = MARK.encode()


class _DenseLinesError(Exception):
    """The block is dense and has to be read as such."""


def redacted_part(
    block: bytes, opened: OpenBlock | None, own: ValueScan, *, may_cut: bool
) -> tuple[bytes, OpenBlock | None]:
    """Some lines of a longer text without secrets and without the values of `own`, and the secret
    of several lines that they leave open. `may_cut` says that no value of `own` contains a line
    end.
    """
    redacted: list[bytes] = []
    is_dense = False
    dump: Dump | None = None
    for lines in parts(block) if may_cut else [block]:
        is_dense = is_dense or _begins_dense(lines)
        if not is_dense and len(lines) <= PART_BYTES and not has_long_run(lines):
            try:
                clean, opened = _lines(lines, opened, own)
            except _DenseLinesError:
                is_dense = True
            else:
                redacted.append(clean)
                continue
        # What was kept of a line whose rest was removed stays as it is.
        may_be_dump = opened is None and REST_MARK not in lines
        if may_be_dump and (dump := dump or _find_dump(lines)):
            lines = without_dump(lines, dump)
        clean, opened = _dense_lines(lines, opened, own)
        redacted.append(clean)
    return (redacted[0] if len(redacted) == 1 else b"".join(redacted)), opened


def _begins_dense(block: bytes) -> bool:
    """Whether the beginning of a block is dense, so that it is not worth trying to read the block
    like ordinary lines.
    """
    if len(block) < LONG_LINE:
        return False
    beginning = block[:_BEGINNING]
    matches = _without_columns(beginning, rule_table().scan.found(beginning))
    distance = LARGEST_GAP if block.find(b"\n", 0, LONG_LINE) < 0 else dense.DENSE_BYTES
    return len(matches) * distance > _BEGINNING


def _find_dump(block: bytes) -> Dump | None:
    """The dump that a dense block is part of."""
    for at in range(0, min(len(block), PART_BYTES), SAMPLE_EVERY):
        sample = block[at : at + SAMPLE_BYTES]
        if repeats_lines(sample):
            continue
        if dump := recognise_dump(sample, _sample_hits(sample)):
            return dump
    return None


def _sample_hits(sample: bytes) -> list[Hit]:
    spans: list[Found] = []
    search = _Search(sample, spans)
    hits: list[Hit] = []
    for index, at, end in rule_table().scan.found(sample)[:SAMPLE_MATCHES]:
        before = len(spans)
        search.read([(index, at, end)])
        text = sample[at:end]
        if spans[before:]:
            start, value_end, _ = spans[-1]
            hits.append(Hit(at, text, start, sample[start:value_end]))
        elif text == b"eyJ":
            # Only the first of many beginnings of a token in one word is read as one.
            hits.append(Hit(at, text, at, sample[at : at + _JWT_BEGINNING]))
    return hits


def _lines(
    block: bytes, opened: OpenBlock | None, own: ValueScan, *, may_be_dense: bool = False
) -> tuple[bytes, OpenBlock | None]:
    text = block
    cuts: list[Cut] = []
    if may_be_dense and opened is None and _is_long_line(block):
        text, cuts = shortened(block)
    spans, opened = _secrets(text, opened, may_be_dense=may_be_dense)
    if cuts:
        spans = restored(spans, cuts)
    spans += [(start, end, _MARK) for start, end in own.found(block)]
    return without(block, spans), opened


def _dense_lines(
    block: bytes, opened: OpenBlock | None, own: ValueScan
) -> tuple[bytes, OpenBlock | None]:
    """Dense lines without secrets. A repeated line is read once, unless a secret of several lines
    is open in it.
    """
    redacted: list[bytes] = []
    for lines, count in dense.repeated_lines(block, long=LONG_LINE):
        left = count
        while left:
            before = copy(opened)
            clean, opened = _lines(lines, opened, own, may_be_dense=True)
            # The result repeats if the line leaves the same secret open as the line before it.
            times = left if opened == before else 1
            redacted.append(clean * times)
            left -= times
    return b"".join(redacted), opened


def _secrets(
    block: bytes, opened: OpenBlock | None, *, may_be_dense: bool
) -> tuple[list[Found], OpenBlock | None]:
    """The secrets in a block, which may overlap, and the secret of several lines that continues
    after it.
    """
    spans: list[Found] = []
    if opened:
        below, _, opened = continued(block, 0, opened)
        spans += below
    if rule_table().scan.may_have_run(block):
        spans += run_secrets(block)
    search = _Search(block, spans)
    if may_be_dense and len(block) > dense.VERY_LONG_LINE and _is_long_line(block):
        end = _search_long_line(block, search)
    else:
        end = len(block)
        search.read(_matches(block, may_be_dense=may_be_dense))
    open_ends = search.open_ends + table_heads(block, search.multiline)
    if open_ends:
        spans += unfolded_secrets(block, sorted(open_ends), _read_again)
    if search.multiline:
        opened = multiline_secrets(block, search.multiline, spans) or opened
    if end < len(block):
        rest = len(block) - block.endswith(b"\n")
        spans.append((end, rest, REST_MARK))
        opened = open_key_at_end(block[end:rest]) or opened
    return spans, opened


def _read_again(text: bytes) -> list[Found]:
    """The secrets in some lines without their headers."""
    spans: list[Found] = []
    search = _Search(text, spans)
    search.read(rule_table().scan.found(text))
    if search.multiline:
        multiline_secrets(text, search.multiline, spans)
    return spans


def _matches(block: bytes, *, may_be_dense: bool) -> list[Match]:
    """The places where a secret may begin. Raises _DenseLinesError if there are too many."""
    find = rule_table().scan.found
    if may_be_dense and len(block) >= LONG_LINE:
        context = (b"@" in block, mentions_context(block))
        return find(without_ordinary_text(block, find, _ordinary_texts, context))
    matches = find(block)
    if len(matches) * _MANY_BYTES > len(block):
        matches = _without_columns(block, matches)
    if not may_be_dense and dense.is_dense(matches, len(block)):
        raise _DenseLinesError
    return matches


def _without_columns(block: bytes, matches: list[Match]) -> list[Match]:
    """The matches without numbers that only end a column: `17|oven|4`. Some logs have them
    everywhere, and a token needs more digits before its `|`.
    """
    behind_digits = rule_table().behind_digits
    return [
        match
        for match in matches
        if match[0] not in behind_digits
        or block[match[2] - _FEWEST_DIGITS : match[2] - 1].isdigit()
    ]


def _search_long_line(block: bytes, search: _Search) -> int:
    """Reads a long line slice by slice, and returns where reading ended."""
    scan = rule_table().scan
    end = 0
    for matches in dense.line_matches(scan.found, block, _ordinary_texts, longest=scan.longest):
        search.read(matches)
        end += dense.SLICE_BYTES
    if end >= len(block):
        return len(block)
    # Half a word before the cut could be read as something else, so the cut is at a blank.
    return max(block.rfind(b" ", end - _LONGEST_WORD, end), 0) or end


def _is_long_line(block: bytes) -> bool:
    return len(block) >= LONG_LINE and block.find(b"\n", 0, len(block) - 1) < 0


def _ordinary_texts(line: bytes, matches: list[Match]) -> Iterator[bytes]:
    """Harmless texts at some places of a line."""
    rules = rule_table().rules
    has_userinfo = b"@" in line
    has_context = mentions_context(line)
    for index, at, end in matches:
        rule = rules[index]
        if isinstance(rule, list):
            text = ordinary_token_text(line, at, end, rule)
        elif line.startswith(b"://", at):
            text = None if has_userinfo else b"://"
        else:
            is_name = rule[0] is named_secrets
            text = ordinary_text(line, at, has_context=has_context) if is_name else None
        if text:
            yield text


class _Search:
    """Adds the secrets of a block to `spans`, and notes in `multiline` where secrets of several
    lines may begin.
    """

    def __init__(self, block: bytes, spans: list[Found]) -> None:
        self._block = block
        self._spans = spans
        self.multiline: list[int] = []
        # Where names end their lines, so that the value may be on the next line.
        self.open_ends: list[int] = []
        # Where the last value in a common form begins, and how far values have been removed.
        self._last_start = -1
        self._reach = self._token_reach = 0
        self._at_signs = _AtSigns(block)

    def read(self, matches: list[Match]) -> None:
        """Applies the rules at some places, which are in order."""
        all_rules = rule_table().rules
        block = self._block
        spans = self._spans
        last_start = self._last_start
        reach = self._reach
        token_reach = self._token_reach
        may_have_credentials = self._at_signs.may_follow
        for index, at, text_end in matches:
            rules = all_rules[index]
            if isinstance(rules, list):
                if not rules:
                    self.multiline.append(at)
                elif at + _REACH >= token_reach:
                    token_reach = max(token_reach, _find_tokens(block, at, rules, spans))
                continue
            if at + _REACH < reach:
                continue
            rule, match_shape = rules
            if match_shape:
                if common := match_shape(block, text_end):
                    last_start, end = common.span(VALUE_GROUP)
                    spans.append((last_start, end, _MARK))
                    reach = max(reach, end)
                    continue
            elif (
                # The credentials were removed together with their scheme.
                rule is scheme_secrets and (at == last_start or at + _LONGEST_SCHEME < reach)
            ) or (rule is address_secrets and not may_have_credentials(at)):
                continue
            if found := rule(block, at):
                spans += found
                reach = max(reach, found[-1][1])
            else:
                self._note_open_end(at, text_end)
        self._last_start = last_start
        self._reach = reach
        self._token_reach = token_reach

    def _note_open_end(self, at: int, text_end: int) -> None:
        if OPEN_END.match(self._block, text_end):
            self.open_ends.append(at)


class _AtSigns:
    """Finds the next `@`, without which an address has no credentials."""

    def __init__(self, block: bytes) -> None:
        self._block = block
        self._next = -1

    def may_follow(self, at: int) -> bool:
        if not self._block.startswith(b"://", at):
            return True
        if self._next < at:
            found = self._block.find(b"@", at)
            self._next = len(self._block) + LONGEST_ADDRESS if found < 0 else found
        return self._next <= at + LONGEST_ADDRESS


def _find_tokens(block: bytes, at: int, rules: list[Rule], spans: list[Found]) -> int:
    """Adds the tokens at a place to `spans`, and returns the end of the last one."""
    end = 0
    for rule in rules:
        if found := rule(block, at):
            spans += found
            end = found[-1][1]
    return end
