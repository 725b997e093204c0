"""`python -m bot run`: it connects, answers, stops, and reports missing settings."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from bot.sandbox.sandbox import Sandbox
from bot.store import Store
from tests.conftest import ROOT, Run, toml_of
from tests.support.clock import process_environ


async def drip(request: web.Request) -> web.StreamResponse:
    """An endless log that arrives one line at a time."""
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    while True:
        await response.write(b"2026-11-20T11:00:00Z INFO drip\n" * 10_000)
        await asyncio.sleep(0.05)


async def health(port: int) -> tuple[int, int]:
    """The answers of `/healthz` and `/readyz`."""
    import aiohttp

    async with aiohttp.ClientSession() as session:
        codes = []
        for path in ("/healthz", "/readyz"):
            async with session.get(f"http://127.0.0.1:{port}{path}") as response:
                codes.append(response.status)
        return codes[0], codes[1]


async def started(
    sandbox: Sandbox, tmp_path: Path, *, health_port: int = 0
) -> asyncio.subprocess.Process:
    import os

    config = tmp_path / "bot.toml"
    config.write_text(
        toml_of({**sandbox.table(), **({"health": {"port": health_port}} if health_port else {})})
    )
    env = process_environ(
        sandbox.clock, {**os.environ, **sandbox.environ(), "PYTHONPATH": str(ROOT)}
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", "--config", str(config), cwd=tmp_path, env=env
    )
    await sandbox.slack.until(lambda: sandbox.slack.sockets, timeout_s=20)
    return process


async def test_run_connects_answers_and_stops(
    sandbox: Sandbox, tmp_path: Path, free_tcp_port: int
) -> None:
    process = await started(sandbox, tmp_path, health_port=free_tcp_port)
    answer = await sandbox.slack.answer_to("/usage last 7 days")
    assert "in 7 days" in answer.text
    assert await health(free_tcp_port) == (200, 200)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 60) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
async def test_stop_finishes_or_reports_work(
    sandbox: Sandbox, tmp_path: Path, number: signal.Signals
) -> None:
    """One answer arrives in time and is posted. Another does not, and a log is still being
    downloaded: their askers are notified.
    """
    process = await started(sandbox, tmp_path)
    sandbox.devicewise.be_slow(2.0)
    await sandbox.slack.command("/apiaudit iot 24h")
    await sandbox.slack.until(lambda: sandbox.devicewise.requests)
    sandbox.rapid7.be_slow(60, path="/usage", times=99)
    sandbox.rapid7.misbehave(drip, path="/download", times=9)
    await sandbox.slack.command("/usage last 7 days", user="U0LINUS")
    await sandbox.slack.command("/logs kitchen")
    await sandbox.slack.until(lambda: any("/download" in path for path in sandbox.rapid7.paths()))
    process.send_signal(number)
    assert await asyncio.wait_for(process.wait(), 60) == 0
    assert any("iot:" in m.text for m in sandbox.slack.seen())
    assert sum("The bot is restarting" in m.text for m in sandbox.slack.seen("U0LINUS")) == 1
    assert sum("The bot is restarting" in m.text for m in sandbox.slack.seen("U0ADA")) == 1
    assert not [m for m in sandbox.slack.messages if m.text.startswith("Working on")]
    assert not list(tmp_path.glob("*.sqlite-wal"))
    store = await Store.open(sandbox.location, now=datetime.now(UTC))
    assert sorted(asked.outcome for asked in await store.questions.latest()) == [
        "answered",
        "cancelled",
        "cancelled",
    ]
    await store.close()


async def test_bot_without_slack_stops_at_once(sandbox: Sandbox, tmp_path: Path) -> None:
    import os

    config = tmp_path / "bot.toml"
    config.write_text(toml_of(sandbox.table()))
    env = {
        **os.environ,
        **sandbox.environ(),
        "PYTHONPATH": str(ROOT),
        "SLACK_API_URL": "http://127.0.0.1:9/api/",
    }
    env = process_environ(sandbox.clock, env)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "run",
        "--config",
        str(config),
        cwd=tmp_path,
        env=env,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    # Other lines may come before, such as one on temporary folders of an earlier crash.
    async with asyncio.timeout(60):
        while b"Slack could not be reached" not in (line := await process.stderr.readline()):
            assert line, "the bot has ended"
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 60) == 0


async def test_run_names_missing_settings(run_cli: Run) -> None:
    ran = await run_cli("run", SLACK_APP_TOKEN="")
    assert ran.code == 2
    assert "SLACK_APP_TOKEN" in ran.err
    ran = await run_cli("run", SLACK_BOT_TOKEN="xoxb-wrong")
    assert ran.code == 3
    assert "invalid_auth" in ran.err
