"""Pages up to the last, counts that are only hints, and rows that are missing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.devicewise.client import DeviceWise
from providers.devicewise.sandbox import DeviceWiseSandbox
from providers.errors import (
    Incomplete,
    ProtocolError,
)
from providers.models import CallFilters
from tests.providers.devicewise.support import SAMPLE_ROW, WINDOW, answer_of, bodies, rows


async def test_pages_are_read_until_there_are_no_more(
    server: DeviceWiseSandbox, iot: DeviceWise
) -> None:
    server.rows = lambda start, end: rows(4500)
    page = await iot.calls(WINDOW, CallFilters())
    assert (len(page.calls), page.complete) == (4500, True)
    assert [asked["params"]["offset"] for asked in bodies(server, "usage.api.list")] == [
        0,
        2000,
        4000,
    ]


@pytest.mark.parametrize("count", [0, 3, 99, None, "many"])
async def test_count_is_only_a_hint(server: DeviceWiseSandbox, iot: DeviceWise, count: Any) -> None:
    await iot.calls(WINDOW, CallFilters())
    for page in (rows(10)[:6], rows(10)[6:], []):
        server.answer_with(
            200,
            json.dumps(
                {"list": {"success": True, "params": {"count": count, "result": page or None}}}
            ),
        )
    assert len((await iot.calls(WINDOW, CallFilters())).calls) == 10


async def test_repeated_page_ends_the_paging(server: DeviceWiseSandbox, iot: DeviceWise) -> None:
    await iot.calls(WINDOW, CallFilters())
    answer = {"list": {"success": True, "params": {"count": 42, "result": [SAMPLE_ROW]}}}
    server.answer_with(200, json.dumps(answer), times=99)
    page = await iot.calls(WINDOW, CallFilters())
    assert (len(page.calls), page.complete) == (1, False)
    assert "same page twice" in page.notes[0]


async def test_rows_that_drift_between_pages_count_once(
    server: DeviceWiseSandbox, iot: DeviceWise
) -> None:
    await iot.calls(WINDOW, CallFilters())
    everything = rows(10)
    for result in (everything[:6], everything[4:], []):
        server.answer_with(
            200, json.dumps({"list": {"success": True, "params": {"count": 10, "result": result}}})
        )
    page = await iot.calls(WINDOW, CallFilters())
    assert (len(page.calls), page.complete) == (10, False)


async def test_changing_count_makes_answer_approximate(
    server: DeviceWiseSandbox, iot: DeviceWise
) -> None:
    await iot.calls(WINDOW, CallFilters())
    for count, page in ((10, rows(10)[:6]), (11, rows(10)[6:]), (11, [])):
        server.answer_with(
            200,
            json.dumps(
                {"list": {"success": True, "params": {"count": count, "result": page or None}}}
            ),
        )
    found = await iot.calls(WINDOW, CallFilters())
    assert (len(found.calls), found.complete) == (10, False)
    assert "approximate" in found.notes[0]


@pytest.mark.parametrize("count", [42, "42", 42.0])
async def test_rows_counted_but_not_sent_make_it_incomplete(
    server: DeviceWiseSandbox, iot: DeviceWise, count: Any
) -> None:
    """The sample of the page: it counts 42 calls and shows one."""
    await iot.calls(WINDOW, CallFilters())
    server.answer_with(200, answer_of(count, [SAMPLE_ROW]))
    server.answer_with(200, answer_of(count, None))
    page = await iot.calls(WINDOW, CallFilters())
    assert (len(page.calls), page.complete) == (1, False)
    assert page.shortcomings == ("iot counts 42 calls and sent 1.",)


@pytest.mark.parametrize("page", [None, []], ids=["null", "empty"])
async def test_count_without_rows_is_not_empty(
    server: DeviceWiseSandbox, iot: DeviceWise, page: list[dict[str, Any]] | None
) -> None:
    await iot.calls(WINDOW, CallFilters())
    server.answer_with(200, answer_of(42, page))
    with pytest.raises(Incomplete, match="iot counts 42 calls and sent none of them"):
        await iot.calls(WINDOW, CallFilters())


async def test_answer_without_rows_and_count_is_not_empty(
    server: DeviceWiseSandbox, iot: DeviceWise
) -> None:
    await iot.calls(WINDOW, CallFilters())
    server.answer_with(200, json.dumps({"list": {"success": True, "params": {}}}))
    with pytest.raises(ProtocolError, match="an answer without rows"):
        await iot.calls(WINDOW, CallFilters())
    server.answer_with(200, json.dumps({"list": {"success": True, "params": {"count": 0}}}))
    assert (await iot.calls(WINDOW, CallFilters())).complete


async def test_too_large_page_is_split(
    server: DeviceWiseSandbox, iot: DeviceWise, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.rows = lambda start, end: rows(900)
    monkeypatch.setattr("providers.http.reading.MOST_BODY_BYTES", 200_000)
    page = await iot.calls(WINDOW, CallFilters())
    assert (len(page.calls), page.complete) == (900, True)
    assert [asked["params"]["limit"] for asked in bodies(server, "usage.api.list")][:3] == [
        2000,
        500,
        500,
    ]


async def test_pages_of_one_row_end(
    server: DeviceWiseSandbox, iot: DeviceWise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.devicewise.paging.MOST_PAGES", 7)
    server.rows = lambda start, end: rows(2000)
    server.page_rows = 1
    page = await iot.calls(WINDOW, CallFilters())
    assert (len(page.calls), page.complete) == (7, False)
    assert (
        page.shortcomings[0] == "Only the first 7 calls of iot were read; ask for a shorter window."
    )


async def test_exhausted_list_ends_the_paging(server: DeviceWiseSandbox, iot: DeviceWise) -> None:
    await iot.calls(WINDOW, CallFilters())
    failure = {
        "list": {"success": False, "errorCodes": [-90058], "errorMessages": ["Iterator exhausted"]}
    }
    server.answer_with(200, answer_of(None, rows(3)))
    server.answer_with(200, json.dumps(failure))
    page = await iot.calls(WINDOW, CallFilters())
    assert (len(page.calls), page.complete) == (3, True)
    server.answer_with(200, json.dumps(failure))
    with pytest.raises(ProtocolError, match="Iterator exhausted"):
        await iot.calls(WINDOW, CallFilters())
