"""Usage answers of the past, for the backtest of an alert: every day as it was when the day was
over. The values at noon are not stored anywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from bot.alerts.backtest import EvaluationPoint
from bot.alerts.replay import Replay, ReplayRequest, days_apart, point_at
from bot.commands.usage.comparison import ComparedUsage, compared_usage, compared_values
from bot.commands.usage.fetch import UsageFetcher, log_names
from bot.commands.usage.forecast import HISTORY
from bot.commands.usage.question import UsageQuestion
from bot.commands.usage.report import UsageFacts
from bot.commands.usage.total import total_of
from bot.questions.windows.alignment import Comparison
from providers.models import DayRange, LogUsage, UsagePeriod

WHOLE_DAYS = "History is checked once a day, on whole days: values during a day are not available."
BEGINS_BELOW = (
    "Each day starts at zero, so this alert also fires after midnight until the value is high "
    "enough; that is not shown."
)
# The data behind these does not start again each day.
_OF_THE_MONTH = frozenset({"month_to_date_bytes", "forecast_month_bytes", "quota_percent"})
# Those of a question about two windows; its other values are those of the first window alone.
COMPARED_VALUES = frozenset(
    {
        *("bytes", "days", "days_missing", "mean_bytes_per_day"),
        *("before_bytes", "change_bytes", "change_percent"),
    }
)


class _History(Struct, frozen=True):
    """What is known of one account over the whole time."""

    account: str
    usage: UsagePeriod
    by_log: LogUsage | None
    log_names: Mapping[str, str]
    quota: int | None


async def replay_usage(span: ReplayRequest[UsageQuestion], fetcher: UsageFetcher) -> Replay:
    """The answer of every day of the time. Raises if an account cannot be asked."""
    days = days_apart(span)
    questions = {day: _asked_on(span, day) for day in days}
    known = DayRange(_first_day(span, questions), span.end.astimezone(UTC).date())
    accounts = questions[days[-1]].accounts
    histories = await asyncio.gather(*(_history(each, known, span, fetcher) for each in accounts))

    def points() -> list[EvaluationPoint]:
        found = []
        for day, question in questions.items():
            values = _values_on(day, question, span, histories)
            alone = _is_today(question, day) and span.rule.value not in _OF_THE_MONTH
            found.append(point_at(span, day, values, timedelta(days=1), alone=alone))
        return found

    # Months of days are computed beside the event loop.
    found = await asyncio.to_thread(points)
    begins_below = span.rule.below is not None and any(point.alone for point in found)
    return Replay(found, (WHOLE_DAYS, BEGINS_BELOW) if begins_below else (WHOLE_DAYS,))


async def _history(
    account: str, known: DayRange, span: ReplayRequest[UsageQuestion], fetcher: UsageFetcher
) -> _History:
    source = fetcher.sources[account]
    by_log = await source.usage_by_log(known) if span.rule.each == "log" else None
    names = (await log_names(source))[0] if by_log else {}
    usage = await source.usage(known)
    return _History(account, usage, by_log, names, fetcher.quotas.get(account))


def _asked_on(span: ReplayRequest[UsageQuestion], day: datetime) -> UsageQuestion:
    """The question at the end of a day, or now."""
    return span.read_at(min(day + timedelta(days=1) - timedelta(seconds=1), span.end))


def _first_day(
    span: ReplayRequest[UsageQuestion], questions: Mapping[datetime, UsageQuestion]
) -> date:
    """The first day of which something is needed."""
    first = min(_days(question).before().first for question in questions.values())
    for question in questions.values():
        if question.comparison:
            first = min(first, question.comparison.previous.window.days.first)
    # The forecast of the first day looks back as far as one of today.
    if span.rule.value == "forecast_month_bytes":
        first = min(first, next(iter(questions)).date() - HISTORY - timedelta(days=31))
    return first


def _days(question: UsageQuestion) -> DayRange:
    """The days of the first window as they were named."""
    first = question.comparison.first if question.comparison else question.window
    return first.window.days


def _is_today(question: UsageQuestion, day: datetime) -> bool:
    """Whether the question always covers the current day alone, whose value grows and starts again
    at midnight.
    """
    days = _days(question)
    return days.first == days.last == day.date()


def _values_on(
    day: datetime,
    question: UsageQuestion,
    span: ReplayRequest[UsageQuestion],
    histories: Sequence[_History],
) -> Mapping[str, Any]:
    """The values that the answer had on a day. Of a comparison, the day itself is not over."""
    if question.comparison and span.rule.value in COMPARED_VALUES:
        return _compared_on(day.date(), question.comparison, histories, span.rule.each)
    days = _days(question)
    facts = []
    for history in histories:
        # Later days were not known then.
        so_far = _until(history.usage, day)
        shown = _within(history.usage, days)
        facts.append(
            UsageFacts(
                history.account,
                days,
                shown,
                day.date(),
                so_far,
                so_far,
                history.by_log,
                history.log_names,
                history.quota,
            )
        )
    return total_of(facts).values(span.rule.each)


def _compared_on(
    day: date, comparison: Comparison, histories: Sequence[_History], each: str
) -> Mapping[str, Any]:
    accounts = [
        ComparedUsage(
            history.account,
            _within(history.usage, comparison.current.window.days).by_day,
            _within(history.usage, comparison.previous.window.days).by_day,
            history.by_log,
            history.by_log,
            history.log_names,
        )
        for history in histories
    ]
    report = compared_usage(accounts, comparison, today=day)
    return compared_values(accounts, report, each)


def _within(history: UsagePeriod, days: DayRange) -> UsagePeriod:
    """The data of some of the days. The vendor's own total covers all requested days, so it is
    dropped.
    """
    return replace(
        history,
        by_day={d: usage for d, usage in history.by_day.items() if d in days},
        reported_bytes=None,
    )


def _until(history: UsagePeriod, day: datetime) -> UsagePeriod:
    return replace(
        history, by_day={d: usage for d, usage in history.by_day.items() if d <= day.date()}
    )
