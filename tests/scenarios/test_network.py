"""Every kind of connection uses the proxy and trusts the certificates from the environment."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme

from bot.app import Bot, open_bot
from bot.config import parse_settings, slack_tokens
from bot.sandbox.sandbox import Sandbox, open_targets_of
from tests.conftest import Run

AUTHORIZATION = "Basic YWRhOmh1bnRlcjI="  # ada:hunter2


@dataclass
class Proxy:
    """A CONNECT proxy that knows hosts which no DNS resolver knows, and answers TLS for them."""

    authority: trustme.CA = field(default_factory=trustme.CA)
    hosts: dict[str, str] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    authorizations: set[str] = field(default_factory=set)
    status: int = 200
    url: str = ""

    def put_behind(self, server: Any, host: str) -> None:
        """Makes the server reachable as `https://host` from now on, only through the proxy."""
        self.hosts[host] = urlsplit(server.url).netloc
        server.url = f"https://{host}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        except asyncio.IncompleteReadError:
            writer.close()
            return
        _, target, _ = head[0].split(" ")
        self.authorizations.update(
            line.partition(": ")[2]
            for line in head
            if line.lower().startswith("proxy-authorization")
        )
        host = target.rpartition(":")[0]
        self.seen.append(host)
        writer.write(f"HTTP/1.1 {self.status} Answer\r\n\r\n".encode())
        await writer.drain()
        if self.status != 200:
            writer.close()
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(host).configure_cert(context)
        with suppress(ssl.SSLError, ConnectionError):
            await writer.start_tls(context)
            address, port = self.hosts[host].split(":")
            to_server = await asyncio.open_connection(address, int(port))
            await asyncio.gather(_copy(reader, to_server[1]), _copy(to_server[0], writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, ssl.SSLError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    with suppress(ConnectionError, ssl.SSLError, RuntimeError):
        writer.close()


@pytest.fixture
async def proxy(sandbox: Sandbox) -> AsyncIterator[Proxy]:
    opened = Proxy()
    server = await asyncio.start_server(opened.handle, "127.0.0.1", 0)
    opened.url = f"http://ada:hunter2@127.0.0.1:{server.sockets[0].getsockname()[1]}"
    opened.put_behind(sandbox.slack, "slack.test")
    opened.put_behind(sandbox.rapid7, "rapid7.test")
    opened.put_behind(sandbox.devicewise, "devicewise.test")
    opened.put_behind(sandbox.akamai, "akamai.test")
    (sandbox.folder / ".edgerc").write_text(sandbox.akamai.edgerc(), "utf-8")
    yield opened
    server.close()


def environ_for(sandbox: Sandbox, proxy: Proxy, **others: str) -> dict[str, str]:
    path = sandbox.folder / "ca.pem"
    proxy.authority.cert_pem.write_to_path(str(path))
    return {**sandbox.environ(), "HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": str(path), **others}


@asynccontextmanager
async def bot_behind(sandbox: Sandbox, environ: dict[str, str]) -> AsyncIterator[Bot]:
    settings = parse_settings(sandbox.table(), folder=sandbox.folder, environ=environ)
    async with open_bot(settings, slack_tokens("socket", environ)) as bot, bot.connected():
        await sandbox.slack.until(lambda: bool(sandbox.slack.sockets))
        yield bot


async def test_every_connection_takes_the_proxy(sandbox: Sandbox, proxy: Proxy) -> None:
    """The Web API, the WebSocket, a response URL, an upload, and all vendors, including log
    downloads.
    """
    async with bot_behind(sandbox, environ_for(sandbox, proxy)):
        await sandbox.slack.answer_to("/logs kitchen 30m", timeout_s=30)
        await sandbox.slack.answer_to("/apiaudit 24h", channel="C0KITCHEN", timeout_s=30)
        await sandbox.slack.answer_to("/usage", timeout_s=30)
    assert set(proxy.seen) == {"slack.test", "rapid7.test", "devicewise.test", "akamai.test"}
    assert proxy.authorizations == {AUTHORIZATION}
    for kind in ("/api/", "/socket/", "/response/", "/upload/"):
        assert any(entry.path.startswith(kind) for entry in sandbox.slack.requests), kind


async def test_targets_take_the_proxy(sandbox: Sandbox, proxy: Proxy, run_cli: Run) -> None:
    async with open_targets_of(sandbox) as targets:
        for server in targets.servers:
            proxy.put_behind(server, f"{server.name}.test")
        (sandbox.folder / ".edgerc").write_text(sandbox.akamai.edgerc(), "utf-8")
        checked = await run_cli("check", "--json", **environ_for(sandbox, proxy))
    found = {check["name"]: check["ok"] for check in checked.json["checks"]}
    assert [found[f"target {name}"] for name in targets.table()] == [True] * 4
    assert {"pagerduty.test", "opsgenie.test", "webhook.test"} <= set(proxy.seen)


async def test_untrusted_certificate_is_named(sandbox: Sandbox, proxy: Proxy, run_cli: Run) -> None:
    environ = environ_for(sandbox, proxy)
    trustme.CA().cert_pem.write_to_path(environ["SSL_CERT_FILE"])
    ran = await run_cli("ask", "/usage yesterday", "--json", **environ)
    assert ran.code == 3
    assert ran.json["error"]["kind"] == "unavailable"
    assert "certificate is not trusted" in ran.json["error"]["message"]
    assert "SSL_CERT_FILE" in ran.json["error"]["hint"]
    checked = await run_cli("check", **environ)
    assert "slack: Slack could not be reached: its certificate is not trusted" in checked.out, (
        checked
    )


async def test_proxy_that_refuses_is_named(sandbox: Sandbox, proxy: Proxy, run_cli: Run) -> None:
    proxy.status = 407
    environ = environ_for(sandbox, proxy)
    ran = await run_cli("ask", "/usage yesterday", "--json", **environ)
    assert ran.json["error"]["kind"] == "unavailable"
    assert "the proxy refused" in ran.json["error"]["message"]
    assert "HTTPS_PROXY" in ran.json["error"]["hint"]
    checked = await run_cli("check", **environ)
    assert "the proxy refused" in checked.out
    assert "hunter2" not in ran.out + ran.err + checked.out + checked.err


async def test_dead_proxy_is_named_for_every_vendor(
    sandbox: Sandbox, proxy: Proxy, run_cli: Run
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        proxy.url = f"http://ada:hunter2@127.0.0.1:{taken.getsockname()[1]}"
    environ = environ_for(sandbox, proxy)
    for line in ("/usage yesterday", "/apiaudit edge 1h", "/apiaudit iot 1h"):
        ran = await run_cli("ask", line, "--json", **environ)
        message = ran.json["error"]["message"]
        assert "could not be reached: the proxy could not be reached: connection refused" in message
        assert "HTTPS_PROXY" in ran.json["error"]["hint"]
        assert "hunter2" not in ran.out + ran.err
    checked = await run_cli("check", **environ)
    dead = f"connection refused ({proxy.url.rpartition('@')[2]})."
    assert checked.out.count(f"the proxy could not be reached: {dead}") == 4
    assert "hunter2" not in checked.out + checked.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTPS_PROXY", "socks5://ada:hunter2@proxy.example.com:1080"),
        ("https_proxy", "http://ada:hunter2@proxy.example.com:no"),
        ("HTTPS_PROXY", "hunter2"),
        ("NO_PROXY", "hunter2/99"),
        ("no_proxy", "[::1"),
        ("SSL_CERT_FILE", "/no/such/hunter2.pem"),
        ("SSL_CERT_DIR", "/no/such/hunter2"),
    ],
)
@pytest.mark.parametrize(
    "command", [("ask", "/usage"), ("run",), ("check",)], ids=lambda words: words[0]
)
async def test_wrong_value_ends_with_exit_2_and_its_name(
    command: tuple[str, ...], name: str, value: str, run_cli: Run
) -> None:
    ran = await run_cli(*command, **{name: value})
    assert ran.code == 2
    assert name in ran.out + ran.err
    assert "hunter2" not in ran.out + ran.err


async def test_log_names_the_host_of_a_failed_question(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """The person who asked is shown the account and the cause, the log has the host, too."""
    table = sandbox.table()
    table["providers"]["rapid7-eu"]["base_url"] = "http://127.0.0.1:9"
    settings = parse_settings(table, folder=sandbox.folder, environ=sandbox.environ())
    async with open_bot(settings, sandbox.tokens()) as bot, bot.connected():
        await sandbox.slack.until(lambda: bool(sandbox.slack.sockets))
        refusal = await sandbox.slack.answer_to("/usage", timeout_s=30)
    assert "rapid7-eu could not be reached: connection refused." in refusal.text
    assert "127.0.0.1" not in refusal.text
    assert "rapid7-eu could not be reached: connection refused (127.0.0.1:9)." in caplog.text
