"""Puts the words of a recurrence into the form that is read: `every evening at 6` as `at 6pm`,
`business days` as `weekdays`, `weekly on mondays` as `on mondays` (pure).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import MappingProxyType

# Longer than any words of this kind.
LONGEST_TEXT = 200
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEKDAY_NUMBERS = MappingProxyType(
    {
        form: number
        for number, day in enumerate(WEEKDAYS)
        for form in (
            day,
            day[:3],
            *{1: ("tues",), 2: ("weds",), 3: ("thur", "thurs")}.get(number, ()),
        )
    }
)
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


def plain_words(words: Sequence[str]) -> list[str]:
    """The words in lower case, without punctuation, and with one word for what has several."""
    text = " ".join(words).lower()
    # Longer text is a question, and no time.
    if len(text) > LONGEST_TEXT:
        return []
    for pattern, replacement in _SAME:
        text = pattern.sub(replacement, text)
    # `mon/wed/fri`, and the full stop of a sentence.
    return [part for part in re.split(r"[\s,;/]+", text.rstrip(".")) if part]


def without_period(plain: list[str]) -> list[str]:
    """`weekly on mondays` without `weekly`, and `every month on the 1st` without `every month`: the
    days say the same.
    """
    for phrase in (["weekly"], ["every", "week"], ["monthly"], ["every", "month"]):
        at = _place_of(phrase, plain)
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
        return any(
            word in WEEKDAY_NUMBERS or word.removesuffix("s") in WEEKDAY_NUMBERS for word in plain
        )
    return any(re.fullmatch(r"\d{1,2}(?:st|nd|rd|th)", word) for word in plain)


def with_half(plain: list[str]) -> list[str]:
    """`every evening at 6` as `at 6pm`, and `at 5 in the afternoon` as `at 5pm`."""
    for phrase in (["every"], ["each"], ["in", "the"]):
        for part in _PARTS:
            at = _place_of([*phrase, part], plain)
            if at < 0 or plain.count("at") != 1:
                continue
            rest = plain[:at] + plain[at + len(phrase) + 1 :]
            return _with_halves(rest, part)
    return plain


def _with_halves(plain: list[str], part: str) -> list[str]:
    """The bare hour behind `at` with am or pm."""
    hour = plain.index("at") + 1
    if hour < len(plain) and re.fullmatch(r"[1-9]|1[0-2]", plain[hour]):
        behind = plain[hour + 1 : hour + 2]
        half = _half(part, int(plain[hour]))
        if half and behind not in (["am"], ["pm"]):
            return [*plain[:hour], f"{plain[hour]}{half}", *plain[hour + 1 :]]
    return plain


def _half(part: str, hour: int) -> str:
    """am or pm of an hour; empty where it says neither, as 12 of a morning does."""
    if part == "night":
        return "pm" if 6 <= hour < 12 else "am"
    return _PARTS[part] if hour < 12 else ""
