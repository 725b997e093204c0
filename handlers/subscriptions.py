"""`subscribe`, `subscriptions` and `unsubscribe`: questions on a schedule, created, listed and ended
in the channel they post in.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from functools import partial
from types import MappingProxyType
from typing import ClassVar

from msgspec import Struct, field

from bot import formatting
from bot.access import AccessPolicy
from bot.answer import Answer
from bot.blocks import messages
from bot.blocks.alert_lines import PAUSED
from bot.blocks.home import Upcoming
from bot.errors import BadQuestion, FormName, SlackDeliveryUnknown, SlackRefused
from bot.questions.managing import SUBSCRIPTION_WORDS
from bot.questions.question import CommandName, Question
from bot.questions.registry import COMMANDS
from bot.schedules.due import Due, next_due
from bot.schedules.recurrence import cron_in_words
from bot.schedules.subscribe import (
    Subscribe,
    SubscriptionCommand,
    Unsubscribe,
    parse_subscription,
)
from bot.slack.canvas_posts import CanvasUpdater
from bot.slack.canvases import UNAVAILABLE
from bot.store import StoreUnavailable, Subscription, SubscriptionStore
from handlers.chat_commands import (
    QuestionReader,
    audience_warning,
    handle_command,
    invitation,
    working_hints,
)
from handlers.jobs.digests import Digest, DigestJob, first_page
from handlers.jobs.scheduler import Job, Scheduler
from handlers.pauses import Pausable, PauseGuard
from handlers.permissions import Owned, Permissions, Requester, not_a_manager
from handlers.subscription_digests import digest_of, owned, owned_digest, schedule_name

log = logging.getLogger("opswatch")
POSTS_HERE = "Posts here."


class SubscriptionManager(Struct, frozen=True):
    """Creates, lists and ends subscriptions. `file_digests` are those of the configuration, which
    are only listed here.
    """

    questions: QuestionReader
    subscriptions: SubscriptionStore
    scheduler: Scheduler
    job: DigestJob
    permissions: Permissions
    guard: PauseGuard
    zone: tzinfo
    clock: Callable[[], datetime]
    file_digests: Sequence[Digest]
    canvases: CanvasUpdater
    verbs: ClassVar[Sequence[str]] = SUBSCRIPTION_WORDS
    create_verb: ClassVar[str] = "subscribe"
    forms: ClassVar[Mapping[str, FormName]] = MappingProxyType({"subscribe": "subscription"})
    _scheduled_names: set[str] = field(default_factory=set)
    # Held while a subscription is written and scheduled, so that a list read meanwhile does not
    # undo it.
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def handle(self, command: CommandName, text: str, asker: Requester) -> Answer | None:
        """As `Manager.handle`."""
        return await handle_command(self, command, text, asker)

    def parse(self, command: CommandName, text: str, requester: Requester) -> SubscriptionCommand:
        action = parse_subscription(command, text, self.questions.directory(requester))
        assert action is not None, "the first word is one of `verbs`"
        return action

    def check(
        self, action: SubscriptionCommand, command: CommandName, requester: Requester
    ) -> None:
        if isinstance(action, Subscribe):
            self._question(action, command, requester)

    def example(self, command: CommandName, requester: Requester) -> str:
        words = COMMANDS[command].example_words(self.questions.directory(requester))
        return f"/{command} subscribe {words} at 09:00"

    async def run(
        self, action: SubscriptionCommand, command: CommandName, requester: Requester
    ) -> Answer:
        if action == "list":
            self.access.require(command, **requester.rights)
            return await self._list(command, requester)
        if isinstance(action, Subscribe):
            return await self.subscribe(action, command, requester)
        return await self._unsubscribe(action, command, requester)

    @property
    def access(self) -> AccessPolicy:
        return self.permissions.access

    async def open(self) -> list[Job]:
        """The stored subscriptions, each as a job of the scheduler."""
        stored = await self.subscriptions.subscriptions()
        self._scheduled_names.update(map(schedule_name, stored))
        return [self._scheduled(each) for each in stored]

    async def refresh(self) -> None:
        """Schedules subscriptions that another process has made, and removes those it has ended."""
        async with self._lock:
            stored = {
                schedule_name(each): each for each in await self.subscriptions.subscriptions()
            }
            for name in self._scheduled_names - set(stored):
                self._unschedule(name)
            for name, each in stored.items():
                if name not in self._scheduled_names:
                    await self._schedule(each)

    async def _schedule(self, subscription: Subscription) -> None:
        await self.scheduler.add(self._scheduled(subscription))
        self._scheduled_names.add(schedule_name(subscription))

    def _unschedule(self, name: str) -> None:
        self.scheduler.remove(name)
        self._scheduled_names.discard(name)

    async def upcoming(self, requester: Requester) -> list[Upcoming]:
        """The next digests that the person may see, by due time."""
        now = self.clock()
        found = list[Upcoming]()
        entries = [(digest, owned_digest(digest)) for digest in self.file_digests]
        made = [
            each
            for each in await self.subscriptions.subscriptions()
            if not self.guard.is_paused(schedule_name(each))
        ]
        entries += [(digest_of(each, self.zone), owned(each)) for each in made]
        for digest, whose in entries:
            if (due := next_due(digest.trigger, now)) and await self._may_show(whose, requester):
                # Paused ones are left out before: their next time is not known.
                found.append(
                    Upcoming(due, digest.display_line, digest.channel, as_canvas=digest.as_canvas)
                )
        return sorted(found, key=lambda each: each.due)

    async def _may_show(self, whose: Owned, requester: Requester) -> bool:
        """Whether its question may be shown. Creators who have lost access may end theirs by its
        number, but do not see the question.
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
        """Posts the digest if the creator has access now. Runs that were paused are not made up
        for.
        """
        number = subscription.number
        whose = owned(subscription)
        pausable = Pausable(
            digest.name, f"Subscription {number}", whose, f"/{whose.command} unsubscribe {number}"
        )
        if await self.guard.may_run(pausable):
            await self.job.run(digest, due)
        # Recorded as handled; otherwise it would be due again at once.
        elif await self.job.schedules.claim_run(digest.name, due.at, now=self.clock()) is not None:
            await self.job.schedules.end_run(
                digest.name, due.at, outcome="paused", posts=[], now=self.clock()
            )

    async def subscribe(
        self, action: Subscribe, command: CommandName, requester: Requester
    ) -> Answer:
        """Adds a subscription for a person who may manage it, and returns the note about it. Raises
        BadQuestion.
        """
        now = self.clock()
        channel = requester.channel
        with working_hints(self, command, requester):
            question = self._question(action, command, requester)
            _require_channel(action, command, question, requester)
        async with self._lock:
            # In one step under the lock with scheduling, so that `refresh` does not schedule it
            # twice.
            subscription = await self.subscriptions.subscribe(
                channel=channel,
                line=question.line,
                cron=action.cron,
                said=action.description,
                user=requester.user,
                now=now,
                as_canvas=action.as_canvas,
            )
            await self._schedule(subscription)
        digest = digest_of(subscription, self.zone)
        due = next_due(digest.trigger, now)
        first = f" First on {_weekday_and_time(due, self.zone, now)}." if due else ""
        where = await self._open_canvas(digest, first.strip()) if action.as_canvas else POSTS_HERE
        text = (
            f"Subscription {subscription.number} created: `{question.line}` {action.description} "
            f"({self.zone}). {where}{first} End it with `/{command} unsubscribe "
            f"{subscription.number}`.{await audience_warning(self.permissions, command, channel)}"
            f"{await invitation(self.permissions.channels, channel)}"
        )
        return messages.note(text)

    async def _open_canvas(self, digest: Digest, first: str) -> str:
        """Creates the canvas of a new subscription, so that people see at once whether there can be
        one, and returns a sentence about it.
        """
        page = first_page(digest, first or "The first answer is not due yet.")
        try:
            code = await self.canvases.update(page, digest.channel, digest.channel, is_first=True)
        except (SlackRefused, SlackDeliveryUnknown, StoreUnavailable) as error:
            # Its first run tries again, and reports what does not work.
            log.warning("The canvas of %s could not be created: %s", digest.name, error)
            return "Keeps a canvas of this channel up to date."
        if code:
            return f"Posts messages here, since {UNAVAILABLE.get(code, code)}."
        return "Keeps a canvas up to date, in the tabs of this channel."

    def _question(self, action: Subscribe, command: CommandName, requester: Requester) -> Question:
        """The question to subscribe to. Raises BadQuestion with a subscription as its hint."""
        try:
            return self.questions.read(
                command, action.query, requester, no_help="You cannot subscribe to `help`."
            )
        except BadQuestion as error:
            error.hint = f"/{command} subscribe {error.hint.partition(' ')[2]} {action.words}"
            raise

    async def _unsubscribe(
        self, action: Unsubscribe, command: CommandName, requester: Requester
    ) -> Answer:
        subscription = await self._required(action.number, command, requester)
        whose = owned(subscription)
        ended = await self.subscriptions.unsubscribe(
            subscription.number, channel=subscription.channel, user=requester.user, now=self.clock()
        )
        if ended is None:
            raise BadQuestion(
                f"There is no subscription {action.number} in this channel.",
                f"/{command} subscriptions",
            )
        name = schedule_name(ended)
        self._unschedule(name)
        await self.guard.forget(name)
        if subscription.user != requester.user:
            what = f"Subscription {ended.number}, `{ended.line}` {ended.said}, was ended"
            await self.guard.announcer.done_by(requester.user, ended.channel, what)
        may_read = self.access.may_ask(whose.command, **requester.rights)
        question = f": `{ended.line}` {ended.said}" if may_read else ""
        canvas = await self._close_canvas(ended) if ended.as_canvas else ""
        return messages.note(f"Subscription {ended.number} ended{question}.{canvas}")

    async def _close_canvas(self, ended: Subscription) -> str:
        """Marks the canvas of a subscription as ended, and returns a sentence about it."""
        now = self.clock()
        when = formatting.format_time(now, self.zone, now)
        note = f"No longer updated: the subscription was ended on {when} ({self.zone})."
        try:
            is_marked = await self.canvases.close(schedule_name(ended), ended.channel, note)
        except StoreUnavailable:
            is_marked = False
        if is_marked is None:
            return ""
        says = "says that it is" if is_marked else "is"
        return f" Its canvas stays, and {says} no longer updated."

    async def _required(
        self, number: int, command: CommandName, requester: Requester
    ) -> Subscription:
        """The subscription of this channel that the person may end. People may also end their own
        from direct messages, because they may have left the channel. Raises BadQuestion and
        AccessDenied.
        """
        for each in await self.subscriptions.subscriptions():
            # Numbers count through all channels, so a number alone does not say where.
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
            messages.ListLine(
                f"`{digest.display_line}` {cron_in_words(digest.at)}{_form(digest.as_canvas)}, digest "
                f"`{digest.name}` from bot.toml in {digest.channel}"
            )
            for digest in self.file_digests
            if await self.permissions.may_see(owned_digest(digest), requester)
        ]
        if not lines:
            example = self.example(command, requester)
            return messages.note(f"No subscriptions in this channel. Create one with `{example}`.")
        head = f"Subscriptions in this channel (times in {self.zone}):"
        return messages.list_answer(head, lines)

    async def _line(
        self, subscription: Subscription, requester: Requester
    ) -> messages.ListLine | None:
        """A subscription as it is listed; None if the person may not see it."""
        whose = owned(subscription)
        if not await self.permissions.may_see(whose, requester):
            return None
        is_paused = self.guard.is_paused(schedule_name(subscription))
        paused = f"{PAUSED}: " if is_paused else ""
        may_read = self.access.may_ask(whose.command, **requester.rights)
        question = f"`{subscription.line}` " if may_read else f"a /{whose.command} question "
        text = f"{subscription.number}. {paused}{question}{subscription.said}{_form(subscription.as_canvas)}"
        return messages.ListLine(text, subscription.user)


def _form(as_canvas: bool) -> str:
    return " as canvas" if as_canvas else ""


def _require_channel(
    action: Subscribe, command: CommandName, question: Question, requester: Requester
) -> None:
    """Raises BadQuestion for a canvas in direct messages, which have no tabs that others see."""
    if action.as_canvas and requester.is_in_direct_message:
        words = question.line.partition(" ")[2]
        raise BadQuestion(
            "Direct messages have no canvas; subscribe in a channel, or to messages.",
            f"/{command} subscribe {words} {action.when}",
        )


def _weekday_and_time(due: datetime, zone: tzinfo, now: datetime) -> str:
    local = due.astimezone(zone)
    day = formatting.format_day(local.date(), now.astimezone(zone).date())
    return f"{day} at {local:%H:%M}"
