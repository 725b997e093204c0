"""Words become a Question here, once, whoever asks: a slash command, a button, a schedule or a
terminal."""

from __future__ import annotations

import difflib
import re
from datetime import datetime, tzinfo
from importlib import import_module
from typing import cast

from bot.errors import BadQuestion
from bot.formatting import sanitise
from bot.questions.context import Context, Reader
from bot.questions.question import (
    COMMANDS,
    AccountDirectory,
    CommandName,
    Question,
    QuestionParts,
    example,
)

# A form takes a where(…) of 3000 characters; Slack's own commands are shorter.
LONGEST_QUESTION = 4000
_HELP_WITH = re.compile(r"(?i)help(?:\s+[a-z]{1,20}){1,3}")


def read_line(line: str, directory: AccountDirectory, *, now: datetime, zone: tzinfo) -> Question:
    """The question in a whole line such as `/usage last 7 days`; the slash may be missing."""
    command, words = split_line(line)
    return read_question(command, words, directory, now=now, zone=zone)


def split_line(line: str) -> tuple[CommandName, str]:
    """The command of a line and the words after it, which are not read yet. Raises BadQuestion
    where there is no such command.
    """
    name, _, words = line.strip().partition(" ")
    command = name.removeprefix("/").lower()
    if command not in COMMANDS:
        meant = difflib.get_close_matches(command[:40], COMMANDS, n=1)
        asked = f"“{sanitise(name, 40)}” is not a command" if name else "There is no question"
        raise BadQuestion(
            f"{asked}; I know /usage, /apiaudit and /logs.",
            f"/{meant[0] if meant else 'usage'} help",
        )
    return COMMANDS[command].name, words


def read_question(
    command: CommandName, words: str, directory: AccountDirectory, *, now: datetime, zone: tzinfo
) -> Question:
    """The question in the words after the command. Raises BadQuestion with an example
    that works.
    """
    text = words.strip()
    if len(text) > LONGEST_QUESTION:
        raise BadQuestion(
            (
                f"The question is too long: it has {len(text):,} characters, and at most "
                f"{LONGEST_QUESTION:,} are read."
            ),
            example(command, directory),
        )
    if "\0" in text:
        raise BadQuestion(
            "The question holds a character that no question has.", example(command, directory)
        )
    if text.lower() in ("help", "?"):
        return Question(command, text, help=True)
    if text.lower() in ("help windows", "help window", "windows", "windows help"):
        return Question(command, text, help=True, topic="windows")
    if _HELP_WITH.fullmatch(text) and not any("help" in logs for logs in directory.logs.values()):
        return Question(command, text, help=True)
    context = Context(COMMANDS[command], directory, now, zone, text, _reader(command))
    try:
        return context.read(text, context)
    except BadQuestion as error:
        error.hint = context.checked(error.hint)
        raise


def apply_follow_up(
    question: Question, words: str, directory: AccountDirectory, *, now: datetime, zone: tzinfo
) -> Question:
    """The same question with what the words change: its window, or something more. Raises
    BadQuestion where they change nothing.
    """
    parts = question.parts
    other = (
        QuestionParts(parts.subject, words, parts.rest),
        QuestionParts(parts.subject, parts.window, f"{parts.rest} {words}".strip()),
    )
    refused: BadQuestion | None = None
    for tried in other:
        try:
            found = read_question(question.command, str(tried), directory, now=now, zone=zone)
        except BadQuestion as error:
            refused = refused or error
            continue
        if tried is other[1] or found.parts.window:
            return found
    assert refused is not None
    raise refused


def _reader(command: CommandName) -> Reader:
    module = import_module(f"bot.commands.{command}.question")
    return cast(Reader, getattr(module, f"read_{command}"))
