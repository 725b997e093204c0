"""The sample row on deviceWISE's page, and rows, requests and responses of unusual shapes."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.devicewise import parse
from providers.devicewise.calls import api_call
from providers.devicewise.client import DeviceWise
from providers.devicewise.sandbox import DeviceWiseSandbox
from providers.errors import (
    ProtocolError,
)
from providers.models import CallFilters, Outcome
from tests.conftest import memory_below
from tests.providers.devicewise.support import SAMPLE_ROW, WINDOW


def test_documented_sample_row() -> None:
    call = api_call(parse.row_of(SAMPLE_ROW), account="iot", whoami="")
    assert call.at == datetime(2014, 2, 11, 19, 15, 34, 882000, tzinfo=UTC)
    assert (call.actor, call.action, call.status, call.outcome) == (
        "admin@example.com",
        "usage.api.list",
        "ok",
        Outcome.SUCCESS,
    )
    assert call.duration_ms is None
    assert (call.host, call.client, call.organisation) == ("ip-10-200-40-161", "", "")


def test_organisation_without_key_is_shown_by_id() -> None:
    assert (
        api_call(
            parse.row_of({**SAMPLE_ROW, "orgId": "52f7"}), account="iot", whoami=""
        ).organisation
        == "52f7"
    )
    assert (
        api_call(
            parse.row_of({**SAMPLE_ROW, "orgId": "52f7", "orgKey": "ACME"}),
            account="iot",
            whoami="",
        ).organisation
        == "ACME"
    )


async def test_secrets_of_the_rows_do_not_leave(server: DeviceWiseSandbox, iot: DeviceWise) -> None:
    """They occur in names, parameters and replies, at every depth, and in failure messages."""
    inner = json.dumps({"password": "geheim-1", "nested": json.dumps({"sessionId": "geheim-2"})})
    request = {
        "1": {
            "Command": "thing.list token=geheim-3",
            "Params": {"thingKey": "oven password=geheim-4", "x": inner},
        }
    }
    response = {
        "1": {
            "success": False,
            "errorCodes": [-90008],
            "errorMessages": ["token=geheim-5"],
            "params": {"appToken": "geheim-6"},
        }
    }
    server.rows = lambda start, end: [
        {**SAMPLE_ROW, "request": json.dumps(request), "response": json.dumps(response)}
    ]
    page = await iot.calls(WINDOW, CallFilters())
    assert "geheim" not in repr(page)
    assert page.calls[0].target == "oven password=[redacted]"


ROW = {**SAMPLE_ROW, "orgKey": "KITCHEN", "execTime": 21_500_000}
NESTED = {
    "capitals": (
        '{"1":{"Command":"thing.list","Params":{"thingKey":"oven-1"}}}',
        "thing.list",
        "oven-1",
    ),
    "lower case": (
        '{"1":{"command":"thing.list","params":{"key":"oven-1"}}}',
        "thing.list",
        "oven-1",
    ),
    "several": (
        '{"a":{"command":"thing.list"},"b":{"COMMAND":"alarm.publish"}}',
        "thing.list+alarm.publish",
        "",
    ),
    "session beside": ('{"auth":{"sessionId":"x"},"1":{"command":"thing.list"}}', "thing.list", ""),
    "login": (
        '{"auth":{"command":"api.authenticate","params":{"username":"u","password":"p"}}}',
        "api.authenticate",
        "",
    ),
    "command inside params is data": (
        '{"1":{"command":"a.b","params":{"command":"c.d"}}}',
        "a.b",
        "",
    ),
    "broken": ('{"1":{"command"', "", ""),
    "not an object": ("[1,2]", "", ""),
    "lone surrogate": (
        '{"1":{"command":"thing.list","params":{"key":"\\ud800"}}}',
        "thing.list",
        "\ud800",
    ),
    "big number": (
        '{"1":{"command":"thing.list","params":{"n":' + "9" * 400 + "}}}",
        "thing.list",
        "",
    ),
    "deep": ("[" * 100_000, "", ""),
}


@pytest.mark.parametrize(("request_text", "action", "target"), NESTED.values(), ids=NESTED.keys())
def test_request_in_string_may_have_any_shape(request_text: str, action: str, target: str) -> None:
    call = api_call(parse.row_of({**ROW, "request": request_text}), account="iot", whoami="")
    assert (call.action, call.target, call.duration_ms, call.client) == (
        action,
        target,
        21.5,
        "KITCHEN",
    )


@pytest.mark.parametrize(
    ("response", "status", "outcome"),
    [
        ('{"1":{"success":true}}', "ok", Outcome.SUCCESS),
        (
            '{"1":{"success":true},"2":{"success":false,"errorCodes":[-90008]}}',
            "-90008",
            Outcome.FAILURE,
        ),
        ('{"success":false,"errorCodes":[-90000]}', "-90000", Outcome.FAILURE),
        ('{"1":{"Success":false}}', "failed", Outcome.FAILURE),
        ('{"1":{}}', "", Outcome.UNKNOWN),
        ("not json", "", Outcome.UNKNOWN),
        (None, "", Outcome.UNKNOWN),
    ],
)
def test_row_fails_with_its_response(response: str | None, status: str, outcome: Outcome) -> None:
    call = api_call(parse.row_of({**ROW, "response": response}), account="iot", whoami="")
    assert (call.status, call.outcome) == (status, outcome)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2014-02-11T14:15:34.8-05:00", datetime(2014, 2, 11, 19, 15, 34, 800000, tzinfo=UTC)),
        ("2014-02-11T14:15:34Z", datetime(2014, 2, 11, 14, 15, 34, tzinfo=UTC)),
        ("2014-02-11T14:15:34", None),
        ("2014-02-11T14:15:60Z", None),
        ("Tuesday", None),
    ],
)
def test_time_needs_an_offset(text: str, at: datetime | None) -> None:
    call = api_call(parse.row_of({**ROW, "ts": text}), account="iot", whoami="")
    assert (call.at, call.at_text) == (at, text)


@given(st.binary(max_size=400))
def test_any_bytes_give_params_or_an_error(body: bytes) -> None:
    try:
        found = parse.reply_params(body, "list", account="iot")
    except ProtocolError:
        return
    assert isinstance(found, dict | parse.Failure)


@given(
    st.dictionaries(
        st.sampled_from(["ts", "execTime", "whoami", "request", "response", "orgKey"]),
        st.none() | st.text() | st.integers() | st.lists(st.text()),
    )
)
def test_any_row_gives_a_call(row: dict[str, Any]) -> None:
    assert api_call(parse.row_of(row), account="iot", whoami="x").account == "iot"


SLOW_BODIES = [
    b"[" * 1_000_000, b'{"list":{"params":' * 60_000, b'{"list":{"success":true,"params":{"count":' + b"9" * 1_000_000 + b"}}}",
    b'{"list":{"success":true,"params":{"result":[' + b"{}," * 300_000 + b"{}]}}}", b'"' + b"\\" * 1_000_000,
]  # fmt: skip


@pytest.mark.parametrize(
    "body", SLOW_BODIES, ids=["arrays", "objects", "a number", "empty rows", "a string"]
)
def test_adversarial_answer_needs_bounded_memory(body: bytes) -> None:
    with contextlib.suppress(ProtocolError), memory_below(200 * len(body)):
        parse.list_page(body, account="iot")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 150_000,
        '{"1":' * 30_000,
        '{"1":{"Command":' + "9" * 150_000 + "}}",
        '{"a":NaN}',
        '{"1":{"Command":"a.b"},"1":{"Command":"c.d"}}',
    ],
)
def test_adversarial_nested_string_leaves_a_call(text: str) -> None:
    """Too deep, too long a number, not a number, a repeated name (the last one counts)."""
    call = api_call(
        parse.row_of({**ROW, "request": text, "response": text}), account="iot", whoami=""
    )
    assert call.action in ("", "c.d")


def test_login_parameters_are_no_target() -> None:
    login = '{"auth":{"command":"api.authenticate","params":{"appToken":"t","appId":"i","thingKey":"secret-thing"}}}'
    call = api_call(parse.row_of({**ROW, "request": login}), account="iot", whoami="")
    assert (call.action, call.target) == ("api.authenticate", "")


MEMBERS = [
    "list",
    "success",
    "Success",
    "params",
    "Params",
    "result",
    "count",
    "errorCodes",
    "command",
    "COMMAND",
    "thingKey",
    "key",
    "1",
    "auth",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=4))
def test_fast_and_careful_parser_agree(answer: dict[str, Any]) -> None:
    """Rows decoded directly equal those that the careful parser finds."""
    body = json.dumps(answer).encode()
    try:
        found = parse.reply_params(body, parse.LIST_ID, account="iot")
        careful: Any = (
            found if isinstance(found, parse.Failure) else parse.page(found, account="iot")
        )
    except ProtocolError:
        careful = ProtocolError
    try:
        quick: Any = parse.list_page(body, account="iot")
    except ProtocolError:
        quick = ProtocolError
    assert quick == careful


@given(st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=4))
def test_cached_request_is_parsed_as_a_new_one(request_: dict[str, Any]) -> None:
    text = json.dumps(request_)
    for _ in range(2):
        call = api_call(parse.row_of({"request": text, "response": text}), account="iot", whoami="")
        assert call == api_call(
            parse.row_of({"request": request_, "response": request_}), account="iot", whoami=""
        )


@pytest.mark.parametrize(
    ("value", "duration"),
    [
        ("21500000", None),
        (21_500_000.0, 21.5),
        (True, None),
        (1.5, None),
        (None, None),
        (0, 0.0),
        (-1, None),
    ],
    ids=str,
)
def test_duration_is_a_whole_number_of_nanoseconds(value: Any, duration: float | None) -> None:
    body = json.dumps(
        {
            "list": {
                "success": True,
                "params": {"count": 1, "result": [{**SAMPLE_ROW, "execTime": value}]},
            }
        }
    )
    found = parse.list_page(body.encode(), account="iot")
    assert isinstance(found, parse.Page)
    assert api_call(found.rows[0], account="iot", whoami="").duration_ms == duration


@pytest.mark.parametrize("nesting", [90, 5000])
async def test_deep_request_object_is_tolerated(
    server: DeviceWiseSandbox, iot: DeviceWise, nesting: int
) -> None:
    await iot.calls(WINDOW, CallFilters())
    deep = '{"a":' * nesting + "1" + "}" * nesting
    row = json.dumps({**SAMPLE_ROW, "request": 0}).replace(
        '"request": 0', f'"request": {{"1":{{"command":"a.b","params":{deep}}}}}'
    )
    server.answer_with(200, '{"list":{"success":true,"params":{"count":1,"result":[' + row + "]}}}")
    with contextlib.suppress(ProtocolError):
        page = await iot.calls(WINDOW, CallFilters())
        assert [call.action for call in page.calls] == ["a.b"]
