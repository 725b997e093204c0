"""Looks in Slack for what may stand there already, since nobody knows whether Slack took it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.store import QueuedPost

EVENT_TYPE = "opswatch_post"
# Clocks that are apart by less say the same; and so long before it was put into the queue nothing
# can stand.
MARGIN = timedelta(minutes=1)
LONG_AGO = timedelta(days=1)


class Posted:
    """Finds posts by their key and files by their name. Its methods raise what the
    client raises.
    """

    def __init__(self, client: AsyncWebClient, clock: Callable[[], datetime]) -> None:
        self._client, self._clock = client, clock

    async def message(self, waiting: QueuedPost, channel: str) -> str:
        """The `ts` of the post in its channel or its thread, or nothing."""
        async for message in self._messages(waiting, channel):
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            if metadata.get("event_type") == EVENT_TYPE and payload.get("key") == waiting.post.key:
                return str(message["ts"])
        return ""

    async def file(self, waiting: QueuedPost, channel: str) -> str:
        """The id of the file, or nothing. It carries no key, so it is looked for by its name, which
        holds its window.
        """
        async for message in self._messages(waiting, channel):
            for file in message.get("files") or []:
                if file.get("name") == waiting.post.text:
                    return str(file["id"])
        return ""

    async def _messages(self, waiting: QueuedPost, channel: str) -> AsyncIterator[dict[str, Any]]:
        """What stands in the thread, or in the channel, since it was put into the queue, by Slack's
        clock.
        """
        since, now = waiting.queued_at - MARGIN, self._clock()
        if since > now:
            # It was queued by a clock that was ahead, nobody knows how far.
            since = now - LONG_AGO
        page = await self._page(waiting, channel, since)
        ahead = self._ahead(page)
        if ahead > MARGIN:
            since -= ahead
            page = await self._page(waiting, channel, since)
        while True:
            for message in page["messages"]:
                yield message
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return
            page = await self._page(waiting, channel, since, cursor)

    async def _page(
        self, waiting: QueuedPost, channel: str, since: datetime, cursor: str = ""
    ) -> Any:
        thread: dict[str, Any] = {"ts": waiting.about_ts} if waiting.about_ts else {}
        pages = self._client.conversations_replies if thread else self._client.conversations_history
        return await pages(
            channel=channel,
            oldest=f"{max(0.0, since.timestamp()):.6f}",
            include_all_metadata=True,
            limit=200,
            cursor=cursor,
            **thread,
        )

    def _ahead(self, page: Any) -> timedelta:
        """By how much our clock is ahead of Slack's. What was queued by such a clock seems to be
        younger than its message.
        """
        try:
            return self._clock() - parsedate_to_datetime(str(page.headers.get("Date")))
        except (ValueError, TypeError, AttributeError):
            return timedelta(0)
