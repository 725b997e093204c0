"""Parses how often something recurs: `at 9am on weekdays`, `every monday at 09:00`, `on the 1st and
15th at noon`, `every 6 hours` (pure).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import MappingProxyType

from msgspec import Struct

from bot.questions.windows import WEEKDAYS
from bot.questions.windows.dates import DAY_NUMBERS
from bot.schedules.phrases import (
    plain_words,
    with_half,
    without_commas,
    without_period,
)

# The longest words of this kind: `every monday, tuesday, wednesday, thursday and friday at 9 am and
# 5 pm`.
MOST_WORDS = 16
EXAMPLES = (
    "at 09:00",
    "at 9am on weekdays",
    "at noon on mondays",
    "daily at 9",
    "weekdays at 9:30am",
    "every monday at 09:00",
    "at 08:00 on tuesdays and fridays",
    "on the 1st and 15th at 08:00",
    "at 9am and 5pm",
    "at 09:00 monday to friday",
    "every 6 hours",
    "every 2 hours on weekdays",
    "every morning at 9",
    "hourly",
)
# Between the times of one day; a blank is enough where neither number can be something else.
_SEPARATOR = re.compile(
    r" (?:, )?and | , |(?:(?<=[ap]m)|(?<=[:.]\d\d)) (?=\d{1,2}(?:[:.]\d{2})?(?: ?[ap]m|(?<=[:.]\d\d))(?: |$))"
)
# Days of the month, and the words after one that add nothing.
_DAY_OF_MONTH = r"(?:the )?\d{1,2}(?:st|nd|rd|th)?"
_DAYS_OF_MONTH = re.compile(rf"{_DAY_OF_MONTH}(?: (?:and )?{_DAY_OF_MONTH})*")
_OF_THE_MONTH = re.compile(r" (?:of )?(?:(?:the|each|every) )?month\b")
# Words that continue the recurrence before them, so they do not begin a question.
_GOES_ON = frozenset({"and", "&", "+", "or", "of", "to", "through", "thru", "until", "till"})
_CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?(am|pm)?|([01]\d|2[0-3])([0-5]\d)|(\d{1,2})h")
_GROUPS = MappingProxyType(
    {
        **dict.fromkeys(("weekday", "weekdays", "workday", "workdays"), range(5)),
        **dict.fromkeys(("weekend", "weekends"), (5, 6)),
    }
)
# A cron expression for one time of day. Cron counts days from Sunday, which is 0 and 7.
_DAILY = re.compile(r"(\d{1,2}) (\d{1,2}) \* \* (\*|[a-z0-9,-]{1,30})")
_CRON_DAYS = MappingProxyType(
    {
        **{name[:3]: day for day, name in enumerate(WEEKDAYS)},
        **{str(number): (number - 1) % 7 for number in range(8)},
    }
)
# Divisors of a day and of an hour: any other interval would restart at midnight.
_HOURS_APART = (1, 2, 3, 4, 6, 8, 12)
_MINUTES_APART = (15, 20, 30)


class AmbiguousHour(ValueError):
    """An hour that may be in the morning or the afternoon. `readings` are both as they can be
    typed.
    """

    def __init__(self, hour: int) -> None:
        self.hour = hour
        self.readings = f"{hour % 12:02}:00", f"{hour % 12 + 12}:00"
        super().__init__(
            f"“at {hour}” can be {self.readings[0]} or {self.readings[1]}; specify which"
        )


class Recurrence(Struct, frozen=True):
    """When something recurs: five cron fields, and a description."""

    cron: str
    description: str


class Days(Struct, frozen=True):
    """Days of the month, or weekdays from Monday = 0; every day where both are empty."""

    of_month: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()


def recurrence_at(hour: int, minute: int, days: Days) -> Recurrence:
    """The same time of day on each of the days."""
    return _joined([(hour, minute)], days)


def cron_in_words(expression: str) -> str:
    """A cron expression for one time of day as people say it: `at 09:00 on weekdays`; any other as it
    is.
    """
    found = _DAILY.fullmatch(" ".join(expression.lower().split()))
    if not found or int(found[1]) > 59 or int(found[2]) > 23:
        return f"cron `{expression}`"
    numbers: set[int] = set()
    for part in found[3].split(",") if found[3] != "*" else ():
        ends = [_CRON_DAYS.get(day, -1) for day in part.split("-")]
        if not 1 <= len(ends) <= 2 or min(ends) < 0 or ends[0] > ends[-1]:
            return f"cron `{expression}`"
        numbers |= set(range(ends[0], ends[-1] + 1))
    days = Days(weekdays=tuple(sorted(numbers)))
    return recurrence_at(int(found[2]), int(found[1]), days).description


def find_recurrence(words: Sequence[str]) -> tuple[list[str], list[str], Recurrence] | None:
    """The words before it, the words of the recurrence, and its meaning: the longest recurrence at
    the end, or else at the start. Raises AmbiguousHour for `at 5`.
    """
    most = min(len(words), MOST_WORDS)
    # The longest first: `on mondays and fridays at 9` must not end at `fridays at 9`.
    for size in range(most, 0, -1):
        if found := read_recurrence(words[-size:]):
            return list(words[:-size]), list(words[-size:]), found
    for size in range(most, 0, -1):
        if found := read_recurrence(words[:size]):
            rest = words[size:]
            return None if _is_continuation(rest) else (list(rest), list(words[:size]), found)
    return None


def _is_continuation(words: Sequence[str]) -> bool:
    """Whether the words continue a recurrence before them, as `and the 1st` does, or `15` after `at
    9`.
    """
    first, second = ([word.lower() for word in words[:2]] + ["", ""])[:2]
    return first in _GOES_ON or (first.isdigit() and second in ("", "on", "every", "each", "and"))


def read_recurrence(words: Sequence[str]) -> Recurrence | None:
    """The meaning of all the words; None if they are something else. Raises AmbiguousHour."""
    plain = plain_words(words)
    if interval := _interval(without_commas(plain)):
        return interval
    plain = with_half(without_period(plain))
    if "at" not in plain:
        return None
    # The last one begins the time.
    at = len(plain) - 1 - plain[::-1].index("at")
    before = without_commas(plain[:at])
    after = plain[at + 1 :]
    for size in range(len(after), 0, -1):
        days = _days([*before, *after[size:]]) if not before or size == len(after) else None
        if days is not None and (times := _times(after[:size])):
            return _joined(times, days)
    return None


def _interval(plain: Sequence[str]) -> Recurrence | None:
    """`hourly`, `every hour`, `every 6 hours`, `every 30 minutes`, also `on weekdays`: intervals
    that divide a day or an hour evenly.
    """
    for size in range(min(len(plain), 5), 0, -1):
        found = _length_apart(list(plain[:size]))
        days = _days(plain[size:]) if found else None
        # `hourly` alone is every day; the days of a month would not be read as people mean them.
        if found is None or days is None or days.of_month:
            continue
        number, unit = found
        weekday, days_in_words = _weekdays(days.weekdays)
        on = f" {days_in_words}" if days.weekdays else ""
        if unit == "minutes":
            return Recurrence(f"*/{number} * * * {weekday}", f"every {number} minutes{on}")
        if number == 1:
            return Recurrence(f"0 * * * {weekday}", f"every hour{on}")
        return Recurrence(f"0 */{number} * * {weekday}", f"every {number} hours{on}")
    return None


def _length_apart(plain: list[str]) -> tuple[int, str] | None:
    """The number and the unit of an interval."""
    text = " ".join(plain)
    if text in _INTERVALS:
        return _INTERVALS[text]
    match = re.fullmatch(r"every (\d{1,2}|[a-z]+) ?(hours?|hrs?|h|minutes?|mins?|m)", text)
    if not match:
        return None
    number = int(match[1]) if match[1].isdigit() else _NUMBERS.get(match[1], 0)
    if match[2].startswith("h"):
        return (number, "hours") if number in _HOURS_APART else None
    return (number, "minutes") if number in _MINUTES_APART else None


_INTERVALS = MappingProxyType(
    {
        "hourly": (1, "hours"),
        "every hour": (1, "hours"),
        "every other hour": (2, "hours"),
        "every half hour": (30, "minutes"),
        "every half an hour": (30, "minutes"),
        "every quarter hour": (15, "minutes"),
        "every quarter of an hour": (15, "minutes"),
    }
)
_NUMBERS = MappingProxyType(
    {"two": 2, "three": 3, "four": 4, "six": 6, "eight": 8, "twelve": 12, "fifteen": 15}
    | {"twenty": 20, "thirty": 30}
)


def _times(plain: Sequence[str]) -> list[tuple[int, int]] | None:
    """Times of day with the same minute, separated by `and` or commas: `9 15` may be 09:15."""
    found: list[tuple[int, int]] = []
    for part in _SEPARATOR.split(" ".join(plain)):
        # `9 am`
        time = _time(re.sub(r" (?=[ap]m$)", "", part))
        if time is None:
            return None
        found.append(time)
    # Cron has one list of minutes for all hours.
    return found if len({minute for _, minute in found}) == 1 else None


def _time(text: str) -> tuple[int, int] | None:
    if text in ("noon", "midday"):
        return 12, 0
    if text == "midnight":
        return 0, 0
    match = _CLOCK.fullmatch(text)
    if not match:
        return None
    if match[4]:
        return int(match[4]), int(match[5])
    hour = int(match[1] or match[6])
    minute = int(match[2] or 0)
    half = match[3]
    if half:
        return (
            (hour % 12 + (12 if half == "pm" else 0), minute)
            if 1 <= hour <= 12 and minute < 60
            else None
        )
    # At 5 may be in the morning or the afternoon; 7 to 11 are taken for the morning.
    if match[2] is None and match[6] is None and (1 <= hour <= 6 or hour == 12):
        raise AmbiguousHour(hour)
    return (hour, minute) if hour < 24 and minute < 60 else None


def _days(plain: Sequence[str]) -> Days | None:
    """Every day if none is named; else weekdays, or days of the month, after `on` or `every` or in
    the plural.
    """
    plain = without_commas(plain)
    if not plain or list(plain) in (
        ["daily"],
        ["everyday"],
        ["every", "day"],
        ["each", "day"],
        ["on", "every", "day"],
        ["on", "days"],
        ["on", "all", "days"],
    ):
        return Days()
    marked = plain[0] in ("on", "every", "each")
    words = list(plain[1:] if marked else plain)
    if words[:1] == ["every"]:
        words = words[1:]
    if marked and (days := _days_of_month(words)):
        return days
    numbers: set[int] = set()
    at = 0
    while at < len(words):
        # Between two days.
        at += bool(numbers) and words[at] == "and"
        if at == len(words):
            return None
        span, used = _weekday_span(words, at, marked=marked)
        if not span:
            return None
        numbers.update(span)
        at += used
    return Days(weekdays=tuple(sorted(numbers))) if numbers else None


def _weekday_span(words: Sequence[str], at: int, *, marked: bool) -> tuple[Sequence[int], int]:
    """The weekdays at a place, and how many words they take: `mondays`, `weekdays`, `mon-fri`,
    `monday to friday`.
    """
    word = words[at]
    if word in _GROUPS:
        return _GROUPS[word], 1
    first, dash, last = word.partition("-")
    used = 1
    if not dash and words[at + 1 : at + 2] in (["to"], ["through"], ["-"]) and at + 2 < len(words):
        last = words[at + 2]
        dash = "-"
        used = 3
    if dash:
        one = DAY_NUMBERS.get(first.removesuffix("s"))
        two = DAY_NUMBERS.get(last.removesuffix("s"))
        if one is None or two is None or one == two:
            return (), 0
        # `sun-thu` and `fri-mon` continue in the next week.
        return [(one + day) % 7 for day in range((two - one) % 7 + 1)], used
    is_plural = word.endswith("s") and word not in DAY_NUMBERS
    number = DAY_NUMBERS.get(word.removesuffix("s"))
    # `last monday at 09:00` is a question about monday.
    return ([number], 1) if number is not None and (marked or is_plural) else ((), 0)


def _days_of_month(words: Sequence[str]) -> Days | None:
    text = _OF_THE_MONTH.sub("", " ".join(words))
    if not _DAYS_OF_MONTH.fullmatch(text):
        return None
    named = [word for word in text.split() if word not in ("the", "and")]
    # `on 5` alone may be something else.
    if "the" not in words and any(word.isdigit() for word in named):
        return None
    found = {int(word.rstrip("stndrh")) for word in named}
    in_month = all(1 <= day <= 31 for day in found)
    return Days(of_month=tuple(sorted(found))) if in_month else None


def _joined(times: Sequence[tuple[int, int]], days: Days) -> Recurrence:
    times = sorted(set(times))
    hours = ",".join(str(hour) for hour, _ in times)
    minute = times[0][1]
    at = _listed([f"{hour:02}:{minute:02}" for hour, _ in times])
    if days.of_month:
        on = f"on the {_listed([f'{day}{_ordinal(day)}' for day in days.of_month])} of the month"
        return Recurrence(
            f"{minute} {hours} {','.join(map(str, days.of_month))} * *", f"at {at} {on}"
        )
    weekday, days_in_words = _weekdays(days.weekdays)
    return Recurrence(f"{minute} {hours} * * {weekday}", f"at {at} {days_in_words}")


def _weekdays(numbers: Sequence[int]) -> tuple[str, str]:
    if len(numbers) in (0, 7):
        return "*", "every day"
    # Written as people write it, since it is shown.
    if tuple(numbers) == (0, 1, 2, 3, 4):
        return "mon-fri", "on weekdays"
    if tuple(numbers) == (5, 6):
        return "sat,sun", "on weekends"
    names = [WEEKDAYS[number] for number in numbers]
    return ",".join(name[:3] for name in names), "on " + _listed(
        [name.capitalize() + "s" for name in names]
    )


def _listed(items: Sequence[str]) -> str:
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def _ordinal(day: int) -> str:
    # 11th to 13th.
    return "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
