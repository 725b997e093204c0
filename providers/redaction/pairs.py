"""Names and values side by side: CSV cells, tuples, lists, attributes of markup."""

from __future__ import annotations

import re
from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction import notation
from providers.redaction.names import NameKind, name_kind
from providers.redaction.notation import Span, quoted_end
from providers.redaction.secret import MARK
from providers.redaction.values import is_ordinary, is_secret, looks_random, looks_secret

_MOST_ITEMS: Final = 256
_LONGEST_VALUE: Final = 2048
_MARK: Final = MARK.encode()
# {"value":"x","name":"x-api-key"}, <input value="x" name="password">
_VALUE_BEFORE_NAME: Final = lazy_pattern(
    rb"""(?ix)
    (?: "value"\s?:\s?"(?P<json>(?:[^"\\\n]|\\.){1,200})"\s?,\s{0,20}"(?:name|key|header)"\s?:\s?"
      | \bvalue:[ ]?["']?(?P<yaml>[^\n]{1,200}?)["']?\r?\n[ ]{1,20}(?:name|key):[ ]?["']?
      | \bvalue=(?P<quote>["'])(?P<markup>[^"'<>\n]{1,200})(?P=quote)[^\S\n](?:name|id|key)=["'] )$
    """
)
# What comes before the first item of a pair.
_OPENS: Final = lazy_pattern(rb"""(?:^|\n|[(\[{][^\S\n]?)(?:<<)?[bBuU]?\\{0,16}["'`:]?$""")
# headers.Add("x-api-key", "x")
_SETTER: Final = lazy_pattern(
    rb"""(?i:add|set|put|append|header|define|property|env|variable)\([^\S\n]?\\{0,16}["']$"""
)
_CLOSES: Final = lazy_pattern(rb"(?:>>)?[^\S\n]{0,3}(?:,?[)\]}]|\r?\n|$)")
_HAS_DIGIT_OR_SIGN: Final = lazy_pattern(rb"[^A-Za-z\s]")
# Longer than the names of columns.
_LONG: Final = 16


def value_before_name(block: bytes, start: int, kind: NameKind) -> list[Span]:
    """The value before its name."""
    if block[start - 1 : start] not in (b'"', b"'", b" "):
        return []
    offset = max(0, start - notation.LONGEST_ORDINARY)
    match = _VALUE_BEFORE_NAME.search(block[offset:start])
    if match is None or match.lastgroup is None:
        return []
    group = match.lastgroup if match["quote"] is None else "markup"
    if not is_secret(kind, match[group], prose=False):
        return []
    return [Span(offset + match.start(group), offset + match.end(group))]


def paired_value(
    block: bytes, opening: re.Match[bytes], kind: NameKind, after: re.Match[bytes], name: bytes
) -> list[Span]:
    """The value of `("password", "x")`, `"password","x"`, `["--password", "x"]`.

    A list of names looks similar, so the value has to look like a secret, unless it is clearly the
    other half of a pair.
    """
    start = opening.end()
    end = quoted_end(block, start, opening["quote"], start + _LONGEST_VALUE)
    value = block[start:end]
    if notation.CLOSED.match(value) or not is_secret(kind, value, prose=False):
        return []
    end = quoted_end(block, start, opening["quote"])
    if name.startswith(b"-") or looks_random(value):
        return [Span(start, end)]
    first = after.end("rest") - len(name)
    preceding = block[max(0, first - 24) : first]
    is_pair = bool(_OPENS.search(preceding) and _CLOSES.match(block, end + len(opening["quote"])))
    if kind in (NameKind.AUTHORIZATION, NameKind.COOKIE):
        return [Span(start, end)] if is_pair or b" " in value or b"=" in value else []
    if not is_pair:
        return []
    is_tuple = (
        preceding.endswith((b"('", b"(b'", b"(u'"))
        # {default_pass, <<"x">>} of Erlang
        or (preceding.endswith(b"{") and after["paired"].endswith(b"<<"))
        or bool(_SETTER.search(preceding))
    )
    return [Span(start, end)] if is_tuple or looks_secret(value) or is_pair_value(value) else []


def is_pair_value(value: bytes) -> bool:
    """Whether a half of a pair is a value rather than a name."""
    if len(value) < 6:
        return False
    if len(value) < _LONG and (value.isdigit() or not _HAS_DIGIT_OR_SIGN.search(value)):
        return False
    return name_kind(value) is NameKind.PLAIN and not is_ordinary(value)


def list_items(block: bytes, start: int, kind: NameKind, close: bytes | None) -> list[Span]:
    """All the values of a list: `["a", "b"]`, and `[a=b; c=d]` of a Go header. `close` is the quote
    after a name of JSON.
    """
    items, at = _items(block, start, close)
    if items or block.startswith((b"]", b"{", b"["), at):
        return [item for item in items if _is_secret_item(block, item, kind)]
    text = notation.BRACKETED.match(block, start)
    if text and (
        len(text[0]) >= notation.LONGEST_ORDINARY or is_secret(kind, text[0], prose=False)
    ):
        end = text.end()
        if block[end : end + 1] in (b'"', b"'"):
            # The list is cut off in a string, whose end is escaped.
            end -= len(text[0]) - len(text[0].rstrip(b"\\"))
        return [Span(start, end)] if end > start else []
    return []


def _items(block: bytes, at: int, close: bytes | None) -> tuple[list[Span], int]:
    """The items of a list and of the lists in it, and the place where reading ended."""
    items: list[Span] = []
    depth = 1
    for _ in range(_MOST_ITEMS):
        gap = notation.ITEM_GAP.match(block, at)
        at = gap.end() if gap else at
        if opening := notation.OPENING.match(block, at):
            end = quoted_end(block, opening.end(), opening["quote"])
            items.append(Span(opening.end(), end))
            at = end + len(opening["quote"])
        elif close and (literal := notation.LITERAL.match(block, at)):
            items.append(Span(at, literal.end(), close + _MARK + close))
            at = literal.end()
        elif block.startswith(b"[", at):
            depth += 1
            at += 1
        elif block.startswith(b"]", at) and depth > 1:
            depth -= 1
            at += 1
        else:
            break
    return items, at


def _is_secret_item(block: bytes, item: Span, kind: NameKind) -> bool:
    return is_secret(
        kind, block[item.start : min(item.end, item.start + _LONGEST_VALUE)], prose=False
    )
