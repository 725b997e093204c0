"""The words by which people have a question asked again and again: `subscribe`, `subscriptions`, `unsubscribe` (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from bot.errors import BadQuestion
from bot.question import CommandName, Directory, example
from bot.words import inert

WORDS = ("subscribe", "subscriptions", "unsubscribe")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# The last `at` is the one that says when; one before it belongs to the question.
_TIME = re.compile(
    r"(?P<question>.*)(?<!\S)at\s+(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:\s+on\s+(?P<days>.+))?", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Ask this question at these times. `cron` has five fields; `said` is how the times were read."""

    words: str
    cron: str
    said: str


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    number: int


Wish = Subscribe | Unsubscribe | Literal["list"]


def read_wish(command: CommandName, text: str, directory: Directory) -> Wish | None:
    """What is wished for, or None where the words are a question to be answered now. Raises BadQuestion."""
    verb, _, rest = text.strip().partition(" ")
    verb, rest = verb.lower(), rest.strip()
    if verb not in WORDS:
        return None
    if verb == "subscriptions":
        return "list"
    if verb == "unsubscribe":
        if not re.fullmatch(r"#?\d{1,9}", rest):
            raise BadQuestion("Which subscription? Give its number.", f"/{command} subscriptions")
        return Unsubscribe(int(rest.removeprefix("#")))
    return _subscribe(command, rest, directory)


def _subscribe(command: CommandName, rest: str, directory: Directory) -> Subscribe:
    match = _TIME.fullmatch(rest)
    asked = (match["question"] if match else rest).strip() or example(command, directory).partition(" ")[2]
    shown = f"/{command} subscribe {asked} at 09:00 on weekdays"
    if match is None:
        raise BadQuestion("When? Say a time, and the days where it is not every day.", shown)
    hour, minute = int(match["hour"]), int(match["minute"])
    if hour > 23 or minute > 59:
        raise BadQuestion(f"{match['hour']}:{match['minute']} is no time of day.", shown)
    days = _days((match["days"] or "").lower().strip())
    if days is None:
        raise BadQuestion(f"I do not know the days “{inert(match['days'], 40)}”; say weekdays, mondays or the 1st.", shown)
    day_of_month, weekday, said = days
    return Subscribe(
        match["question"].strip(), f"{minute} {hour} {day_of_month} * {weekday}", f"at {hour:02d}:{minute:02d} {said}"
    )


def _days(text: str) -> tuple[str, str, str] | None:
    """Day of the month and weekday as cron has them, and how they are said."""
    if text in ("", "every day", "days", "all days"):
        return "*", "*", "every day"
    if text in ("weekdays", "weekday"):
        return "*", "mon-fri", "on weekdays"
    if text in ("weekends", "weekend"):
        return "*", "sat,sun", "on weekends"
    if match := re.fullmatch(r"the (\d{1,2})(?:st|nd|rd|th)?", text):
        day = int(match[1])
        return (str(day), "*", f"on the {day}{_ordinal(day)} of the month") if 1 <= day <= 31 else None
    named = [word.removesuffix("s") for word in re.split(r"\s*,\s*|\s+and\s+", text)]
    if not all(name in _WEEKDAYS for name in named):
        return None
    ordered = [name for name in _WEEKDAYS if name in named]
    return "*", ",".join(name[:3] for name in ordered), "on " + " and ".join(name.capitalize() + "s" for name in ordered)


def _ordinal(day: int) -> str:
    return "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
