"""Removes phrases from anywhere in a question, and splits words in quotes."""

from __future__ import annotations

import re

from bot.errors import BadQuestion
from bot.questions.context import Context
from bot.questions.windows import strip_punctuation


def without(words: list[str], *phrase: str) -> tuple[list[str], bool]:
    """The words without the phrase, and whether it was among them."""
    if phrase[0] not in " ".join(words).lower():
        return words, False
    lowered = [strip_punctuation(word.lower()) for word in words]
    # People put such words anywhere: `csv last week` and `last week csv`.
    for at in range(len(words) - len(phrase) + 1):
        if tuple(lowered[at : at + len(phrase)]) == phrase:
            return words[:at] + words[at + len(phrase) :], True
    return words, False


def without_any(words: list[str], *phrases: str) -> tuple[list[str], bool]:
    """The words without each of the phrases, which all mean the same, and whether one was among
    them.
    """
    found = False
    for phrase in phrases:
        words, is_there = without(words, *phrase.split())
        found = found or is_there
    return words, found


def tokens(text: str, context: Context) -> list[str]:
    """Words, where `url:"/a b"` is one."""
    if text.count('"') % 2:
        raise BadQuestion("A quote is not closed.", context.working(f'{text}"'))
    # Quotes may begin within a word, as in `url:"/a b"`.
    return [re.sub(r'"', "", token) for token in re.findall(r'(?:[^\s"]|"[^"]*")+', text)]
