"""Parses Akamai's reports into records: v1 in JSON and CSV, and v2."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from providers.errors import Incomplete, unreadable
from providers.http.decoding import MOST_VALUES, decode_json, refuse_excess
from providers.models import Window

_SECTIONS = ("METADATA", "SUMMARYSTATISTICS", "COLUMNS", "DATA")


Cell: TypeAlias = str | int | float | bool | None


class Row(msgspec.Struct, frozen=True, gc=False):
    """One row by the columns of v1, and by those of v2. Every value is left as it came; a list or
    an object counts as missing.
    """

    clientId: Cell = None
    clientIp: Cell = None
    clientOwner: Cell = None
    clientToken: Cell = None
    method: Cell = None
    responseCode: Cell = None
    timestamp: Cell = None
    uri: Cell = None
    authorizationClientToken: Cell = None
    requestMethod: Cell = None
    requestUri: Cell = None


class _Answer(msgspec.Struct):
    data: list[Row]
    metadata: msgspec.Raw = msgspec.Raw(b"null")
    links: msgspec.Raw = msgspec.Raw(b"null")


_COLUMNS = frozenset(Row.__struct_fields__)
_ANSWER = msgspec.json.Decoder(_Answer)


class Report(Struct, frozen=True):
    """The rows of a report and what is known of them from its metadata.

    `is_final` is false if the metadata has an `availableDataEnds` or a `suggestedRetryTime`,
    which are null once all data has arrived. `bytes` is the size of the answer.
    """

    rows: Sequence[Row]
    row_count: int | None
    data_ends: datetime | None
    retry_at: str
    next_link: str = ""
    is_final: bool = True
    bytes: int = 0
    # Entries of the list that are no rows.
    unreadable: int = 0


def json_report(body: bytes, *, account: str) -> Report:
    """A v1 or v2 report as JSON."""
    # Checked before it is decoded: a small text of brackets can take gigabytes.
    refuse_excess(body, account=account, depth_matters=False)
    try:
        answer = _ANSWER.decode(body)
    # The typed decoder takes half the time and knows the documented shape; any other is read again,
    # tolerantly.
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        rows, metadata, links, unreadable_rows = _odd_answer(body, account=account)
    else:
        unreadable_rows = 0
        rows = answer.data
        metadata = decode_json(bytes(answer.metadata))
        links = decode_json(bytes(answer.links))
    report = _report(rows, metadata if isinstance(metadata, dict) else {}, links, size=len(body))
    return replace(report, unreadable=unreadable_rows) if unreadable_rows else report


def _odd_answer(body: bytes, *, account: str) -> tuple[list[Row], Any, Any, int]:
    """Rows, metadata and links of an answer that does not have the documented shape, and how many
    entries are not rows.
    """
    refuse_excess(body, account=account)
    answer = decode_json(body)
    if answer is None:
        raise unreadable(account, "a report that is not JSON")
    data = answer.get("data") if isinstance(answer, dict) else None
    metadata = answer.get("metadata") if isinstance(answer, dict) else None
    # A report that counts no rows may have null in their place.
    if data is None and isinstance(metadata, dict) and _count(metadata.get("rowCount")) == 0:
        data = []
    if not isinstance(data, list):
        raise unreadable(account, "a report without rows")
    rows = [row_of(row) for row in data if isinstance(row, dict)]
    return rows, metadata, answer.get("links"), len(data) - len(rows)


def row_of(columns: Mapping[str, Any]) -> Row:
    """A row of the columns that are known; the others are left out."""
    return Row(
        **{
            name: value
            for name in Row.__struct_fields__
            if not isinstance(value := columns.get(name), dict | list)
        }
    )


def within(report: Report, window: Window) -> Report:
    """The rows of a report that are in a window; rows without a readable time are kept."""
    rows = [
        row
        for row in report.rows
        if (at := instant_of(text_of(row.timestamp))) is None or window.start <= at < window.end
    ]
    count = (
        report.row_count - (len(report.rows) - len(rows)) if report.row_count is not None else None
    )
    return replace(report, rows=rows, row_count=count)


def joined(pages: Sequence[Report]) -> Report:
    """The pages of one report as one. Its data ends where that of the first page to end does, and
    its count is the largest one.
    """
    if len(pages) == 1:
        return pages[0]
    # Whether a count is that of a page or of the whole is not documented.
    counts = [page.row_count for page in pages if page.row_count is not None]
    return Report(
        rows=[row for page in pages for row in page.rows],
        row_count=max(counts, default=None),
        data_ends=min((page.data_ends for page in pages if page.data_ends), default=None),
        retry_at=next((page.retry_at for page in pages if page.retry_at), ""),
        next_link=pages[-1].next_link,
        is_final=all(page.is_final for page in pages),
        bytes=sum(page.bytes for page in pages),
        unreadable=sum(page.unreadable for page in pages),
    )


def is_csv(body: bytes) -> bool:
    """Whether a body begins as a report in CSV does."""
    return body.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"#METADATA_START")


def csv_report(body: bytes, *, account: str) -> Report:
    """A v1 report as CSV: four sections between `#X_START` and `#X_END`, each marker a record of
    its own.

    A marker inside a field, or where another section is open, is data. Without `#DATA_END` the
    answer was cut.
    """
    if body.count(b",") + body.count(b"\n") + body.count(b"\r") > MOST_VALUES:
        raise unreadable(account, f"a report with more than {MOST_VALUES:,} values")
    # Read as one stream: quoted values may hold commas and line ends.
    text = io.TextIOWrapper(io.BytesIO(body), "utf-8-sig", "replace", newline="")
    sections: dict[str, list[list[str]]] = {}
    current = ""
    try:
        for record in csv.reader(text, strict=True):
            marker = record[0].strip() if len(record) == 1 else ""
            if (
                not current
                and marker.startswith("#")
                and marker.endswith("_START")
                and marker[1:-6] in _SECTIONS
            ):
                current = marker[1:-6]
                sections[current] = []
            elif current and marker == f"#{current}_END":
                sections[current + "_END"] = []
                current = ""
            elif current and record:
                sections[current].append(record)
    except csv.Error:
        raise _cut_short(account) from None
    if "DATA_END" not in sections:
        raise (
            _cut_short(account)
            if "METADATA" in sections
            else unreadable(account, "a report that is not CSV")
        )
    columns = [name.strip() for name in next(iter(sections.get("COLUMNS") or [[]]))]
    if not _COLUMNS.intersection(columns):
        raise unreadable(account, "a report without columns")
    # By name, because the order of columns differs between describe and data.
    rows = [row_of(dict(zip(columns, record, strict=False))) for record in sections["DATA"]]
    metadata = {
        record[0]: record[1] if len(record) > 1 else "" for record in sections.get("METADATA", [])
    }
    return _report(rows, metadata, None, size=len(body))


def _report(rows: Sequence[Row], metadata: Mapping[str, Any], links: Any, *, size: int) -> Report:
    ends, retry = (
        text_of(metadata.get(name)).strip() for name in ("availableDataEnds", "suggestedRetryTime")
    )
    return Report(
        rows=rows,
        row_count=_count(metadata.get("rowCount")),
        data_ends=instant_of(ends),
        retry_at=retry[:40],
        next_link=_next(links),
        is_final=not ends and not retry,
        bytes=size,
    )


def _next(links: Any) -> str:
    """The link to the next page, in a list of `rel` and `href` or in a mapping by name."""
    if isinstance(links, dict):
        following = links.get("next")
        href = following.get("href") if isinstance(following, dict) else following
        return href if isinstance(href, str) else ""
    for link in links if isinstance(links, list) else []:
        if (
            isinstance(link, dict)
            and str(link.get("rel", "")).lower() == "next"
            and isinstance(link.get("href"), str)
        ):
            return str(link["href"])
    return ""


def _count(value: Any) -> int | None:
    text = text_of(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 15 else None


def text_of(value: Any) -> str:
    if value.__class__ is str:
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None or isinstance(value, dict | list) else str(value)


def instant_of(text: str) -> datetime | None:
    """ISO-8601, in UTC if there is no offset; None for anything else."""
    try:
        moment = datetime.fromisoformat(text)
        # Nearly all instants are; the checks below take longer.
        if moment.tzinfo is UTC:
            return moment
        return (
            (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
            # A date alone is no instant.
            if "T" in text or " " in text
            else None
        )
    except (ValueError, OverflowError):
        return None


def _cut_short(account: str) -> Incomplete:
    return Incomplete(
        f"{account} sent a report that was cut short.",
        account=account,
        hint="Ask again, or for a shorter window.",
    )
