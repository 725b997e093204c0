"""Reads the words for the end of a silence behind `until`, such as `friday 5 p.m.`, `16:00 UTC` or
`30 november` (pure). Tokens, dates, times of day and zones are those of windows; a window looks
back, and the end of a silence is ahead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, tzinfo
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from bot.alerts.silence_ends import SilenceEnd
from bot.errors import BadQuestion
from bot.questions.windows.calendar import Reading, TwoReadings
from bot.questions.windows.dates import DAY_NUMBERS, MONTH_NUMBERS, calendar_date
from bot.questions.windows.points import read_time_of_day, split_zone, without_fillers
from bot.questions.windows.tokens import MONTHS, Token, Tokens, UnknownText, tokens_of, words_of

# The end of a leap year, in which each day of a month is over.
READING = Reading(datetime(2024, 12, 31, 12, tzinfo=UTC), UTC, False, "")
# `17:00h`, `14h`, `17h30` and `14 Uhr` are times of day behind `until`.
_HOUR_SIGN = re.compile(
    r"(?i)(?<![\w.:])(\d{1,2})(?:[:.](\d{2})|h(\d{2}))?\s?(?:h|hrs?|uhr)?(?![\w:.])"
)
_OCLOCK = re.compile(
    r"(?i)(?<=\d)\s?o.?clock\b|(?<=[:.]\d\d) hours\b|(?<=\d)\s(?:in )?local time\b|(?<=[ap]m) local time\b"
)
_DAY_WORDS = MappingProxyType(
    {
        "today": SilenceEnd("today"),
        **dict.fromkeys(("tomorrow", "tmrw", "tmr"), SilenceEnd("tomorrow")),
        "day after tomorrow": SilenceEnd("overmorrow"),
        **dict.fromkeys(
            ("next week", "start of next week"), SilenceEnd("monday", is_next_week=True)
        ),
        **dict.fromkeys(
            ("end of weekend", "after weekend", "weekend is over", "weekend ends"),
            SilenceEnd("monday"),
        ),
        **dict.fromkeys(
            ("end of month", "end of this month", "month end"),
            SilenceEnd("month", is_midnight=True),
        ),
        **dict.fromkeys(
            ("end of year", "end of this year", "year end"), SilenceEnd("year", is_midnight=True)
        ),
    }
)
_MORNINGS = ("morning", "next morning", "in morning")
# Words for a time that not all agree on, with two readings each.
_BUSINESS = ("17:00", "18:00")
_VAGUE = MappingProxyType(
    {
        **dict.fromkeys(("eod", "end of day", "day end"), ("18:00", "24:00")),
        **dict.fromkeys(("cob", "eob", "close of business", "end of business"), _BUSINESS),
        **dict.fromkeys(("afternoon", "this afternoon"), ("13:00", "17:00")),
        **dict.fromkeys(("evening", "this evening"), ("18:00", "20:00")),
        **dict.fromkeys(("night", "tonight"), ("20:00", "24:00")),
        **dict.fromkeys(("lunch", "lunchtime", "lunch time"), ("12:00", "13:00")),
    }
)
_VAGUE_DAYS = MappingProxyType(
    {
        **dict.fromkeys(
            ("weekend", "this weekend", "next weekend"), ("saturday 00:00", "monday 09:00")
        ),
        **dict.fromkeys(
            ("eow", "end of week", "end of this week"), ("friday 18:00", "monday 09:00")
        ),
        **dict.fromkeys(("eom",), ("end of month",)),
    }
)
_PART = re.compile(
    r"(?:(?P<day>.+?)\s)??(?:in |this )?(?P<part>morning|afternoon|evening|tonight|night)"
)
_PART_HOURS = MappingProxyType(
    {"morning": (0, 12), "afternoon": (12, 19), "evening": (16, 24), "night": (18, 24)}
)


class _Clock(Struct, frozen=True):
    """A time of day and its zone, with which words it was said."""

    at: time
    is_bare: bool = False
    is_midnight: bool = False
    # Which midnight of a day is meant, is unclear.
    is_named_midnight: bool = False
    is_halved: bool = False
    zone: tzinfo | None = None


def read_silence_end(text: str) -> SilenceEnd | None:
    """The end that the whole text behind `until` names; None where it names none. Raises
    BadQuestion, with another end as its hint, where it can be read in two ways.
    """
    # `monday at` has no time, `at least` is something else, and whose time is mine is not known.
    if text.rsplit(maxsplit=1)[-1].lower() in _UNSAID - {"sharp"} or text.lower().endswith(
        "my time"
    ):
        return None
    cleaned = _HOUR_SIGN.sub(_as_clock, _OCLOCK.sub("", text))
    try:
        tokens: Tokens = tokens_of(cleaned)
    except UnknownText:
        return None
    tokens = [token for token in without_fillers(tokens) if token.text.lower() not in _UNSAID]
    if not tokens:
        return None
    tokens = _with_pointed(tokens)
    try:
        body, zone = split_zone(tokens, replace(READING, text=cleaned))
    except TwoReadings as error:
        raise BadQuestion(error.message, f"until {error.readings[0]}") from None
    for days, clock in _clocks(body):
        if found := _end(days, replace(clock, zone=zone or clock.zone)):
            return found
    # `until monday paris` is about Paris, and no time there.
    return None if zone else _end(body, None)


def names_city(text: str) -> bool:
    """Whether the end names its zone by a city, which may begin the comment as well."""
    last = text.rsplit(maxsplit=1)[-1].lower()
    if last in ("pacific", "eastern", "et", "pt"):
        return True
    try:
        tokens = tokens_of(last)
    except UnknownText:
        return False
    return (
        last != "time"
        and len(tokens) == 1
        and tokens[0].kind == "word"
        and (split_zone([tokens[0], tokens[0]], READING)[1] is not None)
    )


# `9 o'clock sharp`, `tomorrow at around 9`.
_UNSAID = frozenset(["the", "at", "on", "around", "about", "@", "sharp", "coming", "by"])


def _as_clock(found: re.Match[str]) -> str:
    """`17h30` as 17:30, `14h` as 14:00, and an hour that may be in the evening as it is."""
    hour = found[1]
    minutes = found[2] or found[3]
    typed = found[0].rstrip()
    if minutes:
        has_sign = found[3] or not typed[-1].isdigit()
        return f"{hour}:{minutes}" if has_sign else found[0]
    return (
        f"{hour}:00"
        if not typed[-1].isdigit() and int(hour) > 12
        else hour + found[0][len(typed) :]
    )


def _with_pointed(tokens: Tokens) -> Tokens:
    """The tokens with `18.30` as a time of day and `24.12` as a date. Raises BadQuestion where both
    are possible.
    """
    found: list[Token] = []
    for at, token in enumerate(tokens):
        parts = re.fullmatch(r"(\d{1,2})\.(\d{1,2})", token.text)
        if token.kind != "number" or not parts:
            found.append(token)
            continue
        one = int(parts[1])
        two = int(parts[2])
        has_other_clock = any(each.kind == "clock" for each in tokens)
        is_date = 1 <= one <= 31 and 1 <= two <= 12
        is_clock = len(parts[2]) == 2 and one <= 23 and two <= 59 and not has_other_clock
        has_date = any(each.kind in ("date", "numeric_date") for each in tokens)
        is_date = is_date and not has_date
        if is_date and is_clock and two:
            day = f"{one} {MONTHS[two - 1]}"
            rest = " ".join(each.text for n, each in enumerate(tokens) if n != at)
            clock = f"{rest} {one:02}:{parts[2]}".strip()
            raise BadQuestion(
                f"“{token.text}” may mean {one:02}:{parts[2]} or {day}.", f"until {clock}"
            )
        if is_date and len(parts[2]) == 1:
            # It may be half past nine as well.
            day = f"{one} {MONTHS[two - 1]}"
            raise BadQuestion(
                f"“{token.text}” is not clear; write {day} or a time.", f"until {day}"
            )
        if is_clock:
            found.append(Token("clock", token.text, time(one, two)))
        else:
            found.append(Token("numeric_date", f"{token.text}.") if is_date else token)
    return found


def _clocks(tokens: Tokens) -> Sequence[tuple[Tokens, _Clock]]:
    """The time of day at either end of the tokens, the longest one, with the tokens beside it."""
    found = []
    for size in (3, 2, 1):
        if len(tokens) < size:
            continue
        for part, rest, is_front in (
            (tokens[:size], tokens[size:], True),
            (tokens[-size:], tokens[:-size], False),
        ):
            clock = _clock(part)
            # The 9 of `9 december`, `december 9` and `9 december 10` is a day.
            is_day = rest and (_date(tokens) or (is_front and words_of(rest)[0] in MONTH_NUMBERS))
            if clock and not (clock.is_bare and is_day):
                found.append((rest, clock))
    return found


def _clock(tokens: Tokens) -> _Clock | None:
    found = read_time_of_day(tokens, READING)
    if found is None:
        return None
    is_named = words_of(tokens)[0] == "midnight"
    return _Clock(
        found.clock,
        is_bare=found.is_bare,
        is_midnight=found.is_end,
        is_named_midnight=is_named,
        is_halved=bool(found.half),
        zone=found.zone,
    )


def _end(days: Tokens, clock: _Clock | None) -> SilenceEnd | None:
    phrase = " ".join(words_of(days))
    if clock is None:
        _refuse_vague(phrase)
    if not phrase:
        return _at(SilenceEnd(), clock) if clock else None
    if phrase in _MORNINGS:
        return _in_part(SilenceEnd(), "morning", clock)
    if day := _day(days):
        return _at(day, clock) if clock else day
    part = _PART.fullmatch(phrase)
    if not part:
        return None
    head = tokens_of(part["day"]) if part["day"] else ()
    inner = SilenceEnd("today") if "this " in phrase or part["part"] == "tonight" else SilenceEnd()
    found = _day(head) if head else inner
    return _in_part(found, part["part"].replace("tonight", "night"), clock) if found else None


def _refuse_vague(phrase: str) -> None:
    """Raises BadQuestion for words without a time of day that all agree on."""
    plain = phrase.replace("-", " ")
    for vague, readings in (*_VAGUE_DAYS.items(), *_VAGUE.items()):
        is_day = vague in _VAGUE_DAYS
        if not (
            plain == vague
            or (not is_day and (plain.endswith(f" {vague}") or plain.startswith(f"{vague} ")))
        ):
            continue
        day = plain.removeprefix(vague) if plain.startswith(vague) else plain.removesuffix(vague)
        day = day.removesuffix(" in ").strip()
        if day and not _day(tokens_of(day)):
            continue
        ends = [f"until {day} {each}" if day else f"until {each}" for each in readings]
        raise BadQuestion(f"“{plain}” may mean {' or '.join(ends)}.", ends[0])


def _in_part(day: SilenceEnd, part: str, clock: _Clock | None) -> SilenceEnd | None:
    """A time in a part of a day: 9 of `tomorrow evening` is 21:00."""
    if clock is None:
        return day if part == "morning" else None
    hour = clock.at.hour
    if clock.is_named_midnight and part == "night":
        return _at(day, clock)
    if not clock.is_halved and 1 <= hour <= 12:
        hour = hour % 12 + (12 if part != "morning" else 0)
        # 12 in the night and 2 in the night belong to the day after.
        if part == "night" and hour % 12 < 6:
            return None
    first, last = _PART_HOURS[part]
    if not first <= hour < last:
        return None
    return _at(day, replace(clock, at=clock.at.replace(hour=hour), is_bare=False))


def _at(day: SilenceEnd, clock: _Clock) -> SilenceEnd | None:
    """The day with a time. Raises BadQuestion for a midnight that may be at either end of it."""
    if day.is_midnight:
        return None
    is_midnight = clock.is_midnight
    if clock.is_named_midnight and day.day == "today":
        is_midnight = True
    elif clock.is_named_midnight and day != SilenceEnd():
        words = _day_words(day)
        ends = [f"until {words} {at}" for at in ("00:00", "24:00")]
        raise BadQuestion(f"“midnight” may mean {' or '.join(ends)}.", ends[0])
    if is_midnight and day == SilenceEnd():
        # The next midnight.
        return replace(day, at=time(), zone=clock.zone)
    return replace(
        day,
        at=time() if is_midnight else clock.at,
        is_bare=clock.is_bare,
        is_midnight=is_midnight,
        zone=clock.zone,
    )


def _day_words(day: SilenceEnd) -> str:
    if day.date:
        return f"{day.date.day} {day.date:%B}" + ("" if day.is_yearly else f" {day.date.year}")
    if day.day_of_month:
        return f"the {day.day_of_month}th"
    name = "day after tomorrow" if day.day == "overmorrow" else day.day
    return f"{name} next week" if day.is_next_week else f"next {name}" if day.is_next else name


def _day(tokens: Tokens) -> SilenceEnd | None:
    """The day that all of the tokens name."""
    plain = [each for each in words_of(tokens) if each not in _UNSAID]
    phrase = " ".join(plain)
    if found := _DAY_WORDS.get(phrase):
        return found
    if found := _end_of_day(phrase):
        return found
    if len(plain) == 3 and plain[0] == "first" and plain[1] == "thing":
        return _day(tokens[-1:])
    if "next week" in phrase and len(plain) == 3:
        weekday = phrase.replace("next week", "").strip()
        is_weekday = weekday in DAY_NUMBERS
        return SilenceEnd(weekday, is_next_week=True) if is_weekday else None
    if len(plain) == 2 and plain[0] in ("this", "next") and plain[1] in DAY_NUMBERS:
        return SilenceEnd(plain[1], is_next=plain[0] == "next")
    if len(plain) == 1 and plain[0] in DAY_NUMBERS:
        return SilenceEnd(plain[0])
    return _date(tokens)


def _end_of_day(phrase: str) -> SilenceEnd | None:
    """`end of monday` is its last midnight."""
    of = phrase.removeprefix("end of ")
    if of == phrase or not (of in DAY_NUMBERS or of in ("today", "tomorrow")):
        return None
    return SilenceEnd(of, at=time(), is_midnight=True)


def _date(tokens: Tokens) -> SilenceEnd | None:
    plain = words_of(tokens)
    if not tokens:
        return None
    if plain[0] in DAY_NUMBERS and len(plain) > 1:
        found = _date(tokens[1:])
        return replace(found, weekday=plain[0]) if found else None
    named = [token for token in tokens if token.text.lower() not in ("the", "on")]
    if len(named) == 1 and named[0].kind == "ordinal":
        number = int(named[0].text)
        return SilenceEnd(day_of_month=number) if 1 <= number <= 31 else None
    try:
        found_date = calendar_date(named, READING) if named else None
    except TwoReadings:
        raise _two_dates(named[0].text) from None
    except BadQuestion:
        return None
    if found_date is None:
        return None
    day = found_date.first
    has_year = bool(re.search(r"\d{4}", " ".join(token.text for token in tokens)))
    return SilenceEnd(date=day, is_yearly=not has_year)


def _two_dates(text: str) -> BadQuestion:
    one, two, *year = re.split(r"[-/.]", text.rstrip("."))
    days = [
        " ".join([str(int(day)), MONTHS[int(month) - 1], *year])
        for day, month in ((one, two), (two, one))
    ]
    return BadQuestion(f"“{text}” may mean {' or '.join(days)}.", f"until {days[0]}")
