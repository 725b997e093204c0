"""Mail servers that answer late, in unusual ways, or never."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from email.message import EmailMessage
from typing import Any

import pytest

from bot.notifications.email import EmailSettings
from bot.targets import smtp
from bot.targets.errors import TargetRefused, TargetUnavailable
from providers.http.network import Network

PASSWORD = "smtp-password-0000"
OFFERED = "CRAM-MD5 PLAIN"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


@asynccontextmanager
async def mail_server(serve: Serve, username: str = "") -> AsyncIterator[EmailSettings]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    login = {"username": username, "password": "env:PASSWORD"} if username else {}
    table = {
        "kind": "email",
        "host": "127.0.0.1",
        "port": server.sockets[0].getsockname()[1],
        "security": "none",
        "from": "opswatch@example.com",
        "to": ["oncall@example.com"],
        **login,
    }
    try:
        yield EmailSettings.model_validate(table, context={"environ": {"PASSWORD": PASSWORD}})
    finally:
        server.close()


def answering(given: list[str], **answers: str) -> Serve:
    """A server that gives these answers to commands, and accepts everything else. An empty answer
    closes the connection.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = "220 mail.example.com"
        known = {"EHLO": f"250-mail\r\n250 AUTH {OFFERED}", "DATA": "354 go", "QUIT": "221 bye"}
        while answer:
            writer.write(f"{answer}\r\n".encode())
            line = (await reader.readline()).decode().strip()
            given.append(line)
            verb = line.partition(" ")[0].upper()
            answer = (known | answers).get(verb, "250 OK") if line else ""
            if verb == "DATA":
                writer.write(f"{answer}\r\n".encode())
                await reader.readuntil(b"\r\n.\r\n")
                answer = "250 taken"
        writer.close()

    return serve


@pytest.mark.parametrize("goodbye", ["221 bye", "250 OK", "421 busy", "no reply", ""])
async def test_accepted_mail_is_not_sent_again(goodbye: str) -> None:
    given: list[str] = []
    async with mail_server(answering(given, QUIT=goodbye)) as settings:
        mail = EmailMessage()
        mail["Subject"] = "spike"
        mail.set_content("The kitchen sends more than usual.")
        await smtp.send_mail(settings, Network(), mail)
    assert [line.lower() for line in given].count("quit") == 1


async def test_server_that_never_ends_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "TOTAL_S", 0.3)
    left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def drip() -> None:
            while True:
                writer.write(b"220-wait\r\n")
                await asyncio.sleep(0.05)

        dripping = asyncio.create_task(drip())
        with suppress(ConnectionError):
            await reader.read()
        dripping.cancel()
        left.set()
        writer.close()

    async with mail_server(serve) as settings:
        with pytest.raises(TargetUnavailable, match="no answer in time"):
            await smtp.check_mailboxes(settings, Network())
        async with asyncio.timeout(20):
            await left.wait()


async def test_stopping_bot_leaves_mail_server() -> None:
    reached = asyncio.Event()
    left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220-wait\r\n")
        reached.set()
        # A connection that is closed before the greeting was read is reset.
        with suppress(ConnectionError):
            await reader.read()
        left.set()
        writer.close()

    async with mail_server(serve) as settings:
        sending = asyncio.create_task(smtp.check_mailboxes(settings, Network()))
        async with asyncio.timeout(20):
            await reached.wait()
            sending.cancel()
            # Sooner than the library's own time-out of 15 s.
            async with asyncio.timeout(10):
                await left.wait()


async def test_login_name_has_any_letters() -> None:
    given: list[str] = []
    async with mail_server(answering(given, AUTH="235 OK"), "adä") as settings:
        await smtp.check_mailboxes(settings, Network())
    [words] = [line for line in given if line.startswith("AUTH")]
    sent = base64.b64decode(words.removeprefix("AUTH PLAIN ")).decode()
    assert sent == f"\0adä\0{PASSWORD}"


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        ("535 no", TargetRefused, "refuses the login"),
        ("454 later", TargetUnavailable, "SMTP 454: later"),
        ("334 A", TargetUnavailable, "cannot be read"),
    ],
)
async def test_login_failure_is_explained(answer: str, error: type[Exception], says: str) -> None:
    async with mail_server(answering([], AUTH=answer), "ada") as settings:
        with pytest.raises(error, match=says):
            await smtp.check_mailboxes(settings, Network())


async def test_refused_connection_is_named() -> None:
    async with mail_server(answering([])) as settings:
        pass
    with pytest.raises(TargetUnavailable) as raised:
        await smtp.check_mailboxes(settings, Network())
    assert raised.value.code == "connection refused"
    assert "`port`" in raised.value.hint


async def test_server_without_tls_is_named() -> None:
    async with mail_server(answering([])) as settings:
        with pytest.raises(TargetUnavailable, match="does not speak TLS"):
            await smtp.check_mailboxes(settings.model_copy(update={"security": "tls"}), Network())
