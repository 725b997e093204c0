"""An alert as it was typed, and refusals that show how to type it (pure)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from bot.errors import BadQuestion
from bot.questions.question import AccountDirectory, CommandName
from bot.questions.registry import COMMANDS

# An alert has fewer words that may be its condition.
MOST_MATCHES = 20


class TypedAlert(Struct, frozen=True):
    """An alert as it was typed. Every error shows the same alert with only the wrong words changed;
    without `explain`, errors have no example.
    """

    command: CommandName
    text: str
    directory: AccountDirectory
    # Raises BadQuestion where the alert cannot be read.
    parse: Callable[[TypedAlert], object]
    explain: bool = True
    # An example that is wrong in another place, too, is corrected there, so many times.
    repairs: int = 3

    def refused(self, message: str, span: tuple[int, int], right: str) -> BadQuestion:
        """An error whose example replaces the wrong words by `right`."""
        if not self.explain:
            return BadQuestion(message)
        text = self.with_words(span, right).text
        usual = COMMANDS[self.command].alert_example(self.directory)
        return BadQuestion(message, self._working(text) or usual)

    def with_words(self, span: tuple[int, int], words: str) -> TypedAlert:
        """The same alert with other words in one place."""
        start, end = span
        before = self.text[:start].rstrip()
        after = self.text[end:].lstrip()
        return replace(self, text=" ".join(filter(None, [before, words, after])))

    def outside_clauses(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The first match that is neither in brackets, as in a where(…), nor in quotes."""
        # Bounded, because each look at what is before a match takes time.
        for found in itertools.islice(pattern.finditer(self.text), MOST_MATCHES):
            before = self.text[: found.start()]
            if before.count("(") <= before.count(")") and before.count('"') % 2 == 0:
                return found
        return None

    def _working(self, text: str) -> str:
        """A line that can be parsed: the text itself, or what its error suggests."""
        if not self.repairs:
            return ""
        try:
            self.parse(replace(self, text=text, repairs=self.repairs - 1))
        except BadQuestion as error:
            # The refusal of the corrected text has corrected the next place.
            return error.hint
        return f"/{self.command} alert {text}".strip()


class Words(Struct, frozen=True):
    """Some words, and where they are in the text."""

    text: str
    span: tuple[int, int]
    # Where the name of the option begins that they belong to.
    start: int = 0
