"""Which channel is meant: by id, by `#name`, or a person, whose direct messages are meant.

A name that was posted to once is pinned to the channel's id, so that a channel that gets the name
later does not get what was meant for the first one.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from bot.errors import SlackRefused, SlackUnreachable
from bot.store import OutboxStore

if TYPE_CHECKING:
    from bot.slack.client import SlackClient

log = logging.getLogger("opswatch")
# An id as Slack writes it; a name has small letters.
_ID = re.compile(r"[CGD][A-Z0-9]{2,}")
_PERSON = re.compile(r"[UW][A-Z0-9]{2,}")
_KINDS = "public_channel,private_channel"


@dataclass(frozen=True, slots=True)
class Renamed:
    """A pinned channel that has another name now; `other_id` is the channel that has its old name,
    where there is one.
    """

    name: str
    id: str
    new_name: str
    other_id: str


class ChannelNames:
    """Finds channels by what the configuration calls them. Its methods raise what the client
    raises.
    """

    def __init__(
        self, client: SlackClient, posts: OutboxStore, clock: Callable[[], datetime]
    ) -> None:
        self._client, self._posts, self._clock = client, posts, clock
        self._team = ""
        self._pins: dict[str, str] | None = None
        self._listed: dict[str, str] = {}
        self._direct: dict[str, str] = {}

    async def address(self, channel: str) -> str:
        """Where to post: an id, or a name that Slack looks up itself."""
        if _PERSON.fullmatch(channel):
            return await self._direct_messages(channel)
        name = channel_name(channel)
        return (await self._pinned()).get(name, name) if name else channel

    async def id_of(self, channel: str) -> str:
        """The id, by which alone history is read and files are placed; the name where there is no
        such channel.
        """
        address = await self.address(channel)
        if not address.startswith("#"):
            return address
        if address not in self._listed:
            await self._list(address)
        return self._listed.get(address, address)

    async def learn(self, channel: str, channel_id: str) -> None:
        """A post to that channel stands in the channel of this id."""
        name = channel_name(channel)
        pins = await self._pinned() if name else {}
        if name and _ID.fullmatch(channel_id) and name not in pins:
            pins[name] = channel_id
            await self._posts.pin_channel(self._team, name, channel_id, now=self._clock())

    def is_same(self, one: str, other: str) -> bool:
        """Whether two words are known to mean the same channel."""
        return self.known(one) == self.known(other)

    def known(self, channel: str) -> str:
        """Where to post, as far as that is known without asking anybody."""
        name = channel_name(channel)
        return (self._pins or {}).get(name, name) if name else self._direct.get(channel, channel)

    async def renamed(self) -> list[Renamed]:
        """The pinned channels that are not called by their name any more."""
        found = []
        for name, channel_id in (await self._pinned()).items():
            new_name = await self._name_of(channel_id)
            if new_name and new_name != name:
                self._listed.clear()
                await self._list(name)
                other = self._listed.get(name, "")
                found.append(
                    Renamed(name, channel_id, new_name, other if other != channel_id else "")
                )
        return found

    async def _name_of(self, channel_id: str) -> str:
        try:
            answer = await self._client.read("conversations.info", channel=channel_id)
        except SlackUnreachable:
            raise
        except SlackRefused:
            return ""
        name = (answer.get("channel") or {}).get("name")
        return f"#{name}" if name else ""

    async def _pinned(self) -> dict[str, str]:
        """The pins of this workspace; those of another one mean nothing here."""
        if self._pins is None:
            self._team = str((await self._client.read("auth.test")).get("team_id") or "")
            self._pins = await self._posts.pinned_channels(self._team)
        return self._pins

    async def _list(self, wanted: str) -> None:
        """Reads the names of channels until the wanted one is found."""
        pages = self._client.pages(
            "conversations.list", types=_KINDS, exclude_archived=False, limit=1000
        )
        async for page in pages:
            self._listed |= {f"#{found['name']}": str(found["id"]) for found in page["channels"]}
            if wanted in self._listed:
                return

    async def _direct_messages(self, user: str) -> str:
        if user not in self._direct:
            opened = await self._client.read("conversations.open", users=user)
            self._direct[user] = str(opened["channel"]["id"])
        return self._direct[user]


def channel_name(channel: str) -> str:
    """The name with `#`, or nothing where it is an id."""
    if _ID.fullmatch(channel) or _PERSON.fullmatch(channel):
        return ""
    return f"#{channel.removeprefix('#')}"
