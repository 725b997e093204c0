"""Faults that the page offers, by server."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from providers.sandbox.server import Server

Misbehave = Callable[[Any], Awaitable[Any] | None]


def failing(status: int) -> Misbehave:
    """Fails three times, which is as often as a read is tried."""
    return lambda server: server.answer_with(status, "a fault of the demo", times=3)


def refusing(method: str, error: str, status: int = 200, **headers: str) -> Misbehave:
    """Refuses one call of a method."""
    body = json.dumps({"ok": False, "error": error})
    return lambda slack: slack.answer_with(
        status, body, path=method, Content_Type="application/json", **headers
    )


def deliver_twice(slack: Any) -> None:
    slack.deliveries = 2


def grow_old(slack: Any) -> None:
    # Tables stay, as they are older.
    slack.supports_new_blocks = slack.knows_tasks = False


_PROVIDER: Mapping[str, tuple[str, Misbehave]] = {
    # Longer than the bot takes to report that it is working on the answer.
    "slow": ("be slow once", lambda server: server.be_slow(6)),
    "503": ("answer 503", failing(503)),
    "429": ("answer 429", failing(429)),
    "401": ("answer 401", failing(401)),
}
_SLACK: Mapping[str, tuple[str, Misbehave]] = {
    "cut": ("cut the connection", lambda slack: slack.break_off()),
    "leave": ("ask for a new connection", lambda slack: slack.ask_to_leave("refresh_requested")),
    "twice": ("deliver the next command twice", deliver_twice),
    "429": (
        "reject posts for 2 s",
        refusing("chat.postMessage", "ratelimited", 429, Retry_After="2"),
    ),
    "unsure": ("accept a post without answering", lambda slack: slack.fail()),
    "file": ("reject one file", refusing("files.getUploadURLExternal", "storage_limit_reached")),
    "old": ("stop supporting charts, tables and tasks", grow_old),
}


def faults_of(server: Server) -> Mapping[str, tuple[str, Misbehave]]:
    """The faults of a server by name, each with its label and its action."""
    return _SLACK if server.name == "slack" else _PROVIDER
