"""How the sandbox Slack delivers: Socket Mode envelopes, or signed requests in HTTP mode."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import WSMsgType, web

from bot.sandbox.slack.records import (
    Ack,
    NotConnected,
)
from bot.sandbox.slack.state import SlackState


class Deliveries(SlackState):
    """How the sandbox Slack delivers: Socket Mode envelopes, or signed requests in HTTP mode."""

    __slots__ = ()

    async def ask_to_leave(
        self, reason: str, *, close_after_s: float = 0.5
    ) -> web.WebSocketResponse:
        """Asks the newest connection to be replaced, as Slack does every few hours, and closes it a
        little later.
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
        """Cuts every connection without notice."""
        for socket in self.sockets:
            # aiohttp has no public way to close a socket without the closing handshake.
            if socket._req is not None and socket._req.transport is not None:  # noqa: SLF001
                socket._req.transport.abort()  # noqa: SLF001

    def signed(self, body: str, *, at: float | None = None) -> dict[str, str]:
        """The two headers by which Slack signs a request ("Verifying requests from Slack")."""
        stamp = str(int(at if at is not None else self.clock()))
        base = b"v0:" + stamp.encode() + b":" + body.encode()
        digest = hmac.new(self.signing_secret.encode(), base, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": "v0=" + digest}

    async def deliver_again(self) -> Ack:
        """Sends the last delivery once more, as Slack does where it has seen no ack."""
        kind, payload = self.last_delivery
        ack = await self._send(kind, payload, retry_attempt=1, retry_reason="timeout")
        async with asyncio.timeout(3):
            await ack.done
        return ack

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
        self.last_delivery = (kind, payload)
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
            # Slack shows the person an error in this case.
            raise NotConnected("no socket is connected")
        # To the newest connection; Slack chooses any.
        for _ in range(self.deliveries):
            await (over or live[-1]).send_str(json.dumps(envelope))
        self.deliveries = 1
        return ack

    async def _post(self, kind: str, payload: dict[str, Any], ack: Ack) -> None:
        """HTTP mode: the same, signed and posted."""
        if kind == "slash_commands":
            body = urlencode(payload)
            content_type = "application/x-www-form-urlencoded"
        elif kind == "interactive":
            body = urlencode({"payload": json.dumps(payload)})
            content_type = "application/x-www-form-urlencoded"
        else:
            body = json.dumps(payload)
            content_type = "application/json"
        headers = {"Content-Type": content_type, **self.signed(body)}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.events_url, data=body, headers=headers) as response,
        ):
            ack.acked_at = time.monotonic()
            # Only the answer to an interaction has a meaning: errors of a modal, or options.
            answer = await response.read() if kind == "interactive" else b""
            ack.done.set_result(json.loads(answer) if answer.startswith(b"{") else response.status)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["ticket"] not in self.tickets:
            return web.Response(status=403)
        # A ticket opens one connection.
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
            # Neither pings nor deliveries, and no close.
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
