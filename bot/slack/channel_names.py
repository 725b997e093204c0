"""Resolves what the configuration calls a channel: an id, a `#name`, or a person for direct messages.

After the first post a name is pinned to the channel's id, so that messages do not go to another
channel that is given the name later.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from bot.errors import SlackDeliveryUnknown, SlackRefused, SlackUnreachable
from bot.store import OutboxStore

if TYPE_CHECKING:
    from bot.slack.client import SlackClient

log = logging.getLogger("opswatch")
# Ids are upper case; names are lower case.
_ID = re.compile(r"[CGD][A-Z0-9]{2,}")
_PERSON = re.compile(r"[UW][A-Z0-9]{2,}")
_KINDS = "public_channel,private_channel"


class Renamed(Struct, frozen=True):
    """A pinned channel that was renamed. `other_id` is the channel that now has its old name; empty if
    there is none.
    """

    name: str
    id: str
    new_name: str
    other_id: str


class ChannelNames:
    """Finds channels by their configured names. Its methods raise what the client raises."""

    def __init__(
        self, client: SlackClient, posts: OutboxStore, clock: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._posts = posts
        self._clock = clock
        self._team = ""
        self._pins: dict[str, str] | None = None
        self._listed: dict[str, str] = {}
        self._direct: dict[str, str] = {}

    async def address(self, channel: str) -> str:
        """The channel argument for posting: an id, or a name that Slack resolves itself."""
        if _PERSON.fullmatch(channel):
            return await self._direct_messages(channel)
        name = channel_name(channel)
        return (await self._pinned()).get(name, name) if name else channel

    async def id_of(self, channel: str) -> str:
        """The channel's id, which reading history and uploading files need; the name if no channel
        has it.
        """
        address = await self.address(channel)
        if not address.startswith("#"):
            return address
        if address not in self._listed:
            await self._list(address)
        return self._listed.get(address, address)

    async def learn(self, channel: str, channel_id: str) -> None:
        """Pins the name to the id that Slack returned for a post."""
        name = channel_name(channel)
        pins = await self._pinned() if name else {}
        # The first post decides; a later channel of that name is another one.
        if name and _ID.fullmatch(channel_id) and name not in pins:
            pins[name] = channel_id
            await self._posts.pin_channel(self._team, name, channel_id, now=self._clock())

    def is_same(self, one: str, other: str) -> bool:
        """Whether both are known to be the same channel."""
        return self._known_id(one) == self._known_id(other)

    def _known_id(self, channel: str) -> str:
        """The id as far as it is known without a request; else the channel as it was given."""
        known = self.known(channel)
        return self._listed.get(known, known)

    async def look_up(self, names: Iterable[str]) -> None:
        """Learns the ids of channels, so that `is_same` knows them. One that Slack does not tell is
        looked up when it is needed.
        """
        for name in names:
            try:
                await self.id_of(name)
            except (SlackRefused, SlackDeliveryUnknown) as error:
                log.warning("The ID of %s could not be looked up: %s", name, error)

    def known(self, channel: str) -> str:
        """The channel argument for posting, without a request: the pinned id, else the name."""
        name = channel_name(channel)
        return (self._pins or {}).get(name, name) if name else self._direct.get(channel, channel)

    async def renamed(self) -> list[Renamed]:
        """The pinned channels that were renamed."""
        found = []
        for name, channel_id in (await self._pinned()).items():
            new_name = await self._name_of(channel_id)
            if new_name and new_name != name:
                # Names that were listed earlier may have changed.
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
        # Otherwise every channel would look as if it had not been renamed.
        except SlackUnreachable:
            raise
        except SlackRefused:
            return ""
        name = (answer.get("channel") or {}).get("name")
        return f"#{name}" if name else ""

    async def _pinned(self) -> dict[str, str]:
        """The pins of this workspace. After a move to another workspace the old ones do not apply."""
        if self._pins is None:
            self._team = str((await self._client.read("auth.test")).get("team_id") or "")
            self._pins = await self._posts.pinned_channels(self._team)
        return self._pins

    async def _list(self, wanted: str) -> None:
        """Lists channels until the wanted name is found."""
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
    """The name with `#`; empty for an id."""
    if _ID.fullmatch(channel) or _PERSON.fullmatch(channel):
        return ""
    return f"#{channel.removeprefix('#')}"
