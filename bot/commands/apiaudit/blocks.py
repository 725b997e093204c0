"""An audit report as text and blocks, in the same terms for all vendors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType

from bot import formatting
from bot.answer import Block
from bot.blocks import kit
from bot.commands.apiaudit.listing import (
    common_host,
    list_notes,
    list_table,
    list_text,
    without_host,
)
from bot.commands.apiaudit.new_values import new_blocks, new_notes, new_text
from bot.commands.apiaudit.report import AuditReport, Tally
from bot.questions.windows import ParsedWindow, zone_name
from providers.models import ApiCall

TOP = 10
# Tables show a few rows at a time, so that the answer fits a screen.
ROWS_AT_ONCE = 3
# What is listed in a line or two beside the tables.
SHORT = 3
BY_ACTION = "By action"
ACTORS = "Actors"


def audit_text(
    report: AuditReport, window: ParsedWindow, *, zone: tzinfo, warnings: Sequence[str] = ()
) -> str:
    """The whole answer as text. What is missing comes first; `warnings` name the accounts."""
    lines = [formatting.sanitise(line, 400) for line in (*warnings, *_shortcomings(report))]
    lines.append(f"{', '.join(report.accounts)}: {_headline(report)} – {window.label}.")
    lines += [f"{name}: {value}." for name, value in (*_facts(report), *_slowest(report))]
    lines += [formatting.sanitise(finding) for finding in report.findings()]
    lines += new_text(report, zone, window.now)
    for name, tallies, most in _tables(report):
        named = [
            f"{formatting.sanitise(t.name or 'unnamed', 80)} {_counted(t, report)}" for t in tallies
        ]
        lines.append(f"{name}: {formatting.join_words(named, most)}.")
    if report.listed:
        # Before the calls, as Slack may cut the text after them.
        lines += list_notes(report, zone, window.now)
        lines += list_text(report.listed, zone, window.now)
    elif _is_short(report):
        lines.append(
            "Latest failures: "
            + "; ".join(_one_line(call, zone, window.now) for call in report.latest_failures)
            + "."
        )
    notes = [*_notes(report, zone, window.now), *_unlisted_failures(report)]
    return "\n".join([*lines, *(formatting.sanitise(note, 400) for note in notes)])


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
    blocks = [
        *kit.warnings([*warnings, *_shortcomings(report)]),
        kit.header(_headline(report)),
        kit.context(f"{accounts} · {kit.escaped(window.label)}"),
    ]
    if facts := _shown_facts(report):
        blocks.append(kit.fields((name, kit.escaped(value)) for name, value in facts))
    if findings := report.findings():
        blocks.append(
            kit.section(
                "\n".join(f"• {kit.with_code(formatting.sanitise(f, 300))}" for f in findings)
            )
        )
    # One bar alone says no more than the headline.
    if sum(1 for bucket in report.timeline if bucket.calls) > 1 and not report.listed:
        blocks.append(_chart(report, zone, window.now))
    blocks += new_blocks(report, zone, window.now)
    blocks += [
        _tally_table(caption, COLUMNS.get(caption, caption), tallies[:most], report)
        for caption, tallies, most in _tables(report)
        # Their names are among the facts already, and the failures need the room.
        if caption != BY_ACTION or not _is_short(report)
    ]
    if report.listed:
        blocks.append(list_table(report.listed, zone, window.now))
    elif _is_short(report):
        blocks.append(_failure_list(report, zone, window.now))
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
    """The tables of counts with their captions and numbers of rows: the requested ones, or, if the
    calls are not listed one by one, who and what.
    """
    if report.groups:
        most = MOST_OF_ONE if len(report.groups) == 1 and not report.listed else TOP
        tables = [(GROUP_CAPTIONS[name], tallies, most) for name, tallies in report.groups]
    elif report.listed or report.new:
        return []
    else:
        tables = [
            ("By actor", _ranked(report.actors), TOP),
            (BY_ACTION, _ranked(report.actions), TOP),
        ]
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
        "action": BY_ACTION,
        "account": "By account",
    }
)
COLUMNS = MappingProxyType(
    {
        "By IP address": "IP address",
        "By client": "Client",
        "By organisation": "Organisation",
        "By host": "Host",
        "By code": "Code",
        "By actor": "Actor",
        BY_ACTION: "Action",
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
    calls = formatting.pluralise(report.calls, "call")
    if not report.failures:
        return f"{calls}, none failed"
    # Where the outcome of some is unknown, the share is not one of these calls.
    share = f" ({formatting.percent(report.failure_percent or 0)})" if not report.unknown else ""
    return f"{calls}, {report.failures:,} failed{share}"


def _facts(report: AuditReport) -> list[tuple[str, str]]:
    """The numbers of the answer by label, failures first."""
    facts = []
    if report.failure_percent is not None and report.unknown:
        calls = formatting.pluralise(report.known, "call")
        facts.append(("Failed", f"{formatting.percent(report.failure_percent)} of {calls}"))
    if report.calls:
        facts.append((ACTORS, f"{len(report.actors):,}"))
    if report.duration_p95_ms is not None:
        facts.append((_latency_label(report), formatting.milliseconds(report.duration_p95_ms)))
    if len(report.organisations) > 1:
        organisations = [_named_count(t, report) for t in _ranked(report.organisations)]
        facts.append(("By organisation", formatting.join_words(organisations, 5)))
    if len(report.per_account) > 1:
        accounts = [_named_count(t, report) for t in _ranked(report.per_account)]
        facts.append(("By account", ", ".join(accounts)))
    return facts


def _shown_facts(report: AuditReport) -> list[tuple[str, str]]:
    """The facts that no table of the answer shows."""
    if not _is_short(report):
        return [*_facts(report), *_slowest(report)]
    facts = [(name, value) for name, value in _facts(report) if name != ACTORS]
    return [*facts, *_top_actions(report)]


def _latency_label(report: AuditReport) -> str:
    """The label of latencies. It names the accounts whose calls have a duration if some have none."""
    # Vendors without durations would seem fast.
    names = [name for name in report.accounts if name in report.accounts_with_durations]
    if len(names) == len(report.accounts):
        return "p95 latency"
    return f"p95 latency ({', '.join(names)} only)"


def _slowest(report: AuditReport) -> list[tuple[str, str]]:
    calls = [
        f"{formatting.sanitise(call.action, 60)} {formatting.milliseconds(call.duration_ms or 0)}"
        for call in report.slowest
    ]
    return [("Slowest", ", ".join(calls))] if calls else []


def _top_actions(report: AuditReport) -> list[tuple[str, str]]:
    names = [
        f"{formatting.sanitise(tally.name, 40) or 'unnamed'} {tally.calls:,}"
        for tally in report.actions
    ]
    return [("Top actions", formatting.join_words(names, SHORT))]


def _ranked(tallies: Sequence[Tally]) -> tuple[Tally, ...]:
    """The most failures first, then the most calls."""
    return tuple(sorted(tallies, key=lambda tally: (-tally.failures, -tally.calls, tally.name)))


def _named_count(tally: Tally, report: AuditReport) -> str:
    return f"{formatting.sanitise(tally.name, 40)} {_counted(tally, report)}"


def _is_short(report: AuditReport) -> bool:
    """Whether the latest failures take the place of the table of actions: where calls failed, and
    nothing else was asked for.
    """
    return bool(report.failures) and not report.groups and not report.listed and not report.new


def _failure_list(report: AuditReport, zone: tzinfo, now: datetime) -> Block:
    """The latest failures, a line each."""
    head = formatting.pluralise(report.failures, "failure")
    if report.failures > SHORT:
        head = f"Latest {SHORT} of {head}"
    shown = report.latest_failures[:SHORT]
    host = common_host(shown)
    if host:
        head += f" (paths on {kit.escaped(host)})"
    lines = [kit.escaped(_one_line(call, zone, now, host)) for call in shown]
    return kit.section("\n".join([f"*{head}*", *lines]))


def _shortcomings(report: AuditReport) -> list[str]:
    """What is shown first, because the numbers are misleading without it."""
    return [] if report.complete else ["This answer is incomplete.", *report.shortcomings]


def _notes(report: AuditReport, zone: tzinfo, now: datetime) -> list[str]:
    notes = []
    if report.lists_slowest and report.calls and not report.listed:
        notes.append("None of these calls has a duration, so the slowest are not known.")
    if report.drawn != report.window and report.calls and not report.listed:
        notes.append(
            f"The chart ends at {formatting.format_time(report.drawn.end, zone, now)}, where the "
            "data ends."
        )
    if report.untimed and report.calls and not report.listed:
        notes.append(
            f"{formatting.pluralise(report.untimed, 'call')} without a time inside the chart "
            f"{'counts' if report.untimed == 1 else 'count'} in the totals only."
        )
    notes += [f"{note[0].upper()}{note[1:]}." for note in new_notes(report)]
    notes += _group_notes(report)
    more = [
        formatting.pluralise(len(tallies) - TOP, what)
        for tallies, what in ((report.actors, "more actor"), (report.actions, "more action"))
        if len(tallies) > TOP
    ]
    if more and not report.groups and not report.listed and not report.new:
        notes.append(f"Not shown: {' and '.join(more)}; add `csv` for every call.")
    return [*notes, *report.notes]


def _unlisted_failures(report: AuditReport) -> list[str]:
    """How many failures are not in the list of the latest."""
    more = report.failures - len(report.latest_failures)
    if more <= 0 or not _is_short(report):
        return []
    return [f"{formatting.pluralise(more, 'earlier failure')} not shown."]


def _group_notes(report: AuditReport) -> list[str]:
    """What a table of counts leaves out: values beyond its rows, and calls that have no value."""
    notes = []
    shown = {caption: most for caption, _, most in _tables(report)}
    for name, tallies in report.groups:
        caption = GROUP_CAPTIONS[name]
        column = COLUMNS[caption]
        what = column if column.startswith("IP") else column.lower()
        without = report.calls - sum(tally.calls for tally in tallies)
        if without:
            notes.append(f"{formatting.pluralise(without, 'call')} without a recorded {what}.")
        if (more := len(tallies) - shown.get(caption, 0)) > 0 and tallies:
            notes.append(f"{caption}: the top {shown[caption]} … and {more:,} more.")
    return notes


def _chart(report: AuditReport, zone: tzinfo, now: datetime) -> Block:
    short = report.step < timedelta(days=1)
    # In a longer window the same time of day comes twice, so that the bars need their day, too.
    by_clock = short and report.window.length <= timedelta(hours=20)
    starts = [bucket.start.astimezone(zone) for bucket in report.timeline]
    labels = [_label(start, zone, now, by_clock=by_clock, by_day=not short) for start in starts]
    labels = kit.mark_parts(labels, starts, report.step, report.drawn.start, report.drawn.end)
    calls = [bucket.calls for bucket in report.timeline]
    failed = [bucket.failures for bucket in report.timeline]
    # Two equal series would hide that every call failed.
    series = [("failed", failed)] if report.all_failed else [("calls", calls), ("failed", failed)]
    what = "Failed calls" if report.all_failed else "Calls"
    title = f"{what} per {step_label(report.step)} ({zone_name(zone)})"
    return kit.chart(title, kind="bar", series=series, labels=labels, unit="calls")


def _label(start: datetime, zone: tzinfo, now: datetime, *, by_clock: bool, by_day: bool) -> str:
    if by_clock:
        return f"{start:%H:%M}"
    return (
        formatting.short_day(start, now.astimezone(zone))
        if by_day
        else formatting.format_time(start, zone, now)
    )


def step_label(step: timedelta) -> str:
    """`hour`, `15 minutes`, `day`: what follows “per”."""
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
    return kit.data_table(caption, [name, *counts], rows, page_size=ROWS_AT_ONCE)


def _one_line(call: ApiCall, zone: tzinfo, now: datetime, host: str = "") -> str:
    """A call in one line; without the host that the heading names."""
    parts = (
        _when(call, zone, now),
        call.actor[:60],
        call.action[:60],
        without_host(call.target, host)[:80],
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
