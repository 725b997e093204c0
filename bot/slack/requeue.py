"""Puts posts back into the outbox: to be tried again soon, or set aside so that later ones pass."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct

from bot.slack.operator_notices import OperatorNotices
from bot.store import LONGEST_DELAY, OutboxStore, PostKind, QueuedPost

log = logging.getLogger("opswatch")
# After so long and so many attempts a post will not be accepted any more. Nobody is to be notified
# of an incident of last week.
GIVE_UP_AFTER = timedelta(days=7)
GIVE_UP_TRIES = 25
EVENT_GIVE_UP_AFTER = timedelta(days=1)
# An event that was set aside may page somebody, so it is tried more often than a message.
EVENT_LONGEST_DELAY = timedelta(minutes=15)


class Requeue(Struct, frozen=True):
    """Puts posts back. `mend_s` is the first wait of a post that is set aside, and grows with every
    attempt.
    """

    posts: OutboxStore
    notices: OperatorNotices
    clock: Callable[[], datetime]
    mend_s: float

    async def later(
        self,
        queued: QueuedPost,
        wait_s: float,
        code: str,
        *,
        may_be_posted: bool = False,
        aside: bool = False,
    ) -> None:
        """Releases the post, to be tried again after a while."""
        until = self.clock() + timedelta(seconds=wait_s)
        await self.posts.reschedule(
            queued, until=until, problem=code, may_be_posted=may_be_posted, aside=aside
        )

    async def set_aside(
        self,
        queued: QueuedPost,
        code: str,
        *,
        may_be_posted: bool,
        is_reported: bool = False,
        hint: str = "",
    ) -> None:
        """Sets the post aside: it is tried again at growing intervals and reported once, and later
        posts continue.
        """
        channel = queued.post.channel
        is_event = queued.post.how is PostKind.EVENT
        age = self.clock() - queued.queued_at
        give_up_after = EVENT_GIVE_UP_AFTER if is_event else GIVE_UP_AFTER
        if queued.attempts >= GIVE_UP_TRIES and age > give_up_after:
            log.error(
                "A post for %s is given up after %s tries (%s).", channel, queued.attempts, code
            )
            await self.posts.drop(queued, problem=code)
            return
        wait_s = self.mend_s
        if queued.set_aside:
            # The first attempts came quickly, so the wait grows from some minutes.
            longest = EVENT_LONGEST_DELAY if is_event else LONGEST_DELAY
            wait_s = min(wait_s * 2 ** min(queued.attempts, 7), longest.total_seconds())
        await self.later(queued, wait_s, code, may_be_posted=may_be_posted, aside=True)
        log.error("A post for %s is set aside for %.0f s (%s).", channel, wait_s, code)
        if not is_reported:
            await self.notices.set_aside(queued, code, hint=hint)
