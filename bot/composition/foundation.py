"""The database, the accounts and the clients of a bot: what is opened first and closed last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
from msgspec import Struct

from bot.composition.accounts import ProviderRegistry
from bot.config import Settings, SlackTokens
from bot.observability.observers import Observers
from bot.slack.client import SlackClient
from bot.slack.delivery import Delivery
from bot.slack.outbox import OutboxTimings
from bot.slack.pace import SlackPace
from bot.slack.web import PacedWebClient, json_text, web_client
from bot.store import LeaseTimings, Store
from bot.system.private_files import sweep_temporary_folders
from handlers.changes import ChangeWatcher
from handlers.outcomes import Outcomes
from providers.clock import Clock
from providers.http.connections import open_session
from providers.redaction import Redactor


class Foundation(Struct, frozen=True):
    """Everything that holds a connection or a file and is closed at the end."""

    settings: Settings
    clock: Clock
    redactor: Redactor
    session: aiohttp.ClientSession
    web: PacedWebClient
    client: SlackClient
    store: Store
    accounts: ProviderRegistry
    delivery: Delivery
    changes: ChangeWatcher
    outcomes: Outcomes

    @property
    def ops_channel(self) -> str:
        return self.settings.slack.ops_channel or ""


@asynccontextmanager
async def open_foundation(
    settings: Settings,
    tokens: SlackTokens,
    clock: Clock,
    lease: LeaseTimings,
    observers: Observers,
    pace: SlackPace | None,
    timings: OutboxTimings,
) -> AsyncIterator[Foundation]:
    """The database, the accounts and the clients. Raises StoreError."""
    redactor = Redactor([*settings.secrets(), *tokens.secrets()])
    # A disk that a crash has filled with downloads would fail the next one.
    await asyncio.to_thread(sweep_temporary_folders)
    # Closed in the opposite order: the session last, and the database after everything that writes
    # to it.
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            open_session(settings.network, json_serialize=json_text)
        )
        web = web_client(
            tokens.bot.open(),
            tokens.api_url,
            session,
            pace=_pace(pace, timings, observers),
            team_id=settings.slack.team_id,
        )
        client = SlackClient(web, session)
        store = await Store.open(
            settings.database, now=clock(), retention=settings.retention.periods, lease=lease
        )
        stack.push_async_callback(store.close)
        clock = store.shared_clock(clock)
        outcomes = Outcomes(store.questions)
        stack.push_async_callback(outcomes.close)
        # Slack counts the calls of all processes of an app together.
        web.pace.shared = store.pace
        client.share_refusals(store.refused_blocks, clock)
        changes = await ChangeWatcher.open(store.changes)
        accounts = ProviderRegistry(
            settings,
            redactor,
            store.rate_limits,
            clock,
            observers.request,
            circuits=store.circuits,
        )
        stack.push_async_callback(accounts.aclose)
        delivery = Delivery(client)
        stack.push_async_callback(delivery.aclose)
        yield Foundation(
            settings,
            clock,
            redactor,
            session,
            web,
            client,
            store,
            accounts,
            delivery,
            changes,
            outcomes,
        )


def _pace(shared: SlackPace | None, timings: OutboxTimings, observers: Observers) -> SlackPace:
    """The pace of a bot that is still running, or a new one."""
    if shared is None:
        return SlackPace(timings.per_channel, observers.rate_limit)
    shared.on_refusal = observers.rate_limit
    return shared
