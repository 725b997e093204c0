"""`silence` and `unsilence`: alerts that send no notifications for a while."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Protocol

from msgspec import Struct

from bot import formatting
from bot.alerts.commands import LONGEST_SILENCE, SILENCE_LASTS, Silence, Unsilence
from bot.alerts.rule import Rule
from bot.alerts.silence_ends import EndReadings, end_words, resolve_silence_end
from bot.answer import Answer
from bot.blocks import messages
from bot.errors import BadQuestion
from bot.questions.question import CommandName
from bot.store import NewSilence, Post, SilenceStore
from handlers.alert_registry import RuleRegistry, explaining_change
from handlers.jobs.alert_schedules import schedule_of
from handlers.jobs.alerts import AlertJob
from handlers.pauses import Announcer
from handlers.permissions import Requester
from handlers.typed_secrets import SecretCheck


class NotSilenced(BadQuestion):
    """An alert has no silence that could be ended."""


class RunsOnce(Protocol):
    """Runs a job at a time beside its schedule."""

    def once(self, name: str, at: datetime) -> None: ...


class SilenceManager(Struct, frozen=True):
    """Starts and ends silences, and announces them where the alert posts: with `announces_own` also
    those that people make to alerts of their own, where nobody else has seen the command.
    """

    registry: RuleRegistry
    silences: SilenceStore
    scheduler: RunsOnce
    job: AlertJob
    announcer: Announcer
    secrets: SecretCheck
    zone: tzinfo
    clock: Callable[[], datetime]
    announces_own: bool = False

    async def refresh(self, now: datetime) -> None:
        """Reads the silences; each alert is checked as soon as its silence ends."""
        await self.job.silences.refresh(now)
        for silence in self.job.silences.silences:
            self.scheduler.once(schedule_of(silence.alert), silence.end)

    async def handle(
        self, action: Silence | Unsilence, command: CommandName, requester: Requester
    ) -> Answer:
        if isinstance(action, Unsilence):
            return await self._unsilence(action.name, command, requester)
        rule = await self.registry.managed(action.name, command, requester)
        return await self.silence(rule, action, requester.user)

    async def silence(self, rule: Rule, wanted: Silence, user: str) -> Answer:
        """Silences an alert. Raises BadQuestion where the end has passed or may be one of two, and
        where the alert was changed or deleted meanwhile.
        """
        now = self.clock()
        stored = self.registry.stored(rule)
        readings = self.readings_of(rule, wanted, now)
        end = readings.end
        # The comment is shown to everybody who sees the alert.
        comment = self.secrets.redacted(wanted.comment)
        why = f" ({comment})" if comment else ""
        until = f"until {formatting.format_time_in_zone(end, self.zone, now)}{why}"
        await self._make(
            rule,
            NewSilence(rule.name, now, end, comment, user, stored),
            f"Alert `{rule.name}` was silenced {until}",
        )
        await self.job.silences.refresh(now)
        self.scheduler.once(schedule_of(rule.name), end)
        # Whoever names an end sees at once whether it is the one that was meant.
        left = "" if wanted.length else f", {formatting.format_duration(end - now)} from now"
        return messages.note(
            f"Alert `{rule.name}` is silenced {until}{left}. It is still checked, and posts at once "
            f"if it fires when the silence ends. End the silence with `/{rule.command} unsilence "
            f"{formatting.quoted(rule.name)}`.{self._other_reading(rule, readings)}"
        )

    async def _make(self, rule: Rule, new: NewSilence, what: str) -> None:
        """Makes a silence together with the post about it."""
        name = await self.registry.permissions.people.name(new.user)
        with explaining_change(rule):
            # With an open incident its thread says so; without one, the channel does.
            if not await self.job.silence(rule, new, name=name):
                await self.silences.silence(new, await self.posts(rule, new.user, what))
                self.announcer.outbox.wake()

    def readings_of(self, rule: Rule, wanted: Silence, now: datetime) -> EndReadings:
        """When a silence ends that begins now. Raises BadQuestion."""
        if wanted.length:
            return EndReadings(now + wanted.length)
        try:
            readings = resolve_silence_end(wanted.end, now, self.zone)
        except BadQuestion as error:
            raise BadQuestion(error.message, _silence_line(rule, error.hint)) from None
        if readings.end - now > LONGEST_SILENCE:
            raise BadQuestion(SILENCE_LASTS, _silence_line(rule, "2h"))
        return readings

    def _other_reading(self, rule: Rule, readings: EndReadings) -> str:
        """How to silence until the other instant that the words may mean, where there is one."""
        if readings.other is None:
            return ""
        other = readings.other.astimezone(self.zone)
        line = _silence_line(rule, end_words(other, self.zone))
        return f" If you meant {other:%A} {other:%H:%M}, type `{line}`."

    async def posts_of_change(self, rule: Rule, user: str, what: str) -> list[Post]:
        """What of a rule was changed: in the thread of its open incident whoever did it, else like
        anything that is done to an alert.
        """
        alert = await self.job.state(rule)
        if not alert.notified:
            return await self.posts(rule, user, what)
        incident = alert.incident
        return [await self.announcer.by_person(user, rule.channel, what, incident=incident)]

    async def posts(self, rule: Rule, user: str, what: str) -> list[Post]:
        """What somebody did to an alert of another person, or of the configuration, where the alert
        posts.
        """
        if self.registry.owned(rule).creator == user and not self.announces_own:
            return []
        alert = await self.job.state(rule)
        incident = alert.incident if alert.notified else ""
        return [await self.announcer.by_person(user, rule.channel, what, incident=incident)]

    async def _unsilence(self, name: str, command: CommandName, requester: Requester) -> Answer:
        now = self.clock()
        rule = self.registry.find(name)
        await self.job.silences.refresh(now)
        # People may end their own silence without access to manage alerts.
        silence = self.job.silences.current(rule.name) if rule else None
        is_own = silence is not None and silence.user == requester.user
        if rule is None or not is_own:
            rule = await self._of_others(name, command, requester)
        if silence is None:
            raise NotSilenced(f"Alert `{rule.name}` is not silenced.", f"/{rule.command} alerts")
        posts = list[Post]()
        if not is_own or self.announces_own:
            what = f"Alert `{rule.name}` was unsilenced"
            posts = await self.posts(rule, requester.user, what)
        stored = self.registry.stored(rule)
        with explaining_change(rule):
            is_ended = await self.silences.unsilence(
                silence, posts, user=requester.user, now=now, rule=stored
            )
        if not is_ended:
            # Somebody else has ended it, or made another one, which may be ended by others.
            return await self._unsilence(name, command, requester)
        self.announcer.outbox.wake()
        await self.job.silences.refresh(now)
        self.scheduler.once(schedule_of(rule.name), now)
        return messages.note(f"Alert `{rule.name}` is no longer silenced, and is checked now.")

    async def _of_others(self, name: str, command: CommandName, requester: Requester) -> Rule:
        """The rule of that name, for people who may end somebody else's silence. Raises BadQuestion
        and AccessDenied.
        """
        rule = self.registry.find(name)
        if rule is not None and self.registry.access.is_manager(**requester.rights):
            return rule
        return await self.registry.managed(name, command, requester)


def _silence_line(rule: Rule, length: str) -> str:
    return f"/{rule.command} silence {formatting.quoted(rule.name)} {length}"
