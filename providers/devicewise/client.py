"""deviceWISE as a CallSource: `usage.api.list` over TR50, page by page.

Page: "usage.api.list". A TR50 request is one JSON object of commands keyed by ids of our choosing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from providers.clock import Clock, utc_now
from providers.devicewise import filters as wording
from providers.devicewise import parse
from providers.devicewise.auth import MFA_REQUIRED, NOT_AGAIN, Credentials, LockOut, Session
from providers.devicewise.calls import api_call
from providers.devicewise.commands import COMMANDS, SERVICES
from providers.devicewise.limits import REQUESTS_PER_S
from providers.devicewise.paging import CallCollector
from providers.devicewise.record import columns
from providers.errors import AuthFailed, ProtocolError, ProviderError, TooLarge
from providers.http.client import fetch, open_client
from providers.http.network import Network
from providers.http.reading import off_loop
from providers.http.reply import Reply
from providers.limits.rate_limiter import (
    MemoryRateLimitStore,
    RateLimitStore,
    Throttle,
)
from providers.models import (
    AccountStatus,
    ApiCall,
    CallFilters,
    CallPage,
    CallsDescription,
    Check,
    FilterValues,
    Window,
    iso_utc,
)
from providers.redaction import Redactor, Secret

# The most that one request returns. Always sent, since the pages disagree about the default.
PAGE_ROWS = 2000
LEAST_PAGE_ROWS = 10
# Printable and bounded, as it becomes part of every request.
_SESSION = re.compile(r"[!-~]{1,500}")


class DeviceWise:
    """One deviceWISE account. `org` switches the session to another organisation, `show_all`
    requests the calls of all of them.
    """

    def __init__(
        self,
        account: str,
        *,
        base_url: str,
        credentials: Credentials,
        org: str = "",
        show_all: bool = False,
        redactor: Redactor | None = None,
        rate_limit_store: RateLimitStore | None = None,
        clock: Clock = utc_now,
        network: Network = Network(),
    ) -> None:
        self.account = account
        self._credentials = credentials
        self._org = org
        self._show_all = show_all
        self._client = open_client(
            base_url,
            account=account,
            throttle=Throttle(REQUESTS_PER_S),
            clock=clock,
            network=network,
        )
        self._session = Session(
            self._log_in,
            lock_out=LockOut(
                account,
                f"{base_url} {org}",
                credentials,
                rate_limit_store or MemoryRateLimitStore(),
                clock,
            ),
        )
        own = [s for s in (credentials.password, credentials.app_token, credentials.app_id) if s]
        self._redactor = redactor or Redactor(own)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def calls_description(self) -> CallsDescription:
        """The commands of TR50 and the services they belong to, without a request."""
        return CallsDescription(
            (
                FilterValues("action", COMMANDS),
                FilterValues("service", SERVICES),
                FilterValues("status", ("success", "error")),
                FilterValues("show_all", ("yes", "no")),
            ),
            most_rows=PAGE_ROWS,
        )

    def unsupported_filter(self, filters: CallFilters) -> str | None:
        """Why the account cannot apply the filters; None where it can."""
        return wording.unsupported_filter(self.account, filters)

    def kept_since(self, now: datetime) -> datetime | None:
        """deviceWISE does not document how long it stores its list of calls."""
        del now
        return None

    async def calls(
        self, window: Window, filters: CallFilters, *, read: Callable[[int], None] = lambda _: None
    ) -> CallPage:
        """All calls of the window, page by page over fixed instants, so that the pages belong
        together.

        Of several `who` each is asked for by itself, since only the service knows which calls a
        thing key stands for.
        """
        found = CallCollector(
            self.account, keep=lambda rows: self._kept_calls(rows, filters), read=read
        )
        # Instants in place of `last`, which would move from page to page.
        period = {
            "start": iso_utc(window.start, "milliseconds"),
            "end": iso_utc(window.end, "milliseconds"),
        }
        show_all = {"showAll": self._show_all}
        for who in filters.who or ("",):
            await self._collect(
                {**show_all, **wording.server_filters(filters, who), **period}, found
            )
        page = found.page()
        if not filters.who or found.rows:
            return page
        remark = (
            f"{self.account} compares `who:` by itself, with what was typed; upper and lower case "
            "may matter there."
        )
        return replace(page, notes=(*page.notes, remark), remarks=(*page.remarks, remark))

    async def _collect(self, params: Mapping[str, Any], found: CallCollector) -> None:
        """All pages of one list. A page of more bytes than are taken is asked for in
        smaller ones.
        """
        limit = PAGE_ROWS
        found.begin()
        while found.wants_more:
            try:
                page = await self._page({**params, "offset": found.offset, "limit": limit})
            except TooLarge:
                if limit <= LEAST_PAGE_ROWS:
                    raise
                limit //= 4
                continue
            await asyncio.to_thread(found.add, page, limit)
            found.read(found.rows)
        found.end()

    def _kept_calls(self, rows: Sequence[parse.Row], filters: CallFilters) -> list[ApiCall]:
        """The rows as calls; runs in a thread, since many rows take a while."""
        calls = [
            api_call(
                row, account=self.account, whoami=self._credentials.whoami, redactor=self._redactor
            )
            for row in rows
        ]
        if filters.call:
            return [
                msgspec.structs.replace(call, columns=columns(row, self._redactor))
                for row, call in zip(rows, calls, strict=True)
                if call.id == filters.call and wording.passes(call, filters)
            ]
        return [call for call in calls if wording.passes(call, filters)] if filters else calls

    async def status(self) -> AccountStatus:
        """The state of the account as known without a request."""
        circuit = self._client.circuit
        return AccountStatus(self.account, circuit.problem, circuit.answered_at, ())

    async def check(self) -> list[Check]:
        """Requests one row of the last hour."""
        try:
            await self._page(
                {
                    "last": "1h",
                    "offset": 0,
                    "limit": 1,
                    **({"showAll": True} if self._show_all else {}),
                }
            )
        except ProviderError as error:
            return [Check(self.account, ok=False, detail=error.for_operators, hint=error.hint)]
        return [
            Check(
                self.account,
                ok=True,
                detail=f"deviceWISE answers as {self._credentials.whoami or 'the application'}.",
            )
        ]

    async def _page(self, params: Mapping[str, Any]) -> parse.Page:
        """One page. An expired session is renewed once, and the page requested again."""
        session = await self._session.id()
        page = await self._ask_page(params, session)
        # Once only: clients that log in again and again lock their user out.
        if isinstance(page, parse.Failure) and page.session_expired:
            page = await self._ask_page(params, await self._session.id(instead_of=session))
        if isinstance(page, parse.Failure):
            # The platform reports the end of a list as a failure (-90058).
            if page.is_end_of_list and params["offset"]:
                return parse.Page([], None)
            raise self._failed(page, show_all=params.get("showAll") is True)
        return page

    async def _ask_page(
        self, params: Mapping[str, Any], session: Secret
    ) -> parse.Page | parse.Failure:
        reply = await self._post(_body("usage.api.list", params, session))
        return await asyncio.to_thread(self._read_page, reply.body)

    def _read_page(self, body: bytes) -> parse.Page | parse.Failure:
        return parse.list_page(self._redactor.answer(body), account=self.account)

    async def _log_in(self) -> Secret:
        reply = await self._post(
            {"auth": {"command": "api.authenticate", "params": self._credentials.params()}}
        )
        answer = await off_loop(
            partial(parse.reply_params, command_id="auth", account=self.account), reply.body
        )
        if isinstance(answer, parse.Failure):
            raise self._login_refused(answer)
        found = answer.get("sessionId")
        if not isinstance(found, str) or not _SESSION.fullmatch(found):
            raise ProtocolError(
                f"{self.account} accepted the login but sent no session.",
                account=self.account,
                hint="Try again in a few minutes.",
            )
        session = Secret(found)
        if self._org:
            # A switch changes the session for all requests that use it, so it comes before any of
            # them.
            reply = await self._post(_body("session.org.switch", {"key": self._org}, session))
            switched = await off_loop(
                partial(parse.reply_params, command_id=parse.LIST_ID, account=self.account),
                reply.body,
            )
            if isinstance(switched, parse.Failure):
                raise AuthFailed(
                    f"{self.account} is not allowed to switch to the organisation {self._org}.",
                    account=self.account,
                    hint=f"Check `org` of `{self.account}`; applications cannot switch.",
                )
        return session

    def _login_refused(self, failure: parse.Failure) -> AuthFailed:
        # The password was right; the platform wants a six-digit code in its place.
        if MFA_REQUIRED in failure.codes:
            return AuthFailed(
                f"{self.account} requires a second factor, which a bot cannot give.",
                account=self.account,
                hint=(
                    "Use an application (`app_token`, `app_id`, `thing_key`) or a user without a "
                    "second factor."
                ),
            )
        return AuthFailed(
            f"{self.account} refused the login.{self._vendor_message(failure)}",
            account=self.account,
            hint=NOT_AGAIN.format(self.account),
        )

    def _failed(self, failure: parse.Failure, *, show_all: bool) -> ProviderError:
        if failure.session_expired:
            return AuthFailed(
                f"{self.account} does not accept the session it has just opened.",
                account=self.account,
                hint="Try again in a few minutes.",
            )
        return ProtocolError(
            f"{self.account} refused the question.{self._vendor_message(failure)}",
            account=self.account,
            hint="`show_all` needs the role Super-Ops; leave it out, or ask for the role."
            if show_all
            else "Try another window or filter.",
        )

    def _vendor_message(self, failure: parse.Failure) -> str:
        words = "; ".join([*failure.messages[:2], *(f"code {code}" for code in failure.codes[:2])])
        return f" It said: {self._redactor.text(words)[:300].rstrip('.')}." if words else ""

    async def _post(self, body: Mapping[str, Any]) -> Reply:
        content = msgspec.json.encode(body)
        return await fetch(
            self._client,
            lambda: self._client.build_request(
                "POST", "/api", content=content, headers={"Content-Type": "application/json"}
            ),
            account=self.account,
        )


def _body(command: str, params: Mapping[str, Any], session: Secret) -> dict[str, Any]:
    return {
        "auth": {"sessionId": session.open()},
        parse.LIST_ID: {"command": command, "params": dict(params)},
    }
