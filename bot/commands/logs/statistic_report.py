"""The result of a calculation over a log: a number, slices of time and groups (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from bot.commands.logs.calculation import ADDITIVE, Calculation
from bot.commands.logs.display import USUAL_GROUPS, Statistic
from providers.models import LogStatistics, Window, iso_utc

# What is a number of things has no fraction.
_WHOLE = frozenset({"count", "unique", "bytes"})
# The group of lines whose key has no value. An empty name would mean all lines.
NO_NAME = "empty"


class Slice(Struct, frozen=True):
    """A part of the window and its result; None if it has none."""

    start: datetime
    end: datetime
    value: float | None


class Group(Struct, frozen=True):
    """The result of one group, and those of its slices."""

    names: tuple[str, ...]
    value: float | None
    slices: tuple[float | None, ...] = ()

    @property
    def name(self) -> str:
        return " / ".join(name or NO_NAME for name in self.names)


class StatisticReport(Struct, frozen=True):
    """The result of a calculation. `value` is that of all matching lines, and `has_more_groups`
    says whether there are groups that are not listed.
    """

    logs: tuple[str, ...]
    account: str
    statistic: Statistic
    value: float | None
    slices: tuple[Slice, ...] = ()
    groups: tuple[Group, ...] = ()
    has_more_groups: bool = False
    is_exact: bool = True
    notes: tuple[str, ...] = ()

    @property
    def calculation(self) -> Calculation:
        return self.statistic.calculation

    @property
    def is_additive(self) -> bool:
        return self.calculation.function in ADDITIVE

    @property
    def others(self) -> float | None:
        """The part of the total that is in none of the listed groups, such as lines without the
        key; None if it is unknown.
        """
        if not self.groups or not self.is_additive or self.value is None or not self.is_exact:
            return None
        left = self.value - sum(group.value or 0 for group in self.groups)
        return left if left > 0 else None

    def share(self, value: float | None) -> float | None:
        """The share of a group in the total, in percent."""
        if not self.is_additive or not self.value or value is None or value < 0:
            return None
        return 100 * value / self.value

    @property
    def peak(self) -> Slice | None:
        """The slice with the highest result, where there are several."""
        known = [each for each in self.slices if each.value is not None]
        if len(known) < 2 or not any(each.value for each in known):
            return None
        return max(known, key=lambda each: each.value or 0)

    def shortcomings(self) -> tuple[str, ...]:
        """What is missing from the result, in words."""
        estimated = (
            []
            if self.is_exact
            else ["The results are estimates, because there are too many groups."]
        )
        return (*estimated, *self.notes)

    def values(self) -> dict[str, Any]:
        """The exact numbers: the result by the name of its function, and those of slices and groups."""
        function = self.calculation.function
        found: dict[str, Any] = {"complete": not self.notes, "exact": self.is_exact}
        if (whole := self._exact(self.value)) is not None:
            found[function] = whole
            # `count:key` counts the lines that have the key, not all.
            if function == "count" and not self.calculation.key:
                found["lines"] = whole
        if len(self.slices) > 1:
            found["by_time"] = {
                iso_utc(each.start): self._exact(each.value)
                for each in self.slices
                if each.value is not None
            }
        if self.statistic.group_by:
            found["by_group"] = {
                name: {function: self._exact(value)} for name, value in self._by_name().items()
            }
            # Otherwise nobody knows how many groups there are.
            if not self.has_more_groups:
                found["groups"] = len(self.groups)
        return found

    def _by_name(self) -> dict[str, float]:
        """The result of each group. Groups whose names are equal after redaction are merged: counts
        are added, and of other values the first is taken.
        """
        found: dict[str, float] = {}
        for group in self.groups:
            if group.value is None:
                continue
            if group.name not in found:
                found[group.name] = group.value
            elif self.is_additive:
                found[group.name] += group.value
        return found

    def _exact(self, value: float | None) -> float | int | None:
        if value is not None and self.calculation.function in _WHOLE and value == int(value):
            return int(value)
        return value


def slices_of(result: LogStatistics, window: Window) -> tuple[Slice, ...]:
    """The slices of a result with their ends; the last may be shorter."""
    if not result.step:
        return ()
    slices: list[Slice] = []
    start = result.start
    for value in result.slices:
        if start >= window.end:
            break
        end = min(start + result.step, window.end)
        slices.append(Slice(start, end, value))
        start = end
    return tuple(slices)


def groups_of(
    result: LogStatistics, statistic: Statistic, names: dict[str, str]
) -> tuple[tuple[Group, ...], bool]:
    """The groups that are shown, the largest first, and whether there are more. `names` are those of
    logs by id, for `groupby(#log)`.
    """
    found = [
        Group(tuple(names.get(name, name) for name in group.names), group.value, group.slices)
        for group in result.groups
    ]
    found.sort(key=_known_value, reverse=not statistic.ascending)
    most = statistic.top or USUAL_GROUPS
    return tuple(found[:most]), len(found) > most


def _known_value(group: Group) -> float:
    return group.value if group.value is not None else float("-inf")


def window_words(start: datetime, end: datetime) -> str:
    """A time range as a question names it."""
    return f"{_instant(start)}..{_instant(end)}"


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def step_of(slices: Sequence[Slice]) -> timedelta:
    return slices[0].end - slices[0].start if slices else timedelta(0)
