"""What can be wrong on our side of the house: the question, the configuration, or who is asking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class BadQuestion(Exception):
    """A question that cannot be understood. `message` is one sentence, `hint` an example that
    works.
    """

    kind = "bad_question"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


class SuggestedQuestion(BadQuestion):
    """A question that is nearly another one: `hint` is that one, with all else that was typed."""


class AccessDenied(Exception):
    """A question that this person may not ask here."""

    kind = "refused"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


class SlackRefused(Exception):
    """Slack did not take a message. `code` is Slack's own word for why."""

    kind = "slack"

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = f"Slack did not take the answer ({code})."
        self.hint = _SLACK_HINTS.get(code, "Try again; if it stays, tell the operator.")


class SlackUnreachable(SlackRefused):
    """No connection to Slack came about, so it certainly has nothing of the message."""

    def __init__(self) -> None:
        super().__init__("unreachable")
        self.message, self.hint = "Slack could not be reached.", "Try again in a minute."


class SlackDeliveryUnknown(Exception):
    """Slack did not say whether it took a message. It is not sent again, since it may stand there
    already.
    """

    kind = "slack"

    def __init__(self) -> None:
        super().__init__("no word from Slack")
        self.message = "Slack did not say whether it took the answer."
        self.hint = "Look in the channel; if it is not there, ask again."


_SLACK_HINTS = {
    "msg_blocks_too_long": "Ask for a shorter window, or add csv to have it as a file.",
    "invalid_blocks": "Ask for a shorter window, or add csv to have it as a file.",
    "not_in_channel": "Invite me with /invite @Opswatch, and ask again.",
    "channel_not_found": "Invite me with /invite @Opswatch, and ask again.",
    "is_archived": "The channel is archived; ask in another one.",
    "restricted_action": "A workspace setting keeps me from posting there; ask an admin, or ask in another channel.",
    "not_authed": "The operator has to renew the bot's credentials.",
    "token_expired": "The operator has to renew the bot's credentials.",
    "missing_scope": "The operator has to update the app from manifest.yml and reinstall it.",
    "token_revoked": "The operator has to reinstall the app and renew the bot's credentials.",
    "invalid_auth": "The operator has to renew the bot's credentials.",
    "account_inactive": "The operator has to reinstall the app.",
    "ratelimited": "Slack asks us to slow down; try again in a minute.",
}


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing that is wrong in the configuration: the key, the value as it may be shown, and what
    would be right.
    """

    key: str
    value: str
    right: str

    @property
    def told(self) -> str:
        """What is wrong with the key."""
        return f"{self.value}: {self.right}" if self.value else self.right

    def __str__(self) -> str:
        return f"{self.key}{' = ' if self.value else ': '}{self.told}"


class ConfigError(Exception):
    """A configuration that cannot be used, with all its problems."""

    kind = "bad_config"

    def __init__(
        self,
        problems: Sequence[ConfigProblem],
        hint: str = "Compare with bot.example.toml, then run `python -m bot check`.",
    ) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = tuple(problems)
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        self.message = f"The configuration has {count}: {self}"
        self.hint = hint
