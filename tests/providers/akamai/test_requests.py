"""The requests to Akamai: the forms of version 1, version 2, the report's description, and filters."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from providers.akamai.client import Akamai
from providers.akamai.edgerc import EdgeGridCredentials
from providers.akamai.filters import NATIVE_FILTERS
from providers.akamai.reports import ReportSettings
from providers.akamai.sandbox import V1, V2, AkamaiSandbox
from providers.errors import (
    NotFound,
    ProtocolError,
)
from providers.models import CallFilters, Outcome, Window
from providers.redaction import Secret
from tests.providers.akamai.support import HOUR, SAMPLE_DATA, WINDOW, client_of


@pytest.mark.parametrize(
    ("method", "accept"), [("POST", "json"), ("POST", "csv"), ("GET", "json"), ("GET", "csv")]
)
async def test_every_v1_request_form_returns_same_calls(
    server: AkamaiSandbox, method: Any, accept: Any
) -> None:
    client = client_of(server, method=method, accept=accept)
    page = await client.calls(
        WINDOW,
        CallFilters(native={"client_token": ("akab-ada", "akab-linus"), "http_method": ("get",)}),
    )
    await client.aclose()
    wanted = [
        r
        for r in server.rows(WINDOW.start, WINDOW.end)
        if r["clientToken"] in ("akab-ada", "akab-linus") and r["method"] == "get"
    ]
    assert [call.at_text for call in page.calls] == [row["timestamp"] for row in wanted]
    assert page.complete
    assert server.requests[0].method == method


async def test_post_contains_every_documented_field(server: AkamaiSandbox) -> None:
    client = client_of(server, account_switch_key="1-ABCD:Z-XYZ")
    every = dict.fromkeys(NATIVE_FILTERS, ("a", "b"))
    every |= {
        "http_method": ("post", "DELETE"),
        "response_class": ("4xx", "1xx"),
        "response_status": ("success", "error"),
    }
    await client.calls(WINDOW, CallFilters(native=every))
    await client.aclose()
    entry = server.requests[0]
    body = json.loads(entry.body)
    assert len(body["filters"]) == 17
    assert body["filters"]["http_method"] == ["post", "delete"]
    assert body["objectIds"] == ["1-123A", "1-1TGTG"]
    assert set(body["metrics"]) == {
        "clientId",
        "clientIp",
        "clientOwner",
        "clientToken",
        "method",
        "responseCode",
        "timestamp",
        "uri",
    }
    assert "accountSwitchKey=1-ABCD%3AZ-XYZ" in entry.query
    assert f"start={WINDOW.start:%Y-%m-%dT%H}%3A00%3A00Z" in entry.query


async def test_value_unfit_for_get_is_posted(server: AkamaiSandbox) -> None:
    client = client_of(server, method="GET")
    await client.calls(WINDOW, CallFilters(native={"url_contain": ("a,b=c",)}))
    await client.aclose()
    assert server.requests[0].method == "POST"


async def test_report_can_be_described(server: AkamaiSandbox, edge: Akamai) -> None:
    report = await edge.describe()
    assert len(report["metrics"]) == 8
    assert len(report["filters"]) == 17
    assert (await edge.check())[0].ok


async def test_described_filter_values_are_used(server: AkamaiSandbox, edge: Akamai) -> None:
    """They have changed before: an older page has `notcare` where this one has `other`."""
    server.enums["http_method"] = {"get", "post", "notcare"}
    wanted = CallFilters(native={"http_method": ("notcare",)})
    assert "takes head, post, get" in (edge.unsupported_filter(wanted) or "")
    await edge.check()
    assert edge.unsupported_filter(wanted) is None
    assert "takes get, notcare, post, not `put`" in (
        edge.unsupported_filter(CallFilters(native={"http_method": ("put",)})) or ""
    )


async def test_removed_filter_value_lists_valid_ones(server: AkamaiSandbox, edge: Akamai) -> None:
    server.enums["response_class"] = {"4xx", "5xx"}
    with pytest.raises(ProtocolError, match="`response_class` takes 4xx, 5xx, not `2xx`"):
        await edge.calls(WINDOW, CallFilters(native={"response_class": ("2xx",)}))
    assert [entry.method for entry in server.requests] == ["POST", "GET"]


@pytest.mark.parametrize(
    "filters",
    [None, 3, [3], [{"type": "enum"}], [{"type": "enum", "name": "x", "values": [3, {}]}]],
)
async def test_unexpected_description_changes_nothing(
    server: AkamaiSandbox, edge: Akamai, filters: Any
) -> None:
    server.answer_with(
        200, json.dumps({"name": "x", "filters": filters}), Content_Type="application/json"
    )
    await edge.describe()
    assert edge.unsupported_filter(CallFilters(native={"http_method": ("get",)})) is None
    assert edge.unsupported_filter(CallFilters(native={"http_method": ("patch",)}))


async def test_deprecated_report_fails_check_with_hint(server: AkamaiSandbox, edge: Akamai) -> None:
    server.deprecated = True
    check = (await edge.check())[0]
    assert not check.ok
    assert 'report = "v2"' in check.hint


async def test_retired_report_is_no_empty_answer(server: AkamaiSandbox, edge: Akamai) -> None:
    server.retired = True
    with pytest.raises(NotFound, match="does not offer the v1 report") as caught:
        await edge.calls(WINDOW, CallFilters())
    assert 'report = "v2"' in caught.value.hint


@pytest.mark.parametrize(
    ("asynchronous", "page_size"), [(False, 0), (True, 0), (False, 40), (True, 40)]
)
async def test_v2_brings_the_same_calls(
    server: AkamaiSandbox, asynchronous: bool, page_size: int
) -> None:
    server.asynchronous = asynchronous
    server.page_size = page_size
    client = client_of(server, report="v2")
    page = await client.calls(WINDOW, CallFilters(failures=True))
    await client.aclose()
    wanted = [
        row for row in server.rows(WINDOW.start, WINDOW.end) if row["responseCode"][0] in "45"
    ]
    assert [(c.at_text, c.status, c.action) for c in page.calls] == [
        (r["timestamp"], r["responseCode"], r["method"].upper()) for r in wanted
    ]
    assert page.complete
    assert server.requests[0].path == V2
    assert len({entry.headers["Authorization"] for entry in server.requests}) == len(
        server.requests
    )


@pytest.mark.parametrize(
    "filters", [CallFilters(status=("401",)), CallFilters(native={"response_code": ("401", "403")})]
)
async def test_no_401_is_never_evidence(edge: Akamai, filters: CallFilters) -> None:
    page = await edge.calls(WINDOW, filters)
    assert page.complete
    assert "does not record calls whose login failed" in page.notes[0]


@pytest.mark.parametrize(
    ("filters", "keeps"),
    [
        (CallFilters(who=("ada@example.com",)), lambda c: c.actor == "ada@example.com"),
        (CallFilters(action=("GET", "PUT")), lambda c: c.action in ("GET", "PUT")),
        (CallFilters(status=("4xx",)), lambda c: c.status[0] == "4"),
        (CallFilters(status=("503", "5xx")), lambda c: c.status[0] == "5"),
        (CallFilters(status=("success",)), lambda c: c.outcome is Outcome.SUCCESS),
        (CallFilters(url=("papi",)), lambda c: "papi" in c.target),
        (CallFilters(failures=True, status=("503",)), lambda c: c.status == "503"),
        (
            CallFilters(url=("papi",), native={"url_contain": ("versions",)}),
            lambda c: "papi" in c.target and "versions" in c.target,
        ),
    ],
)
async def test_filters_select_exactly_matching_calls(
    edge: Akamai, filters: CallFilters, keeps: Any
) -> None:
    window = Window(HOUR - timedelta(days=2), HOUR)
    everything = (await edge.calls(window, CallFilters())).calls
    kept = (await edge.calls(window, filters)).calls
    assert [c.at_text for c in kept] == [c.at_text for c in everything if keeps(c)]
    assert kept


@pytest.mark.parametrize(
    "filters",
    [
        CallFilters(native={"service": ("thing",)}),
        CallFilters(native={"http_method": ("patch",)}),
        CallFilters(native={"response_class": ("7xx",)}),
        CallFilters(native={"response_status": ("ok",)}),
        CallFilters(action=("thing.list",)),
        CallFilters(status=("-90008",)),
    ],
)
def test_unsupported_filters_send_no_request(filters: CallFilters) -> None:
    secret = Secret("ssss")
    edge = Akamai(
        "edge",
        credentials=EdgeGridCredentials("http://127.0.0.1:9", secret, secret, secret),
        settings=ReportSettings(("1",)),
    )
    assert edge.unsupported_filter(filters)


async def test_own_calls_are_recognised(server: AkamaiSandbox, edge: Akamai) -> None:
    own = {**SAMPLE_DATA[3], "clientToken": server.client_token, "uri": f"host{V1}/report-data"}
    server.rows = lambda a, b: [own, SAMPLE_DATA[0]]
    assert [call.own for call in (await edge.calls(WINDOW, CallFilters())).calls] == [True, False]
    assert len((await edge.calls(WINDOW, CallFilters(leave_out_own=True))).calls) == 1
