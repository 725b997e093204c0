"""Slack's agent surface in the sandbox."""

from __future__ import annotations

from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import Channel
from bot.slack.manifest import AGENT_SCOPES, SCOPES

DIRECT = "D0ADA"


def open_agent_surface(sandbox: Sandbox) -> None:
    """Lets Ada write to the app in direct messages, and in threads with it."""
    sandbox.slack.scopes = ",".join({**SCOPES, **AGENT_SCOPES})
    sandbox.slack.channels[DIRECT] = Channel(DIRECT, "Ada", "", direct_with="U0ADA")
