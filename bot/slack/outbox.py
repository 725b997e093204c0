"""Sends what nobody waits for: each message once, in order, however often the bot or Slack breaks
off in between.

A message carries its key as metadata. Where Slack did not say whether it took one, or the bot died
while it was sending, the channel's history is read before anything is sent again. A channel that
takes nothing keeps its queue; a single message or file that Slack does not take is set aside and
tried again later, and what waits behind it goes on. Pages: "Message metadata", "Rate limits".
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import formatting
from bot.blocks import messages
from bot.slack.block_fallback import BlockFallback
from bot.slack.channel_names import ChannelNames
from bot.slack.client import BEFORE_CALL, SlackClient, paced, retry_after_s
from bot.slack.delivery import UNSURE, to_fallback_text
from bot.slack.errors import BLOCKS, Cause, cause_of, error_code, help_for, is_channels_own
from bot.slack.pace import MESSAGE_EVERY_S, Priority, SlackPace
from bot.slack.posted import EVENT_TYPE, Posted
from bot.slack.uploads import UploadRefused, upload
from bot.store import LONGEST_DELAY, OutboxStore, Post, PostKind, QueuedPost, StoreUnavailable

log = logging.getLogger("opswatch")
OLD_AFTER = timedelta(minutes=5)
AGAIN_AFTER = timedelta(hours=1)
# How often something is tried without a word from Slack before it is set aside; and from then on it
# takes a while.
FILE_TRIES, MESSAGE_TRIES = 3, 10
# What Slack has not taken in a week and that many attempts it never will.
GIVE_UP_AFTER, GIVE_UP_TRIES = timedelta(days=7), 25
# A queue that nobody has looked at for so long does not move.
STALLED_AFTER_S = 120.0


@dataclass(frozen=True, slots=True)
class OutboxTimings:
    """How long to wait, in seconds: between two messages in a channel, whoever sends them; before a
    look at the queue; after a failure; until something that somebody has to mend is tried again;
    and before the names of channels are checked again.
    """

    per_channel: float = MESSAGE_EVERY_S
    look: float = 1.0
    retry: float = 2.0
    mend: float = 300.0
    names: float = 3600.0


class ClaimLost(Exception):
    """This process was paused for so long that another one has taken over a post."""


class Outbox:
    """Brings the posts of the store to Slack. `client` must not repeat a post by itself unless
    Slack said 429.
    """

    def __init__(
        self,
        posts: OutboxStore,
        client: AsyncWebClient,
        clock: Callable[[], datetime],
        ops_channel: str = "",
        pace: OutboxTimings = OutboxTimings(),
        block_fallback: BlockFallback | None = None,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        if isinstance(client, SlackClient) and client.pace is None:
            client = paced(client, SlackPace(pace.per_channel), Priority.MESSAGE)
        self._session = session
        self._block_fallback = block_fallback or BlockFallback(client)
        self._posts, self._client, self._clock = posts, client, clock
        self._ops_channel, self._pace = ops_channel, pace
        self._channels, self._posted = ChannelNames(client, posts, clock), Posted(client, clock)
        self._busy: set[str] = set()
        self._more = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._told_old = False
        self._distressed_at: float | None = None
        self._app_refused = ""
        self._stuck_since: datetime | None = None
        self._sent_at = time.monotonic()
        self._looked_at: float | None = None
        self._names_checked_at = time.monotonic()

    def wake(self) -> None:
        """There may be something new to post."""
        self._more.set()

    def trouble(self) -> str:
        """What keeps every message from being sent, in one sentence; empty where all is well. A
        channel that takes nothing is told in the ops channel and is no reason to call the bot
        broken.
        """
        still_for = time.monotonic() - self._looked_at if self._looked_at else 0.0
        if still_for > STALLED_AFTER_S:
            return (
                "Messages have not been sent for "
                f"{formatting.format_duration(timedelta(seconds=round(still_for)))}."
            )
        if self._app_refused:
            return f"Slack does not let me post ({self._app_refused}).{help_for(self._app_refused)}"
        if self._stuck_since:
            return (
                "Messages have been waiting to be posted since "
                f"{self._stuck_since:%Y-%m-%d %H:%M} UTC, and Slack takes none."
            )
        return ""

    async def run(self) -> None:
        """Posts what there is, until cancelled; one post a channel at a time."""
        while True:
            try:
                await self._post_what_there_is()
            except StoreUnavailable as error:
                log.error("The database cannot be used (%s); what there is to post is kept.", error)
                await self.report_database_failure(str(error))
            except Exception:
                log.exception("The queue of messages could not be looked at; trying again.")
            self._more.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pace.look):
                    await self._more.wait()

    async def _post_what_there_is(self) -> None:
        while waiting := await self._posts.claim_post(now=self._clock(), busy=[*self._busy]):
            self._busy.add(waiting.lane)
            self._start(self._deliver(waiting))
        await self._alert_on_backlog()
        self._looked_at = time.monotonic()
        if self._looked_at - self._names_checked_at > self._pace.names:
            self._names_checked_at = self._looked_at
            self._start(self._check_names())

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def report_database_failure(self, trouble: str) -> None:
        """Tells in the ops channel, without the database, that the database cannot be used; once an
        hour, and at most once.
        """
        now = time.monotonic()
        if not self._ops_channel or (
            self._distressed_at and now - self._distressed_at < AGAIN_AFTER.total_seconds()
        ):
            return
        self._distressed_at = now
        text = (
            f"My database cannot be used ({trouble}). Nothing is lost: what is due and what is to "
            "be told waits until it can."
        )
        try:
            channel = self._channels.known(self._ops_channel)
            await self._client.chat_postMessage(
                channel=channel, text=to_fallback_text(text), blocks=messages.note_blocks(text)
            )
        except (SlackApiError, *UNSURE) as error:
            log.error("That could not be told in the ops channel either: %s", type(error).__name__)

    async def tell_operator(self, key: str, text: str) -> None:
        """Tells something in the ops channel, once for each key."""
        await self._tell_ops(key, text, about="")
        self.wake()

    async def finish(self, *, within_s: float) -> None:
        """What is being posted gets a while to end; what does not is looked for in Slack by the
        next process.
        """
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=within_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    # One post

    async def _deliver(self, waiting: QueuedPost) -> None:
        async def require_claim() -> None:
            if not await self._posts.holds(waiting):
                raise ClaimLost

        BEFORE_CALL.set(require_claim)
        try:
            await self._post_once(waiting)
        except ClaimLost:
            log.warning("Another process has taken over a post for %s.", waiting.post.channel)
        except Exception as error:
            log.exception("A post could not be brought to Slack.")
            with contextlib.suppress(StoreUnavailable):
                # Where that cannot be written down either, it stays claimed and is looked for
                # before it is sent again.
                await self._try_again(waiting, type(error).__name__, tries=FILE_TRIES)
        finally:
            self._busy.discard(waiting.lane)
            self._more.set()

    async def _post_once(self, waiting: QueuedPost) -> None:
        may_stand = waiting.claimed_at is not None
        try:
            ts = await self._find(waiting) if may_stand else ""
            may_stand = False
            ts = ts or await self._send(waiting)
        except UploadRefused as error:
            await self._try_again(waiting, f"HTTP {error.status}", tries=FILE_TRIES)
        except UNSURE:
            tries = FILE_TRIES if waiting.post.how is PostKind.FILE else MESSAGE_TRIES
            await self._try_again(waiting, "no word from Slack", tries=tries)
        except SlackApiError as error:
            await self._refused(waiting, error, may_stand=may_stand)
        else:
            self._app_refused = ""
            self._sent_at = time.monotonic()
            await self._posts.sent(waiting, ts=ts, now=self._clock())

    async def _find(self, waiting: QueuedPost) -> str:
        """Where it stands already, or nothing. An edit need not be looked for: doing it twice
        changes nothing.
        """
        if waiting.post.how is PostKind.EDIT:
            return ""
        channel = await self._channels.id_of(waiting.post.channel)
        if waiting.post.how is PostKind.FILE:
            return await self._posted.file(waiting, channel)
        return await self._posted.message(waiting, channel)

    async def _send(self, waiting: QueuedPost) -> str:
        if waiting.post.how is PostKind.FILE:
            return await self._file(waiting, await self._channels.id_of(waiting.post.channel))
        channel = await self._channels.address(waiting.post.channel)
        send = self._edit if waiting.post.how is PostKind.EDIT else self._post
        return await send(waiting, channel)

    async def _post(self, waiting: QueuedPost, channel: str) -> str:
        """A message of its own, or in the thread of the one it is about where that stands."""
        post = waiting.post
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": post.key}}
        told: dict[str, Any] = {"channel": channel, "metadata": metadata, "unfurl_links": False}
        thread = (
            {"thread_ts": waiting.about_ts, "reply_broadcast": post.how is PostKind.BROADCAST}
            if waiting.about_ts
            else {}
        )
        try:
            answer = await self._told(self._client.chat_postMessage, post, told | thread)
        except SlackApiError as error:
            # What is to be seen in the channel is seen there, also where somebody has deleted the
            # message it is about.
            if post.how is not PostKind.BROADCAST or cause_of(error) is not Cause.GONE:
                raise
            answer = await self._told(self._client.chat_postMessage, post, told)
        await self._channels.learn(post.channel, str(answer.get("channel") or ""))
        return str(answer["ts"])

    async def _edit(self, waiting: QueuedPost, channel: str) -> str:
        """The message it is about, told anew. One that does not stand cannot be."""
        if waiting.about_ts:
            if channel.startswith("#"):
                channel = await self._channels.id_of(channel)
            told = {"channel": channel, "ts": waiting.about_ts}
            await self._told(self._client.chat_update, waiting.post, told)
        return waiting.about_ts

    async def _file(self, waiting: QueuedPost, channel: str) -> str:
        """A file in the thread of the message it is about, its id. Without that message it goes
        into the channel.
        """
        post, session = waiting.post, self._session
        assert session is not None, "who has no session is given no files"
        place = {"channel_id": channel} | (
            {"thread_ts": waiting.about_ts} if waiting.about_ts else {}
        )
        return await upload(
            self._client,
            session,
            name=post.text,
            length=len(post.content),
            content=post.content,
            about=post.text,
            place=place,
        )

    async def _told(self, send: Any, post: Post, told: dict[str, Any]) -> Any:
        """What Slack says to the post, in blocks that it takes, and where it takes none, in words
        alone.
        """
        try:
            return await self._block_fallback.send(
                lambda blocks: send(**told, text=to_fallback_text(post.text), blocks=list(blocks)),
                post.blocks,
                post.text,
            )
        except SlackApiError as error:
            if error_code(error) not in BLOCKS:
                raise
            log.warning(
                "Slack refused every kind of blocks (%s); sending words.", error_code(error)
            )
        return await send(**told, text=to_fallback_text(post.text))

    # What Slack did not take

    async def _refused(self, waiting: QueuedPost, error: SlackApiError, *, may_stand: bool) -> None:
        code, cause, post = error_code(error), cause_of(error), waiting.post
        if (wait_s := retry_after_s(error)) is not None:
            await self._later(waiting, wait_s, "ratelimited", may_stand=may_stand)
        elif cause is Cause.UNSURE:
            await self._try_again(
                waiting, code, tries=FILE_TRIES if post.how is PostKind.FILE else MESSAGE_TRIES
            )
        elif post.about and cause is Cause.GONE:
            # Somebody has deleted the message it is about, or it can be edited no more; what waits
            # behind it is told all the same.
            log.warning("What was to be said about an earlier message is left out (%s).", code)
            await self._posts.drop(waiting, trouble=code)
        elif may_stand and code == "missing_scope":
            # History cannot be read, so that nobody knows whether this one stands; others can be
            # posted.
            await self._set_aside(waiting, code, may_stand=True)
        elif post.how is PostKind.FILE or cause in (Cause.CONTENT, Cause.GONE):
            await self._not_taken(waiting, code, cause, may_stand=may_stand)
        else:
            await self._channel_refused(waiting, code, cause, may_stand=may_stand)

    async def _not_taken(
        self, waiting: QueuedPost, code: str, cause: Cause, *, may_stand: bool
    ) -> None:
        """Slack takes this one not, and may take others. An edit is left out, since its reply says
        the same.
        """
        if waiting.post.how is PostKind.EDIT:
            log.warning("A message could not be told anew (%s).", code)
            await self._posts.drop(waiting, trouble=code)
            return
        if cause is Cause.CHANNEL:
            await self._tell_stuck(waiting.post.channel, code)
        await self._set_aside(waiting, code, may_stand=may_stand, is_told=cause is Cause.CHANNEL)

    async def _channel_refused(
        self, waiting: QueuedPost, code: str, cause: Cause, *, may_stand: bool
    ) -> None:
        """Nothing of the channel can be posted; its queue is kept in order until somebody has
        mended that.
        """
        log.error("Slack does not take a post for %s (%s); it is kept.", waiting.post.channel, code)
        await self._later(waiting, self._pace.mend, code, may_stand=may_stand)
        if cause is Cause.APP:
            self._app_refused = code
        else:
            await self._tell_stuck(waiting.post.channel, code)

    async def _try_again(self, waiting: QueuedPost, trouble: str, *, tries: int) -> None:
        """Nobody knows whether Slack took it. What fails again and again while Slack works is set
        aside.
        """
        if waiting.attempts + 1 >= tries and await self._slack_works():
            await self._set_aside(waiting, trouble, may_stand=True)
            return
        wait_s = self._pace.retry * min(2**waiting.attempts, 15)
        await self._later(waiting, wait_s, trouble, may_stand=True)

    async def _set_aside(
        self, waiting: QueuedPost, trouble: str, *, may_stand: bool, is_told: bool = False
    ) -> None:
        """It is tried again later and later, and told once; what waits behind it goes on."""
        age = self._clock() - waiting.queued_at
        if waiting.attempts >= GIVE_UP_TRIES and age > GIVE_UP_AFTER:
            log.error(
                "A post for %s is given up after %s attempts (%s).",
                waiting.post.channel,
                waiting.attempts,
                trouble,
            )
            await self._posts.drop(waiting, trouble=trouble)
            return
        wait_s = self._pace.mend
        if waiting.set_aside:
            # Up to six hours after some tries, of which the first came quickly one after the other.
            wait_s = min(wait_s * 2 ** min(waiting.attempts, 7), LONGEST_DELAY.total_seconds())
        await self._later(waiting, wait_s, trouble, may_stand=may_stand, aside=True)
        log.error(
            "A post for %s is set aside for %.0f s (%s).", waiting.post.channel, wait_s, trouble
        )
        if not is_told:
            await self._tell_aside(waiting, trouble)

    async def _later(
        self,
        waiting: QueuedPost,
        wait_s: float,
        trouble: str,
        *,
        may_stand: bool = False,
        aside: bool = False,
    ) -> None:
        until = self._clock() + timedelta(seconds=wait_s)
        await self._posts.reschedule(
            waiting, until=until, trouble=trouble, may_stand=may_stand, aside=aside
        )

    async def _slack_works(self) -> bool:
        """Whether Slack answers at all, so that it is this one post that it does not take."""
        try:
            await self._client.auth_test()
        except (SlackApiError, *UNSURE):
            return False
        return True

    # What operators are told

    async def _tell_stuck(self, channel: str, code: str) -> None:
        invite = help_for(code) if code in ("not_in_channel", "channel_not_found") else ""
        await self._tell_ops(
            f"stuck:{channel}:{code}:{self._clock():%Y-%m-%d}",
            (
                f"I cannot post in {channel} ({code}). What there is to say is kept, and comes "
                f"once that is mended.{invite}"
            ),
            about=channel,
        )

    async def _tell_aside(self, waiting: QueuedPost, trouble: str) -> None:
        post = waiting.post
        what = f"The file {post.text}" if post.how is PostKind.FILE else "A message"
        key = f"aside:{post.channel}:{post.how is PostKind.FILE}:{trouble}:{waiting.queued_at:%Y-%m-%d}"
        text = (
            f"{what} for {post.channel} could not be sent ({trouble}).{help_for(trouble)} "
            "It is set aside and tried again later; what comes after it does not wait."
        )
        await self._tell_ops(key, text)

    async def _alert_on_backlog(self) -> None:
        """The bot's own dead-man's switch: what waits for longer than five minutes is told, once
        until the queue has emptied.
        """
        since = await self._posts.oldest_waiting()
        is_old = since is not None and self._clock() - since > OLD_AFTER
        self._stuck_since = await self._stuck() if is_old else None
        if is_old and not self._told_old:
            assert since is not None
            log.error("Messages have been waiting to be posted since %s.", since)
            await self._tell_ops(f"old:{since.isoformat()}", await self._backlog_text(since))
        self._told_old = is_old

    async def _stuck(self) -> datetime | None:
        """Since when messages wait that no channel refuses; nothing where others were sent
        meanwhile, so that the queue is only long.
        """
        if time.monotonic() - self._sent_at < OLD_AFTER.total_seconds():
            return None
        return min(
            (
                queue.since
                for queue in await self._posts.backlog()
                if not is_channels_own(queue.trouble)
            ),
            default=None,
        )

    async def _backlog_text(self, since: datetime) -> str:
        """What waits for which channels, for how long, and why."""
        waiting_for = formatting.format_duration(self._clock() - since)
        queues = [
            (
                f"{formatting.pluralise(queue.count, 'message')} for "
                f"{queue.channel}{f' ({queue.trouble})' if queue.trouble else ''}"
            )
            for queue in await self._posts.backlog()
        ]
        return (
            f"Messages have been waiting to be posted since {since:%Y-%m-%d %H:%M} UTC, for "
            f"{waiting_for}: {formatting.join_words(queues[:10])}. "
            "They are kept, and come in their order."
        )

    async def _tell_ops(self, key: str, text: str, *, about: str = "") -> None:
        """A post in the ops channel, unless that is the one that takes nothing."""
        if not self._ops_channel:
            return
        if about and self._channels.is_same(self._ops_channel, about):
            log.error(
                "The ops channel %s takes no posts, so that this cannot be told there: %s",
                about,
                text,
            )
            return
        await self._posts.enqueue(operator_post(self._ops_channel, key, text), now=self._clock())

    async def _check_names(self) -> None:
        """Channels that were given by name and are called something else by now are told, for
        people look for a name.
        """
        try:
            for renamed in await self._channels.renamed():
                other = (
                    f" {renamed.name} is another channel now; if that is meant, write its id "
                    f"{renamed.other_id} in bot.toml."
                )
                text = (
                    f"The channel that I know as {renamed.name} is called {renamed.new_name} "
                    "now, and I go on posting there."
                ) + (other if renamed.other_id else "")
                await self._tell_ops(
                    f"renamed:{renamed.id}:{renamed.name}:{renamed.new_name}:{renamed.other_id}",
                    text,
                )
        except (SlackApiError, StoreUnavailable, *UNSURE) as error:
            log.warning("The names of channels could not be checked: %s", type(error).__name__)


def operator_post(channel: str, key: str, text: str) -> Post:
    """Something that the bot tells of its own troubles."""
    note = messages.note(text)
    return Post(f"ops:{key}", channel, note.text, note.blocks)
