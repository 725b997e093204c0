"""`/healthz` and `/readyz` for whoever watches over the process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def serve_health(port: int | None, is_connected: Callable[[], Awaitable[bool]]) -> AsyncIterator[None]:
    """Alive at `/healthz`; at `/readyz` 200 while connected to Slack, else 503. Nothing where no port is configured."""
    if port is None:
        yield
        return

    async def alive(_: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def ready(_: web.Request) -> web.Response:
        connected = await is_connected()
        return web.json_response({"ready": connected, "slack": connected}, status=200 if connected else 503)

    app = web.Application()
    app.add_routes([web.get("/healthz", alive), web.get("/readyz", ready)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, port=port).start()
        yield
    finally:
        await runner.cleanup()
