"""Two windows in the words of a question: `this month vs last month`, `today vs yesterday same
hours`, `last 7 days vs previous`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from types import MappingProxyType

from msgspec.structs import replace

from bot.errors import BadQuestion
from bot.formatting import sanitise
from bot.questions.comparison_words import ComparedWords, split_comparison
from bot.questions.context import Context
from bot.questions.question import QuestionParts
from bot.questions.windows import (
    WEEKDAYS,
    ParsedWindow,
    TwoReadings,
    reading_of,
)
from bot.questions.windows.alignment import (
    Comparison,
    aligned,
    moved_back,
    on_day,
    window_before,
)
from bot.questions.windows.calendar import Reading
from bot.questions.windows.lengths import Length, read_length
from bot.questions.windows.tokens import UnknownText, tokens_of

_PREVIOUS = frozenset(
    [
        *("previous", "before", "prior", "preceding", "the one before", "one before"),
        *(
            f"{word} {what}"
            for word in ("previous", "the previous", "prior", "the prior", "preceding")
            for what in ("one", "period", "window", "time")
        ),
        *("the period before", "period before", "the window before", "the time before"),
        *("the previous", "the preceding period", "period over period"),
    ]
)
_BEFORE = frozenset({"previous", "prior", "preceding"})
_EARLIER = frozenset({"ago", "before", "earlier", "prior"})
_YEAR_OF_WEEKS = Length(52 * 7 * 86_400, is_daily=True)
_DAY = Length(86_400, is_daily=True)
_WEEK = Length(7 * 86_400, is_daily=True)
_SAME_BY_UNIT = MappingProxyType(
    {
        "yesterday": _DAY,
        **{f"{word} day": _DAY for word in ("last", "previous")},
        **{f"{word} week": _WEEK for word in ("last", "previous")},
        **{f"{word} month": Length(months=1) for word in ("last", "previous")},
        **{f"{word} quarter": Length(months=3) for word in ("last", "previous")},
        **{f"{word} year": Length(months=12) for word in ("last", "previous")},
    }
)
_WEEKLY = ("weekend", *WEEKDAYS)
# `the night before`, `the monday before`.
_NAMED_BEFORE = MappingProxyType(
    {
        **dict.fromkeys(("night", "morning", "afternoon", "evening"), _DAY),
        **dict.fromkeys(_WEEKLY, _WEEK),
    }
)
# What is compared where only the second window is named.
_FIRST = MappingProxyType(
    {"yesterday": "today"}
    | {
        f"{word} {unit}": f"this {unit}"
        for word in ("last", "previous", "prior")
        for unit in ("week", "month", "quarter", "year")
    }
)


def read_windows(parts: QuestionParts, context: Context) -> tuple[ParsedWindow, Comparison | None]:
    """The window of a question, or the comparison of its two windows. Raises BadQuestion with the
    rest of the question as its hint.
    """
    words = _split(parts, context)
    if words is None:
        return context.window(parts), None
    comparison = _compared(parts, words, context)
    if comparison.obstacle and context.command.whole_days:
        comparison = replace(comparison, instead=_whole_days_instead(parts, words, context))
    return comparison.window, comparison


def _compared(parts: QuestionParts, words: ComparedWords, context: Context) -> Comparison:
    first_words = words.first or _FIRST.get(words.second.lower(), "")
    first = _first_window(parts, first_words, words, context)
    reading = reading_of(
        parts.window, now=context.now, zone=context.zone, whole_days=context.command.whole_days
    )
    with working_hint(_usual_line(parts, context, first_words)):
        second = _second_window(parts, first_words, first, words, context, reading)
        return aligned(first, second, reading)


def _whole_days_instead(parts: QuestionParts, words: ComparedWords, context: Context) -> str:
    """The same comparison with complete windows: for `today vs yesterday` yesterday and the day
    before it, for `this week vs last week` on a Monday the two weeks before.
    """
    for window in (f"{words.second} vs previous", f"yesterday vs {words.second}"):
        both = split_comparison(window)
        with contextlib.suppress(BadQuestion):
            if both and not _compared(replace(parts, window=window), both, context).obstacle:
                return window
    return ""


def _split(parts: QuestionParts, context: Context) -> ComparedWords | None:
    """The words of both windows; None where there is one alone. Raises BadQuestion for more than
    two.
    """
    words = split_comparison(parts.window)
    if words is not None and words.third:
        line = context.working(str(replace(parts, window=f"{words.first} vs {words.second}")))
        raise BadQuestion("Two windows are compared at a time.", line)
    return words


def _first_window(
    parts: QuestionParts, words: str, both: ComparedWords, context: Context
) -> ParsedWindow:
    same = " same hours" if both.same else ""
    rest = f"vs {both.second}{same} {parts.rest}".strip()
    return context.window(QuestionParts(parts.subject, _weekday(words), rest))


def _second_window(
    parts: QuestionParts,
    first_words: str,
    first: ParsedWindow,
    words: ComparedWords,
    context: Context,
    reading: Reading,
) -> ParsedWindow:
    second = words.second
    if not second:
        if words.same:
            raise BadQuestion("The same hours of which day? Add it, such as yesterday.")
        raise BadQuestion("A comparison takes two windows.")
    if relative := _relative_window(first, words, reading):
        return relative
    if second.lower().endswith(" before last"):
        latest = f"last {second.lower().removeprefix('the ').removesuffix(' before last')}"
        return window_before(_read_second(latest, first_words, parts, context), reading)
    found = _read_second(second, first_words, parts, context)
    if words.same:
        day = found.named.start.astimezone(reading.zone).date()
        last = (found.named.end - timedelta(microseconds=1)).astimezone(reading.zone).date()
        if day != last:
            raise BadQuestion(
                f"“{sanitise(second, 40)}” is not one day, so its hours cannot be compared."
            )
        return on_day(first, day, reading)
    if found.named == first.named and second.lower().removeprefix("the ").split()[0] in _BEFORE:
        return window_before(first, reading)
    return found


def _relative_window(
    first: ParsedWindow, words: ComparedWords, reading: Reading
) -> ParsedWindow | None:
    """The second window if its words are relative to the first: `previous`, `a week ago`,
    `yesterday` with the same hours.
    """
    second = words.second.lower()
    # `last hour` alone is the last 60 minutes.
    is_hour_before = (words.first.lower(), second) == ("this hour", "last hour")
    if second in _PREVIOUS and _are_weekdays(words.first, first, reading):
        return moved_back(first, _WEEK, reading)
    # `last monday vs previous monday`.
    head, _, day = second.removeprefix("the ").partition(" ")
    if head in _BEFORE and day in _WEEKLY and day in words.first.lower():
        return moved_back(first, _WEEK, reading)
    if second in _PREVIOUS or is_hour_before:
        return window_before(first, reading)
    if length := _earlier(words.second, reading):
        return moved_back(first, length, reading)
    if words.same and (length := _SAME_BY_UNIT.get(second)):
        # A week of last year that has the same weekdays.
        is_week = _own_days(first, reading) == 7 and length.months == 12
        return moved_back(first, _YEAR_OF_WEEKS if is_week else length, reading)
    return None


def _read_second(
    words: str, first_words: str, parts: QuestionParts, context: Context
) -> ParsedWindow:
    subject = f"{parts.subject} {first_words} vs".strip()
    second = QuestionParts(subject, _weekday(words), parts.rest)
    try:
        return context.window(second)
    except BadQuestion as error:
        # The usual window is seldom one to compare with; without a hint there is a better one.
        if error.hint == context.usual(second):
            error.hint = ""
        raise


def _are_weekdays(words: str, window: ParsedWindow, reading: Reading) -> bool:
    """Whether the words name several days by their weekdays, such as a weekend: those before them are
    the same ones of the week before.
    """
    named = any(name in words.lower() for name in ("weekend", *_WEEKDAY_NAMES))
    is_date = any(char.isdigit() for char in words)
    return named and not is_date and 2 <= _own_days(window, reading) <= 6


_WEEKDAY_NAMES = tuple(name[:3] for name in WEEKDAYS)


def _own_days(window: ParsedWindow, reading: Reading) -> int:
    start, end = (
        each.astimezone(reading.zone).date() for each in (window.named.start, window.named.end)
    )
    return (end - start).days if window.by_day else 0


def _weekday(words: str) -> str:
    """A bare `monday` is the last one."""
    return f"last {words}" if words.lower() in WEEKDAYS else words


def _earlier(words: str, reading: Reading) -> Length | None:
    """`a week ago`, `the month before`, `7 days earlier`: how much earlier than the first window."""
    typed = words[4:] if words[:4].lower() == "the " else words
    body, _, last = typed.rpartition(" ")
    if last.lower() not in _EARLIER or not body:
        return None
    if last.lower() != "ago" and (length := _NAMED_BEFORE.get(body.lower())):
        return length
    for text in (body, f"1 {body}"):
        with contextlib.suppress(UnknownText, TwoReadings):
            if length := read_length(tokens_of(text), reading):
                if reading.whole_days and not (length.days or length.months):
                    raise reading.refused("Data usage is recorded by day, not by hour or minute")
                return length
    return None


def _usual_line(parts: QuestionParts, context: Context, first: str) -> str:
    """The same question with a second window that works."""
    window = f"{first or context.command.example_window} vs previous"
    return context.working(str(replace(parts, window=window)))


@contextlib.contextmanager
def working_hint(line: str) -> Iterator[None]:
    """Adds this hint to a BadQuestion that has none."""
    try:
        yield
    except BadQuestion as error:
        error.hint = error.hint or line
        raise
