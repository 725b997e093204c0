"""`python -m bot` in a separate process."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.sandbox.sandbox import Sandbox
from tests.conftest import ROOT, toml_of
from tests.support.clock import process_environ


@asynccontextmanager
async def bot_program(
    sandbox: Sandbox,
    *options: str,
    table: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    log: Path = Path(os.devnull),
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The program with these options, or `run`, and with this configuration and environment, or
    those of the sandbox. It may not be connected yet. Its log lines go to `log`, and it is stopped
    at the end.
    """
    written = toml_of(dict(sandbox.table() if table is None else table))
    (sandbox.folder / "bot.toml").write_text(written, "utf-8")
    own = sandbox.environ() if environ is None else environ
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *(options or ["run"]),
            cwd=sandbox.folder,
            env=process_environ(sandbox.clock, {**os.environ, **own, "PYTHONPATH": str(ROOT)}),
            stdout=subprocess.DEVNULL,
            stderr=out,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), 60)
