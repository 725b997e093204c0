"""Points of time and periods, read from tokens: `9am`, `yesterday 14:00`, `2 hours ago`, `now-6h`,
`last night`, `Nov 1`.
"""

from __future__ import annotations

import re
from datetime import time, timedelta, tzinfo

from msgspec.structs import replace

from bot.questions.windows.calendar import DAY, Reading, TwoReadings
from bot.questions.windows.day_parts import PARTS_OF_DAY, read_hours, split_part
from bot.questions.windows.lengths import UNITS, read_length
from bot.questions.windows.moments import AGO, read_moment, read_snapped
from bot.questions.windows.numbered import read_numbered
from bot.questions.windows.periods import read_period
from bot.questions.windows.point_types import Clock, Hours, Moment, Period, Point, one_day
from bot.questions.windows.tokens import Tokens, word, words_of
from bot.questions.windows.zones import AMBIGUOUS_ZONES, may_end_city, zone_of_city

__all__ = [
    "AGO",
    "Clock",
    "Hours",
    "Moment",
    "Point",
    "read_point",
    "read_time_of_day",
    "split_zone",
    "without_fillers",
]


def read_point(tokens: Tokens, reading: Reading) -> Point | None:
    """A point of time or a period; None where the tokens are none. Raises BadQuestion where they
    name one that cannot be.
    """
    # First, because `@` is a filler word elsewhere, as in `@ 9am`.
    if snapped := read_snapped(tokens, reading):
        return snapped
    tokens = without_fillers(tokens)
    if not tokens:
        return None
    body, zone = split_zone(tokens, reading)
    if zone is not None:
        # Read again in that zone: `today` may be another day there.
        inner = replace(reading, zone=zone, zone_text=zone_text_of(tokens, body))
        found = read_point(body, inner) if body else None
        return _in_zone(found, inner) if found else None
    return (
        # In the order from the most definite to the vaguest form.
        read_moment(tokens, reading)
        or read_period(tokens, reading)
        or read_numbered(tokens, reading)
        or _clock(tokens, reading)
        or read_hours(tokens, reading)
    )


def without_fillers(tokens: Tokens) -> Tokens:
    """The tokens without words at their beginning that say nothing, such as `on` and `at`."""
    start = 0
    if words_of(tokens[:2]) in (["all", "day"], ["all", "of"]) and len(tokens) > 2:
        start = 2
    # `the whole day` is a day by its name.
    last = len(tokens) - 1 - (words_of(tokens[-2:]) == ["whole", "day"])
    while start < last and (word(tokens[start]) or tokens[start].text) in (
        "on",
        "at",
        "the",
        "about",
        "around",
        "whole",
        "all",
        "entire",
        "@",
        "~",
    ):
        # “the 1st” stays what it is.
        start += 1
    return tokens[start:]


def split_zone(tokens: Tokens, reading: Reading) -> tuple[Tokens, tzinfo | None]:
    """The tokens before a zone or an offset at their end, and that zone: `UTC`, `+02:00`,
    `in Europe/Dublin`, `Berlin time`, `local time`.
    """
    body, zone = _split_zone(tokens, reading)
    if zone is not None and body and word(body[-1]) == "in":
        body = body[:-1]
    return body, zone


def zone_text_of(tokens: Tokens, body: Tokens) -> str:
    """The zone that `split_zone` has found behind the body, as it was typed."""
    return " ".join(token.text for token in tokens[len(body) :])


def _split_zone(tokens: Tokens, reading: Reading) -> tuple[Tokens, tzinfo | None]:
    if len(tokens) > 2 and word(tokens[-1]) == "time":
        if word(tokens[-2]) in ("local", "my"):
            return tokens[:-2], reading.zone
        tokens = tokens[:-1]
    last = tokens[-1]
    if last.kind == "word" and not _may_be_zone(word(last)):
        return tokens, None
    if last.kind in ("zone", "offset") and isinstance(last.value, tzinfo):
        return tokens[:-1], last.value
    # IST is India's, Israel's and Ireland's time.
    if word(last) in AMBIGUOUS_ZONES and len(tokens) > 1:
        one, two = (reading.text.replace(last.text, zone) for zone in AMBIGUOUS_ZONES[word(last)])
        raise TwoReadings(last.text, (one, two))
    # No city ends like `last 7 days`, and finding the cities reads the whole time zone database.
    if word(last) in UNITS:
        return tokens, None
    if last.kind != "word":
        return tokens, None
    # The longest name first: `Mexico City`.
    for size in (3, 2, 1):
        if len(tokens) > size and (zone := zone_of_city(" ".join(words_of(tokens[-size:])))):
            return tokens[:-size], zone
    return tokens, None


def _may_be_zone(text: str) -> bool:
    return text in AMBIGUOUS_ZONES or may_end_city(text)


def _in_zone(found: Point, reading: Reading) -> Point | None:
    if isinstance(found, Clock | Period):
        return replace(found, zone=reading.zone, zone_text=reading.zone_text)
    return found


def _clock(tokens: Tokens, reading: Reading) -> Clock | None:
    """`9am`, `14:00`, `noon`, with a day before or after it."""
    for size in (1, 2, 3):
        for clock_part, day_part, is_behind in (
            (tokens[:size], tokens[size:], False),
            (tokens[-size:], tokens[:-size], True),
        ):
            found = read_time_of_day(clock_part, reading)
            if found is None or len(clock_part) != size:
                continue
            if not day_part:
                return found
            # `9 monday` is not a time, `monday 9` may be one, and `9 this morning` is one.
            is_part = word(day_part[-1]) in (*PARTS_OF_DAY, "night")
            if found.is_bare and not is_behind and not is_part:
                continue
            if found := _on_day(found, day_part, reading):
                return found
    return None


def _on_day(clock: Clock, day_part: Tokens, reading: Reading) -> Clock | None:
    """A time on the day, or in the part of a day, next to it."""
    day_part = without_fillers(day_part)
    if word(day_part[-1]) in ("at", "from") or day_part[-1].text == "@":
        day_part = day_part[:-1]
    if not day_part:
        return None
    if found := split_part(day_part, clock, reading):
        return found
    day = _day_of(day_part, reading)
    return replace(clock, day=day) if day and day.last - day.first == DAY else None


def _day_of(tokens: Tokens, reading: Reading) -> Period | None:
    """The day of a time: by its name, `3 days ago`."""
    plain = words_of(tokens)
    if plain[-1] == "ago" and (length := read_length(tokens[:-1], reading)):
        is_days = length.days is not None and length.coarsest == "days"
        return one_day(reading.today - timedelta(days=length.days or 0)) if is_days else None
    return read_period(tokens, reading)


def read_time_of_day(tokens: Tokens, reading: Reading) -> Clock | None:
    """`9am`, `14:00 UTC`, `noon`, `0915`, or an hour alone; None for anything else."""
    plain = words_of(tokens)
    if (
        len(tokens) in (2, 3)
        and tokens[-1].kind in ("zone", "offset")
        and isinstance(tokens[-1].value, tzinfo)
    ):
        found = read_time_of_day(tokens[:-1], reading)
        zone = tokens[-1]
        return replace(found, zone=zone.value, zone_text=zone.text) if found else None
    if len(tokens) == 1:
        if plain[0] in ("noon", "midday"):
            return Clock(time(12), half="pm")
        if plain[0] == "midnight":
            return Clock(time(0), half="am")
        if isinstance(tokens[0].value, time):
            # 24:00 is read as 0:00, and is the end of its day.
            return Clock(tokens[0].value, is_end=tokens[0].text.startswith("24:"))
        if (
            tokens[0].kind == "number"
            and tokens[0].text.isdigit()
            and len(tokens[0].text) <= 2
            and int(tokens[0].text) <= 23
        ):
            return Clock(time(int(tokens[0].text)), is_bare=True)
        return _compact_clock(tokens[0].text) if tokens[0].kind == "number" else None
    if len(tokens) == 2 and plain[1] in ("am", "pm"):
        first = tokens[0]
        if isinstance(first.value, time) and 1 <= first.value.hour <= 12:
            return Clock(first.value).halved(plain[1])
        if first.kind == "number" and first.text.isdigit() and 1 <= int(first.text[:3]) <= 12:
            return Clock(time(int(first.text))).halved(plain[1])
    return None


def _compact_clock(text: str) -> Clock | None:
    """`0915`, as radios and pagers have it. What may be a year, such as 2026, is none."""
    if not re.fullmatch(r"(?:[01]\d|2[1-3])[0-5]\d|2400", text):
        return None
    is_end = text == "2400"
    return Clock(time() if is_end else time(int(text[:2]), int(text[2:])), is_end=is_end)
