"""Stand-ins for the targets of alerts, as strict as their public pages: PagerDuty, Opsgenie, a signed
webhook, and a mail server. They import nothing of the code that they test.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.targets.mail import MailSandbox
from bot.sandbox.targets.opsgenie import OpsgenieSandbox
from bot.sandbox.targets.pagerduty import PagerDutySandbox
from bot.sandbox.targets.webhook import WebhookSandbox
from providers.clock import Clock, utc_now
from providers.sandbox.server import Server

__all__ = [
    "MailSandbox",
    "OpsgenieSandbox",
    "PagerDutySandbox",
    "TargetSandbox",
    "WebhookSandbox",
    "open_targets",
]


@dataclass(slots=True)
class TargetSandbox:
    """One stand-in of each kind."""

    pagerduty: PagerDutySandbox = field(default_factory=PagerDutySandbox)
    opsgenie: OpsgenieSandbox = field(default_factory=OpsgenieSandbox)
    webhook: WebhookSandbox = field(default_factory=WebhookSandbox)
    mail: MailSandbox = field(default_factory=MailSandbox)

    @property
    def servers(self) -> list[Server]:
        """Those that speak HTTP."""
        return [self.pagerduty, self.opsgenie, self.webhook]

    def table(self) -> dict[str, Any]:
        """`[targets]` as it would be written in bot.toml."""
        return {
            "pagerduty": self.pagerduty.settings(),
            "opsgenie": self.opsgenie.settings(),
            "hook": self.webhook.settings(),
            "mail": self.mail.settings(),
        }

    def environ(self) -> dict[str, str]:
        """The variables that the settings refer to."""
        return {
            "PAGERDUTY_ROUTING_KEY": self.pagerduty.routing_key,
            "PAGERDUTY_WEBHOOK_SECRET": self.pagerduty.webhook_secret,
            "OPSGENIE_API_KEY": self.opsgenie.api_key,
            "OPSWATCH_HOOK_URL": f"{self.webhook.url}/hooks/{self.webhook.token}",
            "OPSWATCH_HOOK_SECRET": self.webhook.secret,
            "SMTP_USERNAME": self.mail.username,
            "SMTP_PASSWORD": self.mail.password,
        }


@asynccontextmanager
async def open_targets(clock: Clock = utc_now) -> AsyncIterator[TargetSandbox]:
    """All of them started."""
    targets = TargetSandbox()
    for server in targets.servers:
        server.now = clock
    try:
        await asyncio.gather(targets.mail.start(), *(each.start() for each in targets.servers))
        yield targets
    finally:
        await asyncio.gather(targets.mail.stop(), *(each.stop() for each in targets.servers))
