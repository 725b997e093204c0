"""The calls of a long time, and the values that an alert would have had at any moment of it (pure)."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.commands.apiaudit.comparison import compared_values, compared_values_by
from bot.commands.apiaudit.novelty import LEAST_DAYS, NEW_VALUES, TOLERANCE, USUAL_DAYS, Kind
from bot.commands.apiaudit.report import CallNumbers, calls_by, count_calls
from bot.questions.windows.alignment import Comparison
from bot.reports.seen_values import DAY
from providers.models import ApiCall, Outcome, Window


class CallHistory:
    """Calls of a long time, from which the values of any window are computed quickly. Calls without
    a readable time are left out. `since` is where the calls begin, which is known for what is new
    in comparison with so many `days`.
    """

    def __init__(
        self,
        calls: Sequence[ApiCall],
        accounts: Sequence[str],
        *,
        since: datetime | None = None,
        days: int = USUAL_DAYS,
    ) -> None:
        timed = sorted(((call.at, call) for call in calls if call.at), key=lambda item: item[0])
        self._times = [at for at, _ in timed]
        self._calls = [call for _, call in timed]
        self._accounts = accounts
        self._since = since
        self._days = days
        outcomes = [call.outcome for call in self._calls]
        self._failures = _running_count(outcome is Outcome.FAILURE for outcome in outcomes)
        self._unknown = _running_count(outcome is Outcome.UNKNOWN for outcome in outcomes)
        self._first_uses: dict[str, FirstUses] = {}

    def values(self, window: Window, name: str, each: str = "") -> dict[str, Any]:
        """The named value of a window as an answer would have it, and with `each` that of every
        account or actor (`by_account` …).
        """
        if name in NEW_VALUES:
            first, last = self._places(window)
            return self._new(NEW_VALUES[name], window.start, first, last, each)
        numbers = self.numbers(window)
        if not each:
            return numbers.values((name,))
        by_subject = calls_by(numbers.listed(), each, self._accounts)
        return {
            **numbers.values((name,)),
            f"by_{each}": {
                who: count_calls(calls).values((name,)) for who, calls in by_subject.items()
            },
        }

    def compared_values(self, comparison: Comparison, each: str = "") -> dict[str, Any]:
        """The values of a comparison, and with `each` those of every account or actor."""
        current = self.numbers(comparison.current.window)
        previous = self.numbers(comparison.previous.window)
        values = compared_values(current, previous, comparison)
        if not each:
            return values
        by_subject = compared_values_by(
            current.listed(), previous.listed(), each, self._accounts, comparison
        )
        return {**values, f"by_{each}": by_subject}

    def numbers(self, window: Window) -> CallNumbers:
        """The numbers of the calls of a window."""
        first, last = self._places(window)
        return CallNumbers(
            calls=last - first,
            failures=self._failures[last] - self._failures[first],
            unknown=self._unknown[last] - self._unknown[first],
            listed=lambda: self._calls[first:last],
        )

    def _places(self, window: Window) -> tuple[int, int]:
        """Where the calls of a window begin and end."""
        first = bisect.bisect_left(self._times, window.start)
        return first, bisect.bisect_left(self._times, window.end)

    def _new(self, kind: Kind, start: datetime, first: int, last: int, each: str) -> dict[str, Any]:
        """How many values of the calls are new; unknown where too little is known of what was
        before, or no call has a value.
        """
        least = min(LEAST_DAYS, self._days) * DAY - TOLERANCE
        if self._since is None or start - self._since < least:
            return {}
        if kind.name not in self._first_uses:
            self._first_uses[kind.name] = FirstUses(self._calls, kind, self._days * DAY)
        uses = self._first_uses[kind.name]
        new = uses.within(start, first, last)
        is_recorded = first == last or uses.recorded(first, last)
        total = {kind.value: len(new)} if is_recorded else {}
        if not each:
            return total
        subjects = calls_by(self._calls[first:last], each, self._accounts)
        counts = {who: _count_new(calls, kind, new) for who, calls in subjects.items()}
        return {**total, f"by_{each}": counts}


def _count_new(
    calls: Sequence[ApiCall], kind: Kind, new: Collection[tuple[str, str]]
) -> dict[str, int]:
    """How many of the new values these calls have; unknown where none of them has a value."""
    values = {(call.account, getattr(call, kind.name)) for call in calls}
    if values and not any(value for _, value in values):
        return {}
    return {kind.value: len(values.intersection(new))}


class FirstUses:
    """The calls with a value that their account did not have in the time before, which has this
    length.
    """

    def __init__(self, calls: Sequence[ApiCall], kind: Kind, before: timedelta) -> None:
        """The calls are in order of time."""
        self._before = before
        self._values: list[tuple[str, str]] = []
        self._places: list[int] = []
        self._seen_before: list[datetime | None] = []
        latest: dict[tuple[str, str], datetime] = {}
        has_value = []
        for place, call in enumerate(calls):
            value = getattr(call, kind.name)
            has_value.append(bool(value))
            if not value or call.at is None:
                continue
            earlier = latest.get((call.account, value))
            if earlier is None or call.at - earlier > before:
                self._values.append((call.account, value))
                self._places.append(place)
                self._seen_before.append(earlier)
            latest[call.account, value] = call.at
        self._recorded = _running_count(has_value)

    def recorded(self, first: int, last: int) -> int:
        """How many of the calls from one place to another have a value."""
        return self._recorded[last] - self._recorded[first]

    def within(self, start: datetime, first: int, last: int) -> list[tuple[str, str]]:
        """The values that are new in a window, which has the calls from one place to another, each
        with its account.
        """
        oldest = start - self._before
        low, high = bisect.bisect_left(self._places, first), bisect.bisect_left(self._places, last)
        return [
            value
            for value, earlier in zip(
                self._values[low:high], self._seen_before[low:high], strict=True
            )
            if earlier is None or earlier < oldest
        ]


def _running_count(matches: Iterable[bool]) -> list[int]:
    return list(itertools.accumulate(matches, initial=0))
