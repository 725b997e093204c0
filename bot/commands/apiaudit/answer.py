"""`/apiaudit`: who called which API, and what failed, over all vendors in one table."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, tzinfo
from functools import partial
from pathlib import Path

from bot import formatting
from bot.alerts.replay import Replay, ReplayRequest
from bot.answer import Answer, AnswerFile, Measurement, Progress, Step
from bot.commands.answering import AnswerContext, MeasureContext, or_error
from bot.commands.apiaudit.blocks import audit_blocks, audit_text
from bot.commands.apiaudit.call import call_blocks, call_file, call_text
from bot.commands.apiaudit.compare import answer_comparison, measure_comparison
from bot.commands.apiaudit.comparison import COMPARED_VALUES
from bot.commands.apiaudit.novelty import NEW_VALUES
from bot.commands.apiaudit.question import AuditQuestion
from bot.commands.apiaudit.replay import matching_calls, replay_calls
from bot.commands.apiaudit.report import (
    AuditFacts,
    AuditReport,
    audit_report,
    audit_values,
    history_shortcomings,
)
from bot.commands.apiaudit.seen_history import SeenHistory
from bot.commands.apiaudit.table import CSV_HEADER, csv_rows
from bot.commands.seen_store import MemorySeenStore, RecentDays, SeenStore
from bot.errors import BadQuestion
from bot.reports.file_names import file_stem
from bot.reports.sheets import csv_bytes
from bot.system.computing import compute
from providers.clock import Clock, utc_now
from providers.errors import NotFound, ProviderError, combined
from providers.models import ApiCall, CallFilters, CallPage, Window, iso_utc
from providers.sources import CallSource, OmitsCalls


@dataclass(frozen=True, slots=True)
class ApiAuditAnswerer:
    sources: Mapping[str, CallSource]
    clock: Clock = utc_now
    seen: SeenStore = field(default_factory=MemorySeenStore)
    _history: SeenHistory = field(init=False)

    def __post_init__(self) -> None:
        history = SeenHistory(self.sources, RecentDays(self.seen), self.clock)
        object.__setattr__(self, "_history", history)

    async def answer(self, question: AuditQuestion, asking: AnswerContext) -> Answer:
        """The audit answer. All accounts are requested at once; one that fails is named, and the
        others still answer.
        """
        if question.comparison:
            fetch = partial(self._pages, zone=asking.zone, progress=asking.progress)
            return await answer_comparison(question, fetch, asking)
        pages = await self._pages(question, asking.zone, asking.progress)
        failed = [page for page in pages if isinstance(page, ProviderError)]
        warnings = [
            f"{error.account} is missing from this answer: {error.message}" for error in failed
        ]
        histories = await self._history.before(
            _answered(question, pages),
            question.window.window.start,
            question.display.days,
            progress=asking.progress if question.display.new else None,
        )
        facts = replace(_facts(question, pages), histories=histories)
        report = await compute(audit_report, facts)
        await self._learn(question, pages)
        if question.filters.call and facts.calls:
            return _answer_about_one_call(question, facts, report, asking, warnings)
        files = [await compute(_sheet, facts, asking.folder())] if question.csv else []
        buttons = [
            *_nearest_actors(question, pages),
            *_next_questions(question, report),
            *_questions_of_calls(question, report),
        ]
        shown = replace(report, notes=(*report.notes, *self._omissions(report)))
        return Answer(
            text=audit_text(shown, question.window, zone=asking.zone, warnings=warnings),
            blocks=audit_blocks(
                shown, question.window, zone=asking.zone, buttons=buttons, warnings=warnings
            ),
            values=report.values(),
            files=files,
            warnings=(*warnings, *facts.shortcomings, *report.notes),
            window=question.window,
            data_until=_data_until(pages),
        )

    async def measure(self, question: AuditQuestion, context: MeasureContext) -> Measurement:
        """The wanted value of the answer, and with `each` that of every account or actor."""
        if question.comparison and context.value in COMPARED_VALUES:
            fetch = partial(self._pages, zone=context.zone, progress=Progress())
            return await measure_comparison(question, fetch, context)
        if question.comparison:
            question = replace(question, window=question.comparison.first, comparison=None)
        pages = await self._pages(question, context.zone, Progress())
        facts = _facts(question, pages)
        shortcomings = []
        data_until = _data_until(pages)
        if context.value in NEW_VALUES:
            # Where the data ends early, the question is asked again as of then.
            progress = None if data_until else Progress()
            histories = await self._history.before(
                _answered(question, pages),
                question.window.window.start,
                question.display.days,
                progress=progress,
            )
            facts = replace(facts, histories=histories)
            shortcomings = history_shortcomings(facts)
        values = await compute(audit_values, facts, (context.value,), each=context.each)
        await self._learn(question, pages)
        return Measurement(values, question.window, data_until, shortcomings)

    async def _learn(
        self, question: AuditQuestion, pages: Sequence[CallPage | ProviderError]
    ) -> None:
        """Stores the values of these calls for later questions, where all calls were asked for."""
        if not question.filters:
            await self._history.learn(_answered(question, pages), question.window.window)

    def _omissions(self, report: AuditReport) -> list[str]:
        """Which calls accounts do not record, where the answer says what is new or denied."""
        names = dict.fromkeys(burst.account for burst in report.novelty.bursts)
        if report.new:
            names |= dict.fromkeys(report.accounts)
        sources = [self.sources[name] for name in names]
        said = [each.unrecorded_calls for each in sources if isinstance(each, OmitsCalls)]
        return list(dict.fromkeys(said))

    async def _pages(
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
        if error := too_old.get(source.account):
            progress.step(Step(source.account, "error", error.message))
            return error
        return await _followed(source, question.window.window, question.filters, progress)

    async def replay(self, span: ReplayRequest[AuditQuestion]) -> Replay:
        """The values of the whole time, at each instant as an answer would have had them."""
        return await replay_calls(self.sources, span, now=self.clock())


def _answered(
    question: AuditQuestion, pages: Sequence[CallPage | ProviderError]
) -> dict[str, CallPage]:
    """The calls by account, of those that have answered."""
    return {
        account: page
        for account, page in zip(question.accounts, pages, strict=True)
        if isinstance(page, CallPage)
    }


async def _followed(
    source: CallSource, window: Window, filters: CallFilters, progress: Progress
) -> CallPage | ProviderError:
    """The calls of an account, or why there are none; reports progress."""
    account = source.account
    progress.step(Step(account, "in_progress"))

    def read(calls: int) -> None:
        progress.step(Step(account, "in_progress", f"{formatting.pluralise(calls, 'call')} so far"))

    page = await or_error(matching_calls(source, window, filters, read=read))
    if isinstance(page, ProviderError):
        progress.step(Step(account, "error", page.message))
    else:
        progress.step(Step(account, "complete", formatting.pluralise(len(page.calls), "call")))
    return page


def _refuse_unsupported_filters(sources: Sequence[CallSource], question: AuditQuestion) -> None:
    reasons = {source.account: source.unsupported_filter(question.filters) for source in sources}
    refused = [reason for reason in reasons.values() if reason]
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
    local = since.astimezone(zone)
    return local.date() + timedelta(days=local.time() != time())


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _facts(question: AuditQuestion, pages: Sequence[CallPage | ProviderError]) -> AuditFacts:
    window = question.window.window
    ends = {
        a: p.data_until
        for a, p in zip(question.accounts, pages, strict=True)
        if isinstance(p, CallPage) and p.data_until
    }
    answered = [page for page in pages if isinstance(page, CallPage)]
    calls: list[ApiCall] = [call for page in answered for call in page.calls]
    return AuditFacts(
        accounts=tuple(
            account
            for account, page in zip(question.accounts, pages, strict=True)
            if isinstance(page, CallPage)
        ),
        window=window,
        calls=calls,
        complete=len(answered) == len(pages) and all(page.complete for page in answered),
        notes=(*_unmatched(question, pages), *(note for page in answered for note in page.notes)),
        shortcomings=tuple(note for page in answered for note in page.shortcomings),
        unknown=tuple(account for account, end in ends.items() if end <= window.start),
        data_until=min((end for end in ends.values() if end > window.start), default=None),
        filtered=bool(question.filters),
        display=question.display,
    )


def _unmatched(question: AuditQuestion, pages: Sequence[CallPage | ProviderError]) -> list[str]:
    """The accounts that answered without any call that passes the filters, and the actor that was
    probably intended.
    """
    notes = []
    for account, page in zip(question.accounts, pages, strict=True):
        if isinstance(page, ProviderError) or page.calls or not question.filters:
            continue
        if page.data_until and page.data_until <= question.window.window.start:
            continue
        nearest = (
            f"the nearest actor seen there is {formatting.sanitise(page.nearest_actor, 60)}"
            if page.nearest_actor
            else ""
        )
        if nearest or len(pages) > 1:
            notes.append(f"{account}: no call matches{nearest and '; '}{nearest}.")
    return notes


def _nearest_actors(
    question: AuditQuestion, pages: Sequence[CallPage | ProviderError]
) -> list[tuple[str, str]]:
    names = dict.fromkeys(page.nearest_actor for page in pages if isinstance(page, CallPage))
    return [
        (formatting.truncate(f"Who: {name}", 40), question.also(f"who:{name}"))
        for name in names
        if _PLAIN_ACTOR.fullmatch(name)
    ]


_PLAIN_ACTOR = re.compile(r"[\w.@+-]{1,60}")


def _data_until(pages: Sequence[CallPage | ProviderError]) -> datetime | None:
    """Where the data of the first account ends, if any ends before the window."""
    ends = (page.data_until for page in pages if isinstance(page, CallPage))
    return min((end for end in ends if end), default=None)


def _next_questions(question: AuditQuestion, report: AuditReport) -> list[tuple[str, str]]:
    buttons = [
        (label, question.over(window))
        for label, window in (("24 hours", "24h"), ("7 days", "7d"), ("30 days", "30d"))
    ]
    buttons.append(("vs. previous", question.over(f"{question.parts.window} vs previous".strip())))
    worst = max(report.actors, key=lambda tally: tally.failures, default=None)
    if worst and worst.failures and not question.filters.who and _PLAIN_ACTOR.fullmatch(worst.name):
        buttons.append(
            (formatting.truncate(f"Only {worst.name}", 40), question.also(f"who:{worst.name}"))
        )
    if not question.filters.failures:
        buttons.append(("Failures only", question.also("failures")))
    if question.display.calls is None and report.calls:
        buttons.append(("Show the calls", question.also("calls")))
    if not question.csv:
        buttons.append(("CSV", question.also("csv")))
    return buttons


def _questions_of_calls(question: AuditQuestion, report: AuditReport) -> list[tuple[str, str]]:
    """Buttons that open each of the first calls listed."""
    calls = dict.fromkeys((call.account, call.id) for call in report.listed[:MOST_OPENED])
    by_id = {(call.account, call.id): call for call in reversed(report.listed[:MOST_OPENED])}
    return [
        (
            formatting.truncate(
                f"Open {by_id[key].id} {formatting.sanitise(by_id[key].action)}", 40
            ),
            _line_of_call(question, by_id[key]),
        )
        for key in calls
    ]


# Slack takes 25 buttons in a row of them; the answer has others, too.
MOST_OPENED = 8


def _line_of_call(question: AuditQuestion, call: ApiCall) -> str:
    """The question that shows one call whole: its second, with the same filters, so that its vendor
    is asked for as little as can be.
    """
    window = question.window.window
    if call.at and window.start <= call.at < window.end:
        start = call.at.replace(microsecond=0)
        window = Window(start, start + timedelta(seconds=1))
    words = [word for word in question.typed_filters if not word.lower().startswith("call:")]
    when = f"{iso_utc(window.start)}..{iso_utc(window.end)}"
    return " ".join([f"/apiaudit {call.account} {when}", *words, f"call:{call.id}"])


def _answer_about_one_call(
    question: AuditQuestion,
    facts: AuditFacts,
    report: AuditReport,
    asking: AnswerContext,
    warnings: Sequence[str],
) -> Answer:
    call = facts.calls[0]
    buttons = []
    if call.at:
        around = f"{iso_utc(call.at - AROUND)}..{iso_utc(call.at + AROUND)}"
        buttons.append(("Calls around it", f"/apiaudit {call.account} {around} calls"))
    if _PLAIN_ACTOR.fullmatch(call.actor):
        line = f"/apiaudit {call.account} 24h who:{call.actor}"
        buttons.append((formatting.truncate(f"Who: {call.actor}", 40), line))
    same = len(facts.calls) - 1
    notes = [f"{formatting.pluralise(same, 'other call')} with the same values."] if same else []
    file = call_file(call, asking.folder)
    return Answer(
        text=call_text(call, zone=asking.zone, notes=[*warnings, *notes]),
        blocks=call_blocks(call, zone=asking.zone, buttons=buttons, notes=notes, warnings=warnings),
        values=report.values(),
        files=[file] if file else [],
        warnings=(*warnings, *facts.shortcomings, *report.notes),
        window=question.window,
        data_until=facts.data_until,
    )


AROUND = timedelta(minutes=5)


def _sheet(facts: AuditFacts, folder: Path) -> AnswerFile:
    """Every row received."""
    name = f"apiaudit-{file_stem(facts.accounts, facts.window)}.csv"
    path = folder / name
    path.write_bytes(csv_bytes(CSV_HEADER, csv_rows(facts.calls)))
    return AnswerFile(name, path, "API calls", kind="csv")
