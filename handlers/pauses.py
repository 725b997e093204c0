"""Alerts and subscriptions run with the rights that their maker has now: without them they are
paused, and the people concerned are told once.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot import formatting
from bot.answer import Block
from bot.blocks import messages
from bot.slack.outbox import Outbox, operator_post
from bot.slack.users import UserDirectory
from bot.store import OutboxStore, PauseStore, Post, PostKind
from handlers.permissions import Owned, Permissions

log = logging.getLogger("opswatch")


@dataclass(frozen=True, slots=True)
class Pausable:
    """Something on a schedule: the schedule's name, what people call it, whose it is, and how it is
    ended. `incident` is the key of the message that it has open, in whose thread a pause is told.
    """

    schedule: str
    title: str
    owned: Owned
    end_with: str
    incident: str = ""


@dataclass(frozen=True, slots=True)
class Announcer:
    """Posts a sentence about what somebody did, where those concerned read it."""

    posts: OutboxStore
    outbox: Outbox
    people: UserDirectory
    clock: Callable[[], datetime]

    async def done_by(self, user: str, channel: str, what: str, *, incident: str = "") -> None:
        """Says in the channel, or in the thread of an incident, what somebody did, with
        their name.
        """
        name = formatting.sanitise(await self.people.name(user), 60)
        await self.post(
            announcement(channel, f"{what} by {name}.", messages.by_person(what, user), incident)
        )

    async def post(self, post: Post) -> None:
        await self.posts.enqueue(post, now=self.clock())
        self.outbox.wake()


@dataclass(frozen=True, slots=True)
class PauseGuard:
    """Decides before each run whether it may happen."""

    permissions: Permissions
    pauses: PauseStore
    announcer: Announcer
    direct_channel: Callable[[str], Awaitable[str]]
    clock: Callable[[], datetime]
    ops_channel: str
    _paused: set[str] = field(default_factory=set)

    async def open(self) -> None:
        """Knows what an earlier process has paused."""
        self._paused.update(await self.pauses.all())

    def is_paused(self, schedule: str) -> bool:
        """Whether it was paused when it was due last."""
        return schedule in self._paused

    async def may_run(self, pausable: Pausable) -> bool:
        """Whether its maker may have it asked now. Where that has changed, it is paused or resumed,
        and told.
        """
        is_allowed = await self.permissions.creator_is_allowed(pausable.owned)
        if is_allowed is None:
            await self._say_unknown(pausable)
            return False
        if is_allowed:
            await self._resume(pausable)
            return True
        await self._pause(pausable)
        return False

    async def forget(self, schedule: str) -> None:
        """It has ended."""
        if schedule in self._paused:
            self._paused.discard(schedule)
            await self.pauses.resume(schedule, [], now=self.clock())

    async def _say_unknown(self, pausable: Pausable) -> None:
        """Says once an hour in the ops channel that the members of a user group are not known."""
        log.warning(
            "%s is not run, since nobody can tell whether its maker may ask it.", pausable.schedule
        )
        if self.ops_channel:
            text = (
                "Slack has not said for an hour who is in a user group of [access], so its "
                "members may ask nothing, and their alerts and"
                " subscriptions are not run. Check the scope usergroups:read with `python -m bot "
                "check`."
            )
            await self.announcer.post(
                operator_post(self.ops_channel, f"unknown-group:{self.clock():%Y%m%d%H}", text)
            )

    async def _pause(self, pausable: Pausable) -> None:
        if pausable.schedule in self._paused:
            return
        command = pausable.owned.command
        why = f"is paused, since its maker may not have /{command} asked any more"
        ending = f"It continues when they may. It can be ended with `{pausable.end_with}`."
        posts = self._posts(pausable, f"{pausable.title} {why}. {ending}")
        self._paused.add(pausable.schedule)
        if await self.pauses.pause(pausable.schedule, posts, now=self.clock()):
            await self._tell_maker(
                pausable,
                f"{pausable.title} is paused, since you may not have /{command} asked there any "
                "more. It continues when you may."
                f" End it with `{pausable.end_with}`.",
            )
        self.announcer.outbox.wake()

    async def _resume(self, pausable: Pausable) -> None:
        if pausable.schedule not in self._paused:
            return
        text = f"{pausable.title} continues, since its maker may have it asked again."
        self._paused.discard(pausable.schedule)
        if await self.pauses.resume(
            pausable.schedule, self._posts(pausable, text), now=self.clock()
        ):
            await self._tell_maker(
                pausable, f"{pausable.title} continues, since you may have it asked again."
            )
        self.announcer.outbox.wake()

    def _posts(self, pausable: Pausable, text: str) -> list[Post]:
        """What is told where it stands, and in the ops channel."""
        posts = [announcement(pausable.owned.channel, text, incident=pausable.incident)]
        if self.ops_channel and self.ops_channel != pausable.owned.channel:
            posts.append(operator_post(self.ops_channel, uuid.uuid4().hex, text))
        return posts

    async def _tell_maker(self, pausable: Pausable, text: str) -> None:
        """A direct message; somebody who was deactivated gets none."""
        try:
            channel = await self.direct_channel(pausable.owned.creator)
        except Exception as error:
            log.info(
                "The maker of %s could not be told about it: %s",
                pausable.schedule,
                type(error).__name__,
            )
            return
        await self.announcer.post(announcement(channel, text))


def announcement(channel: str, text: str, blocks: Sequence[Block] = (), incident: str = "") -> Post:
    """A sentence as a post of its own, or in the thread of an incident."""
    how = PostKind.REPLY if incident else PostKind.POST
    return Post(
        f"announcement:{uuid.uuid4().hex}",
        channel,
        text,
        blocks or messages.note_blocks(text),
        how,
        incident,
    )
