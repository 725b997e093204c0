"""A stand-in of each vendor, a question to it, and the JSON around its rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from aiohttp import web

from providers.akamai.client import Akamai
from providers.akamai.edgerc import EdgeGridCredentials
from providers.akamai.reports import ReportSettings
from providers.akamai.sandbox import AkamaiSandbox
from providers.devicewise.auth import Credentials
from providers.devicewise.client import DeviceWise
from providers.devicewise.sandbox import DeviceWiseSandbox
from providers.models import CallFilters, DayRange, Window
from providers.rapid7.client import Rapid7
from providers.rapid7.sandbox import Rapid7Sandbox
from providers.redaction import Secret
from providers.sandbox.seed import KITCHEN
from providers.sandbox.server import Server

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
    around = (b'{"metadata":{},"data":[', b"]}")
    kind = "application/json"
    if accept == "csv":
        head = b"#METADATA_START\n#METADATA_END\n#COLUMNS_START\nuri,method\n#COLUMNS_END\n#DATA_START\n"
        around = (head, b"\n#DATA_END\n")
        kind = "text/csv"
    yield Vendor(server, lambda: client.calls(WINDOW, CallFilters()), around, kind)
    await client.aclose()
    await server.stop()


VENDORS: dict[str, Callable[[], AbstractAsyncContextManager[Vendor]]] = {
    "rapid7": rapid7_vendor,
    "devicewise": devicewise_vendor,
    "akamai": akamai_vendor,
    "akamai in CSV": lambda: akamai_vendor("csv"),
}


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
