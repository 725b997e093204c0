"""Runs the long program: `python -m tests.replicas [sqlite|postgres] [--times N] [--short]`.

Prints a row for each run, with Slack fast and slow, and exits with 1 where anything was lost,
doubled, out of order or passed over.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.replicas.cluster import PostgresOn, SqliteFile, StoppableDatabase
from tests.replicas.program import LONG, SHORT, Outcome, Plan, run
from tests.support.postgres import open_server, why_not
from tests.support.sandbox import open_tested_sandbox

SLOW_S = 1.6


@contextmanager
def opened(name: str, folder: Path) -> Iterator[StoppableDatabase]:
    if name == "sqlite":
        yield SqliteFile(folder / "bot.sqlite")
        return
    with open_server() as server:
        yield PostgresOn.create(server)


async def run_once(name: str, plan: Plan) -> Outcome:
    with tempfile.TemporaryDirectory() as folder, opened(name, Path(folder)) as database:
        async with open_tested_sandbox(Path(folder)) as sandbox:
            return await run(sandbox, database, plan)


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.replicas", description=__doc__)
    parser.add_argument("databases", nargs="*", default=["sqlite", "postgres"])
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--short", action="store_true", help="one minute a run")
    parser.add_argument("--slow", action="store_true", help="with a slow Slack alone")
    asked = parser.parse_args()
    faults = 0
    for name in asked.databases:
        if name == "postgres" and (reason := why_not()):
            print(f"postgres  skipped: {reason}")
            continue
        for number in range(asked.times):
            for slack_takes in (SLOW_S,) if asked.slow else (0.0, SLOW_S):
                plan = replace(SHORT if asked.short else LONG, seed=number, slack_takes=slack_takes)
                outcome = asyncio.run(run_once(name, plan))
                faults += len(outcome.faults)
                print(_row(name, plan, outcome), flush=True)
    return int(faults > 0)


def _row(name: str, plan: Plan, outcome: Outcome) -> str:
    slack = f"Slack {plan.slack_takes:g} s" if plan.slack_takes else "Slack fast"
    reported = outcome.reported_after_s
    head = (
        f"{name:9} seed {plan.seed}, {slack}: {outcome.messages} messages, "
        f"{outcome.evaluations} evaluations, {outcome.digests} digests, {outcome.questions} questions; "
        f"twice {len(outcome.twice)}, lost {len(outcome.lost)}, "
        f"out of order {len(outcome.out_of_order)}, passed over {len(outcome.passed_over)}; "
        f"cut-off asker notified after {reported and round(reported, 1)} s"
    )
    return "\n".join([head, *(f"    {fault}" for fault in outcome.faults[:20])])


if __name__ == "__main__":
    sys.exit(main())
