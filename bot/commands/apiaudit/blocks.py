"""An audit report in words and blocks: one vocabulary for both vendors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType

from bot import formatting
from bot.answer import Block
from bot.blocks import kit
from bot.commands.apiaudit.listing import list_notes, list_table, list_text
from bot.commands.apiaudit.report import AuditReport, Tally
from bot.questions.windows import ParsedWindow, zone_name
from providers.models import ApiCall

TOP = 10
MOST_WARNINGS = 9


def audit_text(
    report: AuditReport, window: ParsedWindow, *, zone: tzinfo, warnings: Sequence[str] = ()
) -> str:
    """The whole answer in words. What is missing comes first: `warnings` name the accounts that
    are.
    """
    lines = [formatting.sanitise(line, 400) for line in (*warnings, *_shortcomings(report))]
    lines.append(f"{', '.join(report.accounts)}: {_headline(report)} – {window.said}.")
    lines += [f"{name}: {value}." for name, value in _facts(report)]
    lines += [formatting.sanitise(finding) for finding in report.findings()]
    for name, tallies, most in _tables(report):
        named = [
            f"{formatting.sanitise(t.name or 'unnamed', 80)} {_counted(t, report)}" for t in tallies
        ]
        lines.append(f"{name}: {formatting.join_words(named, most)}.")
    if report.listed:
        # Before the calls, as Slack may cut the text behind them.
        lines += list_notes(report, zone, window.now)
        lines += list_text(report.listed, zone, window.now)
    elif report.latest_failures and not report.groups:
        lines.append(
            "Latest failures: "
            + "; ".join(_one_line(call, zone, window.now) for call in report.latest_failures)
            + "."
        )
    return "\n".join(
        [*lines, *(formatting.sanitise(note, 400) for note in _notes(report, zone, window.now))]
    )


def audit_blocks(
    report: AuditReport,
    window: ParsedWindow,
    *,
    zone: tzinfo,
    buttons: list[tuple[str, str]],
    warnings: Sequence[str] = (),
) -> list[Block]:
    """The answer as blocks: what is missing, headline, facts, when, who, what, the latest failures,
    what else to know.
    """
    accounts = " ".join(kit.code(account) for account in report.accounts)
    missing = [
        kit.with_code(formatting.sanitise(line, 280))
        for line in (*warnings, *_shortcomings(report))
    ]
    blocks = (
        [kit.section("\n".join(f":warning: {line}" for line in missing[:MOST_WARNINGS]))]
        if missing
        else []
    )
    blocks += [kit.header(_headline(report)), kit.context(f"{accounts} · {kit.span(window)}")]
    if facts := _facts(report):
        blocks.append(kit.fields((name, kit.escaped(value)) for name, value in facts))
    if findings := report.findings():
        blocks.append(
            kit.section(
                "\n".join(f"• {kit.escaped(formatting.sanitise(f, 300))}" for f in findings)
            )
        )
    if report.calls > report.untimed and not report.listed:
        blocks.append(_chart(report, zone, window.now))
    blocks += [
        _tally_table(caption, _COLUMN.get(caption, caption), tallies[:most], report)
        for caption, tallies, most in _tables(report)
    ]
    if report.listed:
        blocks.append(list_table(report.listed, zone, window.now))
    elif report.latest_failures and not report.groups:
        blocks.append(_failure_table(report, zone, window.now))
    listed = list_notes(report, zone, window.now) if report.listed else []
    notes = [
        kit.with_code(formatting.sanitise(note, 400))
        for note in (*listed, *_notes(report, zone, window.now))
    ]
    if notes:
        blocks.append(kit.context(*notes[:10]))
    return [*blocks, kit.actions(kit.ask_buttons(buttons))] if buttons else blocks


Tables = list[tuple[str, Sequence[Tally], int]]


def _tables(report: AuditReport) -> Tables:
    """The tables of counts with their captions, and how many rows each shows: those that were asked
    for, or else who and what, where the calls are not listed one by one.
    """
    if report.groups:
        most = MOST_OF_ONE if len(report.groups) == 1 and not report.listed else TOP
        tables = [(GROUP_CAPTIONS[name], tallies, most) for name, tallies in report.groups]
    elif report.listed:
        return []
    else:
        tables = [("Who", report.actors, TOP), ("What", report.actions, TOP)]
    return [(caption, tallies, most) for caption, tallies, most in tables if tallies]


# A table by itself has room for more rows.
MOST_OF_ONE = 50
GROUP_CAPTIONS = MappingProxyType(
    {
        "ip": "By IP address",
        "client": "By client",
        "org": "By organisation",
        "host": "By host",
        "code": "By code",
        "who": "By actor",
        "action": "By action",
        "account": "By account",
    }
)
_COLUMN = MappingProxyType(
    {
        "Who": "Actor",
        "What": "Action",
        "By IP address": "IP address",
        "By client": "Client",
        "By organisation": "Organisation",
        "By host": "Host",
        "By code": "Code",
        "By actor": "Actor",
        "By action": "Action",
        "By account": "Account",
    }
)


def _headline(report: AuditReport) -> str:
    if report.nothing_known:
        return "No data yet"
    if not report.calls:
        return "No call matches" if report.filtered else "No calls"
    if report.all_failed:
        return formatting.pluralise(report.calls, "failed call")
    failed = f"{report.failures:,} failed" if report.failures else "none failed"
    return f"{formatting.pluralise(report.calls, 'call')}, {failed}"


def _facts(report: AuditReport) -> list[tuple[str, str]]:
    facts = []
    if report.calls:
        facts.append(("Actors", f"{len(report.actors):,}"))
    if report.failure_percent is not None and not report.all_failed:
        facts.append(
            (
                "Failed",
                (
                    f"{formatting.percent(report.failure_percent)} of "
                    f"{formatting.pluralise(report.calls - report.unknown, 'call')}"
                ),
            )
        )
    if report.duration_p95_ms is not None:
        facts.append(("95 % took at most", formatting.milliseconds(report.duration_p95_ms)))
    if report.slowest:
        named = [
            (
                f"{formatting.milliseconds(call.duration_ms or 0)} "
                f"{formatting.sanitise(call.action, 60)}"
            )
            for call in report.slowest
        ]
        facts.append(("Slowest", ", ".join(named)))
    if len(report.organisations) > 1:
        named = [
            f"{formatting.sanitise(t.name, 40)} {_counted(t, report)}" for t in report.organisations
        ]
        facts.append(("By organisation", formatting.join_words(named, 5)))
    if len(report.per_account) > 1:
        facts.append(
            ("By account", ", ".join(f"{t.name} {_counted(t, report)}" for t in report.per_account))
        )
    return facts


def _shortcomings(report: AuditReport) -> list[str]:
    """What comes first, since without it the numbers mislead."""
    return [] if report.complete else ["This answer is incomplete.", *report.shortcomings]


def _notes(report: AuditReport, zone: tzinfo, now: datetime) -> list[str]:
    notes = []
    if report.drawn != report.window and report.calls and not report.listed:
        notes.append(
            f"The chart ends at {formatting.format_time(report.drawn.end, zone, now)}, where the "
            "data ends."
        )
    if report.untimed and report.calls and not report.listed:
        notes.append(
            f"{formatting.pluralise(report.untimed, 'call')} without a time inside the chart "
            f"{'counts' if report.untimed == 1 else 'count'} in the totals, not in the chart."
        )
    notes += _group_notes(report)
    more = [
        f"{len(tallies) - TOP:,} more {what}"
        for tallies, what in ((report.actors, "actors"), (report.actions, "actions"))
        if len(tallies) > TOP
    ]
    if more and not report.groups and not report.listed:
        notes.append(
            f"The tables show the top {TOP} … and {' and '.join(more)}; add `csv` for every call."
        )
    shows_failures = not report.groups and not report.listed
    if shows_failures and report.failures > len(report.latest_failures):
        notes.append(
            f"The latest {len(report.latest_failures)} failures are shown … and "
            f"{report.failures - len(report.latest_failures):,} more."
        )
    return [*notes, *report.notes]


def _group_notes(report: AuditReport) -> list[str]:
    """What a table of counts leaves out: values beyond its rows, and calls that have no value."""
    notes = []
    shown = {caption: most for caption, _, most in _tables(report)}
    for name, tallies in report.groups:
        caption = GROUP_CAPTIONS[name]
        column = _COLUMN[caption]
        what = column if column.startswith("IP") else column.lower()
        without = report.calls - sum(tally.calls for tally in tallies)
        if without:
            notes.append(f"{formatting.pluralise(without, 'call')} without a recorded {what}.")
        if (more := len(tallies) - shown.get(caption, 0)) > 0 and tallies:
            notes.append(f"{caption}: the top {shown[caption]} … and {more:,} more.")
    return notes


def _chart(report: AuditReport, zone: tzinfo, now: datetime) -> Block:
    short = report.step < timedelta(days=1)
    by_clock = short and report.window.length <= timedelta(hours=20)
    starts = [bucket.start.astimezone(zone) for bucket in report.timeline]
    labels = [_label(start, zone, now, by_clock=by_clock, by_day=not short) for start in starts]
    calls = [bucket.calls for bucket in report.timeline]
    failed = [bucket.failures for bucket in report.timeline]
    series = [("failed", failed)] if report.all_failed else [("calls", calls), ("failed", failed)]
    what = "Failed calls" if report.all_failed else "Calls"
    title = f"{what} per {_step(report.step)} ({zone_name(zone)})"
    return kit.chart(title, kind="bar", series=series, labels=labels, unit="calls")


def _label(start: datetime, zone: tzinfo, now: datetime, *, by_clock: bool, by_day: bool) -> str:
    if by_clock:
        return f"{start:%H:%M}"
    return (
        formatting.short_day(start, now.astimezone(zone))
        if by_day
        else formatting.format_time(start, zone, now)
    )


def _step(step: timedelta) -> str:
    minutes = int(step.total_seconds() // 60)
    for size, one, many in ((1440, "day", "days"), (60, "hour", "hours"), (1, "minute", "minutes")):
        if minutes % size == 0 and minutes >= size:
            return one if minutes == size else f"{minutes // size} {many}"
    raise AssertionError("steps are whole minutes")


def _tally_table(caption: str, name: str, tallies: Sequence[Tally], report: AuditReport) -> Block:
    counts = ["Failed"] if report.all_failed else ["Calls", "Failed"]
    rows = [
        [
            formatting.truncate(t.name, 60) or "unnamed",
            *((n, f"{n:,}") for n in (t.calls, t.failures)[-len(counts) :]),
        ]
        for t in tallies
    ]
    return kit.data_table(caption, [name, *counts], rows, page_size=5)


def _failure_table(report: AuditReport, zone: tzinfo, now: datetime) -> Block:
    rows = [
        [
            _when(call, zone, now),
            call.account,
            call.actor[:60] or "unnamed",
            call.action[:60],
            call.target[:80],
            call.status,
        ]
        for call in report.latest_failures
    ]
    return kit.data_table(
        f"Latest failures ({zone_name(zone)})",
        ["When", "Account", "Actor", "Action", "Target", "Status"],
        rows,
        page_size=5,
    )


def _one_line(call: ApiCall, zone: tzinfo, now: datetime) -> str:
    parts = (
        _when(call, zone, now),
        call.actor[:60],
        call.action[:60],
        call.target[:80],
        call.status,
    )
    return " ".join(formatting.sanitise(part) for part in parts if part)


def _when(call: ApiCall, zone: tzinfo, now: datetime) -> str:
    return formatting.format_time(call.at, zone, now) if call.at else call.at_text[:30] or "no time"


def _counted(tally: Tally, report: AuditReport) -> str:
    return (
        f"{tally.calls:,} ({tally.failures:,} failed)"
        if tally.failures and not report.all_failed
        else f"{tally.calls:,}"
    )
