"""The minutes of a block of lines, as they are written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.logs import times
from bot.logs.times import Minute
from providers.patterns import compile_pattern

_DIGIT: Final = compile_pattern(rb"\d")
# Forms whose numbers have one digit or two.
_LOOSE_FORMS: Final = {
    "compact_date",
    "loose_iso",
    "oracle_date",
    "numbers",
    "month_day_year",
    "day_month_year",
    "day_month",
    "kitchen_clock",
    "six_digits",
    "american_short",
}


@dataclass(frozen=True, slots=True)
class CountedBlock:
    """The levels of some lines, their minutes as they are written, and the last of these; lines of
    text within them whose levels are still to be counted.
    """

    levels: Counter[str]
    minutes: Counter[bytes]
    last: bytes
    texts: str = ""


def minute_like(written: bytes, form: str) -> tuple[bytes, bool]:
    """A pattern for minutes of as many digits, and whether it fits more or fewer; whether there is
    such a minute is looked at once for each.
    """
    if re.search(rb"[A-SU-Za-z]", written) or form in _LOOSE_FORMS:
        return times.FORM_OF[form].pattern_of_minute(), True
    return any_digits_of(written), False


def seconds_like(written: bytes, form: str) -> bytes:
    """A pattern for what follows a minute, with as many digits; of some forms, not all digits
    are free.
    """
    if form in times.FORMS_WITH_FIXED_DIGITS:
        return times.FORM_OF[form].rest
    return any_digits_of(written)


def rest_like(written: bytes, form: str, *, is_behind_lead: bool) -> bytes:
    """A pattern for the rest of times of a form. Behind a number, a clock needs the fraction that
    this one has.
    """
    if is_behind_lead and form == "clock":
        return any_digits_of(written)
    return times.FORM_OF[form].rest


def any_digits_of(written: bytes) -> bytes:
    """A pattern for the same bytes with any digits in place of these."""
    return _DIGIT.sub(rb"\\d", re.escape(written))


@dataclass(frozen=True, slots=True)
class CountedMinutes:
    """The minutes of some lines as they are written, the last of these, and where the lines end."""

    minutes: Counter[bytes]
    last: bytes
    end: int
    # Whether few lines in a row share a minute.
    has_short_runs: bool


# Fewer runs than that show little.
_FEW_RUNS: Final = 16


def minutes_of_runs(run: re.Pattern[bytes], text: bytes, at: int) -> CountedMinutes:
    """Those of the lines of a shape that follow each other from there."""
    found: Counter[bytes] = Counter()
    runs = 0
    last = b""
    match = run.match(text, at)
    while match:
        runs = runs + 1
        last = match[1]
        found[last] += text.count(b"\n", at, match.end())
        at = match.end()
        match = run.match(text, at)
    return CountedMinutes(found, last, at, runs >= _FEW_RUNS and runs * 3 > found.total())


def minutes_of_lines(line: re.Pattern[bytes], text: bytes) -> CountedMinutes | None:
    """Those of all lines, which is quicker where few lines in a row share one; None where some lines
    have another shape.
    """
    written = line.findall(text)
    if len(written) != text.count(b"\n"):
        return None
    found = Counter(written)
    return CountedMinutes(found, written[-1], len(text), len(found) * 3 > len(written))


# So many minutes are remembered, by all the ways in which they were written.
_MOST_KNOWN: Final = 50_000


class KnownMinutes:
    """The minutes of the lines of one shape by how they are written: a log may have one of its own
    in each line.
    """

    def __init__(self) -> None:
        self._shape: tuple[str, bytes] = ("", b"")
        self._known: dict[bytes, Minute] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return KnownMinutes, ()

    def of(
        self, form: str, behind: bytes, written: Collection[bytes]
    ) -> Mapping[bytes, Minute] | None:
        """What these mean, and others that were seen before; None where one is no minute."""
        if self._shape != (form, behind):
            self._shape = (form, behind)
            self._known = {}
        new = [each for each in written if each not in self._known]
        if len(self._known) + len(new) > _MOST_KNOWN:
            self._known = {}
            new = [*written]
        found = times.minutes_of(form, new, behind) if new else {}
        for each, minute in found.items():
            if minute is None:
                return None
            self._known[each] = minute
        return self._known
