"""Tokens that look like any random text, and are recognised by the name of their vendor before them
on the line.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from providers.patterns import compile_pattern, lazy_pattern
from providers.redaction.notation import Span
from providers.redaction.tokens import HEX, UUID, UUID_PATTERN, WORD, hexes, letters

_BEGINS: Final = r"(?<![A-Za-z0-9_-])"
_ENDS: Final = r"(?![A-Za-z0-9_-])"


class VendorToken(Struct, frozen=True):
    """The name of a vendor in lower case, the form of its tokens, and an example."""

    vendor: str
    shape: str
    sample: str


VENDOR_TOKENS: Final = (
    VendorToken("okta", rf"00{WORD}{{40}}", "00" + letters(40)),
    VendorToken("ngrok", r"[1-9][A-Za-z0-9]{26}_[A-Za-z0-9]{16,24}", f"2{letters(26)}_{letters(21)}"),
    VendorToken("mailgun", rf"{HEX}{{32}}-{HEX}{{8}}-{HEX}{{8}}", f"{hexes(32)}-{hexes(8)}-{hexes(8)}"),
    VendorToken("ably", rf"{WORD}{{6}}\.{WORD}{{6}}:{WORD}{{30,60}}", f"{letters(6)}.{letters(6)}:{letters(43)}"),
    VendorToken("strapi", rf"{HEX}{{128,256}}", hexes(256)),
    VendorToken("configcat", rf"{WORD}{{22}}/{WORD}{{22}}", f"{letters(22)}/{letters(22)}"),
    VendorToken("bitwarden", rf"0\.{UUID_PATTERN}\.{WORD}{{20,40}}:[A-Za-z0-9+/]{{20,40}}={{0,2}}", f"0.{UUID}.{letters(30)}:{letters(22)}=="),
    VendorToken("plivo", r"[A-Za-z0-9]{40}", letters(40)),
    VendorToken("prismic", r"[A-Za-z0-9_-]{8,80}\.[A-Za-z0-9_%-]{40,120}", letters(16) + "." + letters(60)),
    VendorToken("sonar", r"(?:sq[apu]_)?[A-Za-z0-9]{40}", letters(40)),
    VendorToken("sumo", r"su(?!m[A-Z])(?=[a-z]{0,11}[A-Z0-9])[A-Za-z0-9]{12}|[A-Za-z0-9]{64}", "su" + letters(12)),
    VendorToken("sourcegraph", rf"{HEX}{{40}}", hexes(40)),
    VendorToken("telegram", r"\d{5,16}:[Aa][A-Za-z0-9_-]{34}", "45018772:A" + letters(34)),
    VendorToken("messagebird", rf"{UUID_PATTERN}|(?=[A-Za-z]{{0,24}}\d)[A-Za-z0-9]{{25}}", UUID),
    VendorToken("contribsys", rf"{HEX}{{8}}:{HEX}{{8}}", "cafe4a6e:dea1bee7"),
    VendorToken("artifactory", r"(?=[a-z]{0,60}\d)[a-z0-9]{64}(?:[a-z0-9]{9})?", letters(64).lower()),
    VendorToken("jfrog", r"(?=[a-z]{0,60}\d)[a-z0-9]{64}(?:[a-z0-9]{9})?", letters(64).lower()),
    VendorToken("zhipu", rf"{HEX}{{32}}\.[A-Za-z0-9]{{16}}", f"{hexes(32)}.{letters(16)}"),
)  # fmt: skip
VENDOR_HINTS: Final = tuple(token.vendor for token in VENDOR_TOKENS)

_PATTERNS: Final[dict[bytes, re.Pattern[bytes]]] = {}
_SHAPES: Final = {token.vendor.encode(): token.shape for token in VENDOR_TOKENS}
# `ookta` of `rookTable` is not the name of a vendor, `myOkta` is.
_INSIDE_WORD: Final = lazy_pattern(rb"[A-Za-z][a-z]")
# How far after the name the token is looked for.
_LONGEST_GAP: Final = 256
_LINE: Final = lazy_pattern(rb"[^\n]{0,%d}" % _LONGEST_GAP)


def vendor_secrets(block: bytes, at: int) -> list[Span]:
    """The token after the name of a vendor, on the same line."""
    if _INSIDE_WORD.match(block[max(0, at - 1) : at + 1]):
        return []
    vendor = next(name for name in _SHAPES if block[at : at + len(name)].lower() == name)
    pattern = _PATTERNS.get(vendor)
    if pattern is None:
        # Compiled when first needed, like the other formats.
        pattern = compile_pattern(f"{_BEGINS}{_SHAPES[vendor]}{_ENDS}".encode())
        _PATTERNS[vendor] = pattern
    # What follows the next mention of the vendor is found there.
    again = block.find(vendor, at + len(vendor), at + _LONGEST_GAP)
    line = _LINE.match(block, at, again) if again > 0 else _LINE.match(block, at)
    match = pattern.search(block, at + len(vendor), line.end()) if line else None
    return [Span(*match.span())] if match else []
