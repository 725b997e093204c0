"""The result of a calculation in words and blocks: the number first, then chart and table (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from bot import formatting
from bot.answer import Block
from bot.blocks import kit
from bot.commands.logs.statistic_report import NO_NAME, Group, Slice, StatisticReport, step_of
from bot.questions.windows import ParsedWindow, zone_name

# Series that can be told apart in one chart.
MOST_SERIES = 5
# Slices and groups that are read as words.
MOST_WORDS = 24
# A message has room for 13,000 characters in its blocks; so many are for the names of groups.
NAMES_TEXT = 8000
LONGEST_NAME = 150


def statistic_text(
    report: StatisticReport, window: ParsedWindow, *, zone: tzinfo, query: str
) -> str:
    """The whole answer in words."""
    logs = ", ".join(formatting.sanitise(name, 60) for name in report.logs)
    lines = [f"{logs}: {headline(report)} – {window.label}."]
    if query:
        lines.append(f"Only lines that match {formatting.sanitise(query, 300)}.")
    lines += report.shortcomings()
    lines += [f"{name}: {value}." for name, value in _facts(report, window, zone)]
    if report.groups:
        named = [f"{_name(group, 80)} {_shared(report, group.value)}" for group in report.groups]
        lines.append(f"By {_keys(report)}: {formatting.join_words(named, MOST_WORDS)}.")
    if report.statistic.timeslice:
        lines.append(_slices_in_words(report, window, zone))
    return "\n".join([*lines, *_remarks(report)])


def statistic_blocks(
    report: StatisticReport,
    window: ParsedWindow,
    *,
    zone: tzinfo,
    query: str,
    buttons: list[tuple[str, str]],
) -> list[Block]:
    """The answer as blocks: the number, what is missing, facts, chart, tables, what to ask next."""
    asked = f" · {kit.code(query, 300)}" if query else ""
    logs = " ".join(kit.code(name, 60) for name in report.logs)
    blocks = [
        kit.header(headline(report)),
        kit.context(f"{logs} · {kit.escaped(window.label)}{asked}"),
    ]
    if missing := report.shortcomings():
        text = "\n".join(f":warning: {kit.with_code(formatting.sanitise(m, 300))}" for m in missing)
        blocks.append(kit.section(text))
    if facts := _facts(report, window, zone):
        blocks.append(kit.fields((name, kit.escaped(value)) for name, value in facts))
    blocks += _charts(report, window, zone)
    if report.groups:
        blocks.append(_group_table(report))
    elif report.statistic.timeslice and report.slices:
        blocks.append(_slice_table(report, window, zone))
    if remarks := _remarks(report):
        blocks.append(kit.context(*map(kit.escaped, remarks)))
    return [*blocks, kit.actions(kit.ask_buttons(buttons))] if buttons else blocks


def headline(report: StatisticReport) -> str:
    """The number first: `1,204 lines`, `34.2 average duration`, `5.40 GB`."""
    calculation = report.calculation
    value = report.value
    if value is None:
        return f"No {calculation.label}"
    if calculation.function == "count":
        of_key = f" with {calculation.key}" if calculation.key else ""
        return f"{formatting.pluralise(round(value), 'line')}{of_key}" if value else "No lines"
    if calculation.function == "bytes":
        return formatting.format_bytes(value)
    return f"{number(value)} {calculation.label}"


def number(value: float) -> str:
    """`1,204`, `34.2`, `0.00123`."""
    if abs(value) >= 1e15:
        return f"{value:.3g}"
    if value == int(value):
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3g}"


def slice_label(start: datetime, step: timedelta, zone: tzinfo, now: datetime) -> str:
    """When a slice begins, as precisely as its length asks for."""
    local = start.astimezone(zone)
    day = formatting.short_day(local.date(), now.astimezone(zone).date())
    if step >= timedelta(days=1):
        return day
    time = f"{local:%H:%M:%S}" if step % timedelta(minutes=1) else f"{local:%H:%M}"
    return time if local.date() == now.astimezone(zone).date() else f"{day} {time}"


def _facts(report: StatisticReport, window: ParsedWindow, zone: tzinfo) -> list[tuple[str, str]]:
    facts = []
    if peak := report.peak:
        when = slice_label(peak.start, step_of(report.slices), zone, window.now)
        length = formatting.format_duration(peak.end - peak.start)
        facts.append(("Peak", f"{_value(report, peak.value)} in {length} from {when}"))
    if report.groups:
        more = "more than " if report.has_more_groups else ""
        groups = f"{more}{len(report.groups):,}"
        facts.append((f"Groups by {_keys(report)}", groups))
    if (left := report.others) is not None:
        facts.append(("Not in these groups", _shared(report, left)))
    return facts


def _remarks(report: StatisticReport) -> list[str]:
    remarks = []
    if report.statistic.group_by and not report.groups and report.value:
        remarks.append(f"No line has {_keys(report)}; keys are those of JSON and of key=value.")
    if report.has_more_groups:
        remarks.append(
            f"{len(report.groups):,} groups are shown, and there are more; `top 100` shows more."
        )
    return remarks


def _keys(report: StatisticReport) -> str:
    return ", ".join(report.statistic.group_by)


def _name(group: Group, most: int) -> str:
    return formatting.sanitise(group.name, most) or NO_NAME


def _value(report: StatisticReport, value: float | None) -> str:
    if value is None:
        return "no value"
    if report.calculation.function == "bytes":
        return formatting.format_bytes(value)
    return number(value)


def _shared(report: StatisticReport, value: float | None) -> str:
    """A number, and how much of the whole it is."""
    share = report.share(value)
    shown = _value(report, value)
    return shown if share is None else f"{shown} ({formatting.percent(share)})"


def _slices_in_words(report: StatisticReport, window: ParsedWindow, zone: tzinfo) -> str:
    step = step_of(report.slices)
    named = [
        f"{slice_label(each.start, step, zone, window.now)} {_value(report, each.value)}"
        for each in report.slices
    ]
    every = formatting.format_duration(step)
    return f"By {every} ({zone_name(zone)}): {formatting.join_words(named, MOST_WORDS)}."


def _charts(report: StatisticReport, window: ParsedWindow, zone: tzinfo) -> list[Block]:
    """Groups as bars, where no slices were asked for; otherwise the slices, by group where there are
    groups.
    """
    if report.groups and not report.statistic.timeslice:
        return [_group_chart(report)] if len(report.groups) > 1 else []
    if report.peak is None:
        return []
    shown = report.slices[-kit.MOST_POINTS :]
    labels = _slice_labels(shown, window, zone)
    # A chart has room for so many bars; the table has them all.
    more = len(report.slices) - len(shown)
    title = f"The last {len(shown)} slices" if more else "Over time"
    series = _series(report, shown)
    return [
        kit.chart(
            f"{title} ({zone_name(zone)})",
            kind="bar",
            series=[
                (name, [_scaled(report, value) for value in values]) for name, values in series
            ],
            labels=labels,
            unit=_unit(report),
        )
    ]


def _series(
    report: StatisticReport, shown: Sequence[Slice]
) -> list[tuple[str, list[float | None]]]:
    """The values of the slices, by group where the groups have some."""
    groups = [group for group in report.groups[:MOST_SERIES] if group.slices]
    if not groups:
        return [(_unit(report), [each.value for each in shown])]
    first = len(report.slices) - len(shown)
    return [
        (
            # Numbered, since names that are cut may look the same.
            formatting.truncate(f"{place}. {_name(group, 40)}", kit.LABEL),
            [*group.slices[first : first + len(shown)], *[None] * len(shown)][: len(shown)],
        )
        for place, group in enumerate(groups, start=1)
    ]


def _slice_labels(shown: Sequence[Slice], window: ParsedWindow, zone: tzinfo) -> list[str]:
    step = step_of(shown)
    labels = [slice_label(each.start, step, zone, window.now) for each in shown]
    if len(shown) > 1 and shown[-1].end - shown[-1].start < step:
        labels[-1] += kit.PART
    return labels


def _group_chart(report: StatisticReport) -> Block:
    shown = report.groups[: kit.MOST_POINTS]
    return kit.chart(
        f"By {_keys(report)}",
        kind="bar",
        series=[(_unit(report), [_scaled(report, group.value) for group in shown])],
        labels=[_name(group, 60) for group in shown],
        unit=_unit(report),
    )


def _scaled(report: StatisticReport, value: float | None) -> float:
    """A point of a chart, which has no way to show that there is no value."""
    return (value or 0) / _scale(report)[0]


def _scale(report: StatisticReport) -> tuple[float, str]:
    if report.calculation.function != "bytes":
        return 1, ""
    slices = [each.value or 0 for each in report.slices]
    return kit.scale([*slices, *(group.value or 0 for group in report.groups)])


def _unit(report: StatisticReport) -> str:
    if report.calculation.function == "count":
        return "lines"
    return _scale(report)[1] or formatting.sanitise(report.calculation.label, 50)


def _group_table(report: StatisticReport) -> Block:
    has_shares = any(report.share(group.value) is not None for group in report.groups)
    head = [*report.statistic.group_by, _unit_of_table(report), *(["Share"] if has_shares else [])]
    rows = [_group_row(report, group, has_shares=has_shares) for group in report.groups]
    return kit.data_table(f"By {_keys(report)}", head, rows)


def _group_row(
    report: StatisticReport, group: Group, *, has_shares: bool
) -> list[str | tuple[float, str]]:
    keys = len(report.statistic.group_by)
    # The more groups, the shorter their names.
    most = min(LONGEST_NAME, NAMES_TEXT // (len(report.groups) * keys))
    names = [formatting.sanitise(name, most) or NO_NAME for name in group.names]
    cells: list[str | tuple[float, str]] = [*names[:keys], *[""] * (keys - len(names))]
    cells.append((group.value or 0, _value(report, group.value)))
    if has_shares:
        share = report.share(group.value) or 0
        cells.append((round(share, 3), formatting.percent(share)))
    return cells


def _unit_of_table(report: StatisticReport) -> str:
    function = report.calculation.function
    return {"count": "Lines", "bytes": "Size"}.get(
        function
    ) or report.calculation.label.capitalize()


def _slice_table(report: StatisticReport, window: ParsedWindow, zone: tzinfo) -> Block:
    shown = report.slices[-kit.MOST_TABLE_ROWS :]
    labels = _slice_labels(shown, window, zone)
    rows = [
        [label, (each.value or 0, _value(report, each.value))]
        for label, each in zip(labels, shown, strict=True)
    ]
    head = [f"From ({zone_name(zone)})", _unit_of_table(report)]
    return kit.data_table("Over time", head, rows)
