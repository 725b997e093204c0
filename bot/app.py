"""Introduces everyone to each other, and runs the bot against Slack in either mode."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
from slack_bolt import BoltResponse
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.alerts.mutes import Mute, localise
from bot.composition import (
    ProviderRegistry,
    build_access_policy,
    build_answerer,
    redacted_line,
    rules_from_settings,
)
from bot.config import Settings, SlackTokens
from bot.health import ConnectionStatus
from bot.observers import NO_OBSERVERS, Observers
from bot.private_files import sweep_temporary_folders
from bot.schedules.due import read_cron
from bot.slack.channels import SlackChannels
from bot.slack.client import SlackClient
from bot.slack.deliveries import Deliveries, wants_reply
from bot.slack.delivery import Delivery
from bot.slack.http_mode import HttpMode
from bot.slack.outbox import Outbox, OutboxTimings
from bot.slack.pace import Priority, SlackPace
from bot.slack.socket_mode import (
    FATAL_ERRORS,
    NOT_CONNECTED,
    SocketMode,
    SocketTimeouts,
    unreachable,
)
from bot.slack.users import SlackUserDirectory
from bot.slack.web import PacedWebClient, json_text, retry_after_s, web_client
from bot.store import LeaseTimings, Store, StoreUnavailable
from handlers.alert_list import AlertList
from handlers.alert_registry import RuleRegistry
from handlers.alert_rules import RuleManager
from handlers.alert_silences import SilenceManager
from handlers.backtesting import Backtesting
from handlers.chat_commands import QuestionReader
from handlers.jobs import digests as job_digests
from handlers.jobs.alerts import AlertJob
from handlers.jobs.digests import Digest, DigestJob
from handlers.jobs.scheduler import Scheduler
from handlers.jobs.silences import SilenceIndex
from handlers.listeners import actions, alert_actions, forms, home, mentions
from handlers.listeners import commands as listener_commands
from handlers.listeners.errors import ErrorListener
from handlers.pauses import Announcer, PauseGuard
from handlers.permissions import Permissions
from handlers.requests import RequestHandler
from handlers.subscriptions import SubscriptionManager
from handlers.typed_secrets import SecretCheck
from providers.clock import Clock, utc_now
from providers.http.connections import open_session
from providers.redaction import Redactor

log = logging.getLogger("opswatch")
FINISH_WITHIN_S = 5.0
POST_WITHIN_S = 1.0
# How often questions of processes that are gone are looked for.
REPORT_EVERY_S = 3.0


@dataclass(slots=True)
class Bot:
    """The bot with everything it needs, not yet connected."""

    app: AsyncApp
    deliveries: Deliveries
    client: PacedWebClient
    session: aiohttp.ClientSession
    store: Store
    settings: Settings
    tokens: SlackTokens
    requests: RequestHandler
    outbox: Outbox
    scheduler: Scheduler
    slack: ConnectionStatus
    patience: SocketTimeouts
    accounts: ProviderRegistry
    rules: RuleManager
    clock: Clock = utc_now
    http_mode: HttpMode | None = None

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Connected to Slack as `[slack] mode` says, or trying to, and at work; work under way gets
        a while to end.
        """
        async with self.connection(), self.working():
            try:
                yield
            finally:
                await self.requests.running.finish(within_s=FINISH_WITHIN_S)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Sends posts, runs what is due, and reports questions that another process left
        unanswered.
        """
        reporting = asyncio.create_task(self._report_interrupted())
        posting = asyncio.create_task(self.outbox.run())
        try:
            await self.scheduler.start()
            yield
        finally:
            reporting.cancel()
            await self.scheduler.stop(within_s=FINISH_WITHIN_S)
            posting.cancel()
            await self.outbox.finish(within_s=POST_WITHIN_S)
            with contextlib.suppress(StoreUnavailable):
                await self.store.outbox.release_claims()
                await self.store.schedules.release_claims()

    def connection(self) -> AbstractAsyncContextManager[None]:
        """The connection to Slack, which passes deliveries to `deliveries`."""
        return self._socket() if self.settings.slack.mode == "socket" else self._http()

    def hand_over_to(self, new: Bot) -> None:
        """Passes what this bot's connection delivers to the new bot. In HTTP mode the new signing
        secret and base path apply at once.
        """
        self.deliveries.lead_to(new.deliveries)
        if self.http_mode:
            self.http_mode.expect(new.tokens.signing, new.settings.slack.base_path)

    async def _report_interrupted(self) -> None:
        """Again and again, since a process is known to be gone only once its lease has expired.
        Begins a while after the start, when an older version that was still finishing has ended.
        """
        started = self.clock()
        await asyncio.sleep(self.patience.lost)
        while True:
            try:
                await self.requests.report_interrupted(started=started)
            except StoreUnavailable as error:
                log.warning("Interrupted questions could not be looked for: %s", error)
            await asyncio.sleep(REPORT_EVERY_S)

    @asynccontextmanager
    async def _socket(self) -> AsyncIterator[None]:
        tokens = self.tokens
        # A session of its own: the connection may outlast the bot that opened it.
        async with open_session(self.settings.network, json_serialize=json_text) as session:
            client = web_client(tokens.bot.open(), tokens.api_url, session, pace=self.client.pace)
            socket_mode = SocketMode(
                client,
                session,
                tokens.app.open(),
                self._handle,
                self.slack,
                self.patience,
                self.clock,
            )
            try:
                await socket_mode.start()
                yield
            finally:
                await socket_mode.close()

    async def _handle(self, request: SocketModeRequest) -> dict[str, Any] | None:
        """Bolt's answer to an envelope, where it has one."""
        delivery = AsyncBoltRequest(
            mode="socket_mode", body=request.payload, headers=build_headers(request)
        )
        response = await self.deliveries.take(delivery)
        return (
            json.loads(response.body) if response.body and response.body.startswith("{") else None
        )

    def _http(self) -> AbstractAsyncContextManager[None]:
        listening = self.settings.slack
        self.http_mode = HttpMode(
            self.deliveries, self.tokens.signing, self.slack, self.clock, listening.base_path
        )
        return self.http_mode.listening(listening.host, listening.port)


@asynccontextmanager
async def open_bot(
    settings: Settings,
    tokens: SlackTokens,
    slack: ConnectionStatus | None = None,
    patience: SocketTimeouts = SocketTimeouts(),
    pace: OutboxTimings = OutboxTimings(),
    *,
    clock: Clock | None = None,
    lease: LeaseTimings = LeaseTimings(),
    observers: Observers = NO_OBSERVERS,
    slack_pace: SlackPace | None = None,
) -> AsyncIterator[Bot]:
    """Everyone introduced to each other; where Slack cannot be reached, this waits for it. `clock`
    is the time of day for all of them; tests hold it. `observers` are told of what happens.
    `slack_pace` is that of a bot that is still running, since Slack counts the calls of both.

    Raises StoreError, and SlackApiError where the token is not accepted.
    """
    slack, clock = slack or ConnectionStatus(), clock or utc_now
    redactor = Redactor([*settings.secrets(), *tokens.secrets()])
    await asyncio.to_thread(sweep_temporary_folders)
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            open_session(settings.network, json_serialize=json_text)
        )
        web = web_client(
            tokens.bot.open(),
            tokens.api_url,
            session,
            pace=_pace(slack_pace, pace, observers),
            team_id=settings.slack.team_id,
        )
        client = SlackClient(web, session)
        store = await Store.open(
            settings.database, now=clock(), retention=settings.retention.periods, lease=lease
        )
        stack.push_async_callback(store.close)
        accounts = ProviderRegistry(settings, redactor, store.rate_limits, clock, observers.request)
        stack.push_async_callback(accounts.aclose)
        delivery = Delivery(client)
        stack.push_async_callback(delivery.aclose)
        ops, access = settings.slack.ops_channel or "", build_access_policy(settings.access)
        answering = build_answerer(settings, accounts, redactor, clock)
        outbox = Outbox(store.outbox, client.at(Priority.MESSAGE), clock, ops, pace)
        digests, zone = _digests(settings, redactor), settings.timezone
        people = SlackUserDirectory(client, zone, clock)
        permissions, secrets = (
            Permissions(access, people, SlackChannels(client)),
            SecretCheck(redactor),
        )
        announcer = Announcer(store.outbox, outbox, people, clock)
        guard = PauseGuard(permissions, store.pauses, announcer, delivery.open_dm, clock, ops)
        await guard.open()
        job = DigestJob(answering, store.schedules, outbox, zone, clock, ops, secrets)
        watch = AlertJob(
            answering,
            store.alerts,
            outbox,
            SilenceIndex(store.silences, _mutes(settings), zone),
            zone,
            clock,
            ops,
            observers.evaluation,
        )
        works = [job.scheduled(each) for each in digests]
        scheduler = Scheduler(
            store.schedules,
            clock,
            works,
            store.prune,
            outbox.report_database_failure,
            reset_stored=store.times.reset,
            tell_operator=outbox.tell_operator,
            database_trouble=store.trouble,
            tick_s=job_digests.TICK_S,
        )
        registry = RuleRegistry(permissions, rules_from_settings(settings))
        silences = SilenceManager(
            registry, store.silences, scheduler, watch, announcer, secrets, zone, clock
        )
        questions = QuestionReader(answering, permissions, secrets, zone, clock)
        rules = RuleManager(
            questions,
            store.rules,
            registry,
            silences,
            scheduler,
            watch,
            guard,
            AlertList(registry, watch, guard, zone, clock),
            clock,
        )
        works += [rules.scheduled(rule) for rule in await rules.open(clock())]
        scheduler.abandoned.append(watch.abandoned)
        scheduler.after_reset.append(silences.refresh)
        subscriptions = SubscriptionManager(
            questions,
            store.subscriptions,
            scheduler,
            job,
            permissions,
            guard,
            zone,
            clock,
            digests,
        )
        works += await subscriptions.open()
        requests = RequestHandler(
            answering=answering,
            permissions=permissions,
            delivery=delivery,
            store=store,
            redactor=redactor,
            clock=clock,
            managers=[subscriptions, rules],
            zone=zone,
            on_finished=observers.question,
        )
        who = await _wait_for_auth(web, slack, patience)
        ids = (who.get("team_id"), who.get("enterprise_id"), settings.slack.team_id)
        people.workspace = frozenset(filter(None, ids))
        app = _bolt(web, tokens, who)
        listener_commands.register(app, requests)
        actions.register(app, requests, store)
        alert_actions.register(app, requests, rules)
        backtesting = Backtesting(answering.commands, settings.directory, store.alerts, zone, clock)
        problems = ErrorListener(delivery, permissions.channels, store, redactor, clock)
        forms.register(app, requests, subscriptions, rules, backtesting, accounts.logs, problems)
        mentions.register(app, requests)
        home.register(app, requests, store, accounts.all, subscriptions, rules)
        app.error(problems.__call__)
        yield Bot(
            app,
            Deliveries(app.async_dispatch, store.deliveries, clock),
            web,
            session,
            store,
            settings,
            tokens,
            requests,
            outbox,
            scheduler,
            slack,
            patience,
            accounts,
            rules,
            clock,
        )


def _pace(shared: SlackPace | None, timings: OutboxTimings, observers: Observers) -> SlackPace:
    """The pace of a bot that is still running, or a new one."""
    if shared is None:
        return SlackPace(timings.per_channel, observers.rate_limit)
    shared.on_refusal = observers.rate_limit
    return shared


async def _wait_for_auth(
    client: AsyncWebClient, slack: ConnectionStatus, patience: SocketTimeouts
) -> Any:
    """Who we are, as Slack says. Asked for until Slack can be reached; a token it will never accept
    raises.
    """
    backoff_s = patience.first_wait
    while True:
        asked_for_s: float | None = None
        try:
            return await asyncio.wait_for(client.auth_test(), patience.open)
        except SlackApiError as error:
            if error.response.get("error") in FATAL_ERRORS:
                raise
            asked_for_s = retry_after_s(error)
            slack.trouble = (
                "Slack does not tell who we are "
                f"({error.response.get('error') or error.response.status_code})."
            )
        except NOT_CONNECTED as error:
            slack.trouble = unreachable(error)
        wait_s = max(backoff_s, asked_for_s or 0.0)
        log.error("Not connected to Slack: %s Trying again in %.0f s.", slack.trouble, wait_s)
        await asyncio.sleep(wait_s)
        backoff_s = min(patience.longest_wait, backoff_s * 2)


class _Acknowledge(AsyncMiddleware):
    """The ack goes out before any work, for everything that wants one: Bolt looks for it as soon as
    a listener is started and finds it there, so it waits for nothing and loses nothing where the
    listener raises at once. A modal that is submitted waits for what its listener says.
    """

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,  # noqa: ARG002
        next: Any,  # noqa: A002
    ) -> BoltResponse | None:
        if not wants_reply(req.body):
            await req.context.ack()
        told: BoltResponse | None = await next()
        return told


def _bolt(client: AsyncWebClient, tokens: SlackTokens, who: Any) -> AsyncApp:
    """The Bolt app. Who we are is known from the one `auth.test` at the start and is not asked
    again.
    """
    me = AuthorizeResult.from_auth_test_response(
        auth_test_response=who, bot_token=tokens.bot.open()
    )

    async def authorize() -> AuthorizeResult:
        return me

    return AsyncApp(
        client=client,
        signing_secret=tokens.signing.open(),
        authorize=authorize,
        before_authorize=_Acknowledge(),
        # HttpMode has checked the signature before it read anything.
        request_verification_enabled=False,
    )


def _mutes(settings: Settings) -> list[Mute]:
    """The quiet windows of the configuration, their times in its zone."""
    zone, found = settings.timezone, []
    for mute in settings.mute:
        start, end = (
            localise(moment, zone) if moment else None for moment in (mute.start, mute.end)
        )
        trigger = read_cron(mute.at, zone) if mute.at else None
        found.append(
            Mute(
                mute.name, frozenset(mute.alerts), start, end, trigger, mute.lasting or timedelta(0)
            )
        )
    return found


def _digests(settings: Settings, redactor: Redactor) -> list[Digest]:
    """The digests of the configuration, their times in its zone."""
    found = []
    for digest in settings.digest:
        trigger = read_cron(digest.at, settings.timezone)
        assert trigger is not None, "the configuration was checked"
        redacted = redacted_line(redactor, digest.ask)
        found.append(Digest(digest.name, digest.ask, digest.at, trigger, digest.channel, redacted))
    return found
