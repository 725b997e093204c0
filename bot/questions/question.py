"""What was asked, as a value: the command, its accounts, its window and its options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from bot.questions.windows import ParsedWindow
from providers.models import CallFilters

CommandName = Literal["usage", "apiaudit", "logs"]
Kind = Literal["rapid7", "akamai", "devicewise"]
VENDORS: Mapping[str, str] = MappingProxyType(
    {"rapid7": "Rapid7", "akamai": "Akamai", "devicewise": "deviceWISE"}
)


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command as Slack lists it, and examples of what to type."""

    name: CommandName
    description: str
    usage_hint: str
    kinds: tuple[Kind, ...]
    default_window: str
    example_window: str
    examples: tuple[tuple[str, str], ...]


COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        "usage": Command(
            "usage",
            "How much log data an account sends, day by day",
            "[account] [window] [by day|week|month] [per log] [csv]",
            ("rapid7",),
            "10 days",
            "last 7 days",
            (
                ("last 7 days", "the last seven days, today so far among them"),
                ("this month", "month to date, with a forecast"),
                ("last month by week", "in weeks"),
                ("yesterday per log", "which log sent how much"),
                ("2026-11-01..2026-11-07 csv", "a range of dates, as a table to download"),
            ),
        ),
        "apiaudit": Command(
            "apiaudit",
            "Who called which API, and what failed",
            "[account ...] [window] [filter ...] [failures] [csv]",
            ("akamai", "devicewise"),
            "24 hours",
            "24h",
            (
                ("24h", "all audit accounts, the last day"),
                ("last 2h failures", "only what failed"),
                ("today who:ada@example.com", "one person's calls"),
                ("7d csv", "every call as a table to download"),
            ),
        ),
        "logs": Command(
            "logs",
            "The lines of a log, with a preview and the whole file",
            "LOG[,LOG...] [window] [where(LEQL)] [limit N]",
            ("rapid7",),
            "20 minutes",
            "last 20 mins",
            (
                ("kitchen", "the last twenty minutes"),
                ("kitchen 2h where(/error/i)", "only the lines that match"),
                ("kitchen,cellar since 09:00 limit 500", "two logs in one file, at most 500 lines"),
            ),
        ),
    }
)


@dataclass(frozen=True, slots=True)
class AccountDirectory:
    """The names people may type: accounts with their kind, and each account's named logs with their
    ids.
    """

    accounts: Mapping[str, Kind]
    logs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of_kind(self, kinds: Sequence[str]) -> list[str]:
        return [name for name, kind in self.accounts.items() if kind in kinds]


@dataclass(frozen=True, slots=True)
class LogRef:
    """A log as it was typed: a configured name or an id with its account where that is known by
    now.
    """

    typed: str
    account: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class QuestionParts:
    """The words of a question, taken apart: whom it is about, when, and all else."""

    subject: str = ""
    window: str = ""
    rest: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.subject, self.window, self.rest) if part)


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, read. `window` is None for help alone."""

    command: CommandName
    text: str
    window: ParsedWindow | None = None
    help: bool = False
    topic: Literal["", "windows"] = ""
    accounts: tuple[str, ...] = ()
    by: Literal["day", "week", "month"] = "day"
    per_log: bool = False
    csv: bool = False
    filters: CallFilters = field(default_factory=CallFilters)
    logs: tuple[LogRef, ...] = ()
    leql: str = ""
    limit: int | None = None
    parts: QuestionParts = field(default_factory=QuestionParts)

    @property
    def line(self) -> str:
        """The question as it can be typed again."""
        return f"/{self.command} {self.text}".strip()

    def over(self, window: str) -> str:
        """The line of the same question about another time, without its file."""
        rest = self.parts.rest.removesuffix("csv").rstrip() if self.csv else self.parts.rest
        return f"/{self.command} {QuestionParts(self._subject, window, rest)}"

    def also(self, words: str) -> str:
        """The line of the same question with something more."""
        return (
            f"/{self.command} "
            f"{QuestionParts(self._subject, self.parts.window, f'{self.parts.rest} {words}'.strip())}"
        )

    @property
    def _subject(self) -> str:
        return self.parts.subject if self.command == "logs" else " ".join(self.accounts)


def example(command: CommandName, directory: AccountDirectory) -> str:
    """A question of this command that works with the accounts there are."""
    accounts = directory.of_kind(COMMANDS[command].kinds)
    if command == "logs":
        names = [name for account in accounts for name in directory.logs.get(account, {})]
        return f"/logs {names[0] if names else 'LOG'} last 20 mins"
    if command == "usage":
        return f"/usage {accounts[0] + ' ' if len(accounts) > 1 else ''}last 7 days"
    return f"/apiaudit {accounts[0] + ' ' if accounts else ''}24h failures"
