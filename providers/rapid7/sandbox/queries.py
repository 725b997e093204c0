"""The stand-in's query API: queries that are polled, pages of entries, and live feeds."""

from __future__ import annotations

import heapq
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from aiohttp import web

from providers.rapid7.sandbox import leql
from providers.rapid7.sandbox.leql_conditions import Entry
from providers.rapid7.sandbox.leql_tokens import LeqlError
from providers.rapid7.sandbox.results import Result
from providers.sandbox.pieces import in_pieces

# Links name the vendor's own host, whatever host was asked.
HOST = "https://eu.rest.logs.insight.rapid7.com"
MOST_PER_PAGE = 500
USUAL_PER_PAGE = 50
LINK_LASTS = timedelta(seconds=20)
PAGING = frozenset({"per_page", "most_recent_first", "sequence_number"})

Lines = Callable[[str, datetime, datetime], Iterator[str]]
# When an entry was received, the log's id, and the line.
Row = tuple[datetime, str, str]


class QueryRefused(Exception):
    """A request that is refused, with its status and the body of the refusal."""

    def __init__(self, status: int, message: str, code: int = 101_000) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"id": str(uuid.uuid4()), "code": code, "message": message}


@dataclass(frozen=True, slots=True)
class Query:
    """A query as it was asked."""

    logs: Sequence[str]
    text: str
    statement: leql.Statement
    start: datetime
    end: datetime
    per_page: int = USUAL_PER_PAGE
    newest_first: bool = False
    skip: int = 0


@dataclass(slots=True)
class Running:
    """A query in progress: the polls that it still takes, and when it was polled last."""

    query: Query
    polls_left: int
    polled_at: datetime


@dataclass(slots=True)
class Feed:
    """A live feed: until when it was read."""

    logs: Sequence[str]
    statement: leql.Statement
    read_until: datetime
    per_page: int
    waiting: deque[dict[str, Any]] = field(default_factory=deque)


@dataclass(slots=True)
class Queries:
    """`polls` is how many answers of a query are in progress before the complete one."""

    lines: Callable[[], Lines]
    names: Callable[[], dict[str, str]]
    now: Callable[[], datetime]
    polls: int = 1
    running: dict[str, Running] = field(default_factory=dict)
    feeds: dict[str, Feed] = field(default_factory=dict)

    async def start(self, request: web.Request) -> tuple[int, dict[str, Any]]:
        """The first answer to a query."""
        query = await self._asked(request)
        if not self.polls:
            return 200, await self._answer(query)
        # Ids contain colons and end in one, as the vendor's do.
        key = f"{uuid.uuid4()}:1:{uuid.uuid4().hex}::{uuid.uuid4().hex}:"
        self.running[key] = Running(query, self.polls, self.now())
        return 202, self._unfinished(key, query, 0)

    async def poll(self, request: web.Request) -> tuple[int, dict[str, Any]]:
        """The answer to a poll, which is 200 in any case."""
        key = request.match_info["id"]
        running = self.running.get(key)
        # A link that was not polled for so long has expired.
        if running is None or self.now() - running.polled_at > LINK_LASTS:
            raise QueryRefused(404, "Query not found")
        running.polled_at = self.now()
        running.polls_left -= 1
        if running.polls_left > 0:
            percent = 99 * (self.polls - running.polls_left) // self.polls
            return 200, self._unfinished(key, running.query, percent)
        del self.running[key]
        return 200, await self._answer(running.query)

    async def open_feed(self, request: web.Request) -> dict[str, Any]:
        body = await request.json()
        statement = _statement(body["leql"].get("statement", ""))
        if statement.is_statistical:
            raise QueryRefused(400, "Live tail does not support calculate or groupby")
        key = f"{uuid.uuid4()}:2:::{uuid.uuid4().hex}:"
        per_page = int(request.query.get("per_page", USUAL_PER_PAGE))
        self.feeds[key] = Feed(self._known(body["logs"]), statement, self.now(), per_page)
        return {"logs": body["logs"], "leql": body["leql"], "events": [], "links": [_self(key)]}

    async def poll_feed(self, request: web.Request) -> dict[str, Any]:
        key = request.match_info["id"]
        feed = self.feeds.get(key)
        if feed is None:
            raise QueryRefused(404, "Feed not found")
        until = self.now()
        if until > feed.read_until:
            query = Query(feed.logs, "", feed.statement, feed.read_until, until)
            feed.waiting += [event async for event in self._events(query)]
            feed.read_until = until
        # What does not fit into this answer comes with the next one.
        events = [feed.waiting.popleft() for _ in range(min(feed.per_page, len(feed.waiting)))]
        return {"logs": feed.logs, "events": events, "links": [_self(key)]}

    async def _asked(self, request: web.Request) -> Query:
        """A query from a JSON body, or from the address of a next page."""
        given = request.query
        if request.method == "POST":
            body = await request.json()
            logs = body.get("logs") or []
            text = body["leql"].get("statement", "")
            during = body["leql"].get("during") or {}
        else:
            logs = request.match_info["ids"].split(":")
            text = given.get("query", "")
            during = dict(given)
        statement = _statement(text)
        if statement.is_statistical and PAGING & given.keys():
            raise QueryRefused(400, "Pagination is not supported for this query", 101_009)
        per_page = int(given.get("per_page", USUAL_PER_PAGE))
        if not 1 <= per_page <= MOST_PER_PAGE:
            raise QueryRefused(400, f"per_page must be between 1 and {MOST_PER_PAGE}")
        start, end = _window(during)
        _check_slices(statement, start, end)
        return Query(
            self._known(logs),
            text,
            statement,
            start,
            end,
            per_page,
            given.get("most_recent_first") == "true",
            int(given.get("sequence_number", 0)),
        )

    def _known(self, logs: Sequence[str]) -> Sequence[str]:
        if not logs:
            raise QueryRefused(400, "logs must not be empty")
        if any(key not in self.names() for key in logs):
            raise QueryRefused(404, "Log Not Found")
        return logs

    def _unfinished(self, key: str, query: Query, progress: int) -> dict[str, Any]:
        answer = {**self._head(query), "id": key, "progress": progress, "events": []}
        if query.statement.is_statistical:
            answer["partial"] = Result(query.statement, query.start, query.end).as_json()
        return {**answer, "links": [_self(key, live=False)]}

    def _head(self, query: Query) -> dict[str, Any]:
        during = {"from": _milliseconds(query.start), "to": _milliseconds(query.end)}
        return {"logs": query.logs, "leql": {"statement": query.text, "during": during}}

    async def _answer(self, query: Query) -> dict[str, Any]:
        if query.statement.is_statistical:
            result = Result(query.statement, query.start, query.end)
            async for entry, at in self._matching(query):
                result.add(entry, at)
            return {**self._head(query), "statistics": result.as_json()}
        wanted = query.skip + query.per_page + 1
        # The newest are at the end, so that only as many as one page needs are kept.
        events: deque[dict[str, Any]] = deque(maxlen=wanted if query.newest_first else None)
        async for event in self._events(query):
            events.append(event)
            if not query.newest_first and len(events) >= wanted:
                break
        found = list(events)[:: -1 if query.newest_first else 1]
        shown = found[query.skip : query.skip + query.per_page]
        answer = {**self._head(query), "events": shown}
        return {**answer, "links": [_next(query)]} if len(found) >= wanted else answer

    async def _events(self, query: Query) -> AsyncIterator[dict[str, Any]]:
        number = 0
        async for entry, at in self._matching(query):
            number += 1
            yield {
                "timestamp": _milliseconds(at),
                "sequence_number": number,
                "sequence_number_str": str(number),
                "log_id": entry.log,
                "message": entry.line,
                "labels": [],
                "links": [{"rel": "Context", "href": f"{HOST}/query/context/{number}"}],
            }

    async def _matching(self, query: Query) -> AsyncIterator[tuple[Entry, datetime]]:
        """The entries of all the logs that match, the oldest first."""
        matches = query.statement.matches
        async for piece in in_pieces(self._rows(query)):
            for at, key, line in piece:
                entry = Entry(line, key)
                if query.start <= at < query.end and matches(entry):
                    yield entry, at

    def _rows(self, query: Query) -> Iterator[Row]:
        logs = [_rows_of(self.lines(), key, query) for key in query.logs]
        return logs[0] if len(logs) == 1 else heapq.merge(*logs, key=lambda row: row[0])


def _rows_of(lines: Lines, key: str, query: Query) -> Iterator[Row]:
    return ((_time_of(line, query), key, line) for line in lines(key, query.start, query.end))


def _time_of(line: str, query: Query) -> datetime:
    """When an entry was received, which is the time it begins with."""
    try:
        at = datetime.fromisoformat(line.partition(" ")[0])
    except ValueError:
        return query.start
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _statement(text: str) -> leql.Statement:
    try:
        return leql.parse(text)
    except LeqlError as error:
        raise QueryRefused(400, str(error)) from None


def _check_slices(statement: leql.Statement, start: datetime, end: datetime) -> None:
    try:
        Result(statement, start, end)
    except LeqlError as error:
        raise QueryRefused(400, str(error)) from None


def _window(during: dict[str, Any]) -> tuple[datetime, datetime]:
    try:
        start, end = (
            datetime.fromtimestamp(int(during[name]) / 1000, UTC) for name in ("from", "to")
        )
    except (KeyError, ValueError, TypeError):
        raise QueryRefused(400, "from and to are required as milliseconds") from None
    if start >= end:
        raise QueryRefused(400, "from must be before to")
    return start, end


def _self(key: str, *, live: bool = True) -> dict[str, str]:
    return {"rel": "Self", "href": f"{HOST}/query/{'live/' if live else ''}{key}"}


def _next(query: Query) -> dict[str, str]:
    params = {
        "from": _milliseconds(query.start),
        "to": _milliseconds(query.end),
        "per_page": query.per_page,
        "sequence_number": query.skip + query.per_page,
        "most_recent_first": str(query.newest_first).lower(),
        "next_page": "true",
        "query": quote(query.text, safe=""),
    }
    words = "&".join(f"{name}={value}" for name, value in params.items())
    return {"rel": "Next", "href": f"{HOST}/query/logs/{':'.join(query.logs)}?{words}"}


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
