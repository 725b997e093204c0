"""Rapid7: the sample of its page, what its answers really look like, and each of its errors."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs

import httpx
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import (
    AuthFailed,
    Incomplete,
    NotFound,
    ProtocolError,
    ProviderError,
    RateLimited,
    Unavailable,
)
from providers.http import client as http_client
from providers.models import DayRange, Window
from providers.rapid7 import parse
from providers.rapid7.client import MATCH_ALL, Rapid7
from providers.rapid7.sandbox import Rapid7Sandbox
from providers.rapid7.settings import REGIONS, region_url
from providers.redaction import Secret
from providers.sandbox.seed import CELLAR, KITCHEN

SAMPLE = {
    "daily_usage": [
        {"usage": 134929550, "day": "2018-12-13"},
        {"usage": 133613742, "day": "2018-12-12"},
        {"usage": 133206061, "day": "2018-12-11"},
        {"usage": 126998155, "day": "2018-12-10"},
        {"usage": 131107328, "day": "2018-12-09"},
    ],
    "period_usage": 2427260775,
    "period": {"to": "2018-12-19", "from": "2018-12-01"},
    "id": "<internal ID>",
    "name": "<Account name>",
}
DAYS = DayRange(date(2018, 12, 1), date(2018, 12, 19))
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WINDOW = Window(NOON, NOON + timedelta(minutes=20))


@pytest.fixture
async def server() -> AsyncIterator[Rapid7Sandbox]:
    sandbox = Rapid7Sandbox()
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


@pytest.fixture
async def rapid7(server: Rapid7Sandbox) -> AsyncIterator[Rapid7]:
    client = Rapid7("rapid7-eu", base_url=server.url, api_key=Secret(server.api_key))
    yield client
    await client.aclose()


async def body_of(
    rapid7: Rapid7,
    ids: list[str],
    *,
    query: str = "",
    limit: int = 1000,
    window: Window | str = WINDOW,
) -> bytes:
    async with rapid7.download(ids, window, query=query, limit=limit, most_bytes=10**9) as stream:
        return b"".join([piece async for piece in stream])


async def test_documented_sample_is_read_completely(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(200, json.dumps(SAMPLE))
    period = await rapid7.usage(DAYS)
    assert period.by_day[date(2018, 12, 13)] == 134929550
    assert list(period.by_day) == sorted(period.by_day)
    assert (period.reported_bytes, period.reported_from, period.reported_to) == (
        2427260775,
        date(2018, 12, 1),
        date(2018, 12, 19),
    )
    assert (period.organisation, period.organisation_id) == ("<Account name>", "<internal ID>")


async def test_both_dates_and_the_key_are_always_sent(
    server: Rapid7Sandbox, rapid7: Rapid7
) -> None:
    await rapid7.usage(DAYS)
    assert server.requests[0].query == "from=2018-12-01&to=2018-12-19"
    assert server.requests[0].headers["x-api-key"] == server.api_key


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_has_its_host(region: str) -> None:
    assert region_url(region) == f"https://{region}.rest.logs.insight.rapid7.com"


async def test_other_host_answers_under_its_prefix(server: Rapid7Sandbox) -> None:
    client = Rapid7("r", base_url=server.url + "/log_search", api_key=Secret(server.api_key))
    await client.usage(DayRange(date(2026, 11, 1), date(2026, 11, 2)))
    await client.aclose()
    assert server.paths() == ["GET /log_search/usage/organizations"]


@pytest.mark.parametrize(
    ("answer", "days"),
    [
        ({"daily_usage": [{"usage": "5", "day": "2018-12-13"}]}, {date(2018, 12, 13): 5}),
        ({"daily_usage": {"usage": 5, "day": "2018-12-13"}}, {date(2018, 12, 13): 5}),
        ({"daily_usage": [{"usage": None, "day": "2018-12-13"}]}, {}),
        ({"daily_usage": [{"usage": 0, "day": "2018-12-13"}]}, {date(2018, 12, 13): 0}),
        ({"daily_usage": []}, {}),
        ({"daily_usage": None}, {}),
        ({}, {}),
    ],
    ids=["strings", "one object", "null is missing", "zero is zero", "empty", "null", "absent"],
)
def test_day_list_may_have_many_shapes(answer: dict[str, object], days: dict[date, int]) -> None:
    assert parse.usage_period(json.dumps(answer).encode(), account="a").by_day == days


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"daily_usage": 3}',
        b'{"daily_usage": [{"day": "x", "usage": 1}]}',
        b"[" * 100_000,
    ],
)
def test_unreadable_answer_is_a_protocol_error(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse.usage_period(body, account="a")


async def test_usage_by_log_is_split_into_thirty_days(
    server: Rapid7Sandbox, rapid7: Rapid7
) -> None:
    today = datetime.now(UTC).date()
    usage = await rapid7.usage_by_log(
        DayRange(today - timedelta(days=70), today - timedelta(days=1))
    )
    assert len(server.requests) == 3
    assert max(usage.by_day) == today - timedelta(days=1)
    assert all(isinstance(n, int) for logs in usage.by_day.values() for n in logs.values())


async def test_refused_month_is_fetched_by_weeks(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    """One page has thirty days, another seven; what was refused once is not tried again."""
    whole = DayRange(date(2026, 10, 1), date(2026, 10, 20))
    month = await rapid7.usage_by_log(whole)
    server.most_days_by_log = 7
    server.requests.clear()
    assert await rapid7.usage_by_log(whole) == month
    assert len(server.requests) == 1 + 3
    await rapid7.usage_by_log(whole)
    assert len(server.requests) == 1 + 3 + 3
    server.most_days_by_log = 1
    with pytest.raises(ProtocolError, match="at most 1 days"):
        await rapid7.usage_by_log(DayRange(date(2026, 10, 1), date(2026, 10, 5)))


async def test_log_list_omits_ingestion_tokens(rapid7: Rapid7) -> None:
    logs = await rapid7.named_logs()
    assert {log.name for log in logs} == {"kitchen", "cellar", "Pantry Door"}
    assert "ingest" not in repr(logs)


async def test_log_list_is_fetched_once(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    await asyncio.gather(*(rapid7.named_logs() for _ in range(5)))
    assert len(server.requests) == 1


ERRORS = [
    (401, "", AuthFailed),
    (403, "", AuthFailed),
    (404, "", NotFound),
    (415, "", ProtocolError),
    (400, '{"message": "Invalid query"}', ProtocolError),
    (302, "", ProtocolError),
    (429, "API rate limit exceeded", RateLimited),
    (500, "<html>oops</html>", Unavailable),
    (503, "", Unavailable),
]


@pytest.mark.parametrize(
    ("status", "body", "error"), ERRORS, ids=[str(status) for status, _, _ in ERRORS]
)
async def test_each_status_is_an_error_of_the_family(
    server: Rapid7Sandbox, rapid7: Rapid7, status: int, body: str, error: type[ProviderError]
) -> None:
    server.answer_with(status, body, times=9)
    with pytest.raises(error) as caught:
        await rapid7.usage(DAYS)
    assert caught.value.account == "rapid7-eu"
    assert caught.value.hint
    assert server.api_key not in str(caught.value)


async def test_404_on_usage_names_both_causes(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(404)
    with pytest.raises(
        NotFound, match="no usage data for this period, or the key or the region is wrong"
    ):
        await rapid7.usage(DAYS)


async def test_400_shows_the_vendors_reason(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(400, '{"message": "Invalid query: password=hunter2"}')
    with pytest.raises(ProtocolError, match=r"Invalid query: password=\[redacted\]"):
        await rapid7.usage(DAYS)


async def test_temporary_503_is_retried(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(503, times=2)
    await rapid7.usage(DAYS)
    assert len(server.requests) == 3


async def test_long_retry_delay_is_reported(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(429, Retry_After="417", times=9)
    with pytest.raises(RateLimited) as caught:
        await rapid7.usage(DAYS)
    assert caught.value.hint == "It will work again in about 7 min."
    assert len(server.requests) == 1


async def test_short_retry_delay_is_awaited(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(429, Retry_After="0.2")
    await rapid7.usage(DAYS)
    assert len(server.requests) == 2


async def test_nobody_listening_is_unavailable() -> None:
    client = Rapid7("gone", base_url="http://127.0.0.1:9", api_key=Secret("k"))
    with pytest.raises(Unavailable, match="gone could not be reached"):
        await client.usage(DAYS)
    await client.aclose()


async def test_download_names_query_limit_and_window(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    await body_of(rapid7, [KITCHEN, CELLAR])
    entry = server.requests[0]
    assert entry.path == f"/download/logs/{KITCHEN}:{CELLAR}"
    assert parse_qs(entry.query)["query"] == [MATCH_ALL]
    assert "limit=1000" in entry.query
    assert (
        f"from={int(WINDOW.start.timestamp() * 1000)}&to={int(WINDOW.end.timestamp() * 1000)}"
        in entry.query
    )
    assert "time_range" not in entry.query
    assert entry.headers["Accept-Encoding"] == "identity"


async def test_relative_range_is_sent_as_typed(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    assert await body_of(rapid7, [KITCHEN], window="last 20 mins")
    assert "time_range=last+20+mins" in server.requests[0].query
    assert "from=" not in server.requests[0].query


@pytest.mark.parametrize("key", ["../usage", "a/b", "a?limit=1", "..", "", "a:b", "a%2fb"])
def test_id_cannot_change_the_path(key: str) -> None:
    client = Rapid7("r", base_url="http://127.0.0.1:9", api_key=Secret("kkkk"))
    with pytest.raises(ProtocolError, match="an invalid id"):
        client.download([key], WINDOW, query="", limit=1, most_bytes=10**9)


async def downloaded(rapid7: Rapid7, *ids: str) -> bytes:
    async with rapid7.download(
        ids or (KITCHEN,), WINDOW, query="", limit=5, most_bytes=10**9
    ) as stream:
        return b"".join([piece async for piece in stream])


@pytest.mark.parametrize("separator", [":", ";"])
async def test_log_ids_are_joined_as_either_page_documents(
    server: Rapid7Sandbox, rapid7: Rapid7, separator: str
) -> None:
    """What was refused once is not tried again."""
    server.separators = separator
    for _ in range(2):
        assert len((await downloaded(rapid7, KITCHEN, CELLAR)).splitlines()) == 5
    assert len(server.requests) == (2 if separator == ":" else 3)


async def test_first_refusal_of_both_separators_is_reported(
    server: Rapid7Sandbox, rapid7: Rapid7
) -> None:
    server.answer_with(400, '{"message": "Invalid query"}', times=9)
    for ids in ((KITCHEN, CELLAR), (KITCHEN,)):
        with pytest.raises(ProtocolError, match="Invalid query"):
            await downloaded(rapid7, *ids)
    assert len(server.requests) == 3


async def test_no_content_is_an_empty_log(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(204)
    assert await downloaded(rapid7) == b""


async def test_log_that_is_not_ready_is_retried(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(202)
    assert await downloaded(rapid7)
    assert len(server.requests) == 2
    server.answer_with(202, '{"id": "q1", "progress": 3}', times=9)
    with pytest.raises(Unavailable, match="still preparing the log"):
        await downloaded(rapid7)


@pytest.mark.parametrize(
    "disposition",
    ["attachment; filename=.log", "attachment", "", "x; filename*=utf-8''%2e%2e%2fevil", '"'],
)
async def test_vendor_file_name_is_ignored(
    server: Rapid7Sandbox, rapid7: Rapid7, disposition: str
) -> None:
    server.answer_with(200, "one\n", Content_Type="text/plain", Content_Disposition=disposition)
    assert await downloaded(rapid7) == b"one\n"


async def test_no_lines_is_an_empty_log(rapid7: Rapid7) -> None:
    assert await body_of(rapid7, [KITCHEN], query="where(/no such thing/)") == b""


@pytest.mark.parametrize("content_type", ["text/html", "application/json"])
async def test_another_content_type_with_status_200_is_no_log(
    server: Rapid7Sandbox, rapid7: Rapid7, content_type: str
) -> None:
    server.answer_with(200, "{}", Content_Type=content_type)
    with pytest.raises(ProtocolError, match="where a log was expected"):
        await body_of(rapid7, [KITCHEN])


async def test_broken_stream_is_reported(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.misbehave(broken_off)
    with pytest.raises(Incomplete, match="broke off"):
        await body_of(rapid7, [KITCHEN])


async def test_gzip_in_spite_of_identity_is_unpacked(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(
        200, gzip.compress(b"one\ntwo\n"), Content_Type="text/plain", Content_Encoding="gzip"
    )
    assert await body_of(rapid7, [KITCHEN]) == b"one\ntwo\n"


async def test_truncated_gzip_is_reported(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    whole = gzip.compress(b"".join(b"line %d\n" % n for n in range(5000)))
    server.answer_with(
        200, whole[: len(whole) // 2], Content_Type="text/plain", Content_Encoding="gzip"
    )
    with pytest.raises(Incomplete, match="too early"):
        await body_of(rapid7, [KITCHEN])


async def test_redirected_download_carries_no_key(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(302, Location=f"{server.url}/elsewhere")
    with pytest.raises(ProtocolError, match="redirect"):
        await body_of(rapid7, [KITCHEN])
    assert len(server.requests) == 1


async def broken_off(request: web.Request) -> web.StreamResponse:
    """A chunked answer that is cut in the middle."""
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    await response.write(b"first\nsecond\nthi")
    assert request.transport is not None
    request.transport.abort()
    return response


async def test_total_may_differ_from_sum_of_days(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    answer = {**SAMPLE, "period_usage": "99", "period": {"from": "2018-12-02", "to": "2018-12-18"}}
    server.answer_with(200, json.dumps(answer))
    period = await rapid7.usage(DAYS)
    assert (period.reported_bytes, period.reported_from, period.reported_to) == (
        99,
        date(2018, 12, 2),
        date(2018, 12, 18),
    )
    assert sum(period.by_day.values()) != period.reported_bytes


@pytest.mark.parametrize("usage", ["12 GB", -1, True, 1.5, "9" * 30, [], {}], ids=str)
def test_invalid_usage_is_not_guessed(usage: object) -> None:
    with pytest.raises(ProtocolError):
        parse.usage_period(
            json.dumps({"daily_usage": [{"day": "2018-12-13", "usage": usage}]}).encode(),
            account="a",
        )


async def test_longest_usage_by_log_has_every_day(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    today = datetime.now(UTC).date()
    days = DayRange(today - timedelta(days=95), today - timedelta(days=1))
    usage = await rapid7.usage_by_log(days)
    asked = sorted(
        parse_qs(entry.query)["from"][0] + " " + parse_qs(entry.query)["to"][0]
        for entry in server.requests
    )
    assert len(asked) == 4
    assert list(usage.by_day) == sorted(set(usage.by_day))
    covered = [
        day
        for span in asked
        for day in DayRange(*(date.fromisoformat(d) for d in span.split())).each()
    ]
    assert covered == days.each()


@pytest.mark.parametrize(
    ("ids", "limit"), [([], 10), ([KITCHEN] * 11, 10), ([KITCHEN], 0), ([KITCHEN], 20_000_001)]
)
def test_unsupported_download_sends_no_request(rapid7: Rapid7, ids: list[str], limit: int) -> None:
    with pytest.raises(ValueError, match="one to ten logs"):
        rapid7.download(ids, WINDOW, query="", limit=limit, most_bytes=1)


async def test_redirected_request_carries_no_key(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(307, Location="http://elsewhere.example/")
    with pytest.raises(ProtocolError, match="redirect"):
        await rapid7.usage(DAYS)


async def test_503_before_first_byte_is_retried(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.answer_with(503, times=2, path="/download")
    assert await body_of(rapid7, [KITCHEN])
    assert sum("/download" in path for path in server.paths()) == 3


async def test_unresponsive_server_is_reported(
    monkeypatch: pytest.MonkeyPatch, server: Rapid7Sandbox
) -> None:
    monkeypatch.setattr(http_client, "TIMEOUT", httpx.Timeout(0.1))
    client = Rapid7("eu", base_url=server.url, api_key=Secret(server.api_key))
    server.be_slow(5, times=9)
    with pytest.raises(Unavailable, match="eu fell silent"):
        await client.usage(DAYS)
    await client.aclose()


async def test_dripping_answer_times_out(
    monkeypatch: pytest.MonkeyPatch, server: Rapid7Sandbox, rapid7: Rapid7
) -> None:
    """Each byte comes in time, and the whole never does."""

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.02)

    defaults = http_client.fetch.__kwdefaults__
    assert defaults and "timeout_s" in defaults
    monkeypatch.setitem(defaults, "timeout_s", 0.3)
    server.misbehave(drip, times=9)
    with pytest.raises(Unavailable, match="did not answer within 0 s"):
        await rapid7.usage(DAYS)


async def test_endless_answer_is_refused(
    monkeypatch: pytest.MonkeyPatch, server: Rapid7Sandbox, rapid7: Rapid7
) -> None:
    monkeypatch.setattr("providers.http.reading.MOST_BODY_BYTES", 100_000)

    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 50_000)

    server.misbehave(flood)
    with pytest.raises(ProtocolError, match="sent more than 0 MB"):
        await rapid7.usage(DAYS)


async def test_many_requests_are_all_answered(server: Rapid7Sandbox, rapid7: Rapid7) -> None:
    server.be_slow(0.05, times=999)
    days = [DayRange(DAYS.first - timedelta(days=n), DAYS.last) for n in range(60)]
    assert len(await asyncio.gather(*(rapid7.usage(each) for each in days))) == 60


MEMBERS = [
    "daily_usage",
    "usage",
    "day",
    "period",
    "from",
    "to",
    "period_usage",
    "per_day_usage",
    "interval",
    "log_usage",
    "id",
    "logs",
    "name",
    "message",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=4)
    ),
    max_leaves=25,
)


@given(st.binary(max_size=400) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_give_a_record_or_a_protocol_error(body: bytes) -> None:
    for read in (parse.usage_period, parse.log_usage, parse.named_logs):
        with contextlib.suppress(ProtocolError):
            read(body, account="a")
    assert len(parse.vendor_message(body)) <= 300


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 2_000_000,
        b'{"daily_usage":' * 400_000,
        b'"' + b"\\" * 2_000_000,
        b"9" * 2_000_000,
        b"\xff" * 2_000_000,
    ],
)
def test_adversarial_answer_is_read_in_time(body: bytes) -> None:
    """Nested without end, one string without end, a number without end: an error of the family, in
    bounded time and memory.
    """
    with pytest.raises(ProtocolError):
        parse.usage_period(body, account="a")


@pytest.mark.parametrize(
    "answer",
    [
        {"message": "Data is being prepared"},
        {"daily_usage": False},
        {"daily_usage": ""},
        {"daily_usage": 0},
        {"daily_usage": [{"day": "2018-12-13", "usage": "1_000"}]},
        {"daily_usage": [{"day": "2018-12-13", "usage": " 12 "}]},
        {"daily_usage": [{"day": "2018-12-13", "usage": "١٢"}]},
        {"daily_usage": [{"day": "2018-12-13", "usage": 5}, {"day": "2018-12-13", "usage": 6}]},
    ],
    ids=[
        "words",
        "false",
        "no text",
        "zero",
        "underscore",
        "blanks",
        "other digits",
        "a day twice",
    ],
)
def test_unexpected_answer_is_not_empty(answer: dict[str, object]) -> None:
    with pytest.raises(ProtocolError):
        parse.usage_period(json.dumps(answer).encode(), account="a")


def test_repeated_day_counts_once() -> None:
    answer = {
        "daily_usage": [{"day": "2018-12-13", "usage": 5}, {"day": "2018-12-13", "usage": "5"}]
    }
    assert parse.usage_period(json.dumps(answer).encode(), account="a").by_day == {
        date(2018, 12, 13): 5
    }


@pytest.mark.parametrize(
    "answer",
    [
        {"message": "no"},
        {"per_day_usage": {"usage": 0}},
        {"per_day_usage": {"usage": [{"interval": "2018-12-13", "log_usage": {}}]}},
        {
            "per_day_usage": {
                "usage": [
                    {
                        "interval": "2018-12-13",
                        "log_usage": [{"id": "a", "usage": 1}, {"id": "a", "usage": 2}],
                    }
                ]
            }
        },
    ],
    ids=["words", "zero", "one object", "a log twice"],
)
def test_unexpected_usage_by_log_is_not_empty(answer: dict[str, object]) -> None:
    with pytest.raises(ProtocolError):
        parse.log_usage(json.dumps(answer).encode(), account="a")
