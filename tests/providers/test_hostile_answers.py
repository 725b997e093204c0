"""Answers of a vendor, or of an attacker in its place, that try to crash the bot: each becomes a
provider error, in bounded memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import threading
from datetime import date
from typing import Any

import httpx
import pytest
from aiohttp import web

from providers.akamai import parse as akamai_parse
from providers.akamai.client import Akamai
from providers.akamai.edgerc import EdgeGridCredentials
from providers.akamai.reports import ReportSettings
from providers.akamai.sandbox import AkamaiSandbox
from providers.devicewise import parse as devicewise_parse
from providers.errors import (
    AuthFailed,
    Incomplete,
    NotFound,
    ProtocolError,
    ProviderError,
    RateLimited,
    Unavailable,
)
from providers.http.reading import MOST_BODY_BYTES
from providers.http.reply import Reply, date_of, retry_after_s
from providers.models import CallFilters
from providers.rapid7 import parse as rapid7_parse
from providers.rapid7.client import Rapid7
from providers.rapid7.sandbox import Rapid7Sandbox
from providers.redaction import Secret
from providers.sandbox.seed import KITCHEN
from tests.conftest import memory_below
from tests.support.vendors import (
    MB,
    VENDORS,
    WINDOW,
    Vendor,
    akamai_vendor,
    download_of,
)

EXCESSIVE = {
    "empty lists": b"[]," * 2_000_000 + b"[]",
    "empty objects": b"{}," * 2_000_000 + b"{}",
    "empty strings": b'"",' * 2_000_000 + b'""',
    "numbers": b"0," * 2_000_000 + b"0",
    "objects of one member": b'{"":0},' * 1_000_000 + b"{}",
    "lists in lists": b"[" * 2_000_000 + b"]" * 2_000_000,
    "objects in objects": b'{"a":' * 1_000_000 + b"0" + b"}" * 1_000_000,
}
COLUMNS = {
    "columns": b"," * 3_000_000,
    "lines": b"\n" * 3_000_000,
    "an open quote": b'"' + b"," * 3_000_000,
}


@pytest.mark.parametrize("rows", EXCESSIVE.values(), ids=EXCESSIVE.keys())
@pytest.mark.parametrize("name", ["rapid7", "devicewise", "akamai"])
async def test_answer_of_too_many_values_is_a_protocol_error(name: str, rows: bytes) -> None:
    async with VENDORS[name]() as vendor:
        vendor.sends(gzip.compress(vendor.body(rows), 1), Content_Encoding="gzip")
        with (
            pytest.raises(
                ProtocolError, match=r"more than .* (values|levels), which cannot be read"
            ),
            memory_below(60 * MB),
        ):
            await vendor.ask()


@pytest.mark.parametrize("rows", COLUMNS.values(), ids=COLUMNS.keys())
async def test_table_of_too_many_cells_is_a_protocol_error(rows: bytes) -> None:
    async with akamai_vendor("csv") as vendor:
        vendor.sends(gzip.compress(vendor.body(rows), 1), Content_Encoding="gzip")
        with (
            pytest.raises(ProtocolError, match="more than 1,000,000 values"),
            memory_below(60 * MB),
        ):
            await vendor.ask()


ODD_VALUES = {
    "infinite": b"1e999",
    "no number": b"NaN",
    "endless integer": b"9" * 1_000_000,
    "lone surrogate": b'"\\ud800"',
    "a long string": b'"' + b"x" * 10 * MB + b'"',
    "many escapes": b'"' + b"\\u0000" * MB + b'"',
    "null": b"null",
    "true": b"true",
    "list": b"[[1]]",
    "object": b'{"a":{"b":1}}',
    "string": b'"\\u202e<!channel>"',
    "fraction": b"-1.5",
}
MEMBERS = {
    "rapid7": ("day", "usage"),
    "devicewise": ("ts", "execTime", "whoami", "processedBy", "orgKey", "request", "response"),
    "akamai": (
        "timestamp",
        "responseCode",
        "uri",
        "method",
        "clientOwner",
        "clientIp",
        "clientId",
        "clientToken",
    ),
}


@pytest.mark.parametrize("value", ODD_VALUES.values(), ids=ODD_VALUES.keys())
@pytest.mark.parametrize("name", MEMBERS)
async def test_any_member_may_have_any_value(name: str, value: bytes) -> None:
    """A value of another kind counts as missing, or makes the answer a provider error."""
    async with VENDORS[name]() as vendor:
        for member in MEMBERS[name]:
            vendor.server.faults.clear()
            vendor.sends(vendor.body(b'{"%s":%s}' % (member.encode(), value)))
            try:
                with memory_below(150 * MB):
                    await vendor.ask()
            except ProviderError as error:
                assert error.hint, member


async def test_header_flood_is_a_protocol_error(vendor: Vendor) -> None:
    async def flood(_: web.Request) -> web.Response:
        return web.Response(headers={f"X-{n}": "y" * 1000 for n in range(2000)})

    vendor.server.misbehave(flood, times=9)
    with pytest.raises(ProtocolError, match="headers without end"):
        await vendor.ask()


async def test_answer_that_is_no_http_is_a_protocol_error(vendor: Vendor) -> None:
    async def noise(request: web.Request) -> web.Response:
        assert isinstance(request.transport, asyncio.Transport)
        request.transport.write(b"SSH-2.0-OpenSSH_9.2\r\n" * 100)
        return web.Response()

    vendor.server.misbehave(noise, times=9)
    with pytest.raises(ProtocolError, match="not HTTP"):
        await vendor.ask()


async def test_long_refusal_text_is_cut(rapid7: Vendor) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=404)
        await response.prepare(request)
        while True:
            await response.write(b"no such thing " * 1000)

    rapid7.server.misbehave(endless, times=9)
    with pytest.raises(NotFound), memory_below(20 * MB):
        await rapid7.ask()


async def test_refused_download_ignores_endless_body(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("providers.http.streaming.REFUSAL_TIMEOUT_S", 0.2)
    server = Rapid7Sandbox()
    await server.start()
    client = Rapid7("eu", base_url=server.url, api_key=Secret(server.api_key))

    async def silent(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=404)
        await response.prepare(request)
        await response.write(b"no")
        await asyncio.Event().wait()
        return response

    server.misbehave(silent, times=9)
    with pytest.raises(NotFound):
        async with client.download(
            [KITCHEN], WINDOW, query="", limit=10, most_bytes=10**6
        ) as stream:
            assert [piece async for piece in stream]
    await client.aclose()
    await server.stop()


async def test_header_flood_before_a_log_is_a_protocol_error() -> None:
    async with download_of(
        {"Content-Type": "text/plain", **{f"X-{n}": "y" * 9000 for n in range(200)}}
    ) as ask:
        with pytest.raises(ProtocolError, match="headers without end"):
            await ask()


async def test_vendor_cookies_are_not_stored(rapid7: Vendor) -> None:
    rapid7.sends(rapid7.body(b""), Set_Cookie="track=" + "x" * 4000)
    for _ in range(3):
        await rapid7.ask()
    assert not any("Cookie" in entry.headers for entry in rapid7.server.requests)


async def test_large_answer_is_decoded_off_the_event_loop(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []
    for module, name in (
        (rapid7_parse, "usage_period"),
        (devicewise_parse, "list_page"),
        (akamai_parse, "json_report"),
        (akamai_parse, "csv_report"),
    ):
        read = getattr(module, name)

        def noted(*given_: Any, read: Any = read, **named: Any) -> Any:
            threads.append(threading.current_thread())
            return read(*given_, **named)

        monkeypatch.setattr(module, name, noted)
    vendor.sends(vendor.body(b"x,\n" * 25_000 if vendor.content_type == "text/csv" else b" " * MB))
    with contextlib.suppress(Incomplete):
        await vendor.ask()
    assert threads
    assert threading.main_thread() not in threads


ODD_DATES = [
    "Fri, 29 Mar 99999999999999999999 13:40:00 +0000",
    "Fri, 29 Mar 2024 13:40:00 -0000",
    "Fri, 29 Mar 2024 13:40:00 +99999999999999",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "9" * 100_000,
    "(" * 5000,
]


@pytest.mark.parametrize("text", ODD_DATES, ids=lambda text: text[:30])
async def test_odd_dates_in_answers_are_tolerated(text: str) -> None:
    moment = date_of(text)
    assert moment is None or moment.tzinfo
    wait = retry_after_s(Reply(429, httpx.Headers({"Retry-After": text, "Date": text}), b""))
    assert wait is None or wait >= 0
    server = AkamaiSandbox()
    await server.start()
    secrets = (
        Secret(server.client_token),
        Secret(server.client_secret),
        Secret(server.access_token),
    )
    edge = Akamai(
        "edge",
        credentials=EdgeGridCredentials(server.url, *secrets),
        settings=ReportSettings(("1-123A",)),
    )
    refusals: list[
        tuple[int, dict[str, str], type[ProviderError] | tuple[type[ProviderError], ...]]
    ] = [
        (
            400,
            {"title": "Bad request", "detail": "Invalid timestamp", "requestTime": text},
            (AuthFailed, ProtocolError),
        ),
        (429, {"title": "Rate Limit Exceeded", "rateLimitNextRequest": text}, RateLimited),
    ]
    for status, body, error in refusals:
        server.answer_with(status, json.dumps(body), times=9, Date=text[:5000])
        with pytest.raises(error):
            await edge.calls(WINDOW, CallFilters())
        server.faults.clear()
    await edge.aclose()
    await server.stop()


async def test_body_just_below_the_limit_is_read(rapid7: Vendor) -> None:
    row = b'{"day":"2026-11-01","usage":5}'
    rapid7.sends(
        gzip.compress(rapid7.body(row + b" " * (MOST_BODY_BYTES - len(rapid7.body(row)))), 1),
        Content_Encoding="gzip",
    )
    assert (await rapid7.ask()).by_day == {date(2026, 11, 1): 5}


async def test_cut_connection_is_still_no_protocol_error(rapid7: Vendor) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"{")
        assert request.transport is not None
        request.transport.close()
        return response

    rapid7.server.misbehave(cut, times=9)
    with pytest.raises(Unavailable, match="broke off"):
        await rapid7.ask()
