"""`/logs`: the lines of a log, as a preview and as a file."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from bot import formatting
from bot.alerts.replay import Replay, ReplayRequest
from bot.answer import Answer, AnswerFile, Measurement, Progress
from bot.commands.answering import AnswerContext, MeasureContext
from bot.commands.logs.blocks import logs_blocks, logs_text
from bot.commands.logs.question import LogRef, LogsQuestion
from bot.commands.logs.report import LogReport, lines_outside, order_of, timeline
from bot.errors import BadQuestion
from bot.questions.context import SHORTEST_BEGINNING
from bot.reports.file_names import file_stem
from providers.errors import ProviderError, combined
from providers.models import NamedLog
from providers.redaction import Redactor
from providers.sources import LogSource

if TYPE_CHECKING:
    from bot.logs.writer import TransferState


@dataclass(frozen=True, slots=True)
class LogsAnswerer:
    sources: Mapping[str, LogSource]
    redactor: Redactor
    upload_plain: int
    upload_total: int
    given_names: Mapping[str, Mapping[str, str]]

    async def answer(self, question: LogsQuestion, asking: AnswerContext) -> Answer:
        """The log, redacted: a preview, counts by level, a timeline, and the whole of
        it as a file.
        """
        logs = await self._resolve(question)
        transfer, report = await self._download(question, logs, asking.folder(), asking.progress)
        path = transfer.path
        files = []
        if path.stat().st_size:
            files = [
                AnswerFile(
                    path.name,
                    path,
                    (
                        f"{formatting.join_words([log.typed for log in logs], 10)}, "
                        f"{formatting.pluralise(report.lines, 'line')}"
                    ),
                )
            ]
        file_name = files[0].name if files else None
        buttons = _next_questions(question, report)
        return Answer(
            text=logs_text(
                report,
                question.window,
                file_name=file_name,
                query=self.redactor.text(question.leql),
            ),
            blocks=logs_blocks(
                report,
                question.window,
                zone=asking.zone,
                file_name=file_name,
                query=self.redactor.text(question.leql),
                buttons=buttons,
            ),
            values=report.values(),
            files=files,
            warnings=report.shortcomings(),
            window=question.window,
        )

    async def measure(self, question: LogsQuestion, context: MeasureContext) -> Measurement:
        """The counts of the log, which is downloaded and read as for an answer."""
        logs = await self._resolve(question)
        _, report = await self._download(question, logs, context.folder(), Progress())
        return Measurement(report.values(), question.window)

    async def _download(
        self, question: LogsQuestion, logs: Sequence[LogRef], folder: Path, progress: Progress
    ) -> tuple[TransferState, LogReport]:
        # The formats of logs take long to import: that is left to the first log, and to a thread.
        await asyncio.to_thread(import_module, "bot.logs.download")
        from bot.logs.download import DownloadRequest, download_log

        window = question.window.window
        request = DownloadRequest(
            [log.id or "" for log in logs],
            window,
            question.leql,
            question.limit,
            self.upload_total,
            self.upload_plain,
        )

        def so_far(transfer: TransferState) -> None:
            lines = formatting.pluralise(transfer.counter.lines, "line")
            progress.detail = f"{lines}, {formatting.format_bytes(transfer.received)} so far"

        transfer = await download_log(
            self.sources[logs[0].account or ""],
            request,
            folder / f"{file_stem([log.typed for log in logs], window)}.log",
            self.redactor,
            progress=so_far,
        )
        # A log of months has many minutes to place.
        report = await asyncio.to_thread(_report, question, logs, transfer, self.upload_total)
        return transfer, report

    async def replay(self, span: ReplayRequest[LogsQuestion]) -> Replay:
        """Nothing: a log is not downloaded again to judge the past. What was sampled while the rule
        was watched stands.
        """
        del span
        return Replay(
            (),
            (
                "A log is not downloaded again to judge the past; what is known is what was seen "  # noqa: ISC004
                "while it was watched.",
            ),
        )

    async def _resolve(self, question: LogsQuestion) -> list[LogRef]:
        """Every log with its account and id; they must all be in one account, for one download
        brings them.
        """
        found = await asyncio.gather(*(self._resolve_one(log, question) for log in question.logs))
        accounts = list(dict.fromkeys(log.account or "" for log in found))
        if len(accounts) > 1:
            raise BadQuestion(
                (
                    f"These logs are in {formatting.join_words(accounts)}; ask for each account "
                    "by itself."
                ),
                f"/logs {replace(question.parts, subject=formatting.quoted(found[0].typed))}",
            )
        return list({log.id: log for log in reversed(found)}.values())[::-1]

    async def _resolve_one(self, log: LogRef, question: LogsQuestion) -> LogRef:
        if log.account and log.id:
            return log
        accounts = [log.account] if log.account else list(self.sources)
        if log.id and len(accounts) == 1:
            return LogRef(log.typed, account=accounts[0], id=log.id)
        return await self._look_up(log, accounts, question)

    def _begun(
        self, log: LogRef, named: Sequence[tuple[str, NamedLog]], question: LogsQuestion
    ) -> list[tuple[str, NamedLog]]:
        """The one log whose name begins so, among those of the configuration and those that the
        accounts list. Raises BadQuestion where there are several.
        """
        given = [
            (account, NamedLog(key, name))
            for account, logs in self.given_names.items()
            for name, key in logs.items()
            if not log.account or log.account == account
        ]
        begun = {
            entry.id: (account, entry)
            for account, entry in [*named, *given]
            if entry.name.lower().startswith(log.typed.lower())
        }
        if len(begun) > 1:
            names = sorted({formatting.sanitise(entry.name, 40) for _, entry in begun.values()})
            raise BadQuestion(
                (
                    f"“{formatting.sanitise(log.typed, 60)}” may be "
                    f"{formatting.join_words(names, 8)}; say which."
                ),
                _instead(question, log, names[0]),
            )
        return list(begun.values())

    async def _look_up(
        self, log: LogRef, accounts: Sequence[str], question: LogsQuestion
    ) -> LogRef:
        """By id or by a log's own name, in every account; the name must be one log's alone."""
        listings = await asyncio.gather(
            *(self.sources[account].named_logs() for account in accounts), return_exceptions=True
        )
        named = [
            (account, entry)
            for account, listing in zip(accounts, listings, strict=True)
            if not isinstance(listing, BaseException)
            for entry in listing
        ]
        found = [
            (account, entry)
            for account, entry in named
            if entry.id == log.id or (not log.id and entry.name == log.typed)
        ]
        if not found and not log.id:
            found = [
                (account, entry)
                for account, entry in named
                if entry.name.lower() == log.typed.lower()
            ]
        if not found and not log.id and len(log.typed) >= SHORTEST_BEGINNING:
            found = self._begun(log, named, question)
        if len(found) == 1:
            account, entry = found[0]
            return LogRef(entry.name, account=account, id=entry.id)
        away = [listing for listing in listings if isinstance(listing, ProviderError)]
        if away and not found:
            raise combined(away)
        for listing in listings:
            if isinstance(listing, BaseException) and not isinstance(listing, ProviderError):
                raise listing
        raise _not_one(
            log,
            question,
            found_in=[account for account, _ in found],
            known=[entry.name for _, entry in named],
        )


def _not_one(
    log: LogRef, question: LogsQuestion, *, found_in: list[str], known: list[str]
) -> BadQuestion:
    typed = formatting.sanitise(log.typed, 60)
    if not found_in:
        near = [name for name in known if name.lower().startswith(log.typed.lower())]
        near += difflib.get_close_matches(log.typed, known, n=1)
        example = formatting.sanitise(
            next(iter([*near, *(name for name in known if " " not in name)]), "LOG"), 60
        ).replace('"', "")
        names = (
            formatting.join_words(sorted(formatting.sanitise(name, 40) for name in known), 8)
            or "none"
        )
        return BadQuestion(
            f"No log is called “{typed}”; there are {names}.", _instead(question, log, example)
        )
    if len(set(found_in)) == 1:
        return BadQuestion(
            f"Several logs of {found_in[0]} are called “{typed}”; use the id of one.", "/logs help"
        )
    return BadQuestion(
        f"“{typed}” is a log of {formatting.join_words(found_in)}; say which.",
        _instead(question, log, f"{found_in[0]}/{typed}"),
    )


def _instead(question: LogsQuestion, log: LogRef, name: str) -> str:
    """The line of the same question with another name in the place of this one."""
    names = [name if each is log else each.typed for each in question.logs]
    window = question.parts.window or "last 20 mins"
    return (
        "/logs "
        f"{replace(question.parts, subject=','.join(map(formatting.quoted, names)), window=window)}"
    )


def _report(
    question: LogsQuestion, logs: Sequence[LogRef], transfer: TransferState, upload_total: int
) -> LogReport:
    counter, window = transfer.counter, question.window.window
    step, times = timeline(
        counter.minutes, window, ends_with_data=transfer.truncated or not transfer.complete
    )
    unknown, outside = lines_outside(counter.minutes, window)
    notes = (
        [f"Cut at {formatting.format_bytes(upload_total)}, the most that is sent as one file."]
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
        order=order_of(counter.first, counter.last, window),
        shares=tuple(zip((log.typed for log in logs), transfer.shares, strict=False)),
    )


def _next_questions(question: LogsQuestion, report: LogReport) -> list[tuple[str, str]]:
    buttons = [
        (label, question.over(window))
        for label, window in (("20 minutes", "20m"), ("2 hours", "2h"), ("Today", "today"))
    ]
    busiest = max(report.timeline, key=lambda point: point[1], default=None)
    if busiest and len(report.timeline) > 1:
        start = busiest[0].astimezone(UTC)
        span = f"{start:%Y-%m-%dT%H:%M}Z..{start + report.step:%Y-%m-%dT%H:%M}Z"
        buttons.append((f"Busiest {formatting.format_duration(report.step)}", question.over(span)))
    if question.leql:
        return buttons
    return [*buttons, ("Errors only", f"{question.over(question.parts.window)} where(/error/i)")]
