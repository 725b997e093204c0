"""A mail server for submission (RFC 5321, 4954, 3207): it takes what is right and refuses the rest."""

from __future__ import annotations

import asyncio
import base64
import email
import email.policy
import re
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

MOST_BYTES = 1_000_000
# RFC 5321, 4.5.3.1.6, without CRLF.
LONGEST_LINE = 998
_ONCE = ("From", "To", "Subject", "Date", "Message-ID")
_PATH = re.compile(r"<([^<>@\s]{1,64}@[^<>@\s]{1,253})>")


@dataclass(slots=True)
class Mail:
    """A mail that was accepted: its envelope and its content."""

    sender: str
    recipients: list[str]
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        return str(self.message.get_content())


@dataclass(slots=True)
class _Session:
    """The state of one connection."""

    is_encrypted: bool = False
    is_known: bool = False
    sender: str = ""
    recipients: list[str] = field(default_factory=list)

    def reset(self) -> None:
        self.sender = ""
        self.recipients = []


@dataclass(slots=True)
class MailSandbox:
    """`mails` are all that were accepted, and `refused` what was wrong with the others. The next
    `faults` are replies that are given in the place of acceptance; `cut_after_data` closes that
    many connections after a mail was taken, without a reply. With `tls` it wants STARTTLS, or, where that
    is `implicit`, TLS from the first byte.
    """

    username: str = "opswatch"
    password: str = "smtp-password-0000"
    tls: ssl.SSLContext | None = None
    implicit: bool = False
    mailboxes: frozenset[str] = frozenset({"oncall@example.com", "leads@example.com"})
    mails: list[Mail] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    cut_after_data: int = 0
    port: int = 0
    _server: asyncio.Server | None = None

    def settings(self) -> dict[str, Any]:
        return {
            "kind": "email",
            "host": "127.0.0.1",
            "port": self.port,
            "security": "none" if not self.tls else "tls" if self.implicit else "starttls",
            "username": "env:SMTP_USERNAME",
            "password": "env:SMTP_PASSWORD",
            "from": "opswatch@example.com",
            "to": ["oncall@example.com"],
        }

    async def start(self) -> None:
        self._server = await asyncio.start_server(
            self._serve,
            "127.0.0.1",
            self.port,
            limit=2 * MOST_BYTES,
            ssl=self.tls if self.implicit else None,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server:
            self._server.close()

    def inbox(self) -> dict[str, Mail]:
        """Each mail once, as a mailbox that knows Message-IDs shows them."""
        return {str(mail.message["Message-ID"]): mail for mail in self.mails}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = _Session(is_encrypted=self.implicit)
        try:
            await _reply(writer, "220 mail.example.com ESMTP")
            while line := await reader.readline():
                if not line.endswith(b"\r\n") or len(line) > 1024:
                    await _reply(writer, "500 5.5.2 Line is wrong")
                    continue
                if not await self._answer(line[:-2].decode("ascii"), session, reader, writer):
                    break
        except (ConnectionError, UnicodeDecodeError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(
        self,
        line: str,
        session: _Session,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Whether the session goes on."""
        verb, _, rest = line.partition(" ")
        match verb.upper():
            case "EHLO" | "HELO":
                session.reset()
                await self._answer_ehlo(session, writer)
            case "STARTTLS" if self.tls and not session.is_encrypted:
                await _reply(writer, "220 2.0.0 Go ahead")
                await writer.start_tls(self.tls)
                # What was said before TLS is forgotten (RFC 3207, 4.2).
                session.is_encrypted = True
                session.is_known = False
            case "AUTH":
                await _reply(writer, await self._log_in(rest, session, reader, writer))
            case "MAIL" | "RCPT":
                await _reply(writer, self._address(verb.upper(), rest, session))
            case "DATA":
                return await self._data(session, reader, writer)
            case "RSET":
                session.reset()
                await _reply(writer, "250 2.0.0 OK")
            case "NOOP":
                await _reply(writer, "250 2.0.0 OK")
            case "QUIT":
                await _reply(writer, "221 2.0.0 Bye")
                return False
            case _:
                await _reply(writer, "502 5.5.1 Not implemented")
        return True

    async def _answer_ehlo(self, session: _Session, writer: asyncio.StreamWriter) -> None:
        offers = [f"SIZE {MOST_BYTES}"]
        if self.tls and not session.is_encrypted:
            offers.append("STARTTLS")
        else:
            # Passwords are accepted over TLS only, where there is any.
            offers.append("AUTH PLAIN LOGIN")
        lines = ["mail.example.com", *offers]
        for line in lines[:-1]:
            await _reply(writer, f"250-{line}")
        await _reply(writer, f"250 {lines[-1]}")

    async def _log_in(
        self,
        rest: str,
        session: _Session,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> str:
        if self.tls and not session.is_encrypted:
            return "538 5.7.11 Encryption required"
        mechanism, _, initial = rest.partition(" ")
        if mechanism.upper() == "PLAIN":
            given = base64.b64decode(initial).split(b"\0")[1:]
        else:
            name = initial or await _prompt(reader, writer, "VXNlcm5hbWU6")
            word = await _prompt(reader, writer, "UGFzc3dvcmQ6")
            given = [base64.b64decode(name), base64.b64decode(word)]
        session.is_known = given == [self.username.encode(), self.password.encode()]
        return "235 2.7.0 OK" if session.is_known else "535 5.7.8 Wrong username or password"

    def _address(self, verb: str, rest: str, session: _Session) -> str:
        found = _PATH.search(rest)
        if not session.is_known:
            return "530 5.7.0 Authentication required"
        if not found or not rest.upper().startswith("FROM:" if verb == "MAIL" else "TO:"):
            return "501 5.1.7 Bad address"
        if verb == "MAIL":
            session.sender = found[1]
            return "250 2.1.0 OK"
        if not session.sender:
            return "503 5.5.1 MAIL first"
        if found[1] not in self.mailboxes:
            return "550 5.1.1 No such mailbox"
        session.recipients.append(found[1])
        return "250 2.1.5 OK"

    async def _data(
        self, session: _Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        if not session.recipients:
            await _reply(writer, "503 5.5.1 RCPT first")
            return True
        await _reply(writer, "354 End with a dot")
        raw = await reader.readuntil(b"\r\n.\r\n")
        # A dot at the start of a line is doubled on the way (RFC 5321, 4.5.2).
        content = raw.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
        if self.faults:
            await _reply(writer, self.faults.pop(0))
            return True
        if why := _wrong(content):
            self.refused.append(why)
            await _reply(writer, f"554 5.6.0 {why}")
            return True
        message = email.message_from_bytes(content, policy=email.policy.default)
        self.mails.append(Mail(session.sender, session.recipients, message))
        session.reset()
        # The sender cannot know whether the mail was taken.
        if self.cut_after_data:
            self.cut_after_data -= 1
            return False
        await _reply(writer, "250 2.0.0 Taken")
        return True


def _wrong(content: bytes) -> str:
    """What is wrong with a mail, or nothing."""
    lines = content.split(b"\r\n")
    if any(b"\n" in line or b"\r" in line for line in lines):
        return "a line ends without CRLF"
    if any(len(line) > LONGEST_LINE for line in lines):
        return "a line is too long"
    if any(byte > 127 for byte in content):
        return "8-bit content was not offered"
    message = email.message_from_bytes(content, policy=email.policy.default)
    for name in _ONCE:
        if len(message.get_all(name) or []) != 1:
            return f"{name} does not occur exactly once"
    return "the headers are defective" if message.defects else ""


async def _reply(writer: asyncio.StreamWriter, line: str) -> None:
    writer.write(f"{line}\r\n".encode())
    await writer.drain()


async def _prompt(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, what: str) -> str:
    await _reply(writer, f"334 {what}")
    return (await reader.readline()).decode("ascii").strip()
