"""Parses `subscribe`, `subscriptions` and `unsubscribe` (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from bot.errors import BadQuestion
from bot.formatting import sanitise
from bot.questions.managing import SUBSCRIPTION_WORDS
from bot.questions.question import AccountDirectory, CommandName
from bot.questions.registry import COMMANDS
from bot.schedules.recurrence import MOST_WORDS, AmbiguousHour, find_recurrence, read_recurrence

# Words for how often, before a time or alone.
_HOW_OFTEN = frozenset(
    {"every", "each", "weekly", "monthly", "biweekly", "fortnightly", "yearly", "quarterly"}
)
# The last `at` begins the time; an earlier one belongs to the question.
_TIME = re.compile(
    r"(?P<question>.*)(?<!\S)at\s+(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:\s+on\s+(?P<days>.+))?",
    re.IGNORECASE | re.DOTALL,
)
# A time of day with minutes, or with am or pm.
_CLOCK = re.compile(
    r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?(?P<half>am|pm)|(?P<hour_>\d{1,2})[:.](?P<minute_>\d{2})"
)
# How a digest is shown, at the end of the words or right before the times.
_FORM = re.compile(r"(?:^|\s)as\s+(?:an?\s+)?(?P<form>[a-z-]{1,40})\s*$", re.IGNORECASE)
_FORMS: Mapping[str, bool] = MappingProxyType({"canvas": True, "message": False, "messages": False})
# A time behind these belongs to the window.
_BEFORE_TIMES = frozenset({"since", "from", "to", "until", "till", "between", "and", "-", "at"})


@dataclass(frozen=True, slots=True)
class Subscribe:
    """A question and its times. `cron` has five fields; `description` is how they were read."""

    query: str
    cron: str
    description: str
    # The words of the times, as they were typed.
    when: str = field(default="", compare=False)
    as_canvas: bool = False

    @property
    def words(self) -> str:
        """What is typed behind the question."""
        return f"{self.when}{' as canvas' if self.as_canvas else ''}"


class Unsubscribe(Struct, frozen=True):
    number: int


SubscriptionCommand = Subscribe | Unsubscribe | Literal["list"]


def parse_subscription(
    command: CommandName, text: str, directory: AccountDirectory
) -> SubscriptionCommand | None:
    """The command, or None if the words are a question to answer now. Raises BadQuestion."""
    verb, _, rest = text.strip().partition(" ")
    verb = verb.lower()
    rest = rest.strip()
    if verb not in SUBSCRIPTION_WORDS:
        return None
    if verb == "subscriptions":
        return "list"
    if verb == "unsubscribe":
        if not re.fullmatch(r"#?\d{1,9}", rest):
            raise BadQuestion("Which subscription? Give its number.", f"/{command} subscriptions")
        return Unsubscribe(int(rest.removeprefix("#")))
    return _subscribe(command, rest, directory)


def _subscribe(command: CommandName, rest: str, directory: AccountDirectory) -> Subscribe:
    usual = COMMANDS[command].example_words(directory)
    rest, is_canvas = _split_form(command, rest, usual)
    try:
        found = _read_times(command, rest, usual)
    except BadQuestion as error:
        if is_canvas:
            error.hint += " as canvas"
        raise
    return replace(found, as_canvas=found.as_canvas or is_canvas)


def _read_times(command: CommandName, rest: str, usual: str) -> Subscribe:
    words = rest.split()
    try:
        found = find_recurrence(words)
    except AmbiguousHour as error:
        # The last number is the hour; earlier ones belong to the question.
        hour = next(word for word in reversed(words) if word.rstrip(",;").isdigit())
        fixed = " ".join(error.readings[0] if word is hour else word for word in words)
        raise BadQuestion(f"{error}.", f"/{command} subscribe {fixed}") from None
    if found is None:
        raise _not_understood(command, rest, usual)
    if odd := _odd_recurrence(found[0]):
        raise _odd(command, found[0][: -len(odd)], odd, usual)
    before, when, recurrence = found
    # The question keeps its own spaces, such as those of a where(…).
    is_behind = words[: len(before)] == before
    asked = rest.rsplit(maxsplit=len(when))[0] if is_behind and before else " ".join(before)
    asked, is_canvas = _split_form(command, asked, usual)
    return Subscribe(
        asked, recurrence.cron, recurrence.description, " ".join(when), as_canvas=is_canvas
    )


def _split_form(command: CommandName, text: str, usual: str) -> tuple[str, bool]:
    """The words before `as canvas` or `as message` at their end, and whether it is a canvas. Raises
    BadQuestion for another form.
    """
    match = _FORM.search(text)
    # Behind an open parenthesis these are words of a where(…).
    if match is None or text.count("(", 0, match.start()) > text.count(")", 0, match.start()):
        return text, False
    rest = text[: match.start()].rstrip()
    form = match["form"].lower()
    if form in _FORMS:
        return rest, _FORMS[form]
    shown = sanitise(match["form"], 40)
    raise BadQuestion(
        f"A digest is a message, or kept in a canvas; “as {shown}” is neither.",
        f"/{command} subscribe {usual} at 09:00 on weekdays as canvas",
    )


def _odd_recurrence(words: Sequence[str]) -> list[str]:
    """The words at the end for an interval that is not supported: `every 2 days`, `weekly`."""
    tail = [word.lower() for word in words[-3:]]
    for size in range(len(tail), 0, -1):
        # A word within a where(…) is no schedule.
        if tail[-size] in _HOW_OFTEN and not any(")" in word for word in tail[-size:]):
            return list(words[-size:])
    return []


def _odd(
    command: CommandName, before: Sequence[str], odd: Sequence[str], usual: str
) -> BadQuestion:
    shown_words = sanitise(" ".join(odd), 40)
    return BadQuestion(
        (
            f"“{shown_words}” is not supported. Use every 1, 2, 3, 4, 6, 8 or 12 hours, every 15, 20 or "
            "30 minutes, or days with a time."
        ),
        f"/{command} subscribe {' '.join(before) or usual} at 09:00 on mondays",
    )


def _not_understood(command: CommandName, rest: str, usual: str) -> BadQuestion:
    """The refusal of words without a time that can be read."""
    words = rest.split()
    if fixed := _with_at(words, usual):
        return BadQuestion("When? Put “at” before the time.", f"/{command} subscribe {fixed}")
    if odd := _odd_recurrence(words):
        return _odd(command, words[: -len(odd)], odd, usual)
    match = _TIME.fullmatch(rest)
    if match is None:
        return _no_time(command, words, usual)
    asked = match["question"].strip() or usual
    hour = int(match["hour"])
    minute = int(match["minute"])
    days = (match["days"] or "").strip()
    if hour > 23 or minute > 59:
        kept = (
            f" on {days}"
            if days and read_recurrence(["at", "09:00", "on", *days.split()])
            else " on weekdays"
        )
        return BadQuestion(
            f"{match['hour']}:{match['minute']} is not a time of day.",
            f"/{command} subscribe {asked} at 09:00{kept}",
        )
    shown = f"/{command} subscribe {asked} at {hour:02}:{minute:02} on weekdays"
    return BadQuestion(
        f"“{sanitise(days, 40)}” are not days. Use weekdays, mondays or the 1st.", shown
    )


def _with_at(words: Sequence[str], usual: str) -> str:
    """The words with `at` put before a time of day near their end, as in `last 7 days 9am`; empty
    if that gives no schedule.
    """
    for place in range(len(words) - 1, max(len(words) - MOST_WORDS, 0) - 1, -1):
        # What is before the end of a where(…) belongs to the question.
        if ")" in words[place]:
            return ""
        is_apart = place + 1 < len(words) and words[place + 1].lower() in ("am", "pm")
        clock = _CLOCK.fullmatch((words[place] + (words[place + 1] if is_apart else "")).lower())
        if not clock or (place and words[place - 1].lower() in _BEFORE_TIMES):
            continue
        hour = int(clock["hour"] or clock["hour_"])
        minute = int(clock["minute"] or clock["minute_"] or 0)
        if clock["half"]:
            hour = hour % 12 + (12 if clock["half"] == "pm" else 0)
        at = ["at", f"{hour:02}:{minute:02}", *words[place + 1 + is_apart :]]
        found = find_recurrence([*words[:place], *at])
        if found and "at" in found[1]:
            return " ".join([*(found[0] or [usual]), *found[1]])
    return ""


def _no_time(command: CommandName, words: Sequence[str], usual: str) -> BadQuestion:
    lowered = [word.lower() for word in words]
    # Near the end only, where a time would be.
    at = len(words) - 1 - lowered[::-1].index("at") if "at" in lowered[-8:] else -1
    if (
        at >= 0
        and any(char.isdigit() for word in words[at + 1 :] for char in word)
        and not any(")" in word for word in words[at:])
    ):
        shown_words = sanitise(" ".join(words[at:]), 40)
        return BadQuestion(
            (
                f"“{shown_words}” is not a time. Use a time such as 9am or 17:30, and the days. Times are "
                "in the bot's time zone."
            ),
            f"/{command} subscribe {' '.join(words[:at]) or usual} at 09:00 on weekdays",
        )
    asked = " ".join(words) or usual
    return BadQuestion(
        "When? Add a time, and the days if it is not every day.",
        f"/{command} subscribe {asked} at 09:00 on weekdays",
    )
