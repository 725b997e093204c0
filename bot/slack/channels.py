"""Channels as Slack knows them: whether the bot is in one, who may see it, and whether it is shared
with another organization.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from bot.errors import SlackDeliveryUnknown, SlackRefused

if TYPE_CHECKING:
    from bot.slack.client import SlackClient

KEPT_S = 300.0
LOOKUP_TIMEOUT_S = 5.0
# A private channel with more members than these pages hold is not read to its end.
MOST_PAGES = 10
FAILURES = (SlackRefused, SlackDeliveryUnknown, TimeoutError, KeyError, TypeError)
NOT_THERE = frozenset({"channel_not_found", "not_in_channel", "is_archived"})
# Refusals of Slack after which nothing can be posted in the channel now.
CLOSED_NOW = NOT_THERE | {"unreachable"}


class Channels(Protocol):
    """Where the bot is, and which channels a person may know of."""

    async def is_bot_in(self, channel: str) -> bool | None:
        """Whether the bot can post in the channel; None where Slack does not say."""
        ...

    async def is_open_to(self, user: str, channel: str) -> bool:
        """Whether the person may know what happens in the channel: it is public, or they are in it."""
        ...

    async def is_closed_to(self, user: str, channel: str) -> bool:
        """Whether the channel is private now, and the person is not in it. False if Slack does not
        answer.
        """
        ...

    async def is_shared(
        self, channel: str, *, harmless: Collection[str] = frozenset()
    ) -> bool | None:
        """Whether people from another organisation are in the channel; None if Slack has never
        answered. False if it has refused with one of the `harmless` codes.
        """
        ...


class SlackChannels:
    """Channels from `conversations.info` and `conversations.members`."""

    def __init__(self, client: SlackClient) -> None:
        self._client = client
        self._open: dict[tuple[str, str], tuple[float, bool]] = {}
        self._public: dict[str, float] = {}
        self._shared: dict[str, tuple[float, bool]] = {}

    async def is_bot_in(self, channel: str) -> bool | None:
        """Whether the bot can post in the channel; None where Slack does not say."""
        try:
            found = await self._info(channel)
        except SlackRefused as error:
            return False if error.code in NOT_THERE else None
        except FAILURES:
            return None
        if found.get("is_archived"):
            return False
        # Direct messages with the bot have no list of members.
        return True if found.get("is_im") else bool(found.get("is_member", True))

    async def is_open_to(self, user: str, channel: str) -> bool:
        """Whether the channel is public, or the person is in it. False if Slack does not answer."""
        # A name that was never posted to has no known id, and so no known members.
        if channel.startswith("#"):
            return False
        if time.monotonic() - self._public.get(channel, float("-inf")) < KEPT_S:
            return True
        known = self._open.get((user, channel))
        if known and time.monotonic() - known[0] < KEPT_S:
            return known[1]
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT_S):
                found = await self._ask_open(user, channel)
        except FAILURES:
            return False
        self._open[user, channel] = (time.monotonic(), found)
        return found

    async def is_closed_to(self, user: str, channel: str) -> bool:
        """As the protocol says. Slack is asked each time: who has left is not to be shown what
        happens there for another five minutes.
        """
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT_S):
                return not await self._ask_open(user, channel)
        except FAILURES:
            return False

    async def is_shared(
        self, channel: str, *, harmless: Collection[str] = frozenset()
    ) -> bool | None:
        """As the protocol says (Slack Connect). If Slack does not answer, its last answer is used."""
        if channel.startswith("D"):
            return False
        at, known = self._shared.get(channel, (float("-inf"), None))
        if time.monotonic() - at < KEPT_S:
            return known
        try:
            found = bool((await self._info(channel)).get("is_ext_shared"))
        except SlackRefused as error:
            return False if known is None and error.code in harmless else known
        except FAILURES:
            return known
        self._shared[channel] = (time.monotonic(), found)
        return found

    async def _ask_open(self, user: str, channel: str) -> bool:
        found = await self._info(channel)
        if found.get("is_im"):
            return found.get("user") == user
        if not (found.get("is_private") or found.get("is_mpim")):
            self._public[channel] = time.monotonic()
            return True
        pages = self._client.pages(
            "conversations.members", channel=channel, limit=1000, most=MOST_PAGES
        )
        async for page in pages:
            if user in page["members"]:
                return True
        return False

    async def _info(self, channel: str) -> Mapping[str, Any]:
        async with asyncio.timeout(LOOKUP_TIMEOUT_S):
            answer = await self._client.read("conversations.info", channel=channel)
        found: Mapping[str, Any] = answer["channel"]
        return found
