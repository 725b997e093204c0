"""Redacts a stream of bytes line by line, in constant memory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

from providers.patterns import lazy_pattern
from providers.redaction.lines import last_cut
from providers.redaction.private_keys import open_key_at_end
from providers.redaction.secret import MARK, REST_MARK

if TYPE_CHECKING:
    from providers.redaction.multiline import OpenBlock

LONGEST_LINE: Final = 1024 * 1024
OVERLAP: Final = 8 * 1024

_MARK: Final = MARK.encode()
# The rest of a value that was cut at the end of a piece of a very long line, by its quote.
_QUOTED_REST: Final = {
    quote: lazy_pattern(rb"(?:[^\n\\" + quote + rb"]++|\\[^\n])*+") for quote in (b'"', b"'", b"`")
}
_LINE_REST: Final = lazy_pattern(rb"[^\n]*+")
_BARE_REST: Final = lazy_pattern(rb"""[^\s"'&,;<>\])}\[]*+""")


class PartRedactor(Protocol):
    """Redacts some lines, and returns the secret of several lines that they leave open."""

    def part(self, block: bytes, opened: OpenBlock | None) -> tuple[bytes, OpenBlock | None]: ...


class LineRedactor:
    """Redacts a stream of bytes line by line, however it is cut into pieces. Only LF ends a line.

    A line longer than LONGEST_LINE is redacted in overlapping pieces, so memory use is constant.
    """

    def __init__(self, redactor: PartRedactor) -> None:
        self._redactor = redactor
        self._rest = bytearray()
        self._opened: OpenBlock | None = None
        self._open_value: re.Pattern[bytes] | None = None

    @property
    def open_bytes(self) -> int:
        """How much has come of a line that has not ended yet."""
        return len(self._rest)

    def feed(self, piece: bytes) -> bytes:
        """The redacted bytes that are complete so far."""
        if self._open_value:
            piece = self._after_open_value(piece)
        has_line_end = b"\n" in piece
        self._rest += piece
        if has_line_end:
            lines = bytes(self._rest)
            cut = last_cut(lines, len(lines))
            self._rest = bytearray(lines[cut:])
            return self._redacted(lines[:cut])
        return self._long_line() if len(self._rest) > LONGEST_LINE else b""

    def close(self) -> bytes:
        """The rest, when the stream has ended."""
        rest = bytes(self._rest)
        self._rest = bytearray()
        return self._redacted(rest)

    def _redacted(self, block: bytes) -> bytes:
        redacted, self._opened = self._redactor.part(block, self._opened)
        return redacted

    def _long_line(self) -> bytes:
        """All but the last OVERLAP bytes. The rest is kept redacted, so no secret is split."""
        redacted, self._opened = self._redactor.part(bytes(self._rest), self._opened)
        if redacted.endswith(REST_MARK):
            self._rest.clear()
            self._open_value = _LINE_REST
            return redacted
        if redacted.endswith(_MARK):
            quote = redacted[-len(_MARK) - 1 : -len(_MARK)]
            self._open_value = _QUOTED_REST.get(quote, _BARE_REST)
        self._rest = bytearray(redacted[-OVERLAP:])
        return redacted[:-OVERLAP]

    def _after_open_value(self, piece: bytes) -> bytes:
        """The piece without the rest of a value that began in the piece before."""
        assert self._open_value
        match = self._open_value.match(piece)
        end = match.end() if match else 0
        if end < len(piece):
            if self._open_value is _LINE_REST:
                self._opened = open_key_at_end(piece[:end]) or self._opened
            self._open_value = None
        return piece[end:]
