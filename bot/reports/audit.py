"""Recorded API calls: how many, by whom, what failed, when, and what is not known about them."""

from __future__ import annotations

import bisect
import heapq
import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot import formatting
from providers.models import ApiCall, Outcome, Window, iso_utc

CSV_HEADER = (
    "at",
    "account",
    "actor",
    "action",
    "target",
    "status",
    "outcome",
    "client",
    "ip",
    "duration_ms",
)
MOST_POINTS = 20
_STEPS = tuple(
    timedelta(minutes=m)
    for m in (
        1,
        2,
        5,
        10,
        15,
        30,
        60,
        120,
        180,
        360,
        720,
        1440,
        2880,
        7200,
        10080,
        20160,
        43200,
        129600,
        525600,
    )
)


@dataclass(frozen=True, slots=True)
class AuditFacts:
    """The calls of all accounts that answered, and what is known to be missing.

    `notes` are all remarks about them, `shortcomings` those that tell of something missing.
    `unknown` are the accounts whose data does not reach into the window yet; `known_until` is when
    the first of the others ends. `filtered` where not all calls were asked for.
    """

    accounts: tuple[str, ...]
    window: Window
    calls: Sequence[ApiCall]
    complete: bool
    notes: tuple[str, ...] = ()
    shortcomings: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    data_until: datetime | None = None
    filtered: bool = False

    @property
    def nothing_known(self) -> bool:
        """Whether it is too early to say anything, not even that there were no calls."""
        return not self.calls and bool(self.accounts) and set(self.accounts) == set(self.unknown)

    @property
    def drawn(self) -> Window:
        """The part of the window that a chart can show: it ends where the data does."""
        if self.data_until and self.window.start < self.data_until < self.window.end:
            return Window(self.window.start, self.data_until)
        return self.window


@dataclass(frozen=True, slots=True)
class Tally:
    """How often something was seen, and how often it failed."""

    name: str
    calls: int
    failures: int


@dataclass(frozen=True, slots=True)
class Bucket:
    start: datetime
    calls: int
    failures: int


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The numbers of an audit answer."""

    accounts: tuple[str, ...]
    window: Window
    calls: int
    failures: int
    unknown: int
    actors: tuple[Tally, ...]
    actions: tuple[Tally, ...]
    per_account: tuple[Tally, ...]
    hosts: tuple[Tally, ...]
    organisations: tuple[Tally, ...]
    timeline: tuple[Bucket, ...]
    step: timedelta
    untimed: int
    duration_p95_ms: float | None
    slowest: tuple[ApiCall, ...]
    latest_failures: tuple[ApiCall, ...]
    own: int
    complete: bool
    notes: tuple[str, ...]
    shortcomings: tuple[str, ...]
    nothing_known: bool
    filtered: bool
    drawn: Window

    @property
    def known(self) -> int:
        return self.calls - self.unknown

    @property
    def all_failed(self) -> bool:
        """Where only failures were asked for, or nothing else happened, calls and failures are one
        and the same.
        """
        return bool(self.calls) and self.calls == self.failures

    @property
    def failure_percent(self) -> float | None:
        """Of the calls whose outcome is known."""
        return 100 * self.failures / self.known if self.known else None

    def values(self) -> dict[str, Any]:
        """The named numbers of the answer; what is unknown is absent."""
        if self.nothing_known:
            return {"complete": False}
        found = {
            "calls": self.calls,
            "failures": self.failures,
            "failure_percent": self.failure_percent,
            "actors": len(self.actors),
            "duration_p95_ms": self.duration_p95_ms,
            "complete": self.complete,
        }
        return {name: value for name, value in found.items() if value is not None}

    def findings(self) -> list[str]:
        """What deserves saying in words, most important first."""
        found = []
        worst = max(self.actors, key=lambda tally: tally.failures, default=None)
        if (
            worst
            and self.failures >= 3
            and worst.failures * 2 >= self.failures
            and len(self.actors) > 1
        ):
            found.append(
                f"{formatting.percent(100 * worst.failures / self.failures)} of the failures are "
                f"{worst.name or 'an unnamed actor'}."
            )
        host = max(self.hosts, key=lambda tally: tally.failures, default=None)
        if (
            host
            and host.failures >= 3
            and host.failures * 2 > self.failures
            and len(self.hosts) > 1
        ):
            found.append(
                f"{formatting.percent(100 * host.failures / self.failures)} of the failures were "
                f"processed by {host.name}."
            )
        if self.unknown:
            found.append(
                f"Of {formatting.pluralise(self.unknown, 'call')} the outcome is not known."
            )
        if self.own:
            found.append(
                f"{formatting.pluralise(self.own, 'call')} of these "
                f"{'was' if self.own == 1 else 'were'} the bot's own; `own:no` leaves them out."
            )
        return found


def audit_report(facts: AuditFacts) -> AuditReport:
    """The report of the facts."""
    calls = facts.calls
    failed = [call for call in calls if call.outcome is Outcome.FAILURE]
    durations = sorted([call.duration_ms for call in calls if call.duration_ms is not None])
    step, timeline, untimed = _timeline(calls, facts.drawn)
    return AuditReport(
        accounts=facts.accounts,
        window=facts.window,
        calls=len(calls),
        failures=len(failed),
        unknown=len([call for call in calls if call.outcome is Outcome.UNKNOWN]),
        actors=_tallies([call.actor for call in calls], [call.actor for call in failed]),
        actions=_tallies([call.action for call in calls], [call.action for call in failed]),
        hosts=_tallies([call.host for call in calls], [call.host for call in failed], named=True),
        organisations=_tallies(
            [call.organisation for call in calls],
            [call.organisation for call in failed],
            named=True,
        ),
        per_account=_tallies([call.account for call in calls], [call.account for call in failed]),
        timeline=timeline,
        step=step,
        untimed=untimed,
        duration_p95_ms=percentile(durations, 95),
        slowest=_slowest(calls, durations, 3),
        latest_failures=tuple(heapq.nlargest(10, failed, key=_recency)),
        own=len([call for call in calls if call.own]),
        complete=facts.complete,
        notes=tuple(note for note in facts.notes if note not in facts.shortcomings),
        shortcomings=facts.shortcomings,
        nothing_known=facts.nothing_known,
        filtered=facts.filtered,
        drawn=facts.drawn,
    )


def values_by(facts: AuditFacts, subject: str) -> dict[str, dict[str, Any]]:
    """The values of each `account` or `actor` by itself, as an answer about it alone would have
    them.
    """
    known = [name for name in facts.accounts if name not in facts.unknown]
    calls: dict[str, list[ApiCall]] = {name: [] for name in known} if subject == "account" else {}
    for call in facts.calls:
        calls.setdefault(getattr(call, subject), []).append(call)
    return {name: audit_report(replace(facts, calls=own)).values() for name, own in calls.items()}


class CallHistory:
    """Calls of a long time, of which the values of any window are known quickly. Calls without a
    readable time are left out.
    """

    def __init__(self, calls: Sequence[ApiCall], accounts: Sequence[str]) -> None:
        timed = sorted(((call.at, call) for call in calls if call.at), key=lambda item: item[0])
        self._times, self._calls, self._accounts = (
            [at for at, _ in timed],
            [call for _, call in timed],
            accounts,
        )
        outcomes = [call.outcome for call in self._calls]
        self._failures = list(
            itertools.accumulate((o is Outcome.FAILURE for o in outcomes), initial=0)
        )
        self._known = list(
            itertools.accumulate((o is not Outcome.UNKNOWN for o in outcomes), initial=0)
        )

    def values(self, window: Window, name: str, each: str = "") -> dict[str, Any]:
        """The named value of a window as an answer would have it, and with `each` that of every
        account or actor (`by_account`, …).
        """
        first, last = (
            bisect.bisect_left(self._times, window.start),
            bisect.bisect_left(self._times, window.end),
        )
        found: dict[str, Any] = self._value(first, last, name)
        if each:
            names: dict[str, list[ApiCall]] = (
                {account: [] for account in self._accounts} if each == "account" else {}
            )
            for call in self._calls[first:last]:
                names.setdefault(getattr(call, each), []).append(call)
            found[f"by_{each}"] = {
                who: CallHistory(calls, ()).values(window, name) for who, calls in names.items()
            }
        return found

    def _value(self, first: int, last: int, name: str) -> dict[str, Any]:
        failures, known = (
            self._failures[last] - self._failures[first],
            self._known[last] - self._known[first],
        )
        if name == "calls":
            return {name: last - first}
        if name == "failures":
            return {name: failures}
        if name == "failure_percent":
            return {name: 100 * failures / known} if known else {}
        calls = self._calls[first:last]
        if name == "actors":
            return {name: len({call.actor for call in calls})}
        p95 = percentile(
            sorted([call.duration_ms for call in calls if call.duration_ms is not None]), 95
        )
        return {name: p95} if p95 is not None else {}


def percentile(ordered: Sequence[float], percent: float) -> float | None:
    """The nearest-rank percentile of values in ascending order."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] if ordered else None


def csv_rows(calls: Iterable[ApiCall]) -> Iterable[Sequence[str | float | None]]:
    """One row a call, in the order received."""
    for call in calls:
        at = call.at
        yield (
            # Nearly all instants are in UTC already; spelling that out here is a third of the cost
            # of a row.
            f"{at.isoformat('T', 'milliseconds')[:-6]}Z"
            if at and at.tzinfo is UTC
            else _otherwise(call),
            call.account,
            call.actor,
            call.action,
            call.target,
            call.status,
            call.outcome._value_,
            call.client,
            call.ip,
            None if call.duration_ms is None else f"{call.duration_ms:.3f}".rstrip("0").rstrip("."),
        )


def _otherwise(call: ApiCall) -> str:
    return iso_utc(call.at, "milliseconds") if call.at else call.at_text


def _tallies(
    names: Sequence[str], failed: Sequence[str], *, named: bool = False
) -> tuple[Tally, ...]:
    """How often each name was seen and failed, the most frequent first; with `named`, the empty
    name is left out.
    """
    seen, failures = Counter(names), Counter(failed)
    if named:
        seen.pop("", None)
    return tuple(
        Tally(name, calls, failures[name])
        for name, calls in sorted(seen.items(), key=lambda i: (-i[1], i[0]))
    )


def _slowest(
    calls: Sequence[ApiCall], durations: Sequence[float], most: int
) -> tuple[ApiCall, ...]:
    """The slowest calls, the slowest first; `durations` are all there are, in ascending order."""
    if not durations:
        return ()
    least = durations[-most:][0]
    slow = [call for call in calls if call.duration_ms is not None and call.duration_ms >= least]
    return tuple(sorted(slow, key=lambda call: call.duration_ms or 0.0, reverse=True)[:most])


def _timeline(
    calls: Sequence[ApiCall], window: Window
) -> tuple[timedelta, tuple[Bucket, ...], int]:
    """Calls in at most twenty equal steps of the window; calls outside it or without a readable
    time are only counted.
    """
    step = next((s for s in _STEPS if window.length <= s * (MOST_POINTS - 1)), _STEPS[-1])
    epoch = datetime(1970, 1, 5, tzinfo=UTC)
    first = epoch + (window.start - epoch) // step * step
    length = math.ceil((window.end - first) / step)
    counts, failures = [0] * length, [0] * length
    untimed, index, start, end = 0, 0, window.end, window.end
    for call in calls:
        at = call.at
        # Calls come in order of time, so most fall into the step of the one before.
        if at is None or not start <= at < end:
            if at is None or not window.start <= at < window.end:
                untimed += 1
                continue
            index = (at - first) // step
            start = max(window.start, first + index * step)
            end = min(window.end, first + (index + 1) * step)
        counts[index] += 1
        failures[index] += call.outcome is Outcome.FAILURE
    buckets = tuple(Bucket(first + n * step, counts[n], failures[n]) for n in range(length))
    return step, buckets[-MOST_POINTS:], untimed


def _recency(call: ApiCall) -> datetime:
    return call.at or datetime.min.replace(tzinfo=UTC)
