"""How long a silence lasts, as it is typed behind the name of an alert: a duration or an end, and
then a comment (pure). What looks like a time is read or refused, and never becomes the comment.
"""

from __future__ import annotations

import itertools
import re
from datetime import timedelta

from msgspec import Struct

from bot.alerts.silence_end_words import READING, names_city, read_silence_end
from bot.alerts.silence_ends import NEXT_MORNING, TOMORROW, SilenceEnd
from bot.errors import BadQuestion
from bot.formatting import sanitise
from bot.questions.amounts import AmbiguousAmount, read_duration
from bot.questions.windows import MONTHS, WEEKDAYS
from bot.questions.windows.lengths import NUMBERS, UNITS, read_length
from bot.questions.windows.tokens import UnknownText, tokens_of
from bot.questions.windows.zones import AMBIGUOUS_ZONES, zone_of_word

LONGEST_SILENCE = timedelta(days=365)
SILENCE_LASTS = "A silence lasts between a second and a year."
HOW_LONG = (
    "For how long? Add a duration such as 30m, 2h or 1d, or an end such as until 09:00, until monday "
    "or until tomorrow."
)
# Bounded: an end has few words.
_MOST_WORDS = 9
_UNTIL = re.compile(r"(?i)(?:un|')?till?(?!\w)\s*")
_ENDLESS = re.compile(
    r"(?i)(?:for\s+)?(?:forever|ever|good|indefinitely|permanently|always|until\s+(?:further\s+notice"
    r"|forever|i\s+say\s+so|fixed|resolved|it\s+is\s+(?:fixed|resolved)))(?!\w)"
)
_OVER_WEEKEND = re.compile(
    r"(?i)(?:(?:over|for|during|this)\s+)?(?:all\s+|the\s+|this\s+){0,2}weekend"
)
_OVERNIGHT = re.compile(
    r"(?i)(?:(?:for|over|during)\s+)?(?:tonight|overnight|(?:the|this)\s+night)"
)
_FROM_NOW = re.compile(r"(?i)\s+from\s+now\Z")
_FOR = re.compile(r"(?i)(?:for\s+)?(?:(?:the\s+)?next\s+)?")
# Behind one of these words, or a sign, everything is the comment.
_REASONS = frozenset(["because", "for", "due", "while", "as", "so", "cause", "since", "during"])
_POLITE = frozenset(["please", "pls", "plz", "thanks", "thank you", "thx", "ty", "cheers"])
_SIGNS = "(-–—#;:,"
_DAYS = "|".join(f"{day[:3]}|{day}" for day in WEEKDAYS)
_MONTHS = "|".join(f"{month[:3]}|{month}" for month in MONTHS if month not in ("may", "march"))
_TIME_WORD = re.compile(
    rf"(?i)(?:{_DAYS}|tues|weds|thurs?|{_MONTHS}|sept|today|tomorrow|tmrw|tmr|tonight|overnight|noon|midday"
    r"|midnight|eod|cob|eob|eow|eom|utc|gmt|ce?st|uhr|[ap]\.?m\.?|o.?clock|(?:un)?till?|weekend"
    r"|\d{1,2}[:.h]\d{2}(?:h|[ap]m?|z)?(?:[+-]\d\S*)?|\d{1,2}(?:h|[ap]\.?m\.?|st|nd|rd|th)|[+-]\d{2}:?\d{2}"
    r"|\d{1,4}[-/.]\d{1,2}(?:[-/.]\d{1,4})?\.?|\d{4}-\d\d-\d\dt\S*|(?:noon|midnight)-?ish"
    rf"|(?:{_DAYS}|weekday|weekend)s|weekday)"
)
# A time that comes again, and whether a day counts.
_BOUND = re.compile(
    r"(?i)(?:daily|weekly|nightly|hourly|monthly|mornings|afternoons|evenings|nights|inclusive|exclusive"
    r"|(?:in|ex)cluded)"
)
# Between a silence and a time that changes when it begins or ends.
_CONNECTING = re.compile(
    r"(?i)(?:an?|about|after|again|all|also|and|around|as|at|before|beginning|between|by|coming|each|effective|every"
    r"|from|in|last|latest|maybe|minus|next|not|of|on|only|or|per|plus|possibly|possible|soon|start|starting|the|then"
    r"|this|to|until|up|within)"
)
_PART_OF_TIME = re.compile(
    r"(?i)(?:now|morning|afternoon|evening|night|lunch(?:time)?|dinner|breakfast|possible|asap|minutes?|hours?|days?"
    r"|weeks?|months?|nights)"
)
# `until monday deploy ends` names an end that is not known.
_EVENT_ENDS = re.compile(
    r"(?i)(?:ends?|ended|over|done|finish(?:es|ed)?|complete[sd]?|starts?|started|begins?|comes|arrives|fixed"
    r"|resolved|back)"
)
# Right behind an end these belong to it more often than to a comment.
_NEXT_TO_TIME = re.compile(
    r"(?i)(?:at|on|or|and|of|in|next|this|the|coming|after|before|from|starting|morning|afternoon|evening"
    r"|night|lunch(?:time)?|end|half|quarter|time|week|month|year|start|late|early|first|last|plus|about|around|same|exactly|then|to|through|but|not|except|business|office|working|hours?|hrs?"
    r"|dawn|dusk|sunrise|sunset|breakfast|dinner|shift|stand-?up|meeting|[\w-]+ish|each|every|per|more|longer|later"
    r"|ago|ahead|extra|additional|minus|less|twice|thrice|x\d+|beginning|effective|with(?=\s+effect)"
    r"|may|march|[\d.,:]+|\d\S*)"
)


class SilenceWords(Struct, frozen=True):
    """What the words say; where `length` is None, the silence lasts until `end`."""

    length: timedelta | None
    end: SilenceEnd = TOMORROW
    comment: str = ""


def begins_length(text: str) -> bool:
    """Whether the text begins with a length or an end, also one that can be read in two ways."""
    try:
        return _begins_length(text.partition('"')[0].split(maxsplit=12))
    except BadQuestion:
        return True


def _begins_length(words: list[str]) -> bool:
    """Whether the first of the words begin a length or an end, whether or not it can be read.
    Raises BadQuestion for two readings.
    """
    text = " ".join(words[:_MOST_WORDS])
    if _UNTIL.match(text) or _ENDLESS.match(text):
        return True
    first = words[0].lower() if words else ""
    # Most words of a name begin no length, which is cheap to see.
    if not first[:1].isdigit() and first not in _BEGINS:
        return False
    return any(
        _whole(" ".join(words[:count])) for count in range(min(len(words), _MOST_WORDS), 0, -1)
    )


def read_silence_words(text: str) -> SilenceWords | None:
    """The length, the end and the comment; None where the words begin with no length. Raises
    BadQuestion, whose hint is a length or an end that can be read.
    """
    head, _, quoted = text.partition('"')
    words = head.split()
    _refuse_endless(head)
    for count in range(min(len(words), _MOST_WORDS), 0, -1):
        found = _whole(" ".join(words[:count]))
        if found is None:
            continue
        comment = _comment(words[:count], words[count:])
        whole = " ".join(filter(None, [comment, quoted.strip().strip('"').strip()]))
        return SilenceWords(found.length, found.end, sanitise(whole, 500))
    if _UNTIL.match(head) and words[1:]:
        shown = sanitise(" ".join(words), 40)
        raise BadQuestion(f"“{shown}” is not a time that can be read.", "until 18:00")
    return None


def read_whole_length(text: str) -> SilenceWords | None:
    """The length or the end that the words alone name, without a comment. Raises BadQuestion."""
    _refuse_endless(text)
    return _whole(text)


def _refuse_endless(text: str) -> None:
    if _ENDLESS.match(text):
        raise BadQuestion("A silence ends by itself, after a year at most.", "7d")


def _whole(text: str) -> SilenceWords | None:
    """The length or the end that the whole text names. Raises BadQuestion for two readings."""
    text = text.rstrip(",;:")
    if until := _UNTIL.match(text):
        body = text[until.end() :]
        if _FROM_NOW.search(body):
            return _length(_FROM_NOW.sub("", body))
        _refuse_length(body)
        end = read_silence_end(body) if body else None
        return SilenceWords(None, end) if end else None
    if _OVER_WEEKEND.fullmatch(text) and text.lower() != "weekend":
        return SilenceWords(None, SilenceEnd("monday"))
    if _OVERNIGHT.fullmatch(text):
        return SilenceWords(None, NEXT_MORNING)
    found = _FOR.match(text)
    return _length(_FROM_NOW.sub("", text[found.end() :] if found else text))


def _refuse_length(body: str) -> None:
    """Raises BadQuestion for `until 2h`, which may be the time of day or two hours."""
    length = body.lower().removeprefix("in ")
    if _length(length):
        raise BadQuestion(
            f"“until {sanitise(body, 30)}” may mean a length or a time of day.", length
        )


def _length(text: str) -> SilenceWords | None:
    text = text.rstrip(".")
    try:
        length = read_duration(text)
    except AmbiguousAmount as error:
        raise BadQuestion(f"{error}.", error.readings[0].partition(" ")[0]) from None
    if length is None:
        return _longer_words(text)
    return SilenceWords(_checked(length))


def _longer_words(text: str) -> SilenceWords | None:
    """`two hours`, `2h30` and `3 months`, as windows have them."""
    try:
        tokens = tokens_of(text)
    except UnknownText:
        return None
    # A length has a number and a unit, which `next` and `week` alone are not.
    if (
        not tokens
        or text[-1] in ".)"
        or not (text[0].isdigit() or text.split(maxsplit=1)[0].lower() in _FIRST)
    ):
        return None
    found = read_length(tokens, READING)
    if found is None:
        return None
    if found.months > 12:
        raise BadQuestion(SILENCE_LASTS, "2h")
    if found.months:
        return SilenceWords(None, SilenceEnd(months=found.months)) if not found.seconds else None
    return SilenceWords(_checked(timedelta(seconds=found.seconds)))


_BEGINS = frozenset(
    [*NUMBERS, "half", "quarter", "couple", "three", "for", "over", "during", "this", "the", "all", "next", "tonight", "overnight", "about", "around"]
)  # fmt: skip
_FIRST = frozenset([*NUMBERS, "half", "quarter", "couple"])


def _checked(length: timedelta) -> timedelta:
    if not length or length > LONGEST_SILENCE:
        raise BadQuestion(SILENCE_LASTS, "2h")
    return length


def _comment(head: list[str], rest: list[str]) -> str:
    """The words behind the end as its comment. Raises BadQuestion where they may belong to it."""
    plain = " ".join(rest).lstrip(_SIGNS + " ")
    words = [word for each in plain.split() if (word := each.strip("(),;:.!?-–—@<>+±~&=/*"))]
    if not words or " ".join(words).lower() in _POLITE:
        return ""
    is_cut = head[-1][-1] in ",;:" or rest[0][0] in _SIGNS
    if rest[0].lower() in _REASONS:
        is_unclear = _reason_names_time(rest, words)
    elif is_cut:
        is_unclear = words[0][:1].isdigit() or _begins_time(words)
    else:
        is_unclear = _belongs_to_end(head, words)
    if is_unclear:
        raise _unclear(head, plain)
    return plain.rstrip(")") if "(" not in plain else plain


def _reason_names_time(rest: list[str], words: list[str]) -> bool:
    """Whether `for`, `as`, `during` or the like is about a time: `2h as of monday`."""
    first = words[0].lower()
    if first in ("because", "cause"):
        return False
    if first in ("for", "since"):
        return _begins_length(rest) or (first == "for" and _begins_time(words[1:]))
    return _begins_time(["at", *words[1:]])


def _begins_time(words: list[str]) -> bool:
    """Whether the words begin with a time, such as `monday`, `at 17:00`, `every day` or `inclusive`."""
    content = list(itertools.dropwhile(_CONNECTING.fullmatch, words[:6]))
    if not content:
        return bool(words) and bool(_PART_OF_TIME.fullmatch(words[-1]))
    first = content[0]
    if _TIME_WORD.fullmatch(first) or _BOUND.fullmatch(first):
        return True
    is_connected = len(content) < len(words[:6])
    return is_connected and (first[:1].isdigit() or bool(_PART_OF_TIME.fullmatch(first)))


def _belongs_to_end(head: list[str], words: list[str]) -> bool:
    """Whether words right behind an end may belong to it."""
    return (
        _is_next_to_time(words)
        or bool(_BOUND.fullmatch(words[0]))
        or any(map(_TIME_WORD.fullmatch, words[:40]))
        or _counts_time(words[:40])
        # The 9 of `9 days` is no hour, and a city may begin the comment.
        or head[-1].isdigit()
        # `tomorrow's standup` has a time of its own.
        or head[-1].endswith(("'s", "s'"))
        or names_city(" ".join(head))
        or bool(_UNTIL.match(head[0]) and _EVENT_ENDS.fullmatch(words[-1]))
    )


def _is_next_to_time(words: list[str]) -> bool:
    """Whether the first of the words may belong to the end before them."""
    first = words[0].lower()
    return (
        bool(_NEXT_TO_TIME.fullmatch(first))
        or first in NUMBERS.keys() - {"a", "an"}
        or first in AMBIGUOUS_ZONES
        or zone_of_word(first) is not None
        # `Berlin time`.
        or "time" in map(str.lower, words[1:3])
    )


def _counts_time(words: list[str]) -> bool:
    """Whether there is a number of hours or the like in the words, or `next week`."""
    before = frozenset([*NUMBERS, "next", "this", "last", "each", "every", "half"])
    return any(
        unit.lower() in UNITS and (one.isdigit() or one.lower() in before)
        for one, unit in itertools.pairwise(words)
    )


def _unclear(head: list[str], plain: str) -> BadQuestion:
    shown = sanitise(" ".join(head), 40)
    comment = sanitise(plain if "(" in plain else plain.rstrip(")"), 200)
    return BadQuestion(
        f"“{sanitise(plain, 40)}” may be a part of the time or the comment to “{shown}”; put a comment in quotes.",
        f'{shown} "{comment}"',
    )
