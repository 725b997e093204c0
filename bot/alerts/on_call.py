"""Who is on call, by the operator's schedules (pure).

Times are local, so that a handover at 09:00 stays at 09:00 where clocks change.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from bot.alerts.paging import Paging, mentions, targets
from bot.alerts.rule import Rule
from bot.questions.amounts import read_duration

MOST_ENTRIES = 10_000
COLUMNS = ("start", "end", "person")
_TIME = 'a local time such as "2026-11-02T09:00"'
_PEOPLE = 'Slack IDs such as "U012AB" (a person) and "S0GROUP" (a user group)'


class Rotation(Struct, frozen=True):
    """People who take turns from `start`, each for `every`."""

    people: tuple[str, ...]
    start: datetime
    every: timedelta

    def at(self, local: datetime) -> tuple[str, ...]:
        turn = (local - self.start) // self.every
        return () if turn < 0 else (self.people[turn % len(self.people)],)


class Shift(Struct, frozen=True):
    """People who are on call from `start` until `end`."""

    people: tuple[str, ...]
    start: datetime
    end: datetime

    def at(self, local: datetime) -> tuple[str, ...]:
        return self.people if self.start <= local < self.end else ()


class OnCallSchedule(Struct, frozen=True):
    """Rotations, shifts and overrides. An override takes precedence over both while it lasts."""

    rotations: tuple[Rotation, ...] = ()
    shifts: tuple[Shift, ...] = ()
    overrides: tuple[Shift, ...] = ()

    def at(self, local: datetime) -> tuple[str, ...]:
        """The people and user groups who are on call, by id; none where there is a gap."""
        return _people_at(self.overrides, local) or _people_at(
            (*self.rotations, *self.shifts), local
        )


class OnCall(Struct, frozen=True):
    """The configured schedules, by the names used in alerts."""

    schedules: Mapping[str, OnCallSchedule] = field(default_factory=dict)
    zone: tzinfo | None = None

    def called_by(self, rule: Rule, now: datetime) -> Rule:
        """The same rule with its schedules replaced by the people who are on call."""
        if not any(name in self.schedules for name in _names(rule.paging)):
            return rule
        paging = replace(
            rule.paging,
            notify=self._people(rule.paging.notify, now),
            escalate_to=self._people(rule.paging.escalate_to, now),
        )
        return replace(rule, paging_or_unset=paging)

    def without_anybody(self, recipients: Iterable[str], now: datetime) -> list[str]:
        """The schedules among the recipients in which nobody is on call."""
        return [
            name for name in recipients if name in self.schedules and not self._people([name], now)
        ]

    def _people(self, recipients: Iterable[str], now: datetime) -> tuple[str, ...]:
        local = now.astimezone(self.zone).replace(tzinfo=None)
        found = list[str]()
        for each in recipients:
            schedule = self.schedules.get(each)
            found += [each] if schedule is None else schedule.at(local)
        return tuple(dict.fromkeys(found))


# Of a configuration without schedules.
NO_SCHEDULES = OnCall()


def schedule_from_table(table: Mapping[str, Any]) -> OnCallSchedule:
    """The schedule in a table that was read from TOML. Raises ValueError, which says what is
    wrong and where.
    """
    unknown = sorted(table.keys() - {"rotation", "shift", "override"})
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not known; use [[rotation]], [[shift]], [[override]]")
    schedule = OnCallSchedule(
        tuple(_rotation(place, entry) for place, entry in _entries(table, "rotation")),
        tuple(_shift(place, entry) for place, entry in _entries(table, "shift")),
        tuple(_shift(place, entry) for place, entry in _entries(table, "override")),
    )
    if not schedule.rotations and not schedule.shifts:
        raise ValueError("there is no [[rotation]] and no [[shift]]")
    return schedule


def schedule_from_csv(text: str) -> OnCallSchedule:
    """The shifts in a CSV file with the columns `start`, `end` and `person`. Raises ValueError,
    which says what is wrong and in which line.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in reader.fieldnames or ()]
        if sorted(header) != sorted(COLUMNS):
            raise ValueError(f"the first line must be {','.join(COLUMNS)}")
        reader.fieldnames = header
        shifts = list[Shift]()
        for row in reader:
            shifts.append(_shift(f"line {reader.line_num}", _shift_fields(row)))
            _require_few(len(shifts))
    except csv.Error:
        raise ValueError(f"line {reader.line_num} is not CSV") from None
    if not shifts:
        raise ValueError("there is no shift")
    return OnCallSchedule(shifts=tuple(shifts))


def _names(paging: Paging) -> list[str]:
    return targets((*paging.notify, *paging.escalate_to))


def _people_at(entries: Sequence[Rotation | Shift], local: datetime) -> tuple[str, ...]:
    return tuple(dict.fromkeys(person for entry in entries for person in entry.at(local)))


def _entries(table: Mapping[str, Any], kind: str) -> list[tuple[str, Mapping[str, Any]]]:
    """The entries of a kind, each with its place in the file."""
    written = table.get(kind, [])
    if not isinstance(written, list) or not all(isinstance(each, Mapping) for each in written):
        raise ValueError(f"{kind} must be written as [[{kind}]]")
    _require_few(len(written))
    return [(f"[[{kind}]] {number}", entry) for number, entry in enumerate(written, 1)]


def _require_few(count: int) -> None:
    if count > MOST_ENTRIES:
        raise ValueError(f"there are more than {MOST_ENTRIES:,} entries")


def _rotation(place: str, entry: Mapping[str, Any]) -> Rotation:
    _require_keys(place, entry, ("people", "start", "every"))
    written = entry["every"]
    every = read_duration(written.lower()) if isinstance(written, str) else None
    if not every:
        raise ValueError(f'{place}: every must be a duration such as "7d"')
    return Rotation(_people(place, entry["people"]), _local(place, "start", entry["start"]), every)


def _shift(place: str, entry: Mapping[str, Any]) -> Shift:
    _require_keys(place, entry, ("people", "start", "end"))
    start, end = (_local(place, key, entry[key]) for key in ("start", "end"))
    if end <= start:
        raise ValueError(f"{place}: end must be after start")
    return Shift(_people(place, entry["people"]), start, end)


def _shift_fields(row: Mapping[str | None, Any]) -> dict[str, Any]:
    cells = {name: (row[name] or "").strip() for name in COLUMNS}
    if row.get(None):
        cells["end"] = "too many cells"
    return {"start": cells["start"], "end": cells["end"], "people": [cells["person"]]}


def _require_keys(place: str, entry: Mapping[str, Any], keys: Sequence[str]) -> None:
    if entry.keys() != set(keys):
        raise ValueError(f"{place} must have {', '.join(keys)}")


def _people(place: str, written: Any) -> tuple[str, ...]:
    if not isinstance(written, list) or not written or len(written) > MOST_ENTRIES:
        raise ValueError(f"{place}: people must be {_PEOPLE}")
    if not all(isinstance(each, str) for each in written) or mentions(written) != written:
        raise ValueError(f"{place}: people must be {_PEOPLE}")
    return tuple(written)


def _local(place: str, key: str, written: Any) -> datetime:
    found = written
    if isinstance(written, str):
        try:
            found = datetime.fromisoformat(written)
        except ValueError:
            found = None
    if isinstance(found, date) and not isinstance(found, datetime):
        found = datetime.combine(found, time())
    if not isinstance(found, datetime) or found.tzinfo:
        raise ValueError(f"{place}: {key} must be {_TIME}")
    return found
