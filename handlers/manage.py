"""`subscribe`, `subscriptions` and `unsubscribe`: questions that people have asked again on a schedule, in the channel they are in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Protocol

from bot.access import Access
from bot.answer import Answer
from bot.blocks import talk
from bot.blocks.home import Upcoming
from bot.errors import BadQuestion
from bot.question import CommandName, example, read_question
from bot.schedule import next_due, read_cron
from bot.store.posts import Posts, Subscription
from bot.subscriptions import Subscribe, Unsubscribe, read_wish
from handlers.answering import Answering
from handlers.jobs import Clockwork, Digest, DigestJob


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wishes for something, where, and in which of the groups that matter they are."""

    user: str
    channel: str
    groups: Sequence[str] = ()

    @property
    def rights(self) -> dict[str, Any]:
        return {"user": self.user, "channel": self.channel, "groups": self.groups}


class Manager(Protocol):
    """Takes wishes of one kind."""

    async def take(self, command: CommandName, text: str, asker: Asker) -> Answer | None:
        """What became of the wish, for whoever wished; None where the words are something else. Raises BadQuestion and Refused."""
        ...


@dataclass(frozen=True, slots=True)
class SubscriptionManager:
    """Takes wishes about schedules. `file_digests` are those of the configuration, which chat shows and cannot change."""

    answering: Answering
    posts: Posts
    clockwork: Clockwork
    job: DigestJob
    access: Access
    zone: tzinfo
    clock: Callable[[], datetime]
    file_digests: Sequence[Digest]

    async def take(self, command: CommandName, text: str, asker: Asker) -> Answer | None:
        """What became of the wish, for whoever wished; None where the words are something else. Raises BadQuestion and Refused."""
        wish = read_wish(command, text, self.answering.directory)
        if wish is None:
            return None
        if wish == "list":
            self.access.require(command, **asker.rights)
            return await self._list(command, asker.channel)
        self.access.require_manage(command, **asker.rights)
        if isinstance(wish, Subscribe):
            return await self._subscribe(wish, command, user=asker.user, channel=asker.channel)
        return await self._unsubscribe(wish, command, user=asker.user, channel=asker.channel)

    async def upcoming(self, commands: Collection[CommandName]) -> list[Upcoming]:
        """The questions of these commands that are asked next, by when they are due."""
        now = self.clock()
        made = [digest_of(each, self.zone) for each in await self.posts.subscriptions()]
        found = [
            Upcoming(due, digest.line, digest.channel)
            for digest in (*self.file_digests, *made)
            if digest.line.partition(" ")[0].removeprefix("/") in commands and (due := next_due(digest.trigger, now))
        ]
        return sorted(found, key=lambda each: each.due)

    async def _subscribe(self, wish: Subscribe, command: CommandName, *, user: str, channel: str) -> Answer:
        now = self.clock()
        question = read_question(command, wish.words, self.answering.directory, now=now, zone=self.zone)
        if question.help:
            hint = f"/{command} subscribe {example(command, self.answering.directory).partition(' ')[2]} at 09:00"
            raise BadQuestion("Help is not a question to subscribe to.", hint)
        subscription = await self.posts.subscribe(
            channel=channel, line=question.line, cron=wish.cron, said=wish.said, user=user, now=now
        )
        digest = digest_of(subscription, self.zone)
        await self.clockwork.add(self.job.scheduled(digest))
        due = next_due(digest.trigger, now)
        first = f" First on {due.astimezone(self.zone):%a %d %b at %H:%M}." if due else ""
        text = (
            f"Subscription {subscription.number}: `{question.line}` {wish.said} ({self.zone}), in this channel.{first}"
            f" End it with `/{command} unsubscribe {subscription.number}`.{seen_by_all(self.access, command, channel)}"
        )
        return talk.note(text)

    async def _unsubscribe(self, wish: Unsubscribe, command: CommandName, *, user: str, channel: str) -> Answer:
        ended = await self.posts.unsubscribe(wish.number, channel=channel, user=user, now=self.clock())
        if ended is None:
            raise BadQuestion(f"There is no subscription {wish.number} in this channel.", f"/{command} subscriptions")
        self.clockwork.remove(digest_of(ended, self.zone).name)
        text = f"Subscription {ended.number} has ended: `{ended.line}` {ended.said}."
        return talk.note(text)

    async def _list(self, command: CommandName, channel: str) -> Answer:
        found = await self.posts.subscriptions(channel)
        lines = [f"{each.number}. `{each.line}` {each.said}, by <@{each.user}>" for each in found]
        lines += [
            f"`{digest.line}` ({digest.at}), digest {digest.name} of bot.toml for {digest.channel}"
            for digest in self.file_digests
        ]
        if not lines:
            text = f"There are no subscriptions in this channel. One is made with `/{command} subscribe … at 09:00 on weekdays`."
            return talk.note(text)
        head = f"Subscriptions in this channel (times in {self.zone}):"
        return talk.listing(head, lines)


def seen_by_all(access: Access, command: CommandName, channel: str) -> str:
    """A word of warning where not everybody in the channel may ask what will be told in it."""
    if access.is_public(command, channel):
        return ""
    return f" Everybody in this channel will see it, also who may not ask /{command}."


def digest_of(subscription: Subscription, zone: tzinfo) -> Digest:
    """A subscription as the clockwork has it."""
    trigger = read_cron(subscription.cron, zone)
    assert trigger is not None, "it was read when it was made"
    return Digest(f"subscription {subscription.number}", subscription.line, subscription.cron, trigger, subscription.channel)
