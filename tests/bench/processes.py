"""The measured processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.sandbox.sandbox import Sandbox
from tests.conftest import ROOT, toml_of


def environment(**names: str) -> dict[str, str]:
    """The environment of a measured process. As with an installed program, its modules are compiled
    after the first run.
    """
    here = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**here, **names, "PYTHONPATH": str(ROOT)}


@asynccontextmanager
async def process_of(
    name: str, folder: Path, env: dict[str, str]
) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A subject in a separate process."""
    command = [sys.executable, "-m", "tests.bench.subjects", name, str(folder)]
    process = subprocess.Popen(
        command,
        env=environment(**env),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@asynccontextmanager
async def subject(name: str, sandbox: Sandbox, **changes: Any) -> AsyncIterator[tuple[float, int]]:
    """A subject connected to the sandbox's Slack. Yields the seconds it took to start, and its
    process id.
    """
    (sandbox.folder / "bot.toml").write_text(toml_of({**sandbox.table(), **changes}))
    started = time.monotonic()
    async with process_of(name, sandbox.folder, sandbox.environ()) as process:
        await sandbox.slack.until(lambda: sandbox.slack.sockets, timeout_s=30)
        yield time.monotonic() - started, process.pid
    await sandbox.slack.until(lambda: not sandbox.slack.sockets, timeout_s=30)


def memory_mb(pid: int, what: str = "VmRSS") -> float:
    """The memory of a process now, or its peak (`VmHWM`), in megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split(f"{what}:")[1].split()[0]) * 1024 / 1e6


def process_cpu_ms(pid: int) -> float:
    """The processor time of all threads of a process until now, in milliseconds."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    # In nanoseconds; `stat` counts hundredths of a second.
    return sum(int((each / "schedstat").read_text().split()[0]) for each in threads) / 1e6
