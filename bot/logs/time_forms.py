"""The notations of times in logs: a table, and the patterns made of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from bot.logs.calendar_names import MONTHS, SHARED_ZONES, SPELT_MONTHS, WEEKDAYS_ABROAD, ZONES

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
HALF_OF_DAY: Final = rb"(?: |\xe2\x80\xaf|\xc2\xa0)?[AaPp](?:\.(?: |\xc2\xa0)?)?[Mm]\b\.?"
_HALF_OR_OFFSET: Final = rb"(?:" + HALF_OF_DAY + rb"(?:" + OFFSET + rb")?|" + OFFSET + rb")"
# Such dates seldom have AM or PM: `pm: worker started` names a program.
_HALF_OF_ISO_OR_OFFSET: Final = (
    rb"(?:" + HALF_OF_DAY + rb"(?!:)(?:" + OFFSET + rb")?|" + OFFSET + rb")"
)
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
_COLUMN: Final = rb"(?:[,;\t]|\"[,;\t ]\"|\t\" ?| \| )"
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
    # With a colon before the clock, it would be an address.
    TimeForm("colons", _Y + rb":" + _M + rb":" + _D + rb"[T -]" + _HM, _SECONDS, OFFSET,
             b"2026:11:21-10:00:00", (b"2026-11-21T10:00", b"")),
    TimeForm("blanks", _Y + rb" " + _M + rb" " + _D + rb" " + _HM, _SECONDS, rb"#[+-]\d{4}(?!\d)",
             b"2026 11 21 10:00:00:123#+0100", (b"2026-11-21T10:00", b"+01:00")),
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
    TimeForm("dotted_clock", rb"(?P<one>\d{1,2})\.(?P<two>\d{1,2})\.(?P<y>20\d\d),? (?:klo |kl\. ?)?(?P<H>[01]?\d|2[0-3])\.(?P<M>[0-5]\d)", rb"\.[0-5]\d(?:,\d{1,9}+)?+(?![.\d])", rb" Uhr\b",
             b"21.11.2026 9.00.00 Uhr", (b"2026-11-21T09:00", b"")),
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
    TimeForm("dotted_short_clock", rb"(?P<one>2[4-9]|3[01])\." + _M + rb"\." + _D + rb",? (?P<H>[01]?\d|2[0-3])\.(?P<M>[0-5]\d)", rb"\.[0-5]\d(?![.\d])", rb" Uhr\b",
             b"24.11.26 9.41.02 Uhr", (b"2024/11/26T09:41", b"")),
    TimeForm("day_first_clock", rb"(?P<d>[01]\d|2[0-3])\." + _M + rb"\.(?P<yy>2[4-9]|3\d),? (?P<H>[01]?\d|2[0-3])\.(?P<M>[0-5]\d)", rb"\.[0-5]\d(?![.\d])", rb" Uhr\b",
             b"21.11.26 9.41.02", (b"2026-11-21T09:41", b"")),
    # Apart from this notation, a first number up to 12 is a month, since logs from 2012 and before
    # are not kept.
    TimeForm("year_of_two", rb"(?P<yy>1[3-9](?=/)|[2-9]\d(?=/)|2[4-9]|3\d)([/.-])" + _M + rb"\2" + _D + b"[ @]" + _HM, _SECONDS, OFFSET,
             b"17/06/09 20:10:40", (b"2017-06-09T20:10", b"")),
    TimeForm("american_short", _LOOSE_M + b"/" + _LOOSE_D + rb"/(?P<yy>\d\d)(?:-| |, |" + _COLUMN + rb")" + _HM, _SECONDS, OFFSET,
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
    "blanks",
    "dotted_clock",
    "dotted_short_clock",
    "day_first_clock",
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
WEEKDAY: Final = (
    _DAYS
    + rb"(?:[a-z]{3,6})?,? |(?:"
    + b"|".join(sorted(WEEKDAYS_ABROAD, reverse=True))
    + rb")[.,]{0,2} (?=\d{1,2}[./-])"
)


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
