"""Why a connection could not be opened is named, whichever client tried it."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import httpx
import pytest
import trustme

from bot.store.postgres.reasons import cause_of
from providers.errors import ProviderError
from providers.http.causes import connection_cause
from providers.http.client import fetch, open_client
from providers.http.network import Network, untrusted_certificate
from providers.http.streaming import BulkClient

UNKNOWN_HOST = "eu.example.invalid"


async def requested(url: str) -> None:
    client = open_client(url, account="eu", network=Network())
    try:
        await fetch(client, lambda: client.build_request("GET", "/"), account="eu")
    finally:
        await client.aclose()


async def streamed(url: str) -> None:
    client = BulkClient()
    try:
        async with client.stream(httpx.Request("GET", url), account="eu"):
            pass
    finally:
        await client.aclose()


Call = Callable[[str], Any]
CALLS = pytest.mark.parametrize("call", [requested, streamed], ids=lambda call: call.__name__)


@pytest.fixture(autouse=True)
def _one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.http.client.ATTEMPTS", 1)


@pytest.fixture
def lookups(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes every look-up of UNKNOWN_HOST fail with a code of the resolver."""
    real = socket.getaddrinfo

    def fail_with(code: int) -> None:
        def look_up(host: Any, *arguments: Any, **options: Any) -> Any:
            if host in (UNKNOWN_HOST, UNKNOWN_HOST.encode()):
                raise socket.gaierror(code, "as the resolver words it")
            return real(host, *arguments, **options)

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    return fail_with


@asynccontextmanager
async def server(answer: Callable[[Any, Any], Any], **options: Any) -> AsyncIterator[int]:
    opened = await asyncio.start_server(answer, "127.0.0.1", 0, **options)
    yield opened.sockets[0].getsockname()[1]
    opened.close()


def plain(reader: Any, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    writer.close()


async def failure(call: Call, url: str) -> ProviderError:
    with pytest.raises(ProviderError) as raised:
        await call(url)
    return raised.value


@CALLS
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (socket.EAI_NONAME, "host name not found in DNS"),
        (socket.EAI_NODATA, "host name not found in DNS"),
        (socket.EAI_AGAIN, "no answer from DNS"),
    ],
    ids=["unknown", "no address", "no resolver"],
)
async def test_unresolved_host_is_named(
    call: Call, code: int, reason: str, lookups: Callable[[int], None]
) -> None:
    lookups(code)
    error = await failure(call, f"https://{UNKNOWN_HOST}")
    assert error.message == f"eu could not be reached: {reason}."
    assert error.for_operators == f"eu could not be reached: {reason} ({UNKNOWN_HOST})."
    assert "DNS" in error.hint


@CALLS
async def test_refused_connection_is_named(call: Call) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        host = f"127.0.0.1:{taken.getsockname()[1]}"
    error = await failure(call, f"http://{host}")
    assert error.message == "eu could not be reached: connection refused."
    assert error.for_operators == f"eu could not be reached: connection refused ({host})."


@CALLS
async def test_port_without_tls_is_named(call: Call) -> None:
    async with server(plain) as port:
        error = await failure(call, f"https://127.0.0.1:{port}")
    assert error.message == "eu could not be reached: the port does not speak TLS."


@CALLS
async def test_host_that_hangs_up_is_named(call: Call) -> None:
    async with server(lambda reader, writer: writer.close()) as port:
        error = await failure(call, f"https://127.0.0.1:{port}")
    assert error.message == "eu could not be reached: connection closed by the host."


@CALLS
async def test_private_certificate_is_named(call: Call) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with server(plain, ssl=context) as port:
        error = await failure(call, f"https://127.0.0.1:{port}")
    assert error.message.startswith("eu could not be reached: its certificate is not trusted (")
    assert f"127.0.0.1:{port}" in error.for_operators


@pytest.mark.parametrize(
    ("code", "advice"),
    [(10, "clock"), (9, "clock"), (62, "name of the host"), (64, "name"), (18, "SSL_CERT_FILE")],
    ids=["expired", "too early", "other host", "address", "self-signed"],
)
def test_certificate_hint_fits_its_reason(code: int, advice: str) -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code = code
    error.verify_message = "as OpenSSL words it"
    found = untrusted_certificate(error)
    assert found and advice in found[1]


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ETIMEDOUT, "connection timed out"),
        (errno.EHOSTUNREACH, "no route to the host"),
        (errno.ENETUNREACH, "no route to the host"),
        (errno.ECONNRESET, "connection closed by the host"),
    ],
    ids=lambda value: value if isinstance(value, str) else errno.errorcode[value],
)
def test_cause_is_found_in_any_wrapping(number: int, reason: str) -> None:
    inner = OSError(number, "as the system words it")
    chained = OSError("All connection attempts failed")
    chained.__cause__ = ExceptionGroup("several addresses", [OSError("unnamed"), inner])
    for error in (inner, chained):
        found = connection_cause(error)
        assert found and found.reason == reason


@pytest.mark.parametrize("error", [TimeoutError(), aiohttp.ConnectionTimeoutError()])
def test_time_out_without_a_number_is_named(error: Exception) -> None:
    found = connection_cause(error)
    assert found and found.reason == "connection timed out"


def test_circular_causes_end() -> None:
    first = OSError("one")
    second = OSError("two")
    first.__cause__ = second
    second.__cause__ = first
    assert connection_cause(first) is None


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("failed to resolve host 'db.internal': [Errno -2] Name or service not known",
         "host name not found in DNS"),
        ('connection to server at "10.0.0.5", port 5432 failed: Connection refused',
         "connection refused"),
        ("connection timeout expired", "connection timed out"),
        ('FATAL:  password authentication failed for user "ada"', "the password was not accepted"),
        ('FATAL:  database "opswatch" does not exist', "the database or role does not exist"),
        ("FATAL:  sorry, too many clients already", "the server has no connection left"),
        ("something new about db.internal", "no connection"),
    ],
)  # fmt: skip
def test_database_cause_names_neither_host_nor_role(words: str, cause: str) -> None:
    assert cause_of(words) == cause
