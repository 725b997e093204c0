"""Sends one post of the queue to Slack, and finds one that Slack has already."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from bot.errors import SlackRefused
from bot.slack.canvas_posts import CanvasPosts
from bot.slack.channel_names import ChannelNames
from bot.slack.client import SlackClient
from bot.slack.errors import Cause, cause_of
from bot.slack.posted import EVENT_TYPE, Posted
from bot.store import PostKind, QueuedPost


class PostSender(Struct, frozen=True):
    """Sends messages, replies, edits, files and canvases. Its methods raise what SlackClient
    raises.
    """

    client: SlackClient
    channels: ChannelNames
    posted: Posted
    canvases: CanvasPosts

    async def find(self, queued: QueuedPost) -> str:
        """The `ts` of the message if Slack has it already. An edit is not searched for, because a
        second one changes nothing.
        """
        if queued.post.how is PostKind.EDIT:
            return ""
        channel = await self.channels.id_of(queued.post.channel)
        if queued.post.how is PostKind.FILE:
            return await self.posted.file(queued, channel)
        try:
            return await self.posted.message(queued, channel)
        except SlackRefused as error:
            if not _outlives_thread(queued, error):
                raise
            # The history of the channel has a broadcast, whether it was posted in the thread or not.
            return await self.posted.message(replace(queued, about_ts=""), channel)

    async def send(self, queued: QueuedPost) -> str:
        if queued.post.how is PostKind.FILE:
            return await self._file(queued, await self.channels.id_of(queued.post.channel))
        if queued.post.how is PostKind.CANVAS:
            return await self._canvas(queued, await self.channels.id_of(queued.post.channel))
        channel = await self.channels.address(queued.post.channel)
        send = self._edit if queued.post.how is PostKind.EDIT else self._post
        return await send(queued, channel)

    async def _post(self, queued: QueuedPost, channel: str) -> str:
        """Posts a message of its own, or in the thread of an earlier one if that was posted."""
        post = queued.post
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": post.key}}
        options: dict[str, Any] = {
            "metadata": metadata,
            "unfurl_links": False,
            "or_words": True,
        }
        is_broadcast = post.how is PostKind.BROADCAST
        thread: dict[str, Any] = {}
        if queued.about_ts:
            thread = {"thread_ts": queued.about_ts, "reply_broadcast": is_broadcast}
        try:
            answer = await self.client.post(channel, post.text, post.blocks, **options, **thread)
        except SlackRefused as error:
            if not _outlives_thread(queued, error):
                raise
            answer = await self.client.post(channel, post.text, post.blocks, **options)
        await self.channels.learn(post.channel, str(answer.get("channel") or ""))
        return str(answer["ts"])

    async def _canvas(self, queued: QueuedPost, channel: str) -> str:
        """Brings a canvas up to date; the `ts` of a message where Slack has none for the bot."""
        message = await self.canvases.update(queued, channel)
        if message:
            return await self._post(message, channel)
        # As after a post: a channel that gets this name later is another one.
        await self.channels.learn(queued.post.channel, channel)
        return ""

    async def _edit(self, queued: QueuedPost, channel: str) -> str:
        """Edits the earlier message if it was posted."""
        if queued.about_ts:
            if channel.startswith("#"):
                channel = await self.channels.id_of(channel)
            post = queued.post
            await self.client.update(
                channel, queued.about_ts, post.text, post.blocks, or_words=True
            )
        return queued.about_ts

    async def _file(self, queued: QueuedPost, channel: str) -> str:
        """The id of a file in the thread of the message it is about, or in the channel without
        that message.
        """
        post = queued.post
        thread = {"thread_ts": queued.about_ts} if queued.about_ts else {}
        return await self.client.upload(
            name=post.text,
            length=len(post.content),
            content=post.content,
            alt_text=post.text,
            destination={"channel_id": channel, **thread},
        )


def _outlives_thread(queued: QueuedPost, error: SlackRefused) -> bool:
    """Whether Slack has no such thread any more, and the channel should see the post all the same."""
    return queued.post.how is PostKind.BROADCAST and cause_of(error.code) is Cause.GONE
