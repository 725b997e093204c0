"""The state of the sandbox Slack, and what tests and the page read of it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.sandbox.slack.records import (
    BOT,
    Ack,
    Channel,
    File,
    Message,
    ResponseUrl,
    User,
    View,
)
from bot.sandbox.slack_limits import Meter, Refusal
from providers.sandbox.server import RecordedRequest, Server

SCOPES = (
    "app_mentions:read,channels:history,channels:read,chat:write,commands,files:write,groups:history,"
    "groups:read,im:read,im:write,usergroups:read,users:read"
)


# Further ones of an app that is an agent.
AGENT_SCOPES = "assistant:write,im:history"
# Further ones of an app with digests in canvases.
CANVAS_SCOPES = "canvases:read,canvases:write"


@dataclass(slots=True)
class SlackState(Server):
    name: str = "slack"
    title: str = "Slack"
    # The app's slash commands, as its manifest has them: name, hint, and words to complete.
    commands: list[dict[str, Any]] = field(default_factory=list)
    bot_token: str = "xoxb-sandbox-0000000000"
    app_token: str = "xapp-1-sandbox-0000000000"
    signing_secret: str = "sandbox-signing-secret"
    scopes: str = SCOPES
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=lambda: {"S0ONCALL": ["U0GRACE"]})
    messages: list[Message] = field(default_factory=list)
    # The prompts that are suggested in each thread with the app as an agent, and the statuses shown.
    agent_threads: dict[str, list[str]] = field(default_factory=dict)
    agent_titles: dict[str, str] = field(default_factory=dict)
    agent_sessions: dict[str, str] = field(default_factory=dict)
    # The token of each step of a workflow that was started, and what came of it.
    step_tokens: dict[str, str] = field(default_factory=dict)
    steps: dict[str, str] = field(default_factory=dict)
    statuses: list[str] = field(default_factory=list)
    homes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    canvases: dict[str, Any] = field(default_factory=dict)
    # An admin may switch canvases off, and a free workspace has one in each channel.
    has_canvases: bool = True
    is_free: bool = False
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)
    acks: dict[str, Ack] = field(default_factory=dict)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    tickets: set[str] = field(default_factory=set)
    # What Slack has refused; at the end of a test it is usually empty.
    refused: list[str] = field(default_factory=list)
    # So many addresses of Socket Mode do not answer.
    dead_addresses: int = 0
    # So many connections are refused as one too many.
    too_many: int = 0
    supports_new_blocks: bool = True
    knows_tables: bool = True
    knows_tasks: bool = True
    deliveries: int = 1
    last_delivery: tuple[str, dict[str, Any]] = ("", {})
    # Connections stay open without any traffic, as behind a broken proxy.
    silent: bool = False
    views: dict[str, View] = field(default_factory=dict)
    triggers: dict[str, tuple[str, float]] = field(default_factory=dict)
    events_url: str = ""
    servers: list[Server] = field(default_factory=list)
    streams: set[asyncio.Queue[str]] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    clock: Callable[[], float] = time.time
    refusals: list[Refusal] = field(default_factory=list)
    # So small that whoever reads a list must follow the cursor.
    listed_per_page: int = 1
    messages_per_page: int = 2
    # Installed to a whole Enterprise Grid organisation, of which this is a workspace.
    is_org_install: bool = False
    _meter: Meter | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        people = (
            User("U0ADA", "Ada", "Europe/Dublin", "on call; may ask everything"),
            User("U0GRACE", "Grace", "America/New_York", "platform; in the group @oncall"),
            User("U0LINUS", "Linus", "Europe/Helsinki", "may ask /usage alone"),
        )
        places = (
            Channel("C0OPS", "ops", "Operations: everybody here may ask for logs"),
            Channel("C0KITCHEN", "kitchen", "What is cooking"),
            Channel("C0QUIET", "quiet", "Opswatch is not in this channel", bot_is_in=False),
        )
        self.users |= {user.id: user for user in people}
        self.channels |= {channel.id: channel for channel in places}

    def seen(self, user: str = "U0ADA", channel: str = "") -> list[Message]:
        """The bot's messages that a person can see, in order."""
        return [
            m
            for m in self.messages
            if m.user == BOT and m.seen_by in ("", user) and m.channel == (channel or m.channel)
        ]

    async def until(self, what: Callable[[], Any], *, timeout_s: float = 30.0) -> Any:
        """The first true result of `what`. Raises AssertionError where there is none in time."""
        try:
            async with asyncio.timeout(timeout_s):
                while not (found := what()):
                    # Cleared before it is waited for, after `what` was evaluated: no other task
                    # runs in between.
                    self.changed.clear()
                    # What happens outside Slack, such as at a vendor, is not a change in Slack.
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(0.1):
                            await self.changed.wait()
                return found
        except TimeoutError:
            latest = [(m.channel, m.text[:200]) for m in self.messages[-5:]]
            raise AssertionError(
                f"this did not happen in time; refused: {self.refused[-3:]}; last messages: {latest}"
            ) from None

    def watch(self, server: Server) -> None:
        """Shows a server's requests on the page."""
        self.servers.append(server)
        server.watchers.append(self._broadcast_request)

    def _broadcast_request(self, entry: RecordedRequest) -> None:
        if is_from_bot(entry):
            self._broadcast({"event": "request", "request": entry.brief()})

    def _add(self, message: Message) -> None:
        self.messages.append(message)
        self._broadcast_message("added", message)

    def _broadcast_message(self, event: str, message: Message) -> None:
        self._broadcast({"event": event, "message": message.shown()})
        self._notify()

    def _broadcast(self, what: dict[str, Any]) -> None:
        for queue in self.streams:
            queue.put_nowait(json.dumps(what))

    def _notify(self) -> None:
        self.changed.set()

    def modal(self, user: str = "U0ADA") -> View | None:
        """The modal that a person has open."""
        return next((view for view in self.views.values() if view.user == user), None)

    def _show_view(self, user: str) -> None:
        view = self.modal(user)
        self._broadcast({"event": "view", "user": user, "view": view.shown() if view else None})

    def _message(self, args: dict[str, Any]) -> Message | None:
        return next(
            (
                m
                for m in self.messages
                if m.ts == args.get("ts") and m.channel == args.get("channel")
            ),
            None,
        )

    def _channel(self, given: str) -> Channel | None:
        """The channel of that id or name; a person's id means their direct messages, as
        for posts in Slack.
        """
        direct = next((c for c in self.channels.values() if given and c.direct_with == given), None)
        found = self.channels.get(given) or direct
        return found or next(
            (c for c in self.channels.values() if c.name == given.removeprefix("#") and given), None
        )

    def _direct_channel(self, user: str) -> Channel:
        """The direct messages of a person with the bot."""
        name = self.users[user].name
        about = "Direct messages with Opswatch"
        channel = Channel(f"D0{user[2:]}", name, about, direct_with=user)
        return self.channels.setdefault(channel.id, channel)

    def _response_url(self, user: str, channel: str, *, ts: str = "") -> str:
        key = secrets.token_urlsafe(12)
        self.response_urls[key] = ResponseUrl(user, channel, self.clock(), ts=ts)
        return f"{self.url}/response/{key}"

    def _ts(self) -> str:
        # Unique within a channel, as Slack's are, also within one second.
        return f"{int(self.clock())}.{next(self._numbers):06d}"

    def _id(self, prefix: str) -> str:
        return f"{prefix}{secrets.token_hex(6).upper()}"


def is_from_bot(entry: RecordedRequest) -> bool:
    """Whether a request is the bot's and not the page's."""
    # Only the Slack is asked by the page, too.
    return entry.server != "slack" or entry.path.startswith(("/api/", "/response/", "/upload/"))
