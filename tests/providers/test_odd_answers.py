"""Answers that are nearly as documented: each field missing, null, of another kind or padded.
Readable values are used, and the others are reported.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from providers.akamai import parse as akamai
from providers.akamai.calls import api_call as akamai_call
from providers.akamai.sandbox import AkamaiSandbox
from providers.akamai.shortcomings import shortcomings
from providers.devicewise import parse as devicewise
from providers.devicewise.calls import api_call as devicewise_call
from providers.devicewise.paging import CallCollector
from providers.devicewise.sandbox import DeviceWiseSandbox
from providers.errors import ProtocolError
from providers.http.decoding import decode_json
from providers.models import ApiCall, Outcome
from providers.rapid7 import parse as rapid7
from providers.rapid7 import query_results
from providers.redaction import Redactor, Secret
from tests.support.vendors import WINDOW as HOUR
from tests.support.vendors import Vendor, akamai_vendor, devicewise_vendor, rapid7_vendor

TR50_ROW = {
    "ts": "2014-02-11T14:15:34.882-05:00",
    "whoami": "ada@example.com",
    "request": '{"1":{"Command":"thing.list","Params":{"thingKey":"oven"}}}',
    "response": '{"1":{"success":true}}',
}
REPORT_ROW = {
    "clientOwner": "ada",
    "method": "get",
    "responseCode": "503",
    "timestamp": "2026-11-01T10:00:10Z",
    "uri": "/papi",
}


def tr50(rows: Any, **others: Any) -> bytes:
    reply = {"success": True, "params": {"count": 1, "result": rows}}
    return json.dumps({"list": reply, **others}).encode()


def tr50_call(**columns: Any) -> ApiCall:
    page = devicewise.list_page(tr50([{**TR50_ROW, **columns}]), account="iot")
    assert isinstance(page, devicewise.Page)
    return devicewise_call(page.rows[0], account="iot", whoami="")


def report_call(**columns: Any) -> ApiCall:
    body = json.dumps({"data": [{**REPORT_ROW, **columns}]}).encode()
    row = akamai.json_report(body, account="edge").rows[0]
    return akamai_call(row, account="edge", own_token="")


COLUMNS: list[tuple[Callable[..., ApiCall], dict[str, Any], str, Any]] = [
    (tr50_call, {"ts": 1392145000000}, "at_text", "1392145000000"),
    (tr50_call, {"ts": 1392145000000}, "at", None),
    (tr50_call, {"ts": None}, "at_text", ""),
    (tr50_call, {"ts": "2014-02-11T14:15:34"}, "at", None),
    (tr50_call, {"whoami": 5}, "actor", "5"),
    (tr50_call, {"whoami": None}, "actor", ""),
    (tr50_call, {"whoami": True}, "actor", ""),
    (tr50_call, {"orgId": 17}, "organisation", "17"),
    (tr50_call, {"orgId": 17, "orgKey": "ACME"}, "organisation", "ACME"),
    (tr50_call, {"execTime": 2.15e7}, "duration_ms", 21.5),
    (tr50_call, {"execTime": 0}, "duration_ms", 0.0),
    (tr50_call, {"execTime": "soon"}, "duration_ms", None),
    (tr50_call, {"execTime": None}, "duration_ms", None),
    (tr50_call, {"response": '{"1":{"success":false,"errorCodes":["-90008"]}}'}, "status", "-90008"),
    (tr50_call, {"response": '{"1":{"success":false,"errorCodes":[-90008]}}'}, "status", "-90008"),
    (tr50_call, {"response": '{"1":{"success":false,"errorCodes":[]}}'}, "status", "failed"),
    (tr50_call, {"response": None}, "outcome", Outcome.UNKNOWN),
    (tr50_call, {"request": {"1": {"command": "a.b"}}}, "action", "a.b"),
    (tr50_call, {"request": None}, "action", ""),
    (report_call, {"responseCode": " 503 "}, "outcome", Outcome.FAILURE),
    (report_call, {"responseCode": 503}, "status", "503"),
    (report_call, {"responseCode": 503.0}, "status", "503"),
    (report_call, {"responseCode": None}, "outcome", Outcome.UNKNOWN),
    (report_call, {"responseCode": "N/A"}, "outcome", Outcome.UNKNOWN),
    (report_call, {"timestamp": "N/A"}, "at_text", "N/A"),
    (report_call, {"timestamp": 1793527210}, "at", None),
    (report_call, {"timestamp": 1793527210}, "at_text", "1793527210"),
    (report_call, {"clientOwner": None}, "actor", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "columns", "name", "value"),
    COLUMNS,
    ids=[f"{call.__name__}-{columns}-{name}" for call, columns, name, _ in COLUMNS],
)
def test_column_of_another_kind_is_read(
    call: Callable[..., ApiCall], columns: dict[str, Any], name: str, value: Any
) -> None:
    assert getattr(call(**columns), name) == value


@pytest.mark.parametrize("odd", [None, "x", 5, [1]])
def test_tr50_entry_that_is_no_row_is_said(odd: Any) -> None:
    page = devicewise.list_page(tr50([TR50_ROW, odd], count=2), account="iot")
    assert isinstance(page, devicewise.Page)
    found = CallCollector(
        "iot",
        keep=lambda rows: [devicewise_call(row, account="iot", whoami="") for row in rows],
        read=lambda _rows: None,
    )
    found.begin()
    found.add(page, 2000)
    found.end()
    assert not found.page().complete
    assert found.page().notes == ("1 row from iot cannot be read.",)


@pytest.mark.parametrize("odd", [None, "x", 5, [1]])
def test_report_entry_that_is_no_row_is_said(odd: Any) -> None:
    body = json.dumps({"metadata": {"rowCount": 2}, "data": [REPORT_ROW, odd]}).encode()
    report = akamai.json_report(body, account="edge")
    assert shortcomings("edge", report, HOUR) == ["1 row from edge cannot be read."]


def test_report_without_rows_may_have_null() -> None:
    body = b'{"metadata":{"rowCount":0},"data":null}'
    assert akamai.json_report(body, account="edge").rows == []
    with pytest.raises(ProtocolError):
        akamai.json_report(b'{"metadata":{"rowCount":4},"data":null}', account="edge")


@pytest.mark.parametrize("errors", [{"errorCodes": []}, {"errorMessages": [], "success": True}])
def test_empty_lists_of_errors_are_no_failure(errors: dict[str, Any]) -> None:
    page = devicewise.list_page(tr50([TR50_ROW], **errors), account="iot")
    assert isinstance(page, devicewise.Page)
    assert len(page.rows) == 1


@pytest.mark.parametrize(
    "reply",
    [
        {"success": False, "errorMessages": "No such thing", "errorCodes": -90008},
        {"success": False, "errorMessage": "No such thing", "errorCode": "-90008"},
        {"success": False, "errorMessages": ["No such thing"], "errorCodes": [-90008]},
    ],
)
def test_errors_of_any_spelling_are_read(reply: dict[str, Any]) -> None:
    body = json.dumps({"list": reply}).encode()
    failure = devicewise.list_page(body, account="iot")
    assert failure == devicewise.Failure((-90008,), ("No such thing",))


def test_null_usage_of_a_log_is_unknown() -> None:
    logs = [{"id": "a", "usage": None}, {"id": "b", "usage": "5"}]
    body = {"per_day_usage": {"usage": [{"interval": "2026-11-01", "log_usage": logs}]}}
    found = rapid7.log_usage(json.dumps(body).encode(), account="eu")
    assert found.by_day == {date(2026, 11, 1): {"b": 5}}


def test_entry_that_is_json_is_kept_as_text() -> None:
    body = json.dumps({"events": [{"timestamp": 1, "message": {"level": "warn"}}]}).encode()
    assert query_results.page(body, account="eu").entries[0].message == '{"level": "warn"}'


def test_byte_that_is_no_utf8_costs_no_rows() -> None:
    body = json.dumps({"data": [REPORT_ROW, {**REPORT_ROW, "uri": "?"}]}).encode()
    report = akamai.json_report(body.replace(b'"?"', b'"\xe9"'), account="edge")
    assert [row.uri for row in report.rows] == ["/papi", "�"]
    assert decode_json(b'"\xe9"') == "�"


@pytest.mark.parametrize("vendor", [rapid7_vendor, akamai_vendor])
async def test_byte_order_mark_is_no_part_of_an_answer(vendor: Callable[..., Any]) -> None:
    opened: Vendor
    async with vendor() as opened:
        opened.sends(b"\xef\xbb\xbf" + opened.body(b""))
        assert await opened.ask()


async def test_report_in_csv_is_known_by_its_beginning() -> None:
    async with akamai_vendor("csv") as opened:
        body = opened.body(b"/papi,get")
        opened.server.answer_with(200, body, Content_Type="text/plain")
        page = await opened.ask()
    assert [call.target for call in page.calls] == ["/papi"]


def test_padded_columns_of_csv_are_found() -> None:
    body = b"#METADATA_START\n#METADATA_END\n#COLUMNS_START\nuri, responseCode\n#COLUMNS_END\n"
    body += b"#DATA_START\n/papi, 503\n#DATA_END\n"
    row = akamai.csv_report(body, account="edge").rows[0]
    call = akamai_call(row, account="edge", own_token="")
    assert (call.status, call.outcome) == ("503", Outcome.FAILURE)


OWN = "geheim-geheim-1"


async def test_own_secrets_in_any_column_are_removed() -> None:
    async with devicewise_vendor() as vendor:
        assert isinstance(vendor.server, DeviceWiseSandbox)
        own = vendor.server.password
        vendor.sends(vendor.body(json.dumps({**TR50_ROW, "whoami": f"x{own}"}).encode()))
        assert own not in repr(await vendor.ask())
    async with akamai_vendor() as vendor:
        assert isinstance(vendor.server, AkamaiSandbox)
        own = vendor.server.client_secret
        vendor.sends(vendor.body(json.dumps(dict.fromkeys(REPORT_ROW, f"x/{own}")).encode()))
        assert own not in repr(await vendor.ask())
    redactor = Redactor([Secret(OWN)])
    body = json.dumps({"daily_usage": [], "name": f"ACME {OWN}", "id": OWN}).encode()
    assert OWN not in repr(rapid7.usage_period(redactor.answer(body), account="eu"))
    assert redactor.answer(body, but=OWN) is body


@pytest.mark.parametrize("own", ["name", "daily", "17643123", "userlogin"])
def test_own_secret_is_not_taken_for_a_name_or_number(own: str) -> None:
    body = json.dumps({"name": 1764312345678, own: own}).encode()
    assert Redactor([Secret(own)]).answer(body) is body


@pytest.mark.parametrize("own", ['ab/cd"ef12', "käse/und-brot-1", "back\\slash-99"])
@pytest.mark.parametrize("slash", ["/", "\\/"])
@pytest.mark.parametrize("is_ascii", [True, False])
def test_own_secret_is_found_however_json_writes_it(own: str, slash: str, is_ascii: bool) -> None:
    body = json.dumps({"x": f"a {own} b"}, ensure_ascii=is_ascii).replace("/", slash).encode()
    redactor = Redactor([Secret(own)])
    assert json.loads(redactor.answer(body)) == {"x": "a [redacted] b"}
    assert json.loads(redactor.block(body)) == {"x": "a [redacted] b"}


@pytest.mark.parametrize(
    "day",
    [
        "2026-11-01x",
        "2026-11-01 garbage",
        "2026110100",
        "2026-W44-7",
        "11/01/2026",
        "2026-02-30",
        5,
    ],
)
def test_day_of_another_form_is_refused(day: Any) -> None:
    body = json.dumps({"daily_usage": [{"day": day, "usage": 1}]}).encode()
    with pytest.raises(ProtocolError):
        rapid7.usage_period(body, account="eu")


@pytest.mark.parametrize("day", ["2026-11-01", "2026-11-01T00:00:00Z", "2026-11-01T00:00:00.000Z"])
def test_day_may_be_its_first_instant(day: str) -> None:
    body = json.dumps({"daily_usage": [{"day": day, "usage": 1}]}).encode()
    assert rapid7.usage_period(body, account="eu").by_day == {date(2026, 11, 1): 1}
