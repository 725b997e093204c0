"""Sends events from the outbox to targets beside Slack, each until the target has accepted it.

An event can be sent twice without effect, so none is searched for before it is sent again.
"""

from __future__ import annotations

import logging
from typing import Protocol

from bot.notifications.event import AlertEvent, event_from_json, target_of
from bot.slack.requeue import Requeue
from bot.store import QueuedPost
from bot.targets.errors import TargetRefused, TargetUnavailable

log = logging.getLogger("opswatch")
# How often an event is tried quickly before it is set aside, about three minutes in all.
EVENT_TRIES = 10


class EventSender(Protocol):
    """Sends events to a target by its name."""

    async def send(self, target: str, event: AlertEvent) -> None: ...


class NoTargets:
    """Used if no target is configured."""

    async def send(self, target: str, event: AlertEvent) -> None:
        del event
        raise TargetRefused("there is no such target", f"Add [targets.{target}] to bot.toml again.")


class EventPosts:
    """Sends events from the outbox. `retry_s` is the wait before the second attempt, which doubles with
    each further one.
    """

    def __init__(self, sender: EventSender, requeue: Requeue, retry_s: float) -> None:
        self._sender = sender
        self._requeue = requeue
        self._retry_s = retry_s

    async def send(self, queued: QueuedPost) -> bool:
        """Whether the target has accepted the event; otherwise it is back in the outbox."""
        event = _event_of(queued)
        if event is None:
            await self._requeue.posts.drop(queued, problem="unreadable")
            return False
        try:
            await self._sender.send(target_of(queued.post.channel), event)
        except TargetRefused as error:
            await self._requeue.set_aside(queued, error.code, may_be_posted=True, hint=error.hint)
        except TargetUnavailable as error:
            await self._try_again(queued, error)
        else:
            return True
        return False

    async def _try_again(self, queued: QueuedPost, error: TargetUnavailable) -> None:
        # Once set aside, it is tried at the slower pace only.
        if queued.set_aside or queued.attempts + 1 >= EVENT_TRIES:
            await self._requeue.set_aside(queued, error.code, may_be_posted=True, hint=error.hint)
            return
        # At most half a minute with the usual two seconds, since somebody is to be called.
        wait_s = error.retry_after_s or self._retry_s * min(2**queued.attempts, 15)
        log.warning("%s did not take an event (%s).", queued.post.channel, error.code)
        await self._requeue.later(queued, wait_s, error.code, may_be_posted=True)


def _event_of(queued: QueuedPost) -> AlertEvent | None:
    """The event of a post; None where another version has written it."""
    try:
        return event_from_json(queued.post.blocks[0])
    except (ValueError, IndexError):
        log.error("An event for %s cannot be read and is dropped.", queued.post.channel)
        return None
