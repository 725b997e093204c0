"""The whole sandbox: a Slack, a server for each vendor, and the configuration by which the real bot
finds them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.config import Settings, SlackTokens, parse_settings, slack_tokens
from bot.sandbox.slack import SlackSandbox
from bot.sandbox.targets import TargetSandbox, open_targets
from providers.clock import Clock, utc_now
from providers.redaction import Secret
from providers.registry import registry
from providers.sandbox.server import Server, StandIn


def stand_ins(kinds: Collection[str] = ()) -> dict[str, StandIn]:
    """A server for each vendor that has one, by kind; for these kinds alone if there are any."""
    return {
        kind: provider.sandbox()
        for kind, provider in registry().providers.items()
        if provider.sandbox and (not kinds or kind in kinds)
    }


@dataclass(slots=True)
class Sandbox:
    """All servers, and the folder of the bot's files. A vendor's server is `sandbox.vendors[kind]`,
    or an attribute of that name.
    """

    folder: Path
    clock: Clock = utc_now
    slack: SlackSandbox = field(default_factory=SlackSandbox)
    vendors: Mapping[str, StandIn] = field(default_factory=stand_ins)
    # The setting of that name.
    database: str = "bot.sqlite"
    # The targets of alerts beside Slack, once they are started.
    targets: TargetSandbox | None = None

    def __getattr__(self, kind: str) -> Any:
        try:
            return self.vendors[kind]
        # hasattr and copy expect AttributeError.
        except KeyError:
            raise AttributeError(kind) from None

    @property
    def servers(self) -> list[Server]:
        return [self.slack, *self.vendors.values()]

    def environ(self) -> dict[str, str]:
        """The environment of the bot."""
        found = {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_SIGNING_SECRET": self.slack.signing_secret,
            "SLACK_API_URL": f"{self.slack.url}/api/",
        }
        for vendor in self.vendors.values():
            found |= vendor.environ()
        return found | (self.targets.environ() if self.targets else {})

    def table(self) -> dict[str, Any]:
        """The configuration as in bot.toml."""
        targets = {"targets": self.targets.table()} if self.targets else {}
        return {
            **targets,
            "timezone": "Europe/Dublin",
            "database": self.database,
            # Different for each command, so that the demo shows refusals, too.
            "access": {
                "usage": ["*"],
                "apiaudit": ["U0ADA", "S0ONCALL"],
                "logs": ["C0OPS", "U0ADA"],
            },
            "providers": {
                vendor.account: {"kind": kind, **vendor.settings()}
                for kind, vendor in self.vendors.items()
            },
        }

    def settings(self, **changes: Any) -> Settings:
        return parse_settings(
            {**self.table(), **changes},
            folder=self.folder,
            environ=self.environ(),
            now=self.clock(),
        )

    @property
    def location(self) -> Path | Secret:
        """The file of the bot's database, or the URL of its server."""
        return self.settings().database

    def tokens(self, mode: str = "socket") -> SlackTokens:
        return slack_tokens(mode, self.environ())

    def write_files(self) -> None:
        """Writes the files that the configuration refers to."""
        for vendor in self.vendors.values():
            for name, text in vendor.files().items():
                (self.folder / name).write_text(text, "utf-8")


@asynccontextmanager
async def open_sandbox(
    folder: Path, *, port: int = 0, clock: Clock = utc_now, kinds: Collection[str] = ()
) -> AsyncIterator[Sandbox]:
    """Starts everything; `port` is that of the page. All servers use `clock`. With `kinds` only
    these vendors are there.
    """
    sandbox = Sandbox(folder, clock, vendors=stand_ins(kinds))
    for server in sandbox.servers:
        server.now = clock
    sandbox.slack.clock = lambda: clock().timestamp()
    try:
        # First, as the settings contain its address.
        await sandbox.slack.start(port)
        await asyncio.gather(*(vendor.start() for vendor in sandbox.vendors.values()))
        for server in sandbox.servers:
            sandbox.slack.watch(server)
        sandbox.write_files()
        yield sandbox
    finally:
        await asyncio.gather(*(server.stop() for server in sandbox.servers))


@asynccontextmanager
async def open_targets_of(sandbox: Sandbox) -> AsyncIterator[TargetSandbox]:
    """Starts the targets of alerts and configures them in the sandbox."""
    async with open_targets(sandbox.clock) as targets:
        sandbox.targets = targets
        for server in targets.servers:
            sandbox.slack.watch(server)
        yield targets
