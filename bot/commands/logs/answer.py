"""`/logs`: the lines of a log, as a preview and as a file; what was calculated over them; or the
list of logs.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from bot import formatting
from bot.alerts.replay import Replay, ReplayRequest
from bot.answer import Answer, AnswerFile, Evidence, EvidenceFact, Measurement, Progress
from bot.commands.answering import AnswerContext, MeasureContext
from bot.commands.logs.blocks import logs_blocks, logs_text
from bot.commands.logs.display import Entries, Follow, Statistic
from bot.commands.logs.entries import EntrySource, FollowSource
from bot.commands.logs.listing import LogLister
from bot.commands.logs.names import LogRef
from bot.commands.logs.past import replay_statistic
from bot.commands.logs.question import LogsQuestion
from bot.commands.logs.report import LogReport, Order, lines_outside, order_of, timeline
from bot.commands.logs.resolve import LogResolver
from bot.commands.logs.statistics import EVERY_GROUP, StatisticAnswerer
from bot.errors import BadQuestion
from bot.reports.file_names import file_stem
from bot.system.computing import compute
from providers.errors import QueryRejected
from providers.redaction import Redactor
from providers.sources import LineSource, LogQuerySource, LogSource, UsageSource

if TYPE_CHECKING:
    from bot.logs.writer import TransferState

# How much of a line an alert quotes.
LONGEST_EVIDENCE = 200
# Lines of a followed log that its progress shows.
FOLLOWED_LINES = 6
# So many are placed in a fraction of a millisecond; a log of months has many more.
MINUTES_AT_ONCE = 120
# A log of up to that size is kept in memory, where the files of all answers leave room.
IN_MEMORY_BYTES = 256 * 1024


class LogsAnswerer(Struct, frozen=True):
    sources: Mapping[str, LogSource]
    redactor: Redactor
    upload_plain: int
    upload_total: int
    given_names: Mapping[str, Mapping[str, str]]
    usage: Mapping[str, UsageSource] = field(default_factory=dict)

    async def answer(self, question: LogsQuestion, asking: AnswerContext) -> Answer:
        """What the question asks to see: the log as a file, a calculation, or the list of logs."""
        if question.is_list:
            lister = LogLister(self.sources, self.usage, self.given_names)
            return await lister.answer(question)
        logs = await self._resolver.resolve(question)
        try:
            if isinstance(question.display, Statistic):
                answerer = StatisticAnswerer(self._query_source(logs, question), self.redactor)
                return await answerer.answer(
                    question,
                    question.display,
                    logs,
                    zone=asking.zone,
                    progress=asking.progress,
                )
            return await self._answer_with_lines(question, logs, asking)
        except QueryRejected as error:
            error.hint = _example(question)
            raise

    async def _answer_with_lines(
        self, question: LogsQuestion, logs: Sequence[LogRef], asking: AnswerContext
    ) -> Answer:
        """The lines, redacted: a preview, counts by level, a timeline, and all of them as a file."""
        memory_bytes = IN_MEMORY_BYTES if asking.memory.reserve(IN_MEMORY_BYTES) else 0
        transfer, report = await self._fetch(
            question, logs, asking.folder, memory_bytes, asking.progress
        )
        names = formatting.join_words([log.typed for log in logs], 10)
        title = f"{names}, {formatting.pluralise(report.lines, 'line')}"
        path = transfer.path
        file = AnswerFile(path.name, path if transfer.content is None else transfer.content, title)
        files = [file] if file.bytes else []
        file_label = _file_label(file, report) if files else None
        query = self.redactor.text(question.query.filter_words)
        return Answer(
            text=logs_text(report, question.window, file_label=file_label, query=query),
            blocks=logs_blocks(
                report,
                question.window,
                zone=asking.zone,
                file_label=file_label,
                query=query,
                buttons=_next_questions(question, report),
            ),
            values=report.values(),
            files=files,
            warnings=report.shortcomings(),
            window=question.window,
        )

    def check(self, question: LogsQuestion) -> None:
        """Raises BadQuestion for what nobody waits for on a schedule, and for a query of an account
        that can only download.
        """
        if isinstance(question.display, Follow):
            raise BadQuestion(
                "follow shows what arrives while somebody waits for it; a schedule asks for lines.",
                question.about_lines((), "last 1h", "newest 20"),
            )
        for log in question.logs:
            if log.account is None and log.id is None and log.typed in self.sources:
                raise self._not_a_log(log.typed, question)
        needs_query = question.display is not None
        # A log whose account is not known yet is checked when it is asked.
        for log in question.logs if needs_query else ():
            if log.account in self.sources:
                self._query_source([log], question)

    def _not_a_log(self, account: str, question: LogsQuestion) -> BadQuestion:
        """The refusal of a log that is called like an account, which nearly always is the account.
        A log of that name is typed as `account/name`.
        """
        named = next(iter(self.given_names.get(account, ())), "")
        parts = replace(question.parts, subject=formatting.quoted(f"{account}/{named}"))
        example = f"/logs {parts}" if named else "/logs list"
        return BadQuestion(f"“{account}” is an account; name one of its logs, too.", example)

    async def measure(self, question: LogsQuestion, context: MeasureContext) -> Measurement:
        """The values of the question. A calculation takes one query; bytes and levels are counted in
        the lines, which are downloaded as for an answer.
        """
        if question.is_list or isinstance(question.display, Follow):
            words = question.display.words[0] if question.display else "list"
            raise BadQuestion(
                f"{words} has no value that an alert can check; use count.",
                question.about_lines((), "last 1h", "count") if question.logs else "/logs help",
            )
        logs = await self._resolver.resolve(question)
        statistic = question.display if isinstance(question.display, Statistic) else None
        # `count` takes a query, which is much cheaper than a download.
        if statistic is None and context.value == "count":
            statistic = Statistic()
        if statistic is None:
            _, report = await self._fetch(
                question, logs, context.folder, IN_MEMORY_BYTES, Progress()
            )
            return Measurement(report.values(), question.window, evidence=_latest_line(report))
        if context.each and not statistic.group_by:
            raise BadQuestion(
                "each group needs a question with groupby(…).",
                question.about_lines((), question.parts.window, "groupby(path)"),
            )
        answerer = StatisticAnswerer(self._query_source(logs, question), self.redactor)
        function = statistic.calculation.function
        if context.value not in (function, "lines" if function == "count" else function):
            raise BadQuestion(
                f"The question calculates {statistic.calculation.label}, and no {context.value}.",
                f"/logs alert {question.parts} {function} above 100",
            )
        result = await answerer.report(
            question,
            # Groups that the alert does not watch would only cost time.
            statistic if context.each else replace(statistic, group_by=(), having="", top=None),
            logs,
            most_groups=EVERY_GROUP if context.each else 0,
        )
        return Measurement(result.values(), question.window)

    async def replay(self, span: ReplayRequest[LogsQuestion]) -> Replay:
        """The values of a calculation at every evaluation of the past. A log is not downloaded for it;
        then only the stored samples of the rule are known.
        """
        question = span.read_at(span.end)
        if isinstance(question.display, Statistic) or span.rule.value == "count":
            logs = await self._resolver.resolve(question)
            source = self.sources[logs[0].account or ""]
            if isinstance(source, LogQuerySource):
                return await replay_statistic(span, source, [log.id or "" for log in logs])
        note = (
            "Logs are not downloaded again for a backtest, which uses the values of earlier checks."
        )
        return Replay((), (note,))

    @property
    def _resolver(self) -> LogResolver:
        return LogResolver(self.sources, self.given_names)

    def _query_source(self, logs: Sequence[LogRef], question: LogsQuestion) -> LogQuerySource:
        """The account, which must be able to answer queries."""
        source = self.sources[logs[0].account or ""]
        if not isinstance(source, LogQuerySource):
            shown = question.display.words[0] if question.display else "count"
            raise BadQuestion(
                f"{source.account} can only download a log, and {shown} needs a query.",
                question.about_lines((), question.parts.window, ""),
            )
        return source

    async def _fetch(
        self,
        question: LogsQuestion,
        logs: Sequence[LogRef],
        folder: Callable[[], Path],
        memory_bytes: int,
        progress: Progress,
    ) -> tuple[TransferState, LogReport]:
        # The formats of logs take long to import: that is left to the first log, and to a thread.
        if "bot.logs.download" not in sys.modules:
            await asyncio.to_thread(import_module, "bot.logs.download")
        from bot.logs.download import DownloadRequest, LogFile, download_log

        window = question.window.window
        display = question.display
        source, ids = self._line_source(question, logs)
        request = DownloadRequest(
            ids, window, question.leql, question.limit, self.upload_total, self.upload_plain
        )

        def so_far(transfer: TransferState) -> None:
            lines = formatting.pluralise(transfer.counter.lines, "line")
            progress.detail = f"{lines}, {formatting.format_bytes(transfer.received)} so far"
            if isinstance(display, Follow):
                progress.lines = transfer.counter.tail()[-FOLLOWED_LINES:]

        transfer = await download_log(
            source,
            request,
            LogFile(folder, f"{file_stem([log.typed for log in logs], window)}.log", memory_bytes),
            self.redactor,
            progress=so_far,
        )
        notes: tuple[str, ...] = ()
        if isinstance(source, EntrySource | FollowSource):
            # The source knows better than the number of lines, which is exactly what was asked for.
            transfer.truncated = transfer.truncated or source.has_more
            notes = source.notes
        making = partial(_report, question, logs, transfer, self.upload_total)
        has_many_minutes = len(transfer.counter.minutes) > MINUTES_AT_ONCE
        report = await compute(making) if has_many_minutes else making()
        return transfer, replace(report, notes=(*report.notes, *notes))

    def _line_source(
        self, question: LogsQuestion, logs: Sequence[LogRef]
    ) -> tuple[LineSource, list[str]]:
        """The source of the lines and the ids to request from it: a download, some entries of a query,
        or a live feed. A query merges the lines of several logs, so that it takes the place of one.
        """
        ids = [log.id or "" for log in logs]
        display = question.display
        if isinstance(display, Entries):
            source = self._query_source(logs, question)
            return EntrySource(source, ids, display), ids[:1]
        if isinstance(display, Follow):
            source = self._query_source(logs, question)
            return FollowSource(source, ids, display.length), ids[:1]
        return self.sources[logs[0].account or ""], ids


def _latest_line(report: LogReport) -> Callable[[Collection[str]], Evidence] | None:
    """The last of the lines, which are shown without secrets."""
    if not report.tail:
        return None
    line = formatting.sanitise(report.tail[-1].strip(), LONGEST_EVIDENCE)
    return lambda _: Evidence((EvidenceFact("Latest line", line),))


def _file_label(file: AnswerFile, report: LogReport) -> str:
    """Its name, with its size where that is not the one in the headline."""
    size = formatting.format_bytes(file.bytes)
    if size == formatting.format_bytes(report.bytes):
        return file.name
    return f"{file.name} ({size}, {'compressed' if file.name.endswith('.gz') else 'redacted'})"


def _example(question: LogsQuestion) -> str:
    """A question about the same logs that the vendor accepts."""
    window = question.parts.window or "last 20 mins"
    return f"/logs {question.subject} {window} where(status>=500) count"


def _report(
    question: LogsQuestion, logs: Sequence[LogRef], transfer: TransferState, upload_total: int
) -> LogReport:
    counter = transfer.counter
    window = question.window.window
    step, times = timeline(
        counter.minutes, window, ends_with_data=transfer.truncated or not transfer.complete
    )
    unknown, outside = lines_outside(counter.minutes, window)
    notes = (
        [f"Cut at {formatting.format_bytes(upload_total)}, the limit of one file."]
        if transfer.cut_at_total
        else []
    )
    return LogReport(
        names=tuple(log.typed for log in logs),
        account=logs[0].account or "",
        lines=counter.lines,
        bytes=transfer.received,
        complete=transfer.complete,
        truncated=transfer.truncated,
        levels=counter.counted_levels(),
        tail=counter.tail(),
        timeline=times,
        step=step,
        notes=tuple(notes),
        untimed=counter.untimed + unknown,
        outside=outside,
        is_selection=isinstance(question.display, Entries),
        order=_order(question) or order_of(counter.first, counter.last, window),
        shares=tuple(zip((log.typed for log in logs), transfer.shares, strict=False)),
    )


def _order(question: LogsQuestion) -> Order | None:
    """The end of the window that was asked for."""
    if not isinstance(question.display, Entries):
        return None
    return Order.NEWEST_FIRST if question.display.newest else Order.OLDEST_FIRST


def _next_questions(question: LogsQuestion, report: LogReport) -> list[tuple[str, str]]:
    if isinstance(question.display, Follow):
        return [
            ("Follow again", question.line),
            ("Last 20 minutes", question.about_lines((), "20m", "")),
        ]
    buttons = [
        (label, question.over(window))
        for label, window in (("20 minutes", "20m"), ("2 hours", "2h"), ("Today", "today"))
    ]
    busiest = max(report.timeline, key=lambda point: point[1], default=None)
    if busiest and len(report.timeline) > 1:
        start = busiest[0].astimezone(UTC)
        span = f"{start:%Y-%m-%dT%H:%M}Z..{start + report.step:%Y-%m-%dT%H:%M}Z"
        buttons.append((f"Busiest {formatting.format_duration(report.step)}", question.over(span)))
    buttons.append(("Count", question.about_lines((), question.parts.window, "count")))
    if question.leql:
        return buttons
    return [*buttons, ("Errors only", f"{question.over(question.parts.window)} where(/error/i)")]
