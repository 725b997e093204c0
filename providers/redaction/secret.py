"""A credential of the bot, and the marks that replace secrets."""

from __future__ import annotations

from typing import Final

MARK: Final = "[redacted]"
# The beginning of all marks.
MARK_BEGINS: Final = b"[redacted"
# Replaces the rest of a very long line that had too much to read.
REST_MARK: Final = b" [redacted: the rest of this line]"
# Replaces text with a different secret every few bytes.
DUMP_MARK: Final = b"[redacted: many secrets]"


class Secret:
    """A value that prints as dots and opens only where a header is written."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def open(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(••••)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)
