"""`run` logs one JSON object a line, and a question can be followed through its lines."""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.sandbox import Sandbox
from bot.store import Store
from providers.clock import utc_now
from tests.conftest import toml_of
from tests.support.bot_program import bot_program


def running(
    sandbox: Sandbox, log: Path, *options: str, table: dict[str, Any] | None = None, **environ: str
) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    return bot_program(
        sandbox,
        *options,
        table={**sandbox.table(), **(table or {})},
        environ={**sandbox.environ(), **environ},
        log=log,
    )


def logged(log: Path) -> list[dict[str, str]]:
    """Every line of the log, each of which must be a JSON object."""
    return [json.loads(line) for line in log.read_text().splitlines()]


WAYS = {
    "option of run": (["run", "--log-format", "json"], {}, {}),
    "option of the program": (["--log-format", "json", "run"], {}, {}),
    "environment": (["run"], {}, {"BOT_LOG_FORMAT": "json"}),
    "configuration": (["run"], {"logging": {"format": "json"}}, {}),
}


@pytest.mark.parametrize(("options", "table", "environ"), WAYS.values(), ids=WAYS.keys())
async def test_every_line_is_json(
    sandbox: Sandbox,
    tmp_path: Path,
    options: list[str],
    table: dict[str, Any],
    environ: dict[str, str],
) -> None:
    log = tmp_path / "log"
    async with running(sandbox, log, *options, table=table, **environ):
        await sandbox.slack.until(lambda: bool(sandbox.slack.sockets), timeout_s=60)
    lines = logged(log)
    assert any("Connected to Slack" in line["message"] for line in lines)
    assert {"time", "level", "logger", "message"} <= set(lines[0])


async def test_line_names_the_question_it_belongs_to(sandbox: Sandbox, tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with running(sandbox, log, "run", "--log-format", "json"):
        await sandbox.slack.until(lambda: bool(sandbox.slack.sockets), timeout_s=60)
        await sandbox.slack.answer_to("/usage last 7 days", timeout_s=60)
        await sandbox.slack.answer_to("/usage last 7 days", timeout_s=60)
    store = await Store.open(sandbox.location, now=utc_now())
    recorded = [row["delivery"] for row in await store.read("SELECT delivery FROM questions")]
    await store.close()
    assert len(recorded) == 2
    answered = [line for line in logged(log) if line["message"].startswith("Finished /usage")]
    assert sorted(line["question"] for line in answered) == sorted(recorded)
    connected = next(line for line in logged(log) if "Connected" in line["message"])
    assert "question" not in connected


async def test_level_is_taken_from_the_configuration(sandbox: Sandbox, tmp_path: Path) -> None:
    log = tmp_path / "log"
    table = {"logging": {"format": "json", "level": "warning"}}
    async with running(sandbox, log, "run", table=table) as process:
        await sandbox.slack.until(lambda: bool(sandbox.slack.sockets), timeout_s=60)
        await sandbox.slack.answer_to("/usage last 7 days", timeout_s=60)
        assert not [line for line in logged(log) if line["level"] == "INFO"]
        toml = toml_of({**sandbox.table(), "logging": {"format": "json", "level": "info"}})
        (sandbox.folder / "bot.toml").write_text(toml, "utf-8")
        process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(60):
            while not any("was reloaded" in line["message"] for line in logged(log)):
                await asyncio.sleep(0.05)


async def test_refused_start_is_json_too(sandbox: Sandbox, tmp_path: Path) -> None:
    log = tmp_path / "log"
    options = ("run", "--log-format", "json")
    async with running(sandbox, log, *options, table={"timezone": "Mars/Olympus"}) as process:
        assert await asyncio.wait_for(process.wait(), 60) == 2
    [line] = logged(log)
    assert line["level"] == "ERROR"
    assert "timezone" in line["message"]


async def test_unknown_format_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with running(sandbox, log, "run", "--log-format", "xml") as process:
        assert await asyncio.wait_for(process.wait(), 60) == 2
    assert "'text', 'json'" in log.read_text()
