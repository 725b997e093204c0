"""Reads counts and durations as people and configurations write them, like `providers.amounts`. An
ambiguous amount is refused, with both readings.
"""

from __future__ import annotations

import re
from datetime import timedelta

from providers.amounts import (
    LARGEST,
    LONGEST,
    NUMBER,
    SIZE_UNITS,
    AmbiguousAmount,
    read_number,
    read_size,
)

__all__ = [
    "AMOUNT",
    "DURATION",
    "NUMBER",
    "SIZE_UNITS",
    "AmbiguousAmount",
    "read_count",
    "read_duration",
    "read_number",
    "read_size",
]

_COUNT = re.compile(rf"({NUMBER})\s*(k|thousand|million|billion)?")
_FACTORS = {"": 1, "k": 1e3, "thousand": 1e3, "million": 1e6, "billion": 1e9}
_UNIT_OF_TIME = (
    r"(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?)(?![A-Za-z])"
)
# Lengths without a number. The longest come first.
_PHRASES = {
    "half an hour": 1800,
    "half a minute": 30,
    "half a day": 43_200,
    "half hour": 1800,
    "a quarter of an hour": 900,
    "quarter of an hour": 900,
    "an hour": 3600,
    "one hour": 3600,
    "a minute": 60,
    "one minute": 60,
    "a day": 86_400,
    "one day": 86_400,
    "a week": 604_800,
    "one week": 604_800,
}
_PHRASE = rf"(?:{'|'.join(_PHRASES)})(?![A-Za-z])"
_PART = re.compile(rf"({NUMBER})\s*({_UNIT_OF_TIME})\s*", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
# No date of these years plus this is beyond the year 9999, where dates end.
LONGEST_DURATION_S = 999_999 * 86_400
# A duration of one part or several, such as `90s`, `1h30m` or `2 hours 15 minutes`, for use within
# other patterns.
DURATION = rf"(?:{_PHRASE}|{NUMBER}\s*{_UNIT_OF_TIME}(?:\s*{NUMBER}\s*{_UNIT_OF_TIME})*)"
# A number, size or duration, for use within other patterns.
AMOUNT = (
    rf"(?:{DURATION}|{NUMBER}(?:\s*(?:[kmgtp]?b\b|bytes?\b|%|percent\b|k\b|thousand\b|million\b|billion\b"
    r"|ms\b))?)"
)


def read_count(text: str) -> float | None:
    """A number, also as `20 million` or `5k`. Raises AmbiguousAmount."""
    match = _COUNT.fullmatch(text.strip().lower())
    number = read_number(match[1]) if match else None
    if match is None or number is None:
        return None
    found = number * _FACTORS[match[2] or ""]
    return found if found <= LARGEST else None


def read_duration(text: str) -> timedelta | None:
    """`15m`, `1h30m`, `1.5h` or `2 hours` as a duration; None for anything else. Raises
    AmbiguousAmount for `6M` and `1.000h`.
    """
    found = 0.0
    at = 0
    typed = text.strip()
    if phrase := _PHRASES.get(" ".join(typed.lower().split())):
        return timedelta(seconds=phrase)
    sizes: list[int] = []
    # Bounded, since it reads what people type.
    while at < len(typed) <= LONGEST and (match := _PART.match(typed, at)):
        # Many people write months with a capital; a wrong guess would be wrong by a factor of
        # 43,200.
        if match[2] == "M":
            raise AmbiguousAmount(
                typed,
                f"{match[1]}m (minutes)",
                f"{match[1]} months, which are {match[1]} times 30d",
            )
        sizes.append(_SECONDS[match[2][0].lower()])
        number = read_number(match[1])
        if number is None:
            return None
        found += number * sizes[-1]
        at = match.end()
    # Each unit once, the largest first.
    if (
        not sizes
        or at < len(typed)
        or sizes != sorted(set(sizes), reverse=True)
        or found > LONGEST_DURATION_S
    ):
        return None
    return timedelta(seconds=found)
