"""Data usage by day: totals, gaps, changes, quota and the month-end forecast."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, TypeAlias

from msgspec import Struct, field

from bot import formatting
from bot.commands.usage.forecast import Forecast, month_forecast
from providers.models import DayRange, LogUsage, UsagePeriod

# First day, last day, bytes, days not listed.
Bucket: TypeAlias = tuple[date, date, int | None, int]
# How many days of a weekday must be known to compare one with the others.
ENOUGH_WEEKDAYS = 4


class UsageFacts(Struct, frozen=True):
    """What was fetched. `before` and `month` are None where they were not asked for or could not be
    had; `month` is the month to date, with as much of the time before it as a forecast needs.
    """

    account: str
    days: DayRange
    period: UsagePeriod
    today: date
    before: UsagePeriod | None = None
    month: UsagePeriod | None = None
    by_log: LogUsage | None = None
    log_names: Mapping[str, str] = field(default_factory=dict)
    monthly_quota: int | None = None


class Comparison(Struct, frozen=True):
    """The whole days of a window against as many earlier ones, which begin on the same weekday."""

    percent: float
    days: DayRange
    before: DayRange


class UsageReport(Struct, frozen=True):
    """The numbers of a usage answer. None means unknown, and a day that nobody listed is None, not
    zero.
    """

    account: str
    organisation: str | None
    organisation_id: str | None
    days: DayRange
    by_day: Mapping[date, int | None]
    today: date
    bytes: int | None
    reported_bytes: int | None
    reported_period: tuple[date, date] | None
    missing: tuple[date, ...]
    mean_bytes_per_day: float | None
    peak_bytes: int | None
    peak_day: date | None
    change_percent: float | None
    month_to_date_bytes: int | None
    forecast: Forecast | None
    monthly_quota: int | None
    quota_percent: float | None
    by_log: tuple[tuple[str, str, int], ...]
    by_day_and_log: Mapping[date, Mapping[str, int]]
    log_names: Mapping[str, str]
    vendor: str
    lag: str
    usual_peak: tuple[int, ...] = ()
    like_with_like: Comparison | None = None
    month_missing: int = 0

    @property
    def forecast_month_bytes(self) -> int | None:
        return self.forecast.bytes if self.forecast else None

    @property
    def partial_today(self) -> bool:
        return self.today in self.days

    def values(self) -> dict[str, Any]:
        """The named numbers of the answer; what is unknown is absent."""
        found = {
            "bytes": self.bytes,
            "reported_bytes": self.reported_bytes,
            "days": len(self.days),
            "days_missing": len(self.missing),
            "mean_bytes_per_day": self.mean_bytes_per_day,
            "peak_bytes": self.peak_bytes,
            "peak_day": self.peak_day.isoformat() if self.peak_day else None,
            "change_percent": self.change_percent,
            "month_to_date_bytes": self.month_to_date_bytes,
            "forecast_month_bytes": self.forecast_month_bytes,
            "forecast_spread_bytes": self.forecast.spread if self.forecast else None,
            "forecast_error_percent": self.forecast.error_percent if self.forecast else None,
            "quota_percent": self.quota_percent,
        }
        return {name: value for name, value in found.items() if value is not None}

    def values_by_log(self) -> dict[str, Any]:
        """The bytes of each log by itself, by its name; two logs of one name are listed by
        id.
        """
        names = Counter(name for _, name, _ in self.by_log)
        return {
            "by_log": {
                name if names[name] == 1 else key: {"bytes": usage}
                for key, name, usage in self.by_log
            }
        }

    def findings(self) -> list[str]:
        """Notable facts, the most important first."""
        return [
            finding
            for finding in (self._unusual_peak(), self._over_quota(), self._list_differs())
            if finding
        ]

    def _unusual_peak(self) -> str | None:
        whole = [
            usage for day, usage in self.by_day.items() if usage is not None and day != self.today
        ]
        # Of three days each is far from the median of the others.
        if len(whole) < 4 or self.peak_day is None or self.peak_bytes is None:
            return None
        median = statistics.median(whole)
        day = "day"
        if len(self.usual_peak) >= ENOUGH_WEEKDAYS:
            median = statistics.median(self.usual_peak)
            day = f"{self.peak_day:%A}"
        # Days that differ by less are ordinary.
        if median <= 0 or self.peak_bytes < 1.5 * median:
            return None
        return (
            f"{formatting.format_day(self.peak_day, self.today)} was "
            f"{self.peak_bytes / median:.1f} × the median {day} "
            f"({formatting.format_bytes(median)})."
        )

    def _over_quota(self) -> str | None:
        if (
            not self.monthly_quota
            or not self.forecast_month_bytes
            or self.forecast_month_bytes <= self.monthly_quota
        ):
            return None
        over = self.forecast_month_bytes - self.monthly_quota
        return (
            f"The month-end forecast is {formatting.format_bytes(over)} over the quota of "
            f"{formatting.format_bytes(self.monthly_quota)}."
        )

    def _list_differs(self) -> str | None:
        if self.bytes is None or self.reported_bytes is None or self.bytes == self.reported_bytes:
            return None
        return (
            f"{self.vendor} reports a total of {formatting.format_bytes(self.reported_bytes)} for "
            f"{self._reported_days()}; the days it lists add up to "
            f"{formatting.format_bytes(self.bytes)}."
        )

    def _reported_days(self) -> str:
        """The period of the reported total, with its dates where they are not those of the window."""
        if self.reported_period in (None, (self.days.first, self.days.last)):
            return "the period"
        assert self.reported_period is not None
        first, last = (formatting.format_day(day, self.today) for day in self.reported_period)
        return f"{first} to {last}"


def usage_report(facts: UsageFacts) -> UsageReport:
    """The report of the facts."""
    by_day = {day: facts.period.by_day.get(day) for day in facts.days.each()}
    listed = {day: usage for day, usage in by_day.items() if usage is not None}
    total = sum(listed.values()) if listed else None
    peak_day = max(listed, key=lambda day: (listed[day], day), default=None)
    known = _known(facts)
    month_days = _month(facts)
    month_to_date = sum(month_days.values()) if month_days else None
    quota = facts.monthly_quota
    shown_logs = (
        {day: logs for day, logs in facts.by_log.by_day.items() if day in facts.days}
        if facts.by_log
        else {}
    )
    return UsageReport(
        account=facts.account,
        organisation=facts.period.organisation,
        organisation_id=facts.period.organisation_id,
        days=facts.days,
        by_day=by_day,
        today=facts.today,
        bytes=total,
        reported_bytes=facts.period.reported_bytes,
        reported_period=_reported(facts.period),
        missing=tuple(day for day, usage in by_day.items() if usage is None),
        mean_bytes_per_day=total / len(listed) if total is not None else None,
        peak_bytes=listed[peak_day] if peak_day else None,
        peak_day=peak_day,
        change_percent=_change(facts),
        month_to_date_bytes=month_to_date,
        forecast=month_forecast(known, today=facts.today) if facts.month else None,
        monthly_quota=quota,
        quota_percent=100 * month_to_date / quota if quota and month_to_date is not None else None,
        by_log=_total_by_log(shown_logs, facts.log_names),
        by_day_and_log=shown_logs,
        log_names=facts.log_names,
        vendor=facts.period.vendor,
        lag=facts.period.lag,
        usual_peak=_same_weekday(known, peak_day) if peak_day else (),
        like_with_like=_like_with_like(facts, known),
        month_missing=facts.today.day - 1 - sum(day < facts.today for day in month_days)
        if facts.month
        else 0,
    )


def _same_weekday(by_day: Mapping[date, int], day: date) -> tuple[int, ...]:
    """The bytes of the same weekday in the eight weeks before a day."""
    earlier = (day - timedelta(days=7 * n) for n in range(1, 9))
    return tuple(by_day[each] for each in earlier if each in by_day)


def buckets(by_day: Mapping[date, int | None], by: str) -> list[Bucket]:
    """Days grouped by `day`, `week` (from Monday) or `month`: first day, last day, bytes, days not
    listed.
    """
    if by == "day":
        return [(day, day, usage, int(usage is None)) for day, usage in by_day.items()]
    grouped: dict[date, list[date]] = {}
    for day in by_day:
        key = day - timedelta(days=day.weekday()) if by == "week" else day.replace(day=1)
        grouped.setdefault(key, []).append(day)
    out = []
    for days in grouped.values():
        listed = [usage for day in days if (usage := by_day[day]) is not None]
        out.append((days[0], days[-1], sum(listed) if listed else None, len(days) - len(listed)))
    return out


def _whole_days(facts: UsageFacts) -> DayRange | None:
    """The days of the window that are over. Today is not, and is not compared."""
    last = min(facts.days.last, facts.today - timedelta(days=1))
    return DayRange(facts.days.first, last) if last >= facts.days.first else None


def _change(facts: UsageFacts) -> float | None:
    """Against the window of the same length before; unknown where either has gaps. Of a window that
    includes today, only the days that are over are compared, each with the one at the same place in
    the window before.
    """
    whole = _whole_days(facts)
    if facts.before is None or whole is None:
        return None
    return _percent(
        facts.period.by_day, whole, facts.before.by_day, _earlier(whole, len(facts.days))
    )


def _like_with_like(facts: UsageFacts, known: Mapping[date, int]) -> Comparison | None:
    """Compares weekends with weekends: the window before, or the nearest one that begins on the
    same weekday.
    """
    whole = _whole_days(facts)
    if facts.before is None or whole is None:
        return None
    # Whole weeks back, rounded up, so that the windows do not overlap.
    before = _earlier(whole, -(-len(facts.days) // 7) * 7)
    percent = _percent(facts.period.by_day, whole, known, before)
    return None if percent is None else Comparison(percent, whole, before)


def _earlier(days: DayRange, by: int) -> DayRange:
    return DayRange(days.first - timedelta(days=by), days.last - timedelta(days=by))


def _percent(
    now: Mapping[date, int], days: DayRange, then: Mapping[date, int], before: DayRange
) -> float | None:
    later = [now.get(day) for day in days.each()]
    earlier = [then.get(day) for day in before.each()]
    # One unlisted day would look like a fall.
    if None in later or None in earlier:
        return None
    base = sum(usage for usage in earlier if usage)
    return 100 * (sum(usage for usage in later if usage) - base) / base if base else None


def _month(facts: UsageFacts) -> dict[date, int]:
    if facts.month is None:
        return {}
    first = facts.today.replace(day=1)
    return {day: usage for day, usage in facts.month.by_day.items() if first <= day <= facts.today}


def _known(facts: UsageFacts) -> dict[date, int]:
    known: dict[date, int] = {}
    for period in (facts.before, facts.period, facts.month):
        known |= period.by_day if period else {}
    return {day: usage for day, usage in known.items() if day <= facts.today}


def _reported(period: UsagePeriod) -> tuple[date, date] | None:
    return (
        (period.reported_from, period.reported_to)
        if period.reported_from and period.reported_to
        else None
    )


def _total_by_log(
    by_day: Mapping[date, Mapping[str, int]], names: Mapping[str, str]
) -> tuple[tuple[str, str, int], ...]:
    """Id, name and bytes of every log, the largest first."""
    totals: dict[str, int] = {}
    for logs in by_day.values():
        for key, usage in logs.items():
            totals[key] = totals.get(key, 0) + usage
    return tuple(
        (key, names.get(key, key), usage)
        for key, usage in sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    )
