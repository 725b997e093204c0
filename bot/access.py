"""Who may ask what, and who sees the answer. Pure: group memberships are handed in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bot.errors import Refused
from bot.question import CommandName

EVERYONE = "*"


@dataclass(frozen=True, slots=True)
class Access:
    """The rules: for each command the ids of users, user groups and channels that may ask; one match suffices."""

    rules: Mapping[str, Collection[str]]
    manage: Collection[str] | None = None

    def groups(self, command: CommandName) -> list[str]:
        """The user groups that a rule names, whose members have to be known to judge it."""
        return [who for who in dict.fromkeys((*self.rules[command], *(self.manage or ()))) if who.startswith("S")]

    def may_ask(self, command: CommandName, *, user: str, channel: str, groups: Collection[str] = ()) -> bool:
        return _is_among(self.rules[command], user, channel, groups)

    def require(self, command: CommandName, *, user: str, channel: str, groups: Collection[str] = ()) -> None:
        """Raises Refused with what to do where this person may not ask this here."""
        if not self.may_ask(command, user=user, channel=channel, groups=groups):
            raise Refused(
                f"You may not ask /{command} here.",
                f"Ask in a channel where it is allowed, or ask the operator to add you to `{command}` under [access] in bot.toml.",
            )

    def may_manage(self, command: CommandName, *, user: str, channel: str, groups: Collection[str] = ()) -> bool:
        """Whether this person may have the question asked on a schedule; without a rule of its own, whoever may ask it may."""
        may_ask = self.may_ask(command, user=user, channel=channel, groups=groups)
        return may_ask and (self.manage is None or _is_among(self.manage, user, channel, groups))

    def require_manage(self, command: CommandName, *, user: str, channel: str, groups: Collection[str] = ()) -> None:
        """Raises Refused where this person may not ask, or may not have the question asked on a schedule."""
        self.require(command, user=user, channel=channel, groups=groups)
        if not self.may_manage(command, user=user, channel=channel, groups=groups):
            raise Refused(
                "You may not manage what is asked on a schedule here.",
                "Ask the operator to add you to `manage` under [access] in bot.toml.",
            )

    def is_public(self, command: CommandName, channel: str) -> bool:
        """True where everybody in the channel may ask, so that the answer may stand in it."""
        return EVERYONE in self.rules[command] or channel in self.rules[command]


def _is_among(allowed: Collection[str], user: str, channel: str, groups: Collection[str]) -> bool:
    """Whether a rule names everyone, this person, this place, or one of the person's groups."""
    return EVERYONE in allowed or user in allowed or channel in allowed or any(group in allowed for group in groups)
