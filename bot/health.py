"""`/healthz`, `/readyz` and `/metrics`, for whatever watches the process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial

from aiohttp import web
from msgspec import Struct

from bot.http.server import LOOPBACK, listen
from providers.models import iso_utc

# The page for an Accept header and its content type; None where there is none.
MetricsPage = Callable[[str], Awaitable[tuple[bytes, str] | None]]


class ConnectionStatus(Struct):
    """State of the connection to Slack. `problem` is one sentence about what is wrong, or empty;
    `opened` counts connections.
    """

    connected: bool = False
    since: datetime | None = None
    last_event: datetime | None = None
    problem: str = "Not connected yet."
    opened: int = 0

    @property
    def reconnects(self) -> int:
        """How often a connection was opened after the first, also where Slack asked for that."""
        return max(0, self.opened - 1)


@asynccontextmanager
async def serve_health(
    port: int | None,
    slack: ConnectionStatus,
    database_works: Callable[[], Awaitable[bool]],
    host: str = LOOPBACK,
    problems: Callable[[], Sequence[str]] = tuple,
    metrics_page: MetricsPage | None = None,
) -> AsyncIterator[None]:
    """Serves `/healthz` (200 while the process runs) and `/readyz` (200 while Slack, database,
    scheduler and outbox work, else 503 and what is wrong). `problems` gives what is wrong, a
    sentence each, and is called after `database_works`.

    `/metrics` responds with `metrics_page` where there is one.

    Nothing where no port is configured. Raises OSError where it cannot listen there.
    """
    if port is None:
        yield
        return
    respond = partial(_respond, slack, database_works, problems, metrics_page)
    async with listen(respond, host, port):
        yield


async def _respond(
    slack: ConnectionStatus,
    database_works: Callable[[], Awaitable[bool]],
    problems: Callable[[], Sequence[str]],
    metrics_page: MetricsPage | None,
    request: web.BaseRequest,
    _: bytes,
) -> web.Response:
    # Load balancers send HEAD.
    if request.method not in ("GET", "HEAD"):
        return web.Response(status=405, headers={"Allow": "GET, HEAD"})
    if request.path == "/healthz":
        return web.json_response({"alive": True})
    if request.path == "/readyz":
        return await _readiness(slack, database_works, problems)
    if request.path == "/metrics" and metrics_page:
        page = await metrics_page(request.headers.get("Accept", ""))
        if page:
            return web.Response(body=page[0], headers={"Content-Type": page[1]})
    return web.Response(status=404)


async def _readiness(
    slack: ConnectionStatus,
    database_works: Callable[[], Awaitable[bool]],
    problems: Callable[[], Sequence[str]],
) -> web.Response:
    database = await database_works()
    # After the database was asked, because one of them is about its answer.
    found = list(problems())
    if not database and not found:
        found = ["The database does not answer."]
    is_ready = slack.connected and database and not found
    status = {
        "ready": is_ready,
        "slack": slack.connected,
        "connected_since": iso_utc(slack.since) if slack.since else None,
        "last_event": iso_utc(slack.last_event) if slack.last_event else None,
        "database": database,
        # Named so since the first version; monitoring reads it.
        "trouble": [problem for problem in (slack.problem, *found) if problem],
    }
    return web.json_response(status, status=200 if is_ready else 503)
