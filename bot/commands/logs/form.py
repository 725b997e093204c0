"""The form of `/logs` (pure)."""

from __future__ import annotations

from msgspec.structs import replace

from bot.commands.logs.display import Follow
from bot.commands.logs.leql import with_conditions
from bot.commands.logs.names import read_log, split_log_names, split_logs_and_patterns
from bot.commands.logs.query import LineQuery, read_query, take_clauses
from bot.commands.logs.question import LogsQuestion, follow_window, parts_of, question_of
from bot.errors import BadQuestion
from bot.formatting import sanitise
from bot.questions.command import LONGEST_CHOICE
from bot.questions.context import Context
from bot.questions.form import LOG, FormField, FormValues, read_form_window, refused_at

LINES = "rest"
SHOW = "show"
# What the form offers beside the usual answer.
SHOW_CHOICES = ("count", "count timeslice 1h", "newest 20", "newest 100", "oldest 20", "follow")


def read_logs_form(values: FormValues, context: Context) -> LogsQuestion:
    context.accounts()
    with refused_at(LOG):
        names, others = split_log_names(values.get(LOG, ""), context)
        if others:
            # One name with spaces in it; the form sends names without quotes.
            # Chosen from the menu, or typed there with blanks.
            names = [values[LOG].strip()]
        logs = tuple(read_log(name, context) for name in names)
    with refused_at(LINES):
        query = _query_of_form(values.get(LINES, ""), values.get(SHOW, ""), context)
    window, words = read_form_window(values, context)
    parts = parts_of(names, words, query)
    if isinstance(query.display, Follow) and not words:
        window = follow_window(query.display, context)
    return question_of(str(parts), window, logs, parts, query, context)


def log_fields(question: LogsQuestion | None) -> list[FormField]:
    """The input of the form for the logs, searched by name."""
    chosen = question.parts.subject if question else ""
    return [FormField(LOG, "Log", "log", chosen, placeholder="Search by name", is_optional=False)]


def line_fields(question: LogsQuestion | None) -> list[FormField]:
    """The inputs of the form after log and window."""
    query = question.query if question else LineQuery()
    shown = " ".join(query.display.words) if query.display else ""
    typed = query.line_words
    if len(shown) > LONGEST_CHOICE:
        # No choice takes so many words; the text below does.
        shown = ""
        typed = query.words
    choices = tuple(dict.fromkeys([*([shown] if shown else []), *SHOW_CHOICES]))
    label = "Only lines that match"
    example = "where(status>=500) groupby(path)"
    return [
        FormField(SHOW, "Show", "choice", shown, choices, placeholder="The whole log as a file"),
        FormField(LINES, label, "text", typed, placeholder=example, longest=3000),
    ]


def _query_of_form(text: str, shown: str, context: Context) -> LineQuery:
    """The query in the form: what was chosen, and what was typed. Raises BadQuestion for
    anything else.
    """
    taken = take_clauses(text, context)
    typed = read_query(taken.text.split(), taken, context)
    if typed.others:
        raise _no_lines(typed.others, taken.where, context)
    # What was typed is more precise than what was chosen.
    if typed.query.display or not shown:
        return typed.query
    chosen = take_clauses(shown, context)
    return replace(
        typed.query, display=read_query(chosen.text.split(), chosen, context).query.display
    )


def _no_lines(words: list[str], where: str, context: Context) -> BadQuestion:
    """The error for words of the form that do not filter lines."""
    _, patterns, _ = split_logs_and_patterns(words, context)
    if patterns:
        right = with_conditions(where, patterns)
        return BadQuestion(f"Lines are filtered by where(…): {right}.", context.example)
    shown = sanitise(" ".join(words), 40)
    return BadQuestion(f"“{shown}” is not a filter; write where(/error/i).", context.example)
