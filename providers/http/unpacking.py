"""Unpacks compressed bodies in bounded parts, so that a small answer cannot become a huge one at
once.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

PACKINGS = frozenset({"gzip", "x-gzip", "deflate"})
# Deflate packs up to a thousand to one, so that a small piece could become a huge one.
MOST_PART_BYTES = 256 * 1024


class Unpacker:
    """gzip or deflate, of one member or several."""

    def __init__(self) -> None:
        self._stream = _zlib_or_gzip()
        self._any = False

    @property
    def ended(self) -> bool:
        """Whether the compressed data is complete."""
        return bool(self._stream.eof) or not self._any

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The contents of a piece, in parts of at most MOST_PART_BYTES. Raises zlib.error if it
        cannot be unpacked.
        """
        while piece:
            # gzip may have several members, one after the other (RFC 1952).
            if self._stream.eof:
                self._stream = _zlib_or_gzip()
            part = self._decompressed(piece)
            self._any = True
            if part:
                yield part
            piece = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail

    def _decompressed(self, piece: bytes) -> bytes:
        try:
            return bytes(self._stream.decompress(piece, MOST_PART_BYTES))
        except zlib.error:
            if self._any:
                raise
            # Some servers leave the zlib header out of what they call deflate.
            self._stream = zlib.decompressobj(wbits=-15)
            return bytes(self._stream.decompress(piece, MOST_PART_BYTES))


def packings_of(content_encoding: str) -> list[str]:
    """The compressions that a `Content-Encoding` names, the first applied first."""
    named = (name.strip().lower() for name in content_encoding.split(","))
    return [name for name in named if name not in ("", "identity")]


def _zlib_or_gzip() -> Any:
    # 32 + 15: zlib or gzip, whichever the data begins with.
    return zlib.decompressobj(wbits=47)
