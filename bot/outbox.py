"""The only one who posts when nobody is waiting: each message once, in order, however often the bot or Slack breaks off in between.

A message carries its key as metadata. Where Slack did not say whether it took one, or the bot died while it was sending, the channel's
history is read before anything is sent again. Pages: "Message metadata", "Rate limits".
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks import talk
from bot.delivery import NOT_HERE, UNSURE, outward, reason_of
from bot.plainer import Plainer
from bot.slack_client import SlackClient, paced
from bot.slack_pace import MESSAGE_EVERY_S, Priority, SlackPace
from bot.socket_mode import HOPELESS
from bot.store.posts import How, Post, Posts, Waiting
from bot.uploads import UploadRefused, upload

log = logging.getLogger("opswatch")
EVENT_TYPE = "opswatch_post"
OLD_AFTER = timedelta(minutes=5)
AGAIN_AFTER = timedelta(hours=1)
# What somebody can mend, so that a post is worth keeping.
MENDABLE = frozenset({*NOT_HERE, *HOPELESS})
GONE = frozenset(
    {"message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed", "cannot_reply_to_message"}
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait, in seconds: between two messages in a channel, whoever sends them; before a look at the queue; after a failure;
    and until something that somebody has to mend is tried again."""

    per_channel: float = MESSAGE_EVERY_S
    look: float = 1.0
    retry: float = 2.0
    mend: float = 300.0


class Outbox:
    """Brings the posts of the store to Slack. `client` must not repeat a post by itself."""

    def __init__(
        self,
        posts: Posts,
        client: AsyncWebClient,
        clock: Callable[[], datetime],
        ops_channel: str = "",
        pace: Pace = Pace(),
        plainer: Plainer | None = None,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        self._session = session
        self._plainer = plainer or Plainer(client)
        if isinstance(client, SlackClient) and client.pace is None:
            client = paced(client, SlackPace(pace.per_channel), Priority.MESSAGE)
        self._posts, self._client, self._clock = posts, client, clock
        self._ops_channel, self._pace = ops_channel, pace
        self._busy: set[str] = set()
        self._ids: dict[str, str] = {}
        self._more = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._told_old = False
        self._distressed_at: datetime | None = None

    def wake(self) -> None:
        """There may be something new to post."""
        self._more.set()

    async def run(self) -> None:
        """Posts what there is, until cancelled; one post a channel at a time."""
        while True:
            try:
                await self._post_what_there_is()
            except sqlite3.Error as error:
                log.error("The database cannot be used (%s); what there is to post is kept.", error)
                await self.distress(str(error))
            self._more.clear()
            try:
                await asyncio.wait_for(self._more.wait(), self._pace.look)
            except TimeoutError:
                continue

    async def _post_what_there_is(self) -> None:
        while waiting := await self._posts.claim_post(now=self._clock(), busy=[*self._busy]):
            self._busy.add(waiting.post.channel)
            task = asyncio.create_task(self._deliver(waiting))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        await self._tell_what_is_old()

    async def distress(self, trouble: str) -> None:
        """Tells in the ops channel, without the database, that the database cannot be used; once an hour, and at most once."""
        now = self._clock()
        if not self._ops_channel or (self._distressed_at and now - self._distressed_at < AGAIN_AFTER):
            return
        self._distressed_at = now
        text = f"My database cannot be used ({trouble}). Nothing is lost: what is due and what is to be told waits until it can."
        try:
            await self._client.chat_postMessage(channel=self._ops_channel, text=outward(text), blocks=talk.note_blocks(text))
        except (SlackApiError, *UNSURE) as error:
            log.error("That could not be told in the ops channel either: %s", type(error).__name__)

    async def finish(self, *, within_s: float) -> None:
        """What is being posted gets a while to end; what does not is looked for in Slack by the next process."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=within_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _deliver(self, waiting: Waiting) -> None:
        try:
            await self._post_once(waiting)
        except Exception as error:
            log.error("A post could not be brought to Slack: %s", type(error).__name__)
            with contextlib.suppress(sqlite3.Error):
                # Where that cannot be written down either, it stays claimed and is looked for before it is sent again.
                await self._later(waiting, self._pace.retry, type(error).__name__, may_stand=True)
        finally:
            self._busy.discard(waiting.post.channel)
            self._more.set()

    async def _post_once(self, waiting: Waiting) -> None:
        try:
            channel = await self._id_of(waiting.post.channel)
            if waiting.post.how is How.EDIT:
                ts = await self._edit(waiting, channel)
            elif waiting.post.how is How.FILE:
                ts = await self._file(waiting, channel)
            else:
                ts = await self._standing(waiting, channel) if waiting.claimed_at else ""
                ts = ts or await self._post(waiting, channel)
        except (*UNSURE, UploadRefused):
            await self._later(waiting, self._pace.retry, "no word from Slack", may_stand=True)
        except SlackApiError as error:
            await self._refused(waiting, error)
        else:
            await self._posts.sent(waiting, ts=ts)

    async def _post(self, waiting: Waiting, channel: str) -> str:
        """A message of its own, or in the thread of the one it is about where that stands."""
        post = waiting.post
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": post.key}}
        told: dict[str, Any] = {"channel": channel, "metadata": metadata, "unfurl_links": False}
        if waiting.about_ts:
            told |= {"thread_ts": waiting.about_ts, "reply_broadcast": post.how is How.BROADCAST}
        return str((await self._told(self._client.chat_postMessage, post, told))["ts"])

    async def _edit(self, waiting: Waiting, channel: str) -> str:
        """The message it is about, told anew; doing it twice changes nothing. One that does not stand cannot be."""
        if waiting.about_ts:
            told = {"channel": channel, "ts": waiting.about_ts}
            await self._told(self._client.chat_update, waiting.post, told)
        return waiting.about_ts

    async def _file(self, waiting: Waiting, channel: str) -> str:
        """A file in the thread of the message it is about, its id. It carries no metadata, so it is looked for by its name, which holds
        its window. Without that message it goes into the channel."""
        post, session = waiting.post, self._session
        if waiting.claimed_at and waiting.about_ts and (found := await self._named(post.text, channel, waiting.about_ts)):
            return found
        assert session is not None, "who has no session is given no files"
        place = {"channel_id": channel} | ({"thread_ts": waiting.about_ts} if waiting.about_ts else {})
        return await upload(
            self._client, session, name=post.text, length=len(post.content), content=post.content, about=post.text, place=place
        )

    async def _named(self, name: str, channel: str, thread: str) -> str:
        """The id of the file of that name that stands in a thread, or nothing."""
        cursor = ""
        while True:
            page = await self._client.conversations_replies(channel=channel, ts=thread, limit=200, cursor=cursor)
            for message in page["messages"]:
                for file in message.get("files") or []:
                    if file.get("name") == name:
                        return str(file["id"])
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return ""

    async def _told(self, send: Any, post: Post, told: dict[str, Any]) -> Any:
        """What Slack says to the post, in blocks that it takes."""
        return await self._plainer.send(
            lambda blocks: send(**told, text=outward(post.text), blocks=list(blocks)), post.blocks, post.text
        )

    async def _standing(self, waiting: Waiting, channel: str) -> str:
        """The `ts` of the post where it stands in the channel or in its thread already, or nothing."""
        cursor = ""
        thread: dict[str, Any] = {"ts": waiting.about_ts} if waiting.about_ts else {}
        pages = self._client.conversations_replies if thread else self._client.conversations_history
        while True:
            page = await pages(
                channel=channel,
                oldest=f"{waiting.queued_at.timestamp() - 60:.6f}",
                include_all_metadata=True,
                limit=200,
                cursor=cursor,
                **thread,
            )
            for message in page["messages"]:
                metadata = message.get("metadata") or {}
                if metadata.get("event_type") == EVENT_TYPE and metadata.get("event_payload", {}).get("key") == waiting.post.key:
                    return str(message["ts"])
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return ""

    async def _refused(self, waiting: Waiting, error: SlackApiError) -> None:
        code = reason_of(error)
        if error.response.status_code == 429 or code == "ratelimited":
            wait_s = float(error.response.headers.get("Retry-After") or 30)
            await self._later(waiting, wait_s, "ratelimited")
        elif error.response.status_code >= 500:
            await self._later(waiting, self._pace.retry, code, may_stand=True)
        elif (waiting.post.about and code in GONE) or (waiting.post.how is How.EDIT and code not in MENDABLE):
            # Somebody has deleted the message it is about, or it can be edited no more; what waits behind it is told all the same.
            log.warning("What was to be said about an earlier message is left out (%s).", code)
            await self._posts.drop(waiting, trouble=code)
        else:
            self._ids.pop(waiting.post.channel, None)
            log.error("Slack does not take a post for %s (%s); it is kept.", waiting.post.channel, code)
            await self._later(waiting, self._pace.mend, code)
            await self._tell_ops(
                f"stuck:{waiting.post.channel}:{code}:{self._clock():%Y-%m-%d}",
                f"I cannot post in {waiting.post.channel} ({code}). What there is to say is kept, and comes once that is mended."
                + (" Invite me with /invite @Opswatch." if code in ("not_in_channel", "channel_not_found") else ""),
                about=waiting.post.channel,
            )

    async def _later(self, waiting: Waiting, wait_s: float, trouble: str, *, may_stand: bool = False) -> None:
        until = self._clock() + timedelta(seconds=wait_s)
        await self._posts.put_back(waiting, until=until, trouble=trouble, may_stand=may_stand)

    async def _tell_what_is_old(self) -> None:
        """The bot's own dead-man's switch: what waits for longer than five minutes is told, once until the queue has emptied."""
        since = await self._posts.oldest_waiting()
        is_old = since is not None and self._clock() - since > OLD_AFTER
        if is_old and not self._told_old:
            assert since is not None
            log.error("Messages have been waiting to be posted since %s.", since)
            text = f"Messages have been waiting to be posted since {since:%Y-%m-%d %H:%M} UTC. They are kept, and come in their order."
            await self._tell_ops(f"old:{since.isoformat()}", text, about="")
        self._told_old = is_old

    async def _tell_ops(self, key: str, text: str, *, about: str) -> None:
        if self._ops_channel and self._ops_channel != about:
            await self._posts.enqueue(ops_post(self._ops_channel, key, text), now=self._clock())

    async def _id_of(self, channel: str) -> str:
        """A channel's id. History is read by id alone, and names are typed in the configuration."""
        if not channel.startswith("#"):
            return channel
        if channel not in self._ids:
            cursor, kinds = "", "public_channel,private_channel"
            while True:
                page = await self._client.conversations_list(types=kinds, exclude_archived=False, limit=1000, cursor=cursor)
                self._ids |= {f"#{found['name']}": str(found["id"]) for found in page["channels"]}
                cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
                if channel in self._ids or not cursor:
                    break
        return self._ids.get(channel, channel)


def ops_post(channel: str, key: str, text: str) -> Post:
    """Something that the bot tells of its own troubles."""
    return Post(f"ops:{key}", channel, text, talk.note_blocks(text))
