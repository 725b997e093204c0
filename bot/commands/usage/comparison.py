"""Usage of two windows: how much it has changed, and which accounts and logs explain it (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from msgspec import Struct, field

from bot.questions.windows.alignment import Comparison
from providers.models import DayRange, LogUsage

Gap = tuple[str, date]


class ComparedUsage(Struct, frozen=True):
    """What was fetched of one account: the bytes of the days of both windows, and of their logs
    where these are known.
    """

    account: str
    current: Mapping[date, int]
    previous: Mapping[date, int]
    current_logs: LogUsage | None = None
    previous_logs: LogUsage | None = None
    log_names: Mapping[str, str] = field(default_factory=dict)
    organisation: str | None = None


class Contribution(Struct, frozen=True):
    """The bytes of an account or a log in both windows. `change` is the difference in what is
    compared, totals or averages; `share` its part of the whole change in percent.
    """

    name: str
    current: int
    previous: int
    change: float
    share: float | None


class UsageComparison(Struct, frozen=True):
    """The numbers of a comparison. None means unknown: where a day of either window has no data,
    nothing is compared.
    """

    comparison: Comparison
    accounts: tuple[str, ...]
    missing: tuple[str, ...]
    today: date
    current: Mapping[date, int | None]
    previous: Mapping[date, int | None]
    gaps: tuple[Gap, ...]
    bytes: int | None
    before_bytes: int | None
    change: float | None
    change_percent: float | None
    by_account: tuple[Contribution, ...]
    by_log: tuple[Contribution, ...]
    organisation: str | None = None

    @property
    def unit(self) -> str:
        return self.comparison.unit

    @property
    def is_comparable(self) -> bool:
        return self.change is not None

    @property
    def mean(self) -> float | None:
        """The average per day of the current window, without days that have no data."""
        return _mean(self.current)

    @property
    def before_mean(self) -> float | None:
        return _mean(self.previous)

    def values(self) -> dict[str, Any]:
        """The named numbers of the answer; what is unknown is absent."""
        found = {
            "bytes": self.bytes,
            "days": len(self.current),
            "days_missing": _missing(self.current),
            "mean_bytes_per_day": self.mean,
            "before_bytes": self.before_bytes,
            "before_days": len(self.previous),
            "before_days_missing": _missing(self.previous),
            "before_mean_bytes_per_day": self.before_mean,
            "change_bytes": None if self.unit or self.change is None else round(self.change),
            "change_percent": self.change_percent,
            "complete": not self.missing if len(self.accounts) + len(self.missing) > 1 else None,
        }
        return {name: value for name, value in found.items() if value is not None}


def compared_usage(
    accounts: Sequence[ComparedUsage],
    comparison: Comparison,
    *,
    today: date,
    missing: Sequence[str] = (),
) -> UsageComparison:
    """The comparison of the accounts that have answered."""
    days = comparison.current.window.days
    before = comparison.previous.window.days
    gaps = tuple(_gaps(accounts, days, before))
    current = _summed([each.current for each in accounts], days)
    previous = _summed([each.previous for each in accounts], before)
    total = _listed(current)
    total_before = _listed(previous)
    change: float | None = None
    percent: float | None = None
    # A missing day is not zero: any difference would be that of the gap.
    if not (gaps or comparison.obstacle) and total is not None and total_before is not None:
        change = _change(total, total_before, comparison)
        base = total_before / _units(comparison, before)
        percent = 100 * change / base if base else None
    return UsageComparison(
        comparison,
        tuple(each.account for each in accounts),
        tuple(missing),
        today,
        current,
        previous,
        gaps,
        total,
        total_before,
        change,
        percent,
        by_account=_by_account(accounts, comparison, change) if len(accounts) > 1 else (),
        by_log=_by_log(accounts, comparison, change),
        organisation=accounts[0].organisation if len(accounts) == 1 else None,
    )


def compared_values(
    accounts: Sequence[ComparedUsage], report: UsageComparison, each: str = ""
) -> dict[str, Any]:
    """The values of the comparison, and with `each` those of every account or log by itself
    (`by_account` …).
    """
    values = report.values()
    if each == "account":
        values["by_account"] = {
            account.account: compared_usage(
                [account], report.comparison, today=report.today
            ).values()
            for account in accounts
        }
    if each == "log":
        values["by_log"] = {log.name: _values_of_log(log, report) for log in report.by_log}
    return values


def _values_of_log(log: Contribution, report: UsageComparison) -> dict[str, float]:
    """A log of which nothing is listed has sent nothing, so only the days can be unknown."""
    values: dict[str, float] = {"bytes": log.current, "before_bytes": log.previous}
    if report.is_comparable and not report.unit:
        values["change_bytes"] = log.current - log.previous
    if report.is_comparable and log.previous:
        base = log.previous / _units(report.comparison, report.comparison.previous.window.days)
        values["change_percent"] = 100 * log.change / base
    return values


def _gaps(accounts: Sequence[ComparedUsage], days: DayRange, before: DayRange) -> Iterable[Gap]:
    """The days of either window that an account does not list."""
    for each in accounts:
        yield from ((each.account, day) for day in days.each() if day not in each.current)
        yield from ((each.account, day) for day in before.each() if day not in each.previous)


def _summed(periods: Sequence[Mapping[date, int]], days: DayRange) -> dict[date, int | None]:
    """The bytes of each day over all accounts; None for a day that nobody lists."""
    found: dict[date, int | None] = {}
    for day in days.each():
        listed = [period[day] for period in periods if day in period]
        found[day] = sum(listed) if listed else None
    return found


def _listed(by_day: Mapping[date, int | None]) -> int | None:
    listed = [usage for usage in by_day.values() if usage is not None]
    return sum(listed) if listed else None


def _missing(by_day: Mapping[date, int | None]) -> int:
    return sum(usage is None for usage in by_day.values())


def _mean(by_day: Mapping[date, int | None]) -> float | None:
    listed = [usage for usage in by_day.values() if usage is not None]
    return sum(listed) / len(listed) if listed else None


def _units(comparison: Comparison, days: DayRange) -> int:
    """How many days are averaged over; 1 where totals are compared."""
    return len(days) if comparison.unit else 1


def _change(current: int, previous: int, comparison: Comparison) -> float:
    after = current / _units(comparison, comparison.current.window.days)
    return after - previous / _units(comparison, comparison.previous.window.days)


def _by_account(
    accounts: Sequence[ComparedUsage], comparison: Comparison, change: float | None
) -> tuple[Contribution, ...]:
    totals = {
        each.account: (sum(each.current.values()), sum(each.previous.values())) for each in accounts
    }
    return _contributions(totals, comparison, change)


def _by_log(
    accounts: Sequence[ComparedUsage], comparison: Comparison, change: float | None
) -> tuple[Contribution, ...]:
    """The logs of all accounts that list them for both windows."""
    totals: dict[str, tuple[int, int]] = {}
    for each in accounts:
        # With the logs of one window alone, each would seem to have begun or ended.
        if each.current_logs is None or each.previous_logs is None:
            continue
        after = _total_by_log(each.current_logs, comparison.current.window.days)
        before = _total_by_log(each.previous_logs, comparison.previous.window.days)
        for key in {**after, **before}:
            name = each.log_names.get(key, key)
            if len(accounts) > 1:
                name = f"{name} ({each.account})"
            # Two logs of one account may have the same name.
            if name in totals:
                name = f"{name} {key}"
            totals[name] = (after.get(key, 0), before.get(key, 0))
    return _contributions(totals, comparison, change)


def _total_by_log(usage: LogUsage, days: DayRange) -> dict[str, int]:
    totals: dict[str, int] = {}
    for day, logs in usage.by_day.items():
        if day in days:
            for key, count in logs.items():
                totals[key] = totals.get(key, 0) + count
    return totals


def _contributions(
    totals: Mapping[str, tuple[int, int]], comparison: Comparison, whole: float | None
) -> tuple[Contribution, ...]:
    """The largest changes first."""
    found = [
        (name, current, previous, _change(current, previous, comparison))
        for name, (current, previous) in totals.items()
    ]
    found.sort(key=lambda each: (-abs(each[3]), each[0]))
    return tuple(
        Contribution(name, current, previous, change, 100 * change / whole if whole else None)
        for name, current, previous, change in found
    )
