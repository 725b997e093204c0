"""Akamai: the samples of its page in JSON and CSV, filters, caps, clock skew, retirement, v2, and
each of its errors.
"""

from __future__ import annotations

import contextlib
import json
from bisect import bisect_left
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from providers.akamai import parse
from providers.akamai.client import Akamai
from providers.akamai.edgerc import EdgeGridCredentials
from providers.akamai.filters import NATIVE_FILTERS
from providers.akamai.reports import ReportSettings
from providers.akamai.sandbox import V1, V2, AkamaiSandbox
from providers.errors import (
    AuthFailed,
    Incomplete,
    NotFound,
    ProtocolError,
    ProviderError,
    RateLimited,
    Unavailable,
)
from providers.models import CallFilters, Outcome, Window
from providers.redaction import Secret
from tests.conftest import memory_below

HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
WINDOW = Window(HOUR - timedelta(hours=6), HOUR)
SAMPLE_DATA = [
    {"clientId": "client3", "clientIp": "127.0.0.1", "clientOwner": "owner2", "clientToken": "token3", "method": "delete", "responseCode": "503", "timestamp": "2019-05-01T00:00:10Z", "uri": "example.com/static/html"},
    {"clientId": "client5", "clientIp": "127.0.0.1", "clientOwner": "owner1", "clientToken": "token2", "method": "patch", "responseCode": "500", "timestamp": "2019-05-01T00:00:25Z", "uri": "data.example.com/upload/file"},
    dict.fromkeys(("clientId", "clientIp", "clientOwner", "clientToken", "method", "responseCode", "timestamp", "uri"), "Other"),
    {"clientId": "client2", "clientIp": "0.0.0.0", "clientOwner": "owner2", "clientToken": "token2", "method": "get", "responseCode": "201", "timestamp": "2019-05-01T00:00:30Z", "uri": "stream.example.com/subscribe"},
]  # fmt: skip
SAMPLE_METADATA = {
    "name": "apiusagedetails-by-time", "version": "1", "outputType": "FLAT", "start": "2023-03-01T00:00:00Z",
    "end": "2023-04-01T00:00:00Z", "availableDataEnds": None, "suggestedRetryTime": None, "rowCount": 4,
    "filters": [{"name": "client_token", "values": ["token_1", "token_2"]}], "objectType": "account_id", "objectIds": ["1-123A"],
}  # fmt: skip
SAMPLE_CSV = """\
#METADATA_START
name,apiusagedetails-by-time
version,1
source,apiusagedetails-by-time/versions/1
start,2023-03-01T00:00:00Z
end,2023-04-01T00:00:00Z
availableDataEnds,
suggestedRetryTime,
rowCount,4
objectType,account_id
objectIds,1-123A,1-1TGTG,1-1TJZFB
client_token,token_1,token_2
http_method,post,patch
#METADATA_END

#SUMMARYSTATISTICS_START

#SUMMARYSTATISTICS_END

#COLUMNS_START
clientId,clientIp,clientOwner,clientToken,method,responseCode,timestamp,uri
#COLUMNS_END

#DATA_START
client3,127.0.0.1,owner2,token3,delete,503,2019-05-01T00:00:10Z,example.com/static/html
client5,127.0.0.1,owner1,token2,patch,500,2019-05-01T00:00:25Z,data.example.com/upload/file
Other,Other,Other,Other,Other,Other,Other,Other
client2,0.0.0.0,owner2,token2,get,201,2019-05-01T00:00:30Z,stream.example.com/subscribe
#DATA_END
"""


@pytest.fixture
async def server() -> AsyncIterator[AkamaiSandbox]:
    sandbox = AkamaiSandbox()
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


def client_of(server: AkamaiSandbox, **settings: Any) -> Akamai:
    secrets = (
        Secret(server.client_token),
        Secret(server.client_secret),
        Secret(server.access_token),
    )
    credentials = EdgeGridCredentials(settings.pop("base_url", server.url), *secrets)
    return Akamai(
        "edge",
        credentials=credentials,
        settings=ReportSettings(**{"account_ids": ("1-123A", "1-1TGTG"), **settings}),
    )


@pytest.fixture
async def edge(server: AkamaiSandbox) -> AsyncIterator[Akamai]:
    client = client_of(server)
    yield client
    await client.aclose()


def sample_calls(report: parse.Report) -> list[tuple[Any, ...]]:
    calls = [parse.api_call(row, account="edge", own_token="") for row in report.rows]
    return [(c.actor, c.action, c.target, c.status, c.outcome, c.client, c.ip, c.at) for c in calls]


EXPECTED = [
    ("owner2", "DELETE", "example.com/static/html", "503", Outcome.FAILURE, "client3", "127.0.0.1", datetime(2019, 5, 1, 0, 0, 10, tzinfo=UTC)),
    ("owner1", "PATCH", "data.example.com/upload/file", "500", Outcome.FAILURE, "client5", "127.0.0.1", datetime(2019, 5, 1, 0, 0, 25, tzinfo=UTC)),
    ("Other", "Other", "Other", "Other", Outcome.UNKNOWN, "Other", "Other", None),
    ("owner2", "GET", "stream.example.com/subscribe", "201", Outcome.SUCCESS, "client2", "0.0.0.0", datetime(2019, 5, 1, 0, 0, 30, tzinfo=UTC)),
]  # fmt: skip


def test_documented_json_sample() -> None:
    body = json.dumps(
        {"metadata": SAMPLE_METADATA, "data": SAMPLE_DATA, "summaryStatistics": {}}
    ).encode()
    report = parse.json_report(body, account="edge")
    assert sample_calls(report) == EXPECTED
    assert report.row_count == 4


@pytest.mark.parametrize(
    "text",
    [SAMPLE_CSV, SAMPLE_CSV.replace("\n", "\r\n"), "\ufeff" + SAMPLE_CSV],
    ids=["lf", "crlf", "bom"],
)
def test_documented_csv_sample(text: str) -> None:
    report = parse.csv_report(text.encode(), account="edge")
    assert sample_calls(report) == EXPECTED
    assert report.row_count == 4


def test_csv_fields_may_contain_delimiters() -> None:
    odd = '"a,b","1\n#DATA_END\n2","say ""hi""",t,get,200,2019-05-01T00:00:10Z,#COLUMNS_START\n#DATA_START\n'
    start = SAMPLE_CSV.index("client3")
    end = SAMPLE_CSV.rindex("#DATA_END")
    report = parse.csv_report(
        (SAMPLE_CSV[:start] + odd + SAMPLE_CSV[end:]).encode(), account="edge"
    )
    assert report.rows[0].clientId == "a,b"
    assert report.rows[0].clientIp == "1\n#DATA_END\n2"
    assert report.rows[0].clientOwner == 'say "hi"'
    assert report.rows[0].uri == "#COLUMNS_START"
    assert len(report.rows) == 2


@pytest.mark.parametrize("cut", ["#DATA_END", "client2", '"open quote'])
def test_truncated_csv_is_reported(cut: str) -> None:
    text = SAMPLE_CSV.split("#DATA_END", maxsplit=1)[0] + ('"open' if cut.startswith('"') else "")
    with pytest.raises(Incomplete):
        parse.csv_report(
            text.split(cut)[0].encode() if cut in text else text.encode(), account="edge"
        )


@pytest.mark.parametrize("columns", [["uri", "responseCode"], ["responseCode", "uri"]])
def test_csv_columns_are_read_by_their_names(columns: list[str]) -> None:
    values = {"uri": "/x", "responseCode": "404"}
    text = f"#METADATA_START\n#METADATA_END\n#COLUMNS_START\n{','.join(columns)}\n#COLUMNS_END\n#DATA_START\n{','.join(values[c] for c in columns)}\n#DATA_END\n"
    assert parse.csv_report(text.encode(), account="edge").rows[0] == parse.row_of(values)


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
    server.asynchronous, server.page_size = asynchronous, page_size
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


@pytest.mark.parametrize(("report", "accept"), [("v1", "json"), ("v1", "csv"), ("v2", "json")])
async def test_full_window_is_halved_until_it_fits(
    server: AkamaiSandbox, report: Any, accept: Any
) -> None:
    """5,000 rows of v1 and 25,000 of v2 are all that one answer brings; no row is lost or doubled
    at a seam.
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


async def test_too_many_rows_are_reported(server: AkamaiSandbox, edge: Akamai) -> None:
    one = [{**SAMPLE_DATA[0], "timestamp": f"{WINDOW.start:%Y-%m-%dT%H:%M:%SZ}"}] * 5000
    server.rows = lambda a, b: one if a <= WINDOW.start < b else []
    page = await edge.calls(WINDOW, CallFilters())
    assert not page.complete
    assert len(page.calls) == 5000


async def test_omitted_rows_are_fetched_by_halves(server: AkamaiSandbox, edge: Akamai) -> None:
    """No flag tells of it, but the report counts more than it holds."""
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


@pytest.mark.parametrize(
    "filters", [CallFilters(status=("401",)), CallFilters(native={"response_code": ("401", "403")})]
)
async def test_no_401_is_never_evidence(edge: Akamai, filters: CallFilters) -> None:
    page = await edge.calls(WINDOW, filters)
    assert page.complete
    assert "does not record calls whose login failed" in page.notes[0]


@pytest.mark.parametrize(
    "href",
    [
        "http://elsewhere.example/x",
        "https://127.0.0.1/x",
        "http://127.0.0.1:1/x",
        "//elsewhere.example/x",
    ],
)
async def test_link_to_other_host_is_not_followed(server: AkamaiSandbox, href: str) -> None:
    client = client_of(server, report="v2")
    server.answer_with(303, Location=href)
    with pytest.raises(ProtocolError, match="link to another host"):
        await client.calls(WINDOW, CallFilters())
    await client.aclose()
    assert len(server.requests) == 1


async def test_report_that_is_never_ready_is_reported(
    server: AkamaiSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.akamai.transport.ASYNC_WAITS_S", (0.0,) * 5)
    client = client_of(server, report="v2")
    server.answer_with(303, Location="/reporting-api/v2/results/r0", times=99)
    with pytest.raises(Unavailable, match="still preparing"):
        await client.calls(WINDOW, CallFilters())
    await client.aclose()
    assert len(server.requests) == 6


async def test_persistently_wrong_clock_is_reported(server: AkamaiSandbox, edge: Akamai) -> None:
    drift = iter(range(1, 100))
    server.now = lambda: datetime.now(UTC) + timedelta(minutes=7 * next(drift))
    with pytest.raises(AuthFailed, match="our clock is wrong"):
        await edge.calls(WINDOW, CallFilters())
    assert len(server.requests) == 2


async def test_missing_date_header_uses_request_time(server: AkamaiSandbox, edge: Akamai) -> None:
    when = datetime.now(UTC) + timedelta(minutes=9)
    problem = {
        "type": "https://problems/pep-authn/request-error",
        "title": "Bad request",
        "detail": "Invalid timestamp",
        "requestTime": f"{when:%Y-%m-%dT%H:%M:%SZ}",
    }
    server.answer_with(400, json.dumps(problem), Date="soon")
    server.now = lambda: datetime.now(UTC) + timedelta(minutes=9)
    await edge.calls(WINDOW, CallFilters())
    assert len(server.requests) == 2


ODD_ROWS = {
    "all Other": (dict.fromkeys(SAMPLE_DATA[0], "Other"), ("Other", "Other", Outcome.UNKNOWN)),
    "an unknown method": ({**SAMPLE_DATA[0], "method": "brew"}, ("BREW", "503", Outcome.FAILURE)),
    "a client that gave up": (
        {**SAMPLE_DATA[0], "responseCode": "000"},
        ("DELETE", "000", Outcome.UNKNOWN),
    ),
    "invalid headers": (
        {**SAMPLE_DATA[0], "responseCode": "601"},
        ("DELETE", "601", Outcome.UNKNOWN),
    ),
    "a number": ({**SAMPLE_DATA[0], "responseCode": 404}, ("DELETE", "404", Outcome.FAILURE)),
    "nothing": ({}, ("", "", Outcome.UNKNOWN)),
    "nulls": (dict.fromkeys(SAMPLE_DATA[0]), ("", "", Outcome.UNKNOWN)),
    "an epoch": ({**SAMPLE_DATA[0], "timestamp": 1700000000}, ("DELETE", "503", Outcome.FAILURE)),
}


@pytest.mark.parametrize(("row", "told"), ODD_ROWS.values(), ids=ODD_ROWS.keys())
def test_odd_row_becomes_incomplete_call(
    row: dict[str, Any], told: tuple[str, str, Outcome]
) -> None:
    report = parse.json_report(json.dumps({"data": [row]}).encode(), account="edge")
    call = parse.api_call(report.rows[0], account="edge", own_token="")
    assert (call.action, call.status, call.outcome) == told
    if row.get("timestamp") != SAMPLE_DATA[0]["timestamp"]:
        assert call.at is None


def test_v2_rows_are_read_by_their_own_names() -> None:
    row = {
        "timestamp": "2026-11-20T11:00:00Z",
        "clientOwner": "ada",
        "requestMethod": "GET",
        "requestUri": "/x",
        "responseCode": 503,
        "authorizationClientToken": "mine",
        "clientId": "c",
    }
    report = parse.json_report(json.dumps({"data": [row]}).encode(), account="edge")
    call = parse.api_call(report.rows[0], account="edge", own_token="mine")
    assert (call.actor, call.action, call.target, call.status, call.outcome) == (
        "ada",
        "GET",
        "/x",
        "503",
        Outcome.FAILURE,
    )


def test_rows_that_are_no_rows_are_left_out() -> None:
    body = json.dumps(
        {"data": [3, None, SAMPLE_DATA[0], "x", []], "metadata": [], "links": 5}
    ).encode()
    assert len(parse.json_report(body, account="edge").rows) == 1


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


async def test_clock_skew_is_corrected_once(server: AkamaiSandbox, edge: Akamai) -> None:
    server.now = lambda: datetime.now(UTC) + timedelta(minutes=7)
    await edge.calls(WINDOW, CallFilters())
    await edge.calls(WINDOW, CallFilters())
    assert len(server.requests) == 3


async def test_every_attempt_is_signed_afresh(server: AkamaiSandbox, edge: Akamai) -> None:
    server.answer_with(503, times=2)
    await edge.calls(WINDOW, CallFilters())
    assert len({entry.headers["Authorization"] for entry in server.requests}) == 3


async def test_wrong_secret_is_reported_without_showing_it(server: AkamaiSandbox) -> None:
    secrets = (Secret(server.client_token), Secret("not-the-secret"), Secret(server.access_token))
    client = Akamai(
        "edge",
        credentials=EdgeGridCredentials(server.url, *secrets),
        settings=ReportSettings(("1-123A",)),
    )
    with pytest.raises(AuthFailed, match="The signature does not match") as caught:
        await client.calls(WINDOW, CallFilters())
    await client.aclose()
    assert "not-the-secret" not in f"{caught.value!r}{caught.value.hint}"


async def test_foreign_account_id_is_named(server: AkamaiSandbox) -> None:
    client = client_of(server, account_ids=("1-ELSEWHERE",))
    with pytest.raises(AuthFailed, match="1-ELSEWHERE"):
        await client.calls(WINDOW, CallFilters())
    await client.aclose()


def gateway(kind: str, detail: str) -> str:
    return json.dumps(
        {
            "type": f"https://problems.luna.akamaiapis.net/-/{kind}",
            "title": "Bad request",
            "detail": detail,
        }
    )


ERRORS = [
    (
        "burst block",
        400,
        gateway("pep-authn/request-error", "WAF deny rule IPBLOCK-BURST4-54013"),
        RateLimited,
    ),
    (
        "bad request",
        400,
        json.dumps({"type": "x", "title": "Invalid request", "errors": [{"title": "Bad date"}]}),
        ProtocolError,
    ),
    (
        "no errors",
        400,
        json.dumps({"type": "x", "title": "Invalid request", "errors": []}),
        ProtocolError,
    ),
    ("inactive", 401, gateway("pep-authn/deny", "Inactive client token"), AuthFailed),
    ("denied", 403, gateway("pep-authz/deny", "lacks grant"), AuthFailed),
    ("gone", 410, "", NotFound),
    ("not found", 404, "<html></html>", NotFound),
    ("html", 502, "<html>Access Denied Reference #18</html>", Unavailable),
    (
        "quota",
        429,
        json.dumps(
            {"title": "Rate Limit Exceeded", "rateLimitNextRequest": "Fri, 29 Mar 2044 13:40:00 Z"}
        ),
        RateLimited,
    ),
    ("cost", 422, json.dumps({"title": "query-cost-exceeded"}), ProtocolError),
]


@pytest.mark.parametrize(
    ("status", "body", "error"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS]
)
async def test_each_error_is_one_of_the_family(
    server: AkamaiSandbox, edge: Akamai, status: int, body: str, error: type[ProviderError]
) -> None:
    server.answer_with(status, body, times=9)
    with pytest.raises(error) as caught:
        await edge.calls(WINDOW, CallFilters())
    assert caught.value.hint


@pytest.mark.parametrize(
    "body",
    ["", "{}", '{"data": 3}', "<html>", "[" * 50_000],
    ids=["empty", "no data", "number", "html", "deep"],
)
async def test_unreadable_answer_is_a_protocol_error(
    server: AkamaiSandbox, edge: Akamai, body: str
) -> None:
    server.answer_with(200, body, Content_Type="application/json")
    with pytest.raises(ProtocolError):
        await edge.calls(WINDOW, CallFilters())


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


@given(st.binary(max_size=500))
def test_any_bytes_give_report_or_provider_error(body: bytes) -> None:
    for read in (parse.json_report, parse.csv_report):
        try:
            report = read(body, account="edge")
        except ProviderError:
            continue
        assert all(
            parse.api_call(row, account="edge", own_token="").account == "edge"
            for row in report.rows
        )


@given(st.text(max_size=300))
def test_any_csv_data_is_tolerated(text: str) -> None:
    body = SAMPLE_CSV.replace("client3", text).encode("utf-8", "replace")
    try:
        parse.csv_report(body, account="edge")
    except ProviderError as error:
        assert error.account == "edge"


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 2_000_000,
        b'{"data":' * 400_000,
        b'{"data":[' + b'{"uri":1},' * 200_000,
        b'"' + b"\\" * 2_000_000,
        b"\xff" * 2_000_000,
    ],
    ids=["nested", "objects", "many odd rows cut short", "one string", "no text"],
)
def test_adversarial_json_is_refused_in_bounded_memory(body: bytes) -> None:
    with pytest.raises(ProtocolError), memory_below(40 * len(body)):
        parse.json_report(body, account="edge")


@pytest.mark.parametrize(
    "data",
    [
        b'"' + b"x" * 3_000_000,
        b'"' * 3_000_001,
        b"," * 3_000_000,
        b"\n" * 3_000_000,
        b"#DATA_START\n" * 250_000,
        b"\xff" * 3_000_000,
    ],
    ids=["open quote", "quotes", "commas", "empty lines", "markers", "no text"],
)
def test_adversarial_csv_needs_bounded_memory(data: bytes) -> None:
    """Time that grows with the square of these would be minutes."""
    whole = SAMPLE_CSV.partition("client3,")[0].encode() + data + b"\n#DATA_END\n"
    with contextlib.suppress(ProtocolError, Incomplete), memory_below(60 * len(whole)):
        parse.csv_report(whole, account="edge")


async def test_query_string_secrets_are_redacted(server: AkamaiSandbox, edge: Akamai) -> None:
    server.rows = lambda a, b: [{**SAMPLE_DATA[0], "uri": "host/x?token=s3cr3t&page=2"}]
    page = await edge.calls(WINDOW, CallFilters())
    assert page.calls[0].target == "host/x?token=[redacted]&page=2"


async def test_429_names_time_of_recovery(server: AkamaiSandbox, edge: Akamai) -> None:
    when = datetime.now(UTC) + timedelta(minutes=4)
    server.answer_with(
        429,
        json.dumps(
            {
                "title": "Rate Limit Exceeded",
                "rateLimitNextRequest": f"{when:%a, %d %b %Y %H:%M:%S} Z",
            }
        ),
        times=9,
    )
    with pytest.raises(RateLimited) as caught:
        await edge.calls(WINDOW, CallFilters())
    assert caught.value.hint == "It will work again in about 4 min."


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
    """Where the data ends, and that it is not final."""
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


@pytest.mark.parametrize("columns", ["", "a,b,c"])
def test_table_with_unknown_columns_is_not_read(columns: str) -> None:
    with pytest.raises(ProtocolError, match="without columns"):
        parse.csv_report(SAMPLE_CSV.replace("clientId,clientIp,clientOwner,clientToken,method,responseCode,timestamp,uri", columns).encode(), account="edge")  # fmt: skip


@pytest.mark.parametrize("code", [503.0, 503, "503"], ids=["fraction", "number", "text"])
def test_response_code_may_be_text_or_number(code: Any) -> None:
    report = parse.json_report(
        json.dumps({"data": [{**SAMPLE_DATA[0], "responseCode": code}]}).encode(), account="edge"
    )
    assert parse.api_call(report.rows[0], account="edge", own_token="").outcome is Outcome.FAILURE


async def test_refused_window_is_no_clock_error(server: AkamaiSandbox, edge: Akamai) -> None:
    errors = [
        {
            "type": "reporting.re.date.range.invalid.date.format",
            "title": "Invalid timestamp in start",
        }
    ]
    body = {
        "type": "reporting.re.invalid.request",
        "title": "Invalid timestamp",
        "instance": "x",
        "errors": errors,
    }
    server.answer_with(400, json.dumps(body), times=9)
    with pytest.raises(ProtocolError, match="refused the window"):
        await edge.calls(WINDOW, CallFilters())


@pytest.mark.parametrize(
    "href", ["http://[::1", "\x00", "/x" * 70_000, "http://h:99999999/", "//", "\ud800"], ids=repr
)
async def test_invalid_link_is_a_protocol_error(server: AkamaiSandbox, href: str) -> None:
    client = client_of(server, report="v2")
    body = {"metadata": {}, "data": SAMPLE_DATA[:1], "links": [{"rel": "next", "href": href}]}
    server.answer_with(200, json.dumps(body), Content_Type="application/json")
    with contextlib.suppress(ProviderError):
        assert (await client.calls(WINDOW, CallFilters())).calls
    await client.aclose()


@given(
    st.dictionaries(
        st.sampled_from(["rowCount", "availableDataEnds", "suggestedRetryTime"]),
        st.none() | st.text() | st.integers() | st.floats() | st.lists(st.text()),
    )
)
def test_any_metadata_is_tolerated(metadata: dict[str, Any]) -> None:  # fmt: skip
    report = parse.json_report(
        json.dumps({"metadata": metadata, "data": SAMPLE_DATA, "links": metadata}).encode(),
        account="edge",
    )
    assert len(report.rows) == 4
    assert report.row_count is None or report.row_count >= 0
    assert report.data_ends is None or report.data_ends.tzinfo is UTC
