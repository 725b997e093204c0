"""`subscribe`, `subscriptions` and `unsubscribe`: questions that people have asked again on a
schedule, in the channel they are in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from typing import Protocol

from bot import formatting
from bot.access import AccessPolicy
from bot.answer import Answer
from bot.blocks import messages
from bot.blocks.home import Upcoming
from bot.commands.answering import Answerer
from bot.errors import AccessDenied, BadQuestion
from bot.questions.question import CommandName, HelpRequest
from bot.questions.reading import read_request
from bot.questions.registry import COMMANDS
from bot.schedules.due import Due, next_due, read_cron
from bot.schedules.subscribe import WORDS, Subscribe, Unsubscribe, parse_subscription
from bot.slack.channels import Channels
from bot.store import Subscription, SubscriptionStore
from handlers.jobs.digests import Digest, DigestJob
from handlers.jobs.scheduler import Job, Scheduler
from handlers.pauses import Pausable, PauseGuard
from handlers.permissions import Owned, Permissions, Requester
from handlers.typed_secrets import SecretCheck


class Manager(Protocol):
    """Takes wishes of one kind."""

    async def handle(self, command: CommandName, text: str, asker: Requester) -> Answer | None:
        """What became of the wish, for whoever wished; None where the words are something else.
        Raises BadQuestion and Refused.
        """
        ...


@dataclass(frozen=True, slots=True)
class SubscriptionManager:
    """Takes wishes about schedules. `file_digests` are those of the configuration, which chat shows
    and cannot change.
    """

    answering: Answerer
    subscriptions: SubscriptionStore
    scheduler: Scheduler
    job: DigestJob
    permissions: Permissions
    guard: PauseGuard
    secrets: SecretCheck
    zone: tzinfo
    clock: Callable[[], datetime]
    file_digests: Sequence[Digest]

    async def handle(self, command: CommandName, text: str, asker: Requester) -> Answer | None:
        """What became of the wish, for whoever wished; None where the words are something else.
        Raises BadQuestion and Refused.
        """
        verb = text.strip().partition(" ")[0].lower()
        if verb not in WORDS:
            return None
        requester = await self.permissions.requester(asker.user, asker.channel)
        if verb == "subscribe":
            # Before the words are read: a refusal of theirs names accounts.
            self.access.require_manage(command, **requester.rights)
        wish = parse_subscription(
            command, text, self.permissions.directory(self.answering.directory, requester)
        )
        if wish is None:
            return None
        if wish == "list":
            self.access.require(command, **requester.rights)
            return await self._list(command, requester)
        if isinstance(wish, Subscribe):
            return await self.subscribe(wish, command, requester)
        return await self._unsubscribe(wish, command, requester)

    @property
    def access(self) -> AccessPolicy:
        return self.permissions.access

    async def open(self) -> list[Job]:
        """The subscriptions as they were kept, each with the time it is due."""
        return [self._scheduled(each) for each in await self.subscriptions.subscriptions()]

    async def upcoming(self, requester: Requester) -> list[Upcoming]:
        """The questions that are asked next, as far as the person may know of them, by when they
        are due.
        """
        now, found = self.clock(), list[Upcoming]()
        entries = [(digest, owned_digest(digest)) for digest in self.file_digests]
        made = [
            each
            for each in await self.subscriptions.subscriptions()
            if not self.guard.is_paused(schedule_name(each))
        ]
        entries += [(digest_of(each, self.zone), owned(each)) for each in made]
        for digest, whose in entries:
            if (due := next_due(digest.trigger, now)) and await self._may_show(whose, requester):
                found.append(Upcoming(due, digest.line, digest.channel))
        return sorted(found, key=lambda each: each.due)

    async def _may_show(self, whose: Owned, requester: Requester) -> bool:
        """Whether the question may be shown: who has lost the right to ask one may end it, and
        knows it by its number.
        """
        may_see = await self.permissions.may_see(whose, requester)
        return may_see and self.access.may_ask(whose.command, **requester.rights)

    def _scheduled(self, subscription: Subscription) -> Job:
        digest = digest_of(subscription, self.zone)
        scheduled = self.job.scheduled(digest)
        return Job(
            scheduled.name,
            scheduled.trigger,
            partial(self._run, subscription, digest),
            scheduled.last_handled_at,
        )

    async def _run(self, subscription: Subscription, digest: Digest, due: Due) -> None:
        """The digest, where its maker may have it asked now. One that is paused is passed over and
        not made up for.
        """
        number, whose = subscription.number, owned(subscription)
        pausable = Pausable(
            digest.name, f"Subscription {number}", whose, f"/{whose.command} unsubscribe {number}"
        )
        if await self.guard.may_run(pausable):
            await self.job.run(digest, due)
        elif await self.job.schedules.claim_run(digest.name, due.at, now=self.clock()) is not None:
            await self.job.schedules.end_run(
                digest.name, due.at, outcome="paused", posts=[], now=self.clock()
            )

    async def subscribe(
        self, wish: Subscribe, command: CommandName, requester: Requester
    ) -> Answer:
        """Adds a subscription for a person who may manage it, and returns the note about it. Raises
        BadQuestion.
        """
        now, channel = self.clock(), requester.channel
        directory = self.permissions.directory(self.answering.directory, requester)
        try:
            question = read_request(command, wish.query, directory, now=now, zone=self.zone)
        except BadQuestion as error:
            if error.hint.startswith("/"):
                error.hint = f"/{command} subscribe {error.hint.partition(' ')[2]} {wish.when}"
            raise
        if isinstance(question, HelpRequest):
            hint = f"/{command} subscribe {COMMANDS[command].example_words(directory)} at 09:00"
            raise BadQuestion("Help is not a question to subscribe to.", hint)
        self.secrets.refuse(
            question.line,
            f"/{command} subscribe {COMMANDS[command].example_words(directory)} at 09:00",
        )
        subscription = await self.subscriptions.subscribe(
            channel=channel,
            line=question.line,
            cron=wish.cron,
            said=wish.said,
            user=requester.user,
            now=now,
        )
        await self.scheduler.add(self._scheduled(subscription))
        due = next_due(digest_of(subscription, self.zone).trigger, now)
        local = due.astimezone(self.zone) if due else None
        first = (
            (
                " First on "
                f"{formatting.format_day(local.date(), now.astimezone(self.zone).date())} at "
                f"{local:%H:%M}."
            )
            if local
            else ""
        )
        text = (
            f"Subscription {subscription.number}: `{question.line}` {wish.said} ({self.zone}), in "
            f"this channel.{first}"
            f" End it with `/{command} unsubscribe "
            f"{subscription.number}`.{seen_by_all(self.access, command, channel)}"
            f"{await invitation(self.permissions.channels, channel)}"
        )
        return messages.note(text)

    async def _unsubscribe(
        self, wish: Unsubscribe, command: CommandName, requester: Requester
    ) -> Answer:
        subscription = await self._required(wish.number, command, requester)
        whose = owned(subscription)
        ended = await self.subscriptions.unsubscribe(
            subscription.number, channel=subscription.channel, user=requester.user, now=self.clock()
        )
        if ended is None:
            raise BadQuestion(
                f"There is no subscription {wish.number} in this channel.",
                f"/{command} subscriptions",
            )
        name = schedule_name(ended)
        self.scheduler.remove(name)
        await self.guard.forget(name)
        if subscription.user != requester.user:
            what = f"Subscription {ended.number}, `{ended.line}` {ended.said}, was ended"
            await self.guard.announcer.done_by(requester.user, ended.channel, what)
        may_read = self.access.may_ask(whose.command, **requester.rights)
        question = f": `{ended.line}` {ended.said}" if may_read else ""
        return messages.note(f"Subscription {ended.number} has ended{question}.")

    async def _required(
        self, number: int, command: CommandName, requester: Requester
    ) -> Subscription:
        """The subscription of this channel that the person may end. Their own they may end from
        direct messages, too, since they may have left the channel. Raises BadQuestion and Refused.
        """
        for each in await self.subscriptions.subscriptions():
            is_here = each.channel == requester.channel or (
                each.user == requester.user and requester.is_in_direct_message
            )
            if each.number != number or not is_here:
                continue
            if await self.permissions.may_end(owned(each), requester):
                return each
            if await self.permissions.may_see(owned(each), requester):
                raise not_a_manager()
        self.access.require(command, **requester.rights)
        raise BadQuestion(
            f"There is no subscription {number} in this channel.", f"/{command} subscriptions"
        )

    async def _list(self, command: CommandName, requester: Requester) -> Answer:
        lines = []
        for each in await self.subscriptions.subscriptions(requester.channel):
            if line := await self._line(each, requester):
                lines.append(line)
        lines += [
            f"`{digest.line}` ({digest.at}), digest {digest.name} of bot.toml for {digest.channel}"
            for digest in self.file_digests
            if await self.permissions.may_see(owned_digest(digest), requester)
        ]
        if not lines:
            text = (
                f"There are no subscriptions in this channel. One is made with `/{command} "
                "subscribe … at 09:00 on weekdays`."
            )
            return messages.note(text)
        head = f"Subscriptions in this channel (times in {self.zone}):"
        return messages.list_answer(head, lines)

    async def _line(self, subscription: Subscription, requester: Requester) -> str:
        """A subscription as it is listed; nothing for whom it does not concern."""
        whose = owned(subscription)
        if not await self.permissions.may_see(whose, requester):
            return ""
        paused = (
            "paused, since its maker may not have it asked any more; "
            if self.guard.is_paused(schedule_name(subscription))
            else ""
        )
        may_read = self.access.may_ask(whose.command, **requester.rights)
        question = f"`{subscription.line}` " if may_read else f"a question of /{whose.command} "
        return (
            f"{subscription.number}. {paused}{question}{subscription.said}, by "
            f"<@{subscription.user}>"
        )


def owned(subscription: Subscription) -> Owned:
    """Whose a subscription is."""
    return Owned(command_of(subscription.line), subscription.channel, subscription.user)


def owned_digest(digest: Digest) -> Owned:
    """A digest of the configuration is nobody's."""
    return Owned(command_of(digest.line), digest.channel)


def command_of(line: str) -> CommandName:
    """The command of a line that was read before."""
    return line.partition(" ")[0].removeprefix("/").lower()


def not_a_manager() -> AccessDenied:
    return AccessDenied(
        "You may not manage what is asked on a schedule here.",
        (
            "Ask whoever made it, or ask the operator to add you to `manage` under [access] in "
            "bot.toml."
        ),
    )


def seen_by_all(access: AccessPolicy, command: CommandName, channel: str) -> str:
    """A word of warning where not everybody in the channel may ask what will be told in it."""
    if access.is_public(command, channel):
        return ""
    return f" Everybody in this channel will see it, also who may not ask /{command}."


async def invitation(channels: Channels, channel: str) -> str:
    """What has to be done first where the bot cannot post in the channel."""
    if await channels.is_bot_in(channel) is not False:
        return ""
    return (
        " It is saved, but nothing can be posted yet, because I am not in this channel: `/invite "
        "@Opswatch`."
    )


def schedule_name(subscription: Subscription) -> str:
    """What the scheduler calls a subscription."""
    return f"subscription {subscription.number}"


def digest_of(subscription: Subscription, zone: tzinfo) -> Digest:
    """A subscription as the scheduler has it."""
    trigger = read_cron(subscription.cron, zone)
    assert trigger is not None, "it was read when it was made"
    return Digest(
        schedule_name(subscription),
        subscription.line,
        subscription.cron,
        trigger,
        subscription.channel,
    )
