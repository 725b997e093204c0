"""The ways in which a credential may be written in a log."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, quote_plus

# Shorter pieces of Base64 also occur in ordinary words.
_SHORTEST_ENCODED: Final = 8


def spellings(value: str) -> set[bytes]:
    """A credential in plain text, in query strings, in JSON, and in Base64 at any offset."""
    raw = value.encode("utf-8", "surrogatepass")
    texts = {
        value,
        quote(value, safe="", errors="replace"),
        quote(value, errors="replace"),
        quote_plus(value, errors="replace"),
    }
    texts |= {text.replace("%", "%25") for text in texts if "%" in text}
    texts |= json_spellings(value) | {json.dumps(json.dumps(value)[1:-1])[1:-1]}
    found = {text.encode("utf-8", "surrogatepass") for text in texts} | {raw}
    return found | {text.lower() for text in found if b"%" in text} | set(_in_base64(raw))


def json_spellings(value: str) -> set[str]:
    """The ways in which JSON writes a text. Some programs escape its slashes."""
    written = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return written | {text.replace("/", "\\/") for text in written}


def _in_base64(raw: bytes) -> Iterator[bytes]:
    """The part of the Base64 of any text around the value that depends on the value only."""
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + raw)
        first = -(-offset * 8 // 6)
        last = (offset + len(raw)) * 8 // 6
        piece = encoded[first:last]
        if len(piece) >= _SHORTEST_ENCODED:
            yield piece
            yield piece.replace(b"+", b"-").replace(b"/", b"_")
