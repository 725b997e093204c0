"""A comparison of API calls as text and blocks: the change, both totals, and what explains it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta, tzinfo

from bot import formatting
from bot.answer import Block
from bot.blocks import kit
from bot.blocks.comparisons import series_names
from bot.commands.apiaudit.blocks import COLUMNS, GROUP_CAPTIONS, step_label
from bot.commands.apiaudit.comparison import AuditComparison, CallChange
from bot.questions.windows import zone_name

# So many changes are named in words, and so many are in a table.
MOST_NAMED = 3
MOST_ROWS = 10


def comparison_text(
    report: AuditComparison, *, missing: Sequence[str] = (), notes: Sequence[str] = ()
) -> str:
    """The whole answer as text. What is missing comes first."""
    accounts = formatting.join_words(list(report.accounts), len(report.accounts))
    lines = [formatting.sanitise(line, 400) for line in missing]
    lines.append(f"{accounts}: {_headline(report)} – {report.comparison.label}.")
    lines += [f"{name}: {value}." for name, value in _facts(report)]
    lines += _sentences(report)
    for name, found in report.groups:
        rows = [_change_text(each, report) for each in found[:MOST_ROWS]]
        lines.append(f"{GROUP_CAPTIONS[name]}: {'; '.join(rows)}{_more(found)}.")
    return "\n".join([*lines, *(formatting.sanitise(note, 400) for note in notes)])


def comparison_blocks(
    report: AuditComparison,
    *,
    zone: tzinfo,
    buttons: Sequence[tuple[str, str]],
    missing: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> list[Block]:
    """The answer as blocks: what is missing, the change, both totals, what explains it, chart and
    tables.
    """
    accounts = " ".join(kit.code(account) for account in report.accounts)
    blocks = [
        *kit.warnings(missing),
        kit.header(_headline(report)),
        kit.context(f"{accounts} · {kit.escaped(report.comparison.label)}"),
        kit.fields((name, kit.escaped(value)) for name, value in _facts(report)),
        kit.section("\n".join(f"• {kit.escaped(line)}" for line in _sentences(report))),
    ]
    if chart := _chart(report, zone):
        blocks.append(chart)
    names = series_names(report.comparison, zone)
    shown = _shown_groups(report)
    blocks += [_table(name, found, report, names) for name, found in shown]
    more = [f"{GROUP_CAPTIONS[name]}{_more(found)}." for name, found in shown if _more(found)]
    if lines := [*more, *notes]:
        blocks.append(
            kit.context(*(kit.with_code(formatting.sanitise(line, 400)) for line in lines[:10]))
        )
    return [*blocks, kit.actions(kit.ask_buttons(buttons))] if buttons else blocks


def _shown_groups(report: AuditComparison) -> Sequence[tuple[str, Sequence[CallChange]]]:
    """The tables that were asked for, or else that of the actors: the sentences name the largest
    changes of the other groups, and a button shows all of them.
    """
    if report.asked_by:
        return report.groups
    return [group for group in report.groups if group[0] == "who"]


def _headline(report: AuditComparison) -> str:
    if report.change is None:
        return "Not comparable"
    if not report.current.calls and not report.previous.calls:
        return f"No {'call matches' if report.filtered else 'calls'} in either window"
    if not report.change:
        return "No change in the number of calls"
    change = _signed(report.change, report.comparison.unit)
    if report.change_percent is None:
        return change
    return f"{formatting.change(report.change_percent)} ({change})"


def _signed(change: float, unit: str = "") -> str:
    """`+309 calls`, `−1 call`, `+0.4 calls an hour`."""
    if not unit:
        sign = "+" if change >= 0 else "−"
        return f"{sign}{formatting.pluralise(abs(round(change)), 'call')}"
    return f"{_number(change, unit)} calls {'an' if unit == 'hour' else 'a'} {unit}"


def _number(change: float, unit: str) -> str:
    shown = f"{abs(change):,.1f}" if unit else f"{abs(round(change)):,}"
    if not float(shown.replace(",", "")):
        return "0"
    return f"{'+' if change > 0 else '−'}{shown}"


def _facts(report: AuditComparison) -> list[tuple[str, str]]:
    """Both totals by their windows, then what else has changed."""
    comparison = report.comparison
    current = report.current
    previous = report.previous
    facts = []
    for label, numbers in (
        (comparison.current_label, current),
        (comparison.previous_label, previous),
    ):
        failed = f", {numbers.failures:,} failed" if numbers.failures else ", none failed"
        shown = f"{formatting.pluralise(numbers.calls, 'call')}{failed}"
        if _failures_alone(report):
            shown = formatting.pluralise(numbers.calls, "failed call")
        facts.append((label, shown))
    shares = (current.failure_percent, previous.failure_percent)
    is_mixed = {current.failures, previous.failures} != {0} and not _failures_alone(report)
    if is_mixed and shares[0] is not None and shares[1] is not None:
        facts.append(
            ("Failed", f"{formatting.percent(shares[0])} vs. {formatting.percent(shares[1])}")
        )
    facts.append(("Actors", f"{current.actors:,} vs. {previous.actors:,}"))
    latencies = (current.duration_p95_ms, previous.duration_p95_ms)
    if latencies[0] is not None and latencies[1] is not None:
        shown = " vs. ".join(
            formatting.milliseconds(each) for each in latencies if each is not None
        )
        facts.append(("p95 latency", shown))
    return facts


def _failures_alone(report: AuditComparison) -> bool:
    """Whether all calls are failures: only failures were requested, or nothing else happened."""
    return all(each.calls == each.failures for each in (report.current, report.previous))


def _sentences(report: AuditComparison) -> list[str]:
    """What is compared, or why nothing is, and the biggest changes."""
    if report.obstacle:
        return [report.obstacle]
    lines = [report.comparison.basis]
    for name, found in report.groups:
        changed = [each for each in found[:MOST_NAMED] if each.change]
        if not changed:
            continue
        named = [
            f"{_name(each)} {_number(each.change, report.comparison.unit)}" for each in changed
        ]
        rest = (report.change or 0) - sum(each.change for each in changed)
        others = ""
        if abs(rest) >= (0.05 if report.comparison.unit else 1):
            others = f"; all others {_number(rest, report.comparison.unit)}"
        lines.append(f"Biggest changes {_by(name)}: {', '.join(named)}{others}.")
    return lines


def _by(name: str) -> str:
    caption = GROUP_CAPTIONS[name]
    return f"b{caption[1:]}"


def _name(each: CallChange) -> str:
    return formatting.sanitise(each.name, 60) or "unnamed"


def _change_text(each: CallChange, report: AuditComparison) -> str:
    change = f" ({_number(each.change, report.comparison.unit)})" if report.is_comparable else ""
    return f"{_name(each)} {each.current:,} vs. {each.previous:,}{change}"


def _more(found: Sequence[CallChange]) -> str:
    more = len(found) - MOST_ROWS
    return f": the top {MOST_ROWS} … and {more:,} more" if more > 0 else ""


def _table(
    name: str, found: Sequence[CallChange], report: AuditComparison, names: tuple[str, str]
) -> Block:
    caption = GROUP_CAPTIONS[name]
    comparison = report.comparison
    head = [COLUMNS[caption], *names]
    if report.is_comparable:
        unit = f" per {comparison.unit}" if comparison.unit else ""
        head.append(f"Change{unit}")
    head += ["Failed", "Failed before"]
    rows = []
    for each in found[:MOST_ROWS]:
        change = [(round(each.change, 1), _number(each.change, comparison.unit))]
        rows.append(
            [
                formatting.truncate(each.name, 60) or "unnamed",
                (each.current, f"{each.current:,}"),
                (each.previous, f"{each.previous:,}"),
                *(change if report.is_comparable else []),
                (each.current_failures, f"{each.current_failures:,}"),
                (each.previous_failures, f"{each.previous_failures:,}"),
            ]
        )
    return kit.data_table(caption, head, rows, page_size=3)


def _chart(report: AuditComparison, zone: tzinfo) -> Block | None:
    """Calls of both windows side by side, in equal steps. None where a chart would have one bar."""
    if len(report.bars) < 2 or not any(a or b for a, b in report.bars):
        return None
    comparison = report.comparison
    current, previous = series_names(comparison, zone)
    start = comparison.current.window.start.astimezone(zone)
    today = comparison.current.now.astimezone(zone).date()
    labels = []
    for number in range(len(report.bars)):
        begin = (comparison.current.window.start + number * report.step).astimezone(zone)
        if report.step >= timedelta(days=1):
            labels.append(formatting.short_day(begin.date(), today))
        elif (
            comparison.current.window.length <= timedelta(hours=24) and start.date() == begin.date()
        ):
            labels.append(f"{begin:%H:%M}")
        else:
            labels.append(f"{formatting.short_day(begin.date(), today)} {begin:%H:%M}")
    return kit.chart(
        f"Calls compared per {step_label(report.step)} ({zone_name(zone)})",
        kind="bar",
        series=[(current, [a for a, _ in report.bars]), (previous, [b for _, b in report.bars])],
        labels=labels,
        unit="calls",
    )
