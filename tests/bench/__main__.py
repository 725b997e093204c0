"""Prints a row for each figure: the median of its ratios to a reference in the same run, their
spread, and whether it misses its target.

    python -m tests.bench                     everything, in under three minutes
    python -m tests.bench decoding starting   these parts
    python -m tests.bench --short             what takes less than half a minute
    python -m tests.bench --full              more runs, larger logs
    python -m tests.bench --json FILE         the rows as JSON, too
    python -m tests.bench --compare FILE      and beside those of an earlier run
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
from collections.abc import Sequence
from pathlib import Path

from tests.bench.alerts import alerts
from tests.bench.decoding import decoding
from tests.bench.logs import beside_a_log, bulk, hostile_logs, redaction
from tests.bench.replicas import replicas
from tests.bench.results import Results, comparison
from tests.bench.slack import acknowledging, answering, app_home, starting
from tests.bench.terminal import mcp, terminal

PARTS = {
    part.__name__: part
    for part in (
        acknowledging,
        answering,
        starting,
        app_home,
        terminal,
        mcp,
        beside_a_log,
        decoding,
        alerts,
        replicas,
        redaction,
        hostile_logs,
        bulk,
    )
}
SHORT = ("starting", "terminal", "app_home", "decoding")


async def main(words: Sequence[str] | None = None) -> Results:
    """Runs the parts that the command line names."""
    asked = _arguments(words)
    # Collecting garbage would be measured, too.
    gc.collect()
    gc.freeze()
    gc.disable()
    results = Results()
    for name in asked.parts or (SHORT if asked.short else PARTS):
        await PARTS[name](results, full=asked.full)
    if asked.json:
        results.write(asked.json)
    if asked.compare:
        baseline = json.loads(asked.compare.read_text("utf-8"))
        print(f"\nBeside {asked.compare} ({baseline['machine']}):")
        print("\n".join(comparison(results.rows, baseline)))
    return results


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.bench", description="The benchmarks.")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help=", ".join(PARTS))
    parser.add_argument("--full", action="store_true", help="more runs, larger logs")
    parser.add_argument("--short", action="store_true", help="what takes less than half a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to FILE")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="compare with rows in FILE")
    return parser.parse_args(words)


if __name__ == "__main__":
    asyncio.run(main())
