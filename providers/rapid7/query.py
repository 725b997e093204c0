"""Rapid7's query API: a query is started, polled until it is complete, and read.

Pages: "Query Log Data" and "Watch Incoming Log Data In Realtime" of the vendor's OpenAPI.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import httpx
from msgspec import Struct

from providers.errors import NotFound, Unavailable
from providers.http.client import AccountClient, fetch
from providers.http.reading import off_loop
from providers.http.reply import Reply
from providers.models import LogEntries, LogEntry, LogStatistics, Window
from providers.rapid7 import query_results

QUERIES: Final = "/query/logs"
LIVE: Final = "/query/live/logs"
# The most entries of one page.
PAGE: Final = 500
# A link expires when it is not polled for 20 seconds; at first most queries are done at once.
FIRST_POLL_S = 0.2
LONGEST_POLL_S = 3.0
# Whoever asked is still waiting for the answer.
LONGEST_QUERY_S = 300.0
LONGEST_QUERY = "5 min"
FOLLOW_EVERY_S = 2.0
# A link that expired, as after a wait for the rate limit, is replaced by starting the query again.
STARTS: Final = 2

Progress = Callable[[int], None]


class QueryApi(Struct, frozen=True):
    """The query API of one account. `check` raises the error of an answer that refuses."""

    client: AccountClient
    account: str
    check: Callable[[Reply], None]

    async def statistics(
        self, ids: Sequence[str], window: Window, leql: str, progress: Progress
    ) -> LogStatistics:
        """The result of a query with `calculate` or `groupby`, or what there is of it when the query
        has taken too long.
        """
        reply, percent = await self._completed(_question(ids, window, leql), {}, progress)
        if percent == 0:
            raise self._too_slow(percent)
        result = await off_loop(
            partial(query_results.statistics, account=self.account, window=window), reply.body
        )
        notes = _retention_notes(reply)
        if percent is not None:
            notes += (f"Only {percent} % of the log was searched within {LONGEST_QUERY}.",)
        return query_results.with_notes(result, notes)

    async def entries(
        self, ids: Sequence[str], window: Window, leql: str, *, most: int, newest_first: bool
    ) -> LogEntries:
        """At most `most` entries from one end of the window, the oldest first.

        One more is requested where a page has room for it, to know whether there are more.
        """
        params = {
            "per_page": str(min(most + 1, PAGE)),
            "most_recent_first": str(newest_first).lower(),
        }
        reply, percent = await self._completed(_question(ids, window, leql), params, _ignore)
        if percent is not None:
            raise self._too_slow(percent)
        found: list[LogEntry] = []
        while True:
            page = await off_loop(partial(query_results.page, account=self.account), reply.body)
            found += page.entries
            # An empty page with a next one would be followed for ever.
            if not page.next_path or len(found) > most or not page.entries:
                break
            reply = await self._next_page(page.next_path)
        has_more = len(found) > most or bool(page.next_path and page.entries)
        kept = found[:most]
        return LogEntries(kept[::-1] if newest_first else kept, has_more, _retention_notes(reply))

    async def follow(
        self, ids: Sequence[str], leql: str
    ) -> AsyncGenerator[Sequence[LogEntry], None]:
        """What arrives from now on. A feed that has expired is opened again."""
        path = await self._open_feed(ids, leql)
        while True:
            await asyncio.sleep(FOLLOW_EVERY_S)
            try:
                reply = await self._poll(path)
            except NotFound:
                path = await self._open_feed(ids, leql)
                continue
            page = await off_loop(partial(query_results.page, account=self.account), reply.body)
            path = page.poll_path or path
            # Entries of several logs come one log after the other.
            yield sorted(page.entries, key=query_results.received_at)

    async def _open_feed(self, ids: Sequence[str], leql: str) -> str:
        question = {"logs": list(ids), "leql": {"statement": leql}}
        reply = await self._send("POST", LIVE, {"per_page": str(PAGE)}, question, scope="query")
        path = query_results.links(reply.body, account=self.account).poll_path
        if not path:
            raise query_results.without_link(self.account)
        return path

    async def _completed(
        self, question: Mapping[str, Any], params: Mapping[str, str], progress: Progress
    ) -> tuple[Reply, int | None]:
        """The last reply to a query, and where it is not complete, how many percent it is. A query
        whose link has expired is started once more.
        """
        for started in range(STARTS):
            reply = await self._send("POST", QUERIES, params, question, scope="query")
            try:
                return await self._polled(reply, progress)
            except NotFound:
                if started + 1 == STARTS:
                    raise
        raise AssertionError("the last start returns or raises")

    async def _next_page(self, path: str) -> Reply:
        """The next page, for which the API starts a new query."""
        started = await self._send("GET", path, {}, None, scope="query")
        reply, percent = await self._polled(started, _ignore)
        if percent is not None:
            raise self._too_slow(percent)
        return reply

    async def _polled(self, reply: Reply, progress: Progress) -> tuple[Reply, int | None]:
        """The first reply that has no link to poll, or the last one before the time is over with its
        percentage. The status cannot be used: polling answers 200 while a query is in progress, too.
        """
        ends = time.monotonic() + LONGEST_QUERY_S
        wait_s = FIRST_POLL_S
        while True:
            links = await off_loop(partial(query_results.links, account=self.account), reply.body)
            if not links.poll_path:
                return reply, None
            progress(links.progress)
            if time.monotonic() + wait_s > ends:
                return reply, links.progress
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 1.5, LONGEST_POLL_S)
            reply = await self._poll(links.poll_path)

    async def _poll(self, path: str) -> Reply:
        return await self._send("GET", path, {}, None, scope="polls")

    async def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        question: Mapping[str, Any] | None,
        *,
        scope: str,
    ) -> Reply:
        def build() -> httpx.Request:
            return self.client.build_request(
                method,
                path,
                params=dict(params) or None,
                json=question,
                headers={"Accept": "application/json"},
            )

        return await fetch(self.client, build, account=self.account, scope=scope, check=self.check)

    def _too_slow(self, progress: int) -> Unavailable:
        return Unavailable(
            f"{self.account} has not completed the query within {LONGEST_QUERY} ({progress} % done).",
            account=self.account,
            hint="Ask about a shorter window.",
        )


def _ignore(percent: int) -> None:
    """Progress that nobody sees."""


def _question(ids: Sequence[str], window: Window, leql: str) -> dict[str, Any]:
    during = {
        "from": int(window.start.timestamp() * 1000),
        "to": int(window.end.timestamp() * 1000),
    }
    return {"logs": list(ids), "leql": {"statement": leql, "during": during}}


def _retention_notes(reply: Reply) -> tuple[str, ...]:
    """A window that begins before the oldest kept entry is answered all the same, with a header."""
    if reply.headers.get("x-beyond-retention", "").lower() != "true":
        return ()
    return ("The window begins before the oldest entry that is kept.",)
