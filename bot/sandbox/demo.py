"""The demo: the real bot connected to the sandbox, with a web page or a printed conversation."""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import click

from bot.app import Bot, open_bot
from bot.config import Settings
from bot.formatting import format_bytes
from bot.questions.question import AccountDirectory
from bot.questions.reading import split_line
from bot.questions.registry import COMMANDS
from bot.runtime import stop_event
from bot.sandbox.sandbox import Sandbox, open_sandbox, open_targets_of, stand_ins
from bot.sandbox.slack import Channel, Message
from bot.sandbox.slack.state import AGENT_SCOPES, CANVAS_SCOPES
from providers.clock import Clock, utc_now

# A log of a day is downloaded and uploaded in a few seconds.
FILES_WITHIN_S = 60.0
# Words that every command takes.
COMPLETED = (
    "alert",
    "alerts",
    "canvas",
    "help",
    "save",
    "saved",
    "subscribe",
    "subscriptions",
    "today",
    "yesterday",
)


# How the alerts of a visitor call somebody.
CALLING = {
    "severity": "critical",
    "runbook": "https://wiki.example.com/runbook",
    "notify": ["S0ONCALL", "pagerduty"],
    "escalate_after": "15m",
    "escalate_to": ["opsgenie", "mail"],
}


# A canvas that visitors find in a tab of the channel.
KEPT_DIGEST = {
    "name": "Usage today",
    "ask": "/usage today",
    "at": "* * * * *",
    "channel": "#kitchen",
    "as": "canvas",
}


def watched_alerts() -> list[dict[str, Any]]:
    """The alerts of the demo, which notify the targets."""
    # Taken from servers that are never started, since the bot's settings are needed before them.
    alerts = [alert for vendor in stand_ins().values() for alert in vendor.alerts()]
    return [{**alert, **CALLING} for alert in alerts]


@asynccontextmanager
async def open_demo(
    folder: Path, *, port: int = 0, clock: Clock = utc_now, **tables: Sequence[dict[str, Any]]
) -> AsyncIterator[Sandbox]:
    """The sandbox with the bot connected to it over Socket Mode; `tables` are those of its
    configuration, such as `alert`.
    """
    async with _open_with_bot(folder, port=port, clock=clock, **tables) as (sandbox, _):
        yield sandbox


@asynccontextmanager
async def _open_with_bot(
    folder: Path, *, port: int = 0, clock: Clock = utc_now, **tables: Sequence[dict[str, Any]]
) -> AsyncIterator[tuple[Sandbox, Bot]]:
    async with (
        open_sandbox(folder, port=port, clock=clock) as sandbox,
        open_targets_of(sandbox),
        open_bot(_settings(sandbox, tables), sandbox.tokens(), clock=clock) as bot,
        bot.connected(),
    ):
        # Tests are not limited, as they ask more in a second than people do in an hour.
        sandbox.slack.limit()
        sandbox.slack.scopes += f",{CANVAS_SCOPES},{AGENT_SCOPES}"
        # Whoever opens the page is on call.
        sandbox.slack.groups["S0ONCALL"] = ["U0ADA", "U0GRACE"]
        sandbox.slack.commands = _commands(bot.requests.answering.directory)
        await sandbox.slack.until(lambda: sandbox.slack.sockets)
        yield sandbox, bot


def _settings(sandbox: Sandbox, tables: Mapping[str, Sequence[dict[str, Any]]]) -> Settings:
    """The settings with a channel in which everybody may ask who called an API, so that an alert
    there shows what is behind it.
    """
    about = "Audits: everybody here may ask who called an API"
    sandbox.slack.channels["C0SECURITY"] = Channel("C0SECURITY", "security", about)
    access = dict(sandbox.table()["access"])
    access["apiaudit"] = [*access["apiaudit"], "C0SECURITY"]
    return sandbox.settings(access=access, **{name: list(table) for name, table in tables.items()})


def _commands(directory: AccountDirectory) -> list[dict[str, Any]]:
    """The slash commands that the page completes, with accounts and words of the examples."""
    return [
        {
            "name": f"/{command.name}",
            "hint": command.usage_hint,
            "words": sorted(
                {word for words, _ in command.examples for word in words.split()}
                | {*directory.of_kind(command.kinds), *COMPLETED}
            ),
        }
        for command in COMMANDS.values()
    ]


async def serve(folder: Path, port: int) -> None:
    """Runs the demo until Ctrl-C."""
    stop = stop_event()
    async with open_demo(
        folder, port=port, alert=watched_alerts(), digest=[KEPT_DIGEST]
    ) as sandbox:
        click.echo(
            f"Opswatch is connected to its sandbox. Open {sandbox.slack.url} (Ctrl-C ends it)"
        )
        await stop.wait()


async def play(folder: Path, lines: Sequence[str]) -> None:
    """Runs the commands, as `read_commands` returns them, and prints the conversation."""
    async with _open_with_bot(folder) as (sandbox, bot):
        for line in lines:
            await _play_one(sandbox, bot, line)


def read_commands(lines: Sequence[str]) -> list[str]:
    """The lines as people type them in Slack; the slash may be missing. Raises BadQuestion for a
    line that is not a command.
    """
    # All are read before the first is asked, so that a mistake in the last one is reported at once.
    commands = [split_line(line) for line in lines]
    return [f"/{name} {words}".strip() for name, words in commands]


async def _play_one(sandbox: Sandbox, bot: Bot, line: str) -> None:
    click.echo(f"Ada in #ops: {line}")
    before = len(sandbox.slack.messages)
    answer = await sandbox.slack.answer_to(line, timeout_s=60)
    # A question is in progress until its last file has been sent.
    if tasks := set(bot.requests.running.tasks):
        await asyncio.wait(tasks, timeout=FILES_WITHIN_S)
    where = " (only Ada sees this)" if answer.seen_by else ""
    click.echo(f"Opswatch{where}:\n{_indented(answer)}")
    for message in sandbox.slack.messages[before:]:
        for file in message.files:
            click.echo(f"  [file] {file.name} ({format_bytes(file.length)})")
    click.echo("")


def _indented(message: Message) -> str:
    return "\n".join("  " + html.unescape(line) for line in message.text.splitlines())
