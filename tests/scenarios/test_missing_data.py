"""How an answer describes missing data: no longer kept, not there yet, counted but not sent, or of
an unavailable account.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.sandbox.sandbox import Sandbox
from tests.conftest import Ran


async def ask(run_cli: Any, line: str) -> Ran:
    ran: Ran = await run_cli("ask", line, "--json")
    return ran


@pytest.mark.parametrize("line", ["/apiaudit edge {old} failures", "/apiaudit edge {older}..{old}"])
async def test_window_beyond_retention_is_refused(
    run_cli: Any, sandbox: Sandbox, line: str
) -> None:
    today = datetime.now(UTC).date()
    line = line.format(old=today - timedelta(days=200), older=today - timedelta(days=220))
    ran = await ask(run_cli, line)
    oldest = (datetime.now(UTC) - timedelta(days=91)).astimezone(ZoneInfo("Europe/Dublin")).date()
    assert (ran.code, ran.json["error"]["kind"], sandbox.akamai.requests) == (2, "bad_question", [])
    assert f"edge keeps API calls since {oldest.day} {oldest:%b %Y}" in ran.json["error"]["message"]
    assert (
        ran.json["error"]["hint"]
        == f"/apiaudit edge since {oldest}{' failures' * line.endswith('failures')}"
    )
    assert (await ask(run_cli, ran.json["error"]["hint"])).code == 0


async def test_window_partly_beyond_retention_is_mentioned_first(run_cli: Any) -> None:
    since = datetime.now(UTC).date() - timedelta(days=100)
    answer = (await ask(run_cli, f"/apiaudit edge since {since}")).json
    assert answer["values"]["complete"] is False
    assert "edge keeps API calls for 92 days; those before" in answer["warnings"][0]
    assert answer["text"].split("\n")[0] == "This answer is incomplete."
    assert answer["text"].split("\n")[1] == answer["warnings"][0]
    assert "edge keeps API calls for 92 days" in answer["blocks"][0]["text"]["text"]


async def test_account_without_the_window_is_named_first(run_cli: Any, sandbox: Sandbox) -> None:
    today = datetime.now(UTC).date()
    answer = (await ask(run_cli, f"/apiaudit {today - timedelta(days=200)}")).json
    assert answer["values"]["complete"] is False
    assert answer["text"].startswith(
        "edge is missing from this answer: edge keeps API calls since "
    )
    assert sandbox.akamai.requests == []


async def test_account_that_is_away_is_named_first(run_cli: Any, sandbox: Sandbox) -> None:
    sandbox.akamai.answer_with(503, times=99)
    answer = (await ask(run_cli, "/apiaudit 24h")).json
    assert answer["text"].startswith(
        "edge is missing from this answer: edge is unavailable (HTTP 503).\nThis answer is "
        "incomplete.\n"
    )
    assert answer["blocks"][0]["text"]["text"].startswith(
        ":warning: edge is missing from this answer"
    )
    assert answer["warnings"][0].startswith("edge is missing")


async def test_counted_but_missing_calls_are_mentioned_first(
    run_cli: Any, sandbox: Sandbox
) -> None:
    row = {
        "ts": "2014-02-11T14:15:34.882-05:00",
        "whoami": "admin@example.com",
        "request": '{"1":{"Command":"usage.api.list"}}',
    }
    for result in ([row], None):
        body = {
            "list": {"success": True, "params": {"count": 42, "result": result}},
            "auth": {"success": True, "params": {"sessionId": "s"}},
        }
        if result:
            sandbox.devicewise.answer_with(200, json.dumps(body))
        sandbox.devicewise.answer_with(200, json.dumps(body))
    answer = (await ask(run_cli, "/apiaudit iot 24h")).json
    assert (answer["values"]["calls"], answer["values"]["complete"]) == (1, False)
    assert answer["warnings"] == ["iot counts 42 calls and sent 1."]
    assert answer["text"].split("\n")[1] == "iot counts 42 calls and sent 1."


async def test_calls_counted_and_none_sent_are_an_error(run_cli: Any, sandbox: Sandbox) -> None:
    body = {
        "list": {"success": True, "params": {"count": 42, "result": None}},
        "auth": {"success": True, "params": {"sessionId": "s"}},
    }
    sandbox.devicewise.answer_with(200, json.dumps(body), times=9)
    ran = await ask(run_cli, "/apiaudit iot 24h")
    assert (ran.code, ran.json["error"]["kind"]) == (3, "incomplete")
    answer = (await ask(run_cli, "/apiaudit 24h")).json
    assert answer["text"].startswith(
        "iot is missing from this answer: iot counts 42 calls and sent none of them."
    )


async def test_data_that_has_not_come_yet_is_no_zero(run_cli: Any, sandbox: Sandbox) -> None:
    sandbox.akamai.data_until = lambda: datetime.now(UTC) - timedelta(minutes=15)
    sandbox.akamai.rows = lambda start, end: []
    answer = (await ask(run_cli, "/apiaudit edge last 10m")).json
    assert answer["values"] == {"complete": False}
    assert "edge: No data yet" in answer["text"]


async def test_filter_without_matches_is_mentioned_first(run_cli: Any) -> None:
    answer = (await ask(run_cli, "/apiaudit iot 24h who:nobody@example.com")).json
    assert answer["text"].startswith("iot: No call matches – ")
    assert (answer["values"]["calls"], answer["values"]["failures"]) == (0, 0)


async def test_account_without_a_match_is_named(run_cli: Any, sandbox: Sandbox) -> None:
    actor = _akamai_actor(sandbox)
    answer = (await ask(run_cli, f"/apiaudit 24h who:{actor.upper()}")).json
    assert answer["values"]["calls"] > 0
    assert "iot: no call matches." in answer["text"]
    assert "iot compares `who:` by itself" in answer["text"]
    assert answer["values"]["complete"] is True


async def test_nearest_actor_is_offered_where_nobody_matches(
    run_cli: Any, sandbox: Sandbox
) -> None:
    actor = _akamai_actor(sandbox)
    asked = len(sandbox.akamai.requests)
    answer = (await ask(run_cli, f"/apiaudit edge 24h who:{actor}x")).json
    assert answer["values"]["calls"] == 0
    assert f"edge: no call matches; the closest actor there is {actor}." in answer["text"]
    assert len(sandbox.akamai.requests) == asked + 1
    offered = [
        button["value"]
        for block in answer["blocks"]
        for button in block.get("elements", [])
        if "value" in button
    ]
    line = next(line for line in offered if line.endswith(f"who:{actor}"))
    assert (await ask(run_cli, line)).json["values"]["calls"] > 0


def _akamai_actor(sandbox: Sandbox) -> str:
    now = datetime.now(UTC)
    return str(
        next(
            row["clientOwner"]
            for row in sandbox.akamai.rows(now - timedelta(hours=23), now - timedelta(hours=1))
        )
    )


async def test_every_account_that_is_away_is_named(run_cli: Any, sandbox: Sandbox) -> None:
    sandbox.akamai.answer_with(503, times=99)
    sandbox.devicewise.answer_with(401, times=99)
    for as_json in (["--json"], []):
        ran = await run_cli("ask", "/apiaudit 24h", *as_json)
        assert ran.code == 3
        assert "edge is unavailable (HTTP 503)." in ran.out + ran.err
        assert "iot " in ran.out + ran.err
        if as_json:
            error = ran.json["error"]
            assert (error["kind"], error["provider"]) == ("unavailable", "edge")
            assert error["hint"].startswith("edge: ")
            assert " iot: " in error["hint"]


async def test_today_is_not_compared_with_a_whole_day(run_cli: Any) -> None:
    answer = (await ask(run_cli, "/usage today")).json
    assert "change_percent" not in answer["values"]
    assert "Against" not in answer["text"]


async def test_unreadable_characters_survive_the_whole_way(run_cli: Any, sandbox: Sandbox) -> None:
    now = datetime.now(UTC) - timedelta(minutes=5)
    odd = "\ud800\u202e<!channel>\x00"
    request = json.dumps({"1": {"Command": odd, "Params": {"thingKey": odd}}})
    sandbox.devicewise.rows = lambda start, end: [
        {"ts": now.isoformat(), "whoami": odd, "request": request, "response": "{}", "orgKey": odd}
    ]
    ran = await ask(run_cli, "/apiaudit iot 1h csv")
    assert (ran.code, ran.err) == (0, "")
