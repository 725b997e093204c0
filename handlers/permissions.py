"""What a person may see, change and end, by the access rules and by who created it. Checked at the
time of each action.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from bot.access import AccessPolicy, Membership, visible_directory
from bot.errors import AccessDenied
from bot.questions.question import AccountDirectory, CommandName
from bot.questions.registry import COMMANDS
from bot.slack.channels import Channels
from bot.slack.private_reasons import MAYBE_SHARED_CHANNEL, SHARED_CHANNEL
from bot.slack.users import RIGHTS_KEPT_S, UserDirectory


class Requester(Struct, frozen=True):
    """The person of a request, the channel, and what the access rules need to know about them."""

    user: str
    channel: str
    groups: Sequence[str] = ()
    membership: Membership = Membership.MEMBER

    @property
    def rights(self) -> dict[str, Any]:
        return {
            "user": self.user,
            "channel": self.channel,
            "groups": self.groups,
            "membership": self.membership,
        }

    @property
    def is_in_direct_message(self) -> bool:
        return self.channel.startswith("D")

    def elsewhere(self) -> Requester:
        """The same person without the access that the channel gives them."""
        return replace(self, channel="")


class Owned(Struct, frozen=True):
    """An alert or a subscription: the command of its question, its channel, and who created it.
    Those of the configuration have no creator.
    """

    command: CommandName
    channel: str
    creator: str = ""


class Permissions(Struct, frozen=True):
    """The access rules, applied to people and to what they have created."""

    access: AccessPolicy
    people: UserDirectory
    channels: Channels

    async def requester(self, user: str, channel: str, *commands: CommandName) -> Requester:
        """The person with their groups, as far as these commands need them; all commands if none is
        given.
        """
        # Only the groups that the rules name, since each costs a request to Slack.
        groups = await self.people.groups_of(user, self.access.groups(*(commands or COMMANDS)))
        return Requester(user, channel, groups, await self.people.membership(user))

    def allowed(self, requester: Requester) -> list[CommandName]:
        """The commands that the person has access to here."""
        return [command for command in COMMANDS if self.access.may_ask(command, **requester.rights)]

    def directory(self, directory: AccountDirectory, requester: Requester) -> AccountDirectory:
        """The names of accounts and logs that may be shown to the person."""
        return visible_directory(directory, self.allowed(requester))

    async def private_reason(
        self, command: CommandName, channel: str, *, harmless: Collection[str] = frozenset()
    ) -> str:
        """Why an answer is not for everybody in a channel where everybody has access: `*` does not
        include people of other workspaces who are there, too. Empty if it is. What is not posted
        while Slack refuses with one of the `harmless` codes need not wait for its answer.
        """
        access = self.access
        if not access.is_public(command, channel) or access.names_channel(command, channel):
            return ""
        is_shared = await self.channels.is_shared(channel, harmless=harmless)
        if is_shared is None:
            return MAYBE_SHARED_CHANNEL
        return SHARED_CHANNEL if is_shared else ""

    async def may_see(self, owned: Owned, requester: Requester) -> bool:
        """Whether the person may see it: their own, or one whose question they have access to in its
        channel. Access through one channel does not extend to another, and nothing in a channel
        that is closed to them is shown.
        """
        found = sees(self.access, owned, requester)
        if found is None:
            return await self.channels.is_open_to(requester.user, owned.channel)
        return found

    async def may_end(self, owned: Owned, requester: Requester) -> bool:
        """Whether the person may end it: always its creator and whoever `manage` names; without
        `manage`, everybody who may see it.
        """
        if owned.creator and owned.creator == requester.user:
            return True
        if self.access.manage is not None:
            return self.access.is_manager(**requester.rights)
        return await self.may_see(owned, requester)

    async def creator_is_allowed(self, owned: Owned) -> bool | None:
        """Whether its creator still has access; None if that is unknown, because Slack does not
        return the members of a group. Those of the configuration are always allowed.
        """
        if not owned.creator:
            return True
        creator = await self._creator(owned)
        if self.access.may_manage(owned.command, **creator.rights):
            return True
        return None if self._is_unknown(creator, owned) else False

    async def may_still_ask(self, command: CommandName, user: str, channel: str) -> bool:
        """Whether the person has access now, long after they asked. Where that is unknown they have:
        it was allowed when they asked.
        """
        asked = Owned(command, channel, user)
        asker = await self._creator(asked)
        return self.access.may_ask(command, **asker.rights) or self._is_unknown(asker, asked)

    async def creator_may_notify(self, owned: Owned) -> bool:
        """Whether its creator's alerts may call somebody now. Where that is unknown they may: it was
        allowed when the alert was saved.
        """
        if not owned.creator or self.access.notify is None:
            return True
        creator = await self._creator(owned)
        return self.access.may_notify(**creator.rights) or self._is_unknown(creator, owned)

    async def _creator(self, owned: Owned) -> Requester:
        groups = self.access.groups(owned.command)
        member_of = await self.people.groups_of(owned.creator, groups)
        membership = await self.people.membership(owned.creator, kept_s=RIGHTS_KEPT_S)
        if membership is Membership.UNKNOWN:
            # They belonged to the workspace when they made it, and a Slack that does not answer must
            # not stop alerts.
            membership = Membership.MEMBER
        return Requester(owned.creator, owned.channel, member_of, membership)

    def _is_unknown(self, creator: Requester, owned: Owned) -> bool:
        """Whether a user group that could give access has unknown members."""
        groups = self.access.groups(owned.command)
        # A deactivated person has no access, whatever their groups are.
        return creator.membership is not Membership.GONE and bool(
            self.people.unknown_groups(groups)
        )


def sees(access: AccessPolicy, owned: Owned, requester: Requester) -> bool | None:
    """As `Permissions.may_see`; None where that depends on whether its channel is open to the
    person.
    """
    if owned.creator and owned.creator == requester.user:
        return True
    # What the configuration makes is no secret to those who may ask the same.
    if not owned.creator or owned.channel == requester.channel:
        return access.may_ask(owned.command, **requester.rights)
    return None if access.may_ask(owned.command, **requester.elsewhere().rights) else False


def not_a_manager() -> AccessDenied:
    return AccessDenied(
        "You don't have access to manage alerts and subscriptions here.",
        (
            "Ask whoever created it, or ask the operator to add you to `manage` under [access] in "
            "bot.toml."
        ),
    )
