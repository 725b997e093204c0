"""The errors that people read: one base that says what happened, what to do, and how the terminal,
Slack and the log treat it.

    OpswatchError
    ├── BadQuestion            a question that cannot be understood
    │   └── SuggestedQuestion  nearly another one, which is its hint
    ├── AccessDenied           refused by the access rules
    ├── ConfigError            a configuration with problems
    ├── SlackRefused           Slack rejected a message
    │   └── SlackUnreachable   there was no connection to Slack
    ├── SlackDeliveryUnknown   Slack did not confirm a message
    ├── DatabaseUnavailable    the bot's own database cannot be used
    └── InternalError          a fault of the bot

The errors of vendors (`providers.errors`) have the same attributes; `ReportedError` covers both.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal, Protocol, runtime_checkable

from msgspec import Struct


@runtime_checkable
class ReportedError(Protocol):
    """The attributes by which one place can report every error.

    `kind` is its name in JSON and in the record of questions, `account` the configured account it
    is about, `message` one sentence on what failed, and `hint` one on what to do. `exit_code` ends
    a command of the terminal. An error is logged at `log_level`, from ERROR on with its traceback.
    `may_retry` if the same question may succeed later.
    """

    @property
    def kind(self) -> str: ...
    @property
    def account(self) -> str | None: ...
    @property
    def message(self) -> str: ...
    @property
    def hint(self) -> str: ...
    @property
    def may_retry(self) -> bool: ...
    @property
    def exit_code(self) -> int: ...
    @property
    def log_level(self) -> int: ...


class OpswatchError(Exception):
    """Base of the errors that are reported to a person. `str(error)` is the message."""

    kind: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = 1
    log_level: ClassVar[int] = logging.DEBUG
    may_retry: ClassVar[bool] = False
    account: str | None = None

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


FormName = Literal["question", "alert", "subscription", "silence"]


def hint_in_words(hint: str) -> str:
    """The hint as a sentence; a question is what to ask instead."""
    return f"Try {hint}" if hint.startswith("/") else hint


class FormLink(Struct, frozen=True):
    """A form that can be filled in instead of typing, and the words that it starts with."""

    form: FormName
    command: str
    words: str = ""

    @property
    def line(self) -> str:
        return f"/{self.command} {self.words}".strip()


class BadQuestion(OpswatchError):
    """A question that cannot be understood. `hint` is an example that works, `field` the input that
    is wrong where a form was filled in, and `form` the one that could be filled in instead.
    """

    kind = "bad_question"
    exit_code = 2
    form: FormLink | None = None

    def __init__(self, message: str, hint: str = "", *, field: str = "") -> None:
        super().__init__(message, hint)
        self.field = field


class SuggestedQuestion(BadQuestion):
    """A question that is nearly another one. `hint` is that one, with everything else that was
    typed.
    """


@contextlib.contextmanager
def offering_form(link: FormLink | None) -> Iterator[None]:
    """Gives a BadQuestion the form in which what was typed can be corrected."""
    try:
        yield
    except BadQuestion as error:
        # The innermost form fits best.
        error.form = error.form or link
        raise


class AccessDenied(OpswatchError):
    """A question that this person may not ask here."""

    kind = "refused"
    exit_code = 4


class SlackRefused(OpswatchError):
    """Slack rejected a message. `code` is Slack's own name for the reason."""

    kind = "slack"
    exit_code = 3
    log_level = logging.WARNING
    may_retry = True

    def __init__(self, code: str) -> None:
        hint = _SLACK_HINTS.get(code, "Try again. If it keeps failing, tell the operator.")
        super().__init__(f"Slack rejected the message ({code}).", hint)
        self.code = code

    def __str__(self) -> str:
        return self.code


class SlackUnreachable(SlackRefused):
    """There was no connection to Slack, so the message was certainly not posted."""

    def __init__(self) -> None:
        super().__init__("unreachable")
        self.message = "Slack could not be reached."
        self.hint = "Try again in a minute."


class SlackDeliveryUnknown(OpswatchError):
    """Slack did not confirm a message. It is not sent again, because it may have been posted."""

    kind = "slack"
    exit_code = 3
    log_level = logging.WARNING
    may_retry = True

    def __init__(self, code: str = "no answer from Slack") -> None:
        super().__init__(
            "Slack did not confirm the message.",
            "Look in the channel. If the answer is not there, ask again.",
        )
        self.code = code


class DatabaseUnavailable(OpswatchError):
    """The bot's own database cannot be used. `reason` is the database's."""

    log_level = logging.ERROR
    may_retry = True

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The bot's database cannot be used ({reason}).",
            "The operator has been notified. Try again later.",
        )


class InternalError(OpswatchError):
    """A fault of the bot, reported without its details."""

    log_level = logging.ERROR
    may_retry = True

    def __init__(self) -> None:
        super().__init__(
            "Something went wrong in the bot itself.",
            "Try again. The operator finds the details in the bot's log.",
        )


# From the errors of chat.postMessage. msg_blocks_too_long is not documented; it was seen at about
# 13,200 characters of blocks (slackapi/bolt-js#2509).
_SLACK_HINTS = {
    "msg_blocks_too_long": "Ask for a shorter window, or add csv to have it as a file.",
    "invalid_blocks": "Ask for a shorter window, or add csv to have it as a file.",
    "not_in_channel": "Invite it with /invite @Opswatch, and ask again.",
    "channel_not_found": "Invite it with /invite @Opswatch, and ask again.",
    "is_archived": "The channel is archived; ask in another one.",
    "restricted_action": (
        "A workspace setting keeps Opswatch from posting there. Ask an admin, or ask in another channel."
    ),
    "not_authed": "The operator has to renew the bot's credentials.",
    "token_expired": "The operator has to renew the bot's credentials.",
    "missing_scope": "The operator has to update the app from manifest.yml and reinstall it.",
    "token_revoked": "The operator has to reinstall the app and renew the bot's credentials.",
    "invalid_auth": "The operator has to renew the bot's credentials.",
    "account_inactive": "The operator has to reinstall the app.",
    "ratelimited": "Slack's rate limit is reached; try again in a minute.",
}


# What would be right without a verb, such as `a size such as "5 GB"`.
_BE = re.compile(
    r'an? (?!unknown )|five |true or false|from \d|Slack IDs|https://|"|the (?:name|ID) of |letters|env:'
)


class ConfigProblem(Struct, frozen=True):
    """One thing that is wrong in the configuration: the key, the value as it may be shown, what would
    be right, and where it is, such as `bot.toml, line 12`.
    """

    key: str
    value: str
    right: str
    place: str = ""

    @property
    def description(self) -> str:
        """What is wrong with the key, and where."""
        where = f" ({self.place})" if self.place else ""
        return f"{self._wrong}{where}"

    @property
    def _wrong(self) -> str:
        right = f"must be {self.right}" if _BE.match(self.right) else self.right
        return f"{self.value}: {right}" if self.value else right

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.key}{' = ' if self.value else ': '}{self._wrong}"


class ConfigError(OpswatchError):
    """A configuration that cannot be used, with all its problems."""

    kind = "bad_config"
    exit_code = 2
    log_level = logging.WARNING

    def __init__(
        self,
        problems: Sequence[ConfigProblem],
        hint: str = (
            "Correct it, then run `python -m bot check`; `python -m bot init --full FILE` "
            "writes an example to compare with."
        ),
    ) -> None:
        self.problems = tuple(problems)
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__(f"The configuration has {count}: {self}", hint)

    # Without the count and the hint, which the message has.
    def __str__(self) -> str:
        return "; ".join(map(str, self.problems))
