"""Questions asked in a terminal, beside an interpreter that does nothing."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from mcp import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.bench.processes import environment
from tests.bench.results import Results, ratios, times_ms
from tests.conftest import toml_of
from tests.support.sandbox import open_tested_sandbox


async def terminal(results: Results, *, full: bool) -> None:
    """`ask --help` and `ask` of one question."""
    times = 15 if full else 5
    with tempfile.TemporaryDirectory() as folder:
        async with open_tested_sandbox(Path(folder)) as sandbox:
            (sandbox.folder / "bot.toml").write_text(toml_of(sandbox.table()))
            run = partial(_run, folder=sandbox.folder, environ=environment(**sandbox.environ()))
            # The first one creates the database, and compiles modules.
            await asyncio.to_thread(run, "-m", "bot", "ask", "/usage last 7 days")
            nothing = await asyncio.to_thread(times_ms, lambda: run("-c", "pass"), times)
            help_ = await asyncio.to_thread(
                times_ms, lambda: run("-m", "bot", "ask", "--help"), times
            )
            ask = await asyncio.to_thread(
                times_ms, lambda: run("-m", "bot", "ask", "/usage last 7 days"), times
            )
    reference = f"python -c pass {statistics.median(nothing):.0f} ms"
    for what, taken, target in (("--help", help_, 8.0), ("of one question", ask, 25.0)):
        results.add(
            f"ask {what}, from a terminal",
            f"{statistics.median(taken):.0f} ms",
            reference,
            ratios(taken, nothing),
            target,
        )


async def mcp(results: Results, *, full: bool) -> None:
    """A question from a connected MCP client, beside the same one asked in a terminal."""
    times = 15 if full else 5
    with tempfile.TemporaryDirectory() as folder:
        async with open_tested_sandbox(Path(folder)) as sandbox:
            (sandbox.folder / "bot.toml").write_text(toml_of(sandbox.table()))
            environ = environment(**sandbox.environ())
            run = partial(_run, folder=sandbox.folder, environ=environ)
            # The first one creates the database, and compiles modules.
            await asyncio.to_thread(run, "-m", "bot", "ask", "/usage last 7 days")
            terminal_ms = await asyncio.to_thread(
                times_ms, lambda: run("-m", "bot", "ask", "/usage last 7 days"), times
            )
            server = StdioServerParameters(
                command=sys.executable, args=["-m", "bot", "mcp"], env=environ, cwd=folder
            )
            async with (
                stdio_client(server) as (received, sent),
                ClientSession(received, sent) as session,
            ):
                await session.initialize()
                await session.list_tools()
                mcp_ms = [await _asked_ms(session) for _ in range(times)]
    results.add(
        "MCP question",
        f"{statistics.median(mcp_ms):.0f} ms",
        f"ask of the same question {statistics.median(terminal_ms):.0f} ms",
        ratios(mcp_ms, terminal_ms),
        1.2,
    )


async def _asked_ms(session: ClientSession) -> float:
    begun = time.perf_counter()
    result = await session.call_tool("usage", {"window": "last 7 days"})
    assert not result.isError
    return (time.perf_counter() - begun) * 1000


def _run(*words: str, folder: Path, environ: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, *words], cwd=folder, env=environ, stdout=subprocess.DEVNULL, check=True
    )
