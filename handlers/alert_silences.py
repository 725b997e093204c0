"""`silence` and `unsilence`: alerts that send no notifications for a while."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from msgspec import Struct

from bot import formatting
from bot.alerts.commands import Silence, Unsilence
from bot.alerts.rule import Rule
from bot.answer import Answer
from bot.blocks import messages
from bot.errors import BadQuestion
from bot.questions.question import CommandName
from bot.store import SilenceStore
from handlers.alert_registry import RuleRegistry
from handlers.jobs.alert_schedules import schedule_of
from handlers.jobs.alerts import AlertJob
from handlers.pauses import Announcer
from handlers.permissions import Requester
from handlers.typed_secrets import SecretCheck

# “Until tomorrow” ends when people are at work again.
MORNING = timedelta(hours=9)


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
        return await self.silence(rule, action.length, action.comment, requester.user)

    async def silence(
        self, rule: Rule, length: timedelta | None, comment: str, user: str
    ) -> Answer:
        """Silences an alert for this long, or until tomorrow morning."""
        now = self.clock()
        end = self.end_of(length, now)
        # The comment is shown to everybody who sees the alert.
        comment = self.secrets.redacted(comment)
        silence = await self.silences.silence(
            rule.name, end=end, comment=comment, user=user, now=now
        )
        await self.job.silences.refresh(now)
        self.scheduler.once(schedule_of(rule.name), silence.end)
        why = f" ({comment})" if comment else ""
        until = f"until {formatting.format_time_in_zone(end, self.zone, now)}{why}"
        name = await self.registry.permissions.people.name(user)
        # With an open incident its thread says so; without one, the channel does.
        if not await self.job.silenced(rule, user=user, name=name):
            await self.announce(rule, user, f"Alert `{rule.name}` was silenced {until}")
        return messages.note(
            f"Alert `{rule.name}` is silenced {until}. It is still checked, and posts at once if it "
            f"fires when the silence ends. End the silence with `/{rule.command} unsilence "
            f"{formatting.quoted(rule.name)}`."
        )

    def end_of(self, length: timedelta | None, now: datetime) -> datetime:
        """When a silence ends that begins now and lasts this long, or until tomorrow morning."""
        return now + length if length else self._tomorrow(now)

    async def announce(self, rule: Rule, user: str, what: str) -> None:
        """Posts what somebody did to an alert of another person, or of the configuration, where
        the alert posts.
        """
        if self.registry.owned(rule).creator == user and not self.announces_own:
            return
        alert = await self.job.state(rule)
        incident = alert.incident if alert.notified else ""
        await self.announcer.done_by(user, rule.channel, what, incident=incident)

    async def _unsilence(self, name: str, command: CommandName, requester: Requester) -> Answer:
        now = self.clock()
        rule = self.registry.find(name)
        await self.job.silences.refresh(now)
        # People may end their own silence without access to manage alerts.
        silence = self.job.silences.silence(rule.name, now) if rule else None
        is_own = silence is not None and silence.user == requester.user
        if rule is None or not is_own:
            rule = await self._of_others(name, command, requester)
        if not await self.silences.unsilence(rule.name, user=requester.user, now=now):
            raise NotSilenced(f"Alert `{rule.name}` is not silenced.", f"/{rule.command} alerts")
        await self.job.silences.refresh(now)
        self.scheduler.once(schedule_of(rule.name), now)
        if not is_own or self.announces_own:
            await self.announce(rule, requester.user, f"Alert `{rule.name}` was unsilenced")
        return messages.note(f"Alert `{rule.name}` is no longer silenced, and is checked now.")

    async def _of_others(self, name: str, command: CommandName, requester: Requester) -> Rule:
        """The rule of that name, for people who may end somebody else's silence. Raises BadQuestion
        and AccessDenied.
        """
        rule = self.registry.find(name)
        if rule is not None and self.registry.access.is_manager(**requester.rights):
            return rule
        return await self.registry.managed(name, command, requester)

    def _tomorrow(self, now: datetime) -> datetime:
        local = now.astimezone(self.zone)
        # Added in local time, so that nine o'clock is nine o'clock after a clock change in the
        # night.
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return (midnight + timedelta(days=1) + MORNING).astimezone(now.tzinfo)
