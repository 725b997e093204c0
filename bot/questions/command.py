"""The interface of a command: it reads words and forms, and gives examples that work."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.questions.context import Context
from bot.questions.description import CommandDescription
from bot.questions.form import FIRST_DAY, LAST_DAY, WINDOW, FormField, FormValues, account_field
from bot.questions.question import AccountDirectory, Question
from bot.questions.sentences import Sentence

Q = TypeVar("Q", bound=Question)
# The most characters of a choice that Slack shows.
LONGEST_CHOICE = 75


@dataclass(frozen=True, kw_only=True)
class Command(CommandDescription, ABC, Generic[Q]):
    """A command as one object. Its folder under `bot/commands` holds everything it consists of."""

    @abstractmethod
    def read(self, text: str, context: Context) -> Q:
        """The question in the words after the command. Raises BadQuestion with an example that
        works.
        """

    @abstractmethod
    def read_form(self, values: FormValues, context: Context) -> Q:
        """The question of its form. Raises BadQuestion that names the invalid input."""

    def sentence(self, text: str, directory: AccountDirectory) -> Sentence | None:
        """The words of the command that a sentence means; None for what is no sentence."""
        del text, directory
        return None

    def filter_for(self, words: str, directory: AccountDirectory) -> str:
        """The option that words without a meaning of their own may have been; empty if there is
        none.
        """
        del words, directory
        return ""

    def option_fields(self, question: Q | None) -> list[FormField]:
        """The inputs of its form after account and window, filled from the question."""
        del question
        return []

    def subject_fields(self, question: Q | None, accounts: list[str]) -> list[FormField]:
        """The inputs for whom the question is about."""
        return account_field(question, accounts, is_optional=False)

    def form(self, question: Q | None, directory: AccountDirectory) -> list[FormField]:
        """The inputs of its form, filled from the question where there is one."""
        window = question.parts.window if question else ""
        # A window that was typed is one of the choices, so that the form keeps it.
        own = window[:LONGEST_CHOICE]
        choices = (own, *self.windows) if own and own not in self.windows else self.windows
        return [
            *self.subject_fields(question, directory.of_kind(self.kinds)),
            FormField(WINDOW, "When", "choice", window, choices, f"Last {self.default_window}"),
            FormField(FIRST_DAY, "First day", "day"),
            FormField(LAST_DAY, "Last day", "day"),
            *self.option_fields(question),
        ]

    def example_words(self, directory: AccountDirectory) -> str:
        """The words of a question that works with the configured accounts."""
        return self.localised(self.example_window, directory)

    def example(self, directory: AccountDirectory) -> str:
        """A question that works with the configured accounts."""
        return f"/{self.name} {self.example_words(directory)}"

    def alert_example(self, directory: AccountDirectory) -> str:
        """An alert that works with the configured accounts."""
        value = f"{self.values.default} above {self.values.usual_threshold}"
        return f"/{self.name} alert {self.example_words(directory)} {value}"

    def default_value(self, query: str) -> str:
        """The value that an alert on the words of a question watches where it names none."""
        del query
        return self.values.default

    def usual_alert_example(self, directory: AccountDirectory) -> str:
        """An alert whose threshold follows what is usual."""
        return f"/{self.name} alert {self.example_words(directory)} above 2x usual"

    def filter_words(self) -> Sequence[str]:
        """Filters that any account takes, which its form offers first."""
        return ()

    def help_facts(self) -> list[str]:
        """Further lines of its help, a sentence each."""
        return []

    def localised(self, words: str, directory: AccountDirectory) -> str:
        """The words of an example with the names of this workspace."""
        accounts = directory.of_kind(self.kinds)
        return f"{accounts[0]} {words}" if len(accounts) > 1 else words
