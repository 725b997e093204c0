"""Bursts of denied calls: many more of one actor or IP address in an hour than ever before (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from msgspec import Struct

from bot.reports.seen_values import midnight
from providers.models import ApiCall

DENIED = frozenset({"401", "403"})
# A burst has at least so many denied calls in an hour, and more than so many times as many as any
# hour before.
LEAST_DENIED = 10
TIMES_USUAL = 3
# Whose denied calls are counted by the hour.
_KINDS = ("actor", "ip")
_HOUR = timedelta(hours=1)


class Burst(Struct, frozen=True):
    """Many denied calls of one actor or address in an hour, and the most in an hour before."""

    account: str
    kind: str
    name: str
    hour: datetime
    calls: int
    usual: int


def bursts(
    failed: Sequence[ApiCall], most_before: Callable[[str, str], int | None]
) -> Iterator[Burst]:
    """The worst hour of each actor and address of an account with many more denied calls than it had
    in any hour before.
    """
    denied = [(call.at, call) for call in failed if call.status in DENIED and call.at]
    if len(denied) < LEAST_DENIED:
        return
    for kind, counts in denied_by_hour(denied).items():
        worst: dict[str, tuple[int, int]] = {}
        for (hour, name), count in counts.items():
            # Calls without a name are those of many.
            if name and count >= LEAST_DENIED:
                worst[name] = max(worst.get(name, (0, 0)), (count, hour))
        for name, (count, hour) in worst.items():
            usual = most_before(kind, name)
            if usual is not None and count > TIMES_USUAL * usual:
                yield Burst(failed[0].account, kind, name, _hour(hour), count, usual)


def denied_by_hour(
    denied: Sequence[tuple[datetime, ApiCall]],
) -> dict[str, Counter[tuple[int, str]]]:
    """How many of these calls there are, by the hour since the year 1 and the actor or address."""
    hours = [
        (utc := at if at.tzinfo is UTC else at.astimezone(UTC)).toordinal() * 24 + utc.hour
        for at, _ in denied
    ]
    return {
        kind: Counter(zip(hours, [getattr(call, kind) for _, call in denied], strict=True))
        for kind in _KINDS
    }


def _hour(number: int) -> datetime:
    """The start of an hour since the year 1."""
    day, hour = divmod(number, 24)
    return midnight(date.fromordinal(day)) + hour * _HOUR


def denied_kind(name: str) -> str:
    """The kind of the sets that count denied calls by the hour."""
    return f"denied {name}"
