"""Usage and log lists: the sample on Rapid7's page, and the answers that Rapid7 really sends."""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import (
    ProtocolError,
)
from providers.models import DayRange
from providers.rapid7 import parse
from providers.rapid7.client import Rapid7
from providers.rapid7.sandbox import Rapid7Sandbox
from providers.rapid7.settings import REGIONS, region_url
from providers.redaction import Secret
from tests.providers.rapid7.support import DAYS, SAMPLE


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
    """One page says thirty days, another seven. A request that was refused once is not tried again."""
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
    """Endless nesting, an endless string, an endless number: a provider error, in bounded time and
    memory.
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
