"""Decodes JSON from vendors: fast, tolerant, and at a cost that is bounded by the size of the
answer.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from providers.errors import unreadable

# The largest known answers hold about 300,000 values; a million empty lists take some 70 MB.
MOST_VALUES = 1_000_000
# The deepest documented answer has eight levels.
MOST_DEPTH = 100
_PIECE_BYTES = 1024 * 1024
_SLICE_BYTES = 64 * 1024
_STRING = re.compile(rb'"[^"]*(?:"|\Z)')
_OPENING = b"[{"
_CLOSING = b"]}"
_NO_BRACKET = bytes(set(range(256)) - set(_OPENING + _CLOSING))
_STEPS = tuple((byte in _OPENING) - (byte in _CLOSING) for byte in range(256))


def decode_json(body: bytes | str) -> Any:
    """The decoded JSON; None if it is invalid, or has more values or levels than any real answer.
    Uses the fast decoder first; what that rejects (lone surrogates, big numbers) goes to the
    standard one.
    """
    if excess_of(body):
        return None
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        pass
    # One byte that is not UTF-8, such as in the URL of one row, must not cost all rows.
    for errors in ("surrogatepass", "replace"):
        try:
            return json.loads(body.decode("utf-8", errors) if isinstance(body, bytes) else body)
        except UnicodeDecodeError:
            continue
        except (ValueError, RecursionError):
            return None
    return None


def refuse_excess(body: bytes, *, account: str, depth_matters: bool = True) -> None:
    """Raises ProtocolError for an answer with more values or levels than any real one."""
    if excess := excess_of(body, depth_matters=depth_matters):
        raise unreadable(account, f"an answer with {excess}")


def excess_of(body: bytes | str, *, depth_matters: bool = True) -> str:
    """What a JSON text has too much of; empty if nothing. It is checked before decoding, because 60
    MB of `[],[],` become 10 GB. A decoder with a schema skips what it does not know, so its callers
    need not check the depth; everything that it does build is separated by commas.
    """
    if not depth_matters and len(body) <= 2 * MOST_VALUES:
        # There is a value between two commas; otherwise the text is not JSON from there on.
        return ""
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    commas = _count(raw, b",")
    opened = _count(raw, b"[") + _count(raw, b"{") if depth_matters else 0
    if commas + opened <= MOST_VALUES and opened <= MOST_DEPTH:
        return ""
    return _excess_outside_strings(raw, depth_matters)


def _count(body: bytes, sign: bytes) -> int:
    """How often a character occurs in the text, inside strings or not. Large texts are counted in
    pieces, so that other threads can run.
    """
    if len(body) <= _PIECE_BYTES:
        return body.count(sign)
    return sum(body.count(sign, at, at + _PIECE_BYTES) for at in range(0, len(body), _PIECE_BYTES))


def _excess_outside_strings(body: bytes, depth_matters: bool) -> str:
    values = depth = 0
    for part in _outside_strings(body):
        brackets = part.translate(None, _NO_BRACKET)
        values += part.count(b",") + brackets.count(b"[") + brackets.count(b"{")
        if values > MOST_VALUES:
            return f"more than {MOST_VALUES:,} values"
        levels = list(itertools.accumulate((_STEPS[byte] for byte in brackets), initial=depth))
        depth = levels[-1]
        if depth_matters and max(levels) > MOST_DEPTH:
            return f"more than {MOST_DEPTH} levels"
    return ""


def _outside_strings(body: bytes) -> Iterator[bytes]:
    """The text without its strings, in slices, so that other threads can run between them."""
    at = 0
    inside = False
    while at < len(body):
        end = at + _SLICE_BYTES
        part = body[at:end]
        # A backslash stays with the character that it escapes.
        if (len(part) - len(part.rstrip(b"\\"))) % 2:
            end += 1
            part = body[at:end]
        at = end
        unescaped = part.replace(rb"\\", b"").replace(rb"\"", b"")
        quotes = unescaped.count(b'"')
        yield _STRING.sub(b"", b'"' + unescaped if inside else unescaped)
        # An odd number of quotes ends inside a string.
        inside ^= bool(quotes % 2)
