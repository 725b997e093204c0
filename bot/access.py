"""Who may ask what, and who sees the answer. Pure: group memberships are handed in."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bot.errors import AccessDenied
from bot.questions.question import AccountDirectory, CommandName
from bot.questions.registry import COMMANDS

EVERYONE = "*"


class Membership(enum.Enum):
    """How a person belongs to the workspace: a person of another one is met in shared channels, and
    may ask only where they, or the channel, are named; a person who was deactivated may ask
    nothing.
    """

    MEMBER = "member"
    EXTERNAL = "external"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """The rules: for each command the ids of users, user groups and channels that may ask; one
    match suffices.
    """

    rules: Mapping[str, Collection[str]]
    manage: Collection[str] | None = None

    def groups(self, *commands: CommandName) -> list[str]:
        """The user groups that the rules of these commands name, whose members have to be known to
        judge them.
        """
        named = [who for command in commands for who in self.rules[command]]
        return [who for who in dict.fromkeys((*named, *(self.manage or ()))) if who.startswith("S")]

    def may_ask(
        self,
        command: CommandName,
        *,
        user: str,
        channel: str,
        groups: Collection[str] = (),
        membership: Membership = Membership.MEMBER,
    ) -> bool:
        return _is_among(self.rules[command], user, channel, groups, membership)

    def require(
        self,
        command: CommandName,
        *,
        user: str,
        channel: str,
        groups: Collection[str] = (),
        membership: Membership = Membership.MEMBER,
    ) -> None:
        """Raises AccessDenied with what to do where this person may not ask this here."""
        if not self.may_ask(
            command, user=user, channel=channel, groups=groups, membership=membership
        ):
            raise AccessDenied(
                f"You may not ask /{command} here.",
                (
                    "Ask in a channel where it is allowed, or ask the operator to add you to "
                    f"`{command}` under [access] in bot.toml."
                ),
            )

    def is_manager(
        self,
        *,
        user: str,
        channel: str,
        groups: Collection[str] = (),
        membership: Membership = Membership.MEMBER,
    ) -> bool:
        """Whether `manage` is set and names this person."""
        return self.manage is not None and _is_among(self.manage, user, channel, groups, membership)

    def may_manage(
        self,
        command: CommandName,
        *,
        user: str,
        channel: str,
        groups: Collection[str] = (),
        membership: Membership = Membership.MEMBER,
    ) -> bool:
        """Whether this person may have the question asked on a schedule; without a rule of its own,
        whoever may ask it may.
        """
        may_ask = self.may_ask(
            command, user=user, channel=channel, groups=groups, membership=membership
        )
        return may_ask and (
            self.manage is None or _is_among(self.manage, user, channel, groups, membership)
        )

    def require_manage(
        self,
        command: CommandName,
        *,
        user: str,
        channel: str,
        groups: Collection[str] = (),
        membership: Membership = Membership.MEMBER,
    ) -> None:
        """Raises AccessDenied where this person may not ask, or may not have the question asked on
        a schedule.
        """
        self.require(command, user=user, channel=channel, groups=groups, membership=membership)
        if not self.may_manage(
            command, user=user, channel=channel, groups=groups, membership=membership
        ):
            raise AccessDenied(
                "You may not manage what is asked on a schedule here.",
                "Ask the operator to add you to `manage` under [access] in bot.toml.",
            )

    def is_public(self, command: CommandName, channel: str) -> bool:
        """True where everybody in the channel may ask, so that the answer may stand in it."""
        return EVERYONE in self.rules[command] or self.names_channel(command, channel)

    def names_channel(self, command: CommandName, channel: str) -> bool:
        """Whether the channel itself is granted, with everybody in it, guests from another
        workspace included.
        """
        return channel in self.rules[command]


def visible_directory(
    directory: AccountDirectory, commands: Collection[CommandName]
) -> AccountDirectory:
    """The names that somebody who may ask these commands may read: the accounts of each, and the
    logs where one of the commands asks for logs by name.
    """
    kinds = {kind for name in commands for kind in COMMANDS[name].kinds}
    names_logs = any(COMMANDS[name].names_logs for name in commands)
    accounts = {name: kind for name, kind in directory.accounts.items() if kind in kinds}
    return AccountDirectory(accounts, directory.logs if names_logs else {})


def _is_among(
    allowed: Collection[str],
    user: str,
    channel: str,
    groups: Collection[str],
    membership: Membership = Membership.MEMBER,
) -> bool:
    """Whether a rule names everyone, this person, this place, or one of the person's groups. Empty
    ids match nothing.
    """
    if membership is Membership.GONE:
        return False
    if EVERYONE in allowed and membership is Membership.MEMBER:
        return True
    return bool({user, channel, *groups} - {"", EVERYONE} & set(allowed))
