"""The value of an answer that the words of an alert name (pure)."""

from __future__ import annotations

import difflib
import re

from msgspec import Struct

from bot.alerts.rule import has_value
from bot.questions.question import AccountDirectory, CommandName, HelpRequest, Question
from bot.questions.registry import COMMANDS

# A synonym of a value has at most so many words.
MOST_WORDS = 3
_WORD = re.compile(r"\S+")


class NamedValue(Struct, frozen=True):
    """A value, and the words at the end of a text that name it."""

    value: str
    words: str


def value_of(command: CommandName, asked: str, directory: AccountDirectory) -> tuple[str, str]:
    """The question, and the value named right after it, or the default value."""
    named = named_value(command, asked, directory)
    if not named:
        return asked, COMMANDS[command].default_value(asked)
    # `count` is both a value and a word of the question, which needs it.
    is_asked = named.value in COMMANDS[command].values.asked
    return asked if is_asked else asked[: -len(named.words)].strip(), named.value


def named_value(command: CommandName, asked: str, directory: AccountDirectory) -> NamedValue | None:
    """The value that the last words name; None if they name none, or are part of a window such as
    `last 7 days`.
    """
    # Before a name alone: `missing days` ends in another value, `days`.
    if synonym := _synonym(command, asked, directory):
        return synonym
    head, _, last = asked.rpartition(" ")
    value = last.lower()
    if not has_value(command, value):
        return None
    # `new actors` are other ones than `actors`, and are words of the question.
    if head.rpartition(" ")[2].lower() == "new" and has_value(command, f"new_{value}"):
        return None
    # `last 7 days above 5 GB` is about bytes, and not about a number of days.
    if value in _WINDOW_UNITS and _COUNT.fullmatch(head.rpartition(" ")[2].lower()):
        return None
    return NamedValue(value, last)


def _synonym(command: CommandName, asked: str, directory: AccountDirectory) -> NamedValue | None:
    """The value that the last words are other words for; the longest ones win."""
    synonyms = COMMANDS[command].values.synonyms
    last = [word.start() for word in _WORD.finditer(asked)][-MOST_WORDS:]
    for start in last:
        words = asked[start:]
        phrase = " ".join(words.lower().split())
        if phrase in synonyms and not _begins_name(phrase, directory):
            return NamedValue(synonyms[phrase], words)
    return None


def _begins_name(phrase: str, directory: AccountDirectory) -> bool:
    """Whether a question may mean an account or a log by these words."""
    logs = (name for names in directory.logs.values() for name in names)
    return any(name.lower().startswith(phrase) for name in (*directory.accounts, *logs))


def without_sentence_words(asked: str) -> str:
    """The words before the side, without those that only make them a sentence: `if today is`."""
    first, _, rest = asked.partition(" ")
    if first.lower() in _BEGINS_SENTENCE and rest:
        asked = rest.lstrip()
    return without_sentence_end(asked)


def without_sentence_end(asked: str) -> str:
    """The words before the side, without the last one if that only makes them a sentence, such as
    `is`.
    """
    asked = asked.rstrip()
    head, _, last = asked.rpartition(" ")
    return head.rstrip() if last.lower() in _ENDS_SENTENCE else asked


def compares_nothing(question: Question | HelpRequest, value: str) -> str:
    """Why an alert on a question cannot use a value that only a comparison has; empty if it can."""
    of_comparisons = COMMANDS[question.command].values.of_comparisons
    comparison = question.comparison if isinstance(question, Question) else None
    if comparison and comparison.is_never_known and value.startswith("change_"):
        return (
            f"{value} is not available for today, because data usage is recorded by whole days; ask for "
            f"“{comparison.instead}”"
        )
    if comparison or value not in of_comparisons:
        return ""
    return f"{value} compares two windows; ask for both, such as today vs yesterday"


_BEGINS_SENTENCE = frozenset({"if", "when", "whenever", "once"})
_ENDS_SENTENCE = frozenset({"is", "are", "was", "were", "goes", "go", "gets", "get"})
# Values whose names are also units of a window, and what comes before a unit.
_WINDOW_UNITS = frozenset({"days"})
_COUNT = re.compile(
    r"\d{1,6}|last|past|previous|few|two|three|four|five|six|seven|eight|nine|ten|fourteen|thirty"
)


def suggested_value(command: CommandName, asked: str) -> str:
    """The value that the last word of a question was probably meant to be, or an empty string."""
    near = difflib.get_close_matches(
        asked.rpartition(" ")[2].lower(), COMMANDS[command].values.names, n=1, cutoff=0.75
    )
    return near[0] if near else ""
