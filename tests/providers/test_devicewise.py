"""deviceWISE: the sample of its page, failures inside HTTP 200, sessions, paging, and rows in every
odd shape.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from bot.store import Store
from providers.devicewise import parse
from providers.devicewise.auth import Credentials
from providers.devicewise.client import DeviceWise
from providers.devicewise.sandbox import DeviceWiseSandbox
from providers.errors import (
    AuthFailed,
    Incomplete,
    NotFound,
    ProtocolError,
    ProviderError,
    RateLimited,
    Unavailable,
)
from providers.models import CallFilters, CallPage, Outcome, Window
from providers.redaction import Secret
from tests.conftest import memory_below

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WINDOW = Window(NOON - timedelta(hours=1), NOON)
SAMPLE_ROW = {
    "ts": "2014-02-11T14:15:34.882-05:00",
    "processedBy": "ip-10-200-40-161",
    "whoami": "admin@example.com",
    "request": '{"1":{"Command":"usage.api.list","SessionId":"","Params":{"last":"24h"}}}',
    "response": '{"1":{"success":true,"params":{"count":0,"result":null}}}',
}


@pytest.fixture
async def server() -> AsyncIterator[DeviceWiseSandbox]:
    sandbox = DeviceWiseSandbox()
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


def client_of(server: DeviceWiseSandbox, **changes: Any) -> DeviceWise:
    credentials = changes.pop(
        "credentials", Credentials(username=server.username, password=Secret(server.password))
    )
    return DeviceWise("iot", base_url=server.url, credentials=credentials, **changes)


@pytest.fixture
async def iot(server: DeviceWiseSandbox) -> AsyncIterator[DeviceWise]:
    client = client_of(server)
    yield client
    await client.aclose()


def bodies(server: DeviceWiseSandbox, command: str) -> list[dict[str, Any]]:
    asked = [json.loads(entry.body) for entry in server.requests]
    return [value for body in asked for value in body.values() if value.get("command") == command]


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {**SAMPLE_ROW, "ts": (NOON - timedelta(seconds=n)).isoformat(), "execTime": n}
        for n in range(count)
    ]


def test_documented_sample_row() -> None:
    call = parse.api_call(parse.row_of(SAMPLE_ROW), account="iot", whoami="")
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
        parse.api_call(
            parse.row_of({**SAMPLE_ROW, "orgId": "52f7"}), account="iot", whoami=""
        ).organisation
        == "52f7"
    )
    assert (
        parse.api_call(
            parse.row_of({**SAMPLE_ROW, "orgId": "52f7", "orgKey": "ACME"}),
            account="iot",
            whoami="",
        ).organisation
        == "ACME"
    )


async def test_every_parameter_of_the_page_travels(server: DeviceWiseSandbox) -> None:
    client = client_of(server, show_all=True)
    filters = CallFilters(
        who=("ada@example.com",),
        failures=True,
        native={"service": ("thing",), "command": ("list",)},
    )
    await client.calls(WINDOW, filters)
    await client.aclose()
    assert bodies(server, "usage.api.list")[0]["params"] == {
        "showAll": True,
        "who": "ada@example.com",
        "hasFailure": True,
        "service": "thing",
        "command": "list",
        "start": "2026-11-20T11:00:00.000Z",
        "end": "2026-11-20T12:00:00.000Z",
        "offset": 0,
        "limit": 2000,
    }


async def test_all_organisations_need_super_ops(server: DeviceWiseSandbox) -> None:
    server.super_ops = False
    client = client_of(server, show_all=True)
    with pytest.raises(ProtocolError, match="showAll requires Super-Ops"):
        await client.calls(WINDOW, CallFilters())
    await client.aclose()


async def test_check_requests_one_recent_row(server: DeviceWiseSandbox, iot: DeviceWise) -> None:
    checks = await iot.check()
    assert checks[0].ok
    assert bodies(server, "usage.api.list")[0]["params"] == {"last": "1h", "offset": 0, "limit": 1}


async def test_application_logs_in_with_its_token(server: DeviceWiseSandbox) -> None:
    client = client_of(
        server,
        credentials=Credentials(
            app_token=Secret("app-token-1"), app_id=Secret("app-id-1"), thing_key="opswatch-thing"
        ),
    )
    await client.calls(WINDOW, CallFilters())
    await client.aclose()
    assert bodies(server, "api.authenticate")[0]["params"] == {
        "appToken": "app-token-1",
        "appId": "app-id-1",
        "thingKey": "opswatch-thing",
    }


async def test_concurrent_requests_share_one_session(
    server: DeviceWiseSandbox, iot: DeviceWise
) -> None:
    await asyncio.gather(*(iot.calls(WINDOW, CallFilters()) for _ in range(8)))
    assert server.logins == 1


async def test_expired_session_is_renewed_once(server: DeviceWiseSandbox, iot: DeviceWise) -> None:
    await iot.calls(WINDOW, CallFilters())
    server.forget_sessions()
    await asyncio.gather(*(iot.calls(WINDOW, CallFilters()) for _ in range(8)))
    assert server.logins == 2


async def test_session_ending_between_pages_loses_nothing(
    server: DeviceWiseSandbox, iot: DeviceWise
) -> None:
    server.rows = lambda start, end: rows(250)
    server.page_rows = 100
    pages = 0

    async def forget_once(_: web.Request) -> None:
        nonlocal pages
        pages += 1
        if pages == 3:
            server.forget_sessions()

    server.misbehave(forget_once, times=99)
    page = await iot.calls(WINDOW, CallFilters())
    assert (len(page.calls), page.complete, server.logins) == (250, True, 2)


async def test_organisation_is_selected(server: DeviceWiseSandbox) -> None:
    client = client_of(server, org="CELLAR")
    await client.calls(WINDOW, CallFilters())
    await client.aclose()
    assert list(server.sessions.values()) == ["CELLAR"]
    assert bodies(server, "session.org.switch") == [
        {"command": "session.org.switch", "params": {"key": "CELLAR"}}
    ]


async def test_foreign_organisation_is_reported(server: DeviceWiseSandbox) -> None:
    client = client_of(server, org="ELSEWHERE")
    with pytest.raises(AuthFailed, match="may not switch to the organisation ELSEWHERE"):
        await client.calls(WINDOW, CallFilters())
    await client.aclose()


async def test_wrong_password_is_tried_once(server: DeviceWiseSandbox) -> None:
    client = client_of(
        server, credentials=Credentials(username="ada", password=Secret("wrong-password"))
    )
    for _ in range(5):
        with pytest.raises(AuthFailed, match="refused the login") as caught:
            await client.calls(WINDOW, CallFilters())
        assert "wrong-password" not in str(caught.value)
    await client.aclose()
    assert server.logins == 1


async def test_wrong_password_is_not_retried_after_restart(
    server: DeviceWiseSandbox, tmp_path: Path
) -> None:
    async def ask_with(password: str) -> CallPage:
        store = await Store.open(tmp_path / "bot.sqlite", now=NOON)
        client = client_of(
            server,
            credentials=Credentials(username=server.username, password=Secret(password)),
            rate_limit_store=store.rate_limits,
        )
        try:
            return await client.calls(WINDOW, CallFilters())
        finally:
            await client.aclose()
            await store.close()

    for _ in range(3):
        with pytest.raises(AuthFailed, match="refused the login") as caught:
            await ask_with("wrong-password")
        assert "not tried again for 30 minutes" in caught.value.hint
    assert server.logins == 1
    assert b"wrong-password" not in (tmp_path / "bot.sqlite").read_bytes()
    assert (await ask_with(server.password)).calls


async def test_processes_try_a_wrong_password_once(
    server: DeviceWiseSandbox, tmp_path: Path
) -> None:
    server.be_slow(0.3, times=10)

    async def ask() -> str:
        store = await Store.open(tmp_path / "bot.sqlite", now=NOON)
        client = client_of(
            server,
            credentials=Credentials(username=server.username, password=Secret("wrong-password")),
            rate_limit_store=store.rate_limits,
        )
        try:
            with pytest.raises(AuthFailed) as caught:
                await client.calls(WINDOW, CallFilters())
            return caught.value.message
        finally:
            await client.aclose()
            await store.close()

    messages = await asyncio.gather(*(ask() for _ in range(4)))
    assert server.logins == 1
    assert len(set(messages)) == 1


async def test_second_factor_is_explained(server: DeviceWiseSandbox, iot: DeviceWise) -> None:
    server.mfa = True
    with pytest.raises(AuthFailed, match="second factor"):
        await iot.calls(WINDOW, CallFilters())


@pytest.mark.parametrize(
    "answer",
    [
        {"success": False, "errorCodes": [-90001], "errorMessages": ["Bad thing"]},
        {"list": {"success": False, "errorCodes": [-90003], "errorMessages": ["Bad thing"]}},
        {"list": {"success": False}},
        {"errorMessages": None},
        {"errorMessage": "Bad thing"},
        {"success": False, "errorCodes": "-1", "errorMessages": [None, 5]},
    ],
    ids=[
        "global",
        "per command",
        "without words",
        "half an envelope",
        "one message",
        "of other kinds",
    ],
)
async def test_failure_inside_http_200_is_found(
    server: DeviceWiseSandbox, iot: DeviceWise, answer: dict[str, Any]
) -> None:
    await iot.calls(WINDOW, CallFilters())
    server.answer_with(200, json.dumps(answer))
    with pytest.raises(ProtocolError, match="refused the question"):
        await iot.calls(WINDOW, CallFilters())


@pytest.mark.parametrize(
    "body",
    ["", "[]", "<html>", "{}", '{"list": 3}', "[" * 50_000],
    ids=["empty", "list", "html", "no reply", "number", "deep"],
)
async def test_unreadable_answer_is_a_protocol_error(
    server: DeviceWiseSandbox, iot: DeviceWise, body: str
) -> None:
    await iot.calls(WINDOW, CallFilters())
    server.answer_with(200, body)
    with pytest.raises(ProtocolError, match="cannot be read"):
        await iot.calls(WINDOW, CallFilters())


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


async def test_global_failure_precedes_replies(server: DeviceWiseSandbox, iot: DeviceWise) -> None:
    await iot.calls(WINDOW, CallFilters())
    answer = {
        "success": False,
        "errorCodes": [-90001],
        "errorMessages": ["Nope"],
        "list": {"success": True, "params": {"result": rows(3)}},
    }
    server.answer_with(200, json.dumps(answer))
    with pytest.raises(ProtocolError, match="Nope"):
        await iot.calls(WINDOW, CallFilters())


@pytest.mark.parametrize(
    "answer",
    [
        {"errorCodes": [-90000], "success": False},
        {
            "success": False,
            "errorMessages": ["Authentication session is invalid: no such thing any more"],
        },
        {
            "success": False,
            "errorMessages": [
                "authentication session is INVALID: [0123456789abcdef0123456789abcdef]"
            ],
        },
        {"list": {"success": False, "errorCodes": [-90000]}},
    ],
    ids=["by code", "by its first words", "in another case", "per command"],
)
async def test_expired_session_is_recognised_in_any_wording(
    server: DeviceWiseSandbox, iot: DeviceWise, answer: dict[str, Any]
) -> None:
    await iot.calls(WINDOW, CallFilters())
    server.answer_with(200, json.dumps(answer))
    assert (await iot.calls(WINDOW, CallFilters())).calls
    assert server.logins == 2


async def test_refused_new_session_is_not_renewed_again(
    server: DeviceWiseSandbox, iot: DeviceWise
) -> None:
    await iot.calls(WINDOW, CallFilters())
    asked = len(server.requests)
    good = {"auth": {"success": True, "params": {"sessionId": "f" * 32}}}
    bad = {
        "success": False,
        "errorCodes": [-90000],
        "errorMessages": ["Authentication session is invalid: [f00d]"],
    }
    for answer in (bad, good, bad):
        server.answer_with(200, json.dumps(answer))
    with pytest.raises(AuthFailed, match="does not accept the session"):
        await iot.calls(WINDOW, CallFilters())
    assert len(server.requests) == asked + 3


async def test_after_renewal_the_organisation_is_switched_to_again(
    server: DeviceWiseSandbox,
) -> None:
    client = client_of(server, org="CELLAR")
    await client.calls(WINDOW, CallFilters())
    server.forget_sessions()
    await client.calls(WINDOW, CallFilters())
    await client.aclose()
    assert list(server.sessions.values()) == ["CELLAR"]
    assert len(bodies(server, "session.org.switch")) == 2


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, AuthFailed),
        (404, NotFound),
        (429, RateLimited),
        (500, Unavailable),
        (302, ProtocolError),
    ],
)
async def test_other_http_status_is_reported(
    server: DeviceWiseSandbox, iot: DeviceWise, status: int, error: type[ProviderError]
) -> None:
    server.answer_with(status, "<html>", times=9)
    with pytest.raises(error, match=f"HTTP {status}"):
        await iot.calls(WINDOW, CallFilters())


async def test_secrets_of_the_rows_do_not_leave(server: DeviceWiseSandbox, iot: DeviceWise) -> None:
    """They stand in names, parameters and replies, at every depth, and in words of failure."""
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


async def test_words_of_failure_do_not_show_a_session(
    server: DeviceWiseSandbox, iot: DeviceWise
) -> None:
    await iot.calls(WINDOW, CallFilters())
    server.answer_with(
        200,
        json.dumps(
            {"success": False, "errorMessages": ["bad sessionId=0123456789abcdef0123456789abcdef"]}
        ),
    )
    with pytest.raises(ProtocolError, match="It said: bad sessionId=") as caught:
        await iot.calls(WINDOW, CallFilters())
    assert "0123456789abcdef" not in str(caught.value)


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
    call = parse.api_call(parse.row_of({**ROW, "request": request_text}), account="iot", whoami="")
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
    call = parse.api_call(parse.row_of({**ROW, "response": response}), account="iot", whoami="")
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
    call = parse.api_call(parse.row_of({**ROW, "ts": text}), account="iot", whoami="")
    assert (call.at, call.at_text) == (at, text)


async def test_own_calls_can_be_excluded(server: DeviceWiseSandbox, iot: DeviceWise) -> None:
    now = datetime.now(UTC)
    window = Window(now - timedelta(minutes=5), now + timedelta(minutes=5))
    await iot.calls(window, CallFilters())
    assert any(call.own for call in (await iot.calls(window, CallFilters())).calls)
    assert not any(
        call.own for call in (await iot.calls(window, CallFilters(leave_out_own=True))).calls
    )


@pytest.mark.parametrize(
    ("filters", "keeps"),
    [
        (CallFilters(action=("thing",)), lambda c: c.action.startswith("thing.")),
        (
            CallFilters(action=("thing.list", "alarm.publish")),
            lambda c: c.action in ("thing.list", "alarm.publish"),
        ),
        (
            CallFilters(who=("ada@example.com", "oven-7")),
            lambda c: c.actor in ("ada@example.com", "oven-7"),
        ),
        (CallFilters(status=("error",)), lambda c: c.outcome is Outcome.FAILURE),
        (CallFilters(status=("-90008",)), lambda c: c.status == "-90008"),
        (CallFilters(native={"command": ("publish",)}), lambda c: c.action.endswith(".publish")),
        (CallFilters(failures=True), lambda c: c.outcome is Outcome.FAILURE),
    ],
)
async def test_filters_select_exactly_matching_calls(
    iot: DeviceWise, filters: CallFilters, keeps: Any
) -> None:
    everything = (await iot.calls(WINDOW, CallFilters())).calls
    kept = (await iot.calls(WINDOW, filters)).calls
    assert {c.at for c in kept} == {c.at for c in everything if keeps(c) and not c.own}
    assert kept


@pytest.mark.parametrize(
    "filters",
    [
        CallFilters(url=("/x",)),
        CallFilters(native={"client_token": ("t",)}),
        CallFilters(status=("5xx",)),
    ],
)
def test_filters_it_cannot_apply_are_refused_by_name(filters: CallFilters) -> None:
    reason = DeviceWise(
        "iot", base_url="http://127.0.0.1:9", credentials=Credentials("u", Secret("pppp"))
    ).unsupported_filter(filters)
    assert reason
    assert reason.startswith("iot is deviceWISE")


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
    assert parse.api_call(parse.row_of(row), account="iot", whoami="x").account == "iot"


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
    """Too deep, too long a number, no number, a name twice (the last one counts)."""
    call = parse.api_call(
        parse.row_of({**ROW, "request": text, "response": text}), account="iot", whoami=""
    )
    assert call.action in ("", "c.d")


def test_login_parameters_are_no_target() -> None:
    login = '{"auth":{"command":"api.authenticate","params":{"appToken":"t","appId":"i","thingKey":"secret-thing"}}}'
    call = parse.api_call(parse.row_of({**ROW, "request": login}), account="iot", whoami="")
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
    """What is decoded straight into rows is what the careful reading finds."""
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
        call = parse.api_call(
            parse.row_of({"request": text, "response": text}), account="iot", whoami=""
        )
        assert call == parse.api_call(
            parse.row_of({"request": request_, "response": request_}), account="iot", whoami=""
        )


def answer_of(count: Any, page: list[dict[str, Any]] | None) -> str:
    return json.dumps({"list": {"success": True, "params": {"count": count, "result": page}}})


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


async def test_several_actors_mean_any(server: DeviceWiseSandbox, iot: DeviceWise) -> None:
    """A thing key stands in no row, so that only the service knows the calls of two things."""
    things = {"oven-1": rows(3), "oven-2": rows(5)}

    async def by_thing(request: web.Request) -> web.Response | None:
        asked = (await request.json()).get("list", {}).get("params", {})
        if not (found := things.get(asked.get("who"))):
            return None
        page = found[asked["offset"] : asked["offset"] + asked["limit"]]
        return web.Response(text=answer_of(len(found), page or None))

    server.misbehave(by_thing, times=99)
    page = await iot.calls(WINDOW, CallFilters(who=("oven-1", "oven-2")))
    assert page.complete
    assert sorted(call.duration_ms or 0 for call in page.calls) == [
        n / 1_000_000 for n in (0, 1, 2, 3, 4)
    ]


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
    assert parse.api_call(found.rows[0], account="iot", whoami="").duration_ms == duration


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


@pytest.mark.parametrize(
    "session",
    ["\ud800", "", "a b", "x" * 100_000, "a\nb", 5, None, ["x"]],
    ids=lambda value: repr(value)[:20],
)
async def test_missing_session_is_a_protocol_error(
    server: DeviceWiseSandbox, iot: DeviceWise, session: Any
) -> None:
    server.answer_with(
        200, json.dumps({"auth": {"success": True, "params": {"sessionId": session}}})
    )
    with pytest.raises(ProtocolError, match="sent no session"):
        await iot.calls(WINDOW, CallFilters())
