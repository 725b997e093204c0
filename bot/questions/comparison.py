"""Two windows in the words of a question: `this month vs last month`, `today vs yesterday same
hours`, `last 7 days vs previous`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType

from bot.errors import BadQuestion
from bot.formatting import sanitise
from bot.questions.context import Context
from bot.questions.form import (
    FIRST_DAY,
    LAST_DAY,
    WINDOW,
    FormField,
    FormValues,
    read_form_window,
    refused_at,
)
from bot.questions.question import QuestionParts
from bot.questions.windows import (
    WEEKDAYS,
    ParsedWindow,
    TwoReadings,
    reading_of,
    strip_filler_words,
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

# What stands between two windows, the longest first.
_SEPARATORS: tuple[tuple[str, ...], ...] = (
    ("in", "comparison", "to"),
    ("in", "comparison", "with"),
    ("compared", "to"),
    ("compared", "with"),
    ("compared", "against"),
    ("relative", "to"),
    ("vs",),
    ("versus",),
    ("against",),
)
# What stands there after `compare`, in this order of preference.
_AFTER_COMPARE = ("with", "and", "to")
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
_HOURS = frozenset(
    [
        *("hour", "hours", "time", "times", "period", "periods", "part", "span", "point", "days"),
        *("day", "date", "dates", "weekday", "weekdays", "window"),
    ]
)
_LINKS = frozenset({"of", "on", "in", "from", "at", "for", "as", "over"})
_DAY, _WEEK = Length(86_400, is_daily=True), Length(7 * 86_400, is_daily=True)
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
# What is compared where only the second window is named.
_FIRST = MappingProxyType(
    {"yesterday": "today"}
    | {
        f"{word} {unit}": f"this {unit}"
        for word in ("last", "previous", "prior")
        for unit in ("week", "month", "quarter", "year")
    }
)


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of both windows, in lower case, and whether the same hours are asked for."""

    first: str
    second: str
    same: bool


def read_windows(parts: QuestionParts, context: Context) -> tuple[ParsedWindow, Comparison | None]:
    """The window of a question, or the comparison of its two windows. Raises BadQuestion with the
    rest of the question as its hint.
    """
    words = _split(parts, context)
    if words is None:
        return context.window(parts), None
    first_words = words.first or _FIRST.get(words.second, "")
    first = _first_window(parts, first_words, words, context)
    reading = reading_of(
        parts.window, now=context.now, zone=context.zone, whole_days=context.command.whole_days
    )
    with working_hint(_usual_line(parts, context, first_words)):
        second = _second_window(parts, first_words, first, words, context, reading)
        comparison = aligned(first, second, reading)
    return comparison.window, comparison


def split_words(text: str) -> tuple[str, str]:
    """The words of the first window and of the second, as they were typed; the second is empty where
    there is one alone.
    """
    places = list(_places(_plain(text)))
    if not places:
        return text, ""
    words = text.split()
    start, end = places[0]
    return " ".join(words[:start]), " ".join(words[end:])


def is_comparison(text: str) -> bool:
    """Whether the words hold two windows."""
    words = _plain(text)
    return bool(words) and (words[0] == "compare" or bool(list(_places(words))))


def _split(parts: QuestionParts, context: Context) -> _Words | None:
    """The words of both windows; None where there is one alone. Raises BadQuestion for more than
    two.
    """
    words = _plain(parts.window)
    places = list(_places(words))
    if not places and words[:1] == ["compare"]:
        places = _after_compare(words)
        if not places:
            raise BadQuestion(
                "A comparison takes two windows.", _usual_line(parts, context, " ".join(words[1:]))
            )
    if not places:
        return None
    if len(places) > 1:
        first = " ".join(words[: places[0][0]])
        second = " ".join(words[places[0][1] : places[1][0]])
        line = context.working(str(replace(parts, window=f"{first} vs {second}")))
        raise BadQuestion("Two windows are compared at a time.", line)
    start, end = places[0]
    first_words, same_first = _without_same(words[words[:1] == ["compare"] : start])
    second_words, same = _without_same(words[end:])
    return _Words(
        " ".join(strip_filler_words(first_words)),
        " ".join(strip_filler_words(second_words)),
        same or same_first,
    )


def _plain(text: str) -> list[str]:
    """The words in lower case, without the dot of `vs.`."""
    return [word.removesuffix(".") if word == "vs." else word for word in text.lower().split()]


def _places(words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where each separator begins and ends."""
    at = 0
    while at < len(words):
        found = next((s for s in _SEPARATORS if tuple(words[at : at + len(s)]) == s), None)
        if found:
            yield at, at + len(found)
        at += len(found) if found else 1


def _after_compare(words: Sequence[str]) -> list[tuple[int, int]]:
    for separator in _AFTER_COMPARE:
        if words.count(separator) == 1:
            at = words.index(separator)
            return [(at, at + 1)]
    return []


def _without_same(words: Sequence[str]) -> tuple[list[str], bool]:
    """The words without `the same hours of`, and whether that was among them."""
    for at in range(len(words) - 1):
        if words[at] == "same" and words[at + 1].strip(",") in _HOURS:
            start, end = at, at + 2
            if start and words[start - 1] == "the":
                start -= 1
            if start and words[start - 1] in ("at", "for", "over", "during"):
                start -= 1
            if end < len(words) and words[end] in _LINKS:
                end += 1
            return [*words[:start], *words[end:]], True
    return list(words), False


def _first_window(parts: QuestionParts, words: str, both: _Words, context: Context) -> ParsedWindow:
    same = " same hours" if both.same else ""
    rest = f"vs {both.second}{same} {parts.rest}".strip()
    return context.window(QuestionParts(parts.subject, _weekday(words), rest))


def _second_window(
    parts: QuestionParts,
    first_words: str,
    first: ParsedWindow,
    words: _Words,
    context: Context,
    reading: Reading,
) -> ParsedWindow:
    second = words.second
    if second in _PREVIOUS:
        return window_before(first, reading)
    if not second:
        if words.same:
            raise BadQuestion("Say of which day, such as yesterday.")
        raise BadQuestion("A comparison takes two windows.")
    if length := _earlier(second, reading):
        return moved_back(first, length, reading)
    if words.same and (length := _SAME_BY_UNIT.get(second)):
        return moved_back(first, length, reading)
    subject = f"{parts.subject} {first_words} vs".strip()
    found = context.window(QuestionParts(subject, _weekday(second), parts.rest))
    if words.same:
        day = found.named.start.astimezone(reading.zone).date()
        last = (found.named.end - timedelta(microseconds=1)).astimezone(reading.zone).date()
        if day != last:
            raise BadQuestion(f"“{sanitise(second, 40)}” is not one day, of which hours are taken.")
        return on_day(first, day, reading)
    if found.named == first.named and second.removeprefix("the ").split()[0] in _BEFORE:
        return window_before(first, reading)
    return found


def _weekday(words: str) -> str:
    """A bare `monday` is the last one."""
    return f"last {words}" if words in WEEKDAYS else words


def _earlier(words: str, reading: Reading) -> Length | None:
    """`a week ago`, `the month before`, `7 days earlier`: how much earlier than the first window."""
    body, _, last = words.removeprefix("the ").rpartition(" ")
    if last not in _EARLIER or not body:
        return None
    for text in (body, f"1 {body}"):
        with contextlib.suppress(UnknownText, TwoReadings):
            if length := read_length(tokens_of(text), reading):
                if reading.whole_days and not (length.days or length.months):
                    raise reading.refused(
                        "Data usage is known by day, so hours and minutes cannot be asked for"
                    )
                return length
    return None


def _usual_line(parts: QuestionParts, context: Context, first: str) -> str:
    """The same question with a second window that works."""
    window = f"{first or context.command.example_window} vs previous"
    return context.working(str(replace(parts, window=window)))


@contextlib.contextmanager
def working_hint(line: str) -> Iterator[None]:
    """What is refused without a hint has this one."""
    try:
        yield
    except BadQuestion as error:
        error.hint = error.hint or line
        raise


# What a form compares a window with.
COMPARE = "compare"
COMPARE_CHOICES = MappingProxyType(
    {
        "previous": "the period before",
        "a week ago": "a week earlier",
        "a month ago": "a month earlier",
        "a year ago": "a year earlier",
    }
)


def comparison_field() -> FormField:
    """The input for what the window is compared with."""
    return FormField(COMPARE, "Compared with", "choice", "", COMPARE_CHOICES)


def read_form_windows(
    values: FormValues, context: Context
) -> tuple[ParsedWindow, str, Comparison | None]:
    """The window of a form, the words it can be typed with, and the comparison with another one.
    Raises BadQuestion that names the input.
    """
    compared_with = values.get(COMPARE, "")
    words = values.get(WINDOW, "")
    has_days = values.get(FIRST_DAY) or values.get(LAST_DAY)
    if has_days or not is_comparison(words):
        window, words = read_form_window(values, context)
        if not compared_with:
            return window, words, None
        words = f"{words} vs {compared_with}".strip()
    elif compared_with:
        raise BadQuestion(
            "“When” names two windows already; leave this out, or choose one window.",
            context.example,
            field=COMPARE,
        )
    with refused_at(COMPARE if compared_with else WINDOW):
        window, comparison = read_windows(QuestionParts(window=words), context)
    return window, words, comparison
