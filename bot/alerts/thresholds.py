"""Thresholds of alerts: amounts as people write them, in the unit that their value has (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from bot.alerts.rule import has_value
from bot.formatting import sanitise
from bot.questions.amounts import (
    AMOUNT,
    NUMBER,
    SIZE_UNITS,
    AmbiguousAmount,
    read_count,
    read_duration,
    read_number,
    read_size,
)
from bot.questions.question import CommandName
from providers.patterns import lazy_pattern

# A change may be below zero; the sign is also that of an answer.
SIGNED_AMOUNT = rf"(?:[-−+]\s?)?{AMOUNT}"
# People end an amount with a comma, and a sentence with a full stop.
END = r"(?=[\s,;]|\.?\s*$)"
THRESHOLD = lazy_pattern(rf"(?i)\s*({SIGNED_AMOUNT}){END}")
_COUNTED_DAYS = lazy_pattern(rf"(?i)({NUMBER})\s*(?:d|days?)")
# `5m` is five minutes of a duration, and five megabytes of a size.
_MINUTES_OR_MEGA = lazy_pattern(r"(?i)\s*[\d.,_]+\s*m")
# Units that are not accepted, each with the one that was probably meant.
OTHER_UNIT = lazy_pattern(
    r"(?i)\s*(?P<number>\d[\d.,_]{0,20})\s*(?:(?P<prefix>[kmgtp])(?:i?|igs?|egs?|ilo|era)(?:b|bytes?)?|(?P<long>kilo|mega|giga|tera|kibi|mebi|gibi|tebi)bytes?)(?=\s|$)"
)
_MULTIPLES = {"half": 0.5, "double": 2.0, "twice": 2.0, "triple": 3.0}
# `2x usual`, `2 times usual`, `twice the usual`, `200% of usual`, or `usual` alone, whose threshold
# is the edge of the band.
USUAL = (
    rf"(?:(?:{NUMBER}\s*(?:[x×](?![A-Za-z0-9])|times(?![A-Za-z0-9]))|[x×]\s*{NUMBER}"
    rf"|{NUMBER}\s*(?:%|percent)\s*of|(?:half|double|twice|triple)(?:\s+of)?(?=\s))\s*(?:the\s+)?)?usual"
)
# A multiple whose `usual` was left out.
MULTIPLE = lazy_pattern(
    rf"(?i)\s*(?P<factor>(?:{NUMBER}\s*[x×]|[x×]{NUMBER}|double|twice|half|triple))(?=\s|$)"
)
USUAL_THRESHOLD = lazy_pattern(rf"(?i)\s*({USUAL})(?=\s|$)")
_FACTOR = lazy_pattern(NUMBER, re.IGNORECASE)
# A larger factor is a typing mistake.
LARGEST_FACTOR = 1000.0
OF_QUOTA = lazy_pattern(
    r"(?i)\s*(?P<number>\d[\d.,_]{0,20})\s*(?:%|percent)\s+of\s+(?:(?:the|my|our)\s+)?(?:monthly\s+)?quota(?=\s|$)"
)


class WrongAmount(ValueError):
    """An amount that does not fit its value. `right` is what was probably meant; `value` is the
    value that the amount does fit, if any.
    """

    def __init__(self, message: str, right: str, value: str = "") -> None:
        super().__init__(message)
        self.right = right
        self.value = value


def read_usual(text: str) -> float | None:
    """The factor of `2x usual`; None for `usual` alone. Raises WrongAmount and AmbiguousAmount."""
    typed = text.strip()
    if not USUAL_THRESHOLD.fullmatch(typed):
        raise WrongAmount(
            f"“{sanitise(typed, 40)}” is not a multiple of what is usual.", "2x usual"
        )
    if factor := _MULTIPLES.get(typed.lower().split()[0]):
        return factor
    number = _FACTOR.search(typed)
    if number is None:
        return None
    factor = read_number(number[0])
    if factor is not None and ("%" in typed or "percent" in typed.lower()):
        factor /= 100
    if not factor or factor > LARGEST_FACTOR:
        message = f"A multiple of what is usual is above 0 and at most {LARGEST_FACTOR:,.0f}."
        raise WrongAmount(message, "2x usual")
    return factor


_PERCENT_OF: Mapping[str, str] = MappingProxyType(
    {"bytes": "quota_percent", "failures": "failure_percent"}
)
# The value in bytes beside one in percent.
_SIZE_OF: Mapping[str, str] = MappingProxyType({"change_percent": "change_bytes"})
# A bare number this large is an exact number of bytes.
_MANY_BYTES = 1e6


def read_threshold(text: str, value: str, command: CommandName) -> float:
    """The number of a threshold. Raises WrongAmount and AmbiguousAmount."""
    typed = text.strip()
    if typed[:1] in ("-", "−"):
        return _below_zero(typed[1:].strip(), value, command)
    typed = typed.removeprefix("+").strip()
    message = f"“{sanitise(typed, 40)}” is not a threshold for {value}"
    if value.endswith("_ms") and (length := _milliseconds(typed)) is not None:
        return length
    plain = _without_percent(typed)
    number = read_count(plain)
    if plain != typed and not value.endswith("_percent"):
        percent = _PERCENT_OF.get(value, "")
        percent = percent if has_value(command, percent) else ""
        instead = (
            f"; a percentage is a threshold for {percent}."
            if percent
            else ", which is not a percentage."
        )
        raise WrongAmount(
            message + instead, plain if percent or "bytes" not in value else f"{plain} GB", percent
        )
    # Bytes always have a unit, so a bare number is refused.
    if "bytes" in value:
        return _bytes(typed, number, message)
    if number is not None:
        return number
    size = _SIZE_OF.get(value, "" if value.endswith("_percent") else "bytes")
    is_size = has_value(command, size) and read_size(plain) is not None
    usual = "80" if value.endswith("_percent") else "20"
    # `days above 2 days`
    if counted := _COUNTED_DAYS.fullmatch(typed):
        usual = counted[1]
    raise WrongAmount(f"{message}.", typed if is_size else usual, size if is_size else "")


def amount_in_unit(text: str, value: str) -> float | None:
    """The number of an amount such as `30 %` or `2s` for a value that is a percentage or a number of
    milliseconds; None for any other amount.
    """
    typed = text.strip()
    if value.endswith("_ms"):
        return _milliseconds(typed)
    plain = _without_percent(typed)
    if plain == typed or not value.endswith("_percent"):
        return None
    # A change may be below zero.
    sign = plain[:1] if plain[:1] in ("-", "−", "+") else ""
    number = read_count(plain.removeprefix(sign).strip())
    return -number if number is not None and sign in ("-", "−") else number


def _without_percent(typed: str) -> str:
    return re.sub(r"(?i)\s*(?:%|percent)$", "", typed)


def _milliseconds(typed: str) -> float | None:
    """The milliseconds of `500ms`, `2s` and `1m30s`; None where the amount has no unit of time."""
    if match := re.fullmatch(r"(?i)(\S*\d)\s*ms", typed):
        return read_number(match[1])
    try:
        # A capital is a month elsewhere, which no call lasts.
        length = read_duration(typed.lower())
    except AmbiguousAmount as error:
        unit = typed.lstrip("0123456789.,_ ")
        readings = (f"{each}{unit}" for each in error.readings)
        raise AmbiguousAmount(typed, *readings) from None
    return None if length is None else length / timedelta(milliseconds=1)


def is_size_in_mega(text: str, value: str) -> bool:
    """Whether `5m` means megabytes, because the value is not a duration."""
    return not value.endswith("_ms") and _MINUTES_OR_MEGA.fullmatch(text) is not None


def _below_zero(text: str, value: str, command: CommandName) -> float:
    """The number of a threshold with a minus sign, which only a change can have."""
    if not value.startswith("change_"):
        raise WrongAmount(f"{value} is never below zero.", text)
    try:
        return -read_threshold(text, value, command)
    except AmbiguousAmount as error:
        raise AmbiguousAmount(f"-{text}", *(f"-{each}" for each in error.readings)) from None
    except WrongAmount as error:
        raise WrongAmount(str(error), f"-{error.right}", error.value) from None


def _bytes(typed: str, number: float | None, message: str) -> float:
    """A number of bytes with a unit, since `above 5` hardly means five bytes."""
    if number == 0:
        return 0.0
    if number is None:
        size = read_size(typed)
        if size is None:
            raise WrongAmount(f"{message}.", "5 GB")
        return float(size)
    match = re.fullmatch(r"(?i)(\S*\d)\s*(k|thousand|million|billion)?", typed)
    assert match is not None
    digits = match[1]
    likely = {"k": "kB", "thousand": "kB", "million": "MB", "billion": "GB"}.get(
        (match[2] or "").lower()
    )
    # The units that make sense for a number of this size, the likeliest first.
    units = [likely] if likely else ["B", "GB"] if number >= _MANY_BYTES else ["GB", "MB", "B"]
    examples = " or ".join(f"{digits} {unit}" for unit in units)
    raise WrongAmount(
        f"“{sanitise(typed, 40)}” has no unit; write {examples}.", f"{digits} {units[0]}"
    )


def in_known_unit(other: re.Match[str]) -> str:
    """`5 gigs` → `5 GB`; `5 GiB` → `5.37 GB`."""
    name = (other["long"] or other["prefix"]).lower()
    number = other["number"]
    step = "kmgtp".index(name[0]) + 1
    unit = SIZE_UNITS[step]
    # GiB and gibibytes; the bot counts in decimal units.
    is_binary = name.endswith("bi") or other[0].lower().rstrip("b").endswith("i")
    try:
        count = read_count(number)
    except AmbiguousAmount:
        count = None
    if is_binary and count is not None:
        return f"{count * 1.024**step:.2f} {unit}"
    return f"{number} {unit}"
