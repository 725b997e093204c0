"""Private keys of several lines: PEM, OpenSSH, PGP, PuTTY, and PEM encoded in Base64.

A key is removed line by line, so that a log keeps its lines. If the end of a key is missing, only
lines that look like the body of a key are removed, up to a few lines after the last of them.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from msgspec import Struct

from providers.patterns import lazy_pattern
from providers.redaction.notation import Span

KEY_HINTS: Final = (
    "--BEGIN",
    "-- BEGIN",
    "PuTTY-User-Key-File-",
    "Private-Lines: ",
    "LS0tLS1CRUdJTi",
    "TFMwdExTMUNSVWRKVG",
)
# An RSA key of 16,384 bits has 200 lines; a PGP key ring has more.
MOST_LINES: Final = 2000
# Up to this many lines of other origin may be between the lines of a key.
MOST_FOREIGN_LINES: Final = 8
_LONGEST_LINE: Final = 8192
_LONGEST_PREFIX: Final = 256

_BEGIN: Final = lazy_pattern(
    rb"(?i)-{4,5}[ +]?BEGIN(?:[ +_]|%(?:25)?20)(?:[A-Z0-9 +_.-]|%(?:25)?20){0,60}?(?:(?:PRIVATE|SECRET)(?:[ +_]|%(?:25)?20)KEY|OpenVPN[ ]Static[ ]key[ ]V\d)(?:(?:[ +_]|%(?:25)?20)BLOCK)?[ +]?-{4,5}"
)
_END: Final = lazy_pattern(
    rb"-{4,5}[ +]?END(?:[A-Z0-9a-z +_.%-]{0,80}?)-{4,5}|-{4,5}[ +]?END[^\n\"'\\]{0,80}"
)
# The end of a JSON string that is not one of a list of lines, so that the key ends there, too.
_OTHER_STRING: Final = lazy_pattern(
    rb"""(?<!\\)"[ ]?(?:[:}\]]|,[ ]?(?:"[^"\n]{0,80}"[ ]?:|[^\s"]))"""
)
# The body of a key that is on one line.
_ONE_LINE_BODY: Final = lazy_pattern(
    rb"""(?x) (?: [A-Za-z0-9+/=,:.-]++ | \\{1,16}[nrt] | [ \t]++ | %[0-9A-Fa-f]{2} | \\{1,16}(?=["'/\n]) | &\#1[03]; | (?<!\\)(?:"\s?\+?\s?"|'\s?\+?\s?') | (?<=\\)["']\s?\+?\s?\\{1,16}["'] )*+ """
)
# PuTTY writes the key below this line, and its MAC last.
_PUTTY_LINE: Final = lazy_pattern(
    rb"(?:PuTTY-User-Key-File-\d{1,2}|Private-Lines):(?:[^\n\"'\\]|\\{1,16}+(?![\"'])){0,16384}"
)
_BASE64_RUN: Final = lazy_pattern(rb"[A-Za-z0-9+/_-]{1,1048576}={0,2}")
_BASE64_HEAD: Final = lazy_pattern(rb"(?:[A-Za-z0-9+/]{4}){10,20}")
_LONG_RUN: Final = lazy_pattern(rb"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40,}+={0,2}")
_HEADER: Final = lazy_pattern(
    rb"(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|MessageID|Subject|Encryption|Public-Lines|Private-Lines|Private-MAC|Private-Hash"
    rb"|Key-Derivation|Argon2-\w{1,20}|x-[\w-]{1,30}): ?"
)
_LINE_TAIL: Final = lazy_pattern(rb"(?:\\{1,16}[nrt]|<br ?/?>){1,8}$")
_BLANKS: Final = b" \t\r"
_AROUND: Final = b" \t\r\"',;+)(\\>|#*"
_BASE64_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_CHECKSUM_LENGTH: Final = 4
_JSON_WORDS: Final = (b"null", b"true", b"false")
_NUMBER: Final = lazy_pattern(rb"\d{1,20}$")
_MIXED: Final = lazy_pattern(rb"[a-z][A-Z0-9+/]|[A-Z0-9+/][a-z]")
_DIGITS: Final = lazy_pattern(rb"\d+")


class OpenKey(Struct):
    """A key whose end has not been read yet. `prefix` is the text before it on its lines, such as a
    time. If `may_be_short`, a line of any length may be its last one.
    """

    prefix: bytes
    may_be_short: bool = True
    lines_left: int = MOST_LINES
    foreign_left: int = MOST_FOREIGN_LINES


def private_key(block: bytes, at: int) -> tuple[list[Span], OpenKey | None]:
    """The part of a private key on its first line, and the key if it continues below."""
    if block.startswith((b"LS0t", b"TFMw"), at):
        return _encoded(block, at)
    if block.startswith((b"PuTTY", b"Private-L"), at):
        line = _PUTTY_LINE.match(block, at)
        if line is None:
            return [], None
        end = line.end()
        return [Span(at, end)], _open(block, at) if block[end : end + 1] in (b"\n", b"") else None
    dashes = block[max(0, at - 3) : at]
    begin = _BEGIN.match(block, at - len(dashes) + len(dashes.rstrip(b"-")))
    if begin is None:
        return [], None
    at = begin.start()
    line_end = block.find(b"\n", begin.end())
    line_end = len(block) if line_end < 0 else line_end
    found = _END.search(block, begin.end(), min(line_end, begin.end() + 65536))
    if found and not _OTHER_STRING.search(block, begin.end(), found.start()):
        return [Span(at, found.end())], None
    body = _ONE_LINE_BODY.match(block, begin.end(), line_end)
    stop = body.end() if body else begin.end()
    if block[stop : stop + 1] in (b'"', b"'"):
        # The backslashes escape the quote that ends the string around the key.
        stop = begin.end() + len(block[begin.end() : stop].rstrip(b"\\"))
    return [Span(at, stop)], _open(block, at)


def following_lines(
    block: bytes, start: int, key: OpenKey
) -> tuple[list[Span], int, OpenKey | None]:
    """The parts of a key in the lines from `start`, the end of the last part, and the key if it may
    continue after the block.
    """
    spans: list[Span] = []
    while start < len(block):
        end = block.find(b"\n", start)
        end = len(block) if end < 0 else end
        line = block[start : min(end, start + _LONGEST_LINE)]
        if b"-BEGIN" in line or key.lines_left <= 0:
            return spans, start, None
        key.lines_left -= 1
        if found := _end_of_key(line):
            return [*spans, Span(start + found.start(), start + found.end())], end, None
        parts = _parts_of(line, key)
        spans += [Span(start + part.start, start + part.end) for part in parts]
        if not parts and line.strip(_AROUND):
            key.foreign_left -= 1
            key.may_be_short = False
            if key.foreign_left < 0:
                return spans, start, None
        elif parts:
            key.foreign_left = MOST_FOREIGN_LINES
        if line.lstrip().startswith((b"Private-MAC", b"Private-Hash")):
            return spans, end, None
        start = end + 1
    return spans, len(block), key


def open_key_at_end(text: bytes) -> OpenKey | None:
    """The key that continues below a line if the end of the line, `text`, contains its beginning."""
    begin = text.rfind(b"-BEGIN", -_LONGEST_LINE)
    if begin < 0 or b"PRIVATE KEY" not in text[begin:] or b"-END" in text[begin:]:
        return None
    return OpenKey(b"")


def _end_of_key(line: bytes) -> re.Match[bytes] | None:
    return _END.search(line) if b"END" in line else None


def _open(block: bytes, at: int) -> OpenKey:
    start = max(block.rfind(b"\n", 0, at) + 1, at - _LONGEST_PREFIX)
    return OpenKey(block[start:at])


def _encoded(block: bytes, at: int) -> tuple[list[Span], OpenKey | None]:
    """PEM in Base64, encoded once or twice, if its decoded label is the one of a private key."""
    head = _BASE64_HEAD.match(block, at)
    try:
        label = base64.b64decode(head[0]) if head else b""
        if label.startswith(b"LS0t"):
            label = base64.b64decode(label[: len(label) // 4 * 4])
    except binascii.Error:
        return [], None
    if b"PRIVATE" not in label:
        return [], None
    run = _BASE64_RUN.match(block, at)
    assert run
    return [Span(at, run.end())], _open(block, at) if block[run.end() : run.end() + 1] in (
        b"\n",
        b"\r",
    ) else None


def _parts_of(line: bytes, key: OpenKey) -> list[Span]:
    """The parts of a line that belong to the key's body."""
    stripped = line.lstrip(_AROUND)
    offset = len(line) - len(stripped)
    if _HEADER.match(stripped):
        return [Span(offset, offset + len(stripped.rstrip(_AROUND)))]
    if key.prefix and line.startswith(key.prefix):
        found = _BASE64_RUN.match(line, len(key.prefix))
        if found and (
            found.end() == len(line) or line[found.end() : found.end() + 1] in b"\\\r\"'<"
        ):
            return [Span(found.start(), found.end())]
        if _HEADER.match(line, len(key.prefix)):
            return [Span(len(key.prefix), len(line.rstrip(_AROUND)))]
    if runs := [Span(run.start(), run.end()) for run in _LONG_RUN.finditer(line)]:
        key.prefix = line[: runs[-1].start][-_LONGEST_PREFIX:]
        key.may_be_short = True
        return runs
    return _short_end(line, key)


def _short_end(line: bytes, key: OpenKey) -> list[Span]:
    """The last, short line of a body: the whole line, or what follows the same prefix as above."""
    tail = _LINE_TAIL.sub(b"", line.rstrip(_BLANKS)).rstrip(_AROUND)
    tail = _LINE_TAIL.sub(b"", tail).rstrip(_AROUND)
    head = tail.rstrip(b"=").rstrip(_BASE64_BYTES)
    if head.endswith(b"=") and len(tail) - len(head) == _CHECKSUM_LENGTH:
        head = head[:-1]
    if len(head) == len(tail):
        return []
    if head.strip(_AROUND) and _shape(head) != _shape(key.prefix):
        return []
    word = tail[len(head) :]
    if head.endswith(b"\\") or word in _JSON_WORDS or _NUMBER.match(word):
        # An escape such as `\\u00e9`, or a value of a JSON document.
        return []
    if not word.startswith(b"=") and not (len(word) >= 16 and _MIXED.search(word)):
        if not key.may_be_short:
            return []
        key.may_be_short = False
    return [Span(len(head), len(tail))]


def _shape(prefix: bytes) -> bytes:
    return _DIGITS.sub(b"0", prefix)
