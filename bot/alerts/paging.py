"""Whom an alert notifies besides its channel, how urgent it is, and how both are typed (pure).

A recipient is a person or user group of Slack (their id, or `@handle` until it is looked up), a
channel (`#name` or its id), or the name of a target of the configuration, such as `pagerduty`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import Literal, get_args
from urllib.parse import urlsplit

import msgspec
from msgspec import structs

from bot.questions.amounts import DURATION, read_duration

Severity = Literal["", "info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)[1:]
# More people than that are a user group.
MOST_RECIPIENTS = 10
# A button in Slack takes a link of 3,000 characters.
LONGEST_LINK = 2000
# People, user groups and channels: `U012AB`, `S0GROUP`, `C0OPS`. Every id has a digit, which sets
# it apart from a name in upper case.
_MENTION = re.compile(r"[UWS](?=[A-Z]*[0-9])[A-Z0-9]{2,40}")
CHANNEL_ID = r"[CG](?=[A-Z]*[0-9])[A-Z0-9]{2,40}"
_CHANNEL = re.compile(rf"#[\w-]{{1,80}}|{CHANNEL_ID}")
_HANDLE = re.compile(r"@[^\W_][\w.-]{0,79}")
TARGET_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
# How Slack writes a mention that it has recognised: `<@U012AB|ada>`, `<!subteam^S0SRE|@sre>`.
_ESCAPED = re.compile(r"<(?:[@#]|!subteam\^)([A-Z0-9]{2,41})(?:\|[^<>]{0,100})?>")
_SUBTEAM = "@subteam^"
# One recipient, and several, for use within other patterns.
RECIPIENT = r"(?:[@#]{0,2}[\w.^-]{1,80}|<[@#!][^<>\s]{1,140}>)"
RECIPIENTS = rf"{RECIPIENT}(?:(?:\s*,\s*|\s+and\s+){RECIPIENT}){{0,{MOST_RECIPIENTS - 1}}}"
_SEPARATOR = re.compile(r"\s*,\s*|\s+and\s+", re.IGNORECASE)
# Not in a link: blanks, controls, and what Slack or HTML would read as its end.
_LINK = re.compile(r"[!#-;=?-~]{1,%d}" % LONGEST_LINK)  # noqa: UP031 - braces of the pattern

_UNLESS = r"(?:\s+unless\s+(?:it\s+is\s+)?ack(?:nowledged)?)?"
_AFTER_TO = rf"after\s+({DURATION}){_UNLESS}\s+to\s+({RECIPIENTS})"
_TO_AFTER = rf"to\s+({RECIPIENTS})\s+after\s+({DURATION}){_UNLESS}"
# `after 15m to @oncall` and `to @oncall after 15m`, also with `unless acknowledged`, which is always
# meant; for use within other patterns.
ESCALATION = f"(?:{_AFTER_TO}|{_TO_AFTER})".replace(f"({DURATION})", DURATION).replace(
    f"({RECIPIENTS})", RECIPIENTS
)
ESCALATES_TO = "escalate says after how long and to whom."


class Paging(msgspec.Struct, frozen=True, omit_defaults=True):
    """How urgent an alert is and whom it calls. `runbook` is a link; `notify` are the recipients
    when it fires. Where nobody has acknowledged it `escalate_after` then, `escalate_to` are called.
    """

    severity: Severity = ""
    runbook: str = ""
    notify: tuple[str, ...] = ()
    escalate_after: timedelta | None = None
    escalate_to: tuple[str, ...] = ()

    @property
    def mentions(self) -> list[str]:
        """The people and user groups whom it calls, by id."""
        return mentions((*self.notify, *self.escalate_to))

    @property
    def calls_nobody(self) -> bool:
        return not self.notify and not self.escalate_to

    def without_calls(self) -> Paging:
        """As urgent, and with the same runbook."""
        return Paging(severity=self.severity, runbook=self.runbook)


NO_PAGING = Paging()


def without_recipients(paging: Paging, recipients: Collection[str]) -> Paging:
    """The same, but for these recipients."""
    return structs.replace(
        paging,
        notify=tuple(each for each in paging.notify if each not in recipients),
        escalate_to=tuple(each for each in paging.escalate_to if each not in recipients),
    )


def read_recipients(text: str) -> tuple[str, ...]:
    """Each recipient once, in the order in which they are named. Raises ValueError, which says what
    is wrong, for what names nobody.
    """
    words = [word for word in _SEPARATOR.split(text.strip()) if word]
    if not words:
        raise ValueError("Nobody is named.")
    if len(words) > MOST_RECIPIENTS:
        raise ValueError(f"At most {MOST_RECIPIENTS} recipients can be named.")
    return tuple(dict.fromkeys(_recipient(word) for word in words))


def _recipient(word: str) -> str:
    """The recipient as it is stored."""
    if escaped := _ESCAPED.fullmatch(word):
        word = escaped[1]
    # `@@sre` is a user group as Slack escapes it: the label after its ID begins with `@`, too.
    name = word.removeprefix("@").removeprefix("@")
    if word.startswith(_SUBTEAM):
        name = word.removeprefix(_SUBTEAM)
    if _MENTION.fullmatch(name) or _CHANNEL.fullmatch(name):
        return name.lower() if name.startswith("#") else name
    if name != word and _HANDLE.fullmatch(f"@{name}"):
        return f"@{name}"
    # Last: a name without any sign may be a target.
    if TARGET_NAME.fullmatch(name.lower()):
        return name.lower()
    raise ValueError(
        f"“{word[:40]}” names nobody; write @oncall, #channel or the name of a target."
    )


def mentions(recipients: Iterable[str]) -> list[str]:
    """The people and user groups among the recipients, by id."""
    return [each for each in recipients if _MENTION.fullmatch(each)]


def channels(recipients: Iterable[str]) -> list[str]:
    """The channels among the recipients."""
    return [each for each in recipients if _CHANNEL.fullmatch(each)]


def handles(recipients: Iterable[str]) -> list[str]:
    """The people and user groups among the recipients whose id is to be looked up."""
    return [each for each in recipients if each.startswith("@")]


def targets(recipients: Iterable[str]) -> list[str]:
    """The names of targets among the recipients."""
    return [each for each in recipients if TARGET_NAME.fullmatch(each)]


def read_link(text: str) -> str:
    """An https:// address that a button may lead to. Raises ValueError, which says what is wrong."""
    link = text.strip()
    try:
        parts = urlsplit(link)
        is_whole = parts.scheme == "https" and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_whole = False
    if not is_whole or not _LINK.fullmatch(link) or "@" in parts.netloc:
        raise ValueError("A link begins with https:// and names a host, without a password.")
    return link


def read_severity(text: str) -> Severity:
    """The severity that a word names; an empty one where it names none."""
    return next((name for name in SEVERITIES if name == text.lower()), "")


def read_escalation(text: str) -> tuple[timedelta, tuple[str, ...]]:
    """`after 15m to @oncall`: after how long and to whom. Raises ValueError, which says what is
    wrong.
    """
    if found := re.fullmatch(_AFTER_TO, text.strip(), re.IGNORECASE):
        after = found[1]
        recipients = found[2]
    elif found := re.fullmatch(_TO_AFTER, text.strip(), re.IGNORECASE):
        recipients = found[1]
        after = found[2]
    else:
        raise ValueError(ESCALATES_TO)
    length = read_duration(after)
    if not length:
        raise ValueError("An alert escalates after a duration such as 15m.")
    return length, read_recipients(recipients)


def with_ids(recipients: Sequence[str], found: dict[str, str]) -> tuple[str, ...]:
    """The recipients with ids in place of their handles."""
    return tuple(dict.fromkeys(found.get(each, each) for each in recipients))
