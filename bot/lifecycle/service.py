"""The current bot, and its replacement when the configuration is reloaded.

A reload is all or nothing. The new configuration is read and checked, a new bot is opened beside
the old one, and only then are Slack's deliveries passed to the new one. The old bot finishes the
questions it has begun. If anything is wrong, the old bot stays.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from bot import formatting
from bot.app import FINISH_WITHIN_S, Bot, open_bot
from bot.config import Settings, SlackTokens
from bot.health import ConnectionStatus, serve_health
from bot.lifecycle.opened_bot import OpenBot, drain
from bot.lifecycle.reload_problems import OPEN_WITHIN_S, log_refusal, reload_problems
from bot.observability.measurements import Measurements, measure
from bot.observability.observers import NO_OBSERVERS
from bot.slack.outbox import operator_post
from providers.clock import utc_now

if TYPE_CHECKING:
    from bot.observability.metrics import Metrics

log = logging.getLogger("opswatch")
# In HTTP mode, for a balancer that asks /readyz every second.
LEAVE_BALANCER_S = 1.5
# For what was acknowledged when the connection was closed.
DELIVERED_POLLS = 20
DELIVERED_POLL_S = 0.05
# After so long without Slack, systemd's watchdog may restart the bot.
SLACK_GONE_S = 900.0
LAG_EVERY_S = 1.0


Load = Callable[[], tuple[Settings, SlackTokens]]
# Host and port.
Address = tuple[str, int]


class Service(Struct):
    """The current bot, its connection to Slack, and earlier bots that finish their questions."""

    slack: ConnectionStatus
    _current: OpenBot | None = None
    _connection: AsyncExitStack = field(default_factory=AsyncExitStack)
    _connected_bot: Bot | None = None
    _health: AsyncExitStack = field(default_factory=AsyncExitStack)
    _draining: set[asyncio.Task[None]] = field(default_factory=set)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _database: str = ""
    _health_at: Address | None = None
    _metrics: Metrics | None = None
    _shows_metrics: bool = False
    _lag: asyncio.Task[None] | None = None
    _reload_successful: bool = True
    _configured_at: datetime | None = None
    _connected_at: float = field(default_factory=time.monotonic)

    def is_alive(self) -> bool:
        """Whether Slack was connected lately. The watchdog calls this from the event loop, so a
        call also shows that the loop runs.
        """
        # A connection that breaks now and then is not a reason to restart; one that is gone for
        # long is.
        if self.slack.connected:
            self._connected_at = time.monotonic()
        return time.monotonic() - self._connected_at < SLACK_GONE_S

    def status(self) -> str:
        """One line for `systemctl status`."""
        return " ".join(
            filter(
                None,
                [
                    "Connected to Slack." if self.slack.connected else self.slack.problem,
                    *self.problems(),
                ],
            )
        )

    @property
    def has_opened(self) -> bool:
        """Whether the first bot has been opened, which needs Slack's answer to `auth.test`."""
        return self._current is not None

    @property
    def current(self) -> Bot:
        assert self._current is not None, "it was started"
        return self._current.bot

    async def database_works(self) -> bool:
        self._database = (
            await self._current.bot.store.problem()
            if self._current
            else "The database is not open yet."
        )
        return not self._database

    def problems(self) -> list[str]:
        """What is wrong with the database (as of the last check), the scheduler and the outbox, a
        sentence each.
        """
        bot = self._current.bot if self._current else None
        found = (
            "The process is stopping." if self._stopping.is_set() else "",
            self._database,
            bot.store.clock_problem() if bot else "",
            bot.scheduler.problem if bot else "",
            bot.outbox.problem() if bot else "",
        )
        return [problem for problem in found if problem]

    async def metrics_page(self, accept: str) -> tuple[bytes, str] | None:
        """What `/metrics` answers, measured now, in the format that the scraper accepts; None where
        metrics are not shown.
        """
        metrics = self._metrics
        if metrics is None or not self._shows_metrics:
            return None
        database_up = await self.database_works()
        now = replace(
            metrics.measurements,
            ready=self.slack.connected and not self.problems(),
            slack_connected=self.slack.connected,
            slack_reconnects=self.slack.reconnects,
            last_event_at=self.slack.last_event,
            database_up=database_up,
            reload_successful=self._reload_successful,
            configured_at=self._configured_at,
        )
        if self._current and database_up:
            now = await _measured(self._current.bot, now)
        metrics.measurements = now
        return metrics.page(accept)

    async def start(self, settings: Settings, tokens: SlackTokens) -> None:
        """Connects a first bot. Raises StoreError, SlackApiError and OSError."""
        self._show_metrics(settings)
        await self._move_health(settings)
        running = self._current = await self._open(settings, tokens, self.slack)
        self._connection = await _connect(running.bot)
        self._connected_bot = running.bot
        self._configured_at = utc_now()
        await running.start_jobs()

    async def reload(self, load: Load) -> None:
        """Replaces the current bot by one with a fresh configuration. Where that fails, the current
        one stays and the reason is reported.
        """
        try:
            settings, tokens = load()
            async with asyncio.timeout(OPEN_WITHIN_S):
                new = await self._open(settings, tokens, ConnectionStatus())
        except Exception as error:
            await self._report_refusal(error)
            return
        old = self._current
        assert old is not None, "it was started"
        try:
            # Before the new one starts its own, so that nothing is due in two bots of one process.
            await old.stop_jobs()
            self._show_metrics(settings)
            await self._move_health(settings)
            await self._route_to(new.bot)
            await new.start_jobs()
        except Exception as error:
            # In the opposite order: whatever was changed by then is taken back.
            self._show_metrics(old.bot.settings)
            await self._move_health(old.bot.settings)
            await self._route_to(old.bot)
            await old.start_jobs()
            await new.close()
            await self._report_refusal(error)
            return
        except asyncio.CancelledError:
            # The process stops and no longer waits for the reload.
            await new.close()
            raise
        new.bot.requests.running.earlier = old.bot.requests.running
        old.bot.requests.running.may_still_ask = new.bot.requests.may_still_ask
        self._current = new
        task = asyncio.create_task(drain(old, self._stopping))
        self._draining.add(task)
        task.add_done_callback(self._draining.discard)
        self._reload_successful = True
        self._configured_at = utc_now()
        log.info("The configuration was reloaded.")

    async def aclose(self) -> None:
        """Stops everything. Questions in progress get a few seconds; after that, their askers are
        notified.
        """
        if self._lag:
            self._lag.cancel()
        self._stopping.set()
        try:
            await self._stop_receiving()
            await self._finish()
        finally:
            # Also where a stop takes too long and is cancelled. What is left open then is closed by
            # the event loop, in any order and all at once, which logs tracebacks.
            await self._connection.aclose()
            if self._current:
                await self._current.close()
            await self._health.aclose()

    async def _finish(self) -> None:
        """Ends questions, jobs and replaced bots, also where this is cancelled."""
        if not self._current:
            return
        ending = [
            # Together, since a container runtime waits ten seconds in all.
            asyncio.create_task(
                self._current.bot.requests.running.finish(within_s=FINISH_WITHIN_S)
            ),
            asyncio.create_task(self._current.stop_jobs()),
            *self._draining,
        ]
        try:
            await asyncio.gather(*ending)
        finally:
            await asyncio.gather(*ending, return_exceptions=True)

    async def _stop_receiving(self) -> None:
        """Closes the connection before anything else ends, so that Slack or the balancer turns to
        another process and nothing that was delivered here is refused.
        """
        if self._current and self._current.bot.settings.slack.mode == "http":
            # /readyz says that this process is stopping; what arrives until the balancer has seen
            # that is answered.
            await asyncio.sleep(LEAVE_BALANCER_S)
        await self._connection.aclose()
        if not self._current:
            return
        for _ in range(DELIVERED_POLLS):
            # At least once: a listener that was just started has not begun its question.
            await asyncio.sleep(DELIVERED_POLL_S)
            if not self._current.bot.deliveries.are_under_way:
                break

    async def _serve_health(self, address: Address | None) -> AsyncExitStack:
        stack = AsyncExitStack()
        if address:
            host, port = address
            await stack.enter_async_context(
                serve_health(
                    port, self.slack, self.database_works, host, self.problems, self.metrics_page
                )
            )
        self._health_at = address
        return stack

    async def _move_health(self, settings: Settings) -> None:
        """Serves the health endpoints at the configured address. Raises OSError, and serves them at
        the old address again, where the new one cannot be used.
        """
        before = self._health_at
        after = _health_address(settings)
        if before == after:
            return
        # Two sockets cannot listen on one port, so the old one is closed first if only the host
        # changes.
        shares_port = before and after and before[1] == after[1]
        old = self._health
        if shares_port:
            await old.aclose()
        try:
            self._health = await self._serve_health(after)
        except OSError:
            if shares_port:
                self._health = await self._serve_health(before)
            raise
        if not shares_port:
            await old.aclose()

    def _show_metrics(self, settings: Settings) -> None:
        """Whether `/metrics` responds."""
        self._load_metrics(settings)
        self._shows_metrics = _has_metrics(settings)

    def _load_metrics(self, settings: Settings) -> None:
        """Loads the client library where it is needed, since it takes memory."""
        if _has_metrics(settings) and self._metrics is None:
            from bot.observability.metrics import Metrics

            self._metrics = Metrics()
            self._lag = asyncio.create_task(_observe_lag(self._metrics))

    async def _open(
        self, settings: Settings, tokens: SlackTokens, slack: ConnectionStatus
    ) -> OpenBot:
        self._load_metrics(settings)
        observers = self._metrics.observers if self._metrics else NO_OBSERVERS
        # Slack counts the calls of the old bot, too, which finishes its questions.
        pace = self._current.bot.client.pace if self._current else None
        stack = AsyncExitStack()
        bot = await stack.enter_async_context(
            open_bot(settings, tokens, slack, observers=observers, slack_pace=pace)
        )
        return OpenBot(bot, stack)

    async def _route_to(self, bot: Bot) -> None:
        """Sends Slack's deliveries to that bot, over the existing connection where its settings
        allow. Raises OSError, and changes nothing, where a new port cannot be opened.
        """
        before = self._connected_bot
        assert before is not None, "it was started"
        if _connection_key(bot) == _connection_key(before):
            before.hand_over_to(bot)
            return
        # Health and metrics show this one, and outlive the bot.
        bot.slack = self.slack
        old = self._connection
        shares_port = _http_port(bot) and _http_port(bot) == _http_port(before)
        if shares_port:
            # Two sockets cannot listen on one port.
            await old.aclose()
        try:
            new = await _connect(bot)
        except OSError:
            if shares_port:
                self._connection = await _connect(self.current)
                self._connected_bot = self.current
            raise
        before.deliveries.lead_to(bot.deliveries)
        state = replace(self.slack)
        self._connection = new
        self._connected_bot = bot
        await old.aclose()
        # Closing the old connection has marked the shared state as disconnected.
        self.slack.connected = state.connected
        self.slack.problem = state.problem

    async def _report_refusal(self, error: BaseException) -> None:
        """Reports in the log and the ops channel why the configuration was not reloaded."""
        self._reload_successful = False
        problems = reload_problems(error)
        log_refusal(problems)
        # The current bot reports it: the new one does not run.
        ops = self.current.settings.slack.ops_channel
        if not ops:
            return
        shown = "\n".join(f"• {formatting.sanitise(problem, 300)}" for problem in problems[:10])
        more = f"\n… and {len(problems) - 10} more" if len(problems) > 10 else ""
        text = (
            f"The configuration was not reloaded; the previous one stays in effect.\n{shown}{more}"
        )
        now = self.current.clock()
        await self.current.store.outbox.enqueue(
            operator_post(ops, f"reload:{now.isoformat()}", text), now=now
        )
        self.current.outbox.wake()


async def _measured(bot: Bot, before: Measurements) -> Measurements:
    alerts = {rule.name for rule in bot.rules.registry.rules()}
    return await measure(bot.store, bot.accounts.all.values(), alerts, before, bot.clock)


async def _observe_lag(metrics: Metrics) -> None:
    """Measures how late the event loop wakes up."""
    loop = asyncio.get_running_loop()
    while True:
        # What is late by a second is a callback that has blocked the loop for as long.
        due = loop.time() + LAG_EVERY_S
        await asyncio.sleep(LAG_EVERY_S)
        metrics.observe_lag(max(0.0, loop.time() - due))


async def _connect(bot: Bot) -> AsyncExitStack:
    """Opens the bot's connection to Slack."""
    stack = AsyncExitStack()
    await stack.enter_async_context(bot.connection())
    return stack


def _connection_key(bot: Bot) -> tuple[Any, ...]:
    """The settings that a connection to Slack depends on; a change needs a new connection."""
    slack = bot.settings.slack
    tokens = bot.tokens
    if slack.mode == "http":
        # The signing secret and the base path are not among them: they are handed over without a
        # new port.
        return slack.mode, slack.host, slack.port
    return slack.mode, tokens.api_url, tokens.app, tokens.bot, bot.settings.network


def _http_port(bot: Bot) -> int:
    """The port that Slack's requests arrive at; 0 in Socket Mode."""
    return bot.settings.slack.port if bot.settings.slack.mode == "http" else 0


def _has_metrics(settings: Settings) -> bool:
    return bool(settings.health and settings.health.metrics)


def _health_address(settings: Settings) -> Address | None:
    return (settings.health.host, settings.health.port) if settings.health else None
