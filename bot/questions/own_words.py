"""What a refused question meant: the sentence of a person, a word with a typing mistake, or a word that
belongs in a filter. An answer is given only to a sentence that can mean nothing else.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from bot.errors import BadQuestion, SuggestedQuestion
from bot.formatting import sanitise
from bot.questions.command import Command
from bot.questions.context import MOST_GUESSES, Context
from bot.questions.question import Question
from bot.questions.sentences import (
    CONNECTIONS,
    FILLERS,
    LONGEST_SENTENCE,
    PREPOSITIONS,
    Sentence,
    plain_words,
)
from bot.questions.window_words import (
    LONGEST_WINDOW_WORD,
    NO_NAMES,
    SHORTEST_BEGINNING,
    WINDOW_WORDS,
)
from bot.questions.windows import TwoReadings, UnknownWindow, strip_punctuation

# Names are compared with at most so many letters, and with at least as many.
LONGEST_NAME = 40
SHORTEST_NAME = 4
# How alike two names have to be: about one letter in four may be wrong.
ALIKE = 0.75
_NEGATION = re.compile(
    r"(?i)(?<!\S)(?:not|no|nor|without|except|excluding|exclude|but|(?:other|rather) than|apart from|aside from"
    r"|(?P<other>never|neither|nobody|none|nothing|ignore|ignoring|skip"
    r"|skipping|hide|hiding|omit|omitting|minus|outside|unless|non-\S+))(?!\S)"
)
_THRESHOLD = re.compile(
    r"(?i)(?<!\S)(?:(?:more|less|fewer|greater|larger|smaller|bigger|higher|lower|faster|quicker) than (?:an? )?(?=\d)"
    r"|at (?:least|most) (?=\d)|(?:above|below|under|over|exceeding|[<>]=?) ?(?=\d))\d\S*(?: ?(?:[kmgt]b|%))?"
)
# They join other words, which are read by themselves.
_JOINING = PREPOSITIONS | {"and", "&", "|", "-"}
# A phrase of more words is a question of its own.
MOST_KEPT = 3


def read_own_words(
    text: str, context: Context, command: Command[Any], error: BadQuestion
) -> Question:
    """The question that a sentence asks. Raises the error for its words as they are, or a
    SuggestedQuestion that keeps more of them.
    """
    if isinstance(error, TwoReadings) or len(text) > LONGEST_SENTENCE:
        raise error
    found = command.sentence(text, context.directory)
    words = text
    if found and found.problem:
        raise BadQuestion(found.problem, context.example)
    if found and found.words != text:
        if question := _asked(found, context, error):
            return replace(question, own_words=text)
        words = found.words
    raise _refusal(words, text, context, command, error)


def _asked(found: Sentence, context: Context, error: BadQuestion) -> Question | None:
    """The question of a sentence; None for one that cannot be read. Raises SuggestedQuestion for one
    that may mean something else, and BadQuestion where its words say what is wrong, unless the error
    has said it.
    """
    try:
        question = _tried(found.words, context)
    except TwoReadings as ambiguous:
        raise ambiguous from None
    except (UnknownWindow, SuggestedQuestion):
        return None
    except BadQuestion:
        if isinstance(error, UnknownWindow | SuggestedQuestion):
            # With an example in its words.
            context.read(found.words, replace(context, text=found.words))
        return None
    if not found.is_sure:
        raise _suggested(f"Did you mean “{sanitise(found.words, 80)}”?", found.words, context)
    return question


def _refusal(
    words: str, text: str, context: Context, command: Command[Any], error: BadQuestion
) -> BadQuestion:
    """The error for words that cannot be read, of which as many as possible are suggested."""
    # Of any other word the grammar has said what is wrong.
    if not isinstance(error, UnknownWindow | SuggestedQuestion):
        return error
    # A suggestion without such a word would be the opposite question.
    limited = _negation(words, context) or _threshold(words, context) or _threshold(text, context)
    if limited:
        return limited
    # The grammar may have found what is nearest already.
    is_near = isinstance(error, SuggestedQuestion) and not _lost_words(text, error.hint)
    if is_near and _mistakes(error.hint, context) == {}:
        return error
    return (
        _correction(words, context, command)
        or _correction(text, context, command)
        or _with_kept_words(words, context, command)
        or _naming_what_is_left_out(error, text)
    )


def _negation(words: str, context: Context) -> BadQuestion | None:
    """The error for words that leave something out; None for others."""
    match = _NEGATION.search(words)
    if not match or (context.command.names_logs and match["other"]):
        return None
    why = ": a question names what is wanted, and leaves nothing out"
    if context.command.names_logs:
        why = "; `where(NOT /word/i)` leaves lines out"
    return BadQuestion(f"“{match[0]}” could not be read{why}.", context.example)


def _threshold(words: str, context: Context) -> BadQuestion | None:
    """The error for words that compare with a number; None for others."""
    match = _THRESHOLD.search(words)
    if not match:
        return None
    return BadQuestion(
        f"“{match[0]}” could not be read: a question has no threshold; an alert has one.",
        context.example,
    )


def _naming_what_is_left_out(error: BadQuestion, text: str) -> BadQuestion:
    """The error of the grammar, which names every word that its suggestion lacks."""
    if not isinstance(error, SuggestedQuestion):
        return error
    named = error.message.lower()
    lost = [word for word in _lost_words(text, error.hint) if word.lower() not in named]
    if not lost:
        return error
    left_out = f"“{sanitise(' '.join(lost), 40)}” is left out."
    return SuggestedQuestion(f"{error.message} {left_out}", error.hint)


def _tried(words: str, context: Context) -> Question:
    return context.read(words, replace(context, text=words, repairs=0))


def _tried_either(line: str, context: Context, command: Command[Any]) -> Question:
    """The question in corrected words, or in the sentence that they are."""
    try:
        return _tried(line, context)
    except TwoReadings:
        raise
    except BadQuestion:
        found = command.sentence(line, context.directory)
        return _tried(found.words if found else line, context)


def _suggested(message: str, words: str, context: Context) -> BadQuestion:
    return SuggestedQuestion(message, f"/{context.command.name} {words}".strip())


def _lost_words(text: str, hint: str) -> list[str]:
    """The words of the text that may narrow the answer, and are not in the hint, not even corrected."""
    lowered = hint.lower().partition(" ")[2]
    kept = lowered.replace(",", " ").split()
    lost = []
    for word in plain_words(text).split() or text.split():
        plain = strip_punctuation(word.lower()).rstrip("s")
        is_filler = not plain or not FILLERS.isdisjoint((plain, word.lower()))
        if is_filler or plain in _JOINING or plain in lowered:
            continue
        if not difflib.get_close_matches(word[:LONGEST_NAME].lower(), kept, 1, ALIKE):
            lost.append(word)
    return lost


def _correction(words: str, context: Context, command: Command[Any]) -> BadQuestion | None:
    """The error for words with typing mistakes, with all others as they are; None without any."""
    mistakes = _mistakes(words, context)
    if not mistakes:
        return None
    line = " ".join(mistakes.get(word, word) for word in words.split())
    typed = " and ".join(f"“{sanitise(word, 40)}”" for word in mistakes)
    meant = " and ".join(f"“{sanitise(word, 40)}”" for word in mistakes.values())
    if "tomorrow" in mistakes.values():
        return BadQuestion(f"{typed} is read as {meant}, which is in the future.", context.example)
    try:
        question = _tried_either(line, context, command)
    except TwoReadings as error:
        return error
    except BadQuestion:
        return _with_kept_words(line, context, command)
    verb = "is" if len(mistakes) == 1 else "are"
    return _suggested(f"{typed} {verb} not known; did you mean {meant}?", question.text, context)


def _mistakes(words: str, context: Context) -> dict[str, str]:
    """The words with typing mistakes, each with what was probably meant."""
    names = _names(context)
    corrected = {
        word: ",".join(_corrected(part, names) for part in word.split(","))
        for word in words.split()
    }
    return {word: right for word, right in corrected.items() if word != right}


def _names(context: Context) -> Mapping[str, str]:
    """The names that can be mistyped, in lower case."""
    accounts = context.directory.of_kind(context.command.kinds)
    if not context.command.names_logs:
        return {name.lower(): name for name in accounts}
    return {name.lower(): name for name in context.directory.logs_of(accounts)}


_MISTYPED_TIMES = (*WINDOW_WORDS, "tomorrow")


# Words as they are meant, of which the last are spelt nearly like those of a window.
_NO_MISTAKES = (
    NO_NAMES
    | FILLERS
    | PREPOSITIONS
    | {
        "many",
        "much",
        "made",
        "most",
        "more",
        "must",
        "list",
        "least",
        "lost",
        "fast",
        "data",
        "date",
    }
)


def _corrected(word: str, names: Mapping[str, str]) -> str:
    """The name or the word of a window that was probably meant; any other word as it is."""
    plain = word.lower()
    if plain in names or plain in _NO_MISTAKES or ":" in word or "(" in word:
        return word
    if SHORTEST_NAME <= len(plain) <= LONGEST_NAME and (
        near := difflib.get_close_matches(plain, names, 1, ALIKE)
    ):
        return names[near[0]]
    if plain.isalpha() and SHORTEST_BEGINNING <= len(plain) <= LONGEST_WINDOW_WORD:
        near = difflib.get_close_matches(plain, _MISTYPED_TIMES, 1, ALIKE)
        return near[0] if near else word
    return word


def _with_kept_words(words: str, context: Context, command: Command[Any]) -> BadQuestion | None:
    """The error for words that can be read once some of them are a filter; None for others."""
    for kept, others in itertools.islice(_runs(words.split(), context), MOST_GUESSES):
        meant = command.filter_for(kept, context.directory)
        line = f"{others} {meant}".strip()
        try:
            question = _tried(line, context) if meant else None
        except BadQuestion:
            continue
        # A word of a window is not the name of a log.
        if question and NO_NAMES.isdisjoint(question.parts.subject.lower().split()):
            message = f"“{sanitise(kept, 40)}” could not be read; did you mean “{meant}”?"
            return _suggested(message, line, context)
    return None


_MAY_BE_KEPT = re.compile(r"[^\W\d_][\w.@+-]{1,60}")


def _runs(words: list[str], context: Context) -> Iterator[tuple[str, str]]:
    """The words that may be a filter, one or several in a row, and the others."""
    names = _names(context)
    known = NO_NAMES | FILLERS | PREPOSITIONS | CONNECTIONS | names.keys()
    is_free = [
        word.lower().strip(",") not in known and _MAY_BE_KEPT.fullmatch(word) is not None
        for word in words
    ]
    for length in range(1, MOST_KEPT + 1):
        for at in range(len(words) - length + 1):
            if all(is_free[at : at + length]):
                others = [*words[:at], *words[at + length :]]
                yield " ".join(words[at : at + length]), " ".join(others)
