"""Answers an audit question about two windows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from bot import formatting
from bot.answer import Answer, AnswerFile, Measurement
from bot.commands.answering import AnswerContext, MeasureContext
from bot.commands.apiaudit.comparison import (
    ComparedCalls,
    calls_within,
    compared_calls,
    compared_values_by,
)
from bot.commands.apiaudit.comparison_blocks import comparison_blocks, comparison_text
from bot.commands.apiaudit.question import AuditQuestion
from bot.commands.apiaudit.table import CSV_HEADER, csv_rows
from bot.commands.comparison_buttons import comparison_buttons
from bot.questions.windows import ParsedWindow, reading_of
from bot.questions.windows.alignment import Comparison
from bot.reports.file_names import file_stem
from bot.reports.sheets import csv_bytes
from bot.system.computing import compute
from providers.errors import ProviderError, combined
from providers.models import ApiCall, CallPage

Pages = Sequence[CallPage | ProviderError]
# Fetches the calls of every account in the window of a question.
FetchPages = Callable[[AuditQuestion], Awaitable[Pages]]
# What the first window is compared with next, by the label of a button.
OTHER_WINDOWS = MappingProxyType(
    {
        "vs. previous": "previous",
        "vs. a day earlier": "a day ago",
        "vs. a week earlier": "a week ago",
    }
)


class _Account(Struct, frozen=True):
    """The result of one account for both windows. `missing` says why it is left out of both."""

    name: str
    current: CallPage | None
    previous: CallPage | None
    missing: str = ""

    @property
    def pages(self) -> list[CallPage]:
        return [page for page in (self.current, self.previous) if page]


class _Found(Struct, frozen=True):
    """The calls that are compared, the accounts that are left out and why, and remarks."""

    facts: ComparedCalls
    missing: tuple[str, ...]
    notes: tuple[str, ...]


async def answer_comparison(
    question: AuditQuestion, fetch: FetchPages, asking: AnswerContext
) -> Answer:
    """The change first, both totals, and what explains it."""
    found = await _fetched(question, fetch, asking.zone)
    report = await compute(compared_calls, found.facts)
    missing = (*found.missing, *found.facts.incomplete)
    files = [await compute(_sheet, found.facts, asking.folder())] if question.csv else []
    return Answer(
        text=comparison_text(report, missing=missing, notes=found.notes),
        blocks=comparison_blocks(
            report,
            zone=asking.zone,
            buttons=_next_questions(question),
            missing=missing,
            notes=found.notes,
        ),
        values=report.values(),
        files=files,
        warnings=(*missing, *found.notes),
        window=report.comparison.window,
    )


async def measure_comparison(
    question: AuditQuestion, fetch: FetchPages, context: MeasureContext
) -> Measurement:
    """The values of the answer, and with `each` those of every account or actor."""
    found = await _fetched(question, fetch, context.zone)
    facts = found.facts
    report = await compute(compared_calls, facts)
    values: Mapping[str, Any] = report.values()
    if context.each and report.is_comparable:
        each = compared_values_by(
            facts.current, facts.previous, context.each, facts.accounts, facts.comparison
        )
        values = {**values, f"by_{context.each}": each}
    return Measurement(values, report.comparison.window)


async def _fetched(question: AuditQuestion, fetch: FetchPages, zone: tzinfo) -> _Found:
    """The calls of both windows, of the accounts that have both. Where the data of an account ends
    within a window, both windows end there.
    """
    comparison = question.comparison
    assert comparison is not None
    current, previous = await asyncio.gather(
        fetch(replace(question, window=comparison.current)),
        fetch(replace(question, window=comparison.previous)),
    )
    # An account without one of the windows would make the whole change its own.
    accounts = [
        _account(name, now, then, comparison)
        for name, now, then in zip(question.accounts, current, previous, strict=True)
    ]
    compared = [each for each in accounts if not each.missing]
    errors = [page for page in (*current, *previous) if isinstance(page, ProviderError)]
    if errors and not compared:
        raise combined(errors)
    pages = [page for each in compared for page in each.pages]
    return _Found(
        _compared_calls(question, accounts, zone) if compared else _no_data(question, comparison),
        tuple(each.missing for each in accounts if each.missing),
        tuple(dict.fromkeys(remark for page in pages for remark in page.remarks)),
    )


def _compared_calls(
    question: AuditQuestion, accounts: Sequence[_Account], zone: tzinfo
) -> ComparedCalls:
    assert question.comparison is not None
    compared = [each for each in accounts if not each.missing]
    comparison = _until_data_ends(question.comparison, compared, zone)
    is_cut = comparison != question.comparison
    return ComparedCalls(
        comparison,
        tuple(each.name for each in compared),
        _calls([each.current for each in compared], comparison.current, is_cut=is_cut),
        _calls([each.previous for each in compared], comparison.previous, is_cut=is_cut),
        tuple(dict.fromkeys(_shortcomings(compared))),
        tuple(each.name for each in accounts if each.missing),
        question.display,
        bool(question.filters),
    )


def _no_data(question: AuditQuestion, comparison: Comparison) -> ComparedCalls:
    """The case that all accounts have answered, and the data of none reaches into both windows yet."""
    return ComparedCalls(
        replace(comparison, obstacle="There is no data yet."),
        question.accounts,
        [],
        [],
        missing=question.accounts,
    )


def _account(
    name: str,
    current: CallPage | ProviderError,
    previous: CallPage | ProviderError,
    comparison: Comparison,
) -> _Account:
    for page, window in ((current, comparison.current), (previous, comparison.previous)):
        if isinstance(page, ProviderError):
            why = f"{name} is missing from this comparison: {page.message}"
            return _Account(name, None, None, why)
        if page.data_until and page.data_until <= window.window.start:
            why = f"{name} is missing from this comparison: it has no data for {window.label} yet."
            return _Account(name, None, None, why)
    assert isinstance(current, CallPage)
    assert isinstance(previous, CallPage)
    return _Account(name, current, previous)


def _until_data_ends(
    comparison: Comparison, accounts: Sequence[_Account], zone: tzinfo
) -> Comparison:
    """The comparison up to where the data of every account reaches."""
    reading = reading_of("", now=comparison.current.now, zone=zone, whole_days=False)
    ends: list[tuple[datetime, str]] = [
        (page.data_until, each.name) for each in accounts for page in each.pages if page.data_until
    ]
    # The earliest end first: what is beyond it is unknown of one account at least.
    for end, name in sorted(ends):
        why = (
            f"The data of {name} ends at "
            f"{formatting.format_time_in_zone(end, zone, comparison.current.now)}, so both "
            "windows end there."
        )
        cut = comparison.until(end, why, reading)
        if cut is not comparison:
            return cut
    return comparison


def _calls(
    pages: Sequence[CallPage | None], window: ParsedWindow, *, is_cut: bool
) -> list[ApiCall]:
    """The calls of the pages; where the window was cut, those that are still in it."""
    calls = [call for page in pages if page for call in page.calls]
    return calls_within(calls, window.window) if is_cut else calls


def _shortcomings(accounts: Sequence[_Account]) -> list[str]:
    """What is missing of the calls, in words. What comes late is in neither window."""
    found = []
    for each in accounts:
        for page in each.pages:
            if not page.complete and not page.is_only_late:
                found += list(page.shortcomings) or [f"Some calls from {each.name} are missing."]
    return found


def _next_questions(question: AuditQuestion) -> list[tuple[str, str]]:
    """Follow-up questions for the reader."""
    buttons = comparison_buttons(question, OTHER_WINDOWS)
    if not question.filters.failures:
        buttons.append(("Failures only", question.also("failures")))
    for name, label in (("action", "By action"), ("ip", "By IP address")):
        if name not in question.display.by:
            buttons.append((label, question.also(f"by {name}")))
    if not question.csv:
        buttons.append(("CSV", question.also("csv")))
    return buttons


def _sheet(facts: ComparedCalls, folder: Path) -> AnswerFile:
    """Every compared call, with a last column `window`: `current` or `previous`."""
    windows = (("current", facts.current), ("previous", facts.previous))
    rows = ((*row, name) for name, calls in windows for row in csv_rows(calls))
    stem = file_stem(facts.accounts, facts.comparison.current.window)
    name = f"apiaudit-{stem}-compared.csv"
    path = folder / name
    path.write_bytes(csv_bytes((*CSV_HEADER, "window"), rows))
    return AnswerFile(name, path, "API calls of two windows", kind="csv")
