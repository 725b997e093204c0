"""Time zones as people write them: abbreviations, offsets from UTC, regions and cities."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo
from functools import cache
from types import MappingProxyType
from zoneinfo import ZoneInfo, available_timezones

# Fixed offsets in hours. Abbreviations of several zones are refused with a question.
_ABBREVIATIONS = MappingProxyType(
    {
        "utc": 0.0,
        "gmt": 0.0,
        "z": 0.0,
        "wet": 0.0,
        "west": 1.0,
        "cet": 1.0,
        "cest": 2.0,
        "eet": 2.0,
        "eest": 3.0,
        "msk": 3.0,
        "sgt": 8.0,
        "hkt": 8.0,
        "jst": 9.0,
        "kst": 9.0,
        "aest": 10.0,
        "aedt": 11.0,
        "nzst": 12.0,
        "nzdt": 13.0,
        "hst": -10.0,
        "akst": -9.0,
        "akdt": -8.0,
        "pst": -8.0,
        "pdt": -7.0,
        "mst": -7.0,
        "mdt": -6.0,
        "cdt": -5.0,
        "est": -5.0,
        "edt": -4.0,
    }
)
# As people in the United States write them, whether or not it is summer.
_US_ZONES = MappingProxyType(
    {
        "et": "America/New_York",
        "eastern": "America/New_York",
        "pt": "America/Los_Angeles",
        "pacific": "America/Los_Angeles",
    }
)
AMBIGUOUS_ZONES = MappingProxyType(
    {
        "ist": ("Asia/Kolkata", "Europe/Dublin"),
        "bst": ("Europe/London", "Asia/Dhaka"),
        "cst": ("America/Chicago", "Asia/Shanghai"),
        "ast": ("America/Halifax", "Asia/Riyadh"),
    }
)


class UnknownZone(ValueError):
    """A zone or an offset that does not exist; the message says what is wrong."""


def zone_of_word(word: str) -> tzinfo | None:
    """The zone that a single word names, such as `utc`, `est` or `pacific`."""
    if word in _US_ZONES:
        return ZoneInfo(_US_ZONES[word])
    if word in _ABBREVIATIONS:
        hours = _ABBREVIATIONS[word]
        return timezone(timedelta(hours=hours)) if hours else UTC
    return None


def may_end_city(word: str) -> bool:
    """Whether the name of a city ends in the word."""
    return word in _city_ends()


def zone_of_city(words: str) -> tzinfo | None:
    """The zone of a city by which the time zone database names one: `berlin`, `new york`."""
    name = _cities().get(words)
    return ZoneInfo(name) if name else None


def named_zone(text: str) -> tzinfo:
    """The zone of `europe/dublin` or `utc+2`. Raises UnknownZone."""
    lowered = text.lower()
    if region := _regions().get(lowered):
        return ZoneInfo(region)
    shift = re.fullmatch(r"(?:utc|gmt) ?([+-])(\d{1,2})(?::?(\d{2}))?", lowered)
    if not shift:
        raise UnknownZone(f"“{text[:40]}” is not a time zone")
    return shifted(shift[1], int(shift[2]), int(shift[3] or 0))


def shifted(sign: str, hours: int, minutes: int) -> tzinfo:
    """A fixed offset from UTC. Raises UnknownZone."""
    shift = timedelta(hours=hours, minutes=minutes)
    # Kiribati is fourteen hours ahead, the most there is.
    if hours > 14 or minutes > 59:
        raise UnknownZone("There is no such offset")
    return timezone(-shift if sign == "-" else shift)


@cache
def _regions() -> dict[str, str]:
    """The regions by their names in small letters, since ZoneInfo wants its own spelling. Found when
    a zone is first typed: that reads the whole time zone database.
    """
    return {name.lower(): name for name in available_timezones() if "/" in name}


@cache
def _cities() -> dict[str, str]:
    """The regions by their city, without cities that name several zones."""
    found: dict[str, str | None] = {}
    for name in sorted(_regions().values()):
        continent, _, place = name.partition("/")
        if continent.lower() not in _CITY_CONTINENTS:
            continue
        city = place.rpartition("/")[2].replace("_", " ").lower()
        found[city] = None if city in found else name
    return {city: name for city, name in found.items() if name is not None}


@cache
def _city_ends() -> frozenset[str]:
    return frozenset(city.rpartition(" ")[2] for city in _cities())


# Others, such as `US` and `Etc`, hold no cities.
_CITY_CONTINENTS = frozenset(
    ["africa", "america", "asia", "atlantic", "australia", "europe", "indian", "pacific"]
)
