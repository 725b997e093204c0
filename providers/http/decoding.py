"""JSON as vendors send it, read fast and forgivingly, and never at a cost that its size on the wire
does not show.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from providers.errors import unreadable

# The largest answers that are known hold about 300,000 values; a million empty lists take some 70
# MB.
MOST_VALUES = 1_000_000
# The deepest documented answer has eight levels.
MOST_DEPTH = 100
_PIECE_BYTES, _SLICE_BYTES = 1024 * 1024, 64 * 1024
_STRING = re.compile(rb'"[^"]*(?:"|\Z)')
_OPENING, _CLOSING = b"[{", b"]}"
_NO_BRACKET = bytes(set(range(256)) - set(_OPENING + _CLOSING))
_STEPS = tuple((byte in _OPENING) - (byte in _CLOSING) for byte in range(256))


def decode_json(body: bytes | str) -> Any:
    """What the JSON holds; None where it is none, or where it has more values or levels than any
    answer.

    Read by the fast decoder; what that rejects (lone surrogates, big numbers) is read again by the
    standard one.
    """
    if excess_of(body):
        return None
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        pass
    try:
        return json.loads(
            body.decode("utf-8", "surrogatepass") if isinstance(body, bytes) else body
        )
    except (ValueError, RecursionError):
        return None


def refuse_excess(body: bytes, *, account: str, depth_matters: bool = True) -> None:
    """Raises a ProtocolError for an answer that has more values or levels than any answer."""
    if excess := excess_of(body, depth_matters=depth_matters):
        raise unreadable(account, f"an answer with {excess}")


def excess_of(body: bytes | str, *, depth_matters: bool = True) -> str:
    """What a JSON text has too much of, or nothing: it is looked at before it is decoded, since 60
    MB of `[],[],` become 10 GB.

    A decoder with a schema skips what it does not know without building it, so its callers need not
    ask for the depth; what it does build has commas between.
    """
    if not depth_matters and len(body) <= 2 * MOST_VALUES:
        # Between two commas stands a value, or the text is no JSON from there on.
        return ""
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    commas, opened = (
        _count(raw, b","),
        _count(raw, b"[") + _count(raw, b"{") if depth_matters else 0,
    )
    if commas + opened <= MOST_VALUES and opened <= MOST_DEPTH:
        return ""
    return _excess_outside_strings(raw, depth_matters)


def _count(body: bytes, sign: bytes) -> int:
    """How often a sign stands in the text, in strings or not. Large texts are counted piece by
    piece, so that other threads get their turn.
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
    """The text without its strings, in slices, so that other threads get their turn
    between them.
    """
    at, inside = 0, False
    while at < len(body):
        end = at + _SLICE_BYTES
        part = body[at:end]
        # A backslash and what it escapes stay together.
        if (len(part) - len(part.rstrip(b"\\"))) % 2:
            end += 1
            part = body[at:end]
        at = end
        unescaped = part.replace(rb"\\", b"").replace(rb"\"", b"")
        quotes = unescaped.count(b'"')
        yield _STRING.sub(b"", b'"' + unescaped if inside else unescaped)
        inside ^= bool(quotes % 2)
