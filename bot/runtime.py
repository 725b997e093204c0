"""Runs the bot until it is stopped, and replaces it by a new one when its configuration is
reloaded.

A reload is all or nothing. The new configuration is read and checked, a new bot is opened beside
the old one, and only then do Slack's deliveries lead to the new one; the old one finishes what it
has begun. Where anything is wrong, the old bot goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from slack_sdk.errors import SlackApiError

from bot import formatting
from bot.app import FINISH_WITHIN_S, Bot, open_bot
from bot.config import Settings, SlackTokens
from bot.errors import ConfigError
from bot.health import ConnectionStatus, serve_health
from bot.service_manager import ServiceManager
from bot.slack.outbox import operator_post
from bot.store import Posts, Store, StoreError
from providers.clock import utc_now
from providers.http.network import NetworkSettingError

log = logging.getLogger("opswatch")
STOP_WITHIN_S = 9.0
# How long a new bot may take to be told by Slack who it is, and an old one to finish the questions
# it has begun.
OPEN_WITHIN_S = 30.0
DRAIN_WITHIN_S = 1800.0
DRAIN_LOOK_S = 0.5
SWITCH_S = 0.0005
# Where Slack cannot be reached for so long, systemd's watchdog may start the bot anew.
SLACK_GONE_S = 900.0
# An answer makes thousands of small things that are gone with it; looking through them every 700 is
# in vain.
COLLECT_AFTER = 20_000

# Why a configuration that was read anew is not taken.
REFUSALS = (ConfigError, NetworkSettingError, StoreError, SlackApiError, TimeoutError, OSError)

Load = Callable[[], tuple[Settings, SlackTokens]]


def stop_event() -> asyncio.Event:
    """Set by SIGTERM and by Ctrl-C, where the platform has handlers for them."""
    return _set_by(signal.SIGTERM, signal.SIGINT)


def asked_to_reload() -> asyncio.Event:
    """Set by SIGHUP, where the platform has it."""
    number = getattr(signal, "SIGHUP", None)
    return _set_by(number) if number else asyncio.Event()


def _set_by(*numbers: int) -> asyncio.Event:
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in numbers:
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, event.set)
    return event


async def run_bot(load: Load) -> None:
    """The bot until SIGTERM or Ctrl-C; SIGHUP calls `load` again. Raises what `load` raises the
    first time, and what `open_bot` does.
    """
    # Threads that work on logs must not keep the event loop waiting for the five milliseconds that
    # are usual.
    sys.setswitchinterval(SWITCH_S)
    reload, stop, opened = asked_to_reload(), stop_event(), asyncio.Event()
    manager = ServiceManager.from_environ()
    running = asyncio.create_task(_run(load, stop, reload, opened, manager))
    await asyncio.wait(
        {running, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED
    )
    if not running.done():
        log.info("Stopping.")
        manager.stopping()
        await asyncio.wait({running}, timeout=STOP_WITHIN_S if opened.is_set() else 0)
        running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def _run(
    load: Load,
    stop: asyncio.Event,
    reload: asyncio.Event,
    opened: asyncio.Event,
    manager: ServiceManager,
) -> None:
    settings, tokens = load()
    service = Service(ConnectionStatus())
    async with contextlib.aclosing(service), manager.watched(service.is_alive, service.status):
        await _start(service, load, settings, tokens, reload)
        # What is here now stays; the collector need not look at it again and again. It takes a
        # while, so nobody waits yet.
        gc.collect()
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER, 20, 20)
        opened.set()
        manager.ready()
        while await _either(stop, reload):
            reload.clear()
            manager.reloading()
            await service.reload(load)
            manager.ready()


async def _start(
    service: Service, load: Load, settings: Settings, tokens: SlackTokens, reload: asyncio.Event
) -> None:
    """Starts the first bot, which waits until Slack can be reached. A reload meanwhile starts it
    anew with the new configuration, where that one is good.
    """
    starting = asyncio.create_task(service.start(settings, tokens))
    try:
        # Once Slack has answered, the usual reload follows the start.
        while await _asked_to_reload(starting, reload) and not service.has_opened:
            reload.clear()
            try:
                settings, tokens = await _loaded(load)
            except REFUSALS as error:
                _log_refusal(_problems(error))
                continue
            if service.has_opened:
                reload.set()
                break
            await _cancelled(starting)
            log.info("The configuration was reloaded.")
            starting = asyncio.create_task(service.start(settings, tokens))
        await starting
    finally:
        await _cancelled(starting)


async def _asked_to_reload(starting: asyncio.Task[None], reload: asyncio.Event) -> bool:
    """Waits until the start is over or a reload is asked for; True where it is a reload."""
    waiting = asyncio.create_task(reload.wait())
    try:
        await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    return not starting.done()


async def _loaded(load: Load) -> tuple[Settings, SlackTokens]:
    """A configuration whose database can be opened. Raises one of REFUSALS."""
    settings, tokens = load()
    store = await Store.open(settings.database, now=utc_now())
    await store.close()
    return settings, tokens


async def _cancelled(task: asyncio.Task[None]) -> None:
    """Cancels a task and waits until it has ended; what it raises is for who awaits it."""
    task.cancel()
    await asyncio.wait({task})


async def _either(stop: asyncio.Event, reload: asyncio.Event) -> bool:
    """Waits for one of them; True where it is a reload."""
    waits = {asyncio.create_task(event.wait()) for event in (stop, reload)}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return not stop.is_set()


@dataclass(slots=True)
class _Running:
    """A bot, what closes it, and what stops its outbox and timetable."""

    bot: Bot
    opened: AsyncExitStack
    working: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def begin(self, *, is_first: bool) -> None:
        await self.working.enter_async_context(self.bot.working(report_interrupted=is_first))

    async def pause(self) -> None:
        """Posts nothing more and begins nothing more that is due."""
        await self.working.aclose()
        self.working = AsyncExitStack()

    async def close(self) -> None:
        await self.pause()
        await self.opened.aclose()


@dataclass(slots=True)
class Service:
    """The bot that is current, Slack's way to it, and those before it that still finish what they
    have begun.
    """

    slack: ConnectionStatus
    _current: _Running | None = None
    _front: AsyncExitStack = field(default_factory=AsyncExitStack)
    _front_of: Bot | None = None
    _health: AsyncExitStack = field(default_factory=AsyncExitStack)
    _draining: set[asyncio.Task[None]] = field(default_factory=set)
    _database: str = ""
    _connected_at: float = field(default_factory=time.monotonic)

    def is_alive(self) -> bool:
        """Whether Slack was connected lately. Asked now and then by the event loop, which is alive
        where it can ask.
        """
        if self.slack.connected:
            self._connected_at = time.monotonic()
        return time.monotonic() - self._connected_at < SLACK_GONE_S

    def status(self) -> str:
        """One line for whoever looks after the process."""
        return " ".join(
            filter(
                None,
                [
                    "Connected to Slack." if self.slack.connected else self.slack.trouble,
                    *self.troubles(),
                ],
            )
        )

    @property
    def has_opened(self) -> bool:
        """Whether a first bot is there; until Slack has said who it is, there is none."""
        return self._current is not None

    @property
    def current(self) -> Bot:
        assert self._current is not None, "it was started"
        return self._current.bot

    async def database_works(self) -> bool:
        self._database = (
            await self._current.bot.store.trouble()
            if self._current
            else "The database is not open yet."
        )
        return not self._database

    def troubles(self) -> list[str]:
        """What is wrong with the database, as it was looked at last, with the timetable and with
        the outbox, a sentence each.
        """
        bot = self._current.bot if self._current else None
        found = (
            self._database,
            bot.scheduler.trouble if bot else "",
            bot.outbox.trouble() if bot else "",
        )
        return [trouble for trouble in found if trouble]

    async def start(self, settings: Settings, tokens: SlackTokens) -> None:
        """Connects a first bot. Raises StoreError, SlackApiError and OSError."""
        await self._health.aclose()
        self._health = await self._serve_health(settings)
        running = self._current = await self._opened(settings, tokens, self.slack)
        self._front, self._front_of = await _front(running.bot), running.bot
        await running.begin(is_first=True)

    async def reload(self, load: Load) -> None:
        """Puts a new bot in the place of the current one; where that cannot be, says why and leaves
        it as it is.
        """
        try:
            settings, tokens = load()
            async with asyncio.timeout(OPEN_WITHIN_S):
                new = await self._opened(settings, tokens, ConnectionStatus())
        except REFUSALS as error:
            await self._refuse(error)
            return
        old = self._current
        assert old is not None, "it was started"
        await old.pause()
        try:
            if settings.health != old.bot.settings.health:
                health, self._health = self._health, await self._serve_health(settings)
                await health.aclose()
            await self._lead_to(new.bot)
            await new.begin(is_first=False)
        except Exception as error:
            await self._lead_to(old.bot)
            await old.begin(is_first=False)
            await new.close()
            await self._refuse(error)
            return
        new.bot.requests.running.earlier = old.bot.requests.running
        self._current = new
        task = asyncio.create_task(_drain(old))
        self._draining.add(task)
        task.add_done_callback(self._draining.discard)
        log.info("The configuration was reloaded.")

    async def aclose(self) -> None:
        """Ends everything: questions under way get a while, and are told where they do not end."""
        for task in self._draining:
            task.cancel()
        if self._current:
            running = self._current.bot.requests.running
            await asyncio.gather(
                running.finish(within_s=FINISH_WITHIN_S), self._current.pause(), *self._draining
            )
        await self._front.aclose()
        if self._current:
            await self._current.close()
        await self._health.aclose()

    async def _serve_health(self, settings: Settings) -> AsyncExitStack:
        stack, health = AsyncExitStack(), settings.health
        if health:
            await stack.enter_async_context(
                serve_health(
                    health.port, self.slack, self.database_works, health.host, self.troubles
                )
            )
        return stack

    async def _opened(
        self, settings: Settings, tokens: SlackTokens, slack: ConnectionStatus
    ) -> _Running:
        stack = AsyncExitStack()
        return _Running(await stack.enter_async_context(open_bot(settings, tokens, slack)), stack)

    async def _lead_to(self, bot: Bot) -> None:
        """Slack's deliveries go to that bot from now on, over the connection that stands where it
        can stay.
        """
        assert self._front_of is not None, "it was started"
        if _way(bot) == _way(self._front_of):
            self._front_of.deliveries.lead_to(bot.deliveries)
            return
        bot.slack = self.slack
        new = await _front(bot)
        self._front_of.deliveries.lead_to(bot.deliveries)
        state = replace(self.slack)
        old, self._front, self._front_of = self._front, new, bot
        await old.aclose()
        # The old connection has noted its end where the state of the new one stood.
        self.slack.connected, self.slack.trouble = state.connected, state.trouble

    async def _refuse(self, error: BaseException) -> None:
        """Says in the log and in the ops channel why the configuration was not reloaded."""
        problems = _problems(error)
        _log_refusal(problems)
        ops = self.current.settings.slack.ops_channel
        if not ops:
            return
        shown = "\n".join(f"• {formatting.sanitise(problem, 300)}" for problem in problems[:10])
        more = f"\n… and {len(problems) - 10} more" if len(problems) > 10 else ""
        text = f"The configuration was not reloaded; the one before stays in force.\n{shown}{more}"
        now = self.current.clock()
        await Posts(self.current.store).enqueue(
            operator_post(ops, f"reload:{now.isoformat()}", text), now=now
        )
        self.current.outbox.wake()


def _log_refusal(problems: Sequence[str]) -> None:
    for problem in problems:
        log.error("The configuration was not reloaded: %s", problem)


async def _front(bot: Bot) -> AsyncExitStack:
    """Slack's way to the bot, standing."""
    stack = AsyncExitStack()
    await stack.enter_async_context(bot.front())
    return stack


def _way(bot: Bot) -> tuple[Any, ...]:
    """What a connection to Slack hangs on: where one of these changes, it has to be another one."""
    slack, tokens = bot.settings.slack, bot.tokens
    if slack.mode == "http":
        return slack.mode, slack.host, slack.port, slack.base_path, tokens.signing
    return slack.mode, tokens.api_url, tokens.app, tokens.bot, bot.settings.network


async def _drain(old: _Running) -> None:
    """Closes a bot that was replaced, once the questions that it has begun are answered."""
    try:
        async with asyncio.timeout(DRAIN_WITHIN_S):
            while old.bot.deliveries.are_under_way or old.bot.requests.running.tasks:  # noqa: ASYNC110 - two things that end unseen
                await asyncio.sleep(DRAIN_LOOK_S)
    except (TimeoutError, asyncio.CancelledError):
        await old.bot.requests.running.finish(within_s=FINISH_WITHIN_S)
    finally:
        await old.close()


def _problems(error: BaseException) -> list[str]:
    if isinstance(error, ConfigError):
        return [str(problem) for problem in error.problems]
    if isinstance(error, SlackApiError):
        return [f"Slack does not accept the token ({error.response.get('error')})."]
    if isinstance(error, TimeoutError):
        return [f"Slack did not tell within {OPEN_WITHIN_S:.0f} s who we are."]
    if isinstance(error, OSError):
        return [f"{error.strerror or type(error).__name__}."]
    if isinstance(error, StoreError | NetworkSettingError):
        return [str(error)]
    log.error("The new bot could not begin:", exc_info=error)
    return [f"The new bot could not begin ({type(error).__name__})."]
