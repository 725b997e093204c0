"""What a report itself says is missing."""

from __future__ import annotations

from collections.abc import Sequence

from providers.akamai import parse
from providers.errors import Incomplete
from providers.models import Window


def refuse_counted_but_not_sent(account: str, reports: Sequence[parse.Report]) -> None:
    counted = max((report.row_count or 0 for report in reports), default=0)
    if counted and not any(report.rows for report in reports):
        raise Incomplete(
            f"{account} counts {counted:,} rows and sent none of them.",
            account=account,
            hint="Ask again, or for a shorter window.",
        )


def shortcomings(account: str, report: parse.Report, window: Window) -> list[str]:
    notes = lateness(account, report, window)
    if not report.data_ends and not report.is_final:
        notes.append(f"{account} says that its data is not final yet{_again(report)}.")
    if report.next_link:
        notes.append(f"{account} has more pages than could be read; ask for a shorter window.")
    if report.unreadable:
        rows = "1 row" if report.unreadable == 1 else f"{report.unreadable:,} rows"
        notes.append(f"{rows} from {account} cannot be read.")
    if report.row_count is not None and report.row_count > len(report.rows) + report.unreadable:
        notes.append(f"{account} counts {report.row_count:,} rows and sent {len(report.rows):,}.")
    return notes


def lateness(account: str, report: parse.Report, window: Window) -> list[str]:
    """A note that the data ends before the window does."""
    if not report.data_ends or report.data_ends >= window.end:
        return []
    return [f"{account} has data until {report.data_ends:%Y-%m-%d %H:%M} UTC only{_again(report)}."]


def _again(report: parse.Report) -> str:
    return f"; try again after {report.retry_at}" if report.retry_at else ""
