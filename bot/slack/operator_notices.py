"""Notices of the outbox in the ops channel: a channel that refuses messages, a message set aside, a
backlog, a renamed channel, a database that cannot be used.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from bot import formatting
from bot.blocks import messages
from bot.errors import SlackDeliveryUnknown, SlackRefused
from bot.notifications.event import target_of
from bot.slack.channel_names import ChannelNames, Renamed
from bot.slack.client import SlackClient
from bot.slack.errors import help_for
from bot.store import Backlog, OutboxStore, Post, PostKind, QueuedPost, StoreUnavailable

log = logging.getLogger("opswatch")
# How often at most a database that cannot be used is reported.
AGAIN_AFTER = timedelta(hours=1)


def operator_post(channel: str, key: str, text: str) -> Post:
    """A message to the operator about the bot itself."""
    note = messages.note(text)
    return Post(f"ops:{key}", channel, note.text, note.blocks)


class OperatorNotices:
    """Queues each notice once, unless the ops channel itself refuses messages."""

    def __init__(
        self,
        posts: OutboxStore,
        client: SlackClient,
        channels: ChannelNames,
        clock: Callable[[], datetime],
        ops_channel: str,
    ) -> None:
        self._posts = posts
        self._client = client
        self._channels = channels
        self._clock = clock
        self._ops_channel = ops_channel
        self._database_reported_at: float | None = None

    async def send(self, key: str, text: str, *, about: str = "") -> None:
        """Queues a notice; one about the ops channel itself is only logged."""
        if not self._ops_channel:
            return
        if about and self._channels.is_same(self._ops_channel, about):
            log.error(
                "The ops channel %s accepts no messages, so this cannot be reported there: %s",
                about,
                text,
            )
            return
        await self._posts.enqueue(operator_post(self._ops_channel, key, text), now=self._clock())

    async def channel_refused(self, channel: str, code: str) -> None:
        invite = help_for(code) if code in ("not_in_channel", "channel_not_found") else ""
        text = (
            f"Opswatch cannot post in {channel} ({code}). Messages are kept, and posted once "
            f"this is fixed.{invite}"
        )
        key = f"stuck:{channel}:{code}:{self._clock():%Y-%m-%d}"
        await self.send(key, text, about=channel)

    async def set_aside(self, queued: QueuedPost, code: str, *, hint: str = "") -> None:
        post = queued.post
        is_file = post.how is PostKind.FILE
        what = f"A {'canvas' if post.how is PostKind.CANVAS else 'message'} for {post.channel}"
        if is_file:
            what = f"The file {post.text} for {post.channel}"
        if target := target_of(post.channel):
            what = f"A notification to the target {target}"
        advice = f" {hint}" if hint else help_for(code)
        text = (
            f"{what} could not be sent ({code}).{advice} "
            "It is set aside and tried again later; what comes after it does not wait."
        )
        key = f"aside:{post.channel}:{is_file}:{code}:{queued.queued_at:%Y-%m-%d}"
        await self.send(key, text)

    async def backlog(self, since: datetime) -> None:
        """Reports what waits for which channels, for how long, and why."""
        queues = [_queue_text(queue) for queue in await self._posts.backlog()]
        text = (
            f"Messages have been waiting to be posted since {since:%Y-%m-%d %H:%M} UTC, for "
            f"{formatting.format_duration(self._clock() - since)}: "
            f"{formatting.join_words(queues[:10])}. They are kept, and posted in order."
        )
        await self.send(f"old:{since.isoformat()}", text)

    async def renamed_channels(self) -> None:
        """Reports configured channels that were renamed, because people look for them by name."""
        try:
            for renamed in await self._channels.renamed():
                key = f"renamed:{renamed.id}:{renamed.name}:{renamed.new_name}:{renamed.other_id}"
                await self.send(key, _renamed_text(renamed))
        except (SlackRefused, SlackDeliveryUnknown, StoreUnavailable) as error:
            log.warning("The names of channels could not be checked: %s", error)

    async def database_failure(self, reason: str) -> None:
        """Reports, without the database, that it cannot be used; once an hour."""
        now = time.monotonic()
        last = self._database_reported_at
        if not self._ops_channel or (last and now - last < AGAIN_AFTER.total_seconds()):
            return
        self._database_reported_at = now
        text = (
            f"The bot's database cannot be used ({reason}). Nothing is lost: checks, digests and "
            "messages wait until it can."
        )
        try:
            channel = self._channels.known(self._ops_channel)
            await self._client.post(channel, text, messages.note_blocks(text))
        except (SlackRefused, SlackDeliveryUnknown) as error:
            log.error("That could not be reported in the ops channel either: %s", error)


def _queue_text(queue: Backlog) -> str:
    """How much waits for a channel or a target, and why."""
    why = f" ({queue.problem})" if queue.problem else ""
    if target := target_of(queue.channel):
        return f"{formatting.pluralise(queue.count, 'event')} for the target {target}{why}"
    return f"{formatting.pluralise(queue.count, 'message')} for {queue.channel}{why}"


def _renamed_text(renamed: Renamed) -> str:
    text = f"The channel {renamed.name} is now called {renamed.new_name}, and messages are still posted there."
    if not renamed.other_id:
        return text
    return (
        f"{text} {renamed.name} is another channel now; if that is meant, write its ID "
        f"{renamed.other_id} in bot.toml."
    )
