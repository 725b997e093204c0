"""The official client, connected to `python -m bot mcp` in a separate process."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from mcp import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult

from bot.sandbox.sandbox import Sandbox
from tests.conftest import ROOT, toml_of
from tests.support.clock import process_environ

LONGEST_S = 60.0


def server_environ(sandbox: Sandbox, table: dict[str, Any] | None = None) -> dict[str, str]:
    """The environment of a server, whose configuration is written."""
    config = sandbox.folder / "bot.toml"
    config.write_text(toml_of(table if table is not None else sandbox.table()), "utf-8")
    env = {**os.environ, **sandbox.environ(), "BOT_CONFIG": str(config), "PYTHONPATH": str(ROOT)}
    return process_environ(sandbox.clock, env)


@asynccontextmanager
async def stdio_session(
    sandbox: Sandbox, *words: str, table: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[ClientSession]:
    """A session on standard input and output. What the server logs is in `mcp.log`."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "bot", "mcp", *words],
        env=server_environ(sandbox, table),
        cwd=str(sandbox.folder),
    )
    with (sandbox.folder / "mcp.log").open("w") as logged:
        async with (
            stdio_client(server, errlog=logged) as (received, sent),
            ClientSession(received, sent, **options) as session,
        ):
            await asyncio.wait_for(session.initialize(), LONGEST_S)
            yield session


@asynccontextmanager
async def http_server(
    sandbox: Sandbox, *words: str, table: dict[str, Any] | None = None, **environ: str
) -> AsyncIterator[str]:
    """The URL of a server that listens on a free port, and is stopped as a service manager would."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "mcp", "--http", "--port", "0", *words),
        cwd=sandbox.folder,
        env={**server_environ(sandbox, table), **environ},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        found = None
        while found is None:
            line = await asyncio.wait_for(process.stderr.readline(), LONGEST_S)
            assert line, "the server has ended"
            # It may first say that Slack does not answer.
            found = re.search(rb"http://\S+", line)
        draining = asyncio.create_task(process.stderr.read())
        yield found[0].decode()
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), LONGEST_S) == 0
        err = (await draining).decode()
        assert "Traceback" not in err, err
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def http_session(url: str, *, token: str = "") -> AsyncIterator[ClientSession]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx.AsyncClient(headers=headers, timeout=LONGEST_S) as client,
        streamable_http_client(url, http_client=client) as (received, sent, _),
        ClientSession(received, sent) as session,
    ):
        await asyncio.wait_for(session.initialize(), LONGEST_S)
        yield session


def structured(result: CallToolResult) -> dict[str, Any]:
    """The structured result, which clients without support for it read as JSON."""
    assert result.structuredContent is not None
    if not result.isError:
        assert json.loads(text_of(result)) == result.structuredContent
    return result.structuredContent


def text_of(result: CallToolResult) -> str:
    [content] = result.content
    assert content.type == "text"
    return content.text


def logged(folder: Path) -> str:
    return (folder / "mcp.log").read_text("utf-8")
