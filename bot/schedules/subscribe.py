"""Parses `subscribe`, `subscriptions` and `unsubscribe` (pure)."""

from __future__ import annotations

import contextlib
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
from bot.questions.windows import WEEKDAYS
from bot.questions.windows.dates import DAY_NUMBERS
from bot.schedules.recurrence import MOST_WORDS, AmbiguousHour, find_recurrence, read_recurrence

# Words for how often, before a time or alone.
_HOW_OFTEN = frozenset(
    {"every", "each", "weekly", "monthly", "biweekly", "fortnightly", "yearly", "quarterly"}
)
_LONG_INTERVALS = ("month", "quarter", "year")
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
# An hour without minutes and half, where a time may be: `at 5`, `@5`, `9&5`.
_TYPED_HOUR = re.compile(
    r"(?:(?<!\S)(?:at|and)\s+|[@&,;/]\s*)(?P<hour>\d{1,2})(?![\w:%]|\.\d)", re.IGNORECASE
)
_BEGINS_TIME = re.compile(r"at|@.*", re.IGNORECASE)
# Two numbers that are hardly two times.
_TWO_NUMBERS = re.compile(r"(?P<hour>\d{1,2}) (?P<minute>[0-5]\d)(?P<days>(?: .+)?)")
# A time after these belongs to the window.
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
        """The words after the question."""
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
    rest, last = _split_forms(command, rest, usual)
    is_canvas = True in last
    try:
        found, first = _read_times(command, rest, usual)
    except BadQuestion as error:
        if is_canvas:
            error.hint += " as canvas"
        raise
    forms = first | last
    if len(forms) > 1:
        raise BadQuestion(
            "A digest is a message, or kept in a canvas, and not both.",
            f"/{command} subscribe {found.query or usual} {found.when} as canvas",
        )
    return replace(found, as_canvas=True in forms)


def _read_times(command: CommandName, rest: str, usual: str) -> tuple[Subscribe, frozenset[bool]]:
    """The question and its times, and the forms named before the times."""
    words = rest.split()
    try:
        found = find_recurrence(words)
    except AmbiguousHour as error:
        fixed = _with_readings(" ".join(words), error, usual)
        raise BadQuestion(f"{error}.", f"/{command} subscribe {fixed}") from None
    if found is None:
        raise _not_understood(command, rest, usual)
    if odd := _odd_recurrence(found[0]):
        raise _odd(command, found[0][: -len(odd)], odd, usual, found[1])
    before, when, recurrence = found
    # The question keeps its own spaces, such as those of a where(…).
    is_behind = words[: len(before)] == before
    asked = rest.rsplit(maxsplit=len(when))[0] if is_behind and before else " ".join(before)
    asked, forms = _split_forms(command, asked, usual)
    return Subscribe(asked, recurrence.cron, recurrence.description, " ".join(when)), forms


def _with_readings(text: str, error: AmbiguousHour, usual: str, tries: int = 4) -> str:
    """The text with the first reading of each hour that may be in the morning or the afternoon, as
    in `at 5 and 6`. If that gives no schedule, the time is rewritten.
    """
    places = [each for each in _TYPED_HOUR.finditer(text) if int(each["hour"]) == error.hour]
    # An earlier number belongs to the question.
    for place in places[:-4:-1]:
        fixed = text[: place.start("hour")] + error.readings[0] + text[place.end("hour") :]
        try:
            if find_recurrence(fixed.split()):
                return fixed.rstrip(".")
        except AmbiguousHour as another:
            if tries and another.hour != error.hour:
                return _with_readings(fixed, another, usual, tries - 1)
    words = text.split()
    at = next((n for n in reversed(range(len(words))) if _BEGINS_TIME.fullmatch(words[n])), 0)
    return f"{' '.join(words[:at]) or usual} at {error.readings[0]}"


def _split_forms(command: CommandName, text: str, usual: str) -> tuple[str, frozenset[bool]]:
    """The words before `as canvas` or `as message` at their end, and for each form whether it is a
    canvas. Raises BadQuestion for another form.
    """
    forms = set[bool]()
    # A form again would be the same one, or one too many.
    for _ in range(4):
        match = _FORM.search(text)
        # Behind an open parenthesis these are words of a where(…).
        if match is None or text.count("(", 0, match.start()) > text.count(")", 0, match.start()):
            break
        form = match["form"].lower()
        if form not in _FORMS:
            shown = sanitise(match["form"], 40)
            raise BadQuestion(
                f"A digest is a message, or kept in a canvas; “as {shown}” is neither.",
                f"/{command} subscribe {usual} at 09:00 on weekdays as canvas",
            )
        forms.add(_FORMS[form])
        text = text[: match.start()].rstrip()
    return text, frozenset(forms)


def _odd_recurrence(words: Sequence[str]) -> list[str]:
    """The words at the end for an interval that is not supported: `every 2 days`, `weekly`."""
    tail = [word.lower() for word in words[-3:]]
    for size in range(len(tail), 0, -1):
        # A word within a where(…) is not a schedule.
        if tail[-size] in _HOW_OFTEN and not any(")" in word for word in tail[-size:]):
            return list(words[-size:])
    return []


def _odd(
    command: CommandName,
    before: Sequence[str],
    odd: Sequence[str],
    usual: str,
    when: Sequence[str] = (),
) -> BadQuestion:
    """The refusal of an interval. Its example has the time that was typed, and the nearest days."""
    shown_words = sanitise(" ".join(odd), 40)
    asked = list(before)
    with contextlib.suppress(AmbiguousHour):
        # The time may be on either side of the interval.
        if not when and (found := find_recurrence(asked)):
            asked = list(found[0])
            when = found[1]
    time = " ".join(when) or "at 09:00"
    fixed = f"{time} {_nearest_days(odd)}"
    return BadQuestion(
        (
            f"“{shown_words}” is not supported. Use every 1, 2, 3, 4, 6, 8 or 12 hours, every 15, 20 or "
            "30 minutes, or days with a time."
        ),
        f"/{command} subscribe {' '.join(asked) or usual} "
        f"{fixed if _is_recurrence(fixed.split()) else time}",
    )


def _nearest_days(odd: Sequence[str]) -> str:
    """The days that are meant by an interval, as far as digests have them."""
    words = [word.lower().rstrip(",;.") for word in odd]
    weekdays = [DAY_NUMBERS.get(word.removesuffix("s")) for word in words]
    named = [f"{WEEKDAYS[number]}s" for number in weekdays if number is not None]
    if named:
        return f"on {' and '.join(named)}"
    if any(word.startswith(_LONG_INTERVALS) for word in words):
        return "on the 1st"
    return "every day" if words[-2:] in (["every", "day"], ["each", "day"]) else "on mondays"


def _not_understood(command: CommandName, rest: str, usual: str) -> BadQuestion:
    """The error for words without a time that can be read."""
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
            if days and _is_recurrence(["at", "09:00", "on", *days.split()])
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
        # The question about an ambiguous hour repeats it as it was typed.
        with contextlib.suppress(AmbiguousHour):
            found = find_recurrence([*words[:place], *at])
            if found and "at" in found[1]:
                return " ".join([*(found[0] or [usual]), *found[1]])
    return ""


def _is_recurrence(words: Sequence[str]) -> bool:
    with contextlib.suppress(AmbiguousHour):
        return read_recurrence(words) is not None
    return False


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
        asked = " ".join(words[:at]) or usual
        if error := _with_minutes(command, asked, words[at + 1 :]):
            return error
        if error := _no_days(command, asked, words[at:]):
            return error
        return BadQuestion(
            (
                f"“{shown_words}” is not a time. Use a time such as 9am or 17:30, and the days. Times are "
                "in the bot's time zone."
            ),
            f"/{command} subscribe {asked} {_readable_time(words[at:])}",
        )
    days = _days_at_end(words)
    asked = " ".join(words[: len(words) - len(days)]) or usual
    return BadQuestion(
        "When? Add a time, and the days if it is not every day.",
        f"/{command} subscribe {asked} at 09:00 {' '.join(days) or 'on weekdays'}",
    )


def _readable_time(words: Sequence[str]) -> str:
    """The longest beginning of the words that is a time, such as `at 07:30` of `at 07:30 tomorrow`;
    else an example.
    """
    for end in range(min(len(words), MOST_WORDS), 1, -1):
        if _is_recurrence(words[:end]):
            return " ".join(words[:end])
    return "at 09:00 on weekdays"


def _days_at_end(words: Sequence[str]) -> Sequence[str]:
    """The words at the end that are days without a time, such as `on the 5th` or `tuesdays`."""
    for begin in range(max(len(words) - MOST_WORDS, 0), len(words)):
        before = words[begin - 1].lower() if begin else ""
        # `since monday` and `last friday` are windows; in `last week tuesdays` days follow one.
        is_window = before in _BEFORE_TIMES | {"last", "this", "past", "week"}
        if is_window and not words[begin].lower().endswith("s"):
            continue
        if _is_recurrence(["at", "09:00", *words[begin:]]):
            return words[begin:]
    return ()


def _with_minutes(command: CommandName, asked: str, time: Sequence[str]) -> BadQuestion | None:
    """The error for `at 9 15`, which may be 09:15; None for other words."""
    match = _TWO_NUMBERS.fullmatch(" ".join(time))
    if match is None:
        return None
    hour = int(match["hour"])
    minute = int(match["minute"])
    fixed = f"at {hour:02}:{minute:02}{match['days']}"
    if not _is_recurrence(fixed.split()):
        return None
    hours = [f"{each:02}:00" for each in (hour, minute) if each < 24]
    either = f", or {hours[0]} and {hours[1]}" if len(hours) == 2 else ""
    return BadQuestion(
        f"“at {match['hour']} {match['minute']}” can be {hour:02}:{minute:02}{either}; specify which.",
        f"/{command} subscribe {asked} {fixed}",
    )


def _no_days(command: CommandName, asked: str, when: Sequence[str]) -> BadQuestion | None:
    """The error for invalid days after a valid time; None for other words."""
    on = next((n for n, word in enumerate(when) if word.lower() == "on"), 0)
    if not on or not _is_recurrence(when[:on]):
        return None
    return BadQuestion(
        f"“{sanitise(' '.join(when[on + 1 :]), 40)}” are not days. Use weekdays, mondays or the 1st.",
        f"/{command} subscribe {asked} {' '.join(when[:on])} on weekdays",
    )
