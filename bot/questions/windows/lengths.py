"""Lengths of time from tokens: `20 mins`, `1h30m`, `half an hour`, `PT3H`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from bot.errors import BadQuestion
from bot.questions.windows.calendar import Reading, TwoReadings, months_later
from bot.questions.windows.tokens import Tokens, words_of

UNITS = MappingProxyType(
    {
        **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), "milliseconds"),
        **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "seconds"),
        **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "minutes"),
        **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "hours"),
        **dict.fromkeys(("d", "day", "days"), "days"),
        **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), "weeks"),
        **dict.fromkeys(("fortnight", "fortnights"), "fortnights"),
        **dict.fromkeys(("mo", "mos", "mth", "mths", "month", "months"), "months"),
        **dict.fromkeys(("quarter", "quarters"), "quarters"),
        **dict.fromkeys(("y", "yr", "yrs", "year", "years"), "years"),
    }
)
_LENGTHS = MappingProxyType(
    {
        "milliseconds": 0.001,
        "seconds": 1,
        "minutes": 60,
        "hours": 3600,
        "days": 86_400,
        "weeks": 604_800,
        "fortnights": 1_209_600,
    }
)
_MONTHS_OF = MappingProxyType({"months": 1, "quarters": 3, "years": 12})
NUMBERS = MappingProxyType(
    {
        "a": 1.0, "an": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "seven": 7.0, "eight": 8.0, "nine": 9.0,
        "ten": 10.0, "eleven": 11.0, "twelve": 12.0, "dozen": 12.0, "thirteen": 13.0, "fourteen": 14.0, "fifteen": 15.0, "sixteen": 16.0, "seventeen": 17.0,
        "eighteen": 18.0, "nineteen": 19.0, "twenty": 20.0, "thirty": 30.0, "forty": 40.0, "fifty": 50.0, "sixty": 60.0, "seventy": 70.0, "eighty": 80.0, "ninety": 90.0,
    }
)  # fmt: skip
# Ten years: longer windows are typing mistakes, and dates must not overflow.
LONGEST_SECONDS = 3660 * 86_400


class Length(Struct, frozen=True):
    """A length of time: exact seconds, or calendar months. `is_daily` where it has nothing shorter
    than a day.
    """

    seconds: float = 0
    months: int = 0
    is_daily: bool = False
    coarsest: str = ""

    def before(self, moment: datetime, zone: tzinfo) -> datetime:
        """The moment so long before."""
        if not self.months:
            # In UTC, so that two hours are two hours when the clocks change.
            return moment.astimezone(UTC) - timedelta(seconds=self.seconds)
        # A month back is the same time of day there, whatever the clocks did.
        local = moment.astimezone(zone)
        return datetime.combine(months_later(local.date(), -self.months), local.time(), zone)

    def after(self, moment: datetime, zone: tzinfo) -> datetime:
        """The moment so long after."""
        return replace(self, seconds=-self.seconds, months=-self.months).before(moment, zone)

    @property
    def days(self) -> int | None:
        """How many whole days it is, where it is of whole days."""
        return (
            round(self.seconds / 86_400)
            if self.is_daily and not self.months and self.seconds % 86_400 == 0
            else None
        )


def read_length(tokens: Tokens, reading: Reading) -> Length | None:
    """`20 mins`, `1h30m`, `half an hour`, `an hour and a half`, `PT3H`. Raises BadQuestion for `6M`
    and for zero.
    """
    if len(tokens) == 1 and tokens[0].kind == "duration":
        return _iso_length(tokens[0].text, reading)
    plain = words_of(tokens)
    if "/" in plain:
        return None
    if phrase := _PHRASES.get(" ".join(each for each in plain if each != "-")):
        return Length(phrase)
    if plain[-3:] == ["and", "a", "half"]:
        return _and_a_half(tokens, plain, reading)
    parts: list[tuple[float, str]] = []
    at = 0
    while at < len(tokens):
        # `2 hours and 15 minutes`.
        if parts and plain[at] == "and":
            at += 1
        part, at = _part(tokens, plain, at, reading)
        if part is None:
            # `1h30` and `1 hour 30`: what follows hours alone is minutes.
            if not _are_minutes(tokens, at, parts):
                return None
            part = float(tokens[at - 1].text), "minutes"
        parts.append(part)
    return _total(parts, reading)


def _are_minutes(tokens: Tokens, at: int, parts: Sequence[tuple[float, str]]) -> bool:
    """Whether the last token, before `at`, is a number of minutes after hours."""
    if at != len(tokens) or len(parts) != 1 or parts[0][1] != "hours":
        return False
    text = tokens[-1].text
    return tokens[-1].kind == "number" and re.fullmatch(r"[0-5]\d", text) is not None


def _and_a_half(tokens: Tokens, plain: Sequence[str], reading: Reading) -> Length | None:
    """`2 weeks and a half`: half of the last unit more."""
    whole = read_length(tokens[:-3], reading)
    unit = UNITS.get(plain[-4], "") if len(plain) > 3 else ""
    if whole is None or unit not in _LENGTHS:
        return None
    return Length(whole.seconds + _LENGTHS[unit] / 2, 0, unit == "weeks", whole.coarsest)


def _part(
    tokens: Tokens, plain: Sequence[str], at: int, reading: Reading
) -> tuple[tuple[float, str] | None, int]:
    """A number with its unit, and where the next begins. Raises BadQuestion for `6M` and zero."""
    number = None
    if at < len(tokens):
        number, at = _number(tokens, at, reading)
        # `30-minutes`.
        if number is not None and plain[at : at + 1] == ["-"]:
            at += 1
    unit = UNITS.get(plain[at]) if at < len(tokens) else None
    if number is None or unit is None:
        return None, at
    # Minutes to some tools and months to others; a question of whole days can only mean months.
    if tokens[at].text == "M":
        if not reading.whole_days:
            raise _months_or_minutes(tokens[at - 1].text, reading)
        unit = "months"
    if unit == "hours" and _is_clock(tokens, at, reading):
        text = tokens[at - 1].text
        raise reading.two_readings(f"since {text[:2]}:{text[2:]}", f"last {int(text)} hours")
    is_whole = unit not in _MONTHS_OF or number == int(number)
    if number <= 0 or number > LONGEST_SECONDS or not is_whole:
        raise _wrong_number(reading)
    return (number, unit), at + 1


def _is_clock(tokens: Tokens, at: int, reading: Reading) -> bool:
    """Whether `since 1400h` and `0900 hrs` may be a time of day, as armies write it. By itself a
    time is no window, so that `1400h` is a length.
    """
    text = tokens[at - 1].text
    first, _, rest = reading.text.lower().partition(" ")
    is_since = first == "since" and re.fullmatch(rf"{text} ?{tokens[at].text.lower()}", rest)
    return re.fullmatch(r"(?:[01]\d|2[0-3])[0-5]\d", text) is not None and (
        bool(is_since) or (text.startswith("0") and text != "0000")
    )


def _total(parts: Sequence[tuple[float, str]], reading: Reading) -> Length | None:
    """The sum of the parts, which come from the largest unit to the smallest, each once."""
    units = [unit for _, unit in parts]
    seconds = sum(number * _LENGTHS[unit] for number, unit in parts if unit in _LENGTHS)
    months = sum(int(number) * _MONTHS_OF[unit] for number, unit in parts if unit in _MONTHS_OF)
    order = [*_LENGTHS, *_MONTHS_OF]
    # `5m 1h` is a typing mistake more often than 65 minutes.
    ranks = [order.index(unit) for unit in units]
    # Months have no fixed length, so they are not added to seconds.
    if not units or ranks != sorted(set(ranks), reverse=True) or (months and seconds):
        return None
    if seconds > LONGEST_SECONDS or months > 120:
        raise reading.refused(f"“{reading.text[:40]}” is longer than ten years")
    has_hours = any(unit in ("milliseconds", "seconds", "minutes", "hours") for unit in units)
    return Length(seconds, months, not has_hours and seconds % 86_400 == 0, units[0])


_PHRASES = MappingProxyType(
    {
        "half an hour": 1800.0, "half hour": 1800.0, "half a minute": 30.0, "half a day": 43_200.0, "half day": 43_200.0,
        "quarter of an hour": 900.0, "a quarter of an hour": 900.0, "quarter hour": 900.0, "three quarters of an hour": 2700.0,
        "1/2 hour": 1800.0, "hour and a half": 5400.0, "a half hour": 1800.0,
    }
)  # fmt: skip


def _months_or_minutes(number: str, reading: Reading) -> TwoReadings:
    typed = re.compile(rf"{re.escape(number)}\s*M\b")
    return TwoReadings(
        f"{number}M",
        (typed.sub(f"{number} months", reading.text), typed.sub(f"{number}m", reading.text)),
    )


def _number(tokens: Tokens, at: int, reading: Reading) -> tuple[float | None, int]:
    """The number at a position, and the position after it."""
    plain = words_of(tokens[at : at + 5])
    # The longest first.
    for start in (["a", "couple", "of"], ["couple", "of"], ["a", "couple"], ["couple"]):
        if plain[: len(start)] == start:
            return 2.0, at + len(start)
    if plain[:2] == ["a", "dozen"]:
        return 12.0, at + 2
    if tokens[at].kind == "number":
        value = tokens[at].value
        assert isinstance(value, float)
        found = _grouped(tokens[at].text, reading) or value
    elif plain[0] in NUMBERS:
        found = NUMBERS[plain[0]]
        # `twenty four`, also as `twenty-four`.
        tail = plain[2:3] if plain[1:2] == ["-"] else plain[1:2]
        if (
            found in (20, 30, 40, 50, 60, 70, 80, 90)
            and tail
            and 1 <= NUMBERS.get(tail[0], 0) <= 9
            and tail[0] not in ("a", "an")
        ):
            return found + NUMBERS[tail[0]], at + (3 if plain[1:2] == ["-"] else 2)
    else:
        return None, at
    if plain[1:4] == ["and", "a", "half"]:
        return found + 0.5, at + 4
    return found, at + 1


def _grouped(text: str, reading: Reading) -> float | None:
    """`1,000` is a thousand; `1.000` is refused, since it may be one."""
    digits = text.replace(",", "").replace(".", "")
    if (
        len(text) - len(digits) == 1
        and len(text.replace(".", ",").partition(",")[2]) == 3
        and not text.startswith("0")
    ):
        # A thousand in Berlin and one in Boston.
        if "." in text:
            both = (
                reading.text.replace(text, digits),
                reading.text.replace(text, f"{float(text):g}"),
            )
            raise TwoReadings(text, both)
        return float(digits)
    return None


def _wrong_number(reading: Reading) -> BadQuestion:
    return reading.refused(f"“{reading.text[:40]}” needs a whole number from 1 on")


def _iso_length(text: str, reading: Reading) -> Length | None:
    """An ISO 8601 duration: `PT3H`, `P1D`, `P1DT12H`."""
    seconds = 0.0
    months = 0
    number = ""
    in_time = False
    # Character by character, which is linear whatever the text is.
    for char in text.lower().lstrip("p"):
        if char == "t":
            in_time = True
        elif char in "0123456789.,":
            number += char.replace(",", ".")
        else:
            if not number or len(number) > 9:
                return None
            amount = float(number)
            number = ""
            unit = {
                "y": "years",
                # `P1M` is a month, and `PT1M` a minute.
                "m": "minutes" if in_time else "months",
                "w": "weeks",
                "d": "days",
                "h": "hours",
                "s": "seconds",
            }[char]
            if unit in _MONTHS_OF:
                months += int(amount) * _MONTHS_OF[unit]
            else:
                seconds += amount * _LENGTHS[unit]
    if (months and seconds) or number:
        return None
    if not months and not seconds:
        raise _wrong_number(reading)
    if seconds > LONGEST_SECONDS or months > 120:
        raise reading.refused(f"“{reading.text[:40]}” is longer than ten years")
    return Length(
        seconds, months, seconds % 86_400 == 0 and not in_time, "days" if not in_time else "hours"
    )
