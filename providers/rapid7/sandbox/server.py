"""A stand-in of Rapid7 Log Search, as strict as its pages: usage, usage by log, the list of logs,
downloads and queries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any

from aiohttp import web

from providers.rapid7.sandbox import leql
from providers.rapid7.sandbox.leql_conditions import Entry
from providers.rapid7.sandbox.leql_tokens import LeqlError
from providers.rapid7.sandbox.queries import Queries, QueryRefused
from providers.sandbox import seed
from providers.sandbox.pieces import in_pieces
from providers.sandbox.server import StandIn

# The retention of a log that is paid for by the month.
RETENTION = timedelta(days=30)
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
RELATIVE = re.compile(
    r"(?i)today|yesterday|last \d+ (min|mins|minute|minutes|hr|hrs|hour|hours|day|days|week|weeks|month|months|year|years)"
)


@dataclass(slots=True)
class Rapid7Sandbox(StandIn):
    """`usage` gives the bytes of a day or None; `lines` gives the lines of a log; `separators` may
    stand between ids.
    """

    name: str = "rapid7"
    title: str = "Rapid7"
    account: str = "rapid7-eu"
    api_key: str = "00000000-aaaa-bbbb-cccc-222222222222"
    logs: dict[str, str] = field(default_factory=lambda: dict(seed.LOG_NAMES))
    # Replaced by tests.
    usage: Callable[[date, datetime], int | None] = seed.usage_of
    lines: Callable[[str, datetime, datetime], Iterator[str]] = seed.log_lines
    downloads_left: int = 150
    queries_left: int = 1500
    # How many answers of a query are in progress before the complete one.
    polls: int = 1
    separators: str = ":;"
    most_days_by_log: int = 30
    queries: Queries = field(init=False)

    def __post_init__(self) -> None:
        self.queries = Queries(lambda: self.lines, lambda: self.logs, self._clock)

    def _clock(self) -> datetime:
        """The time of day, which may be set after the sandbox is made."""
        return self.now()

    def settings(self) -> dict[str, Any]:
        return {
            "base_url": self.url,
            "api_key": "env:RAPID7_API_KEY",
            "monthly_quota": "150 GB",
            "logs": {"kitchen": seed.KITCHEN, "cellar": seed.CELLAR},
        }

    def environ(self) -> dict[str, str]:
        return {"RAPID7_API_KEY": self.api_key}

    def alerts(self) -> list[dict[str, Any]]:
        """One that does not fire, and one that does: a service times out again and again."""
        return [
            {
                "name": "ingest-spike",
                "ask": f"/usage {self.account} today",
                "value": "bytes",
                "above": "9 GB",
                "every": "5m",
                "channel": "#ops",
            },
            {
                "name": "kitchen-timeouts",
                "ask": "/logs kitchen last 1h where(/timeout/i)",
                "value": "lines",
                "above": 5,
                "every": "1m",
                "repeat": "15m",
                "channel": "#ops",
            },
        ]

    def routes(self) -> list[web.RouteDef]:
        return [
            route
            # Under both hosts of a region the API is the same; only the prefix differs.
            for prefix in ("", "/log_search")
            for route in (
                web.get(prefix + "/usage/organizations", self._usage),
                web.get(prefix + "/usage/organizations/logs", self._usage_by_log),
                web.get(prefix + "/management/logs", self._logs),
                web.get(prefix + "/download/logs/{ids}", self._download),
                web.post(prefix + "/query/logs", self._query),
                web.get(prefix + "/query/logs/{ids}", self._query),
                web.post(prefix + "/query/live/logs", self._open_feed),
                web.get(prefix + "/query/live/{id}", self._poll_feed),
                web.get(prefix + "/query/{id}", self._poll),
            )
        ]

    async def _usage(self, request: web.Request) -> web.Response:
        if refused := self._wrong_key(request, 401):
            return refused
        try:
            first, last = (date.fromisoformat(request.query[name]) for name in ("from", "to"))
        except (KeyError, ValueError):
            return web.json_response(
                {"message": "from and to are required as YYYY-MM-DD"}, status=400
            )
        if first > last:
            return web.json_response({"message": "from is after to"}, status=400)
        now = self.now()
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        listed = [(day, self.usage(day, now)) for day in reversed(days)]
        return web.json_response(
            {
                "daily_usage": [
                    {"usage": usage, "day": day.isoformat()}
                    # A day without usage is left out, as in the vendor's sample.
                    for day, usage in listed
                    if usage is not None
                ],
                "period_usage": sum(usage or 0 for _, usage in listed),
                "period": {"to": last.isoformat(), "from": first.isoformat()},
                "id": "5f0c2f1e-kitchen",
                "name": "Ada's Kitchen",
            },
            headers={
                "X-RateLimit-Limit": "500",
                "X-RateLimit-Remaining": "498",
                "X-RateLimit-Reset": "412",
            },
        )

    async def _usage_by_log(self, request: web.Request) -> web.Response:
        if refused := self._wrong_key(request, 401):
            return refused
        try:
            first, last = (date.fromisoformat(request.query[name]) for name in ("from", "to"))
        except (KeyError, ValueError):
            return web.json_response({"message": "from and to are required"}, status=400)
        if (last - first).days >= self.most_days_by_log or first > last:
            return web.json_response(
                {"message": f"at most {self.most_days_by_log} days"}, status=400
            )
        now = self.now()
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        usage = []
        for day in days:
            logs = sorted(seed.usage_by_log(day, now).items(), key=lambda item: item[1])
            if logs:
                # Numbers are strings in this answer, as in the vendor's sample.
                usage.append(
                    {
                        "interval": day.isoformat(),
                        "log_usage": [{"id": key, "usage": str(n)} for key, n in logs],
                    }
                )
        period = {"from": first.isoformat(), "to": last.isoformat()}
        return web.json_response(
            {
                "per_day_usage": {
                    "period": period,
                    "report_interval": "day",
                    "usage_units": "bytes",
                    "usage": usage,
                }
            }
        )

    async def _logs(self, request: web.Request) -> web.Response:
        if refused := self._wrong_key(request, 401):
            return refused
        listed = [
            {
                "id": key,
                "name": name,
                "tokens": [f"ingest-{key[:8]}-secret"],
                "logsets_info": [],
                "source_type": "token",
                "retention_period": {seed.KITCHEN: "1m", seed.CELLAR: "6m"}.get(key, "default"),
            }
            for key, name in self.logs.items()
        ]
        return web.json_response({"logs": listed})

    async def _download(self, request: web.Request) -> web.StreamResponse:
        if refused := self._wrong_key(request, 404):
            return refused
        if self.downloads_left <= 0:
            return web.Response(
                status=429, text="API rate limit exceeded", headers={"Retry-After": "417"}
            )
        self.downloads_left -= 1
        try:
            ids, start, end, limit, wanted = self._asked(request)
        except ValueError as error:
            return web.json_response({"message": str(error)}, status=400)
        if any(key not in self.logs for key in ids):
            return web.json_response({"message": "Log Not Found"}, status=404)
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/plain; charset=UTF-8",
                "Content-Disposition": "attachment; filename=.log",
                "R7-RateLimit-LimitBytes": "75000000000",
                "R7-RateLimit-RemainingBytes": "74000000000",
            }
        )
        response.enable_chunked_encoding()
        await response.prepare(request)
        lines = chain.from_iterable(self.lines(key, start, end) for key in ids)
        left = limit
        async for piece in in_pieces(lines):
            chosen = [line for line in piece if wanted(line)][:left]
            left -= len(chosen)
            if chosen:
                await response.write("".join(f"{line}\n" for line in chosen).encode())
            if not left:
                break
        await response.write_eof()
        return response

    async def _query(self, request: web.Request) -> web.Response:
        if refused := self._wrong_key(request, 401):
            return refused
        if self.queries_left <= 0:
            return web.json_response(
                {"message": "API rate limit exceeded", "secs_until_reset": 417}, status=429
            )
        self.queries_left -= 1
        self.queries.polls = self.polls
        return await self._answer_query(self.queries.start(request), self.queries_left)

    async def _poll(self, request: web.Request) -> web.Response:
        if refused := self._wrong_key(request, 401):
            return refused
        return await self._answer_query(self.queries.poll(request), 9_990)

    async def _open_feed(self, request: web.Request) -> web.Response:
        if refused := self._wrong_key(request, 401):
            return refused
        self.queries_left -= 1
        return await self._answer_query(_ok(self.queries.open_feed(request)), self.queries_left)

    async def _poll_feed(self, request: web.Request) -> web.Response:
        if refused := self._wrong_key(request, 401):
            return refused
        return await self._answer_query(_ok(self.queries.poll_feed(request)), 9_990)

    async def _answer_query(
        self, work: Coroutine[Any, Any, tuple[int, dict[str, Any]]], left: int
    ) -> web.Response:
        try:
            status, body = await work
        except QueryRefused as refused:
            return web.json_response(refused.body, status=refused.status)
        headers = {"X-RateLimit-Remaining": str(left), "X-RateLimit-Reset": "412"}
        return web.json_response(body, status=status, headers=headers)

    def _asked(
        self, request: web.Request
    ) -> tuple[list[str], datetime, datetime, int, Callable[[str], bool]]:
        """The parameters of a download. Raises ValueError with what is wrong."""
        ids = re.split(f"[{self.separators}]", request.match_info["ids"])
        if not 1 <= len(ids) <= 10 or not all(UUID.fullmatch(key) for key in ids):
            raise ValueError("invalid logs")
        query = request.query
        limit = int(query.get("limit", "20000000"))
        # A negative limit is documented nowhere.
        if limit == 0 or limit > 20_000_000:
            raise ValueError("invalid limit")
        if "time_range" in query:
            if "from" in query or "to" in query or not RELATIVE.fullmatch(query["time_range"]):
                raise ValueError("invalid time range query parameters")
            # Whatever the range: no test looks at older lines of it.
            start = self.now() - timedelta(minutes=20)
            end = self.now()
        else:
            if not query.get("from", "").isdigit():
                raise ValueError("invalid time range query parameters")
            start = datetime.fromtimestamp(int(query["from"]) / 1000, UTC)
            # Older lines are gone.
            start = max(start, self.now() - RETENTION)
            end = (
                datetime.fromtimestamp(int(query["to"]) / 1000, UTC)
                if query.get("to")
                else self.now()
            )
        # Without a query, only lines with `error`, as the page says.
        return ids, start, end, limit, _matcher(query.get("query", "where(error)"))

    def _wrong_key(self, request: web.Request, status: int) -> web.Response | None:
        """The pages disagree on a wrong key: 401 for usage, 404 for a download."""
        if request.headers.get("x-api-key") == self.api_key:
            return None
        return web.json_response(
            {"message": "Unauthorized"} if status == 401 else {}, status=status
        )


async def _ok(work: Coroutine[Any, Any, dict[str, Any]]) -> tuple[int, dict[str, Any]]:
    return 200, await work


def _matcher(query: str) -> Callable[[str], bool]:
    """Which lines a download takes, whose query has no calculate."""
    try:
        statement = leql.parse(query)
    except LeqlError as error:
        raise ValueError(f"invalid LEQL query: {error}") from None
    if statement.is_statistical:
        raise ValueError("invalid LEQL query: calculate is not supported")
    return lambda line: statement.matches(Entry(line))
