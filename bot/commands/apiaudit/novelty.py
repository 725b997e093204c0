"""What is new in some calls: the values that the days before did not have (pure)."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from operator import attrgetter
from types import MappingProxyType

from msgspec import Struct, field

from bot import formatting
from bot.commands.apiaudit.denied import DENIED, Burst, bursts, denied_by_hour, denied_kind
from bot.reports.seen_values import (
    DAY,
    MICROSECOND,
    WHOLE_DAY,
    SeenDay,
    SeenSet,
    digest_in_hour,
    digest_of,
    midnight,
    part_of,
)
from providers.models import ApiCall, Outcome, Window

USUAL_DAYS = 30
MOST_DAYS = 60
# With fewer days, nearly everything would be new.
LEAST_DAYS = 7
# What is missing of the days before, in all, without being said.
TOLERANCE = timedelta(hours=1)
_HOUR = timedelta(hours=1)


class Kind(Struct, frozen=True):
    """A column of calls whose values may be new, as people type it, and the alert value. `distinct`
    gives the different values of many calls.
    """

    name: str
    value: str
    one: str
    many: str
    distinct: Callable[[Sequence[ApiCall]], set[str]]


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind(
                "actor",
                "new_actors",
                "actor",
                "actors",
                lambda calls: {call.actor for call in calls},
            ),
            Kind(
                "ip",
                "new_ips",
                "IP address",
                "IP addresses",
                lambda calls: {call.ip for call in calls},
            ),
            Kind(
                "client",
                "new_clients",
                "client",
                "clients",
                lambda calls: {call.client for call in calls},
            ),
            Kind(
                "action",
                "new_actions",
                "action",
                "actions",
                lambda calls: {call.action for call in calls},
            ),
        )
    }
)
NEW_VALUES: Mapping[str, Kind] = MappingProxyType({kind.value: kind for kind in KINDS.values()})


def seen_days(calls: Sequence[ApiCall], window: Window) -> list[SeenDay]:
    """The values of calls by day, of a window that was read completely. A call without a readable
    time counts as one at the start of the window.
    """
    times, ordered = _in_order(calls, window)
    found = []
    for day in window.days.each():
        start = midnight(day)
        first = bisect_left(times, start)
        last = bisect_left(times, start + DAY)
        sets = _sets(ordered[first:last], times[first:last], start) if first < last else {}
        found.append(SeenDay(day, sets, [part_of(window, day)]))
    return found


def _in_order(calls: Sequence[ApiCall], window: Window) -> tuple[list[datetime], Sequence[ApiCall]]:
    """The calls of the window by time, and their times."""
    ordered = sorted([call for call in calls if call.at], key=attrgetter("at"))
    times = [call.at for call in ordered if call.at]
    first = bisect_left(times, window.start)
    last = bisect_left(times, window.end)
    untimed = [call for call in calls if not call.at]
    return (
        [window.start] * len(untimed) + times[first:last],
        untimed + ordered[first:last],
    )


def _sets(
    calls: Sequence[ApiCall], times: Sequence[datetime], start: datetime
) -> dict[str, SeenSet]:
    """The values of one day by kind, and the number of denied calls of each actor and address by
    hour.
    """
    sets = {}
    backwards = times[::-1]
    for kind in KINDS.values():
        values = list(map(attrgetter(kind.name), calls))
        last = dict(zip(values, times, strict=True))
        first = dict(zip(reversed(values), backwards, strict=True))
        sets[kind.name] = SeenSet.of(
            {
                digest_of(value): (
                    (first[value] - start) // MICROSECOND,
                    (at - start) // MICROSECOND,
                )
                for value, at in last.items()
                if value
            }
        )
    denied = [(at, call) for at, call in zip(times, calls, strict=True) if call.status in DENIED]
    for name, counts in denied_by_hour(denied).items():
        sets[denied_kind(name)] = SeenSet.of(
            {
                digest_in_hour(hour % 24, value): (hour % 24, count)
                for (hour, value), count in counts.items()
                if value
            }
        )
    return {kind: found for kind, found in sets.items() if found.packed}


class AccountHistory(Struct, frozen=True):
    """What is known of an account in the days before a window."""

    before: Window
    days: Mapping[date, SeenDay] = field(default_factory=dict)

    @property
    def known_days(self) -> int:
        """How many whole days of them were read; none where the last hour was not, as what is in use
        all the time would seem new.
        """
        last_hour = Window(self.before.end - _HOUR, self.before.end)
        if self._unread(last_hour):
            return 0
        return (self.before.length - self._unread(self.before) + TOLERANCE) // DAY

    def _unread(self, window: Window) -> timedelta:
        gaps = (
            end - start
            for day in window.days.each()
            for start, end in self.days.get(day, SeenDay(day)).gaps(window)
        )
        return sum(gaps) * MICROSECOND

    def is_full(self, kind: str) -> bool:
        """Whether a day had too many values to tell which are new."""
        return any(found.is_full for seen in self.days.values() if (found := seen.sets.get(kind)))

    def unseen(self, kind: str, values: Iterable[str]) -> set[str]:
        """Those of the values that the days before did not have."""
        left = {digest_of(value): value for value in values}
        # Nearly all values were seen on the day before.
        for day in reversed(self.before.days.each()):
            if not left:
                break
            if found := self.days.get(day, SeenDay(day)).sets.get(kind):
                for digest in left.keys() & set(self._seen_on(day, found, left)):
                    del left[digest]
        return set(left.values())

    def _seen_on(self, day: date, found: SeenSet, wanted: Iterable[int]) -> Iterable[int]:
        """The values that were seen on the part of a day that is before the window."""
        start, end = part_of(self.before, day)
        if (start, end) == (0, WHOLE_DAY):
            return found.digests
        entries = found.entries
        return [
            digest
            for digest in wanted
            if digest in entries and entries[digest][0] < end and entries[digest][1] >= start
        ]

    def most_denied(self, kind: str, value: str) -> int | None:
        """The most denied calls of an actor or address in one whole hour of the days before; None
        where there were too many to tell.
        """
        if self.is_full(denied_kind(kind)):
            return None
        digests = [digest_in_hour(hour, value) for hour in range(24)]
        hour_length = _HOUR // MICROSECOND
        most = 0
        for day in self.before.days.each():
            found = self.days.get(day, SeenDay(day)).sets.get(denied_kind(kind))
            if not found:
                continue
            start, end = part_of(self.before, day)
            whole = digests[-(-start // hour_length) : end // hour_length]
            most = max(most, found.highest(whole))
        return most


class NewValue(Struct, frozen=True):
    """A value that an account did not have before, how often it was seen and failed, when first, and
    whose call that was: of an actor the address, and else the actor.
    """

    account: str
    name: str
    calls: int
    failures: int
    first: datetime | None
    by: str


class Novelty(Struct, frozen=True):
    """What is new, by kind; a kind of which that is not known is missing. `seen` is how many different
    values the calls have. `compared` is how many of the `days` before are known of every account
    that is compared; `unknown` are the accounts of which too few are known, each with how many.
    """

    days: int
    compared: int = 0
    new: Mapping[str, tuple[NewValue, ...]] = field(default_factory=dict)
    seen: Mapping[str, int] = field(default_factory=dict)
    bursts: tuple[Burst, ...] = ()
    unknown: Mapping[str, int] = field(default_factory=dict)

    @property
    def period(self) -> str:
        """What the calls are compared with."""
        return f"the {formatting.pluralise(self.days, 'day')} before"

    @property
    def coverage(self) -> str:
        """How many of the days are known, where that is not all of them."""
        if not self.compared or self.compared >= self.days:
            return ""
        return f"compared with {self.compared} of {formatting.pluralise(self.days, 'day')}"

    def values(self, names: Iterable[str]) -> dict[str, int]:
        """How many values are new, by the name of the alert value. A total is known where it is of
        every account.
        """
        if self.unknown:
            return {}
        wanted = (NEW_VALUES[name] for name in names if name in NEW_VALUES)
        return {kind.value: len(self.new[kind.name]) for kind in wanted if kind.name in self.new}


NOTHING_KNOWN = Novelty(USUAL_DAYS)


def novelty(
    calls: Sequence[ApiCall],
    histories: Mapping[str, AccountHistory],
    *,
    days: int = USUAL_DAYS,
    kinds: Iterable[str] = KINDS,
    failed: Sequence[ApiCall] | None = None,
    distinct: Mapping[str, Iterable[str]] = MappingProxyType({}),
) -> Novelty:
    """What is new in the calls of a window. `failed` are those that failed, and `distinct` the
    different values of all by kind, where these are known already.
    """
    known_days = {account: each.known_days for account, each in histories.items()}
    least = min(LEAST_DAYS, days)
    known = {account: each for account, each in histories.items() if known_days[account] >= least}
    if failed is None:
        failed = [call for call in calls if call.status in DENIED]
    by_account = _by_account(calls, histories)
    unknown = {name: known_days.get(name, 0) for name in by_account if name not in known}
    if not known:
        return Novelty(days, unknown=unknown)
    compared = [(own, known[name]) for name, own in by_account.items() if name in known]
    counted = {
        name: _new_of_kind(
            compared, KINDS[name], distinct.get(name) if len(by_account) == 1 else None
        )
        for name in kinds
    }
    return Novelty(
        days,
        min((known_days[name] for name in by_account if name in known), default=days),
        {name: new for name, (new, _) in counted.items() if new is not None},
        {name: count for name, (_, count) in counted.items()},
        tuple(
            burst
            for name, own in _by_account(failed, histories).items()
            if name in known
            for burst in bursts(own, known[name].most_denied)
        ),
        unknown,
    )


def _by_account(
    calls: Sequence[ApiCall], accounts: Collection[str]
) -> Mapping[str, Sequence[ApiCall]]:
    """The calls of each account that has some."""
    if not calls:
        return {}
    if len(accounts) == 1:
        return dict.fromkeys(accounts, calls)
    # In the order in which they come; most often there is one.
    names = dict.fromkeys([call.account for call in calls])
    if len(names) == 1:
        return dict.fromkeys(names, calls)
    found = defaultdict[str, list[ApiCall]](list)
    for call in calls:
        found[call.account].append(call)
    return found


def _new_of_kind(
    compared: Sequence[tuple[Sequence[ApiCall], AccountHistory]],
    kind: Kind,
    distinct: Iterable[str] | None,
) -> tuple[tuple[NewValue, ...] | None, int]:
    """The new values of all accounts, and how many different ones their calls have. Those that are
    new are not known where there were too many before, or no account records them.
    """
    new: list[NewValue] = []
    seen: set[str] = set()
    is_full = False
    for calls, history in compared:
        values = set(distinct) if distinct is not None else kind.distinct(calls)
        values.discard("")
        # One person may use several accounts.
        seen = seen | values if seen else values
        if unseen := history.unseen(kind.name, values):
            is_full = is_full or history.is_full(kind.name)
            new += _new_values(calls, kind, unseen)
    is_known = not is_full and (len(seen) > 0 or not compared)
    return (tuple(new) if is_known else None), len(seen)


def _new_values(calls: Sequence[ApiCall], kind: Kind, unseen: Collection[str]) -> list[NewValue]:
    """The new values of an account, the most frequent first. Calls of the bot itself are not new."""
    by_value = defaultdict[str, list[ApiCall]](list)
    for call in calls:
        if (value := getattr(call, kind.name)) in unseen and not call.own:
            by_value[value].append(call)
    found = [_new_value(name, kind, made) for name, made in by_value.items()]
    return sorted(found, key=lambda value: (-value.calls, value.name))


def _new_value(name: str, kind: Kind, calls: Sequence[ApiCall]) -> NewValue:
    timed = [call for call in calls if call.at]
    first = min(timed, key=attrgetter("at")) if timed else calls[0]
    failures = [call.outcome for call in calls].count(Outcome.FAILURE)
    by = first.ip if kind.name == "actor" else first.actor
    return NewValue(first.account, name, len(calls), failures, first.at, by)
