"""Places of secrets in a block, and the block without them."""

from __future__ import annotations

from providers.redaction.secret import REST_MARK

# Start and end of a secret, and the text that replaces it.
Found = tuple[int, int, bytes]


def without(block: bytes, spans: list[Found]) -> bytes:
    """The block without the secrets, which may overlap."""
    if not spans:
        return block
    spans.sort()
    pieces: list[bytes] = []
    done = 0
    for start, end, mark in spans:
        if end <= start:
            continue
        if start > done or not pieces or mark == REST_MARK:
            pieces += (block[done:start], mark)
        done = max(done, end)
    pieces.append(block[done:])
    return b"".join(pieces)
