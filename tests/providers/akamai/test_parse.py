"""The JSON and CSV samples on Akamai's page, and rows and bytes of any other shape."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.akamai import parse
from providers.akamai.calls import api_call
from providers.errors import (
    Incomplete,
    ProtocolError,
    ProviderError,
)
from providers.models import Outcome
from tests.conftest import memory_below
from tests.providers.akamai.support import SAMPLE_CSV, SAMPLE_DATA, SAMPLE_METADATA


def sample_calls(report: parse.Report) -> list[tuple[Any, ...]]:
    calls = [api_call(row, account="edge", own_token="") for row in report.rows]
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


@pytest.mark.parametrize(("row", "expected"), ODD_ROWS.values(), ids=ODD_ROWS.keys())
def test_odd_row_becomes_incomplete_call(
    row: dict[str, Any], expected: tuple[str, str, Outcome]
) -> None:
    report = parse.json_report(json.dumps({"data": [row]}).encode(), account="edge")
    call = api_call(report.rows[0], account="edge", own_token="")
    assert (call.action, call.status, call.outcome) == expected
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
    call = api_call(report.rows[0], account="edge", own_token="mine")
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


@given(st.binary(max_size=500))
def test_any_bytes_give_report_or_provider_error(body: bytes) -> None:
    for read in (parse.json_report, parse.csv_report):
        try:
            report = read(body, account="edge")
        except ProviderError:
            continue
        assert all(
            api_call(row, account="edge", own_token="").account == "edge" for row in report.rows
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
    """Quadratic time would be minutes for these."""
    whole = SAMPLE_CSV.partition("client3,")[0].encode() + data + b"\n#DATA_END\n"
    with contextlib.suppress(ProtocolError, Incomplete), memory_below(60 * len(whole)):
        parse.csv_report(whole, account="edge")


@pytest.mark.parametrize("columns", ["", "a,b,c"])
def test_table_with_unknown_columns_is_not_read(columns: str) -> None:
    with pytest.raises(ProtocolError, match="without columns"):
        parse.csv_report(SAMPLE_CSV.replace("clientId,clientIp,clientOwner,clientToken,method,responseCode,timestamp,uri", columns).encode(), account="edge")  # fmt: skip


@pytest.mark.parametrize("code", [503.0, 503, "503"], ids=["fraction", "number", "text"])
def test_response_code_may_be_text_or_number(code: Any) -> None:
    report = parse.json_report(
        json.dumps({"data": [{**SAMPLE_DATA[0], "responseCode": code}]}).encode(), account="edge"
    )
    assert api_call(report.rows[0], account="edge", own_token="").outcome is Outcome.FAILURE


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
