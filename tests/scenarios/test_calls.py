"""The calls of `/apiaudit` listed, counted by a column, and one of them in full."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.blocks import limits
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import Message
from tests.conftest import Run


def table(message: Message, caption: str) -> list[list[str]]:
    """The cells of a table, including its header."""
    [found] = [
        block
        for block in message.blocks
        if block["type"] == "data_table" and block["caption"].startswith(caption)
    ]
    return [[cell["text"] for cell in row] for row in found["rows"]]


def cells(message: Message, caption: str, column: str) -> list[str]:
    head, *rows = table(message, caption)
    return [row[head.index(column)] for row in rows]


def lines_of(message: Message) -> dict[str, str]:
    """The questions that the buttons ask, by their labels."""
    return {
        element["text"]["text"]: element.get("value", "")
        for block in message.blocks
        if block["type"] == "actions"
        for element in block["elements"]
    }


def recorded(ago: timedelta, **changes: Any) -> dict[str, Any]:
    """A row of deviceWISE."""
    at = datetime.now(UTC) - ago
    return {
        "ts": at.isoformat(timespec="milliseconds"),
        "execTime": 5_000_000,
        "processedBy": "ip-10-200-40-2",
        "orgId": "52f7a7c1e4b0",
        "orgKey": "KITCHEN",
        "whoami": "ada@example.com",
        "request": '{"1":{"Command":"thing.list","SessionId":"","Params":{}}}',
        "response": '{"1":{"success":true,"params":{}}}',
        **changes,
    }


@pytest.mark.usefixtures("bot")
async def test_newest_calls_are_listed_with_pages(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/apiaudit edge 24h calls 30")
    head, *rows = table(answer, "Calls to ")
    assert head == ["Time", "Actor", "Action", "Target", "Status", "Client", "IP", "ID"]
    assert len(rows) == 30
    assert all(target.startswith("/") for target in cells(answer, "Calls to ", "Target"))
    assert len(set(cells(answer, "Calls to ", "ID"))) == 30
    assert "The newest 30 of " in answer.text
    assert limits.message_problems(answer.text, answer.blocks) == []
    assert all(row[-1] in answer.text for row in rows[:10])


@pytest.mark.usefixtures("bot")
async def test_list_takes_no_more_than_a_message(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/apiaudit 7d calls 5000")
    head, *rows = table(answer, "Calls, paths on ")
    assert {"Account", "Organisation", "Duration"} <= set(head)
    assert 40 < len(rows) <= 100
    assert f"The newest {len(rows)} of " in answer.text
    assert limits.message_problems(answer.text, answer.blocks) == []
    times = cells(answer, "Calls, paths on ", "Time")
    assert set(cells(answer, "Calls, paths on ", "Account")) == {"edge", "iot"}
    assert len(times) == len(rows)


@pytest.mark.usefixtures("bot")
async def test_button_opens_one_call_whole(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/apiaudit edge 2h calls 3 failures")
    label, line = next(
        (label, line) for label, line in lines_of(answer).items() if label.startswith("Open ")
    )
    action = next(
        element["action_id"]
        for block in answer.blocks
        if block["type"] == "actions"
        for element in block["elements"]
        if element["text"]["text"] == label
    )
    await sandbox.slack.press(answer, action)
    call_id = line.rpartition("call:")[2]
    whole: Message = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.messages if f"Call {call_id}:" in m.text), None)
    )
    for column in ("clientId", "clientIp", "clientOwner", "clientToken", "method", "responseCode"):
        assert f"{column}: " in whole.text
    assert limits.message_problems(whole.text, whole.blocks) == []


@pytest.mark.usefixtures("bot")
async def test_call_of_tr50_is_shown_without_secrets(sandbox: Sandbox) -> None:
    password = "hunter2-of-the-kitchen"
    session = "0123456789abcdef0123456789abcdef"
    token = "app-token-in-a-call"
    inner = json.dumps({"auth": {"sessionId": session}, "note": "kept"})
    request = {
        "auth": {
            "command": "api.authenticate",
            "params": {"username": "ada", "password": password},
        },
        "1": {"command": "session.info", "params": {"thingKey": "oven-7", "appToken": token}},
        "2": {"command": "method.exec", "params": {"body": inner}},
    }
    response = {
        "1": {"success": True, "params": {"id": session, "ref": session, "orgKey": "KITCHEN"}},
        "2": {
            "success": False,
            "errorCodes": [-90000],
            "errorMessages": [f"Authentication session is invalid: {session}"],
        },
    }
    row = recorded(timedelta(minutes=5), request=json.dumps(request), response=json.dumps(response))
    sandbox.devicewise.rows = lambda start, end: [
        row for _ in (1,) if start <= datetime.fromisoformat(row["ts"]) < end
    ]
    answer = await sandbox.slack.answer_to("/apiaudit iot 1h calls own:no")
    line = next(v for label, v in lines_of(answer).items() if label.startswith("Open "))
    whole = await sandbox.slack.answer_to(line)
    shown = whole.text + json.dumps(whole.blocks, ensure_ascii=False)
    for kept in ("session.info", "oven-7", "kept", "method.exec", "-90000", "ip-10-200-40-2"):
        assert kept in shown
    for secret in (password, session, token):
        assert secret not in shown
    assert "[redacted]" in whole.text


@pytest.mark.usefixtures("bot")
async def test_long_record_is_whole_in_a_file(sandbox: Sandbox) -> None:
    items = [{"key": f"oven-{n}"} for n in range(2000)]
    response = json.dumps({"1": {"success": True, "params": {"result": items}}})
    row = recorded(timedelta(minutes=5), response=response)
    sandbox.devicewise.rows = lambda start, end: [
        row for _ in (1,) if start <= datetime.fromisoformat(row["ts"]) < end
    ]
    answer = await sandbox.slack.answer_to("/apiaudit iot 1h calls own:no")
    line = next(v for label, v in lines_of(answer).items() if label.startswith("Open "))
    whole = await sandbox.slack.answer_to(line)
    assert "The file has the full text of what is cut here." in json.dumps(whole.blocks)
    assert limits.message_problems(whole.text, whole.blocks) == []
    brought: Message = await sandbox.slack.until(
        lambda: next((m for m in sandbox.slack.messages if m.files), None)
    )
    [file] = brought.files
    assert re.fullmatch(r"apiaudit-call-[0-9a-f]{8}\.json", file.name)


async def ask(run_cli: Run, line: str, **changes: Any) -> Any:
    ran = await run_cli("ask", line, "--json", **changes)
    assert ran.code == 0, ran.err + ran.out
    return ran.json


async def test_filters_are_applied_to_rows(run_cli: Run, tmp_path: Path) -> None:
    answer = await ask(run_cli, "/apiaudit edge 24h csv ip:203.0.113.0/24 code:200")
    rows = list(
        csv.DictReader(io.StringIO(Path(tmp_path / answer["files"][0]["path"]).read_text()))
    )
    assert len(rows) == answer["values"]["calls"] > 0
    assert {row["ip"] for row in rows} == {"203.0.113.7", "203.0.113.9"}
    assert {row["status"] for row in rows} == {"200"}
    assert {row["client_token"] for row in rows} == {"akab-ada", "akab-grace"}
    assert {row["org"] + row["host"] for row in rows} == {""}
    answer = await ask(
        run_cli, "/apiaudit iot 24h csv org:kitchen host:ip-10-200-40-2 slower:10ms own:no"
    )
    rows = list(
        csv.DictReader(io.StringIO(Path(tmp_path / answer["files"][0]["path"]).read_text()))
    )
    assert len(rows) == answer["values"]["calls"] > 0
    assert {(row["org"], row["host"]) for row in rows} == {("KITCHEN", "ip-10-200-40-2")}
    assert all(float(row["duration_ms"]) > 10 for row in rows)


async def test_code_and_id_are_asked_of_akamai(sandbox: Sandbox, run_cli: Run) -> None:
    await ask(run_cli, "/apiaudit edge 24h code:503 id:1-123a metrics:clientOwner,responseCode")
    asked = json.loads(sandbox.akamai.requests[-1].body)
    assert asked == {
        "objectIds": ["1-123A"],
        "metrics": ["clientOwner", "responseCode", "timestamp"],
        "filters": {"response_code": ["503"]},
    }


async def test_columns_of_v2_have_its_names(sandbox: Sandbox, run_cli: Run) -> None:
    table = sandbox.table()
    table["providers"]["edge"]["report"] = "v2"
    line = "/apiaudit edge 24h metrics:uri,method,responseCode id:1-1TGTG calls 5"
    answer = await ask(run_cli, line, table=table)
    asked = json.loads(sandbox.akamai.requests[-1].body)
    assert asked["objectIds"] == ["1-1TGTG"]
    assert set(asked["dimensions"]) == {"timestamp", "requestUri", "requestMethod", "responseCode"}
    assert answer["values"]["calls"] > 5
    assert "was asked for method, responseCode, timestamp, uri only" in answer["text"]
    call_id = re.findall(r"\b[0-9a-f]{8}\b", answer["text"])[-1]
    line = f"/apiaudit edge 24h metrics:uri,method,responseCode id:1-1TGTG call:{call_id}"
    whole = await ask(run_cli, line, table=table)
    assert "requestMethod: " in whole["text"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/apiaudit edge 2h org:KITCHEN", "records no organisation"),
        ("/apiaudit edge 2h slower:2s", "records no duration"),
        ("/apiaudit iot 2h ip:10.0.0.0/8", "records no IP address"),
        ("/apiaudit edge 2h id:1-OTHER", "is configured with the IDs 1-123A"),
        ("/apiaudit edge 2h show_all", "has no filter `show_all`"),
        ("/apiaudit 2h host:ip-10-200-40-2", "edge is Akamai and records no host"),
    ],
)
async def test_filter_without_its_column_is_refused(
    sandbox: Sandbox, run_cli: Run, line: str, says: str
) -> None:
    ran = await run_cli("ask", line, "--json")
    assert ran.code == 2
    assert says in ran.json["error"]["message"]
    assert not sandbox.akamai.requests
    assert not sandbox.devicewise.requests


async def test_show_all_without_its_role_names_it(sandbox: Sandbox, run_cli: Run) -> None:
    answer = await ask(run_cli, "/apiaudit iot 1h show_all")
    assert answer["values"]["calls"]
    sandbox.devicewise.super_ops = False
    ran = await run_cli("ask", "/apiaudit iot 1h show_all", "--json")
    assert ran.code == 3
    assert "Super-Ops" in ran.json["error"]["hint"]


async def test_own_client_token_is_not_shown(
    sandbox: Sandbox, run_cli: Run, tmp_path: Path
) -> None:
    at = (datetime.now(UTC) - timedelta(minutes=9)).strftime("%Y-%m-%dT%H:%M:%SZ")
    own = {
        "timestamp": at,
        "clientId": "opswatch",
        "clientIp": "203.0.113.1",
        "clientOwner": "opswatch",
        "clientToken": sandbox.akamai.client_token,
        "method": "post",
        "responseCode": "200",
        "uri": "x/reporting-api/v1",
    }
    sandbox.akamai.rows = lambda start, end: [own]
    answer = await ask(run_cli, "/apiaudit edge 2h calls csv")
    content = Path(tmp_path / answer["files"][0]["path"]).read_text()
    assert content.rstrip().endswith(",[redacted]")
    call_id = re.findall(r"[0-9a-f]{8}", answer["text"])[-1]
    whole = await ask(run_cli, f"/apiaudit edge 2h call:{call_id}")
    assert "clientToken: [redacted]" in whole["text"]
    assert sandbox.akamai.client_token not in json.dumps([answer, whole]) + content


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize(
    ("words", "caption", "names"),
    [
        ("edge 24h by ip", "By IP address", {"203.0.113.7", "203.0.113.9", "198.51.100.4"}),
        ("edge 24h by client", "By client", {"terraform", "purge-job", "old-script"}),
        ("iot 24h by org", "By organisation", {"KITCHEN"}),
        ("24h by account", "By account", {"edge", "iot"}),
    ],
)
async def test_calls_are_counted_by_column(
    sandbox: Sandbox, words: str, caption: str, names: set[str]
) -> None:
    answer = await sandbox.slack.answer_to(f"/apiaudit {words}")
    head, *rows = table(answer, caption)
    assert head[1:] == ["Calls", "Failed"]
    assert {row[0] for row in rows} == names
    assert f"{caption}: " in answer.text


@pytest.mark.usefixtures("bot")
async def test_group_without_values_says_so(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/apiaudit edge 24h by host")
    assert re.search(r"calls without a recorded host\.", answer.text)


@pytest.mark.usefixtures("bot")
async def test_unknown_call_is_no_match(sandbox: Sandbox) -> None:
    answer = await sandbox.slack.answer_to("/apiaudit edge 2h call:00000000")
    assert "No call matches" in answer.text


@pytest.mark.usefixtures("bot")
async def test_slowest_calls_are_listed(sandbox: Sandbox) -> None:
    unknown = await sandbox.slack.answer_to("/apiaudit why is edge slow")
    assert "Read as /apiaudit edge slowest." in unknown.text
    assert "None of these calls has a duration" in unknown.text
    answer = await sandbox.slack.answer_to("/apiaudit iot slowest")
    assert re.search(r"The slowest \d+ of ", answer.text)
    opened = [label for label in lines_of(answer) if label.startswith("Open ")]
    assert 1 <= len(opened) <= 3
