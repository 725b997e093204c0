"""Sends messages that nobody waits for: each once, in order, even if the bot or Slack stops in
between.

A message carries its key as metadata. If Slack did not confirm one, or the bot stopped while it was
sending, the channel's history is searched before anything is sent again. A channel that accepts
nothing keeps its queue. A single message or file that Slack refuses is set aside and tried again
later, and later messages continue. Pages: "Message metadata", "Rate limits".
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from bot import formatting
from bot.errors import SlackDeliveryUnknown, SlackRefused, SlackUnreachable
from bot.notifications.event import target_of
from bot.slack.canvas_posts import CanvasPosts, CanvasUpdater, NoCanvases
from bot.slack.channel_names import ChannelNames
from bot.slack.errors import Cause, cause_of, help_for, is_channels_own
from bot.slack.event_posts import EventPosts, EventSender, NoTargets
from bot.slack.operator_notices import OperatorNotices
from bot.slack.operator_notices import operator_post as operator_post
from bot.slack.pace import MESSAGE_EVERY_S
from bot.slack.post_sender import PostSender
from bot.slack.posted import Posted
from bot.slack.requeue import Requeue
from bot.slack.web import BEFORE_CALL
from bot.store import OutboxStore, PostKind, QueuedPost, StoreUnavailable

if TYPE_CHECKING:
    from bot.slack.client import SlackClient

log = logging.getLogger("opswatch")
OLD_AFTER = timedelta(minutes=5)
# How often a post is tried without an answer from Slack before it is set aside.
FILE_TRIES = 3
MESSAGE_TRIES = 10
# A queue that was not read for so long is stuck.
STALLED_AFTER_S = 120.0


class OutboxTimings(Struct, frozen=True):
    """How long to wait, in seconds: between two messages in a channel, whoever sends them; before
    the queue is read again; after a failure; until something that an operator has to fix is tried
    again; and before the names of channels are checked again.
    """

    per_channel: float = MESSAGE_EVERY_S
    look: float = 1.0
    retry: float = 2.0
    mend: float = 300.0
    names: float = 3600.0


class ClaimLost(Exception):
    """This process was paused for so long that another one took over a post."""


class Outbox:
    """Sends the posts of the store to Slack, and events to targets. The ids of `named_channels` are
    looked up at the start.
    """

    def __init__(
        self,
        posts: OutboxStore,
        client: SlackClient,
        clock: Callable[[], datetime],
        ops_channel: str = "",
        timings: OutboxTimings = OutboxTimings(),
        targets: EventSender = NoTargets(),
        named_channels: Sequence[str] = (),
        canvases: CanvasUpdater = NoCanvases(),
    ) -> None:
        self._posts = posts
        self._client = client
        self._clock = clock
        self._timings = timings
        self._named_channels = named_channels
        self._channels = ChannelNames(client, posts, clock)
        self._notices = OperatorNotices(posts, client, self._channels, clock, ops_channel)
        self._requeue = Requeue(posts, self._notices, clock, timings.mend)
        self._sender = PostSender(
            client, self._channels, Posted(client, clock), CanvasPosts(canvases)
        )
        self._events = EventPosts(targets, self._requeue, timings.retry)
        self._busy: set[str] = set()
        self._more = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._backlog_reported = False
        self._app_refused = ""
        self._stuck_since: datetime | None = None
        self._sent_at = time.monotonic()
        self._looked_at: float | None = None
        self._names_checked_at = time.monotonic()

    def is_same_channel(self, one: str, other: str) -> bool:
        """Whether two channels, such as a name and an id, are known to be the same."""
        return self._channels.is_same(one, other)

    async def channel_id(self, channel: str) -> str:
        """The id of a channel; its name if no channel has it."""
        return await self._channels.id_of(channel)

    def wake(self) -> None:
        """Reads the queue now, because there may be new posts."""
        self._more.set()

    def problem(self) -> str:
        """What prevents every message from being sent, in one sentence; empty if nothing does. A
        channel that accepts nothing is reported in the ops channel and does not make the bot
        unhealthy.
        """
        idle_s = time.monotonic() - self._looked_at if self._looked_at else 0.0
        if idle_s > STALLED_AFTER_S:
            idle = formatting.format_duration(timedelta(seconds=round(idle_s)))
            return f"Messages have not been sent for {idle}."
        if self._app_refused:
            return f"Slack does not let Opswatch post ({self._app_refused}).{help_for(self._app_refused)}"
        if self._stuck_since:
            return (
                "Messages have been waiting to be posted since "
                f"{self._stuck_since:%Y-%m-%d %H:%M} UTC, and Slack accepts none."
            )
        return ""

    async def run(self) -> None:
        """Posts what is queued, until cancelled; one post per channel at a time."""
        if self._named_channels:
            self._start(self._look_up_names())
        while True:
            try:
                await self._post_queued()
            except StoreUnavailable as error:
                log.error("The database cannot be used (%s); what there is to post is kept.", error)
                await self.report_database_failure(error.cause)
            except Exception:
                log.exception("The queue of messages could not be read; trying again.")
            self._more.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._timings.look):
                    await self._more.wait()

    async def report_database_failure(self, reason: str) -> None:
        """Reports in the ops channel, without the database, that it cannot be used."""
        await self._notices.database_failure(reason)

    async def tell_operator(self, key: str, text: str) -> None:
        """Posts a notice in the ops channel, once for each key."""
        await self._notices.send(key, text)
        self.wake()

    async def finish(self, *, within_s: float) -> None:
        """Waits a while for posts that are being sent; the next process searches Slack for the
        others.
        """
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=within_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _post_queued(self) -> None:
        while queued := await self._posts.claim_post(now=self._clock(), busy=[*self._busy]):
            self._busy.add(queued.lane)
            self._start(self._deliver(queued))
        await self._report_backlog()
        self._looked_at = time.monotonic()
        if self._looked_at - self._names_checked_at > self._timings.names:
            self._names_checked_at = self._looked_at
            self._start(self._notices.renamed_channels())

    async def _look_up_names(self) -> None:
        try:
            await self._channels.look_up(self._named_channels)
        except StoreUnavailable as error:
            log.warning("The IDs of channels could not be looked up: %s", error)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _report_backlog(self) -> None:
        """Reports posts that have waited for more than five minutes, once until the queue is empty
        again.
        """
        since = await self._posts.oldest_waiting()
        is_old = since is not None and self._clock() - since > OLD_AFTER
        self._stuck_since = await self._stuck() if is_old else None
        if since is not None and is_old and not self._backlog_reported:
            log.error("Messages have been waiting to be posted since %s.", since)
            await self._notices.backlog(since)
        self._backlog_reported = is_old

    async def _stuck(self) -> datetime | None:
        """Since when messages wait that no channel refuses; None if others were sent meanwhile, so
        that the queue is only long.
        """
        if time.monotonic() - self._sent_at < OLD_AFTER.total_seconds():
            return None
        backlog = await self._posts.backlog()
        waiting = [
            queue.since
            for queue in backlog
            if not is_channels_own(queue.problem) and not target_of(queue.channel)
        ]
        return min(waiting, default=None)

    # One post

    async def _deliver(self, queued: QueuedPost) -> None:
        async def require_claim() -> None:
            if not await self._posts.holds(queued):
                raise ClaimLost

        # Checked before each call, since a call may have waited for the rate limit longer than a
        # claim lasts.
        BEFORE_CALL.set(require_claim)
        try:
            if queued.post.how is PostKind.EVENT:
                await require_claim()
                await self._send_event(queued)
            else:
                await self._post_once(queued)
        except ClaimLost:
            log.warning("Another process has taken over a post for %s.", queued.post.channel)
        except Exception as error:
            log.exception("A post could not be sent to Slack.")
            with contextlib.suppress(StoreUnavailable):
                # If that cannot be recorded either, the post stays claimed and is searched for
                # before it is sent again.
                await self._try_again(queued, _reason(error), tries=FILE_TRIES)
        finally:
            self._busy.discard(queued.lane)
            self._more.set()

    async def _send_event(self, queued: QueuedPost) -> None:
        if await self._events.send(queued):
            await self._posts.sent(queued, ts="", now=self._clock())

    async def _post_once(self, queued: QueuedPost) -> None:
        may_be_posted = queued.claimed_at is not None
        try:
            ts = await self._sender.find(queued) if may_be_posted else ""
            may_be_posted = False
            ts = ts or await self._sender.send(queued)
        except (SlackUnreachable, SlackDeliveryUnknown) as error:
            code = "no answer from Slack" if isinstance(error, SlackUnreachable) else error.code
            await self._try_again(queued, code, tries=_tries(queued))
        except SlackRefused as error:
            await self._refused(queued, error.code, may_be_posted=may_be_posted)
        else:
            self._app_refused = ""
            self._sent_at = time.monotonic()
            await self._posts.sent(queued, ts=ts, now=self._clock())

    # What Slack refuses

    async def _refused(self, queued: QueuedPost, code: str, *, may_be_posted: bool) -> None:
        cause = cause_of(code)
        post = queued.post
        if cause is Cause.UNSURE:
            await self._try_again(queued, code, tries=_tries(queued))
        elif post.about and cause is Cause.GONE:
            # Somebody has deleted the message it is about, or it can no longer be edited; later
            # posts continue.
            log.warning("A post about an earlier message is dropped (%s).", code)
            await self._posts.drop(queued, problem=code)
        elif may_be_posted and code == "missing_scope":
            # Without the history it is unknown whether Slack has this message; others can be
            # posted.
            await self._requeue.set_aside(queued, code, may_be_posted=True)
        elif post.how is PostKind.FILE or cause in (Cause.CONTENT, Cause.GONE):
            await self._content_refused(queued, code, cause, may_be_posted=may_be_posted)
        else:
            await self._channel_refused(queued, code, cause, may_be_posted=may_be_posted)

    async def _content_refused(
        self, queued: QueuedPost, code: str, cause: Cause, *, may_be_posted: bool
    ) -> None:
        """Slack refuses this message, but may accept others. An edit is dropped, because its reply
        says the same.
        """
        if queued.post.how is PostKind.EDIT:
            log.warning("A message could not be edited (%s).", code)
            await self._posts.drop(queued, problem=code)
            return
        is_channels = cause is Cause.CHANNEL
        if is_channels:
            await self._notices.channel_refused(queued.post.channel, code)
        await self._requeue.set_aside(
            queued, code, may_be_posted=may_be_posted, is_reported=is_channels
        )

    async def _channel_refused(
        self, queued: QueuedPost, code: str, cause: Cause, *, may_be_posted: bool
    ) -> None:
        """Nothing can be posted in the channel. Its queue stays in order until an operator has
        fixed that.
        """
        log.error("Slack refuses a post for %s (%s); it is kept.", queued.post.channel, code)
        await self._requeue.later(queued, self._timings.mend, code, may_be_posted=may_be_posted)
        if cause is Cause.APP:
            self._app_refused = code
        else:
            await self._notices.channel_refused(queued.post.channel, code)

    async def _try_again(self, queued: QueuedPost, code: str, *, tries: int) -> None:
        """Slack did not confirm the message. A post that fails repeatedly while Slack works is set
        aside.
        """
        if queued.attempts + 1 >= tries and await self._slack_works():
            await self._requeue.set_aside(queued, code, may_be_posted=True)
            return
        wait_s = self._timings.retry * min(2**queued.attempts, 15)
        await self._requeue.later(queued, wait_s, code, may_be_posted=True)

    async def _slack_works(self) -> bool:
        """Whether Slack answers at all, which means that it refuses this one post."""
        try:
            await self._client.read("auth.test")
        except SlackRefused:
            return False
        return True


def _tries(queued: QueuedPost) -> int:
    return FILE_TRIES if queued.post.how is PostKind.FILE else MESSAGE_TRIES


def _reason(error: Exception) -> str:
    """Why a message could not be sent, where neither Slack nor the connection said so."""
    if isinstance(error, KeyError | TypeError | AttributeError):
        return "an answer of Slack could not be read"
    return "a fault of the bot, which its log describes"
