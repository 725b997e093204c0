"""The calls of a long time, and the values that an alert would have had at any moment of it (pure)."""

from __future__ import annotations

import bisect
import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from bot.commands.apiaudit.comparison import compared_values, compared_values_by
from bot.commands.apiaudit.novelty import LEAST_DAYS, NEW_VALUES, TOLERANCE, USUAL_DAYS, Kind
from bot.commands.apiaudit.report import CallNumbers, calls_by, count_calls
from bot.questions.windows.alignment import Comparison
from bot.reports.seen_values import DAY
from providers.models import ApiCall, Outcome, Window


class CallHistory:
    """Calls of a long time, from which the values of any window are computed quickly. Calls without
    a readable time are left out.

    Their values are compared with those of the `earlier` calls, or of the same, in so many `days`
    before a window; `since` is where these calls begin.
    """

    def __init__(
        self,
        calls: Sequence[ApiCall],
        accounts: Sequence[str],
        *,
        earlier: Sequence[ApiCall] | None = None,
        since: datetime | None = None,
        days: int = USUAL_DAYS,
    ) -> None:
        # By time, so that a window is a slice that two searches find.
        timed = sorted(((call.at, call) for call in calls if call.at), key=lambda item: item[0])
        self._times = [at for at, _ in timed]
        self._calls = [call for _, call in timed]
        self._accounts = accounts
        self._since = since
        self._days = days
        outcomes = [call.outcome for call in self._calls]
        self._failures = _running_count(outcome is Outcome.FAILURE for outcome in outcomes)
        self._unknown = _running_count(outcome is Outcome.UNKNOWN for outcome in outcomes)
        self._earlier = calls if earlier is None else earlier
        self._uses: dict[str, EarlierUses] = {}

    def values(self, window: Window, name: str, each: str = "") -> dict[str, Any]:
        """The named value of a window as an answer would have it, and with `each` that of every
        account or actor (`by_account` …).
        """
        if name in NEW_VALUES:
            first, last = self._places(window)
            return self._new(NEW_VALUES[name], window, self._calls[first:last], each)
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
        """The positions of the first and the last call of a window."""
        first = bisect.bisect_left(self._times, window.start)
        return first, bisect.bisect_left(self._times, window.end)

    def _new(
        self, kind: Kind, window: Window, calls: Sequence[ApiCall], each: str
    ) -> dict[str, Any]:
        """How many values of a window's calls are new; unknown where too little is known of what was
        before, or no call has a value.
        """
        least = min(LEAST_DAYS, self._days) * DAY - TOLERANCE
        if self._since is None or window.start - self._since < least:
            return {}
        # Computed once for the whole backtest, of which each instant asks.
        if kind.name not in self._uses:
            self._uses[kind.name] = EarlierUses(self._earlier, kind)
        before = Window(window.start - self._days * DAY, window.start)
        others = [call for call in calls if not call.own]
        new = self._uses[kind.name].missing(_values(others, kind), before)
        total = _count_new(calls, kind, new)
        if not each:
            return total
        subjects = calls_by(calls, each, self._accounts)
        counts = {who: _count_new(own, kind, new) for who, own in subjects.items()}
        return {**total, f"by_{each}": counts}


def _count_new(
    calls: Sequence[ApiCall], kind: Kind, new: Collection[tuple[str, str]]
) -> dict[str, int]:
    """How many of the new values these calls have, the bot's own aside; unknown where none of the
    calls has a value.
    """
    # The vendor records no such column: zero new values would be a claim.
    if calls and not _values(calls, kind):
        return {}
    others = _values([call for call in calls if not call.own], kind)
    return {kind.value: len(others.intersection(new))}


def _values(calls: Sequence[ApiCall], kind: Kind) -> set[tuple[str, str]]:
    """The different values of calls, each with its account."""
    values = {(call.account, getattr(call, kind.name)) for call in calls}
    return {(account, value) for account, value in values if value}


class EarlierUses:
    """When each account had each value of a kind."""

    def __init__(self, calls: Iterable[ApiCall], kind: Kind) -> None:
        self._times = defaultdict[tuple[str, str], list[datetime]](list)
        for call in calls:
            if call.at:
                self._times[call.account, getattr(call, kind.name)].append(call.at)
        for times in self._times.values():
            times.sort()

    def missing(self, values: Iterable[tuple[str, str]], before: Window) -> set[tuple[str, str]]:
        """Those of the values that their account did not have before."""
        return {value for value in values if not self._is_in(before, self._times.get(value, ()))}

    def _is_in(self, window: Window, times: Sequence[datetime]) -> bool:
        end = bisect.bisect_left(times, window.end)
        return end > 0 and times[end - 1] >= window.start


def _running_count(matches: Iterable[bool]) -> list[int]:
    return list(itertools.accumulate(matches, initial=0))
