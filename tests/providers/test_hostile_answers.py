"""What a vendor, or whoever answers in its place, may send to take the bot down: each is an error
of the family, in bounded memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import threading
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import httpx
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from providers.akamai import parse as akamai_parse
from providers.akamai import problems as akamai_problems
from providers.akamai.client import Akamai
from providers.akamai.edgerc import EdgeGridCredentials
from providers.akamai.reports import ReportSettings
from providers.akamai.sandbox import AkamaiSandbox
from providers.devicewise import parse as devicewise_parse
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
from providers.http.decoding import MOST_DEPTH, MOST_VALUES, decode_json, excess_of
from providers.http.reading import MOST_BODY_BYTES
from providers.http.reply import Reply, date_of, retry_after_s
from providers.http.unpacking import MOST_PART_BYTES, Unpacker
from providers.models import CallFilters, DayRange, Window
from providers.rapid7 import parse as rapid7_parse
from providers.rapid7.client import Rapid7
from providers.rapid7.sandbox import Rapid7Sandbox
from providers.redaction import Secret
from providers.sandbox.seed import KITCHEN
from providers.sandbox.server import Server
from tests.conftest import memory_below
from tests.support.work import growth

HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
WINDOW = Window(HOUR - timedelta(hours=1), HOUR)
DAYS = DayRange(date(2026, 11, 1), date(2026, 11, 7))
MB = 1_000_000


@dataclass(frozen=True)
class Vendor:
    """A stand-in, a question to it, and the JSON around its rows."""

    server: Server
    ask: Callable[[], Awaitable[Any]]
    around: tuple[bytes, bytes]
    content_type: str = "application/json"

    def body(self, rows: bytes) -> bytes:
        return self.around[0] + rows + self.around[1]

    def sends(self, body: bytes, **headers: str) -> None:
        self.server.answer_with(200, body, times=9, Content_Type=self.content_type, **headers)


@asynccontextmanager
async def rapid7_vendor() -> AsyncIterator[Vendor]:
    server = Rapid7Sandbox()
    await server.start()
    client = Rapid7("eu", base_url=server.url, api_key=Secret(server.api_key))
    yield Vendor(server, lambda: client.usage(DAYS), (b'{"daily_usage":[', b"]}"))
    await client.aclose()
    await server.stop()


@asynccontextmanager
async def devicewise_vendor() -> AsyncIterator[Vendor]:
    server = DeviceWiseSandbox()
    await server.start()
    client = DeviceWise(
        "iot",
        base_url=server.url,
        credentials=Credentials(server.username, Secret(server.password)),
    )
    await client.check()
    around = b'{"list":{"success":true,"params":{"count":1,"result":[', b"]}}}"
    yield Vendor(server, lambda: client.calls(WINDOW, CallFilters()), around)
    await client.aclose()
    await server.stop()


@asynccontextmanager
async def akamai_vendor(accept: Literal["json", "csv"] = "json") -> AsyncIterator[Vendor]:
    server = AkamaiSandbox()
    await server.start()
    secrets = (
        Secret(server.client_token),
        Secret(server.client_secret),
        Secret(server.access_token),
    )
    settings = ReportSettings(account_ids=("1-123A",), accept=accept)
    client = Akamai(
        "edge", credentials=EdgeGridCredentials(server.url, *secrets), settings=settings
    )
    around, kind = (b'{"metadata":{},"data":[', b"]}"), "application/json"
    if accept == "csv":
        head = b"#METADATA_START\n#METADATA_END\n#COLUMNS_START\nuri,method\n#COLUMNS_END\n#DATA_START\n"
        around, kind = (head, b"\n#DATA_END\n"), "text/csv"
    yield Vendor(server, lambda: client.calls(WINDOW, CallFilters()), around, kind)
    await client.aclose()
    await server.stop()


VENDORS: dict[str, Callable[[], AbstractAsyncContextManager[Vendor]]] = {
    "rapid7": rapid7_vendor,
    "devicewise": devicewise_vendor,
    "akamai": akamai_vendor,
    "akamai in CSV": lambda: akamai_vendor("csv"),
}


@pytest.fixture(params=VENDORS)
async def vendor(request: pytest.FixtureRequest) -> AsyncIterator[Vendor]:
    async with VENDORS[request.param]() as opened:
        yield opened


@pytest.fixture
async def rapid7() -> AsyncIterator[Vendor]:
    async with rapid7_vendor() as opened:
        yield opened


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
    """A value of another kind is a missing one, or makes the answer an error of the family."""
    async with VENDORS[name]() as vendor:
        for member in MEMBERS[name]:
            vendor.server.faults.clear()
            vendor.sends(vendor.body(b'{"%s":%s}' % (member.encode(), value)))
            try:
                with memory_below(150 * MB):
                    await vendor.ask()
            except ProviderError as error:
                assert error.hint, member


async def test_gzip_bomb_is_refused_before_it_unfolds(vendor: Vendor) -> None:
    packer = zlib.compressobj(1, wbits=31)
    block = b"[]," * 100_000
    bomb = b"".join(
        [
            packer.compress(vendor.around[0]),
            *(packer.compress(block) for _ in range(830)),
            packer.flush(),
        ]
    )
    assert len(bomb) < 2 * MB
    vendor.sends(bomb, Content_Encoding="gzip")
    with pytest.raises(ProtocolError, match="sent more than 64 MB"), memory_below(250 * MB):
        await vendor.ask()


@pytest.mark.parametrize("packing", ["gzip, gzip", "gzip, deflate", "gzip,gzip,gzip"])
async def test_answer_packed_more_than_once_is_refused(vendor: Vendor, packing: str) -> None:
    vendor.sends(gzip.compress(gzip.compress(b" " * MB)), Content_Encoding=packing)
    with pytest.raises(ProtocolError, match="cannot be unpacked"):
        await vendor.ask()


@pytest.mark.parametrize(
    "body",
    [gzip.compress(b"{}" * 1000)[:-9], b"not packed", gzip.compress(b"{}") + b"junk"],
    ids=["cut short", "not packed", "junk behind it"],
)
async def test_answer_that_does_not_unpack_is_refused(vendor: Vendor, body: bytes) -> None:
    vendor.sends(body, Content_Encoding="gzip")
    with pytest.raises(ProtocolError, match="cannot be unpacked"):
        await vendor.ask()


@pytest.mark.parametrize("encoding", ["utf-8", "identity", ""])
async def test_encoding_that_names_no_packing_is_passed_over(rapid7: Vendor, encoding: str) -> None:
    rapid7.sends(rapid7.body(b'{"day":"2026-11-01","usage":5}'), Content_Encoding=encoding)
    assert (await rapid7.ask()).by_day == {date(2026, 11, 1): 5}


@pytest.mark.parametrize(
    "deflate", [zlib.compress, lambda data: zlib.compress(data)[2:-4]], ids=["zlib", "bare"]
)
async def test_deflate_is_unpacked_with_and_without_its_header(
    rapid7: Vendor, deflate: Callable[[bytes], bytes]
) -> None:
    rapid7.sends(
        deflate(rapid7.body(b'{"day":"2026-11-01","usage":5}')), Content_Encoding="deflate"
    )
    assert (await rapid7.ask()).by_day == {date(2026, 11, 1): 5}


@given(st.binary(max_size=2000), st.lists(st.integers(1, 400), max_size=8))
def test_packed_bytes_come_out_whole_however_they_are_cut(data: bytes, cuts: list[int]) -> None:
    packed, out, unpacker = gzip.compress(data * 300), bytearray(), Unpacker()
    for cut in [*cuts, len(packed)]:
        for part in unpacker.feed(packed[:cut]):
            assert len(part) <= MOST_PART_BYTES
            out += part
        packed = packed[cut:]
    assert (bytes(out), unpacker.ended) == (data * 300, True)


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


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "zstd"])
async def test_unknown_compression_is_refused(encoding: str) -> None:
    async with download_of({"Content-Type": "text/plain", "Content-Encoding": encoding}) as ask:
        with pytest.raises(ProtocolError, match="sent a log packed as"):
            await ask()


async def test_header_flood_before_a_log_is_a_protocol_error() -> None:
    async with download_of(
        {"Content-Type": "text/plain", **{f"X-{n}": "y" * 9000 for n in range(200)}}
    ) as ask:
        with pytest.raises(ProtocolError, match="headers without end"):
            await ask()


@asynccontextmanager
async def download_of(headers: dict[str, str]) -> AsyncIterator[Callable[[], Awaitable[bytes]]]:
    """A download that is answered with these headers."""
    async with rapid7_vendor() as vendor:
        client = Rapid7("eu", base_url=vendor.server.url, api_key=Secret("k"))

        async def answer(_: web.Request) -> web.Response:
            return web.Response(body=b"x", headers=headers)

        async def ask() -> bytes:
            async with client.download(
                [KITCHEN], WINDOW, query="", limit=10, most_bytes=10**6
            ) as stream:
                return b"".join([piece async for piece in stream])

        vendor.server.misbehave(answer, times=9)
        yield ask
        await client.aclose()


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


TEXTS = {
    "escaped quotes": rb'{"a":"\"[[[[,,,"}',
    "escaped backslash": rb'{"a":"\\","b":[1]}',
    "brackets in strings": b'{"a":"' + b"[{" * 3 * MOST_DEPTH + b'"}',
    "commas in strings": b'["' + b"," * (MOST_VALUES + 9) + b'"]',
    "a quote at each slice": b'["' + (b"x" * 65_535 + b"\\" + b'"') * 3 + b'"]',
    "many lists one deep": b"[" + b"[]," * 1000 + b"[]]",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_brackets_in_strings_are_not_nesting(text: bytes) -> None:
    assert excess_of(text) == excess_of(text.decode()) == ""
    assert decode_json(text) == json.loads(text)


@given(
    st.recursive(
        st.none() | st.text(st.sampled_from('",[]{}\\a')),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(st.sampled_from('"[\\')), inner, max_size=3)
        ),
    )
)
def test_excess_is_counted_as_a_decoder_would(value: Any) -> None:
    """Small bounds and small slices, so that they are met everywhere."""
    from providers.http import decoding

    body, bounds = (
        json.dumps(value).encode(),
        (decoding.MOST_VALUES, decoding.MOST_DEPTH, decoding._SLICE_BYTES),
    )
    decoding.MOST_VALUES, decoding.MOST_DEPTH, decoding._SLICE_BYTES = 10**6, 3, 5
    try:
        assert bool(excess_of(body)) == (depth_of(value) > 3)
    finally:
        decoding.MOST_VALUES, decoding.MOST_DEPTH, decoding._SLICE_BYTES = bounds


def depth_of(value: Any) -> int:
    inner = (
        value
        if isinstance(value, list)
        else list(value.values())
        if isinstance(value, dict)
        else None
    )
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


@pytest.mark.parametrize("depth", [MOST_DEPTH, MOST_DEPTH + 1, 5000])
def test_depth_has_a_limit_for_text_in_text_too(depth: int) -> None:
    text = "[" * depth + "]" * depth
    assert (decode_json(text) is None) == (depth > MOST_DEPTH)


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


def call_in(text: bytes) -> object:
    return devicewise_parse.api_call(
        devicewise_parse.row_of({"request": text.decode(), "response": text.decode()}),
        account="a",
        whoami="",
    )


READERS: dict[str, Callable[[bytes], object]] = {
    "excess": excess_of,
    "usage": lambda body: rapid7_parse.usage_period(body, account="a"),
    "usage by log": lambda body: rapid7_parse.log_usage(body, account="a"),
    "logs": lambda body: rapid7_parse.named_logs(body, account="a"),
    "refusal": rapid7_parse.vendor_message,
    "calls": lambda body: devicewise_parse.list_page(body, account="a"),
    "a request in a string": call_in,
    "report": lambda body: akamai_parse.json_report(body, account="a"),
    "table": lambda body: akamai_parse.csv_report(body, account="a"),
    "problem": lambda body: akamai_problems.vendor_message(akamai_problems.problem(body)),
}
UNITS = [
    b"[",
    b"{",
    b'"',
    b"\\",
    b'\\"',
    b"[],",
    b'{"a":',
    b",",
    b"\n",
    b'","',
    b"9",
    b"#DATA_START\n",
    b'{"daily_usage":[',
    b"]}",
    b"\xc3\xa9",
]


@pytest.mark.parametrize("unit", UNITS, ids=repr)
@pytest.mark.parametrize("reader", READERS.values(), ids=READERS.keys())
def test_work_grows_no_faster_than_the_answer(
    reader: Callable[[bytes], object], unit: bytes
) -> None:
    def read(size: int) -> None:
        for body in (
            unit * size,
            b'{"daily_usage":[' + unit * size,
            b"#METADATA_START\n" + unit * size,
        ):
            with contextlib.suppress(ProviderError):
                reader(body)

    assert max(growth(read, [20_000, 40_000, 80_000])) < 2.6
