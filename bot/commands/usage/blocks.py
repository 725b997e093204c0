"""A usage report as text and blocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from bot import formatting
from bot.answer import Block
from bot.blocks import kit
from bot.commands.usage.report import Bucket, Comparison, UsageReport, buckets
from bot.commands.usage.total import UsageTotal
from bot.questions.windows import ParsedWindow

MOST_ROWS = 40
MOST_LOGS = 12
# With a day of another year it just fits into a label of twenty characters.
NO_DATA = ": no data"
# A chart has at most six series, and a table no room for more columns.
MOST_SERIES = 6
# A table beside a chart of the same numbers shows a few rows at a time.
ROWS_AT_ONCE = 3
LOGS_AT_ONCE = 5


def usage_text(
    total: UsageTotal,
    window: ParsedWindow,
    *,
    by: str,
    missing: Sequence[str] = (),
    warnings: Sequence[str] = (),
) -> str:
    """The whole answer as text. Accounts that are missing come first."""
    report = total.report
    lines = [formatting.sanitise(line, 400) for line in missing]
    lines.append(f"{_who(report)}: {_headline(report)} – {window.label}.")
    lines += [f"{name}: {value}." for name, value in _facts(report)]
    lines += report.findings()
    lines += _gaps(total)
    if total.accounts:
        accounts = [f"{each.account} {_account_size(each)}" for each in total.accounts]
        lines.append(f"By account: {formatting.join_words(accounts, len(accounts))}.")
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
    total: UsageTotal,
    window: ParsedWindow,
    *,
    by: str,
    buttons: Sequence[tuple[str, str]],
    missing: Sequence[str] = (),
    warnings: Sequence[str] = (),
) -> list[Block]:
    """The answer as blocks: accounts that are missing, headline, facts, findings, chart, tables,
    days without data, what to ask next.
    """
    report = total.report
    names = [each.account for each in total.accounts] or [report.account]
    accounts = " ".join(kit.code(name) for name in names)
    blocks = [
        *kit.warnings(missing),
        kit.header(_headline(report)),
        kit.context(f"{accounts} · {kit.escaped(window.label)}{_organisation(report)}"),
    ]
    if facts := _facts(report):
        blocks.append(kit.fields(facts))
    if findings := report.findings():
        blocks.append(kit.section("\n".join(f"• {kit.escaped(finding)}" for finding in findings)))
    chart = _chart(total, by)
    if chart:
        blocks.append(chart)
    if total.accounts:
        blocks.append(_account_table(total))
    # The headline says what the only row of a table would; beside the table of logs, the chart has
    # the days.
    if len(buckets(report.by_day, by)) > 1 and not (report.by_log and chart):
        blocks.append(_table(total, by))
    if report.by_log:
        blocks.append(_log_table(report))
    notes = [*_gaps(total), *_cut(report, by), *warnings]
    if notes:
        blocks.append(kit.context(*(kit.with_code(note) for note in notes[:10])))
    return [*blocks, kit.actions(kit.ask_buttons(buttons))] if buttons else blocks


def is_shortened(total: UsageTotal, by: str) -> bool:
    """Whether the message leaves something out, so that everything has to go into a file."""
    return bool(_cut(total.report, by))


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
    if report.partial_today and len(report.days) == 1:
        return f"{formatting.format_bytes(report.bytes)} so far today"
    listed = len(report.days) - len(report.missing)
    of = f"{listed:,} of {days}" if report.missing else days
    return f"{formatting.format_bytes(report.bytes)} in {of}"


def _facts(report: UsageReport) -> list[tuple[str, str]]:
    """The numbers of the answer by their labels; what is unknown is left out."""
    facts = []
    # Of one day, average and peak are the headline.
    if report.mean_bytes_per_day is not None and len(report.days) > 1:
        facts.append(("Daily average", formatting.format_bytes(report.mean_bytes_per_day)))
    if report.peak_day and report.peak_bytes is not None and len(report.days) > 1:
        day = formatting.format_day(report.peak_day, report.today)
        facts.append(("Peak", f"{formatting.format_bytes(report.peak_bytes)} on {day}"))
    if report.like_with_like:
        facts.append(_change(report, report.like_with_like))
    if report.month_to_date_bytes is not None:
        facts.append(("Month to date", _month_to_date(report, report.month_to_date_bytes)))
    if report.forecast_month_bytes is not None:
        facts.append(("Month-end forecast", _forecast(report)))
    # The vendor's total covers the days it was asked for, which may be more than it lists.
    if report.reported_bytes is not None and report.reported_bytes != report.bytes:
        reported = _reported(report, report.reported_bytes)
        facts.append((f"Total reported by {report.vendor}", reported))
    return facts


def _month_to_date(report: UsageReport, usage: int) -> str:
    shown = formatting.format_bytes(usage)
    if not report.quota_percent:
        return shown
    quota = formatting.format_bytes(report.monthly_quota or 0)
    return f"{shown} ({formatting.percent(report.quota_percent)} of {quota})"


def _reported(report: UsageReport, usage: int) -> str:
    shown = formatting.format_bytes(usage)
    if not report.reported_period:
        return shown
    first, last = report.reported_period
    return f"{shown} ({_days(first, last, report.today)})"


def _change(report: UsageReport, found: Comparison) -> tuple[str, str]:
    """What is compared with what, and the difference."""
    without = ", without today" if report.partial_today else ""
    # Whole weeks hold the same weekdays as those before, which needs no words.
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


def _gaps(total: UsageTotal) -> list[str]:
    report = total.report
    notes = []
    for each in total.accounts or (report,):
        if each.missing:
            days = formatting.join_words(
                [formatting.format_day(day, each.today) for day in each.missing], 5
            )
            of = f" of {each.account}" if total.accounts else ""
            notes.append(f"No data (not zero): {days}{of}.")
    if report.month_missing > _named_of_month(report) and report.month_to_date_bytes is not None:
        days = formatting.pluralise(report.month_missing, "day")
        verb = "has" if report.month_missing == 1 else "have"
        notes.append(f"Month to date: {days} {verb} no data.")
    if report.partial_today and report.by_day.get(report.today) is not None:
        lag = f"; {report.vendor} lists data up to {report.lag} late" if report.lag else ""
        notes.append(f"Today is incomplete{lag}.")
    return notes


def _named_of_month(report: UsageReport) -> int:
    """How many of the month's days without data are in the window, where they are named."""
    begin = report.today.replace(day=1)
    return sum(begin <= day < report.today for day in report.missing)


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


def _chart(total: UsageTotal, by: str) -> Block | None:
    """At most twenty bars, so longer windows are drawn by week or by month, and the title says so.
    Of several accounts each has its own bars. None where a chart would have one bar.
    """
    report = total.report
    # The finest unit that fits; months are drawn in any case, the latest twenty of them.
    for unit in [by, "week", "month"]:
        shown = buckets(report.by_day, unit)
        if len(shown) <= kit.MOST_POINTS or unit == "month":
            break
    shown = _known_stretch(shown)[-kit.MOST_POINTS :]
    if len(shown) < 2:
        return None
    series = [("usage", [usage or 0 for _, _, usage, _ in shown])]
    # With more accounts, the bars are those of the total, and the table has each.
    if 1 < len(total.accounts) <= MOST_SERIES:
        series = [(each.account, _bars(each, shown)) for each in total.accounts]
    factor, axis = kit.scale([usage for _, bars in series for usage in bars])
    return kit.chart(
        f"Data usage by {unit}",
        kind="bar",
        series=[(name, [round(usage / factor, 3) for usage in bars]) for name, bars in series],
        # A chart has no gaps, so the label says where a bar has no data.
        labels=[_bar_label(bucket, unit, report.today) for bucket in shown],
        unit=axis,
    )


def _bars(report: UsageReport, shown: Sequence[Bucket]) -> list[int]:
    """The bytes of one account in the bars that are shown."""
    return [
        sum(usage or 0 for day, usage in report.by_day.items() if first <= day <= last)
        for first, last, _, _ in shown
    ]


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


def _table(total: UsageTotal, by: str) -> Block:
    """The newest first. Of several accounts each has its own column beside the total."""
    report = total.report
    columns = total.accounts if 1 < len(total.accounts) <= MOST_SERIES else ()
    by_account = [buckets(each.by_day, by)[-MOST_ROWS:] for each in columns]
    rows = []
    for at, (first, last, usage, missing) in enumerate(buckets(report.by_day, by)[-MOST_ROWS:]):
        cells = [_bucket_cell(each[at][2], each[at][3]) for each in by_account]
        rows.append([_label(first, last, by, report.today), *cells, _bucket_cell(usage, missing)])
    head = [by.capitalize(), *(each.account for each in columns), "Total" if columns else "Usage"]
    return kit.data_table(f"Usage by {by}", head, rows[::-1], page_size=ROWS_AT_ONCE)


def _bucket_cell(usage: int | None, missing: int) -> object:
    return _size(usage, missing) if usage is None else (usage, _size(usage, missing))


def _account_table(total: UsageTotal) -> Block:
    # Without any data there are no shares, and nothing to divide by.
    whole = total.report.bytes or 1
    rows = [
        [
            each.account,
            _size(each.bytes, 0) if each.bytes is None else (each.bytes, _account_size(each)),
            "–" if each.bytes is None else formatting.percent(100 * each.bytes / whole),
        ]
        for each in total.accounts
    ]
    return kit.data_table("Usage by account", ["Account", "Usage", "Share"], rows, page_size=7)


def _account_size(report: UsageReport) -> str:
    return _size(report.bytes, len(report.missing))


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
    return kit.data_table("Usage by log", ["Log", "Usage", "Share"], rows, page_size=LOGS_AT_ONCE)


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
