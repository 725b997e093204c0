"""What to tell about an error: what failed, what to do, and whether to try again. The same in Slack
and in a terminal.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from bot.blocks import messages
from bot.errors import AccessDenied, BadQuestion, ConfigError, SlackDeliveryUnknown, SlackRefused
from providers.errors import ProviderError


class Cancelled(Exception):
    """The asker has stopped the work."""

    kind = "cancelled"


class Stopping(Exception):
    """The bot is going away while the answer was under way."""

    kind = "cancelled"


class Lost(Exception):
    """A crash has cut the work off."""

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self.line = line


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """An error as it is told: its kind, the account it is about, one sentence, one hint."""

    kind: str
    provider: str | None
    message: str
    hint: str
    may_retry: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "error": {
                "kind": self.kind,
                "provider": self.provider,
                "message": self.message,
                "hint": self.hint,
            }
        }

    def blocks(self, line: str = "") -> list[dict[str, Any]]:
        fill = line if self.kind == "bad_question" else ""
        return messages.error_blocks(
            self.message, self.hint, again=line if self.may_retry else "", fill=fill
        )

    @property
    def text(self) -> str:
        return messages.error_text(self.message, self.hint)


def error_message(error: BaseException) -> ErrorMessage:
    """What to tell about an error. What we did not foresee is our own fault and is told without its
    details.
    """
    if isinstance(error, BadQuestion | AccessDenied | ConfigError):
        return ErrorMessage(error.kind, None, error.message, error.hint)
    if isinstance(error, ProviderError):
        return ErrorMessage(
            error.kind, error.account, error.message, error.hint, may_retry=error.may_retry
        )
    if isinstance(error, SlackRefused | SlackDeliveryUnknown):
        return ErrorMessage(error.kind, None, error.message, error.hint, may_retry=True)
    if isinstance(error, sqlite3.Error):
        return ErrorMessage(
            "internal",
            None,
            f"My database cannot be used ({error}).",
            "The operator is told; try again later.",
            True,
        )
    if isinstance(error, Cancelled):
        return ErrorMessage("cancelled", None, "Cancelled, as you asked.", "")
    if isinstance(error, Stopping):
        return ErrorMessage(
            "cancelled",
            None,
            "I am being restarted and could not finish this.",
            "Ask again in a minute.",
            may_retry=True,
        )
    if isinstance(error, Lost):
        return ErrorMessage(
            "cancelled",
            None,
            f"I was interrupted while I worked on {error.line}.",
            "Ask again.",
            may_retry=True,
        )
    return ErrorMessage(
        "internal",
        None,
        "Something went wrong in the bot itself.",
        "The operator finds it in the bot's log; try again.",
        True,
    )
