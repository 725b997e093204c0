"""Normalises the words of a recurrence: `every evening at 6` as `at 6pm`, `business days` as
`weekdays`, `weekly on mondays` as `on mondays` (pure).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import MappingProxyType

from bot.questions.windows.dates import DAY_NUMBERS

# Longer than any words of this kind.
LONGEST_TEXT = 200
# Phrases for days, as the words that are read.
_SAME = (
    (re.compile(r"\b(?:business|working|work) days?\b"), "weekdays"),
    (re.compile(r"\bexcept (?:on |for )?weekends\b"), "on weekdays"),
    (re.compile(r"\b(?:thru|until|till)\b"), "through"),
    (re.compile(r"\bfrom (?=[a-z]+(?: -| to\b| through\b))"), ""),
    (re.compile(r"\bthe first of (?:the|every|each) month\b"), "the 1st of the month"),
    (re.compile(r"\b([ap])\.m\.?(?!\w)"), r"\1m"),
    (re.compile(r"(?<!\S)@ ?(?=\d)"), "at "),
    (re.compile(r"&"), " and "),
    (re.compile(r" ?[–—] ?"), "-"),
    (re.compile(r"(?<=and )at (?=\d)"), ""),
)
# How a part of the day says whether an hour is in the morning.
_PARTS = MappingProxyType({"morning": "am", "afternoon": "pm", "evening": "pm", "night": "pm"})
# A time on a clock of twelve hours, without am and pm.
_BARE_TIME = re.compile(r"([1-9]|1[0-2])(?:[:.][0-5]\d)?")


def plain_words(words: Sequence[str]) -> list[str]:
    """The words in lower case, with synonyms replaced, and without punctuation except for commas."""
    text = " ".join(words).lower()
    # Longer text is a question, and no time.
    if len(text) > LONGEST_TEXT:
        return []
    for pattern, replacement in _SAME:
        text = pattern.sub(replacement, text)
    # `mon/wed/fri`, and the full stop of a sentence.
    parts = re.findall(r"[^\s,;/]+|[,;/]", text.rstrip(" .,;/"))
    return ["," if part in ",;/" else part for part in parts]


def without_commas(plain: Sequence[str]) -> list[str]:
    return [part for part in plain if part != ","]


def without_period(plain: list[str]) -> list[str]:
    """`weekly on mondays` without `weekly`, and `every month on the 1st` without `every month`: the
    days imply it.
    """
    for phrase in (["weekly"], ["every", "week"], ["monthly"], ["every", "month"]):
        at = _place_of(phrase, plain)
        # `the 1st of every month`
        if at > 0 and plain[at - 1] == "of":
            continue
        rest = plain[:at] + plain[at + len(phrase) :] if at >= 0 else plain
        is_weekly = phrase[-1] in ("weekly", "week")
        if at >= 0 and _names_days(rest, of_week=is_weekly):
            return rest
    return plain


def _place_of(phrase: Sequence[str], plain: Sequence[str]) -> int:
    places = range(len(plain) - len(phrase) + 1)
    return next((n for n in places if list(plain[n : n + len(phrase)]) == list(phrase)), -1)


def _names_days(plain: Sequence[str], *, of_week: bool) -> bool:
    if of_week:
        return any(word.removesuffix("s") in DAY_NUMBERS for word in plain)
    return any(re.fullmatch(r"\d{1,2}(?:st|nd|rd|th)", word) for word in plain)


def with_half(plain: list[str]) -> list[str]:
    """`every evening at 6 and 8` as `at 6pm and 8pm`, and `at 9 in the morning and 5 in the
    afternoon` as `at 9am and 5pm`.
    """
    if plain.count("at") != 1:
        return plain
    for phrase in (["every"], ["each"]):
        for part in _PARTS:
            at = _place_of([*phrase, part], plain)
            if at >= 0:
                return _with_halves(plain[:at] + plain[at + 2 :], part)
    # Each part holds for the times before it; those of an earlier part have their half by then.
    while (place := _place_of_part(plain)) >= 0:
        part = plain[place + 2]
        is_behind = place > plain.index("at")
        before = _with_halves(plain[:place], part) if is_behind else plain[:place]
        after = plain[place + 3 :] if is_behind else _with_halves(plain[place + 3 :], part)
        plain = before + after
    return plain


def _place_of_part(plain: Sequence[str]) -> int:
    """Where the first `in the morning` begins; -1 without one."""
    places = (_place_of(["in", "the", part], plain) for part in _PARTS)
    return min((place for place in places if place >= 0), default=-1)


def _with_halves(plain: list[str], part: str) -> list[str]:
    """The times after `at`, each with am or pm."""
    found = plain[: plain.index("at") + 1]
    for place in range(len(found), len(plain)):
        time = plain[place]
        behind = plain[place + 1 : place + 2]
        match = _BARE_TIME.fullmatch(time)
        if not match and time not in ("and", ",", "am", "pm") and not time[0].isdigit():
            return found + plain[place:]
        has_half = not match or behind in (["am"], ["pm"])
        found.append(time if match is None or has_half else time + _half(part, int(match[1])))
    return found


def _half(part: str, hour: int) -> str:
    """am or pm of an hour; empty if it is neither, such as 12 in the morning."""
    if part == "night":
        return "pm" if 6 <= hour < 12 else "am"
    return _PARTS[part] if hour < 12 else ""
