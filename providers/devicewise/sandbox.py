"""A stand-in of deviceWISE's TR50 endpoint: sessions, organisations, `usage.api.list`; its failures
come with HTTP 200.
"""

from __future__ import annotations

import json
import math
import random
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import Any

from aiohttp import web

from providers.sandbox.pieces import in_pieces
from providers.sandbox.server import StandIn

FILTERS = {"who", "service", "command", "hasFailure"}
UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


# Of the platform nothing is known; a demo has this much to show.
RETENTION = timedelta(days=30)
SECONDS_BETWEEN_CALLS = 61


@dataclass(frozen=True, slots=True)
class ExampleRows:
    """Recorded calls, newest first, the same for the same time. Each is made when it is read, so a
    page of a long window costs no more than one of a short window.
    """

    ticks: range

    def __len__(self) -> int:
        return len(self.ticks)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(_example_row, self.ticks)

    def __getitem__(self, place: slice) -> ExampleRows:
        return ExampleRows(self.ticks[place])


def example_rows(start: datetime, end: datetime) -> ExampleRows:
    """The recorded calls between two instants."""
    step = SECONDS_BETWEEN_CALLS
    first = -(-int(start.timestamp()) // step) * step
    return ExampleRows(range(first, math.ceil(end.timestamp()), step)[::-1])


# As many as a window of RETENTION has.
@lru_cache(maxsize=50_000)
def _example_row(tick: int) -> dict[str, Any]:
    """The call at one instant, nested as the platform nests it. Cached, since the same rows are
    requested often.
    """
    commands = (
        "thing.list",
        "thing.find",
        "location.publish",
        "alarm.publish",
        "property.publish",
        "session.info",
    )
    spread = random.Random(tick * 7)
    command = spread.choice(commands)
    who = spread.choice(("ada@example.com", "grace@example.com", "oven-7", "fridge-2"))
    failed = spread.random() < 0.04
    good = '{"1":{"success":true,"params":{}}}'
    bad = '{"1":{"success":false,"errorCodes":[-90008],"errorMessages":["Thing not found"]}}'
    local = datetime.fromtimestamp(tick - 5 * 3600, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return {
        "ts": f"{local}.{spread.randrange(1000):03d}-05:00",
        "execTime": int(spread.lognormvariate(16, 0.9)),
        "processedBy": f"ip-10-200-40-{spread.randrange(2, 9)}",
        "orgId": "52f7a7c1e4b0",
        "orgKey": "KITCHEN",
        "whoami": who,
        "request": f'{{"1":{{"Command":"{command}","SessionId":"","Params":{{"thingKey":"oven-{spread.randrange(1, 9)}"}}}}}}',
        "response": bad if failed else good,
    }


@dataclass(slots=True)
class DeviceWiseSandbox(StandIn):
    """`rows` gives the recorded calls between two instants, the newest first."""

    name: str = "devicewise"
    title: str = "deviceWISE"
    account: str = "iot"
    username: str = "opswatch@example.com"
    password: str = "correct horse battery staple"
    app: tuple[str, str, str] = ("app-token-1", "app-id-1", "opswatch-thing")
    orgs: tuple[str, ...] = ("KITCHEN", "CELLAR")
    rows: Callable[[datetime, datetime], Iterable[dict[str, Any]]] = example_rows
    sessions: dict[str, str] = field(default_factory=dict)
    logins: int = 0
    mfa: bool = False
    super_ops: bool = True
    page_rows: int = 2000
    own: list[dict[str, Any]] = field(default_factory=list)

    def settings(self) -> dict[str, Any]:
        return {
            "base_url": self.url,
            "username": "env:DW_USER",
            "password": "env:DW_PASSWORD",
        }

    def environ(self) -> dict[str, str]:
        return {"DW_USER": self.username, "DW_PASSWORD": self.password}

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/api", self._api)]

    def forget_sessions(self) -> None:
        """All sessions have run out."""
        self.sessions.clear()

    async def _api(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.text())
        except ValueError:
            # TR50 answers with HTTP 200, whatever fails.
            return web.json_response(_failure([-90001], ["Invalid JSON"]))
        if not isinstance(body, dict):
            return web.json_response(_failure([-90001], ["Invalid request"]))
        auth = body.pop("auth", None)
        replies: dict[str, Any] = {}
        session = request.headers.get("sessionId", "")
        if isinstance(auth, dict) and "command" in auth:
            replies["auth"] = self._log_in(auth.get("params") or {})
            session = replies["auth"].get("params", {}).get("sessionId", "")
        elif isinstance(auth, dict):
            session = auth.get("sessionId", "")
        if body and session not in self.sessions:
            return web.json_response(
                _failure(
                    [-90000], ["Authentication session is invalid: the session was not found."]
                )
            )
        for key, command in body.items():
            replies[key] = await self._command(command, session)
        return web.json_response(replies)

    def _log_in(self, params: dict[str, Any]) -> dict[str, Any]:
        self.logins += 1
        as_user = (params.get("username"), params.get("password")) == (self.username, self.password)
        as_app = tuple(params.get(name) for name in ("appToken", "appId", "thingKey")) == self.app
        if not as_user and not as_app:
            return _failure([-90006], ["Invalid username or password"])
        if self.mfa and as_user:
            return _failure([-90041], ["Multi-factor authentication required"])
        session = secrets.token_hex(16)
        self.sessions[session] = self.orgs[0]
        return {"success": True, "params": {"sessionId": session, "orgKey": self.orgs[0]}}

    async def _command(self, command: Any, session: str) -> dict[str, Any]:
        name = command.get("command") if isinstance(command, dict) else None
        params = command.get("params") or {} if isinstance(command, dict) else {}
        if name == "usage.api.list":
            return await self._usage(params)
        if name == "session.org.switch":
            if params.get("key") not in self.orgs:
                return _failure([-90007], ["Not permitted"])
            self.sessions[session] = params["key"]
            return {"success": True}
        return _failure([-90002], [f"Unknown command {name}"])

    async def _usage(self, params: dict[str, Any]) -> dict[str, Any]:
        if (
            strange := set(params)
            - FILTERS
            - {"offset", "limit", "showAll", "last", "start", "end"}
        ):
            return _failure([-90003], [f"Unknown parameter {min(strange)}"])
        if params.get("command") and not params.get("service"):
            return _failure([-90003], ["command requires service"])
        if params.get("showAll") and not self.super_ops:
            return _failure([-90007], ["showAll requires Super-Ops"])
        try:
            start, end = self._window(params)
        except ValueError as error:
            return _failure([-90003], [str(error)])
        start = max(start, self.now() - RETENTION)
        offset = params.get("offset", 0)
        limit = min(params.get("limit", 2000), self.page_rows)
        count, page = await self._page(start, end, params, slice(offset, offset + limit))
        self._note_own(params)
        return {"success": True, "params": {"count": count, "result": page or None}}

    async def _page(
        self, start: datetime, end: datetime, params: dict[str, Any], place: slice
    ) -> tuple[int, list[dict[str, Any]]]:
        """How many rows the list has, and a page of it."""
        own = self.own_rows(start, end)
        rows = self.rows(start, end)
        if isinstance(rows, ExampleRows) and not FILTERS & set(params):
            rest = slice(max(0, place.start - len(own)), max(0, place.stop - len(own)))
            page = [
                row async for piece in in_pieces(chain(own[place], rows[rest])) for row in piece
            ]
            return len(own) + len(rows), page
        found: list[dict[str, Any]] = []
        async for piece in in_pieces(chain(own, rows)):
            found += [row for row in piece if self._wanted(row, params)]
        return len(found), found[place]

    def own_rows(self, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """Calls of the bot, which are recorded like any other."""
        return [
            row for row in reversed(self.own) if start <= datetime.fromisoformat(row["ts"]) < end
        ]

    def _note_own(self, params: dict[str, Any]) -> None:
        request = {"list": {"Command": "usage.api.list", "SessionId": "", "Params": params}}
        self.own.append(
            {
                "ts": self.now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "execTime": 21_000_000,
                "processedBy": "ip-10-200-40-2",
                "orgId": "52f7a7c1e4b0",
                "orgKey": "KITCHEN",
                "whoami": self.username,
                "request": json.dumps(request),
                "response": '{"list":{"success":true,"params":{"count":0,"result":null}}}',
            }
        )

    def _window(self, params: dict[str, Any]) -> tuple[datetime, datetime]:
        now = self.now()
        if "last" in params:
            match = re.fullmatch(r"(\d+)(ns|us|ms|s|m|h)", str(params["last"]))
            if not match:
                raise ValueError("Invalid last")
            return now - timedelta(seconds=int(match[1]) * UNITS[match[2]]), now
        stamps = [str(params.get("start", "")), str(params.get("end", now.isoformat()))]
        if not all(STAMP.fullmatch(stamp) for stamp in stamps):
            raise ValueError("Invalid timestamp")
        start, end = (datetime.fromisoformat(stamp) for stamp in stamps)
        return start, end

    def _wanted(self, row: dict[str, Any], params: dict[str, Any]) -> bool:
        service = params.get("service")
        command = params.get("command")
        names = re.findall(r'"[Cc]ommand": ?"([^"]+)"', str(row["request"])) if service else []
        return (
            (not params.get("who") or row["whoami"] == params["who"])
            and (
                not service
                or any(n.split(".")[0] == service or n.rpartition(".")[0] == service for n in names)
            )
            and (not command or any(n.rpartition(".")[2] == command for n in names))
            and (
                not params.get("hasFailure")
                or '"success":false' in str(row["response"]).replace(" ", "")
            )
        )


def _failure(codes: list[int], messages: list[str]) -> dict[str, Any]:
    return {"success": False, "errorCodes": codes, "errorMessages": messages}
