"""The next questions that an answer of `/apiaudit` offers as buttons."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from bot import formatting
from bot.commands.apiaudit.question import AuditQuestion
from bot.commands.apiaudit.report import (
    AuditReport,
)
from providers.errors import ProviderError
from providers.models import ApiCall, CallPage, Window, iso_utc

# An actor that needs no quotes, so that the line of a button is one question.
PLAIN_ACTOR = re.compile(r"[\w.@+-]{1,60}")
# On a phone each is a line of its own; the table has the ID of every call.
MOST_OPENED = 3


def nearest_actors(
    question: AuditQuestion, pages: Sequence[CallPage | ProviderError]
) -> list[tuple[str, str]]:
    """Buttons for the actor that was probably meant, where no call matches."""
    names = dict.fromkeys(page.nearest_actor for page in pages if isinstance(page, CallPage))
    return [
        (formatting.truncate(f"Actor: {name}", 40), question.also(f"who:{name}"))
        for name in names
        if PLAIN_ACTOR.fullmatch(name)
    ]


def next_questions(question: AuditQuestion, report: AuditReport) -> list[tuple[str, str]]:
    """Follow-up questions for the reader."""
    buttons = [
        (label, question.over(window))
        for label, window in (("24 hours", "24h"), ("7 days", "7d"), ("30 days", "30d"))
    ]
    buttons.append(("vs. previous", question.over(f"{question.parts.window} vs previous".strip())))
    worst = max(report.actors, key=lambda tally: tally.failures, default=None)
    if worst and worst.failures and not question.filters.who and PLAIN_ACTOR.fullmatch(worst.name):
        buttons.append(
            (formatting.truncate(f"Only {worst.name}", 40), question.also(f"who:{worst.name}"))
        )
    if not question.filters.failures and not report.all_failed:
        buttons.append(("Failures only", question.also("failures")))
    if question.display.calls is None and report.calls:
        buttons.append(("Show the calls", question.also("calls")))
    if not question.csv:
        buttons.append(("CSV", question.also("csv")))
    return buttons


def questions_of_calls(question: AuditQuestion, report: AuditReport) -> list[tuple[str, str]]:
    """Buttons that open each of the first calls listed."""
    calls = dict.fromkeys((call.account, call.id) for call in report.listed[:MOST_OPENED])
    # Calls with the same values have the same id; its button opens the newest.
    by_id = {(call.account, call.id): call for call in reversed(report.listed[:MOST_OPENED])}
    return [
        (
            formatting.truncate(
                f"Open {by_id[key].id} {formatting.sanitise(by_id[key].action)}", 40
            ),
            _line_of_call(question, by_id[key]),
        )
        for key in calls
    ]


def _line_of_call(question: AuditQuestion, call: ApiCall) -> str:
    """The question that shows one call whole: its second, with the same filters, so that its vendor
    is asked for as little as can be.
    """
    window = question.window.window
    if call.at and window.start <= call.at < window.end:
        start = call.at.replace(microsecond=0)
        window = Window(start, start + timedelta(seconds=1))
    words = [word for word in question.typed_filters if not word.lower().startswith("call:")]
    when = f"{iso_utc(window.start)}..{iso_utc(window.end)}"
    return " ".join([f"/apiaudit {call.account} {when}", *words, f"call:{call.id}"])
