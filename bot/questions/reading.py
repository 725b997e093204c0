"""Parses the words of a question once, for everyone who asks: a slash command, a button, a form, a
schedule or a terminal.
"""

from __future__ import annotations

import difflib
import re
from datetime import datetime, tzinfo
from typing import Literal

from bot.errors import BadQuestion
from bot.formatting import join_words, sanitise
from bot.questions.comparison_words import begins_comparison, split_comparison
from bot.questions.context import Context
from bot.questions.form import FormValues
from bot.questions.own_words import read_own_words
from bot.questions.question import (
    AccountDirectory,
    CommandName,
    HelpRequest,
    Question,
    QuestionParts,
)
from bot.questions.registry import COMMANDS

# A form takes a where(…) of 3000 characters; Slack's own commands are shorter.
LONGEST_QUESTION = 4000
_HELP = frozenset({"help", "?"})
_WINDOWS_HELP = frozenset({"help windows", "help window", "windows", "windows help"})
_HELP_WITH = re.compile(r"(?i)help(?:\s+[a-z]{1,20}){1,3}")


def read_line(
    line: str, directory: AccountDirectory, *, now: datetime, zone: tzinfo
) -> Question | HelpRequest:
    """The question in a whole line such as `/usage last 7 days`; the slash may be missing."""
    command, words = split_line(line)
    return read_request(command, words, directory, now=now, zone=zone)


def read_question_line(
    line: str, directory: AccountDirectory, *, now: datetime, zone: tzinfo
) -> Question:
    """The question in a whole line. Raises BadQuestion for one that asks for help, too."""
    command, words = split_line(line)
    return read_question(command, words, directory, now=now, zone=zone)


def split_line(line: str) -> tuple[CommandName, str]:
    """The command of a line and the words after it, not parsed yet. Raises BadQuestion if there is
    no such command.
    """
    name, _, words = line.strip().partition(" ")
    command = name.removeprefix("/").lower()
    if command not in COMMANDS:
        # Cut, since the comparison takes time with the square of the length.
        near = difflib.get_close_matches(command[:40], COMMANDS, n=1)
        asked = f"“{sanitise(name, 40)}” is not a command" if name else "There is no question"
        known = join_words([f"/{known}" for known in COMMANDS])
        raise BadQuestion(
            f"{asked}; the commands are {known}.",
            f"/{near[0]} help" if near else COMMANDS.help_line,
        )
    return command, words


def read_question(
    command: CommandName,
    words: str,
    directory: AccountDirectory,
    *,
    now: datetime,
    zone: tzinfo,
    sentences: bool = True,
) -> Question:
    """The question in the words after the command. Raises BadQuestion for a request for help, too."""
    found = read_request(command, words, directory, now=now, zone=zone, sentences=sentences)
    if isinstance(found, HelpRequest):
        raise BadQuestion("Help is not a question.", COMMANDS[command].example(directory))
    return found


def read_request(
    command: CommandName,
    words: str,
    directory: AccountDirectory,
    *,
    now: datetime,
    zone: tzinfo,
    sentences: bool = True,
) -> Question | HelpRequest:
    """The question in the words after the command, or the help they ask for. Raises BadQuestion with
    an example that works. Where `sentences` are not read, words have to be those of the command.
    """
    text = words.strip()
    context = _context(command, text, directory, now=now, zone=zone)
    # Before the words are read, among which `help` could be a log's name.
    if (topic := _help_topic(text, directory)) is not None:
        return HelpRequest(command, topic)
    try:
        return _read(text, context) if sentences else context.read(text, context)
    except BadQuestion as error:
        # No refusal may suggest something that is refused in turn.
        error.hint = context.checked(error.hint)
        raise


def _read(text: str, context: Context) -> Question:
    """The question in the words, or in the sentence that they are."""
    try:
        return context.read(text, context)
    except BadQuestion as error:
        refused = error
    return read_own_words(text, context, COMMANDS[context.command.name], refused)


def read_form(
    command: CommandName,
    values: FormValues,
    directory: AccountDirectory,
    *,
    now: datetime,
    zone: tzinfo,
) -> Question:
    """The question of a submitted form. Raises BadQuestion whose `field` is the invalid input."""
    # Only for the length and the characters; the inputs are read one by one.
    text = " ".join(filter(None, values.values()))
    context = _context(command, text, directory, now=now, zone=zone)
    question: Question = COMMANDS[command].read_form(values, context)
    return question


def _context(
    command: CommandName, text: str, directory: AccountDirectory, *, now: datetime, zone: tzinfo
) -> Context:
    """The context that the text is parsed with. Raises BadQuestion if it is not the text of a
    question.
    """
    asked = COMMANDS[command]
    example = asked.example(directory)
    if len(text) > LONGEST_QUESTION:
        raise BadQuestion(
            (
                f"The question is too long: it has {len(text):,} characters, and at most "
                f"{LONGEST_QUESTION:,} are read."
            ),
            example,
        )
    if "\0" in text:
        raise BadQuestion("The question contains a character that is not allowed.", example)
    return Context(asked, directory, now, zone, text, example, asked.read)


def _help_topic(text: str, directory: AccountDirectory) -> Literal["", "windows"] | None:
    """Which help the words request; None if they ask a question."""
    lowered = text.lower()
    if lowered in _HELP:
        return ""
    if lowered in _WINDOWS_HELP:
        return "windows"
    # A log of that name is asked for as any other.
    is_a_log = any("help" in logs for logs in directory.logs.values())
    return "" if _HELP_WITH.fullmatch(text) and not is_a_log else None


def apply_follow_up(
    question: Question, words: str, directory: AccountDirectory, *, now: datetime, zone: tzinfo
) -> Question:
    """The same question with what the words change: its window, or something more. Raises
    BadQuestion if they change nothing.
    """
    parts = question.parts
    window = words
    if begins_comparison(words):
        before = split_comparison(parts.window)
        window = f"{before.first if before else parts.window} {words}".strip()
    other = (
        QuestionParts(parts.subject, window, parts.rest),
        QuestionParts(parts.subject, parts.window, f"{parts.rest} {words}".strip()),
    )
    refused: BadQuestion | None = None
    for tried in other:
        try:
            found = read_question(question.command, str(tried), directory, now=now, zone=zone)
        except BadQuestion as error:
            refused = refused or error
            continue
        # `csv` alone would otherwise replace the window by the usual one.
        if tried is other[1] or found.parts.window:
            return found
    assert refused is not None
    raise refused
