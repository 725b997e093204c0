"""Answers a usage question about two windows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import MappingProxyType

from msgspec import Struct

from bot.answer import Answer, Progress
from bot.commands.answering import AnswerContext, or_error
from bot.commands.comparison_buttons import comparison_buttons
from bot.commands.usage.comparison import ComparedUsage, UsageComparison, compared_usage
from bot.commands.usage.comparison_blocks import (
    comparison_blocks,
    comparison_text,
    is_comparison_shortened,
)
from bot.commands.usage.fetch import UsageFetcher, log_names, nothing, split_errors, usage_of
from bot.commands.usage.question import UsageQuestion
from bot.commands.usage.sheet import comparison_sheet
from bot.questions.windows.alignment import Comparison
from providers.errors import ProviderError
from providers.models import LogUsage

# Of the logs 7 or 30 days come in one request; this many days of both windows are a quarter and the
# one before, of which 27 requests are spent without being asked for.
MOST_DAYS_BY_LOG = 184
# What the first window is compared with next, by the label of a button.
OTHER_WINDOWS = MappingProxyType(
    {
        "vs. previous": "previous",
        "vs. a week earlier": "a week ago",
        "vs. a year earlier": "a year ago",
    }
)


class Compared(Struct, frozen=True):
    """A comparison, the data of each account, and what is missing in words."""

    report: UsageComparison
    accounts: Sequence[ComparedUsage]
    failed: list[ProviderError]
    warnings: tuple[str, ...]


async def answer_comparison(
    question: UsageQuestion, fetcher: UsageFetcher, asking: AnswerContext
) -> Answer:
    """The change first, both totals, and what explains it."""
    is_long = _days_of(question.comparison) > MOST_DAYS_BY_LOG
    with_logs = question.per_log or not is_long
    found = await fetch_comparison(question, fetcher, asking.progress, with_logs=with_logs)
    report = found.report
    notes = found.warnings
    if not with_logs:
        notes = (*notes, "Add `per log` to see which logs explain the change.")
    missing = tuple(
        f"{error.account} is missing from this comparison: {error.message} The totals are without "
        "it."
        for error in found.failed
    )
    needs_file = question.csv or is_comparison_shortened(report, question.by)
    files = (
        [comparison_sheet(report, found.accounts, question, asking.folder())] if needs_file else []
    )
    return Answer(
        text=comparison_text(report, by=question.by, missing=missing, warnings=notes),
        blocks=comparison_blocks(
            report,
            by=question.by,
            buttons=_next_questions(question),
            missing=missing,
            warnings=notes,
        ),
        values=report.values(),
        files=files,
        warnings=(*missing, *found.warnings),
        window=question.window,
    )


def _days_of(comparison: Comparison | None) -> int:
    """The days of both windows."""
    assert comparison is not None
    return len(comparison.current.window.days) + len(comparison.previous.window.days)


async def fetch_comparison(
    question: UsageQuestion, fetcher: UsageFetcher, progress: Progress, *, with_logs: bool
) -> Compared:
    """The comparison of the accounts that answer. Raises if none does."""
    comparison = question.comparison
    assert comparison is not None
    fetched = await asyncio.gather(
        *(
            or_error(_account(account, comparison, fetcher, progress, with_logs=with_logs))
            for account in question.accounts
        )
    )
    answered, failed = split_errors(fetched)
    accounts = [account for account, _ in answered]
    report = compared_usage(
        accounts,
        comparison,
        today=fetcher.today,
        missing=[error.account for error in failed],
    )
    return Compared(
        report, accounts, failed, tuple(note for _, notes in answered for note in notes)
    )


async def _account(
    account: str,
    comparison: Comparison,
    fetcher: UsageFetcher,
    progress: Progress,
    *,
    with_logs: bool,
) -> tuple[ComparedUsage, list[str]]:
    """The data of one account, and what is missing in words. Without its logs nothing explains the
    change, but the totals are known.
    """
    source = fetcher.sources[account]
    days = comparison.current.window.days
    before = comparison.previous.window.days
    # All at once: a comparison takes as long as one of its four requests.
    current, previous, logs, logs_before = await asyncio.gather(
        usage_of(source, days, f"{account}, {comparison.current.label}", progress),
        usage_of(source, before, f"{account}, {comparison.previous.label}", progress),
        or_error(source.usage_by_log(days)) if with_logs else nothing(),
        or_error(source.usage_by_log(before)) if with_logs else nothing(),
    )
    found = (logs, logs_before)
    unknown = [error.message for error in found if isinstance(error, ProviderError)]
    notes = [f"Usage by log in {account} is unavailable: {unknown[0]}"] if unknown else []
    by_log = [each if isinstance(each, LogUsage) else None for each in found]
    names, unnamed = await log_names(source) if any(by_log) else ({}, "")
    return (
        ComparedUsage(
            account,
            # A vendor may list more days than it was asked for.
            {day: usage for day, usage in current.by_day.items() if day in days},
            {day: usage for day, usage in previous.by_day.items() if day in before},
            by_log[0],
            by_log[1],
            names,
            current.organisation,
        ),
        [*notes, *([unnamed] if unnamed else [])],
    )


def _next_questions(question: UsageQuestion) -> list[tuple[str, str]]:
    """Follow-up questions for the reader."""
    instead = question.comparison.instead if question.comparison else ""
    if instead:
        # The first window cannot be compared with any other.
        buttons = [(f"{instead[:1].upper()}{instead[1:]}", question.over(instead))]
    else:
        buttons = comparison_buttons(question, OTHER_WINDOWS)
    if not question.csv:
        buttons.append(("CSV", question.also("csv")))
    return buttons
