"""Errors as people read them: what failed, what to do, and whether to try again. The same in Slack
and in a terminal.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from bot.blocks import messages
from bot.errors import (
    BadQuestion,
    DatabaseUnavailable,
    FormLink,
    InternalError,
    OpswatchError,
    ReportedError,
    SlackDeliveryUnknown,
    SlackRefused,
)
from bot.formatting import join_words, sanitise
from bot.observability.faults import RecentFaults
from bot.store import StoreUnavailable
from providers.errors import ProviderError

log = logging.getLogger("opswatch")
RECENT_FAULTS = RecentFaults()
# Errors whose text holds nothing that was typed.
QUOTABLE = (StoreUnavailable, SlackRefused, SlackDeliveryUnknown)


class Cancelled(OpswatchError):
    """The asker cancelled the work."""

    kind = "cancelled"

    def __init__(self) -> None:
        super().__init__("Cancelled, as you asked.")


class Stopping(OpswatchError):
    """The bot stops before the answer is complete."""

    kind = "cancelled"
    may_retry = True

    def __init__(self) -> None:
        super().__init__(
            "The bot is restarting and could not finish this.", "Ask again in a minute."
        )


class Lost(OpswatchError):
    """An earlier process ended before the answer was complete."""

    kind = "cancelled"
    may_retry = True

    def __init__(self, line: str) -> None:
        super().__init__(f"The bot was interrupted while it worked on {line}.", "Ask again.")


class LostFiles(OpswatchError):
    """An earlier process ended before it had sent the files of an answer."""

    kind = "cancelled"
    may_retry = True

    def __init__(self, line: str, names: Sequence[str]) -> None:
        files = "The file" if len(names) == 1 else "Files"
        super().__init__(
            f"The bot was restarted while it sent the answer to {line}. "
            f"{files} {join_words([sanitise(name, 120) for name in names], 5)} may be missing.",
            "Ask again.",
        )


class LostCommand(OpswatchError):
    """An earlier process ended before it said whether a command that changes something succeeded."""

    kind = "cancelled"

    def __init__(self, line: str) -> None:
        super().__init__(
            f"The bot was interrupted while it worked on {line}.",
            "It may have been carried out already; look before you type it again.",
        )


class ErrorMessage(Struct, frozen=True):
    """An error as it is shown: its kind, the account it is about, one sentence and one hint, the
    exit code of a command that ends with it, and the level it is logged at.
    """

    kind: str
    provider: str | None
    message: str
    hint: str
    may_retry: bool = False
    exit_code: int = 1
    log_level: int = logging.ERROR
    form: FormLink | None = None

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
        again = line if self.may_retry else ""
        return messages.error_blocks(self.message, self.hint, again=again, form=self.form)

    @property
    def text(self) -> str:
        return messages.error_text(self.message, self.hint)


def error_message(error: BaseException) -> ErrorMessage:
    """The message of an error, from its own attributes. An error without them is a fault of the
    bot, whose details are not shown.
    """
    reported = _reported(error)
    return ErrorMessage(
        reported.kind,
        reported.account,
        reported.message,
        reported.hint,
        may_retry=reported.may_retry,
        exit_code=reported.exit_code,
        log_level=reported.log_level,
        # Only what was typed can be corrected in a form.
        form=reported.form if isinstance(reported, BadQuestion) else None,
    )


def log_failure(error: BaseException, what: str, *, level: int = logging.WARNING) -> None:
    """Logs a failure after which the work continues: an error with a message for people by its
    kind, at `level`, and one of Slack or the database by its reason; a fault of the bot with its
    traceback, from which the log removes secrets. A traceback is not repeated within an hour.
    """
    reported = _reported(error)
    if not isinstance(reported, InternalError):
        log.log(level, "%s: %s", what, _loggable(error, reported.kind))
    elif RECENT_FAULTS.is_new(error):
        log.error("%s:", what, exc_info=error)
    else:
        log.error("%s: %s again, with the traceback that was logged", what, type(error).__name__)


def _loggable(error: BaseException, kind: str) -> str:
    """The reason of a failure as the log shows it: its kind, since a message may quote what was
    typed. Slack, the database and a connection that failed quote nothing.
    """
    if isinstance(error, QUOTABLE):
        return str(error)
    return error.for_operators if isinstance(error, ProviderError) and error.host else kind


def _reported(error: BaseException) -> ReportedError:
    if isinstance(error, ReportedError):
        return error
    # The store knows no messages for people.
    if isinstance(error, StoreUnavailable):
        return DatabaseUnavailable(error.cause)
    return InternalError()
