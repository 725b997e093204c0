"""The description of a command: everything but how it is answered."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.questions.question import CommandName
from providers.provider import Capability
from providers.registry import kinds_with, titles_with


@dataclass(frozen=True, slots=True)
class AlertValues:
    """Which of an answer's values an alert can watch. `group` is a value that holds others by name,
    watched as `levels.error`; `subjects` are what an answer can be split by, so that each part is
    watched separately.
    """

    names: tuple[str, ...]
    default: str
    usual_threshold: str
    group: str = ""
    subjects: tuple[str, ...] = ()
    # Of these a 0 says that nothing matched the question.
    counts: tuple[str, ...] = ()
    # Names that are also words of the question, which stay in it where an alert names one.
    asked: frozenset[str] = frozenset()
    # Names that only a question about two windows has.
    of_comparisons: frozenset[str] = frozenset()
    # Whole numbers, of which the least above 0 is 1.
    whole: frozenset[str] = frozenset()
    # Other words for a name, such as `failure rate`.
    synonyms: Mapping[str, str] = field(default_factory=dict, hash=False)
    # What people read for each name; without one, the name in words.
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)

    def label(self, name: str) -> str:
        """What people read for a value."""
        return self.labels.get(name) or name.replace("_", " ").replace(".", " ").capitalize()

    def is_whole(self, name: str) -> bool:
        """Whether a value is a whole number, so that none of them is less than one."""
        group, _, member = name.partition(".")
        return name in self.whole or (bool(member) and group == self.group)

    def __contains__(self, name: str) -> bool:
        group, _, member = name.partition(".")
        # `levels.error`: which levels there are is known only from the log.
        is_member = group == self.group and member.isascii() and member.isalpha()
        return name in self.names or (is_member and member.islower())


@dataclass(frozen=True, slots=True)
class Topics:
    """Words by which a mention without a command is understood. Those in `options` are also words of
    the question itself, and stay in it.
    """

    words: frozenset[str] = frozenset()
    options: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class CommandDescription:
    """A slash command in words: as Slack lists it, as help explains it, and what may be asked.

    `whole_days` where its windows are of whole days, `names_logs` where its questions name logs.
    `default_access` holds where the configuration does not say who may ask.
    """

    name: CommandName
    description: str
    # One sentence of the app's description in Slack.
    summary: str
    usage_hint: str
    # What its accounts must be able to tell.
    capability: Capability
    default_window: str
    example_window: str
    examples: Sequence[tuple[str, str]]
    # The windows that its form offers.
    windows: tuple[str, ...]
    values: AlertValues
    topics: Topics = Topics()
    # Questions in people's own words, and how they are read.
    sentences: Sequence[tuple[str, str]] = ()
    whole_days: bool = False
    names_logs: bool = False
    default_access: tuple[str, ...] = ()
    # As `Provider.api_version`.
    api_version: int = 1

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of account that can be asked."""
        return kinds_with(self.capability)

    def phrases_with(self, word: str) -> list[str]:
        """The word with each word that follows it in the help, such as `per log`. Words before the
        name of a log have no meaning of their own.
        """
        if self.names_logs:
            return []
        texts = [self.usage_hint, *(words for words, _ in self.examples)]
        return [
            f"{first} {second}"
            for text in texts
            for first, second in itertools.pairwise(re.findall(r"[\w-]+", text.lower()))
            if first == word
        ]

    @property
    def vendors(self) -> str:
        """The vendors whose accounts it asks, as part of a sentence."""
        return titles_with(self.capability)
