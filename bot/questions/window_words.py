"""The words of windows, and the windows that misspelt words may mean."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

from bot.formatting import sanitise
from bot.questions.windows import MONTHS, UNITS, WEEKDAYS

# The shortest prefix that is accepted for an account's name.
SHORTEST_BEGINNING = 3
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
# Words of a window that do not begin the name of an account or a log either.
NO_NAMES = frozenset(
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
        "first",
        "before",
        "latest",
        "recent",
    ]
)
# The longest of them, with letters typed twice.
LONGEST_WINDOW_WORD = 16
_STATUS = re.compile(r"([45]\d\d)s")


def guesses(words: Sequence[str]) -> Iterator[list[str]]:
    """Windows that were possibly meant, most likely first, computed lazily."""
    nearest = [_nearest(word) for word in words]
    if names_time(nearest):
        yield nearest
    yield ["last", *nearest]
    yield ["since", *nearest]
    for length in range(len(nearest) - 1, 0, -1):
        for at in range(len(nearest) - length + 1):
            if names_time(nearest[at : at + length]):
                yield nearest[at : at + length]


def names_time(words: Sequence[str]) -> bool:
    """Whether one of the words may name a time; without any, reading them would find nothing."""
    return any(
        word.lower() in NO_NAMES or word.lower() in UNITS or any(map(str.isdigit, word))
        for word in words
    )


def _nearest(word: str) -> str:
    """The window word that a misspelt word was probably meant to be; any other word is unchanged."""
    lowered = word.lower()
    if (
        # The comparison is slow, so it is made only for words that can be mistyped.
        lowered in WINDOW_WORDS
        or not lowered.isalpha()
        or not SHORTEST_BEGINNING <= len(lowered) <= LONGEST_WINDOW_WORD
    ):
        return lowered if word.isalpha() else word
    near = difflib.get_close_matches(lowered, WINDOW_WORDS, n=1, cutoff=0.7)
    return near[0] if near else lowered


def status_in(window: str) -> str:
    """The status code in `500s`, which may mean seconds as well; empty for other words."""
    found = _STATUS.fullmatch(window)
    return found[1] if found else ""


def unread(typed: str, window: str, command: str) -> str:
    """Which of the words could not be read, or, where one is misspelt, what was probably meant."""
    left = typed.split()
    for word in window.split():
        if word not in left:
            return f"“{sanitise(typed, 40)}” is not a window; did you mean “{window}”?"
        left.remove(word)
    words = sanitise(" ".join(left), 40)
    return (
        f"“{words}” could not be read; did you mean “{window}”, without it? `/{command} help` lists "
        "the words."
    )
