"""Values that the days before did not have, as tables and as lines of text (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from bot import formatting
from bot.answer import Block
from bot.blocks import kit
from bot.commands.apiaudit.novelty import KINDS, NewValue
from bot.commands.apiaudit.novelty_words import coverage_notes, nothing_new, plain_name
from bot.commands.apiaudit.report import AuditReport

# So many rows of long values fit into a message, in all and of one kind.
MOST_IN_ALL = 32
MOST_OF_ONE = 20
ROWS_AT_ONCE = 10


def new_text(report: AuditReport, zone: tzinfo, now: datetime) -> list[str]:
    """A line for each kind that was asked for."""
    lines = []
    most = _most_rows(report)
    for name in report.new:
        if new := report.novelty.new.get(name):
            rows = [_in_words(value, zone, now) for value in new]
            listed = formatting.join_words(rows, most)
            lines.append(f"{_caption(name, report)}: {formatting.sanitise(listed)}.")
        else:
            lines.append(nothing_new(report.novelty, name))
    return lines


def new_blocks(report: AuditReport, zone: tzinfo, now: datetime) -> list[Block]:
    """The same as a table for each kind that has new values."""
    found = []
    for name in report.new:
        if new := report.novelty.new.get(name):
            found.append(_table(name, new, report, zone, now))
        else:
            found.append(kit.section(kit.escaped(nothing_new(report.novelty, name))))
    return found


def new_notes(report: AuditReport) -> list[str]:
    """What is missing of the days before, and how many new values are not listed."""
    if not report.new:
        return []
    most = _most_rows(report)
    more = [
        f"{len(new) - most:,} more new {KINDS[name].many}"
        for name in report.new
        if len(new := report.novelty.new.get(name, ())) > most
    ]
    return [*coverage_notes(report.novelty), *more]


def _most_rows(report: AuditReport) -> int:
    """How many new values of a kind are listed."""
    return min(MOST_OF_ONE, MOST_IN_ALL // max(1, len(report.new)))


def _caption(name: str, report: AuditReport) -> str:
    many = KINDS[name].many
    return f"New {many}, not seen in {report.novelty.period}"


def _table(
    name: str, new: Sequence[NewValue], report: AuditReport, zone: tzinfo, now: datetime
) -> Block:
    one = KINDS[name].one
    has_accounts = len(report.accounts) > 1
    # Of an actor it is the address that tells something, of an address the actor.
    by = "First from" if name == "actor" else "First by"
    head = [one[0].upper() + one[1:], *(["Account"] if has_accounts else [])]
    rows = [
        [
            plain_name(value.name),
            *([value.account] if has_accounts else []),
            _when(value, zone, now),
            value.by[:60],
            (value.calls, f"{value.calls:,}"),
            (value.failures, f"{value.failures:,}"),
        ]
        for value in new[: _most_rows(report)]
    ]
    return kit.data_table(
        _caption(name, report),
        [*head, "First seen", by, "Calls", "Failed"],
        rows,
        page_size=ROWS_AT_ONCE,
    )


def _in_words(value: NewValue, zone: tzinfo, now: datetime) -> str:
    by = f", {value.by[:60]}" if value.by else ""
    return (
        f"{plain_name(value.name)} ({formatting.pluralise(value.calls, 'call')}, first "
        f"{_when(value, zone, now)}{by})"
    )


def _when(value: NewValue, zone: tzinfo, now: datetime) -> str:
    return formatting.format_time(value.first, zone, now) if value.first else "no time"
