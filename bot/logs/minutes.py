"""The minutes of a block of lines, as written in the log."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.logs import time_forms, times
from bot.logs.time_forms import Minute
from providers.patterns import compile_pattern

_DIGIT: Final = compile_pattern(rb"\d")
# Notations whose numbers have one or two digits.
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
    "dotted_clock",
    "dotted_short_clock",
    "day_first_clock",
    "american_short",
}


@dataclass(frozen=True, slots=True)
class CountedBlock:
    """The levels of some lines, their minutes as written, the last of these, and the lines of text
    within them whose levels have not been counted yet.
    """

    levels: Counter[str]
    minutes: Counter[bytes]
    last: bytes
    texts: str = ""


def minute_like(written: bytes, form: str) -> tuple[bytes, bool]:
    """A pattern for minutes with the same number of digits, and whether more or fewer digits also
    match. Whether such a minute exists is checked once for each.
    """
    if re.search(rb"[A-SU-Za-z]", written) or form in _LOOSE_FORMS:
        return time_forms.FORM_OF[form].pattern_of_minute(), True
    return any_digits_of(written), False


def seconds_like(written: bytes, form: str) -> bytes:
    """A pattern for the text after a minute, with the same number of digits. In some notations, not
    all digits may differ.
    """
    if form in time_forms.FORMS_WITH_FIXED_DIGITS:
        return time_forms.FORM_OF[form].rest
    return any_digits_of(written)


def rest_like(written: bytes, form: str, *, is_behind_lead: bool) -> bytes:
    """A pattern for the rest of times in one notation. After a number, a clock needs the same
    fraction as this one.
    """
    if is_behind_lead and form == "clock":
        return any_digits_of(written)
    return time_forms.FORM_OF[form].rest


def any_digits_of(written: bytes) -> bytes:
    """A pattern for the same bytes with any digits."""
    return _DIGIT.sub(rb"\\d", re.escape(written))


@dataclass(frozen=True, slots=True)
class CountedMinutes:
    """The minutes of some lines as written, the last of these, and where the lines end."""

    minutes: Counter[bytes]
    last: bytes
    end: int
    # Whether few consecutive lines share a minute.
    has_short_runs: bool


# With fewer runs than this, the result means little.
_FEW_RUNS: Final = 16


def minutes_of_runs(run: re.Pattern[bytes], text: bytes, at: int) -> CountedMinutes:
    """The minutes of consecutive lines of a shape from this place on."""
    found: Counter[bytes] = Counter()
    runs = 0
    last = b""
    match = run.match(text, at)
    while match:
        runs += 1
        last = match[1]
        found[last] += text.count(b"\n", at, match.end())
        at = match.end()
        match = run.match(text, at)
    return CountedMinutes(found, last, at, runs >= _FEW_RUNS and runs * 3 > found.total())


def minutes_of_lines(line: re.Pattern[bytes], text: bytes) -> CountedMinutes | None:
    """The minutes of all lines, which is faster if few consecutive lines share one; None if any
    line has another shape.
    """
    written = line.findall(text)
    if len(written) != text.count(b"\n"):
        return None
    found = Counter(written)
    return CountedMinutes(found, written[-1], len(text), len(found) * 3 > len(written))


# How many minutes are remembered, in all their notations.
_MOST_KNOWN: Final = 50_000


class KnownMinutes:
    """The minutes of the lines of one shape, by their notation: every line of a log may have a
    different one.
    """

    def __init__(self) -> None:
        self._shape: tuple[str, bytes] = ("", b"")
        self._known: dict[bytes, Minute] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return KnownMinutes, ()

    def of(
        self, form: str, behind: bytes, written: Collection[bytes]
    ) -> Mapping[bytes, Minute] | None:
        """The meanings of these minutes and of others seen before; None if any is not a minute."""
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
