"""Values on the line below their name, where the rules do not see the two lines as such:

- All lines of a log begin with a time, a level or the name of a container, or are JSON objects with
  the text in a member.
- Several lines are in one string, with `\\n` between them.
- A line of a shell continues on the next one.

The lines are read once more without what is around them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Final, NamedTuple

from msgspec import Struct

from providers.patterns import lazy_pattern
from providers.redaction.spans import Found

# After the fixed text: the rest of the name, and nothing but signs up to the end of the line or of
# the string that contains it.
OPEN_END: Final = lazy_pattern(
    rb"""(?x)
    [\w.-]{0,48}+ (?: \\{0,8}["'] | </?[\w:.-]{1,32}> ){0,2} [ \t:=,>|\[{(+-]{0,12}
    (?: <<[-~]?["']?\w{1,16}["']? | ["']{3} | \\(?=\n) )?
    (?: (?:\\{1,8}r)?\\{1,8}n | (?: \\{0,8}["'] [\]},\\][^\n]{0,200} | ["'] )? \r?\n )
    """
)
# A value is seldom longer than a key in PEM, and private keys are read elsewhere.
MOST_LINES: Final = 24
_LONGEST_LINE: Final = 2048
_TABLE_HEAD: Final = lazy_pattern(rb"[\w,;|\t-]{1,512}+(?:\\{0,8}[n\"']|\r?\n)")
_DIGITS: Final = lazy_pattern(rb"\d+")
_LAST_WORD: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-<"
_LAST_QUOTE: Final = lazy_pattern(rb"""\\{0,8}["']$""")
_QUOTE: Final = lazy_pattern(rb'(?<!\\)"')
_NEWLINE: Final = lazy_pattern(rb"(?:\\{1,8}n)?$")
_ESCAPED_NEWLINE: Final = lazy_pattern(rb"(\\{1,8})n")
_LONGEST_OPEN_END: Final = 200

Read = Callable[[bytes], list[Found]]


class _Line(NamedTuple):
    """A line of the text that is read again: where it begins and ends there, and where it begins in
    the block.
    """

    start: int
    end: int
    in_block: int


class _Frame(Struct, frozen=True):
    """What is the same in some lines: the expression of their beginnings, and their end."""

    header: re.Pattern[bytes]
    end: bytes

    def content(self, line: bytes) -> tuple[int, int] | None:
        """Where the text of a line begins and ends."""
        header = self.header.match(line)
        if header is None or not line.endswith(self.end):
            return None
        start = header.end()
        end = max(header.end(), len(line) - len(self.end))
        if self.end.startswith(b'"') and _QUOTE.search(line, start, end):
            # Two lines of a JSON document, each with a member of its own.
            return None
        return start, end


_NO_FRAME: Final = _Frame(re.compile(b""), b"")


def table_heads(block: bytes, places: list[int]) -> list[int]:
    """Those of some places that may be in the header of a table."""
    return [at for at in places if block[at : at + 1] != b":" and _TABLE_HEAD.match(block, at)]


def unfolded_secrets(block: bytes, open_ends: list[int], read: Read) -> Iterator[Found]:
    """The secrets below the names at `open_ends`, which end their lines. `read` finds the secrets
    in text.
    """
    # Names within lines that were read again need no reading of their own, so that the work is linear.
    reach = 0
    for at in open_ends:
        if at < reach:
            continue
        parts = _parts_of_string(block, at)
        if len(parts) < 2:
            parts = _texts_of_lines(block, at)
        if len(parts) < 2:
            continue
        reach = parts[-1][0]
        text, lines = _joined(block, parts)
        yield from _in_block(read(text), lines)


def _parts_of_string(block: bytes, at: int) -> list[tuple[int, int]]:
    """The lines of the string around a place, if an escaped end of a line follows."""
    end = block.find(b"\n", at, at + _LONGEST_LINE)
    end = min(len(block), at + _LONGEST_LINE) if end < 0 else end
    newline = _ESCAPED_NEWLINE.search(block, at, min(end, at + _LONGEST_OPEN_END))
    if newline is None:
        return []
    first = block.rfind(b"\n", max(0, at - _LONGEST_LINE), at) + 1 or max(0, at - _LONGEST_LINE)
    first, end = _string(block, first, at, end, newline)
    start = block.rfind(newline[0], first, at)
    start = first if start < 0 else start + len(newline[0])
    parts: list[tuple[int, int]] = []
    while start < end and len(parts) < MOST_LINES:
        line_end = block.find(newline[0], start, end)
        line_end = end if line_end < 0 else line_end
        parts.append((start, line_end))
        start = line_end + len(newline[0])
    return parts


def _string(
    block: bytes, first: int, at: int, end: int, newline: re.Match[bytes]
) -> tuple[int, int]:
    """Start and end of the string around an escaped end of a line, within `first` and `end`. It is
    looked for in the strings around it, from the outermost one.
    """
    for escapes in reversed([*_shallower(len(newline[1]) - 1)]):
        is_in_other_string = False
        # A backslash that is part of the string is written as this many.
        backslash = 2 * (escapes + 1)
        for sign in (b'"', b"'"):
            quote = re.compile(rb"(?<!\\)(?:\\{%d})*(\\{%d}%s)" % (backslash, escapes, sign))
            openings = [opening.end() for opening in quote.finditer(block, first, at)]
            closing = quote.search(block, at, end)
            if closing and closing.start(1) < newline.end():
                is_in_other_string = is_in_other_string or sign == b'"'
            elif openings:
                first = openings[-1]
                end = closing.start(1) if closing else end
                break
        else:
            if is_in_other_string:
                return at, at
    return first, end


def _shallower(escapes: int) -> Iterator[int]:
    """How many backslashes are before the quotes of a string, and of the strings around it."""
    yield escapes
    while escapes:
        escapes = (escapes - 1) // 2
        yield escapes


def _texts_of_lines(block: bytes, at: int) -> list[tuple[int, int]]:
    """The lines from the one of `at`, without what is the same in all of them."""
    start = block.rfind(b"\n", max(0, at - _LONGEST_LINE), at) + 1
    lines = _lines(block, start)
    # Most lines have nothing in common with the next one, and no more of them are looked for.
    beginning = list(islice(lines, 2))
    if len(beginning) < 2:
        return []
    first, second = (block[start:end] for start, end in beginning)
    frame = _frame(first, second)
    if frame is None:
        if not first.endswith(b"\\"):
            return []
        # A command may continue without any header.
        frame = _NO_FRAME
    parts: list[tuple[int, int]] = []
    for start, end in chain(beginning, lines):
        content = frame.content(block[start:end])
        if content is None:
            break
        parts.append((start + content[0], start + content[1]))
    return parts


def _lines(block: bytes, start: int) -> Iterator[tuple[int, int]]:
    """Start and end of the lines from a place."""
    for _ in range(MOST_LINES):
        end = block.find(b"\n", start, start + _LONGEST_LINE)
        if end < 0:
            return
        yield start, end
        start = end + 1


def _frame(line: bytes, following: bytes) -> _Frame | None:
    """What two lines have in common, apart from numbers, before and after their texts."""
    first, second = (_DIGITS.sub(b"0", text) for text in (line, following))
    header = _common_start(first, second).rstrip(_LAST_WORD)
    # A quote belongs to the header if it is closed in the end that both lines have in common.
    common_end = _common_start(line[::-1], following[::-1])[::-1]
    end = b""
    while quote := _LAST_QUOTE.search(header.rstrip(b" \t")):
        rest = max(0, min(len(first), len(second)) - len(header))
        common_end = common_end[max(0, len(common_end) - rest) :]
        closes = re.search(rb"(?<!\\)" + re.escape(quote[0]), common_end)
        if closes:
            newline = _NEWLINE.search(common_end, 0, closes.start())
            end = common_end[newline.start() if newline else closes.start() :]
            break
        header = header[: quote.start()]
    if not header.strip():
        return None
    return _Frame(re.compile(re.escape(header).replace(b"0", rb"\d{1,32}")), end)


def _common_start(first: bytes, second: bytes) -> bytes:
    """The bytes with which two lines begin alike, found by halving."""
    same = 0
    longest = min(len(first), len(second))
    while same < longest:
        middle = (same + longest + 1) // 2
        if first[same:middle] == second[same:middle]:
            same = middle
        else:
            longest = middle - 1
    return first[:same]


def _joined(block: bytes, parts: list[tuple[int, int]]) -> tuple[bytes, list[_Line]]:
    """Parts of a block as lines of a text. A line that ends in a backslash goes on."""
    texts: list[bytes] = []
    lines: list[_Line] = []
    position = 0
    for start, end in parts:
        text = block[start:end]
        lines.append(_Line(position, position + len(text), start))
        texts.append(text[:-1] + b"  " if text.endswith(b" \\") else text + b"\n")
        position += len(text) + 1
    return b"".join(texts), lines


def _in_block(spans: list[Found], lines: list[_Line]) -> Iterator[Found]:
    """The spans of the text at their places in the block, one for each line."""
    for start, end, mark in spans:
        for line in lines:
            if start < line.end and end > line.start:
                shift = line.in_block - line.start
                yield max(start, line.start) + shift, min(end, line.end) + shift, mark
