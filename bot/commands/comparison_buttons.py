"""Buttons of an answer about two windows: the same window compared with another one (pure)."""

from __future__ import annotations

from collections.abc import Mapping

from bot.questions.comparison_words import split_comparison
from bot.questions.question import TableQuestion


def comparison_buttons(question: TableQuestion, others: Mapping[str, str]) -> list[tuple[str, str]]:
    """A button for each other window by its label, without the one that was asked for, and one for
    no comparison. None where the first window was left out, as in `yoy`.
    """
    words = split_comparison(question.parts.window)
    if not words or not words.first:
        return []
    buttons = [
        (label, question.over(f"{words.first} vs {second}"))
        for label, second in others.items()
        if second != words.second.lower()
    ]
    return [*buttons, ("Without comparison", question.over(words.first))]
