"""A log report in words and blocks: lines and bytes, levels, timeline, the last lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta, tzinfo

from bot import formatting
from bot.answer import Block
from bot.blocks import kit
from bot.commands.logs.report import LogReport
from bot.questions.windows import ParsedWindow, zone_name

PREVIEW_LINES = 10
# In blocks, so that the answer fits a screen.
SHOWN_LINES = 6
PREVIEW_LINE = 220
# What people look for first in the line of levels.
WORST_LEVELS = ("fatal", "critical", "error")


def logs_text(
    report: LogReport,
    window: ParsedWindow,
    *,
    file_label: str | None,
    query: str,
    warnings: Sequence[str] = (),
) -> str:
    """The whole answer in words."""
    lines = [f"{_names(report)}: {_headline(report)} – {window.label}."]
    if query:
        lines.append(f"Only lines that match {formatting.sanitise(query, 300)}.")
    if report.levels:
        lines.append(f"Levels: {_levels(report)}.")
    lines += report.shortcomings()
    if file_label:
        lines.append(f"The file is {file_label}.")
    lines += report.remarks()
    if report.tail:
        lines += [
            f"{preview_title(report)}:",
            *(formatting.sanitise(line, PREVIEW_LINE) for line in report.tail[-PREVIEW_LINES:]),
        ]
    return "\n".join([*lines, *(formatting.sanitise(warning, 400) for warning in warnings)])


def logs_blocks(
    report: LogReport,
    window: ParsedWindow,
    *,
    zone: tzinfo,
    file_label: str | None,
    query: str,
    buttons: list[tuple[str, str]],
    warnings: Sequence[str] = (),
) -> list[Block]:
    """The answer as blocks: headline, levels, timeline, preview, what is missing, what
    to ask next.
    """
    asked = f" · {kit.code(query, 300)}" if query else ""
    names = " ".join(kit.code(name, 60) for name in report.names)
    blocks = [
        kit.header(_headline(report)),
        kit.context(f"{names} · {kit.escaped(window.label)}{asked}"),
    ]
    notes = report.shortcomings()
    if notes:
        blocks.append(
            kit.section(
                "\n".join(
                    f":warning: {kit.with_code(formatting.sanitise(note, 300))}" for note in notes
                )
            )
        )
    if report.levels:
        blocks.append(kit.section(_levels(report, mark_worst=True)))
    # The newest lines are read one by one, with their times.
    if sum(1 for _, lines in report.timeline if lines) > 1 and not report.is_selection:
        blocks.append(_chart(report, window, zone))
    if report.tail:
        # Whoever asked for the newest fifty wants to read them, and not a preview.
        most = len(report.tail) if report.is_selection else SHOWN_LINES
        shown = kit.fitting_lines(report.tail[-most:], PREVIEW_LINE)
        blocks.append(kit.preview(shown, preview_title(report, len(shown)), most=PREVIEW_LINE))
    small = [kit.entities(remark) for remark in report.remarks()]
    small += [f"File: {_file_in_code(file_label)}"] if file_label else []
    small += [kit.with_code(formatting.sanitise(warning, 400)) for warning in warnings]
    if small:
        blocks.append(kit.context(*small[:10]))
    return [*blocks, kit.actions(kit.ask_buttons(buttons))] if buttons else blocks


def preview_title(report: LogReport, shown: int = PREVIEW_LINES) -> str:
    """`Last 10 of 1,204 lines`; of a log that was cut, `Last 10 of the oldest 100 lines`."""
    shown = min(shown, len(report.tail))
    by_time = ", by time" if len(report.names) > 1 else ""
    if not report.truncated and report.complete and shown >= report.lines:
        return ("The line" if report.lines == 1 else f"All {report.lines:,} lines") + by_time
    which = ""
    if report.truncated:
        which = f"the {report.order.value if report.order else 'first'} "
    elif not report.complete:
        which = "the first "
    last = "Newest" if len(report.names) > 1 else "Last"
    return f"{last} {shown} of {which}{formatting.pluralise(report.lines, 'line')}{by_time}"


def _file_in_code(label: str) -> str:
    """Its name as code, and its size."""
    name, _, size = label.partition(" ")
    return f"{kit.code(name)} {size}".strip()


def _names(report: LogReport) -> str:
    return ", ".join(formatting.sanitise(name, 60) for name in report.names)


def _headline(report: LogReport) -> str:
    if not report.lines:
        return "No lines"
    if report.is_selection and report.order and report.truncated:
        lines = formatting.pluralise(report.lines, "line")
        size = formatting.format_bytes(report.bytes)
        return f"The {report.order.value} {lines}, {size}"
    at_least = "At least " if report.truncated or not report.complete else ""
    return (
        f"{at_least}{formatting.pluralise(report.lines, 'line')}, "
        f"{formatting.format_bytes(report.bytes)}"
    )


def _levels(report: LogReport, *, mark_worst: bool = False) -> str:
    """`error 91, warn 125, info 2,013`: in one line, so that the chart is on the first screen of a
    phone.
    """
    shown = [
        f"*{level} {lines:,}*" if mark_worst and level in WORST_LEVELS else f"{level} {lines:,}"
        for level, lines in report.levels.items()
    ]
    return (" · " if mark_worst else ", ").join(shown)


def _chart(report: LogReport, window: ParsedWindow, zone: tzinfo) -> Block:
    form = (
        "%H:%M"
        if report.step < timedelta(hours=2)
        else "%d %b %H:%M"
        if report.step < timedelta(days=1)
        else "%d %b"
    )
    year = (
        ""
        if not report.timeline
        or report.timeline[0][0].astimezone(zone).year == window.now.astimezone(zone).year
        else " %Y"
    )
    labels = [
        start.astimezone(zone).strftime(form.replace("%b", f"%b{year}"))
        for start, _ in report.timeline
    ]
    starts = [start for start, _ in report.timeline]
    labels = kit.mark_parts(labels, starts, report.step, window.window.start, window.window.end)
    return kit.chart(
        f"Lines over time ({zone_name(zone)})",
        kind="bar",
        series=[("lines", [n for _, n in report.timeline])],
        labels=labels,
        unit="lines",
    )
