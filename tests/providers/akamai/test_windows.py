"""Windows that are halved, pages, caps, and the missing parts of a report."""

from __future__ import annotations

import json
from bisect import bisect_left
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from providers.akamai.client import Akamai
from providers.akamai.sandbox import AkamaiSandbox
from providers.errors import (
    Incomplete,
    ProtocolError,
)
from providers.models import CallFilters, Window
from tests.providers.akamai.support import (
    HOUR,
    SAMPLE_CSV,
    SAMPLE_DATA,
    SAMPLE_METADATA,
    WINDOW,
    client_of,
)


@pytest.mark.parametrize(("report", "accept"), [("v1", "json"), ("v1", "csv"), ("v2", "json")])
async def test_full_window_is_halved_until_it_fits(
    server: AkamaiSandbox, report: Any, accept: Any
) -> None:
    """One answer contains at most 5,000 rows in v1 and 25,000 in v2. No row is lost or duplicated
    at a boundary.
    """
    count = 12_000 if report == "v1" else 40_000
    gap = (WINDOW.end - WINDOW.start) / count
    rows = [
        {
            **SAMPLE_DATA[0],
            "uri": f"/{n}",
            "timestamp": f"{WINDOW.start + gap * n:%Y-%m-%dT%H:%M:%SZ}",
        }
        for n in range(count)
    ]
    times = [datetime.fromisoformat(row["timestamp"]) for row in rows]
    server.rows = lambda a, b: rows[bisect_left(times, a) : bisect_left(times, b)]
    client = client_of(server, report=report, accept=accept)
    page = await client.calls(WINDOW, CallFilters())
    await client.aclose()
    assert [call.target for call in page.calls] == [row["uri"] for row in rows]
    assert page.complete


async def test_window_within_a_second_is_halved(server: AkamaiSandbox, edge: Akamai) -> None:
    """The vendor is sent whole seconds, so that its first rows may precede the window."""
    rows = [
        {
            **SAMPLE_DATA[0],
            "uri": f"/{n}",
            "timestamp": f"{WINDOW.start + timedelta(seconds=n):%Y-%m-%dT%H:%M:%SZ}",
        }
        for n in range(7000)
    ]
    times = [datetime.fromisoformat(row["timestamp"]) for row in rows]
    server.rows = lambda a, b: rows[bisect_left(times, a) : bisect_left(times, b)]
    fraction = timedelta(microseconds=600_000)
    page = await edge.calls(Window(WINDOW.start + fraction, WINDOW.end + fraction), CallFilters())
    assert (len(page.calls), page.complete) == (7000, True)


async def test_full_answer_of_other_times_is_incomplete(
    server: AkamaiSandbox, edge: Akamai
) -> None:
    body = json.dumps({"metadata": {"rowCount": 5000}, "data": SAMPLE_DATA[:1] * 5000})
    server.answer_with(200, body, Content_Type="application/json", times=99)
    page = await edge.calls(WINDOW, CallFilters())
    assert (len(page.calls), page.complete) == (5000, False)


async def test_too_many_rows_are_reported(server: AkamaiSandbox, edge: Akamai) -> None:
    one = [{**SAMPLE_DATA[0], "timestamp": f"{WINDOW.start:%Y-%m-%dT%H:%M:%SZ}"}] * 5000
    server.rows = lambda a, b: one if a <= WINDOW.start < b else []
    page = await edge.calls(WINDOW, CallFilters())
    assert not page.complete
    assert len(page.calls) == 5000


async def test_omitted_rows_are_fetched_by_halves(server: AkamaiSandbox, edge: Akamai) -> None:
    """No flag reports it, but the report counts more rows than it contains."""
    everything = list(server.rows(WINDOW.start, WINDOW.end))

    async def counted(request: web.Request) -> web.Response:
        start, end = (datetime.fromisoformat(request.query[name]) for name in ("start", "end"))
        rows = [
            row for row in everything if start <= datetime.fromisoformat(row["timestamp"]) < end
        ]
        return web.json_response({"metadata": {"rowCount": len(rows)}, "data": rows[:60]})

    server.misbehave(counted, times=999)
    page = await edge.calls(WINDOW, CallFilters())
    assert [call.at_text for call in page.calls] == [row["timestamp"] for row in everything]
    assert page.complete


async def test_differing_count_doubles_no_row(server: AkamaiSandbox, edge: Akamai) -> None:
    body = json.dumps({"metadata": {**SAMPLE_METADATA, "rowCount": 40}, "data": SAMPLE_DATA})
    server.answer_with(200, body, Content_Type="application/json", times=999)
    page = await edge.calls(WINDOW, CallFilters())
    assert (len(page.calls), page.complete) == (4, False)
    assert "counts 40 rows and sent 4" in page.notes[0]


@pytest.mark.parametrize("report", ["v1", "v2"])
async def test_window_is_rounded_to_five_minutes(server: AkamaiSandbox, report: Any) -> None:
    server.whole_steps_only = True
    window = Window(
        WINDOW.start + timedelta(minutes=7, seconds=30), WINDOW.end - timedelta(minutes=11)
    )
    client = client_of(server, report=report)
    for _ in range(2):
        page = await client.calls(window, CallFilters())
        assert [call.at_text for call in page.calls] == [
            row["timestamp"] for row in server.rows(window.start, window.end)
        ]
        assert page.complete
        assert "takes whole five minutes only; it was asked from" in page.notes[0]
    assert len(server.requests) == 3
    whole = await client.calls(WINDOW, CallFilters())
    await client.aclose()
    assert (whole.complete, whole.notes) == (True, ())


async def test_irreparable_bounds_are_reported(server: AkamaiSandbox, edge: Akamai) -> None:
    body = {
        "type": "reporting.re.invalid.request",
        "title": "Invalid",
        "errors": [{"type": "date.range.invalid.date.format"}],
    }
    server.answer_with(400, json.dumps(body), times=9)
    with pytest.raises(ProtocolError, match="refused the window"):
        await edge.calls(WINDOW, CallFilters())
    assert len(server.requests) == 1


async def test_incomplete_data_is_reported(server: AkamaiSandbox, edge: Akamai) -> None:
    ends = (WINDOW.end - timedelta(minutes=15)).isoformat()
    metadata = {
        **SAMPLE_METADATA,
        "rowCount": 0,
        "availableDataEnds": ends,
        "suggestedRetryTime": "2026-11-20T12:30:00.123456Z",
    }
    server.answer_with(
        200, json.dumps({"metadata": metadata, "data": []}), Content_Type="application/json"
    )
    page = await edge.calls(WINDOW, CallFilters())
    assert not page.complete
    assert "try again after 2026-11-20T12:30:00.123456Z" in page.notes[0]


async def test_window_beyond_retention_is_cut(edge: Akamai) -> None:
    page = await edge.calls(
        Window(HOUR - timedelta(days=200), HOUR - timedelta(days=91)), CallFilters()
    )
    assert "92 days" in page.notes[0]
    with pytest.raises(ProtocolError, match="92 days"):
        await edge.calls(
            Window(HOUR - timedelta(days=200), HOUR - timedelta(days=100)), CallFilters()
        )


@pytest.mark.parametrize(
    ("ends", "retry", "note"),
    [
        (
            None,
            "2026-11-20T12:30:00.123456Z",
            (
                "edge says that its data is not final yet; try again after "
                "2026-11-20T12:30:00.123456Z."
            ),
        ),
        (
            "",
            "2026-11-20T12:30:00Z",
            "edge says that its data is not final yet; try again after 2026-11-20T12:30:00Z.",
        ),
        ("soon", None, "edge says that its data is not final yet."),
        (None, None, ""),
        ("", "", ""),
        (HOUR.isoformat(), "2026-11-20T12:30:00Z", ""),
    ],
    ids=["null", "empty", "no time", "final", "final in CSV", "known beyond the window"],
)
async def test_suggested_retry_time_means_not_final(
    server: AkamaiSandbox, edge: Akamai, ends: str | None, retry: str | None, note: str
) -> None:
    metadata = {**SAMPLE_METADATA, "availableDataEnds": ends, "suggestedRetryTime": retry}
    server.answer_with(
        200,
        json.dumps({"metadata": metadata, "data": SAMPLE_DATA}),
        Content_Type="application/json",
    )
    page = await edge.calls(WINDOW, CallFilters())
    assert (page.complete, page.shortcomings) == (not note, (note,) if note else ())
    server.answer_with(
        200, SAMPLE_CSV.replace("suggestedRetryTime,", f"suggestedRetryTime,{retry or ''}").replace("Ends,", f"Ends,{ends or ''}"),
        Content_Type="text/csv",
    )  # fmt: skip
    assert (await edge.calls(WINDOW, CallFilters())).shortcomings == page.shortcomings


async def test_rows_counted_but_none_sent_are_no_empty_report(
    server: AkamaiSandbox, edge: Akamai
) -> None:
    metadata = {**SAMPLE_METADATA, "rowCount": 4}
    server.answer_with(
        200,
        json.dumps({"metadata": metadata, "data": []}),
        times=99,
        Content_Type="application/json",
    )
    with pytest.raises(Incomplete, match="edge counts 4 rows and sent none of them"):
        await edge.calls(WINDOW, CallFilters())


async def test_pages_that_never_end_make_it_incomplete(
    server: AkamaiSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.akamai.transport.MOST_PAGES", 3)
    client = client_of(server, report="v2")
    number = iter(range(99))

    async def page(_: web.Request) -> web.Response:
        links = [{"rel": "next", "href": f"/reporting-api/v2/results/r{next(number)}"}]
        return web.json_response({"metadata": {}, "data": SAMPLE_DATA[:1], "links": links})

    server.misbehave(page, times=99)
    found = await client.calls(WINDOW, CallFilters())
    await client.aclose()
    assert (len(found.calls), found.complete) == (3, False)
    assert "more pages than could be read" in found.shortcomings[0]


async def test_metadata_of_first_page_is_used(server: AkamaiSandbox) -> None:
    """It says where the data ends, and that it is not final."""
    client = client_of(server, report="v2")
    ends = WINDOW.end - timedelta(minutes=20)
    pages = iter(
        [
            ({"availableDataEnds": ends.isoformat(), "rowCount": 2}, "next"),
            ({"rowCount": 1}, "self"),
        ]
    )

    async def page(_: web.Request) -> web.Response:
        metadata, rel = next(pages)
        links = [{"rel": rel, "href": "/reporting-api/v2/results/r1"}]
        return web.json_response({"metadata": metadata, "data": SAMPLE_DATA[:1], "links": links})

    server.misbehave(page, times=2)
    found = await client.calls(WINDOW, CallFilters())
    await client.aclose()
    assert (len(found.calls), found.complete, found.data_until) == (2, False, ends)


async def test_too_large_report_is_fetched_by_halves(
    server: AkamaiSandbox, edge: Akamai, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = Window(HOUR - timedelta(days=2), HOUR)
    whole = await edge.calls(window, CallFilters())
    server.requests.clear()
    monkeypatch.setattr("providers.http.reading.MOST_BODY_BYTES", 40_000)
    halved = await edge.calls(window, CallFilters())
    assert sorted(call.at_text for call in halved.calls) == sorted(
        call.at_text for call in whole.calls
    )
    assert halved.complete
    assert len(server.requests) > 2
