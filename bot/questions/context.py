"""The context of parsing a question: the accounts, the clock, and how to find an example that
works.
"""

from __future__ import annotations

import contextlib
import difflib
import itertools
import re
from collections.abc import Callable
from datetime import date, datetime, tzinfo

from msgspec import Struct
from msgspec.structs import replace

from bot.errors import BadQuestion, SuggestedQuestion
from bot.formatting import join_words, sanitise
from bot.questions.description import CommandDescription
from bot.questions.question import AccountDirectory, Question, QuestionParts
from bot.questions.window_words import NO_NAMES, SHORTEST_BEGINNING, guesses, unread
from bot.questions.windows import (
    ParsedWindow,
    TwoReadings,
    UnknownWindow,
    read_window,
    strip_filler_words,
    window_of_days,
)
from providers.registry import title_of

# So many windows are tried to find the one that was meant.
MOST_GUESSES = 60
# What an account may be called.
_A_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
# What follows the window where somebody asks for an alert without saying so.
_THRESHOLD = re.compile(r"(?i)\b(?:above|below) -?\d[\d.,]{0,20} ?(?P<unit>[kmgtp]i?b|b|%)?$")
# A hint that is refused itself is mended so many times.
MOST_REPAIRS = 2
# The longest window that people type has nine words: `from Nov 1, 1:00 pm to Nov 2, 2:00 pm`.
MOST_WINDOW_WORDS = 12


class Context(Struct, frozen=True):
    """The context in which a command reads words: the accounts, the clock, and a check that a
    suggested example works.
    """

    command: CommandDescription
    directory: AccountDirectory
    now: datetime
    zone: tzinfo
    text: str
    # A question that works, and how the words of the command are read.
    example: str
    read: Reader
    # How often an example that is refused itself may be mended; 0 while one is tried for the last
    # time.
    repairs: int = MOST_REPAIRS

    @property
    def explains(self) -> bool:
        return self.repairs > 0

    def instead(self, wrong: str, right: str) -> str:
        """The typed question with `wrong` replaced by `right` if that works; else an example that
        works.
        """
        # The rest stays as it was typed, word for word.
        before, _, after = self.text.partition(wrong)
        if right:
            return self.working(f"{before}{right}{after}")
        return self.working(f"{before.rstrip()} {after.lstrip()}")

    def working(self, words: str) -> str:
        """The line with these words if it works; else an example that works."""
        words = words.strip()
        if not self.explains:
            return self.example
        return self.checked(f"/{self.command.name} {words}")

    def checked(self, hint: str) -> str:
        """The line of a hint if it works, or what its error suggests; else an example that works."""
        # Each refusal has a suggestion of its own; counting down keeps this from going on for ever.
        for left in reversed(range(self.repairs)):
            command, _, words = hint.partition(" ")
            is_other = words == "help" or words.startswith("alert ")
            if command != f"/{self.command.name}" or is_other:
                return hint
            try:
                self.read(words.strip(), replace(self, text=words.strip(), repairs=left))
            except BadQuestion as error:
                hint = error.hint
            else:
                return hint
        return self.example

    def accounts(self) -> list[str]:
        """The accounts that the command can ask. Raises BadQuestion if there are none."""
        available = self.directory.of_kind(self.command.kinds)
        if not available:
            raise BadQuestion(
                f"No {self.command.vendors} account is configured.",
                "Add one under [providers] in bot.toml.",
            )
        return available

    def days(self, first: date, last: date) -> ParsedWindow:
        """The window of some days, both included."""
        whole_days = self.command.whole_days
        return window_of_days(first, last, now=self.now, zone=self.zone, whole_days=whole_days)

    def window(self, parts: QuestionParts) -> ParsedWindow:
        """The window of a question. Raises BadQuestion with the same question about the window that
        may have been meant.
        """
        # Before anything else reads them, since the work grows with their number.
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
            # Two readings are never guessed at: the first one is only offered.
            error.hint = f"/{self.command.name} {replace(parts, window=error.readings[0])}"
            raise
        except BadQuestion as error:
            if not self.explains:
                raise
            raise (
                # A mistyped account is among the words of the window, as nothing else recognised
                # it.
                self._suggest_account(parts)
                or self._suggest_alert(parts)
                or (self._suggest_window(parts) if isinstance(error, UnknownWindow) else None)
                or self._unknown_account(parts)
                or error
            ) from None

    def usual(self, parts: QuestionParts) -> str:
        """The same question about a window that works."""
        return f"/{self.command.name} {replace(parts, window=self.command.example_window)}"

    def _read(self, window: str, example: str = "") -> ParsedWindow:
        return read_window(
            window,
            now=self.now,
            zone=self.zone,
            whole_days=self.command.whole_days,
            example=example,
        )

    def is_window(self, text: str) -> bool:
        """Whether the words, up to a limit, are a window."""
        # `limit 500` follows the window of a log.
        before = text.lower().find(" limit")
        try:
            self._read(text[:before] if before >= 0 else text)
        # It names a time, though not one time.
        except TwoReadings:
            return True
        except BadQuestion:
            return False
        return True

    def _suggest_window(self, parts: QuestionParts) -> BadQuestion | None:
        """The error that suggests a window for words that are not one: with misspelt words
        corrected, with `last` or `since` added, or the window among them. None if nothing fits.
        """
        # A guess costs one reading, and there is one for each run of words.
        for guess in itertools.islice(guesses(parts.window.split()), MOST_GUESSES):
            window = " ".join(strip_filler_words(guess))
            with contextlib.suppress(BadQuestion):
                self._read(window)
                if found := self._unknown_account(parts, window):
                    return found
                message = unread(parts.window, window, self.command.name)
                return SuggestedQuestion(
                    message, f"/{self.command.name} {replace(parts, window=window)}"
                )
        return None

    def _suggest_account(self, parts: QuestionParts) -> BadQuestion | None:
        """The error for a word that is nearly the name of an account, or names one of another
        vendor; None for other words.
        """
        accounts = self.directory.of_kind(self.command.kinds)
        # Accounts come first in a question.
        word, _, others = parts.window.partition(" ")
        if near := difflib.get_close_matches(word[:40].lower(), accounts, n=1, cutoff=0.75):
            # The rest of the question is kept where it can be read.
            message = f"There is no account “{sanitise(word, 40)}”; did you mean {near[0]}?"
            try:
                self._read(others or self.command.default_window)
            except BadQuestion:
                others = self.command.example_window
            # A second account that was meant is not the one that is named already.
            typed = parts.subject.split()
            subject = " ".join(typed if near[0] in typed else [*typed, near[0]])
            return SuggestedQuestion(
                message, f"/{self.command.name} {QuestionParts(subject, others, parts.rest)}"
            )
        if word in self.directory.accounts:
            vendor = title_of(self.directory.accounts[word])
            return BadQuestion(
                f"{word} is an account of {vendor}, which /{self.command.name} cannot ask.",
                self.instead(word, ""),
            )
        return None

    def _unknown_account(self, parts: QuestionParts, window: str = "") -> BadQuestion | None:
        """The error for one word before the window, or alone, that is probably meant as an account;
        None for other words.
        """
        word, _, others = parts.window.partition(" ")
        if parts.subject or others != window or word in NO_NAMES or not _A_NAME.fullmatch(word):
            return None
        accounts = self.directory.of_kind(self.command.kinds)
        are = "account is" if len(accounts) == 1 else "accounts are"
        message = f"“{word}” is not a window and not an account; the {are} {join_words(accounts)}."
        window = window or self.command.example_window
        return SuggestedQuestion(message, f"/{self.command.name} {replace(parts, window=window)}")

    def _suggest_alert(self, parts: QuestionParts) -> BadQuestion | None:
        """The error for a threshold among the words, which belongs to an alert; None if there is
        none.
        """
        found = _THRESHOLD.search(parts.window)
        # Data has a unit in an alert, too.
        if not found or (self.command.whole_days and not found["unit"]):
            return None
        window = parts.window[: found.start()].strip()
        value = ""
        if window and not self.is_window(window):
            window, _, value = window.rpartition(" ")
            if value not in self.command.values or (window and not self.is_window(window)):
                return None
        question = f"/{self.command.name} alert {replace(parts, window=window)}".strip()
        # Not a suggestion that a button asks: it would create the alert.
        return BadQuestion(
            "A question has no threshold; an alert has one.",
            " ".join(filter(None, (question, value, found[0].strip()))),
        )

    def accounts_and_window(self, words: list[str]) -> tuple[list[str], list[str]]:
        """The accounts that are named, and the words of the window. At the front, a unique prefix
        of a name is enough; elsewhere a name has to be complete, and not a word of a window.
        """
        taken: list[str] = []
        while len(taken) < len(words) and (
            account := self._account(words[len(taken)].lower().strip(","))
        ):
            taken.append(account)
        others = words[len(taken) :]
        window = list[str]()
        whole = {
            name.lower(): name
            for name in self.directory.of_kind(self.command.kinds)
            if name.lower() not in NO_NAMES
        }
        # `last 7 days eu` is typed as often as the other order.
        for word in others:
            if account := whole.get(word.lower().strip(",?")):
                taken.append(account)
            else:
                window.append(word)
        return list(dict.fromkeys(taken)), strip_filler_words(window)

    def accounts_named(self, word: str) -> list[str]:
        """The account of this name, or else those whose names begin with the word."""
        word = word.lower()
        accounts = {name.lower(): name for name in self.directory.of_kind(self.command.kinds)}
        if word in accounts:
            return [accounts[word]]
        if (
            len(word) < SHORTEST_BEGINNING
            or word in NO_NAMES
            # `20m` must not be read as the account `20m-archive`.
            or not word[0].isalpha()
        ):
            return []
        return [name for lowered, name in accounts.items() if lowered.startswith(word)]

    def _account(self, word: str) -> str | None:
        """The account that a word names. Raises BadQuestion where it is the beginning
        of several.
        """
        begun = self.accounts_named(word)
        if len(begun) > 1:
            raise BadQuestion(
                f"“{sanitise(word, 40)}” may be {join_words(begun)}; specify which.",
                self.instead(word, begun[0]),
            )
        return begun[0] if begun else None


Reader = Callable[[str, Context], Question]
