"""What an answer of `/apiaudit` fetches: the calls of every account, or why there are none."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta, tzinfo

from msgspec import Struct
from msgspec.structs import replace

from bot import formatting
from bot.answer import Progress, Step
from bot.commands.answering import or_error
from bot.commands.apiaudit.question import AuditQuestion
from bot.commands.apiaudit.replay import matching_calls
from bot.errors import BadQuestion
from providers.clock import Clock
from providers.errors import NotFound, ProviderError, combined
from providers.models import CallPage
from providers.sources import CallSource


class CallFetcher(Struct, frozen=True):
    """Fetches the calls of all accounts of a question at once."""

    sources: Mapping[str, CallSource]
    clock: Clock

    async def pages(
        self, question: AuditQuestion, zone: tzinfo, progress: Progress
    ) -> list[CallPage | ProviderError]:
        """The calls of every account, or why there are none. Raises if none has answered."""
        self.check(question)
        sources = [self.sources[account] for account in question.accounts]
        too_old = _too_old(sources, question, now=self.clock(), zone=zone)
        pages = await asyncio.gather(
            *(self._page(source, question, progress, too_old) for source in sources)
        )
        failed = [page for page in pages if isinstance(page, ProviderError)]
        if len(failed) == len(pages):
            raise combined(failed)
        return pages

    def check(self, question: AuditQuestion) -> None:
        """Raises BadQuestion for a filter that an account cannot apply, by its name."""
        _refuse_unsupported_filters(
            [self.sources[account] for account in question.accounts], question
        )

    async def _page(
        self,
        source: CallSource,
        question: AuditQuestion,
        progress: Progress,
        too_old: Mapping[str, ProviderError],
    ) -> CallPage | ProviderError:
        """The calls of an account, or why there are none. A time that is no longer stored is not
        requested.
        """
        part = source.account
        if question.comparison:
            part = f"{part}, {question.window.label}"
        if error := too_old.get(source.account):
            progress.step(Step(part, "error", error.message, error.message))
            return error
        return await _with_progress(part, source, question, progress)


def answered(
    question: AuditQuestion, pages: Sequence[CallPage | ProviderError]
) -> dict[str, CallPage]:
    """The calls by account, of those that have answered."""
    return {
        account: page
        for account, page in zip(question.accounts, pages, strict=True)
        if isinstance(page, CallPage)
    }


async def _with_progress(
    part: str, source: CallSource, question: AuditQuestion, progress: Progress
) -> CallPage | ProviderError:
    """The calls of an account, or why there are none; reports progress of this part of the work."""
    progress.step(Step(part, "in_progress"))

    def read(calls: int) -> None:
        progress.step(Step(part, "in_progress", f"{formatting.pluralise(calls, 'call')} so far"))

    fetching = matching_calls(source, question.window.window, question.filters, read=read)
    page = await or_error(fetching)
    if isinstance(page, ProviderError):
        progress.step(Step(part, "error", page.message, page.message))
        return page
    calls = formatting.pluralise(len(page.calls), "call")
    progress.step(Step(part, "complete", calls, calls if page.complete else f"{calls}, not all"))
    return page


def _refuse_unsupported_filters(sources: Sequence[CallSource], question: AuditQuestion) -> None:
    reasons = {source.account: source.unsupported_filter(question.filters) for source in sources}
    refused = [reason for reason in reasons.values() if reason]
    # The hint asks the accounts that can answer, since filters differ by vendor.
    if refused:
        able = [account for account, reason in reasons.items() if not reason]
        others = replace(question.parts, subject=" ".join(able))
        hint = f"/apiaudit {others}" if able else f"/apiaudit {question.accounts[0]} 24h failures"
        raise BadQuestion(refused[0], hint)


def _too_old(
    sources: Sequence[CallSource], question: AuditQuestion, *, now: datetime, zone: tzinfo
) -> dict[str, ProviderError]:
    """The accounts that have stored nothing of the window, each with its oldest available day.
    Raises BadQuestion if that applies to all of them.
    """
    limits = {source.account: since for source in sources if (since := source.kept_since(now))}
    oldest = {
        name: _first_whole_day(since, zone)
        for name, since in limits.items()
        if question.window.window.end <= since
    }
    if oldest and len(oldest) == len(sources):
        kept = "; ".join(
            f"{name} keeps API calls since {_day(day)}" for name, day in oldest.items()
        )
        raise BadQuestion(
            f"{question.window.label} is too long ago: {kept}.",
            question.over(f"since {min(oldest.values())}"),
        )
    return {
        name: NotFound(
            f"{name} keeps API calls since {_day(day)}.",
            account=name,
            hint="Ask for a later window.",
        )
        for name, day in oldest.items()
    }


def _first_whole_day(since: datetime, zone: tzinfo) -> date:
    # Records that begin within a day do not have all of it.
    local = since.astimezone(zone)
    return local.date() + timedelta(days=local.time() != time())


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
