"""Rapid7's query API: polling, statistics, pages, live feeds, and each of its errors."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.logs.statistic_report import slices_of
from providers.errors import (
    AuthFailed,
    NotFound,
    ProtocolError,
    ProviderError,
    QueryRejected,
    RateLimited,
    Unavailable,
)
from providers.models import Window
from providers.rapid7 import query, query_results
from providers.rapid7.client import Rapid7
from providers.rapid7.sandbox import Rapid7Sandbox
from providers.redaction import Secret
from providers.sandbox.seed import CELLAR, KITCHEN

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LAST_MS = 253_402_300_799_999
HOUR = Window(NOON, NOON + timedelta(hours=1))
PATHS = ("/menu", "/orders", "/menu", "/login")


def ten_a_minute(key: str, start: datetime, end: datetime) -> Iterator[str]:
    """A line every six seconds; every tenth is an error of 500 ms, the others take 10 ms."""
    tick = start
    for number in itertools.count():
        if tick >= end:
            return
        failed = number % 10 == 9
        yield (
            f"{tick:%Y-%m-%dT%H:%M:%S}Z log={key[:4]} path={PATHS[number % 4]} "
            f'status={500 if failed else 200} duration={500 if failed else 10} user="ada b"'
        )
        tick += timedelta(seconds=6)


@pytest.fixture(autouse=True)
def polls_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "FIRST_POLL_S", 0.0)
    monkeypatch.setattr(query, "FOLLOW_EVERY_S", 0.0)


@pytest.fixture
async def server() -> AsyncIterator[Rapid7Sandbox]:
    sandbox = Rapid7Sandbox(lines=ten_a_minute)
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


@pytest.fixture
async def rapid7(server: Rapid7Sandbox) -> AsyncIterator[Rapid7]:
    client = Rapid7("rapid7-eu", base_url=server.url, api_key=Secret(server.api_key))
    yield client
    await client.aclose()


@pytest.mark.parametrize(
    ("leql", "value"),
    [
        ("calculate(count)", 600),
        ("where(status>=500) calculate(count)", 60),
        ('where(status = 500 AND NOT path="/login") calculate(count)', 30),
        ('where(path="/menu" OR path="/orders") calculate(count)', 450),
        ('where(path IN ["/login", "/orders"]) calculate(count)', 300),
        ('where(user="ada b") calculate(count)', 600),
        ("where(USER ICONTAINS nobody) calculate(count)", 0),
        ("where(/STATUS=5/i) calculate(count)", 60),
        ('where(/path=(?P<page>\\S+)/ AND page="/orders") calculate(count)', 150),
        ("calculate(average:duration)", 59.0),
        ("calculate(sum:duration)", 35400),
        ("calculate(max:duration)", 500),
        ("calculate(min:duration)", 10),
        ("calculate(unique:path)", 3),
        ("calculate(percentile(95):duration)", 500),
        ("calculate(percentile(50):duration)", 10),
        ("calculate(sd:duration)", 147.0),
    ],
)  # fmt: skip
async def test_statistics_of_a_window(rapid7: Rapid7, leql: str, value: float) -> None:
    result = await rapid7.statistics([KITCHEN], HOUR, leql)
    assert result.value == pytest.approx(value)


async def test_slices_begin_with_the_window(rapid7: Rapid7) -> None:
    result = await rapid7.statistics([KITCHEN], HOUR, "calculate(count) timeslice(10m)")
    assert (result.start, result.step) == (NOON, timedelta(minutes=10))
    assert result.slices == (100,) * 6
    by_number = await rapid7.statistics([KITCHEN], HOUR, "calculate(count) timeslice(4)")
    assert (by_number.step, by_number.slices) == (timedelta(minutes=15), (150,) * 4)


async def test_groups_with_their_slices(rapid7: Rapid7) -> None:
    leql = "groupby(path) sort(desc) limit(2) timeslice(30m)"
    result = await rapid7.statistics([KITCHEN], HOUR, leql)
    assert [(group.names, group.value) for group in result.groups] == [
        (("/menu",), 300),
        (("/orders",), 150),
    ]
    assert result.groups[0].slices == (150, 150)
    assert result.value is None
    assert result.is_exact


async def test_groups_of_several_keys_are_distinguished(rapid7: Rapid7) -> None:
    result = await rapid7.statistics([KITCHEN], HOUR, "groupby(path, status) calculate(count)")
    assert {group.names for group in result.groups} >= {("/menu", "200"), ("/login", "500")}


async def test_groups_by_log(rapid7: Rapid7) -> None:
    result = await rapid7.statistics([KITCHEN, CELLAR], HOUR, "groupby(#log) calculate(count)")
    assert {group.names[0]: group.value for group in result.groups} == {KITCHEN: 600, CELLAR: 600}


@pytest.mark.parametrize("polls", [0, 1, 3])
async def test_query_is_polled_until_complete(
    server: Rapid7Sandbox, rapid7: Rapid7, polls: int
) -> None:
    server.polls = polls
    progress: list[int] = []
    result = await rapid7.statistics([KITCHEN], HOUR, "calculate(count)", progress=progress.append)
    assert result.value == 600
    assert len(progress) == polls
    assert progress == sorted(progress)
    assert len([path for path in server.paths() if path.startswith("GET /query/")]) == polls


@pytest.fixture
def counted_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that advances by a second whenever it is read."""
    monkeypatch.setattr(query, "time", SimpleNamespace(monotonic=itertools.count().__next__))


@pytest.mark.usefixtures("counted_time")
async def test_slow_query_gives_partial_result(
    server: Rapid7Sandbox, rapid7: Rapid7, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "LONGEST_QUERY_S", 3.5)
    server.polls = 9
    result = await rapid7.statistics([KITCHEN], HOUR, "calculate(count)")
    assert result.notes == ("Only 33 % of the log was searched within 5 min.",)


@pytest.mark.usefixtures("counted_time")
async def test_query_without_any_result_is_an_error(
    server: Rapid7Sandbox, rapid7: Rapid7, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "LONGEST_QUERY_S", 0.5)
    server.polls = 9
    with pytest.raises(Unavailable, match="0 % done"):
        await rapid7.statistics([KITCHEN], HOUR, "calculate(count)")


async def test_key_is_sent_to_the_configured_host_only(
    server: Rapid7Sandbox, rapid7: Rapid7
) -> None:
    """The stand-in's links name the vendor's host; all requests go to the stand-in."""
    await rapid7.statistics([KITCHEN], HOUR, "calculate(count)")
    assert [path.partition("/query")[0] for path in server.paths()] == ["POST ", "GET "]


async def test_expired_link_starts_the_query_again(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(404, "{}", path=":1:")
    result = await rapid7.statistics([KITCHEN], HOUR, "calculate(count)")
    assert result.value == 600
    assert server.paths().count("POST /query/logs") == 2


async def test_second_expired_link_is_an_error(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(404, "{}", path=":1:", times=2)
    with pytest.raises(NotFound):
        await rapid7.statistics([KITCHEN], HOUR, "calculate(count)")


@pytest.mark.parametrize(
    ("leql", "reason"),
    [
        ("where(status>=500 calculate(count)", "parenthesis"),
        ("where(a AND) calculate(count)", "end of the query"),
        ("where(/a/ OR /b) calculate(count)", "closing /"),
        ("where(/(/) calculate(count)", "regular expression"),
        ("calculate(median:duration)", "function"),
        ("calculate(sum)", "needs a key"),
        ("groupby(a,b,c,d,e,f)", "keys"),
        ("calculate(count) timeslice(0)", "timeslice"),
        ("calculate(count) timeslice(1s)", "slices"),
        ("having(count>1) calculate(count) limit(0)", "limit"),
        ("count", "Unexpected input"),
    ],
)
async def test_rejected_query_shows_the_reason(rapid7: Rapid7, leql: str, reason: str) -> None:
    with pytest.raises(QueryRejected) as caught:
        await rapid7.statistics([KITCHEN], HOUR, leql)
    assert caught.value.message.startswith("rapid7-eu does not accept the query: ")
    assert reason in caught.value.message


async def test_rate_limit_names_its_end(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.queries_left = 0
    with pytest.raises(RateLimited) as caught:
        await rapid7.statistics([KITCHEN], HOUR, "calculate(count)")
    assert caught.value.retry_after_s == 417
    assert "7 min" in caught.value.hint


async def test_wrong_key_is_refused(server: Rapid7Sandbox) -> None:
    client = Rapid7("rapid7-eu", base_url=server.url, api_key=Secret("wrong"))
    try:
        with pytest.raises(AuthFailed):
            await client.statistics([KITCHEN], HOUR, "calculate(count)")
    finally:
        await client.aclose()


async def test_other_host_of_the_vendor_works(server: Rapid7Sandbox) -> None:
    client = Rapid7("eu", base_url=f"{server.url}/log_search", api_key=Secret(server.api_key))
    try:
        assert (await client.statistics([KITCHEN], HOUR, "calculate(count)")).value == 600
    finally:
        await client.aclose()


async def test_newest_entries_come_oldest_first(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    found = await rapid7.entries([KITCHEN], HOUR, "", most=3, newest_first=True)
    assert [entry.message[:20] for entry in found.entries] == [
        "2026-11-20T12:59:42Z",
        "2026-11-20T12:59:48Z",
        "2026-11-20T12:59:54Z",
    ]
    assert found.has_more
    asked = parse_qs(server.requests[0].query)
    assert asked == {"per_page": ["4"], "most_recent_first": ["true"]}


async def test_oldest_entries_are_the_first(rapid7: Rapid7) -> None:
    found = await rapid7.entries([KITCHEN], HOUR, "where(status>=500)", most=2, newest_first=False)
    assert [entry.message[:20] for entry in found.entries] == [
        "2026-11-20T12:00:54Z",
        "2026-11-20T12:01:54Z",
    ]


@pytest.mark.parametrize(
    ("most", "count", "has_more"), [(599, 599, True), (600, 600, False), (900, 600, False)]
)
async def test_pages_are_followed(rapid7: Rapid7, most: int, count: int, has_more: bool) -> None:
    found = await rapid7.entries([KITCHEN], HOUR, "", most=most, newest_first=True)
    times = [entry.at for entry in found.entries]
    assert (len(times), found.has_more) == (count, has_more)
    assert times == sorted(times, key=str)
    assert len(set(times)) == count


async def test_feed_brings_what_arrives(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    now = NOON

    def later() -> datetime:
        nonlocal now
        now += timedelta(seconds=30)
        return now

    server.now = later
    found: list[str] = []
    feed = rapid7.follow([KITCHEN], "where(status>=500)")
    async for entries in feed:
        found += [entry.message for entry in entries]
        if len(found) >= 2:
            break
    assert all("status=500" in line for line in found)
    assert len(set(found)) == len(found)


async def test_expired_feed_is_opened_again(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(404, "{}", path=":2:")
    async for _ in rapid7.follow([KITCHEN], ""):
        break
    assert server.paths().count("POST /query/live/logs") == 2


def answer(**members: Any) -> bytes:
    return json.dumps({"logs": [KITCHEN], **members}).encode()


def test_sample_of_the_page_is_read() -> None:
    """A standard deviation by slice, with the members that the vendor documents."""
    key = "3ad3319a46"
    body = answer(
        statistics={
            "cardinality": 0,
            "granularity": 60000,
            "from": 1609679106682,
            "to": 1609679706682,
            "type": "standarddeviation",
            "stats": {key: {"standarddeviation": 287.01781617806677}},
            "groups": [],
            "others": {},
            "status": 200,
            "timeseries": {key: [{"standarddeviation": n} for n in range(10)]},
            "groups_timeseries": [],
            "all_exact_results": None,
            "standarddeviation": 0,
            "key": key,
        }
    )
    result = query_results.statistics(body, account="eu", window=HOUR)
    assert result.value == 287.01781617806677
    assert result.step == timedelta(minutes=1)
    assert result.slices == tuple(map(float, range(10)))
    assert result.is_exact


def test_sample_with_groups_in_groups_is_read() -> None:
    series = [{"count": 1.0}, {"count": 5.0}]
    body = answer(
        statistics={
            "granularity": 0,
            "from": 1609696665614,
            "to": 1609697265614,
            "type": "count",
            "stats": {},
            "groups": [{"[1,9]": {"count": 6.0}}, {"[a,b,c]": {"count": 4.0}}],
            "timeseries": {},
            "groups_timeseries": [
                {"1": {"groups_timeseries": [{"9": {"groups_timeseries": [], "series": series}}]}},
                {"a,b": {"groups_timeseries": [{"c": {"series": series}}]}},
            ],
            "all_exact_result": False,
        }
    )
    result = query_results.statistics(body, account="eu", window=HOUR)
    assert [group.names for group in result.groups] == [("1", "9"), ("a,b", "c")]
    assert result.groups[0].slices == (1.0, 5.0)
    assert result.step == timedelta(minutes=5)
    assert not result.is_exact


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"<html>",
        answer(),
        answer(statistics=[]),
        answer(statistics={"groups": {"a": 1}}),
        answer(statistics={"groups": [1]}),
        answer(events={}),
        answer(events=[{"message": 1}]),
        answer(links=[{"rel": "Self", "href": "https://evil.example/elsewhere"}]),
        answer(links=[{"rel": "Self", "href": "/query/../usage"}]),
        answer(links=[{"rel": "Self", "href": "https://[eu/query/logs/1"}]),
        answer(links=[{"rel": "Self", "href": "/query/logs/1?page=\0"}]),
        answer(links=[{"rel": "Next", "href": "/query/logs/1?page=\u2028"}]),
    ],
)
def test_odd_answer_is_a_protocol_error(body: bytes) -> None:
    def read_all() -> None:
        query_results.links(body, account="eu")
        query_results.page(body, account="eu")
        query_results.statistics(body, account="eu", window=HOUR)

    with pytest.raises(ProtocolError):
        read_all()


@pytest.mark.parametrize(
    "members",
    [
        {"type": "count", "count": 10**400},
        {"type": "count", "timeseries": {"all": [{"count": 10**400}]}},
        {"type": "count", "groups": [{"/menu": {"count": -(10**400)}}]},
    ],
)
def test_number_too_large_is_unknown(members: dict[str, Any]) -> None:
    body = answer(statistics=members)
    result = query_results.statistics(body, account="eu", window=HOUR)
    values = [result.value, *result.slices, *(group.value for group in result.groups)]
    assert set(values) == {None}


@pytest.mark.parametrize(
    ("start", "step"), [(LAST_MS, 1), (0, LAST_MS), (1, LAST_MS), (LAST_MS,) * 2]
)
def test_slices_end_with_the_window(start: int, step: int) -> None:
    series = {"all": [{"count": 1}] * 3}
    body = answer(
        statistics={"type": "count", "from": start, "granularity": step, "timeseries": series}
    )
    result = query_results.statistics(body, account="eu", window=HOUR)
    slices = slices_of(result, HOUR)
    assert all(each.start < each.end <= HOUR.end for each in slices)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["count", "series", "a", "totals"]), inner, max_size=3)
    ),
    max_leaves=8,
)
MEMBERS = (
    "stats",
    "groups",
    "timeseries",
    "groups_timeseries",
    "granularity",
    "from",
    "to",
    "type",
)


@given(st.dictionaries(st.sampled_from(MEMBERS), json_values))
def test_any_statistics_are_read_or_refused(members: dict[str, Any]) -> None:
    body = json.dumps({"statistics": members}).encode()
    try:
        result = query_results.statistics(body, account="eu", window=HOUR)
    except ProviderError:
        return
    assert result.step >= timedelta(0)


async def test_retention_is_read_in_words(rapid7: Rapid7) -> None:
    kept = {log.name: log.retention for log in await rapid7.named_logs()}
    assert kept == {"kitchen": "1 month", "cellar": "6 months", "Pantry Door": ""}


async def test_window_beyond_retention_is_noted(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    body = answer(statistics={"type": "count", "count": 0, "stats": {}})
    server.answer_with(200, body, path="/query/logs", x_beyond_retention="true")
    result = await rapid7.statistics([KITCHEN], HOUR, "calculate(count)")
    assert result.notes == ("The window begins before the oldest entry that is kept.",)
