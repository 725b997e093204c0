"""A Slack on loopback: Web API, Socket Mode, response URLs, uploads, and the page that shows them.

It refuses what Slack refuses: wrong tokens, blocks over the limits, channels the bot is not in, a
response URL used six times.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import html
import inspect
import itertools
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import WSMsgType, web

from bot.sandbox import block_kit_schema
from bot.sandbox.faults import faults_of
from bot.sandbox.server import Entry, Server
from bot.sandbox.slack_limits import Meter, Refusal, SlackLimits

PAGE = Path(__file__).parent / "page"
SCOPES = "app_mentions:read,channels:history,channels:read,chat:write,commands,files:write,groups:history,groups:read,im:read,im:write,usergroups:read,users:read"
BOT = "U0OPSWATCH"
REQUIRED = "Please complete this required field."
# How messages begin that say that an answer is still to come: work goes on, or the channel is busy.
INTERIM = ("Working on", "Much is being posted in this channel")


class NotConnected(AssertionError):
    """Nobody is there to take a delivery."""


@dataclass(slots=True)
class User:
    id: str
    name: str
    tz: str
    about: str
    deleted: bool = False
    team: str = "T0SANDBOX"


@dataclass(slots=True)
class Channel:
    id: str
    name: str
    about: str
    bot_is_in: bool = True
    direct_with: str = ""
    members: tuple[str, ...] | None = None


@dataclass(slots=True)
class File:
    id: str
    name: str
    length: int
    content: bytes = b""
    title: str = ""
    alt_txt: str = ""
    shared: bool = False
    shared_at: float = 0.0

    def shown(self) -> dict[str, Any]:
        preview = ""
        if not self.name.endswith(".gz"):
            preview = self.content[:1500].decode("utf-8", "replace")
        return {
            "id": self.id,
            "name": self.name,
            "size": len(self.content),
            "title": self.title,
            "preview": preview,
        }


@dataclass(slots=True)
class Message:
    """A message as it stands in a channel; `seen_by` is set where only one person sees it."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str = ""
    seen_by: str = ""
    files: list[File] = field(default_factory=list)
    edited: int = 0
    command: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)
    broadcast: bool = False

    def shown(self) -> dict[str, Any]:
        return {
            "ts": self.ts,
            "channel": self.channel,
            "user": self.user,
            "text": self.text,
            "blocks": self.blocks,
            "thread_ts": self.thread_ts,
            "broadcast": self.broadcast,
            "seen_by": self.seen_by,
            "edited": self.edited,
            "command": self.command,
            "files": [file.shown() for file in self.files],
        }


@dataclass(slots=True)
class ResponseUrl:
    user: str
    channel: str
    made_at: float
    uses: int = 0
    ts: str = ""


@dataclass(slots=True)
class Ack:
    """When an envelope was acknowledged, and with what."""

    envelope_id: str
    sent_at: float
    done: asyncio.Future[Any]
    acked_at: float = 0.0


@dataclass(slots=True)
class View:
    """A modal as one person has it open; `errors` stand at its inputs by block id."""

    id: str
    user: str
    view: dict[str, Any]
    hash: str
    errors: dict[str, str] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        return {"id": self.id, "view": self.view, "errors": self.errors}

    def words(self) -> str:
        """All that it says, for a test to look into."""
        return json.dumps(self.view["blocks"], ensure_ascii=False)

    def state(self, given: dict[str, str]) -> dict[str, Any]:
        """What stands in its inputs: what was `given` by block id, and else what stood there from
        the beginning.
        """
        values = {}
        for block in self.view["blocks"]:
            if block["type"] == "input":
                element = block["element"]
                values[block["block_id"]] = {
                    element["action_id"]: _entered(element, given.get(block["block_id"]))
                }
        return {"values": values}


@dataclass(slots=True)
class SlackSandbox(Server):
    name: str = "slack"
    bot_token: str = "xoxb-sandbox-0000000000"
    app_token: str = "xapp-1-sandbox-0000000000"
    signing_secret: str = "sandbox-signing-secret"
    scopes: str = SCOPES
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=lambda: {"S0ONCALL": ["U0GRACE"]})
    messages: list[Message] = field(default_factory=list)
    homes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)
    acks: dict[str, Ack] = field(default_factory=dict)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    tickets: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    dead_addresses: int = 0
    too_many: int = 0
    supports_new_blocks: bool = True
    knows_tables: bool = True
    knows_tasks: bool = True
    deliveries: int = 1
    silent: bool = False
    views: dict[str, View] = field(default_factory=dict)
    triggers: dict[str, tuple[str, float]] = field(default_factory=dict)
    events_url: str = ""
    ledgers: list[Server] = field(default_factory=list)
    streams: set[asyncio.Queue[str]] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    clock: Callable[[], float] = time.time
    refusals: list[Refusal] = field(default_factory=list)
    listed_per_page: int = 1
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

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/{method}", self._method),
            web.get("/api/{method}", self._method),
            web.get("/socket/{ticket}", self._socket),
            web.post("/response/{id}", self._response),
            web.post("/upload/{id}", self._upload),
            web.get("/", self._page),
            web.get("/page/{name}", self._page),
            web.get("/state", self._state),
            web.get("/events", self._events),
            web.get("/files/{id}", self._file),
            web.post("/do/command", self._do_command),
            web.post("/do/press", self._do_press),
            web.post("/do/home", self._do_home),
            web.post("/do/view", self._do_view),
            web.post("/do/shortcut", self._do_shortcut),
            web.post("/do/options", self._do_options),
            web.post("/do/fault", self._do_fault),
        ]

    # What a person does

    async def command(
        self,
        line: str,
        *,
        user: str = "U0ADA",
        channel: str = "C0OPS",
        trigger_id: str = "",
        over: web.WebSocketResponse | None = None,
        **extra: Any,
    ) -> Ack:
        """Types a slash command. The line stands in the channel as the person's own, seen by them
        alone.

        `over` is the connection it comes by; `extra` stands in the envelope, such as
        `retry_attempt` of a delivery that comes again.
        """
        name, _, text = line.partition(" ")
        self._add(Message(self._ts(), channel, user, line, seen_by=user, command=True))
        payload = {
            "token": "sandbox",
            "team_id": "T0SANDBOX",
            "team_domain": "sandbox",
            "channel_id": channel,
            "channel_name": self.channels[channel].name,
            "user_id": user,
            "user_name": self.users[user].name.lower(),
            "command": name,
            "text": html.escape(text, quote=False),
            "api_app_id": "A0OPSWATCH",
            "is_enterprise_install": "false",
            "response_url": self._response_url(user, channel),
            "trigger_id": self._trigger(user, trigger_id),
        }
        return await self._send("slash_commands", payload, over=over, **extra)

    async def press(self, message: Message, action_id: str, *, user: str = "U0ADA") -> Ack:
        """Presses a button of a message."""
        elements = [
            (block, e)
            for block in message.blocks
            for e in block.get("elements", [])
            if e.get("action_id") == action_id
        ]
        block, element = elements[0]
        payload: dict[str, Any] = {
            "type": "block_actions",
            "user": {"id": user, "username": self.users[user].name.lower(), "team_id": "T0SANDBOX"},
            "api_app_id": "A0OPSWATCH",
            "token": "sandbox",
            "container": {
                "type": "message",
                "message_ts": message.ts,
                "channel_id": message.channel,
                "is_ephemeral": bool(message.seen_by),
                **({"thread_ts": message.thread_ts} if message.thread_ts else {}),
            },
            "trigger_id": self._trigger(user),
            "team": {"id": "T0SANDBOX", "domain": "sandbox"},
            "enterprise": None,
            "is_enterprise_install": False,
            "channel": {"id": message.channel, "name": self.channels[message.channel].name},
            "response_url": self._response_url(user, message.channel, ts=message.ts),
            "state": {"values": {}},
            "actions": [
                {**element, "block_id": block.get("block_id", "b1"), "action_ts": self._ts()}
            ],
        }
        if not message.seen_by:
            payload["message"] = {
                "user": message.user,
                "ts": message.ts,
                "text": message.text,
                "blocks": message.blocks,
            }
            payload["message"] |= self._thread_of(message)
        return await self._send("interactive", payload)

    def _thread_of(self, message: Message) -> dict[str, Any]:
        """What a message tells of the thread it stands in, or that stands under it."""
        replies = [m for m in self.messages if m.thread_ts == message.ts and not m.seen_by]
        if not replies:
            return {"thread_ts": message.thread_ts} if message.thread_ts else {}
        users = list(dict.fromkeys(reply.user for reply in replies))
        return {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users": users,
            "latest_reply": replies[-1].ts,
        }

    async def press_at_home(self, value: str, *, user: str = "U0ADA") -> Ack:
        """Presses the button with that value or action in a person's App Home. Slack gives no
        channel and no response URL with it.
        """
        accessories = [block["accessory"] for block in self.homes[user] if "accessory" in block]
        element = next(
            each for each in accessories if value in (each.get("value"), each["action_id"])
        )
        payload = {
            "type": "block_actions",
            "user": {"id": user, "username": self.users[user].name.lower(), "team_id": "T0SANDBOX"},
            "api_app_id": "A0OPSWATCH",
            "token": "sandbox",
            "container": {"type": "view", "view_id": "V0HOME"},
            "trigger_id": self._trigger(user),
            "team": {"id": "T0SANDBOX", "domain": "sandbox"},
            "enterprise": None,
            "is_enterprise_install": False,
            "view": {
                "id": "V0HOME",
                "type": "home",
                "blocks": self.homes[user],
                "state": {"values": {}},
                "private_metadata": "",
            },
            "actions": [{**element, "block_id": "b1", "action_ts": self._ts()}],
        }
        return await self._send("interactive", payload)

    def modal(self, user: str = "U0ADA") -> View | None:
        """The modal that a person has open."""
        return next((view for view in self.views.values() if view.user == user), None)

    async def submit(self, view: View, **given: str) -> Ack:
        """Presses a modal's submit button, with these values in its inputs by block id. It closes
        unless the bot says otherwise.
        """
        state = view.state(given)
        payload = {"type": "view_submission", **self._from_view(view, state), "response_urls": []}
        missing = _missing(view, state)
        if missing:
            raise AssertionError(f"Slack itself would not let this be submitted without {missing}")
        ack = await self._send("interactive", payload)
        answer = await asyncio.wait_for(ack.done, 3)
        self._answered(view, answer if isinstance(answer, dict) else {})
        return ack

    async def press_in(self, view: View, action_id: str, **given: str) -> Ack:
        """Presses a button inside a modal."""
        inside = [
            (b, e)
            for b in view.view["blocks"]
            for e in [*b.get("elements", []), b.get("accessory") or {}]
        ]
        [(block, element)] = [(b, e) for b, e in inside if e.get("action_id") == action_id]
        payload = {
            "type": "block_actions",
            **self._from_view(view, view.state(given)),
            "container": {"type": "view", "view_id": view.id},
            "actions": [
                {**element, "block_id": block.get("block_id", "b1"), "action_ts": self._ts()}
            ],
        }
        return await self._send("interactive", payload)

    def close(self, view: View) -> None:
        """A person closes a modal."""
        self.views.pop(view.id, None)
        self._show_view(view.user)

    def _from_view(self, view: View, state: dict[str, Any]) -> dict[str, Any]:
        return {
            "team": {"id": "T0SANDBOX", "domain": "sandbox"},
            "user": {
                "id": view.user,
                "username": self.users[view.user].name.lower(),
                "team_id": "T0SANDBOX",
            },
            "api_app_id": "A0OPSWATCH",
            "token": "sandbox",
            "trigger_id": self._trigger(view.user),
            "view": {
                **view.view,
                "id": view.id,
                "hash": view.hash,
                "state": state,
                "root_view_id": view.id,
                "app_id": "A0OPSWATCH",
            },
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _answered(self, view: View, answer: dict[str, Any]) -> None:
        """What becomes of a modal that was submitted."""
        if answer.get("response_action") == "errors":
            inputs = {b["block_id"] for b in view.view["blocks"] if b["type"] == "input"}
            if not answer.get("errors") or set(answer["errors"]) - inputs:
                self.refused.append(f"view_submission: errors name no inputs {answer}")
            view.errors = answer.get("errors", {})
        elif answer.get("response_action") == "update":
            if found := block_kit_schema.view_complaints(answer.get("view")):
                self.refused.append(f"view_submission: {found}")
            view.view, view.errors = answer["view"], {}
        else:
            self.views.pop(view.id, None)
        self._show_view(view.user)
        self._notify()

    def _trigger(self, user: str, given: str = "") -> str:
        """A trigger id, which can be used once within three seconds."""
        trigger = given or self._id("trigger.")
        self.triggers[trigger] = (user, self.clock())
        return trigger

    def _show_view(self, user: str) -> None:
        view = self.modal(user)
        self._broadcast({"event": "view", "user": user, "view": view.shown() if view else None})

    async def say(
        self, text: str, *, user: str = "U0ADA", channel: str = "C0OPS", thread_ts: str = ""
    ) -> Message:
        """Says something in a channel or a thread. Where the bot is mentioned and in the channel,
        it hears of it.
        """
        message = Message(
            self._ts(), channel, user, text.replace("@Opswatch", f"<@{BOT}>"), thread_ts=thread_ts
        )
        self._add(message)
        if "@Opswatch" in text and self.channels[channel].bot_is_in:
            event = {
                "type": "app_mention",
                "user": user,
                "text": message.text,
                "ts": message.ts,
                "channel": channel,
                "event_ts": message.ts,
            }
            await self._send(
                "events_api",
                self._event(user, {**event, **({"thread_ts": thread_ts} if thread_ts else {})}),
            )
        return message

    async def shortcut(
        self, callback_id: str, *, user: str = "U0ADA", message: Message | None = None
    ) -> Ack:
        """A shortcut: at a message, or everywhere."""
        payload: dict[str, Any] = {
            "type": "message_action" if message else "shortcut",
            "callback_id": callback_id,
            "token": "sandbox",
            "action_ts": self._ts(),
            "team": {"id": "T0SANDBOX", "domain": "sandbox"},
            "user": {"id": user, "username": self.users[user].name.lower(), "team_id": "T0SANDBOX"},
            "is_enterprise_install": False,
            "enterprise": None,
            "trigger_id": self._trigger(user),
        }
        if message:
            payload["channel"] = {
                "id": message.channel,
                "name": self.channels[message.channel].name,
            }
            payload["message_ts"] = message.ts
            payload["response_url"] = self._response_url(user, message.channel)
            said_by = {"user": message.user} | (
                {"bot_id": "B0OPSWATCH"} if message.user == BOT else {}
            )
            payload["message"] = {
                "type": "message",
                "ts": message.ts,
                "text": message.text,
                "blocks": message.blocks,
                **said_by,
            }
        return await self._send("interactive", payload)

    async def options(self, view: View, action_id: str, typed: str) -> list[str]:
        """What an external select offers for what was typed."""
        payload = {
            "type": "block_suggestion",
            **self._from_view(view, view.state({})),
            "action_id": action_id,
            "block_id": action_id,
            "value": typed,
            "container": {"type": "view", "view_id": view.id},
        }
        ack = await self._send("interactive", payload)
        answer = await asyncio.wait_for(ack.done, 3)
        return [option["value"] for option in answer.get("options", [])]

    async def open_home(self, user: str) -> Ack:
        event = {
            "type": "app_home_opened",
            "user": user,
            "channel": f"D0{user[2:]}",
            "tab": "home",
            "event_ts": self._ts(),
        }
        return await self._send("events_api", self._event(user, event))

    def _event(self, user: str, event: dict[str, Any]) -> dict[str, Any]:
        del user
        return {
            "token": "sandbox",
            "team_id": "T0SANDBOX",
            "api_app_id": "A0OPSWATCH",
            "event": event,
            "type": "event_callback",
            "event_id": self._id("Ev"),
            "event_time": int(self.clock()),
            "authorizations": [{"team_id": "T0SANDBOX", "user_id": BOT, "is_bot": True}],
        }

    # What a test or a demo looks at

    def seen(self, user: str = "U0ADA", channel: str = "") -> list[Message]:
        """The bot's messages that a person can see, in order."""
        return [
            m
            for m in self.messages
            if m.user == BOT and m.seen_by in ("", user) and m.channel == (channel or m.channel)
        ]

    async def until(self, what: Callable[[], Any], *, timeout_s: float = 10.0) -> Any:
        """What `what` gives, once it gives something; an AssertionError when it does
        not in time.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not (found := what()):
                    self.changed.clear()
                    await self.changed.wait()
                return found
        except TimeoutError:
            said = [(m.channel, m.text[:200]) for m in self.messages[-5:]]
            raise AssertionError(
                f"this did not happen in time; refused: {self.refused[-3:]}; last messages: {said}"
            ) from None

    async def answer_to(
        self, line: str, *, user: str = "U0ADA", channel: str = "C0OPS", timeout_s: float = 10.0
    ) -> Message:
        """Types a command and waits for the bot's answer, past any interim message, and any of the
        outbox, for which nobody waits.
        """
        before = {(m.ts, m.edited) for m in self.messages}
        ack = await self.command(line, user=user, channel=channel)
        await asyncio.wait_for(ack.done, timeout_s)

        def answered() -> Message | None:
            fresh = [
                m
                for m in self.seen(user, channel)
                if (m.ts, m.edited) not in before and not m.thread_ts
            ]
            fresh = [m for m in fresh if m.metadata.get("event_type") != "opswatch_post"]
            return next((m for m in fresh if not m.text.startswith(INTERIM)), None)

        found: Message = await self.until(answered, timeout_s=timeout_s)
        return found

    # Deliveries

    async def _send(
        self,
        kind: str,
        payload: dict[str, Any],
        *,
        over: web.WebSocketResponse | None = None,
        **extra: Any,
    ) -> Ack:
        ack = Ack(self._id("env-"), time.monotonic(), asyncio.get_running_loop().create_future())
        self.acks[ack.envelope_id] = ack
        if self.events_url:
            self._keep(asyncio.create_task(self._post(kind, payload, ack)))
            return ack
        envelope = {
            "envelope_id": ack.envelope_id,
            "type": kind,
            "accepts_response_payload": True,
            "payload": payload,
            **extra,
        }
        live = [socket for socket in self.sockets if not socket.closed]
        if not live:
            raise NotConnected("no socket is connected")
        for _ in range(self.deliveries):
            await (over or live[-1]).send_str(json.dumps(envelope))
        self.deliveries = 1
        return ack

    async def ask_to_leave(
        self, reason: str, *, close_after_s: float = 0.5
    ) -> web.WebSocketResponse:
        """Tells the newest connection to make room for a fresh one, as Slack does every few hours,
        and closes it a little later.
        """
        socket = self.sockets[-1]
        await socket.send_str(
            json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}})
        )

        async def close() -> None:
            await asyncio.sleep(close_after_s)
            await socket.close()

        self._keep(asyncio.create_task(close()))
        return socket

    def break_off(self) -> None:
        """Cuts every connection without a word."""
        for socket in self.sockets:
            if socket._req is not None and socket._req.transport is not None:
                socket._req.transport.abort()

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _post(self, kind: str, payload: dict[str, Any], ack: Ack) -> None:
        """HTTP mode: the same, signed and posted."""
        if kind == "slash_commands":
            body, content_type = urlencode(payload), "application/x-www-form-urlencoded"
        elif kind == "interactive":
            body, content_type = (
                urlencode({"payload": json.dumps(payload)}),
                "application/x-www-form-urlencoded",
            )
        else:
            body, content_type = json.dumps(payload), "application/json"
        headers = {"Content-Type": content_type, **self.signed(body)}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.events_url, data=body, headers=headers) as response,
        ):
            ack.acked_at = time.monotonic()
            answer = await response.read() if kind == "interactive" else b""
            ack.done.set_result(json.loads(answer) if answer.startswith(b"{") else response.status)

    def signed(self, body: str, *, at: float | None = None) -> dict[str, str]:
        """The two headers by which Slack signs a request ("Verifying requests from Slack")."""
        stamp = str(int(at if at is not None else self.clock()))
        base = b"v0:" + stamp.encode() + b":" + body.encode()
        digest = hmac.new(self.signing_secret.encode(), base, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": "v0=" + digest}

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["ticket"] not in self.tickets:
            return web.Response(status=403)
        self.tickets.discard(request.match_info["ticket"])
        if self.dead_addresses:
            self.dead_addresses -= 1
            return web.Response(status=503)
        socket = web.WebSocketResponse(heartbeat=30, autoping=not self.silent)
        await socket.prepare(request)
        if self.too_many:
            self.too_many -= 1
            await socket.send_str(
                json.dumps({"type": "disconnect", "reason": "too_many_websockets"})
            )
            await socket.close()
            return socket
        info = {
            "host": "sandbox",
            "started": "now",
            "build_number": 1,
            "approximate_connection_time": 3600,
        }
        hello = {
            "type": "hello",
            "num_connections": len(self.sockets) + 1,
            "debug_info": info,
            "connection_info": {"app_id": "A0OPSWATCH"},
        }
        await socket.send_str(json.dumps(hello))
        self.sockets.append(socket)
        self._notify()
        try:
            if self.silent:
                await asyncio.sleep(3600)
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    self._acknowledged(json.loads(frame.data))
        finally:
            self.sockets.remove(socket)
            self._notify()
        return socket

    def _acknowledged(self, frame: dict[str, Any]) -> None:
        ack = self.acks.get(frame.get("envelope_id", ""))
        if ack and not ack.done.done():
            ack.acked_at = time.monotonic()
            ack.done.set_result(frame.get("payload") or {})
            self._notify()

    # The Web API

    def limit(self, limits: SlackLimits = SlackLimits()) -> None:
        """From now on calls are counted, and one too many gets 429 with Retry-After, as Slack's own
        limits have it.
        """
        self._meter = Meter(limits)

    def refuse(
        self,
        method: str,
        error: str,
        *,
        when: Callable[[Mapping[str, Any]], bool] = lambda _: True,
        times: int | None = None,
    ) -> Refusal:
        """Calls of a method are refused with Slack's word for why, for ever or so many times; all,
        or those whose arguments are picked. Taken back by removing it from `refusals`.
        """
        refusal = Refusal(method, error, when, times)
        self.refusals.append(refusal)
        return refusal

    def fail(
        self,
        method: str = "chat.postMessage",
        *,
        how: str = "cut",
        processed: bool = True,
        times: int = 1,
    ) -> None:
        """The next calls of a method are processed, or not, and then nobody hears of it: the
        connection is `cut`, or the answer is an HTTP status, with Slack's own error for 500 and
        with a web page else.
        """

        async def act(request: web.Request) -> web.StreamResponse:
            if processed:
                await self._method(request)
            if how == "500":
                return web.json_response({"ok": False, "error": "internal_error"}, status=500)
            if how != "cut":
                return web.Response(
                    status=int(how),
                    text="<html>Service Unavailable</html>",
                    content_type="text/html",
                )
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        self.misbehave(act, path=method, times=times)

    async def _method(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        args = await _arguments(request)
        token = args.pop("token", "") or request.headers.get("Authorization", "").removeprefix(
            "Bearer "
        )
        wanted = self.app_token if method == "apps.connections.open" else self.bot_token
        if not token:
            return _refuse("not_authed")
        if token != wanted:
            return _refuse("invalid_auth")
        handler = getattr(self, "_api_" + method.replace(".", "_"), None)
        if handler is None:
            return _refuse("unknown_method")
        if wait_s := self._too_often(method, args):
            self.refused.append(f"{method}: ratelimited")
            headers = {"Retry-After": str(wait_s)}
            return web.json_response(
                {"ok": False, "error": "ratelimited"}, status=429, headers=headers
            )
        if refusal := next(
            (refusal for refusal in self.refusals if refusal.takes(method, args)), None
        ):
            self.refused.append(f"{method}: {refusal.error}")
            self._notify()
            return _refuse(refusal.error)
        answer: dict[str, Any] = handler(args)
        if not answer["ok"]:
            self.refused.append(f"{method}: {answer}")
        self._notify()
        date = formatdate(self.clock(), usegmt=True)
        return web.json_response(answer, headers={"X-OAuth-Scopes": self.scopes, "Date": date})

    def _too_often(self, method: str, args: Mapping[str, Any]) -> int:
        """For how many seconds the call comes too early."""
        if self._meter is None:
            return 0
        channel = self._channel(str(args.get("channel", "")))
        return self._meter.retry_after(method, channel.id if channel else "", self.clock())

    def _api_auth_test(self, args: dict[str, Any]) -> dict[str, Any]:
        del args
        who = {
            "team": "Sandbox",
            "user": "opswatch",
            "team_id": "T0SANDBOX",
            "user_id": BOT,
            "bot_id": "B0OPSWATCH",
        }
        return {"ok": True, "url": self.url, **who}

    def _api_apps_connections_open(self, args: dict[str, Any]) -> dict[str, Any]:
        del args
        ticket = self._id("ticket-")
        self.tickets.add(ticket)
        return {"ok": True, "url": f"{self.url.replace('http', 'ws', 1)}/socket/{ticket}"}

    def _api_chat_postMessage(self, args: dict[str, Any]) -> dict[str, Any]:
        channel, error = self._where_to_post(args)
        if channel is None:
            return error
        thread_ts = args.get("thread_ts") or ""
        if thread_ts and not any(
            m.ts == thread_ts and m.channel == channel.id for m in self.messages
        ):
            return {"ok": False, "error": "thread_not_found"}
        message = Message(
            self._ts(), channel.id, BOT, args.get("text", ""), args.get("blocks") or [], thread_ts
        )
        message.metadata = _loaded(args.get("metadata")) or {}
        message.broadcast = bool(thread_ts) and str(args.get("reply_broadcast", "")).lower() in (
            "1",
            "true",
        )
        self._add(message)
        return {
            "ok": True,
            "channel": channel.id,
            "ts": message.ts,
            "message": {"text": message.text},
        }

    def _api_chat_postEphemeral(self, args: dict[str, Any]) -> dict[str, Any]:
        channel, error = self._where_to_post(args)
        if channel is None:
            return error
        message = Message(
            self._ts(),
            channel.id,
            BOT,
            args.get("text", ""),
            args.get("blocks") or [],
            args.get("thread_ts") or "",
            seen_by=args["user"],
        )
        self._add(message)
        return {"ok": True, "message_ts": message.ts}

    def _where_to_post(self, args: dict[str, Any]) -> tuple[Channel | None, dict[str, Any]]:
        """The channel, or None with what Slack says against the post."""
        channel = self._channel(args.get("channel", ""))
        if channel is None:
            return None, {"ok": False, "error": "channel_not_found"}
        if not channel.bot_is_in:
            return None, {"ok": False, "error": "not_in_channel"}
        error = _message_error(args) or self._unknown_blocks(args["blocks"])
        return (None, error) if error else (channel, {})

    def _unknown_blocks(self, blocks: list[dict[str, Any]]) -> dict[str, Any] | None:
        """What an older Slack says against the newest blocks, and any against a picture that is not
        there or not ready yet.
        """
        types = {block["type"] for block in blocks}
        unknown = set() if self.supports_new_blocks else {"data_table", "data_visualization"}
        unknown |= set() if self.knows_tables else {"table"}
        unknown |= set() if self.knows_tasks else {"task_card", "plan"}
        pictures = [
            self.files.get(block["slack_file"]["id"]) for block in blocks if "slack_file" in block
        ]
        if types & unknown or any(
            f is None or not f.shared or self.clock() - f.shared_at < 0.9 for f in pictures
        ):
            return {
                "ok": False,
                "error": "invalid_blocks",
                "response_metadata": {"messages": [f"unsupported {sorted(types & unknown)}"]},
            }
        return None

    def _api_chat_update(self, args: dict[str, Any]) -> dict[str, Any]:
        message = self._message(args)
        if message is None or message.seen_by:
            return {"ok": False, "error": "message_not_found"}
        if error := _message_error(args) or self._unknown_blocks(args["blocks"]):
            return error
        message.text, message.blocks = args.get("text", ""), args.get("blocks") or []
        message.edited += 1
        self._tell("changed", message)
        return {"ok": True, "channel": message.channel, "ts": message.ts, "text": message.text}

    def _api_chat_delete(self, args: dict[str, Any]) -> dict[str, Any]:
        message = self._message(args)
        if message is None or message.seen_by:
            return {"ok": False, "error": "message_not_found"}
        self.messages.remove(message)
        self._tell("deleted", message)
        return {"ok": True, "channel": message.channel, "ts": message.ts}

    def _api_conversations_list(self, args: dict[str, Any]) -> dict[str, Any]:
        """One channel a page, so that whoever asks has to follow the cursor."""
        listed = [channel for channel in self.channels.values() if not channel.direct_with]
        at, most = int(args.get("cursor") or 0), self.listed_per_page
        found = [
            {"id": c.id, "name": c.name, "is_member": c.bot_is_in} for c in listed[at : at + most]
        ]
        cursor = str(at + most) if at + most < len(listed) else ""
        return {"ok": True, "channels": found, "response_metadata": {"next_cursor": cursor}}

    def _api_conversations_info(self, args: dict[str, Any]) -> dict[str, Any]:
        """A channel; one with `members` is private, and is not known to a bot that is not in it."""
        channel = self.channels.get(args.get("channel", ""))
        if channel is None or (channel.members is not None and not channel.bot_is_in):
            return {"ok": False, "error": "channel_not_found"}
        if channel.direct_with:
            return {
                "ok": True,
                "channel": {"id": channel.id, "is_im": True, "user": channel.direct_with},
            }
        facts = {
            "is_member": channel.bot_is_in,
            "is_private": channel.members is not None,
            "is_archived": False,
        }
        return {"ok": True, "channel": {"id": channel.id, "name": channel.name, **facts}}

    def _api_conversations_members(self, args: dict[str, Any]) -> dict[str, Any]:
        """Who is in a channel, one person a page."""
        channel = self.channels.get(args.get("channel", ""))
        if channel is None:
            return {"ok": False, "error": "channel_not_found"}
        members, at = (
            channel.members if channel.members is not None else tuple(self.users),
            int(args.get("cursor") or 0),
        )
        more = str(at + 1) if at + 1 < len(members) else ""
        return {
            "ok": True,
            "members": list(members[at : at + 1]),
            "response_metadata": {"next_cursor": more},
        }

    def _api_conversations_history(self, args: dict[str, Any]) -> dict[str, Any]:
        """The messages of a channel, newest first, two a page; metadata only where it is asked for.
        Names are not taken.
        """
        channel = self.channels.get(args.get("channel", ""))
        if channel is None:
            return {"ok": False, "error": "channel_not_found"}
        if not channel.bot_is_in:
            return {"ok": False, "error": "not_in_channel"}
        here = [
            m
            for m in self.messages
            if m.channel == channel.id and not m.seen_by and (not m.thread_ts or m.broadcast)
        ]
        return _page_of(here[::-1], args)

    def _api_conversations_replies(self, args: dict[str, Any]) -> dict[str, Any]:
        """A message and what stands in its thread, oldest first, two a page."""
        root = next(
            (
                m
                for m in self.messages
                if m.ts == args.get("ts") and m.channel == args.get("channel")
            ),
            None,
        )
        if root is None or root.seen_by:
            return {"ok": False, "error": "thread_not_found"}
        if not self.channels[root.channel].bot_is_in:
            return {"ok": False, "error": "not_in_channel"}
        return _page_of(
            [
                root,
                *(m for m in self.messages if m.thread_ts == root.ts and m.channel == root.channel),
            ],
            args,
        )

    def _api_conversations_open(self, args: dict[str, Any]) -> dict[str, Any]:
        user = args.get("users", "")
        if user not in self.users:
            return {"ok": False, "error": "user_not_found"}
        channel = Channel(
            f"D0{user[2:]}",
            self.users[user].name,
            "Direct messages with Opswatch",
            direct_with=user,
        )
        self.channels.setdefault(channel.id, channel)
        return {"ok": True, "channel": {"id": channel.id}}

    def _api_users_info(self, args: dict[str, Any]) -> dict[str, Any]:
        user = self.users.get(args.get("user", ""))
        if user is None:
            return {"ok": False, "error": "user_not_found"}
        names = {"name": user.name.lower(), "real_name": user.name}
        shown = {
            "id": user.id,
            "team_id": user.team,
            "deleted": user.deleted,
            **names,
            "tz": user.tz,
            "is_bot": False,
        }
        return {"ok": True, "user": shown}

    def _api_usergroups_users_list(self, args: dict[str, Any]) -> dict[str, Any]:
        members = self.groups.get(args.get("usergroup", ""))
        return (
            {"ok": False, "error": "no_such_subteam"}
            if members is None
            else {"ok": True, "users": members}
        )

    def _api_views_publish(self, args: dict[str, Any]) -> dict[str, Any]:
        view = _loaded(args.get("view")) or {}
        found = block_kit_schema.complaints(view.get("blocks"), most=100)
        if found or view.get("type") != "home":
            return {
                "ok": False,
                "error": "invalid_arguments",
                "response_metadata": {"messages": found},
            }
        self.homes[args["user_id"]] = view["blocks"]
        self._broadcast({"event": "home", "user": args["user_id"], "blocks": view["blocks"]})
        return {"ok": True, "view": {"id": self._id("V")}}

    def _api_views_open(self, args: dict[str, Any]) -> dict[str, Any]:
        user, made_at = self.triggers.pop(args.get("trigger_id", ""), ("", 0.0))
        if not user:
            return {"ok": False, "error": "invalid_trigger_id"}
        if self.clock() - made_at > 3:
            return {"ok": False, "error": "expired_trigger_id"}
        found = block_kit_schema.view_complaints(_loaded(args.get("view")))
        if found:
            return {
                "ok": False,
                "error": "invalid_arguments",
                "response_metadata": {"messages": found},
            }
        view = View(self._id("V"), user, _loaded(args["view"]), self._id("h"))
        self.views = {key: known for key, known in self.views.items() if known.user != user} | {
            view.id: view
        }
        self._show_view(user)
        return {"ok": True, "view": {"id": view.id, "hash": view.hash}}

    def _api_views_update(self, args: dict[str, Any]) -> dict[str, Any]:
        view = self.views.get(args.get("view_id", ""))
        if view is None:
            return {"ok": False, "error": "not_found"}
        if args.get("hash") and args["hash"] != view.hash:
            return {"ok": False, "error": "hash_conflict"}
        found = block_kit_schema.view_complaints(_loaded(args.get("view")))
        if found:
            return {
                "ok": False,
                "error": "invalid_arguments",
                "response_metadata": {"messages": found},
            }
        view.view, view.hash, view.errors = _loaded(args["view"]), self._id("h"), {}
        self._show_view(view.user)
        return {"ok": True, "view": {"id": view.id, "hash": view.hash}}

    def _api_files_getUploadURLExternal(self, args: dict[str, Any]) -> dict[str, Any]:
        length = int(args.get("length") or 0)
        if not args.get("filename") or length <= 0:
            return {"ok": False, "error": "invalid_arguments"}
        if len(args.get("alt_txt", "")) > 1000:
            return {"ok": False, "error": "alt_txt_too_large"}
        if args.get("snippet_type") and length > 1_000_000:
            return {"ok": False, "error": "snippet_too_large"}
        file = File(self._id("F"), args["filename"], length, alt_txt=args.get("alt_txt", ""))
        self.files[file.id] = file
        return {"ok": True, "upload_url": f"{self.url}/upload/{file.id}", "file_id": file.id}

    def _api_files_completeUploadExternal(self, args: dict[str, Any]) -> dict[str, Any]:
        listed = _loaded(args.get("files")) or []
        files = [self.files.get(entry.get("id", "")) for entry in listed]
        if not files or any(f is None or len(f.content) != f.length or f.shared for f in files):
            return {"ok": False, "error": "file_not_found"}
        channel = self.channels.get(args.get("channel_id", ""))
        if args.get("channel_id") and (channel is None or not channel.bot_is_in):
            return {
                "ok": False,
                "error": "channel_not_found" if channel is None else "not_in_channel",
            }
        done = [f for f in files if f]
        for file, entry in zip(done, listed, strict=True):
            file.title, file.shared, file.shared_at = (
                entry.get("title", file.name),
                True,
                self.clock(),
            )
        if channel:
            comment = args.get("initial_comment", "")
            self._add(
                Message(
                    self._ts(),
                    channel.id,
                    BOT,
                    comment,
                    thread_ts=args.get("thread_ts", ""),
                    files=done,
                )
            )
        return {"ok": True, "files": [{"id": file.id, "title": file.title} for file in done]}

    async def _response(self, request: web.Request) -> web.Response:
        """A response URL: five uses within thirty minutes; what it makes stays ephemeral."""
        url = self.response_urls.get(request.match_info["id"])
        if url is None or url.uses >= 5 or self.clock() - url.made_at > 1800:
            return web.json_response(
                {"ok": False, "error": "used_url" if url else "expired_url"}, status=404
            )
        url.uses += 1
        args = await request.json()
        earlier = next((m for m in self.messages if m.ts == url.ts), None) if url.ts else None
        if args.get("delete_original"):
            if earlier is not None:
                self.messages.remove(earlier)
                self._tell("deleted", earlier)
            return web.Response(text="ok")
        if error := _message_error(args) or self._unknown_blocks(args["blocks"]):
            self.refused.append(f"response_url: {error}")
            return web.json_response(error, status=400)
        seen_by = url.user if args.get("response_type", "ephemeral") == "ephemeral" else ""
        if args.get("replace_original") and earlier is not None and not earlier.command:
            earlier.text, earlier.blocks = args.get("text", ""), args.get("blocks") or []
            earlier.edited += 1
            self._tell("changed", earlier)
        else:
            message = Message(
                self._ts(),
                url.channel,
                BOT,
                args.get("text", ""),
                args.get("blocks") or [],
                args.get("thread_ts", ""),
                seen_by,
            )
            self._add(message)
            url.ts = url.ts or message.ts
        self._notify()
        return web.Response(text="ok")

    async def _upload(self, request: web.Request) -> web.Response:
        file = self.files.get(request.match_info["id"])
        content = await request.read()
        if file is None or len(content) != file.length:
            return web.Response(status=400, text="length mismatch")
        file.content = content
        return web.Response(text=f"OK - {len(content)}")

    # The page

    async def _page(self, request: web.Request) -> web.StreamResponse:
        path = PAGE / request.match_info.get("name", "index.html")
        if path.parent != PAGE or not path.is_file():
            return web.Response(status=404)
        return web.FileResponse(path, headers={"Cache-Control": "no-store"})

    async def _state(self, request: web.Request) -> web.Response:
        user = request.query.get("user", "U0ADA")
        return web.json_response(
            {
                "users": [
                    {"id": u.id, "name": u.name, "about": u.about, "tz": u.tz}
                    for u in self.users.values()
                ],
                "channels": [
                    {"id": c.id, "name": c.name, "about": c.about, "direct": bool(c.direct_with)}
                    for c in self.channels.values()
                    if c.direct_with in ("", user)
                ],
                "messages": [
                    m.shown()
                    for m in self.messages
                    if m.seen_by in ("", user) and self._may_see(m.channel, user)
                ],
                "home": self.homes.get(user),
                "view": view.shown() if (view := self.modal(user)) else None,
                "requests": self._requests(),
                "faults": {
                    s.name: {name: said for name, (said, _) in faults_of(s).items()}
                    for s in self.ledgers
                },
            }
        )

    def _requests(self) -> list[dict[str, Any]]:
        """The latest requests of the bot, to whomever."""
        entries = sorted(
            (e for server in self.ledgers for e in server.ledger[-400:] if _is_of_the_bot(e)),
            key=lambda e: e.at,
        )
        return [entry.brief() for entry in entries[-60:]]

    def _may_see(self, channel: str, user: str) -> bool:
        return self.channels[channel].direct_with in ("", user)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Tells the page what changed, as server-sent events."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        queue: asyncio.Queue[str] = asyncio.Queue()
        self.streams.add(queue)
        try:
            await response.write(b": hello\n\n")
            while True:
                await response.write(f"data: {await queue.get()}\n\n".encode())
        finally:
            self.streams.discard(queue)

    async def _file(self, request: web.Request) -> web.Response:
        file = self.files.get(request.match_info["id"])
        if file is None:
            return web.Response(status=404)
        quoted = file.name.replace('"', "")
        return web.Response(
            body=file.content, headers={"Content-Disposition": f'attachment; filename="{quoted}"'}
        )

    async def _do_command(self, request: web.Request) -> web.Response:
        asked = await request.json()
        line = str(asked["text"]).strip()
        if line.split(" ")[0] not in ("/usage", "/apiaudit", "/logs") or asked.get("thread_ts"):
            text = html.escape(line, quote=False)
            await self.say(
                text,
                user=asked["user"],
                channel=asked["channel"],
                thread_ts=asked.get("thread_ts", ""),
            )
            return web.json_response({"ok": True})
        try:
            ack = await self.command(line, user=asked["user"], channel=asked["channel"])
            await asyncio.wait_for(ack.done, 3)
        except (NotConnected, TimeoutError):
            # What Slack says where nobody takes a command in time.
            said = f"{line.split(' ')[0]} failed with the error “dispatch_failed”"
            self._add(
                Message(self._ts(), asked["channel"], "USLACKBOT", said, seen_by=asked["user"])
            )
            return web.json_response({"ok": False})
        return web.json_response(
            {"ok": True, "ack_ms": round((ack.acked_at - ack.sent_at) * 1000, 1)}
        )

    async def _do_press(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if not asked["ts"]:
            await asyncio.wait_for(
                (await self.press_at_home(asked["value"], user=asked["user"])).done, 3
            )
            return web.json_response({"ok": True})
        message = next(m for m in self.messages if m.ts == asked["ts"])
        ack = await self.press(message, asked["action_id"], user=asked["user"])
        await asyncio.wait_for(ack.done, 3)
        return web.json_response({"ok": True})

    async def _do_home(self, request: web.Request) -> web.Response:
        await self.open_home((await request.json())["user"])
        return web.json_response({"ok": True})

    async def _do_view(self, request: web.Request) -> web.Response:
        """Submits a modal, presses a button in it, or closes it."""
        asked = await request.json()
        view = self.views.get(asked["view"])
        if view is None:
            return web.json_response({"ok": False})
        if asked["do"] == "close":
            self.close(view)
        elif asked["do"] == "submit":
            await self._submit_from_page(view, asked["values"])
        else:
            await self.press_in(view, asked["do"], **asked["values"])
        return web.json_response({"ok": True})

    async def _submit_from_page(self, view: View, values: dict[str, str]) -> None:
        """Submits a modal, or marks the required fields that are empty, as Slack does without
        asking the bot.
        """
        missing = _missing(view, view.state(values))
        if missing:
            view.errors = dict.fromkeys(missing, REQUIRED)
            self._show_view(view.user)
            return
        await self.submit(view, **values)

    async def _do_shortcut(self, request: web.Request) -> web.Response:
        asked = await request.json()
        message = next((m for m in self.messages if m.ts == asked.get("ts")), None)
        await self.shortcut(
            "ask_again" if message else "ask_opswatch", user=asked["user"], message=message
        )
        return web.json_response({"ok": True})

    async def _do_options(self, request: web.Request) -> web.Response:
        asked = await request.json()
        view = self.views.get(asked["view"])
        return web.json_response(
            await self.options(view, asked["action_id"], asked["typed"]) if view else []
        )

    async def _do_fault(self, request: web.Request) -> web.Response:
        """Tells a server to misbehave."""
        asked = await request.json()
        server = next(s for s in self.ledgers if s.name == asked["server"])
        _, misbehave = faults_of(server)[asked["fault"]]
        if inspect.isawaitable(done := misbehave(server)):
            await done
        return web.json_response({"ok": True})

    # Small things

    def watch(self, server: Server) -> None:
        """Shows a server's requests on the page."""
        self.ledgers.append(server)
        server.watchers.append(self._tell_request)

    def _tell_request(self, entry: Entry) -> None:
        if _is_of_the_bot(entry):
            self._broadcast({"event": "request", "request": entry.brief()})

    def _add(self, message: Message) -> None:
        self.messages.append(message)
        self._tell("added", message)

    def _tell(self, event: str, message: Message) -> None:
        self._broadcast({"event": event, "message": message.shown()})
        self._notify()

    def _broadcast(self, what: dict[str, Any]) -> None:
        for queue in self.streams:
            queue.put_nowait(json.dumps(what))

    def _notify(self) -> None:
        self.changed.set()

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
        """The channel of that id or name; a person's id means their direct messages, as Slack has
        it for posts.
        """
        direct = next((c for c in self.channels.values() if given and c.direct_with == given), None)
        found = self.channels.get(given) or direct
        return found or next(
            (c for c in self.channels.values() if c.name == given.removeprefix("#") and given), None
        )

    def _response_url(self, user: str, channel: str, *, ts: str = "") -> str:
        key = secrets.token_urlsafe(12)
        self.response_urls[key] = ResponseUrl(user, channel, self.clock(), ts=ts)
        return f"{self.url}/response/{key}"

    def _ts(self) -> str:
        return f"{int(self.clock())}.{next(self._numbers):06d}"

    def _id(self, prefix: str) -> str:
        return f"{prefix}{secrets.token_hex(6).upper()}"


def _is_of_the_bot(entry: Entry) -> bool:
    """Whether a request is the bot's and not the page's."""
    return entry.server != "slack" or entry.path.startswith(("/api/", "/response/", "/upload/"))


def _entered(element: dict[str, Any], given: str | None) -> dict[str, Any]:
    """What stands in an input, as Slack tells it."""
    kind = element["type"]
    if kind in ("static_select", "external_select"):
        options = [
            *element.get("options", []),
            *([element["initial_option"]] if element.get("initial_option") else []),
        ]
        chosen = (
            next((o for o in options if o["value"] == given), None)
            if given is not None
            else element.get("initial_option")
        )
        if kind == "external_select" and given and chosen is None:
            chosen = {"text": {"type": "plain_text", "text": given}, "value": given}
        return {"type": kind, "selected_option": chosen}
    name, initial = {
        "plain_text_input": ("value", "initial_value"),
        "timepicker": ("selected_time", "initial_time"),
        "datepicker": ("selected_date", "initial_date"),
    }[kind]
    return {"type": kind, name: (given or None) if given is not None else element.get(initial)}


def _missing(view: View, state: dict[str, Any]) -> list[str]:
    """The inputs that must be filled and are not."""
    wanted = [
        b["block_id"] for b in view.view["blocks"] if b["type"] == "input" and not b.get("optional")
    ]
    return [
        name
        for name in wanted
        if not any(list(entry.values())[-1] for entry in state["values"][name].values())
    ]


def _message_error(args: dict[str, Any]) -> dict[str, Any] | None:
    """What Slack says against a message, or None."""
    blocks = args["blocks"] = _loaded(args.get("blocks")) or []
    text = args.get("text") or ""
    if not text and not blocks:
        return {"ok": False, "error": "no_text"}
    if len(text) > 40_000:
        return {"ok": False, "error": "msg_too_long"}
    if found := block_kit_schema.complaints(blocks, most=50):
        return {"ok": False, "error": "invalid_blocks", "response_metadata": {"messages": found}}
    return (
        {"ok": False, "error": "msg_blocks_too_long"} if block_kit_schema.too_long(blocks) else None
    )


def _page_of(messages: list[Message], args: dict[str, Any]) -> dict[str, Any]:
    """Two messages a page, no older than was asked for; metadata only where it is asked for."""
    at, since = int(args.get("cursor") or 0), float(args.get("oldest") or 0)
    with_metadata = str(args.get("include_all_metadata", "")).lower() in ("1", "true")
    here = [m for m in messages if float(m.ts) >= since]
    page = [
        {
            "ts": m.ts,
            "text": m.text,
            "blocks": m.blocks,
            "files": [f.shown() for f in m.files],
            **_author(m),
            **({"metadata": m.metadata} if with_metadata and m.metadata else {}),
        }
        for m in here[at : at + 2]
    ]
    return {
        "ok": True,
        "messages": page,
        "response_metadata": {"next_cursor": str(at + 2) if at + 2 < len(here) else ""},
    }


def _author(message: Message) -> dict[str, Any]:
    """Who posted a message: an app by its bot, too."""
    return {
        "user": message.user,
        **({"bot_id": f"B{message.user[1:]}"} if message.user == BOT else {}),
    }


def _loaded(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return None
    return value


async def _arguments(request: web.Request) -> dict[str, Any]:
    """The arguments of a call, from the query, a form or JSON."""
    args: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        return args | (await request.json() or {})
    if request.can_read_body:
        args |= dict(await request.post())
    return args


def _refuse(error: str) -> web.Response:
    return web.json_response({"ok": False, "error": error})
