"""Every command ends in an orderly way when its output is closed, full, or nobody waits for it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bot.cli.exit_codes import ExitCodeGroup
from bot.cli.main import main
from tests.conftest import ROOT

COMMANDS: Sequence[Sequence[str]] = [
    ["--help"],
    ["ask", "--help"],
    ["--version"],
    ["manifest"],
    ["manifest", "--json"],
    ["check"],
    ["check", "--json"],
    ["init", "new.toml"],
    ["ask", "/nonsense", "--json"],
]


def start(words: Sequence[str], folder: Path, stdout: int) -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "BOT_CONFIG": "bot.toml"}
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        cwd=folder,
        env=env,
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=120,
    )


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_closed_pipe_ends_quietly(words: Sequence[str], tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ran = start(words, tmp_path, stdout=writer)
    os.close(writer)
    assert (ran.returncode, ran.stderr) == (141, b"")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_full_disk_is_named(words: Sequence[str], tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    full = os.open("/dev/full", os.O_WRONLY)
    ran = start(words, tmp_path, stdout=full)
    os.close(full)
    assert ran.returncode == 1
    assert ran.stderr.decode() == "The output could not be written: No space left on device.\n"


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"], ids=["output", "errors", "both"])
def test_closed_output_changes_no_exit_code(closed: str, tmp_path: Path) -> None:
    line = f'"{sys.executable}" -m bot check {closed}'
    env = {**os.environ, "PYTHONPATH": str(ROOT), "BOT_CONFIG": "bot.toml"}
    ran = subprocess.run(
        line, shell=True, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120
    )
    assert (ran.returncode, ran.stderr) == (2, "")


@pytest.mark.parametrize("error", [KeyboardInterrupt, BrokenPipeError])
def test_end_by_signal_has_its_exit_code(error: type[BaseException]) -> None:
    @click.group(cls=ExitCodeGroup)
    def program() -> None: ...

    @program.command()
    def work() -> None:
        raise error

    ran = CliRunner().invoke(program, ["work"])
    number = signal.SIGINT if error is KeyboardInterrupt else signal.SIGPIPE
    assert (ran.exit_code, ran.output) == (128 + number, "")


def test_demo_names_the_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = CliRunner().invoke(main, ["demo", "--port", str(port)])
    assert ran.exit_code == 1
    assert ran.output.startswith(f"Port {port} is in use")
    assert "--port 0" in ran.output
