"""The requests to deviceWISE, filters, and failures inside HTTP 200."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from providers.devicewise.auth import Credentials
from providers.devicewise.client import DeviceWise
from providers.devicewise.sandbox import DeviceWiseSandbox
from providers.errors import (
    AuthFailed,
    NotFound,
    ProtocolError,
    ProviderError,
    RateLimited,
    Unavailable,
)
from providers.models import CallFilters, Outcome, Window
from providers.redaction import Secret
from tests.providers.devicewise.support import WINDOW, answer_of, bodies, client_of, rows


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


async def test_several_actors_mean_any(server: DeviceWiseSandbox, iot: DeviceWise) -> None:
    """No row contains a thing key, so only the service knows the calls of two things."""
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
