"""Questions asked in a terminal, beside an interpreter that does nothing."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from bot.sandbox.world import open_sandbox
from tests.bench.processes import environment
from tests.bench.results import Results, ratios, times_ms
from tests.conftest import toml_of


async def terminal(results: Results, *, full: bool) -> None:
    """`ask --help` and `ask` of one question."""
    times = 15 if full else 5
    with tempfile.TemporaryDirectory() as folder:
        async with open_sandbox(Path(folder)) as world:
            (world.folder / "bot.toml").write_text(toml_of(world.table()))
            run = partial(_run, folder=world.folder, environ=environment(**world.environ()))
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


def _run(*words: str, folder: Path, environ: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, *words], cwd=folder, env=environ, stdout=subprocess.DEVNULL, check=True
    )
