"""The demo: the real bot connected to the sandbox, with a page to look at or a conversation to print."""

from __future__ import annotations

import contextlib
import html
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import click

from bot.app import open_bot
from bot.formatting import format_bytes
from bot.runtime import stop_event
from bot.sandbox.slack import Message
from bot.sandbox.world import Sandbox, open_sandbox
from providers.clock import Clock, utc_now

# What a visitor finds: something that fires, since Linus' old script fails again and again, and something that does not.
WATCHED = (
    {
        "name": "failing-clients", "ask": "/apiaudit edge last 2h", "value": "failures", "above": 3, "each": "actor", "every": "1m",
        "repeat": "15m", "channel": "#ops",
    },
    {"name": "ingest-spike", "ask": "/usage rapid7-eu today", "value": "bytes", "above": "9 GB", "every": "5m", "channel": "#ops"},
)  # fmt: skip


@asynccontextmanager
async def open_demo(
    folder: Path, *, port: int = 0, alert: Sequence[dict[str, Any]] = (), clock: Clock = utc_now
) -> AsyncIterator[Sandbox]:
    """The sandbox with the bot connected to it over Socket Mode."""
    async with (
        open_sandbox(folder, port=port, clock=clock) as world,
        open_bot(world.settings(alert=list(alert)), world.tokens(), clock=clock) as bot,
        bot.connected(),
    ):
        world.slack.limit()
        await world.slack.until(lambda: world.slack.sockets)
        yield world


async def serve(folder: Path, port: int) -> None:
    """The demo until Ctrl-C."""
    stop = stop_event()
    async with open_demo(folder, port=port, alert=WATCHED) as world:
        click.echo(f"Opswatch is connected to its sandbox. Open {world.slack.url} (Ctrl-C ends it)")
        await stop.wait()


async def play(folder: Path, lines: Sequence[str]) -> None:
    """Plays the commands and prints the conversation."""
    async with open_demo(folder) as world:
        for line in lines:
            await _play_one(world, line if line.startswith("/") else f"/{line}")


async def _play_one(world: Sandbox, line: str) -> None:
    click.echo(f"Ada in #ops: {line}")
    before = len(world.slack.messages)
    answer = await world.slack.answer_to(line, timeout_s=60)
    await _files_of(world, answer, before)
    where = " (only Ada sees this)" if answer.seen_by else ""
    click.echo(f"Opswatch{where}:\n{_indented(answer)}")
    for message in world.slack.messages[before:]:
        for file in message.files:
            click.echo(f"  [file] {file.name} ({format_bytes(file.length)})")
    click.echo("")


async def _files_of(world: Sandbox, answer: Message, before: int) -> None:
    """Files follow their answer; a conversation that names one is printed with it."""
    if ".csv" in answer.text or ".log" in answer.text or "direct messages" in answer.text:
        with contextlib.suppress(AssertionError):
            await world.slack.until(lambda: any(m.files for m in world.slack.messages[before:]), timeout_s=10)


def _indented(message: Message) -> str:
    return "\n".join("  " + html.unescape(line) for line in message.text.splitlines())
