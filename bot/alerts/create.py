"""The words that make an alert: `today above 5 GB for 10m`, read into a `CreateAlert` (pure)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal

from bot import formatting
from bot.alerts.rule import NAME, SHORTEST_EVERY, has_value
from bot.alerts.thresholds import (
    OF_QUOTA,
    OTHER_UNIT,
    THRESHOLD,
    WrongAmount,
    in_known_unit,
    read_threshold,
)
from bot.amounts import AMOUNT, DURATION, AmbiguousAmount
from bot.errors import BadQuestion
from bot.formatting import sanitise
from bot.questions.question import AccountDirectory, CommandName
from bot.questions.registry import COMMANDS

_SIDE = re.compile(r"(?i)(?<!\S)(above|below)(?!\S)")
_OPTION = re.compile(
    rf"(?i)\s*(?:(recover)\s+({AMOUNT})|(every|for|repeat|keep)\s+({DURATION})|(each|nodata)\s+([a-z]+)|(as)\s+(\x22[^\x22]{{1,100}}\x22|\S+))(?=\s|$)"
)
# What people write for `above` and `below`, right before an amount.
_OTHER_SIDE = re.compile(
    r"(?i)(?<!\S)(?:(?P<above>>=?|over|exceeds?|exceeding|(?:more|greater|higher|larger) than|at least)"
    r"|(?P<below><=?|under|(?:less|fewer|lower|smaller) than|at most))\s*(?=\d)"
)
USUAL_EVERY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class CreateAlert:
    """An alert as it was typed. `query` is its question without the command; an empty `name` means
    that one is to be chosen.
    """

    query: str
    value: str
    side: Literal["above", "below"]
    threshold: float
    recover: float | None = None
    every: timedelta = USUAL_EVERY
    for_: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)
    repeat: timedelta | None = None
    each: str = ""
    no_data: str = "hold"
    name: str = ""
    # The words after the question, as they were typed.
    condition: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class _Typed:
    """An alert as it was typed. Every refusal shows the same alert with only the wrong words
    changed; without `explain` refusals have no example.
    """

    command: CommandName
    text: str
    directory: AccountDirectory
    explain: bool = True
    # An example that is wrong in another place, too, is corrected there, so many times.
    repairs: int = 3

    def refused(self, message: str, span: tuple[int, int], right: str) -> BadQuestion:
        """A refusal whose example has `right` in the place of the wrong words."""
        if not self.explain:
            return BadQuestion(message)
        start, end = span
        before, after = self.text[:start].rstrip(), self.text[end:].lstrip()
        text = " ".join(filter(None, [before, right, after]))
        usual = COMMANDS[self.command].alert_example(self.directory)
        return BadQuestion(message, self._working(text) or usual)

    def _working(self, text: str) -> str:
        """The line of an alert that can be read: the text itself, or what its own refusal
        offers.
        """
        if not self.repairs:
            return ""
        try:
            _parsed(replace(self, text=text, repairs=self.repairs - 1))
        except BadQuestion as error:
            return error.hint
        return f"/{self.command} alert {text}".strip()


@dataclass(frozen=True, slots=True)
class _Words:
    """Some words, and where they are in the text."""

    text: str
    span: tuple[int, int]


def parse_alert(command: CommandName, text: str, directory: AccountDirectory) -> CreateAlert:
    """The alert that the words describe. Raises BadQuestion."""
    return _parsed(_Typed(command, text, directory))


def _parsed(typed: _Typed) -> CreateAlert:
    sides = list(_SIDE.finditer(typed.text))
    if not sides:
        raise _no_side(typed)
    # The last one behind which everything can be read; an earlier one belongs to the question, such
    # as to a where(…).
    first = sides[0]
    for side in reversed(sides[1:]):
        quiet = replace(typed, explain=False)
        try:
            threshold, options = _tail(quiet, side)
        except BadQuestion:
            continue
        return _Reader(typed, side, threshold, options).alert()
    return _Reader(typed, first, *_tail(typed, first)).alert()


def _no_side(typed: _Typed) -> BadQuestion:
    """The refusal of words without `above` and `below`: its example has one in the place of a word
    that is nearly one, or at the end.
    """
    message = "At which value does it fire? Say above or below, and how much."
    for other in reversed(list(_OTHER_SIDE.finditer(typed.text))):
        return typed.refused(message, other.span(), str(other.lastgroup))
    for word in list(re.finditer(r"\S+", typed.text))[-12:]:
        near = difflib.get_close_matches(word[0][:20].lower(), ("above", "below"), n=1, cutoff=0.75)
        if near:
            return typed.refused(message, word.span(), near[0])
    end = len(typed.text)
    return typed.refused(message, (end, end), f"above {_usual(typed.command)}")


def _usual(command: CommandName) -> str:
    """A threshold for the default value of a command."""
    return COMMANDS[command].values.usual_threshold


def _tail(typed: _Typed, side: re.Match[str]) -> tuple[_Words, Mapping[str, _Words]]:
    """The threshold and the options behind it."""
    text, at = typed.text, side.end()
    amount = THRESHOLD.match(text, at)
    if error := _wrong_unit(typed, side, amount):
        raise error
    if not amount:
        word = _WORD.match(text, at)
        assert word is not None
        shown = sanitise(word[1], 40)
        message = f"“{shown}” is no threshold." if shown else "Above or below what?"
        raise typed.refused(message, word.span(1), _usual(typed.command))
    return _Words(amount[1], amount.span(1)), _options(typed, amount.end())


_WORD = re.compile(r"\s*(\S*)")


def _wrong_unit(
    typed: _Typed, side: re.Match[str], amount: re.Match[str] | None
) -> BadQuestion | None:
    """The refusal of a part of the quota, or of a unit that is not read; None where there is
    neither.
    """
    text, at = typed.text, side.end()
    if has_value(typed.command, "quota_percent") and (part := OF_QUOTA.match(text, at)):
        return typed.refused(
            "The part of the quota is the value quota_percent.",
            (_start_of_value(typed, side), part.end()),
            f"quota_percent {side[1]} {part['number']}",
        )
    other = OTHER_UNIT.match(text, at)
    if not other or (amount and amount.end() == other.end()):
        return None
    shown = sanitise(other[0].strip(), 40)
    message = f"“{shown}” is no threshold; sizes are in B, kB, MB, GB or TB."
    return typed.refused(message, (at, other.end()), in_known_unit(other))


def _options(typed: _Typed, at: int) -> dict[str, _Words]:
    """The options from a place to the end of the text, by name."""
    text, options = typed.text, dict[str, _Words]()
    while at < len(text.rstrip()):
        option = _OPTION.match(text, at)
        if not option:
            shown = sanitise(text[at:].strip(), 40)
            message = (
                f"I do not understand “{shown}”; there are recover, every, for, repeat, keep, "
                "each, nodata and as."
            )
            raise typed.refused(message, (at, len(text)), "")
        number = next(n for n in (1, 3, 5, 7) if option[n])
        name = option[number].lower()
        if name in options:
            raise typed.refused(f"`{name}` is given twice.", option.span(), "")
        options[name] = _Words(option[number + 1].strip(), option.span(number + 1))
        at = option.end()
    return options


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the parts of an alert whose words were found."""

    typed: _Typed
    side: re.Match[str]
    threshold: _Words
    options: Mapping[str, _Words]

    def alert(self) -> CreateAlert:
        typed, side = self.typed, self.side
        before = typed.text[: side.start()].strip()
        query, value = _value_of(typed.command, before)
        is_above = side[1].lower() == "above"
        amount = self._amount(self.threshold, value)
        recover = self._recover(amount, value, is_above=is_above)
        return CreateAlert(
            query,
            value,
            "above" if is_above else "below",
            amount,
            recover,
            every=self._every(),
            for_=self._length("for") or timedelta(0),
            keep_firing_for=self._length("keep") or timedelta(0),
            repeat=self._length("repeat") or None,
            each=self._each(),
            no_data=self._no_data(),
            name=self._name(),
            condition=f"{before[len(query) :].strip()} {typed.text[side.start() :]}".strip(),
        )

    def _amount(self, words: _Words, value: str) -> float:
        try:
            return read_threshold(words.text, value, self.typed.command)
        except AmbiguousAmount as error:
            raise self._refused(f"{error}.", words, error.readings[0]) from None
        except WrongAmount as error:
            is_threshold = words is self.threshold
            if is_threshold and error.value:
                span = (_start_of_value(self.typed, self.side), words.span[1])
                right = f"{error.value} {self.side[1]} {error.right}"
                raise self.typed.refused(str(error), span, right) from None
            right = error.right if is_threshold else self.threshold.text
            raise self._refused(str(error), words, right) from None

    def _recover(self, amount: float, value: str, *, is_above: bool) -> float | None:
        words = self.options.get("recover")
        if words is None:
            return None
        recover = self._amount(words, value)
        if recover > amount if is_above else recover < amount:
            side = "at or below" if is_above else "at or above"
            message = f"recover must be {side} the threshold."
            raise self._refused(message, words, self.threshold.text)
        return recover

    def _length(self, option: str) -> timedelta | None:
        words = self.options.get(option)
        if words is None:
            return None
        try:
            length = formatting.read_duration(words.text)
        except AmbiguousAmount as error:
            raise self._refused(f"{error}.", words, error.readings[0].partition(" ")[0]) from None
        if length is None:
            message = f"“{option}” takes a duration such as 15m, 4h or 2d."
            raise self._refused(message, words, "15m")
        return length

    def _every(self) -> timedelta:
        length = self._length("every")
        if length is None:
            return USUAL_EVERY
        if length < SHORTEST_EVERY:
            raise self._refused("every is at least 5s.", self.options["every"], "15m")
        return length

    def _each(self) -> str:
        words = self.options.get("each")
        if words is None:
            return ""
        each, subjects = words.text.lower(), COMMANDS[self.typed.command].values.subjects
        if each in subjects:
            return each
        start = self.typed.text.lower().rindex("each", 0, words.span[0])
        if not subjects:
            message, right = f"/{self.typed.command} has nothing to take each of.", ""
        else:
            message, right = f"each takes {' or '.join(subjects)}.", f"each {subjects[0]}"
        raise self.typed.refused(message, (start, words.span[1]), right)

    def _no_data(self) -> str:
        words = self.options.get("nodata")
        if words is None:
            return "hold"
        if words.text.lower() not in ("hold", "alert", "ok"):
            raise self._refused("nodata takes hold, alert or ok.", words, "hold")
        return words.text.lower()

    def _name(self) -> str:
        words = self.options.get("as")
        if words is None:
            return ""
        name = " ".join(words.text.strip('"').split())
        if name and not NAME.fullmatch(name):
            message = "A name is letters, digits, dots and dashes; one with spaces is in quotes."
            raise self._refused(message, words, "ingest-spike")
        return name

    def _refused(self, message: str, words: _Words, right: str) -> BadQuestion:
        return self.typed.refused(message, words.span, right)


def _value_of(command: CommandName, asked: str) -> tuple[str, str]:
    """The question, and the value that is named right behind it, or the default one."""
    if value := _named_value(command, asked):
        return asked[: -len(value)].strip(), value
    return asked, COMMANDS[command].values.default


def _named_value(command: CommandName, asked: str) -> str:
    """The value that the last word names; empty where it names none, or ends a window such as
    `last 7 days`.
    """
    head, _, last = asked.rpartition(" ")
    value = last.lower()
    if not has_value(command, value):
        return ""
    if value in _WINDOW_UNITS and _COUNT.fullmatch(head.rpartition(" ")[2].lower()):
        return ""
    return value


# Values whose names are also units of a window, and what stands before a unit.
_WINDOW_UNITS = frozenset({"days"})
_COUNT = re.compile(
    r"\d{1,6}|last|past|previous|few|two|three|four|five|six|seven|eight|nine|ten|fourteen|thirty"
)


def suggested_value(command: CommandName, asked: str) -> str:
    """The value that the last word of a question was probably meant to be, or an empty string."""
    near = difflib.get_close_matches(
        asked.rpartition(" ")[2].lower(), COMMANDS[command].values.names, n=1, cutoff=0.75
    )
    return near[0] if near else ""


def _start_of_value(typed: _Typed, side: re.Match[str]) -> int:
    """Where the value right before `above` or `below` begins, or, without one, that word itself."""
    before = typed.text[: side.start()].rstrip()
    value = _named_value(typed.command, before)
    return len(before) - len(value) if value else side.start()
