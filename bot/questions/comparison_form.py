"""A comparison in the form of a question."""

from __future__ import annotations

from types import MappingProxyType

from bot.errors import BadQuestion
from bot.questions.comparison import read_windows
from bot.questions.comparison_words import is_comparison
from bot.questions.context import Context
from bot.questions.form import (
    FIRST_DAY,
    LAST_DAY,
    WINDOW,
    FormField,
    FormValues,
    read_form_window,
    refused_at,
)
from bot.questions.question import QuestionParts
from bot.questions.windows import ParsedWindow
from bot.questions.windows.alignment import Comparison

# What a form compares a window with.
COMPARE = "compare"
COMPARE_CHOICES = MappingProxyType(
    {
        "previous": "The period before",
        "a week ago": "A week earlier",
        "a month ago": "A month earlier",
        "a year ago": "A year earlier",
    }
)


def comparison_field() -> FormField:
    """The input for what the window is compared with."""
    return FormField(COMPARE, "Compared with", "choice", "", COMPARE_CHOICES, "Nothing")


def read_form_windows(
    values: FormValues, context: Context
) -> tuple[ParsedWindow, str, Comparison | None]:
    """The window of a form, the words it can be typed with, and the comparison with another one.
    Raises BadQuestion that names the input.
    """
    compared_with = values.get(COMPARE, "")
    words = values.get(WINDOW, "")
    has_days = values.get(FIRST_DAY) or values.get(LAST_DAY)
    if has_days or not is_comparison(words):
        window, words = read_form_window(values, context)
        if not compared_with:
            return window, words, None
        words = f"{words} vs {compared_with}".strip()
    elif compared_with:
        raise BadQuestion(
            "“When” names two windows already; leave this out, or choose one window.",
            context.example,
            field=COMPARE,
        )
    with refused_at(COMPARE if compared_with else WINDOW):
        window, comparison = read_windows(QuestionParts(window=words), context)
    return window, words, comparison
