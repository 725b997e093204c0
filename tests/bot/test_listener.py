"""A port that idle, slow and greedy clients cannot exhaust, over real sockets."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import aiohttp
import pytest
from aiohttp import web

from bot.http.log_limits import LimitedLog
from bot.http.server import LimitedServer, ListenerLimits, listen

HOST = "127.0.0.1"


async def echo(request: web.BaseRequest, body: bytes) -> web.StreamResponse:
    return web.Response(text=f"{request.path} {len(body)}")


@asynccontextmanager
async def server(
    limits: ListenerLimits, handler: Callable[..., Awaitable[web.StreamResponse]] = echo
) -> AsyncIterator[tuple[LimitedServer, int]]:
    async with listen(handler, HOST, 0, limits) as listening:
        port = listening_port(listening)
        yield listening, port


def listening_port(listening: LimitedServer) -> int:
    """The port, which the system has chosen."""
    [socket] = listening.addresses
    return int(socket[1])


async def fetch(port: int, path: str = "/", body: bytes | None = None) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(
            "POST" if body is not None else "GET", f"http://{HOST}:{port}{path}", data=body
        ) as response,
    ):
        return response.status, await response.text()


async def ended(reader: asyncio.StreamReader) -> bool:
    """Waits until the other side has closed the connection."""
    with suppress(ConnectionError):
        await asyncio.wait_for(reader.read(), 20)
    return True


async def test_idle_connections_block_nobody() -> None:
    async with (
        server(ListenerLimits(connections=20)) as (listening, port),
        AsyncExitStack() as stack,
    ):
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(300):
            _, writer = await asyncio.open_connection(HOST, port)
            stack.callback(writer.close)
        assert await fetch(port, "/hello") == (200, "/hello 0")
        assert listening.open_connections <= 20
        # Both ends are in this process: three hundred of ours, and on the other side no more than
        # the cap.
        assert len(os.listdir("/proc/self/fd")) - before < 300 + 20 + 10


async def test_missing_headers_time_out() -> None:
    async with server(ListenerLimits(headers_s=0.3)) as (_, port):
        idle = await asyncio.open_connection(HOST, port)
        slow = await asyncio.open_connection(HOST, port)
        slow[1].write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        assert await ended(idle[0])
        assert await ended(slow[0])


async def test_slow_bytes_do_not_extend_the_timeout() -> None:
    async with server(ListenerLimits(headers_s=0.5)) as (_, port):
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n")

        async def drip() -> None:
            while True:
                writer.write(b"X: y\r\n")
                await writer.drain()
                await asyncio.sleep(0.05)

        with pytest.raises(ConnectionError):
            await asyncio.wait_for(drip(), 20)
        assert await ended(reader)


async def test_missing_body_times_out() -> None:
    async with server(ListenerLimits(body_s=0.3)) as (_, port):
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        assert await ended(reader)


async def test_slow_bodies_block_nobody() -> None:
    async with server(ListenerLimits(connections=5)) as (_, port), AsyncExitStack() as stack:
        for _ in range(10):
            _, writer = await asyncio.open_connection(HOST, port)
            stack.callback(writer.close)
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
            await writer.drain()
        assert (await fetch(port))[0] == 200


async def test_request_in_progress_is_not_closed() -> None:
    go = asyncio.Event()

    async def wait(request: web.BaseRequest, _: bytes) -> web.StreamResponse:
        await go.wait()
        return web.Response(text="done")

    async with server(ListenerLimits(connections=3), wait) as (_, port), AsyncExitStack() as stack:
        working = asyncio.create_task(fetch(port))
        await asyncio.sleep(0.2)
        for _ in range(10):
            _, writer = await asyncio.open_connection(HOST, port)
            stack.callback(writer.close)
        go.set()
        assert await asyncio.wait_for(working, 20) == (200, "done")


LONG = {
    "announced": b"Content-Length: 2000\r\n\r\n" + b"a" * 2000,
    "in chunks": b"Transfer-Encoding: chunked\r\n\r\n7d0\r\n" + b"a" * 2000 + b"\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("rest", LONG.values(), ids=LONG.keys())
async def test_long_body_is_refused(rest: bytes) -> None:
    async with server(ListenerLimits(body_bytes=1000)) as (_, port):
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\n" + rest)
        assert (await asyncio.wait_for(reader.readline(), 20)).split()[1] == b"413"
        writer.close()


async def test_compressed_body_is_not_decompressed() -> None:
    async with server(ListenerLimits()) as (_, port), aiohttp.ClientSession() as session:
        packed = b"\x1f\x8b" + b"0" * 100
        async with session.post(
            f"http://{HOST}:{port}/", data=packed, headers={"Content-Encoding": "gzip"}
        ) as response:
            assert await response.text() == "/ 102"


async def test_idle_connection_is_reused_then_closed() -> None:
    async with server(ListenerLimits(headers_s=5.0, keep_alive_s=0.4)) as (listening, port):
        reader, writer = await asyncio.open_connection(HOST, port)
        for _ in range(2):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200" in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
            await reader.readexactly(3)
        assert listening.open_connections == 1
        assert await ended(reader)


@pytest.mark.parametrize(
    ("host", "why"), [(HOST, "Address already in use"), ("slack.invalid", "slack.invalid port")]
)
async def test_unavailable_port_is_named(host: str, why: str) -> None:
    async with server(ListenerLimits()) as (_, port):
        with pytest.raises(OSError) as raised:
            async with listen(echo, host, port):
                raise AssertionError("it listens")
    assert f"{host} port {port}" in str(raised.value.strerror)
    assert why in str(raised.value.strerror)


async def test_malformed_request_is_not_quoted(caplog: pytest.LogCaptureFixture) -> None:
    async with server(ListenerLimits()) as (_, port):
        for _ in range(30):
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(b"GET /hunter2 HTTP/1.1\r\nhunter2\r\n\r\n")
            await ended(reader)
    assert "hunter2" not in caplog.text
    assert 1 <= caplog.text.count("malformed HTTP request") <= 6


async def test_handler_error_is_logged_with_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(request: web.BaseRequest, _: bytes) -> web.StreamResponse:
        raise LookupError("the handler is broken")

    async with server(ListenerLimits(), fail) as (_, port):
        assert (await fetch(port))[0] == 500
    assert "Traceback" in caplog.text and "the handler is broken" in caplog.text


def test_limited_log_counts_suppressed_lines(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [0.0]
    limited = LimitedLog(logging.getLogger("opswatch"), per_minute=2, clock=lambda: now[0])
    for _ in range(10):
        limited.warning("Refused %s.", "it")
    now[0] = 61.0
    limited.warning("Refused %s.", "it")
    assert [record.getMessage() for record in caplog.records] == [
        "Refused it.",
        "Refused it.",
        "Refused it. (8 more like it were not logged.)",
    ]
