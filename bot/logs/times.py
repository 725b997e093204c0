"""The instants that times in logs mean.

A time is stored as its minute, in ISO 8601: whole if the log has a whole date (`2026-11-21T10:00`),
or else the part it has (`--11-21T10:00`, `T10:00`). The year or day depends on the window that was
requested.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from itertools import repeat
from typing import Final

from bot.logs.calendar_names import MONTH_NUMBER, SHARED_ZONES, ZONES
from bot.logs.time_forms import FORM_OF, HALF_OF_DAY, Minute
from providers.patterns import compile_pattern


@lru_cache(maxsize=256)
def _parts_of(name: str) -> re.Pattern[bytes]:
    return compile_pattern(FORM_OF[name].minute.replace(rb"\2", rb"[/.-]"), re.ASCII)


# The notation of most logs, which needs no further checks.
_WHOLE_ISO: Final = compile_pattern(
    rb"(?:19|20)\d\d-(?:0\d|1[0-2])-(?:[0-2]\d|3[01])[T ](?:[01]\d|2[0-4]):[0-5]\d"
)
_HALF_OF_DAY: Final = compile_pattern(HALF_OF_DAY.replace(b"[AaPp]", b"([AaPp])"))
_YEAR_BEHIND: Final = compile_pattern(rb"((?:19|20)\d\d)(?: ([+-]\d\d:?\d\d))?$")


_WHOLE_ISO_LINES: Final = compile_pattern(rb"(?:" + _WHOLE_ISO.pattern + rb"\n){0,65535}+")


def minutes_of(name: str, written: Collection[bytes], behind: bytes) -> dict[bytes, Minute | None]:
    """The minutes of many times that have the same text after them."""
    if name == "iso" and behind[:1] in b"Z+-":
        joined = b"\n".join([*written, b""])
        if _WHOLE_ISO_LINES.fullmatch(joined):
            clocks = joined.replace(b" ", b"T").split(b"\n")
            return dict(zip(written, zip(clocks, repeat(_offset_of(behind))), strict=False))
    return {each: minute_of(name, each, behind) for each in written}


@lru_cache(maxsize=8192)
def minute_of(name: str, minute: bytes, behind: bytes) -> Minute | None:
    """The minute in this notation; None if it does not exist (a month of 13)."""
    if name == "iso" and behind[:1] in b"Z+-" and _WHOLE_ISO.fullmatch(minute):
        return minute[:10] + b"T" + minute[11:], _offset_of(behind)
    match = _parts_of(name).fullmatch(minute)
    if not match:
        return None
    found = {key: value for key, value in match.groupdict().items() if value is not None}
    if "epoch" in found:
        seconds = int(found["epoch"].replace(b".", b"")) * 10
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M").encode(), b"Z"
    if "tai" in found:
        # TAI64 counts from 2**62 and was ten seconds ahead in 1970. Leap seconds since then add up
        # to less than a minute.
        seconds = int(found["tai"], 16) - 2**62 - 10
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M").encode(), b"Z"
    behind = behind.strip()
    hour = int(found.get("H") or found.get("H1") or b"0")
    if half := _HALF_OF_DAY.match(behind):
        # A 24-hour clock ignores AM and PM: `14:05 am` is 14:05.
        if 1 <= hour <= _HOURS_OF_HALF:
            hour = hour % 12 + 12 * (half[1] in b"Pp")
        behind = behind[half.end() :].lstrip()
    year = found.get("y") or (b"20" + found["yy"] if "yy" in found else b"")
    if name in ("ctime", "day_first_ctime"):
        late = _YEAR_BEHIND.search(behind)
        if late is None:
            return None
        year = late[1]
        behind = late[2] or behind[: late.start()].strip()
    of_hour = int(found.get("M") or found.get("M1") or b"0")
    date_ = _date_of(found, year, minute)
    if date_ is None or hour > _LAST_HOUR or of_hour > _LAST_MINUTE:
        return None
    return date_ + b"T%02d:%02d" % (hour, of_hour), _offset_of(behind)


_HOURS_OF_HALF = 12
_LAST_HOUR = 24
_LAST_MINUTE = 59
_LAST_MONTH = 12
_LAST_DAY = 31
# Of logs that are kept, in two digits.
_EARLIEST_YEAR: Final = b"24"


def _date_of(found: dict[str, bytes], year: bytes, minute: bytes) -> bytes | None:
    """The date of a time; None if there is no such date, and nothing if the time has none."""
    if "one" in found and "two" not in found:
        return _dotted_date(found)
    if "one" in found:
        return _date_of_numbers(int(found["one"]), int(found["two"]), year, minute)
    if "yday" in found:
        return _ordinal_date(int(year), int(found["yday"]))
    if "week" in found:
        return _week_date(int(year), int(found["week"]), int(found["wday"]))
    if "mon" in found:
        month = MONTH_NUMBER[found["mon"].lower()]
    elif "m" in found:
        month = int(found["m"])
    else:
        return b""
    return b"%s-%02d-%02d" % (year or b"-", month, int(found["d"]))


def _date_of_numbers(one: int, two: int, year: bytes, minute: bytes) -> bytes | None:
    """The date of a day and a month in either order."""
    # Only days come before a dot.
    if one > _LAST_MONTH or (b"." in minute[:3] and two <= _LAST_MONTH):
        one, two = two, one
    elif two <= _LAST_MONTH and one != two:
        # Both numbers may be the month.
        return b"%s-%02d/%02d" % (year, one, two)
    if not (1 <= one <= _LAST_MONTH and 1 <= two <= _LAST_DAY):
        return None
    return b"%s-%02d-%02d" % (year, one, two)


def _dotted_date(found: dict[str, bytes]) -> bytes:
    """The date of a year of two digits, a month and a day, or of these in the opposite order."""
    one = found["one"]
    two = found["d"]
    may_be_year = two >= _EARLIEST_YEAR and two != one
    return b"20" + (b"/" if may_be_year else b"-").join((one, found["m"], two))


def _ordinal_date(year: int, day: int) -> bytes | None:
    moment = date(year, 1, 1) + timedelta(days=day - 1)
    return moment.isoformat().encode() if moment.year == year else None


def _week_date(year: int, week: int, weekday: int) -> bytes | None:
    try:
        return date.fromisocalendar(year, week, weekday).isoformat().encode()
    except ValueError:
        # Most years have 52 weeks, and none has more than 53.
        return None


@cache
def _regions() -> frozenset[bytes]:
    """The names of the time zones that this system knows."""
    # Few logs name a region, and the import takes memory.
    from zoneinfo import available_timezones

    return frozenset(name.encode() for name in available_timezones())


# No zone is further from UTC, or has minutes other than a multiple of 15.
_FURTHEST_OFF: Final = 1400
_MINUTES_OFF: Final = (b"00", b"15", b"30", b"45")


@lru_cache(maxsize=256)
def _offset_of(behind: bytes) -> bytes:
    behind = behind.strip(b"[]#")
    if behind.startswith(b"(UTC"):
        behind = behind[4:-1] or b"Z"
    if behind[:3] in (b"UTC", b"GMT") and behind[3:]:
        behind = (
            behind[3:4] + behind[4:].partition(b":")[0].rjust(2, b"0") + behind.partition(b":")[2]
        )
    if not behind:
        return b""
    if behind[:1] in b"+-":
        digits = behind[1:].replace(b":", b"")
        if len(digits) == 3:
            # DB2 writes the offset in minutes.
            digits = b"%02d%02d" % divmod(int(digits), 60)
        hours = digits[:2]
        minutes = digits[2:4] or b"00"
        # `+2600 items` is a number.
        if minutes not in _MINUTES_OFF or int(hours + minutes) > _FURTHEST_OFF:
            return b""
        return behind[:1] + hours + b":" + minutes
    name = behind.upper()
    if b"/" in name:
        return behind if behind in _regions() else b""
    return ZONES.get(name, name if name in SHARED_ZONES else b"")


_SECONDS_BEHIND: Final = compile_pattern(rb"[:.]?(\d{2})(?:[.,:](\d{1,9}))?")


def seconds_of(form: str, behind_minute: bytes) -> float:
    """The seconds after a minute, to order lines within it."""
    if form == "epoch":
        digits = behind_minute[:1] + b"." + re.sub(rb"\D", b"", behind_minute[1:24])
        return float(digits) if behind_minute[:1].isdigit() else 0.0
    match = _SECONDS_BEHIND.match(behind_minute)
    return float(match[1] + b"." + (match[2] or b"0")) if match else 0.0
