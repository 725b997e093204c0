"""Runs the bot until it is stopped; SIGHUP reloads its configuration."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import sys

# Before anything else imports aiohttp.
import bot.system.quick_aiohttp  # noqa: F401
from bot.config import Settings, SlackTokens
from bot.health import ConnectionStatus
from bot.lifecycle.reload_problems import REFUSALS, log_refusal, reload_problems
from bot.lifecycle.service import Load, Service
from bot.lifecycle.service_manager import ServiceManager
from bot.store import Store
from providers.clock import utc_now

log = logging.getLogger("opswatch")
# Container runtimes kill after ten seconds.
STOP_WITHIN_S = 9.0
# A tenth of the default of Python.
SWITCH_S = 0.0005
# An answer makes thousands of short-lived objects; the default of 700 would scan them many times,
# and several times as many would hold the event loop up for long at once.
COLLECT_AFTER = 2_000


def stop_event() -> asyncio.Event:
    """Set by SIGTERM and by Ctrl-C, where the platform has handlers for them."""
    return _set_by(signal.SIGTERM, signal.SIGINT)


def reload_event() -> asyncio.Event:
    """Set by SIGHUP, where the platform has it."""
    number = getattr(signal, "SIGHUP", None)
    return _set_by(number) if number else asyncio.Event()


def _set_by(*numbers: int) -> asyncio.Event:
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in numbers:
        # On Windows the loop has no signal handlers, and Ctrl-C raises KeyboardInterrupt.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, event.set)
    return event


async def run_bot(load: Load) -> None:
    """Runs the bot until SIGTERM or Ctrl-C; SIGHUP calls `load` again. Raises what the first
    `load` and `open_bot` raise.
    """
    # By default a thread that works on a log may hold the event loop up for five milliseconds.
    sys.setswitchinterval(SWITCH_S)
    reload = reload_event()
    stop = stop_event()
    opened = asyncio.Event()
    manager = ServiceManager.from_environ()
    running = asyncio.create_task(_run(load, stop, reload, opened, manager))
    await asyncio.wait(
        {running, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED
    )
    if not running.done():
        log.info("Stopping.")
        manager.stopping()
        # A bot that still waits for Slack has nothing to finish.
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
        # Objects of the start live as long as the process, so the collector need not scan them.
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER, 20, 20)
        # `main` has turned it off for the start, which makes hardly any garbage.
        gc.enable()
        opened.set()
        manager.ready()
        while await _wait_for_reload(stop, reload):
            reload.clear()
            manager.reloading()
            await service.reload(load)
            manager.ready()


async def _start(
    service: Service, load: Load, settings: Settings, tokens: SlackTokens, reload: asyncio.Event
) -> None:
    """Starts the first bot, which waits until Slack can be reached. A reload meanwhile starts over
    with the new configuration, if that is valid.
    """
    starting = asyncio.create_task(service.start(settings, tokens))
    try:
        # Once Slack has answered, a reload waits for the end of the start.
        while await _reload_requested(starting, reload) and not service.has_opened:
            reload.clear()
            try:
                settings, tokens = await _load_checked(load)
            except REFUSALS as error:
                log_refusal(reload_problems(error))
                continue
            if service.has_opened:
                reload.set()
                break
            await _cancel(starting)
            log.info("The configuration was reloaded.")
            starting = asyncio.create_task(service.start(settings, tokens))
        await starting
    finally:
        await _cancel(starting)


async def _reload_requested(starting: asyncio.Task[None], reload: asyncio.Event) -> bool:
    """Waits until the start has ended or a reload is requested; True for a reload."""
    waiting = asyncio.create_task(reload.wait())
    try:
        await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    return not starting.done()


async def _load_checked(load: Load) -> tuple[Settings, SlackTokens]:
    """A configuration whose database opens. Raises one of REFUSALS."""
    settings, tokens = load()
    store = await Store.open(settings.database, now=utc_now())
    await store.close()
    return settings, tokens


async def _cancel(task: asyncio.Task[None]) -> None:
    """Cancels a task and waits until it has ended; its exception is left to whoever awaits it."""
    task.cancel()
    # `wait` raises nothing, so that the reason stays with the task.
    await asyncio.wait({task})


async def _wait_for_reload(stop: asyncio.Event, reload: asyncio.Event) -> bool:
    """Waits for a stop or a reload; True for a reload."""
    waits = {asyncio.create_task(event.wait()) for event in (stop, reload)}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return not stop.is_set()
