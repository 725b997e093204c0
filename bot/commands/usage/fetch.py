"""What a usage answer fetches of each account, and no more than its values need."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date
from typing import TypeVar

from msgspec import Struct

from bot import formatting
from bot.answer import Progress, Step
from bot.commands.answering import Clock, or_error
from bot.commands.usage.forecast import HISTORY
from bot.commands.usage.question import UsageQuestion
from bot.commands.usage.report import UsageFacts
from providers.errors import ProviderError, combined
from providers.models import DayRange, UsagePeriod
from providers.sources import UsageSource

# Which values need more than the days of the window; without a name all are computed.
NEED_BEFORE = frozenset({"", "change_percent", "forecast_month_bytes"})
NEED_MONTH = frozenset({"", "month_to_date_bytes", "forecast_month_bytes", "quota_percent"})

F = TypeVar("F")


class Fetched(Struct, frozen=True):
    """The facts of the accounts that answered, the errors of the others, and what is missing in
    words.
    """

    facts: Sequence[UsageFacts]
    failed: list[ProviderError]
    warnings: tuple[str, ...]


class UsageFetcher(Struct, frozen=True):
    sources: Mapping[str, UsageSource]
    quotas: Mapping[str, int | None]
    clock: Clock

    @property
    def today(self) -> date:
        # The pages name no zone for the days of usage; UTC is assumed, and shown with the answer.
        return self.clock().astimezone(UTC).date()

    async def facts(
        self, question: UsageQuestion, progress: Progress, *, value: str = "", each: str = ""
    ) -> Fetched:
        """The data of the answer, or of the one value. Raises if no account answers."""
        found = await asyncio.gather(
            *(
                or_error(self._facts_of(account, question, value, each, progress))
                for account in question.accounts
            )
        )
        answered, failed = split_errors(found)
        facts = [facts for facts, _ in answered]
        return Fetched(facts, failed, tuple(note for _, notes in answered for note in notes))

    async def _facts_of(
        self, account: str, question: UsageQuestion, value: str, each: str, progress: Progress
    ) -> tuple[UsageFacts, list[str]]:
        """The facts of one account. Data around the window (before, month, names) may be
        unavailable, and is then reported as missing.
        """
        # An alert may read a value of the first window alone.
        first = question.comparison.first if question.comparison else question.window
        days = first.window.days
        source = self.sources[account]
        today = self.today
        period, before, month, by_log = await asyncio.gather(
            usage_of(source, days, account, progress),
            # Around the answer: where one of these fails, the answer is still worth having.
            or_error(source.usage(days.before())) if value in NEED_BEFORE else nothing(),
            or_error(source.usage(_month(today, value))) if value in NEED_MONTH else nothing(),
            # Asked for by name, so that without it there is no answer.
            source.usage_by_log(days) if question.per_log or each == "log" else nothing(),
        )
        # Only then: a list of logs is a request of its own, and counts against the limit.
        names, unnamed = await log_names(source) if by_log else ({}, "")
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
        return facts, warnings + ([unnamed] if unnamed else [])


async def usage_of(
    source: UsageSource, days: DayRange, part: str, progress: Progress
) -> UsagePeriod:
    """The usage of an account on these days; reports progress of this part of the work."""
    progress.step(Step(part, "in_progress"))
    try:
        period = await source.usage(days)
    except ProviderError as error:
        progress.step(Step(part, "error", error.message, error.message))
        raise
    listed = [usage for day, usage in period.by_day.items() if day in days]
    size = formatting.format_bytes(sum(listed)) if listed else "no data"
    progress.step(Step(part, "complete", size, size))
    return period


def split_errors(found: Sequence[F | ProviderError]) -> tuple[list[F], list[ProviderError]]:
    """What the accounts have answered, and the errors of those that have not. Raises if there are
    errors alone.
    """
    failed = [each for each in found if isinstance(each, ProviderError)]
    if len(failed) == len(found):
        raise combined(failed)
    return [each for each in found if not isinstance(each, ProviderError)], failed


async def nothing() -> None:
    return None


async def log_names(source: UsageSource) -> tuple[dict[str, str], str]:
    """The logs' names by id, and a sentence if they are unavailable."""
    try:
        return {log.id: log.name for log in await source.named_logs()}, ""
    except ProviderError as error:
        return {}, f"The logs are shown by ID: {error.message}"


def _month(today: date, value: str) -> DayRange:
    """The month to date, and the earlier days that a forecast uses."""
    first = today.replace(day=1)
    return DayRange(first - HISTORY if value in ("", "forecast_month_bytes") else first, today)
