"""The notations of times in logs: a table, and the instant that each means.

A time is stored as its minute, in ISO 8601: whole if the log has a whole date (`2026-11-21T10:00`),
or else the part it has (`--11-21T10:00`, `T10:00`). The year or day depends on the window that was
requested.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from itertools import repeat
from typing import Final

from msgspec import Struct

from bot.logs.calendar_names import (
    MONTH_NUMBER,
    MONTHS,
    SHARED_ZONES,
    SPELT_MONTHS,
    ZONES,
)
from providers.patterns import compile_pattern

# The minute, such as `2026-11-21T10:00`, and its offset, such as `+01:00`, `Z`, a zone that several
# countries use, or nothing.
Minute = tuple[bytes, bytes]

_DAYS: Final = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_NAMED_ZONE: Final = (
    rb"(?:"
    + b"|".join(sorted([*ZONES, *SHARED_ZONES], key=lambda name: -len(bytes(name))))
    + rb")\b"
)
_REGION: Final = rb"[A-Z][a-z]{1,12}/[A-Z][A-Za-z]{1,20}(?:_[A-Z][a-z]{1,20})?"
_KNOWN_REGION: Final = (
    rb"(?:Africa|America|Antarctica|Asia|Atlantic|Australia|Europe|Indian|Pacific)/"
    rb"[A-Z][A-Za-z]{1,20}(?:_[A-Z][a-z]{1,20})?"
)
# Most text after a time begins in none of these ways, which a quick check shows. It does not check
# for the whole offset, since lines that differ only in digits are read alike.
OFFSET: Final = (
    rb" ?(?=[-+(A-Z\t[])(?:[+-]\d\d(?::?\d\d)?(?!\d)|\(UTC(?:[+-]\d{4})?\)|"
    + _NAMED_ZONE
    + rb"(?![+-]\d)|(?:GMT|UTC)[+-]\d{1,2}(?::?\d\d)?(?!\d)|(?<= )"
    + _REGION
    + rb"(?=\])|\t(?:UTC|GMT)(?=\t)|(?<=\d)\["
    + _KNOWN_REGION
    + rb"\])"
)
# Programs with a clock of 12 hours write AM or PM after any date, so that `2026-11-21 10:00:00 PM
# started` is at 22:00. Some languages put a no-break space between the time and AM or PM.
_HALF: Final = rb"(?: |\xe2\x80\xaf|\xc2\xa0)?[AaPp](?:\.(?: |\xc2\xa0)?)?[Mm]\b\.?"
_HALF_OR_OFFSET: Final = rb"(?:" + _HALF + rb"(?:" + OFFSET + rb")?|" + OFFSET + rb")"
# Such dates seldom have AM or PM: `pm: worker started` names a program.
_HALF_OF_ISO_OR_OFFSET: Final = rb"(?:" + _HALF + rb"(?!:)(?:" + OFFSET + rb")?|" + OFFSET + rb")"
# Or only if it is unambiguous: directly after the time, or before a zone, a sign, a level or the
# end.
_SURE_HALF_OR_OFFSET: Final = (
    rb"(?:[AaPp][Mm]\b(?:"
    + OFFSET
    + rb")?| [AaPp][Mm](?:"
    + OFFSET
    + rb"|(?=[\]),;|\t\n]|\Z| {1,4}\[?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERR|ERROR|SEVERE|"
    rb"CRITICAL|FATAL)\b))|" + OFFSET + rb")"
)
# The zone in Android's log, before the numbers of a process and a thread, or before a tag.
_OFFSET_OF_LOGCAT: Final = (
    rb" [+-]\d{4}(?= {1,6}(?:[\w-]{1,16} {1,6})?\d{1,7}(?: {1,8}|: {0,6})\d{1,7} [VDIWEFAS][ /]"
    rb"| [VDIWEFAS]/\S)"
)
_Y = rb"(?P<y>(?:19|20)\d\d)"
_M = rb"(?P<m>0\d|1[0-2])"
_D = rb"(?P<d>[0-2]\d|3[01])"
_LOOSE_M = rb"(?P<m>0?[1-9]|1[0-2])"
_LOOSE_D = rb"(?P<d>0?[1-9]|[12]\d|3[01])"
_NAMED_M: Final = rb"(?P<mon>" + b"|".join(SPELT_MONTHS) + rb")"
_HM: Final = rb"(?P<H>[01]\d|2[0-4]):(?P<M>[0-5]\d)"
_LOOSE_HM: Final = rb"(?P<H>[01]?\d|2[0-3]):(?P<M>[0-5]\d)"
_SECONDS: Final = rb"(?::\d\d(?:[.,:]\d{1,9}+)?+)?+"
# A date and a clock may be separate columns.
_COLUMN: Final = rb"(?:[,;\t]|\"[,;\t ]\"| \| )"
_ISO_BETWEEN: Final = rb"(?:[Tt_|-]|[ \t]{1,8}|, |\] ?\[|" + _COLUMN + rb")"
_EPOCH: Final = rb"(?P<epoch>1\d{8})"
_BLANKS: Final = rb" {1,2}"


class TimeForm(Struct, frozen=True):
    """A notation of a time: patterns of the date and the minute, of the rest of the time, and of
    the text after it that belongs to it, such as an offset; with an example, and the minute that it
    means.
    """

    name: str
    minute: bytes
    rest: bytes
    behind: bytes
    example: bytes
    means: Minute

    def pattern_of_minute(self) -> bytes:
        """The pattern of the minute, without groups."""
        return _without_names(self.minute)

    def behind_unnamed(self) -> bytes:
        """The pattern of what may follow the rest, without groups."""
        return _without_names(self.behind)

    def pattern(self) -> bytes:
        """The pattern with two groups: the minute, and the text after the rest."""
        return (
            rb"(" + _without_names(self.minute) + rb")" + self.rest + rb"(" + self.behind + rb")?+"
        )


FORMS: Final = (
    TimeForm("iso", _Y + b"-" + _M + b"-" + _D + rb"(?:" + _ISO_BETWEEN + _HM + rb"| {1,2}(?P<H1>\d):(?P<M1>[0-5]\d))", _SECONDS,
             _HALF_OF_ISO_OR_OFFSET,
             b"2026-11-21 10:00:00,123 +0100", (b"2026-11-21T10:00", b"+01:00")),
    TimeForm("iso_basic", _Y + _M + _D + rb"[T .:-](?P<H>\d\d)(?P<M>\d\d)", rb"\d\d(?:[.,]\d{1,9}+)?+", OFFSET,
             b"20261121T100000Z", (b"2026-11-21T10:00", b"Z")),
    TimeForm("compact_date", _Y + _M + _D + rb"[ T-](?P<H>\d{1,2}):(?P<M>\d{1,2})", rb":\d{1,2}(?:[.,:]\d{1,9}+)?+", OFFSET,
             b"20171223-22:15:29:606", (b"2017-12-23T22:15", b"")),
    TimeForm("ordinal", _Y + rb"-(?P<yday>[0-3]\d\d)T" + _HM, _SECONDS, OFFSET,
             b"2026-325T10:00:00,123", (b"2026-11-21T10:00", b"")),
    # Other signs occur in addresses (`2001:200:10:30::5`), builds and numbers of orders.
    TimeForm("dotted_ordinal", _Y + rb"\.(?P<yday>[0-3]\d\d)\." + _HM, _SECONDS, OFFSET,
             b"2026.325.10:00:00", (b"2026-11-21T10:00", b"")),
    TimeForm("week_date", _Y + rb"-W(?P<week>[0-5]\d)-(?P<wday>[1-7])[T ]" + _HM, _SECONDS, OFFSET,
             b"2026-W47-6T10:00:00Z", (b"2026-11-21T10:00", b"Z")),
    TimeForm("hours_and_minutes", _Y + b"-" + _M + b"-" + _D + rb" (?P<H>[01]\d|2[0-3])h(?P<M>[0-5]\d)", rb"\.\d\d", rb" (?:utc|UTC)\b",
             b"2026-11-21 10h00.00 utc", (b"2026-11-21T10:00", b"Z")),
    TimeForm("year_first", _Y + rb"([/.])" + _M + rb"\2" + _D + rb"(?: - |[ T:@-]|\] ?\[|" + _COLUMN + rb")" + _HM, _SECONDS, _SURE_HALF_OR_OFFSET,
             b"2026/11/21 10:00:00.123", (b"2026-11-21T10:00", b"")),
    TimeForm("bgl", _Y + b"[-.]" + _M + b"[-.]" + _D + rb"-(?P<H>\d\d)\.(?P<M>\d\d)", rb"\.\d\d(?:[.:]\d{1,9}+)?+", rb"(?:[+-]\d{3}(?!\d)|" + OFFSET + rb")",
             b"2005-06-03-15.42.50.363779", (b"2005-06-03T15:42", b"")),
    TimeForm("access", _LOOSE_D + b"[/-]" + _NAMED_M + rb"\.?[/-]" + _Y + rb"(?:::?|[ T])" + _HM, _SECONDS, OFFSET,
             b"21/Nov/2026:10:00:00 +0100", (b"2026-11-21T10:00", b"+01:00")),
    TimeForm("year_and_name", _Y + b"([/.-])" + _NAMED_M + rb"\2" + _D + rb"[ T:]" + _HM, _SECONDS, OFFSET,
             b"2026-Nov-21 10:00:00.123 UTC", (b"2026-11-21T10:00", b"Z")),
    TimeForm("oracle_date", _LOOSE_D + b"[/-]" + _NAMED_M + rb"[/-](?P<yy>[2-9]\d)[ T](?P<H>[01]\d|2[0-3])[:.](?P<M>[0-5]\d)", rb"[:.]\d\d(?:[.,]\d{1,9}+)?+",
             _HALF_OR_OFFSET,
             b"21-NOV-26 10.00.00.123456 PM +00:00", (b"2026-11-21T22:00", b"+00:00")),
    TimeForm("short_year", _LOOSE_D + b" " + _NAMED_M + rb" (?P<yy>[2-9]\d) " + _HM, _SECONDS, OFFSET,
             b"21 Nov 26 10:00:00 +0100", (b"2026-11-21T10:00", b"+01:00")),
    TimeForm("joined_date", _D + _NAMED_M + _Y + rb" " + _HM, _SECONDS, OFFSET,
             b"21Nov2026 10:00:00.123", (b"2026-11-21T10:00", b"")),
    TimeForm("year_month_day", _Y + b" " + _NAMED_M + _BLANKS + _LOOSE_D + b" " + _HM, _SECONDS, OFFSET,
             b"2026 Nov 21 10:00:00.123", (b"2026-11-21T10:00", b"")),
    TimeForm("day_month_year", _LOOSE_D + rb"\.? (?:de )?" + _NAMED_M + rb"\w{0,6}\.? (?:de )?" + _Y + rb",? (?:(?:um|at|a las|alle|\xc3\xa0|\xc3\xa0s) )?" + _HM, _SECONDS, OFFSET,
             b"21 Nov 2026 10:00:00.123", (b"2026-11-21T10:00", b"")),
    TimeForm("month_day_year", _NAMED_M + rb"\w{0,6}" + _BLANKS + _LOOSE_D + rb",? " + _Y + rb",? (?:at )?" + _LOOSE_HM, _SECONDS,
             _HALF_OR_OFFSET,
             b"Nov 21, 2026 10:00:00 PM", (b"2026-11-21T22:00", b"")),
    TimeForm("ctime", _NAMED_M + _BLANKS + _LOOSE_D + b" " + _HM, rb"(?=[\d:.]{1,16} (?:[A-Z]{3,4} |[+-]\d{4} )?(?:19|20)\d\d\b)" + _SECONDS,
             rb" (?:[A-Z]{3,4} |[+-]\d{4} )?(?P<late>(?:19|20)\d\d)(?: [+-]\d\d:?\d\d(?!\d))?",
             b"Nov 21 10:00:00.123456 2026", (b"2026-11-21T10:00", b"")),
    TimeForm("day_first_ctime", _LOOSE_D + rb"\.? " + _NAMED_M + rb"\.? " + _HM, rb"(?=[\d:.]{1,16} (?:[A-Z]{3,4} )?(?:19|20)\d\d\b)" + _SECONDS,
             rb" (?:[A-Z]{3,4} )?(?:19|20)\d\d",
             b"21. Nov 10:00:00 CET 2026", (b"2026-11-21T10:00", b"+01:00")),
    TimeForm("syslog", _NAMED_M + rb"\.?" + _BLANKS + _LOOSE_D + b" " + _HM, _SECONDS, rb" " + _NAMED_ZONE,
             b"Nov  1 10:00:00", (b"--11-01T10:00", b"")),
    TimeForm("month_day_dash", _NAMED_M + b"-" + _D + b" " + _HM, _SECONDS, rb"(?!)",
             b"Nov-21 10:00:00.123", (b"--11-21T10:00", b"")),
    TimeForm("day_month", _LOOSE_D + b"[ -]" + _NAMED_M + b" " + _HM, _SECONDS, OFFSET,
             b"21 Nov 10:00:00", (b"--11-21T10:00", b"")),
    TimeForm("joined_month_day", _NAMED_M + _D + b" " + _HM, _SECONDS, rb"(?!)",
             b"Nov21 10:00:00", (b"--11-21T10:00", b"")),
    # If either number can be the month, the window decides.
    TimeForm("numbers", rb"(?P<one>\d{1,2})([/.-])(?P<two>\d{1,2})\2(?P<y>(?:19|20)\d\d)(?:,? | --? |:|-|T|\] ?\[|" + _COLUMN + rb")" + _LOOSE_HM, _SECONDS,
             _HALF_OR_OFFSET,
             b"11/21/2026 10:00:00 PM", (b"2026-11-21T22:00", b"")),
    TimeForm("epoch", _EPOCH, rb"\d(?:\d{9}|\d{6}|\d{3})?+(?:[.,]\d{1,9}+)?+(?![\w.])", rb"(?!)",
             b"1795255200.123", (b"2026-11-21T10:00", b"Z")),
    TimeForm("epoch_scientific", rb"(?P<epoch>1\.\d{8})", rb"\d{1,12}+e\+09\b", rb"(?!)",
             b"1.7952552001234567e+09", (b"2026-11-21T10:00", b"Z")),
    TimeForm("tai64n", rb"@(?P<tai>40000000[0-9a-f]{8})", rb"[0-9a-f]{8}", rb"(?!)",
             b"@400000006b016baa00000000", (b"2026-11-21T10:00", b"Z")),
    # Only near the beginning of a line.
    TimeForm("digits_alone", rb"(?P<y>20\d\d)" + _M + _D + rb"(?P<H>[01]\d|2[0-3])(?P<M>[0-5]\d)", rb"[0-5]\d(?:\.\d{1,9}+)?+(?!\d)", rb"Z",
             b"20261121100000.123", (b"2026-11-21T10:00", b"")),
    TimeForm("dashed_clock", _Y + rb"[-_.]" + _M + rb"[-_.]" + _D + rb"[ _T](?P<H>[01]\d|2[0-3])[.:-](?P<M>[0-5]\d)", rb"[.:-]\d\d(?:[.,]\d{1,9}+)?+(?!\d)", OFFSET,
             b"2026-11-21_10-00-00", (b"2026-11-21T10:00", b"")),
    TimeForm("loose_iso", _Y + rb"-(?P<m>0?[1-9]|1[0-2])-(?P<d>0?[1-9]|[12]\d|3[01])[ T](?P<H>[01]?\d|2[0-3]):(?P<M>[0-5]\d)", _SECONDS, _HALF_OF_ISO_OR_OFFSET,
             b"2026-11-1 9:00:00", (b"2026-11-01T09:00", b"")),
    TimeForm("mikrotik", rb"(?P<mon>" + MONTHS.lower() + rb")/" + _D + rb"(?:/" + _Y + rb")? " + _HM, _SECONDS, rb"(?!)",
             b"nov/21/2026 10:00:00", (b"2026-11-21T10:00", b"")),
    TimeForm("chromium", _M + _D + rb"/(?P<H>[01]\d|2[0-3])(?P<M>[0-5]\d)", rb"\d\d\.\d{1,9}+", rb"(?!)",
             b"1121/100000.123456", (b"--11-21T10:00", b"")),
    # Between dots, the day is first, as in German; years before 2024 are not kept. If both numbers
    # may be such a year, the window decides.
    TimeForm("dotted_short", rb"(?P<one>2[4-9]|3[01])\." + _M + rb"\." + _D + rb"(?:,? {1,2}|[;@-])" + _HM, _SECONDS, OFFSET,
             b"24.11.26 10:00:00", (b"2024/11/26T10:00", b"")),
    TimeForm("day_first_short", rb"(?P<d>[01]\d|2[0-3])\." + _M + rb"\.(?P<yy>2[4-9]|3\d)(?:,? {1,2}|[;-])" + _HM, _SECONDS, OFFSET,
             b"21.11.26 10:00:00", (b"2026-11-21T10:00", b"")),
    # Apart from this notation, a first number up to 12 is a month, since logs from 2012 and before
    # are not kept.
    TimeForm("year_of_two", rb"(?P<yy>1[3-9](?=/)|[2-9]\d(?=/)|2[4-9]|3\d)([/.-])" + _M + rb"\2" + _D + b"[ @]" + _HM, _SECONDS, OFFSET,
             b"17/06/09 20:10:40", (b"2017-06-09T20:10", b"")),
    TimeForm("american_short", _LOOSE_M + b"/" + _LOOSE_D + rb"/(?P<yy>\d\d)(?:,|-| |, )" + _HM, _SECONDS, OFFSET,
             b"11/21/26 10:00:00:123 UTC", (b"2026-11-21T10:00", b"Z")),
    TimeForm("six_digits", rb"(?P<yy>\d\d)" + _M + _D + rb" {1,2}(?:(?P<H>\d\d):?(?P<M>\d\d)| (?P<H1>\d):(?P<M1>\d\d))", rb":?\d\d(?:[.,]\d{1,9}+)?+(?!\d)", rb"(?!)",
             b"081109 203615", (b"2008-11-09T20:36", b"")),
    TimeForm("klog", rb"(?P<m>0\d|1[0-2])(?P<d>[0-2]\d|3[01]) " + _HM, rb":\d\d\.\d{1,9}+", rb"(?!)",
             b"1121 10:00:00.123456", (b"--11-21T10:00", b"")),
    TimeForm("month_day", _M + rb"([-./])" + _D + rb"[ |-]" + _HM, _SECONDS, _OFFSET_OF_LOGCAT,
             b"11-21 10:00:00.123", (b"--11-21T10:00", b"")),
    TimeForm("clock", _HM, rb"(?=:\d\d(?!\d))" + _SECONDS, _HALF_OR_OFFSET,
             b"10:00:00.123", (b"T10:00", b"")),
    TimeForm("kitchen_clock", rb"(?P<H>1[0-2]|0?[1-9]):(?P<M>[0-5]\d)", rb"(?=[AP]M\b)", rb"[AP]M",
             b"10:00PM", (b"T22:00", b"")),
)  # fmt: skip
FORM_OF: Final = {form.name: form for form in FORMS}
# Notations that differ from others in digits after the minute.
FORMS_WITH_FIXED_DIGITS: Final = {"digits_alone", "epoch_scientific"}
_AT_START_ALONE: Final = {
    "dotted_ordinal",
    "joined_month_day",
    "digits_alone",
    "dashed_clock",
    "loose_iso",
    "mikrotik",
    "chromium",
    "dotted_short",
    "day_first_short",
    "year_of_two",
    "american_short",
    "six_digits",
    "klog",
    "month_day",
    "clock",
    "kitchen_clock",
}
WEEKDAY: Final = _DAYS + rb"(?:[a-z]{3,6})?,? "


def _without_names(pattern: bytes) -> bytes:
    """The pattern without groups. References to the separator become a character class."""
    pattern = re.sub(rb"\(\?P<\w+>", b"(?:", pattern)
    return (
        pattern.replace(rb"([/.])", rb"[/.]")
        .replace(rb"([/.-])", rb"[/.-]")
        .replace(rb"([-./])", rb"[-./]")
        .replace(rb"\2", rb"[/.-]")
    )


def any_time(*, at_start: bool) -> bytes:
    """A pattern for all notations, with a named group around each. Some match only at the beginning
    of a line. Notations are grouped by their first characters, so that most text is skipped
    quickly.
    """
    forms = [form for form in FORMS if at_start or form.name not in _AT_START_ALONE]
    groups: dict[bytes, list[TimeForm]] = {}
    for form in forms:
        groups.setdefault(_first_of(form), []).append(form)
    return rb"(?:" + b"|".join(map(_group_of_forms, groups, groups.values())) + rb")"


def _first_of(form: TimeForm) -> bytes:
    """The common beginning of all times in a notation. No text has two such beginnings, except that
    a year consists of digits.
    """
    for start in (_Y, rb"(?P<mon>", rb"@"):
        if form.minute.startswith(start):
            return {_Y: rb"(?=(?:19|20)\d\d)", rb"@": rb"(?=@)"}.get(start, rb"(?=[A-Za-z])")
    return rb"(?=\d)"


def _group_of_forms(first: bytes, forms: Sequence[TimeForm]) -> bytes:
    named = (rb"(?P<" + form.name.encode() + rb">" + form.pattern() + rb")" for form in forms)
    return first + rb"(?:" + b"|".join(named) + rb")"


@lru_cache(maxsize=256)
def _parts_of(name: str) -> re.Pattern[bytes]:
    return compile_pattern(FORM_OF[name].minute.replace(rb"\2", rb"[/.-]"), re.ASCII)


# The notation of most logs, which needs no further checks.
_WHOLE_ISO: Final = compile_pattern(
    rb"(?:19|20)\d\d-(?:0\d|1[0-2])-(?:[0-2]\d|3[01])[T ](?:[01]\d|2[0-4]):[0-5]\d"
)
_HALF_OF_DAY: Final = compile_pattern(_HALF.replace(b"[AaPp]", b"([AaPp])"))
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
    behind = behind.strip(b"[]")
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
