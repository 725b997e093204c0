"""A usage report as text and blocks."""

from __future__ import annotations

from datetime import date, timedelta

from bot import formatting
from bot.answer import Block
from bot.blocks import kit
from bot.commands.usage.report import Bucket, Comparison, UsageReport, buckets
from bot.questions.windows import ParsedWindow

MOST_ROWS = 40
MOST_LOGS = 12
# With a day of another year it just fits into a label of twenty characters.
NO_DATA = ": no data"
# A table beside a chart of the same numbers shows a few rows at a time.
ROWS_AT_ONCE = 3


def usage_text(
    report: UsageReport, window: ParsedWindow, *, by: str, warnings: tuple[str, ...] = ()
) -> str:
    """The whole answer as text."""
    lines = [f"{_who(report)}: {_headline(report)} – {window.label}."]
    lines += [f"{name}: {value}." for name, value in _facts(report)]
    lines += report.findings()
    lines += _gaps(report)
    shown = buckets(report.by_day, by)
    table = [
        f"{_label(first, last, by, report.today)} {_size(usage, missing)}"
        for first, last, usage, missing in shown[-MOST_ROWS:]
    ]
    more = f"… and {len(shown) - MOST_ROWS:,} before; " if len(shown) > MOST_ROWS else ""
    lines.append(f"By {by}: {more}{'; '.join(table)}.")
    if report.by_log:
        named = [
            f"{formatting.sanitise(name, 60)} {formatting.format_bytes(usage)}"
            for _, name, usage in report.by_log
        ]
        lines.append(f"By log: {formatting.join_words(named, MOST_LOGS)}.")
    return "\n".join([*lines, *(formatting.sanitise(warning, 400) for warning in warnings)])


def usage_blocks(
    report: UsageReport,
    window: ParsedWindow,
    *,
    by: str,
    buttons: list[tuple[str, str]],
    warnings: tuple[str, ...] = (),
) -> list[Block]:
    """The answer as blocks: headline, facts, findings, chart, table, what is missing, what to ask
    next.
    """
    blocks = [
        kit.header(_headline(report)),
        kit.context(
            f"{kit.code(report.account)} · {kit.escaped(window.label)}{_organisation(report)}"
        ),
    ]
    if facts := _facts(report):
        blocks.append(kit.fields(facts))
    if findings := report.findings():
        blocks.append(kit.section("\n".join(f"• {kit.escaped(finding)}" for finding in findings)))
    if chart := _chart(report, by):
        blocks.append(chart)
    # The headline says what the only row of a table would.
    if len(buckets(report.by_day, by)) > 1:
        blocks.append(_table(report, by))
    if report.by_log:
        blocks.append(_log_table(report))
    notes = [*_gaps(report), *_cut(report, by), *warnings]
    if notes:
        blocks.append(kit.context(*(kit.with_code(note) for note in notes[:10])))
    return [*blocks, kit.actions(kit.ask_buttons(buttons))] if buttons else blocks


def is_shortened(report: UsageReport, by: str) -> bool:
    """Whether the message leaves something out, so that everything has to go into a file."""
    return bool(_cut(report, by))


def _who(report: UsageReport) -> str:
    return (
        f"{report.account} ({formatting.sanitise(report.organisation, 80)})"
        if report.organisation
        else report.account
    )


def _organisation(report: UsageReport) -> str:
    named = [kit.code(part, 80) for part in (report.organisation, report.organisation_id) if part]
    return f" · {' '.join(named)}" if named else ""


def _headline(report: UsageReport) -> str:
    days = formatting.pluralise(len(report.days), "day")
    if report.bytes is None:
        return f"No data for {days}"
    listed = len(report.days) - len(report.missing)
    of = f"{listed} of {days}" if report.missing else days
    return f"{formatting.format_bytes(report.bytes)} in {of}"


def _facts(report: UsageReport) -> list[tuple[str, str]]:
    facts = []
    if report.mean_bytes_per_day is not None and len(report.days) > 1:
        facts.append(("Daily average", formatting.format_bytes(report.mean_bytes_per_day)))
    if report.peak_day and report.peak_bytes is not None and len(report.days) > 1:
        facts.append(
            (
                "Peak",
                (
                    f"{formatting.format_bytes(report.peak_bytes)} on "
                    f"{formatting.format_day(report.peak_day, report.today)}"
                ),
            )
        )
    if report.like_with_like:
        facts.append(_change(report, report.like_with_like))
    if report.month_to_date_bytes is not None:
        quota = (
            (
                f" ({formatting.percent(report.quota_percent)} of "
                f"{formatting.format_bytes(report.monthly_quota or 0)})"
            )
            if report.quota_percent
            else ""
        )
        facts.append(
            ("Month to date", f"{formatting.format_bytes(report.month_to_date_bytes)}{quota}")
        )
    if report.forecast_month_bytes is not None:
        facts.append(("Month-end forecast", _forecast(report)))
    if report.reported_bytes is not None and report.reported_bytes != report.bytes:
        span = ""
        if report.reported_period:
            first, last = report.reported_period
            span = f" ({_label(first, last, '', report.today)})"
        facts.append(
            (
                f"Total reported by {report.vendor}",
                f"{formatting.format_bytes(report.reported_bytes)}{span}",
            )
        )
    return facts


def _change(report: UsageReport, found: Comparison) -> tuple[str, str]:
    """What is compared with what, and the difference."""
    without = ", without today" if report.partial_today else ""
    if len(report.days) % 7 == 0:
        return f"vs. previous {len(report.days)} days", formatting.change(found.percent) + (
            f" ({without[2:]})" if without else ""
        )
    if found.days.first == found.days.last:
        return (
            f"vs. {formatting.format_day(found.before.first, report.today)}",
            formatting.change(found.percent),
        )
    before = _days(found.before.first, found.before.last, report.today)
    return (
        "vs. same weekdays before",
        f"{formatting.change(found.percent)} ({before}{without})",
    )


def _forecast(report: UsageReport) -> str:
    """The expected total of the month, and how far off earlier forecasts were."""
    assert report.forecast is not None
    forecast = report.forecast
    shown = formatting.format_bytes(forecast.bytes)
    if forecast.error_percent is None:
        return shown
    return f"{shown} (typical error {formatting.percent(forecast.error_percent)})"


def _gaps(report: UsageReport) -> list[str]:
    notes = []
    if report.missing:
        days = formatting.join_words(
            [formatting.format_day(day, report.today) for day in report.missing], 5
        )
        notes.append(f"No data (not zero): {days}.")
    if report.month_missing and report.month_to_date_bytes is not None:
        days = formatting.pluralise(report.month_missing, "day")
        verb = "has" if report.month_missing == 1 else "have"
        notes.append(f"Month to date: {days} {verb} no data.")
    if report.partial_today and report.by_day.get(report.today) is not None:
        lag = f"; {report.vendor} lists data up to {report.lag} late" if report.lag else ""
        notes.append(f"Today is incomplete{lag}.")
    return notes


def _cut(report: UsageReport, by: str) -> list[str]:
    more = len(buckets(report.by_day, by)) - MOST_ROWS
    notes = (
        [f"The table shows the last {MOST_ROWS} rows … and {more:,} more; the file has them all."]
        if more > 0
        else []
    )
    if len(report.by_log) > MOST_LOGS:
        notes.append(
            f"The largest {MOST_LOGS} logs are shown … and {len(report.by_log) - MOST_LOGS:,} more; "
            "the file has them all."
        )
    return notes


def _chart(report: UsageReport, by: str) -> Block | None:
    """At most twenty bars, so longer windows are drawn by week or by month, and the title says so.
    None where a chart would have one bar.
    """
    for unit in [by, "week", "month"]:
        shown = buckets(report.by_day, unit)
        if len(shown) <= kit.MOST_POINTS or unit == "month":
            break
    shown = _known_stretch(shown)[-kit.MOST_POINTS :]
    if len(shown) < 2:
        return None
    factor, axis = kit.scale([usage or 0 for _, _, usage, _ in shown])
    return kit.chart(
        f"Data usage by {unit}",
        kind="bar",
        series=[("usage", [round((usage or 0) / factor, 3) for _, _, usage, _ in shown])],
        labels=[_bar_label(bucket, unit, report.today) for bucket in shown],
        unit=axis,
    )


def _bar_label(bucket: Bucket, unit: str, today: date) -> str:
    """When a bar begins, and a mark where it is empty or covers less than its unit."""
    first, last, usage, _ = bucket
    label = _short(first, unit, today)
    if usage is None:
        return label + NO_DATA
    if first <= today <= last:
        return f"{label} (so far)"
    return f"{label} (part)" if _is_part(first, last, unit) else label


def _is_part(first: date, last: date, unit: str) -> bool:
    """Whether the window cuts a week or a month off."""
    if unit == "week":
        return (last - first).days < 6
    return unit == "month" and (first.day > 1 or (last + timedelta(days=1)).day > 1)


def _known_stretch(shown: list[Bucket]) -> list[Bucket]:
    """From the first to the last bucket with known values; unknown ones are not drawn as zero."""
    known = [n for n, (_, _, usage, _) in enumerate(shown) if usage is not None]
    return shown[known[0] : known[-1] + 1] if known else []


def _table(report: UsageReport, by: str) -> Block:
    rows = [
        [
            _label(first, last, by, report.today),
            _size(usage, missing) if usage is None else (usage, _size(usage, missing)),
        ]
        for first, last, usage, missing in reversed(buckets(report.by_day, by)[-MOST_ROWS:])
    ]
    return kit.data_table(
        f"Usage by {by}", [by.capitalize(), "Usage"], rows, page_size=ROWS_AT_ONCE
    )


def _log_table(report: UsageReport) -> Block:
    total = sum(usage for _, _, usage in report.by_log) or 1
    rows = [
        [
            name,
            (usage, formatting.format_bytes(usage)),
            (round(100 * usage / total, 1), formatting.percent(100 * usage / total)),
        ]
        for _, name, usage in report.by_log[:MOST_LOGS]
    ]
    return kit.data_table("Usage by log", ["Log", "Usage", "Share"], rows, page_size=7)


def _label(first: date, last: date, by: str, today: date) -> str:
    if by == "month":
        return f"{first:%B %Y}"
    return _days(first, last, today)


def _days(first: date, last: date, today: date) -> str:
    return (
        formatting.format_day(first, today)
        if first == last
        else f"{formatting.format_day(first, today)} to {formatting.format_day(last, today)}"
    )


def _short(first: date, unit: str, today: date) -> str:
    return f"{first:%b %Y}" if unit == "month" else formatting.short_day(first, today)


def _size(usage: int | None, missing: int) -> str:
    if usage is None:
        return "no data"
    return (
        f"{formatting.format_bytes(usage)} ({formatting.pluralise(missing, 'day')} without data)"
        if missing
        else formatting.format_bytes(usage)
    )
