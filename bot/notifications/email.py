"""Mails about incidents: one conversation for each, in plain text."""

from __future__ import annotations

import hashlib
import re
from email.utils import format_datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from bot.formatting import sanitise, sanitise_lines
from bot.notifications.event import Action, AlertEvent
from bot.notifications.settings import TargetSettings
from providers.http.network import is_loopback
from providers.settings import SecretReference, TextOrReference

if TYPE_CHECKING:
    from email.message import EmailMessage

MOST_SUBJECT = 200
MOST_LINE = 900
MOST_RECIPIENTS = 20
# The ports of RFC 8314 and RFC 6409; a server on this machine may take mail without TLS.
PORTS = {"tls": 465, "starttls": 587, "none": 25}
# The local part of RFC 5322, without its quoted form.
_LOCAL = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
_DOMAIN = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})){0,8}"
_MAILBOX = re.compile(rf"{_LOCAL}@{_DOMAIN}")
_HOST = re.compile(_DOMAIN)
_VERBS = {
    Action.TRIGGER: "FIRING",
    Action.ACKNOWLEDGE: "ACKNOWLEDGED",
    Action.RESOLVE: "RESOLVED",
}


def _mailbox(value: Any) -> str:
    if isinstance(value, str) and len(value) <= 254 and _MAILBOX.fullmatch(value):
        return value
    raise ValueError('a mail address such as "oncall@example.com"')


def _server(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    try:
        return str(ip_address(text))
    except ValueError:
        if _HOST.fullmatch(text):
            return text.lower()
    raise ValueError('the name of a mail server, such as "smtp.example.com"')


Mailbox = Annotated[str, BeforeValidator(_mailbox)]


class EmailSettings(TargetSettings):
    """A mail server for message submission, and the sender and recipients."""

    kind: Literal["email"]
    host: Annotated[str, BeforeValidator(_server)]
    """The mail server."""
    port: Annotated[int, Field(ge=1, le=65535, strict=True)] | None = None
    """Its port; without it, 587 for STARTTLS and 465 for TLS."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is encrypted; `none` is for a server on this machine."""
    username: TextOrReference | None = None
    """The user name, where the server requires a login."""
    password: SecretReference | None = None
    """The password of that user."""
    sender: Annotated[Mailbox, Field(alias="from")]
    """The address that mails come from."""
    to: tuple[Mailbox, ...]
    """Up to twenty addresses that they go to."""

    @model_validator(mode="after")
    def _safe(self) -> EmailSettings:
        if not 1 <= len(self.to) <= MOST_RECIPIENTS:
            raise ValueError(f"to: 1 to {MOST_RECIPIENTS} mail addresses")
        if bool(self.username) != bool(self.password):
            raise ValueError("username and password, or neither")
        # A password or an incident would cross the network in the clear.
        if self.security == "none" and not is_loopback(self.url_address):
            raise ValueError('security "tls" or "starttls"; "none" is for this machine alone')
        return self

    @property
    def smtp_port(self) -> int:
        return self.port or PORTS[self.security]

    @property
    def address(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.smtp_port}"


def render(settings: EmailSettings, event: AlertEvent) -> EmailMessage:
    """The mail for an event. Its Message-ID is the same in each attempt, and all mails about an
    incident refer to the first, so that they are one conversation.
    """
    # Every program reads these settings, and few send a mail.
    from email.message import EmailMessage
    from email.policy import SMTP

    # Every mail server takes seven bits.
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    domain = settings.sender.rpartition("@")[2]
    # No mail has this id: mail programs join what refers to the same one (RFC 5256).
    thread = f"<{_digest(event.incident)}@{domain}>"
    mail["From"] = settings.sender
    mail["To"] = ", ".join(settings.to)
    mail["Subject"] = _subject(event)
    mail["Date"] = format_datetime(event.at)
    # The same in each attempt, by which many servers drop the second one.
    mail["Message-ID"] = f"<{_digest(event.id)}@{domain}>"
    mail["References"] = thread
    mail["In-Reply-To"] = thread
    # Kept from being answered by an absence note (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    if event.action is Action.TRIGGER and event.severity == "critical":
        mail["Importance"] = "high"
    mail.set_content("\n".join(_lines(event)) + "\n")
    return mail


def _subject(event: AlertEvent) -> str:
    severity = f" {event.severity}" if event.severity else ""
    subject = f"[{_VERBS[event.action]}{severity}] {event.summary}"
    # No line end, which would begin another header.
    return sanitise(subject, MOST_SUBJECT)


def _lines(event: AlertEvent) -> list[str]:
    """A line of a mail has at most 998 characters (RFC 5322)."""
    return [sanitise(line, MOST_LINE) for text in event.lines for line in _split(text)]


def _split(text: str) -> list[str]:
    return sanitise_lines(text).split("\n")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]
