"""What changes alerts without a running bot: with the same rules, and the same notifications, which the
bot sends.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from msgspec import Struct

from bot.commands.answering import Answerer
from bot.composition.alert_job import build_alert_job
from bot.composition.from_settings import rules_from_settings
from bot.composition.people import SlackPeople, open_people
from bot.config import Settings, SlackTokens
from bot.slack.client import SlackClient
from bot.slack.outbox import Outbox
from bot.store import Store
from handlers.alert_registry import RuleRegistry
from handlers.alert_silences import SilenceManager
from handlers.jobs.alerts import AlertJob
from handlers.pauses import Announcer
from handlers.permissions import Permissions
from handlers.typed_secrets import SecretCheck
from providers.clock import Clock, utc_now
from providers.redaction import Redactor


class AlertChanges(Struct, frozen=True):
    """Acknowledges and silences alerts, and knows who may."""

    registry: RuleRegistry
    silences: SilenceManager
    job: AlertJob
    people: SlackPeople
    clock: Clock

    @property
    def permissions(self) -> Permissions:
        return self.registry.permissions


class _NoSchedule:
    """The bot itself evaluates alerts at their next time."""

    def once(self, name: str, at: datetime) -> None:
        """Runs nothing."""


@asynccontextmanager
async def open_alert_changes(
    settings: Settings, tokens: SlackTokens, store: Store
) -> AsyncIterator[AlertChanges]:
    """The alerts of the configuration and from chat. Who may change them is looked up in Slack now:
    raises SlackUnknown where that is not possible.
    """
    clock = store.shared_clock(utc_now)
    async with open_people(settings, tokens, clock) as people:
        rules = {rule.name: rule for rule in await store.rules.rules()}
        registry = RuleRegistry(people.permissions, rules_from_settings(settings), rules)
        outbox = await _outbox(settings, store, people.client, clock)
        secrets = SecretCheck(Redactor([*settings.secrets(), *tokens.secrets()]))
        # Nothing is evaluated here.
        answering = Answerer({}, settings.directory)
        job = build_alert_job(
            settings, store, answering, outbox, people.permissions, secrets, clock
        )
        await job.silences.refresh(clock())
        silences = SilenceManager(
            registry,
            store.silences,
            _NoSchedule(),
            job,
            Announcer(store.outbox, outbox, people.directory, clock),
            secrets,
            settings.timezone,
            clock,
            announces_own=True,
        )
        yield AlertChanges(registry, silences, job, people, clock)


async def _outbox(settings: Settings, store: Store, client: SlackClient, clock: Clock) -> Outbox:
    """The queue of messages, which the bot sends."""
    outbox = Outbox(store.outbox, client, clock, settings.slack.ops_channel or "")
    # By its id, the style of a channel is found for alerts that name the channel otherwise.
    for channel in settings.channels:
        await outbox.channel_id(channel)
    return outbox
