"""Builds the bot from its parts, in groups that depend only on earlier ones."""

from __future__ import annotations

from msgspec import Struct
from slack_bolt.async_app import AsyncApp

from bot.commands.answering import Answerer
from bot.composition.accounts import build_answerer
from bot.composition.alert_job import build_alert_job
from bot.composition.foundation import Foundation
from bot.composition.from_settings import (
    build_access_policy,
    digests_from_settings,
    rules_from_settings,
)
from bot.config import Settings
from bot.notifications.pagerduty import PagerDutySettings
from bot.observability.observers import Observers
from bot.slack.canvases import Canvases
from bot.slack.channels import SlackChannels
from bot.slack.handles import SlackHandles
from bot.slack.http_mode import Webhook
from bot.slack.outbox import Outbox, OutboxTimings
from bot.slack.pace import Priority
from bot.slack.permalinks import Permalinks
from bot.slack.users import SlackUserDirectory
from bot.store import Topic
from bot.targets.sender import Targets
from handlers.alert_list import AlertList
from handlers.alert_registry import RuleRegistry
from handlers.alert_rules import RuleManager
from handlers.alert_silences import SilenceManager
from handlers.backtesting import Backtesting
from handlers.chat_commands import QuestionReader
from handlers.jobs import digests as digest_jobs
from handlers.jobs.alert_schedules import EvaluationClaims
from handlers.jobs.alerts import AlertJob
from handlers.jobs.baselines import BaselineReader
from handlers.jobs.digests import DigestJob
from handlers.jobs.escalations import EscalationJob
from handlers.jobs.pruning import Pruning
from handlers.jobs.scheduler import Scheduler
from handlers.listeners import (
    actions,
    alert_actions,
    commands,
    direct_messages,
    forms,
    home,
    mentions,
    other_events,
    pagerduty,
    workflow_step,
)
from handlers.listeners.alert_messages import AlertMessages
from handlers.listeners.errors import ErrorListener
from handlers.listeners.pagerduty import PagerDutyWebhook
from handlers.listeners.workflow_step import WorkflowStep
from handlers.pauses import Announcer, PauseGuard
from handlers.permissions import Permissions
from handlers.recipients import RecipientLookup
from handlers.requests import RequestHandler
from handlers.saved_questions import SavedQuestionManager
from handlers.subscriptions import SubscriptionManager
from handlers.typed_secrets import SecretCheck


class Core(Struct, frozen=True):
    """What every handler uses: answers, access rules and posts."""

    answering: Answerer
    people: SlackUserDirectory
    permissions: Permissions
    secrets: SecretCheck
    outbox: Outbox
    announcer: Announcer
    guard: PauseGuard
    canvases: Canvases


async def build_core(base: Foundation, timings: OutboxTimings, observers: Observers) -> Core:
    settings = base.settings
    store = base.store
    clock = base.clock
    people = SlackUserDirectory(base.client, settings.timezone, clock)
    channels = SlackChannels(base.client)
    permissions = Permissions(build_access_policy(settings.access), people, channels)
    canvases = Canvases(store.canvases, base.client.at(Priority.MESSAGE))
    outbox = Outbox(
        store.outbox,
        # Answers come first, since somebody waits for them; then messages, then files and progress.
        base.client.at(Priority.MESSAGE),
        clock,
        base.ops_channel,
        timings,
        Targets(
            settings.targets,
            base.session,
            settings.network,
            clock,
            base.redactor,
            observers.event,
        ),
        list(settings.channels),
        canvases,
    )
    announcer = Announcer(store.outbox, outbox, people, clock)
    guard = PauseGuard(
        permissions, store.pauses, announcer, base.delivery.open_dm, clock, base.ops_channel
    )
    # Before the first run, which must not post a second time that it is paused.
    await guard.open()
    return Core(
        build_answerer(settings, base.accounts, base.redactor, clock, seen=store.seen),
        people,
        permissions,
        SecretCheck(base.redactor),
        outbox,
        announcer,
        guard,
        canvases,
    )


class Jobs(Struct, frozen=True):
    """What runs on a schedule, and the scheduler."""

    digests: DigestJob
    alerts: AlertJob
    scheduler: Scheduler


def build_jobs(base: Foundation, core: Core, observers: Observers) -> Jobs:
    store = base.store
    clock = base.clock
    zone = base.settings.timezone
    digests = DigestJob(
        core.answering, store.schedules, core.outbox, zone, clock, base.ops_channel, core.secrets
    )
    alerts = build_alert_job(
        base.settings,
        store,
        core.answering,
        core.outbox,
        core.permissions,
        core.secrets,
        clock,
        on_evaluated=observers.evaluation,
        baselines=BaselineReader(store.baselines, _backtesting(base, core).history, zone, clock),
    )
    scheduler = Scheduler(
        store.schedules,
        clock,
        [],
        Pruning(store.prune, store.times.latest, core.outbox.report_database_failure),
        core.outbox.report_database_failure,
        reset_stored=store.times.reset,
        tell_operator=core.outbox.tell_operator,
        database_problem=store.problem,
        compare_clocks=store.compare_clocks,
        tick_s=digest_jobs.TICK_S,
        share=store.share,
    )
    # Evaluations have claims of their own, beside the runs of digests.
    claims = EvaluationClaims(store.alerts)
    scheduler.abandoned.append(claims.abandoned)
    scheduler.claimed_elsewhere.append(claims.claimed_elsewhere)
    return Jobs(digests, alerts, scheduler)


def _backtesting(base: Foundation, core: Core) -> Backtesting:
    return Backtesting(
        core.answering.commands,
        base.settings.directory,
        base.store.alerts,
        base.settings.timezone,
        base.clock,
    )


class Managers(Struct, frozen=True):
    """What creates, lists and ends alerts and subscriptions from chat."""

    rules: RuleManager
    subscriptions: SubscriptionManager
    saved_questions: SavedQuestionManager


async def build_managers(base: Foundation, core: Core, jobs: Jobs) -> Managers:
    """The managers, with everything that is stored or configured given to the scheduler."""
    digests = digests_from_settings(base.settings, base.redactor)
    zone = base.settings.timezone
    clock = base.clock
    questions = QuestionReader(core.answering, core.permissions, core.secrets, zone, clock)
    rules = _rule_manager(base, core, jobs, questions)
    subscriptions = SubscriptionManager(
        questions,
        base.store.subscriptions,
        jobs.scheduler,
        jobs.digests,
        core.permissions,
        core.guard,
        zone,
        clock,
        digests,
        core.canvases,
    )
    jobs.scheduler.after_reset.append(rules.silences.refresh)
    # Set only now: the managers read what is stored, and need the scheduler for it.
    jobs.scheduler.at_start = [
        *(jobs.digests.scheduled(digest) for digest in digests),
        *(rules.scheduled(rule) for rule in await rules.open(clock())),
        EscalationJob(jobs.alerts, rules.escalating, rules.registry.closed_channels).scheduled(),
        *await subscriptions.open(),
    ]
    base.changes.refresh = {
        Topic.RULES: rules.refresh,
        Topic.SILENCES: lambda: rules.silences.refresh(clock()),
        Topic.SUBSCRIPTIONS: subscriptions.refresh,
        Topic.PAUSES: core.guard.refresh,
    }
    saved = SavedQuestionManager(questions, base.store.saved_questions, core.announcer, clock)
    return Managers(rules, subscriptions, saved)


def _rule_manager(
    base: Foundation, core: Core, jobs: Jobs, questions: QuestionReader
) -> RuleManager:
    store = base.store
    clock = base.clock
    zone = base.settings.timezone
    registry = RuleRegistry(core.permissions, rules_from_settings(base.settings))
    silences = SilenceManager(
        registry,
        store.silences,
        jobs.scheduler,
        jobs.alerts,
        core.announcer,
        core.secrets,
        zone,
        clock,
    )
    return RuleManager(
        questions,
        store.rules,
        registry,
        silences,
        jobs.scheduler,
        jobs.alerts,
        core.guard,
        AlertList(
            registry,
            jobs.alerts,
            core.guard,
            zone,
            clock,
            Permalinks(base.client, store.outbox, core.outbox.channel_id).of_post,
        ),
        RecipientLookup(
            core.permissions.access,
            SlackHandles(base.client),
            core.permissions.channels,
            [*base.settings.targets, *base.settings.on_call],
        ),
        clock,
    )


def build_request_handler(
    base: Foundation, core: Core, managers: Managers, observers: Observers
) -> RequestHandler:
    return RequestHandler(
        answering=core.answering,
        permissions=core.permissions,
        delivery=base.delivery,
        store=base.store,
        redactor=base.redactor,
        clock=base.clock,
        outcomes=base.outcomes,
        managers=[managers.subscriptions, managers.rules, managers.saved_questions],
        saved_questions=managers.saved_questions,
        zone=base.settings.timezone,
        on_finished=observers.question,
    )


def register_listeners(
    app: AsyncApp, base: Foundation, core: Core, managers: Managers, requests: RequestHandler
) -> None:
    """Registers a listener for everything that Slack may deliver."""
    store = base.store
    clock = base.clock
    rules = managers.rules
    subscriptions = managers.subscriptions
    accounts = base.accounts
    backtesting = _backtesting(base, core)
    problems = ErrorListener(
        base.delivery, core.permissions.channels, store, base.outcomes, base.redactor, clock
    )
    commands.register(app, requests)
    actions.register(app, requests, store)
    forms.register(
        app, requests, subscriptions, rules, backtesting, accounts.logs, accounts.calls, problems
    )
    alerts = AlertMessages(rules.registry)
    mentions.register(app, requests, alerts)
    direct_messages.register(app, requests, alerts)
    step = WorkflowStep(
        core.answering,
        core.permissions,
        store.outbox,
        core.outbox,
        core.secrets,
        managers.saved_questions,
        base.settings.timezone,
        clock,
    )
    workflow_step.register(app, step)
    tab = home.register(app, requests, store, accounts.all, subscriptions, rules)
    alert_actions.register(app, requests, rules, tab.refresh)
    # After all others, since the first listener that matches takes an event.
    other_events.register(app)
    app.error(problems.__call__)


def build_webhooks(settings: Settings, jobs: Jobs, managers: Managers) -> dict[str, Webhook]:
    """What HTTP mode answers beside Slack, by path."""
    secrets = {
        name: target.webhook_secret
        for name, target in settings.targets.items()
        if isinstance(target, PagerDutySettings) and target.webhook_secret
    }
    # Without a secret nothing could be told from a forged request, so the address does not exist.
    if not secrets:
        return {}
    registry = managers.rules.registry
    webhook = PagerDutyWebhook(jobs.alerts, registry.rules, secrets)
    return {pagerduty.PATH: webhook}
