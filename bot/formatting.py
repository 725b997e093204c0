"""Formats numbers, sizes and times the same way everywhere. Independent of Slack."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache

from providers.amounts import SIZE_UNITS

# C0 and C1 controls, bidirectional marks and overrides, invisible joiners, line and paragraph
# separators, tag characters.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)


@lru_cache(maxsize=4096)
def format_bytes(count: float) -> str:
    """Bytes in decimal units with three significant digits: `5.40 GB`, `135 MB`, `12 B`."""
    sign = "-" if count < 0 else ""
    value = abs(float(count))
    if value < 1000:
        return f"{sign}{value:.0f} B"
    for unit in SIZE_UNITS[1:]:
        value /= 1000
        # 999.5 and more would be rounded to 1000, which has four digits.
        if value < 999.5 or unit == SIZE_UNITS[-1]:
            # `#` keeps zeros at the end, and leaves a dot after three digits: `135. MB`.
            return f"{sign}{value:#.3g} {unit}".replace(". ", " ")
    raise AssertionError("the last unit takes everything")


def pluralise(number: int, one: str, many: str = "") -> str:
    """`1 call`, `1,204 calls`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(value: float) -> str:
    """`12.4 %`, and `< 0.1 %` for what would round to nothing."""
    return "< 0.1 %" if 0 < value < 0.05 else f"{value:.1f} %"


def change(value: float) -> str:
    """`+12.4 %`, `−3.0 %`."""
    return f"{'+' if value >= 0 else '−'}{abs(value):.1f} %"


def milliseconds(value: float) -> str:
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def format_duration(length: timedelta) -> str:
    """`40 s`, `12 min`, `2 h 10 min`, `3 days`."""
    seconds = int(length.total_seconds())
    # Below a minute and a half, minutes would be rounded too much.
    if seconds < 90:
        return f"{max(0, seconds)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} days"


def format_interval(length: timedelta) -> str:
    """What follows “every”: `minute`, `hour`, `day`, `15 min`, `2 h`."""
    return _INTERVALS.get(length) or format_duration(length)


_INTERVALS = {
    timedelta(minutes=1): "minute",
    timedelta(hours=1): "hour",
    timedelta(days=1): "day",
}


@lru_cache(maxsize=4096)
def format_day(value: date, today: date) -> str:
    """`Sat 21 Nov`, with its year where that is not this one."""
    return f"{value:%a} {short_day(value, today)}"


@lru_cache(maxsize=4096)
def short_day(value: date, today: date) -> str:
    """`21 Nov`, and `21 Nov 2025` in 2026."""
    return f"{value.day} {value:%b}" if value.year == today.year else f"{value.day} {value:%b %Y}"


def format_time(value: datetime, zone: tzinfo, now: datetime) -> str:
    """`21 Nov 14:05`, in the given zone, with its year where that is not this one."""
    local = value.astimezone(zone)
    return f"{short_day(local.date(), now.astimezone(zone).date())} {local:%H:%M}"


def format_time_in_zone(value: datetime, zone: tzinfo, now: datetime) -> str:
    """The same with the name of the zone: `21 Nov 14:05 UTC`."""
    return f"{format_time(value, zone, now)} {zone}"


def quoted(name: str) -> str:
    """A name as it is typed: in quotes where there is a space in it."""
    return f'"{name}"' if " " in name else name


def sanitise(text: str, most: int = 0) -> str:
    """Text from outside, safe for any surface: control, invisible and direction characters become
    `·`, tabs and line ends a space. Shortened to `most` characters if given.
    """
    if text.isprintable():
        return truncate(text, most) if 0 < most < len(text) else text
        # A sign in place of nothing, so that `ad\u200bmin` does not look like `admin`.
    clean = _UNSEEN.sub("·", text.replace("\r\n", " ").replace("\n", " ").replace("\t", " "))
    return truncate(clean, most) if most else clean


def sanitise_lines(text: str) -> str:
    """The same for a text of several lines, which are kept."""
    if text.replace("\n", "").isprintable():
        return text
    return "\n".join(sanitise(line) for line in text.split("\n"))


def truncate(text: str, most: int) -> str:
    """The text with at most `most` characters; an ellipsis marks where it was cut."""
    return text if len(text) <= most else text[: max(0, most - 1)] + "…"


def shorten_middle(text: str, most: int) -> str:
    """The same with the ellipsis in the middle, of a text whose end tells as much as its beginning."""
    if len(text) <= most:
        return text
    end = (most - 1) // 2
    return f"{text[: most - 1 - end]}…{text[len(text) - end :]}"


def join_words(items: list[str], most: int = 5, *, conjunction: str = "and") -> str:
    """`a, b and c`, or `a, b … and 12 more`."""
    if len(items) > most:
        return f"{', '.join(items[:most])} … and {len(items) - most:,} more"
    return f" {conjunction} ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
