"""Runs the bot until it is stopped; SIGHUP reloads its configuration."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import sys

from bot.config import Settings, SlackTokens
from bot.health import ConnectionStatus
from bot.service import REFUSALS, Load, Service, log_refusal, problems_of
from bot.service_manager import ServiceManager
from bot.store import Store
from providers.clock import utc_now

log = logging.getLogger("opswatch")
STOP_WITHIN_S = 9.0
SWITCH_S = 0.0005
# An answer makes thousands of small things that are gone with it; looking through them every 700 is
# in vain.
COLLECT_AFTER = 20_000


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
                log_refusal(problems_of(error))
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
