"""The numbers of a usage answer as a CSV file: a row for each day; one without data has empty
bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from bot.answer import AnswerFile
from bot.commands.usage.comparison import ComparedUsage, UsageComparison
from bot.commands.usage.question import UsageQuestion
from bot.commands.usage.report import UsageReport
from bot.commands.usage.total import UsageTotal
from bot.reports.file_names import safe_name
from bot.reports.sheets import csv_bytes
from providers.models import DayRange, LogUsage

Row = tuple[str | int | None, ...]


def usage_sheet(total: UsageTotal, question: UsageQuestion, folder: Path) -> AnswerFile:
    """`day,bytes`, or `day,log,bytes`; of several accounts with a last column `account`."""
    rows: list[Row] = []
    for report in total.accounts or (total.report,):
        behind = (report.account,) if total.accounts else ()
        found = _rows_of(report, per_log=question.per_log)
        rows += [(*row, *behind) for row in found]
    head = ("day", "log", "bytes") if question.per_log else ("day", "bytes")
    accounts = [report.account for report in total.accounts] or [total.report.account]
    days = total.report.days
    return _file(
        accounts,
        f"{days.first:%Y%m%d}-{days.last:%Y%m%d}",
        (*head, *(("account",) if total.accounts else ())),
        rows,
        folder,
    )


def comparison_sheet(
    report: UsageComparison,
    accounts: Sequence[ComparedUsage],
    question: UsageQuestion,
    folder: Path,
) -> AnswerFile:
    """The same with the last columns `account` and `window`; `window` is `current` or `previous`."""
    sides = (
        ("current", report.comparison.current.window.days),
        ("previous", report.comparison.previous.window.days),
    )
    rows: list[Row] = []
    for name, days in sides:
        for each in accounts:
            by_day = each.current if name == "current" else each.previous
            logs = each.current_logs if name == "current" else each.previous_logs
            if question.per_log:
                found = _log_rows(days, logs, each.log_names)
            else:
                found = _day_rows(days, by_day)
            rows += [(*row, each.account, name) for row in found]
    head = ("day", "log", "bytes") if question.per_log else ("day", "bytes")
    first, second = (f"{days.first:%Y%m%d}-{days.last:%Y%m%d}" for _, days in sides)
    return _file(
        list(report.accounts), f"{first}-vs-{second}", (*head, "account", "window"), rows, folder
    )


def _file(
    accounts: Sequence[str], days: str, head: Sequence[str], rows: Sequence[Row], folder: Path
) -> AnswerFile:
    # File systems take names of 255 bytes at most.
    stem = "+".join(safe_name(account) for account in accounts)[:120]
    name = f"usage-{stem}-{days}.csv"
    path = folder / name
    path.write_bytes(csv_bytes(head, rows))
    return AnswerFile(name, path, f"Usage of {', '.join(accounts)}", kind="csv")


def _rows_of(report: UsageReport, *, per_log: bool) -> Iterator[Row]:
    if per_log:
        yield from _log_rows(report.days, LogUsage(report.by_day_and_log), report.log_names)
    else:
        yield from ((day.isoformat(), usage) for day, usage in report.by_day.items())


def _day_rows(days: DayRange, by_day: Mapping[date, int]) -> Iterator[Row]:
    yield from ((day.isoformat(), by_day.get(day)) for day in days.each())


def _log_rows(days: DayRange, usage: LogUsage | None, names: Mapping[str, str]) -> Iterator[Row]:
    for day in days.each():
        logs = usage.by_day.get(day) if usage else None
        # A day without data has a row, since a table without it would hide the gap.
        if not logs:
            yield (day.isoformat(), None, None)
        else:
            yield from ((day.isoformat(), names.get(key, key), logs[key]) for key in logs)
