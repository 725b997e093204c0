"""The base of every sandbox server: it records its requests, and answers with faults that were set
up.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def system_now() -> datetime:
    """The time now by the machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request as it came in."""

    at: datetime
    server: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    def brief(self) -> dict[str, Any]:
        """What the page shows of it, without headers that carry credentials."""
        return {
            "at": self.at.isoformat(),
            "server": self.server,
            "method": self.method,
            "path": self.path,
            "query": self.query,
        }


@dataclass(slots=True)
class Fault:
    """A fault: `act` answers in place of the server, or returns None to let it answer."""

    act: Callable[[web.Request], Awaitable[web.StreamResponse | None]]
    path: str = ""
    times: int = 1


@dataclass(slots=True)
class Server:
    """A loopback server that records its requests; `now` is its clock, and `title` its name on the
    page. Faults are used in the order in which they were added.
    """

    name: str
    # The name on the page.
    title: str = ""
    requests: list[RecordedRequest] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    watchers: list[Callable[[RecordedRequest], None]] = field(default_factory=list)
    url: str = ""
    now: Callable[[], datetime] = system_now
    _runner: web.AppRunner | None = None
    _hurried: asyncio.Event = field(default_factory=asyncio.Event)

    def routes(self) -> list[web.RouteDef]:
        raise AssertionError("each server has its own routes")

    async def start(self, port: int = 0) -> None:
        app = web.Application(middlewares=[self._noted], client_max_size=64 * 1024 * 1024)
        app.add_routes(self.routes())
        self._runner = web.AppRunner(
            # Cancelled when the client goes away, as a download is stopped in the middle.
            app,
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=0.2,
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        address = self._runner.addresses[0]
        self.url = f"http://{address[0]}:{address[1]}"

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    def misbehave(
        self,
        act: Callable[[web.Request], Awaitable[web.StreamResponse | None]],
        *,
        path: str = "",
        times: int = 1,
    ) -> None:
        self.faults.append(Fault(act, path, times))

    def answer_with(
        self,
        status: int,
        body: str | bytes = b"",
        *,
        path: str = "",
        times: int = 1,
        **headers: str,
    ) -> None:
        """Sets the answer of the next requests. Headers are given with `_` for `-`."""
        raw = body.encode() if isinstance(body, str) else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        async def act(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, body=raw, headers=named)

        self.misbehave(act, path=path, times=times)

    def be_slow(self, seconds: float, *, path: str = "", times: int = 1) -> None:
        async def act(_: web.Request) -> None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._hurried.wait()

        self.misbehave(act, path=path, times=times)

    def answer_at_once(self) -> None:
        """Ends the delays of `be_slow`, also of requests that are waiting."""
        self._hurried.set()

    def paths(self) -> list[str]:
        return [f"{entry.method} {entry.path}" for entry in self.requests]

    @web.middleware
    async def _noted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        # A WebSocket has no body, and reading one would wait for ever.
        body = b"" if request.headers.get("Upgrade") else await request.read()
        entry = RecordedRequest(
            self.now(),
            self.name,
            request.method,
            request.path,
            request.raw_path.partition("?")[2],
            dict(request.headers),
            body,
        )
        self.requests.append(entry)
        # A demo runs for days.
        del self.requests[:-2000]
        for watcher in self.watchers:
            watcher(entry)
        for fault in list(self.faults):
            if fault.path in request.path:
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                # None after a delay, for example: then the server answers as always.
                if (response := await fault.act(request)) is not None:
                    return response
                break
        return await handler(request)


@dataclass(slots=True)
class StandIn(Server):
    """A server that behaves like a vendor, and its account: `name` is the vendor's kind, and
    `account` the name that people type.
    """

    account: str = ""

    def settings(self) -> dict[str, Any]:
        """The account as in `bot.toml`, without its `kind`."""
        return {"base_url": self.url}

    def environ(self) -> dict[str, str]:
        """The variables that the settings refer to."""
        return {}

    def files(self) -> dict[str, str]:
        """The files that the settings refer to: text by name, in the folder of `bot.toml`."""
        return {}

    def alerts(self) -> list[dict[str, Any]]:
        """Alerts of the demo, as in `bot.toml`."""
        return []
