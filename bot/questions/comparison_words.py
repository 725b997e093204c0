"""Splits the words of a question at the border between two windows (pure).

`A vs B`, `compare A with B`, `A yoy`, `the same hours of B`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from types import MappingProxyType

from msgspec import Struct

from bot.questions.windows import strip_filler_words

# The words between two windows, the longest first.
_SEPARATORS: tuple[tuple[str, ...], ...] = (
    ("in", "comparison", "to"),
    ("in", "comparison", "with"),
    ("compared", "to"),
    ("compared", "with"),
    ("compared", "against"),
    ("relative", "to"),
    *((word,) for word in ("vs", "v", "versus", "verses", "against")),
)
# What the words may begin with, and then the words between the windows, in this order of
# preference.
_COMPARE = frozenset({"compare", "comparing", "comparison", "difference", "diff"})
_AFTER_COMPARE = ("with", "and", "to")
# `week over week` at the end: what is compared where nothing comes before it, and with what.
_OVER = MappingProxyType(
    {
        phrase: (f"this {unit}" if unit != "day" else "today", f"a {unit} ago")
        for unit, short in (
            ("day", "dod"),
            ("week", "wow"),
            ("month", "mom"),
            ("quarter", "qoq"),
            ("year", "yoy"),
        )
        for phrase in (short, f"{unit} over {unit}", f"{unit}-over-{unit}")
    }
)
_HOURS = frozenset(
    [
        *("hour", "hours", "time", "times", "period", "periods", "part", "span", "point", "days"),
        *("day", "date", "dates", "weekday", "weekdays", "window"),
        *("week", "month", "quarter"),
    ]
)
# Behind the second window these mean the same.
_SO_FAR = ("so far", "at this time", "by this time", "until now", "up to now", "by now")
_LINKS = frozenset({"of", "on", "in", "from", "at", "for", "as", "over"})
_OVER_FIRST = MappingProxyType({second: first for first, second in _OVER.values()})


class ComparedWords(Struct, frozen=True):
    """The words of both windows as they were typed, whether the same hours are asked for, and the
    words of a third window, which is an error.
    """

    first: str
    second: str
    same: bool = False
    third: str = ""


@lru_cache(maxsize=512)
def split_comparison(text: str) -> ComparedWords | None:
    """The words of both windows; None where there is one alone. Either may be empty."""
    words = text.split()
    begin = _after_prefix(_plain(words))
    words = words[begin:]
    plain = _plain(words)
    places = _places(plain) or (_after_compare(plain) if begin else [])
    if not places:
        over = _over(words)
        return ComparedWords(" ".join(words), "") if begin and not over else over
    start, end = places[0]
    last, after = places[1] if len(places) > 1 else (len(words), len(words))
    first, same_first = _without_same(words[:start])
    second, same_second = _without_same(words[end:last])
    shown = " ".join(strip_filler_words(second))
    for phrase in _SO_FAR:
        if shown.lower().endswith(f" {phrase}"):
            same_second = True
            shown = shown[: -len(phrase)].rstrip()
    is_third = len(places) > 1
    return ComparedWords(
        " ".join(strip_filler_words(first)),
        shown,
        same_first or same_second,
        " ".join(words[after:]) or "a third window" if is_third else "",
    )


def is_comparison(text: str) -> bool:
    """Whether the words hold two windows."""
    return split_comparison(text) is not None


def begins_comparison(text: str) -> bool:
    """Whether the words name the second window alone, such as `vs previous` or `yoy`."""
    words = text.split()
    over = _over(words)
    is_over = over is not None and over.first == _OVER_FIRST[over.second]
    return is_over or any(start == 0 for start, _ in _places(_plain(words)))


def _over(words: Sequence[str]) -> ComparedWords | None:
    """The words before `yoy` or `week over week`, and what these mean; None where the words do not
    end so.
    """
    plain = _plain(words)
    for length in (1, 3):
        if found := _OVER.get(" ".join(plain[-length:])):
            first = " ".join(strip_filler_words(words[:-length]))
            return ComparedWords(first or found[0], found[1])
    return None


def _plain(words: Sequence[str]) -> list[str]:
    """The words in lower case, without the dot of `vs.`."""
    lowered = [word.lower() for word in words]
    return [word[:-1] if word in ("vs.", "v.") else word for word in lowered]


def _after_prefix(words: Sequence[str]) -> int:
    """How many words such as `compare` and `difference between` there are before the windows."""
    if not words or words[0] not in _COMPARE:
        return 0
    return 2 if words[1:2] in (["between"], ["of"], ["from"]) else 1


def _places(words: Sequence[str]) -> list[tuple[int, int]]:
    """Where each separator begins and ends."""
    places = []
    at = 0
    while at < len(words):
        found = next((s for s in _SEPARATORS if tuple(words[at : at + len(s)]) == s), None)
        if found:
            places.append((at, at + len(found)))
        at += len(found) if found else 1
    return places


def _after_compare(words: Sequence[str]) -> list[tuple[int, int]]:
    for separator in _AFTER_COMPARE:
        if words.count(separator) == 1:
            at = words.index(separator)
            return [(at, at + 1)]
    return []


def _without_same(words: Sequence[str]) -> tuple[list[str], bool]:
    """The words without `the same hours of`, and whether that was among them."""
    plain = _plain(words)
    for at in range(len(words) - 1):
        if plain[at] == "same" and plain[at + 1].strip(",") in _HOURS:
            start = at
            end = at + 2
            if start and plain[start - 1] == "the":
                start -= 1
            if start and plain[start - 1] in ("at", "for", "over", "during"):
                start -= 1
            if end < len(words) and plain[end] in _LINKS:
                end += 1
            return [*words[:start], *words[end:]], True
    return list(words), False
