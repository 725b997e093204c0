"""Calls one by one, as a table and as lines of text (pure)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo

from bot import formatting
from bot.answer import Block
from bot.blocks import kit
from bot.commands.apiaudit.report import AuditReport
from bot.questions.windows import zone_name
from providers.models import ApiCall

# Of the 13,000 characters that the blocks of a message may have, what is left for the table beside
# headline, notes and buttons. Slack counts the text of a cell.
MOST_CHARACTERS = 10_500
# So that the buttons below a page of them are on the same screen.
ROWS_AT_ONCE = 7
# A longer one says less than the targets themselves.
MOST_HOST = 80


def list_table(calls: Sequence[ApiCall], zone: tzinfo, now: datetime) -> Block:
    """The calls that fit into a message, in pages."""
    names, rows = _rows(calls, zone, now)
    rows = rows[: _fitting(rows, MOST_CHARACTERS)]
    return kit.data_table(
        f"{_heading(calls)} ({zone_name(zone)})", names, rows, page_size=ROWS_AT_ONCE
    )


def list_text(calls: Sequence[ApiCall], zone: tzinfo, now: datetime) -> list[str]:
    """The same calls, a line each."""
    _, rows = _rows(calls, zone, now)
    lines = [" ".join(cell for cell in row if cell) for row in rows]
    head = [f"{_heading(calls)}:"] if common_host(calls) else []
    return [formatting.sanitise(line) for line in head + lines[: _fitting(rows, MOST_CHARACTERS)]]


def list_notes(report: AuditReport, zone: tzinfo, now: datetime) -> list[str]:
    """How many calls are not listed, and how one is opened."""
    _, rows = _rows(report.listed, zone, now)
    shown = _fitting(rows, MOST_CHARACTERS)
    more = report.calls - shown
    which = "slowest" if report.lists_slowest else "newest"
    first = f"The {which} call" if shown == 1 else f"The {which} {shown:,}"
    notes = [f"{first} of {report.calls:,} calls; add `csv` for every call."]
    timed = len(report.numbers.durations)
    if report.lists_slowest and timed < report.calls:
        notes.append(f"Only {timed:,} of the calls have a duration.")
    return [*(notes if more else []), "Add `call:ID` to see one call whole."]


def common_host(calls: Sequence[ApiCall]) -> str:
    """The host of all targets that have one; empty where they differ. Vendors without hosts have
    targets without paths.
    """
    hosts = {call.target.partition("/")[0] for call in calls if "/" in call.target}
    host = hosts.pop() if len(hosts) == 1 else ""
    return host if len(host) <= MOST_HOST else ""


def without_host(target: str, host: str) -> str:
    """The path of a target on the host, with its slash; any other target as it is."""
    is_path = host and target.startswith(f"{host}/")
    return target[len(host) :] if is_path else target


def _heading(calls: Sequence[ApiCall]) -> str:
    """`Calls`, with the host that is left out of the targets below it."""
    host = common_host(calls)
    if not host:
        return "Calls"
    has_others = any("/" not in call.target for call in calls)
    return f"Calls, paths on {host}" if has_others else f"Calls to {host}"


def moment(call: ApiCall, zone: tzinfo, now: datetime) -> str:
    """When a call was made, to the second; the vendor's text if it is not a time."""
    if not call.at:
        return call.at_text[:30] or "no time"
    local = call.at.astimezone(zone)
    day = formatting.short_day(local.date(), now.astimezone(zone).date())
    return f"{day} {local:%H:%M:%S}"


Column = tuple[str, Callable[[ApiCall], str]]


def _columns(calls: Sequence[ApiCall], zone: tzinfo, now: datetime) -> list[Column]:
    # The caption names a host that all calls share, so that a path needs one line of a narrow table.
    host = common_host(calls)
    return [
        ("Time", lambda call: moment(call, zone, now)),
        ("Account", lambda call: call.account),
        ("Actor", lambda call: call.actor[:60] or "unnamed"),
        ("Action", lambda call: call.action[:60]),
        ("Target", lambda call: without_host(call.target, host)[:80]),
        ("Status", lambda call: call.status[:20]),
        # Some vendors have one name for both, which would fill two columns.
        ("Client", lambda call: "" if call.client == call.organisation else call.client[:40]),
        ("IP", lambda call: call.ip[:45]),
        ("Organisation", lambda call: call.organisation[:40]),
        ("Duration", duration),
        ("ID", lambda call: call.id),
    ]


def duration(call: ApiCall) -> str:
    return "" if call.duration_ms is None else formatting.milliseconds(call.duration_ms)


def _rows(
    calls: Sequence[ApiCall], zone: tzinfo, now: datetime
) -> tuple[list[str], list[list[str]]]:
    """The names of the columns and the cells. A column in which no call has a value is left out, and
    so is the account where there is one alone.
    """
    columns = _columns(calls, zone, now)
    cells = [[text(call) for _, text in columns] for call in calls]
    one_account = len({call.account for call in calls}) < 2
    kept = [
        at
        for at, (name, _) in enumerate(columns)
        if any(row[at] for row in cells) and not (name == "Account" and one_account)
    ]
    return [columns[at][0] for at in kept], [[row[at] for at in kept] for row in cells]


def _fitting(rows: Sequence[Sequence[str]], most: int) -> int:
    """How many of the rows fit into so many characters."""
    used = 0
    for number, row in enumerate(rows):
        # An empty cell is shown as a dash.
        used += sum(max(1, len(cell)) for cell in row)
        if used > most:
            return number
    return len(rows)
