"""Messages to one asker: by response URL, in the channel, and by direct message. If a thread was
deleted, its channel is used instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import Struct

from bot.answer import Block
from bot.blocks.progress_blocks import WORKING_ACTION
from bot.blocks.streams import has_answer, is_headline, is_stream_of
from bot.errors import SlackDeliveryUnknown, SlackRefused, SlackUnreachable
from bot.slack.client import SlackClient
from bot.slack.errors import MESSAGE_GONE, THREAD_GONE
from bot.slack.reply_target import ReplyTarget

T = TypeVar("T")
# The metadata of a progress message, and how many of the latest messages are searched for it.
WORK_EVENT = "opswatch_work"
WORKING = "Working on"
SEARCHED_MESSAGES = 100
# Where no answer waits for the search, and a busy channel has gone on meanwhile.
SEARCHED_FOR_CLEAN_UP = 1000
MOST_CHANNEL_PAGES = 10
# Of 200 messages each.
MOST_THREAD_PAGES = 10
# How long an answer waits, in seconds, until a progress message is found that it may replace.
FIND_WITHIN_S = 2.5


class ShownMessage(Struct, frozen=True):
    """A message that was shown for a question. `is_progress` is None where that is not known."""

    ts: str
    is_progress: bool | None

    @property
    def may_be_progress(self) -> bool:
        return self.is_progress is not False


class SlackMessages:
    """Sends, edits and finds messages for a reply target. Its methods raise what SlackClient
    raises.
    """

    def __init__(self, client: SlackClient) -> None:
        self._client = client

    async def respond(self, target: ReplyTarget, text: str, blocks: Sequence[Block]) -> bool:
        """Sends by response URL; False if Slack certainly did not accept it."""
        try:
            return await self._client.respond(
                target.url,
                text,
                blocks,
                replace_original=target.state.replace_original,
                **_in_thread(target),
            )
        except SlackDeliveryUnknown:
            # A message about this must not replace what Slack may have accepted. Where the message
            # has replaced another one, it can be replaced or deleted like that.
            target.state.url_spent = not target.state.replace_original
            raise

    async def post_ephemeral(self, target: ReplyTarget, text: str, blocks: Sequence[Block]) -> None:
        """Posts in the channel, visible to the asker alone. The bot and the asker must both be in
        it.
        """

        async def send() -> None:
            await self._client.post_ephemeral(
                target.channel, target.user, text, blocks, **_in_thread(target)
            )

        await self._in_thread_or_channel(target, send)

    async def send_dm(self, target: ReplyTarget, text: str, blocks: Sequence[Block]) -> None:
        """Sends a direct message. Raises SlackRefused, for example if the person has left."""
        await self._client.post(await self.open_dm(target.user), text, blocks, **_QUIET)

    async def post(
        self,
        target: ReplyTarget,
        text: str,
        blocks: Sequence[Block],
        client: SlackClient | None = None,
        *,
        key: str = "",
    ) -> str:
        """The `ts` of a message in the channel or its thread, with `key` in its metadata."""
        metadata: dict[str, Any] = {}
        if key:
            metadata["metadata"] = {"event_type": WORK_EVENT, "event_payload": {"key": key}}

        async def send() -> str:
            answer = await (client or self._client).post(
                target.channel, text, blocks, **_QUIET, **metadata, **_in_thread(target)
            )
            return str(answer["ts"])

        return await self._in_thread_or_channel(target, send)

    async def edit(
        self,
        target: ReplyTarget,
        ts: str,
        text: str,
        blocks: Sequence[Block],
        client: SlackClient | None = None,
    ) -> bool:
        """Edits a message; False if it was deleted, or is too old to be edited. Raises
        SlackUnreachable in place of SlackDeliveryUnknown.
        """
        client = client or self._client
        try:
            try:
                await client.update(target.channel, ts, text, blocks)
            except SlackDeliveryUnknown:
                # Editing twice changes nothing.
                await client.update(target.channel, ts, text, blocks)
        except SlackDeliveryUnknown:
            # Nor does it make a difference later whether Slack has acted.
            raise SlackUnreachable from None
        except SlackRefused as error:
            if error.code not in MESSAGE_GONE:
                raise
            return False
        return True

    async def find_work(
        self,
        target: ReplyTarget,
        client: SlackClient | None = None,
        *,
        within_s: float | None = None,
        most: int = SEARCHED_MESSAGES,
    ) -> str:
        """The `ts` of the latest progress message for this question, also of one that is older than
        the answer, among the latest `most` of the channel. Empty where none is found in time.
        """
        client = client or self._client
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIND_WITHIN_S if within_s is None else within_s):
                shown = await self._find(target, client, only_progress=True, most=most)
                return shown.ts if shown else ""
        return ""

    async def find_shown(self, target: ReplyTarget) -> ShownMessage | None:
        """The latest message for this question, its progress or its answer; None where there is
        none.
        """
        return await self._find(target, self._client, only_progress=False)

    async def _find(
        self,
        target: ReplyTarget,
        client: SlackClient,
        *,
        only_progress: bool,
        most: int = SEARCHED_MESSAGES,
    ) -> ShownMessage | None:
        if not target.thread:
            return await self._find_in_channel(target, client, most, only_progress=only_progress)
        pages = client.pages(
            "conversations.replies",
            channel=target.channel,
            ts=target.thread,
            limit=200,
            include_all_metadata=True,
            most=MOST_THREAD_PAGES,
        )
        latest: ShownMessage | None = None
        # A thread begins with its oldest message, a channel with its newest.
        async for page in pages:
            messages = reversed(page["messages"])
            latest = _shown_in(messages, target, only_progress=only_progress) or latest
        return latest

    async def _find_in_channel(
        self, target: ReplyTarget, client: SlackClient, most: int, *, only_progress: bool
    ) -> ShownMessage | None:
        """The latest message for this question among the latest `most` of the channel."""
        left = most
        # Slack may return fewer messages than it was asked for, and has more all the same.
        async for page in client.pages(
            "conversations.history",
            channel=target.channel,
            limit=SEARCHED_MESSAGES,
            include_all_metadata=True,
            most=MOST_CHANNEL_PAGES,
        ):
            if shown := _shown_in(page["messages"], target, only_progress=only_progress):
                return shown
            left -= len(page["messages"])
            if left <= 0:
                return None
        return None

    async def shown_at(self, target: ReplyTarget, ts: str) -> ShownMessage:
        """What a progress message shows now; where that cannot be read, it is not known."""
        try:
            page = await self._client.read(
                "conversations.replies", channel=target.channel, ts=ts, limit=SEARCHED_MESSAGES
            )
        except SlackRefused:
            return ShownMessage(ts, is_progress=None)
        shown = next((m for m in page["messages"] if m.get("ts") == ts), None)
        if shown is None:
            return ShownMessage(ts, is_progress=None)
        return ShownMessage(ts, is_progress=_is_progress(shown, work_key(target.delivery)))

    async def thread(self, channel: str, ts: str, *, own_ids: Collection[str]) -> list[list[Block]]:
        """The blocks of our own messages in a thread, the oldest first."""
        found: list[list[Block]] = []
        pages = self._client.pages(
            "conversations.replies", channel=channel, ts=ts, limit=200, most=MOST_THREAD_PAGES
        )
        async for page in pages:
            found += [
                message.get("blocks") or []
                for message in page["messages"]
                if is_ours(message, own_ids)
            ]
        return found

    async def open_dm(self, user: str) -> str:
        """The channel of a person's direct messages with the bot."""
        opened = await self._client.read("conversations.open", users=user)
        return str(opened["channel"]["id"])

    async def _in_thread_or_channel(
        self, target: ReplyTarget, send: Callable[[], Awaitable[T]]
    ) -> T:
        """The result of `send`, in the channel if the thread was deleted."""
        try:
            return await send()
        except SlackRefused as error:
            if error.code not in THREAD_GONE or not target.thread:
                raise
            target.state.thread_gone = True
            return await send()


_QUIET = {"unfurl_links": False, "unfurl_media": False}


def work_key(delivery: str) -> str:
    """The key by which a progress message is found again; it reveals nothing about the delivery."""
    return hashlib.sha256(delivery.encode()).hexdigest()[:20]


def _shown_in(
    messages: Iterable[Mapping[str, Any]], target: ReplyTarget, *, only_progress: bool
) -> ShownMessage | None:
    """The first of the messages that is for the question of the target."""
    wanted = work_key(target.delivery)
    for message in messages:
        metadata = message.get("metadata") or {}
        key = (metadata.get("event_payload") or {}).get("key")
        is_work = metadata.get("event_type") == WORK_EVENT and key == wanted
        # The answer that replaced a progress message may still have its metadata; a stream has
        # none while it lasts.
        if is_work or is_stream_of(message.get("blocks") or [], wanted):
            is_progress = _is_progress(message, wanted)
            if is_progress or not only_progress:
                return ShownMessage(str(message["ts"]), is_progress=is_progress)
    return None


def _is_progress(message: Mapping[str, Any], key: str) -> bool:
    """Whether a message still streams, or shows no answer yet."""
    if message.get("streaming_state") == "in_progress":
        return True
    blocks = message.get("blocks") or []
    # The answer stands below Cancel until it has replaced the steps.
    if has_answer(blocks, key):
        return False
    is_work = str(message.get("text") or "").startswith(WORKING) or _can_be_cancelled(blocks)
    return is_work or is_headline(blocks, key)


def is_ours(message: Mapping[str, Any], own_ids: Collection[str]) -> bool:
    """Whether this app posted the message, by `user`, `bot_id` or `app_id`. A message of anybody
    else holds no question of ours, whatever its buttons say.
    """
    return any(message.get(name) in own_ids for name in ("user", "bot_id", "app_id"))


def _can_be_cancelled(blocks: Sequence[Block]) -> bool:
    rows = (block.get("elements") or [] for block in blocks)
    return any(button.get("action_id") == WORKING_ACTION for row in rows for button in row)


def _in_thread(target: ReplyTarget) -> dict[str, Any]:
    return {"thread_ts": target.thread} if target.thread else {}
