"""Alerts and subscriptions run with the access that their creator has now. Without it they are
paused, which is posted once.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from msgspec import Struct, field

from bot import formatting
from bot.answer import Block
from bot.blocks import messages
from bot.slack.outbox import Outbox, operator_post
from bot.slack.users import UserDirectory
from bot.store import OutboxStore, PauseStore, Post, PostKind
from handlers.error_messages import log_failure
from handlers.permissions import Owned, Permissions

log = logging.getLogger("opswatch")


class Pausable(Struct, frozen=True):
    """An alert or a subscription: the name of its schedule, its title in messages, its owner, and
    the command that ends it. `incident` is the key of its open incident, in whose thread a pause is
    posted.
    """

    schedule: str
    title: str
    owned: Owned
    end_with: str
    incident: str = ""


class Announcer(Struct, frozen=True):
    """Posts what somebody did to an alert or a subscription."""

    posts: OutboxStore
    outbox: Outbox
    people: UserDirectory
    clock: Callable[[], datetime]

    async def done_by(self, user: str, channel: str, what: str, *, incident: str = "") -> None:
        """Posts in the channel, or in the thread of an incident, what somebody did, with their
        name.
        """
        await self.post(await self.by_person(user, channel, what, incident=incident))

    async def by_person(self, user: str, channel: str, what: str, *, incident: str = "") -> Post:
        """The post of what somebody did."""
        name = formatting.sanitise(await self.people.name(user), 60)
        return announcement(channel, f"{what} by {name}.", messages.by_person(what, user), incident)

    async def post(self, post: Post) -> None:
        await self.posts.enqueue(post, now=self.clock())
        self.outbox.wake()


class PauseGuard(Struct, frozen=True):
    """Decides before each run whether it is allowed."""

    permissions: Permissions
    pauses: PauseStore
    announcer: Announcer
    direct_channel: Callable[[str], Awaitable[str]]
    clock: Callable[[], datetime]
    ops_channel: str
    _paused: set[str] = field(default_factory=set)

    async def open(self) -> None:
        """Loads what an earlier process has paused."""
        await self.refresh()

    async def refresh(self) -> None:
        """Reads what another process has paused or resumed."""
        stored = await self.pauses.all()
        # Changed in place, because the dataclass is frozen.
        self._paused.intersection_update(stored)
        self._paused.update(stored)

    def is_paused(self, schedule: str) -> bool:
        """Whether its last run was paused."""
        return schedule in self._paused

    async def may_run(self, pausable: Pausable) -> bool:
        """Whether its creator has access now. If that has changed, it is paused or resumed, and
        that is posted.
        """
        is_allowed = await self.permissions.creator_is_allowed(pausable.owned)
        # Neither run nor paused: a group whose members Slack does not return says nothing about
        # access.
        if is_allowed is None:
            await self._report_unknown_group(pausable)
            return False
        if is_allowed:
            await self._resume(pausable)
            return True
        await self._pause(pausable)
        return False

    async def forget(self, schedule: str) -> None:
        """Forgets a pause when the alert or subscription has ended."""
        if schedule in self._paused:
            self._paused.discard(schedule)
            await self.pauses.resume(schedule, [], now=self.clock())

    async def _report_unknown_group(self, pausable: Pausable) -> None:
        """Posts once an hour in the ops channel that the members of a user group are unknown."""
        log.warning("%s was not run: the access of its creator is unknown.", pausable.schedule)
        if self.ops_channel:
            text = (
                "Slack has not returned the members of a user group in [access] for an hour. Its "
                "members have no access, and their alerts and subscriptions are not run. Check the "
                "scope usergroups:read with `opswatch check`."
            )
            await self.announcer.post(
                operator_post(self.ops_channel, f"unknown-group:{self.clock():%Y%m%d%H}", text)
            )

    async def _pause(self, pausable: Pausable) -> None:
        if pausable.schedule in self._paused:
            return
        command = pausable.owned.command
        why = f"is paused: its creator no longer has access to /{command}"
        ending = f"It continues when they have access again. End it with `{pausable.end_with}`."
        posts = self._posts(pausable, f"{pausable.title} {why}. {ending}")
        self._paused.add(pausable.schedule)
        # False where another process has paused it at the same time, and has messaged its creator.
        if await self.pauses.pause(pausable.schedule, posts, now=self.clock()):
            await self._message_creator(
                pausable,
                f"{pausable.title} is paused: you no longer have access to /{command} there. It "
                f"continues when you have access again. End it with `{pausable.end_with}`.",
            )
        self.announcer.outbox.wake()

    async def _resume(self, pausable: Pausable) -> None:
        if pausable.schedule not in self._paused:
            return
        text = f"{pausable.title} continues: its creator has access again."
        self._paused.discard(pausable.schedule)
        if await self.pauses.resume(
            pausable.schedule, self._posts(pausable, text), now=self.clock()
        ):
            await self._message_creator(
                pausable, f"{pausable.title} continues: you have access again."
            )
        self.announcer.outbox.wake()

    def _posts(self, pausable: Pausable, text: str) -> list[Post]:
        """Posts for its own channel and for the ops channel."""
        posts = [announcement(pausable.owned.channel, text, incident=pausable.incident)]
        if self.ops_channel and self.ops_channel != pausable.owned.channel:
            # A separate key each time: pauses of one alert may follow each other.
            posts.append(operator_post(self.ops_channel, uuid.uuid4().hex, text))
        return posts

    async def _message_creator(self, pausable: Pausable, text: str) -> None:
        """Sends a direct message. Deactivated people cannot get one."""
        try:
            channel = await self.direct_channel(pausable.owned.creator)
        except Exception as error:
            what = f"No direct message could be sent to the creator of {pausable.schedule}"
            log_failure(error, what, level=logging.INFO)
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
