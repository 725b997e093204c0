"""Reads JSON lines one by one. Which fields to look at is decided once for all lines with the same
fields.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec

from bot.logs import field_names, fields, time_forms, times
from bot.logs.envelopes import ENVELOPES, Record, records_of, windows_event
from bot.logs.grammar import TIME_FIRST
from bot.logs.lines import (
    MOST_NESTED,
    dated_event,
    without_colours,
)
from bot.logs.readings import (
    DIGITS_ALIKE,
    TIME_OPENING,
    minute_at,
    read_fields,
    spans_at,
)
from bot.logs.time_forms import Minute

# How many sets of fields, notations of a time, and values of a level are remembered.
_MOST_REMEMBERED: Final = 512
# The number of records in a line whose levels are counted.
MOST_RECORDS: Final = 1000
_INNER: Final = frozenset((*field_names.MESSAGES, *ENVELOPES, "log", "event"))
_DECODER: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])

_Fields = Mapping[str, msgspec.Raw]
_Found = tuple[Minute | None, str | None]
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class _Plan:
    """How lines with the same fields are read."""

    # The most likely time and level, if each is the value of one field.
    time: str
    level: str
    read_level: field_names.LevelReader
    # Whether no other field may contain the level.
    is_sole_level: bool
    has_time: bool
    has_inner: bool
    implied_level: str | None
    # Fields that may contain other fields.
    nested_levels: tuple[str, ...]
    nested_times: tuple[str, ...]
    # Fields that may contain a line of text or JSON.
    log: str
    messages: tuple[str, ...]
    event: str
    has_records: bool
    # The levels of the values seen so far.
    levels: dict[bytes, str | None] = field(default_factory=dict)


class JsonReader:
    """Reads lines that are JSON objects. Lines of text in them are read by `read_text`."""

    def __init__(self, read_text: Callable[[bytes], _Found]) -> None:
        self._read_text = read_text
        self._plan_of: dict[tuple[str, ...], _Plan] = {}
        self._plans: dict[tuple[str, ...], _Plan] = {}
        self._times: dict[bytes, tuple[str, slice, slice]] = {}
        # Texts whose levels have not been counted yet, if that may be deferred.
        self._texts: list[bytes] | None = None
        # The levels of the other records in envelopes.
        self._more_levels: Counter[str] = Counter()
        # Lines with fields that had not been seen before.
        self.unknown_lines = 0

    def put_off_texts(self) -> None:
        """Collects the text in lines that have a time for `take_texts` from now on."""
        self._texts = []

    def take_texts(self) -> list[bytes]:
        """The lines of text whose levels have not been counted yet."""
        texts = self._texts or []
        self._texts = None
        return texts

    def take_more_levels(self) -> Counter[str]:
        """The levels of the records in envelopes, except for the first record of each."""
        more = self._more_levels
        self._more_levels = Counter()
        return more

    def read(self, line: bytes, depth: int = 0) -> _Found | None:
        """The minute and the level of a line; None if it is not a JSON object."""
        if line.startswith(b"["):
            line = line[1:].rstrip(b"\r \t,").removesuffix(b"]")
        try:
            found = _DECODER.decode(line)
        except (msgspec.DecodeError, RecursionError, ValueError):
            return None
        return self._read_object(found, depth)

    def _read_object(self, found: _Fields, depth: int, *, is_record: bool = False) -> _Found:
        plan = self._plan_of.get(names := tuple(found)) or self._plan_for(names)
        minute = None
        level = self._level(found, plan)
        if plan.has_time:
            minute = self._likeliest_minute(found, plan) or read_fields(found).minute
        if plan.has_inner and (level is None or minute is None):
            if plan.has_records and not is_record and depth < MOST_NESTED:
                lowered = {name.lower(): value for name, value in found.items()}
                if records := records_of(lowered, MOST_RECORDS):
                    return self._read_records(records, depth)
            return self._read_inner(found, plan, minute, level, depth)
        return minute, level

    def _plan_for(self, names: tuple[str, ...]) -> _Plan:
        """The plan for these fields. Lines may have any number of irrelevant fields, so plans are
        shared.
        """
        self.unknown_lines += 1
        counting = tuple(
            name for name in names if field_names.may_count(name) or name.lower() in _INNER
        )
        plan = self._plans.get(counting)
        if plan is None:
            plan = _plan_of(counting)
            _remember(self._plans, counting, plan)
        _remember(self._plan_of, names, plan)
        return plan

    def _minute(self, value: bytes) -> Minute | None:
        """The minute in a value as written."""
        known = self._times.get(alike := value.translate(DIGITS_ALIKE))
        if known and (minute := times.minute_of(known[0], value[known[1]], value[known[2]])):
            return minute
        minute = read_fields({"time": msgspec.Raw(value)}).minute
        opening = TIME_OPENING.match(value)
        match = TIME_FIRST.match(value, opening.end()) if opening and minute else None
        if (
            match
            and minute_at(match) == minute
            and match.lastgroup not in time_forms.FORMS_WITH_FIXED_DIGITS
        ):
            _remember(self._times, alike, spans_at(match))
        return minute

    def _likeliest_minute(self, found: _Fields, plan: _Plan) -> Minute | None:
        if plan.time:
            return self._minute(bytes(found[plan.time]))
        for name in plan.nested_times:
            nested, within = self._nested(bytes(found[name]))
            if within and within.time:
                return self._minute(bytes(nested[within.time]))
        return None

    def _nested(self, value: bytes) -> tuple[_Fields, _Plan | None]:
        """The fields of an object, and their plan."""
        # Only the parts that are read are checked, so the value may be damaged.
        found = fields.json_object(value) if value.startswith(b"{") else None
        if found is None:
            return {}, None
        return found, self._plan_of.get(names := tuple(found)) or self._plan_for(names)

    def _level(self, found: _Fields, plan: _Plan) -> str | None:
        if not plan.level:
            return self._nested_level(found, plan) if plan.nested_levels else plan.implied_level
        level = self._level_of(bytes(found[plan.level]), plan)
        if level or plan.is_sole_level:
            return level or plan.implied_level
        return fields.level_of_fields(found)

    def _level_of(self, value: bytes, plan: _Plan) -> str | None:
        level = plan.levels.get(value, "")
        if level == "":
            level = fields.level_of_value(value, plan.read_level)
            _remember(plan.levels, value, level)
        return level

    def _nested_level(self, found: _Fields, plan: _Plan) -> str | None:
        """The level in a field of a nested object."""
        for name in plan.nested_levels:
            nested, within = self._nested(bytes(found[name]))
            if within is None:
                continue
            value = bytes(nested[within.level]) if within.level else b""
            if value[:1] in b"{0123456789":
                return fields.level_of_fields(found)
            if level := self._level_of(value, within):
                return level
            return fields.level_of_fields(found)
        return plan.implied_level

    def _read_inner(
        self, found: _Fields, plan: _Plan, minute: Minute | None, level: str | None, depth: int
    ) -> _Found:
        inner = self._inner_line(found, plan) if depth < MOST_NESTED else None
        if plan.event and (event := windows_event(found[plan.event])):
            of_event = read_fields(event)
            return minute or of_event.minute, level or of_event.level
        if plan.event and depth < MOST_NESTED:
            inner = inner or dated_event({"event": found[plan.event]})
        if not inner:
            return minute, level
        text = without_colours(inner)
        if text.startswith((b"{", b"[{")) and (reading := self.read(text, depth + 1)):
            return minute or reading[0], level or reading[1]
        if minute and self._texts is not None and b"\n" not in text:
            self._texts.append(text)
            return minute, level
        inner_minute, inner_level = self._read_text(text)
        return minute or inner_minute, level or inner_level

    def _inner_line(self, found: _Fields, plan: _Plan) -> bytes | None:
        """The line that was wrapped in JSON, as Docker does, or that is a message."""
        if plan.log and (value := bytes(found[plan.log])).startswith(b'"'):
            if value.endswith(b'\\n"') and value.count(b"\\") == 1:
                return value[1:-3]
            return fields.text_of(value).rstrip(b"\r\n")
        for name in plan.messages:
            if (value := bytes(found[name])).startswith(b'"'):
                return fields.line_of_message(value)
        return None

    def _read_records(self, records: list[Record], depth: int) -> _Found:
        """The minute and the level of the first record; the levels of the others are kept."""
        found = [self._read_object(record, depth + 1, is_record=True) for record in records]
        self._more_levels.update(level for _, level in found[1:] if level)
        return found[0]


def _plan_of(names: tuple[str, ...]) -> _Plan:
    order = field_names.field_order(names)
    level, read = order.levels[0] if order.levels else ("", field_names.NO_LEVEL)
    spelt = {name.lower(): name for name in names}
    return _Plan(
        order.times[0] if order.times and not order.date_and_time else "",
        level,
        read,
        len(order.levels) == 1 and not order.nested_levels,
        bool(order.times or order.date_and_time or order.nested_times or order.other_times),
        not spelt.keys().isdisjoint(_INNER),
        order.implied_level,
        order.nested_levels,
        () if order.times or order.date_and_time else order.nested_times,
        spelt.get("log", ""),
        tuple(spelt[name] for name in field_names.MESSAGES if name in spelt),
        spelt.get("event", ""),
        not spelt.keys().isdisjoint(ENVELOPES),
    )


def _remember(known: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    if len(known) >= _MOST_REMEMBERED:
        known.clear()
    known[key] = value
