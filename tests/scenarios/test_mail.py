"""Alert mails are sent encrypted and only to a trusted server, and retried if that may help."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from bot.notifications.email import EmailSettings, render
from bot.sandbox.targets import MailSandbox
from bot.targets.errors import TargetRefused, TargetUnavailable
from bot.targets.smtp import check_mailboxes, send_mail
from providers.http.network import Network
from tests.bot.test_notifications import EVENT


@asynccontextmanager
async def encrypted_mail(
    folder: Path, *, implicit: bool, trusted: bool
) -> AsyncIterator[tuple[MailSandbox, EmailSettings, Network]]:
    """A mail server with a certificate, its configuration, and a network from the environment,
    which trusts its authority or a different one.
    """
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = MailSandbox(tls=context, implicit=implicit)
    await server.start()
    file = folder / "authority.pem"
    (authority if trusted else trustme.CA()).cert_pem.write_to_path(file)
    environ = {"SMTP_USERNAME": server.username, "SMTP_PASSWORD": server.password}
    settings = EmailSettings.model_validate(
        server.settings(), context={"environ": environ, "folder": folder}
    )
    try:
        yield server, settings, Network.from_environ({"SSL_CERT_FILE": str(file)})
    finally:
        await server.stop()


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "tls"])
async def test_mail_is_encrypted(tmp_path: Path, implicit: bool) -> None:
    async with encrypted_mail(tmp_path, implicit=implicit, trusted=True) as (
        server,
        settings,
        network,
    ):
        await check_mailboxes(settings, network)
        assert server.mails == []
        await send_mail(settings, network, render(settings, EVENT))
    assert [mail.recipients for mail in server.mails] == [["oncall@example.com"]]


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "tls"])
async def test_mail_refuses_untrusted_certificate(tmp_path: Path, implicit: bool) -> None:
    async with encrypted_mail(tmp_path, implicit=implicit, trusted=False) as (
        server,
        settings,
        network,
    ):
        with pytest.raises(TargetUnavailable, match="its certificate is not trusted"):
            await send_mail(settings, network, render(settings, EVENT))
    assert server.mails == []


async def test_mail_is_never_sent_in_the_clear(tmp_path: Path) -> None:
    async with encrypted_mail(tmp_path, implicit=False, trusted=True) as (
        server,
        settings,
        network,
    ):
        server.tls = None
        with pytest.raises(TargetRefused, match="offers no encryption"):
            await send_mail(settings, network, render(settings, EVENT))
    assert server.mails == []


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        ("451 4.3.0 Later", TargetUnavailable),
        ("421 4.3.2 Closing", TargetUnavailable),
        ("552 5.3.4 Too large", TargetRefused),
    ],
)
async def test_mail_reply_decides_about_retry(
    tmp_path: Path, reply: str, error: type[Exception]
) -> None:
    async with encrypted_mail(tmp_path, implicit=False, trusted=True) as (
        server,
        settings,
        network,
    ):
        server.faults = [reply]
        with pytest.raises(error, match=reply[:3]):
            await send_mail(settings, network, render(settings, EVENT))


async def test_unknown_mailbox_is_named(tmp_path: Path) -> None:
    async with encrypted_mail(tmp_path, implicit=False, trusted=True) as (
        server,
        settings,
        network,
    ):
        server.mailboxes = frozenset()
        with pytest.raises(TargetRefused, match=r"SMTP 550: oncall@example\.com: "):
            await check_mailboxes(settings, network)
        with pytest.raises(TargetRefused, match="SMTP 550: "):
            await send_mail(settings, network, render(settings, EVENT))
