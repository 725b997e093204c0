"""Searches Slack for posts that it may have accepted without confirming them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from bot.slack.client import SlackAnswer, SlackClient
from bot.store import QueuedPost

EVENT_TYPE = "opswatch_post"
# Clocks may differ by this much. No post was sent longer than LONG_AGO before it was queued.
MARGIN = timedelta(minutes=1)
LONG_AGO = timedelta(days=1)


class Posted:
    """Finds posts by their key and files by their name. Its methods raise what the
    client raises.
    """

    def __init__(self, client: SlackClient, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._clock = clock

    async def message(self, waiting: QueuedPost, channel: str) -> str:
        """The `ts` of the post in its channel or its thread; empty if it is not there."""
        async for message in self._messages(waiting, channel):
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            if metadata.get("event_type") == EVENT_TYPE and payload.get("key") == waiting.post.key:
                return str(message["ts"])
        return ""

    async def file(self, waiting: QueuedPost, channel: str) -> str:
        """The id of the file; empty if it is not there. A file carries no key, so it is found by
        its name, which contains its window.
        """
        async for message in self._messages(waiting, channel):
            for file in message.get("files") or []:
                if file.get("name") == waiting.post.text:
                    return str(file["id"])
        return ""

    async def _messages(self, waiting: QueuedPost, channel: str) -> AsyncIterator[dict[str, Any]]:
        """The messages in the thread or the channel since the post was queued, by Slack's clock."""
        since = waiting.queued_at - MARGIN
        now = self._clock()
        if since > now:
            # It was queued by a clock that was ahead by an unknown time.
            since = now - LONG_AGO
        pages = self._pages(waiting, channel, since)
        page = await anext(pages)
        # Only the first answer tells how Slack's clock differs.
        if (ahead := self._ahead(page)) > MARGIN:
            pages = self._pages(waiting, channel, since - ahead)
            page = await anext(pages)
        for message in page["messages"]:
            yield message
        async for page in pages:
            for message in page["messages"]:
                yield message

    def _pages(
        self, waiting: QueuedPost, channel: str, since: datetime
    ) -> AsyncIterator[SlackAnswer]:
        thread: dict[str, Any] = {"ts": waiting.about_ts} if waiting.about_ts else {}
        return self._client.pages(
            "conversations.replies" if thread else "conversations.history",
            channel=channel,
            oldest=f"{max(0.0, since.timestamp()):.6f}",
            include_all_metadata=True,
            limit=200,
            **thread,
        )

    def _ahead(self, page: SlackAnswer) -> timedelta:
        """How far our clock is ahead of Slack's. A post queued by such a clock seems to be younger
        than its message.
        """
        try:
            return self._clock() - parsedate_to_datetime(page.date)
        except (ValueError, TypeError):
            return timedelta(0)
