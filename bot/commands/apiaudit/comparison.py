"""API calls of two windows: how many more or fewer there were, and which accounts, actors and
actions explain it (pure).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from msgspec import Struct

from bot.commands.apiaudit.display import GROUPS, SUMMARY, Display
from bot.commands.apiaudit.report import CallNumbers, calls_by, count_calls
from bot.questions.windows.alignment import Comparison
from bot.reports.timeline import MOST_POINTS, time_step
from providers.models import ApiCall, Outcome, Window

# Those of a question about two windows; its other values are those of the first window alone.
COMPARED_VALUES = frozenset(
    {
        *("calls", "failures", "failure_percent", "actors"),
        *("before_calls", "before_failures", "change_calls", "change_failures", "change_percent"),
    }
)
_OWN_VALUES = ("calls", "failures", "failure_percent", "actors")


class ComparedCalls(Struct, frozen=True):
    """The calls of both windows, of the accounts that are compared. `incomplete` says in words what
    is missing of them, and `missing` names the accounts of which nothing is there.
    """

    comparison: Comparison
    accounts: tuple[str, ...]
    current: Sequence[ApiCall]
    previous: Sequence[ApiCall]
    incomplete: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    display: Display = SUMMARY
    filtered: bool = False


class CallChange(Struct, frozen=True):
    """The calls of an account, an actor or an action in both windows, and how many failed. `change`
    is the difference in what is compared, totals or averages.
    """

    name: str
    current: int
    previous: int
    current_failures: int
    previous_failures: int
    change: float


class AuditComparison(Struct, frozen=True):
    """The numbers of a comparison. `change` is unknown where either window is incomplete. `bars` are
    the calls of both windows in equal steps.
    """

    comparison: Comparison
    accounts: tuple[str, ...]
    current: CallNumbers
    previous: CallNumbers
    obstacle: str
    change: float | None
    change_percent: float | None
    groups: tuple[tuple[str, tuple[CallChange, ...]], ...]
    step: timedelta
    bars: tuple[tuple[int, int], ...]
    complete: bool
    filtered: bool = False
    # Whether the groups are those that were asked for.
    asked_by: bool = False

    @property
    def is_comparable(self) -> bool:
        return self.change is not None

    def values(self) -> dict[str, Any]:
        """The named numbers of the answer; what is unknown is absent."""
        values = compared_values(
            self.current, self.previous, self.comparison, is_comparable=self.is_comparable
        )
        return {**values, "complete": self.complete}


def compared_calls(facts: ComparedCalls) -> AuditComparison:
    """The comparison of the calls."""
    comparison = facts.comparison
    current = count_calls(facts.current)
    previous = count_calls(facts.previous)
    obstacle = comparison.obstacle
    if not obstacle and facts.incomplete:
        obstacle = "Some calls are missing, so a difference would be misleading."
    change = percent = None
    if not obstacle:
        change = _change(current.calls, previous.calls, comparison)
        percent = _percent(change, previous.calls, comparison)
    step = time_step(comparison.current.window)
    return AuditComparison(
        comparison,
        facts.accounts,
        current,
        previous,
        obstacle,
        change,
        percent,
        tuple(_groups(facts)),
        step,
        tuple(_bars(facts, step)),
        complete=not (facts.incomplete or facts.missing),
        filtered=facts.filtered,
        asked_by=bool(facts.display.by),
    )


def compared_values(
    current: CallNumbers,
    previous: CallNumbers,
    comparison: Comparison,
    *,
    is_comparable: bool = True,
) -> dict[str, Any]:
    """The named values of a comparison; those that are unknown are absent. Of averages there is no
    difference in calls, only one in percent.
    """
    values: dict[str, Any] = dict(current.values(_OWN_VALUES))
    values |= {"before_calls": previous.calls, "before_failures": previous.failures}
    if not is_comparable:
        return values
    # A difference of averages is not a number of calls.
    if not comparison.unit:
        values["change_calls"] = current.calls - previous.calls
        values["change_failures"] = current.failures - previous.failures
    change = _change(current.calls, previous.calls, comparison)
    percent = _percent(change, previous.calls, comparison)
    return values if percent is None else {**values, "change_percent": percent}


def compared_values_by(
    current: Sequence[ApiCall],
    previous: Sequence[ApiCall],
    subject: str,
    accounts: Sequence[str],
    comparison: Comparison,
) -> dict[str, dict[str, Any]]:
    """The values of each account or actor that was seen in either window."""
    after = calls_by(current, subject, accounts)
    before = calls_by(previous, subject, accounts)
    return {
        name: compared_values(
            count_calls(after.get(name, [])), count_calls(before.get(name, [])), comparison
        )
        for name in {**after, **before}
    }


def calls_within(calls: Iterable[ApiCall], window: Window) -> list[ApiCall]:
    """The calls of a window; one without a readable time is in none."""
    return [call for call in calls if call.at and window.start <= call.at < window.end]


def _change(current: int, previous: int, comparison: Comparison) -> float:
    after = current / comparison.units(comparison.current.window)
    return after - previous / comparison.units(comparison.previous.window)


def _percent(change: float, previous: int, comparison: Comparison) -> float | None:
    base = previous / comparison.units(comparison.previous.window)
    return 100 * change / base if base else None


def _groups(facts: ComparedCalls) -> Iterable[tuple[str, tuple[CallChange, ...]]]:
    """The largest changes by each column that was asked for, or else by account, actor and
    action.
    """
    names = facts.display.by or ("account", "who", "action")
    for name in names:
        # Of one account it would repeat the totals.
        if name == "account" and len(facts.accounts) < 2:
            continue
        found = _changes(facts, lambda call, column=GROUPS[name]: str(getattr(call, column)))  # type: ignore[misc]
        if found:
            yield name, found


def _changes(facts: ComparedCalls, name_of: Callable[[ApiCall], str]) -> tuple[CallChange, ...]:
    current, failed = _counts(facts.current, name_of)
    previous, failed_before = _counts(facts.previous, name_of)
    found = [
        CallChange(
            name,
            current[name],
            previous[name],
            failed[name],
            failed_before[name],
            _change(current[name], previous[name], facts.comparison),
        )
        for name in {**current, **previous}
    ]
    return tuple(sorted(found, key=lambda each: (-abs(each.change), -each.current, each.name)))


def _counts(
    calls: Sequence[ApiCall], name_of: Callable[[ApiCall], str]
) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """How often each name was seen, and how often it failed."""
    failed = [call for call in calls if call.outcome is Outcome.FAILURE]
    return Counter(map(name_of, calls)), Counter(map(name_of, failed))


def _bars(facts: ComparedCalls, step: timedelta) -> list[tuple[int, int]]:
    """The calls of both windows in equal steps from their starts on."""
    comparison = facts.comparison
    # Windows of different lengths have no bars that belong together.
    if comparison.unit or comparison.obstacle:
        return []
    length = max(comparison.current.window.length, comparison.previous.window.length)
    number = min(math.ceil(length / step), MOST_POINTS)
    current = _in_steps(facts.current, comparison.current.window, step)
    previous = _in_steps(facts.previous, comparison.previous.window, step)
    return [(current[at], previous[at]) for at in range(number)]


def _in_steps(calls: Sequence[ApiCall], window: Window, step: timedelta) -> Mapping[int, int]:
    return Counter(
        (call.at - window.start) // step
        for call in calls
        if call.at and window.start <= call.at < window.end
    )
