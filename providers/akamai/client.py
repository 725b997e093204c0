"""Akamai as a CallSource, by either report.

Pages: "apiusagedetails-by-time" (v1: POST or the cacheable GET, JSON or CSV) and
"common/apis/usage-details" (v2). Only the columns and the terms differ; windows, caps and errors
are handled in one place.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from providers.akamai import description, parse
from providers.akamai import filters as wording
from providers.akamai.calls import kept_calls
from providers.akamai.edgerc import EdgeGridCredentials
from providers.akamai.failures import BoundsRefused
from providers.akamai.limits import V2_LIMITS
from providers.akamai.paging import RequestAllowance, are_within, is_whole, rounded
from providers.akamai.reports import ReportQuery, ReportSettings
from providers.akamai.shortcomings import lateness, refuse_counted_but_not_sent, shortcomings
from providers.akamai.transport import ReportTransport
from providers.clock import Clock, utc_now
from providers.errors import (
    ProtocolError,
    ProviderError,
    TooLarge,
)
from providers.http.network import Network
from providers.limits.rate_limiter import (
    MemoryRateLimitStore,
    RateLimiter,
    RateLimitStore,
)
from providers.models import (
    AccountStatus,
    CallFilters,
    CallPage,
    CallsDescription,
    Check,
    FilterValues,
    Window,
)
from providers.redaction import Redactor

# The default `limit` of the report; no page says how v1 takes another one.
V1_ROW_CAP = 5_000
# The largest `limit` of a v2 request.
V2_ROW_CAP = 25_000
# “Retention” of both reports.
RETENTION = timedelta(days=92)
# Of one question, so that a very long window does not use up the account's limit.
MOST_REQUESTS = 64


class Akamai:
    """One Akamai account: a set of account ids, read through one API client."""

    unrecorded_calls = "Akamai does not record calls whose login failed."

    def __init__(
        self,
        account: str,
        *,
        credentials: EdgeGridCredentials,
        settings: ReportSettings,
        redactor: Redactor | None = None,
        rate_limit_store: RateLimitStore | None = None,
        clock: Clock = utc_now,
        network: Network = Network(),
    ) -> None:
        self.account = account
        self._clock = clock
        self._settings = settings
        # The bot's own requests are recorded, too, and recognised by it.
        self._own_token = credentials.client_token.open()
        # Learned from a refusal, so that later windows are rounded at once.
        self._whole_steps_only = False
        # The documented values, until the report has described its own: they have changed before.
        self._enumerations: Mapping[str, Sequence[str]] = wording.ENUMERATIONS
        self._described = CallsDescription()
        limits = V2_LIMITS if settings.report == "v2" else {}
        rate_limiter = RateLimiter(
            account,
            credentials.client_token,
            limits,
            rate_limit_store or MemoryRateLimitStore(),
            clock,
        )
        own = [credentials.client_token, credentials.client_secret, credentials.access_token]
        self._redactor = redactor or Redactor(own)
        self._transport = ReportTransport(
            account,
            credentials=credentials,
            settings=settings,
            redactor=self._redactor,
            rate_limiter=rate_limiter,
            clock=clock,
            network=network,
        )

    async def aclose(self) -> None:
        await self._transport.aclose()

    def unsupported_filter(self, filters: CallFilters) -> str | None:
        """Akamai supports its own seventeen filters by name, and `who`, `action`, `status`, `url`,
        `failures`.
        """
        if self._settings.report == "v2" and "contract_type" in filters.native:
            return f"{self.account} uses the v2 report, which has no filter `contract_type`."
        if unknown := wording.unknown_account(filters, self._settings.account_ids):
            known = ", ".join(self._settings.account_ids[:20])
            return f"{self.account} is configured with the IDs {known}, not `{unknown[:40]}`."
        return wording.unsupported_filter(self.account, filters, self._enumerations)

    async def calls(
        self, window: Window, filters: CallFilters, *, read: Callable[[int], None] = lambda _: None
    ) -> CallPage:
        """All calls of the window. A window that fills the vendor's row cap is halved until its
        rows fit.
        """
        asked, notes = self._within_retention(window)
        requests = RequestAllowance(MOST_REQUESTS, read)
        query = ReportQuery(
            wording.server_filters(filters),
            wording.chosen_accounts(filters, self._settings.account_ids),
            wording.chosen_metrics(filters),
        )
        reports = await self._reports(asked, query, requests)
        for report in reports:
            notes += shortcomings(self.account, report, asked)
        if requests.exhausted:
            notes.append(
                f"{self.account} has more rows than {MOST_REQUESTS} requests could bring; ask for "
                "a shorter window."
            )
        if requests.is_at_cap:
            notes.append(
                f"{self.account} sent {self._row_cap:,} rows, the most of one answer; there may be "
                "more."
            )
        # An empty answer that counts rows must not look like no calls.
        refuse_counted_but_not_sent(self.account, reports)
        calls, nearest = await asyncio.to_thread(
            kept_calls,
            reports,
            filters,
            account=self.account,
            own_token=self._own_token,
            redactor=self._redactor,
        )
        late = min(
            (r.data_ends for r in reports if r.data_ends and r.data_ends < asked.end), default=None
        )
        remarks = tuple(self._remarks(asked, filters))
        all_notes = tuple(dict.fromkeys([*notes, *remarks]))
        late_notes = [note for r in reports for note in lateness(self.account, r, asked)]
        return CallPage(
            calls,
            complete=not notes,
            notes=all_notes,
            remarks=remarks,
            data_until=late,
            is_only_late=bool(notes) and set(notes) <= set(late_notes),
            nearest_actor=nearest,
        )

    def kept_since(self, now: datetime) -> datetime:
        """The oldest instant that can be asked about. A minute is left for the clocks to differ and
        the request to arrive.
        """
        return now.replace(second=0, microsecond=0) - self._retention + timedelta(minutes=1)

    def _remarks(self, asked: Window, filters: CallFilters) -> list[str]:
        """What a reader should know although nothing is missing."""
        remarks = []
        if self._whole_steps_only and not is_whole(asked):
            used = rounded(asked)
            remarks.append(
                f"{self.account} takes whole five minutes only; it was asked from "
                f"{used.start:%H:%M} to {used.end:%H:%M} UTC, and what lies outside the window is "
                "left out."
            )
        if (metrics := wording.chosen_metrics(filters)) != wording.METRICS:
            remarks.append(
                f"{self.account} was asked for {', '.join(metrics)} only; what is counted by "
                "another column is not known."
            )
        if _wants_401(filters):
            remarks.append(
                f"Akamai does not record calls whose login failed; that {self.account} shows no "
                "401 does not mean there were none."
            )
        return remarks

    async def status(self) -> AccountStatus:
        """The state of the account as known without a request."""
        circuit = self._transport.circuit
        return AccountStatus(
            self.account,
            circuit.problem,
            circuit.answered_at,
            await self._transport.rate_limiter.left(),
        )

    async def check(self) -> list[Check]:
        """Asks v1 to describe its report, and v2 for one row."""
        try:
            detail = await (self._describe() if self._settings.report == "v1" else self._try_v2())
        except ProviderError as error:
            return [Check(self.account, ok=False, detail=error.for_operators, hint=error.hint)]
        return [Check(self.account, ok=True, detail=detail)]

    async def describe(self) -> Mapping[str, Any]:
        """What the v1 report says about itself: metrics, filters and their values, limits, whether
        it is deprecated.
        """
        report = await self._transport.describe()
        self._enumerations = {**wording.ENUMERATIONS, **description.enumerations(report)}
        self._described = description.v1_description(report)
        if role := self._described.required_role:
            self._transport.required_role = role
        return report

    async def calls_description(self) -> CallsDescription:
        """The filters with listed values, as the report describes itself, and the account ids that
        are configured.
        """
        if self._settings.report == "v1":
            await self.describe()
        else:
            self._described = description.v2_description(await self._transport.v2_options())
        known = {each.name: each.values for each in self._described.filters}
        # What a report does not describe has the values of its page.
        filters = {**wording.ENUMERATIONS, **known, "id": self._settings.account_ids}
        listed = tuple(FilterValues(name, tuple(values)) for name, values in filters.items())
        return replace(self.call_limits(), filters=listed)

    def call_limits(self) -> CallsDescription:
        """The limits of the report as it has described itself, or as documented."""
        return CallsDescription(
            most_rows=self._row_cap,
            retention=self._retention,
            required_role=self._transport.required_role,
        )

    async def _describe(self) -> str:
        report = await self.describe()
        # Akamai announced the end of this report for July 2025.
        if report.get("deprecated") is True or report.get("status") == "DEPRECATED":
            raise self._transport.retired()
        return (
            f"Akamai offers {report.get('name', 'the report')} with "
            f"{len(report.get('metrics') or [])} metrics: up to {self._row_cap:,} rows a request, kept "
            f"for {self._retention.days} days, for the role “{self._transport.required_role}”."
        )

    async def _try_v2(self) -> str:
        now = self._clock().replace(microsecond=0)
        await self._transport.v2_report(
            # Data arrives a quarter of an hour late ("Supported time intervals").
            Window(now - timedelta(minutes=30), now - timedelta(minutes=15)),
            ReportQuery({}, self._settings.account_ids, wording.METRICS),
            limit=1,
        )
        return "Akamai answers the v2 report usage-details."

    def _within_retention(self, window: Window) -> tuple[Window, list[str]]:
        oldest = self.kept_since(self._clock())
        if window.end <= oldest:
            raise ProtocolError(
                (
                    f"{self.account} keeps API calls for {self._retention.days} days, and the window is "
                    "older."
                ),
                account=self.account,
                hint="Ask for a later window.",
            )
        if window.start >= oldest:
            return window, []
        note = (
            f"{self.account} keeps API calls for {self._retention.days} days; those before "
            f"{oldest:%Y-%m-%d %H:%M} UTC are not in this answer."
        )
        return Window(oldest, window.end), [note]

    async def _reports(
        self, window: Window, query: ReportQuery, requests: RequestAllowance
    ) -> list[parse.Report]:
        """The reports that cover the window: one, or those of its halves where the
        vendor cut it.
        """
        if not requests.use():
            return []
        try:
            report = await self._ask(window, query)
        # The halves of a window may fit where the whole does not.
        except TooLarge:
            if window.length < timedelta(minutes=1) or not requests.room_for(2):
                raise
            return [
                found
                for half in window.halves()
                for found in await self._reports(half, query, requests)
            ]
        requests.count_bytes(report)
        if (
            not self._is_cut(report)
            or window.length < timedelta(seconds=2)
            or not requests.room_for(2)
        ):
            requests.exhausted |= self._is_cut(report)
            requests.count_rows(len(report.rows))
            return [report]
        parts = [(half, await self._reports(half, query, requests)) for half in window.halves()]
        halves = [found for _, reports in parts for found in reports]
        # The halves have no more rows, so nothing was cut.
        if sum(len(found.rows) for found in halves) <= len(report.rows):
            return [report]
        if await asyncio.to_thread(are_within, parts):
            return halves
        # If halving returns rows of other times, the count means something else, and the first
        # report is the answer. At the cap it may have been cut all the same.
        requests.is_at_cap |= len(report.rows) >= self._row_cap
        return [report]

    def _is_cut(self, report: parse.Report) -> bool:
        """Whether rows were left out, for which the report has no flag: the cap is reached, or
        there are fewer rows than it counts.
        """
        return len(report.rows) >= self._row_cap or (report.row_count or 0) > len(report.rows)

    @property
    def _row_cap(self) -> int:
        """The most rows of one answer: as the report has described itself, or as documented."""
        documented = V1_ROW_CAP if self._settings.report == "v1" else V2_ROW_CAP
        return self._described.most_rows or documented

    @property
    def _retention(self) -> timedelta:
        return self._described.retention or RETENTION

    async def _ask(self, window: Window, query: ReportQuery) -> parse.Report:
        """The report of the window. If the vendor accepts only whole five minutes, a wider window
        is requested and the surplus is dropped.
        """
        if not self._whole_steps_only or is_whole(window):
            try:
                return await self._ask_exactly(window, query)
            except BoundsRefused:
                if is_whole(window):
                    raise
        report = await self._ask_exactly(rounded(window), query)
        # Only once the rounded window was accepted.
        self._whole_steps_only = True
        return await asyncio.to_thread(parse.within, report, window)

    async def _ask_exactly(self, window: Window, query: ReportQuery) -> parse.Report:
        if self._settings.report == "v2":
            return await self._transport.v2_report(window, query, limit=V2_ROW_CAP)
        accept = "text/csv" if self._settings.accept == "csv" else "application/json"
        try:
            return await self._transport.v1_report(window, query, accept=accept)
        except BoundsRefused:
            raise
        except ProtocolError as refused:
            raise await self._explain_rejected_filter(refused, query) from None

    async def _explain_rejected_filter(
        self, refused: ProtocolError, query: ReportQuery
    ) -> ProtocolError:
        """The error with the values that the report accepts now, if it has ceased to accept the
        given ones; any other error as it is.
        """
        # Only these filters have listed values, which have changed before: an older page has
        # `notcare` in the place of `other`.
        if wording.ENUMERATIONS.keys().isdisjoint(query.filters):
            return refused
        with contextlib.suppress(ProviderError):
            await self.describe()
        native = {
            name: tuple(values)
            for name, values in query.filters.items()
            if name in wording.ENUMERATIONS
        }
        why = wording.unsupported_filter(
            self.account, CallFilters(native=native), self._enumerations
        )
        return (
            ProtocolError(
                f"{self.account}: {why}", account=self.account, hint="Try another filter."
            )
            if why
            else refused
        )


def _wants_401(filters: CallFilters) -> bool:
    return "401" in (*filters.status, *filters.native.get("response_code", ()))
