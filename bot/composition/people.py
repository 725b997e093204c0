"""People as Slack knows them, for programs beside the bot that answer or act in the name of one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from msgspec import Struct
from msgspec.structs import replace

from bot.access import Membership
from bot.composition.from_settings import build_access_policy, workspace_ids
from bot.config import Settings, SlackTokens
from bot.errors import AccessDenied, SlackDeliveryUnknown, SlackRefused
from bot.slack.channels import SlackChannels
from bot.slack.client import SlackClient, slack_client
from bot.slack.users import LOOKUP_TIMEOUT_S, OLDEST_LIST_S, SlackUserDirectory
from handlers.permissions import Permissions, Requester
from providers.clock import Clock, utc_now
from providers.http.connections import open_session


class SlackUnknown(AccessDenied):
    """Slack has not answered who a person is, so that nothing is done in their name."""

    may_retry = True

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"Slack cannot be asked who that person is ({reason}), so nothing is done in their name.",
            "Try again in a minute.",
        )


class SlackPeople(Struct, frozen=True):
    """The access rules, applied to people as Slack knows them now."""

    permissions: Permissions
    directory: SlackUserDirectory
    client: SlackClient

    async def requester(self, user: str, channel: str) -> Requester:
        """The person with their groups. Raises AccessDenied for somebody who has left, and where that
        is unknown.
        """
        asker = await self.permissions.requester(user, channel)
        if asker.membership is Membership.UNKNOWN:
            raise SlackUnknown("users.info")
        if asker.membership is Membership.GONE:
            raise AccessDenied(
                "That person is deactivated or unknown in Slack, so nothing is done in their name.",
                "Name an active member of the workspace with --user.",
            )
        return asker


@asynccontextmanager
async def open_people(
    settings: Settings, tokens: SlackTokens, clock: Clock = utc_now
) -> AsyncIterator[SlackPeople]:
    """People as Slack knows them now. Raises SlackUnknown where it cannot be asked."""
    async with open_session(settings.network) as session:
        client = slack_client(
            tokens.bot.open(), tokens.api_url, session, team_id=settings.slack.team_id
        )
        directory = SlackUserDirectory(client, settings.timezone, clock)
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT_S):
                auth = await client.read("auth.test")
        except (SlackRefused, SlackDeliveryUnknown, TimeoutError) as error:
            raise SlackUnknown(str(error) or "no answer") from None
        directory.workspace = workspace_ids(settings, auth)
        access = build_access_policy(settings.access)
        yield SlackPeople(Permissions(access, directory, SlackChannels(client)), directory, client)


class LastRequester(Struct):
    """A person as Slack knew them last. Where it cannot be asked, that counts for an hour, as members
    of groups do in the bot.
    """

    known: Requester | None = None
    learned_at: float = 0.0

    def learn(self, requester: Requester, unknown: Collection[str] = ()) -> Requester:
        """The person, who stays in the groups whose members are `unknown` now."""
        if unknown:
            before = self.recent()
            kept = [each for each in before.groups if each in unknown] if before else []
            return replace(requester, groups=[*requester.groups, *kept])
        self.known = requester
        self.learned_at = time.monotonic()
        return requester

    def recent(self) -> Requester | None:
        """The person; None if that was longer ago."""
        return self.known if time.monotonic() - self.learned_at < OLDEST_LIST_S else None
