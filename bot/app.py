"""The bot: assembled, connected to Slack in either mode, and handed over to its successor."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp
from msgspec import Struct
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.composition.accounts import ProviderRegistry
from bot.composition.assembly import (
    build_core,
    build_jobs,
    build_managers,
    build_request_handler,
    build_webhooks,
    register_listeners,
)
from bot.composition.foundation import open_foundation
from bot.composition.from_settings import workspace_ids
from bot.config import Settings, SlackTokens
from bot.health import ConnectionStatus
from bot.observability.observers import NO_OBSERVERS, Observers
from bot.slack.bolt import CommandRequest, bolt_app, wait_for_auth
from bot.slack.deliveries import SOCKET_MODE, Deliveries
from bot.slack.http_mode import HttpMode, Webhook
from bot.slack.outbox import Outbox, OutboxTimings
from bot.slack.pace import SlackPace
from bot.slack.socket_mode import SocketMode, SocketTimeouts
from bot.slack.web import PacedWebClient, json_text, web_client
from bot.store import LeaseTimings, Store, StoreUnavailable
from handlers.alert_rules import RuleManager
from handlers.changes import ChangeWatcher
from handlers.interruptions import InterruptionReporter
from handlers.jobs.scheduler import Scheduler
from handlers.requests import RequestHandler
from providers.clock import Clock, utc_now
from providers.http.client import prepare as prepare_http
from providers.http.connections import open_session

log = logging.getLogger("opswatch")
# Questions in progress at the end of the process; with POST_WITHIN_S this stays below the ten
# seconds that container runtimes wait before they kill.
FINISH_WITHIN_S = 5.0
POST_WITHIN_S = 1.0
# How often questions of processes that are gone are looked for.
REPORT_EVERY_S = 1.0
NEVER = datetime.min.replace(tzinfo=UTC)


class Bot(Struct):
    """The bot with everything it needs, not yet connected."""

    app: AsyncApp
    deliveries: Deliveries
    client: PacedWebClient
    session: aiohttp.ClientSession
    store: Store
    settings: Settings
    tokens: SlackTokens
    requests: RequestHandler
    interruptions: InterruptionReporter
    outbox: Outbox
    scheduler: Scheduler
    slack: ConnectionStatus
    timeouts: SocketTimeouts
    accounts: ProviderRegistry
    rules: RuleManager
    changes: ChangeWatcher
    webhooks: Mapping[str, Webhook]
    clock: Clock = utc_now
    http_mode: HttpMode | None = None

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Connected to Slack as `[slack] mode` says, or trying to, and at work. At the end, work in
        progress gets a while to finish.
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
        # Before anything is claimed: a claim belongs to a process that renews its lease.
        await self.store.join()
        watching = asyncio.create_task(self.changes.run())
        # Otherwise the first question would wait for it, and the acks of others behind that.
        preparing = asyncio.create_task(asyncio.to_thread(self._prepare))
        reporting = asyncio.create_task(self._report_interrupted())
        posting = asyncio.create_task(self.outbox.run())
        try:
            await self.scheduler.start()
            yield
        finally:
            reporting.cancel()
            await self.interruptions.close()
            watching.cancel()
            # A thread cannot be cancelled.
            await preparing
            # Before the outbox: jobs that end now still enqueue their posts.
            await self.scheduler.stop(within_s=FINISH_WITHIN_S)
            posting.cancel()
            await self.outbox.finish(within_s=POST_WITHIN_S)
            with contextlib.suppress(StoreUnavailable):
                # Another process need not wait until the lease has expired.
                await self.store.outbox.release_claims()
                await self.store.schedules.release_claims()

    def _prepare(self) -> None:
        """In a thread: loads what the first question needs and the start does not."""
        list(self.requests.answering.commands.values())
        self.requests.redactor.prepare()
        prepare_http()

    def connection(self) -> AbstractAsyncContextManager[None]:
        """The connection to Slack, which passes deliveries to `deliveries`."""
        return self._socket() if self.settings.slack.mode == "socket" else self._http()

    def hand_over_to(self, new: Bot) -> None:
        """Passes what this bot's connection delivers to the new bot. In HTTP mode the new signing
        secret and base path apply at once.
        """
        self.deliveries.lead_to(new.deliveries)
        # The listening port stays; requests that are signed with the new secret arrive at once.
        if self.http_mode:
            self.http_mode.expect(new.tokens.signing, new.settings.slack.base_path, new.webhooks)

    async def _report_interrupted(self) -> None:
        """Regularly, since a process is known to be gone only once its lease has expired. Questions
        of versions without leases are reported a while after the start, when an older process that
        was still finishing has ended.
        """
        started = self.clock()
        older_ended_at = time.monotonic() + self.timeouts.lost
        while True:
            has_ended = time.monotonic() >= older_ended_at
            try:
                await self.interruptions.report(started=started if has_ended else NEVER)
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
                self.timeouts,
                self.clock,
            )
            try:
                await socket_mode.start()
                yield
            finally:
                await socket_mode.close()

    async def _handle(self, request: SocketModeRequest) -> dict[str, Any] | None:
        """Bolt's answer to an envelope, where it has one."""
        body = request.payload
        headers = build_headers(request)
        delivery = (
            CommandRequest(body, headers)
            if "command" in body
            else AsyncBoltRequest(mode=SOCKET_MODE, body=body, headers=headers)
        )
        response = await self.deliveries.take(delivery)
        return (
            # A form or a menu is answered in the ack; everything else is acknowledged with nothing.
            json.loads(response.body) if response.body and response.body.startswith("{") else None
        )

    def _http(self) -> AbstractAsyncContextManager[None]:
        listening = self.settings.slack
        self.http_mode = HttpMode(
            self.deliveries,
            self.tokens.signing,
            self.slack,
            self.clock,
            listening.base_path,
            self.webhooks,
        )
        return self.http_mode.listening(listening.host, listening.port)


@asynccontextmanager
async def open_bot(
    settings: Settings,
    tokens: SlackTokens,
    slack: ConnectionStatus | None = None,
    timeouts: SocketTimeouts = SocketTimeouts(),
    pace: OutboxTimings = OutboxTimings(),
    *,
    clock: Clock | None = None,
    lease: LeaseTimings = LeaseTimings(),
    observers: Observers = NO_OBSERVERS,
    slack_pace: SlackPace | None = None,
) -> AsyncIterator[Bot]:
    """The bot with everything it needs; where Slack cannot be reached, this waits for it. `clock` is
    the time of day for all of it, which tests hold. `slack_pace` is that of a bot that is still
    running, since Slack counts the calls of both.

    Raises StoreError, and SlackApiError where the token is not accepted.
    """
    slack = slack or ConnectionStatus()
    async with open_foundation(
        settings, tokens, clock or utc_now, lease, observers, slack_pace, pace
    ) as base:
        # The token is checked last: a database or an account that cannot be opened is reported even
        # while Slack is away.
        core = await build_core(base, pace, observers)
        jobs = build_jobs(base, core, observers)
        managers = await build_managers(base, core, jobs)
        requests = build_request_handler(base, core, managers, observers)
        auth = await wait_for_auth(base.web, slack, timeouts)
        core.people.workspace = workspace_ids(settings, auth)
        app = bolt_app(base.web, tokens, auth)
        register_listeners(app, base, core, managers, requests)
        yield Bot(
            app,
            Deliveries(app.async_dispatch, base.store.deliveries, base.clock),
            base.web,
            base.session,
            base.store,
            settings,
            tokens,
            requests,
            InterruptionReporter(
                base.store, core.permissions, base.delivery, base.outcomes, base.clock
            ),
            core.outbox,
            jobs.scheduler,
            slack,
            timeouts,
            base.accounts,
            managers.rules,
            base.changes,
            build_webhooks(settings, jobs, managers),
            base.clock,
        )
