"""What can go wrong between the bot and a target."""

from __future__ import annotations

from bot.errors import OpswatchError


class TargetError(OpswatchError):
    """A target that did not take an event. `code` says why in a few words, without a secret."""

    kind = "unavailable"
    exit_code = 3

    def __init__(self, code: str, hint: str = "") -> None:
        super().__init__(code, hint)
        self.code = code


class TargetRefused(TargetError):
    """The target does not take this event, however often it is sent."""


class TargetUnavailable(TargetError):
    """The target may take the event later, and may have taken it already: each event can be sent
    twice. `retry_after_s` is what it asks for.
    """

    may_retry = True

    def __init__(self, code: str, hint: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(code, hint)
        self.retry_after_s = retry_after_s
