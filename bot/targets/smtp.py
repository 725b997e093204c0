"""Sends mails by SMTP. The standard library's client blocks, so it runs in a thread, within bounds of
time.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from typing import TypeVar

from msgspec import Struct

from bot import formatting
from bot.notifications.email import EmailSettings
from bot.targets.errors import TargetRefused, TargetUnavailable
from providers.http.causes import connection_cause
from providers.http.network import Network, untrusted_certificate

log = logging.getLogger("opswatch")
# For each answer of the server.
TIMEOUT_S = 15.0
# For the whole session: a server may answer each command just in time.
TOTAL_S = 60.0
T = TypeVar("T")


async def send_mail(settings: EmailSettings, network: Network, mail: EmailMessage) -> None:
    """Sends a mail to all its recipients. Raises TargetRefused and TargetUnavailable."""

    def send(server: smtplib.SMTP) -> None:
        # Some recipients may be refused while others get the mail; only if all are, an error is
        # raised.
        refused = server.send_message(mail, settings.sender, list(settings.to))
        if refused:
            log.warning(
                "%s rejected %d of %d recipients.",
                settings.address,
                len(refused),
                len(settings.to),
            )

    await _in_thread(settings, network, send)


async def check_mailboxes(settings: EmailSettings, network: Network) -> None:
    """Whether the server accepts the login, the sender and each recipient; no mail is sent. Raises
    TargetRefused and TargetUnavailable.
    """

    def check(server: smtplib.SMTP) -> None:
        server.ehlo_or_helo_if_needed()
        _require(server.mail(settings.sender), settings.sender)
        for mailbox in settings.to:
            _require(server.rcpt(mailbox), mailbox)
        # Ends the transaction without a mail (RFC 5321, 4.1.1.5).
        server.rset()

    await _in_thread(settings, network, check)


async def _in_thread(
    settings: EmailSettings, network: Network, work: Callable[[smtplib.SMTP], None]
) -> None:
    line = _Line()

    def run() -> None:
        with _errors(), _connected(settings, network, line) as server:
            work(server)

    try:
        # The thread goes on after this; `cut` ends it.
        async with asyncio.timeout(TOTAL_S):
            await asyncio.to_thread(run)
    except TimeoutError:
        raise TargetUnavailable("no answer in time") from None
    finally:
        line.cut()


class _Line(Struct):
    """The session of a thread. A server that sends a line now and then passes every time-out, and the
    thread would run on, also while the bot stops.
    """

    server: smtplib.SMTP | None = None
    is_cut: bool = False

    def cut(self) -> None:
        """Ends the session; nothing happens where it has ended."""
        self.is_cut = True
        connection = self.server.sock if self.server else None
        if connection:
            with suppress(OSError):
                # Of an encrypted connection, too, without what its thread is working with.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def require_uncut(self) -> None:
        """Raises where the session was to end while it was connecting."""
        if self.is_cut and self.server:
            self.server.close()
            raise smtplib.SMTPServerDisconnected


class _Session(smtplib.SMTP):
    def __init__(self, line: _Line, host: str, port: int) -> None:
        # Known before it connects, which the constructor does.
        line.server = self
        self._line = line
        super().__init__(host, port, timeout=TIMEOUT_S)

    def getreply(self) -> tuple[int, bytes]:
        self._line.require_uncut()
        return super().getreply()


class _TlsSession(smtplib.SMTP_SSL):
    def __init__(self, line: _Line, host: str, port: int, context: ssl.SSLContext) -> None:
        line.server = self
        self._line = line
        super().__init__(host, port, timeout=TIMEOUT_S, context=context)

    def getreply(self) -> tuple[int, bytes]:
        self._line.require_uncut()
        return super().getreply()


@contextmanager
def _connected(settings: EmailSettings, network: Network, line: _Line) -> Iterator[smtplib.SMTP]:
    """A session that is encrypted and logged in as the settings say."""
    host = settings.host
    port = settings.smtp_port
    server: smtplib.SMTP
    if settings.security == "tls":
        server = _TlsSession(line, host, port, network.tls)
    else:
        server = _Session(line, host, port)
    try:
        if settings.security == "starttls":
            server.starttls(context=network.tls)
        if settings.username and settings.password:
            _log_in(server, settings.username, settings.password.open())
        yield server
    finally:
        # What is answered to it says nothing of a mail that was accepted.
        with suppress(smtplib.SMTPException, OSError):
            server.quit()
        server.close()


def _log_in(server: smtplib.SMTP, username: str, password: str) -> None:
    if username.isascii():
        server.login(username, password)
        return
    # The library takes names of ASCII alone; the mechanism PLAIN takes UTF-8 (RFC 4616).
    server.ehlo_or_helo_if_needed()
    words = base64.b64encode(f"\0{username}\0{password}".encode()).decode()
    code, text = server.docmd("AUTH", f"PLAIN {words}")
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, text)


def _require(answer: tuple[int, bytes], mailbox: str) -> None:
    code, text = answer
    if code not in (250, 251):
        raise smtplib.SMTPResponseException(code, f"{mailbox}: ".encode() + text)


@contextmanager
def _errors() -> Iterator[None]:
    """Translates the library's errors. A reply from 500 on is final, one of 4xx may pass (RFC 5321,
    4.2.1).
    """
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        # Such as a server that is too busy to check a password.
        if error.smtp_code < 500:
            raise _refusal(error.smtp_code, error.smtp_error) from None
        raise TargetRefused(
            "the mail server refuses the login", "Check its username and password."
        ) from None
    except smtplib.SMTPRecipientsRefused as error:
        # One reason is enough for a person to act on.
        code, text = next(iter(error.recipients.values()))
        raise _refusal(code, text) from None
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code, error.smtp_error) from None
    except smtplib.SMTPNotSupportedError:
        raise TargetRefused(
            "the mail server offers no encryption", 'Check `port` and `security` ("tls").'
        ) from None
    except (smtplib.SMTPException, OSError) as error:
        raise TargetUnavailable(*_no_connection(error)) from None
    except ValueError:
        # Such as a challenge that is not Base64.
        raise TargetUnavailable("the mail server's answer cannot be read") from None


def _no_connection(error: Exception) -> tuple[str, str]:
    """Why there is no connection to the server, and what to do."""
    if untrusted := untrusted_certificate(error):
        return untrusted
    # The library's own errors, which are no answer either, come from errors of earlier work.
    cause = None if isinstance(error, smtplib.SMTPException) else connection_cause(error)
    if cause is None:
        return "no connection", ""
    return cause.reason, cause.hint_for("`host`, `port` and `security` of the target")


def _refusal(code: int, text: bytes | str) -> TargetRefused | TargetUnavailable:
    answer = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    shown = f"SMTP {code}: {formatting.sanitise(answer)}"
    return TargetRefused(shown) if code >= 500 else TargetUnavailable(shown)
