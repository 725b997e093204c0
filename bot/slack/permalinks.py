"""Links to messages that the bot has posted."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable

from bot.errors import SlackRefused
from bot.slack.client import SlackClient
from bot.store import OutboxStore

MOST_KEPT = 1000


class Permalinks:
    """Finds the links of posts by their keys. A link never changes, so each is asked for once."""

    def __init__(
        self, client: SlackClient, posts: OutboxStore, channel_id: Callable[[str], Awaitable[str]]
    ) -> None:
        self._client = client
        self._posts = posts
        self._channel_id = channel_id
        self._known: dict[str, str] = {}

    async def of_post(self, key: str) -> str:
        """The link to a message; empty where it is not posted, or Slack gives none."""
        if key not in self._known and (address := await self._posts.address_of(key)):
            with contextlib.suppress(SlackRefused):
                await self._look_up(key, *address)
        return self._known.get(key, "")

    async def _look_up(self, key: str, channel: str, ts: str) -> None:
        found = await self._client.read(
            "chat.getPermalink", channel=await self._channel_id(channel), message_ts=ts
        )
        if len(self._known) >= MOST_KEPT:
            # The oldest, as a dict keeps its order.
            self._known.pop(next(iter(self._known)))
        self._known[key] = str(found.get("permalink") or "")
