"""Reads numbers and sizes as people and configurations write them. An amount with two readings is
refused with both.

A comma before groups of three digits separates thousands, as this bot writes them; any other single
comma is a decimal comma. A point before exactly three digits may be either, so both readings are
offered.
"""

from __future__ import annotations

import re

SIZE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
# An exabyte; more is a typing mistake.
LARGEST = 1e18
# Bounds the patterns below, which read what people type.
LONGEST = 40
# A number as people write it, for use within other patterns.
# It ends in a digit, since a comma or a point may follow it.
NUMBER = r"\d(?:[\d.,_]*\d)?(?:e\+?\d{1,2})?"
_PLAIN = re.compile(r"\d+(?:_\d+)*")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_POINTED_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:(?:\.\d{3}){2,}(?:,\d+)?|\.\d{3},\d+)")
_EITHER = re.compile(r"[1-9]\d{0,2}\.\d{3}")
_DECIMAL = re.compile(r"\d+[.,]\d+")
_EXPONENT = re.compile(r"\d+(?:\.\d+)?e\+?\d{1,2}")
_SIZE = re.compile(rf"({NUMBER})\s*(b|bytes?|kb|mb|gb|tb|pb)?")


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
    # First: `1.000` is a thousand in Berlin and one in Boston.
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


def read_size(text: str) -> int | None:
    """`5 GB` → 5000000000; a bare number is bytes. None where it is no size. Raises
    AmbiguousAmount, with the unit in both readings.
    """
    match = _SIZE.fullmatch(text.strip().lower())
    if not match:
        return None
    written = "b" if (match[2] or "b").startswith("b") else match[2]
    unit = SIZE_UNITS[[each.lower() for each in SIZE_UNITS].index(written)]
    try:
        number = read_number(match[1])
    except AmbiguousAmount as error:
        shown = f" {unit}" if match[2] else ""
        raise AmbiguousAmount(
            text.strip(), *(f"{reading}{shown}" for reading in error.readings)
        ) from None
    return round(number * 1000.0 ** SIZE_UNITS.index(unit)) if number is not None else None
