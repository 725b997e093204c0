"""Places of secrets in a block, and the block without them."""

from __future__ import annotations

from typing import Final

from providers.redaction.secret import REST_MARK

# Start and end of a secret, and the text that replaces it.
Found = tuple[int, int, bytes]


_BACKSLASH: Final = ord("\\")


def without(block: bytes, spans: list[Found]) -> bytes:
    """The block without the secrets, which may overlap."""
    if not spans:
        return block
    spans.sort()
    pieces: list[bytes] = []
    done = 0
    for start, last, mark in spans:
        end = _before_escaped_quote(block, start, last) if block[last - 1] == _BACKSLASH else last
        if end <= start:
            continue
        if start > done or not pieces or mark == REST_MARK:
            pieces += (block[done:start], mark)
        done = max(done, end)
    pieces.append(block[done:])
    return b"".join(pieces)


def _before_escaped_quote(block: bytes, start: int, end: int) -> int:
    """The end of a secret without the backslashes that escape the quote after it, since the quote
    would end a string without them.
    """
    if block[end : end + 1] not in (b'"', b"'"):
        return end
    text = block[start:end]
    backslashes = len(text) - len(text.rstrip(b"\\"))
    return end - backslashes if backslashes % 2 else end
