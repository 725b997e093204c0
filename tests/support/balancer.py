"""A load balancer that sends each request to the next process, and skips one that does not answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web


@dataclass
class Balancer:
    """The addresses of the processes, and how many requests each has answered."""

    backends: Sequence[str]
    url: str = ""
    answered: Counter[str] = field(default_factory=Counter)
    _turn: int = 0

    async def forward(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name != "Host"}
        for _ in self.backends:
            backend = self.backends[self._turn % len(self.backends)]
            self._turn += 1
            try:
                return await self._answer(backend, request.path_qs, body, headers)
            except aiohttp.ClientConnectorError:
                continue
        return web.Response(status=503)

    async def _answer(
        self, backend: str, path: str, body: bytes, headers: dict[str, str]
    ) -> web.Response:
        async with (
            aiohttp.ClientSession() as session,
            session.post(backend + path, data=body, headers=headers) as response,
        ):
            self.answered[backend] += 1
            content_type = response.headers.get("Content-Type", "text/plain")
            return web.Response(
                status=response.status,
                body=await response.read(),
                headers={"Content-Type": content_type},
            )


@asynccontextmanager
async def open_balancer(backends: Sequence[str]) -> AsyncIterator[Balancer]:
    """The load balancer, listening on loopback."""
    balancer = Balancer(backends)
    app = web.Application()
    app.router.add_post("/{path:.*}", balancer.forward)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        balancer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield balancer
    finally:
        await runner.cleanup()
