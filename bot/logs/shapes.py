"""What the lines of one log have in common, so that most of them need no look of their own.

A line is read by its shape: the bytes in front of its minute, the form of its time, and the bytes between its time and its level. Lines that
share all three, and the minute, are taken in by one match.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ahocorasick_rs import BytesAhoCorasick

from bot.logs import fields, levels, times
from bot.logs.reader import level_span
from bot.logs.times import Minute

# What stands in front of a time, and between a time and a level, where it is the same in each line.
MOST_BEFORE: Final = 80
MOST_BETWEEN: Final = 80
_WORDS_IN_CAPITALS: Final = {word.upper(): level for word, level in levels.LEVEL_OF_WORD.items()}
_WORDS_IN_LOWER_CASE: Final = dict(levels.LEVEL_OF_WORD)
_CAPITALISED_WORDS: Final = {word.capitalize(): level for word, level in levels.LEVEL_OF_WORD.items()}
_COMMON: Final = tuple(
    spelt for word in (b"info", b"debug", b"warn", b"warning", b"error") for spelt in (word.upper(), word, word.capitalize())
)
_DIGIT: Final = re.compile(rb"\d")
_JSON_KEY: Final = re.compile(rb'"([^"\\]{1,64})" ?:')
_PAIR_KEY: Final = re.compile(rb"([\w@.]{1,32}+)=")
_TENS: Final = {b"%d" % number: levels.level_of_field(b"%d" % number) for number in (10, 20, 30, 40, 50, 60)}
_SEVERITIES: Final = {b"%d" % number: level for number, level in enumerate(levels.LEVEL_OF_SEVERITY)}


@dataclass(frozen=True, slots=True)
class Shape:
    """How lines begin: with the same bytes, a time of one form, the same bytes again, and a level."""

    form: str
    behind: bytes
    run: re.Pattern[bytes]
    level_of: dict[bytes, str]
    # In JSON: the fields that must stand in each line once, and those that must not stand in any, for they would count instead.
    once: tuple[bytes, ...] = ()
    never: tuple[bytes, ...] = ()

    def levels_in(self, text: bytes, lines: int) -> Counter[str] | None:
        """The levels of a run of lines; None where some line holds what looks like a second one, and needs a look of its own."""
        if any(text.count(key) != lines for key in self.once) or any(key in text for key in self.never):
            return None
        found = _occurrences(self.level_of, text)
        return found if found.total() == lines else None

    def minute(self, written: bytes) -> Minute | None:
        return times.minute_of(self.form, written, self.behind)


def shape_of(line: bytes) -> Shape | None:
    """The shape of a line that tells a time and, behind it, a level as a word or a number."""
    spans = level_span(line)
    if spans is None:
        return None
    before, between = line[: spans.minute[0]], line[spans.behind[1] : spans.level[0]]
    word, after = line[slice(*spans.level)], line[spans.level[1] : spans.level[1] + 1]
    words = _words_like(word)
    if not words or not after or after.isalnum() or len(before) > MOST_BEFORE or len(between) > MOST_BETWEEN or not between:
        return None
    behind = line[slice(*spans.behind)]
    once, never = _conditions(before, between)
    if not once and (before.startswith(b"{") or b"=" in before):
        return None
    heads = {between + each + after: level for each, level in words.items()}
    likeliest = between + word + after
    heads = {likeliest: heads[likeliest], **heads}
    # As many digits of a second as here; most logs write always as many.
    seconds = _DIGIT.sub(rb"\\d", re.escape(line[spans.minute[1] : spans.behind[0]]))
    tail = (
        seconds
        + re.escape(behind + between)
        + rb"(?:"
        + _any_of([word, *_COMMON, *words], words)
        + rb")"
        + re.escape(after)
        + rb"[^\n]*+"
    )
    minute, before = _minute_like(line[slice(*spans.minute)], spans.form), re.escape(before)
    run = re.compile(rb"\n" + before + rb"(" + minute + rb")" + tail + rb"(?:\n" + before + rb"\1" + tail + rb")*+")
    return Shape(spans.form, behind, run, heads, once, never)


def _minute_like(written: bytes, form: str) -> bytes:
    """A pattern for minutes of as many digits; whether there is such a minute is looked at once for each."""
    if re.search(rb"[A-SU-Za-z]", written):
        return times.FORM_OF[form].pattern_of_minute()
    return _DIGIT.sub(rb"\\d", re.escape(written))


def _words_like(word: bytes) -> dict[bytes, str]:
    """The levels as they are written in a log that writes one so."""
    for words in (_WORDS_IN_CAPITALS, _WORDS_IN_LOWER_CASE, _CAPITALISED_WORDS, _TENS, _SEVERITIES):
        if word in words:
            return {each: level for each, level in words.items() if level}
    return {}


def _conditions(before: bytes, between: bytes) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Which fields must stand once and which never, where a line tells its time and its level by its outermost fields."""
    is_json = before.startswith(b"{")
    field, quote, sign = (_JSON_KEY, b'"', b'"') if is_json else (_PAIR_KEY, b" ", b"=")
    time_keys, level_keys = field.findall(before), field.findall(between)
    if b"{" in before[1:] + between or not time_keys or not level_keys:
        return (), ()
    time_key, level_key = time_keys[-1].decode().lower(), level_keys[-1].decode().lower()
    if time_key not in fields.TIME_KEYS or level_key not in fields.LEVEL_KEYS:
        return (), ()
    levels_before = list(fields.LEVEL_KEYS)[: list(fields.LEVEL_KEYS).index(level_key)]
    times_before = fields.TIME_KEYS[: fields.TIME_KEYS.index(time_key)]
    if not is_json:
        times_before = (*times_before, "date")
    once = (quote + level_keys[-1] + sign, *([quote + time_keys[-1] + sign] if is_json else []))
    return once, tuple(quote + name.encode() + sign for name in (*times_before, *levels_before))


def _any_of(likeliest_first: Iterable[bytes], words: Mapping[bytes, str]) -> bytes:
    """What stands behind a word tells it from a longer one, so the order is free."""
    return b"|".join(re.escape(word) for word in dict.fromkeys(likeliest_first) if word in words)


def _occurrences(level_of: dict[bytes, str], text: bytes) -> Counter[str]:
    """How often each level is found by what it stands in, of which the first is the commonest."""
    commonest, *others = level_of
    found = Counter({level_of[commonest]: text.count(commonest)})
    for other, count in Counter(other for other, _, _ in _scan_of(*others).find_matches_as_indexes(text)).items():
        found[level_of[others[other]]] += count
    return found


@lru_cache(maxsize=64)
def _scan_of(*heads: bytes) -> BytesAhoCorasick:
    """Finds what is not common in much less time than each would take by itself."""
    return BytesAhoCorasick(heads)
