"""Parses the words for a time range into a window, or a refusal that says what to type instead.

There are two ways to count. For questions that know only days (`/usage`), `7d` is seven calendar
days, including today; elsewhere it reaches exactly that long back from now. A window that reaches
past now ends now. Weeks begin on Monday.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from msgspec import Struct
from msgspec.structs import replace

from bot.errors import BadQuestion
from bot.questions.windows.calendar import (
    DAY,
    Reading,
    TwoReadings,
    UnknownWindow,
    midnight,
    zone_name,
)
from bot.questions.windows.lengths import NUMBERS, UNITS
from bot.questions.windows.partial import part_of_day
from bot.questions.windows.points import split_zone, zone_text_of
from bot.questions.windows.ranges import between_points
from bot.questions.windows.relative import around_point
from bot.questions.windows.short_forms import spelled_out
from bot.questions.windows.single import ago, length_back, refuse_future, since, single
from bot.questions.windows.spans import Span
from bot.questions.windows.tokens import MONTHS, Tokens, UnknownText, tokens_of
from providers.models import Window

# Ten years, and a little more.
LONGEST = timedelta(days=3660)
# In this order each is tried; the first that reads the words wins.
READERS: tuple[Callable[[Tokens, Reading], Span | None], ...] = (
    refuse_future,
    length_back,
    around_point,
    since,
    part_of_day,
    between_points,
    ago,
    single,
)
FILLER_WORDS = frozenset(
    ["and", "about", "approx", "approximately", "around", "roughly", "nearly", "throughout", "during", "everything", "for", "from", "give", "how", "in", "just", "me", "of", "on", "only", "over", "please", "show", "the", "then", "what", "within"]
)  # fmt: skip
_LOOKS_LIKE_DATE = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}.*|\d{4}[/.]\d{1,2}[/.]\d{1,2}.*")


class ParsedWindow(Struct, frozen=True):
    """A window and how the words were read: `15 to 21 Nov 2026 (UTC)`. `by_day` where it is of
    whole days, and not known to the minute. `named_end` is where the words end it, if that is in
    the future.
    """

    window: Window
    label: str
    by_day: bool = True
    asked_at: datetime | None = None
    named_end: datetime | None = None

    @property
    def now(self) -> datetime:
        """When the words were read; the latest possible moment if that is unknown."""
        return self.asked_at or self.window.end

    @property
    def named(self) -> Window:
        """The window as the words name it, not cut at now."""
        return Window(self.window.start, self.named_end or self.window.end)


def strip_punctuation(word: str) -> str:
    """A word without the punctuation that people add at its end."""
    return word.rstrip(",;?!")


def strip_filler_words(words: Sequence[str]) -> list[str]:
    """The words without meaningless ones at either end: `for the last 7 days, please` is `last 7
    days`.
    """
    found = [bare for word in words if (bare := strip_punctuation(word))]
    # Only at the ends: `from` between two times separates them.
    while found and found[0].lower() in FILLER_WORDS and not _keeps_first_word(found):
        del found[0]
    while found and found[-1].lower() in FILLER_WORDS:
        del found[-1]
    return found


def _keeps_first_word(words: Sequence[str]) -> bool:
    """`in 5 hours` and `from 9am` mean something else without their first word."""
    first = words[0].lower()
    follows = words[1].lower() if len(words) > 1 else ""
    if first == "from":
        # `from the 1st`, and not `from the last week`.
        follows = words[2].lower() if follows == "the" and len(words) > 2 else follows
        return follows[:1].isdigit() or follows[:3] in [name[:3] for name in MONTHS]
    return first == "in" and (
        follows[:1].isdigit() or follows in NUMBERS or follows in ("half", "couple")
    )


def read_window(
    words: str, *, now: datetime, zone: tzinfo, whole_days: bool, example: str
) -> ParsedWindow:
    """The window that the words name. Raises BadQuestion, with `example` as its hint, for what is
    none.

    `zone` is where days begin; `whole_days` is for questions that know days and nothing shorter.
    """
    text = " ".join(strip_filler_words(words.split()))
    reading = reading_of(text, now=now, zone=zone, whole_days=whole_days)
    try:
        return _read_or_refuse(words, reading)
    except BadQuestion as error:
        error.hint = example
        raise


def _read_or_refuse(words: str, reading: Reading) -> ParsedWindow:
    """The window of the words. Of two readings only those that can be asked for are offered."""
    try:
        return _fitted(_span(words, reading), reading)
    except TwoReadings as error:
        refusals = [_refusal(each, reading) for each in error.readings]
        usable = [
            each for each, refusal in zip(error.readings, refusals, strict=True) if refusal is None
        ]
        if len(usable) == len(refusals):
            raise
        if not usable:
            raise refusals[0] or error from None
        raise TwoReadings(error.words, tuple(usable)) from None


def _refusal(words: str, reading: Reading) -> BadQuestion | None:
    """Why the words are refused; None for a window."""
    try:
        _fitted(_span(words, replace(reading, text=words)), reading)
    except BadQuestion as error:
        return error
    return None


def reading_of(text: str, *, now: datetime, zone: tzinfo, whole_days: bool) -> Reading:
    """What a text is read against: days are those of the zone, or of UTC where nothing shorter is
    known.
    """
    # Days of usage are counted in UTC.
    return Reading(now, UTC if whole_days else zone, whole_days, text)


def window_of_days(
    first: date, last: date, *, now: datetime, zone: tzinfo, whole_days: bool
) -> ParsedWindow:
    """The window of some days, both included. Raises BadQuestion if they are in the future or
    reversed.
    """
    reading = Reading(now, UTC if whole_days else zone, whole_days, f"{first}..{last}")
    start = midnight(first, reading.zone)
    end = midnight(last + DAY, reading.zone)
    return _fitted(Span(start, end, by_day=True), reading)


def window_between(start: datetime, end: datetime, reading: Reading) -> ParsedWindow:
    """The window between two instants. Raises BadQuestion if it is in the future or empty."""
    by_day = _begins_a_day(start, reading) and _begins_a_day(end, reading)
    return _fitted(Span(start, end, by_day=by_day), reading)


def _span(words: str, reading: Reading) -> Span:
    reading = replace(reading, text=spelled_out(reading))
    try:
        tokens = tokens_of(reading.text)
    except UnknownText as error:
        # What has no message is not a window at all, and may be something else.
        if str(error):
            raise reading.refused(str(error)) from None
        tokens = ()
    if tokens and (found := _read_in_zone(tokens, reading) or _read(tokens, reading)):
        return found
    if _LOOKS_LIKE_DATE.fullmatch(reading.text):
        raise reading.refused(
            f"“{words[:40]}” can be read in more than one way; dates are written 2026-11-01"
        )
    if (
        len(tokens) == 2
        and tokens[0].kind == "number"
        and tokens[1].kind == "word"
        and tokens[1].value not in (*UNITS, "am", "pm")
    ):
        raise UnknownWindow(f"“{tokens[1].text[:20]}” is not a unit of time.")
    raise UnknownWindow(f"“{words[:60]}” is not a window.")


def _read(tokens: Tokens, reading: Reading) -> Span | None:
    for read in READERS:
        if found := read(tokens, reading):
            return found
    return None


def _read_in_zone(tokens: Tokens, reading: Reading) -> Span | None:
    """The words before a zone, read in that zone: `Nov 1 to Nov 3 UTC`."""
    body, zone = split_zone(tokens, reading)
    # Each end may have a zone of its own.
    if zone is None or not body or any(each.kind in ("zone", "offset") for each in body):
        return None
    reading = replace(reading, zone_text=zone_text_of(tokens, body))
    if reading.whole_days:
        found = _read(body, reading)
        if found is None or zone == UTC:
            return found
        raise reading.refused("Days of usage are days of UTC, and cannot be asked for in a zone")
    return _read(body, replace(reading, zone=zone))


def _fitted(span: Span, reading: Reading) -> ParsedWindow:
    """The window of a span, cut at now. Raises BadQuestion for one that is in the future, reversed
    or too long.
    """
    now = reading.now.astimezone(UTC)
    text = reading.text
    start = span.start.astimezone(UTC)
    end = span.end.astimezone(UTC)
    # A window that begins now has no length yet, unless it is a period that has just begun.
    if start > now or (start == now and end >= start and not span.has_begun):
        raise reading.refused(f"“{text}” is in the future")
    if end <= start:
        raise reading.refused(
            f"“{text}” ends before it begins" if end < start else f"“{text}” has no length"
        )
    if end - start > LONGEST:
        raise reading.refused(f"“{text}” is longer than ten years")
    # A window is never empty: a day that begins now is a millisecond long.
    window = Window(start, max(min(end, now), start + timedelta(milliseconds=1)))
    by_day = (
        span.by_day
        and _begins_a_day(start, reading)
        and (reading.whole_days or end >= now or _begins_a_day(end, reading))
    )
    label = _window_label(window, reading, by_day=by_day)
    return ParsedWindow(window, label, by_day, reading.now, end if end > window.end else None)


def _begins_a_day(moment: datetime, reading: Reading) -> bool:
    return moment.astimezone(reading.zone).time() == time()


def _window_label(window: Window, reading: Reading, *, by_day: bool) -> str:
    """How the words were read, with dates and the zone."""
    start = window.start.astimezone(reading.zone)
    now = reading.now.astimezone(UTC)
    # The end is not included, so that midnight belongs to the day before.
    last = (window.end - timedelta(microseconds=1)).astimezone(reading.zone)
    if by_day:
        span = (
            _day(start)
            if start.date() == last.date()
            else f"{_shorter(start, last)} to {_day(last)}"
        )
    else:
        end = window.end.astimezone(reading.zone)
        # Seconds are shown where the window has no more than a few minutes.
        form = (
            "%H:%M:%S"
            if window.length < timedelta(minutes=10) and (start.second or end.second)
            else "%H:%M"
        )
        same_year = f"{start.day} {start:%b}" if start.year == end.year else _day(start)
        span = (
            f"{_day(start)} {start:{form}} to {end:{form}}"
            if end.date() == start.date()
            else f"{same_year} {start:{form}} to {_day(end)} {end:{form}}"
        )
    # At midnight, the day before is over.
    is_open = window.end > now or (window.end == now and not _begins_a_day(now, reading))
    so_far = ", so far" if is_open and by_day else ""
    return f"{span} ({zone_name(reading.zone)}{so_far})"


def _shorter(start: datetime, last: datetime) -> str:
    """The first day without the parts that the last one repeats: `15` to 21 Nov 2026, `28 Oct` to 3
    Nov 2026.
    """
    if start.year != last.year:
        return _day(start)
    return str(start.day) if start.month == last.month else f"{start.day} {start:%b}"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"
