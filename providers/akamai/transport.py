"""Sends signed requests for either report, follows the vendor's links and reads the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx
import msgspec

from providers.akamai import parse, problems
from providers.akamai.auth import EdgeGridAuth
from providers.akamai.edgerc import EdgeGridCredentials
from providers.akamai.failures import BoundsRefused, ClockSkew, next_request_s, server_time
from providers.akamai.paging import MOST_BYTES
from providers.akamai.reports import (
    V1,
    V2,
    V2_METRICS,
    V2_OPTIONS,
    ReportQuery,
    ReportSettings,
    v2_filter,
)
from providers.clock import Clock
from providers.errors import (
    AuthFailed,
    NotFound,
    ProtocolError,
    ProviderError,
    RateLimited,
    Unavailable,
)
from providers.http.circuit import Circuit
from providers.http.client import fetch, open_client
from providers.http.failures import refuse_status, too_many_requests
from providers.http.network import Network
from providers.http.reading import off_loop
from providers.http.reply import Reply
from providers.limits.rate_limiter import RateLimiter
from providers.models import Window, iso_utc
from providers.redaction import Redactor

# Links come from outside, so their number is bounded.
MOST_PAGES = 64
# A v2 result answers 303 to itself until it is ready.
ASYNC_WAITS_S = (1.0, 2.0, 3.0, 5.0, 5.0, 10.0, 10.0, 10.0, 10.0)


class ReportTransport:
    """The requests of one API client."""

    def __init__(
        self,
        account: str,
        *,
        credentials: EdgeGridCredentials,
        settings: ReportSettings,
        redactor: Redactor,
        rate_limiter: RateLimiter,
        clock: Clock,
        network: Network,
    ) -> None:
        self.account = account
        self.rate_limiter = rate_limiter
        self._settings = settings
        self._redactor = redactor
        self._clock = clock
        # The bot's own calls are recognised by it.
        self._own_token = credentials.client_token.open()
        # The documented one, until the report has named its own.
        self.required_role = REQUIRED_ROLES[settings.report]
        self._auth = EdgeGridAuth(credentials, now=clock)
        self._client = open_client(
            credentials.base_url,
            account=account,
            auth=self._auth,
            budget=rate_limiter,
            clock=clock,
            network=network,
        )

    @property
    def circuit(self) -> Circuit:
        return self._client.circuit

    async def aclose(self) -> None:
        await self._client.aclose()

    async def describe(self) -> Mapping[str, Any]:
        """What the v1 report says about itself."""
        reply = await self._send(
            lambda: self._client.build_request(
                "GET", V1, params=self._params(), headers=_ACCEPT_JSON
            )
        )
        return await off_loop(problems.problem, reply.body)

    async def v2_options(self) -> Mapping[str, Any]:
        """What the v2 report can be asked for."""
        reply = await self._send(
            lambda: self._client.build_request(
                "GET", V2_OPTIONS, params=self._params(), headers=_ACCEPT_JSON
            )
        )
        return await off_loop(problems.problem, reply.body)

    async def v1_report(self, window: Window, query: ReportQuery, *, accept: str) -> parse.Report:
        """The v1 report of a window."""
        reply = await self._send(lambda: self._v1_request(window, query, accept=accept))
        return await asyncio.to_thread(self._read, reply)

    def _v1_request(self, window: Window, query: ReportQuery, *, accept: str) -> httpx.Request:
        """v1 by POST, or by GET if that is set and can express the filters: it cannot escape `,`
        and `=` in a value.
        """
        params = {"start": iso_utc(window.start), "end": iso_utc(window.end), **self._params()}
        is_expressible = not any(
            c in value for values in query.filters.values() for value in values for c in ",="
        )
        if self._settings.method == "GET" and is_expressible:
            params |= {
                "objectIds": ",".join(query.account_ids),
                "metrics": ",".join(query.metrics),
            }
            if query.filters:
                params["filters"] = ",".join(
                    f"{name}={value}" for name, values in query.filters.items() for value in values
                )
            return self._client.build_request(
                "GET", V1 + "/report-data", params=params, headers={"Accept": accept}
            )
        body = {
            "objectIds": list(query.account_ids),
            "metrics": list(query.metrics),
            "filters": query.filters,
        }
        headers = {"Accept": accept, "Content-Type": "application/json"}
        return self._client.build_request(
            "POST",
            V1 + "/report-data",
            params=params,
            content=msgspec.json.encode(body),
            headers=headers,
        )

    async def v2_report(self, window: Window, query: ReportQuery, *, limit: int) -> parse.Report:
        """v2, with its pages. A 303 leads to a result that answers 303 to itself until
        it is ready.
        """
        body = msgspec.json.encode(
            {
                "objectIds": list(query.account_ids),
                "dimensions": [V2_METRICS.get(name, name) for name in query.metrics],
                "metrics": [],
                "filters": [v2_filter(name, values) for name, values in query.filters.items()],
                "limit": limit,
            }
        )
        params = {"start": iso_utc(window.start), "end": iso_utc(window.end), **self._params()}
        headers = {**_ACCEPT_JSON, "Content-Type": "application/json"}
        reply = await self._send(
            lambda: self._client.build_request(
                "POST", V2, params=params, content=body, headers=headers
            )
        )
        pages = [await asyncio.to_thread(self._read, await self._when_ready(reply))]
        seen = set[str]()
        while (
            (link := pages[-1].next_link)
            and link not in seen
            and len(pages) < MOST_PAGES
            and _size(pages) < MOST_BYTES
        ):
            seen.add(link)
            reply = await self._when_ready(await self._follow(link))
            pages.append(await asyncio.to_thread(self._read, reply))
        return parse.joined(pages)

    async def _when_ready(self, reply: Reply) -> Reply:
        for wait_s in ASYNC_WAITS_S:
            if reply.status != 303:
                return reply
            if (location := reply.headers.get("Location")) is None:
                raise ProtocolError(
                    f"{self.account} sent a 303 that leads nowhere.",
                    account=self.account,
                    hint="Try again in a few minutes.",
                )
            reply = await self._follow(location)
            if reply.status == 303:
                await asyncio.sleep(wait_s)
        if reply.status == 303:
            raise Unavailable(
                f"{self.account} is still preparing the report.",
                account=self.account,
                hint="Ask again in a few minutes.",
            )
        return reply

    async def _follow(self, href: str) -> Reply:
        """Follows a link of the vendor, signed anew, only if it stays on the vendor's host."""
        try:
            url = self._client.base_url.join(href)
        except (httpx.InvalidURL, ValueError):
            raise ProtocolError(
                f"{self.account} sent an invalid link.",
                account=self.account,
                hint="Try again. If it keeps failing, tell the operator.",
            ) from None
        ours = self._client.base_url
        if (url.scheme, url.host, url.port) != (ours.scheme, ours.host, ours.port):
            raise ProtocolError(
                f"{self.account} sent a link to another host.",
                account=self.account,
                hint="Tell the operator.",
            )
        return await self._send(
            lambda: self._client.build_request("GET", url, headers=_ACCEPT_JSON)
        )

    def _read(self, reply: Reply) -> parse.Report:
        """The report, parsed by its content type."""
        body = self._redactor.answer(reply.body, but=self._own_token)
        is_text = reply.content_type in ("", "text/plain", "application/csv")
        if reply.content_type == "text/csv" or (is_text and parse.is_csv(body)):
            return parse.csv_report(body, account=self.account)
        if reply.content_type in ("text/html", "application/xhtml+xml"):
            raise ProtocolError(
                f"{self.account} sent a web page where a report was expected.",
                account=self.account,
                hint="Check `host` of the account.",
            )
        return parse.json_report(body, account=self.account)

    async def _send(self, build: Callable[[], httpx.Request]) -> Reply:
        """A signed answer. A clock that is off is measured by the vendor's and corrected once."""
        try:
            return await fetch(
                self._client, build, account=self.account, scope="report", check=self._refuse
            )
        # Once: a second refusal is not about the clock that was just measured.
        except ClockSkew as skewed:
            self._auth.skew = skewed.by
        return await fetch(
            self._client, build, account=self.account, scope="report", check=self._refuse
        )

    def _refuse(self, reply: Reply) -> None:
        if reply.status in (200, 303):
            return
        problem = problems.problem(reply.body)
        message = self._redactor.text(problems.vendor_message(problem))
        if reply.status == 400 and problems.is_about_our_clock(problem):
            raise self._skewed(reply, problem)
        # A block for bursts comes as HTTP 400 of the gateway (terraform-provider-akamai#728).
        if "IPBLOCK" in message or "WAF deny" in message:
            raise RateLimited(
                f"{self.account} has blocked this client for a while because of too many requests.",
                account=self.account,
                hint="Try again in ten minutes.",
            )
        if reply.status == 400 and problems.is_about_bounds(problem):
            raise BoundsRefused(self.account, message)
        # The report has ended; this is never “no rows”.
        if reply.status in (404, 410):
            raise self.retired()
        if reply.status == 429:
            raise too_many_requests(
                reply, account=self.account, wait_s=next_request_s(problem, self._clock())
            )
        try:
            refuse_status(reply, account=self.account, message=message)
        except AuthFailed as error:
            if reply.status == 403:
                error.hint = (
                    f"The user of its API client needs the role “{self.required_role}”, and access "
                    "to the accounts in `account_ids`; then run `opswatch check`."
                )
            raise

    def _skewed(self, reply: Reply, problem: Mapping[str, Any]) -> ProviderError:
        theirs = server_time(reply, problem, self._clock())
        off = theirs - self._clock() if theirs else None
        # The correction that was applied already has not helped.
        if off is None or abs(off - self._auth.skew) < timedelta(seconds=2):
            return AuthFailed(
                f"{self.account} says that this machine's clock is wrong.",
                account=self.account,
                hint="Check the time on this machine (NTP).",
            )
        return ClockSkew(self.account, off)

    def retired(self) -> NotFound:
        other = "v2" if self._settings.report == "v1" else "v1"
        return NotFound(
            (
                f"{self.account} does not offer the {self._settings.report} report of API calls, "
                "or no longer does."
            ),
            account=self.account,
            hint=f'Set `report = "{other}"` for `{self.account}`; Akamai announced the end of v1 for July 2025.',
        )

    def _params(self) -> dict[str, str]:
        return (
            {"accountSwitchKey": self._settings.account_switch_key}
            if self._settings.account_switch_key
            else {}
        )


# Pages: "Get report details" of v1 (`requiredRoles`) and "common/apis/usage-details" of v2.
REQUIRED_ROLES = {
    "v1": "IDM: API Clients - Admin Access",
    "v2": "admin of Akamai Control Center",
}
_ACCEPT_JSON = {"Accept": "application/json"}


def _size(pages: Sequence[parse.Report]) -> int:
    return sum(page.bytes for page in pages)
