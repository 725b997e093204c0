"""A vendor of another package, as small as one can be: usage by day, and recorded calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from aiohttp import web

from providers.http.client import fetch, open_client
from providers.models import (
    AccountStatus,
    ApiCall,
    CallFilters,
    CallPage,
    CallsDescription,
    Check,
    DayRange,
    FilterValues,
    LogUsage,
    NamedLog,
    Outcome,
    UsagePeriod,
    Window,
)
from providers.provider import AccountContext, Capability, Provider
from providers.sandbox.server import StandIn
from providers.settings import AccountSettings, Address, SecretReference


class AcmeSettings(AccountSettings):
    kind: Literal["acme"]
    base_url: Address
    acme_key: SecretReference

    @property
    def address(self) -> str:
        return self.base_url


class Acme:
    def __init__(self, account: str, settings: AcmeSettings, context: AccountContext) -> None:
        self.account = account
        self._headers = {"x-acme": settings.acme_key.open()}
        self._client = open_client(
            settings.base_url, account=account, clock=context.clock, network=context.network
        )

    async def _get(self, path: str) -> Any:
        reply = await fetch(
            self._client,
            lambda: self._client.build_request("GET", path, headers=self._headers),
            account=self.account,
        )
        return json.loads(reply.body)

    async def usage(self, days: DayRange) -> UsagePeriod:
        listed = await self._get(f"/usage/{days.first}/{days.last}")
        by_day = {date.fromisoformat(day): size for day, size in listed.items()}
        return UsagePeriod(by_day, None, None, None, None, None, vendor="Acme")

    async def usage_by_log(self, days: DayRange) -> LogUsage:
        return LogUsage(
            {day: {"all": size} for day, size in (await self.usage(days)).by_day.items()}
        )

    async def named_logs(self) -> Sequence[NamedLog]:
        return []

    def unsupported_filter(self, filters: CallFilters) -> str | None:
        return f"{self.account} is Acme and has no filters." if filters else None

    def kept_since(self, now: datetime) -> datetime | None:
        del now
        return None

    async def calls(
        self, window: Window, filters: CallFilters, *, read: Callable[[int], None] = lambda _: None
    ) -> CallPage:
        del filters
        found = [self._call(text) for text in await self._get("/calls")]
        read(len(found))
        inside = [each for each in found if each.at and window.start <= each.at < window.end]
        return CallPage(inside, complete=True)

    def _call(self, at: str) -> ApiCall:
        return ApiCall(
            at=datetime.fromisoformat(at),
            at_text=at,
            account=self.account,
            actor="wile",
            action="ORDER",
            target="anvil",
            status="ok",
            outcome=Outcome.SUCCESS,
            client="",
            ip="",
            duration_ms=None,
        )

    async def calls_description(self) -> CallsDescription:
        return CallsDescription((FilterValues("who", ("wile",)),))

    async def status(self) -> AccountStatus:
        return AccountStatus(self.account, "", None)

    async def check(self) -> Sequence[Check]:
        await self._get("/calls")
        return [Check(self.account, ok=True, detail="Acme answers.")]

    async def aclose(self) -> None:
        await self._client.aclose()


@dataclass(slots=True)
class AcmeSandbox(StandIn):
    name: str = "acme"
    title: str = "Acme"
    account: str = "coyote"

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.url, "acme_key": "env:ACME_KEY"}

    def environ(self) -> dict[str, str]:
        return {"ACME_KEY": "beep-beep"}

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/usage/{first}/{last}", self._usage), web.get("/calls", self._calls)]

    async def _usage(self, request: web.Request) -> web.Response:
        first, last = (date.fromisoformat(request.match_info[name]) for name in ("first", "last"))
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        return web.json_response({day.isoformat(): 1000 for day in days})

    async def _calls(self, request: web.Request) -> web.Response:
        if request.headers.get("x-acme") != "beep-beep":
            return web.Response(status=401)
        at = self.now().astimezone(UTC) - timedelta(minutes=5)
        return web.json_response([at.isoformat()])


PROVIDER = Provider(
    kind="acme",
    title="Acme",
    settings=AcmeSettings,
    open=Acme,
    capabilities=frozenset({Capability.USAGE, Capability.CALLS}),
    example='[providers.coyote]\nkind = "acme"\nacme_key = "env:ACME_KEY"',
    sandbox=AcmeSandbox,
)
