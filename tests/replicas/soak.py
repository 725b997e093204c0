"""A compressed day: `python -m tests.replicas.soak [--minutes N]` runs three replicas on PostgreSQL
with many rules and digests, prints what each holds in memory, and counts what was lost or doubled.

The rules are evaluated as often as on a day with an evaluation every quarter of an hour, in as many
minutes as are given.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.sandbox.sandbox import Sandbox
from bot.store import LeaseTimings, Store
from providers.clock import utc_now
from tests.bench.processes import memory_mb
from tests.replicas.cluster import Cluster, PostgresOn, cluster_of
from tests.replicas.program import CHANNELS, add_channels, instants, settled
from tests.support.postgres import open_server, why_not
from tests.support.sandbox import open_tested_sandbox

RULES = 10_000
DIGESTS = 500
LOOK_EVERY_S = 30.0
# Between the first quarter and the end, when every rule has been evaluated often.
MOST_GROWTH = 1.25


def evaluated_every(minutes: float) -> timedelta:
    """The interval that gives as many evaluations as a day with one every quarter of an hour."""
    return timedelta(seconds=max(5, round(minutes * 60 / 96)))


def configuration(every: timedelta) -> dict[str, Any]:
    """The rules and digests."""
    channels = list(CHANNELS)
    return {
        "alert": [
            {
                "name": f"rule-{n}",
                "ask": "/usage rapid7-eu today",
                "value": "bytes",
                "above": "5 GB" if n % 100 == 0 else "1000 GB",
                "every": f"{every.seconds}s",
                "channel": channels[n % len(channels)],
            }
            for n in range(RULES)
        ],
        "digest": [
            {
                "name": f"digest-{n}",
                "ask": "/usage rapid7-eu last 7 days",
                "at": f"{n % 60} * * * *",
                "channel": channels[n % len(channels)],
            }
            for n in range(DIGESTS)
        ],
    }


async def soak(sandbox: Sandbox, database: PostgresOn, minutes: float) -> int:
    """The number of faults."""
    add_channels(sandbox)
    sandbox.rapid7.usage = lambda day, now: 3_000_000_000 * (1 + int(time.time() // 300) % 2)
    every = evaluated_every(minutes)
    async with cluster_of(sandbox, database, LeaseTimings(), configuration(every)) as cluster:
        store = await Store.open(database.location, now=utc_now())
        try:
            # Those before were due while the replicas started.
            began = utc_now() + every
            early, late = await _watch(cluster, store, minutes * 60)
            ended = utc_now() - 2 * every
            await settled(store)
            faults = await _faults(sandbox, store, (began, ended), every)
        finally:
            await store.close()
    growth = late / early
    print(f"memory grew {growth:.2f} × (at most {MOST_GROWTH:g})")
    print(", ".join(f"{kind} {count}" for kind, count in faults.items()))
    return int(growth > MOST_GROWTH) + sum(faults.values())


async def _faults(
    sandbox: Sandbox, store: Store, between: tuple[datetime, datetime], every: timedelta
) -> dict[str, int]:
    """The number of duplicate messages and of lost digests."""
    found = {
        datetime.fromisoformat(row["at"]): row["count"]
        for row in await store.read("SELECT at, count(*) AS count FROM samples GROUP BY at")
    }
    due = instants(*between, every)
    # No fault: a rule that is due again while it is evaluated is evaluated once for both times.
    skipped = sum(RULES - found.get(at, 0) for at in due)
    print(f"{len(due)} evaluations of each rule were due; too slow for {skipped:,} of all")
    sent = Counter(
        message.metadata["event_payload"]["key"]
        for message in sandbox.slack.messages
        if message.metadata.get("event_payload")
    )
    ran = await store.read("SELECT count(*) AS count FROM runs WHERE outcome != 'sent'")
    return {
        "twice": sum(count - 1 for count in sent.values()),
        "digests lost": ran[0]["count"],
    }


async def _watch(cluster: Cluster, store: Store, lasts_s: float) -> tuple[float, float]:
    """The memory of all replicas after a quarter of the time, and at the end."""
    began = time.monotonic()
    early = 0.0
    while True:
        await asyncio.sleep(min(LOOK_EVERY_S, lasts_s / 8))
        passed = time.monotonic() - began
        held = [memory_mb(each.process.pid) for each in cluster.living]
        [row] = await store.read(
            "SELECT (SELECT count(*) FROM samples) AS samples, "
            "(SELECT count(*) FROM outbox WHERE state = 'sent') AS sent, "
            "(SELECT count(*) FROM outbox WHERE state != 'sent') AS waiting"
        )
        print(
            f"{passed:6.0f} s  {', '.join(f'{each:.0f}' for each in held)} MB  "
            f"{row['samples']:,} samples, {row['sent']:,} sent, {row['waiting']:,} waiting",
            flush=True,
        )
        average = sum(held) / len(held)
        if passed >= lasts_s:
            return early or average, average
        if not early and passed >= lasts_s / 4:
            early = average


async def run(minutes: float) -> int:
    with tempfile.TemporaryDirectory() as folder, open_server() as server:
        async with open_tested_sandbox(Path(folder)) as sandbox:
            return await soak(sandbox, PostgresOn.create(server), minutes)


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.replicas.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    asked = parser.parse_args()
    if reason := why_not():
        print(f"skipped: {reason}")
        return 0
    return asyncio.run(run(asked.minutes))


if __name__ == "__main__":
    sys.exit(main())
