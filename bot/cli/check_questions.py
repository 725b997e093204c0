"""Checks of the questions of alerts and digests that only their accounts can judge, such as one with
a filter that a vendor does not have.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.commands.answering import Answerer
from bot.config import Settings
from bot.errors import BadQuestion
from bot.questions.question import HelpRequest
from bot.questions.reading import read_line
from providers.models import Check


def check_questions(settings: Settings, answerer: Answerer, now: datetime) -> Iterator[Check]:
    """A failed check for each alert and digest whose question cannot be answered."""
    asked = [
        *((f"alert {alert.name}", alert.ask) for alert in settings.alert),
        *((f"digest {digest.name}", digest.ask) for digest in settings.digest),
    ]
    for name, line in asked:
        question = read_line(line, settings.directory, now=now, zone=settings.timezone)
        if isinstance(question, HelpRequest):
            continue
        try:
            answerer.check(question)
        except BadQuestion as error:
            hint = f"Change its `ask`, such as to {error.hint}." if error.hint else ""
            yield Check(name, ok=False, detail=error.message, hint=hint)


def is_question(check: Check) -> bool:
    """Whether a check is one of a question of the configuration."""
    return check.name.startswith(("alert ", "digest "))
