"""`python -m bot demo`: conversations without a browser, the page, and `make demo`."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.sandbox.demo import open_demo, watched_alerts
from providers.clock import utc_now
from tests.conftest import ROOT, Run
from tests.support.alerts import messages
from tests.support.clock import process_environ


async def test_demo_plays_questions_and_ends(run_cli: Run) -> None:
    ran = await run_cli("demo", "--ask", "/usage last 7 days", "--ask", "/logs kitchen 20m")
    assert ran.code == 0
    assert "Ada in #ops: /usage last 7 days" in ran.out
    assert "in 7 days" in ran.out
    assert "[file] kitchen-" in ran.out
    assert ran.err.count("WARNING") == 0


def heads_and_files(out: str) -> list[tuple[str, list[str]]]:
    """Each question of a conversation with the files in its answer."""
    parts = out.split("Ada in #ops: ")[1:]
    return [(part.partition("\n")[0], re.findall(r"\[file\] ([a-z]+)-", part)) for part in parts]


async def test_demo_lists_files_under_questions(run_cli: Run) -> None:
    lines = ("/usage last 7 days csv", "apiaudit 24h csv", "/logs kitchen 20m", "/USAGE yesterday")
    ran = await run_cli("demo", *[word for line in lines for word in ("--ask", line)])
    assert ran.code == 0, ran.err
    assert heads_and_files(ran.out) == [
        ("/usage last 7 days csv", ["usage"]),
        ("/apiaudit 24h csv", ["apiaudit"]),
        ("/logs kitchen 20m", ["kitchen"]),
        ("/usage yesterday", []),
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("--ask", "@Opswatch usage last week"),
        ("--ask", ""),
        ("--ask", "  "),
        ("--ask", "/"),
        ("--ask", "/usage", "--ask", "/uptime"),
        ("--port", "99999"),
        ("--port", "-1"),
    ],
    ids=" ".join,
)
async def test_demo_refuses_wrong_options(run_cli: Run, words: tuple[str, ...]) -> None:
    ran = await run_cli("demo", *words)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1), ran.err
    says = "--port" if words[0] == "--port" else "the commands are /usage, /apiaudit and /logs"
    assert says in ran.err


async def test_make_demo_plays_its_question() -> None:
    process = await asyncio.create_subprocess_exec(
        "make",
        "-n",
        "demo",
        "ASK=/usage last 7 days",
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert "python -m bot demo" in out.decode()


async def test_make_adds_no_line_to_a_refused_question(tmp_path: Path) -> None:
    # As if the packages were installed, without installing them.
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.lock").touch()
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o700)
    (folder.parent / ".installed").touch()
    process = await asyncio.create_subprocess_exec(
        "make",
        "--no-print-directory",
        "demo",
        "ASK=nonsense",
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert (process.returncode, out) == (0, b"")
    assert err.decode().startswith("“nonsense” is not a command;")
    assert err.count(b"\n") == 1


async def test_demo_serves_its_page_until_interrupted(tmp_path: Path) -> None:
    import aiohttp

    env = process_environ(utc_now, {**os.environ, "PYTHONPATH": str(ROOT)})
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "demo",
        "--port",
        "0",
        cwd=tmp_path,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
    addresses = re.findall(r"http://\S+", line)
    assert len(addresses) == 1
    async with aiohttp.ClientSession() as session, session.get(addresses[0]) as response:
        assert "Opswatch sandbox" in await response.text()
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), 60) == 0


async def test_alerts_of_the_demo_show_what_is_behind_them(tmp_path: Path) -> None:
    alerts = [{**alert, "every": "5s"} for alert in watched_alerts()]
    async with open_demo(tmp_path, alert=alerts) as sandbox:
        await sandbox.slack.until(
            lambda: messages(sandbox, "C0OPS") and messages(sandbox, "C0SECURITY"), timeout_s=60
        )
        assert "Latest line: " in messages(sandbox, "C0OPS")[0].text
        assert "Most failures: " in messages(sandbox, "C0SECURITY")[0].text
        # Elsewhere, audits stay with those who may read them.
        answer = await sandbox.slack.answer_to("/apiaudit 24h failures", user="U0LINUS")
    assert "access to /apiaudit" in answer.text
