"""Several accounts in one report: their total, and each of them by itself (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from bot.commands.usage.report import UsageFacts, UsageReport, usage_report
from bot.formatting import join_words
from providers.models import LogUsage, UsagePeriod


class UsageTotal(Struct, frozen=True):
    """The report over all accounts that answered, and those of each where there are several.
    `missing` are the accounts that did not answer, without which the total is.
    """

    report: UsageReport
    accounts: tuple[UsageReport, ...] = ()
    missing: tuple[str, ...] = ()

    def values(self, each: str = "") -> dict[str, Any]:
        """The values of the report. Of several accounts `by_account` has those of each, and
        `complete` says whether all have answered.
        """
        values = self.report.values()
        if self.accounts:
            values["complete"] = not self.missing
        if self.accounts or each == "account":
            reports = self.accounts or (self.report,)
            values["by_account"] = {report.account: report.values() for report in reports}
        return values | (self.report.values_by_log() if each == "log" else {})


def total_of(facts: Sequence[UsageFacts], missing: Sequence[str] = ()) -> UsageTotal:
    """The total of the accounts. A day that one of them does not list counts in the sum with what
    is listed, and in nothing that is compared with other days.
    """
    reports = tuple(usage_report(each) for each in facts)
    # One account of its own has no total beside it.
    if len(facts) == 1 and not missing:
        return UsageTotal(reports[0])
    if len(facts) == 1:
        return UsageTotal(reports[0], reports, tuple(missing))
    days = facts[0].days.each()
    unlisted = tuple(day for day in days if any(report.by_day[day] is None for report in reports))
    report = usage_report(_merged(facts))
    month = _sum_if_known([each.month_to_date_bytes for each in reports])
    quota = report.monthly_quota
    return UsageTotal(
        replace(
            report,
            # What is listed counts, also on days that another account does not list.
            bytes=_sum_of_known([each.bytes for each in reports]),
            missing=unlisted,
            month_to_date_bytes=month,
            quota_percent=100 * month / quota if quota and month is not None else None,
            month_missing=max(each.month_missing for each in reports),
        ),
        reports,
        tuple(missing),
    )


def _merged(facts: Sequence[UsageFacts]) -> UsageFacts:
    """The facts as those of one account, of the days that all accounts list."""
    first = facts[0]
    quotas = [each.monthly_quota for each in facts]
    periods = [each.period for each in facts]
    return replace(
        first,
        account=join_words([each.account for each in facts], len(facts)),
        period=_merged_period(periods),
        before=_merged_if_known([each.before for each in facts]),
        month=_merged_if_known([each.month for each in facts]),
        by_log=_merged_logs(facts),
        log_names={
            f"{each.account}/{key}": f"{name} ({each.account})"
            for each in facts
            for key, name in _names_of(each).items()
        },
        monthly_quota=_sum_if_known(quotas),
    )


def _merged_if_known(periods: Sequence[UsagePeriod | None]) -> UsagePeriod | None:
    known = [period for period in periods if period is not None]
    return _merged_period(known) if len(known) == len(periods) else None


def _merged_period(periods: Sequence[UsagePeriod]) -> UsagePeriod:
    # A day that one account does not list would be too low in the sum.
    listed = set.intersection(*(set(period.by_day) for period in periods))
    reported = {(period.reported_from, period.reported_to) for period in periods}
    total = _sum_if_known([period.reported_bytes for period in periods])
    return replace(
        periods[0],
        by_day={day: sum(period.by_day[day] for period in periods) for day in sorted(listed)},
        # Totals of different periods do not add up.
        reported_bytes=total if len(reported) == 1 else None,
        organisation=None,
        organisation_id=None,
    )


def _merged_logs(facts: Sequence[UsageFacts]) -> LogUsage | None:
    """The logs of all accounts, each under the name of its account and its id."""
    if any(each.by_log is None for each in facts):
        return None
    by_day: dict[date, dict[str, int]] = {}
    for each in facts:
        assert each.by_log is not None
        for day, logs in each.by_log.by_day.items():
            of_day = by_day.setdefault(day, {})
            # Two accounts may have logs with the same id.
            of_day |= {f"{each.account}/{key}": usage for key, usage in logs.items()}
    return LogUsage(by_day)


def _names_of(facts: UsageFacts) -> Mapping[str, str]:
    """The name of each log that has data; its id where it has no name."""
    by_day = facts.by_log.by_day if facts.by_log else {}
    keys = {key for logs in by_day.values() for key in logs}
    return {key: facts.log_names.get(key, key) for key in sorted(keys)}


def _sum_if_known(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _sum_of_known(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
