"""The whole sandbox started together: a Slack, three vendors, and the configuration by which the
real bot finds them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.config import Settings, SlackTokens, parse_settings, slack_tokens
from bot.sandbox import seed
from bot.sandbox.akamai import AkamaiSandbox
from bot.sandbox.devicewise import DeviceWiseSandbox
from bot.sandbox.rapid7 import Rapid7Sandbox
from bot.sandbox.slack import SlackSandbox
from providers.clock import Clock, utc_now


@dataclass(slots=True)
class Sandbox:
    """All servers, and the folder where the bot keeps its files."""

    folder: Path
    clock: Clock = utc_now
    slack: SlackSandbox = field(default_factory=SlackSandbox)
    rapid7: Rapid7Sandbox = field(default_factory=Rapid7Sandbox)
    devicewise: DeviceWiseSandbox = field(default_factory=DeviceWiseSandbox)
    akamai: AkamaiSandbox = field(default_factory=AkamaiSandbox)

    def environ(self) -> dict[str, str]:
        """The environment of the bot."""
        return {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_SIGNING_SECRET": self.slack.signing_secret,
            "SLACK_API_URL": f"{self.slack.url}/api/",
            "RAPID7_API_KEY": self.rapid7.api_key,
            "DW_USER": self.devicewise.username,
            "DW_PASSWORD": self.devicewise.password,
        }

    def table(self) -> dict[str, Any]:
        """The configuration as it would stand in bot.toml."""
        return {
            "timezone": "Europe/Dublin",
            "database": "bot.sqlite",
            "access": {
                "usage": ["*"],
                "apiaudit": ["U0ADA", "S0ONCALL"],
                "logs": ["C0OPS", "U0ADA"],
            },
            "providers": {
                "rapid7-eu": {
                    "kind": "rapid7",
                    "base_url": self.rapid7.url,
                    "api_key": "env:RAPID7_API_KEY",
                    "monthly_quota": "150 GB",
                    "logs": {"kitchen": seed.KITCHEN, "cellar": seed.CELLAR},
                },
                "edge": {
                    "kind": "akamai",
                    "base_url": self.akamai.url,
                    "edgerc": ".edgerc",
                    "account_ids": list(self.akamai.account_ids),
                },
                "iot": {
                    "kind": "devicewise",
                    "base_url": self.devicewise.url,
                    "username": "env:DW_USER",
                    "password": "env:DW_PASSWORD",
                },
            },
        }

    def settings(self, **changes: Any) -> Settings:
        return parse_settings(
            {**self.table(), **changes},
            folder=self.folder,
            environ=self.environ(),
            now=self.clock(),
        )

    def tokens(self, mode: str = "socket") -> SlackTokens:
        return slack_tokens(mode, self.environ())


@asynccontextmanager
async def open_sandbox(
    folder: Path, *, port: int = 0, clock: Clock = utc_now
) -> AsyncIterator[Sandbox]:
    """Everything started; `port` is where the page is served. All servers take the time of day from
    `clock`.
    """
    world = Sandbox(folder, clock)
    servers = (world.slack, world.rapid7, world.devicewise, world.akamai)
    for server in servers:
        server.now = clock
    world.slack.clock = lambda: clock().timestamp()
    world.akamai.clock = clock
    world.rapid7.title, world.devicewise.title, world.akamai.title = (
        "Rapid7",
        "deviceWISE",
        "Akamai",
    )
    try:
        await world.slack.start(port)
        await asyncio.gather(*(server.start() for server in servers[1:]))
        for server in servers:
            world.slack.watch(server)
        (folder / ".edgerc").write_text(world.akamai.edgerc(), "utf-8")
        yield world
    finally:
        await asyncio.gather(*(server.stop() for server in servers))
