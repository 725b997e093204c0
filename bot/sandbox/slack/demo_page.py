"""The page in the browser, and its actions."""

from __future__ import annotations

import asyncio
import html
import inspect
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.sandbox.faults import faults_of
from bot.sandbox.slack.people import People
from bot.sandbox.slack.records import (
    Message,
    NotConnected,
    View,
    missing_inputs,
)
from bot.sandbox.slack.state import is_from_bot
from providers.sandbox.server import Server

PAGE = Path(__file__).parent.parent / "page"
REQUIRED = "Please complete this required field."


class DemoPage(People):
    """The page in the browser, and its actions."""

    __slots__ = ()

    async def _page(self, request: web.Request) -> web.StreamResponse:
        path = PAGE / request.match_info.get("name", "index.html")
        # A name with `..` leads elsewhere.
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
                "groups": {group: group[2:].lower() for group in self.groups},
                "members": self.groups,
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
                "canvases": [c.shown() for c in self.canvases.values()],
                "prompts": self.agent_threads,
                "home": self.homes.get(user),
                "view": view.shown() if (view := self.modal(user)) else None,
                "requests": self._requests(),
                "faults": {server.name: _offered(server) for server in self.servers},
                "commands": self.commands,
            }
        )

    def _requests(self) -> list[dict[str, Any]]:
        """The latest requests of the bot to any server."""
        entries = sorted(
            # The page's own requests are among them, and are left out.
            (e for server in self.servers for e in server.requests[-400:] if is_from_bot(e)),
            key=lambda e: e.at,
        )
        return [entry.brief() for entry in entries[-60:]]

    def _may_see(self, channel: str, user: str) -> bool:
        return self.channels[channel].direct_with in ("", user)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Sends changes to the page as server-sent events."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        queue: asyncio.Queue[str] = asyncio.Queue()
        self.streams.add(queue)
        try:
            # A comment, which the browser ignores: the response begins only with its first bytes.
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
        name = line.split(" ", maxsplit=1)[0]
        # Slack posts no message that begins like a command.
        if line.startswith("/") and not self._is_command(line) and not asked.get("thread_ts"):
            known = ", ".join(command["name"] for command in self.commands)
            text = f"{name[:40]} is not a command here. The commands of Opswatch: {known}"
            self._add(
                Message(self._ts(), asked["channel"], "USLACKBOT", text, seen_by=asked["user"])
            )
            return web.json_response({"ok": False})
        # Slack has no commands in threads.
        if not self._is_command(line) or asked.get("thread_ts"):
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
            async with asyncio.timeout(3):
                await ack.done
        except (NotConnected, TimeoutError):
            # What Slack shows if a command is not acknowledged in time.
            text = f"{name} failed with the error “dispatch_failed”"
            self._add(
                Message(self._ts(), asked["channel"], "USLACKBOT", text, seen_by=asked["user"])
            )
            return web.json_response({"ok": False})
        return web.json_response(
            {"ok": True, "ack_ms": round((ack.acked_at - ack.sent_at) * 1000, 1)}
        )

    def _is_command(self, line: str) -> bool:
        return line.split(" ", maxsplit=1)[0] in {command["name"] for command in self.commands}

    async def _do_press(self, request: web.Request) -> web.Response:
        asked = await request.json()
        # Only a button in App Home has no message.
        if not asked["ts"]:
            ack = await self.press_at_home(
                asked["value"], user=asked["user"], action=asked["action_id"]
            )
            async with asyncio.timeout(3):
                await ack.done
            return web.json_response({"ok": True})
        message = next(m for m in self.messages if m.ts == asked["ts"])
        ack = await self.press(message, asked["action_id"], user=asked["user"])
        async with asyncio.timeout(3):
            await ack.done
        return web.json_response({"ok": True})

    async def _archive(self, request: web.Request) -> web.Response:
        """Where a permalink leads: the page, with its channel open."""
        raise web.HTTPFound(f"/#{request.match_info['channel']}")

    async def _do_thread(self, request: web.Request) -> web.Response:
        """Opens a thread with the app in Slack's agent surface."""
        user = str((await request.json())["user"])
        ts = await self.start_agent_thread(user)
        return web.json_response({"ok": True, "ts": ts, "channel": self._direct_channel(user).id})

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
        missing = missing_inputs(view, view.state(values))
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
        """Sets up a fault on a server."""
        asked = await request.json()
        server = next(s for s in self.servers if s.name == asked["server"])
        _, misbehave = faults_of(server)[asked["fault"]]
        if inspect.isawaitable(done := misbehave(server)):
            await done
        return web.json_response({"ok": True})


def _offered(server: Server) -> dict[str, Any]:
    """The faults that the page offers for a server."""
    labels = {name: label for name, (label, _) in faults_of(server).items()}
    return {"title": server.title or server.name, "faults": labels}
