"""`/usage`: how much log data an account sends."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.alerts.backtest import EvaluationPoint
from bot.alerts.replay import Replay, ReplayRequest, days_apart, point_at
from bot.answer import Answer, AnswerFile, Measurement
from bot.commands.answering import AnswerContext, Clock, MeasureContext, or_error
from bot.commands.usage.blocks import is_shortened, usage_blocks, usage_text
from bot.commands.usage.forecast import HISTORY
from bot.commands.usage.question import UsageQuestion
from bot.commands.usage.report import UsageFacts, UsageReport, usage_report
from bot.reports.sheets import csv_bytes
from providers.errors import ProviderError
from providers.models import DayRange, UsagePeriod
from providers.sources import UsageSource


@dataclass(frozen=True, slots=True)
class UsageAnswerer:
    sources: Mapping[str, UsageSource]
    quotas: Mapping[str, int | None]
    clock: Clock

    async def answer(self, question: UsageQuestion, asking: AnswerContext) -> Answer:
        """The usage answer. Data around the window (before, month, names) may be unavailable, and
        is then reported as missing.
        """
        facts, warnings = await self._facts(question)
        report = usage_report(facts)
        files = (
            [_sheet(report, question, asking.folder())]
            if question.csv or is_shortened(report, question.by)
            else []
        )
        return Answer(
            text=usage_text(report, question.window, by=question.by, warnings=warnings),
            blocks=usage_blocks(
                report,
                question.window,
                by=question.by,
                buttons=_next_questions(question),
                warnings=warnings,
            ),
            values=report.values(),
            files=files,
            warnings=warnings,
            window=question.window,
        )

    async def measure(self, question: UsageQuestion, context: MeasureContext) -> Measurement:
        """The values of the answer; what the wanted one does not need is not fetched."""
        facts, _ = await self._facts(question, value=context.value, each=context.each)
        return Measurement(_values(facts, context.each), question.window)

    async def replay(self, span: ReplayRequest[UsageQuestion]) -> Replay:
        """The usage answer of every day as it was when the day was over. How a day looked at noon
        is not stored anywhere.
        """
        account = span.read_at(span.end).accounts[0]
        days = days_apart(span)
        ranges = {day: _days_at(span, day) for day in days}
        first = min(each.before().first for each in ranges.values())
        if span.rule.value == "forecast_month_bytes":
            first = min(first, days[0].date() - HISTORY - timedelta(days=31))
        known = DayRange(first, span.end.astimezone(UTC).date())
        source = self.sources[account]
        by_log = await source.usage_by_log(known) if span.rule.each else None
        names = (await _names(source))[0] if by_log else {}
        history = await source.usage(known)

        def points() -> list[EvaluationPoint]:
            found = []
            for day, shown in ranges.items():
                so_far = _until(history, day)
                facts = UsageFacts(
                    account,
                    shown,
                    _within(history, shown),
                    day.date(),
                    so_far,
                    so_far,
                    by_log,
                    names,
                    self.quotas.get(account),
                )
                values = _values(facts, span.rule.each)
                alone = _is_today(shown, day) and span.rule.value not in _OF_THE_MONTH
                found.append(point_at(span, day, values, timedelta(days=1), alone=alone))
            return found

        found = await asyncio.to_thread(points)
        begins_below = span.rule.below is not None and any(point.alone for point in found)
        return Replay(found, (WHOLE_DAYS, BEGINS_BELOW) if begins_below else (WHOLE_DAYS,))

    async def _facts(
        self, question: UsageQuestion, *, value: str = "", each: str = ""
    ) -> tuple[UsageFacts, tuple[str, ...]]:
        """The data of the answer, or of the one value, and what is missing in words."""
        account = question.accounts[0]
        days = question.window.window.days
        source = self.sources[account]
        today = self.clock().astimezone(UTC).date()
        period, before, month, by_log = await asyncio.gather(
            source.usage(days),
            or_error(source.usage(days.before())) if value in _NEED_BEFORE else _nothing(),
            or_error(source.usage(_month(today, value))) if value in _NEED_MONTH else _nothing(),
            source.usage_by_log(days) if question.per_log or each == "log" else _nothing(),
        )
        names, unnamed = await _names(source) if by_log else ({}, "")
        missing = [("The previous period", before), ("The month to date", month)]
        warnings = [
            f"{what} of {account} is unknown: {error.message}"
            for what, error in missing
            if isinstance(error, ProviderError)
        ]
        facts = UsageFacts(
            account=account,
            days=days,
            period=period,
            today=today,
            before=before if isinstance(before, UsagePeriod) else None,
            month=month if isinstance(month, UsagePeriod) else None,
            by_log=by_log,
            log_names=names,
            monthly_quota=self.quotas.get(account),
        )
        return facts, tuple(warnings + ([unnamed] if unnamed else []))


def _values(facts: UsageFacts, each: str) -> Mapping[str, Any]:
    """The values of the report, with `each` those of every log, too."""
    report = usage_report(facts)
    return report.values() | (report.values_by_log() if each else {})


WHOLE_DAYS = (
    "History is checked once a day, on whole days: the values in the course of a day are not known."
)
BEGINS_BELOW = (
    "Each day starts at zero, so this alert also fires after midnight until the value is high "
    "enough; that is not shown."
)
# The data behind these does not start again each day.
_OF_THE_MONTH = frozenset({"month_to_date_bytes", "forecast_month_bytes", "quota_percent"})


def _is_today(days: DayRange, day: datetime) -> bool:
    """Whether the question always covers the current day alone, whose value grows and starts again
    at midnight.
    """
    return days.first == days.last == day.date()


def _days_at(span: ReplayRequest[UsageQuestion], day: datetime) -> DayRange:
    """Which days the question named at the end of a day, or now."""
    at = min(day + timedelta(days=1) - timedelta(seconds=1), span.end)
    window = span.read_at(at).window
    assert window is not None
    return window.window.days


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


# Which values need more than the days of the window; without a name all are computed.
_NEED_BEFORE = frozenset({"", "change_percent", "forecast_month_bytes"})
_NEED_MONTH = frozenset({"", "month_to_date_bytes", "forecast_month_bytes", "quota_percent"})


def _month(today: date, value: str) -> DayRange:
    """The month to date, and the earlier days that a forecast uses."""
    first = today.replace(day=1)
    return DayRange(first - HISTORY if value in ("", "forecast_month_bytes") else first, today)


async def _nothing() -> None:
    return None


async def _names(source: UsageSource) -> tuple[dict[str, str], str]:
    """The logs' names by id, and a sentence if they are unavailable."""
    try:
        return {log.id: log.name for log in await source.named_logs()}, ""
    except ProviderError as error:
        return {}, f"The logs are shown by id: {error.message}"


def _next_questions(question: UsageQuestion) -> list[tuple[str, str]]:
    """Follow-up questions for the reader."""
    ways = [("7 days", "last 7 days"), ("30 days", "last 30 days"), ("This month", "this month")]
    buttons = [(label, question.over(window)) for label, window in ways]
    if not question.per_log:
        buttons.append(("By log", question.also("per log")))
    if not question.csv:
        buttons.append(("CSV", question.also("csv")))
    return buttons


def _sheet(report: UsageReport, question: UsageQuestion, folder: Path) -> AnswerFile:
    """`day,bytes`, or `day,log,bytes`; a missing day is a row with empty bytes."""
    name = f"usage-{report.account}-{report.days.first:%Y%m%d}-{report.days.last:%Y%m%d}.csv"
    path = folder / name
    if question.per_log:
        path.write_bytes(csv_bytes(("day", "log", "bytes"), _rows_by_log(report)))
    else:
        path.write_bytes(
            csv_bytes(
                ("day", "bytes"), [(day.isoformat(), usage) for day, usage in report.by_day.items()]
            )
        )
    return AnswerFile(name, path, f"Usage of {report.account}", kind="csv")


def _rows_by_log(report: UsageReport) -> list[tuple[str, str | None, int | None]]:
    rows: list[tuple[str, str | None, int | None]] = []
    for day in report.days.each():
        rows += _rows_of_day(day, report)
    return rows


def _rows_of_day(day: date, report: UsageReport) -> list[tuple[str, str | None, int | None]]:
    logs = report.by_day_and_log.get(day)
    if not logs:
        return [(day.isoformat(), None, None)]
    return [(day.isoformat(), report.log_names.get(key, key), usage) for key, usage in logs.items()]
