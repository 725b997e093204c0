"""The calls of a long time, and the values that an alert would have had at any moment of it (pure)."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from bot.commands.apiaudit.report import CallNumbers, calls_by, count_calls
from providers.models import ApiCall, Outcome, Window


class CallHistory:
    """Calls of a long time, from which the values of any window are computed quickly. Calls without
    a readable time are left out.
    """

    def __init__(self, calls: Sequence[ApiCall], accounts: Sequence[str]) -> None:
        timed = sorted(((call.at, call) for call in calls if call.at), key=lambda item: item[0])
        self._times = [at for at, _ in timed]
        self._calls = [call for _, call in timed]
        self._accounts = accounts
        outcomes = [call.outcome for call in self._calls]
        self._failures = _running_count(outcome is Outcome.FAILURE for outcome in outcomes)
        self._unknown = _running_count(outcome is Outcome.UNKNOWN for outcome in outcomes)

    def values(self, window: Window, name: str, each: str = "") -> dict[str, Any]:
        """The named value of a window as an answer would have it, and with `each` that of every
        account or actor (`by_account` …).
        """
        first = bisect.bisect_left(self._times, window.start)
        last = bisect.bisect_left(self._times, window.end)
        numbers = CallNumbers(
            calls=last - first,
            failures=self._failures[last] - self._failures[first],
            unknown=self._unknown[last] - self._unknown[first],
            listed=lambda: self._calls[first:last],
        )
        if not each:
            return numbers.values((name,))
        by_subject = calls_by(self._calls[first:last], each, self._accounts)
        return {
            **numbers.values((name,)),
            f"by_{each}": {
                who: count_calls(calls).values((name,)) for who, calls in by_subject.items()
            },
        }


def _running_count(matches: Iterable[bool]) -> list[int]:
    return list(itertools.accumulate(matches, initial=0))
