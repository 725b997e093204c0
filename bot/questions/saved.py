"""Parses `save QUESTION as NAME`, `saved` and `unsave NAME` (pure)."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from msgspec import Struct

from bot.errors import BadQuestion
from bot.formatting import sanitise
from bot.questions.managing import ACKNOWLEDGE_WORDS, MANAGING_WORDS, YIELDING_WORDS
from bot.questions.question import AccountDirectory, CommandName
from bot.questions.registry import COMMANDS
from bot.questions.window_words import WINDOW_WORDS

NAME = re.compile(r"[a-z][a-z0-9_-]{2,39}")
NAME_RULE = "3 to 40 lower-case letters, digits, dashes and underscores, beginning with a letter"
# The first words of other commands, which no question can be called.
RESERVED_WORDS = (MANAGING_WORDS - YIELDING_WORDS) | {
    "help",
    "windows",
    "none",
    *ACKNOWLEDGE_WORDS,
}
# The last `as`: a question may have one of its own, such as a group by that name.
_SAVE = re.compile(r"(?P<query>.*\S)\s+as\s+(?P<name>\S+)", re.IGNORECASE | re.DOTALL)

# A name of several words, in quotes or at the end.
_SAVE_QUOTED = re.compile(
    r"(?P<query>.*\S)\s+as\s+\"?(?P<name>[^\"]{1,100})\"?", re.IGNORECASE | re.DOTALL
)


class Save(Struct, frozen=True):
    """A question, and the name to save it by."""

    query: str
    name: str


class Unsave(Struct, frozen=True):
    name: str


SavedCommand = Save | Unsave | Literal["list"]


def parse_saved(command: CommandName, text: str, directory: AccountDirectory) -> SavedCommand:
    """The action of words that begin with one of SAVED_WORDS. Raises BadQuestion."""
    verb, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    if verb.lower() == "saved":
        return "list"
    if verb.lower() == "unsave":
        if not NAME.fullmatch(rest.lower()):
            raise BadQuestion("Which question? Give its name.", f"/{command} saved")
        return Unsave(rest.lower())
    match = _SAVE.fullmatch(rest)
    if match is None and (named := _SAVE_QUOTED.fullmatch(rest)):
        raise _not_a_name(command, named["query"], named["name"])
    if match is None:
        words = rest or COMMANDS[command].example_words(directory)
        raise BadQuestion(
            "Save it as what? Put “as” and a name after the question.",
            f"/{command} save {words} as morning",
        )
    name = match["name"].lower()
    if not NAME.fullmatch(name):
        raise _not_a_name(command, match["query"], match["name"])
    return Save(match["query"], name)


def _not_a_name(command: CommandName, query: str, typed: str) -> BadQuestion:
    """The error for a name that cannot be one, with the nearest that can."""
    plain = unicodedata.normalize("NFKD", typed.lower()).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9_-]+", "-", plain).strip("-")[:40]
    return BadQuestion(
        f"“{sanitise(typed, 40)}” cannot be a name; a name has {NAME_RULE}.",
        f"/{command} save {query} as {name if NAME.fullmatch(name) else 'morning'}",
    )


def name_of(words: str, directory: AccountDirectory) -> str:
    """The name of a saved question that the words may be; empty where they cannot be one. The names
    of accounts and windows are reserved, and so are the first words of other commands.
    """
    name = words.strip().lower()
    accounts = {each.lower() for each in directory.accounts}
    is_taken = name in RESERVED_WORDS or name in WINDOW_WORDS or name in accounts
    # Words of a question keep their meaning, whatever has been saved.
    return "" if is_taken or not NAME.fullmatch(name) else name
