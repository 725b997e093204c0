"""Who has access to which commands, and who sees the answer (pure)."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping

from msgspec import Struct

from bot.errors import AccessDenied
from bot.questions.question import AccountDirectory, CommandName
from bot.questions.registry import COMMANDS

EVERYONE = "*"


class Membership(enum.Enum):
    """How a person belongs to the workspace. People of other workspaces, in shared channels, have
    access only where the rules name them or the channel, and so have those of whom Slack does not
    say it; deactivated people have none.
    """

    MEMBER = "member"
    EXTERNAL = "external"
    GONE = "gone"
    UNKNOWN = "unknown"


class AccessPolicy(Struct, frozen=True):
    """The rules: for each command the ids of users, user groups and channels with access, and for
    managing alerts and having them notify people, where these are set. One match suffices.
    """

    rules: Mapping[str, Collection[str]]
    manage: Collection[str] | None = None
    notify: Collection[str] | None = None

    def groups(self, *commands: CommandName) -> list[str]:
        """The user groups in the rules of these commands, whose members have to be looked up."""
        named = [who for command in commands for who in self.rules[command]]
        # Needed for every command: whoever asks may also press a button that manages.
        named += [*(self.manage or ()), *(self.notify or ())]
        return [who for who in dict.fromkeys(named) if who.startswith("S")]

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
        """Raises AccessDenied if this person has no access to the command here."""
        if not self.may_ask(
            command, user=user, channel=channel, groups=groups, membership=membership
        ):
            if membership is Membership.UNKNOWN and EVERYONE in self.rules[command]:
                raise AccessDenied(
                    f"Slack does not say whether you belong to this workspace, so /{command} is "
                    "not answered.",
                    "Try again in a minute; if that does not help, the operator finds the reason with "
                    "`opswatch check`.",
                )
            raise AccessDenied(
                f"You don't have access to /{command} here.",
                (
                    "Use a channel that has access, or ask the operator to add you to "
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
        """Whether this person may create and change alerts and subscriptions of the command; without
        `manage`, everybody with access may.
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
        """Raises AccessDenied if this person has no access to the command, or to its alerts and
        subscriptions.
        """
        self.require(command, user=user, channel=channel, groups=groups, membership=membership)
        if not self.may_manage(
            command, user=user, channel=channel, groups=groups, membership=membership
        ):
            raise AccessDenied(
                "You don't have access to manage alerts and subscriptions here.",
                "Ask the operator to add you to `manage` under [access] in bot.toml.",
            )

    def may_notify(
        self,
        *,
        user: str,
        channel: str,
        groups: Collection[str] = (),
        membership: Membership = Membership.MEMBER,
    ) -> bool:
        """Whether alerts of this person may call somebody; without `notify`, everybody's may."""
        return self.notify is None or _is_among(self.notify, user, channel, groups, membership)

    def require_notify(
        self,
        *,
        user: str,
        channel: str,
        groups: Collection[str] = (),
        membership: Membership = Membership.MEMBER,
    ) -> None:
        """Raises AccessDenied where `may_notify` is false."""
        if not self.may_notify(user=user, channel=channel, groups=groups, membership=membership):
            raise AccessDenied(
                "You don't have access to alerts that notify people or targets here.",
                "Ask the operator to add you to `notify` under [access] in bot.toml.",
            )

    def is_public(self, command: CommandName, channel: str) -> bool:
        """Whether everybody in the channel has access, so that answers are posted there."""
        return EVERYONE in self.rules[command] or self.names_channel(command, channel)

    def names_channel(self, command: CommandName, channel: str) -> bool:
        """Whether the channel itself is granted, with everybody in it, guests from another
        workspace included.
        """
        return channel in self.rules[command]


def visible_directory(
    directory: AccountDirectory, commands: Collection[CommandName]
) -> AccountDirectory:
    """The names visible to people with access to these commands: the accounts of each, and the logs
    if one of the commands names logs.
    """
    # A name may tell what an account is for, so it is shown only to those who may ask it.
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
    """Whether a rule names everyone, this person, the channel, or one of the person's groups. Empty
    ids match nothing.
    """
    # First, whatever else the rules say.
    if membership is Membership.GONE:
        return False
    # In a shared channel (Slack Connect) `*` would give access to another organization.
    if EVERYONE in allowed and membership is Membership.MEMBER:
        return True
    return bool({user, channel, *groups} - {"", EVERYONE} & set(allowed))
