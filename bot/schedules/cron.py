"""Cron expressions as crontab(5) reads them, in a named zone, as triggers for the scheduler.

Read by cronsim, which follows Debian's cron: a day is due by day of the month *or* weekday where
both are restricted, weekdays are 0 to 7 from Sunday, and steps count from the start of their range.
Expressions that name hours are due once a day at each, also where the clocks skip or repeat that
hour; those with `*` hours or minutes follow the clock.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from types import MappingProxyType

from apscheduler.triggers.base import BaseTrigger
from cronsim import CronSim, CronSimError

from bot.formatting import pluralise

EXAMPLE = "0 9 * * mon-fri"
NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
# Every minute of an hour as a list has 170 characters.
LONGEST_EXPRESSION = 500
_FIELDS = ("minute", "hour", "day of month", "month", "weekday")
_LARGEST_STEP = (59, 23, 31, 12, 7)
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMBERS = MappingProxyType(
    {name: number for number, name in enumerate(_WEEKDAYS)}
    | {name: number + 1 for number, name in enumerate(_MONTHS)}
)
# Extensions such as L, W, # and ? are not part of crontab.
_NAMES = tuple(frozenset(names) for names in ((), (), (), _MONTHS, _WEEKDAYS))
_ALLOWED = re.compile(r"[0-9a-z*/,-]+")
_WORD = re.compile(r"[a-z]+")
_STEP = re.compile(r"/(\d{1,4})(?!\d)")
# Sunday is 0, before Monday, so Debian's cron reads `fri-sun` as a range of no days.
_TO_SUNDAY = re.compile(r"(?<![\w-])([1-6]|mon|tue|wed|thu|fri|sat)-(0|sun)(?!\w)")
# cronsim reads the step of `5-5/2` as that of `5/2`, which continues to the end.
_ONE_WITH_STEP = re.compile(r"(?<![\w-])(\d{1,4}|[a-z]{3})-(\d{1,4}|[a-z]{3})/\d{1,4}(?!\d)")
_MOMENT = timedelta(microseconds=1)


class _Walk(CronSim):
    """cronsim's search through local time, corrected for clocks that change at midnight, as in
    Havana, or by half an hour, as on Lord Howe Island.
    """

    def advance_hour(self) -> bool:
        """A day whose midnight is skipped begins at its first existing time. The search never goes
        back to the start of an hour, since it may be in the middle of one that comes twice.
        """
        if self.dt.tzinfo is None:
            return super().advance_hour()
        day = self.dt.date()
        # The round trip moves a time that does not exist to the first that does.
        self.dt = self.dt.astimezone(UTC).astimezone(self.dt.tzinfo)
        if self.dt.date() != day:
            return True
        if self.dt.hour in self.hours:
            return False
        self.dt = self.dt.replace(second=0)
        while self.dt.hour not in self.hours:
            self.tick(3600)
            # Midnight begins another day, which need not be due.
            if self.dt.hour == 0:
                break
        return True

    def tick(self, seconds: int = 1) -> None:
        """An hour's step ends where the next hour begins or the clocks change; a shorter step over a
        clock change is made minute by minute.
        """
        before = self.dt
        if seconds == 3600:
            self._tick_hour(before)
            return
        super().tick(seconds)
        if seconds > 60 and self.dt.utcoffset() != before.utcoffset():
            self.dt = before
            super().tick(60)

    def _tick_hour(self, before: datetime) -> None:
        """Goes to the next hour, or to where the clocks change on the way there: on Chatham Island
        they go back from 3:45 to 2:45, in the middle of both hours.
        """
        step = 60 - before.minute
        super().tick(60 * step)
        if self.dt.utcoffset() == before.utcoffset():
            return
        same = 0
        changed = step
        while changed - same > 1:
            middle = (same + changed) // 2
            self.dt = before
            super().tick(60 * middle)
            is_same = self.dt.utcoffset() == before.utcoffset()
            same, changed = (middle, changed) if is_same else (same, middle)
        self.dt = before
        super().tick(60 * changed)


class CronError(ValueError):
    """An invalid expression, or one that is never due; the message says why in a few words."""


class CronTrigger(BaseTrigger):  # type: ignore[misc]
    """When a cron expression is due next in a zone."""

    __slots__ = ("expression", "zone")

    def __init__(self, expression: str, zone: tzinfo) -> None:
        """Raises CronError."""
        self.expression = _fields(expression)
        self.zone = zone
        try:
            # Any time serves: this checks the fields, and that some day fits them.
            CronSim(self.expression, datetime(2000, 1, 1))
        except CronSimError as error:
            raise CronError(_reason(self.expression, str(error))) from None

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        """The first instant at or after `now`, and after the previous one, in UTC."""
        # An instant that is exactly now counts.
        after = now.astimezone(UTC) - _MOMENT
        if previous_fire_time is not None:
            after = max(after, previous_fire_time.astimezone(UTC))
        # Within an hour that comes twice, cronsim's local times begin with those of the first pass.
        for due in _Walk(self.expression, after.astimezone(self.zone)):
            instant = due.astimezone(UTC)
            if instant > after:
                return instant
        return None

    def __str__(self) -> str:
        return f"cron[{self.expression}, {self.zone}]"


def read_cron(expression: str, zone: tzinfo) -> CronTrigger | None:
    """The trigger of an expression; None if it is invalid or never due."""
    try:
        return CronTrigger(expression, zone)
    except CronError:
        return None


def _nickname(text: str) -> str:
    if text == "@reboot":
        raise CronError("@reboot names no time")
    if text not in NICKNAMES:
        raise CronError(f"the nicknames are {', '.join(NICKNAMES)}")
    return NICKNAMES[text]


def _fields(expression: str) -> str:
    """The five fields of an expression or a nickname, in lower case. Refuses what cronsim reads and
    crontab(5) does not.
    """
    text = expression.strip().lower()
    if len(text) > LONGEST_EXPRESSION:
        raise CronError(f"longer than {LONGEST_EXPRESSION} characters")
    if text.startswith("@"):
        return _nickname(text)
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise CronError(f"{pluralise(len(fields), 'field')} instead of five")
    for field, name, largest, words in zip(fields, _FIELDS, _LARGEST_STEP, _NAMES, strict=True):
        if not _ALLOWED.fullmatch(field) or not words.issuperset(_WORD.findall(field)):
            raise CronError(f"the {name} holds what crontab(5) does not know")
        # No field has such numbers, so cronsim need not convert them.
        if re.search(r"\d{5}", field):
            raise CronError(f"the {name} is out of range")
        # crontab(5) takes such a step, which then never steps: a mistake.
        if any(int(step) > largest for step in _STEP.findall(field)):
            raise CronError(f"the step of the {name} is larger than {largest}")
    if backwards := _TO_SUNDAY.search(fields[4]):
        first, last = backwards.groups()
        raise CronError(
            f"{first}-{last} names no day, because {last} begins the week; write {first}-7"
        )
    return " ".join(_ONE_WITH_STEP.sub(_without_step, field) for field in fields)


def _without_step(match: re.Match[str]) -> str:
    """A range of one number without its step; any other range as it is."""
    first, last = (_NUMBERS[each] if each in _NUMBERS else int(each) for each in match.groups())
    return match[1] if first == last else match[0]


def _reason(expression: str, reason: str) -> str:
    """What is wrong with an expression of five fields, from cronsim's message."""
    field = (
        reason.removeprefix("Bad ")
        .replace("day-of-month", "day of month")
        .replace("day-of-week", "weekday")
    )
    day, month = expression.split()[2:4]
    if (
        field == "day of month"
        and re.fullmatch(r"[\d,-]+", day)
        and all(int(n) in range(1, 32) for n in re.findall(r"\d+", day))
    ):
        return f"day {day} of month {month} never comes"
    return f"the {field} cannot be read"
