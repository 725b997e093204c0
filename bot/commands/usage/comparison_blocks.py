"""A comparison of usage as text and blocks: the change, both totals, and what explains it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date
from itertools import zip_longest

from msgspec import Struct

from bot import formatting
from bot.answer import Block
from bot.blocks import kit
from bot.blocks.comparisons import series_names
from bot.commands.usage.blocks import MOST_LOGS, MOST_ROWS, NO_DATA, ROWS_AT_ONCE
from bot.commands.usage.comparison import Contribution, UsageComparison
from bot.commands.usage.report import buckets

# So many contributors are named in words.
MOST_NAMED = 3
MOST_GAPS = 5


class _Row(Struct, frozen=True):
    """The same days of both windows, with how many of them have no data."""

    first: date
    current: int | None
    previous_first: date
    previous: int | None
    missing: int
    is_part: bool = False


def comparison_text(
    report: UsageComparison,
    *,
    by: str,
    missing: Sequence[str] = (),
    warnings: Sequence[str] = (),
) -> str:
    """The whole answer as text."""
    lines = [formatting.sanitise(line, 400) for line in missing]
    lines.append(f"{_who(report)}: {_headline(report)} – {report.comparison.label}.")
    lines += [f"{name}: {value}." for name, value in _facts(report)]
    lines += _sentences(report)
    if explained := _explained(report):
        lines.append(explained)
    for title, found in _contributors(report):
        named = [formatting.sanitise(_contribution(each, report), 160) for each in found]
        lines.append(f"{title}: {'; '.join(named[:MOST_LOGS])}{_more(found)}.")
    rows = _rows(report, by)
    if rows:
        shown = "; ".join(_row_text(row, by, report.today) for row in rows[-MOST_ROWS:])
        lines.append(f"By {by}: {shown}.")
    return "\n".join(
        [*lines, *_notes(report, by), *(formatting.sanitise(line, 400) for line in warnings)]
    )


def comparison_blocks(
    report: UsageComparison,
    *,
    by: str,
    buttons: Sequence[tuple[str, str]],
    missing: Sequence[str] = (),
    warnings: Sequence[str] = (),
) -> list[Block]:
    """The answer as blocks: what is missing, the change, both totals, what explains it, chart and
    tables.
    """
    accounts = " ".join(kit.code(account) for account in report.accounts)
    organisation = f" · {kit.code(report.organisation, 80)}" if report.organisation else ""
    blocks = [
        *kit.warnings(missing),
        kit.header(_headline(report)),
        kit.context(f"{accounts} · {kit.escaped(report.comparison.label)}{organisation}"),
        kit.fields((name, kit.escaped(value)) for name, value in _facts(report)),
    ]
    findings = [*_sentences(report), *filter(None, [_explained(report)])]
    if findings:
        blocks.append(kit.section("\n".join(f"• {kit.escaped(line)}" for line in findings)))
    if chart := _chart(report):
        blocks.append(chart)
    blocks += [_contribution_table(title, found, report) for title, found in _contributors(report)]
    if rows := _rows(report, by):
        blocks.append(_table(rows, by, report))
    if notes := [*_notes(report, by), *warnings]:
        blocks.append(kit.context(*(kit.with_code(note) for note in notes[:10])))
    return [*blocks, kit.actions(kit.ask_buttons(buttons))] if buttons else blocks


def is_comparison_shortened(report: UsageComparison, by: str) -> bool:
    """Whether the message leaves something out, so that everything has to go into a file."""
    return len(_rows(report, by)) > MOST_ROWS or len(report.by_log) > MOST_LOGS


def signed_bytes(change: float) -> str:
    """`+5.40 GB`, `−12 B`."""
    return f"{'+' if change >= 0 else '−'}{formatting.format_bytes(abs(change))}"


def _who(report: UsageComparison) -> str:
    accounts = formatting.join_words(list(report.accounts), 5)
    if not report.organisation:
        return accounts
    return f"{accounts} ({formatting.sanitise(report.organisation, 80)})"


def _headline(report: UsageComparison) -> str:
    if report.change is None:
        return _not_comparable(report)
    if not report.change:
        return "No change"
    per = f" a {report.unit}" if report.unit else ""
    if report.change_percent is None:
        return f"{signed_bytes(report.change)}{per}"
    return f"{formatting.change(report.change_percent)} ({signed_bytes(report.change)}{per})"


def _not_comparable(report: UsageComparison) -> str:
    """Both totals and how many days have no data, where these are why nothing is compared."""
    days = len({day for _, day in report.gaps})
    if (
        not days
        or report.bytes is None
        or report.before_bytes is None
        or report.comparison.obstacle
    ):
        return "Not comparable"
    totals = f"{formatting.format_bytes(report.bytes)} vs. {formatting.format_bytes(report.before_bytes)}"
    return f"{totals}, not comparable: {formatting.pluralise(days, 'day')} without data"


def _facts(report: UsageComparison) -> list[tuple[str, str]]:
    """Both totals by their windows, and both averages where the windows differ in length."""
    comparison = report.comparison
    facts = [
        (comparison.current_label, _total(report.current, report.bytes)),
        (comparison.previous_label, _total(report.previous, report.before_bytes)),
    ]
    if len(report.current) != len(report.previous) and report.mean is not None:
        facts.append(("Daily average", _averages(report, report.mean)))
    return facts


def _averages(report: UsageComparison, mean: float) -> str:
    before = report.before_mean
    shown = formatting.format_bytes(mean)
    if before is None:
        return shown
    shown = f"{shown} vs. {formatting.format_bytes(before)}"
    # Days without data make an average of the others, not one that can be compared.
    if not before or not report.is_comparable:
        return shown
    return f"{shown} ({formatting.change(100 * (mean - before) / before)})"


def _total(by_day: Mapping[date, int | None], total: int | None) -> str:
    days = formatting.pluralise(len(by_day), "day")
    if total is None:
        return f"no data in {days}"
    listed = sum(usage is not None for usage in by_day.values())
    of = f"{listed:,} of {days}" if listed < len(by_day) else days
    return f"{formatting.format_bytes(total)} in {of}"


def _sentences(report: UsageComparison) -> list[str]:
    """What is compared, or why nothing is."""
    comparison = report.comparison
    if comparison.obstacle:
        instead = f"Ask for “{comparison.instead}” to compare what is over."
        return [comparison.obstacle, instead] if comparison.instead else [comparison.obstacle]
    if report.gaps:
        several = len(report.accounts) > 1
        days = [
            f"{formatting.format_day(day, report.today)}{f' of {account}' if several else ''}"
            for account, day in report.gaps
        ]
        return [f"No data (not zero) for {formatting.join_words(days, MOST_GAPS)}."]
    return [comparison.basis]


def _explained(report: UsageComparison) -> str:
    """The logs, or else the accounts, with the largest changes, and all others together."""
    found = report.by_log or report.by_account
    if report.change is None or not found:
        return ""
    named = [
        f"{formatting.sanitise(each.name, 60)} {signed_bytes(each.change)}"
        for each in found[:MOST_NAMED]
        if each.change
    ]
    rest = report.change - sum(each.change for each in found[:MOST_NAMED])
    # Less than a hundredth of the change explains nothing.
    is_little = abs(rest) < max(1, abs(report.change) / 100)
    others = "" if is_little else f"; all others {signed_bytes(rest)}"
    per = f" a {report.unit}" if report.unit else ""
    return f"Biggest changes{per}: {', '.join(named)}{others}." if named else ""


def _contributors(
    report: UsageComparison,
) -> list[tuple[str, Sequence[Contribution]]]:
    tables = [("By account", report.by_account), ("By log", report.by_log)]
    # Where no change is shown, rows in its order would look unordered.
    order = None if report.is_comparable else _largest_first
    return [
        (title, sorted(found, key=order) if order else found) for title, found in tables if found
    ]


def _largest_first(each: Contribution) -> tuple[int, str]:
    return -each.current, each.name


def _contribution(each: Contribution, report: UsageComparison) -> str:
    sizes = f"{formatting.format_bytes(each.current)} vs. {formatting.format_bytes(each.previous)}"
    change = f", {signed_bytes(each.change)}" if report.is_comparable else ""
    return f"{each.name} {sizes}{change}"


def _more(found: Sequence[Contribution]) -> str:
    more = len(found) - MOST_LOGS
    return f" … and {more:,} more" if more > 0 else ""


def _contribution_table(
    title: str, found: Sequence[Contribution], report: UsageComparison
) -> Block:
    comparison = report.comparison
    head = [title.removeprefix("By ").capitalize(), *series_names(comparison, UTC)]
    if report.is_comparable:
        head += [f"Change a {report.unit}" if report.unit else "Change", "Share"]
    rows = []
    for each in found[:MOST_LOGS]:
        row: list[object] = [
            formatting.truncate(each.name, 80),
            (each.current, formatting.format_bytes(each.current)),
            (each.previous, formatting.format_bytes(each.previous)),
        ]
        if report.is_comparable:
            share = each.share
            shown = "–" if share is None else (round(share, 1), formatting.percent(share))
            row += [(round(each.change), signed_bytes(each.change)), shown]
        rows.append(row)
    return kit.data_table(
        f"Usage {title[0].lower()}{title[1:]}", head, rows, page_size=ROWS_AT_ONCE
    )


def _rows(report: UsageComparison, by: str) -> list[_Row]:
    """The days of both windows side by side, by day, week or month; none where averages of different
    lengths are compared.
    """
    if report.unit or report.comparison.obstacle:
        return []
    if by == "month":
        return _month_rows(report)
    return _chunks(report, 7 if by == "week" else 1)


def _month_rows(report: UsageComparison) -> list[_Row]:
    pairs = zip_longest(buckets(report.current, "month"), buckets(report.previous, "month"))
    return [
        _Row(now[0], now[2], then[0], then[2], now[3] + then[3])
        for now, then in pairs
        if now and then
    ]


def _chunks(report: UsageComparison, length: int) -> list[_Row]:
    """Rows of so many days, as far as both windows go."""
    current = list(report.current.items())
    previous = list(report.previous.items())
    shared = min(len(current), len(previous))
    rows = []
    for at in range(0, shared, length):
        now = current[at : min(at + length, shared)]
        then = previous[at : min(at + length, shared)]
        missing = sum(usage is None for _, usage in (*now, *then))
        is_part = len(now) < length
        rows.append(_Row(now[0][0], _sum(now), then[0][0], _sum(then), missing, is_part))
    return rows


def _sum(days: Sequence[tuple[date, int | None]]) -> int | None:
    listed = [usage for _, usage in days if usage is not None]
    return sum(listed) if listed else None


def _row_change(row: _Row) -> object:
    """The change as a number with its text, so that the column is sorted and aligned by it."""
    if row.missing or row.current is None or row.previous is None:
        return "–"
    if not row.previous:
        return signed_bytes(row.current)
    percent = 100 * (row.current - row.previous) / row.previous
    return round(percent, 1), formatting.change(percent)


def _day(day: date, by: str, today: date) -> str:
    return f"{day:%B %Y}" if by == "month" else formatting.format_day(day, today)


def _row_text(row: _Row, by: str, today: date) -> str:
    return (
        f"{_day(row.first, by, today)} {_size(row.current)} vs. "
        f"{_day(row.previous_first, by, today)} {_size(row.previous)}"
    )


def _size(usage: int | None) -> str:
    return "no data" if usage is None else formatting.format_bytes(usage)


def _cell(usage: int | None) -> object:
    return _size(usage) if usage is None else (usage, _size(usage))


def _table(rows: Sequence[_Row], by: str, report: UsageComparison) -> Block:
    unit = "Week from" if by == "week" else by.capitalize()
    cells = [
        [
            _day(row.first, by, report.today),
            _cell(row.current),
            _day(row.previous_first, by, report.today),
            _cell(row.previous),
            _row_change(row),
        ]
        for row in reversed(rows[-MOST_ROWS:])
    ]
    head = [unit, "Usage", "Compared with", "Usage then", "Change"]
    return kit.data_table(f"Usage by {by}, compared", head, cells, page_size=ROWS_AT_ONCE)


def _chart(report: UsageComparison) -> Block | None:
    """Both windows side by side, in at most twenty steps of equal length."""
    if report.unit or report.comparison.obstacle:
        return None
    shared = min(len(report.current), len(report.previous))
    length = 1 if shared <= kit.MOST_POINTS else -(-shared // kit.MOST_POINTS)
    # Steps of whole weeks hold the same weekdays.
    length = length if length == 1 else -(-length // 7) * 7
    rows = _chunks(report, length)
    if len(rows) < 2 or report.bytes is None or report.before_bytes is None:
        return None
    factor, axis = kit.scale([usage or 0 for row in rows for usage in (row.current, row.previous)])
    names = series_names(report.comparison, UTC)
    values = [[row.current for row in rows], [row.previous for row in rows]]
    return kit.chart(
        "Data usage compared, by day" if length == 1 else f"Data usage compared, per {length} days",
        kind="bar",
        series=[
            (name, [round((usage or 0) / factor, 3) for usage in column])
            for name, column in zip(names, values, strict=True)
        ],
        labels=[formatting.short_day(row.first, report.today) + _mark(row) for row in rows],
        unit=axis,
    )


def _mark(row: _Row) -> str:
    """What a label says of bars that are empty, or lack some of their days."""
    if row.current is None or row.previous is None:
        return NO_DATA
    return kit.PART if row.missing or row.is_part else ""


def _notes(report: UsageComparison, by: str) -> list[str]:
    notes = []
    if (more := len(_rows(report, by)) - MOST_ROWS) > 0:
        notes.append(
            f"The table shows the last {MOST_ROWS} rows … and {more:,} more; the file has them all."
        )
    if len(report.by_log) > MOST_LOGS:
        notes.append(
            f"The {MOST_LOGS} logs with the largest changes are shown … and "
            f"{len(report.by_log) - MOST_LOGS:,} more."
        )
    if len(report.current) != len(report.previous) and not report.unit and _rows(report, by):
        shared = min(len(report.current), len(report.previous))
        notes.append(f"Chart and table show the first {shared} days of both.")
    return notes
