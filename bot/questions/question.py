"""Words become a Question here, once, whoever asks: a slash command, a button, a schedule or a
terminal.

/usage [account] [window] [by day|week|month] [per log] [csv] /apiaudit [account ...] [window]
[filter ...] [failures] [csv] /logs LOG[,LOG...] [window] [where(LEQL)] [limit N]
"""

from __future__ import annotations

import contextlib
import difflib
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Literal

from bot.amounts import AmbiguousAmount, read_count
from bot.errors import BadQuestion, SuggestedQuestion
from bot.formatting import join_words, quoted, sanitise
from bot.questions.windows import (
    FILLER_WORDS,
    MONTHS,
    WEEKDAYS,
    ParsedWindow,
    TwoReadings,
    UnknownWindow,
    read_window,
    strip_filler_words,
    strip_punctuation,
)
from providers.models import CallFilters
from providers.sources import MOST_LINES, MOST_LOGS

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

# The vendors' own names for the ends of a window.
_WINDOW_KEYS = frozenset({"last", "past", "from", "to", "start", "end", "since", "until"})
AUDIT_FILTERS = ("who", "action", "status", "url")
AKAMAI_FILTERS = frozenset(
    [
        "client_token",
        "contract_type",
        "endpoint",
        "http_method",
        "response_class",
        "response_code",
        "response_status",
        "url_contain",
        "url_end_with",
        "url_exact_match",
        "url_match",
        "url_not_contain",
        "url_not_end_with",
        "url_not_match",
        "url_not_start_with",
        "url_start_with",
        "username",
    ]
)
DEVICEWISE_FILTERS = frozenset({"service", "command"})
_ALL_FILTERS = (*AUDIT_FILTERS, "own", *sorted(DEVICEWISE_FILTERS), *sorted(AKAMAI_FILTERS))
# A beginning of an account's name must be so long to stand for it.
SHORTEST_BEGINNING = 3
# So many windows are tried to find the one that was meant.
MOST_GUESSES = 60
# A hint that is refused itself is mended so many times.
MOST_REPAIRS = 2
# The longest window that people type has nine words: `from Nov 1, 1:00 pm to Nov 2, 2:00 pm`.
MOST_WINDOW_WORDS = 12
# A form takes a where(…) of 3000 characters; Slack's own commands are shorter.
LONGEST_QUESTION = 4000
WINDOW_WORDS = (
    "last",
    "past",
    "this",
    "since",
    "today",
    "yesterday",
    "minutes",
    "mins",
    "minute",
    "hours",
    "hour",
    "days",
    "day",
    "weeks",
    "week",
    "months",
    "month",
    "years",
    "year",
    *WEEKDAYS,
    *MONTHS,
)
# Words of a window that are no account's or log's beginning either.
_NO_NAMES = frozenset(
    [
        *WINDOW_WORDS,
        *(name[:3] for name in (*WEEKDAYS, *MONTHS)),
        "sept",
        "now",
        "noon",
        "midnight",
        "midday",
        "morning",
        "afternoon",
        "evening",
        "night",
        "tonight",
        "overnight",
        "half",
        "couple",
        "between",
        "starting",
        "after",
        "previous",
        "prior",
        "preceding",
        "trailing",
        "rolling",
        "current",
        "quarter",
        "quarters",
        "weekend",
        "to",
        "until",
        "till",
        "through",
        "mtd",
        "ytd",
        "wtd",
        "qtd",
        "hrs",
        "secs",
        "seconds",
        "second",
    ]
)
# The longest of them, with letters typed twice.
LONGEST_WINDOW_WORD = 16
_FILTER = re.compile(r"([A-Za-z_]+):(.*)", re.DOTALL)
_HELP_WITH = re.compile(r"(?i)help(?:\s+[a-z]{1,20}){1,3}")
_LOG_ID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_CALCULATION = re.compile(r"(?i)\b(calculate|groupby|timeslice|sort)\s*\(")


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
    context = _Context(COMMANDS[command], directory, now, zone, text)
    try:
        return _READERS[command](text, context)
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


def example(command: CommandName, directory: AccountDirectory) -> str:
    """A question of this command that works with the accounts there are."""
    accounts = directory.of_kind(COMMANDS[command].kinds)
    if command == "logs":
        names = [name for account in accounts for name in directory.logs.get(account, {})]
        return f"/logs {names[0] if names else 'LOG'} last 20 mins"
    if command == "usage":
        return f"/usage {accounts[0] + ' ' if len(accounts) > 1 else ''}last 7 days"
    return f"/apiaudit {accounts[0] + ' ' if accounts else ''}24h failures"


@dataclass(frozen=True, slots=True)
class _Context:
    command: Command
    directory: AccountDirectory
    now: datetime
    zone: tzinfo
    text: str
    # How often an example that is refused itself may be mended; 0 while one is tried for the last
    # time.
    repairs: int = MOST_REPAIRS

    @property
    def explains(self) -> bool:
        return self.repairs > 0

    @property
    def example(self) -> str:
        return example(self.command.name, self.directory)

    def instead(self, wrong: str, right: str) -> str:
        """The question as it was typed with `right` in the place of `wrong`, where that can be
        asked; else an example that works.
        """
        before, _, after = self.text.partition(wrong)
        if right:
            return self.working(f"{before}{right}{after}")
        return self.working(f"{before.rstrip()} {after.lstrip()}")

    def working(self, words: str) -> str:
        """The line with these words where it can be asked; else an example that works."""
        words = words.strip()
        if not self.explains:
            return self.example
        return self.checked(f"/{self.command.name} {words}")

    def checked(self, hint: str) -> str:
        """The line of a hint where it can be asked, or what its own refusal offers; else an example
        that works.
        """
        for left in reversed(range(self.repairs)):
            command, _, words = hint.partition(" ")
            if command != f"/{self.command.name}" or words == "help":
                return hint
            try:
                _READERS[self.command.name](
                    words.strip(), replace(self, text=words.strip(), repairs=left)
                )
            except BadQuestion as error:
                hint = error.hint
            else:
                return hint
        return self.example

    def window(self, parts: QuestionParts) -> ParsedWindow:
        """The window of a question. Raises BadQuestion with the same question about the window that
        may have been meant.
        """
        count = len(parts.window.split())
        if count > MOST_WINDOW_WORDS:
            start = sanitise(parts.window, 40)
            raise BadQuestion(
                (
                    f"“{start}” has {count} words, too many for a window; at most "
                    f"{MOST_WINDOW_WORDS} are read."
                ),
                self.usual(parts),
            )
        try:
            return self._read(parts.window or self.command.default_window, self.usual(parts))
        except TwoReadings as error:
            error.hint = f"/{self.command.name} {replace(parts, window=error.readings[0])}"
            raise
        except BadQuestion as error:
            if not self.explains:
                raise
            raise (
                self._meant(parts)
                or (self._suggest_window(parts) if isinstance(error, UnknownWindow) else None)
                or error
            ) from None

    def usual(self, parts: QuestionParts) -> str:
        """The same question about a window that works."""
        return f"/{self.command.name} {replace(parts, window=self.command.example_window)}"

    def _read(self, window: str, example: str = "") -> ParsedWindow:
        whole_days = self.command.name == "usage"
        return read_window(
            window, now=self.now, zone=self.zone, whole_days=whole_days, example=example
        )

    def is_window(self, text: str) -> bool:
        """Whether the words, up to a limit, are a window."""
        before = text.lower().find(" limit")
        try:
            self._read(text[:before] if before >= 0 else text)
        except TwoReadings:
            return True
        except BadQuestion:
            return False
        return True

    def _suggest_window(self, parts: QuestionParts) -> BadQuestion | None:
        """The window that words are once each is taken for the one it is nearly, once they say
        `last` or `since`, or that stands among them.
        """
        for guess in itertools.islice(_guesses(parts.window.split()), MOST_GUESSES):
            window = " ".join(strip_filler_words(guess))
            with contextlib.suppress(BadQuestion):
                self._read(window)
                said = f"“{sanitise(parts.window, 40)}” is not a window; did you mean “{window}”?"
                return SuggestedQuestion(
                    said, f"/{self.command.name} {replace(parts, window=window)}"
                )
        return None

    def _meant(self, parts: QuestionParts) -> BadQuestion | None:
        """A word that is nearly an account's name is taken for one that was mistyped."""
        accounts = self.directory.of_kind(self.command.kinds)
        word, _, others = parts.window.partition(" ")
        if near := difflib.get_close_matches(word[:40].lower(), accounts, n=1, cutoff=0.75):
            said = f"There is no account “{sanitise(word, 40)}”; did you mean {near[0]}?"
            try:
                self._read(others or self.command.default_window)
            except BadQuestion:
                others = self.command.example_window
            subject = f"{parts.subject} {near[0]}".strip()
            return SuggestedQuestion(
                said, f"/{self.command.name} {QuestionParts(subject, others, parts.rest)}"
            )
        if word in self.directory.accounts:
            vendor = VENDORS[self.directory.accounts[word]]
            return BadQuestion(
                f"{word} is an account of {vendor}, which /{self.command.name} cannot ask.",
                self.instead(word, ""),
            )
        return None

    def accounts_and_window(self, words: list[str]) -> tuple[list[str], list[str]]:
        """The accounts that are named, and the words of the window. At the front the beginning of a
        name suffices where it is one's alone; elsewhere a name is one where it is whole, and no
        word of a window.
        """
        taken: list[str] = []
        while len(taken) < len(words) and (
            account := self._account(words[len(taken)].lower().strip(","))
        ):
            taken.append(account)
        others, window = words[len(taken) :], list[str]()
        whole = {
            name.lower(): name
            for name in self.directory.of_kind(self.command.kinds)
            if name.lower() not in _NO_NAMES
        }
        for word in others:
            if account := whole.get(word.lower().strip(",?")):
                taken.append(account)
            else:
                window.append(word)
        return list(dict.fromkeys(taken)), strip_filler_words(window)

    def _account(self, word: str) -> str | None:
        """The account that a word names. Raises BadQuestion where it is the beginning
        of several.
        """
        accounts = {name.lower(): name for name in self.directory.of_kind(self.command.kinds)}
        if (
            word in accounts
            or len(word) < SHORTEST_BEGINNING
            or word in _NO_NAMES
            or not word[0].isalpha()
        ):
            return accounts.get(word)
        begun = [name for lowered, name in accounts.items() if lowered.startswith(word)]
        if len(begun) > 1:
            raise BadQuestion(
                f"“{sanitise(word, 40)}” may be {join_words(begun)}; say which.",
                self.instead(word, begun[0]),
            )
        return begun[0] if begun else None


def _guesses(words: Sequence[str]) -> Iterator[list[str]]:
    """Windows that the words may have been meant to be, the nearest first, each made when it is
    asked for.
    """
    nearest = [_nearest(word) for word in words]
    yield nearest
    yield ["last", *nearest]
    yield ["since", *nearest]
    for length in range(len(nearest) - 1, 0, -1):
        for at in range(len(nearest) - length + 1):
            yield nearest[at : at + length]


def _nearest(word: str) -> str:
    """The word of a window that another one nearly is; a word that is none, or is one, stays."""
    lowered = word.lower()
    if (
        lowered in WINDOW_WORDS
        or not lowered.isalpha()
        or not SHORTEST_BEGINNING <= len(lowered) <= LONGEST_WINDOW_WORD
    ):
        return lowered if word.isalpha() else word
    near = difflib.get_close_matches(lowered, WINDOW_WORDS, n=1, cutoff=0.7)
    return near[0] if near else lowered


def _usage(text: str, context: _Context) -> Question:
    words = text.split()
    words, csv = _without(words, "csv")
    words, per_log = _without_any(words, "per log", "by log")
    by = None
    for unit in ("day", "week", "month"):
        words, found = _without(words, "by", unit)
        if found and by:
            raise BadQuestion(
                "A table goes by day, week or month, one of them.", context.instead(f"by {by}", "")
            )
        by = unit if found else by
    named, words = context.accounts_and_window(words)
    available = context.directory.of_kind(context.command.kinds)
    _one_of(named, available, context)
    rest = [f"by {by}" if by else "", "per log" if per_log else "", "csv" if csv else ""]
    parts = QuestionParts(" ".join(named), " ".join(words), " ".join(filter(None, rest)))
    window, accounts = context.window(parts), tuple(named or available)
    return Question(
        "usage",
        text,
        window,
        accounts=accounts,
        by=by or "day",  # type: ignore[arg-type]
        per_log=per_log,
        csv=csv,
        parts=parts,
    )


def _one_of(named: list[str], available: list[str], context: _Context) -> None:
    if not available:
        raise BadQuestion(
            "No Rapid7 account is configured.", "Add one under [providers] in bot.toml."
        )
    if len(named) > 1:
        raise BadQuestion("One account at a time, please.", context.instead(named[-1], ""))
    if not named and len(available) > 1:
        raise BadQuestion(
            f"Which account? There are {', '.join(available)}.",
            context.working(f"{available[0]} {context.text}"),
        )


def _audit(text: str, context: _Context) -> Question:
    words = _tokens(text, context)
    words, csv = _without(words, "csv")
    words, failures = _without_any(words, "failures", "failed", "errors")
    filters: dict[str, list[str]] = {}
    rest, kept = [], ["failures"] if failures else []
    for word in words:
        match = _FILTER.fullmatch(word)
        if match and match[1].lower() not in _WINDOW_KEYS:
            kept.append(f'{match[1]}:"{match[2]}"' if " " in match[2] else word)
            filters.setdefault(_filter_name(match[1], context), []).append(
                _filter_value(match, context)
            )
        else:
            rest.append(word)
    named, rest = context.accounts_and_window(rest)
    available = context.directory.of_kind(context.command.kinds)
    if not available:
        raise BadQuestion(
            "No Akamai or deviceWISE account is configured.",
            "Add one under [providers] in bot.toml.",
        )
    own = filters.pop("own", [])
    if any(value.lower() not in ("no", "yes") for value in own):
        raise BadQuestion(
            "`own:` takes `no`, which leaves out the bot's own calls, or `yes`.",
            context.instead(f"own:{own[0]}", "own:no"),
        )
    common = {name: tuple(filters.pop(name, ())) for name in AUDIT_FILTERS}
    parts = QuestionParts(
        " ".join(named), " ".join(rest), " ".join([*kept, *(["csv"] if csv else [])])
    )
    return Question(
        "apiaudit",
        text,
        _audit_window(parts, context),
        accounts=tuple(named or available),
        csv=csv,
        parts=parts,
        filters=CallFilters(
            **common,
            failures=failures,
            leave_out_own="no" in [v.lower() for v in own],
            native={k: tuple(v) for k, v in filters.items()},
        ),
    )


def _filter_name(typed: str, context: _Context) -> str:
    name = typed.lower()
    if name in _ALL_FILTERS:
        return name
    other = _OTHER_FILTERS.get(name)
    near = [other] if other else difflib.get_close_matches(name[:40], _ALL_FILTERS, n=1)
    meant = (
        f"; did you mean {near[0]}:?"
        if near
        else f"; there are {', '.join(AUDIT_FILTERS)} and each vendor's own."
    )
    right = near[0] if near else "url"
    raise BadQuestion(
        f"“{sanitise(typed, 40)}:” is not a filter{meant}",
        context.instead(f"{typed}:", f"{right}:"),
    )


# What people call the filters.
_OTHER_FILTERS: Mapping[str, str] = MappingProxyType(
    {
        "actor": "who",
        "user": "who",
        "by": "who",
        "person": "who",
        "owner": "who",
        "method": "action",
        "verb": "action",
        "code": "status",
        "http": "status",
        "response": "status",
        "path": "url",
        "uri": "url",
        "target": "url",
    }
)


def _audit_filter_meant(word: str) -> str:
    """The filter that a bare word was probably meant to be, or nothing."""
    lowered = word.lower()
    if re.fullmatch(r"[1-5](?:\d\d|xx)", lowered):
        return f"status:{lowered}"
    if lowered in ("get", "post", "put", "patch", "delete", "head"):
        return f"action:{lowered}"
    if re.fullmatch(r"[^\s@]+@[^\s@]+", word):
        return f"who:{word}"
    return f"url:{word}" if re.fullmatch(r"/[^/\s]+(?:/[^\s]*)?", word) else ""


def _audit_window(parts: QuestionParts, context: _Context) -> ParsedWindow:
    """The window. Raises BadQuestion with bare words such as `403` as the filters that they were
    probably meant to be.
    """
    try:
        return context.window(parts)
    except BadQuestion:
        meant = {
            word: _audit_filter_meant(word) for word in parts.window.split()[:MOST_WINDOW_WORDS]
        }
        filters = list(filter(None, meant.values()))
        if not context.explains or not filters:
            raise
        window = " ".join(word for word in parts.window.split() if not meant.get(word))
        rest = " ".join(filter(None, [*filters, parts.rest]))
        line = context.checked(f"/apiaudit {replace(parts, window=window, rest=rest)}")
        raise SuggestedQuestion(
            f"A filter has a name; did you mean {join_words(filters)}?", line
        ) from None


# Values that show what a filter takes.
_VALUES = {
    "who": "ada@example.com",
    "action": "get",
    "status": "error",
    "url": "/papi",
    "own": "no",
}


def _filter_value(match: re.Match[str], context: _Context) -> str:
    value = match[2].strip()
    if not value:
        raise BadQuestion(
            f"“{match[1]}:” needs a value right behind it.",
            context.instead(match[0], f"{match[1]}:{_VALUES.get(match[1].lower(), 'ada')}"),
        )
    return value


def _logs(text: str, context: _Context) -> Question:
    available = context.directory.of_kind(context.command.kinds)
    if not available:
        raise BadQuestion(
            "No Rapid7 account is configured.", "Add one under [providers] in bot.toml."
        )
    text_without, leql = _leql(text, context)
    names, rest = _log_names(text_without, context)
    rest, limit = _limit(rest, context)
    logs = tuple(_log_word(name, context) for name in names)
    accounts = tuple(dict.fromkeys(log.account for log in logs if log.account))
    subject = ",".join(quoted(name) for name in names)
    parts = QuestionParts(
        subject,
        " ".join(strip_filler_words(rest)),
        " ".join(filter(None, [leql, f"limit {limit}" if limit else ""])),
    )
    window = _logs_window(parts, names, leql, limit, context)
    return Question(
        "logs", text, window, accounts=accounts, logs=logs, leql=leql, limit=limit, parts=parts
    )


def _logs_window(
    parts: QuestionParts, names: Sequence[str], leql: str, limit: int | None, context: _Context
) -> ParsedWindow:
    """The window. Raises BadQuestion with other logs and patterns among its words where they
    belong.
    """
    try:
        return context.window(parts)
    except BadQuestion:
        logs, patterns, window = _logs_and_patterns(parts.window.split(), context)
        if not context.explains or not (logs or patterns):
            raise
        subject = ",".join(map(quoted, dict.fromkeys([*names, *logs])))
        rest = " ".join(
            filter(None, [_with_patterns(leql, patterns), f"limit {limit}" if limit else ""])
        )
        line = context.checked(f"/logs {QuestionParts(subject, ' '.join(window), rest)}")
        said = ["Several logs have commas between them"] if logs else []
        said += ["lines are filtered by where(…)"] if patterns else []
        message = " and ".join(said)
        raise SuggestedQuestion(f"{message[0].upper()}{message[1:]}.", line) from None


def _logs_and_patterns(
    words: Sequence[str], context: _Context
) -> tuple[list[str], list[str], list[str]]:
    """The configured logs and the patterns that the words name, and the words that are left."""
    known = {name.lower(): name for logs in context.directory.logs.values() for name in logs}
    logs, patterns, left = list[str](), list[str](), list[str]()
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        lowered = word.lower().strip(",")
        if lowered in known:
            logs.append(known[lowered])
        elif lowered == "grep" and waiting:
            while waiting[0].startswith("-") and len(waiting) > 1:
                waiting.pop(0)
            patterns.append(_pattern(waiting.pop(0).strip("\"'")))
        elif match := re.fullmatch(r"(?i)(?:level|severity|loglevel)[:=](\w{1,20})", lowered):
            patterns.append(f"/{match[1]}/i")
        elif lowered in _LEVEL_WORDS:
            patterns.append(f"/{_LEVEL_WORDS[lowered]}/i")
        elif re.fullmatch(r"/[^/]+/i?", word):
            patterns.append(word)
        else:
            left.append(word)
    return (
        logs,
        list(dict.fromkeys(patterns)),
        [word for word in left if word.lower() not in _JOINING or not (logs or patterns)],
    )


_LEVEL_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "error": "error",
        "errors": "error",
        "failures": "fail",
        "failed": "failed",
        "warn": "warn",
        "warning": "warn",
        "warnings": "warn",
        "fatal": "fatal",
        "critical": "critical",
        "exceptions": "exception",
        "exception": "exception",
        "timeouts": "timeout",
        "timeout": "timeout",
    }
)
# They stood between what was taken out of a window.
_JOINING = frozenset({"and", "|", "with", "only", "&", "+"})


def _pattern(text: str) -> str:
    """A regular expression that finds the text itself."""
    return f"/{re.sub(r'([^A-Za-z0-9_ :=-])', _escaped, text)}/i"


def _escaped(match: re.Match[str]) -> str:
    return f"\\{match[1]}" if match[1].isascii() else match[1]


def _with_patterns(leql: str, patterns: Sequence[str]) -> str:
    """The where(…) with the patterns in it, too."""
    if not patterns:
        return leql
    both = " AND ".join(patterns)
    return f"where(({leql[6:-1]}) AND {both})" if leql else f"where({both})"


def _leql(text: str, context: _Context) -> tuple[str, str]:
    """The text without its `where(…)`, and that clause. Brackets inside quotes and regular
    expressions do not count.
    """
    match = re.search(r"(?i)(?:^|\s)where\s*\(", text)
    if not match:
        return text, ""
    start = match.start() + (0 if text[match.start()] in "wW" else 1)
    end, bare = _closing(text, match.end())
    if end is None:
        raise BadQuestion(
            "The where(…) is not closed: a bracket or a quote is missing.",
            context.working(f"{text[:start].rstrip()} where(/error/i)"),
        )
    clause = "where" + text[match.end() - 1 : end]
    if not clause[6:-1].strip():
        raise BadQuestion(
            "The where(…) is empty.", context.instead(text[start:end], "where(/error/i)")
        )
    if _CALCULATION.search(f"{bare} {text[end:]}"):
        raise BadQuestion(
            "A log download takes where(…) alone; calculate and groupby belong to queries.",
            context.working(text[:end]),
        )
    return f"{text[:start]} {text[end:]}", clause


def _closing(text: str, at: int) -> tuple[int | None, str]:
    """The place behind the bracket that closes the one before `at`, and what stands before it
    outside quotes and regular expressions.
    """
    depth, inside = 1, ""
    previous = "("
    bare: list[str] = []
    while at < len(text):
        char = text[at]
        if inside:
            if char == "\\" and at + 1 < len(text):
                at += 1
            elif text.startswith(inside, at):
                at += len(inside) - 1
                inside = ""
        elif text.startswith('"""', at):
            inside, at = '"""', at + 2
        elif char in "\"'" or (char == "/" and previous in "(,=!~& |"):
            inside = char
        else:
            bare.append(char)
            depth += (char == "(") - (char == ")")
            if depth == 0:
                return at + 1, "".join(bare)
        previous = text[at] if not text[at].isspace() or previous in "(,=!~&|" else " "
        at += 1
    return None, ""


def _log_names(text: str, context: _Context) -> tuple[list[str], list[str]]:
    """The names of the list at the front, which may be quoted, with `,` or `and` between them, and
    the words after it.
    """
    text = text.strip()
    known = {name.lower() for logs in context.directory.logs.values() for name in logs}
    while (word := text.partition(" ")[0].lower()) in FILLER_WORDS and word not in known:
        text = text[len(word) :].strip()
    names: list[str] = []
    # One name more than may be asked is read, and refused; the rest is not looked at.
    while len(names) <= MOST_LOGS and (
        match := re.match(r'\s*(?:"([^"]+)"|([^\s,"]+))\s*(,?)', text)
    ):
        name = (match[1] or match[2]).strip()
        if (
            names
            and match[2]
            and name.lower() not in known
            and (name.lower() in _NO_NAMES or context.is_window(text))
        ):
            break
        # Rapid7's own addresses join ids by colons.
        names += name.split(":") if all(map(_LOG_ID.fullmatch, name.split(":"))) else [name]
        text = text[match.end() :]
        another = re.match(r'(?i)and\s+(?=("|[a-z][^\s,"]*))', text)
        if another and another[1].lower() not in (*_NO_NAMES, *FILLER_WORDS):
            text = text[another.end() :]
        elif not match[3]:
            break
    if not names or not all(names):
        raise BadQuestion(
            "Which log?", context.working(f"{context.example.split()[1]} {context.text}")
        )
    if len(names) > MOST_LOGS:
        raise BadQuestion(
            f"At most {MOST_LOGS} logs at once, and these are more.",
            context.working(",".join(map(quoted, names[:MOST_LOGS]))),
        )
    return list(dict.fromkeys(names)), text.split()


def _limit(words: list[str], context: _Context) -> tuple[list[str], int | None]:
    lowered = [word.lower().rstrip(":") for word in words]
    if "limit" not in lowered:
        return words, None
    at = lowered.index("limit")
    after = words[at + 1 : at + 3]
    length = 2 if len(after) == 2 and after[1].lower().rstrip(",") in ("thousand", "million") else 1
    typed = " ".join(after[:length])
    wrong = " ".join([words[at], typed]).strip()
    try:
        number = read_count(typed.rstrip(","))
    except AmbiguousAmount as error:
        raise BadQuestion(
            f"{error}.", context.instead(wrong, f"limit {error.readings[1]}")
        ) from None
    if number is None or number != int(number) or not 1 <= number <= MOST_LINES:
        raise BadQuestion(
            f"limit takes a whole number from 1 to {MOST_LINES:,}.",
            context.instead(wrong, "limit 500"),
        )
    return words[:at] + words[at + 1 + length :], int(number)


def _log_word(typed: str, context: _Context) -> LogRef:
    """A configured name is known here; `account/name` says which account; an id or a log's own name
    is looked up later.
    """
    directory = context.directory
    account, _, name = typed.rpartition("/")
    scope = (
        {account: directory.logs.get(account, {})}
        if account in directory.accounts
        else directory.logs
    )
    name = name if account in directory.accounts else typed
    found = [(owner, logs[name]) for owner, logs in scope.items() if name in logs]
    if not found:
        lowered = name.lower()
        found = [
            (owner, key)
            for owner, logs in scope.items()
            for known, key in logs.items()
            if known.lower() == lowered
        ]
    owner = account if account in directory.accounts else None
    if len(found) > 1:
        owners = [o for o, _ in found]
        raise BadQuestion(
            f"“{sanitise(name, 60)}” is a log of {' and of '.join(owners)}; say which.",
            context.instead(typed, f"{owners[0]}/{name}"),
        )
    if found:
        return LogRef(typed, account=found[0][0], id=found[0][1])
    return LogRef(name, account=owner, id=name.lower() if _LOG_ID.fullmatch(name) else None)


def _without(words: list[str], *phrase: str) -> tuple[list[str], bool]:
    """The words without the phrase, and whether it was among them."""
    lowered = [strip_punctuation(word.lower()) for word in words]
    for at in range(len(words) - len(phrase) + 1):
        if tuple(lowered[at : at + len(phrase)]) == phrase:
            return words[:at] + words[at + len(phrase) :], True
    return words, False


def _without_any(words: list[str], *phrases: str) -> tuple[list[str], bool]:
    """The words without each of the phrases, which all mean the same, and whether one was among
    them.
    """
    found = False
    for phrase in phrases:
        words, is_there = _without(words, *phrase.split())
        found = found or is_there
    return words, found


def _tokens(text: str, context: _Context) -> list[str]:
    """Words, where `url:"/a b"` is one."""
    if text.count('"') % 2:
        raise BadQuestion("A quote is not closed.", context.working(f'{text}"'))
    return [re.sub(r'"', "", token) for token in re.findall(r'(?:[^\s"]|"[^"]*")+', text)]


_READERS: Mapping[CommandName, Callable[[str, _Context], Question]] = MappingProxyType(
    {"usage": _usage, "apiaudit": _audit, "logs": _logs}
)
