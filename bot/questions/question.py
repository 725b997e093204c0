"""A question as a value: whom it is about, when, and the words that ask it again. Each command adds
its own options.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct, field

from bot.questions.windows import ParsedWindow
from bot.questions.windows.alignment import Comparison

CommandName = str
# In the place of accounts: all that can be asked.
ALL = "all"


class AccountDirectory(Struct, frozen=True):
    """The names people may type: accounts with their kind, and each account's named logs with their
    ids.
    """

    accounts: Mapping[str, str]
    logs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of_kind(self, kinds: Sequence[str]) -> list[str]:
        return [name for name, kind in self.accounts.items() if kind in kinds]

    def logs_of(self, accounts: Iterable[str]) -> list[str]:
        """The names of the logs of these accounts."""
        return [name for account in accounts for name in self.logs.get(account, {})]


class QuestionParts(Struct, frozen=True):
    """The words of a question by their meaning: whom it is about, when, and everything else."""

    subject: str = ""
    window: str = ""
    rest: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.subject, self.window, self.rest) if part)


class HelpRequest(Struct, frozen=True):
    """A request for help: about the command, or about windows."""

    command: CommandName
    topic: Literal["", "windows"] = ""


class Question(Struct, frozen=True, kw_only=True):
    """A parsed question. `text` is what was typed after the command, and `parts` the same in its
    usual order. Where two windows are compared, `window` is what is compared of the first.
    """

    command: CommandName
    text: str
    window: ParsedWindow
    accounts: tuple[str, ...] = ()
    parts: QuestionParts = QuestionParts()
    comparison: Comparison | None = None
    # The sentence that was read as `text`; empty where its words were typed as they are.
    own_words: str = ""

    @property
    def line(self) -> str:
        """The question as it can be typed again."""
        return f"/{self.command} {self.text}".strip()

    @property
    def subject(self) -> str:
        """Whom the question is about, as it is typed."""
        return ALL if self.parts.subject == ALL else " ".join(self.accounts)

    @property
    def options(self) -> str:
        """The words of its options that still apply to another window."""
        return self.parts.rest

    @property
    def shared_as(self) -> Hashable | None:
        """What the answer depends on beside its window and the asker's time zone; None if it is not
        shared with others who ask the same.
        """
        return None

    def over(self, window: str) -> str:
        """The line of the same question about another window, without its file."""
        return f"/{self.command} {QuestionParts(self.subject, window, self.options)}"

    def also(self, words: str) -> str:
        """The line of the same question with more words."""
        rest = f"{self.parts.rest} {words}".strip()
        return f"/{self.command} {QuestionParts(self.subject, self.parts.window, rest)}"


class TableQuestion(Question, frozen=True, kw_only=True):
    """A question whose answer can be downloaded as a table."""

    csv: bool = False

    @property
    def shared_as(self) -> Hashable | None:
        return None if self.csv else (self.line, self.accounts, self.parts)

    @property
    def options(self) -> str:
        # A button asks for the answer; the file has been sent already.
        return self.parts.rest.removesuffix("csv").rstrip() if self.csv else self.parts.rest
