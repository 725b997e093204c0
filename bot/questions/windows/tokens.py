"""The words of a window, cut into tokens: dates, times, numbers, words and separators. One pass,
linear and bounded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from bot.questions.windows.zones import UnknownZone, named_zone, shifted, zone_of_word

# Far above any window that people type, so that hostile text costs nothing.
LONGEST_TEXT = 200
MOST_TOKENS = 40
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
# `nov` and `november`; `may` has no shorter form.
_MONTH_NAMES = "|".join(f"{name[:3]}(?:{name[3:]})?" if len(name) > 3 else name for name in MONTHS)
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?"
_CONTINENTS = "africa|america|antarctica|arctic|asia|atlantic|australia|europe|indian|pacific|us|etc|canada|brazil|chile|mexico"
# Not the first letter of a word such as `zone`.
_OFFSET = r"z(?![a-z])|[+-]\d{2}:?\d{2}(?!\d)"

_KEY_NAMES = "(?:time_range|from|start|earliest|since|to|end|latest|until|last|past)"

Kind = Literal[
    "instant",
    "date",
    "numeric_date",
    "month",
    "week",
    "clock",
    "offset",
    "zone",
    "number",
    "ordinal",
    "duration",
    "word",
    "sep",
]


class Token(Struct, frozen=True):
    """One token of the text: its kind, its text, and its value if that is unambiguous."""

    kind: Kind
    text: str
    value: object = None


Tokens = Sequence[Token]


class UnknownText(ValueError):
    """A character or number that no window contains; the message says what is wrong if that helps."""


# Alternatives are tried in this order, the longest forms first, so that a date is not read as
# numbers. Each is anchored where the last token ended, and repeats nothing without a bound.
_TOKEN = re.compile(
    rf"""\s*(?:
      (?P<iso>(?P<iso_day>\d{{4}}-\d{{2}}-\d{{2}})t(?P<iso_clock>{_CLOCK}|\d{{2}}(?![\d:]))(?P<iso_offset>{_OFFSET})?(?![\w:]))
    | (?P<basic>(?P<basic_day>\d{{8}})t(?P<basic_clock>\d{{4}}(?:\d{{2}})?)(?P<basic_offset>{_OFFSET})?(?!\w))
    | (?P<date>\d{{4}}(?P<s1>[-/.])\d{{1,2}}(?P=s1)\d{{1,2}}(?![\d:]))
    | (?P<named_date>(?P<named_day>\d{{1,2}})(?P<s2>[-/.])(?P<named_month>{_MONTH_NAMES})(?P=s2)(?P<named_year>\d{{4}}|\d{{2}})(?![\w-])):?
    | (?P<year_first>(?P<first_year>\d{{4}})-(?P<second_month>{_MONTH_NAMES})-(?P<third_day>\d{{1,2}})(?![\w-]))
    | (?P<short_named>(?P<short_day>\d{{1,2}})[-/.](?P<short_month>{_MONTH_NAMES})(?![\w/.-]|\s?\d))
    | (?P<dotted>\d{{1,2}}\.\d{{1,2}}\.(?![\d.]))
    | (?P<numeric>\d{{1,2}}(?P<s3>[-/.])\d{{1,2}}(?P=s3)\d{{2,4}}(?![\d:]))
    | (?P<short>\d{{1,2}}/\d{{1,2}}(?![\d/:]))
    | (?P<week>\d{{4}}-?w\d{{1,2}}(?!\w|-\d(?!\d)))
    | (?P<week_day>\d{{4}}-w\d{{2}}-[1-7](?!\w)|\d{{4}}w\d{{2}}[1-7](?!\w))
    | (?P<month>\d{{4}}[-/]\d{{2}}(?![\d:/-]))
    | (?<![a-z])(?P<month_year>(?:0?[1-9]|1[0-2])[-/.](?:19|20)\d{{2}}(?![\d/.:-]))
    | (?P<clock>{_CLOCK}(?![\d:]))\s?(?P<offset>z(?![a-z])|\+\d{{2}}:?\d{{2}}(?!\d)|-(?:0\d|1[0-2])(?:00|30)(?![\d:]))?
    | (?P<pointed>\d{{1,2}}\.\d{{2}})(?=\s*[ap]\.?m)
    | (?P<ordinal>\d{{1,2}})(?:st|nd|rd|th)(?![a-z])
    | (?P<zone>(?:utc|gmt)(?:[+-]|\s\+)\d{{1,2}}(?::?\d{{2}})?(?!\d)|(?:{_CONTINENTS})/[a-z_]+(?:/[a-z_]+)?)
    | (?P<duration>(?<!\d)p(?=t?\d)(?:\d+[ymwd])*(?:t(?:\d+(?:[.,]\d+)?[hms])+)?(?![\w]))
    | (?P<key>(?:--)?{_KEY_NAMES}"?[=:]+|--{_KEY_NAMES}(?=\s))
    | (?P<number>\d+(?:\.\d+|,(?!(?:19|20)\d\d(?!\d))\d+)?|(?<!\.)\.\d+)
    | (?P<short_year>'\d{{2}}(?!\d))
    | (?P<halfday>[ap]\.\s?m\.|[ap]\.m(?![a-z])|[ap]m\.?(?![a-z])|(?<=\d)[ap](?![\w.]))
    | (?P<word>[a-z]+(?:'(?!\d)[a-z]*)?)
    | (?P<sep>\.\.+|--?>?|[–—→~+@/&]|[,;?!()"'`*_\[\]]|\.(?!\w))
    )""",
    re.VERBOSE,
)
_SHORT = MappingProxyType(
    {
        "prev": "previous",
        "yday": "yesterday",
        "todays": "today",
        "yesterdays": "yesterday",
        "btw": "between",
        "btwn": "between",
    }
)
# Signs and words that say what another one says; fractions become decimals.
_SAME = (
    (re.compile(r"(\d*)½"), lambda match: f"{match[1] or 0}.5"),
    (re.compile(r"(\d*)¼"), lambda match: f"{match[1] or 0}.25"),
    (re.compile(r"(\d*)¾"), lambda match: f"{match[1] or 0}.75"),
    (re.compile(r"[−‐‑]"), lambda _match: "-"),
    # Phones make a dash of a hyphen before a number, too.
    (re.compile(r"^[–—](?=\d)"), lambda _match: "-"),
    (re.compile(r"±"), lambda _match: "+-"),
    (re.compile(r"=>"), lambda _match: "->"),
    (re.compile(r" & "), lambda _match: " and "),
    (re.compile(r"['’]til\b"), lambda _match: "til"),
    (re.compile(r"\bup to\b", re.IGNORECASE), lambda _match: "to"),
    (re.compile(r"\bw/c\b", re.IGNORECASE), lambda _match: "week commencing"),
)
# Most texts have none of them, and one search is faster than eleven.
_MAY_BE_SAME = re.compile(r"(?i)[½¼¾−‐‑–—±&]|=>|['’]til|up to|w/c")
_KEYS = MappingProxyType(
    {
        "from": "since",
        "start": "since",
        "earliest": "since",
        "since": "since",
        "to": "to",
        "end": "to",
        "latest": "to",
        "until": "to",
        "last": "last",
        "past": "past",
        "time_range": "",
    }
)


# Most people ask about the same few windows again and again.
@lru_cache(maxsize=512)
def tokens_of(text: str) -> tuple[Token, ...]:
    """The tokens of a text. Raises UnknownText."""
    if len(text) <= LONGEST_TEXT and _MAY_BE_SAME.search(text):
        for pattern, replacement in _SAME:
            text = pattern.sub(replacement, text)
    lowered = text.lower()
    # A few letters change their length in lower case, which would shift what is quoted.
    if len(lowered) > LONGEST_TEXT or len(lowered) != len(text):
        raise UnknownText
    found: list[Token] = []
    at = 0
    end = len(lowered.rstrip())
    while at < end:
        match = _TOKEN.match(lowered, at)
        if match is None or len(found) >= MOST_TOKENS:
            raise UnknownText
        found += _token(match, text)
        at = match.end()
    return tuple(found)


def word(token: Token) -> str:
    return str(token.value) if token.kind == "word" else ""


def words_of(tokens: Tokens) -> list[str]:
    """The tokens as plain words, for phrases: numbers and signs as they were typed."""
    return [word(token) or token.text.lower() for token in tokens]


def _token(match: re.Match[str], typed: str) -> Sequence[Token]:
    kind = match.lastgroup or ""
    groups = {name: value for name, value in match.groupdict().items() if value is not None}
    for name, make in _MAKERS.items():
        if name in groups:
            start, end = match.span(name)
            return make(groups, typed[start:end])
    raise UnknownText(kind)


def _iso(groups: dict[str, str], _text: str) -> Sequence[Token]:
    day = groups["iso_day"]
    clock = groups["iso_clock"]
    clock = clock if ":" in clock else f"{clock}:00"
    offset = groups.get("iso_offset")
    return [Token("date", day, _date(day)), Token("clock", clock, _clock(clock)), *_offset(offset)]


def _basic(groups: dict[str, str], _text: str) -> Sequence[Token]:
    day = groups["basic_day"]
    clock = groups["basic_clock"]
    spread = ":".join(clock[at : at + 2] for at in range(0, len(clock), 2))
    return [
        Token("date", day, _date(f"{day[:4]}-{day[4:6]}-{day[6:]}")),
        Token("clock", spread, _clock(spread)),
        *_offset(groups.get("basic_offset")),
    ]


def _day(_groups: dict[str, str], text: str) -> Sequence[Token]:
    year, month, day = re.split(r"[-/.]", text)
    return [Token("date", text, _date(f"{year}-{month:0>2}-{day:0>2}"))]


def _named_day(groups: dict[str, str], text: str) -> Sequence[Token]:
    month = [name[:3] for name in MONTHS].index(groups["named_month"][:3]) + 1
    year = groups["named_year"]
    year = year if len(year) == 4 else f"20{year}"
    return [Token("date", text, _date(f"{year}-{month:02}-{groups['named_day']:0>2}"))]


def _year_first(groups: dict[str, str], text: str) -> Sequence[Token]:
    month = [name[:3] for name in MONTHS].index(groups["second_month"][:3]) + 1
    day = f"{groups['first_year']}-{month:02}-{groups['third_day']:0>2}"
    return [Token("date", text, _date(day))]


def _week_day(_groups: dict[str, str], text: str) -> Sequence[Token]:
    """`2026-W45-1`, as ISO 8601 counts weeks and their days."""
    digits = text.lower().replace("-", "").replace("w", "")
    try:
        day = date.fromisocalendar(int(digits[:4]), int(digits[4:6]), int(digits[6]))
    except ValueError:
        raise UnknownText(f"There is no {text}") from None
    return [Token("date", text, _date(day.isoformat()))]


def _clock_and_offset(groups: dict[str, str], text: str) -> Sequence[Token]:
    return [Token("clock", text, _clock(text)), *_offset(groups.get("offset"))]


def _number(_groups: dict[str, str], text: str) -> Sequence[Token]:
    # Ten digits are seconds from 2001 to 2286.
    if text.isdigit() and len(text) in (10, 13, 16):
        return [Token("instant", text, _epoch(int(text), len(text)))]
    if (
        text.isdigit()
        and len(text) == 8
        and 1970 <= int(text[:4]) <= 2999
        and 1 <= int(text[4:6]) <= 12
    ):
        return [Token("date", text, _date(f"{text[:4]}-{text[4:6]}-{text[6:]}"))]
    # Larger than any number in a window.
    if len(text) > 12:
        raise UnknownText
    return [Token("number", text, float(text.replace(",", ".")))]


def _epoch(number: int, digits: int) -> datetime:
    """Seconds, milliseconds or microseconds since 1970, distinguished by the number of
    their digits.
    """
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=number * 10 ** (16 - digits))


def _word(_groups: dict[str, str], text: str) -> Sequence[Token]:
    # `yesterday's` and `days'`.
    word = _SHORT.get(text.lower(), text.lower()).removesuffix("'s").rstrip("'")
    if zone := zone_of_word(word):
        return [Token("zone", text, zone)]
    return [Token("word", text, word)]


def _zone(_groups: dict[str, str], text: str) -> Sequence[Token]:
    try:
        return [Token("zone", text, named_zone(text))]
    except UnknownZone as error:
        raise UnknownText(str(error)) from None


def _offset(text: str | None) -> Sequence[Token]:
    if not text:
        return []
    digits = text[1:].replace(":", "")
    try:
        zone = UTC if text == "z" else shifted(text[0], int(digits[:2]), int(digits[2:]))
    except UnknownZone as error:
        raise UnknownText(str(error)) from None
    return [Token("offset", text, zone)]


def _key(_groups: dict[str, str], text: str) -> Sequence[Token]:
    word = _KEYS[text.strip('-=:"').lower()]
    return [Token("word", text, word)] if word else []


def _sep(_groups: dict[str, str], text: str) -> Sequence[Token]:
    # Punctuation that people add means nothing.
    return [] if text in ",;?!()[]\"'`*&._" else [Token("sep", text, "/" if text == "/" else text)]


def _date(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise UnknownText(f"There is no {text}") from None
    if not 1970 <= found.year <= 9998:
        raise UnknownText(f"{text} is too far away")
    return found


def _clock(text: str) -> time:
    clock, _, fraction = text.replace(",", ".").partition(".")
    try:
        hour, minute, second = (int(part) for part in (*clock.split(":"), "0")[:3])
        # ISO 8601 writes the end of a day like this.
        if (hour, minute, second) == (24, 0, 0) and not int(fraction or 0):
            return time()
        return time(hour, minute, second, int(f"{fraction[:6]:0<6}"))
    except ValueError:
        raise UnknownText(f"There is no time {text}") from None


_MAKERS = MappingProxyType(
    {
        "iso": _iso,
        "basic": _basic,
        "date": _day,
        "named_date": _named_day,
        "short_named": lambda groups, _text: [
            Token("number", groups["short_day"], float(groups["short_day"])),
            Token("word", groups["short_month"], groups["short_month"]),
        ],
        "dotted": lambda _groups, text: [Token("numeric_date", text)],
        "year_first": _year_first,
        "week_day": _week_day,
        "numeric": lambda _groups, text: [Token("numeric_date", text)],
        "short": lambda _groups, text: [Token("numeric_date", text)],
        "week": lambda _groups, text: [
            Token("week", text, (int(text[:4]), int(text.lower().partition("w")[2])))
        ],
        "short_year": lambda _groups, text: [
            Token("number", f"20{text[1:]}", float(f"20{text[1:]}"))
        ],
        "month": lambda _groups, text: [Token("month", text, (int(text[:4]), int(text[5:])))],
        "month_year": lambda _groups, text: [
            Token("month", text, (int(text[-4:]), int(text[:-5])))
        ],
        "clock": _clock_and_offset,
        "pointed": lambda _groups, text: [Token("clock", text, _clock(text.replace(".", ":")))],
        "ordinal": lambda _groups, text: [Token("ordinal", text, int(text))],
        "zone": _zone,
        "duration": lambda _groups, text: [Token("duration", text)],
        "key": _key,
        "number": _number,
        "halfday": lambda _groups, text: [Token("word", text, f"{text[0].lower()}m")],
        "word": _word,
        "sep": _sep,
    }
)
