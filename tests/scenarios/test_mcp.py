"""`python -m bot mcp`: the official client asks questions over both transports, against the
sandbox.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from mcp import ClientSession, McpError
from mcp.types import (
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    CancelledNotification,
    CancelledNotificationParams,
    ClientNotification,
    ClientRequest,
)

from bot.alerts.rule import Rule
from bot.sandbox.sandbox import Sandbox
from bot.store import NewSilence, Store
from tests.conftest import Run
from tests.support.mcp_clients import (
    http_server,
    http_session,
    logged,
    server_environ,
    stdio_session,
    structured,
    text_of,
)

TOKEN = "a-bearer-token-of-the-tests"
SECRET = "Tr0ub4dor-of-the-kitchen"
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
ACCEPT = {"Accept": "application/json, text/event-stream"}


@asynccontextmanager
async def session_over(
    transport: str, sandbox: Sandbox, *words: str
) -> AsyncIterator[ClientSession]:
    if transport == "stdio":
        async with stdio_session(sandbox, *words) as session:
            yield session
        return
    async with http_server(sandbox, *words) as url, http_session(url) as session:
        yield session


TRANSPORTS = pytest.mark.parametrize("transport", ["stdio", "http"])


@TRANSPORTS
async def test_tools_answer_as_the_terminal(transport: str, sandbox: Sandbox, run_cli: Run) -> None:
    # What the account has sent today would otherwise grow between two questions.
    sandbox.rapid7.usage = lambda day, now: 3_000_000_000
    async with session_over(transport, sandbox) as session:
        listed = {tool.name: tool for tool in (await session.list_tools()).tools}
        assert {"usage", "api_audit", "logs", "alerts"} <= set(listed)
        assert all(t.annotations and t.annotations.readOnlyHint for t in listed.values())
        by_words = structured(await session.call_tool("usage", {"question": "yesterday"}))
        by_fields = structured(await session.call_tool("usage", {"window": "yesterday"}))
        audit = structured(
            await session.call_tool(
                "api_audit", {"accounts": ["edge"], "window": "24h", "failures": True, "csv": True}
            )
        )
        help_ = structured(await session.call_tool("api_audit", {"question": "help"}))
    terminal = (await run_cli("ask", "/usage yesterday", "--json")).json
    for name in ("text", "values", "warnings", "window"):
        assert by_words[name] == by_fields[name] == terminal[name]
    assert audit["values"]["failures"] > 0
    [table] = audit["files"]
    assert table["path"] is None
    assert table["excerpt"].startswith("at,account,actor")
    assert help_["window"] is None


@TRANSPORTS
async def test_logs_come_redacted(transport: str, sandbox: Sandbox, tmp_path: Path) -> None:
    out = tmp_path / "files"
    line = f"INFO login of ada password={SECRET} was accepted"
    sandbox.rapid7.lines = lambda *_: iter([line] * 500)
    async with session_over(transport, sandbox, "--out", str(out)) as session:
        answer = structured(await session.call_tool("logs", {"logs": ["kitchen"], "window": "20m"}))
    [file] = answer["files"]
    assert Path(file["path"]).parent == out
    assert Path(file["path"]).stat().st_size == file["bytes"]
    assert Path(file["path"]).read_text("utf-8").startswith(file["excerpt"])
    assert file["excerpt"].startswith("INFO login of ada password=[redacted")
    assert file["truncated"]
    assert SECRET not in json.dumps(answer)
    assert SECRET not in Path(file["path"]).read_text("utf-8")


HOSTILE: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown argument": ("usage", {"colour": "red"}, "colour"),
    "wrong type": ("usage", {"question": ["last 7 days"]}, "question"),
    "null byte": ("usage", {"question": "last\0week"}, "character"),
    "too long": ("usage", {"question": "x" * 5000}, "4000"),
    "two words as account": ("usage", {"account": "a b"}, "account"),
    "impossible window": ("usage", {"window": "2026-02-30"}, "2026-02-30"),
    "other command": ("usage", {"question": "alert today above 5 GB"}, "only in Slack"),
    "subscription": ("logs", {"question": "subscribe kitchen at 09:00"}, "only in Slack"),
    "no such log": ("logs", {"logs": ["../../etc/passwd"], "window": "20m"}, "passwd"),
    "quote in a log": ("logs", {"logs": ['a" where(x)']}, "logs.0"),
    "unclosed where": ("logs", {"logs": ["kitchen"], "where": "((((("}, ""),
    "zero lines": ("logs", {"logs": ["kitchen"], "limit": 0}, "limit"),
    "too many logs": ("logs", {"logs": ["kitchen"] * 11}, "logs"),
    "unknown filter": ("api_audit", {"filters": ["colour:red"]}, "colour"),
    "unknown state": ("alerts", {"state": "angry"}, "state"),
    "control characters": ("api_audit", {"accounts": ["\u202eedge\x1b[31m"]}, ""),
}


async def test_wrong_arguments_are_tool_errors(sandbox: Sandbox) -> None:
    async with stdio_session(sandbox) as session:
        results = {
            name: await session.call_tool(tool, arguments)
            for name, (tool, arguments, _) in HOSTILE.items()
        }
        right = await session.call_tool("usage", {"window": "today"})
    assert not right.isError
    for name, result in results.items():
        error = structured(result)["error"]
        assert result.isError, name
        assert error["kind"] == "bad_question", (name, error)
        assert HOSTILE[name][2] in text_of(result), (name, error)
        assert error["hint"], name
        assert not {"\x1b", "\u202e", "\0"} & set(text_of(result)), name
    assert "Traceback" not in logged(sandbox.folder)


async def test_unknown_tool_is_refused(sandbox: Sandbox) -> None:
    async with stdio_session(sandbox) as session:
        with pytest.raises(McpError, match="There is no tool"):
            await session.call_tool("delete_everything", {})


async def test_vendor_error_has_sentence_and_hint(sandbox: Sandbox) -> None:
    sandbox.rapid7.answer_with(401, times=50)
    async with stdio_session(sandbox) as session:
        result = await session.call_tool("usage", {"window": "last 7 days"})
    error = structured(result)["error"]
    assert result.isError
    assert error["kind"] == "auth"
    assert error["hint"]
    assert all(secret not in text_of(result) for secret in sandbox.rapid7.environ().values())


async def test_access_rules_apply(sandbox: Sandbox) -> None:
    async with stdio_session(sandbox, "--user", "U0LINUS") as session:
        refused = await session.call_tool("logs", {"logs": ["kitchen"]})
        usage = await session.call_tool("usage", {"window": "today"})
        help_ = await session.call_tool("usage", {"question": "help"})
    assert structured(refused)["error"]["kind"] == "refused"
    assert not usage.isError
    assert "kitchen" not in text_of(help_)


async def test_empty_asker_is_refused(run_cli: Run) -> None:
    ran = await run_cli("mcp", "--user", " ")
    assert ran.code == 2
    assert "--user is empty" in ran.err
    assert ran.out == ""


def with_alert(sandbox: Sandbox) -> dict[str, Any]:
    rule = {
        "ask": "/usage today",
        "value": "bytes",
        "above": "5 GB",
        "channel": "#ops",
    }
    audit = {**rule, "name": "failed-calls", "ask": "/apiaudit edge last 1h", "value": "failures"}
    return {**sandbox.table(), "alert": [{**rule, "name": "ingest-spike"}, {**audit, "above": 20}]}


async def test_alerts_list_states_from_the_store(sandbox: Sandbox) -> None:
    table = with_alert(sandbox)
    async with stdio_session(sandbox, table=table) as session:
        before = structured(await session.call_tool("alerts", {}))
    assert not (sandbox.folder / "bot.sqlite").exists()
    assert [alert["state"] for alert in before["alerts"]] == ["unknown", "unknown"]
    store = await Store.open(sandbox.location, now=sandbox.clock())
    try:
        now = sandbox.clock()
        await store.silences.silence(
            NewSilence("ingest-spike", now, now + timedelta(hours=2), "", "U0ADA")
        )
    finally:
        await store.close()
    async with stdio_session(sandbox, "--user", "U0LINUS", table=table) as session:
        seen = structured(await session.call_tool("alerts", {}))
        none = structured(await session.call_tool("alerts", {"state": "firing"}))
    # Linus has no access to audits, and so to none of their alerts.
    [alert] = seen["alerts"]
    assert alert["name"] == "ingest-spike"
    assert alert["silenced"].startswith("silenced until")
    assert alert["question"] == "/usage today"
    assert none["alerts"] == []


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ([], ["in-kitchen", "in-cellar"]),
        (["--user", "U0LINUS"], []),
        (["--user", "U0ADA"], ["in-cellar"]),
        (["--user", "U0LINUS", "--channel", "C0KITCHEN"], ["in-kitchen"]),
    ],
    ids=["operator", "another person", "their creator", "their channel"],
)
async def test_alerts_of_other_channels_are_hidden(
    sandbox: Sandbox, words: list[str], names: list[str]
) -> None:
    store = await Store.open(sandbox.location, now=sandbox.clock())
    try:
        for name, channel, user in (
            ("in-kitchen", "C0KITCHEN", "U0EVE"),
            ("in-cellar", "C0CELLAR", "U0ADA"),
        ):
            rule = Rule(name, "/usage today", "bytes", channel, above=5e9)
            encoded = msgspec.json.encode(rule).decode()
            await store.rules.add_rule(
                name=name,
                command="usage",
                channel=channel,
                rule=encoded,
                user=user,
                now=sandbox.clock(),
            )
    finally:
        await store.close()
    async with stdio_session(sandbox, *words) as session:
        seen = structured(await session.call_tool("alerts", {}))
    assert [alert["name"] for alert in seen["alerts"]] == names


@TRANSPORTS
async def test_concurrent_questions_are_all_answered(transport: str, sandbox: Sandbox) -> None:
    windows = ["today", "yesterday", "last 7 days", "last 4 days", "last 3 days", "last 2 days"]
    async with session_over(transport, sandbox) as session:
        answers = await asyncio.gather(
            *(session.call_tool("usage", {"window": window}) for window in windows),
            session.call_tool("api_audit", {"window": "2h"}),
            session.call_tool("logs", {"logs": ["kitchen"], "window": "5m"}),
        )
    assert [answer.isError for answer in answers] == [False] * 8
    labels = [structured(answer)["window"]["said"] for answer in answers[: len(windows)]]
    assert len(set(labels)) == len(windows)


@TRANSPORTS
async def test_progress_is_sent(transport: str, sandbox: Sandbox) -> None:
    received: list[tuple[float, str | None]] = []

    async def receive(progress: float, total: float | None, message: str | None) -> None:
        assert total is None
        received.append((progress, message))

    async with session_over(transport, sandbox) as session:
        await session.call_tool("logs", {"logs": ["kitchen"]}, progress_callback=receive)
    assert received
    numbers = [progress for progress, _ in received]
    assert numbers == sorted(set(numbers))
    assert all(message for _, message in received)


@TRANSPORTS
async def test_cancelled_question_ends(transport: str, sandbox: Sandbox) -> None:
    sandbox.rapid7.be_slow(600)
    asked = len(sandbox.rapid7.requests)
    async with session_over(transport, sandbox) as session:
        request = CallToolRequest(
            params=CallToolRequestParams(name="usage", arguments={"window": "last 7 days"})
        )
        number = session._request_id
        asking = asyncio.create_task(session.send_request(ClientRequest(request), CallToolResult))
        await until(lambda: len(sandbox.rapid7.requests) > asked)
        params = CancelledNotificationParams(requestId=number, reason="no longer needed")
        await session.send_notification(ClientNotification(CancelledNotification(params=params)))
        with pytest.raises(McpError, match="cancelled"):
            await asyncio.wait_for(asking, 60)
        assert not (await session.call_tool("usage", {"window": "today"})).isError


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


async def test_stdout_holds_protocol_alone(sandbox: Sandbox) -> None:
    """With the most verbose logging, and a line that is not a message."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "--verbose", "mcp"),
        cwd=sandbox.folder,
        env=server_environ(sandbox),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    call = {"name": "logs", "arguments": {"logs": ["kitchen"], "window": "20m"}}
    messages = [
        INITIALIZE,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call},
    ]
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"this is no message\n\xff\xfe\n" + b"[" * 2_000_000 + b"\n")
    process.stdin.write(b"".join(json.dumps(each).encode() + b"\n" for each in messages))
    received: list[dict[str, Any]] = []
    while not any(message.get("id") == 2 for message in received):
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        received.append(json.loads(line))
    process.stdin.close()
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in out.splitlines())
    assert b"INFO" in err


@pytest.mark.parametrize("how", ["closes", "terminates", "breaks its pipes"])
async def test_server_ends_with_its_client(how: str, sandbox: Sandbox) -> None:
    """Even while a question is being answered; no temporary file is left."""
    sandbox.rapid7.be_slow(600)
    temporary = sandbox.folder / "temporary"
    temporary.mkdir()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "mcp"),
        cwd=sandbox.folder,
        env={**server_environ(sandbox), "TMPDIR": str(temporary)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    call = {"name": "usage", "arguments": {"window": "last 7 days"}}
    messages = [
        INITIALIZE,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call},
    ]
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"".join(json.dumps(each).encode() + b"\n" for each in messages))
    await until(lambda: bool(sandbox.rapid7.requests))
    if how == "terminates":
        process.send_signal(signal.SIGTERM)
    elif how == "breaks its pipes":
        process._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]
        process.stdin.close()
    else:
        process.stdin.close()
    err = (await asyncio.wait_for(process.communicate(), 60))[1]
    assert process.returncode == 0, err
    assert b"Traceback" not in err
    assert list(temporary.iterdir()) == []


async def test_disconnected_client_ends_its_question(sandbox: Sandbox) -> None:
    sandbox.rapid7.be_slow(600, times=4)
    async with http_server(sandbox) as url, httpx.AsyncClient(timeout=60) as client:
        opened = await client.post(url, json=INITIALIZE, headers=ACCEPT)
        headers = {**ACCEPT, "Mcp-Session-Id": opened.headers["Mcp-Session-Id"]}
        ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        await client.post(url, json=ready, headers=headers)
        # As many as are answered at a time, so that the next one shows that they have ended.
        for number in range(4):
            call = {"name": "usage", "arguments": {"window": "last 7 days"}}
            asked = {"jsonrpc": "2.0", "id": 2 + number, "method": "tools/call", "params": call}
            before = len(sandbox.rapid7.requests)
            sending = asyncio.create_task(client.post(url, json=asked, headers=headers))
            await until(lambda before=before: len(sandbox.rapid7.requests) > before)  # type: ignore[misc]
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        async with http_session(url) as session:
            answer = await asyncio.wait_for(session.call_tool("usage", {"window": "today"}), 60)
            assert not answer.isError


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "evil.example:8770"}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 400),
        ({"Authorization": ""}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Authorization": f"Bearer {TOKEN}x"}, 401),
        ({"Authorization": "Bearer \xff"}, 401),
        ({}, 200),
    ],
    ids=str,
)
async def test_http_requests_are_checked(
    guarded: str, headers: dict[str, str], status: int
) -> None:
    usual = {**ACCEPT, "Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    sent = [(n.encode(), v.encode("latin-1")) for n, v in {**usual, **headers}.items()]
    async with httpx.AsyncClient(timeout=60) as client:
        answer = await client.post(guarded, content=json.dumps(INITIALIZE), headers=sent)
        assert answer.status_code == status
        assert TOKEN not in answer.text
        assert (await client.get(guarded, headers={"Host": "evil.example"})).status_code == 421


@pytest.fixture
async def guarded(sandbox: Sandbox) -> AsyncIterator[str]:
    async with http_server(sandbox, "--token", "env:MCP_TOKEN", MCP_TOKEN=TOKEN) as url:
        yield url


async def test_client_with_token_is_answered(guarded: str) -> None:
    async with http_session(guarded, token=TOKEN) as session:
        assert not (await session.call_tool("usage", {"window": "today"})).isError
    async with httpx.AsyncClient(timeout=60) as client:
        big = {**INITIALIZE, "id": "x" * 1_000_000}
        headers = {**ACCEPT, "Authorization": f"Bearer {TOKEN}"}
        assert (await client.post(guarded, json=big, headers=headers)).status_code == 413
        other = guarded.replace("/mcp", "/other")
        assert (await client.post(other, json=INITIALIZE, headers=headers)).status_code == 404


@pytest.mark.parametrize(
    ("words", "labels"),
    [
        (["--http", "--host", "0.0.0.0"], "needs a token"),
        (["--http", "--host", "::"], "needs a token"),
        (["--http", "--token", TOKEN], "never the token itself"),
        (["--http", "--token", "env:NO_SUCH_TOKEN"], "NO_SUCH_TOKEN"),
        (["--http", "--token", "env:SHORT_TOKEN"], "at least 16 characters"),
        (["--port", "8770"], "are for --http"),
    ],
    ids=" ".join,
)
async def test_unsafe_server_is_refused(run_cli: Run, words: list[str], labels: str) -> None:
    ran = await run_cli("mcp", *words, SHORT_TOKEN="short")
    assert ran.code == 2
    assert labels in ran.err
    assert TOKEN not in ran.err
    assert ran.out == ""


async def test_missing_package_is_named(run_cli: Run, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "mcp.py").write_text("raise ImportError('hidden')", "utf-8")
    paths = os.pathsep.join([str(hidden), str(Path(__file__).parents[2])])
    ran = await run_cli("mcp", PYTHONPATH=paths)
    assert ran.code == 2
    assert "pip install 'opswatch[mcp]'" in ran.err
