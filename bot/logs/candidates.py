"""Lines that may have a time or a level, found in a few passes over a block. All others have
neither and belong to the line above, so a block of random text does not need a look at each line.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from ahocorasick_rs import BytesAhoCorasick, Implementation

from bot.logs import calendar_names, field_names, fields, levels
from bot.logs.place_words import BIND_CATEGORIES, LOWER_AND_CAPITALISED
from providers.patterns import compile_pattern

# Patterns that never match, with many first bytes. Without them the library would jump from one
# possible first byte to the next, which is slow in texts that are full of them.
_NEVER: Final = [bytes([byte]) * 4 for byte in (*range(1, 9), *b"BCDFGHJKMQVXYZ")]


def fast_scan_of(patterns: Iterable[bytes]) -> BytesAhoCorasick:
    """A scan that is fast in any text."""
    return BytesAhoCorasick([*patterns, *_NEVER], implementation=Implementation.DFA)


def _class_of(byte: int) -> int:
    if byte in b"\n:.-/ ":
        return byte
    if byte == ord("\t"):
        return ord(" ")
    if byte in b"0123456789":
        return ord("0")
    return ord("a" if bytes([byte]).isalpha() or byte == ord("_") else "(")


# Text with its digits, its letters and its other signs each replaced by one sign. In this form,
# times have only a few spellings.
_CLASSES: Final = bytes(map(_class_of, range(256)))
# What comes before a clock that is a time. A clock after a word is part of a sentence, unless the
# word is a level or the name of a month or a day.
_BEFORE_CLOCK: Final = (
    *(b"\n", b"(", b".", b"-", b"/", b"a"),
    *(b"a:", b"(:", b"::", b"-:", b"/:", b".:", b" :", b"\n:", b"0000:"),
    *(b"\na ", b"\n ", b"( ", b": ", b". ", b"- ", b"/ ", b"  "),
    *(sign + digits + b" " for sign in (b"-", b"/", b".") for digits in (b"0", b"00", b"0000")),
    *(b"\n0000 ", b"a0000 ", b"000000 ", b"(a ", b"0a00 ", b"a 0000 ", b"a  0 "),
)
_CLOCKS: Final = [before + hour + b":0" for before in _BEFORE_CLOCK for hour in (b"0", b"00")]
# A long run of digits that is not part of a longer word: epoch seconds, a date and time in digits
# only, the same with an exponent, the basic form of ISO 8601, dates of six digits, Chromium.
_LONG_NUMBERS: Final = (
    *(b"0000000000", b"0.00000000"),
    *(b"00000000" + sign + b"0000" for sign in (b"a", b" ", b".", b"-", b":")),
)
_SIX_DIGITS: Final = (b"000000 000000", b"000000  000000", b"0000/000000.0")
_BEFORE_NUMBER: Final = (b"\n", b":", b".", b"-", b"/", b" ", b"(", b"\na")
_LONG_PATTERNS: Final = [before + number for before in _BEFORE_NUMBER for number in _LONG_NUMBERS]
_DIGITS_AT: Final = [len(before) for before in _BEFORE_NUMBER for _ in _LONG_NUMBERS]
# Epoch seconds of recent decades, or digits that begin with a year.
_LONG_TIME: Final = compile_pattern(
    rb"1\d{9}(?:\d{3}){0,3}+(?!\d)|1\.\d{8}|(?:19|20)\d{6}(?:\D|\d{6})"
)
_WORDS: Final = [word.upper() for word in levels.LEVEL_OF_WORD]
_KEYS: Final = [key.encode() for key in (*field_names.LEVEL_KEYS, "@t", "log", "date")]

# Of levels, in any case.
_FIRST_LETTERS: Final = bytes(
    {letter for word in levels.LEVEL_OF_WORD for letter in word[:1] + word[:1].upper()}
)
# As Python, Ruby, Go and Java write fields.
_LOOSE_KEYS: Final = [
    before + key + sign
    for key in (b"level", b"severity", b"lvl", b"levelname", b"log.level")
    for before, sign in (
        (b"'", b"'"),
        (b":", b"=>"),
        (b"[", b":"),
        (b" ", b":"),
        (b":", b" :"),
        (b":", b' "'),
    )
]

_LEVEL_STARTS: Final = (
    *(b"[%c" % sign for sign in b" 0123456789" + string.ascii_letters.encode()),
    *(b"[%c" % sign for sign in _FIRST_LETTERS if sign > 127),
    *(b"<%c" % sign for sign in b" 0123456789" + _FIRST_LETTERS),
    *(b"%%%c" % letter for letter in string.ascii_uppercase.encode()),
    *(b"##[", b"*", b'"', b"PHP ", b"npm ", b"LOG  : ", b"\xe2\x94\x8c", *_WORDS),
    *(b"Perforce ", b" INFO ", b" WARN "),
    *(b"err:", b"fixme:", b"trace:", b"warn:"),
    *(b"trce: ", b"dbug: ", b"info: ", b"warn: ", b"fail: ", b"crit: "),
    *(b"TRAC", b"DEBU", b"ERRO", b"FATA", b"PANI"),
    *(b"%c%s" % (letter, sign) for letter in b"EWIDVFAS" for sign in (b"(", b" (", b"/")),
    *(b"%c: [" % letter for letter in b"EWNID"),
    *(b"kern", b"user", b"daemon", b"syslog", b"auth", b"local"),
    *(category + b": " for category in BIND_CATEGORIES),
)
# Days, a byte order mark, labels.
_OTHER_STARTS: Final = (
    # In front of a clock.
    *(b"%s %d" % (word, digit) for word in LOWER_AND_CAPITALISED for digit in range(3)),
    *(
        b"[%s%s%d" % (word, blanks, digit)
        for word in levels.LEVEL_OF_WORD_IN_CAPITALS
        for blanks in (b" ", b"  ")
        for digit in range(3)
    ),
    *(b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun", b"\xef\xbb\xbf"),
    *(b"time:", b"ts:", b"timestamp:", b"host:", b"remote_addr:", b"remotehost:", b"level:"),
)
_MONTHS: Final = (*calendar_names.ENGLISH_MONTHS, *calendar_names.MONTHS_ABROAD_AND_DIGIT)
# Elements of XML, the lines of VMware's hostd.
_ANYWHERE: Final = (
    *(b"<" + name + b">" for word in (b"level", b"severity") for name in (word, word.capitalize())),
    b"[Originator@",
    *(b": %s  " % word for word in _WORDS),
    *(b"]: %s:" % word for word in _WORDS),
    *(b":%s:" % word for word in (b"err", b"fixme", b"warn", b"trace")),
)


# Each is built when a log first has lines that share no shape, which most logs do not have.
@cache
def _times() -> BytesAhoCorasick:
    return fast_scan_of(
        [
            *_LONG_PATTERNS,
            *_CLOCKS,
            b"0-00.00.",
            b"0a00.0",
            *(
                b"0" + sign + b"00" + dot + b"00" + dot
                for sign in (b" ", b"a")
                for dot in (b".", b"-")
            ),
            b"0 0.00.",
            *(before + number for before in _BEFORE_NUMBER for number in _SIX_DIGITS),
            # A number first: milliseconds since the start, or npm's debug log.
            *(
                b"\n" + b"0" * digits + sign
                for digits in range(1, 11)
                for sign in (b" ", b":", b"(")
            ),
            *(b"\n" + b" " * blanks + b"0" for blanks in range(1, 17)),
        ]
    )


@cache
def _starts() -> BytesAhoCorasick:
    """The beginnings of lines that have a level and no time, or labelled fields; names of months."""
    starts = [b"\n" + start for start in (*_LEVEL_STARTS, *_OTHER_STARTS)]
    return BytesAhoCorasick([*starts, *_MONTHS, *_ANYWHERE], implementation=Implementation.DFA)


@cache
def _field_names() -> BytesAhoCorasick:
    """Text in lower-case JSON and pairs that may have a level. Field names may also be written with
    escapes.
    """
    quoted = (b'"%s"' % key for key in _KEYS)
    ends = (end + sign for end in field_names.LEVEL_ENDS for sign in (b'"', b"="))
    return fast_scan_of([*(key + b"=" for key in _KEYS), *quoted, *ends, b"\\u", *_LOOSE_KEYS])


def candidates(text: bytes) -> Iterator[tuple[int, int]]:
    """The start and the end of each line that may have a time or a level, in order. The text has a
    line end before each line, and that line end is the start.
    """
    end = 0
    for start in sorted(_signs_in(text)):
        if start >= end:
            end = text.find(b"\n", start + 1)
            end = len(text) if end < 0 else end
            yield text.rfind(b"\n", 0, start + 1), end


def may_have_times_or_fields(text: bytes) -> bool:
    """Whether any line may have more than a level at its beginning."""
    if b"@4" in text or b" |" in text:
        return True
    if (b"=" in text or b"{" in text) and not _is_empty(_fields_in(text.lower())):
        return True
    if not _is_empty(_times_in(text)):
        return True
    # The name of a month may begin within another match.
    starts = _starts().find_matches_as_indexes(text, overlapping=True)
    return any(pattern >= len(_LEVEL_STARTS) for pattern, _, _ in starts)


def _is_empty(places: Iterator[int]) -> bool:
    return next(places, None) is None


def _signs_in(text: bytes) -> Iterator[int]:
    """The places of text that occurs only in lines with a time or a level."""
    yield from _times_in(text)
    for _, start, _ in _starts().find_matches_as_indexes(text):
        yield start
    # TAI64, and the lines of Docker Compose.
    for sign in (b"@4", b" |"):
        start = text.find(sign)
        while start >= 0:
            yield start
            start = text.find(sign, start + 1)
    if b"=" in text or b"{" in text:
        yield from _fields_in(text.lower())


def _times_in(text: bytes) -> Iterator[int]:
    long_numbers = len(_DIGITS_AT)
    clocks = len(_DIGITS_AT) + len(_CLOCKS)
    for pattern, start, end in _times().find_matches_as_indexes(text.translate(_CLASSES)):
        if pattern < long_numbers:
            at = start + _DIGITS_AT[pattern]
            # Most numbers can be recognised by their first digit.
            if _ONE <= text[at] <= _TWO and _LONG_TIME.match(text, at):
                yield start
        elif (
            pattern >= clocks
            or end < _DATE_BEFORE
            or not _IMPOSSIBLE.match(text, end - _DATE_BEFORE)
        ):
            yield start


_ONE, _TWO = b"12"
# No clock, or none behind such a date: of the month, of the day, of the hour, of the minute. A date
# begins this far before the end of a match: `-11-21T10:0`.
_DATE_BEFORE: Final = 11
_IMPOSSIBLE: Final = compile_pattern(
    rb"(?s:-(?:1[3-9]|[2-9]\d)-|-..-(?:3[2-9]|[4-9]\d)|.{7}(?:2[5-9]|[3-9]\d)|.{10}[6-9]\d)"
)


def _fields_in(lowered: bytes) -> Iterator[int]:
    for sign, start, _ in _field_names().find_matches_as_indexes(lowered):
        # The name of a pair does not begin within a longer one.
        if sign >= len(_KEYS) or lowered[start - 1] not in fields.NAME_BYTES:
            yield start
