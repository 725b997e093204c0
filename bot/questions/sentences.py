"""Questions in people's own words, as the words of a command: `who called edge the most yesterday` is
`edge yesterday by who` (pure).

A sentence is read only where the words were refused as they are. Words of it are replaced by phrases,
and dropped where they narrow nothing; all others stay, so that none is lost without a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence

from msgspec import Struct

from bot.questions.question import AccountDirectory
from providers.registry import names_of

# A sentence is shorter; what is longer was written by a program.
LONGEST_SENTENCE = 300
UNITS = r"(?:ms|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?|months?|quarters?|years?)"
_CONTRACTIONS = (
    (re.compile(r"(?i)\b(what|who|how|where|when|there|that)['’]s\b"), r"\1 is"),
    (re.compile(r"(?i)\b(did|do|does|is|are|was|were|have|has)n['’]t\b"), r"\1 not"),
)
# An account may be called `us`.
_US = re.compile(r"(?i)\b(show|give|tell|get|let|find|for|of) us\b")
_ENDS = "?!."
# Words that connect, and narrow nothing.
FILLERS = frozenset(
    ["a", "an", "the", "is", "are", "was", "were", "be", "been", "being", "do", "does", "did", "has", "have", "had", "will", "would", "can", "could", "should", "may", "i", "we", "our", "you", "your", "me", "my", "it", "its", "they", "them", "their", "there", "this-is", "any", "anything", "something", "please", "pls", "thanks", "hi", "hey", "hello", "tell", "show", "give", "get", "see", "view", "find", "display", "print", "want", "need", "know", "look", "check", "like", "let", "lets", "what", "which", "how", "why", "when", "that", "just", "so", "also"]
)  # fmt: skip
# They say how other words belong together, so that without them the question is another one.
CONNECTIONS = frozenset(
    ["and", "or", "not", "no", "nor", "without", "except", "excluding", "but", "than", "then", "more", "less", "fewer", "most", "least", "never", "if", "because", "all", "every", "other", "sometime", "whenever", "recently", "lately", "soon", "earlier", "time"]
)  # fmt: skip
# They stay between the words of a window.
PREPOSITIONS = frozenset(
    [
        "on",
        "in",
        "of",
        "from",
        "for",
        "at",
        "to",
        "by",
        "with",
        "against",
        "over",
        "during",
        "within",
        "about",
        "across",
        "through",
        "as",
    ]
)
# `by edge` names who called, and not what was called.
_LOOSE = PREPOSITIONS - {"by"}
_BEFORE_NAMES = _LOOSE | {"the", "our", "and", "&", "account", "log"}
_BACK = "last|past|previous|this|today|yesterday|current"


class Phrase(Struct, frozen=True):
    """Words of a sentence and what they mean. An unsure meaning is only suggested."""

    pattern: re.Pattern[str]
    meaning: str | Callable[[re.Match[str]], str]
    is_sure: bool = True


class Sentence(Struct, frozen=True):
    """A sentence in the words of a command, and whether it can mean nothing else. `problem` is why it
    cannot be one question.
    """

    words: str
    is_sure: bool = True
    problem: str = ""


class Named(Struct, frozen=True):
    """The names among the words, in the order in which they were typed, and the other words."""

    names: list[str]
    words: str


def phrase(
    pattern: str, meaning: str | Callable[[re.Match[str]], str], *, is_sure: bool = True
) -> Phrase:
    """A phrase of whole words."""
    return Phrase(re.compile(rf"(?i)(?<!\S)(?:{pattern})(?!\S)"), meaning, is_sure)


def same_unit(match: re.Match[str]) -> str:
    """The comparison of `this week more than last week`; the words as they are where its groups differ,
    as of a week and a month.
    """
    unit = match["than"].lower()
    is_same = {group.lower() for group in match.groups() if group} == {unit}
    return f"this {unit} vs last {unit}" if is_same else match[0]


def plain_words(text: str) -> str:
    """The words without punctuation at their ends; empty for what is no sentence."""
    if len(text) > LONGEST_SENTENCE or any(char in text for char in '("'):
        return ""
    for pattern, words in (*_CONTRACTIONS, (_US, r"\1 me")):
        text = pattern.sub(words, text)
    return " ".join(word.rstrip(_ENDS) for word in text.split() if word.rstrip(_ENDS))


def with_meanings(words: str, phrases: Sequence[Phrase]) -> Sentence:
    """The words with the meanings of the phrases in their place, one phrase after another."""
    is_sure = True
    for each in phrases:
        found = each.pattern.sub(each.meaning, words)
        if found != words:
            words = " ".join(found.split())
            is_sure = is_sure and each.is_sure
    return Sentence(words, is_sure)


def split_names(words: str, names: Mapping[str, str]) -> Named:
    """The names among the words, with the prepositions before them taken out. `names` are keyed in
    lower case.
    """
    found: list[str] = []
    left: list[str] = []
    # How many words are left before the last name.
    place = 0
    for word in words.split():
        bare = word.rstrip(",").lower().removesuffix("'s").removesuffix("’s")
        parts = [names.get(part) for part in bare.split(",")]
        if not all(parts):
            left.append(word)
            continue
        if found and len(left) == place + 1 and left[-1].lower() in ("or", "vs", "versus", "vs."):
            left.pop()
        while left and left[-1].lower() in _BEFORE_NAMES:
            # `today and on edge` keeps nothing of it.
            left.pop()
        found += [part for part in parts if part]
        place = len(left)
    return Named(list(dict.fromkeys(found)), " ".join(left))


def accounts_of(words: str, directory: AccountDirectory, kinds: Collection[str]) -> Named:
    """The accounts among the words, also by the name of their vendor."""
    accounts = directory.of_kind([*kinds])
    names = {name.lower(): name for name in accounts}
    by_vendor: dict[str, list[str]] = {}
    for name in accounts:
        for title in names_of(directory.accounts[name]):
            by_vendor.setdefault(title, []).append(name)
    # Of a vendor with several accounts, one has to be named.
    vendors = {
        title: known[0]
        for title, known in by_vendor.items()
        if title not in names and len(known) == 1
    }
    return split_names(words, {**vendors, **names})


def without_fillers(words: str, fillers: Collection[str], options: Collection[str]) -> str:
    """The words without those that narrow nothing, and without the prepositions that then connect
    nothing. `options` are words of the command.
    """
    words = re.sub(
        rf"(?i)(?<!\S)(?:in|within|over|during|for) (?=\d+ ?{UNITS}(?!\S))", "last ", words
    )
    words = re.sub(
        rf"(?i)(?<!\S)(?:(?:in|on|within|over|during|for|from|of|the) )+(?={_BACK})", "", words
    )
    typed = words.split()
    kept = [
        word
        for at, word in enumerate(typed)
        # What follows `by` is asked for.
        if word.lower().strip(",") not in fillers or (at and typed[at - 1].lower() == "by")
    ]
    found: list[str] = []
    for at, word in enumerate(kept):
        following = kept[at + 1].lower() if at + 1 < len(kept) else ""
        is_loose = not following or ":" in following or following in options
        if word.lower() in PREPOSITIONS and is_loose and (word.lower() != "by" or not following):
            continue
        found.append(word)
    while found and found[-1].lower() in _LOOSE:
        found.pop()
    return " ".join(found)
