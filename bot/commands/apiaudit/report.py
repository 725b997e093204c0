"""Numbers of recorded API calls: how many, by whom, what failed, when, and what is unknown."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from bot import formatting
from bot.commands.apiaudit.display import GROUPS, MOST_CALLS, SUMMARY, Display
from bot.commands.apiaudit.novelty import (
    KINDS,
    NEW_VALUES,
    NOTHING_KNOWN,
    AccountHistory,
    Novelty,
    novelty,
)
from bot.commands.apiaudit.novelty_words import coverage_notes, novelty_findings, plain_name
from bot.commands.apiaudit.timeline import Bucket, timeline_of
from providers.models import ApiCall, Outcome, Window


class AuditFacts(Struct, frozen=True):
    """The calls of all accounts that answered, and what is known to be missing.

    `notes` are all remarks about them, `shortcomings` those about something missing.
    `unknown` are the accounts whose data does not reach into the window yet; `data_until` is when
    the first of the others ends. `filtered` where not all calls were asked for, `display` what is
    to be shown of them. `histories` are what is known of the days before, by account.
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
    display: Display = SUMMARY
    histories: Mapping[str, AccountHistory] = field(default_factory=dict)

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


@dataclass(frozen=True)  # Without slots, for the cached properties.
class CallNumbers:
    """The numbers of some calls. `listed` gives the calls themselves to the numbers that cannot do
    without; these are computed on first use, since an alert reads one of them.
    """

    calls: int
    failures: int
    unknown: int
    listed: Callable[[], Sequence[ApiCall]]

    @property
    def failure_percent(self) -> float | None:
        """Of the calls whose outcome is known."""
        # Calls of unknown outcome are in neither number.
        known = self.calls - self.unknown
        return 100 * self.failures / known if known else None

    @cached_property
    def actors(self) -> int | None:
        """How many different actors are named; None where calls name none."""
        named = len({call.actor for call in self.listed()} - {""})
        return named or (None if self.calls else 0)

    @cached_property
    def durations(self) -> Sequence[float]:
        """Milliseconds in ascending order, of the calls that have a duration."""
        return sorted([c.duration_ms for c in self.listed() if c.duration_ms is not None])

    @property
    def duration_p95_ms(self) -> float | None:
        return percentile(self.durations, 95)

    def values(self, names: Sequence[str]) -> dict[str, float]:
        """These of the numbers by name; what is unknown is absent."""
        found = {name: getattr(self, name) for name in names if name in VALUES}
        return {name: value for name, value in found.items() if value is not None}


# The numbers of an answer by name, which are those of `CallNumbers`.
VALUES = ("calls", "failures", "failure_percent", "actors", "duration_p95_ms")


def count_calls(calls: Sequence[ApiCall]) -> CallNumbers:
    """The numbers of these calls."""
    outcomes = Counter([call.outcome for call in calls])
    return CallNumbers(
        calls=len(calls),
        failures=outcomes[Outcome.FAILURE],
        unknown=outcomes[Outcome.UNKNOWN],
        listed=lambda: calls,
    )


class Tally(Struct, frozen=True):
    """How often a value was seen, and how often its calls failed."""

    name: str
    calls: int
    failures: int


class AuditReport(Struct, frozen=True):
    """The numbers of an audit answer."""

    accounts: tuple[str, ...]
    window: Window
    numbers: CallNumbers
    actors: tuple[Tally, ...]
    actions: tuple[Tally, ...]
    per_account: tuple[Tally, ...]
    hosts: tuple[Tally, ...]
    organisations: tuple[Tally, ...]
    timeline: tuple[Bucket, ...]
    step: timedelta
    untimed: int
    slowest: tuple[ApiCall, ...]
    accounts_with_durations: frozenset[str]
    latest_failures: tuple[ApiCall, ...]
    own: int
    complete: bool
    notes: tuple[str, ...]
    shortcomings: tuple[str, ...]
    nothing_known: bool
    filtered: bool
    drawn: Window
    # The newest calls, the newest first, where they are to be listed; or the slowest.
    listed: tuple[ApiCall, ...] = ()
    lists_slowest: bool = False
    # Counts by the columns that were asked for, under the names that people type.
    groups: tuple[tuple[str, tuple[Tally, ...]], ...] = ()
    novelty: Novelty = NOTHING_KNOWN
    # The kinds of values of which the new ones were asked for.
    new: tuple[str, ...] = ()

    @property
    def calls(self) -> int:
        return self.numbers.calls

    @property
    def failures(self) -> int:
        return self.numbers.failures

    @property
    def unknown(self) -> int:
        return self.numbers.unknown

    @property
    def duration_p95_ms(self) -> float | None:
        return self.numbers.duration_p95_ms

    @property
    def known(self) -> int:
        return self.calls - self.unknown

    @property
    def all_failed(self) -> bool:
        """Whether all calls are failures: only failures were requested, or nothing else happened."""
        return bool(self.calls) and self.calls == self.failures

    @property
    def failure_percent(self) -> float | None:
        return self.numbers.failure_percent

    def values(self) -> dict[str, Any]:
        """The named numbers of the answer; what is unknown is absent."""
        return _named_values(
            {**self.numbers.values(VALUES), **self.novelty.values(NEW_VALUES)},
            complete=self.complete,
            nothing_known=self.nothing_known,
        )

    def findings(self) -> list[str]:
        """Notable facts, the most important first."""
        found = []
        worst = max(self.actors, key=lambda tally: tally.failures, default=None)
        if (
            worst
            # One or two failures single nobody out.
            and self.failures >= 3
            and worst.failures * 2 >= self.failures
            and len(self.actors) > 1
        ):
            found.append(
                f"{plain_name(worst.name) or 'An unnamed actor'} made "
                f"{formatting.percent(100 * worst.failures / self.failures)} of the failed calls."
            )
        host = max(self.hosts, key=lambda tally: tally.failures, default=None)
        if (
            host
            and host.failures >= 3
            and host.failures * 2 > self.failures
            and len(self.hosts) > 1
        ):
            found.append(
                f"{plain_name(host.name)} processed "
                f"{formatting.percent(100 * host.failures / self.failures)} of the failed calls."
            )
        found += novelty_findings(self.novelty, self.new)
        if self.unknown:
            found.append(f"The outcome of {formatting.pluralise(self.unknown, 'call')} is unknown.")
        if self.own:
            found.append(
                f"{self.own:,} of these calls {'was' if self.own == 1 else 'were'} the bot's own; "
                "`own:no` leaves them out."
            )
        return found


def audit_report(facts: AuditFacts) -> AuditReport:
    """The report of the facts."""
    calls = facts.calls
    is_failure = Outcome.FAILURE
    failed = [call for call in calls if call.outcome is is_failure]
    numbers = count_calls(calls)
    step, timeline, untimed = timeline_of(calls, failed, facts.drawn)
    per_account = _per_account(facts.accounts, calls, failed)
    actors = _tallies([call.actor for call in calls], [call.actor for call in failed])
    actions = _tallies([call.action for call in calls], [call.action for call in failed])
    # Counted here already, which saves what is new a pass over all calls.
    counted = {"actor": [each.name for each in actors], "action": [each.name for each in actions]}
    return AuditReport(
        accounts=facts.accounts,
        window=facts.window,
        numbers=numbers,
        actors=actors,
        actions=actions,
        hosts=_tallies([call.host for call in calls], [call.host for call in failed], named=True),
        organisations=_tallies(
            [call.organisation for call in calls],
            [call.organisation for call in failed],
            named=True,
        ),
        per_account=per_account,
        timeline=timeline,
        step=step,
        untimed=untimed,
        slowest=_slowest(calls, numbers.durations, 3),
        accounts_with_durations=_accounts_with_durations(calls, numbers, per_account),
        latest_failures=tuple(heapq.nlargest(10, failed, key=_recency)),
        own=[call.own for call in calls].count(True),
        complete=facts.complete,
        notes=tuple(note for note in facts.notes if note not in facts.shortcomings),
        shortcomings=facts.shortcomings,
        nothing_known=facts.nothing_known,
        filtered=facts.filtered,
        drawn=facts.drawn,
        listed=_listed(calls, numbers.durations, facts.display),
        lists_slowest=facts.display.slowest,
        groups=tuple((name, _group(calls, failed, GROUPS[name])) for name in facts.display.by),
        novelty=_novelty(facts, KINDS, failed=failed, distinct=counted),
        new=facts.display.new,
    )


def history_shortcomings(facts: AuditFacts) -> list[str]:
    """What is missing of the days that calls are compared with, in a few words each."""
    return coverage_notes(_novelty(facts, ()))


def _novelty(facts: AuditFacts, kinds: Iterable[str], **known: Any) -> Novelty:
    return novelty(facts.calls, facts.histories, days=facts.display.days, kinds=kinds, **known)


def _per_account(
    accounts: Sequence[str], calls: Sequence[ApiCall], failed: Sequence[ApiCall]
) -> tuple[Tally, ...]:
    if len(accounts) == 1 and calls:
        return (Tally(accounts[0], len(calls), len(failed)),)
    return _tallies([call.account for call in calls], [call.account for call in failed])


def _accounts_with_durations(
    calls: Sequence[ApiCall], numbers: CallNumbers, per_account: Sequence[Tally]
) -> frozenset[str]:
    # Most vendors have a duration for every call, or for none.
    if not numbers.durations:
        return frozenset()
    if len(numbers.durations) == len(calls):
        return frozenset({tally.name for tally in per_account})
    return frozenset({call.account for call in calls if call.duration_ms is not None})


def _listed(
    calls: Sequence[ApiCall], durations: Sequence[float], display: Display
) -> tuple[ApiCall, ...]:
    most = min(display.calls or 0, MOST_CALLS)
    return _slowest(calls, durations, most) if display.slowest else newest(calls, most)


def newest(calls: Sequence[ApiCall], most: int) -> tuple[ApiCall, ...]:
    """The newest calls, the newest first; a call without a readable time is older than any other."""
    return tuple(heapq.nlargest(most, calls, key=_recency))


def _group(calls: Sequence[ApiCall], failed: Sequence[ApiCall], column: str) -> tuple[Tally, ...]:
    """How often each value of a column was seen and failed; calls that have none are left out."""
    return _tallies(
        [getattr(call, column) for call in calls],
        [getattr(call, column) for call in failed],
        named=True,
    )


def audit_values(facts: AuditFacts, names: Sequence[str] = (), *, each: str = "") -> dict[str, Any]:
    """These values of the facts as the report has them, or all, without the rest of the report.
    With `each` those of every `account` or `actor`, too (`by_account` …).
    """
    numbers = count_calls(facts.calls).values(names or VALUES)
    if new := [NEW_VALUES[name].name for name in names or NEW_VALUES if name in NEW_VALUES]:
        numbers |= _novelty(facts, new).values(names or NEW_VALUES)
    values = _named_values(numbers, complete=facts.complete, nothing_known=facts.nothing_known)
    return {**values, f"by_{each}": _values_by(facts, names, each)} if each else values


def _values_by(facts: AuditFacts, names: Sequence[str], subject: str) -> dict[str, dict[str, Any]]:
    """The values of each subject, as an answer about it alone would have them."""
    known = [name for name in facts.accounts if name not in facts.unknown]
    calls = calls_by(facts.calls, subject, known)
    return {name: audit_values(replace(facts, calls=own), names) for name, own in calls.items()}


def calls_by(
    calls: Sequence[ApiCall], subject: str, accounts: Sequence[str]
) -> dict[str, list[ApiCall]]:
    """The calls of each account or actor; an account without calls is listed, too."""
    found: dict[str, list[ApiCall]] = {name: [] for name in accounts if subject == "account"}
    for call in calls:
        found.setdefault(getattr(call, subject), []).append(call)
    return found


def _named_values(
    numbers: Mapping[str, float], *, complete: bool, nothing_known: bool
) -> dict[str, Any]:
    # No numbers rather than zeros, which an alert would take for a recovery.
    if nothing_known:
        return {"complete": False}
    return {**numbers, "complete": complete}


def percentile(ordered: Sequence[float], percent: float) -> float | None:
    """The nearest-rank percentile of values in ascending order."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] if ordered else None


def _tallies(
    names: Sequence[str], failed: Sequence[str], *, named: bool = False
) -> tuple[Tally, ...]:
    """How often each name was seen and failed, the most frequent first; with `named`, the empty
    name is left out.
    """
    seen = Counter(names)
    failures = Counter(failed)
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
    # One pass with a bound, instead of sorting all calls.
    least = durations[-most:][0]
    slow = [call for call in calls if call.duration_ms is not None and call.duration_ms >= least]
    return tuple(sorted(slow, key=lambda call: call.duration_ms or 0.0, reverse=True)[:most])


def _recency(call: ApiCall) -> datetime:
    return call.at or datetime.min.replace(tzinfo=UTC)
