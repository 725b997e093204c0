"""`/apiaudit`: who called which API, and what failed, over all vendors in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from bot import formatting
from bot.alerts.replay import Replay, ReplayRequest
from bot.answer import Answer, AnswerFile, Measurement, Progress
from bot.commands.answering import AnswerContext, MeasureContext
from bot.commands.apiaudit.blocks import audit_blocks, audit_text
from bot.commands.apiaudit.buttons import (
    PLAIN_ACTOR,
    nearest_actors,
    next_questions,
    questions_of_calls,
)
from bot.commands.apiaudit.call import call_blocks, call_file, call_text
from bot.commands.apiaudit.compare import answer_comparison, measure_comparison
from bot.commands.apiaudit.comparison import COMPARED_VALUES
from bot.commands.apiaudit.evidence import FAILURE_VALUES, failure_evidence
from bot.commands.apiaudit.fetch import CallFetcher, answered
from bot.commands.apiaudit.novelty import NEW_VALUES
from bot.commands.apiaudit.question import AuditQuestion
from bot.commands.apiaudit.replay import replay_calls
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
from bot.reports.file_names import file_stem
from bot.reports.sheets import csv_bytes
from bot.system.computing import compute
from providers.clock import Clock, utc_now
from providers.errors import ProviderError
from providers.models import CallPage, CallsDescription, iso_utc
from providers.sources import CallSource, LimitsCalls, OmitsCalls


@dataclass(frozen=True, slots=True)
class ApiAuditAnswerer:
    sources: Mapping[str, CallSource]
    clock: Clock = utc_now
    seen: SeenStore = field(default_factory=MemorySeenStore)
    _fetcher: CallFetcher = field(init=False)
    _history: SeenHistory = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_fetcher", CallFetcher(self.sources, self.clock))
        history = SeenHistory(self.sources, RecentDays(self.seen), self.clock)
        object.__setattr__(self, "_history", history)

    async def answer(self, question: AuditQuestion, asking: AnswerContext) -> Answer:
        """The audit answer. All accounts are requested at once; one that fails is named, and the
        others still answer.
        """
        if question.comparison:
            fetch = partial(self._fetcher.pages, zone=asking.zone, progress=asking.progress)
            return await answer_comparison(question, fetch, asking)
        pages = await self._fetcher.pages(question, asking.zone, asking.progress)
        # Earlier days are fetched for an answer that is about them, and else only read.
        progress = asking.progress if question.display.new else None
        facts = await self._compared_with_before(question, pages, progress)
        report = await compute(audit_report, facts)
        await self._learn(question, pages)
        warnings = _missing_accounts(pages)
        if question.filters.call and facts.calls:
            return _answer_about_one_call(question, facts, report, asking, warnings)
        files = [await compute(_sheet, facts, asking.folder())] if question.csv else []
        buttons = [
            *nearest_actors(question, pages),
            *next_questions(question, report),
            *questions_of_calls(question, report),
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
            fetch = partial(self._fetcher.pages, zone=context.zone, progress=Progress())
            return await measure_comparison(question, fetch, context)
        if question.comparison:
            question = replace(question, window=question.comparison.first, comparison=None)
        pages = await self._fetcher.pages(question, context.zone, Progress())
        data_until = _data_until(pages)
        facts = _facts(question, pages)
        shortcomings = list[str]()
        if context.value in NEW_VALUES:
            # Where the data ends early, the question is asked again as of then.
            progress = None if data_until else Progress()
            facts = await self._compared_with_before(question, pages, progress)
            shortcomings = history_shortcomings(facts)
        values = await compute(audit_values, facts, (context.value,), each=context.each)
        await self._learn(question, pages)
        evidence = None
        if context.value in FAILURE_VALUES:
            evidence = partial(failure_evidence, facts.calls, question, context.each)
        return Measurement(values, question.window, data_until, shortcomings, evidence)

    async def _compared_with_before(
        self,
        question: AuditQuestion,
        pages: Sequence[CallPage | ProviderError],
        progress: Progress | None,
    ) -> AuditFacts:
        """The facts with the values of the days before the window. Days that are not stored are
        fetched only with `progress`.
        """
        histories = await self._history.before(
            answered(question, pages),
            question.window.window.start,
            question.display.days,
            progress=progress,
        )
        return replace(_facts(question, pages), histories=histories)

    async def _learn(
        self, question: AuditQuestion, pages: Sequence[CallPage | ProviderError]
    ) -> None:
        """Stores the values of these calls for later questions, where all calls were asked for."""
        if not question.filters:
            await self._history.learn(answered(question, pages), question.window.window)

    def _omissions(self, report: AuditReport) -> list[str]:
        """Which calls accounts do not record, where the answer says what is new or denied."""
        names = dict.fromkeys(burst.account for burst in report.novelty.bursts)
        if report.new:
            names |= dict.fromkeys(report.accounts)
        sources = [self.sources[name] for name in names]
        omitted = [each.unrecorded_calls for each in sources if isinstance(each, OmitsCalls)]
        return list(dict.fromkeys(omitted))

    def form_notes(self) -> list[str]:
        """How long each account keeps its calls, and how many of them come with a request."""
        limits = {
            name: source.call_limits()
            for name, source in self.sources.items()
            if isinstance(source, LimitsCalls)
        }
        return [note for name, known in limits.items() if (note := _limits_note(name, known))]

    def check(self, question: AuditQuestion) -> None:
        """Raises BadQuestion for a filter that an account cannot apply, by its name."""
        self._fetcher.check(question)

    async def replay(self, span: ReplayRequest[AuditQuestion]) -> Replay:
        """The values of the whole time, at each instant as an answer would have had them. Raises
        BadQuestion for a filter that an account cannot apply.
        """
        self._fetcher.check(span.read_at(span.end))
        return await replay_calls(self.sources, span, now=self.clock())


def _limits_note(account: str, known: CallsDescription) -> str:
    """`edge: API calls are kept for 90 days; at most 5,000 rows a request.`"""
    parts = []
    if known.retention:
        parts.append(f"API calls are kept for {formatting.pluralise(known.retention.days, 'day')}")
    if known.most_rows:
        parts.append(f"at most {known.most_rows:,} rows a request")
    if known.required_role:
        parts.append(f"its API client needs the role “{known.required_role}”")
    return f"{account}: {'; '.join(parts)}." if parts else ""


def _missing_accounts(pages: Sequence[CallPage | ProviderError]) -> list[str]:
    return [
        f"{page.account} is missing from this answer: {page.message}"
        for page in pages
        if isinstance(page, ProviderError)
    ]


def _facts(question: AuditQuestion, pages: Sequence[CallPage | ProviderError]) -> AuditFacts:
    start = question.window.window.start
    found = answered(question, pages)
    ends = {account: page.data_until for account, page in found.items() if page.data_until}
    return AuditFacts(
        accounts=tuple(found),
        window=question.window.window,
        calls=[call for page in found.values() for call in page.calls],
        complete=len(found) == len(pages) and all(page.complete for page in found.values()),
        notes=(
            *_unmatched(question, pages),
            *(note for page in found.values() for note in page.notes),
        ),
        shortcomings=tuple(note for page in found.values() for note in page.shortcomings),
        # Nothing is known of their window, which is not the same as no calls.
        unknown=tuple(account for account, end in ends.items() if end <= start),
        data_until=min((end for end in ends.values() if end > start), default=None),
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
            f"the closest actor there is {formatting.sanitise(page.nearest_actor, 60)}"
            if page.nearest_actor
            else ""
        )
        if nearest or len(pages) > 1:
            notes.append(f"{account}: no call matches{nearest and '; '}{nearest}.")
    return notes


def _data_until(pages: Sequence[CallPage | ProviderError]) -> datetime | None:
    """Where the data of the first account ends, if any ends before the window."""
    ends = (page.data_until for page in pages if isinstance(page, CallPage))
    return min((end for end in ends if end), default=None)


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
    if PLAIN_ACTOR.fullmatch(call.actor):
        line = f"/apiaudit {call.account} 24h who:{call.actor}"
        buttons.append((formatting.truncate(f"Actor: {call.actor}", 40), line))
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
