"""Tokens without any fixed text, which are recognised by their length and form alone.

They are looked for in long runs of letters and digits. Finding these takes two calls for a block.
"""

from __future__ import annotations

from collections.abc import Iterator
from string import ascii_letters, digits
from typing import Final

from msgspec import Struct

from providers.patterns import lazy_pattern
from providers.redaction.notation import Span
from providers.redaction.scan import SHORTEST_RUN
from providers.redaction.tokens import (
    ALNUM,
    HEX,
    MIXED_AHEAD,
    UUID,
    UUID_PATTERN,
    WORD,
    hexes,
    letters,
)


class RunFormat(Struct, frozen=True):
    """A form of at least SHORTEST_RUN letters, digits, hyphens and underscores, and an example."""

    name: str
    form: str
    sample: str


RUN_FORMATS: Final = (
    RunFormat("Okta", rf"00{MIXED_AHEAD}{WORD}{{40}}", f"00{letters(40)}"),
    RunFormat("ngrok", rf"[12]{MIXED_AHEAD}{ALNUM}{{26}}_{ALNUM}{{16,24}}", f"2{letters(26)}_{letters(21)}"),
    RunFormat("Mailgun", rf"{HEX}{{32}}-{HEX}{{8}}-{HEX}{{8}}", f"{hexes(32)}-{hexes(8)}-{hexes(8)}"),
    RunFormat("Strapi", rf"{HEX}{{256}}", hexes(256)),
    # Many names end so (`session_id`), so that looking for the prefix alone costs a fifth more.
    RunFormat("Ionic", rf"ion_{ALNUM}{{42}}", f"ion_{letters(42)}"),
    RunFormat("Webex", rf"{ALNUM}{{64}}_{ALNUM}{{4}}_{UUID_PATTERN}", f"{letters(64)}_PF84_{UUID}"),
)  # fmt: skip
_RUN_BYTES: Final = (ascii_letters + digits + "_-").encode()
# Each byte of a run becomes an x, and any other a blank.
_MARKED: Final = bytes(120 if byte in _RUN_BYTES else 32 for byte in range(256))
_RUN: Final = b"x" * SHORTEST_RUN
# The end of an escape before a token looks like a part of it: `\\n`, `\\u0022`, `%20`, `%2520`.
_TOKEN: Final = lazy_pattern(
    rb"(?:(?<=\\)(?:[nrtbf]|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})|(?<=%)(?:25){0,2}[0-9A-Fa-f]{2}|(?<=[\[;])[0-9]{1,3}m)?"
    + f"({'|'.join(token.form for token in RUN_FORMATS)})".encode()
    + rb"(?![A-Za-z0-9_-])"
)


def run_secrets(block: bytes) -> Iterator[Span]:
    """The tokens in the long runs of a block."""
    marked = block.translate(_MARKED)
    at = marked.find(_RUN)
    while at >= 0:
        if match := _TOKEN.match(block, at):
            yield Span(*match.span(1))
        end = marked.find(b" ", at + SHORTEST_RUN)
        at = marked.find(_RUN, end) if end >= 0 else -1
