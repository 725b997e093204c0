"""Parses the words that create an alert, such as `today above 5 GB for 10m`, into a `CreateAlert`
(pure).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from msgspec import Struct

from bot.alerts.alert_options import (
    TAKES,
    fitting_threshold,
    read_condition,
    sides_of,
    start_of_value,
    words_before_options,
)
from bot.alerts.baseline import Usual
from bot.alerts.paging import (
    NO_PAGING,
    Paging,
    Severity,
    read_escalation,
    read_link,
    read_recipients,
    read_severity,
)
from bot.alerts.rule import NAME, SHORTEST_EVERY
from bot.alerts.thresholds import (
    USUAL_THRESHOLD,
    WrongAmount,
    read_threshold,
    read_usual,
)
from bot.alerts.typed_alert import TypedAlert, Words
from bot.alerts.value_words import named_value, value_of, without_sentence_words
from bot.errors import BadQuestion
from bot.questions.amounts import NUMBER, AmbiguousAmount, read_duration
from bot.questions.question import AccountDirectory, CommandName
from bot.questions.registry import COMMANDS

_SIDES = ("above", "below", "outside")
# What people write for `above` and `below`, right before an amount.
_OTHER_SIDE = re.compile(
    r"(?i)(?<!\S)(?:(?P<above>>=?|=>|over|exceeds?|exceeding|(?:more|greater|higher|larger) than|at least)"
    r"|(?P<below><=?|=<|under|(?:less|fewer|lower|smaller) than|at most))\s*(?=\d|usual(?!\S))"
)
# A change in percent: `drops by 30 %`, `up 20%`.
_CHANGE = re.compile(
    r"(?i)(?<!\S)(?:(?P<down>drops?|dropped|falls?|fell|decreases?|declines?|down|shrinks?)"
    r"|(?:rises?|rose|increases?|grows?|grew|jumps?|climbs?|up))(?:\s+by)?\s+(?:more\s+than\s+)?"
    rf"(?P<amount>{NUMBER}\s*(?:%|percent))(?=\s|$)"
)
# `no calls` and `calls == 0`.
_NO_VALUE = re.compile(
    r"(?i)(?<!\S)(?:no|zero|0)\s{1,3}(?P<value>[a-z_]{1,40}(?:\.[a-z]{1,20})?)(?=[\s,;]|\.?\s*$)"
)
_NO_DATA = re.compile(r"(?i)(?<!\S)no\s{1,3}data(?=[\s,;]|\.?\s*$)")
_IS_ZERO = re.compile(
    r"(?i)(?:(?<![=!<>])==?|(?<!\S)(?:is|are|equals?|equal to)(?!\S))\s{0,3}(?:0|zero)"
    r"(?:\s?(?:b|bytes?))?(?=[\s,;]|\.?$)"
)
_EQUAL = re.compile(
    r"(?:(?P<not>!=|<>)|(?<![=!<>])==?)\s{0,3}(?P<amount>\d[\d.,]{0,20})(?!\S*[=<>])"
)
_VERSUS = re.compile(r"(?i)(?<=\s)(?:vs\.?|versus|compared)\s")
_OF = re.compile(r"(?i)^(?:in|of)\s+")
# What a comparison compares by itself, beside the name of its command.
_COMPARED = frozenset({"calls", "bytes", "lines"})
USUAL_EVERY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class CreateAlert:
    """An alert as it was typed. `query` is its question without the command; an empty `name` means
    that one is to be chosen. With `usual` the threshold follows what is usual, and `threshold` and
    `recover` say nothing.
    """

    query: str
    value: str
    side: Literal["above", "below", "outside"]
    threshold: float
    recover: float | None = None
    every: timedelta = USUAL_EVERY
    for_: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)
    repeat: timedelta | None = None
    each: str = ""
    no_data: str = "hold"
    name: str = ""
    paging: Paging = NO_PAGING
    usual: Usual | None = None
    # The words after the question, as they were typed.
    condition: str = field(default="", compare=False)


def parse_alert(command: CommandName, text: str, directory: AccountDirectory) -> CreateAlert:
    """The alert that the words describe. Raises BadQuestion."""
    return _parsed(TypedAlert(command, text, directory, _parsed))


def _parsed(typed: TypedAlert) -> CreateAlert:
    if sides_of(typed.text):
        return _Reader(typed, *read_condition(typed)).alert()
    if none := _none(typed):
        return _parsed(none)
    raise _no_side(typed)


def _none(typed: TypedAlert) -> TypedAlert | None:
    """The same alert with `calls below 1` for `no calls` and `calls == 0`, and with `days_missing
    above 0` for `no data`; None if the words do not ask for none of a value.
    """
    if found := typed.outside_clauses(_NO_DATA):
        # What is missing is not zero, and has a value of its own where it is known.
        if missing := named_value(typed.command, "no data", typed.directory):
            return typed.with_words(found.span(), f"{missing.value} above 0")
        return None
    if found := typed.outside_clauses(_NO_VALUE):
        named = named_value(typed.command, found["value"], typed.directory)
        if named and (least := _least(typed.command, named.value)):
            return typed.with_words(found.span(), f"{found['value']} below {least}")
    if found := typed.outside_clauses(_IS_ZERO):
        before = typed.text[: found.start()].strip()
        _, value = value_of(typed.command, before, typed.directory)
        if least := _least(typed.command, value):
            return typed.with_words(found.span(), f"below {least}")
    return None


def _least(command: CommandName, value: str) -> str:
    """The smallest amount of a value that is not none; empty where it may be a fraction."""
    if not COMMANDS[command].values.is_whole(value):
        return ""
    return "1 B" if "bytes" in value else "1"


def _no_side(typed: TypedAlert) -> BadQuestion:
    """The error for words without `above` or `below`. Its example replaces a misspelt one, or adds
    one at the end.
    """
    message = "When does it fire? Add above or below with a value, or outside usual."
    if change := _CHANGE.search(typed.text):
        return typed.refused(message, *_as_comparison(typed, change))
    for other in reversed(list(_OTHER_SIDE.finditer(typed.text))):
        return typed.refused(message, other.span(), str(other.lastgroup))
    if equal := typed.outside_clauses(_EQUAL):
        side = "above" if equal["not"] or equal["amount"] != "0" else "below"
        right = equal["amount"] if side == "above" else "1"
        return typed.refused(message, equal.span(), f"{side} {right}")
    if unusual := re.search(r"(?i)(?<!\S)unusual(?!\S)", typed.text):
        return typed.refused(message, unusual.span(), "outside usual")
    # Near the end, where the threshold is; the comparison is slow.
    for word in list(re.finditer(r"\S+", typed.text))[-12:]:
        near = difflib.get_close_matches(word[0][:20].lower(), _SIDES, n=1, cutoff=0.75)
        if near:
            return typed.refused(message, word.span(), near[0])
    end = len(typed.text)
    return typed.refused(message, (end, end), f"above {fitting_threshold(typed, end)}")


def _as_comparison(typed: TypedAlert, change: re.Match[str]) -> tuple[tuple[int, int], str]:
    """The part of an alert on a change in percent to replace, and its replacement: `24h up 20%
    failures` is `24h failures vs previous above 20%`.
    """
    amount = change["amount"].replace(" ", "")
    side = f"below -{amount}" if change["down"] else f"above {amount}"
    end = words_before_options(typed.text, change.end())
    asked = _OF.sub("", typed.text[change.end() : end].strip(" \t\n,;."))
    if asked.lower() in typed.text[: change.start()].lower().split():
        asked = ""
    # The percentage is that of the default value.
    elif asked.lower() in _COMPARED | {typed.command}:
        asked = ""
        side = f"change_percent {side}"
    versus = _VERSUS.search(typed.text, 0, change.start())
    # Against the window before, where the question names no other.
    start = versus.start() if versus else change.start()
    compared = typed.text[start : change.start()].strip() or "vs previous"
    return (start, end), " ".join(filter(None, [asked, compared, side]))


class _Reader(Struct, frozen=True):
    """Reads the parts of an alert whose words were found."""

    typed: TypedAlert
    side: re.Match[str]
    threshold: Words
    options: Mapping[str, Words]

    def alert(self) -> CreateAlert:
        typed = self.typed
        side = self.side
        before = without_sentence_words(typed.text[: side.start()].strip())
        # The last word before `above` may name the value.
        query, value = value_of(typed.command, before, typed.directory)
        usual = self._usual()
        is_above = side[1].lower() == "above"
        behind = typed.text[side.start() :]
        window = self.options.get("in")
        if window:
            # The window belongs to the question, also if it comes after the threshold.
            behind = f"{typed.text[side.start() : window.start]}{typed.text[window.span[1] :]}"
        amount = self._amount(self.threshold, value) if usual is None else 0.0
        recover = self._recover(amount, value, is_above=is_above) if usual is None else None
        return CreateAlert(
            f"{query} {window.text}".strip() if window else query,
            value,
            side[1].lower(),  # type: ignore[arg-type]
            amount,
            recover,
            every=self._every(),
            for_=self._length("for") or timedelta(0),
            keep_firing_for=self._length("keep") or timedelta(0),
            repeat=self._length("repeat") or None,
            each=self._each(),
            no_data=self._no_data(),
            name=self._name(),
            usual=usual,
            paging=self._paging(),
            condition=f"{before[len(query) :].strip()} {behind}".strip(),
        )

    def _usual(self) -> Usual | None:
        """The threshold that follows what is usual; None where it is an amount."""
        if not USUAL_THRESHOLD.fullmatch(self.threshold.text):
            return None
        side = self.side[1].lower()
        factor = self._factor(self.threshold)
        if side == "outside" and factor is not None:
            raise self._refused("outside takes usual.", self.threshold, "usual")
        recover = self.options.get("recover")
        if recover is None:
            return Usual(side, factor)
        if factor is None:
            span = (recover.start, recover.span[1])
            message = "recover takes a factor below that of the threshold, such as 2x usual."
            raise self.typed.refused(message, span, "")
        resolve_at = self._factor(recover)
        # A resolve threshold beyond the threshold would resolve while in breach.
        if resolve_at is None or (resolve_at > factor if side == "above" else resolve_at < factor):
            where = "at or below" if side == "above" else "at or above"
            message = f"recover must be a multiple of usual {where} the threshold."
            raise self._refused(message, recover, self.threshold.text)
        return Usual(side, factor, resolve_at)

    def _factor(self, words: Words) -> float | None:
        try:
            return read_usual(words.text)
        except AmbiguousAmount as error:
            raise self._refused(f"{error}.", words, f"{error.readings[0]}x usual") from None
        except WrongAmount as error:
            right = error.right if words is self.threshold else self.threshold.text
            raise self._refused(str(error), words, right) from None

    def _amount(self, words: Words, value: str) -> float:
        try:
            return read_threshold(words.text, value, self.typed.command)
        except AmbiguousAmount as error:
            raise self._refused(f"{error}.", words, error.readings[0]) from None
        except WrongAmount as error:
            is_threshold = words is self.threshold
            # The amount fits another value, such as a percentage that of quota_percent.
            if is_threshold and error.value:
                span = (start_of_value(self.typed, self.side), words.span[1])
                right = f"{error.value} {self.side[1]} {error.right}"
                raise self.typed.refused(str(error), span, right) from None
            # The same number with a unit, or else what the threshold is.
            fits = is_threshold or words.text.split()[0] in error.right.split()
            right = error.right if fits else self.threshold.text
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
            length = read_duration(words.text)
            # `every hour`.
            length = read_duration(f"1 {words.text}") if length is None else length
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
        each = words.text.lower()
        subjects = COMMANDS[self.typed.command].values.subjects
        if each in subjects:
            return each
        # The example replaces the option with its name.
        start = words.start
        if not subjects:
            message = f"/{self.typed.command} cannot be split by each."
            right = ""
        else:
            message = f"each takes {' or '.join(subjects)}."
            right = f"each {subjects[0]}"
        raise self.typed.refused(message, (start, words.span[1]), right)

    def _no_data(self) -> str:
        words = self.options.get("nodata")
        if words is None:
            return "hold"
        if words.text.lower() not in ("hold", "alert", "ok"):
            raise self._refused("nodata takes hold, alert or ok.", words, "hold")
        return words.text.lower()

    def _paging(self) -> Paging:
        after, to = self._escalation()
        return Paging(
            severity=self._severity(),
            runbook=self._runbook(),
            notify=self._recipients(self.options.get("notify"), "notify @oncall"),
            escalate_after=after,
            escalate_to=to,
        )

    def _severity(self) -> Severity:
        words = self.options.get("severity")
        if words is None:
            return ""
        severity = read_severity(words.text)
        if not severity:
            raise self._refused(TAKES["severity"][0], words, "critical")
        return severity

    def _runbook(self) -> str:
        words = self.options.get("runbook")
        if words is None:
            return ""
        try:
            return read_link(words.text)
        except ValueError as error:
            raise self._refused(str(error), words, "https://wiki.example.com/runbook") from None

    def _recipients(self, words: Words | None, right: str) -> tuple[str, ...]:
        if words is None:
            return ()
        try:
            return read_recipients(words.text)
        except ValueError as error:
            raise self._refused(str(error), words, right.rpartition(" ")[2]) from None

    def _escalation(self) -> tuple[timedelta | None, tuple[str, ...]]:
        words = self.options.get("escalate")
        if words is None:
            return None, ()
        right = TAKES["escalate"][1].partition(" ")[2]
        try:
            return read_escalation(words.text)
        except ValueError as error:
            raise self._refused(str(error), words, right) from None

    def _name(self) -> str:
        words = self.options.get("as")
        if words is None:
            return ""
        name = " ".join(words.text.strip('"').split())
        if name and not NAME.fullmatch(name):
            message = "A name has letters, digits, dots and dashes; put one with spaces in quotes."
            raise self._refused(message, words, "ingest-spike")
        return name

    def _refused(self, message: str, words: Words, right: str) -> BadQuestion:
        return self.typed.refused(message, words.span, right)
