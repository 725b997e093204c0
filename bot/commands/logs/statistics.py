"""Asks for a calculation over a log, and answers it without a download."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import tzinfo

from msgspec import Struct
from msgspec.structs import replace

from bot import formatting
from bot.answer import Answer, Progress
from bot.commands.logs.display import USUAL_GROUPS, Statistic, without_groups
from bot.commands.logs.leql import equals
from bot.commands.logs.names import LogRef
from bot.commands.logs.question import LogsQuestion
from bot.commands.logs.statistic_blocks import slice_label, statistic_blocks, statistic_text
from bot.commands.logs.statistic_report import (
    Group,
    Slice,
    StatisticReport,
    groups_of,
    slices_of,
    step_of,
    window_words,
)
from bot.reports.timeline import time_step
from providers.models import LogStatistics
from providers.redaction import MARK, Redactor
from providers.sources import LogQuerySource

# Buttons that open the lines of a group or a slice.
MOST_OPENED = 5
LINES_OPENED = "newest 20"
# An alert on each group needs all there are; the API gives at most so many.
EVERY_GROUP = 10_000


class StatisticAnswerer(Struct, frozen=True):
    """Answers one question about a log of one account."""

    source: LogQuerySource
    redactor: Redactor

    async def answer(
        self,
        question: LogsQuestion,
        statistic: Statistic,
        logs: Sequence[LogRef],
        *,
        zone: tzinfo,
        progress: Progress,
    ) -> Answer:
        """The number, a chart and a table, with buttons that open the lines behind them."""
        report = await self.report(question, statistic, logs, _percentage_to(progress))
        query = self.redactor.text(question.query.filter_words)
        return Answer(
            text=statistic_text(report, question.window, zone=zone, query=query),
            blocks=statistic_blocks(
                report,
                question.window,
                zone=zone,
                query=query,
                buttons=_next_questions(question, report, zone),
            ),
            values=report.values(),
            warnings=report.shortcomings(),
            window=question.window,
        )

    async def report(
        self,
        question: LogsQuestion,
        statistic: Statistic,
        logs: Sequence[LogRef],
        progress: Callable[[int], None] = lambda _: None,
        *,
        most_groups: int = 0,
    ) -> StatisticReport:
        """The result of all lines, and that of the groups where there are any."""
        window = question.window.window
        ids = [log.id or "" for log in logs]
        if not statistic.timeslice:
            # For the chart, also where no slices were asked for.
            statistic = replace(statistic, step=time_step(window))
        # Groups have no result of the whole, so that is a query of its own.
        whole, grouped = await asyncio.gather(
            self._whole(question, statistic, ids, progress),
            self._grouped(question, statistic, ids, progress, most_groups),
        )
        asked = question.display if isinstance(question.display, Statistic) else statistic
        names = {log.id or "": log.typed for log in logs}
        shown = replace(asked, top=most_groups) if most_groups else asked
        groups, has_more = groups_of(grouped, shown, names) if grouped else ((), False)
        notes = [*whole.notes, *(grouped.notes if grouped else ())]
        return StatisticReport(
            logs=tuple(log.typed for log in logs),
            account=logs[0].account or "",
            statistic=asked,
            value=whole.value,
            slices=slices_of(whole, window),
            groups=tuple(self._redacted(group) for group in groups),
            has_more_groups=has_more,
            is_exact=grouped.is_exact if grouped else True,
            notes=tuple(dict.fromkeys(notes)),
        )

    async def _whole(
        self,
        question: LogsQuestion,
        statistic: Statistic,
        ids: Sequence[str],
        progress: Callable[[int], None],
    ) -> LogStatistics:
        leql = statement(question.leql, without_groups(statistic))
        return await self.source.statistics(ids, question.window.window, leql, progress=progress)

    async def _grouped(
        self,
        question: LogsQuestion,
        statistic: Statistic,
        ids: Sequence[str],
        progress: Callable[[int], None],
        most_groups: int,
    ) -> LogStatistics | None:
        """The groups; one more than is shown, to tell whether there are more."""
        if not statistic.group_by:
            return None
        most = most_groups or (statistic.top or USUAL_GROUPS) + 1
        leql = statement(question.leql, replace(statistic, top=min(most, EVERY_GROUP)))
        return await self.source.statistics(ids, question.window.window, leql, progress=progress)

    def _redacted(self, group: Group) -> Group:
        """Names of groups are values of the log, which may hold secrets."""
        return replace(group, names=tuple(self.redactor.text(name) for name in group.names))


def statement(where: str, statistic: Statistic) -> str:
    """The whole statement, its clauses in the order in which LEQL has them."""
    direction = "asc" if statistic.ascending else "desc"
    by_group = [
        f"groupby({', '.join(statistic.group_by)})",
        f"calculate({statistic.calculation.leql})",
        f"having({statistic.having})" if statistic.having else "",
        f"sort({direction})",
        f"limit({statistic.top or USUAL_GROUPS})",
    ]
    whole = [f"calculate({statistic.calculation.leql})"]
    slices = f"timeslice({statistic.timeslice})" if statistic.timeslice else ""
    clauses = [where, *(by_group if statistic.group_by else whole), slices]
    return " ".join(filter(None, clauses))


def _percentage_to(progress: Progress) -> Callable[[int], None]:
    def report(percent: int) -> None:
        progress.detail = f"{percent} % of the log searched"

    return report


def _next_questions(
    question: LogsQuestion, report: StatisticReport, zone: tzinfo
) -> list[tuple[str, str]]:
    buttons = [
        *_lines_of_groups(question, report),
        *_lines_of_slices(question, report, zone),
    ]
    buttons += [
        (label, question.over(window))
        for label, window in (("1 hour", "1h"), ("24 hours", "24h"), ("7 days", "7d"))
    ]
    window = question.parts.window
    if not report.statistic.group_by:
        buttons.append(("Newest lines", question.about_lines((), window, LINES_OPENED)))
    return [*buttons, ("As a file", question.about_lines((), window, ""))]


def _lines_of_groups(question: LogsQuestion, report: StatisticReport) -> list[tuple[str, str]]:
    """The questions for the lines of the first groups. A name that is redacted finds no line."""
    keys = report.statistic.group_by
    return [
        (
            formatting.truncate(f"Lines: {formatting.sanitise(group.name, 60)}", 40),
            question.about_lines(conditions, question.parts.window, LINES_OPENED),
        )
        for group in report.groups[:MOST_OPENED]
        if (conditions := _conditions(keys, group))
    ]


def _conditions(keys: Sequence[str], group: Group) -> list[str]:
    """The conditions that the lines of a group meet; none where they cannot be written."""
    if len(keys) != len(group.names) or any(MARK in name for name in group.names):
        return []
    # `#log` is not a key of a line.
    if any(key.startswith("#") for key in keys):
        return []
    found = [equals(key, name) for key, name in zip(keys, group.names, strict=True)]
    return found if all(found) else []


def _lines_of_slices(
    question: LogsQuestion, report: StatisticReport, zone: tzinfo
) -> list[tuple[str, str]]:
    """The questions for the lines of the highest bars, in the order of time."""
    bars = [each for each in report.slices if each.value]
    if len(report.slices) < 2 or not report.is_additive:
        bars = []
    highest = sorted(bars, key=lambda each: each.value or 0, reverse=True)
    step = step_of(report.slices)
    now = question.window.now

    def button(bar: Slice) -> tuple[str, str]:
        label = f"Lines from {slice_label(bar.start, step, zone, now)}"
        window = window_words(bar.start, bar.end)
        return label, question.about_lines((), window, LINES_OPENED)

    # A message has room for five buttons beside the usual ones.
    most = 2 if report.groups else MOST_OPENED
    return [button(bar) for bar in sorted(highest[:most], key=lambda bar: bar.start)]
