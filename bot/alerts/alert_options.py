"""Parses the threshold and the options of a typed alert (pure)."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec.structs import replace

from bot.alerts.paging import ESCALATES_TO, ESCALATION, RECIPIENTS
from bot.alerts.rule import has_value
from bot.alerts.thresholds import (
    END,
    MULTIPLE,
    OF_QUOTA,
    OTHER_UNIT,
    SIGNED_AMOUNT,
    THRESHOLD,
    USUAL,
    USUAL_THRESHOLD,
    in_known_unit,
    is_size_in_mega,
)
from bot.alerts.typed_alert import TypedAlert, Words
from bot.alerts.value_words import (
    NamedValue,
    named_value,
    without_sentence_end,
    without_sentence_words,
)
from bot.errors import BadQuestion
from bot.formatting import sanitise
from bot.questions.amounts import DURATION
from bot.questions.question import CommandName
from bot.questions.reading import read_question
from bot.questions.registry import COMMANDS

# Between blanks, so that `above` within a where(…) in quotes is not taken apart.
# `recover below 4 GB` is about the end of an incident, with any blanks between the words.
_SIDE = re.compile(r"(?i)(?<!\S)(?:(?:recover|resolve)\s+)?(above|below|outside)(?!\S)")
# The windows that may follow the threshold, as in `above 100 in last 1h`.
_WINDOW = r"(?:the )?(?:last|past) (?:\d{1,6} ?)?[a-z]{1,8}|\d{1,6} ?[a-z]{1,8}|today|yesterday"
_OPTION = re.compile(
    rf"(?i)[\s,;]*(?:and\s+)?(?:(recover|resolve)(?:\s+(?:at|above|below|over|under))?\s+({USUAL}|{SIGNED_AMOUNT})"
    rf"|(?:check(?:ed)?\s+)?(every)\s+({DURATION}|second(?![a-z])|minute(?![a-z])|hour(?![a-z])|day(?![a-z])|week(?![a-z]))"
    rf"|(for)(?:\s+(?:at\s+least|more\s+than))?\s+({DURATION})|(repeat)(?:\s+every)?\s+({DURATION})|(keep)(?:\s+firing)?(?:\s+for)?\s+({DURATION})"
    rf"|(no[ _-]?data)(?:\s*=)?\s+([a-z]+)|(each|per|severity)\s+([a-z]+)|(as|named|called)\s+(\x22[^\x22]{{1,100}}\x22|[^\s,;]+)"
    rf"|(runbook)\s+(\S+)|(notify)\s+({RECIPIENTS})|(escalate)\s+({ESCALATION})|(in|within)\s+({_WINDOW})){END}"
)
# Other words for an option.
_SYNONYMS = {
    "resolve": "recover",
    "per": "each",
    "named": "as",
    "called": "as",
    "within": "in",
    "no data": "nodata",
    "no_data": "nodata",
    "no-data": "nodata",
}
# Each option has a group for its name, and the next one for what it is given.
_OPTION_GROUPS = range(1, _OPTION.groups, 2)
# What an option takes, for those that are given something else.
TAKES = {
    "severity": ("severity takes info, warning or critical.", "severity critical"),
    "runbook": ("runbook takes a link.", "runbook https://wiki.example.com/runbook"),
    "notify": ("notify takes people, user groups or targets.", "notify @oncall"),
    "escalate": (ESCALATES_TO, "escalate after 15m to @oncall"),
}
MOST_WORDS_BEHIND = 6
# The value with the words of a sentence around it.
LONGEST_VALUE = 100
# Words of the question: a window or a filter.
_OF_QUESTION = re.compile(
    r"(?i)(?:the |over the )?(?:last|past|this|since|today|yesterday)(?!\S)|\d{1,6} ?[a-z]{1,8}(?!\S)|[a-z_]{1,40}:\S"
)
# Whether words are a question must not depend on the day.
_AFTER_ANY_WINDOW = datetime(2100, 1, 1, tzinfo=UTC)
_WORD = re.compile(r"\s*(\S*)")


def sides_of(text: str) -> list[re.Match[str]]:
    """Each `above`, `below` and `outside` in the text that may begin the condition."""
    return [side for side in _SIDE.finditer(text) if side.start() == side.start(1)]


def read_condition(typed: TypedAlert) -> tuple[re.Match[str], Words, Mapping[str, Words]]:
    """The condition of an alert that has one: its side, its threshold and the options after that.
    Raises BadQuestion.
    """
    # The last side after which everything can be read; an earlier one belongs to the question, such
    # as to a where(…).
    first, *others = sides_of(typed.text)
    # Hints are made by reading again, which would take long for each place that is tried.
    without_hints = replace(typed, explain=False)
    for side in reversed(others):
        with contextlib.suppress(BadQuestion):
            return side, *_read_tail(without_hints, side)
    return first, *_read_tail(typed, first)


def _read_tail(typed: TypedAlert, side: re.Match[str]) -> tuple[Words, Mapping[str, Words]]:
    """The threshold and the options after it."""
    text = typed.text
    at = side.end()
    # Before an amount, because `2x usual` begins with a number.
    if usual := USUAL_THRESHOLD.match(text, at):
        return Words(usual[1], usual.span(1)), _options(typed, side, usual.end())
    if side[1].lower() == "outside":
        raise _outside_without_usual(typed, side)
    if multiple := MULTIPLE.match(text, at):
        shown = sanitise(multiple["factor"], 40)
        message = f"“{shown}” of what? Use {shown} usual, or an amount."
        raise typed.refused(message, multiple.span("factor"), f"{shown} usual")
    amount = THRESHOLD.match(text, at)
    # A part of `5 gigs` is a number, which must not be taken for the threshold.
    if error := _wrong_unit(typed, side, amount):
        raise error
    if not amount:
        word = _WORD.match(text, at)
        assert word is not None
        shown = sanitise(word[1], 40)
        message = f"“{shown}” is not a threshold." if shown else "Above or below what?"
        threshold = fitting_threshold(typed, side.start())
        raise typed.refused(message, word.span(1), threshold)
    return Words(amount[1], amount.span(1)), _options(typed, side, amount.end())


def _outside_without_usual(typed: TypedAlert, side: re.Match[str]) -> BadQuestion:
    word = _WORD.match(typed.text, side.end())
    assert word is not None
    amount = THRESHOLD.match(typed.text, side.end())
    span = amount.span(1) if amount else word.span(1)
    return typed.refused("outside takes usual.", span, "usual")


def _wrong_unit(
    typed: TypedAlert, side: re.Match[str], amount: re.Match[str] | None
) -> BadQuestion | None:
    """The error for a part of the quota or an unknown unit; None where there is neither."""
    text = typed.text
    at = side.end()
    if has_value(typed.command, "quota_percent") and (part := OF_QUOTA.match(text, at)):
        return typed.refused(
            "For a share of the quota, use the value quota_percent.",
            (start_of_value(typed, side), part.end()),
            f"quota_percent {side[1]} {part['number']}",
        )
    other = OTHER_UNIT.match(text, at)
    if not other:
        return None
    named = _value_before(typed, side)
    value = named.value if named else ""
    is_read = amount and amount.end() == other.end()
    if is_read and not is_size_in_mega(other[0], value):
        return None
    shown = sanitise(other[0].strip(), 40)
    message = f"“{shown}” is not a threshold; sizes are in B, kB, MB, GB or TB."
    return typed.refused(message, (at, other.end()), in_known_unit(other))


def _options(typed: TypedAlert, side: re.Match[str], at: int) -> dict[str, Words]:
    """The options from a place to the end of the text, by name."""
    text = typed.text
    options = dict[str, Words]()
    # From one option to the next, each matched where the last one ended, so that the time is
    # linear.
    while at < len(text.rstrip(" .\t\n")):
        option = _OPTION.match(text, at)
        if not option:
            raise _unknown_option(typed, side, at)
        # The pattern has one alternative for each kind of option, so one name is set.
        number = next(n for n in _OPTION_GROUPS if option[n])
        name = option[number].lower()
        name = _SYNONYMS.get(name, name)
        if name in options:
            raise typed.refused(f"`{name}` is given twice.", option.span(), "")
        options[name] = Words(
            option[number + 1].strip(), option.span(number + 1), option.start(number)
        )
        at = option.end()
    return options


def _unknown_option(typed: TypedAlert, side: re.Match[str], at: int) -> BadQuestion:
    """The error for words that are not an option."""
    rest = typed.text[at:].strip()
    # The name is right and its value is not.
    if takes := TAKES.get(rest.partition(" ")[0].lower()):
        message, right = takes
        return typed.refused(message, (at, len(typed.text)), right)
    if error := _value_behind(typed, side, at) or _question_behind(typed, side, at):
        return error
    message = (
        f"“{sanitise(rest, 40)}” is not an option; the options are recover, every, for, repeat, keep, "
        "each, nodata, severity, runbook, notify, escalate, in and as."
    )
    return typed.refused(message, (at, len(typed.text)), "")


def _value_behind(typed: TypedAlert, side: re.Match[str], at: int) -> BadQuestion | None:
    """The error for a value after the threshold, as in `above 20 failures`; None for other words,
    or if a value is named before the threshold.
    """
    word = _WORD.match(typed.text, at)
    assert word is not None
    value = word[1].rstrip(",;.")
    is_value = has_value(typed.command, value.lower())
    if not is_value or _value_before(typed, side):
        return None
    threshold = typed.text[side.start() : at].strip()
    message = f"Name the value before {side[1].lower()}: {value} {threshold}."
    # Without the `is` of a sentence, which is no word of a question.
    return typed.refused(message, (start_of_value(typed, side), word.end()), f"{value} {threshold}")


def _question_behind(typed: TypedAlert, side: re.Match[str], at: int) -> BadQuestion | None:
    """The error for words of the question after the threshold, as in `above 20 last 1h`; its
    example has them before it. None for other words.
    """
    end = words_before_options(typed.text, at)
    words = typed.text[at:end].strip(" \t\n,;.")
    if not _OF_QUESTION.match(words):
        return None
    start = start_of_value(typed, side)
    named = _value_before(typed, side)
    value = named.words if named else ""
    asked = without_sentence_words(typed.text[:start].strip())
    threshold = f"{value} {typed.text[side.start() : at].strip()}".strip()
    message = f"“{sanitise(words, 40)}” belongs to the question, before the threshold."
    if not typed.explain or _is_question(typed, f"{asked} {words}"):
        return typed.refused(message, (start, end), f"{words} {threshold}")
    if not _is_question(typed, asked):
        return BadQuestion(message, COMMANDS[typed.command].alert_example(typed.directory))
    # A second window, or a filter that is there already.
    message = f"“{sanitise(words, 40)}” cannot be added to “{sanitise(asked, 40)}”."
    return typed.refused(message, (start, end), threshold)


def _is_question(typed: TypedAlert, asked: str) -> bool:
    try:
        read_question(
            typed.command,
            asked,
            typed.directory,
            now=_AFTER_ANY_WINDOW,
            zone=UTC,
            # What a rule watches is not to be guessed.
            sentences=False,
        )
    except BadQuestion:
        return False
    return True


def words_before_options(text: str, at: int) -> int:
    """The position at which the first option begins."""
    # A few words; each is tried as the beginning of an option.
    words = list(itertools.islice(re.compile(r"\S+").finditer(text, at), MOST_WORDS_BEHIND))
    return next((word.start() for word in words if _OPTION.match(text, word.start())), len(text))


def fitting_threshold(typed: TypedAlert, end: int) -> str:
    """A threshold for the value that the text names before `end`."""
    # Each refused suggestion is read once more, so the look at what is before it is bounded.
    before = without_sentence_end(typed.text[max(0, end - LONGEST_VALUE) : end])
    named = named_value(typed.command, before, typed.directory)
    return _usual_threshold(typed.command, named.value if named else "")


def _usual_threshold(command: CommandName, value: str) -> str:
    """A threshold that fits a value of a command, or the default one where none is named."""
    values = COMMANDS[command].values
    if not value or value == values.default:
        return values.usual_threshold
    # As `read_threshold` reads them.
    if value.endswith("_ms"):
        return "2s"
    if "bytes" in value:
        return "5 GB"
    # Percentages, days and counts are plain numbers.
    return "20"


def start_of_value(typed: TypedAlert, side: re.Match[str]) -> int:
    """The position of the value right before `above`, `below` or `is above`, or the end of the
    question if there is no value.
    """
    before = without_sentence_end(typed.text[: side.start()])
    named = _value_before(typed, side)
    return len(before) - len(named.words) if named else len(before)


def _value_before(typed: TypedAlert, side: re.Match[str]) -> NamedValue | None:
    """The value right before `above` or `below`; None if there is none."""
    before = without_sentence_end(typed.text[: side.start()])
    return named_value(typed.command, before, typed.directory)
