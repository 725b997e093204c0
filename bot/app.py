"""Introduces everyone to each other, and runs the bot against Slack in either mode."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.accounts import Accounts, access_of, answering_of, utc_now
from bot.config import Settings, SlackTokens
from bot.delivery import Delivery, web_client
from bot.health import serve_health
from bot.people import SlackPeople
from bot.store import Store
from handlers import actions, home, slash
from handlers.door import Door, Works
from handlers.problems import ErrorListener
from providers.redaction import Redactor

log = logging.getLogger("opswatch")
EVENTS_PATH = "/slack/events"
FINISH_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Bot:
    """The bot with everything it needs, not yet connected."""

    app: AsyncApp
    client: AsyncWebClient
    store: Store
    settings: Settings
    tokens: SlackTokens
    works: Works

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
        """Connected to Slack as `[slack] mode` says; gives a function that tells whether it still is."""
        opened = self._socket() if self.settings.slack.mode == "socket" else self._http()
        async with opened as is_connected:
            yield is_connected
            await self.works.finish(within_s=FINISH_WITHIN_S)

    @asynccontextmanager
    async def _socket(self) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
        handler = _PromptHandler(self.app, self.tokens.app.open(), web_client=self.client)
        try:
            await handler.connect_async()  # type: ignore[no-untyped-call]
            log.info("Connected to Slack over Socket Mode.")
            yield handler.client.is_connected
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call]

    @asynccontextmanager
    async def _http(self) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
        runner = web.AppRunner(self.app.web_app(EVENTS_PATH), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, port=self.settings.slack.port)
        try:
            await site.start()
            log.info("Listening for Slack on port %s at %s.", self.settings.slack.port, EVENTS_PATH)
            yield _always
        finally:
            await runner.cleanup()


@asynccontextmanager
async def open_bot(settings: Settings, tokens: SlackTokens) -> AsyncIterator[Bot]:
    """Everyone introduced to each other. Raises StoreError, and SlackApiError where the token is not accepted."""
    redactor = Redactor([*settings.secrets(), *tokens.secrets()])
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        client = web_client(tokens.bot.open(), tokens.api_url, session)
        store = await Store.open(settings.database, now=utc_now())
        stack.push_async_callback(store.close)
        accounts = Accounts(settings, redactor)
        stack.push_async_callback(accounts.aclose)
        delivery = Delivery(client, session)
        door = Door(
            answering=answering_of(settings, accounts, redactor),
            access=access_of(settings.access),
            people=SlackPeople(client, settings.timezone),
            delivery=delivery,
            store=store,
            redactor=redactor,
            clock=utc_now,
        )
        app = _bolt(client, tokens, await client.auth_test())
        slash.register(app, door)
        actions.register(app, door, store)
        home.register(app, door, store)
        app.error(ErrorListener(delivery, redactor).__call__)
        yield Bot(app, client, store, settings, tokens, door.works)


def asked_to_stop() -> asyncio.Event:
    """Set by SIGTERM and by Ctrl-C, where the platform has handlers for them."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    return stop


async def run_bot(settings: Settings, tokens: SlackTokens) -> None:
    """The bot until SIGTERM or Ctrl-C."""
    stop = asked_to_stop()
    _say_what_is_not_run(settings)
    async with open_bot(settings, tokens) as bot, bot.connected() as is_connected:
        async with serve_health(settings.health.port if settings.health else None, is_connected):
            await stop.wait()
        log.info("Stopping.")


class _PromptHandler(AsyncSocketModeHandler):
    """Socket Mode where the ack leaves before Bolt has looked at anything, so that answers under way do not hold it up.

    What Slack wants a reply to inside the ack (modals, options) goes Bolt's own way.
    """

    async def handle(self, client: Any, req: SocketModeRequest) -> None:
        if req.type == "interactive" and req.payload.get("type") != "block_actions":
            await super().handle(client, req)
            return
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=req.envelope_id))
        await run_async_bolt_app(self.app, req)


def _bolt(client: AsyncWebClient, tokens: SlackTokens, who: Any) -> AsyncApp:
    """The Bolt app. Who we are is known from the one `auth.test` at the start and is not asked again."""
    me = AuthorizeResult.from_auth_test_response(auth_test_response=who, bot_token=tokens.bot.open())

    async def authorize() -> AuthorizeResult:
        return me

    async def acknowledge(ack: Any, next: Any) -> None:
        """The ack goes out before any work, for everything that wants one: Bolt looks for it as soon as a listener is
        started and finds it there, so it waits for nothing and loses nothing where the listener raises at once."""
        await ack()
        await next()

    return AsyncApp(
        client=client,
        signing_secret=tokens.signing.open(),
        authorize=authorize,
        before_authorize=acknowledge,
        request_verification_enabled=bool(tokens.signing),
    )


async def _always() -> bool:
    return True


def _say_what_is_not_run(settings: Settings) -> None:
    if settings.digest or settings.alert:
        log.warning("Digests and alerts of the configuration are checked but not yet run.")
