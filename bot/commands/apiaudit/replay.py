"""The calls of the past, for backtests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from bot import formatting
from bot.alerts.backtest import EvaluationPoint
from bot.alerts.replay import Replay, ReplayRequest, point_at, steps_apart
from bot.commands.answering import or_error
from bot.commands.apiaudit.comparison import COMPARED_VALUES
from bot.commands.apiaudit.history import CallHistory
from bot.commands.apiaudit.novelty import NEW_VALUES
from bot.commands.apiaudit.question import AuditQuestion
from bot.commands.apiaudit.rows import matching
from bot.reports.seen_values import DAY
from bot.system.computing import compute
from providers.errors import ProviderError, combined
from providers.models import ApiCall, CallFilters, CallPage, Window
from providers.sources import CallSource


async def replay_calls(
    accounts: Mapping[str, CallSource], span: ReplayRequest[AuditQuestion], *, now: datetime
) -> Replay:
    """The calls of the whole time, and of them what each evaluation would have read. What is new is
    compared with all calls of the days before, whatever the question filters.
    """
    question = span.read_at(span.end)
    sources = [accounts[account] for account in question.accounts]
    start = _earliest(span)
    is_compared = span.rule.value in NEW_VALUES
    since = _compared_since(sources, start, question, now) if is_compared else start
    pages = await _pages(sources, Window(since, span.end), question.filters)
    earlier = pages
    # A value is new where no call had it, whatever the question filters.
    if is_compared and question.filters:
        earlier = await _pages(sources, Window(since, span.end), CallFilters())
    calls = _calls(pages)
    kept = max((limit for each in sources if (limit := each.kept_since(now))), default=None)
    # A month of evaluations every minute would hold the event loop up for seconds.
    points = await asyncio.to_thread(_points, span, calls, _calls(earlier), since, kept)
    notes = dict.fromkeys(note for page in (*pages, *earlier) for note in page.notes)
    if not all(page.complete for page in (*pages, *earlier)):
        notes["Some calls from that time are missing, so the peak may have been higher."] = None
    if is_compared and start - since < question.display.days * DAY:
        notes[_short_history(since, question.display.days)] = None
    return Replay(points, tuple(notes), matched=bool(calls))


def _earliest(span: ReplayRequest[AuditQuestion]) -> datetime:
    """The first instant of which something is needed."""
    question = span.read_at(span.start)
    starts = [span.start, question.window.window.start]
    if question.comparison:
        starts += [question.comparison.first.window.start]
        # Months and quarters begin at different distances from each moment.
        every_day = range((span.end - span.start).days + 1)
        for read in (span.read_at(span.start + timedelta(days=n)) for n in every_day):
            assert read.comparison is not None
            starts.append(read.comparison.previous.window.start)
    return min(starts)


def _compared_since(
    sources: Sequence[CallSource], start: datetime, question: AuditQuestion, now: datetime
) -> datetime:
    """From when on calls have to be known to say what is new after an instant: so many days before,
    or where the records of the sources begin.
    """
    limits = (source.kept_since(now) for source in sources)
    wanted = start - question.display.days * DAY
    return max([wanted, *(since for since in limits if since)])


def _short_history(since: datetime, days: int) -> str:
    whole = since + days * DAY
    return (
        f"Calls are kept since {since:%Y-%m-%d}, so checks before {whole:%Y-%m-%d} are compared with "
        f"fewer than {formatting.pluralise(days, 'day')}."
    )


async def _pages(
    sources: Sequence[CallSource], window: Window, filters: CallFilters
) -> list[CallPage]:
    """The calls of every account. Raises ProviderError where one has not answered."""
    found = await asyncio.gather(
        *(or_error(matching_calls(source, window, filters)) for source in sources)
    )
    if failed := [page for page in found if isinstance(page, ProviderError)]:
        raise combined(failed)
    return [page for page in found if isinstance(page, CallPage)]


async def matching_calls(
    source: CallSource,
    window: Window,
    filters: CallFilters,
    *,
    read: Callable[[int], None] = lambda _: None,
) -> CallPage:
    """The calls of an account that pass the filters of the source, and those that apply to rows."""
    page = await source.calls(window, filters, read=read)
    if not filters:
        return page
    return replace(page, calls=await compute(matching, page.calls, filters))


def _calls(pages: Sequence[CallPage]) -> list[ApiCall]:
    return [call for page in pages for call in page.calls]


def _points(
    span: ReplayRequest[AuditQuestion],
    calls: Sequence[ApiCall],
    earlier: Sequence[ApiCall],
    since: datetime,
    kept: datetime | None,
) -> list[EvaluationPoint]:
    question = span.read_at(span.end)
    history = CallHistory(
        calls, question.accounts, earlier=earlier, since=since, days=question.display.days
    )
    found = []
    for at in steps_apart(span):
        values = _values_at(span, at, history, kept)
        found.append(point_at(span, at, values, span.rule.every))
    return found


def _values_at(
    span: ReplayRequest[AuditQuestion], at: datetime, history: CallHistory, kept: datetime | None
) -> dict[str, Any]:
    rule = span.rule
    question = span.read_at(at)
    comparison = question.comparison
    if comparison is None:
        return history.values(question.window.window, rule.value, rule.each)
    if rule.value not in COMPARED_VALUES:
        return history.values(comparison.first.window, rule.value, rule.each)
    if comparison.obstacle or (kept and comparison.previous.window.start < kept):
        # What is no longer stored is not zero.
        return {}
    return history.compared_values(comparison, rule.each)
