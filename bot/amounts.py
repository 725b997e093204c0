"""Numbers, sizes and durations as people and configurations write them. What can be read in two
ways is refused with both.

A comma before groups of three digits separates thousands, as this bot writes them itself; any other
single comma is a decimal comma. A point before exactly three digits may be either, and is asked
back.
"""

from __future__ import annotations

import re
from datetime import timedelta

SIZE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
LARGEST = 1e18
LONGEST = 40
_NUMBER = r"\d[\d.,_]*(?:e\+?\d{1,2})?"
_PLAIN = re.compile(r"\d+(?:_\d+)*")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_POINTED_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:(?:\.\d{3}){2,}(?:,\d+)?|\.\d{3},\d+)")
_EITHER = re.compile(r"[1-9]\d{0,2}\.\d{3}")
_DECIMAL = re.compile(r"\d+[.,]\d+")
_EXPONENT = re.compile(r"\d+(?:\.\d+)?e\+?\d{1,2}")
_COUNT = re.compile(rf"({_NUMBER})\s*(k|thousand|million|billion)?")
_FACTORS = {"": 1, "k": 1e3, "thousand": 1e3, "million": 1e6, "billion": 1e9}
_SIZE = re.compile(rf"({_NUMBER})\s*(b|kb|mb|gb|tb|pb)?")
_UNIT_OF_TIME = r"(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)(?![A-Za-z])"
_PART = re.compile(rf"({_NUMBER})\s*({_UNIT_OF_TIME})\s*", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
LONGEST_DURATION_S = 999_999 * 86_400
# A duration of one part or several, such as `90s`, `1h30m` or `2 hours 15 minutes`, for use within
# other patterns.
DURATION = rf"{_NUMBER}\s*{_UNIT_OF_TIME}(?:\s*{_NUMBER}\s*{_UNIT_OF_TIME})*"
# A number or size, for use within other patterns.
AMOUNT = rf"{_NUMBER}(?:\s*(?:[kmgtp]?b\b|%|k\b|thousand\b|million\b|billion\b))?"


class AmbiguousAmount(ValueError):
    """An amount with two readings. The message names both; `readings` are both as they can be
    typed.
    """

    def __init__(self, text: str, *readings: str) -> None:
        super().__init__(f"“{text}” can be read as {' or as '.join(readings)}; write one of these")
        self.readings = readings


def read_number(text: str) -> float | None:
    """`1,000`, `5.5`, `5,5` and `1e9` as numbers; None for what is none. Raises AmbiguousAmount for
    `5.000`.
    """
    plain = text.strip().lower()
    if not plain.isascii() or len(plain) > LONGEST:
        return None
    if _EITHER.fullmatch(plain):
        raise AmbiguousAmount(plain, f"{float(plain):g}", plain.replace(".", ""))
    if _PLAIN.fullmatch(plain) or _EXPONENT.fullmatch(plain):
        number = float(plain)
    elif _THOUSANDS.fullmatch(plain):
        number = float(plain.replace(",", ""))
    elif _POINTED_THOUSANDS.fullmatch(plain):
        number = float(plain.replace(".", "").replace(",", "."))
    elif _DECIMAL.fullmatch(plain):
        number = float(plain.replace(",", "."))
    else:
        return None
    return number if number <= LARGEST else None


def read_count(text: str) -> float | None:
    """A number, also as `20 million` or `5k`. Raises AmbiguousAmount."""
    match = _COUNT.fullmatch(text.strip().lower())
    number = read_number(match[1]) if match else None
    if match is None or number is None:
        return None
    found = number * _FACTORS[match[2] or ""]
    return found if found <= LARGEST else None


def read_size(text: str) -> int | None:
    """`5 GB` → 5000000000; a bare number is bytes. None where it is no size. Raises
    AmbiguousAmount, with the unit in both readings.
    """
    match = _SIZE.fullmatch(text.strip().lower())
    if not match:
        return None
    unit = SIZE_UNITS[[each.lower() for each in SIZE_UNITS].index(match[2] or "b")]
    try:
        number = read_number(match[1])
    except AmbiguousAmount as error:
        shown = f" {unit}" if match[2] else ""
        raise AmbiguousAmount(
            text.strip(), *(f"{reading}{shown}" for reading in error.readings)
        ) from None
    return round(number * 1000.0 ** SIZE_UNITS.index(unit)) if number is not None else None


def read_duration(text: str) -> timedelta | None:
    """`15m`, `1h30m`, `1.5h` or `2 hours` as a length. None where it is none. Raises
    AmbiguousAmount for `6M` and `1.000h`.
    """
    found, at = 0.0, 0
    typed = text.strip()
    sizes: list[int] = []
    while at < len(typed) <= LONGEST and (match := _PART.match(typed, at)):
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
